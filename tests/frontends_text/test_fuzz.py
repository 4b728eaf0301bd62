"""Whatever is typed, the parsers return a program or raise a ParseError, soon, and nothing stays behind.

DERIVE_FUZZ=100000 sets the number of examples of each test.
"""

import os
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from derive.errors import ParseError
from derive.frontends.formula import parse_formula
from derive.frontends.formula_names import OWN, functions
from derive.frontends.latex import parse_latex
from derive.frontends.latex_words import FUNCTIONS as FUNCTIONS_OF_LATEX
from derive.frontends.parse_index import parse_equations
from derive.frontends.parse_index_bodies import operation
from derive.frontends.parse_index_grammar import function_names
from derive.ir.facts import Spec, spec
from derive.ir.nodes import Program

from .corpus import EQUATIONS, FORMULAS
from .corpus_latex import LATEX
from .mutations import CONSTANTS, LATEX_PIECES, LATEX_WORDS, arbitrary, grown, mutated

EXAMPLES = int(os.environ.get("DERIVE_FUZZ", "1500"))
SECONDS = 20.0
CHUNK = 2_000
"""Examples of one run of Hypothesis, which keeps all that it has tried in memory until the run ends."""

DECLARED: tuple[dict[str, Spec], ...] = (
    {},
    {"x": spec("n"), "A": spec("n n")},
    {name: spec(axes) for name, axes in {"x": "n", "y": "n", "X": "n m", "w": "m", "a": "", "b": ""}.items()},
)

SIGNS = ("+", "-", "*", ".*", "./", "/", " @ ", "\\", "<", "==", ">=")
FUNCTIONS = sorted({*functions(), *OWN})
FORMULA_LEAVES = ("x", "y", "A", "X", "a", "vector(1)")
FORMULA_FRAMES = [
    *(f"({{}}{sign}{{}})" for sign in SIGNS for _ in range(20)),
    *("({}^({}))", "({}.^({}))", "({}**({}))", "(-{})", "({})'", "({}).T", "({})[1:]", "({})[0]", "sum({})", "exp({})") * 8,
    *("log({})", "max({}, {})", "({}).sum(axis=0)", "({}).reshape(1, -1)", "({})[{}]", "np.prod({})") * 4,
    *(f"{name}({given})" for name in FUNCTIONS for given in ("{}", "{}", "{}", "{}, {}", "{}, {}", "{}, {}, {}", "{}, axis=0", "{}, 0", "({}, {})")),
    *(f"{name}({given})" for name in FUNCTIONS for given in ("{}, axis=-1, keepdims=True", "{}, (0, 1)", "'i,j', {}", "{}, None, 1")),
]
CALLS = [(name, op.arity) for name in sorted(function_names()) if (op := operation(name)) is not None]
EQUATION_LEAVES = ("x[i]", "y[j]", "X[i,j]", "X[j,i]", "a", "n", "i", "j", "[i = j]", "x[i-1]", "X[i,0]", "[mask[i]]", "x[tok[i]]")
EQUATION_FRAMES = [
    *("({} + {})", "({} - {})", "{} {}", "{} * {}", "({} / {})", "({}^({}))", "(-{})", "[{} < {}]", "x[{}]", "[i = {}] {}") * 12,
    *("where({} > {}, {}, {})", "(sum_k x[k] {})", "(max_k X[i,k] {})", "[{} <= {} and not({} = {})]", "X[{},{}]") * 6,
    *(f"{name}({', '.join(['{}'] * count)})" for name, count in CALLS for _ in range(2)),
    *(f"{name}({{}}, {{}}, {{}})" for name, _ in CALLS[::5]),
]
LEFT = ("Y[i,j] = ", "Y[i,j] = ", "Y[i] = sum_j ", "Y = sum_i,j ", "Y[i] = max_j ", "Y[j] += ", "Y[tok[i]] += ")
EQUATION_SPECS = {
    name: spec(axes) for name, axes in {"x": "n", "y": "m", "X": "n m", "a": "", "mask": "n, boolean", "tok": "n, integer < n"}.items()
}


def fuzzed(*strategies: st.SearchStrategy[Any]) -> Callable[[Callable[..., None]], Callable[[], None]]:
    """Run a check on so many examples, in runs that each draw others."""

    def decorate(check: Callable[..., None]) -> Callable[[], None]:
        def test() -> None:
            for start in range(0, EXAMPLES, CHUNK):
                count = min(CHUNK, EXAMPLES - start)
                limits = settings(max_examples=count, deadline=None, suppress_health_check=list(HealthCheck), database=None)
                seed(start)(limits(given(*strategies)(check)))()

        test.__name__ = check.__name__
        return test

    return decorate


