"""Claims as LaTeX: from the text alone, with brackets where they are needed and nowhere else."""

import pytest

from derive.render.claim import claim_latex


@pytest.mark.parametrize(
    ("claim", "latex"),
    [
        ("grad(x'*A*x, x) == (A + A')*x", r"\nabla_{x} (x^\top A x) = (A + A^\top) x"),
        ("grad(logdet(X), X) == inv(X)'", r"\nabla_{X} \log\lvert\det(X)\rvert = X^{-\top}"),
        ("jvp(inv(X), X, V) == -inv(X)*V*inv(X)", r"\mathrm{D}_{X}X^{-1}\,[V] = -X^{-1} V X^{-1}"),
        ("inv(A + B) == A\\b", "(A + B)^{-1} = A^{-1} b"),
        ("x - (y - z) == x - (y + z)", "x - (y - z) = x - (y + z)"),
        ("A.*(B - 2*C) == -(A + B)*C", r"A \circ (B - 2 C) = -(A + B) C"),
        ("A.^2 == A^2", r"A^{\circ 2} = A^{2}"),
        ("kron(A, B)*x == 2*2*x/3", r"(A \otimes B) x = \frac{2 \cdot 2 x}{3}"),
        ("grad(f, x)*y <= 0.5*theta_1*vector(1)", r"(\nabla_{x} f) y \le \tfrac{1}{2} \theta_{1} \mathbf{1}"),
        ("x * y == A @ x", r"x \circ y = A x"),
        ("vjp(A*x, x, g) == A'*g", r"\mathrm{D}_{x}(A x)^{*}\,[g] = A^\top g"),
        ("h == y where y = A*h; h = x", r"h = y \quad\text{where}\quad y = A h ,\quad h = x"),
        ("sum(P, axis=1) == vector(1)", r"\operatorname{sum}_{\text{axis }1}(P) = \mathbf{1}"),
        (
            "X.mean(axis=(0, 2), keepdims=True) == np.max(X, axis=-1)",
            r"\operatorname{mean}_{\text{axes }0, 2}(X) = \max_{\text{axis }-1}(X)",
        ),
        ("vjp(y, x, g) == g.*(x > 0)", r"\mathrm{D}_{x}y^{*}\,[g] = g \circ [x > 0]"),
        ("where(x > 0, x, -x) <= y[0]", r"\begin{cases} x & x > 0 \\ -x & \text{else} \end{cases} \le y_{0}"),
        ("norm2(x)^2 + norm1(x) >= abs(c)", r"\lVert x \rVert^{2} + \lVert x \rVert_1 \ge \lvert c \rvert"),
    ],
)
def test_claims(claim: str, latex: str) -> None:
    assert claim_latex(claim) == latex


def test_what_has_no_notation() -> None:
    assert claim_latex("x.shape[0] == n") is None
    assert claim_latex("np.linalg.norm(A, ord=1) == x") is None
    assert claim_latex("np.einsum('ij,j->i', A, x) == x") is None
    assert claim_latex("A[1:] == x") is None
