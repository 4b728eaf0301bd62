"""Formulas as text: what they mean, in both styles, and what is said of those that mean nothing."""

import numpy as np
import pytest

import derive as dv
from derive.errors import ParseError, ShapeError, SpecError, UnknownName, UnsupportedOp
from derive.frontends.formula import Understood, parse_formula, understand
from derive.ir.facts import spec

from .corpus import FORMULAS, MATRIXCALCULUS

random = np.random.default_rng(7)
N, M, P = 4, 3, 5
x, y, v = (random.normal(size=N) for _ in range(3))
z = random.normal(size=M)
A, B, C = (random.normal(size=(N, N)) for _ in range(3))
X = random.normal(size=(N, M))
s, a, b = 0.7, 1.3, 2.4
ARRAYS = {"x": x, "y": y, "v": v, "z": z, "A": A, "B": B, "C": C, "X": X, "s": s, "a": a, "b": b}
SHAPES = {"x": "n", "y": "n", "v": "n", "z": "m", "A": "n n", "B": "n n", "C": "n n", "X": "n m", "s": "", "a": "", "b": ""}


def read(text: str, *declared: str) -> Understood:
    return understand(text, {name: spec(SHAPES[name]) for name in declared})


def value(text: str) -> np.ndarray:
    """The value at the arrays above, all shapes declared."""
    names = [n for n in SHAPES if n in set(_words(text))]
    f = dv.parse(text, **{n: SHAPES[n] for n in names})
    return f(*(ARRAYS[n] for n in f.inputs))


def _words(text: str) -> list[str]:
    return "".join(c if c.isalnum() or c == "_" else " " for c in text).split()


def fails(text: str, *declared: str, kind: type[Exception] = ParseError) -> str:
    with pytest.raises(kind) as caught:
        read(text, *declared)
    return str(caught.value)


