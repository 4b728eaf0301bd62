"""A page for the browser: formulas in MathML, steps, legend and LaTeX source; it needs no network."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from ..ir.nodes import Program
from .derivation import DerivationStep, forward_lines, steps_of
from .latex import render_latex
from .legend import render_legend
from .lines import laid_out, printed_lines
from .mathml import MathML
from .names import Names

STYLE = """
body { font: 17px/1.5 Georgia, serif; max-width: 46rem; margin: 3rem auto; padding: 0 1rem; color: #1a1a1a;
       background: #fff }
h1, h2 { font-weight: normal }
h2 { margin-top: 2.5rem; border-bottom: 1px solid #ccc }
math { margin: .5rem 0; overflow-x: auto }
li { margin: .8rem 0 }
.where { color: #777; font-size: .85em }
pre { overflow-x: auto; padding: .8rem; background: #f6f6f4; font-size: 14px }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #16181c } pre { background: #23262c } }
"""


def render_html(
    title: str,
    program: Program,
    forward: frozenset[str] = frozenset(),
    notes: Iterable[str] = (),
    source: str = "",
    base: Program | None = None,
) -> str:
    """A self-contained page.

    Args:
        title: of the page, such as the name of the user's function.
        program: forward equations and derived ones.
        forward: names of the tensors that the forward pass defines.
        notes: further paragraphs, such as the verdict of a check.
        source: program text to show, such as the emitted code.
        base: the program that was differentiated, to show the whole forward pass.
    """
    names = Names(program, forward)
    printer = MathML(names)
    sections = {
        "Result": "\n".join(laid_out(printed_lines(names), printer)),
        "Forward pass": "\n".join(map(printer.line, forward_lines(names, base))),
        "Derivation": _list("ol", [_step(printer, step) for step in steps_of(names, base)]),
        "Symbols and conventions": _list("ul", map(escape, render_legend(program, forward, base))),
        "Notes": "\n".join(f"<p>{escape(note)}</p>" for note in notes),
        "Code": f"<pre>{escape(source)}</pre>" if source else "",
        "LaTeX": f"<pre>{escape(render_latex(program, forward))}</pre>",
    }
    body = "\n".join(f"<h2>{heading}</h2>\n{content}" for heading, content in sections.items() if content)
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{escape(title)}</title>\n'
        f'<meta name="viewport" content="width=device-width">\n<style>{STYLE}</style>\n</head>\n'
        f"<body>\n<h1>{escape(title)}</h1>\n{body}\n</body>\n</html>\n"
    )


def _list(kind: str, items: Iterable[str]) -> str:
    inner = "\n".join(f"<li>{item}</li>" for item in items)
    return f"<{kind}>\n{inner}\n</{kind}>" if inner else ""


def _step(printer: MathML, step: DerivationStep) -> str:
    of = f"<math>{printer.symbol(step.of)}</math>" if step.of else ""
    source = printer.line(step.source) if step.source else ""
    place = f' <span class="where">{escape(step.where)}</span>' if step.where else ""
    return f"{step.reason(of, source)}{place}\n{printer.line(step.index)}"
