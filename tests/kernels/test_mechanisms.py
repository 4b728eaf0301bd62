"""Every way of lowering an equation, by a small program each, against the reference interpreter."""

from collections.abc import Callable

import numpy as np
import pytest
import sympy
from sympy import And, Eq, Ge, Gt, Le, Ne, S, exp, log, sqrt, tanh

from derive.emit.loops import FunctionSource, Options, lower
from derive.errors import DomainError
from derive.ir.evaluate import evaluate
from derive.ir.nodes import Bracket, Equation, Index, Program, Tensor, Where, size
from derive.kernels.compile import compile_program
from derive.ops.elementwise.exponential import expm1, log1p, sigmoid, softplus
from derive.ops.elementwise.piecewise import Absolute, Maximum, Minimum, Sign
from derive.ops.elementwise.rounding import Floor

n, m, d, v, p = map(size, "nmdvp")
i, j, k = Index("i", n), Index("j", m), Index("k", d)
SIZES = ({"n": 5, "m": 3, "d": 4, "v": 7, "p": 2}, {"n": 1, "m": 1, "d": 1, "v": 1, "p": 1})
EMPTY = {"n": 0, "m": 3, "d": 4, "v": 7, "p": 2}


def run(*equations: Equation, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...] | None = None) -> Program:
    return Program(inputs, equations, outputs or (equations[-1].target,))


def dense() -> Program:
    """tanh(X W + b) and all of its gradients: products with each operand transposed, a column sum."""
    X, W, b, gY = Tensor("X", (n, d)), Tensor("W", (d, m)), Tensor("b", (m,)), Tensor("gY", (n, m))
    Z, Y, gZ = Tensor("Z", (n, m)), Tensor("Y", (n, m)), Tensor("gZ", (n, m))
    gX, gW, gb = Tensor("gX", (n, d)), Tensor("gW", (d, m)), Tensor("gb", (m,))
    return run(
        Equation(Z, (i, j), X[i, k] * W[k, j], "sum", (k,)),
        Equation(Y, (i, j), tanh(Z[i, j] + b[j])),
        Equation(gZ, (i, j), gY[i, j] * (1 - Y[i, j] ** 2)),
        Equation(gX, (i, k), gZ[i, j] * W[k, j], "sum", (j,)),
        Equation(gW, (k, j), X[i, k] * gZ[i, j], "sum", (i,)),
        Equation(gb, (j,), gZ[i, j], "sum", (i,)),
        inputs=(X, W, b, gY), outputs=(gX, gW, gb, Y),
    )  # fmt: skip


def softmax() -> Program:
    """A maximum, a sum and what reads them, row by row."""
    X, M, E, Z, P = (Tensor(name, shape) for name, shape in zip("XMEZP", [(n, m), (n,), (n, m), (n,), (n, m)], strict=True))
    return run(
        Equation(M, (i,), X[i, j], "max", (j,)),
        Equation(E, (i, j), exp(X[i, j] - M[i])),
        Equation(Z, (i,), E[i, j], "sum", (j,)),
        Equation(P, (i, j), E[i, j] / Z[i]),
        inputs=(X,),
    )  # fmt: skip


