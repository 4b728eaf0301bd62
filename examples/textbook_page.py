"""Verify a page of textbook identities: each is proved for all sizes, or refuted with a small counterexample.

A wrong one says when it does hold, and what holds instead. `derive verify "CLAIM" --shapes "..."` does one of them.
"""

import derive as dv

PAGE: dict[str, list[tuple[str, dict[str, str]]]] = {
    "Traces": [
        ("tr(A*B*C) == tr(C*A*B)", {"A": "n m", "B": "m k", "C": "k n"}),
        ("tr(A*B*C) == tr(A*C*B)", {"A": "n n", "B": "n n", "C": "n n"}),
        ("tr(A'*B) == vec(A)'*vec(B)", {"A": "n m", "B": "n m"}),
        ("tr(kron(A, B)) == tr(A)*tr(B)", {"A": "n n", "B": "m m"}),
    ],
    "Inverses": [
        ("inv(A*B) == inv(B)*inv(A)", {"A": "n n, invertible", "B": "n n, invertible"}),
        ("inv(A + B) == inv(A) + inv(B)", {"A": "n n, invertible", "B": "n n, invertible"}),
        (
            "inv(A + U*inv(C)*V') == inv(A) - inv(A)*U*inv(C + V'*inv(A)*U)*V'*inv(A)",
            {"A": "n n, invertible", "C": "k k, invertible", "U": "n k", "V": "n k"},
        ),
        ("det(2*A) == 2*det(A)", {"A": "n n"}),
    ],
    "Gradients": [
        ("grad(x'*A*x, x) == (A + A')*x", {"x": "n", "A": "n n"}),
        ("grad(x'*A*x, x) == 2*A*x", {"x": "n", "A": "n n"}),
        ("grad(logdet(X), X) == inv(X)", {"X": "n n, invertible"}),
        ("grad(norm2(A*x - b)^2, x) == 2*A'*(A*x - b)", {"A": "m n", "x": "n", "b": "m"}),
        ("jacobian(softmax(z), z) == diag(softmax(z)) - softmax(z)*softmax(z)'", {"z": "n"}),
    ],
    "Functions": [
        ("softmax(z + c) == softmax(z)", {"z": "n", "c": ""}),
        ("tanh(x) == 2*sigmoid(2*x) - 1", {"x": "n"}),
        ("log(1 + exp(x)) == x + log(1 + exp(-x))", {"x": "n"}),
        ("exp(A + B) == exp(A).*exp(B)", {"A": "m n", "B": "m n"}),
        ("sqrt(x.^2) == x", {"x": "n"}),
    ],
    "Inequalities": [
        ("(x'*y)^2 <= (x'*x)*(y'*y)", {"x": "n", "y": "n"}),
        ("sum(p.*log(p./q)) >= 0", {"p": "n, simplex", "q": "n, simplex"}),
        ("norm1(x) <= norm2(x)", {"x": "n"}),
        ("convex(log(sum(exp(x))), x)", {"x": "n"}),
    ],
}


def main() -> dict[str, dv.Verdict]:
    """Print the page with its verdicts; return them by claim."""
    verdicts = {}
    for title, claims in PAGE.items():
        print(f"{title}\n{'-' * len(title)}")
        for claim, shapes in claims:
            verdicts[claim] = dv.verify(claim, **shapes)
            print(f"{verdicts[claim]}\n")
    return verdicts


if __name__ == "__main__":
    main()
