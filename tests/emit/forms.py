"""Equations of every shape that programs have, each with the NumPy statements that a person would write for it."""

from dataclasses import dataclass

import sympy
from sympy import And, Eq, Integer, Ne, Not, Or, Rational, S, diff, erf, exp, log, oo, pi, sin, sqrt, tanh

from derive.ir.nodes import Bracket, Equation, Index, Program, Tensor, Where, reads_of, size
from derive.ops.elementwise.exponential import expm1, log1p, sigmoid, softplus
from derive.ops.elementwise.piecewise import Absolute, Maximum, Minimum, Sign


@dataclass(frozen=True)
class Form:
    """An equation for R and the statements that NumPy source has for it."""

    name: str
    equation: Equation
    statements: tuple[str, ...]

    @property
    def program(self) -> Program:
        """The equation alone; a vector Z_n supplies a size n that none of its tensors has."""
        inputs = {r.tensor.name: r.tensor for r in reads_of(self.equation.body)}
        known = {extent for t in inputs.values() for extent in t.shape}
        missing = sorted({s for i in self.equation.indices for s in i.extent.free_symbols} - known, key=str)
        inputs |= {f"Z_{s}": Tensor(f"Z_{s}", (s,)) for s in missing}
        return Program(tuple(inputs.values()), (self.equation,), (self.equation.target,))


def form(name: str, equation: Equation, *statements: str) -> Form:
    return Form(name, equation, statements)


def eq(axes, body, reduce=None, bound=(), kind="real") -> Equation:
    target = Tensor("R", tuple(axis.extent for axis in axes), kind)
    return Equation(target, tuple(axes), sympy.sympify(body), reduce, tuple(bound))


n, m, d, p, batch, heads, v = map(size, ("n", "m", "d", "p", "batch", "heads", "v"))
SIZES = {n: 4, m: 5, d: 3, p: 2, batch: 6, heads: 7, v: 8}

i, j, k, l, b, h = map(Index, "ijklbh", (n, m, d, p, batch, heads))
i2, ip, km, lm = Index("j", n), Index("k", n), Index("k", m), Index("l", m)
a, c, e, q, tk, z = map(Index, "aceqtz", (v, n + m, d, n + 2, m, Integer(1)))
short, long = Index("a", n - 1), Index("a", n + d - 1)

T = Tensor
X, Y, W, A = T("X", (n, m)), T("Y", (n, m)), T("W", (m, d)), T("A", (n, n))
x, y, u, w3, s = T("x", (n,)), T("y", (n,)), T("u", (m,)), T("w3", (d,)), T("s")
E, gE, tok = T("E", (v, d)), T("gE", (batch, m, d)), T("tok", (batch, m), "integer", bound=v)
lab, M = T("lab", (n,), "integer", bound=m), T("M", (n, m), "boolean")
Q, K = T("Q", (batch, heads, n, d)), T("K", (batch, heads, m, d))
Q2, K2, SS = T("Q2", Q.shape), T("K2", K.shape), T("S", (batch, heads, n, m))
XB, WB, Wq, G = T("XB", (batch, n, d)), T("WB", (d, p)), T("Wq", (heads, d, p)), T("G", (batch, n, p))
mask, keep = T("mask", (n, m), "integer", bound=Integer(2)), T("keep", (), facts=frozenset({"positive"}))
P3, XU, L, LL, XL = (
    T("P3", (n, m, d)),
    T("XU", (n, Integer(1))),
    T("L", (n + m,)),
    T("LL", (n + 2,)),
    T("XL", (n + d - 1,)),
)
gelu_tanh = (
    Rational(1, 2) * X[i, j] * (1 + tanh(sqrt(2 / pi) * (X[i, j] + Rational(44715, 1000000) * X[i, j] ** 3)))
)