def attention(batch: bool = False) -> Program:
    """Matrix products around a softmax, under a loop over the batch."""
    first = (Index("b", p),) if batch else ()

    def tensor(name: str, *shape: sympy.Expr) -> Tensor:
        return Tensor(name, (p, *shape) if batch else shape)

    Q, K, V, gO = tensor("Q", n, d), tensor("K", m, d), tensor("V", m, v), tensor("gO", n, v)
    s, M, E, Z = tensor("S", n, m), tensor("M", n), tensor("E", n, m), tensor("Z", n)
    P, O = tensor("P", n, m), tensor("O", n, v)
    gV, gP, q, gS = tensor("gV", m, v), tensor("gP", n, m), tensor("q", n), tensor("gS", n, m)
    gQ, gK = tensor("gQ", n, d), tensor("gK", m, d)
    l = Index("l", v)

    def at(t: Tensor, *indices: Index) -> sympy.Expr:
        return t[(*first, *indices)]

    return run(
        Equation(s, (*first, i, j), at(Q, i, k) * at(K, j, k) / sqrt(d), "sum", (k,)),
        Equation(M, (*first, i), at(s, i, j), "max", (j,)),
        Equation(E, (*first, i, j), exp(at(s, i, j) - at(M, i))),
        Equation(Z, (*first, i), at(E, i, j), "sum", (j,)),
        Equation(P, (*first, i, j), at(E, i, j) / at(Z, i)),
        Equation(O, (*first, i, l), at(P, i, j) * at(V, j, l), "sum", (j,)),
        Equation(gV, (*first, j, l), at(P, i, j) * at(gO, i, l), "sum", (i,)),
        Equation(gP, (*first, i, j), at(gO, i, l) * at(V, j, l), "sum", (l,)),
        Equation(q, (*first, i), at(P, i, j) * at(gP, i, j), "sum", (j,)),
        Equation(gS, (*first, i, j), at(P, i, j) * (at(gP, i, j) - at(q, i))),
        Equation(gQ, (*first, i, k), at(gS, i, j) * at(K, j, k) / sqrt(d), "sum", (j,)),
        Equation(gK, (*first, j, k), at(gS, i, j) * at(Q, i, k) / sqrt(d), "sum", (i,)),
        inputs=(Q, K, V, gO), outputs=(O, gQ, gK, gV),
    )  # fmt: skip


def layer_norm() -> Program:
    """Several row means, two column sums, no intermediate larger than a row."""
    X, gamma, gY = Tensor("X", (n, m)), Tensor("gamma", (m,)), Tensor("gY", (n, m))
    mu, var, r, H = Tensor("mu", (n,)), Tensor("var", (n,)), Tensor("r", (n,)), Tensor("H", (n, m))
    gH, m1, m2 = Tensor("gH", (n, m)), Tensor("m1", (n,)), Tensor("m2", (n,))
    gX, ggamma = Tensor("gX", (n, m)), Tensor("ggamma", (m,))
    return run(
        Equation(mu, (i,), X[i, j] / m, "sum", (j,)),
        Equation(var, (i,), (X[i, j] - mu[i]) ** 2 / m, "sum", (j,)),
        Equation(r, (i,), 1 / sqrt(var[i] + sympy.Rational(1, 10**5))),
        Equation(H, (i, j), (X[i, j] - mu[i]) * r[i]),
        Equation(ggamma, (j,), gY[i, j] * H[i, j], "sum", (i,)),
        Equation(gH, (i, j), gY[i, j] * gamma[j]),
        Equation(m1, (i,), gH[i, j], "sum", (j,)),
        Equation(m2, (i,), gH[i, j] * H[i, j], "sum", (j,)),
        Equation(gX, (i, j), r[i] * (gH[i, j] - m1[i] / m - H[i, j] * m2[i] / m)),
        inputs=(X, gamma, gY), outputs=(gX, ggamma),
    )  # fmt: skip


def column_statistics() -> Program:
    """Batch norm's: three passes over the rows, each waiting for the one before."""
    X, mu, var, Y = Tensor("X", (n, m)), Tensor("mu", (m,)), Tensor("var", (m,)), Tensor("Y", (n, m))
    return run(
        Equation(mu, (j,), X[i, j] / n, "sum", (i,)),
        Equation(var, (j,), (X[i, j] - mu[j]) ** 2 / n, "sum", (i,)),
        Equation(Y, (i, j), (X[i, j] - mu[j]) / sqrt(var[j] + 1)),
        inputs=(X,), outputs=(Y, mu),
    )  # fmt: skip


TOK = Tensor("tok", (n,), "integer", bound=v)


def gather() -> Program:
    E, Y = Tensor("E", (v, d)), Tensor("Y", (n, d))
    return run(Equation(Y, (i, k), E[TOK[i], k]), inputs=(E, TOK))


def scatter() -> Program:
    E, gY, gE = Tensor("E", (v, d)), Tensor("gY", (n, d)), Tensor("gE", (v, d))
    a = Index("a", v)
    return run(Equation(gE, (a, k), Bracket(Eq(a, TOK[i])) * gY[i, k], "sum", (i,)), inputs=(E, TOK, gY))


def causal_mask() -> Program:
    A, B, Y = Tensor("A", (n, n)), Tensor("B", (n, n)), Tensor("Y", (n,))
    c = Index("c", n)
    return run(
        Equation(B, (i, c), Where(Le(c, i), A[i, c], -sympy.oo)),
        Equation(Y, (i,), exp(B[i, c]), "sum", (c,)),
        inputs=(A,), outputs=(B, Y),
    )  # fmt: skip


