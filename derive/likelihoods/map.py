"""Maximum a posteriori: a loss with the penalties that priors are, and what the weight of a penalty is on which scale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy
from sympy import Expr

from .. import api
from ..errors import ShapeError, SpecError, UnknownName, closest
from ..function import Function
from ..information.expected import with_names
from ..information.spelling import sum_of
from ..ir.callables import callable_of
from ..ir.facts import Spec, spec, with_facts
from ..ops.elementwise.piecewise import Absolute
from .page import Section
from .posterior import Estimate, estimate
from .priors import DOMAINS, LINE, Penalty, Prior, penalty_of
from .wall import letter, wall

if TYPE_CHECKING:
    from .loss import Loss

WEIGHTS = "p"
"""The size of what has a prior and is no parameter of the law."""
INDICES = "jkl"
"""Of the entries of what has a prior."""


@dataclass(frozen=True, eq=False)
class Map:
    """A loss and priors: their sum is minus the logarithm of the posterior density, up to a constant.

    penalties: for each name that has a prior, in the order in which they were given.
    axes: of each of these names; of a parameter of the law no axes.
    """

    loss: Loss
    penalties: tuple[Penalty, ...]
    axes: Mapping[str, str]

    @cached_property
    def penalty(self) -> Function:
        """The sum of all penalties, of what has priors and of the names in them."""
        parts = [self._part(p) for p in self.penalties]
        specs = _specs(*parts)

        def total(**arrays: Any) -> Any:
            return sum(part(*(arrays[name] for name in part.inputs)) for part in parts)

        found = api.trace(with_names(total, specs), **specs)
        return replace(found, name="penalty", source="the priors")

    @cached_property
    def function(self) -> Function:
        """The sum of the losses of all examples and of the penalties: a scalar to be minimised.

        Of raw outputs and observations [n], learned scalars, and what has priors.

        Raises:
            SpecError: the priors are of parameters under a link; `estimate` is about these.
        """
        if self.of_parameters:
            named = ", ".join(p.name for p in self.penalties)
            raise SpecError(
                f"the prior is of {named}, not of weights; try: .estimate, or a prior of the weights, w=..."
            )
        specs = _specs(self.loss.total, self.penalty)

        def objective(**arrays: Any) -> Any:
            return sum(f(*(arrays[name] for name in f.inputs)) for f in (self.loss.total, self.penalty))

        found = api.trace(with_names(objective, specs), **specs)
        return replace(found, name=f"{self.loss.name}_map", source=str(self.loss.title))

    @cached_property
    def linear(self) -> Function:
        """The same with the raw output ``z = X w``, X [n, p], for one raw output and one vector of weights.

        Raises:
            SpecError: there are several of either.
        """
        weights = [
            p.name for p in self.penalties if self.axes[p.name] == WEIGHTS and p.name not in self._locals
        ]
        if len(self.loss.raw) != 1 or len(weights) != 1:
            raise SpecError(
                f"z = X w is for one raw output and one vector of weights; found {len(self.loss.raw)} and {len(weights)}"
            )
        (raw,), (w,) = self.loss.raw, weights
        specs = {"X": spec(f"n {WEIGHTS}"), **{k: v for k, v in _specs(self.function).items() if k != raw}}

        def objective(**arrays: Any) -> Any:
            arrays[raw] = arrays.pop("X") @ arrays[w]
            return self.function(*(arrays[name] for name in self.function.inputs))

        found = api.trace(with_names(objective, specs), **specs)
        return replace(found, name=self.function.name, source=self.function.source)

    @cached_property
    def gradient(self) -> Function:
        """The derivative of `function` by the raw outputs and everything that has a prior."""
        found: Function = api.grad(self.function, [*self.loss.raw, *(p.name for p in self.penalties)])
        return found

    @cached_property
    def estimate(self) -> Estimate | None:
        """The closed form of a parameter that all observations have in common; None if there is none, or several."""
        return estimate(self.loss, self.penalties) if self.of_parameters else None

    @property
    def of_parameters(self) -> bool:
        """Whether the priors are about parameters of the law that are under a link."""
        return any(p.name in _under_links(self.loss) for p in self.penalties)

    @property
    def _locals(self) -> set[str]:
        """What has a prior and stands in another one."""
        return {name for p in self.penalties for name in p.prior.names if name in self.axes}

    def _part(self, p: Penalty) -> Function:
        names = (p.name, *p.prior.names)
        specs = {n: spec(self.axes.get(n, "")) for n in names}
        specs = {
            n: replace(s, facts=with_facts(s.facts, *p.prior.scalar.facts.get(n, ())))
            for n, s in specs.items()
        }
        if p.symbol.is_positive:
            specs[p.name] = replace(specs[p.name], facts=with_facts(frozenset(), "positive"))
        return sum_of(p.kept, specs[p.name].shape, names, specs, f"penalty_{p.name}")

    # -- to be read

    @cached_property
    def steps(self) -> tuple[Section, ...]:
        """The priors, what is dropped of them, what is minimised, and what the penalty's weight is on which scale."""
        return tuple(
            s
            for s in (*self._priors(), self._objective(), *self._scales(), self._shape(), self._estimate())
            if s.lines
        )

    def _priors(self) -> list[Section]:
        found = []
        for p in self.penalties:
            entry = f"each entry of {letter(p.name)}" if self.axes[p.name] else letter(p.name)
            lines = [f"−log π({letter(p.name)}) = {_sum(p.kept, p.dropped)}", *p.prior.about]
            if p.dropped != 0:
                lines.append(f"constant, dropped: {wall(p.dropped)}")
            found.append(Section(f"prior of {entry}: {p.prior}", tuple(lines)))
        return found

    def _objective(self) -> Section:
        first = "−Σ_i log p(y_i)" if self.of_parameters else "Σ_i L_i"
        parts = [
            self._over(p.name) + _bracketed(wall(self._of_entry(p.kept)), self.axes[p.name])
            for p in self.penalties
        ]
        whole = " + ".join([first, *parts]).replace("+ −", "− ")
        lines = [f"J = {whole}"] if self.of_parameters else [f"J = {whole}", f"L = {self._loss()}"]
        return Section("minimised: minus the logarithm of the posterior density", tuple(lines))

    def _over(self, name: str) -> str:
        """The sum over the entries of what has a prior; nothing for a number."""
        return f"Σ_{self._place(name)} " if self.axes[name] else ""

    def _place(self, name: str) -> str:
        return INDICES[: len(self.axes[name].split())]

    def _of_entry(self, e: Expr) -> Expr:
        """With what has entries written as one of them: w_j."""
        summed = {s: f"{s.name}_{self._place(s.name)}" for s in e.free_symbols if self.axes.get(s.name)}
        return e.xreplace({s: sympy.Symbol(name, **s.assumptions0) for s, name in summed.items()})

    def _loss(self) -> str:
        return (
            wall(self.loss.body) if self.loss.law is not None else str(self.loss.example).partition(" = ")[2]
        )

    def _scales(self) -> list[Section]:
        """For each prior that is made of norms: the factor of each beside the sum, the mean, and the squared errors."""
        found = []
        n, square = sympy.Symbol("n", positive=True), self.squared
        for p in self.penalties:
            fixed = self.axes[p.name] and not self._locals & {p.name, *p.prior.names}
            factors = p.coefficients if fixed else {}
            for norm, factor in factors.items():
                lines = [
                    f"λ = {wall(factor)}        beside the sum of the losses, Σ L",
                    f"λ = {wall(factor / n)}        beside their mean, Σ L / n",
                ]
                if square is not None:
                    lines.append(
                        f"λ = {wall(sympy.simplify(factor / square))}        beside the sum of squared errors, Σ (y − z)²"
                    )
                if norm == f"‖{p.name}‖²":
                    decay = wall(2 * factor / n)
                    lines.append(f"weight decay {decay}        times {letter(p.name)}, what the gradient of the mean gets")
                found.append(Section(f"the penalty λ {norm.replace(p.name, letter(p.name))}", tuple(lines)))
        return found

    @cached_property
    def squared(self) -> Expr | None:
        """c of a loss that is ``c (y - z)^2``, else None."""
        if self.loss.law is None or len(self.loss.raw) != 1:
            return None
        body, z = self.loss.body, self.loss.reads[self.loss.raw[0]]
        y = self.loss.reads[self.loss.variable]
        factor = sympy.simplify(sympy.diff(body, z, 2) / 2)
        learned = [self.loss.reads[name] for name in self.loss.learned]
        if factor.has(y, z, *learned) or sympy.expand(body - factor * (y - z) ** 2) != 0:
            return None
        return factor

    def _shape(self) -> Section:
        """Whether each penalty is convex in what it is a penalty of."""
        return Section("curvature", tuple(f"{wall(p.kept)} is {curvature(p)}" for p in self.penalties))

    def _estimate(self) -> Section:
        found = self.estimate
        return Section("maximum a posteriori", found.lines if found else ())

    def __str__(self) -> str:
        names = ", ".join(f"{letter(p.name)} ~ {p.prior}" for p in self.penalties)
        return "\n\n".join(map(str, (Section(f"{self.loss.title}; {names}", ()), *self.steps)))

    def __repr__(self) -> str:
        return f"<map {self.loss.name} with priors of {', '.join(p.name for p in self.penalties)}>"


