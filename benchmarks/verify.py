"""Time to verify: usual identities of textbooks, true and false ones, in one process, medians of a few runs."""

from __future__ import annotations

from statistics import median
from time import perf_counter

import derive as dv

IDENTITIES: dict[str, tuple[str, dict[str, str]]] = {
    "quadratic form, gradient": ("grad(x'*A*x, x) == (A + A')*x", {"A": "n n", "x": "n"}),
    "quadratic form, Hessian": ("hessian(x'*A*x, x) == A + A'", {"A": "n n", "x": "n"}),
    "least squares": ("grad(norm2(A*x - b)^2, x) == 2*A'*(A*x - b)", {"A": "m n", "x": "n", "b": "m"}),
    "trace, cyclic": ("tr(A*B*C) == tr(C*A*B)", {"A": "n m", "B": "m p", "C": "p n"}),
    "trace, gradient": ("grad(tr(A*X*B), X) == A'*B'", {"A": "m n", "X": "n p", "B": "p m"}),
    "trace of a square form": ("grad(tr(X'*A*X), X) == (A + A')*X", {"A": "n n", "X": "n m"}),
    "log-determinant": ("grad(logdet(X), X) == inv(X)'", {"X": "n n"}),
    "determinant": ("grad(det(X), X) == det(X)*inv(X)'", {"X": "n n"}),
    "inverse of a product": ("inv(A*B) == inv(B)*inv(A)", {"A": "n n", "B": "n n"}),
    "differential of the inverse": ("jvp(inv(X), X, V) == -inv(X)*V*inv(X)", {"X": "n n", "V": "n n"}),
    "Sherman-Morrison": (
        "inv(A + u*v') == inv(A) - inv(A)*u*v'*inv(A)/(1 + v'*inv(A)*u)", {"A": "n n", "u": "n", "v": "n"},
    ),
    "Woodbury": (
        "inv(A + U*C*V) == inv(A) - inv(A)*U*inv(inv(C) + V*inv(A)*U)*V*inv(A)",
        {"A": "n n", "U": "n k", "C": "k k", "V": "k n"},
    ),
    "Kronecker, mixed product": (
        "kron(A, B)*kron(C, D) == kron(A*C, B*D)", {"A": "m n", "B": "p q", "C": "n r", "D": "q s"},
    ),
    "softmax, shift": ("softmax(x + c) == softmax(x)", {"x": "n", "c": ""}),
    "log-sum-exp, gradient": ("grad(log(sum(exp(x))), x) == softmax(x)", {"x": "n"}),
    "cross-entropy, gradient": ("grad(-y'*log(softmax(z)), z) == softmax(z) - y", {"y": "n, simplex", "z": "n"}),
    "sigmoid, slope": ("grad(sum(sigmoid(x)), x) == sigmoid(x).*(1 - sigmoid(x))", {"x": "n"}),
    "norm, Hessian": ("hessian(norm2(x), x) == (eye(n) - x*x'/norm2(x)^2)/norm2(x)", {"x": "n"}),
    "false: as if symmetric": ("grad(x'*A*x, x) == 2*A*x", {"A": "n n", "x": "n"}),
    "false: order kept": ("(A*B)' == A'*B'", {"A": "n n", "B": "n n"}),
    "false: other layout": ("jacobian(A*x, x) == A'", {"A": "m n", "x": "n"}),
    "false: factor lost": ("grad(norm2(x)^2, x) == x", {"x": "n"}),
}  # fmt: skip
"""Claims with the shapes of their variables."""


def verify_times(rounds: int = 5) -> dict[str, tuple[float, str]]:
    """Seconds for each identity, the median of some runs, and its verdict."""
    found = {}
    for name, (claim, shapes) in IDENTITIES.items():
        times = []
        for _ in range(rounds):
            start = perf_counter()
            verdict = dv.verify(claim, **shapes)
            times.append(perf_counter() - start)
        found[name] = median(times), verdict.status
    return found


def verify_lines(identities: dict[str, tuple[float, str]]) -> list[str]:
    """Markdown: time to verify each identity."""
    lines = ["| identity | verdict | ms |", "|---|---|---|"]
    lines += [
        f"| {name} | {status} | {1e3 * seconds:.0f} |" for name, (seconds, status) in identities.items()
    ]
    middle = sorted(seconds for seconds, _ in identities.values())[len(identities) // 2]
    return [*lines, "", f"median of all: {1e3 * middle:.0f} ms", ""]
