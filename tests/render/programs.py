"""Programs written by hand, as a derivation leaves them: forward equations, then derived ones."""

from __future__ import annotations

import sympy
from sympy import Eq, Expr, Rational, S, exp, sqrt, tanh

from derive.ir.nodes import Bracket, Equation, Index, Program, Read, Step, Tensor, Where, size
from derive.ops.elementwise.exponential import sigmoid

Indices = tuple[Index, ...]


def indices(names: str, *extents: object) -> Indices:
    return tuple(Index(name, extent) for name, extent in zip(names.split(), extents, strict=True))


class Sheet:
    """Collects the equations of one program; a tensor's shape follows from its axes."""

    def __init__(self, **inputs: tuple[object, ...]) -> None:
        self.inputs = {
            name: Tensor(name, tuple(sympy.sympify(e) for e in shape)) for name, shape in inputs.items()
        }
        self.equations: list[Equation] = []

    def integers(self, name: str, *shape: object, below: object) -> Tensor:
        self.inputs[name] = Tensor(name, shape, "integer", bound=below)  # type: ignore[arg-type]
        return self.inputs[name]

    def __getitem__(self, name: str) -> Tensor:
        return self.inputs.get(name) or next(e.target for e in self.equations if e.target.name == name)

    def let(
        self, name: str, axes: Indices, body: Expr, reduce: str | None = None, *bound: Index, of: str = ""
    ) -> Tensor:
        target = Tensor(name, tuple(i.extent for i in axes))
        step = Step("chain rule", of=of, where="model.py:7") if of else Step()
        self.equations.append(Equation(target, axes, sympy.sympify(body), reduce, bound, step))  # type: ignore[arg-type]
        return target

    def program(self, *outputs: str) -> tuple[Program, frozenset[str]]:
        derived = {e.target.name for e in self.equations if e.step.rule}
        forward = frozenset(e.target.name for e in self.equations) - derived
        return Program(
            tuple(self.inputs.values()), tuple(self.equations), tuple(self[o] for o in outputs)
        ), forward


N, M, D, B, H = map(size, ("n", "m", "d", "batch", "heads"))


def quadratic() -> tuple[Program, frozenset[str]]:
    i, j = indices("i j", N, N)
    s = Sheet(x=(N,), A=(N, N))
    x, A = s["x"], s["A"]
    s.let("gx", (i,), A[i, j] * x[j] + A[j, i] * x[j], "sum", j, of="L")
    s.let("H", (i, j), A[i, j] + A[j, i], of="gx")
    return s.program("gx", "H")


def least_squares() -> tuple[Program, frozenset[str]]:
    i, j = indices("i j", M, N)
    s = Sheet(W=(M, N), x=(N,), b=(M,), t=(M,))
    u = s.let("u", (i,), s["W"][i, j] * s["x"][j], "sum", j)
    r = s.let("r", (i,), u[i] + s["b"][i] - s["t"][i])
    s.let("gW", (i, j), 2 * r[i] * s["x"][j], of="r")
    return s.program("gW")


def dense_tanh() -> tuple[Program, frozenset[str]]:
    i, j, k = indices("i j k", B, M, N)
    s = Sheet(X=(B, N), W=(N, M), b=(M,), gY=(B, M))
    X, W, gY = s["X"], s["W"], s["gY"]
    U = s.let("U", (i, j), X[i, k] * W[k, j], "sum", k)
    Z = s.let("Z", (i, j), U[i, j] + s["b"][j])
    Y = s.let("Y", (i, j), tanh(Z[i, j]))
    gZ = s.let("gZ", (i, j), gY[i, j] * (1 - Y[i, j] ** 2), of="Y")
    s.let("gX", (i, k), gZ[i, j] * W[k, j], "sum", j, of="U")
    s.let("gW", (k, j), X[i, k] * gZ[i, j], "sum", i, of="U")
    s.let("gb", (j,), gZ[i, j], "sum", i, of="Z")
    return s.program("gX", "gW", "gb")


def softmax_parts(s: Sheet, S_: Tensor, axes: Indices) -> Tensor:
    """Row-wise softmax of S over the last of `axes`, as five equations."""
    *rows, j = axes
    top = s.let("M", tuple(rows), S_[axes], "max", j)
    E = s.let("E", axes, exp(S_[axes] - Read(top, rows)))
    total = s.let("Z", tuple(rows), E[axes], "sum", j)
    return s.let("P", axes, E[axes] / Read(total, rows))


