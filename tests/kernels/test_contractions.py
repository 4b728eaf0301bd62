"""Sums of products as matrix products without copies: parts of arrays, sums of several products, heads, convolutions."""

from typing import Any

import numpy as np
import pytest

import derive as dv


def conv(X, W):
    windows = np.lib.stride_tricks.sliding_window_view(X, W.shape[2:], axis=(2, 3))
    return np.einsum("nchwab,ocab->nohw", windows, W)


def conv_last(X, W):
    windows = np.lib.stride_tricks.sliding_window_view(X, W.shape[0], axis=1)
    return np.einsum("ntca,aco->nto", windows, W)


def strided(X, W):
    windows = np.lib.stride_tricks.sliding_window_view(X, W.shape[2], axis=2)[:, :, ::2]
    return np.einsum("ncta,oca->not", windows, W)


def heads(X, W, V, U):
    Q = np.einsum("bin,hnd->bhid", X, W)
    K = np.einsum("bin,hnd->bhid", X, V)
    return np.einsum("bhid,hdm->bim", Q * K, U)


def gates(x, h, A, B, C, D):
    return np.tanh(x @ A + h @ B) * (x @ C - 2 * h @ D)


def sums(x, A, y, B):
    return x @ A / 3 - y[1:] @ B / np.sqrt(x.shape[0])


def three_kinds(X, U, V, z):
    return np.einsum("ij,ik,il->jkl", X, U, V / z[:, None])


CASES: dict[str, tuple[Any, dict[str, str], dict[str, int]]] = {
    "conv": (conv, {"X": "n c h w", "W": "o c 3 2"}, {"n": 2, "c": 3, "h": 6, "w": 5, "o": 4}),
    "conv, one of everything": (conv, {"X": "n c h w", "W": "o c 3 2"}, {"n": 1, "c": 1, "h": 3, "w": 2, "o": 1}),
    "channels last": (conv_last, {"X": "n t c", "W": "3 c o"}, {"n": 2, "t": 7, "c": 3, "o": 4}),
    "strided": (strided, {"X": "n c t", "W": "o c 3"}, {"n": 2, "t": 8, "c": 3, "o": 4}),
    "heads": (heads, {"X": "b i n", "W": "h n d", "V": "h n d", "U": "h d m"}, {"b": 2, "i": 3, "n": 4, "h": 2, "d": 3, "m": 5}),
    "gates": (gates, {"x": "i n", "h": "i m", "A": "n k", "B": "m k", "C": "n k", "D": "m k"}, {"i": 3, "n": 4, "m": 2, "k": 5}),
    "three kinds": (three_kinds, {"X": "i j", "U": "i k", "V": "i l", "z": "i"}, {"i": 6, "j": 3, "k": 4, "l": 2}),
    "sums": (sums, {"x": "t n", "A": "n k", "y": "s m", "B": "m k"}, {"t": 3, "s": 4, "n": 2, "m": 5, "k": 3}),
}  # fmt: skip


def attention(Q, K, V):
    S = Q @ np.swapaxes(K, -1, -2) / np.sqrt(Q.shape[-1])
    E = np.exp(S - S.max(axis=-1, keepdims=True))
    return E / E.sum(axis=-1, keepdims=True) @ V


def residuals(T, U, V):
    R = T - U @ V.T
    return np.sum(R**2) / 2


def network(X, A, b, B):
    return np.tanh(X @ A + b) @ B


CASES |= {
    "attention": (attention, {"Q": "n d", "K": "m d", "V": "m p"}, {"n": 150, "m": 400, "d": 2, "p": 3}),
    "heads of attention": (
        attention, {"Q": "h n d", "K": "h m d", "V": "h m p"}, {"h": 2, "n": 130, "m": 300, "d": 2, "p": 1},
    ),
    "residuals": (residuals, {"T": "n m", "U": "n r", "V": "m r"}, {"n": 140, "m": 500, "r": 2}),
    "network": (network, {"X": "n d", "A": "d m", "b": "m", "B": "m p"}, {"n": 129, "m": 600, "d": 2, "p": 2}),
}  # fmt: skip
IN_BLOCKS = ("attention", "heads of attention", "residuals", "network")