def survives(parse: Callable[..., Program], text: str, specs: dict[str, Spec]) -> None:
    start = time.perf_counter()
    try:
        assert isinstance(parse(text, specs), Program)
    except ParseError as error:
        assert str(error) and 0 <= error.position <= len(text)
    assert time.perf_counter() - start < SECONDS, text


def used(text: str, specs: dict[str, Spec]) -> dict[str, Spec]:
    """Only the declarations of what occurs: others are an error by themselves."""
    return {name: s for name, s in specs.items() if name in re.findall(r"[A-Za-z]+", text)}


@fuzzed(mutated(FORMULAS), st.sampled_from(DECLARED))
def test_changed_formulas(text: str, specs: dict[str, Spec]) -> None:
    survives(parse_formula, text, used(text, specs))


@fuzzed(arbitrary(), st.sampled_from(DECLARED))
def test_any_text_as_formula(text: str, specs: dict[str, Spec]) -> None:
    survives(parse_formula, text, used(text, specs))


@fuzzed(grown((*FORMULA_LEAVES * 2, *CONSTANTS), FORMULA_FRAMES), st.sampled_from(DECLARED))
def test_grown_formulas(text: str, specs: dict[str, Spec]) -> None:
    survives(parse_formula, text, used(text, specs))


@fuzzed(st.lists(st.tuples(st.sampled_from(LEFT), grown((*EQUATION_LEAVES, *CONSTANTS), EQUATION_FRAMES)), min_size=1, max_size=2))
def test_grown_equations(lines: list[tuple[str, str]]) -> None:
    text = "\n".join(f"{left.replace('Y', f'Y{number}')}{right}" for number, (left, right) in enumerate(lines))
    survives(parse_equations, text, EQUATION_SPECS)


@fuzzed(mutated(EQUATIONS), st.sampled_from(DECLARED))
def test_changed_equations(text: str, specs: dict[str, Spec]) -> None:
    survives(parse_equations, text, specs)


@fuzzed(arbitrary(), st.sampled_from(DECLARED))
def test_any_text_as_equations(text: str, specs: dict[str, Spec]) -> None:
    survives(parse_equations, text, specs)


LATEX_LEAVES = ("x", "y", "A", "x_i", "A_{ij}", "a", r"\mathbf{1}", "I", "n", r"\lambda", "w_{t-1}", "X_i", r"\hat{y}")
LATEX_FRAMES = [
    *("({} + {})", "({} - {})", "({} {})", r"({} \cdot {})", r"({} \odot {})", r"\frac{{{}}}{{{}}}", "({})^{{{}}}", "({})^2") * 8,
    *(r"({})^\top", r"\|{}\|_2^2", r"\|{}\|_F", r"\|{}\|_1", "|{}|", r"\sum_i ({})", r"\sum_{{i=1}}^{{n}} ({})", "e^{{{}}}") * 6,
    *(r"\log({})", r"\exp {}", r"\sqrt{{{}}}", r"\max(0, {})", r"\langle {}, {} \rangle", "({})^{{-1}}", r"\max_j ({})") * 4,
    *(r"\sum_{{j \ne i}} {}", r"\prod_{{i=1}}^{{3}} ({})", "({})_i", r"\|{}\|_{{{}}}", r"[{} < {}]", r"({}) \otimes ({})"),
    *(rf"\operatorname{{{{{name}}}}}({{}})" for name in sorted(FUNCTIONS_OF_LATEX)),
]


@fuzzed(mutated(LATEX, LATEX_WORDS, LATEX_PIECES), st.sampled_from(DECLARED))
def test_changed_latex(text: str, specs: dict[str, Spec]) -> None:
    survives(parse_latex, text, used(text, specs))


@fuzzed(arbitrary(LATEX_PIECES), st.sampled_from(DECLARED))
def test_any_text_as_latex(text: str, specs: dict[str, Spec]) -> None:
    survives(parse_latex, text, used(text, specs))


@fuzzed(st.sampled_from(("", "", "y_i = ", "B_{ij} = ")), grown((*LATEX_LEAVES * 2, *CONSTANTS), LATEX_FRAMES), st.sampled_from(DECLARED))
def test_grown_latex(left: str, right: str, specs: dict[str, Spec]) -> None:
    survives(parse_latex, left + right, used(left + right, specs))


UNITS = ("(", "x+", "x'", "-", "exp(", "x.T", "[", "x^", "sum_i ", "x[", "1e9^", "\n", "A*", "9**", "x,", r"\frac", r"\|", "x_", "{",
         "prod_i ", r"\prod_i ", r"\sum_i ", r"\log ", r"\hat{", "|", r"\left(")  # fmt: skip


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("parse", [parse_formula, parse_equations, parse_latex])
def test_long_repetitions(parse: Callable[..., Program], unit: str) -> None:
    for length in (40, 100, 300, 3_000, 20_000):
        survives(parse, (unit * length)[:length], {})
        survives(parse, "Y = " + (unit * length)[:length] + "x", {})
