"""Expressions as text: parentheses that preserve the meaning, numbers as a person types them, lines that fit."""

from __future__ import annotations

import math
import random
from pathlib import Path

import pytest
import sympy
from sympy import Rational

from derive.emit.code import (
    ADD,
    COMPARE,
    MUL,
    Atom,
    Chain,
    Code,
    Method,
    Power,
    Suffix,
    call,
    chain,
    negative,
    span,
    subscript,
)
from derive.emit.layout import WIDTH, Statement, docstring, indented, lines_of, signature
from derive.emit.numerals import coefficient, rational, split_roots

from .loading import assert_formatted

X, Y, Z = map(Atom, "XYZ")


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (chain(MUL, chain(ADD, X, [("+", Y)]), [("*", Z)]), "(X + Y) * Z"),
        (chain(ADD, X, [("-", chain(ADD, Y, [("-", Z)]))]), "X - (Y - Z)"),
        (chain(MUL, X, [("/", chain(MUL, Y, [("*", Z)]))]), "X / (Y * Z)"),
        (chain(MUL, X, [("@", chain(MUL, Y, [("@", Z)]))]), "X @ (Y @ Z)"),
        (chain(MUL, chain(MUL, X, [("@", Y)]), [("@", Z)]), "X @ Y @ Z"),
        (Suffix(chain(MUL, X, [("*", Y)]), ".T"), "(X * Y).T"),
        (Suffix(call("f", X), ".T"), "f(X).T"),
        (Power(X, Atom("2")), "X**2"),
        (Power(Suffix(X, "[0]"), Atom("2")), "X[0] ** 2"),
        (Power(negative(X), Atom("2")), "(-X) ** 2"),
        (negative(Power(X, Atom("2"))), "-(X**2)"),
        (negative(chain(MUL, X, [("*", Y)])), "-X * Y"),
        (negative(chain(ADD, X, [("+", Y)])), "-(X + Y)"),
        (chain(MUL, X, [("*", negative(Y))]), "X * -Y"),
        (chain(ADD, X, [("+", negative(chain(MUL, Y, [("*", Z)])))]), "X + (-Y * Z)"),
        (chain(ADD, Chain(COMPARE, X, (("<", Y),)), [("+", Z)]), "(X < Y) + Z"),
    ],
)
def test_parentheses(code: Code, text: str) -> None:
    assert code.text == text


@pytest.mark.parametrize(
    ("items", "text"),
    [
        ([":", ":"], ""), ([":", "None"], "[:, None]"), (["0", ":", ":"], "[0]"), ([":", "None", ":"], "[:, None]"),
        ([":", ":", "None"], "[..., None]"), ([":", ":", "None", ":"], "[:, :, None]"), ([":", ":", "0"], "[:, :, 0]"),
    ],
)  # fmt: skip
def test_subscripts(items: list[str], text: str) -> None:
    assert subscript(items) == text


def test_slices_are_spaced_as_a_formatter_spaces_them() -> None:
    total = chain(ADD, Atom("n"), [("+", Atom("2"))])
    assert span(Atom("2"), total) == "2 : n + 2"
    assert span(None, total) == ": n + 2"
    assert span(total, None) == "n + 2 :"
    assert span(Atom("1"), Atom("-1")) == "1:-1"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Rational(1, 2), "0.5"), (Rational(1, 100000), "1e-5"), (Rational(44715, 1000000), "0.044715"),
        (Rational(1, 3), "1 / 3"), (Rational(-2, 7), "-2 / 7"), (Rational(10**20), "1e20"), (Rational(12, 1), "12"),
        (Rational(123456789, 987654321), "0.12499999886093750"[:-1]),
    ],
)  # fmt: skip
def test_numbers(value: Rational, text: str) -> None:
    found = rational(value).text
    assert found == text or float(found) == float(value)
    assert eval(found) == float(value)


def test_coefficients() -> None:
    assert coefficient(Rational(1, 2), over_more=False) == ("0.5", None)
    assert coefficient(Rational(1, 2), over_more=True) == (None, "2")
    assert coefficient(Rational(1, 3), over_more=False) == (None, "3")
    assert coefficient(Rational(2, 3), over_more=False) == ("2", "3")
    assert coefficient(Rational(3, 2), over_more=True) == ("1.5", None)


@pytest.mark.parametrize(
    "number",
    [
        sympy.sqrt(2) / 2, sympy.sqrt(2) / sympy.sqrt(sympy.pi), 1 / sympy.sqrt(2 * sympy.pi), sympy.sqrt(6) / 3,
        sympy.pi / 2, 3 * sympy.pi ** Rational(3, 2), sympy.sqrt(2) * sympy.pi ** Rational(-3, 2), sympy.sqrt(3) / 7,
    ],
)  # fmt: skip
def test_roots_keep_their_value(number: sympy.Expr) -> None:
    coefficient, factors = number.as_coeff_mul()
    value, over, under, left = split_roots(list(factors), coefficient)
    found = float(value) * math.prod(float(f) for f in left)
    found *= eval(over.text, {"math": math}) if over else 1.0
    found /= eval(under.text, {"math": math}) if under else 1.0
    assert found == pytest.approx(float(number), rel=1e-15)