def case(name: str, dtype: type = np.float64) -> tuple[dv.Function, dict[str, np.ndarray]]:
    function, shapes, sizes = CASES[name]
    arrays = {}
    rng = np.random.default_rng(7)
    for argument, axes in shapes.items():
        arrays[argument] = rng.normal(size=[sizes.get(a) or int(a) for a in axes.split()]).astype(dtype)
    backward = dv.vjp(dv.trace(function, **(shapes | ({"y": "t+1 m"} if name == "sums" else {}))))
    (seed,) = [n for n in backward.inputs if n not in arrays]
    arrays[seed] = np.asarray(rng.normal(size=np.shape(function(*arrays.values()))), dtype)
    return backward, arrays


@pytest.mark.parametrize("name", CASES)
def test_gradients_are_those_of_the_interpreter(name: str) -> None:
    backward, arrays = case(name)
    for found, expected in zip(backward.compile()(**arrays), backward(**arrays), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("name", ["conv", "heads"])
def test_single_precision_and_threads(name: str) -> None:
    backward, arrays = case(name)
    expected = backward(**arrays)
    for options in ({"dtype": np.float32}, {"parallel": True}):
        tolerance = 1e-4 if "dtype" in options else 1e-11
        for found, wanted in zip(backward.compile(**options)(**arrays), expected, strict=True):
            np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", IN_BLOCKS)
def test_what_lies_between_products_is_there_for_a_block_of_rows(name: str) -> None:
    kernel = case(name)[0].compile()
    assert kernel.source.count("for part in range") == 1 and " np.dot(" not in kernel.source


def test_what_is_not_a_number_stays_in_its_rows() -> None:
    backward, arrays = case("gates")
    arrays["x"][1, 2] = np.nan
    found = dict(zip(("gx", "gh", "gA", "gB", "gC", "gD"), backward.compile()(**arrays), strict=True))
    assert np.isnan(found["gx"][1]).all() and not np.isnan(np.delete(found["gx"], 1, axis=0)).any()
    assert np.isnan(found["gA"]).all() and np.isnan(found["gB"]).all()


def test_nothing_is_copied() -> None:
    source = case("heads")[0].compile().source
    assert "ascontiguousarray" not in source and "_left" not in source and "_right" not in source
    source = "".join(case("gates")[0].compile().source.split())
    assert source.count("1.0,gx[first:first+rows])") == 1 and source.count("1.0,gh[first:first+rows])") == 1


def test_a_convolution_is_made_one_example_at_a_time_without_conditions() -> None:
    source = case("conv")[0].compile().source
    code = source[source.index("def conv(") :]
    assert " if " not in code and "gX_placed_i" in code and "gW_right_i" in code


def test_factors_of_three_kinds_are_a_product_for_every_value_of_one_index() -> None:
    source = dv.trace(three_kinds, **CASES["three kinds"][1]).compile().source
    assert source.count("np.dot(") + source.count("gemm(") == 1 and "+=" not in source.split("def three_kinds")[1]


def test_a_sum_of_products_behind_a_factor_is_multiplied_out() -> None:
    f = dv.jvp(dv.trace(lambda x, A: 2 * (x @ A) ** 2 / 7, x="i n", A="n k"))
    kernel = f.compile()
    rng = np.random.default_rng(2)
    x, A, dx, dA = (rng.normal(size=shape) for shape in ((3, 4), (4, 2), (3, 4), (4, 2)))
    np.testing.assert_allclose(kernel(x, A, dx, dA), 4 / 7 * (x @ A) * (dx @ A + x @ dA))
    body = "\n".join(line for line in kernel.source.split("\ndef ")[-1].splitlines() if "#" not in line)
    assert body.count("np.dot(") + body.count("gemm(") == 3 and "+=" not in body
