"""What the hand-written programs print: the lines of a professor's board."""

from __future__ import annotations

import pytest
from sympy import Rational, exp, pi, sqrt

from derive.ir.nodes import Equation, Index, Program, Tensor, size
from derive.render.index import render_index
from derive.render.matrix import render_matrix

from .programs import ALL

BOARD = {
    "quadratic": ["gx = (A + A') x", "H = A + A'"],
    "least_squares": ["gW = 2 (W x + b − t) x'"],
    "dense_tanh": [
        "Z = X W + b",
        "Y = tanh(Z)",
        "gZ = gY ∘ (1 − Y²)",
        "gX = gZ W'",
        "gW = X' gZ",
        "gb = colsum(gZ)",
    ],
    "attention": [
        "S = Q K' / sqrt(d)",
        "P = softmax(S)",
        "gV = P' gO",
        "gP = gO V'",
        "gS = P ∘ (gP − rowsum(gP ∘ P))",
        "gQ = gS K / sqrt(d)",
        "gK = gS' Q / sqrt(d)",
    ],
    "softmax_jacobian": ["P = softmax(z)", "J = diag(P) − P P'"],
    "tanh_jacobian": ["y = tanh(x)", "J = diag(1 − y²)"],
    "logistic_hessian": ["s = sigmoid(X w)", "H = X' diag(s ∘ (1 − s)) X"],
    "cross_entropy_labels": ["gZ = (softmax(Z) − onehot(y)) / batch"],
    "layer_norm": [
        "s = sqrt(rowvar(X) + 1e-05)",
        "H = (X − rowmean(X)) / s",
        "gH = gamma ∘ gY",
        "gX = (gH − rowmean(gH) − H ∘ rowmean(gH ∘ H)) / s",
    ],
    "batch_norm": ["Y = (X − colmean(X)) / sqrt(colvar(X) + 1e-05)", "gbeta = colsum(gY)"],
    "lstm_gate": [
        "F = x Wf + h Uf + bf",
        "ft = sigmoid(F)",
        "gF = gct ∘ ft ∘ c ∘ (1 − ft)",
        "gWf = x' gF",
        "gUf = h' gF",
        "gc = gct ∘ ft",
    ],
    "embedding": ["Y = E[tok]", "gE = onehot(tok)' gY"],
    "convolution": ["Y[i] = sum_j X[i+j] w[j]"],
    "order_three": ["T[i,j,k] = sum_l A[i,l] C[j,l] F[k,l]"],
    "projections": [
        "Q[b,h] = X[b] Wq[h]   (for each b, h)",
        "gWq[h] = sum_b X[b]' gQ[b,h]   (for each h)",
        "gX[b] = sum_h gQ[b,h] Wq[h]'   (for each b)",
    ],
    "causal_mask": ["C = where(j ≤ i, S, −∞)", "gS = gP ∘ [j ≤ i]"],
    "scalars": [
        "Y = 0.044715 X / keep",
        "G = sqrt(2 / π) exp(−X² / 2) + X ∘ erf(X / sqrt(2)) / 2",
        "L = mean((X − 1)²)",
        "f = y' A x",
        "t = tr(A)",
        "c = ‖x‖²",
    ],
}
BOARD["multi_head"] = [line + "   (for each b, h)" for line in BOARD["attention"]]

INDEX = {
    "quadratic": ["gx[i] = sum_j (A[i,j] x[j] + A[j,i] x[j])", "H[i,j] = A[i,j] + A[j,i]"],
    "attention": [
        "S[i,j] = sum_k Q[i,k] K[j,k] / sqrt(d)",
        "M[i] = max_j S[i,j]",
        "E[i,j] = exp(S[i,j] - M[i])",
        "Z[i] = sum_j E[i,j]",
        "P[i,j] = E[i,j] / Z[i]",
        "gV[j,l] = sum_i P[i,j] gO[i,l]",
        "gP[i,j] = sum_l gO[i,l] V[j,l]",
        "q[i] = sum_j P[i,j] gP[i,j]",
        "gS[i,j] = P[i,j] (gP[i,j] - q[i])",
        "gQ[i,k] = sum_j gS[i,j] K[j,k] / sqrt(d)",
        "gK[j,k] = sum_i gS[i,j] Q[i,k] / sqrt(d)",
    ],
    "batch_norm": [
        "mu[j] = sum_i X[i,j] / batch",
        "C[i,j] = X[i,j] - mu[j]",
        "var[j] = sum_i C[i,j]^2 / batch",
        "Y[i,j] = C[i,j] / sqrt(var[j] + 1e-05)",
        "gbeta[j] = sum_i gY[i,j]",
    ],
    "embedding": ["Y[i,j] = E[tok[i],j]", "gE[tok[i],j] += gY[i,j]"],
    "cross_entropy_labels": [
        "c[i] = max_j Z[i,j]",
        "E[i,j] = exp(Z[i,j] - c[i])",
        "u[i] = sum_j E[i,j]",
        "P[i,j] = E[i,j] / u[i]",
        "gZ[i,j] = (P[i,j] - [j = y[i]]) / batch",
    ],
    "causal_mask": ["C[i,j] = where(i >= j, S[i,j], -inf)", "gS[i,j] = [i >= j] gP[i,j]"],
}


