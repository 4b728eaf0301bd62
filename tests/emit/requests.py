"""Layers with their backward passes, written as equations by hand: what an emitter is given."""

from __future__ import annotations

from sympy import Eq, exp, log, sqrt, tanh

from derive.emit.target import EmitRequest
from derive.ir.nodes import Bracket, Equation, Index, Program, Tensor, size

n, m, d, p, batch, v = map(size, ("n", "m", "d", "p", "batch", "v"))


def equation(target: Tensor, axes, body, reduce=None, *bound: Index) -> Equation:
    return Equation(target, tuple(axes), body, reduce, bound)


def dense_tanh(name: str = "dense_tanh", wrt: tuple[str, ...] = ("X", "W", "b")) -> EmitRequest:
    i, j, k = Index("i", batch), Index("j", m), Index("k", n)
    X, W, b, gY = (
        Tensor(a, s) for a, s in (("X", (batch, n)), ("W", (n, m)), ("b", (m,)), ("gY", (batch, m)))
    )
    Z, Y, gZ = (Tensor(a, (batch, m)) for a in ("Z", "Y", "gZ"))
    gX, gW, gb = Tensor("gX", X.shape), Tensor("gW", W.shape), Tensor("gb", b.shape)
    forward = (
        equation(Z, (i, j), X[i, k] * W[k, j], "sum", k),
        equation(Y, (i, j), tanh(Z[i, j] + b[j])),
    )
    backward = (
        *forward,
        equation(gZ, (i, j), gY[i, j] * (1 - Y[i, j] ** 2)),
        equation(gX, (i, k), gZ[i, j] * W[k, j], "sum", j),
        equation(gW, (k, j), X[i, k] * gZ[i, j], "sum", i),
        equation(gb, (j,), gZ[i, j], "sum", i),
    )
    outputs = tuple({"X": gX, "W": gW, "b": gb}[w] for w in wrt)
    formulas = ("Y = tanh(X W + b)", "gZ = gY ∘ (1 − Y²)", "gX = gZ W'", "gW = X' gZ", "gb = colsum(gZ)")
    return EmitRequest(
        name, Program((X, W, b), forward, (Y,)), Program((X, W, b, gY), backward, outputs), wrt, ("gY",),
        formulas=formulas, source="layers.py:25",
    )  # fmt: skip


def attention() -> EmitRequest:
    i, j, k, l = Index("i", n), Index("j", m), Index("k", d), Index("l", p)
    Q, K, V, gO = Tensor("Q", (n, d)), Tensor("K", (m, d)), Tensor("V", (m, p)), Tensor("gO", (n, p))
    S, E, P, gP, gS = (Tensor(a, (n, m)) for a in ("S", "E", "P", "gP", "gS"))
    M, Z, q, O = Tensor("M", (n,)), Tensor("Z", (n,)), Tensor("q", (n,)), Tensor("O", (n, p))
    gQ, gK, gV = Tensor("gQ", Q.shape), Tensor("gK", K.shape), Tensor("gV", V.shape)
    weights = (
        equation(S, (i, j), Q[i, k] * K[j, k] / sqrt(d), "sum", k),
        equation(M, (i,), S[i, j], "max", j),
        equation(E, (i, j), exp(S[i, j] - M[i])),
        equation(Z, (i,), E[i, j], "sum", j),
        equation(P, (i, j), E[i, j] / Z[i]),
    )
    forward = (*weights, equation(O, (i, l), P[i, j] * V[j, l], "sum", j))
    backward = (
        *weights,
        equation(gV, (j, l), P[i, j] * gO[i, l], "sum", i),
        equation(gP, (i, j), gO[i, l] * V[j, l], "sum", l),
        equation(q, (i,), P[i, j] * gP[i, j], "sum", j),
        equation(gS, (i, j), P[i, j] * (gP[i, j] - q[i])),
        equation(gQ, (i, k), gS[i, j] * K[j, k] / sqrt(d), "sum", j),
        equation(gK, (j, k), gS[i, j] * Q[i, k] / sqrt(d), "sum", i),
    )
    formulas = (
        "O = softmax(Q K' / sqrt(d)) V", "gV = P' gO", "gS = P ∘ (gP − rowsum(gP ∘ P)), gP = gO V'",
        "gQ = gS K / sqrt(d)", "gK = gS' Q / sqrt(d)",
    )  # fmt: skip
    return EmitRequest(
        "attention", Program((Q, K, V), forward, (O,)), Program((Q, K, V, gO), backward, (gQ, gK, gV)),
        ("Q", "K", "V"), ("gO",), formulas=formulas, source="layers.py:183",
    )  # fmt: skip


def cross_entropy() -> EmitRequest:
    """Mean cross-entropy of the rows of Z against integer labels."""
    i, j = Index("i", batch), Index("j", n)
    Z, y, gL = Tensor("Z", (batch, n)), Tensor("y", (batch,), "integer", bound=n), Tensor("gL")
    C, E, P, gZ = (Tensor(a, Z.shape) for a in ("C", "E", "P", "gZ"))
    M, S, L = Tensor("M", (batch,)), Tensor("S", (batch,)), Tensor("L")
    forward = (
        equation(M, (i,), Z[i, j], "max", j),
        equation(C, (i, j), Z[i, j] - M[i]),
        equation(E, (i, j), exp(C[i, j])),
        equation(S, (i,), E[i, j], "sum", j),
        equation(P, (i, j), E[i, j] / S[i]),
        equation(L, (), (log(S[i]) - C[i, y[i]]) / batch, "sum", i),
    )
    delta = Bracket(Eq(y[i], j))
    backward = (*forward[:5], equation(gZ, (i, j), gL[()] * (P[i, j] - delta) / batch))
    return EmitRequest(
        "cross_entropy", Program((Z, y), forward, (L,)), Program((Z, y, gL), backward, (gZ,)), ("Z",), ("gL",)
    )


def embedding() -> EmitRequest:
    b, t, a, e = Index("b", batch), Index("t", n), Index("a", v), Index("e", d)
    E, tok, gY = (
        Tensor("E", (v, d)),
        Tensor("tok", (batch, n), "integer", bound=v),
        Tensor("gY", (batch, n, d)),
    )
    Y, gE = Tensor("Y", gY.shape), Tensor("gE", E.shape)
    forward = (equation(Y, (b, t, e), E[tok[b, t], e]),)
    backward = (equation(gE, (a, e), Bracket(Eq(tok[b, t], a)) * gY[b, t, e], "sum", b, t),)
    return EmitRequest(
        "embedding", Program((E, tok), forward, (Y,)), Program((E, tok, gY), backward, (gE,)), ("E",), ("gY",)
    )


REQUESTS = {r.name: r for r in (dense_tanh(), attention(), cross_entropy(), embedding())}