# -- values


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x'*y", x @ y),
        ("x*y'", np.outer(x, y)),
        ("x'*A", x @ A),
        ("x'*A*y", x @ A @ y),
        ("A*B", A @ B),
        ("A.*B", A * B),
        ("A'*x", A.T @ x),
        ("(x*z')'*y", np.outer(x, z).T @ y),
        ("x./y + 2.*x - x.^2", x / y + 2 * x - x**2),
        ("2.^x", 2**x),
        ("3*x/4", 3 * x / 4),
        ("-x.^2", -(x**2)),
        ("2^-1*x", x / 2),
        ("a^b", a**b),
        ("a/b*s", a / b * s),
        ("a - b - s", a - b - s),
        ("1.5e-1*x + .5", 0.15 * x + 0.5),
        ("norm1(x) + norm1(X)", np.abs(x).sum() + np.abs(X).sum()),
        ("norm2(x)^2 + norm2(X)", x @ x + np.linalg.norm(X)),
        ("norm(x - y)", np.linalg.norm(x - y)),
        ("tr(A*B') + trace(A)", np.trace(A @ B.T) + np.trace(A)),
        ("sum(X)", X.sum()),
        ("vec(A)'*vec(B)", np.sum(A * B)),
        ("vec(X)", X.T.ravel()),
        ("sum(X, axis=0)*z", X.sum(axis=0) @ z),
        ("x'*sum(X, axis=1)", x @ X.sum(axis=1)),
        ("diag(x)*y", x * y),
        ("diag(A)'*x", np.diag(A) @ x),
        ("exp(x) + log(abs(y)) + tanh(x) + sqrt(abs(x))", np.exp(x) + np.log(abs(y)) + np.tanh(x) + np.sqrt(abs(x))),
        ("sigmoid(x) + sign(y) + sin(x).*cos(y)", 1 / (1 + np.exp(-x)) + np.sign(y) + np.sin(x) * np.cos(y)),
        ("relu(x) + max(x, y) - min(x, 0)", np.maximum(x, 0) + np.maximum(x, y) - np.minimum(x, 0)),
        ("max(x) - min(x)", np.ptp(x)),
        ("(x > 0).*x + where(y <= 0, x, y)", np.where(x > 0, x, 0) + np.where(y <= 0, x, y)),
        ("x + vector(2)", x + 2),
        ("x*vector(1)' + X - matrix(3)", x[:, None] + X - 3),
        ("softmax(x')*y", np.exp(x) / np.exp(x).sum() @ y),
        ("sum(x)/n", x.mean()),
        ("pi*s", np.pi * s),
        ("transpose(x)*y", x @ y),
        ("x.'*y", x @ y),
        # NumPy's style
        ("x @ y", x @ y),
        ("x * y @ A", x * y @ A),
        ("X.T @ x", X.T @ x),
        ("x.T @ y", x @ y),
        ("A @ B * C", A @ B * C),
        ("np.exp(x) * y", np.exp(x) * y),
        ("np.sum(X, axis=0) + np.sum(X, 0)", 2 * X.sum(axis=0)),
        ("x ** 2 + np.tanh(x)", x**2 + np.tanh(x)),
        ("np.linalg.norm(X)", np.linalg.norm(X)),
        ("X.sum(axis=-1) + X.mean()", X.sum(axis=-1) + X.mean()),
        ("x[1:] - x[:-1]", np.diff(x)),
        ("X[:, 0] + X[..., 1] + x[0]", X[:, 0] + X[:, 1] + x[0]),
        ("x[:, None] * z[None]", np.outer(x, z)),
        ("np.einsum('ij,jk->ik', A, X)", A @ X),
        ("np.where(x > 0, x, 0.5)", np.where(x > 0, x, 0.5)),
        ("X.sum() / X.shape[0] + X.size", X.sum() / N + X.size),
        ("np.pi * np.e ** s", np.pi * np.e**s),
        ("np.reshape(x, (n, 1)) @ y.reshape(1, -1)", np.outer(x, y)),
        ("A*B^-1*x + B \\ x", A @ np.linalg.solve(B, x) + np.linalg.solve(B, x)),
        ("inv(A)*X + A \\ X", 2 * np.linalg.solve(A, X)),
        ("logdet(A*A') + log(det(A*A'))", 4 * np.log(abs(np.linalg.det(A)))),
        ("det(A) + np.linalg.det(A)", 2 * np.linalg.det(A)),
        ("pinv(X)*x", np.linalg.pinv(X) @ x),
        ("np.linalg.qr(A)[0] @ np.linalg.qr(A)[1]", A),
        ("A^3 + A^-2", np.linalg.matrix_power(A, 3) + np.linalg.matrix_power(A, -2)),
        ("np.linalg.solve(A, x) + np.linalg.inv(A) @ x", 2 * np.linalg.solve(A, x)),
        ("np.linalg.slogdet(A.T @ A)[1] + linalg.slogdet(A @ A.T)[1]", 4 * np.log(abs(np.linalg.det(A)))),
        ("tr(A^-1*B) + trace(inv(A)*B)", 2 * np.trace(np.linalg.solve(A, B))),
        ("scipy.special.expit(x) + special.expit(x) @ np.eye(n)", 2 / (1 + np.exp(-x))),
    ],
)  # fmt: skip
def test_values(text: str, expected: np.ndarray) -> None:
    np.testing.assert_allclose(value(text), expected, rtol=1e-12, atol=1e-12)


def test_decimals_are_exact() -> None:
    (equation,) = parse_formula("0.1*a", {}).equations
    assert str(equation.body) == "a/10"


# -- style


@pytest.mark.parametrize(
    ("text", "style"),
    [("A*x", "MATLAB"), ("x'*x", "MATLAB"), ("x.*x", "MATLAB"), ("a^2", "MATLAB"), ("A @ x", "NumPy"), ("x**2", "NumPy"),
     ("np.exp(x)", "NumPy"), ("X.T", "NumPy"), ("x[0]", "NumPy")],
)  # fmt: skip
def test_style_is_decided_by_the_spelling(text: str, style: str) -> None:
    assert read(text).style.name == style
    assert str(read(text)).startswith(f"{style} style")


def test_product_is_by_matrices_in_one_style_and_by_entries_in_the_other() -> None:
    np.testing.assert_allclose(dv.parse("A*B", A="n n", B="n n")(A, B), A @ B)
    np.testing.assert_allclose(dv.parse("A*B + 0*A@B", A="n n", B="n n")(A, B), A * B)


def test_styles_mix_where_nothing_is_ambiguous() -> None:
    np.testing.assert_allclose(value("x' @ A @ x + np.sum(x.^2)"), x @ A @ x + x @ x)
    message = fails("A' @ B * C", "A", "B", "C")
    assert "' of MATLAB and @ of NumPy" in message and "try: @" in message


