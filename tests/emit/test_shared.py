"""Equal parts of a kernel become one function; what a function computes stays the same."""

import re
from itertools import pairwise
from textwrap import dedent

import numpy as np
import pytest

import derive as dv
from derive.emit.loops_shared import shared
from derive.emit.loops_writer import Names
from derive.function import Function


def net(depth: int) -> Function:
    def loss(x, Ws, bs):
        for W, b in zip(Ws, bs, strict=True):
            x = np.tanh(x @ W + b)
        return (x**2).sum()

    return dv.trace(loss, x="n d", Ws=["d d"] * depth, bs=["d"] * depth)


def functions(source: str) -> list[str]:
    return re.findall(r"^def (\w+)", source, re.MULTILINE)


def test_layers_of_a_deep_net_are_compiled_once() -> None:
    """Of a net that is too deep to be computed for a block of rows as a whole."""
    f = dv.value_and_grad(net(8), ["Ws", "bs"])
    kernel = f.compile()
    assert functions(kernel.source)[-3:] == ["part", "part1", "loss"]
    rng = np.random.default_rng(1)
    x, Ws, bs = rng.normal(size=(3, 2)), [rng.normal(size=(2, 2)) for _ in range(8)], [rng.normal(size=2) for _ in range(8)]
    value, (gWs, gbs) = kernel(x, Ws, bs)
    expected, (eWs, ebs) = f(x, Ws, bs)
    np.testing.assert_allclose(value, expected, rtol=1e-13)
    for ours, theirs in zip([*gWs, *gbs], [*eWs, *ebs], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-14)


def test_a_small_net_is_one_function() -> None:
    assert "part" not in functions(dv.grad(net(3), "Ws").compile().source)


LOOP = "    for i in range(n):\n        {y}[i] = 2 * {x}[i]"
ADDED = "    for i in range(n):\n        s += {x}[i]"
TOTAL = "    {t} = 0.0\n    for i in range(n):\n        {t} += {x}[i]"
ARRAYS = ["a", "b", "c", "d", "e", "f"]
CASES = {
    "a chain": ([LOOP.format(x=x, y=y) for x, y in pairwise(ARRAYS)], "", 1),
    "two alternate": ([text for x, y in pairwise(ARRAYS) for text in (LOOP.format(x=x, y=y), "    " + f"{y}[0] += n")], "", 1),
    "one number for all": (["    s = 0.0", *(ADDED.format(x=x) for x in ARRAYS)], "s", 0),
    "a number that is returned": ([TOTAL.format(t=f"t{x}", x=x) for x in ARRAYS], "ta + tb + tc + td + te + tf", 0),
    "a number of its own": ([TOTAL.format(t="t", x=x) + f"\n    {x}[0] = t" for x in ARRAYS], "", 1),
    "one differs": ([LOOP.format(x=x, y="f") if x != "c" else LOOP.format(x="c", y="c") for x in ARRAYS[:5]], "", 1),
    "the same array twice": ([LOOP.format(x=x, y=x) for x in ARRAYS[:3]] + [LOOP.format(x="d", y="e")] * 2, "", 0),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_same_is_computed(case: str) -> None:
    statements, last, count = CASES[case]
    found, written = shared([s.split("\n") for s in statements], [*ARRAYS, "n"], last, Names())
    assert len(found) == count
    ending = [f"    return {last}"] if last else []

    def results(body: list[str], others: list[str]) -> tuple[object, list[np.ndarray]]:
        arrays = [np.random.default_rng(k).normal(size=4) for k in range(6)]
        scope: dict[str, object] = {}
        exec("\n".join([*others, f"def f({', '.join(ARRAYS)}, n):", *body, *ending]), scope)
        return scope["f"](*arrays, 4), arrays  # type: ignore[operator]

    plain = results([line for s in statements for line in s.split("\n")], [])
    split = results(
        [line for lines in written for line in lines],
        [dedent("\n".join([f"def {p.name}({', '.join(p.arguments)}):", *p.lines])) for p in found],
    )
    np.testing.assert_equal(split, plain)


def test_a_function_is_not_named_as_a_loop_of_blocks() -> None:
    lines = [("    for part in range(n):", f"        {y}[part] = 2 * {x}[part]") for x, y in zip("abcdef", "ghijkl", strict=True)]
    found, written = shared(lines, [*"abcdefghijkl", "n"], "", Names())
    assert [f.name for f in found] == ["part1"] and all("part1(" in line for (line,) in written)
