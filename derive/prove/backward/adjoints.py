"""The gradient of a loss by any array of its forward pass, and its formula in terms of a gradient further ahead."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

import sympy

from ...calculus.vjp import vjp
from ...ir.nodes import Equation, Program, Tensor
from ...ir.recurrences import members
from ...ir.tensors import with_equation, with_tensors
from ...render.matrix import render_parts
from ...rewrite.derived import constrained, derived, names_of
from ...rewrite.measure import prune


class Adjoints:
    """The gradients of a scalar program by its inputs and by the arrays that its code names.

    The gradient by an intermediate array is the derivative of the loss as a function of it, along all paths. What a
    recurrence makes step by step is not among them.
    """

    def __init__(self, loss: Program) -> None:
        self.loss = loss
        (self.output,) = loss.outputs
        looped = members(loss.equations)
        self.named = {e.target.name: e.target for e in loss.equations if e.step.named and e.target.name not in looped}
        self.by_name = {t.name: t for t in loss.inputs if t.kind == "real"} | self.named
        self.gradients: dict[str, Tensor] = {}
        self.equations: list[Equation] = []
        self.readers: dict[str, list[str]] = {}
        for e in loss.equations:
            for read in e.reads:
                self.readers.setdefault(read.tensor.name, []).append(e.target.name)
        self.ahead = {name: set(self._consumers(name)) for name in (*self.by_name, self.output.name)}

    def program(self, name: str) -> Program:
        """The program whose one output is the gradient by this array, by way of the gradients between it and the loss."""
        output = self._gradient(name)
        return prune(Program(self.loss.inputs, (*self.loss.equations, *self.equations), (output,)))

    def _gradient(self, name: str) -> Tensor:
        """The gradient by an array in terms of that by the nearest through which all of it flows; `equations` has theirs."""
        if name not in self.gradients:
            through = next(iter(self._passed(name)), self.output.name)
            at = self.by_name.get(through, self.output)
            cut = prune(self.cut(name, at))
            seed = sympy.S.One if through == self.output.name else None
            raw = vjp(cut, (name,), {at.name: seed})
            seeds = {t: self._gradient(through) for t in raw.inputs[len(cut.inputs) :]}
            own = names_of(cut)
            made = [e.target for e in raw.equations if e.target.name not in own]
            words = {t: replace(t, name=f"\N{PARTIAL DIFFERENTIAL}{name}.{n}") for n, t in enumerate(made)}
            final = replace(raw.outputs[0], name=f"\N{PARTIAL DIFFERENTIAL}{name}")
            words |= {raw.outputs[0]: final} | seeds
            self.equations += [with_equation(e, words) for e in raw.equations if e.target.name not in own]
            self.gradients[name] = final
        return self.gradients[name]

    def formula(self, name: str, known: Collection[str], spelling: dict[str, str]) -> str:
        """The gradient by one array in terms of that by the nearest of the `known` ones through which all of it flows.

        spelling: how gradients are called, by the array.
        """
        through = next((n for n in self._passed(name) if n in known and n != name), self.output.name)
        at = self.by_name.get(through, self.output)
        whole = through == self.output.name
        cut = prune(self.cut(name, at))
        raw = vjp(cut, (name,), {at.name: sympy.S.One if whole else None})
        own = names_of(cut)
        found = constrained(derived(raw, cut), own)
        called = spelling[name] if spelling[name] not in own - {name} else f"g{name}"
        words = {t: replace(t, name=called) for t in found.outputs}
        if not whole:
            words |= {t: replace(t, name=spelling[through]) for t in found.inputs if t not in cut.inputs}
        _, lines = render_parts(with_tensors(found, words), own)
        return "\n".join(lines) if members(found.equations) else "; ".join(lines)

    def cut(self, name: str, output: Tensor) -> Program:
        """The loss, or another array of it, as a function of this one."""
        if name not in names_of(self.loss):
            return replace(self.loss, outputs=(output,))
        equations = tuple(e for e in self.loss.equations if e.target.name != name)
        return Program((*self.loss.inputs, self.by_name[name]), equations, (output,))

    def _consumers(self, name: str) -> Iterator[str]:
        """The named arrays, and the loss, that are computed from this one without another named array between."""
        reached, waiting = {name}, [name]
        while waiting:
            for target in self.readers.get(waiting.pop(), ()):
                if target not in reached:
                    reached.add(target)
                    if target in self.named or target == self.output.name:
                        yield target
                    else:
                        waiting.append(target)

    def _passed(self, name: str) -> list[str]:
        """The arrays through which every path from this one to the loss goes, the nearest first."""
        order = [*self.by_name, self.output.name] if self.output.name not in self.by_name else [*self.by_name]
        passed: dict[str, set[str]] = {}
        for n in reversed(order):
            following = [passed[c] for c in self.ahead[n] if c in passed]
            passed[n] = {n} | (set.intersection(*following) if following else set())
        return [n for n in order if n in passed[name] and n != name]