def one_hot_term() -> Program:
    P, g, y, gZ = Tensor("P", (n, v)), Tensor("g"), TOK, Tensor("gZ", (n, v))
    a = Index("a", v)
    return run(Equation(gZ, (i, a), g[()] * (P[i, a] - Bracket(Eq(a, y[i]))) / n), inputs=(P, y, g))


def diagonal() -> Program:
    q, J = Tensor("q", (n,)), Tensor("J", (n, n))
    a = Index("a", n)
    return run(Equation(J, (i, a), Bracket(Eq(i, a)) * q[i] - q[i] * q[a]), inputs=(q,))


def pure_diagonal() -> Program:
    q, J = Tensor("q", (n,)), Tensor("J", (n, n))
    a = Index("a", n)
    return run(Equation(J, (i, a), Bracket(Eq(i, a)) * (1 - q[a] ** 2)), inputs=(q,))


def gram() -> Program:
    """X' diag(s) X: an operand that is written out first."""
    X, s, H = Tensor("X", (n, d)), Tensor("s", (n,)), Tensor("H", (d, d))
    a = Index("a", d)
    return run(Equation(H, (a, k), X[i, a] * s[i] * (1 - s[i]) * X[i, k], "sum", (i,)), inputs=(X, s))


def three_factors() -> Program:
    """A B C as one equation: one product after the other."""
    A, B, C, Y = Tensor("A", (n, d)), Tensor("B", (d, v)), Tensor("C", (v, m)), Tensor("Y", (n, m))
    a = Index("a", v)
    return run(Equation(Y, (i, j), A[i, k] * B[k, a] * C[a, j], "sum", (k, a)), inputs=(A, B, C))


def sum_of_products() -> Program:
    A, B, C, Y = Tensor("A", (n, d)), Tensor("B", (m, d)), Tensor("C", (n, d)), Tensor("Y", (n, m))
    return run(Equation(Y, (i, j), A[i, k] * B[j, k] + C[i, k], "sum", (k,)), inputs=(A, B, C))


def collapsed_axes() -> Program:
    """X[b,t,n] W[n,m] and its gradient: two axes are the rows of one product."""
    X, W, Y, gW = Tensor("X", (n, p, d)), Tensor("W", (d, m)), Tensor("Y", (n, p, m)), Tensor("gW", (d, m))
    t = Index("t", p)
    return run(
        Equation(Y, (i, t, j), X[i, t, k] * W[k, j], "sum", (k,)),
        Equation(gW, (k, j), X[i, t, k] * Y[i, t, j], "sum", (i, t)),
        inputs=(X, W), outputs=(Y, gW),
    )  # fmt: skip


def heads_in_the_middle() -> Program:
    """Slices that are not contiguous, and a result whose axes are permuted."""
    Q, K, O, T = Tensor("Q", (n, p, d)), Tensor("K", (m, p, d)), Tensor("O", (n, p, m)), Tensor("T", (m, n, p))
    h = Index("h", p)
    return run(
        Equation(O, (i, h, j), Q[i, h, k] * K[j, h, k], "sum", (k,)),
        Equation(T, (j, i, h), Q[i, h, k] * K[j, h, k], "sum", (k,)),
        inputs=(Q, K), outputs=(O, T),
    )  # fmt: skip


def convolution() -> Program:
    X, W, Y = Tensor("X", (n + d - 1,)), Tensor("W", (d,)), Tensor("Y", (n,))
    return run(Equation(Y, (i,), X[i + k] * W[k], "sum", (k,)), inputs=(W, X, Tensor("U", (n,))))


def shifted_back() -> Program:
    """A read that is inside of its tensor only where the bracket holds."""
    X, Y = Tensor("X", (n,)), Tensor("Y", (n,))
    return run(Equation(Y, (i,), X[i] - Bracket(Ge(i, 1)) * X[i - 1]), inputs=(X,))


def concatenation() -> Program:
    A, B, Y = Tensor("A", (n,)), Tensor("B", (m,)), Tensor("Y", (n + m,))
    a = Index("a", n + m)
    return run(Equation(Y, (a,), Where(a < n, A[a], B[a - n])), inputs=(A, B))