def attention(*batch: Index) -> tuple[Program, frozenset[str]]:
    i, j, k, l = indices("i j k l", N, M, D, size("p"))
    lead = tuple(x.extent for x in batch)
    shapes = {"Q": (N, D), "K": (M, D), "V": (M, size("p")), "gO": (N, size("p"))}
    s = Sheet(**{name: (*lead, *shape) for name, shape in shapes.items()})
    Q, K, V, gO = (s[name] for name in shapes)
    at = lambda *own: (*batch, *own)  # noqa: E731
    S_ = s.let("S", at(i, j), Q[at(i, k)] * K[at(j, k)] / sqrt(D), "sum", k)
    P = softmax_parts(s, S_, at(i, j))
    s.let("gV", at(j, l), P[at(i, j)] * gO[at(i, l)], "sum", i, of="O")
    gP = s.let("gP", at(i, j), gO[at(i, l)] * V[at(j, l)], "sum", l, of="O")
    q = s.let("q", at(i), P[at(i, j)] * gP[at(i, j)], "sum", j, of="P")
    gS = s.let("gS", at(i, j), P[at(i, j)] * (gP[at(i, j)] - q[at(i)]), of="P")
    s.let("gQ", at(i, k), gS[at(i, j)] * K[at(j, k)] / sqrt(D), "sum", j, of="S")
    s.let("gK", at(j, k), gS[at(i, j)] * Q[at(i, k)] / sqrt(D), "sum", i, of="S")
    return s.program("gQ", "gK", "gV")


def multi_head() -> tuple[Program, frozenset[str]]:
    return attention(*indices("b h", B, H))


def softmax_jacobian() -> tuple[Program, frozenset[str]]:
    i, j = indices("i j", N, N)
    s = Sheet(z=(N,))
    p = softmax_parts(s, s["z"], (i,))
    s.let("J", (i, j), Bracket(Eq(i, j)) * p[i] - p[i] * p[j], of="P")
    return s.program("J")


def tanh_jacobian() -> tuple[Program, frozenset[str]]:
    i, j = indices("i j", N, N)
    s = Sheet(x=(N,))
    y = s.let("y", (i,), tanh(s["x"][i]))
    s.let("J", (i, j), Bracket(Eq(i, j)) * (1 - y[i] ** 2), of="y")
    return s.program("y", "J")


def logistic_hessian() -> tuple[Program, frozenset[str]]:
    i, j, k = indices("i j k", B, N, N)
    s = Sheet(w=(N,), X=(B, N))
    X = s["X"]
    z = s.let("z", (i,), X[i, j] * s["w"][j], "sum", j)
    p = s.let("s", (i,), sigmoid(z[i]))
    s.let("H", (j, k), X[i, j] * p[i] * (1 - p[i]) * X[i, k], "sum", i, of="gw")
    return s.program("H")


def cross_entropy_labels() -> tuple[Program, frozenset[str]]:
    i, j = indices("i j", B, M)
    s = Sheet(Z=(B, M))
    y = s.integers("y", B, below=M)
    P = _softmax_named(s, i, j)
    s.let("gZ", (i, j), (P[i, j] - Bracket(Eq(j, y[i]))) / B, of="L")
    return s.program("gZ")


def _softmax_named(s: Sheet, i: Index, j: Index) -> Tensor:
    top = s.let("c", (i,), s["Z"][i, j], "max", j)
    E = s.let("E", (i, j), exp(s["Z"][i, j] - top[i]))
    total = s.let("u", (i,), E[i, j], "sum", j)
    return s.let("P", (i, j), E[i, j] / total[i])


def layer_norm() -> tuple[Program, frozenset[str]]:
    i, j = indices("i j", B, N)
    s = Sheet(X=(B, N), gamma=(N,), gY=(B, N))
    X, gamma, gY = s["X"], s["gamma"], s["gY"]
    mu = s.let("mu", (i,), X[i, j] / N, "sum", j)
    C = s.let("C", (i, j), X[i, j] - mu[i])
    var = s.let("var", (i,), C[i, j] ** 2 / N, "sum", j)
    sd = s.let("s", (i,), sqrt(var[i] + Rational(1, 10**5)))
    Hn = s.let("H", (i, j), C[i, j] / sd[i])
    gH = s.let("gH", (i, j), gY[i, j] * gamma[j], of="Y")
    m1 = s.let("m1", (i,), gH[i, j], "sum", j, of="H")
    m2 = s.let("m2", (i,), gH[i, j] * Hn[i, j], "sum", j, of="H")
    s.let("gX", (i, j), (gH[i, j] - m1[i] / N - Hn[i, j] * m2[i] / N) / sd[i], of="C")
    return s.program("gX")


def batch_norm() -> tuple[Program, frozenset[str]]:
    i, j = indices("i j", B, N)
    s = Sheet(X=(B, N), gY=(B, N))
    X, gY = s["X"], s["gY"]
    mu = s.let("mu", (j,), X[i, j] / B, "sum", i)
    C = s.let("C", (i, j), X[i, j] - mu[j])
    var = s.let("var", (j,), C[i, j] ** 2 / B, "sum", i)
    s.let("Y", (i, j), C[i, j] / sqrt(var[j] + Rational(1, 10**5)))
    s.let("gbeta", (j,), gY[i, j], "sum", i, of="beta")
    return s.program("Y", "gbeta")