def map_of(loss: Loss, axes: Mapping[str, str], priors: Mapping[str, Any]) -> Map:
    """A loss with priors of weights, of learned scalars, or of parameters of the law.

    Raises:
        UnknownName: axes of something that has no prior.  DomainError: a prior has other values than what it is about.
        SpecError: what is given is no prior.
    """
    if not priors:
        raise SpecError('map takes priors by name; try: loss.map(w=dv.prior("normal", tau="tau"))')
    given = _with_locals(priors)
    if unknown := [name for name in axes if name not in given]:
        raise UnknownName(f"there is no prior of {unknown[0]!r}; {closest(unknown[0], given)}")
    parameters = {g.name: g.parameter.facts for g in loss.setting.given}
    own = {g.name for g in loss.setting.raws} | set(loss.learned)
    if taken := [name for name in given if name in (*loss.raw, loss.variable)]:
        raise SpecError(
            f"{taken[0]} is an input of the loss: its values are given for each example; try: another name for the weights"
        )
    if fixed := [g.name for g in loss.setting.given if g.name in given and g.name not in own]:
        raise SpecError(
            f'{fixed[0]} is not learned, so it has no prior; try: {fixed[0]}="learned" in likelihood'
        )
    wanted: dict[str, tuple[Expr, Expr]] = {}
    for p in given.values():
        for name, facts in p.scalar.facts.items():
            wanted[name] = _domain(facts)
    learned = {*given, *loss.learned}
    penalties = tuple(
        penalty_of(
            name, p, _domain(parameters[name]) if name in parameters else wanted.get(name, LINE), learned
        )
        for name, p in given.items()
    )
    found = {name: axes.get(name, "" if name in own else WEIGHTS) for name in given}
    for name, p in given.items():  # each entry has numbers of its own
        found |= {inner: found[name] for inner in p.names if inner in given and inner not in (*priors, *axes)}
    return Map(loss, penalties, found)