def reductions() -> Program:
    X = Tensor("X", (n, m))
    top, low, product, total = Tensor("top", (m,)), Tensor("low", (n,)), Tensor("product", (n,)), Tensor("total")
    return run(
        Equation(top, (j,), X[i, j], "max", (i,)),
        Equation(low, (i,), X[i, j] * 2, "min", (j,)),
        Equation(product, (i,), 1 + X[i, j], "prod", (j,)),
        Equation(total, (), X[i, j] ** 2 / n, "sum", (i, j)),
        inputs=(X,), outputs=(top, low, product, total),
    )  # fmt: skip


def functions() -> Program:
    x, y = Tensor("x", (n,)), Tensor("y", (n,))
    a = x[i]
    body = (
        sigmoid(a) + softplus(a) + log1p(a**2) + expm1(a) + log(1 + a**2) + sympy.erf(a) + sympy.sin(a) * sympy.cosh(a)
        + Maximum(a, 0) * Minimum(a, S.Half) + Absolute(a) + Sign(a) + Floor(3 * a) + (1 + a**2) ** sympy.Rational(3, 10)
        + exp(a) * tanh(exp(a)) + a**-2 + sympy.pi / 7 + (i + 1) / n
    )  # fmt: skip
    return run(Equation(y, (i,), body), inputs=(x,))


def booleans_and_integers() -> Program:
    mask, X, Y = Tensor("mask", (n,), "boolean"), Tensor("X", (n,)), Tensor("Y", (n,))
    count, flags = Tensor("count", (), "integer"), Tensor("flags", (n,), "boolean")
    return run(
        Equation(Y, (i,), Where(And(Ne(mask[i], 0), Gt(X[i], 0)), X[i], 2 * TOK[i])),
        Equation(count, (), Bracket(Ne(mask[i], 0)) * TOK[i], "sum", (i,)),
        Equation(flags, (i,), Bracket(Gt(X[i], 0))),
        inputs=(mask, X, TOK, Tensor("E", (v,))), outputs=(Y, count, flags),
    )  # fmt: skip


def scalars() -> Program:
    a, b, c = Tensor("a"), Tensor("b"), Tensor("c")
    return run(Equation(c, (), a[()] * exp(b[()]) / 3), inputs=(a, b))


def matrix_times_vector() -> Program:
    """Both with the matrix and with its transpose, in one pass over its rows."""
    X, w, z, g = Tensor("X", (n, d)), Tensor("w", (d,)), Tensor("z", (n,)), Tensor("g", (d,))
    return run(
        Equation(z, (i,), X[i, k] * w[k], "sum", (k,)),
        Equation(g, (k,), X[i, k] * z[i], "sum", (i,)),
        inputs=(X, w), outputs=(z, g),
    )  # fmt: skip


PROGRAMS: list[Callable[[], Program]] = [
    dense, softmax, attention, layer_norm, column_statistics, gather, scatter, causal_mask, one_hot_term, diagonal,
    pure_diagonal, gram, three_factors, sum_of_products, collapsed_axes, heads_in_the_middle, shifted_back, concatenation,
    reductions, functions, booleans_and_integers, scalars, matrix_times_vector, convolution,
]  # fmt: skip
NEED_ROWS = (reductions, column_statistics, concatenation)
"""The largest of nothing has no value, nor has the mean of nothing; the interpreter reads what it then leaves out."""


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
def test_double(program, agree):
    agree(program(), *SIZES, *(() if program in NEED_ROWS else (EMPTY,)))


def test_batched_attention(agree):
    agree(attention(batch=True), *SIZES, {**EMPTY, "n": 3, "p": 0})


@pytest.mark.parametrize("program", [dense, attention, layer_norm, functions, scatter], ids=lambda f: f.__name__)
def test_single(program, agree):
    kernel = agree(program(), *SIZES, tolerance=2e-5, dtype=np.float32)
    assert kernel.dtype is np.float32


