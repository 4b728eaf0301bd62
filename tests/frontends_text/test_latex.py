r"""Formulas in LaTeX: what papers write means what it means there, and what means nothing is pointed at."""

import numpy as np
import pytest
from scipy import special

import derive as dv
from derive.errors import ParseError, ShapeError, UnknownName
from derive.frontends.latex import Understood, understand_latex
from derive.ir.check import check_program
from derive.ir.facts import spec

from .corpus_latex import LATEX

random = np.random.default_rng(11)
N, M = 5, 3
x, y, u = (random.normal(size=N) for _ in range(3))
w = random.normal(size=M)
p = special.softmax(random.normal(size=N))
A, B = (random.normal(size=(N, N)) for _ in range(2))
S = A @ A.T + np.eye(N)
X = random.normal(size=(N, M))
a, b, c = 0.7, 1.3, 2.4
k = np.array([2, 0, 1, 1, 2])
ARRAYS = {"x": x, "y": y, "u": u, "w": w, "p": p, "A": A, "B": B, "S": S, "X": X, "a": a, "b": b, "c": c, "k": k,
          "lambda_": a, "mu": y, "Sigma": S, "theta": w, "y_hat": u, "W_1": X, "W_2": B, "sigma": b, "x_1": a}  # fmt: skip
SHAPES = {"x": "n", "y": "n", "u": "n", "w": "d", "p": "n", "A": "n n", "B": "n n", "S": "n n", "X": "n d", "a": "", "b": "",
          "c": "", "k": "n, integer < d", "lambda_": "", "mu": "n", "Sigma": "n n", "theta": "d", "y_hat": "n", "W_1": "n d",
          "W_2": "n n", "sigma": "", "x_1": ""}  # fmt: skip


def read(text: str, **shapes: str) -> Understood:
    return understand_latex(text, {name: spec(axes) for name, axes in shapes.items()})


def value(text: str, names: str) -> np.ndarray:
    """The value at the arrays above, these being declared."""
    f = dv.parse_latex(text, **{n: SHAPES[n] for n in names.split()})
    check_program(f.program)
    return f(*(ARRAYS[n] for n in f.inputs))


def squared(z: np.ndarray) -> float:
    return float(z @ z)


