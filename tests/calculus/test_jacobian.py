"""Jacobians of Jacobians: the axes of one must not be mistaken for those of the other."""

import numpy as np
import pytest

import derive as dv


@pytest.mark.parametrize("nested", ["jacobian(jacobian(f, x), x)", "jacobian(J, x)"])
def test_second_derivatives_of_a_vector_are_what_torch_finds(nested: str) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    given = "; J = jacobian(f, x)" if "J," in nested else ""
    text = f"{nested} where f = np.tanh(A @ x){given}"
    rng = np.random.default_rng(5)
    A, x = rng.normal(size=(3, 2)), rng.normal(size=2)
    weights = torch.tensor(A)

    def first(z):  # type: ignore[no-untyped-def]
        return torch.autograd.functional.jacobian(lambda u: torch.tanh(weights @ u), z, create_graph=True)

    expected = torch.autograd.functional.jacobian(first, torch.tensor(x))
    np.testing.assert_allclose(dv.parse(text, A="k n", x="n")(A, x), expected, rtol=1e-12)


def test_third_derivatives_of_a_traced_function() -> None:
    f = dv.trace(lambda x: np.exp(x) * x[0], x="n")
    third = dv.jacobian(dv.jacobian(dv.jacobian(f, "x"), "x"), "x")
    x = np.array([0.3, -1.2, 0.7])
    e, i = np.exp(x), np.eye(3)
    cube = np.einsum("ai,aj,ak->aijk", i, i, i)
    mixed = sum(np.einsum(s, i[0], i, i) for s in ("i,aj,ak->aijk", "j,ai,ak->aijk", "k,ai,aj->aijk"))
    np.testing.assert_allclose(third(x), e[:, None, None, None] * (x[0] * cube + mixed), rtol=1e-12)