def test_loops_are_fused_and_rows_stay_small(agree):
    source = agree(layer_norm(), SIZES[0]).source
    assert source.count("for i in range(n)") == 1
    assert "np.empty" not in source  # the buffers for one row come from the caller, and are used again
    lowered = lower(FunctionSource("f", layer_norm()), Options(buffers=True))
    assert {tensor.name for tensor, shape in lowered.buffers if len(shape) > 1} == {"gX"}
    lines = [line for line in source.splitlines() if "#" not in line]
    assert not any("H_i[" in line for line in lines)  # two operations, again in every loop over the row


def test_quotients_and_functions_of_fewer_indices_leave_the_loop(agree):
    X, a, g, var, Y = Tensor("X", (n, m)), Tensor("a", (n,)), Tensor("g", (m,)), Tensor("var", (m,)), Tensor("Y", (n, m))
    program = run(Equation(Y, (i, j), g[j] * (X[i, j] + 1) * exp(a[i]) / sqrt(var[j] ** 2 + 1)), inputs=(X, a, g, var))
    source = agree(program, *SIZES).source
    source = "\n".join(line for line in source.splitlines() if "#" not in line)
    before, inside = source[source.index("for j in") :].split("for i in", 1)
    assert "Y_factor[j] = g[j] / math.sqrt(" in before
    assert "/" not in inside and "exp" not in inside.split("for j in")[1]


def test_what_is_read_at_one_place_is_computed_there(agree):
    X, s, L, Y = Tensor("X", (n, v)), Tensor("s", (n,)), Tensor("L", (n, v)), Tensor("Y")
    a = Index("a", v)
    program = run(
        Equation(s, (i,), exp(X[i, a]), "sum", (a,)),
        Equation(L, (i, a), X[i, a] - log(s[i])),
        Equation(Y, (), L[i, TOK[i]] / n, "sum", (i,)),
        inputs=(X, TOK),
    )  # fmt: skip
    source = agree(program, SIZES[0]).source
    assert "# L[i,a] = X[i,a] - log(s[i])" in source
    assert "L[" not in source.replace("# ", "#").split("# Y")[0].split("#L")[0] and "X[i, tok[i]]" in source
    both = run(*program.equations, inputs=(X, TOK), outputs=(L, Y))
    assert "X[i, tok[i]]" not in agree(both, SIZES[0]).source  # a logarithm is worth keeping


def test_products_go_to_blas(agree):
    source = agree(attention(), SIZES[0]).source
    code = "".join(source[source.index("def kernel(") :].split())
    assert code.count("gemm(") == 6 and code.count("gemm(1/math.sqrt(d),") == 3
    assert "gemm(1/math.sqrt(d),Q[first:first+rows],K.T,0.0,S_part[:rows])" in code


def test_deltas_are_not_densified(agree):
    one_hot, scattered = agree(one_hot_term(), SIZES[0]).source, agree(scatter(), SIZES[0]).source
    assert "gZ[i, tok[i]] +=" in one_hot or "gZ[i, tok[i]] -=" in one_hot
    assert "gE[tok[i], k] += gY[i, k]" in scattered
    assert "J[i, i] +=" in agree(diagonal(), SIZES[0]).source
    assert "eye" not in one_hot + scattered


def text_of(program: Program) -> str:
    return lower(FunctionSource("f", program)).text


def test_a_matrix_times_a_vector_goes_to_blas_unless_it_shares_its_loop(agree):
    A, x, y, z = Tensor("A", (n, d)), Tensor("x", (d,)), Tensor("y", (n,)), Tensor("z", (d,))
    straight = run(Equation(y, (i,), A[i, k] * x[k], "sum", (k,)), inputs=(A, x))
    turned = run(Equation(z, (k,), A[i, k] * y[i], "sum", (i,)), inputs=(A, y))
    assert "y = A @ x" in text_of(straight) and "z = A.T @ y" in text_of(turned)
    assert "@" not in text_of(matrix_times_vector()).split("\n", 1)[1]
    for program in (straight, turned):
        agree(program, *SIZES, EMPTY)


def test_cheap_values_are_computed_again_instead_of_kept(agree):
    X, mu, C, var, Y = Tensor("X", (n, m)), Tensor("mu", (m,)), Tensor("C", (n, m)), Tensor("var", (m,)), Tensor("Y", (n, m))
    program = run(
        Equation(mu, (j,), X[i, j] / n, "sum", (i,)),
        Equation(C, (i, j), X[i, j] - mu[j]),
        Equation(var, (j,), C[i, j] ** 2 / n, "sum", (i,)),
        Equation(Y, (i, j), C[i, j] / sqrt(var[j] + 1)),
        inputs=(X,),
    )  # fmt: skip
    assert "C = np.empty" not in text_of(program)
    agree(program, *SIZES)


