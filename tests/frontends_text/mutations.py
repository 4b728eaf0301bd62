"""Text that is nearly right: tokens of valid formulas exchanged, doubled, left out."""

import re

from hypothesis import strategies as st

WORDS = re.compile(r"\s+|[0-9.]+(?:e[+-]?[0-9]+)?|\w+|[.]?[*/^']|[<>=!~+]=|.", re.DOTALL)
PIECES = (
    *"+-*/^'@()[]{},:;.=<>~!\\\"#_ \n\t01x",
    ".*", "./", ".^", "**", ".T", "...", "+=", "<=", "==", "!=", " and ", " or ", " not(", "np.", "np.linalg.", "sum(", "exp(",
    "log(", "inv(", "norm2(", "where(", "sum_i ", "max_j ", "sum_i,j ", "[i]", "[i,j]", "[i = j]", "x", "y", "A", "a", "i", "j", "n",
    "1e9", "1e300", "1e-300", "0.5", "99999999999", "9^9", "9**9", "-1", "pi", "inf", "e", "axis=0", "vector(1)", "gammaln(",
    "floor(", "None", "True", "lambda", "import", "__class__", ".__class__", "eval(", "\x00", "é", "−", "²", "𝒙", "\u202e",
)  # fmt: skip


@st.composite
def mutated(
    draw: st.DrawFn, valid: tuple[str, ...], words: re.Pattern[str] = WORDS, pieces: tuple[str, ...] = PIECES
) -> str:
    """A valid text with one to six of its tokens changed."""
    tokens = words.findall(draw(st.sampled_from(valid)))
    for _ in range(draw(st.integers(1, 6))):
        place = draw(st.integers(0, max(len(tokens) - 1, 0)))
        piece = draw(st.sampled_from(pieces) | st.sampled_from(tokens or ["x"]))
        match draw(st.sampled_from(("insert", "replace", "remove", "repeat", "cut"))):
            case "insert":
                tokens.insert(place, piece)
            case "replace":
                tokens[place : place + 1] = [piece]
            case "remove":
                del tokens[place : place + draw(st.integers(1, 3))]
            case "repeat":
                tokens[place:place] = tokens[place : place + 4] * draw(st.sampled_from((1, 2, 40)))
            case "cut":
                tokens = tokens[place:] + tokens[:place]
    return "".join(tokens)


LATEX_WORDS = re.compile(r"\\[A-Za-z]+|\\.|\s+|[0-9.]+|.", re.DOTALL)
LATEX_PIECES = (
    *"+-*/^_(){}[]|,;:.=<>'!&~$%#@ 012nTxyiAaeI\n",
    r"\sum_{i=1}^{n} ", r"\sum_i ", r"\prod_{k} ", r"\max_j ", r"\sum_{j \ne i}", "_i", "_{ij}", "^2", "^{-1}", r"^\top", "^T", "^{(i)}",
    "_{t-1}", r"\frac", r"\frac{", r"\sqrt[3]", r"\|", r"\left(", r"\right)", r"\left|", r"\mathbf{x}", r"\mathbf{1}",
    r"\boldsymbol{\mu}", r"\hat{", r"\log ", r"\exp(", r"\tanh ", r"\det ", r"\operatorname{softmax}", r"\operatorname{foo}",
    r"\mathrm{tr}", r"\sigma(", r"\sigma", r"\lambda", r"\odot ", r"\cdot ", r"\otimes ", r"\langle ", r"\rangle", r"\infty", "_F",
    "_1", "_2", r"_\infty", r"\le ", r"\ne ", r"\{", r"\}", r"\pi", r"\dagger", "99999", "9^{9^9}", "e^{", r"\text{a b}",
    r"\begin{matrix}", r"\\", r"\nabla", r"\mathbb{E}", r"\,", "\x00", "é", "−", "²", "x_", "{}", "^{}", r"\lfloor ", r"\rceil",
)  # fmt: skip


def arbitrary(pieces: tuple[str, ...] = PIECES) -> st.SearchStrategy[str]:
    """Any text at all, or tokens in any order."""
    return st.text(max_size=200) | st.lists(st.sampled_from(pieces), max_size=60).map("".join)


CONSTANTS = (
    "0", "1", "2", "3", "0.5", "7.25", "1e9", "1e300", "1e-300", "12345678901234567890", "pi", "inf", "(1/3)", "(-1)"
)  # fmt: skip


def grown(leaves: tuple[str, ...], frames: list[str]) -> st.SearchStrategy[str]:
    """Texts that nearly always get past the parser: frames such as ``({} + {})`` filled with leaves and frames."""

    def larger(part: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.sampled_from(frames).flatmap(
            lambda frame: st.tuples(*[part] * frame.count("{}")).map(lambda parts: frame.format(*parts))
        )

    return st.recursive(st.sampled_from(leaves), larger, max_leaves=10)
