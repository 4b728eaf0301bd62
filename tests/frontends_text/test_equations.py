"""Index notation as text: what is printed is read back as the same program, and what a person writes means what it says."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import derive as dv
import layers
from derive.errors import ParseError, ShapeError, SpecError, UnknownName
from derive.frontends.parse_index import parse_equations
from derive.ir.check import check_program
from derive.ir.evaluate import evaluate
from derive.ir.facts import Spec, spec
from derive.ir.nodes import Program, Tensor
from derive.render.index import render_index

from .corpus import EQUATIONS
from .mutations import grown

random = np.random.default_rng(3)
SIZES: dict[str, int] = {}


def printed(program: Program) -> str:
    return "\n".join(render_index(program))


def declared(program: Program) -> dict[str, Spec]:
    return {t.name: Spec(t.shape, t.kind, t.facts, t.bound) for t in program.inputs}


def sample(tensor: Tensor) -> np.ndarray:
    """Random entries, for sizes that are all different."""
    extents = [s for e in tensor.shape for s in e.free_symbols]
    for symbol in extents:
        SIZES.setdefault(str(symbol), 3 + len(SIZES) % 5)
    shape = [int(e.subs({s: SIZES[str(s)] for s in e.free_symbols})) for e in tensor.shape]
    if tensor.kind == "real":
        return random.uniform(0.2, 1.7, shape)
    return random.integers(0, 2, shape)


def same_values(one: Program, other: Program) -> None:
    inputs = {t.name: sample(t) for t in one.inputs}
    expected, found = evaluate(one, inputs), evaluate(other, inputs)
    for tensor in one.outputs:
        np.testing.assert_allclose(found[tensor.name], expected[tensor.name], rtol=1e-10, atol=1e-12)


LAYERS = [
    *((name, shapes) for name, shapes in layers.SHAPES.items()),
    *((name, shapes) for name, shapes in layers.WITHOUT_BATCH.items()),
]


@pytest.mark.parametrize("name, shapes", LAYERS, ids=lambda x: x if isinstance(x, str) else "")
def test_what_is_printed_is_read_back(name: str, shapes: dict[str, str]) -> None:
    f = dv.trace(getattr(layers, name), **shapes)
    for function in (f, dv.vjp(f), dv.jvp(f)):
        for program in (function.program, function.presented):
            text = printed(program)
            again = parse_equations(text, declared(program), [t.name for t in program.outputs])
            check_program(again)
            assert printed(again) == text
            same_values(program, again)


MATRICES = {
    "inv": (lambda X: np.linalg.inv(X), {"X": "n n"}),
    "inv of a stack": (lambda X: np.linalg.inv(X), {"X": "k n n"}),
    "det": (lambda X: np.linalg.det(X), {"X": "n n"}),
    "slogdet": (lambda X: np.linalg.slogdet(X), {"X": "n n"}),
    "solve": (lambda A, b: np.linalg.solve(A, b), {"A": "n n", "b": "n"}),
    "solve for a matrix": (lambda A, B: np.linalg.solve(A, B), {"A": "n n", "B": "n m"}),
    "solve with stacks": (lambda A, B: np.linalg.solve(A, B), {"A": "k n n", "B": "k n m"}),
    "cholesky": (lambda A: np.linalg.cholesky(A @ A.T), {"A": "3 7"}),
    "eigh": (lambda A: np.linalg.eigh(A), {"A": "n n, symmetric"}),
    "svd": (lambda A: np.linalg.svd(A, full_matrices=False), {"A": "m 2"}),
    "pinv": (lambda A: np.linalg.pinv(A), {"A": "m n"}),
    "power": (lambda X: np.linalg.matrix_power(X, 3), {"X": "n n"}),
}


@pytest.mark.parametrize("name", MATRICES)
def test_functions_of_matrices_are_read_back(name: str) -> None:
    fn, shapes = MATRICES[name]
    f = dv.trace(fn, **shapes)
    for program in (f.program, dv.vjp(f).presented, dv.jvp(f).presented):
        text = printed(program)
        again = parse_equations(text, declared(program), [t.name for t in program.outputs])
        check_program(again)
        assert printed(again) == text
        same_values(program, again)


def test_functions_of_matrices_within_expressions() -> None:
    f = dv.equations("L = log(det(A)) + sum_i inv(A)[i,i] x[0]^2", A="n n", x="n")
    A, x = np.array([[2.0, 1.0], [0.5, 3.0]]), np.array([1.5, 2.0])
    np.testing.assert_allclose(f(A, x), np.log(5.5) + np.trace(np.linalg.inv(A)) * 2.25)
    assert printed(dv.equations("y[i] = power(x[i], 3)", x="n").program) == "y[i] = x[i]^3"


@pytest.mark.parametrize(
    "text, says",
    [
        ("Y[i,j] = inv(A)", r"inv\(...\) has 2 axes; found 0 indices"),
        ("Y[i,j] = inv(B)[i,j]", "inv needs axes of equal size; found n and m"),
        ("Y[i] = solve(A, x')[i]", "solve needs a vector here; found x' with 1 whole axes"),
        ("Y[i] = solve(A, B)[i]", "solve needs a vector here; found B with 2 whole axes"),
        ("Y[i] = B[:,i]", "a whole axis stands only in what a function of matrices is given"),
        ("Y[i,j] = inv(A + A)[i,j]", "try: define A \\+ A in a line of its own"),
        ("w[i] = eigh(A)[i]", r"which result is meant\? eigh\(...\).eigenvalues"),
        ("w[i] = eigh(A).eigenvalue[i]", "did you mean eigenvalues"),
        ("Y = inv(A).inverse", "inv\\(...\\) has one result"),
        ("Y = det(A, A)", "det takes 1 argument"),
        ("Y = det", r"write det\(...\)"),
    ],
)
def test_functions_of_matrices_that_make_no_sense(text: str, says: str) -> None:
    with pytest.raises(ParseError, match=says):
        parse_equations(text, {"A": spec("n n"), "B": spec("n m"), "x": spec("n")})


LEAVES = ("x[i]", "y[j]", "X[i,j]", "a", "i", "0.5", "3", "2", "[i = j]", "[y[j] < 1]", "x[tok[i]]", "X[i,0]", "pi", "n")
FRAMES = [
    *("({} + {})", "({} - {})", "({}) * {}", "{} * {}", "({} / ({} + 4))", "({})^2", "(1 + abs({}))^(1 / 2)", "(-{})") * 3,
    *("where({} <= {}, {}, {})", "(sum_k x[k] * {})", "(max_k X[i,k] * {})", "[{} < {} and not(i = 2)] * {}"),
    *(f"{name}({{}})" for name in ("exp", "tanh", "sigmoid", "abs", "sign", "erf", "sin")),
    *("max({}, {})", "min({}, {})", "log(1 + ({})^2)", "1 / (2 + ({})^2)"),
]
LEFT = ("Y[i,j] = {}", "Y[i] = sum_j {}", "Y = max_i,j {}", "Y[j] += {}", "Y[tok[i]] += {}")
GROWN_SHAPES = {"x": "n", "y": "m", "X": "n m", "a": "", "tok": "n, integer < n"}


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(st.sampled_from(LEFT), grown(LEAVES, FRAMES))
def test_any_equation_is_printed_and_read_back(left: str, right: str) -> None:
    specs = {name: spec(axes) for name, axes in GROWN_SHAPES.items()}
    try:
        program = parse_equations(left.format(right), specs)
    except ShapeError:
        return
    except ParseError as error:
        assert "it is not known what the index" in str(error) or "stands for an index already" in str(error)
        return
    text = printed(program)
    shapes = {t.name: Spec(t.shape, t.kind, t.facts, t.bound) for t in program.tensors.values()}
    try:
        again = parse_equations(text, shapes, [t.name for t in program.outputs])
    except ParseError as error:
        assert "it is not known what the index" in str(error)
        return
    check_program(again)
    assert printed(again) == text
    same_values(program, again)


def test_a_function_of_equations_is_printed_as_it_was_written() -> None:
    text = dv.vjp(dv.trace(layers.attention, **layers.SHAPES["attention"])).index()
    shapes = {"Q": "n d", "K": "m d", "V": "m p", "gO": "n p"}
    f = dv.equations(text, outputs=["gQ", "gK", "gV"], **shapes)
    assert f.index() == text
    assert f.inputs == ("Q", "K", "V", "gO") and f.outputs == ("gQ", "gK", "gV")


# -- what is written means


def result(text: str, shapes: dict[str, str], **arrays: np.ndarray) -> np.ndarray:
    program = parse_equations(text, {name: spec(axes) for name, axes in shapes.items()})
    check_program(program)
    return evaluate(program, arrays)[program.outputs[-1].name]


x, y = random.uniform(0.5, 1.5, 5), random.uniform(0.5, 1.5, 5)
A, B = random.uniform(0.5, 1.5, (5, 4)), random.uniform(0.5, 1.5, (4, 3))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Y[i,l] = sum_j A[i,j] B[j,l]", A @ B),
        ("Y[i,l] = sum_j A[i,j]*B[j,l]/sqrt(n)", A @ B / np.sqrt(5)),
        ("Y[j,i] = A[i,j]", A.T),
        ("Y = sum_i x[i] y[i]", x @ y),
        ("Y = sum_i,j A[i,j]^2 / (n m)", np.mean(A**2)),
        ("Y[i] = 2 x[i] (1 - y[i]) / 3", 2 * x * (1 - y) / 3),
        ("Y[i] = x[i] / y[i] / 2", x / y / 2),
        ("Y[i] = -x[i]^2 + x[i]^-1 - 2^(1 / 2)", -(x**2) + 1 / x - np.sqrt(2)),
        ("Y[i] = exp(x[i]) / sum_k exp(x[k])", np.exp(x) / np.exp(x).sum()),
        ("Y[i] = sum_k (x[i] - x[k])^2 + x[i]", ((x[:, None] - x) ** 2).sum(1) + x),
        ("Y = max_i x[i] y[i]", (x * y).max()),
        ("Y[i] = x[i] max_j A[i,j]", x * A.max(1)),
        ("Y = 1 - min_i x[i]", 1 - x.min()),
        ("Y[i] = prod_j A[i,j]", A.prod(1)),
        ("Y = sum_i max_j A[i,j]", A.max(1).sum()),
        ("Y = sum_i sum_j A[i,j]", A.sum()),
        ("Y = max_i sum_j A[i,j]", A.sum(1).max()),
        ("Y[i] = [x[i] > 1] y[i]", (x > 1) * y),
        ("Y[i] = where(x[i] > 1 and not(y[i] < 1), x[i], 0)", np.where((x > 1) & ~(y < 1), x, 0)),
        ("Y[i] = [x[i] <= 1 or i = 0]", (x <= 1) | (np.arange(5) == 0)),
        ("Y[i] = max(x[i], 1) + min(y[i], 1)", np.maximum(x, 1) + np.minimum(y, 1)),
        ("Y[i] = sum_j [j <= i] x[j]   # a running sum", np.cumsum(x)),
        ("Y[i] += A[i,j]", A.sum(1)),
        ("Y[j] += max_k A[i,j] B[j,k]", (A[:, :, None] * B).max(2).sum(0)),
        ("Y[i] = x[n - 1 - i]", x[::-1]),
        ("Y[i] = x[i+1] - x[i] for i < n - 1", np.diff(x)),
        ("Y[i] = x[2i]", x[::2]),
        ("Y[i] = x[i] i + n", x * np.arange(5) + 5),
        ("Y[i] = x[i] for i < 3", x[:3]),
        ("z[i] = x[i] y[i]\n\n  Y = sum_i z[i]; ", x @ y),
        ("Y[i] = abs(x[i] - y[i]) sign(x[i] - y[i])", x - y),
        ("Y[i] = pi x[i] + e", np.pi * x + np.e),
        ("Y[i,j] = [i = j] x[i] - x[i] x[j]", np.diag(x) - np.outer(x, x)),
    ],
)
def test_values(text: str, expected: np.ndarray) -> None:
    shapes = {"x": "n", "y": "n", "A": "n m", "B": "m p"}
    if "running" in text:
        shapes["Y"] = "n"
    np.testing.assert_allclose(result(text, shapes, x=x, y=y, A=A, B=B), expected, rtol=1e-12)


def test_convolution_runs_as_far_as_it_can() -> None:
    w = np.array([1.0, 2.0, -1.0])
    found = result("Y[i] = sum_k x[i+k] w[k]", {"x": "n", "w": "m"}, x=x, w=w)
    np.testing.assert_allclose(found, np.correlate(x, w, "valid"))


def test_scatter() -> None:
    tok, g = np.array([[0, 2], [2, 2]]), random.normal(size=(2, 2, 3))
    expected = np.zeros((4, 3))
    np.add.at(expected, tok, g)
    shapes = {"tok": "b t, integer < v", "gY": "b t d", "E": "v d"}
    found = result("gE[tok[b1,t1],k] += gY[b1,t1,k]", shapes, tok=tok, gY=g, E=np.zeros((4, 3)))
    np.testing.assert_allclose(found, expected)
    found = result("gE[tok[i,j],k] += gY[i,j,k]", {**shapes, "gE": "v d"}, tok=tok, gY=g, E=np.zeros((4, 3)))
    np.testing.assert_allclose(found, expected)


def test_shapes_that_are_not_declared() -> None:
    program = parse_equations("S[i,j] = sum_k Q[i,k] K[j,k] / sqrt(d)", {"Q": spec("n d")})
    assert [t.name for t in program.inputs] == ["Q", "K"]
    assert program.inputs[1].shape[1] == spec("d").shape[0]
    assert program.outputs[0].shape == (spec("n").shape[0], program.inputs[1].shape[0])


def test_outputs() -> None:
    text = "a[i] = 2 x[i]\nb = sum_i a[i]\nc[i] = a[i]^2"
    assert [t.name for t in parse_equations(text, {}).outputs] == ["b", "c"]
    assert [t.name for t in parse_equations(text, {}, ["c", "a"]).outputs] == ["c", "a"]
    with pytest.raises(UnknownName, match="'d'"):
        parse_equations(text, {}, ["d"])


def test_a_factor_before_a_bracket_is_no_call() -> None:
    found = result("Y[i] = x[i] exp (1 - x[i]) + exp(x[i])", {"x": "n", "exp": ""}, x=x, exp=np.array(2.0))
    np.testing.assert_allclose(found, 2 * x * (1 - x) + np.exp(x))
    found = result("Y = max_x (2 - max_x) + max_i x[i]", {"x": "n", "max_x": ""}, x=x, max_x=np.array(3.0))
    np.testing.assert_allclose(found, 3 * (2 - 3.0) + x.max())


def test_a_brackets_zero_wins() -> None:
    found = result("Y[i] = [x[i] > 0] log(x[i])", {"x": "n"}, x=np.array([0.0, 1.0, 2.0]))
    np.testing.assert_allclose(found, [0, 0, np.log(2)])


@pytest.mark.parametrize(
    ("text", "position", "says"),
    [
        ("Y[i] = ", 6, "expected a number, a name or '('; found the end"),
        ("Y[i] = A[i,j] x[j]", 11, "j is neither an index of the left side nor summed over"),
        ("Y[i] = sum_i x[i]", 7, "i stands for an index already"),
        ("Y[i,i] = x[i]", 4, "stands twice on the left side"),
        ("Y[tok[i]] = x[i]", 2, "try: += for a scatter"),
        ("Y[tok[i]] += x[i]", 2, "the size of axis 0 of Y is not known"),
        ("Y[i,j] = x[i]", 4, "it is not known what the index j runs over"),
        ("Y[i] = a\nY[i] = x[i]", 2, "it is not known what the index i runs over"),
        ("z = a; z = 2", 7, "z is defined already"),
        ("Y = a < 2", 4, "try: [a < 2]"),
        ("Y[i] = x[i] x", 12, "x has 1 axes"),
        ("Y[i] = x[y[i]]", 9, "an index must be an integer"),
        ("Y[i] = tnah(x[i])", 7, "tnah is no index, tensor or size, at character 8 of the equations; did you mean"),
        ("Y[i] = c x[i]", 7, 'a scalar is declared c=""'),
        ("Y[i] = sqrt x[i]", 7, "sqrt is a function"),
        ("Y = exp(a, a)", 4, "exp takes 1 argument, at character 5 of the equations; found 2"),
        ("Y = a z = a", 4, "a condition stands where a value is needed"),
        ("Y = a = a = a", 10, "each equation needs its own line"),
        ("Y = 1 / max_i x[i] / 2", 8, "brackets are needed around the max"),
        ("Y[i] = x[i] for 3", 16, "after for stand the ranges"),
        ("Y = a^a^a", 7, "put brackets"),
        ("Y[i] = [i + 1] x[i]", 8, "a condition is needed"),
        ("max_i = a", 0, None),
        ("Y = sum_n x[n]", 4, "n is a number, not an index"),
        ("", 0, "found nothing"),
    ],
)
def test_message_points_at_the_character(text: str, position: int, says: str | None) -> None:
    specs = {name: spec(axes) for name, axes in {"x": "n", "a": "", "tok": "n, integer"}.items()}
    if says is None:
        assert parse_equations(text, specs)
        return
    with pytest.raises(ParseError) as caught:
        parse_equations(text, specs)
    message = str(caught.value)
    assert says in message, message
    assert caught.value.position == position, message
    assert set(message.splitlines()[-1].strip()) == {"^"}


def test_axes_that_do_not_fit() -> None:
    specs = {"Q": spec("n d"), "K": spec("m p"), "Y": spec("n")}
    with pytest.raises(ShapeError, match=r"the index k runs over d in Q\[i,k\] and over p in K\[j,k\]"):
        parse_equations("S[i,j] = sum_k Q[i,k] K[j,k]", specs)
    with pytest.raises(ShapeError, match="K has 2 axes; found 1 indices"):
        parse_equations("S[i] = K[i]", specs)
    with pytest.raises(ShapeError, match="Y was declared with 1 axes; found 2"):
        parse_equations("Y[i,j] = Q[i,j]", specs)
    with pytest.raises(SpecError, match="is a tensor and an axis"):
        parse_equations("Y = n", {"n": spec(""), "x": spec("n")})


@pytest.mark.parametrize(
    "text",
    [
        "Y = " + "a + " * 5000 + "a", "Y = " + "(" * 65 + "a" + ")" * 65, "Y = " + "-" * 70 + "a", "Y = 1e999",
        "\n".join(f"z{k + 1} = z{k}^99" for k in range(9)), "Y = gammaln(1e9)", "Y = exp(1e9 log(2))", "Y = 9^(9^9)",
        "Y = " + "x" * 100,
    ],
)  # fmt: skip
def test_limits(text: str) -> None:
    with pytest.raises(ParseError):
        parse_equations(text, {"a": spec(""), "z0": spec("")})


@pytest.mark.parametrize("text", EQUATIONS)
def test_limits_do_not_stand_in_the_way(text: str) -> None:
    shapes = {
        "Q": "n d", "a": "", "b": "", "gY": "", "tok": "s t, integer < v", "y": "batch, integer < c", "Y": None,
        "x": "n", "batch": None,
    }  # fmt: skip
    names = {name: axes for name, axes in shapes.items() if axes is not None and name in text}
    if "gY[" in text:
        names = {"tok": names["tok"]}
    if "batch" in text and "y" not in names:
        names["u"] = "batch"
    if "X[i,j] [i" in text or "where" in text:
        names["X"] = "n n"
    assert parse_equations(text, {name: spec(axes) for name, axes in names.items()}).outputs


def test_a_declared_left_side_decides_how_far_its_letters_run() -> None:
    m, k = spec("m k").shape
    w, s = random.normal(size=(2, 4)), random.normal(size=(3, 4))
    text = "Z[i,j] = where(j < k, w[i,j], where(j < 2 k, w[i,j-k], w[i,j-2k]))"
    program = parse_equations(text, {"Z": Spec((m, 3 * k)), "w": Spec((m, k))})
    np.testing.assert_allclose(evaluate(program, {"w": w})["Z"], np.tile(w, (1, 3)))
    np.testing.assert_allclose(result("h[w,t] = s[w,t] s[w+1,t]", {"h": "2 n", "s": "3 n"}, s=s), s[:-1] * s[1:])
    with pytest.raises(ShapeError, match="the index t runs over n in h"):
        parse_equations("h[w,t] = s[w,t] s[w+1,t]", {"h": spec("2 n"), "s": spec("3 m")})