@pytest.mark.parametrize(
    ("text", "names", "expected"),
    [
        # products, transposes, powers
        (r"x^\top y", "x y", x @ y),
        (r"x^T y + x'y + x^{\top}y + x^{\mathsf T} y + x^{\mathrm{T}}y + x^\intercal y", "x y", 6 * (x @ y)),
        (r"x y^\top", "x y", np.outer(x, y)),
        (r"x^\top A y", "x y A", x @ A @ y),
        (r"A B x", "A B x", A @ B @ x),
        (r"A^2 x + A^{3} x", "A x", A @ A @ x + A @ A @ A @ x),
        (r"x \odot y \oslash u", "x y u", x * y / u),
        (r"x^{\odot 2} + x^{\circ 3}", "x", x**2 + x**3),
        (r"x \cdot y + a \cdot b", "x y a b", x @ y + a * b),
        (r"x \otimes y", "x y", np.kron(x, y)),
        (r"2a b^2 c^{-1}", "a b c", 2 * a * b**2 / c),
        (r"a^bc + a^{bc} + a^12", "a b c", a**b * c + a ** (b * c) + 2 * a),
        (r"\frac{a}{b} + \frac ab + \frac12 + \tfrac{1}{2}a + a/b", "a b", 3 * a / b + 0.5 + a / 2),
        (r"1/2 x^\top x", "x", squared(x) / 2),
        (r"\sqrt{a} + \sqrt[3]{b} + \sqrt 2", "a b", np.sqrt(a) + np.cbrt(b) + np.sqrt(2)),
        (r"-x + (-a)x - (-a)", "x a", -x - a * x + a),
        (r"a \times b \div c", "a b c", a * b / c),
        (r"\mathbf{1}^\top x + \mathbf{0}^\top x + \mathbf{1}_n^\top x", "x", 2 * x.sum()),
        (r"(A + \lambda I) x + I_n x", "A x lambda_", A @ x + (a + 1) * x),
        # functions
        (r"\log a + \ln b + \exp(-c) + e^{-a}", "a b c", np.log(a) + np.log(b) + np.exp(-c) + np.exp(-a)),
        (r"\log 2\pi\sigma^2", "sigma", np.log(2 * np.pi * b**2)),
        (r"\sin a \cos b", "a b", np.sin(a) * np.cos(b)),
        (r"\sin^2 a + \sin(a)^2 + \tan^{-1} a", "a", 2 * np.sin(a) ** 2 + np.arctan(a)),
        (r"\log_2 c + \log_{10} c", "c", np.log2(c) + np.log10(c)),
        (r"\sigma(x) + \tanh x", "x", special.expit(x) + np.tanh(x)),
        (r"\sigma (a)", "sigma a", a * b),
        (r"\operatorname{softmax}(x) + \mathrm{ReLU}(x) + \text{softplus}(x)", "x", special.softmax(x) + np.maximum(x, 0) + np.logaddexp(0, x)),
        (r"\max(0, x) + \min\{a, x\} + \max\{a, b, c\}", "x a b c", np.maximum(x, 0) + np.minimum(a, x) + c),
        (r"\operatorname{tr}(A B) + \tr A + \mathrm{Tr}[B]", "A B", np.trace(A @ B) + np.trace(A) + np.trace(B)),
        (r"x^\top \operatorname{diag}(y) u", "x y u", x @ (y * u)),
        (r"\operatorname{sign}(x) \odot |x| - \operatorname{sgn} x \odot |x|", "x", 0 * x),
        (r"\lfloor a \rfloor + \lceil a \rceil", "a", 1.0),
        (r"[a < b] + \mathbb{1}[a > b] + \mathbf{1}_{a \le b} + \mathbb{I}(a \ne b)", "a b", 3.0),
        # norms, bars, inner products
        (r"\|x\|_2^2 + \|x\|^2 + \lVert x \rVert^2 + \left\| x \right\|_2^{2} + ||x||^2", "x", 5 * squared(x)),
        (r"\|x\|_1 + \|x\|_\infty + \|x\|_{3}", "x", np.abs(x).sum() + np.abs(x).max() + np.linalg.norm(x, 3)),
        (r"\|A\|_F^2 + \|A\|_1", "A", np.linalg.norm(A) ** 2 + np.abs(A).sum()),
        (r"\|x\|_A^2", "x A", x @ A @ x),
        (r"\|x\| \|y\|", "x y", np.linalg.norm(x) * np.linalg.norm(y)),
        (r"\|\,|a| x\|", "x a", a * np.linalg.norm(x)),
        (r"|a||b| + \left|x^\top y\right| + \lvert a \rvert", "a b x y", a * b + abs(x @ y) + a),
        (r"\langle x, y \rangle + \langle A, B \rangle_F + \left\langle x, y\right\rangle", "x y A B", 2 * (x @ y) + (A * B).sum()),
        # sums and indices
        (r"\sum_{i=1}^{n} x_i y_i", "x y", x @ y),
        (r"\sum_i x_i y_i + a", "x y a", x @ y + a),
        (r"\sum_{i=1}^n i x_i", "x", np.arange(1, N + 1) @ x),
        (r"\sum_{k=0}^{n-1} x_k a^k", "x a", x @ a ** np.arange(N)),
        (r"\sum_{i,j} A_{ij} x_i y_j + \sum_{i=1}^n \sum_{j=1}^n A_{i,j} x_i y_j", "A x y", 2 * (x @ A @ y)),
        (r"\sum_{i<j} A_{ij} + \sum_i \sum_{j \neq i} A_{ij}", "A", np.triu(A, 1).sum() + A.sum() - np.trace(A)),
        (r"\sum_{t=2}^{n} (x_t - x_{t-1})^2", "x", (np.diff(x) ** 2).sum()),
        (r"\prod_{i=1}^n p_i + \max_i x_i - \min_{i} x_i", "p x", p.prod() + np.ptp(x)),
        (r"\sum_i \max_j A_{ij}", "A", A.max(1).sum()),
        (r"\log \sum_{i=1}^n e^{x_i}", "x", special.logsumexp(x)),
        (r"\frac1n\sum_{i=1}^n (y_i - w^\top X_i)^2", "X y w", ((y - X @ w) ** 2).mean()),
        (r"\frac1n\sum_{i=1}^n (y^{(i)} - w^\top X^{(i)})^2", "X y w", ((y - X @ w) ** 2).mean()),
        (r"\sum_i \|X_i\|^2", "X", (X**2).sum()),
        (r"\sum_{i=1}^n X_i", "X", X.sum(0)),
        (r"y_i = \sum_j A_{ij} x_j", "A x", A @ x),
        (r"C_{ji} = A_{ij} x_i", "A x", (A * x[:, None]).T),
        (r"p_i = \frac{\exp(x_i)}{\sum_j \exp(x_j)}", "x", special.softmax(x)),
        (r"-\sum_i \log X_{i, k_i}^2", "X k", -np.log(X[np.arange(N), k] ** 2).sum()),
        (r"\sum_i (A x)_i^2 + \sum_i \operatorname{softmax}(x)_i x_i", "A x", squared(A @ x) + special.softmax(x) @ x),
        (r"\sum_{i=1}^{3} i", "", 6.0),
        (r"\sum_k x_k^2 / n", "x", squared(x) / N),
        # names
        (r"\hat{y}^\top W_2 \mathbf{x}", "y_hat W_2 x", u @ B @ x),
        (r"W_{1} \theta", "W_1 theta", X @ w),
        (r"x_1 + a", "x_1 a", 2 * a),
        (r"W^{(2)} x", "W_2 x", B @ x),
        # a left side, dollars, layout
        (r"$$\mathcal{L}(\theta) = \|W_1\theta\|^2 \,.$$", "W_1 theta", squared(X @ w)),
        (r"f := \displaystyle\sum\limits_{i} x_i \quad % a comment", "x", x.sum()),
    ],
)  # fmt: skip
def test_values(text: str, names: str, expected: np.ndarray) -> None:
    np.testing.assert_allclose(value(text, names), expected, rtol=1e-11, atol=1e-11)


