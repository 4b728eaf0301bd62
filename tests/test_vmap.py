"""`dv.vmap`: batches against a Python loop over NumPy, against jax.vmap, and at random."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

import derive as dv
from derive.function import CompiledFunction
from derive.ir.check import check_program

from .properties.checks import as_tuple, close
from .properties.maker import RandomFunction
from .properties.programs import Seeded, make_function
from .properties.test_random_programs import three_points

BATCH = 3
Arrays = Mapping[str, Any]


def looped(fn: Callable[..., Any], args: Arrays, in_axes: Mapping[str, int], at: int = 0) -> Any:
    """``fn`` for one problem after the other."""
    count = np.shape(args[next(iter(in_axes))])[in_axes[next(iter(in_axes))]]
    each = [
        fn(**{n: np.take(x, k, in_axes[n]) if n in in_axes else x for n, x in args.items()})
        for k in range(count)
    ]
    if isinstance(each[0], tuple):
        return tuple(np.stack(parts, at) for parts in zip(*each, strict=True))
    return np.stack(each, at)


def rnn(W: Any, x: Any, h: Any) -> Any:
    def step(h: Any, x: Any) -> Any:
        h = np.tanh(W @ h + x)
        return h, h.sum()

    return dv.scan(step, h, x)


def regression(A: Any, b: Any) -> Any:
    return np.linalg.solve(A.T @ A + np.eye(A.shape[1]), A.T @ b)


def log_density(S: Any, x: Any) -> Any:
    L = np.linalg.cholesky(S)
    z = np.linalg.solve(L, x)
    return -z @ z / 2 - np.log(np.diagonal(L)).sum()


def embedded(E: Any, tok: Any, w: Any) -> Any:
    return np.maximum(E[tok] @ w, 0).max()


def masked(S: Any, mask: Any) -> Any:
    E = np.where(mask, np.exp(S - S.max(axis=-1, keepdims=True)), 0)
    return E / E.sum(axis=-1, keepdims=True)


def positions(x: Any) -> Any:
    return np.sort(x)[::-1].cumsum() * np.arange(x.shape[0])


SHAPES: dict[Callable[..., Any], dict[str, str]] = {
    rnn: {"W": "n n", "x": "t n", "h": "n"},
    regression: {"A": "m n", "b": "m"},
    log_density: {"S": "n n, positive definite", "x": "n"},
    embedded: {"E": "v n", "tok": "m, integer < v", "w": "n"},
    masked: {"S": "m n", "mask": "m n, boolean"},
    positions: {"x": "n"},
}
CASES = [
    (rnn, {"x": 0}),
    (rnn, {"W": 0, "h": 1}),
    (regression, {"b": 0}),
    (regression, {"A": 2, "b": 0}),
    (log_density, {"S": 0, "x": 0}),
    (log_density, {"S": 1}),
    (embedded, {"tok": 0}),
    (embedded, {"E": 1, "tok": 1}),
    (masked, {"S": 2, "mask": 0}),
    (masked, {"mask": 1}),
    (positions, {"x": 1}),
]


def arrays(fn: Callable[..., Any], in_axes: Mapping[str, int]) -> dict[str, Any]:
    """Random arguments, batched ones with their batch axis."""
    random, sizes = np.random.default_rng(7), {"n": 4, "m": 5, "t": 6, "v": 7}
    found = {}
    for name, spec in SHAPES[fn].items():
        axes, _, fact = spec.partition(", ")
        shape = [sizes[a] for a in axes.split()]
        if name in in_axes:
            shape.insert(in_axes[name], BATCH)
        found[name] = random.normal(size=shape)
        if fact.startswith("integer"):
            found[name] = random.integers(0, sizes["v"], shape)
        if fact == "boolean":
            found[name] = random.random(shape) < 0.7
            found[name][..., 0] = found[name][0] = True
        if fact == "positive definite":
            S = np.moveaxis(found[name], in_axes[name], 0) if name in in_axes else found[name]
            S = S @ np.swapaxes(S, -1, -2) + np.eye(4)
            found[name] = np.moveaxis(S, 0, in_axes[name]) if name in in_axes else S
    return found


@pytest.mark.parametrize(("fn", "in_axes"), CASES)
def test_a_batch_is_a_loop(fn: Callable[..., Any], in_axes: dict[str, int]) -> None:
    args = arrays(fn, in_axes)
    f = dv.trace(fn, **SHAPES[fn])
    g = dv.vmap(f, in_axes=in_axes)
    check_program(g.program)
    plain = looped(fn, args, in_axes)
    for mine, right in zip(as_tuple(g(**args)), as_tuple(plain), strict=True):
        close(mine, right, "a batch")


@pytest.mark.parametrize(("fn", "in_axes"), [CASES[k] for k in (0, 3, 4, 7, 8)])
def test_derivatives_of_a_batch(fn: Callable[..., Any], in_axes: dict[str, int]) -> None:
    """A batch of backward passes, and the backward pass of a batch: shared inputs receive the sum."""
    args = arrays(fn, in_axes)
    f = dv.trace(fn, **SHAPES[fn])
    g, pullback = dv.vmap(f, in_axes=in_axes), dv.vjp(f)
    seeds = pullback.origin.seeds
    random = np.random.default_rng(3)
    given = {n: random.normal(size=np.shape(y)) for n, y in zip(seeds, as_tuple(g(**args)), strict=True)}
    each = as_tuple(looped(pullback, {**args, **given}, {**in_axes, **dict.fromkeys(seeds, 0)}))

    many = dv.vmap(pullback, in_axes={**in_axes, **dict.fromkeys(seeds, 0)})
    for mine, right in zip(as_tuple(many(**args, **given)), each, strict=True):
        close(mine, right, "a batch of backward passes")

    whole = dv.vjp(g)
    found = as_tuple(whole(*args.values(), *given.values()))
    for name, mine, right in zip(whole.origin.wrt, found, each, strict=True):
        expected = np.moveaxis(right, 0, in_axes[name]) if name in in_axes else right.sum(axis=0)
        close(mine, expected, f"the cotangent of {name}", scale=1.0)


def mlp(params: Any, x: Any, y: Any) -> Any:
    h = np.tanh(params["W"] @ x + params["b"])
    return np.sum((params["v"] @ h - y) ** 2)


MLP = {"params": {"W": "m n", "b": "m", "v": "k m"}, "x": "n", "y": "k"}


def mlp_arguments() -> tuple[dict[str, Any], Any, Any]:
    random = np.random.default_rng(0)
    params = {"W": random.normal(size=(4, 3)), "b": random.normal(size=4), "v": random.normal(size=(2, 4))}
    return params, random.normal(size=(5, 3)), random.normal(size=(5, 2))


def test_gradients_for_each_example_are_those_of_jax() -> None:
    jax = pytest.importorskip("jax", reason="jax.vmap is the comparison")
    params, x, y = mlp_arguments()
    with jax.enable_x64(True):

        def loss(p: Any, x: Any, y: Any) -> Any:
            return jax.numpy.sum((p["v"] @ jax.numpy.tanh(p["W"] @ x + p["b"]) - y) ** 2)

        right = jax.vmap(jax.grad(loss), in_axes=(None, 0, 0))(params, x, y)
        ensembles = jax.vmap(jax.vmap(loss, (None, 0, 0)), ({"W": 0, "b": None, "v": 0}, None, None), 1)
        several = {
            "W": np.stack([params["W"], 2 * params["W"]]),
            "b": params["b"],
            "v": np.stack([params["v"]] * 2),
        }
        right2 = ensembles(several, x, y)
    f = dv.trace(mlp, **MLP)
    mine = dv.vmap(dv.grad(f, "params"), in_axes=["x", "y"])
    for found in (mine(params, x, y), mine.compile()(params, x, y)):
        assert found.keys() == {"W", "b", "v"}
        for name, gradient in found.items():
            close(gradient, right[name], name)
    twice = dv.vmap(
        dv.vmap(f, in_axes=(None, 0, 0)),
        "models",
        in_axes={"params": {"W": 0, "b": None, "v": 0}},
        out_axes=1,
    )
    close(twice(several, x, y), right2, "an ensemble")


def test_a_batch_of_derivatives_is_checked_and_emitted() -> None:
    f = dv.trace(mlp, **MLP)
    many = dv.vmap(dv.grad(f, "params"), in_axes=["x", "y"])
    report = dv.check(many)
    assert report.passed and report.kind == "grad"
    assert dv.check(many.compile()).passed
    cubes = dv.vmap(dv.grad(dv.trace(lambda x: np.sum(x**3), x="n"), "x"))
    mixed = dv.trace(lambda x: 3 * x**2 + 1e-9 * x.sum(axis=0), x="batch n")
    assert dv.check(cubes).passed
    other = dv.trace(lambda x: 3 * np.roll(x, 1, axis=0) ** 2, x="batch n")
    for wrong in (mixed, other):
        assert not dv.check(CompiledFunction(cubes, wrong.compile().kernel)).passed
    module: dict[str, Any] = {"__name__": "emitted"}
    plain = dv.vmap(dv.grad(dv.trace(lambda W, x: np.sum(np.tanh(W @ x)), W="m n", x="n"), "W"), in_axes="x")
    exec(plain.emit("numpy"), module)
    (emitted,) = (v for n, v in module.items() if callable(v) and not n.startswith("_"))
    params, x, _ = mlp_arguments()
    close(emitted(params["W"], x), plain(params["W"], x), "emitted")


def test_hessians_and_products_with_them_for_each_example() -> None:
    f = dv.trace(lambda w, x: np.log1p(np.exp(w @ x)), w="n", x="n")
    random = np.random.default_rng(1)
    w, X, V = random.normal(size=3), random.normal(size=(4, 3)), random.normal(size=(4, 3))
    p = 1 / (1 + np.exp(-X @ w))
    right = (p * (1 - p))[:, None, None] * X[:, :, None] * X[:, None, :]
    close(dv.vmap(dv.hessian(f, "w"), in_axes="x")(w, X), right, "Hessians")
    products = dv.vmap(dv.hvp(f, "w"), in_axes={"x": 0, "dw": 0})(w, X, dw=V)
    close(products, np.einsum("bij,bj->bi", right, V), "Hessian-vector products")
    tangents = dv.jvp(dv.vmap(f, in_axes="x"), "w")(w, X, dw=V[0])
    close(tangents, p * (X @ V[0]), "tangents of a batch")


def test_places_of_the_batch_axis_and_shared_results() -> None:
    f = dv.trace(lambda W, x: (W @ x, np.sum(W**2)), W="m n", x="n")
    random = np.random.default_rng(2)
    W, x = random.normal(size=(2, 3)), random.normal(size=(3, 5))
    value, norm = dv.vmap(f, in_axes={"x": -1}, out_axes=(1, None))(W, x)
    close(value, W @ x, "batch last")
    close(norm, np.sum(W**2), "shared")
    repeated = dv.vmap(f, in_axes={"x": 1})(W, x)[1]
    close(repeated, np.full(5, np.sum(W**2)), "repeated")
    named = dv.vmap(f, "points", in_axes={"x": 1}, out_axes={f.outputs[0]: -1})
    close(named(W, x)[0], W @ x, "by name")
    assert np.ndim(named(W, x)[1]) == 0
    same = dv.vmap(dv.trace(lambda x: x, x="n"), in_axes=1, out_axes=0)
    close(same(x), x.T, "an input that is returned")


def test_facts_are_kept_where_they_still_hold() -> None:
    f = dv.trace(lambda A, p: np.trace(A) * np.sum(p * np.log(p)), A="n n, symmetric", p="m, simplex")
    facts = {t.name: t.facts for t in dv.vmap(f, in_axes={"A": 0, "p": 0}).program.inputs}
    assert "symmetric" in facts["A"] and "simplex" in facts["p"]
    facts = {t.name: t.facts for t in dv.vmap(f, in_axes={"A": 1, "p": 1}).program.inputs}
    assert "symmetric" not in facts["A"] and facts["p"] == {"nonnegative"}


def test_functions_that_are_traced_when_called() -> None:
    random = np.random.default_rng(4)
    A, x = random.normal(size=(3, 3)), random.normal(size=(5, 3))
    for in_axes in ({"x": 0}, "x", (0, None)):
        quadratic = dv.vmap(lambda x, A: x @ A @ x, in_axes=in_axes)
        close(quadratic(x, A), np.einsum("bi,ij,bj->b", x, A, x), "deferred")
        close(quadratic(x[:0], A=A), np.zeros(0), "no problem at all")
    close(
        dv.vmap(dv.grad(lambda x, A: x @ A @ x, "x"), in_axes="x").compile()(x, A),
        x @ (A + A.T),
        "its gradient",
    )

    def inside(X: Any, A: Any) -> Any:
        return np.sum(dv.vmap(lambda x: x @ A @ x)(X))

    close(dv.grad(inside, "X")(x, A), x @ (A + A.T), "within a traced function")


def power(x: Any, w: Any) -> Any:
    for k in range(len(w)):
        x = x * w[k]
    return x


def test_functions_that_need_a_size_as_a_number() -> None:
    x, w = np.arange(6.0).reshape(2, 3), np.array([1.0, 2.0, 3.0, 4.0])
    f = dv.trace(power, x="n", w="k")
    close(dv.vmap(f, in_axes="x")(x, w), 24 * x, "traced once for each value of k")
    close(dv.vmap(dv.vjp(f, "x"), in_axes=["x", "gx2"])(x, w, gx2=x), 24 * x, "its backward pass")


@pytest.mark.parametrize(
    ("keywords", "error", "words"),
    [
        ({"axis": "n"}, dv.ShapeError, "a size called n already; try: vmap(function, axis='batch')"),
        ({"axis": "X"}, dv.ShapeError, "an array called X already"),
        ({"axis": (0, None)}, dv.SpecError, "try: vmap(f, in_axes=(0, None))"),
        ({"axis": "a b"}, dv.SpecError, "found 'a b'"),
        ({"in_axes": {"Y": 0}}, dv.UnknownName, "no input 'Y'; known: X, w"),
        ({"in_axes": None}, dv.SpecError, "all arguments are shared"),
        ({"in_axes": (0,)}, dv.SpecError, "1 places were given for 2: X, w"),
        ({"in_axes": {"w": 2}}, dv.ShapeError, "at 2 in w[m], which with it has the axes 0 to 1"),
        ({"in_axes": {"w": 0.5}}, dv.SpecError, "in w is an integer or None; found 0.5"),
        ({"in_axes": True}, dv.SpecError, "found True"),
        ({"in_axes": "w", "out_axes": None}, dv.ShapeError, "Y depends on w"),
        ({"in_axes": "w", "out_axes": 7}, dv.ShapeError, "at 7 in Y[n]"),
        ({"in_axes": "w", "out_axes": {"q": 0}}, dv.UnknownName, "no output 'q'; known: Y"),
    ],
)
def test_what_cannot_be_asked(keywords: dict[str, Any], error: type[Exception], words: str) -> None:
    f = dv.trace(lambda X, w: X @ w, X="n m", w="m")
    with pytest.raises(error) as found:
        dv.vmap(f, **keywords)
    assert words in str(found.value)


def test_an_argument_without_the_batch_axis() -> None:
    g = dv.vmap(dv.trace(lambda X, w: X @ w, X="n m", w="m"), in_axes="w")
    with pytest.raises(dv.ShapeError, match=r"w has shape \(4,\) but was declared \[batch, m\]"):
        g(np.ones((3, 4)), np.ones(4))
    with pytest.raises(dv.ShapeError, match="at 0 in x, which has 0 axes"):
        dv.vmap(lambda x: x * 2)(3.0)


# -- random programs


class Sampled:
    """A random program with some batched inputs, and problems of equal shapes."""

    def __init__(self, seed: int) -> None:
        self.program = make_function(Seeded(seed))
        self.random = np.random.default_rng(seed)
        self.f = dv.trace(self.program.function(), **self.program.specs)
        tensors = self.f.program.inputs
        some = [t for t in tensors if self.random.random() < 0.6] or list(tensors[:1])
        self.in_axes = {t.name: int(self.random.integers(0, t.rank + 1)) for t in some}
        self.out_axes = tuple(int(self.random.integers(0, t.rank + 1)) for t in self.f.program.outputs)
        _, inputs, _ = next(three_points(self.program))
        self.problems = [inputs, *({**inputs, **self.again(self.program, inputs)} for _ in range(BATCH - 1))]
        self.args = {
            n: np.stack([p[n] for p in self.problems], self.in_axes[n]) if n in self.in_axes else inputs[n]
            for n in inputs
        }

    def again(self, program: RandomFunction, inputs: Arrays) -> dict[str, Any]:
        """Other values for the batched inputs; integers are shuffled, so that they stay in range."""
        found = {}
        for i in program.inputs:
            if i.name in self.in_axes:
                shape = np.shape(inputs[i.name])
                drawn = self.random.uniform(i.range.low, i.range.high, shape)
                found[i.name] = (
                    drawn if i.differentiable else self.random.permuted(inputs[i.name].ravel()).reshape(shape)
                )
        return found


@pytest.fixture
def seeds(request: pytest.FixtureRequest) -> range:
    return range(5000, 5000 + request.config.getoption("--programs") // 4)


def test_random_programs(seeds: range) -> None:
    for seed in seeds:
        s = Sampled(seed)
        if not s.in_axes:
            continue
        g = dv.vmap(s.f, in_axes=s.in_axes, out_axes=s.out_axes if len(s.out_axes) > 1 else s.out_axes[0])
        check_program(g.program)
        check_program(g.presented)
        each = [as_tuple(s.program.function()(**p)) for p in s.problems]
        found = as_tuple(g(**s.args))
        for k, at in enumerate(s.out_axes):
            close(found[k], np.stack([y[k] for y in each], at), f"{s.program!r}{s.in_axes}")
        if s.program.wrt:
            backward_of_a_batch(s, g, found)


def backward_of_a_batch(s: Sampled, g: Any, found: tuple[Any, ...]) -> None:
    one, whole = dv.vjp(s.f, s.program.wrt), dv.vjp(g, s.program.wrt)
    check_program(whole.presented)
    cotangents = [s.random.standard_normal(np.shape(y)) for y in found]
    sums = as_tuple(whole(**s.args, **dict(zip(whole.origin.seeds, cotangents, strict=True))))
    each = []
    for k, problem in enumerate(s.problems):
        seeds = [np.take(c, k, at) for c, at in zip(cotangents, s.out_axes, strict=True)]
        each.append(as_tuple(one(**problem, **dict(zip(one.origin.seeds, seeds, strict=True)))))
    for k, name in enumerate(s.program.wrt):
        parts = [gradients[k] for gradients in each]
        right = np.stack(parts, s.in_axes[name]) if name in s.in_axes else sum(parts)
        close(sums[k], right, f"{s.program!r}{s.in_axes}: {name}", scale=1.0)


def test_random_kernels(seeds: range) -> None:
    for seed in seeds[: max(1, len(seeds) // 15)]:
        s = Sampled(seed + 7)
        g = dv.vmap(s.f, in_axes=s.in_axes)
        for mine, right in zip(as_tuple(g.compile()(**s.args)), as_tuple(g(**s.args)), strict=True):
            close(mine, right, f"{s.program!r}{s.in_axes}")