def _with_locals(priors: Mapping[str, Any]) -> dict[str, Prior]:
    """The priors with those of the numbers that each entry has of its own: ``local_w`` for the weights w."""
    found: dict[str, Prior] = {}
    for name, p in priors.items():
        if not isinstance(p, Prior):
            raise SpecError(f"the prior of {name} is what dv.prior(...) gives; found {p!r:.60}")
        renamed = {old: f"{old}_{name}" if len(priors) > 1 else old for old in p.local}
        found[name] = _renamed(p, renamed)
        found |= {renamed[old]: inner for old, inner in p.local.items()}
    return found


def _renamed(p: Prior, names: Mapping[str, str]) -> Prior:
    changed = {old: new for old, new in names.items() if old != new}
    if not changed:
        return p
    symbols = {
        s: sympy.Symbol(changed[s.name], **s.assumptions0) for s in p.scalar.symbols if s.name in changed
    }
    facts = {changed.get(name, name): f for name, f in p.scalar.facts.items()}
    written = p.scalar.written
    texts = tuple((_replaced(text, changed), form) for text, form in written.texts)
    scalar = replace(
        p.scalar, parameters=tuple(e.xreplace(symbols) for e in p.scalar.parameters), facts=facts,
        written=replace(written, texts=texts),
    )  # fmt: skip
    return replace(p, scalar=scalar)