# --- random expressions


def random_code(choose: random.Random, depth: int, names: list[str], numeric: bool) -> Code:
    """An expression; `numeric`: of operators only, so that it can be evaluated on numbers."""

    def inner() -> Code:
        return random_code(choose, depth - 1, names, numeric)

    def part() -> Code:
        code = inner()
        return code if not isinstance(code, Atom) or code.name.isidentifier() else Atom("X")

    if depth == 0 or choose.random() < 0.15:
        return Atom(choose.choice(names))
    kinds = ["add", "mul", "neg", "pow"] + ([] if numeric else ["at", "call", "where", "suffix", "method"])
    match choose.choice(kinds):
        case "add":
            return chain(ADD, inner(), [(choose.choice("+-"), inner()) for _ in range(choose.randint(1, 3))])
        case "mul":
            return chain(MUL, inner(), [(choose.choice("*/"), inner()) for _ in range(choose.randint(1, 3))])
        case "neg":
            return negative(inner())
        case "pow":
            return Power(inner(), choose.choice([Atom("2"), Atom("3"), negative(Atom("2"))]))
        case "at":
            return chain(MUL, inner(), [("@", inner())])
        case "call":
            return call(
                choose.choice(["np.exp", "np.maximum"]), *(inner() for _ in range(choose.randint(1, 2)))
            )
        case "where":
            return call("np.where", Chain(COMPARE, inner(), (("<=", inner()),)), inner(), "0")
        case "suffix":
            return Suffix(part(), choose.choice([".T", ".sum(axis=1)", "[:, None]"]))
    return Method(Atom("R"), ".at[i, :, i].add", (inner(),))


def value_of(code: Code, numbers: dict[str, float]) -> float:
    """What the tree means, by its structure and not by its text."""
    match code:
        case Atom(name=name):
            return numbers[name] if name in numbers else float(name)
        case Power(base=base, exponent=exponent):
            return value_of(base, numbers) ** value_of(exponent, numbers)
        case Chain(first=first, rest=rest):
            total = value_of(first, numbers)
            for operator, operand in rest:
                other = value_of(operand, numbers)
                total = {"+": total + other, "-": total - other, "*": total * other}.get(operator) or (
                    total / other if operator == "/" else 0.0
                )
            return total
    return -value_of(code.base, numbers)  # type: ignore[attr-defined]


def test_text_means_what_the_tree_means() -> None:
    choose = random.Random(0)
    numbers = {"a": 1.25, "b": -0.75, "c": 2.5}
    tried = 0
    for _ in range(3000):
        code = random_code(choose, choose.randint(1, 5), [*numbers, "2"], numeric=True)
        try:
            expected = value_of(code, numbers)
        except (ZeroDivisionError, OverflowError):
            continue
        assert eval(code.text, dict(numbers)) == pytest.approx(expected, rel=1e-9, nan_ok=True), code.text
        tried += 1
    assert tried > 2000


def test_long_statements_are_broken_as_the_formatter_breaks_them(tmp_path: Path) -> None:
    names = ["X", "gamma", "gZ", "hidden_state", "0.5", "math.pi", "a_long_name_of_a_tensor"]
    for seed in range(5):
        choose = random.Random(seed)
        count = iter(range(10**6))
        lines = ["def f():"]
        for _ in range(200):
            code = random_code(choose, choose.randint(1, 5), names, numeric=False)
            statement = Statement(choose.choice(["Y =", "X[i, y] +=", "result ="]), code)
            lines += indented(lines_of(statement, WIDTH - 4, lambda stem: f"{stem}{next(count)}"))  # noqa: B023
        assert max(map(len, lines)) <= WIDTH
        text = "\n".join(lines) + "\n"
        (tmp_path / f"seed{seed}.py").write_text(text, encoding="utf-8")
    assert_formatted(tmp_path, lint=False)


def test_signatures_and_docstrings(tmp_path: Path) -> None:
    blocks = []
    for count in (1, 20, 40, 90):
        parameters = [f"W{position}" for position in range(count)]
        text = f"A sentence about {', '.join(parameters)}."
        blocks.append([*signature(f"f{count}", parameters), *indented([*docstring([text], 84), "return W0"])])
    for width in range(70, 90):
        blocks.append(
            [
                f"def g{width}(x):",
                *indented([*docstring(["y " * (width // 2) + "x" * (width % 2) + "."], 84), "return x"]),
            ]
        )
    module = docstring(["A file.", "gX = gZ W'\n\\alpha", 'It says """quote""".'], 88)
    source = "\n".join(module) + "\n\n\n" + "\n\n\n".join("\n".join(block) for block in blocks) + "\n"
    (tmp_path / "signatures.py").write_text(source, encoding="utf-8")
    assert_formatted(tmp_path)
    compile(source, "signatures.py", "exec")