def test_independent_nests_that_meet_later_share_their_loop():
    """Nothing connects exp(A) with exp(B) but what reads both."""
    A, B, E, F, Y = (Tensor(name, (n, m)) for name in "ABEFY")
    program = run(
        Equation(E, (i, j), exp(A[i, j])), Equation(F, (i, j), exp(B[i, j])), Equation(Y, (i, j), E[i, j] * F[i, j]),
        inputs=(A, B),
    )  # fmt: skip
    assert text_of(program).count("for i in") == 1


def test_ties_and_nan():
    kernel = compile_program(reductions(), "reductions")
    X = np.array([[1.0, 1.0], [1.0, np.nan]])
    top, low, product, total = kernel(X)
    assert top[0] == 1 and np.isnan(top[1]) and low[0] == 2 and np.isnan(low[1])
    assert np.isnan(total) and np.isnan(product[1]) and product[0] == 4


def test_nan_and_infinity_pass_through_as_in_the_interpreter():
    program = softmax()
    kernel = compile_program(program, "softmax", single=True)
    X = np.array([[0.0, np.nan, 1.0], [-np.inf, 0.0, 1.0], [np.inf, 0.0, 1.0]])
    np.testing.assert_array_equal(np.isnan(kernel(X)), np.isnan(evaluate(program, {"X": X})["P"]))
    np.testing.assert_allclose(kernel(X)[1], evaluate(program, {"X": X})["P"][1], rtol=1e-14)


def test_a_bracket_is_a_strong_zero():
    X, Y = Tensor("X", (n,)), Tensor("Y", (n,))
    program = run(Equation(Y, (i,), Bracket(Gt(X[i], 0)) * log(X[i]) / X[i]), inputs=(X,))
    found = compile_program(program, "strong", single=True)(np.array([0.0, -1.0, 1.0, 2.0]))
    np.testing.assert_allclose(found, [0, 0, 0, np.log(2) / 2])


def test_out_of_place_integers_in_a_comparison_are_no_error():
    """``[a = y[i]]`` is false for a label that is no index: it does not count."""
    y, hits = Tensor("y", (n,), "integer"), Tensor("hits", (v,))
    a = Index("a", v)
    program = run(Equation(hits, (a,), Bracket(Eq(a, y[i])), "sum", (i,)), inputs=(y, Tensor("E", (v,))))
    kernel = compile_program(program, "histogram", single=True)
    np.testing.assert_array_equal(kernel([0, 2, 2, -1, 9], np.zeros(3)), [1, 0, 2])


def test_an_index_that_is_computed_from_data():
    """Without a condition it must be right; under one that says nothing of it, it is kept inside."""
    X, Y, Z, E = Tensor("X", (d,)), Tensor("Y", (n,)), Tensor("Z", (n,)), Tensor("E", (v,))
    program = run(
        Equation(Y, (i,), X[2 * TOK[i] - 3]),
        Equation(Z, (i,), Where(Gt(Y[i], 0), X[TOK[i]], 7)),
        inputs=(X, TOK, E), outputs=(Y, Z),
    )  # fmt: skip
    kernel = compile_program(program, "computed")
    values = {"X": np.arange(10.0), "tok": np.array([2, 3, 6]), "E": np.zeros(7)}
    for found, name in zip(kernel(**values), "YZ", strict=True):
        np.testing.assert_array_equal(found, evaluate(program, values)[name])
    for wrong in ([1, 2, 3], [2, 3, 6, 6]):
        with pytest.raises(DomainError, match="tok"):
            kernel(np.arange(8.0), wrong, np.zeros(7))


def test_an_input_that_is_an_output_is_copied():
    X, Y = Tensor("X", (n,)), Tensor("Y", (n,))
    kernel = compile_program(Program((X,), (Equation(Y, (i,), 2 * X[i]),), (X, Y)), "same")
    x = np.ones(3)
    same, double = kernel(x)
    assert same is not x and not np.may_share_memory(same, x)
    np.testing.assert_array_equal(same + double, [3, 3, 3])
