"""The verbs as a user meets them: the results that a person recognises, how they compose, and bad input."""

import numpy as np
import pytest

import derive as dv
import layers

RNG = np.random.default_rng(0)


def lines(function: dv.Function) -> list[str]:
    return str(function).splitlines()


def quadratic(x, A):
    return x @ A @ x


def squares(W, x, b, t):
    return np.sum((W @ x + b - t) ** 2)


def softmax(z):
    e = np.exp(z - z.max())
    return e / e.sum()


def cross_entropy(z, y):
    top = z.max()
    return -np.sum(y * (z - top - np.log(np.sum(np.exp(z - top)))))


def logistic(w, X, y):
    z = X @ w
    return np.sum(np.logaddexp(0, z) - y * z)


def layer(name: str) -> dv.Function:
    return dv.trace(getattr(layers, name), **layers.SHAPES[name])


# -- results a person recognises


def test_quadratic_form() -> None:
    f = dv.trace(quadratic, x="n", A="n n")
    assert lines(dv.grad(f, "x")) == ["gx = (A + A') x"]
    assert lines(dv.hessian(f, "x")) == ["H = A + A'"]


def test_least_squares() -> None:
    f = dv.trace(squares, W="m n", x="n", b="m", t="m")
    assert lines(dv.grad(f, "W")) == ["gW = 2 (W x + b − t) x'"]


def test_dense_tanh() -> None:
    backward = dv.vjp(layer("dense_tanh"))
    assert lines(backward)[-4:] == ["gZ = gY ∘ (1 − Y²)", "gX = gZ W'", "gW = X' gZ", "gb = colsum(gZ)"]


def test_softmax_cross_entropy_under_a_simplex() -> None:
    f = dv.trace(cross_entropy, z="k", y="k, simplex")
    assert lines(dv.grad(f, "z")) == ["gz = softmax(z) − y"]


def test_softmax() -> None:
    f = dv.trace(softmax, z="n")
    assert lines(dv.vjp(f, "z"))[-1] == "gz = Y ∘ (gY − gY' Y)"
    assert lines(dv.jacobian(f, "z"))[-1] == "J = diag(Y) − Y Y'"


def test_rows_of_softmax() -> None:
    assert lines(dv.vjp(layer("softmax")))[-1] == "gZ = P ∘ (gP − rowsum(gP ∘ P))"


def test_logistic_hessian() -> None:
    f = dv.trace(logistic, w="n", X="batch n", y="batch")
    assert lines(dv.hessian(f, "w"))[-1] == "H = X' diag(c ∘ (1 − c)) X"


def test_attention() -> None:
    assert lines(dv.vjp(layer("attention"))) == [
        "S = Q K' / sqrt(d)",
        "P = softmax(S)",
        "gP = gO V'",
        "gS = P ∘ (gP − rowsum(gP ∘ P))",
        "gQ = gS K / sqrt(d)",
        "gK = gS' Q / sqrt(d)",
        "gV = P' gO",
    ]


def test_layer_norm() -> None:
    (gX,) = [line for line in lines(dv.vjp(layer("layer_norm"))) if line.startswith("gX")]
    assert gX == "gX = (gxhat − rowmean(gxhat) − xhat ∘ rowmean(gxhat ∘ xhat)) / v"


@pytest.mark.parametrize("name", layers.SHAPES)
def test_nothing_is_densified(name: str) -> None:
    backward = dv.vjp(layer(name))
    code, _, _ = backward.emit("numpy").partition("def numerical_gradient")
    assert "eye(" not in code
    assert "eye" not in str(backward) and "identity" not in str(backward).lower()


# -- every layer, against numbers that share no code with it


@pytest.mark.parametrize("name", layers.SHAPES)
def test_backward_pass_of_every_layer(name: str) -> None:
    report = dv.check(dv.vjp(layer(name)))
    assert report.passed, str(report)
    assert report.sensitivity < 1e-8


@pytest.mark.parametrize(
    "name", ["dense_tanh", "attention", "layer_norm", "cross_entropy_labels", "embedding", "lstm_cell"]
)
def test_kernel_of_a_layer(name: str) -> None:
    report = dv.check(dv.vjp(layer(name)).compile())
    assert report.passed, str(report)


# -- composition and call


def test_gradient_of_gradient() -> None:
    f = dv.trace(lambda t: np.sin(t) * t**2, t="")
    second = dv.grad(dv.grad(f, "t"), "t")
    t = 0.7
    assert second(t) == pytest.approx(2 * np.sin(t) + 4 * t * np.cos(t) - t**2 * np.sin(t), rel=1e-14)


def test_jvp_of_vjp_is_a_hessian_product() -> None:
    f = dv.trace(logistic, w="n", X="batch n", y="batch")
    w, X, y, v = RNG.normal(size=4), RNG.normal(size=(7, 4)), RNG.integers(0, 2, 7), RNG.normal(size=4)
    H = dv.hessian(f, "w")(w, X, y)
    twice = dv.jvp(dv.vjp(f, "w"), "w")
    assert twice.inputs == ("w", "X", "y", "gY", "dw")
    np.testing.assert_allclose(twice(w, X, y, 1.0, v), H @ v, rtol=1e-12)
    np.testing.assert_allclose(dv.hvp(f, "w")(w, X, y, v), H @ v, rtol=1e-12)