LINEAR_ALGEBRA = [
    (r"A^{-1} x", "A x", np.linalg.solve(A, x)),
    (r"A^{-\top} x", "A x", np.linalg.solve(A.T, x)),
    (r"\log\det S - \log|S| + \det S - |S|", "S", 0.0),
    (r"\frac12 (x-\mu)^\top \Sigma^{-1} (x - \mu) + \frac12 \log|2\pi\Sigma|", "x mu Sigma",
     ((x - y) @ np.linalg.solve(S, x - y) + np.linalg.slogdet(2 * np.pi * S)[1]) / 2),
    (r"\|x-\mu\|_{\Sigma^{-1}}^2", "x mu Sigma", (x - y) @ np.linalg.solve(S, x - y)),
    (r"(X^\top X + \lambda I)^{-1} X^\top y", "X y lambda_", np.linalg.solve(X.T @ X + a * np.eye(M), X.T @ y)),
    (r"X^\dagger y", "X y", np.linalg.pinv(X) @ y),
]  # fmt: skip


@pytest.mark.parametrize(("text", "names", "expected"), LINEAR_ALGEBRA)
def test_linear_algebra(text: str, names: str, expected: np.ndarray) -> None:
    np.testing.assert_allclose(value(text, names), expected, rtol=1e-9, atol=1e-9)