@pytest.mark.parametrize(
    ("text", "advice"),
    [("x*y", "x'*y is their inner product"), ("x'*y'", "both are rows"), ("x*A", "transpose the column"),
     ("A*x'", "transpose the row"), ("x + y'", "a column and a row"), ("A + x", "a matrix and a column"),
     ("x/y", "./"), ("x^2", ".^"), ("2^x", ".^")],
)  # fmt: skip
def test_columns_and_rows_are_told_apart(text: str, advice: str) -> None:
    assert advice in fails(text, *(n for n in "xyA" if n in text), kind=ShapeError)


@pytest.mark.parametrize("text", ["var(x)", "std(x)", "ones(3)*a", "sum(A, 1)", "norm(A)"])
def test_names_that_differ_between_the_styles_must_be_spelled_out(text: str) -> None:
    assert "MATLAB" in fails(text) and "NumPy" in fails(text)


# -- shapes that are not declared


@pytest.mark.parametrize(
    ("text", "shapes"),
    [
        ("x'*A*y", "x[n] A[n,p] y[p]"),
        ("A*x - b*y", "A[n,p] x[p] b[] y[n]"),
        ("a*X + q*X'", "a[] X[n,n] q[]"),
        ("tr(A*X'*B*X*C)", "A[s,n] X[p,n] B[p,p] C[n,s]"),
        ("sigma*w", "sigma[] w[n]"),
        ("s*x", None),
        ("norm2(W*h + b*vector(1))", "W[n,p] h[p] b[]"),
    ],
)
def test_shapes_follow_from_letters_and_operations(text: str, shapes: str | None) -> None:
    if shapes is None:
        assert "the shape of s is not determined: a scalar and a vector both fit" in fails(text, kind=ShapeError)
        return
    inputs = read(text).program.inputs
    found = {t.name: t.shape for t in inputs}
    wanted = {part[: part.index("[")]: part[part.index("[") + 1 : -1] for part in shapes.split()}
    assert {name: len(shape) for name, shape in found.items()} == {
        name: len(axes.split(",")) if axes else 0 for name, axes in wanted.items()
    }
    same: dict[str, object] = {}
    for name, axes in wanted.items():
        for letter, extent in zip(axes.split(",") if axes else [], found[name], strict=True):
            assert same.setdefault(letter, extent) == extent
    assert len(set(same.values())) == len(same)


def test_declared_sizes_reach_the_others() -> None:
    program = read("norm2(A*x - y)^2", "x").program
    assert [str(t.shape) for t in program.inputs if t.name == "x"] == ["(n,)"]
    assert next(t for t in program.inputs if t.name == "A").shape[1] == spec("n").shape[0]


def test_what_was_assumed_is_said_when_it_fails() -> None:
    message = fails("A + vector(1)' + vector(1)", kind=ShapeError)
    assert "taken for lack of a declaration: A a matrix" in message


def test_length_that_nothing_determines() -> None:
    assert "the length of vector(...) is not determined" in fails("sum(vector(1))")


# -- errors


@pytest.mark.parametrize(
    ("text", "position", "says"),
    [
        ("0.5*x'*", 7, "expected a number, a name or '('; found the end"),
        ("x + * y", 4, "expected a number, a name or '('; found '*' at character 5"),
        ("(x + y", 0, "never closed"),
        ("x + y)", 5, "there is no '('"),
        ("(x + y]", 6, "is closed by ']'"),
        ("2x", 1, "a product needs a sign"),
        ("a^b^c", 3, "put brackets around one of the powers"),
        ("y = x", 2, "to compare write =="),
        ("sigmod(x)", 0, "did you mean sigmoid"),
        ("exp*x", 0, "exp is a function, at character 1 of the formula; write exp(...)"),
        ("x(y)", 0, "there is no function x"),
        ("x − y", 2, "did you mean '-'?"),
        ("x ' * y", 2, "a transpose follows its operand directly"),
        ("lambda*x", 0, "try: lambda_"),
        ("sum(x, axes_=0)", 13, "there is no option axes_"),
        ("x.summ()", 0, "did you mean 'sum'"),
        ("np.exp", 0, "np.exp is no constant"),
        ("(x, y)", 0, "stands where an array is needed"),
        ("sum(x, axis=99999)", 12, "integers up to 1000"),
        ("", 0, "found the end"),
        ("x\n + @", 5, "line 2, character 4"),
    ],
)  # fmt: skip
def test_message_points_at_the_character(text: str, position: int, says: str) -> None:
    with pytest.raises(ParseError) as caught:
        read(text)
    message = str(caught.value)
    assert says in message
    assert caught.value.position == position
    *_, line, carets = [part for part in message.splitlines() if "try:" not in part or "^" in part]
    assert line[2:] in text and carets.strip(" ^") == ""


