"""The derivation as a text, a LaTeX fragment or a page."""

from __future__ import annotations

from typing import Literal

from ..ir.nodes import Program
from .derivation import DerivationStep, forward_lines, steps_of
from .html import render_html
from .latex import Latex, aligned
from .legend import render_legend
from .lines import laid_out, printed_lines
from .names import Names
from .text import ASCII, BOARD

CONVENTION = r"$\bar{X}$ is the cotangent of $X$, $\dot{X}$ its tangent."


def render_steps(program: Program, forward: frozenset[str] = frozenset()) -> list[DerivationStep]:
    """One entry for each derived equation, in the order of the program.

    Args:
        program: forward equations and derived ones.
        forward: names of the tensors that the forward pass defines.
    """
    return steps_of(Names(program, forward))


def explain(
    program: Program,
    forward: frozenset[str] = frozenset(),
    format: Literal["text", "latex", "html"] = "text",
    base: Program | None = None,
) -> str:
    """The whole derivation: forward pass, steps, result and legend.

    Args:
        program: forward equations and derived ones.
        forward: names of the tensors that the forward pass defines.
        format: "text", "latex" (a fragment for a document) or "html" (a page that needs no network).
        base: the program that was differentiated, to show the whole forward pass and every source.
    """
    match format:
        case "text":
            return _text(Names(program, forward), base)
        case "latex":
            return _latex(Names(program, forward), base)
        case "html":
            return render_html("Derivation", program, forward, base=base)
    raise ValueError(f"no format is called {format!r}; known: text, latex, html")


def _text(names: Names, base: Program | None) -> str:
    blocks = {
        "forward pass": [ASCII.line(line) for line in forward_lines(names, base)],
        "derivation": [
            text for number, step in enumerate(steps_of(names, base), 1) for text in _step_text(number, step)
        ],
        "result": laid_out(printed_lines(names), BOARD),
        "legend": render_legend(names.program, names.forward, base),
    }
    return "\n\n".join(
        "\n".join([title, *("  " + t for t in body)]) for title, body in blocks.items() if body
    )


def _step_text(number: int, step: DerivationStep) -> list[str]:
    margin = " " * len(f"{number}. ")
    source = ASCII.line(step.source) if step.source else ""
    place = f"   ({step.where})" if step.where else ""
    lines = [f"{number}. {ASCII.line(step.index)}", f"{margin}{step.reason(step.of, source)}{place}"]
    return [*lines, f"{margin}in matrices: {BOARD.line(step.matrix)}"] if step.matrix.matrix else lines


def _latex(names: Names, base: Program | None) -> str:
    printer = Latex(names)
    items = [_step_latex(printer, step) for step in steps_of(names, base)]
    forward = [printer.line(line) for line in forward_lines(names, base)]
    result = laid_out(printed_lines(names), printer)
    blocks = [
        f"\\[\n{aligned(forward)}\n\\]" if forward else "",
        "\\begin{enumerate}\n" + "\n".join(items) + "\n\\end{enumerate}" if items else "",
        f"\\[\n{aligned(result)}\n\\]",
        CONVENTION,
    ]
    return "\n\n".join(b for b in blocks if b)


def _step_latex(printer: Latex, step: DerivationStep) -> str:
    of = f"${printer.symbol(step.of)}$" if step.of else ""
    source = f"${printer.line(step.source)}$" if step.source else ""
    place = r" (\texttt{" + step.where.replace("_", r"\_") + "})" if step.where else ""
    return f"  \\item {step.reason(of, source)}{place}\n    \\[ {printer.line(step.index)} \\]"