def lstm_gate() -> tuple[Program, frozenset[str]]:
    i, j, k, l = indices("i j k l", B, M, N, M)
    s = Sheet(x=(B, N), h=(B, M), c=(B, M), Wf=(N, M), Uf=(M, M), bf=(M,), gct=(B, M))
    x, h, c, gct = s["x"], s["h"], s["c"], s["gct"]
    A = s.let("A", (i, j), x[i, k] * s["Wf"][k, j], "sum", k)
    C = s.let("C", (i, j), h[i, l] * s["Uf"][l, j], "sum", l)
    F = s.let("F", (i, j), A[i, j] + C[i, j] + s["bf"][j])
    ft = s.let("ft", (i, j), sigmoid(F[i, j]))
    gF = s.let("gF", (i, j), gct[i, j] * c[i, j] * ft[i, j] * (1 - ft[i, j]), of="ft")
    s.let("gWf", (k, j), x[i, k] * gF[i, j], "sum", i, of="A")
    s.let("gUf", (l, j), h[i, l] * gF[i, j], "sum", i, of="C")
    s.let("gc", (i, j), gct[i, j] * ft[i, j], of="ct")
    return s.program("gWf", "gUf", "gc")


def embedding() -> tuple[Program, frozenset[str]]:
    i, k, a = indices("i k a", B, D, size("v"))
    s = Sheet(E=(size("v"), D), gY=(B, D))
    tok = s.integers("tok", B, below=size("v"))
    s.let("Y", (i, k), s["E"][tok[i], k])
    s.let("gE", (a, k), Bracket(Eq(a, tok[i])) * s["gY"][i, k], "sum", i, of="Y")
    return s.program("Y", "gE")


def convolution() -> tuple[Program, frozenset[str]]:
    k = size("k")
    i, q = indices("i q", N - k + 1, k)
    s = Sheet(X=(N,), w=(k,))
    s.let("Y", (i,), s["X"][i + q] * s["w"][q], "sum", q)
    return s.program("Y")


def order_three() -> tuple[Program, frozenset[str]]:
    i, j, k, l = indices("i j k l", N, M, D, size("p"))
    s = Sheet(A=(N, D), C=(M, D), F=(size("p"), D))
    s.let("T", (i, j, l), s["A"][i, k] * s["C"][j, k] * s["F"][l, k], "sum", k)
    return s.program("T")


def projections() -> tuple[Program, frozenset[str]]:
    b, h, i, k, d = indices("b h i k d", B, H, M, N, D)
    s = Sheet(X=(B, M, N), Wq=(H, N, D), gQ=(B, H, M, D))
    X, Wq, gQ = s["X"], s["Wq"], s["gQ"]
    s.let("Q", (b, h, i, d), X[b, i, k] * Wq[h, k, d], "sum", k)
    s.let("gWq", (h, k, d), X[b, i, k] * gQ[b, h, i, d], "sum", b, i, of="Q")
    s.let("gX", (b, i, k), gQ[b, h, i, d] * Wq[h, k, d], "sum", h, d, of="Q")
    return s.program("Q", "gWq", "gX")


def causal_mask() -> tuple[Program, frozenset[str]]:
    i, j = indices("i j", N, N)
    s = Sheet(S=(N, N), gP=(N, N))
    mask = sympy.Ge(i, j)
    s.let("C", (i, j), Where(mask, s["S"][i, j], S.NegativeInfinity))
    s.let("gS", (i, j), Bracket(mask) * s["gP"][i, j], of="C")
    return s.program("C", "gS")


def scalars() -> tuple[Program, frozenset[str]]:
    i, j = indices("i j", N, M)
    s = Sheet(X=(N, M), A=(N, N), x=(N,), y=(N,), keep=())
    X, x, y, keep = s["X"], s["x"], s["y"], s["keep"]
    s.let("Y", (i, j), X[i, j] / Read(keep, ()) * Rational(44715, 10**6))
    s.let(
        "G",
        (i, j),
        X[i, j] * sympy.erf(X[i, j] / sqrt(2)) / 2 + sqrt(2 / sympy.pi) * exp(-(X[i, j] ** 2) / 2),
    )
    s.let("L", (), (X[i, j] - 1) ** 2 / (N * M), "sum", i, j)
    k = Index("k", N)
    s.let("f", (), x[i] * s["A"][k, i] * y[k], "sum", i, k)
    s.let("t", (), s["A"][i, i], "sum", i)
    s.let("c", (), x[i] ** 2, "sum", i)
    return s.program("Y", "G", "L", "f", "t", "c")


ALL = {
    f.__name__: f
    for f in (
        quadratic, least_squares, dense_tanh, attention, multi_head, softmax_jacobian, tanh_jacobian, logistic_hessian,
        cross_entropy_labels, layer_norm, batch_norm, lstm_gate, embedding, convolution, order_three, projections,
        causal_mask, scalars,
    )
}  # fmt: skip