def test_errors_of_operations_point_as_well() -> None:
    message = fails("a + x'*z", "a", "x", "z", kind=ShapeError)
    assert message.splitlines()[-1] == "      ^^^^" and message.splitlines()[-2] == "  a + x'*z"
    message = fails("log(foo.x)", kind=ParseError)
    assert "an array has no x" in message


def test_a_missing_function_says_where() -> None:
    with pytest.raises(UnsupportedOp) as caught:
        read("A*np.linalg.cond(A)", "A")
    assert "numpy.linalg.cond" in str(caught.value) and str(caught.value).splitlines()[-1] == "    ^^^^^^^^^^^^^^^^^"


def test_declarations_that_do_not_fit() -> None:
    with pytest.raises(UnknownName, match="has no variable 'X'"):
        read("x + 1", "x", "X")
    with pytest.raises(SpecError, match="is a variable and an axis"):
        understand("n*x", {"n": spec(""), "x": spec("n")})
    with pytest.raises(SpecError, match="module"):
        understand("np*x", {"np": spec("")})


# -- limits


@pytest.mark.parametrize(
    "text",
    [
        "x" * 10_001, "(" * 65 + "x" + ")" * 65, "-" * 65 + "x", "x" + "'" * 65, "x" * 81 + " + 1", "1e999", "9" * 400,
        "+".join(["x"] * 1001), "9**(9**9)", "((9^99)^99)^99", "(x'*x + 9)^(1e9*x'*x)", "exp(exp(exp(exp(exp(x)))))",
        "gammaln(1e9)", "exp(1e9*log(2))", "floor(exp(1000))", "sin(exp(exp(99)))", "A^99999",
    ],
)  # fmt: skip
def test_limits(text: str) -> None:
    with pytest.raises(ParseError):
        parse_formula(text, {})


@pytest.mark.parametrize("text", FORMULAS)
def test_limits_do_not_stand_in_the_way(text: str) -> None:
    assert parse_formula(text, {"x": spec("n")} if "(n, 1)" in text else {}).outputs


def test_no_python_is_run() -> None:
    for text in ("__import__('os').system('x')", "x.__class__", "eval('1')", "().__class__", "np.__dict__", "open('f')"):
        with pytest.raises(dv.DeriveError):
            parse_formula(text, {})


# -- matrixcalculus.org's examples: the derivatives that its documentation gives


def gradient(text: str, name: str, **arrays: np.ndarray) -> np.ndarray:
    f = dv.grad(dv.parse(text), name)
    return f(*(arrays[n] for n in f.inputs))


def test_quadratic_form() -> None:
    assert str(dv.grad(dv.parse("0.5*x'*A*x"), "x")) == "gx = (A + A') x / 2"
    np.testing.assert_allclose(gradient("0.5*x'*A*x", "x", x=x, A=A), (A + A.T) @ x / 2)
    np.testing.assert_allclose(gradient("0.5*x'*A*x", "A", x=x, A=A), np.outer(x, x) / 2)


def test_matrix_times_exponentials() -> None:
    jacobian = dv.jacobian(dv.parse("A*exp(x)"), "x")
    assert "diag" in str(jacobian) or "∘" in str(jacobian)
    np.testing.assert_allclose(jacobian(X.T, x), X.T * np.exp(x))
    third_order = dv.jacobian(dv.parse("A*exp(x)"), "A")
    assert "[j = k]" in str(third_order) or "[" in str(third_order)
    np.testing.assert_allclose(third_order(X.T, x), np.eye(M)[:, :, None] * np.exp(x))


def test_entrywise_product() -> None:
    np.testing.assert_allclose(gradient("(y.*v)'*x", "x", x=x, y=y, v=v), y * v)
    np.testing.assert_allclose(gradient("(y.*v)'*x", "y", x=x, y=y, v=v), v * x)


def test_power() -> None:
    np.testing.assert_allclose(gradient("a^b", "a", a=a, b=b), b * a ** (b - 1))
    np.testing.assert_allclose(gradient("a^b", "b", a=a, b=b), a**b * np.log(a))


def test_one_norm() -> None:
    np.testing.assert_allclose(gradient("norm1(A*x-y)", "x", A=A, x=x, y=y), A.T @ np.sign(A @ x - y))