def _replaced(text: str, names: Mapping[str, str]) -> str:
    for old, new in names.items():
        text = text.replace(old, new)
    return text


def _domain(facts: Any) -> tuple[Expr, Expr]:
    return next((DOMAINS[f] for f in ("probability", "positive", "nonnegative") if f in facts), LINE)


def _under_links(loss: Loss) -> set[str]:
    return {g.name for g in loss.setting.raws}


def _specs(*functions: Function) -> dict[str, Spec]:
    """The declarations of the inputs of some functions.

    Raises:
        ShapeError: one name has two shapes.
    """
    found: dict[str, Spec] = {}
    for f in functions:
        for t in f.program.inputs:
            own = Spec(t.shape, t.kind, t.facts, t.bound)
            if t.name in found and found[t.name].shape != own.shape:
                raise ShapeError(f"{t.name} has the shapes {found[t.name].words()!r} and {own.words()!r}")
            known = found.get(t.name, own)
            found[t.name] = replace(known, facts=known.facts | own.facts)
    return found


def _sum(kept: Expr, dropped: Expr) -> str:
    if dropped == 0:
        return wall(kept)
    text = wall(dropped)
    return (
        f"{wall(kept)} − {text[1:]}"
        if text.startswith("−") and " + " not in text
        else f"{wall(kept)} + {text}"
    )


def _bracketed(text: str, summed: str) -> str:
    return f"({text})" if summed and (" + " in text or " − " in text) else text


def curvature(p: Penalty) -> str:
    """The words for whether a penalty is convex: by the signs of its second derivative, or where it is seen to bend down."""
    smooth, w = p.kept.replace(Absolute, lambda e: sympy.sqrt(e**2)), p.symbol
    if all(t.diff(w, 2).is_nonnegative or _is_norm(t, w) for t in sympy.Add.make_args(sympy.expand(p.kept))):
        return f"convex in {letter(p.name)}"
    rng = np.random.default_rng(6)
    grid = np.linspace(-30, 30, 802)
    if p.symbol.is_positive:
        grid = (
            np.linspace(0.005, 0.995, 400)
            if "probability" in p.prior.scalar.record.support
            else np.geomspace(1e-2, 30, 400)
        )
    for _ in range(6):
        others = {s: round(float(rng.uniform(0.3, 3)), 2) for s in sorted(smooth.free_symbols - {w}, key=str)}
        slope = callable_of(sympy.diff(smooth.subs(others), w), (w,))
        values = np.broadcast_to(np.asarray(slope(grid), dtype=float), grid.shape)
        falls = np.flatnonzero(np.diff(values) < -1e-9 * (1 + np.abs(values[:-1])))
        if len(falls):
            point = {w: f"{grid[falls[len(falls) // 2]]:.3g}", **others}
            return f"not convex: at {', '.join(f'{letter(s.name)} = {v}' for s, v in point.items())} it bends down"
    return f"convex in {letter(p.name)} at all points that were looked at"


def _is_norm(t: Expr, w: sympy.Symbol) -> bool:
    """``c |w|`` with c positive."""
    return bool((t / Absolute(w)).is_positive and not (t / Absolute(w)).has(w))