FORMS = [
    form("tanh", eq((i, j), tanh(X[i, j] + u[j])), "R = np.tanh(X + u)"),
    form("transpose", eq((j, i), tanh(X[i, j]) + x[i]), "R = np.tanh(X.T) + x"),
    form("sum1", eq((i,), X[i, j], "sum", (j,)), "R = X.sum(axis=1)"),
    form("sum0", eq((j,), X[i, j] ** 2, "sum", (i,)), "R = (X**2).sum(axis=0)"),
    form("mean", eq((i,), X[i, j] / m, "sum", (j,)), "R = X.mean(axis=1)"),
    form("meanall", eq((), (X[i, j] - Y[i, j]) ** 2 / (n * m), "sum", (i, j)), "R = ((X - Y) ** 2).mean()"),
    form("total", eq((), X[i, j] * Y[i, j], "sum", (i, j)), "R = (X * Y).sum()"),
    form("dot", eq((), x[i] * y[i], "sum", (i,)), "R = x @ y"),
    form("norm", eq((), x[i] ** 2, "sum", (i,)), "R = x @ x"),
    form("var", eq((i,), (X[i, j] - x[i]) ** 2 / m, "sum", (j,)), "R = ((X - x[:, None]) ** 2).mean(axis=1)"),
    form("dense", eq((i, k), X[i, j] * W[j, k], "sum", (j,)), "R = X @ W"),
    form("dense_T", eq((k, i), X[i, j] * W[j, k], "sum", (j,)), "R = W.T @ X.T"),
    form("scaled", eq((i, k), 2 * X[i, j] * W[j, k] / m, "sum", (j,)), "m = W.shape[0]", "R = 2 * X @ W / m"),
    form(
        "scaled_t",
        eq((i, k), -s[()] * X[i, j] * W[j, k] / sqrt(m), "sum", (j,)),
        "m = W.shape[0]",
        "R = -s * (X @ W) / math.sqrt(m)",
    ),
    form("rowscaled", eq((i, k), x[i] * X[i, j] * W[j, k], "sum", (j,)), "R = x[:, None] * (X @ W)"),
    form("gram", eq((j, km), X[i, j] * x[i] * X[i, km], "sum", (i,)), "R = X.T @ (x[:, None] * X)"),
    form(
        "hess",
        eq((j, km), X[i, j] * x[i] * (1 - x[i]) * X[i, km], "sum", (i,)),
        "R = X.T @ (x[:, None] * (1 - x[:, None]) * X)",
    ),
    form("quad", eq((), x[i] * A[i, i2] * x[i2], "sum", (i, i2)), "R = x @ A @ x"),
    form("sym", eq((i,), (A[i, i2] + A[i2, i]) * x[i2], "sum", (i2,)), "R = (A + A.T) @ x"),
    form("bil", eq((), x[i] * X[i, j] * u[j], "sum", (i, j)), "R = X @ u @ x"),
    form("chain3", eq((i, l), X[i, j] * W[j, k] * WB[k, l], "sum", (j, k)), "R = X @ (W @ WB)"),
    form("outer", eq((i, j), 2 * x[i] * u[j]), "R = 2 * np.outer(x, u)"),
    form(
        "outer2",
        eq((i, j), -x[i] * exp(x[i]) * u[j] * s[()] / n),
        "n = x.shape[0]",
        "R = -s * np.outer(np.exp(x) * x, u) / n",
    ),
    form("vecmat", eq((j,), x[i] * X[i, j], "sum", (i,)), "R = x @ X"),
    form("matvec", eq((i,), X[i, j] * u[j], "sum", (j,)), "R = X @ u"),
    form("lsq", eq((i, j), 2 * (x[i] - y[i]) * u[j]), "R = 2 * np.outer(x - y, u)"),
    form(
        "heads",
        eq((b, h, i, j), Q[b, h, i, k] * K[b, h, j, k] / sqrt(d), "sum", (k,)),
        "d = K.shape[3]",
        "R = Q @ K.swapaxes(-1, -2) / math.sqrt(d)",
    ),
    form(
        "headsT", eq((b, h, j, k), SS[b, h, i, j] * Q[b, h, i, k], "sum", (i,)), "R = S.swapaxes(-1, -2) @ Q"
    ),
    form("batched_dense", eq((b, i, l), XB[b, i, k] * WB[k, l], "sum", (k,)), "R = XB @ WB"),
    form(
        "batched_grad",
        eq((k, l), XB[b, i, k] * G[b, i, l], "sum", (b, i)),
        'R = np.einsum("bnp,bnd->dp", G, XB, optimize=True)',
    ),
    form("batched_gradx", eq((b, i, k), G[b, i, l] * WB[k, l], "sum", (l,)), "R = G @ WB.T"),
    form(
        "proj",
        eq((b, h, i, l), XB[b, i, k] * Wq[h, k, l], "sum", (k,)),
        'R = np.einsum("hdp,bnd->bhnp", Wq, XB, optimize=True)',
    ),
    form("bsum", eq((k,), XB[b, i, k], "sum", (b, i)), "R = XB.sum(axis=(0, 1))"),
    form("max", eq((i,), X[i, j], "max", (j,)), "R = X.max(axis=1)"),
    form("max0", eq((j,), X[i, j] - u[j], "max", (i,)), "R = (X - u).max(axis=0)"),
    form("min2", eq((i,), XB[b, i, k], "min", (b, k)), "R = XB.min(axis=(0, 2))"),
    form("prod", eq((i,), X[i, j], "prod", (j,)), "R = X.prod(axis=1)"),
    form("prod2", eq((i,), XB[b, i, k], "prod", (b, k)), "R = XB.prod(axis=(0, 2))"),
    form("sub", eq((i, j), exp(X[i, j] - x[i]) / y[i] ** 2), "R = np.exp(X - x[:, None]) / y[:, None] ** 2"),
    form(
        "ln",
        eq((i, j), x[i] * (X[i, j] - x[i] / n - Y[i, j] * y[i] / n)),
        "n = x.shape[0]",
        "R = x[:, None] * (X - y[:, None] * Y / n - x[:, None] / n)",
    ),
    form(
        "gelu",
        eq((i, j), X[i, j] * (1 + erf(X[i, j] / sqrt(2))) / 2),
        "R = 0.5 * X * (1 + erf(X / math.sqrt(2)))",
    ),
    form(
        "gelup",
        eq((i, j), (1 + erf(X[i, j] / sqrt(2))) / 2 + X[i, j] * exp(-(X[i, j] ** 2) / 2) / sqrt(2 * pi)),
        "t = 1 + erf(X / math.sqrt(2)) + math.sqrt(2 / math.pi) * X * np.exp(-0.5 * X**2)",
        "R = 0.5 * t",
    ),
    form(
        "gelutanh",
        eq((i, j), gelu_tanh),
        "R = 0.5 * X * (1 + np.tanh(math.sqrt(2 / math.pi) * (0.044715 * X**3 + X)))",
    ),
    form(
        "gelutanhp",
        eq((i, j), diff(gelu_tanh, X[i, j])),
        "t2 = (",
        "    math.sqrt(2 / math.pi)",
        "    * X",
        "    * (1 - np.tanh(math.sqrt(2 / math.pi) * (0.044715 * X**3 + X)) ** 2)",
        "    * (1 + 0.134145 * X**2)",
        ")",
        "t = 1 + t2 + np.tanh(math.sqrt(2 / math.pi) * (0.044715 * X**3 + X))",
        "R = 0.5 * t",
    ),
    form("sig", eq((i, j), sigmoid(X[i, j]) * (1 - sigmoid(X[i, j]))), "R = expit(X) * (1 - expit(X))"),
    form("relu", eq((i, j), Maximum(X[i, j], 0)), "R = np.maximum(X, 0)"),
    form("relup", eq((i, j), Y[i, j] * Bracket(X[i, j] > 0)), "R = np.where(X > 0, Y, 0)"),
    form("leaky", eq((i, j), Where(X[i, j] > 0, X[i, j], X[i, j] / 100)), "R = np.where(X > 0, X, 0.01 * X)"),
    form(
        "leakyp",
        eq((i, j), Y[i, j] * Where(X[i, j] > 0, 1, Rational(1, 100))),
        "R = np.where(X > 0, Y, 0.01 * Y)",
    ),
    form(
        "elup",
        eq((i, j), Y[i, j] * Where(X[i, j] > 0, 1, exp(X[i, j]))),
        "R = Y * np.where(X > 0, 1, np.exp(X))",
    ),
    form("relupe", eq((i, j), Bracket(X[i, j] > 0)), "R = (X > 0).astype(X.dtype)"),
    form(
        "mx2",
        eq((i, j), Maximum(X[i, j], Y[i, j]) + Minimum(X[i, j], Rational(1, 2))),
        "R = np.maximum(X, Y) + np.minimum(X, 0.5)",
    ),
    form(
        "softplus",
        eq((i, j), softplus(X[i, j]) + log1p(X[i, j] ** 2) + expm1(X[i, j])),
        "R = np.expm1(X) + np.log1p(X**2) + np.logaddexp(0, X)",
    ),
    form("absign", eq((i, j), Absolute(X[i, j]) * Sign(Y[i, j])), "R = np.sign(Y) * np.abs(X)"),
    form("maskB", eq((i, j), Where(Ne(M[i, j], 0), X[i, j], -oo)), "R = np.where(M, X, -np.inf)"),
    form("maskN", eq((i, j), Where(Eq(M[i, j], 0), X[i, j], -1)), "R = np.where(~M, X, -1)"),
    form("maskI", eq((i, j), X[i, j] * mask[i, j] / keep[()]), "R = X * mask.astype(X.dtype) / keep"),
    form(
        "causal",
        eq((i, i2), Where(i2 <= i, A[i, i2], -oo)),
        "n = A.shape[0]",
        "i = np.arange(n)",
        "j = np.arange(n)",
        "R = np.where(j <= i[:, None], A, -np.inf)",
    ),
    form(
        "causalp",
        eq((i, i2), Bracket(i2 <= i) * A[i, i2]),
        "n = A.shape[0]",
        "i = np.arange(n)",
        "j = np.arange(n)",
        "R = np.where(j <= i[:, None], A, 0)",
    ),
    form(
        "causalsum",
        eq((i,), Bracket(i2 <= i) * A[i, i2] * x[i2], "sum", (i2,)),
        "n = x.shape[0]",
        "i = np.arange(n)",
        "j = np.arange(n)",
        "R = np.where(j <= i[:, None], x * A, 0).sum(axis=1)",
    ),
    form("cumsum", eq((i, j), Bracket(ip <= i) * X[ip, j], "sum", (ip,)), "R = X.cumsum(axis=0)"),
    form(
        "cumsumr",
        eq((i, j), Bracket(ip >= i) * X[ip, j] * 2 * u[j], "sum", (ip,)),
        "R = 2 * u * X[::-1].cumsum(axis=0)[::-1]",
    ),
    form(
        "cumsumx",
        eq((i, j), Bracket(ip < i) * X[ip, j], "sum", (ip,)),
        "n = X.shape[0]",
        "i = np.arange(n)",
        "k = np.arange(n)",
        "R = (k < i[:, None]).astype(X.dtype) @ X",
    ),
    form("emb", eq((b, tk, e), E[tok[b, tk], e]), "R = E[tok]"),
    form(
        "scatter",
        eq((a, e), Bracket(Eq(tok[b, tk], a)) * gE[b, tk, e], "sum", (b, tk)),
        "d = gE.shape[2]",
        "v = Z_v.shape[0]",
        "R = np.zeros((v, d), dtype=gE.dtype)",
        "np.add.at(R, tok, gE)",
    ),
    form(
        "scatterT",
        eq((e, a), Bracket(Eq(tok[b, tk], a)) * gE[b, tk, e], "sum", (b, tk)),
        "d = gE.shape[2]",
        "v = Z_v.shape[0]",
        "R = np.zeros((d, v), dtype=gE.dtype)",
        "np.add.at(R, np.s_[:, tok], gE.transpose(2, 0, 1))",
    ),
    form(
        "count",
        eq((a,), Bracket(Eq(a, tok[b, tk])), "sum", (b, tk)),
        "R = np.zeros(Z_v.shape, dtype=Z_v.dtype)",
        "np.add.at(R, tok, 1)",
    ),
    form("pick", eq((i,), X[i, lab[i]]), "n = X.shape[0]", "i = np.arange(n)", "R = X[i, lab]"),
    form(
        "pickmean",
        eq((), -X[i, lab[i]] / n, "sum", (i,)),
        "n = X.shape[0]",
        "i = np.arange(n)",
        "R = -X[i, lab].mean()",
    ),
    form(
        "onehot",
        eq((i, j), X[i, j] - Bracket(Eq(j, lab[i]))),
        "n = lab.shape[0]",
        "i = np.arange(n)",
        "R = X.copy()",
        "R[i, lab] -= 1",
    ),
    form(
        "onehot2",
        eq((i, j), (X[i, j] - Bracket(Eq(j, lab[i]))) * s[()] / n),
        "n = lab.shape[0]",
        "i = np.arange(n)",
        "R = s * X / n",
        "R[i, lab] -= s / n",
    ),
    form(
        "onehot3",
        eq((i, j), -x[i] * Bracket(Eq(lab[i], j)) / n),
        "n = lab.shape[0]",
        "m = Z_m.shape[0]",
        "i = np.arange(n)",
        "R = np.zeros((n, m), dtype=x.dtype)",
        "R[i, lab] -= x / n",
    ),
    form(
        "onehot4",
        eq((i, j), X[i, j] * Bracket(Eq(lab[i], j))),
        "n = lab.shape[0]",
        "i = np.arange(n)",
        "R = np.zeros(X.shape, dtype=X.dtype)",
        "R[i, lab] += X[i, lab]",
    ),
    form("diag", eq((i, i2), Bracket(Eq(i, i2)) * (1 - x[i] ** 2)), "R = np.diag(1 - x**2)"),
    form(
        "softjac",
        eq((i, i2), Bracket(Eq(i, i2)) * x[i] - x[i] * x[i2]),
        "n = x.shape[0]",
        "i = np.arange(n)",
        "R = -np.outer(x, x)",
        "R[i, i] += x.copy()",
    ),
    form(
        "jac3",
        eq((i, j, i2), Bracket(Eq(i, i2)) * X[i, j]),
        "n, m = X.shape",
        "i = np.arange(n)",
        "R = np.zeros((n, m, n), dtype=X.dtype)",
        "R[i, :, i] += X.copy()",
    ),
    form(
        "jac4",
        eq((i, j, i2, lm), Bracket(Eq(i, i2)) * Bracket(Eq(j, lm)) * (1 - X[i, j] ** 2)),
        "n, m = X.shape",
        "i = np.arange(n)",
        "j = np.arange(m)",
        "R = np.zeros((n, m, n, m), dtype=X.dtype)",
        "R[i[:, None], j, i[:, None], j] += 1 - X**2",
    ),
    form(
        "jac4b",
        eq((i, j, i2, lm), Bracket(Eq(i, i2)) * (Bracket(Eq(j, lm)) * X[i, j] - X[i, j] * X[i2, lm])),
        "n, m = X.shape",
        "i = np.arange(n)",
        "j = np.arange(m)",
        "R = np.zeros((n, m, n, m), dtype=X.dtype)",
        "R[i, :, i] -= X[..., None] * X[:, None]",
        "R[i[:, None], j, i[:, None], j] += X.copy()",
    ),
    form(
        "jac4c",
        eq((i, j, i2, lm), Bracket(Eq(i, i2)) * X[i, lm] * u[j]),
        "n, m = X.shape",
        "i = np.arange(n)",
        "R = np.zeros((n, m, n, m), dtype=u.dtype)",
        "R[i, :, i] += u[:, None] * X[:, None]",
    ),
    form(
        "jacW",
        eq((i, j, km), Bracket(Eq(j, km)) * x[i]),
        "n = x.shape[0]",
        "m = Z_m.shape[0]",
        "j = np.arange(m)",
        "R = np.zeros((n, m, m), dtype=x.dtype)",
        "R[:, j, j] += x[:, None].copy()",
    ),
    form(
        "onehotsum",
        eq((i,), Bracket(Eq(j, lab[i])) * X[i, j], "sum", (j,)),
        "n = lab.shape[0]",
        "i = np.arange(n)",
        "R = X[i, lab]",
    ),
    form(
        "bc",
        eq((i, j), x[i] / m),
        "n = x.shape[0]",
        "m = Z_m.shape[0]",
        "R = np.broadcast_to(x[:, None] / m, (n, m)).copy()",
    ),
    form(
        "bc2", eq((i, j), u[j]), "m = u.shape[0]", "n = Z_n.shape[0]", "R = np.broadcast_to(u, (n, m)).copy()"
    ),
    form(
        "const",
        eq((i, j), Rational(1, 3)),
        "m = Z_m.shape[0]",
        "n = Z_n.shape[0]",
        "R = np.full((n, m), 1 / 3, dtype=Z_m.dtype)",
    ),
    form(
        "const2",
        eq((i, j), s[()] / n),
        "m = Z_m.shape[0]",
        "n = Z_n.shape[0]",
        "R = np.broadcast_to(s / n, (n, m)).copy()",
    ),
    form(
        "arange",
        eq((i, j), X[i, j] * i + j),
        "n, m = X.shape",
        "R = np.arange(n, dtype=X.dtype)[:, None] * X + np.arange(m, dtype=X.dtype)",
    ),
    form("arange2", eq((i,), i / n), "n = Z_n.shape[0]", "R = np.arange(n, dtype=Z_n.dtype) / n"),
    form("diagonal", eq((i,), A[i, i]), "R = A.diagonal().copy()"),
    form("trace", eq((), A[i, i], "sum", (i,)), "R = A.diagonal().sum()"),
    form("diag3", eq((i, j), A[i, i] * X[i, j]), "R = A.diagonal()[:, None] * X"),
    form("row0", eq((j,), X[0, j]), "R = X[0].copy()"),
    form("col0", eq((i, j), X[i, 0] * u[j]), "R = np.outer(X[:, 0], u)"),
    form("last", eq((i,), X[i, m - 1]), "R = X[:, -1].copy()"),
    form("unit", eq((i, j), X[i, j] - XU[i, 0]), "R = X - XU"),
    form("tounit", eq((i, z), X[i, j], "sum", (j,)), "R = X.sum(axis=1)[:, None]"),
    form("slice", eq((short, j), X[short + 1, j] - X[short, j]), "R = X[1:] - X[:-1]"),
    form("rev", eq((i, j), X[n - 1 - i, j]), "n = X.shape[0]", "i = np.arange(n)", "R = X[n - i - 1]"),
    form(
        "concat", eq((c,), Bracket(c < n) * x[c] + Bracket(c >= n) * u[c - n]), "R = np.concatenate([x, u])"
    ),
    form(
        "scatterslice",
        eq((c,), Bracket(Eq(c, j + n)) * u[j], "sum", (j,)),
        "m = u.shape[0]",
        "n = Z_n.shape[0]",
        "R = np.zeros((m + n,), dtype=u.dtype)",
        "R[n:] += u.copy()",
    ),
    form(
        "scatterslice2",
        eq((c,), Bracket(Eq(c - n, j)) * u[j] * exp(u[j]), "sum", (j,)),
        "m = u.shape[0]",
        "n = Z_n.shape[0]",
        "R = np.zeros((m + n,), dtype=u.dtype)",
        "R[n:] += np.exp(u) * u",
    ),
    form("split", eq((j,), L[j + n] * 2), "m = Z_m.shape[0]", "n = L.shape[0] - m", "R = 2 * L[n:]"),
    form(
        "conv",
        eq((i,), XL[i + k] * w3[k], "sum", (k,)),
        "d = w3.shape[0]",
        "n = Z_n.shape[0]",
        "i = np.arange(n)",
        "k = np.arange(d)",
        "R = XL[i[:, None] + k] @ w3",
    ),
    form(
        "convT",
        eq((long,), Bracket(Eq(long, i + k)) * x[i] * w3[k], "sum", (i, k)),
        "d = w3.shape[0]",
        "n = x.shape[0]",
        "i = np.arange(n)",
        "k = np.arange(d)",
        "R = np.zeros((d + n - 1,), dtype=w3.dtype)",
        "np.add.at(R, i[:, None] + k, np.outer(x, w3))",
    ),
    form(
        "pair", eq((i, i2), (X[i, j] - X[i2, j]) ** 2, "sum", (j,)), "R = ((X[:, None] - X) ** 2).sum(axis=2)"
    ),
    form("pairexp", eq((i, i2), exp(-((x[i] - x[i2]) ** 2) / 2)), "R = np.exp(-0.5 * (x[:, None] - x) ** 2)"),
    form("sumsum", eq((i, k), X[i, j] * W[j, k] + Y[i, j] * W[j, k], "sum", (j,)), "R = X @ W + Y @ W"),
    form("nosum", eq((i,), x[i] + X[i, j], "sum", (j,)), "R = (X + x[:, None]).sum(axis=1)"),
    form("broad", eq((i, k), (x[i] + u[j]) * W[j, k], "sum", (j,)), "R = np.outer(x, W.sum(axis=0)) + u @ W"),
    form("nobound", eq((i,), x[i] ** 2, "sum", (j,)), "m = Z_m.shape[0]", "R = m * x**2"),
    form(
        "three",
        eq((i, k), X[i, j] * P3[i, j, k], "sum", (j,)),
        'R = np.einsum("nm,nmd->nd", X, P3, optimize=True)',
    ),
    form(
        "three2",
        eq((i,), X[i, j] * P3[i, j, k] * w3[k], "sum", (j, k)),
        'R = np.einsum("nm,nm->n", P3 @ w3, X, optimize=True)',
    ),
    form(
        "pow",
        eq(
            (i, j),
            Absolute(X[i, j]) ** Rational(3, 2)
            + (X[i, j] ** 2 + 1) ** Rational(-3, 2)
            + (1 + X[i, j] ** 2) ** Rational(1, 3),
        ),
        "R = 1 / (1 + X**2) ** 1.5 + (1 + X**2) ** (1 / 3) + np.abs(X) ** 1.5",
    ),
    form(
        "powsym", eq((i, j), (1 + X[i, j] ** 2) ** (-Absolute(x[i]))), "R = (1 + X**2) ** -np.abs(x[:, None])"
    ),
    form(
        "rsqrt",
        eq((i, j), X[i, j] / sqrt(Y[i, j] ** 2 + Rational(1, 100000))),
        "R = X / np.sqrt(Y**2 + 1e-5)",
    ),
    form(
        "div",
        eq((i, j), X[i, j] / (n * (1 + Y[i, j] ** 2) * sqrt(3))),
        "n = Y.shape[0]",
        "R = X / (n * math.sqrt(3) * (1 + Y**2))",
    ),
    form(
        "logs",
        eq((i, j), log(X[i, j] ** 2 + 1) * log(n) + log(2) * sqrt(n) / n ** Rational(3, 2)),
        "n = X.shape[0]",
        "R = math.log(n) * np.log(1 + X**2) + math.log(2) / n",
    ),
    form(
        "clip",
        eq((i, j), Minimum(Maximum(X[i, j], -Rational(1, 2)), Rational(1, 2))),
        "R = np.minimum(np.maximum(X, -0.5), 0.5)",
    ),
    form("bool", eq((i, j), Bracket(X[i, j] > Y[i, j]), kind="boolean"), "R = X > Y"),
    form(
        "int",
        eq((i, j), mask[i, j] + i, kind="integer"),
        "n = mask.shape[0]",
        "i = np.arange(n)",
        "R = mask + i[:, None]",
    ),
    form(
        "andor",
        eq((i, j), Where(Or(And(X[i, j] > 0, Y[i, j] > 0), Not(Ne(M[i, j], 0))), X[i, j], Y[i, j])),
        "R = np.where(~M | (X > 0) & (Y > 0), X, Y)",
    ),
    form(
        "eqmax", eq((i, j), Bracket(Eq(X[i, j], x[i])) * y[i]), "R = np.where(X == x[:, None], y[:, None], 0)"
    ),
    form(
        "bigsum",
        eq(
            (i, j),
            sum((X[i, j] ** q * Y[i, j] ** (q + 1) * exp(X[i, j] - q * x[i]) for q in range(1, 9)), S.Zero),
        ),
        "R = (",
        "    X**2 * np.exp(X - 2 * x[:, None]) * Y**3",
        "    + X**3 * np.exp(X - 3 * x[:, None]) * Y**4",
        "    + X**4 * np.exp(X - 4 * x[:, None]) * Y**5",
        "    + X**5 * np.exp(X - 5 * x[:, None]) * Y**6",
        "    + X**6 * np.exp(X - 6 * x[:, None]) * Y**7",
        "    + X**7 * np.exp(X - 7 * x[:, None]) * Y**8",
        "    + X**8 * np.exp(X - 8 * x[:, None]) * Y**9",
        "    + X * np.exp(X - x[:, None]) * Y**2",
        ")",
    ),
    form(
        "bigprod",
        eq(
            (i, j),
            exp(
                sum(
                    (X[i, j] ** q * Y[i, j] ** (q + 1) * sin(X[i, j] - q * x[i]) / 20 for q in range(1, 5)),
                    S.Zero,
                )
            )
            * tanh(X[i, j] * Y[i, j] * x[i] * y[i] * u[j] + X[i, j] * x[i]),
        ),
        "t3 = (",
        "    X**2 * np.sin(X - 2 * x[:, None]) * Y**3",
        "    + X**3 * np.sin(X - 3 * x[:, None]) * Y**4",
        "    + X**4 * np.sin(X - 4 * x[:, None]) * Y**5",
        "    + X * np.sin(X - x[:, None]) * Y**2",
        ")",
        "t2 = 0.05 * t3",
        "t = np.exp(t2)",
        "R = t * np.tanh(x[:, None] * u * y[:, None] * X * Y + x[:, None] * X)",
    ),
    form(
        "boundguard",
        eq((i,), Bracket(Eq(q, i + 3)) * LL[q], "sum", (q,)),
        "n = Z_n.shape[0]",
        "q = np.arange(n + 2)",
        "R = np.zeros(Z_n.shape, dtype=LL.dtype)",
        "np.add.at(R, np.clip(q - 3, 0, n - 1), np.where(q - 3 >= 0, LL, 0))",
    ),
    form(
        "jvpS",
        eq(
            (b, h, i, j),
            (Q[b, h, i, k] * K[b, h, j, k] + Q2[b, h, i, k] * K2[b, h, j, k]) / sqrt(d),
            "sum",
            (k,),
        ),
        "d = K.shape[3]",
        "R = (Q @ K.swapaxes(-1, -2) + Q2 @ K2.swapaxes(-1, -2)) / math.sqrt(d)",
    ),
    form(
        "perm",
        eq((b, h, i, j), Q[b, h, i, k] + K[b, h, j, k], "max", (k,)),
        "R = (K[:, :, None] + Q[:, :, :, None]).max(axis=4)",
    ),
    form(
        "superdiag",
        eq((i, i2), Bracket(Eq(i2, i + 1)) * x[i]),
        "n = x.shape[0]",
        "i = np.arange(n)",
        "R = np.zeros((n, n), dtype=x.dtype)",
        "R[i, np.clip(i + 1, 0, n - 1)] += np.where(i + 1 < n, x, 0)",
    ),
]