@pytest.mark.parametrize("name", BOARD)
def test_board(name: str) -> None:
    assert render_matrix(*ALL[name]()) == BOARD[name]


@pytest.mark.parametrize("name", INDEX)
def test_index(name: str) -> None:
    assert render_index(ALL[name]()[0]) == INDEX[name]


def test_every_hand_written_program_is_expected() -> None:
    assert set(BOARD) == set(ALL)


N = size("n")
I, J, K = (Index(name, N) for name in "ijk")
X, V = Tensor("X", (N, N)), Tensor("v", (N,))


def one(body: object, axes: tuple[Index, ...] = (I,), reduce: str | None = None, *bound: Index) -> str:
    equation = Equation(Tensor("Y", tuple(a.extent for a in axes)), axes, body, reduce, bound)  # type: ignore[arg-type]
    (line,) = render_index(Program((X, V), (equation,), (equation.target,)))
    return line.partition(" = ")[2]


@pytest.mark.parametrize(
    "body, expected",
    [
        (V[I] / 2, "v[i] / 2"),
        (3 * V[I] / 4, "3 v[i] / 4"),
        (V[I] * Rational(1, 3), "v[i] / 3"),
        (V[I] * Rational(44715, 10**6), "0.044715 v[i]"),
        (V[I] + Rational(1, 10**5), "v[i] + 1e-05"),
        (V[I] ** 3, "v[i]^3"),
        (V[I] ** Rational(3, 2), "v[i]^(3 / 2)"),
        (1 / V[I] ** 2, "1 / v[i]^2"),
        (V[I] ** Rational(-1, 2), "1 / sqrt(v[i])"),
        (V[I] / sqrt(2), "v[i] / sqrt(2)"),
        (V[I] * sqrt(2 / pi), "sqrt(2 / pi) v[i]"),
        (V[I] / sqrt(2 * pi), "v[i] / sqrt(2 pi)"),
        (V[I] / (N * sqrt(N)), "v[i] / n^(3 / 2)"),
        (-V[I] / N, "-v[i] / n"),
        (V[I] * (N - 1), "(n - 1) v[i]"),
        (-(V[I] + 1), "-v[i] - 1"),
        ((1 - V[I]) * V[I], "v[i] (1 - v[i])"),
        (exp(-(V[I] ** 2) / 2), "exp(-v[i]^2 / 2)"),
        ((V[I] + 1) / (V[I] * 2), "(1 + v[i]) / (2 v[i])"),
    ],
)
def test_scalars(body: object, expected: str) -> None:
    assert one(body) == expected


def test_what_does_not_depend_on_the_summed_index_stands_in_front() -> None:
    assert one(-V[I] * X[I, J] / (V[I] + 1) ** 2, (I,), "sum", J) == "-v[i] sum_j X[i,j] / (1 + v[i])^2"
    assert one(2 * X[I, J] * V[J], (I,), "sum", J) == "2 sum_j X[i,j] v[j]"


def test_indices_of_one_equation_have_different_letters() -> None:
    assert one(X[I, K] * X[J, K], (I, J), "sum", K) == "sum_k X[i,k] X[j,k]"


def test_letters_avoid_the_names_of_tensors_and_sizes() -> None:
    k, i = size("k"), Tensor("i", (size("k"), size("j")))
    a, b = Index("i", k), Index("j", size("j"))
    y = Equation(Tensor("y", (k,)), (a,), i[a, b], "sum", (b,))
    assert render_index(Program((i,), (y,), (y.target,))) == ["y[l] = sum_p i[l,p]"]
