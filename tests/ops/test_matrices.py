"""vec, vech and the Kronecker product."""

import numpy as np

import derive as dv

rng = np.random.default_rng(2)


def test_vec_of_a_product_is_a_kronecker_product() -> None:
    """vec(A X B) = (B' ⊗ A) vec(X), and so its Jacobian by vec(X) is the Kronecker product."""
    f = dv.trace(lambda A, X, B: dv.vec(A @ X @ B) - np.kron(B.T, A) @ dv.vec(X), A="m n", X="n p", B="p q")
    A, X, B = rng.standard_normal((2, 3)), rng.standard_normal((3, 4)), rng.standard_normal((4, 5))
    np.testing.assert_allclose(dv.vec(X), X.flatten(order="F"))
    np.testing.assert_allclose(f(A, X, B), 0, atol=1e-13)
    for derivative in (dv.vjp(f), dv.jvp(f)):
        assert dv.check(derivative).passed


def test_jacobian_of_a_kronecker_product() -> None:
    f = dv.trace(lambda A, B: np.kron(A, B), A="m n", B="p q")
    assert dv.check(dv.jacobian(f, "A")).passed


def test_vech_of_a_symmetric_matrix() -> None:
    X = np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 5.0], [3.0, 5.0, 6.0]])
    np.testing.assert_allclose(dv.vech(X), [1, 2, 3, 4, 5, 6])
    f = dv.trace(lambda X: np.sum(dv.vech(X) ** 3), X="n n")
    np.testing.assert_allclose(f(X), np.sum(dv.vech(X) ** 3))
    np.testing.assert_allclose(dv.grad(f)(X), np.tril(3 * X**2))