def test_it_says_what_it_understood() -> None:
    f = dv.parse_latex(r"\mathcal{L}(w) = \frac1n\sum_{i=1}^n (y_i - w^\top x_i)^2 + \lambda\|w\|_1")
    assert str(f) == "L = mean((y − x w)²) + lambda_ sum(|w|)"
    assert f.source == "a formula in LaTeX style; taken to be y[n], w[q], x[n, q], lambda_[]; indices count from 1"
    assert str(dv.grad(f, "w")) == "gw = 2 x' (x w − y) / n + lambda_ sign(w)"
    assert "|A| of a matrix is its determinant" in str(read(r"|A|", A="n n"))
    assert "count from 0" in str(read(r"\sum_{k=0}^{K-1} a_k x^k", a="K", x=""))


def test_gradient_of_a_least_squares_loss() -> None:
    f = dv.parse_latex(r"\frac{1}{2}\|Wx+b-t\|_2^2", W="m n", x="n", b="m", t="m")
    assert str(f) == "Y = ‖W x + b − t‖² / 2"
    assert str(dv.grad(f, "W")) == "gW = (W x + b − t) x'"
    assert dv.check(dv.grad(f)).passed


def test_cross_entropy_of_a_softmax() -> None:
    f = dv.parse_latex(r"-\sum_k t_k \log \operatorname{softmax}(z)_k", t="k, simplex", z="k")
    assert str(dv.grad(f, "z")) == "gz = softmax(z) − t"


@pytest.mark.parametrize(
    ("text", "shapes"),
    [
        (r"\frac{1}{2}\|Wx+b-t\|_2^2", "W[n,p] x[p] b[] t[n]"),
        (r"\sum_{i=1}^{N} (y_i - \mathbf{w}^\top \mathbf{x}_i)^2", "y[N] w[q] x[N,q]"),
        (r"\boldsymbol{\mu}^\top \boldsymbol{\Sigma} \boldsymbol{\mu}", "mu[n] Sigma[n,n]"),
        (r"\mathbf{a}^\top \mathbf{B} \mathbf{c}", "a[n] B[n,p] c[p]"),
        (r"\sum_{i,j} w_{ij} x_i x_j", "w[n,n] x[n]"),
    ],
)
def test_shapes_follow_from_fonts_indices_and_operations(text: str, shapes: str) -> None:
    found = {t.name: t.shape for t in read(text).program.inputs}
    same: dict[str, object] = {}
    for part in shapes.split():
        name, axes = part[: part.index("[")], part[part.index("[") + 1 : -1]
        letters = axes.split(",") if axes else []
        assert len(found[name]) == len(letters), name
        for letter, extent in zip(letters, found[name], strict=True):
            assert same.setdefault(letter, extent) == extent
    assert len(set(same.values())) == len(same)


@pytest.mark.parametrize("text", LATEX)
def test_papers(text: str) -> None:
    found = read(text)
    check_program(found.program)
    assert found.program.outputs


