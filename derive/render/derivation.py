"""The steps of a derivation: the rule that made each equation, and the forward equation it comes from."""

from __future__ import annotations

from dataclasses import dataclass

from ..ir.nodes import Equation, Program
from .index import index_lines
from .lines import plain_lines
from .names import Names
from .tree import Line

RULES = {
    "chain rule": "chain rule through {source}",
    "primitive": "the derivative of {source}",
    "hoisted sum": "chain rule through {source}: a sum that is computed once",
    "sum of shares": "the contributions of all uses of {of}, added up",
    "shared value": "needed more than once, so computed once",
    "seed": "given",
    "differential": "differential of {source}",
    "Jacobian": "one row for each entry of the output, from {source}",
    "does not depend": "no output depends on {of}",
}
"""Each rule in words; `of` is the tensor that was differentiated, `source` its equation."""


@dataclass(frozen=True)
class DerivationStep:
    """One derived equation.

    rule, of, where: how it was made, from which forward tensor, at which line of the user's file.
    source: the equation of that tensor, if the program still has it.
    index, matrix: the result in both notations (equal where matrix notation does not exist).
    """

    rule: str
    of: str
    where: str
    source: Line | None
    index: Line
    matrix: Line

    def reason(self, of: str, source: str) -> str:
        """The rule in words; `of` and `source` are the forward tensor and its equation as printed."""
        template = RULES.get(self.rule, f"{self.rule} of {{source}}" if self.of else self.rule)
        return template.format(of=of, source=source or of)


def steps_of(names: Names, base: Program | None = None) -> list[DerivationStep]:
    """One entry for each derived equation, in the order of the program; `base` is the whole forward pass."""
    index = {line.target: line for line in forward_lines(names, base)}
    index |= {line.target: line for line in index_lines(names.program, names)}
    matrix = {line.target: line for line in plain_lines(names)}
    derived = (e for e in names.program.equations if e.target.name not in names.forward)
    return [_step(e, index, matrix) for e in derived]


def forward_lines(names: Names, base: Program | None = None) -> list[Line]:
    """The forward pass in index notation: all of `base` if given, else what the derivative needs of it."""
    if base is None:
        return [line for line in index_lines(names.program, names) if line.forward]
    return index_lines(base, Names(base, frozenset(base.definitions)))


def _step(equation: Equation, index: dict[str, Line], matrix: dict[str, Line]) -> DerivationStep:
    made, name = equation.step, equation.target.name
    source = index.get(made.of) if made.of != name else None
    return DerivationStep(made.rule or "definition", made.of, made.where, source, index[name], matrix[name])
