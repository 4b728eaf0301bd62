"""What the tensors of a program are to a person: whose cotangent, named by whom, mentioned how early."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from ..ir.nodes import Equation, Index, Program, reads_of
from ..ir.recurrences import recurrences
from ..rewrite.algebra import is_symmetric
from .letters import Letters, Place, shifted_places, time_axes

GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "zeta": "ζ", "eta": "η",
    "theta": "θ", "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π",
    "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π", "Sigma": "Σ", "Upsilon": "Υ",
    "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω",
    "rho": "ρ", "sigma": "σ", "tau": "τ", "upsilon": "υ", "phi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω",
}  # fmt: skip


@dataclass(frozen=True)
class Names:
    """A program with the names of the tensors that belong to its forward pass; all others are derived."""

    program: Program
    forward: frozenset[str] = frozenset()

    def letters(self, equation: Equation) -> dict[Index, str]:
        """A letter for each index of the equation, all different."""
        return self._letters.of(equation)

    @cached_property
    def _letters(self) -> Letters:
        return Letters(self.program, self.times)

    @cached_property
    def times(self) -> frozenset[Place]:
        """The axes that are times: those of recurrences, and those that are read along with them."""
        return time_axes(self.program)

    def is_time(self, equation: Equation, index: Index) -> bool:
        """Whether an index runs over time."""
        reads = (equation.lhs, *reads_of(equation.body))
        return any(place in self.times for r in reads for place, i in shifted_places(r) if i == index)

    @cached_property
    def order(self) -> dict[str, tuple[int, int, int]]:
        """For each tensor: 0 for a cotangent, the first input that it depends on, how deep it lies."""
        found: dict[str, tuple[int, int, int]] = {}
        for position, tensor in enumerate(self.program.inputs):
            found[tensor.name] = (self._kind(tensor.name), position, 0)
        for depth, equation in enumerate(self.program.equations, 1):
            name = equation.target.name
            births = [found[r.tensor.name][1] for r in reads_of(equation.body) if r.tensor.name in found]
            found[name] = (self._kind(name), min(births, default=0), depth)
        return found

    def _kind(self, name: str) -> int:
        return 0 if self.variable_of(name, "g") else 1

    @cached_property
    def kept(self) -> frozenset[str]:
        """Members of recurrences that are read at a lag: a definition of one step cannot stand for them."""
        blocks = recurrences(self.program.equations)
        return frozenset(
            r.tensor.name for b in blocks for e in b.equations for r in b.recurrent(e) if b.lag(e, r)
        )

    @cached_property
    def chosen(self) -> frozenset[str]:
        """Tensors to which the user gave a name."""
        return frozenset(e.target.name for e in self.program.equations if e.step.named)

    @cached_property
    def spoken(self) -> frozenset[str]:
        """Tensors that have the name of a variable of the user's."""
        return frozenset(e.target.name for e in self.program.equations if e.step.named and not e.step.default)

    @cached_property
    def symmetric(self) -> set[str]:
        """Tensors whose last two axes are those of symmetric matrices, declared or by their definition."""
        found = {t.name for t in self.program.tensors.values() if "symmetric" in t.facts}
        for equation in self.program.equations:
            if is_symmetric(equation, found):
                found.add(equation.target.name)
        return found

    @cached_property
    def known(self) -> set[str]:
        """Every tensor that is mentioned, also those whose equations are not needed any more."""
        origins = (e.step.of for e in self.program.equations if e.step.of)
        return {*self.program.tensors, *self.forward, *origins}

    @cached_property
    def seeds(self) -> set[str]:
        """The cotangents or tangents among the inputs: they come last and are called after a variable."""
        found: set[str] = set()
        results = {t.name for t in self.program.outputs}
        for tensor in reversed(self.program.inputs):
            name = tensor.name
            if name[0] not in "gd" or len(name) < 2 or name in GREEK or results & {"g" + name, "d" + name}:
                break
            if self._known_of(name[1:]) is None:
                break
            found.add(name)
        return found

    def variable_of(self, name: str, prefix: str) -> str | None:
        """The tensor whose cotangent (prefix "g") or tangent (prefix "d") `name` is, else None."""
        if not name.startswith(prefix) or len(name) < 2 or name in self.forward:
            return None
        base = name[len(prefix) :]
        return base if name in self.seeds else self._known_of(base)

    def _known_of(self, base: str) -> str | None:
        """The tensor that `base` is, up to a number or a word that keeps names apart."""
        candidates = (base, base.rstrip("0123456789"), base.rsplit("_", 1)[0])
        return next((c for c in candidates if c and c in self.known), None)
