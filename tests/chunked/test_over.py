"""`f.over`: what is computed chunk by chunk is what a call gives, and what cannot be says why."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import derive as dv
from derive.chunked.passes import passes
from derive.chunked.states import layout
from derive.chunked.task import Runner, Task
from derive.ir.check import check_program
from derive.ir.nodes import size

from ..properties.checks import as_tuple, close
from ..properties.programs import Seeded, make_function

dask = pytest.importorskip("dask", reason="f.over runs on dask arrays")
da = pytest.importorskip("dask.array")

N, D = 23, 3
CHUNKS = {"n": (7, 0, 1, 9, 6), "d": (D,)}


@pytest.fixture(autouse=True)
def in_this_thread() -> Any:
    with dask.config.set(scheduler="synchronous"):
        yield


def mse(X: Any, y: Any, w: Any) -> Any:
    return np.mean((X @ w - y) ** 2) + np.sum(w**2)


def batch_norm(X: Any, w: Any) -> Any:
    return np.sum(np.tanh((X - X.mean(axis=0)) / np.sqrt(X.var(axis=0) + 1e-3) * w))


def softmax(y: Any) -> Any:
    e = np.exp(y - y.max())
    return e / e.sum()


def log_sum_exp(y: Any) -> Any:
    return np.log(np.sum(np.exp(y - y.max()))) + y.max()


def least_squares(X: Any, y: Any) -> Any:
    return np.linalg.solve(X.T @ X + np.eye(X.shape[1]), X.T @ y)


def numbered(y: Any) -> Any:
    return y * np.arange(y.shape[0]), np.sum(y * np.arange(y.shape[0])) / y.shape[0]


def embedded(E: Any, tok: Any, w: Any) -> Any:
    return np.sum(np.tanh(E[tok] @ w))


def extremes(X: Any) -> Any:
    return X.max(axis=0), X.min(axis=0), X.prod(axis=0), np.argmax(X, axis=1)


def rnn(X: Any, h: Any) -> Any:
    return dv.scan(lambda h, x: (np.tanh(h + x), h * x), h, X.T)


def whole_matrix(A: Any, x: Any) -> Any:
    return A @ x, x @ A, np.trace(A)


def stack(B: Any) -> Any:
    return np.linalg.inv(B), np.linalg.slogdet(B)[1].sum()


SPECS = {
    "X": "n d", "y": "n", "w": "d", "E": "v d", "tok": "n, integer < v", "h": "n", "A": "n n", "x": "n", "B": "n d d",
}  # fmt: skip
FUNCTIONS: dict[str, tuple[Callable[..., Any], int]] = {f.__name__: (f, passes) for f, passes in {
    mse: 1, batch_norm: 3, softmax: 3, log_sum_exp: 2, least_squares: 1, numbered: 1, embedded: 1, extremes: 1, rnn: 1,
    stack: 1,
}.items()}  # fmt: skip


def arguments(*names: str) -> dict[str, Any]:
    random = np.random.default_rng(0)
    sizes = {"n": N, "d": D, "v": 5}
    found: dict[str, Any] = {}
    for name, spec in SPECS.items():
        shape = [sizes[axis] for axis in spec.partition(",")[0].split()]
        found[name] = random.integers(0, 5, shape) if name == "tok" else random.normal(size=shape)
    found["B"] = found["B"] + 4 * np.eye(D)
    return {name: found[name] for name in names}


def traced(fn: Callable[..., Any]) -> Any:
    names = fn.__code__.co_varnames[: fn.__code__.co_argcount]
    return dv.trace(fn, **{name: SPECS[name] for name in names})


def chunked(name: str, value: Any, chunks: tuple[int, ...] = CHUNKS["n"]) -> Any:
    """A dask array in chunks along n, if it has that axis."""
    axes = SPECS[name].partition(",")[0].split()
    return da.from_array(value, chunks=(chunks, *value.shape[1:])) if axes[0] == "n" else value


def agree(lazy: Any, right: Any, what: str) -> None:
    for mine, expected in zip(as_tuple(lazy), as_tuple(right), strict=True):
        assert isinstance(mine, da.Array)
        found = mine.compute()
        assert found.shape == mine.shape and found.dtype == mine.dtype
        close(found, expected, what)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_chunks_give_what_a_call_gives(name: str) -> None:
    fn, expected = FUNCTIONS[name]
    f = traced(fn)
    args = arguments(*f.inputs)
    lazy = {n: chunked(n, x) for n, x in args.items()}
    agree(f.over(**lazy), fn(**args) if fn is not rnn else f(**args), name)
    cut = {n: 0 for n in args if n not in ("w", "E")}
    found = passes(layout(name, f.stable, cut, size("n"), next(iter(cut))))
    assert sum(p.each is not None for p in found) == expected
    for p in found:
        for program in filter(None, (p.once, p.each)):
            check_program(program)


@pytest.mark.parametrize("name", ["mse", "batch_norm", "embedded", "log_sum_exp"])
def test_gradients_of_shared_parameters_are_added_up(name: str) -> None:
    f = traced(FUNCTIONS[name][0])
    args = arguments(*f.inputs)
    lazy = {n: chunked(n, x) for n, x in args.items()}
    g = dv.grad(f)
    right = g(**args)
    agree(g.over(**lazy), right, "gradients")
    agree(g.compile().over(**lazy), right, "gradients by kernels")


def test_means_are_weighted_by_the_lengths_of_chunks() -> None:
    X = np.concatenate([np.zeros((1, D)), np.ones((N - 1, D))])
    f = dv.trace(lambda X: X.mean(axis=0), X="n d")
    agree(f.over(da.from_array(X, chunks=((1, N - 1), D))), X.mean(axis=0), "mean")


@pytest.mark.parametrize("seed", range(4))
def test_chunks_of_any_lengths_and_of_different_ones(seed: int) -> None:
    random = np.random.default_rng(seed)
    f = dv.value_and_grad(traced(batch_norm))
    args = arguments("X", "w")
    at = np.sort(random.integers(0, N + 1, 4))
    lengths = tuple(map(int, np.diff([0, *at, N])))
    value, gradients = f.over(X=chunked("X", args["X"], lengths), w=args["w"])
    right, expected = f(**args)
    agree((value, *gradients), (right, *expected), f"{lengths}")
    g = traced(mse)
    args = arguments("X", "y", "w")
    other = g.over(chunked("X", args["X"]), da.from_array(args["y"], chunks=5), args["w"])
    agree(other, mse(**args), "two different chunkings")
    agree(
        g.over(chunked("X", args["X"]), args["y"], args["w"]),
        mse(**args),
        "an array in memory that is cut as well",
    )


def test_a_size_that_one_argument_has_twice() -> None:
    args = arguments("A", "x")
    f = traced(whole_matrix)
    for chunks in ((CHUNKS["n"], N), (N, CHUNKS["n"])):
        agree(f.over(da.from_array(args["A"], chunks=chunks), args["x"]), whole_matrix(**args), f"{chunks}")


def test_batches_structures_and_functions_without_shapes() -> None:
    X, y, w = arguments("X", "y", "w").values()
    dX, dy = chunked("X", X), chunked("y", y)
    loss = dv.trace(
        lambda p, x, y: (np.tanh(p["w"] @ x) + p["b"] - y) ** 2, p={"w": "d", "b": ""}, x="d", y=""
    )
    each = dv.vmap(dv.grad(loss, "p"), "n", in_axes=["x", "y"])
    p = {"w": w, "b": 0.3}
    found, right = each.over(p, dX, dy), each(p, X, y)
    assert found["w"].chunks == ((7, 1, 9, 6), (D,))
    agree((found["w"], found["b"]), (right["w"], right["b"]), "a gradient for each example")
    pullback = dv.vjp(dv.vmap(loss, "n", in_axes=["x", "y"]), "p")
    seed = pullback.origin.seeds[0]
    total = pullback.over(p, dX, dy, **{seed: dy})
    close(total["w"].compute(), np.tensordot(y, right["w"], 1), "their weighted sum")

    deferred = dv.grad(lambda X, w: np.sum(np.tanh(X @ w)), "w")
    right = X.T @ (1 - np.tanh(X @ w) ** 2)
    agree(deferred.over(dX, w=w), right, "deferred")
    single = deferred.compile(np.float32).over(dX, w)
    assert single.dtype == np.float32
    close(single.compute(), right, "in single precision", tolerance=1e-5)


def power(X: Any, w: Any) -> Any:
    for k in range(len(w)):
        X = X * w[k]
    return X.sum(axis=0)


def test_one_chunk_and_sizes_as_numbers() -> None:
    args = arguments("X", "y", "w")
    f = traced(mse)
    agree(f.over(da.from_array(args["X"], chunks=-1), args["y"], args["w"]), mse(**args), "one chunk")
    g = dv.trace(power, X="n d", w="k")
    agree(g.over(chunked("X", args["X"]), np.arange(1.0, 5.0)), 24 * args["X"].sum(axis=0), "k as a number")


def test_nothing_is_loaded_before_it_is_asked_for_and_then_once_for_each_pass() -> None:
    loaded: list[int] = []

    def load(block_info: Any = None) -> Any:
        start, end = block_info[None]["array-location"][0]
        loaded.append(start)
        return np.arange(start, end, dtype=float)[:, None] * np.ones(D)

    X = da.map_blocks(load, chunks=((4, 5, 6), D), dtype=float, meta=np.empty((0, 0)))
    norm, total = traced(batch_norm).over(X, np.ones(D)), dv.trace(lambda X: X.sum(axis=0), X="n d").over(X)
    assert not loaded
    close(total.compute(), np.full(D, 14 * 15 / 2), "sum")
    assert sorted(loaded) == [0, 4, 9]
    loaded.clear()
    norm.compute()
    assert sorted(loaded) == [0, 0, 0, 4, 4, 4, 9, 9, 9]


def test_blocks_that_chunks_divide() -> None:
    X, w = arguments("X", "w").values()
    lazy = da.from_array(X, chunks=(N, 2)).rechunk((5, D))
    target = lazy @ w
    agree(traced(mse).over(lazy, target, w), mse(X, X @ w, w), "one argument made of another")


def test_a_task_travels_as_equations() -> None:
    f = traced(mse)
    task = pickle.loads(pickle.dumps(Task("mse", f.stable, Runner(compiled=True))))
    args = arguments("X", "y", "w")
    close(task(*args.values())[0], mse(**args), "in another process")


def repeated(X: Any, w: Any, c: Any) -> Any:
    return dv.scan(lambda w, c: (w - c * X.T @ (X @ w), w.sum()), w, c)


SEVERAL = "read together, so that every chunk meets every other"
REFUSED: list[tuple[Callable[..., Any], dict[str, str], str, str]] = [
    (lambda X: X @ X.T, {"X": "n d"}, f"X[i,j] and X[k,j] are {SEVERAL}", "with a size of another name"),
    (lambda y: np.sort(y), {"y": "n"}, SEVERAL, "y.rechunk(-1)"),
    (lambda y: np.cumsum(y), {"y": "n"}, "the indices j and i both run over all n entries", "y.rechunk(-1)"),
    (lambda y: np.sum((y[1:] - y[:-1]) ** 2), {"y": "n"}, "y[i] takes n - 1 of the n entries", "such as y[1:]"),
    (lambda y: np.sum(y[:5]), {"y": "n"}, "y[i] takes 5 of the n entries", "such as y[1:]"),
    (lambda y: y[::-1], {"y": "n"}, "the place -i + n - 1 in y[-i+n-1] may be in another chunk", "y.rechunk(-1)"),
    (lambda y, tok: y[tok].sum(), {"y": "n", "tok": "m, integer < n"}, "the place tok[i] in y[tok[i]]", "y.rechunk(-1)"),
    (lambda A: np.linalg.inv(A), {"A": "n n"}, "inv takes this axis as a whole", "A.rechunk(-1)"),
    (lambda y, c: dv.scan(lambda h, t: (np.tanh(h + t), h), c, y), {"y": "n", "c": ""}, "the time t of a", "another axis"),
    (repeated, {"X": "n d", "w": "d", "c": "t"}, "each step of the recurrence reduces over", "called in a loop"),
]  # fmt: skip


@pytest.mark.parametrize(("fn", "shapes", "why", "hint"), REFUSED)
def test_what_chunks_cannot_do_alone(
    fn: Callable[..., Any], shapes: dict[str, str], why: str, hint: str
) -> None:
    first = next(iter(shapes))
    sizes = {"n": N, "d": D, "m": 4, "t": 2}
    args = {}
    for name, words in shapes.items():
        shape = [sizes[axis] for axis in words.partition(",")[0].split()]
        args[name] = np.zeros(shape, int if "integer" in words else float)
    args[first] = da.from_array(args[first], chunks=(CHUNKS["n"], *args[first].shape[1:]))
    with pytest.raises(dv.ChunkError) as error:
        dv.trace(fn, **shapes).over(**args)
    text = str(error.value)
    assert f"along n, the axis along which {first} is chunked: " in text
    assert why in text and hint in text and "\n  in " in text


@pytest.mark.parametrize(
    ("args", "error", "words"),
    [
        ({"X": (7, 2)}, dv.ChunkError, r"n \(axis 0 of X\) and d \(axis 1 of X\).*\n.*X.rechunk\({1: -1}\)"),
        ({"X": (7, D), "w": 2}, dv.ChunkError, r"n \(axis 0 of X\) and d \(axis 0 of w\)"),
        ({}, dv.ChunkError, "no argument of mse"),
        ({"X": None}, dv.ChunkError, "lengths that dask does not know; try: X.compute_chunk_sizes"),
        ({"y": 5, "X": "complex"}, dv.DomainError, "X is complex"),
        ({"X": "short"}, dv.ShapeError, "X has shape|y has shape"),
    ],
)
def test_arguments_that_cannot_be_chunked(args: dict[str, Any], error: type[Exception], words: str) -> None:
    given = arguments("X", "y", "w")
    for name, chunks in args.items():
        x = given[name]
        if chunks is None:
            lazy = da.from_array(x, chunks=(7, D))
            given[name] = lazy[lazy[:, 0] > 0]
        elif chunks == "complex":
            given[name] = da.from_array(x + 0j, chunks=(7, D))
        elif chunks == "short":
            given[name] = da.from_array(x[:5], chunks=(2, D))
        else:
            given[name] = da.from_array(x, chunks=chunks)
    with pytest.raises(error, match=words):
        traced(mse).over(**given)


def test_a_wrong_value_is_found_when_its_chunk_is_computed() -> None:
    E, tok, w = arguments("E", "tok", "w").values()
    tok[9] = 5
    lazy = traced(embedded).over(E, da.from_array(tok, chunks=4), w)
    with pytest.raises(dv.DomainError, match=r"holds 5 at \[1\].*\n  in the chunk that begins with entry 8"):
        lazy.compute()


def test_a_size_that_was_traced_as_a_number() -> None:
    f = dv.trace(lambda X: X.sum(), X=f"{N} d")
    with pytest.raises(dv.ChunkError, match=f"was traced for {N} entries along it"):
        f.over(chunked("X", arguments("X")["X"]))


def test_random_programs(request: pytest.FixtureRequest) -> None:
    """Whatever is not refused gives what a call gives."""
    accepted = refused = 0
    for seed in range(7000, 7000 + request.config.getoption("--programs")):
        program = make_function(Seeded(seed))
        f = dv.trace(program.function(), **program.specs)
        random = np.random.default_rng(seed)
        sizes = {s: int(v) for s, v in zip(f.program.sizes, random.permutation([4, 5, 6]), strict=False)}
        axes = [(t, p) for t in f.program.inputs for p, e in enumerate(t.shape) if e in sizes]
        if not axes:
            continue
        tensor, place = axes[int(random.integers(len(axes)))]
        args = {i.name: i.sample(random, sizes) for i in program.inputs}
        chunks = tuple((1, n - 1) if p == place else n for p, n in enumerate(args[tensor.name].shape))
        lazy = {**args, tensor.name: da.from_array(args[tensor.name], chunks=chunks)}
        try:
            right = f(**args)
            outputs = f.over(**lazy)
        except dv.ChunkError:
            refused += 1
            continue
        except dv.ShapeError:
            continue  # a program for larger arrays
        agree(outputs, right, f"{program!r}{tensor.name}, axis {place}")
        accepted += 1
    assert accepted >= refused / 2