def test_least_squares() -> None:
    assert str(dv.grad(dv.parse("norm2(A*x-y)^2"), "x")) == "gx = 2 A' (A x − y)"
    np.testing.assert_allclose(gradient("norm2(A*x-y)^2", "x", A=A, x=x, y=y), 2 * A.T @ (A @ x - y))


def test_logistic_loss() -> None:
    text = "sum(log(exp(-y.*(X*w)) + vector(1)))"
    expected = -X.T @ (y / (1 + np.exp(y * (X @ z))))
    np.testing.assert_allclose(gradient(text, "w", X=X, y=y, w=z), expected)


def test_trace() -> None:
    arrays = {"A": A, "B": B, "C": C, "X": random.normal(size=(N, N))}
    expected = arrays["B"].T @ arrays["X"] @ A.T @ C.T + B @ arrays["X"] @ C @ A
    np.testing.assert_allclose(gradient("tr(A*X'*B*X*C)", "X", **arrays), expected)


def test_log_determinant_of_an_inverse() -> None:
    found = gradient("log(det(inv(X)))", "X", X=A @ A.T)
    np.testing.assert_allclose(found, -np.linalg.inv(A @ A.T).T)


@pytest.mark.parametrize(
    ("text", "name", "printed"),
    [
        ("0.5*x'*A*x", "x", "gx = (A + A') x / 2"),
        ("0.5*x'*A*x", "A", "gA = x x' / 2"),
        ("(y.*v)'*x", "x", "gx = y ∘ v"),
        ("(y.*v)'*x", "y", "gy = v ∘ x"),
        ("a^b", "a", "ga = b a^(b − 1)"),
        ("a^b", "b", "gb = a^b log(a)"),
        ("norm1(A*x-y)", "x", "gx = A' sign(A x − y)"),
        ("norm1(A*x-y)", "A", "gA = sign(A x − y) x'"),
        ("norm2(A*x-y)^2", "x", "gx = 2 A' (A x − y)"),
        ("norm2(A*x-y)^2", "A", "gA = 2 (A x − y) x'"),
        ("norm2(A*x-y)^2", "y", "gy = 2 (y − A x)"),
        ("sum(log(exp(-y.*(X*w)) + vector(1)))", "w", "gw = −X' (y ∘ sigmoid(−y ∘ (X w)))"),
        ("tr(A*X'*B*X*C)", "X", "gX = B X C A + B' X A' C'"),
        ("tr(A*X'*B*X*C)", "A", "gA = C' X' B' X"),
        ("log(det(inv(X)))", "X", "gX = −X⁻ᵀ"),
        ("0.5*x'*A*x - log(det(B))", "B", "gB = −B⁻ᵀ"),
    ],
)
def test_answers_as_matrixcalculus_prints_them(text: str, name: str, printed: str) -> None:
    assert str(dv.grad(dv.parse(text), name)) == printed


def test_a_power_has_its_derivative_at_zero() -> None:
    assert dv.grad(dv.parse("a^b"), "a")(0.0, 2.0) == 0.0
    assert dv.grad(dv.parse("sum(x.^a)"), "x")([0.0, 2.0], 3.0).tolist() == [0.0, 12.0]


@pytest.mark.parametrize(
    ("text", "name", "printed"),
    [
        ("X", "X", "J[i,j,k,l] = [i = k] [j = l]"),
        ("A*X*B", "X", "J[i,j,k,l] = A[i,k] B[l,j]"),
        ("X.*X", "X", "J[i,j,k,l] = 2 [i = k] [j = l] X[i,j]"),
        ("A*x", "A", "J[i,j,k] = [i = j] x[k]"),
        ("x'", "x", "J = I"),
        ("inv(X)", "X", "Y = X⁻¹\nJ[i,j,k,l] = −Y[i,k] Y[l,j]"),
    ],
)
def test_tensors_that_matrixcalculus_cannot_display(text: str, name: str, printed: str) -> None:
    assert str(dv.jacobian(dv.parse(text), name)) == printed


def test_all_of_them_are_read() -> None:
    assert len(MATRIXCALCULUS) == 9
    for text in MATRIXCALCULUS:
        assert read(text).program.outputs


def test_truth_values_are_numbers_in_arithmetic() -> None:
    assert dv.parse("(a > 0) + (b > 0) - (a < b)", a="", b="")(1.0, 2.0) == 1.0