@pytest.mark.parametrize(
    ("text", "position", "says"),
    [
        (r"\frac{x}{", 8, "never closed"),
        (r"\|x", 0, "never closed"),
        (r"x + ", 3, "expected a number, a name"),
        (r"\alhpa x", 0, r"did you mean \alpha"),
        (r"\nabla f", 0, "by what it is taken"),
        (r"\nabla^3_x f", 0, "by what it is taken"),
        (r"\mathbb{E}[x]", 0, "declare a distribution"),
        (r"\mathbb{E}_x^2[x]", 0, "written"),
        (r"x_1 + \cdots + x_n", 6, r"\sum_{i=1}^{n}"),
        (r"f(x) + 1", 0, "for a product declare f"),
        (r"a / b c", 4, r"\frac{...}{...}"),
        (r"\sum x", 0, r"\sum_{i=1}^{n}"),
        (r"\sum_i x_i + y_i", 15, "put what it takes in brackets"),
        (r"\sum_i \sum_i x_i", 12, "stands for an index already"),
        (r"\sum_i x_{ij}", 11, r"try: \sum_j"),
        (r"\sum_i x_{ji}", 10, r"try: \sum_j"),
        (r"\sum_{i=1}^{0} x_i", 12, "would take 0 values"),
        (r"\mathbf{x} + x", 13, "two fonts"),
        (r"x^+ + 1", 1, r"\max(0, x)"),
        (r"\|x\|_{0}", 5, "norms are those with subscript"),
        (r"x = y = z", 6, "a formula has one = sign"),
        (r"\int x", 0, "there are no integrals"),
        (r"x!", 1, "factorials"),
        (r"\mathbf{xy}", 0, "needs one letter"),
        (r"\max_i x_{n+i}", 9, None),
        ("", 0, "found the end"),
        ("é", 0, "unexpected character"),
        (r"\begin{matrix}", 0, "not read"),
        (r"\sum_{i=1}^n x_i - \sum_{k=0}^n x_k", 27, "starts at 1 and this one at 0"),
    ],
)  # fmt: skip
def test_message_points_at_the_character(text: str, position: int, says: str | None) -> None:
    with pytest.raises(ParseError) as caught:
        read(text)
    message = str(caught.value)
    if says is not None:
        assert says in message, message
        assert caught.value.position == position, message
    assert any(set(line.strip()) == {"^"} for line in message.splitlines()), message


@pytest.mark.parametrize(
    ("text", "shapes", "says"),
    [
        (r"x y", {"x": "n", "y": "n"}, r"x^\top y is their inner product"),
        (r"x^2", {"x": "n"}, r"^{\odot p}"),
        (r"A / x", {"x": "n", "A": "n n"}, r"\oslash"),
        (r"A + x", {"x": "n", "A": "n n"}, "a matrix and a column"),
        (r"\|A\|", {"A": "n n"}, "try: _F, _2 or _*"),
        (r"\sum_{i=1}^n x_{i+1}", {"x": "n"}, "the index i+1 is 2 to n + 1, on an axis from 1 to n"),
        (r"\sum_{i=1}^m x_i y_i", {"x": "n", "y": "m"}, "the index i"),
        (r"x_0 + x_1", {"x": "3"}, "the index 0 is 0, on an axis from 1 to 3"),
        (r"a^\top x", {"a": "", "x": "n"}, "a scalar is transposed"),
    ],
)  # fmt: skip
def test_what_does_not_fit(text: str, shapes: dict[str, str], says: str) -> None:
    with pytest.raises(ParseError) as caught:
        read(text, **{n: s for n, s in shapes.items() if n != "y" or n in text})
    assert says in str(caught.value)
    assert isinstance(caught.value, ShapeError)


def test_a_declared_name_must_occur() -> None:
    with pytest.raises(UnknownName, match="did you mean 'y_hat'"):
        read(r"\hat{y}", yhat="n")


@pytest.mark.parametrize(
    "text",
    ["x" * 10_001, "(" * 65 + "x" + ")" * 65, "{" * 70 + "x" + "}" * 70, r"\frac{1}{" * 70 + "x" + "}" * 70, "x^{" * 70 + "2" + "}" * 70,
     "-" * 70 + "x", "9^{9^{9^9}}", r"\prod_{i=1}^{99999} 99999", r"\sum_{i=1}^{10000000} x_i", r"\exp\exp\exp\exp\exp x", "1" * 400,
     r"\sqrt" * 3000, r"\hat" * 3000 + "x", "|" * 2001, r"\|" * 999, "x_" * 2000 + "1", r"\mathbf{" * 500],
)  # fmt: skip
def test_limits(text: str) -> None:
    with pytest.raises(ParseError):
        read(text)