def test_structure_follows_wrt() -> None:
    f = dv.trace(squares, W="m n", x="n", b="m", t="m")
    arrays = RNG.normal(size=(3, 2)), RNG.normal(size=2), RNG.normal(size=3), RNG.normal(size=3)
    assert dv.grad(f, "W")(*arrays).shape == (3, 2)
    (only,) = dv.grad(f, ["W"])(*arrays)
    value, (gW, gb) = dv.value_and_grad(f, ["W", "b"])(*arrays)
    np.testing.assert_array_equal(only, gW)
    assert value == pytest.approx(squares(*arrays)) and gb.shape == (3,)
    blocks = dv.hessian(f, ["x", "b"])(*arrays)
    assert [[block.shape for block in row] for row in blocks] == [[(2, 2), (2, 3)], [(3, 2), (3, 3)]]


def test_jacobian_has_output_axes_first() -> None:
    f = dv.trace(lambda X, W: X @ W, X="batch n", W="n m")
    J = dv.jacobian(f, "X")(RNG.normal(size=(2, 3)), RNG.normal(size=(3, 4)))
    assert J.shape == (2, 4, 2, 3)


def test_a_constraint_is_not_used_where_it_is_differentiated() -> None:
    f = dv.trace(cross_entropy, z="k", y="k, simplex")
    blocks = dv.hessian(f, ["z", "y"])
    assert dv.check(blocks).passed


def test_without_shapes() -> None:
    gradient = dv.grad(quadratic, "x")
    with pytest.raises(dv.DeriveError, match="shapes of quadratic"):
        gradient.program  # noqa: B018
    np.testing.assert_allclose(gradient([1.0, 2.0], [[1, 2], [3, 4]]), [12, 21])
    assert str(gradient) == "gx = (A + A') x"


def test_integers_are_promoted() -> None:
    f = dv.trace(lambda x: np.sum(x / 2), x="n")
    assert f([1, 2]) == 1.5
    assert f.compile()([1, 2]) == 1.5


def test_float32_stays_float32() -> None:
    backward = dv.vjp(layer("dense_tanh")).compile(dtype=np.float32)
    arrays = [RNG.normal(size=s).astype(np.float32) for s in ((3, 4), (4, 2), (2,), (3, 2))]
    assert {array.dtype for array in backward(*arrays)} == {np.dtype(np.float32)}


def test_nan_passes_through() -> None:
    f = dv.trace(softmax, z="n")
    assert np.isnan(f([np.nan, 1.0])).all()
    assert np.isnan(f.compile()([np.nan, 1.0])).all()


def test_explains_its_derivation() -> None:
    backward = dv.vjp(layer("attention"))
    assert "chain rule" in backward.explain() and "layers.py" in backward.explain()
    assert backward.explain("html").startswith("<!doctype html>")
    assert r"\begin{aligned}" in backward._repr_latex_()


# -- bad input


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda f: dv.grad(f, "w"), dv.NotDifferentiable, "needs a scalar"),
        (lambda f: dv.vjp(f, "ww"), dv.UnknownName, "did you mean 'w'"),
        (lambda f: dv.vjp(f, "k"), dv.NotDifferentiable, "k is integer"),
        (lambda f: dv.vjp(f, []), dv.UnknownName, "wrt is empty"),
        (lambda f: f([1.0, 2.0], [[1.0, 2.0, 3.0]], 0), dv.ShapeError, "n = 3"),
        (lambda f: f([1.0], [[1.0]]), dv.UnknownName, "missing: k"),
        (lambda f: f([1.0], [[1.0]], k=0, q=1), dv.UnknownName, "no input 'q'"),
        (lambda f: f([1j], [[1.0]], 0), dv.DomainError, "complex"),
        (lambda f: f([1.0], [[1.0]], 0.5), dv.DomainError, "fractions"),
        (lambda f: f.compile()([1.0, 2.0], [[1.0]], 0), dv.ShapeError, "n"),
        (lambda f: f.emit("fortran"), dv.UnknownName, "numpy"),
    ],
)
def test_errors_say_what_was_asked(call, error, message: str) -> None:
    f = dv.trace(lambda w, X, k: X @ w * w[k], w="n", X="batch n", k=", integer < n")
    with pytest.raises(error, match=message):
        call(f)


@pytest.mark.parametrize("function", [lambda x: np.mean(np.tanh(x[1::2])), lambda x: np.sum(x[1::2][::-1] ** 2)])
def test_kernel_with_a_quotient_of_sizes(function) -> None:
    assert dv.check(dv.grad(dv.trace(function, x="n")).compile()).passed


def test_heads_are_split_without_masks() -> None:
    def heads(X, count=2):
        batch, t, D = X.shape
        Q = X.reshape(batch, t, count, D // count).transpose(0, 2, 1, 3)
        return (np.tanh(Q @ Q.swapaxes(-1, -2)) @ Q).swapaxes(1, 2).reshape(X.shape)

    backward = dv.vjp(dv.trace(heads, X="batch t D"))
    assert dv.check(backward).passed
    assert "<=" not in str(backward.program) and ">=" not in str(backward.program)
