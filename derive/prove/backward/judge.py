"""A hand-written backward pass judged line by line: each array against the gradient that it should be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn

import numpy as np
import sympy

from ...frontends.claim import Guards
from ...frontends.formula_derivatives import Taken
from ...ir.evaluate import evaluate
from ...ir.nodes import Equation, Program, Read, Tensor, fresh_indices
from ...ir.recurrences import in_order
from ...ir.tensors import merge, with_tensors
from ...rewrite.measure import prune
from ...verify.sample import plan_sizes, sample_inputs
from ..ladder import SECONDS, decide_within, proved
from ..verdict import Verdict
from .adjoints import Adjoints

PREFIXES = ("d", "g", "D", "grad", "delta", "bar", "adj")
SUFFIXES = ("grad", "delta", "bar", "adj")
"""What a gradient is called after its array: dZ, gZ, grad_Z, Z_bar."""
POINTS = 3
TINY = 1e-10
MARK = "'"
"""What the names of a backward pass begin with while it stands beside the loss, whose names are often the same."""


@dataclass(frozen=True)
class Line:
    """One array of a backward pass.

    name, where: of the array, and the file and line that define it.
    meant: the array whose gradient it is, or should be by its name or by where it is returned; empty for a helper.
    forward: whether it is an array of the forward pass, computed again.
    verdict: on that, if it was decided; earlier wrong lines count as put right.
    expected: the formula that it should have. factor: the number that it is too large by, if that is all.
    """

    name: str
    where: str
    meant: str = ""
    forward: bool = False
    verdict: Verdict | None = None
    expected: str = ""
    factor: str = ""

    @property
    def wrong(self) -> bool:
        return self.verdict is not None and self.verdict.status == "REFUTED"

    @property
    def details(self) -> list[str]:
        """What a wrong line should be, and where it is seen to be wrong."""
        assert self.verdict is not None
        first, *others = self.expected.split("\n")
        should = [f"should be  {first}", *(f"           {line}" for line in others)] if first else []
        return [*should, *str(self.verdict.counterexample).split("\n")]

    def __str__(self) -> str:
        what = self.meant if self.forward else f"gradient of {self.meant}"
        if self.verdict is None:
            return what
        if not self.wrong:
            return f"{self.verdict.status}  {what}"
        return f"WRONG   {f'{self.factor} times the {what}' if self.factor else f'not the {what}'}"


@dataclass(frozen=True)
class Audit:
    """What is right and what is wrong in a hand-written backward pass, line by line.

    lines: in the order of the code. Each is judged as if the wrong ones before it had been put right, so that each error is
    named once, where it is made.
    """

    name: str
    loss: str
    lines: tuple[Line, ...]
    source: Mapping[str, str] = field(default_factory=dict)

    @property
    def wrong(self) -> tuple[Line, ...]:
        """The lines with an error of their own."""
        return tuple(line for line in self.lines if line.wrong)

    @property
    def undecided(self) -> tuple[Line, ...]:
        """The lines that could neither be proved, tested nor refuted: unknown is never a pass."""
        return tuple(n for n in self.lines if n.verdict is not None and n.verdict.status == "UNKNOWN")

    def __bool__(self) -> NoReturn:
        raise TypeError("an audit is no truth value: look at .wrong and .undecided")

    def __str__(self) -> str:
        count = len(self.wrong)
        head = f"{self.name} as the gradient of {self.loss}: "
        head += "no error found" if not count else "1 error" if count == 1 else f"{count} errors"
        if self.undecided:
            head += f", {len(self.undecided)} undecided"
        rows = [(n.where.rpartition(":")[2], self.source.get(n.where, n.name), str(n)) for n in self.lines if n.meant]
        wide = [max((len(row[k]) for row in rows), default=0) for k in (0, 1)]
        text = [head]
        for line, (where, code, said) in zip((n for n in self.lines if n.meant), rows, strict=True):
            text.append(f"  {where:>{wide[0]}}  {code:<{wide[1]}}  {said}".rstrip())
            if line.wrong:
                text += [f"  {'':>{wide[0]}}    {more}" for more in line.details]
        return "\n".join(text)


def judge(loss: Program, backward: Program, wrt: Sequence[str]) -> list[Line]:
    """Every named or returned array of a backward pass, in its order.

    Args:
        loss: a scalar program.
        backward: a program of the same inputs; its outputs are the gradients by `wrt`.
    """
    return _Judge(loss, backward, wrt).run()


def verify_returned(loss: Program, backward: Program, wrt: Sequence[str], claim: str) -> list[Verdict]:
    """A verdict for each array that a backward pass returns: is it the gradient by this input?

    What was proved of the lines before is used: the gradient of a deep network is proved layer by layer.
    """
    return _Judge(loss, backward, wrt).verdicts(claim)


class _Judge:
    def __init__(self, loss: Program, backward: Program, wrt: Sequence[str]) -> None:
        self.adjoints = Adjoints(loss)
        marked = {e.target: replace(e.target, name=MARK + e.target.name) for e in backward.equations}
        self.loss, self.backward = loss, with_tensors(backward, marked)
        self.wrt = tuple(wrt)
        self.returned = {t.name: name for t, name in zip(self.backward.outputs, wrt, strict=True)}
        rng = np.random.default_rng(5)
        self.points = [sample_inputs(loss, sizes, rng) for sizes in plan_sizes(loss, POINTS)]
        self.sizes = [dict(zip(loss.sizes, _numbers(loss, p), strict=True)) for p in self.points]
        self.references: dict[str, tuple[Program, list[Any]]] = {}
        self.spelling: dict[str, str] = {}

    def run(self) -> list[Line]:
        lines: list[Line] = []
        known: set[str] = set()
        for equation in self.backward.equations:
            if not equation.step.named and equation.target.name not in self.returned:
                continue
            line = self.line(equation, known)
            if line.meant and not line.forward:
                known.add(line.meant)
            lines.append(line)
        return lines

    def verdicts(self, claim: str) -> list[Verdict]:
        for equation in self.backward.equations:
            target = equation.target
            if equation.step.named and target.name not in self.returned:
                meant, forward = self.meaning(target, target.name.removeprefix(MARK))
                reference, expected = self.reference(meant, forward) if meant else (None, [])
                if reference is None or not _agree(self.values(self.current(target.name)), expected):
                    continue
                if proved(prune(merge([self.current(target.name), reference]))):
                    self.put_right(target, reference)
        found = []
        for output, name in zip(self.backward.outputs, self.wrt, strict=True):
            about = f"{claim}: g{name}" if len(self.wrt) > 1 else claim
            found.append(self.decided(self.current(output.name), name, False, about))
        return found

    def line(self, equation: Equation, known: set[str]) -> Line:
        target = equation.target
        name = target.name.removeprefix(MARK) if equation.step.named else f"g{self.returned[target.name]}"
        meant, forward = self.meaning(target, name)
        line = Line(name, equation.step.where, meant, forward)
        if not meant:
            return line
        if not forward:
            self.spelling.setdefault(meant, name)
        reference, expected = self.reference(meant, forward)
        found = self.values(self.current(target.name))
        claim = f"{name} is {meant if forward else f'the gradient of {meant}'}"
        line = replace(line, verdict=self.decided(self.current(target.name), meant, forward, claim))
        self.put_right(target, reference)
        if not line.wrong:
            return line
        formula = "" if forward else self.adjoints.formula(meant, known, self.spelling | {meant: name})
        return replace(line, expected=formula, factor=self.factor(found, expected))

    def decided(self, found: Program, name: str, forward: bool, claim: str) -> Verdict:
        """Whether an array is the one of the forward pass, or its gradient; ours is confirmed before it refutes another."""
        joint = merge([found, self.reference(name, forward)[0]])
        if forward:
            return decide_within(prune(joint), "==", claim, SECONDS)
        variable = self.adjoints.by_name[name]
        base = prune(self.adjoints.cut(name, self.adjoints.output))
        ours = (joint.outputs[-1], variable)
        whole = replace(merge([joint, self.loss]), outputs=(*joint.outputs, *ours))
        guards = Guards(prune(whole), (Taken("grad", base, name, ours),))
        return decide_within(prune(joint), "==", claim, SECONDS, guards)

    def meaning(self, target: Tensor, name: str) -> tuple[str, bool]:
        """The array of the forward pass that this one is, or whose gradient it is, by name, or by value if it has none."""
        arrays = self.adjoints.by_name
        if target.name in self.returned:
            return self.returned[target.name], False
        if name in arrays and _same_axes(target, arrays[name]):
            return name, True
        for of in _stems(name):
            if of in arrays and _same_axes(target, arrays[of]):
                return of, False
        values = self.values(self.current(target.name))
        for forward in (True, False):
            for other, tensor in arrays.items():
                if _same_axes(target, tensor) and _agree(values, self.reference(other, forward)[1]):
                    return other, forward
        return "", False

    def current(self, name: str) -> Program:
        """The backward pass, with wrong lines put right, up to one of its arrays."""
        target = next(e.target for e in self.backward.equations if e.target.name == name)
        return prune(replace(self.backward, outputs=(target,)))

    def reference(self, name: str, forward: bool) -> tuple[Program, list[Any]]:
        """What an array should be, as a program, and its values at the points."""
        key = f"{name} forward" if forward else name
        if key not in self.references:
            program = (
                prune(replace(self.loss, outputs=(self.adjoints.by_name[name],))) if forward else self.adjoints.program(name)
            )
            self.references[key] = program, self.values(program)
        return self.references[key]

    def values(self, program: Program) -> list[Any]:
        (output,) = program.outputs
        return [np.squeeze(evaluate(program, point)[output.name]) for point in self.points]

    def put_right(self, target: Tensor, reference: Program) -> None:
        """The backward pass with what `target` should be in its place, so that what follows is judged by itself."""
        joint = merge([self.backward, reference])
        right = joint.outputs[-1]
        axes = fresh_indices(target.shape)
        places = [i for i in axes if i.extent != 1] if right.rank < target.rank else axes
        equations = [
            replace(e, axes=axes, body=Read(right, places), reduce=None, bound=()) if e.target == target else e
            for e in joint.equations
        ]
        self.backward = Program(joint.inputs, in_order(equations), joint.outputs[:-1])

    def factor(self, found: list[Any], expected: list[Any]) -> str:
        """The number or size by which all entries are too large; empty if there is none."""
        told = [k for k, b in enumerate(expected) if np.any(np.abs(b) > TINY)]
        ratios = [_ratio(found[k], expected[k]) for k in told]
        if not ratios or any(np.isnan(ratios)):
            return ""
        if np.allclose(ratios, ratios[0]):
            plain = sympy.nsimplify(round(ratios[0], 9), rational=True)
            return str(plain) if plain.q < 100 else ""
        for s in self.loss.sizes:
            numbers = np.array([self.sizes[k][s] for k in told], dtype=float)
            for text, values in ((str(s), numbers), (f"1/{s}", 1 / numbers)):
                if np.allclose(ratios, values):
                    return text
        return ""


def _stems(name: str) -> Iterator[str]:
    """What is left of a name without what says that it is a gradient."""
    yield from (name.removeprefix(p).removeprefix("_") for p in PREFIXES if name.startswith(p))
    yield from (name.removesuffix(s).removesuffix("_") for s in SUFFIXES if name.endswith(s))


def _numbers(program: Program, arrays: Mapping[str, Any]) -> list[int]:
    from_shapes = {e: n for t in program.inputs for e, n in zip(t.shape, np.shape(arrays[t.name]), strict=True)}
    return [from_shapes[s] for s in program.sizes]


def _same_axes(a: Tensor, b: Tensor) -> bool:
    return [e for e in a.shape if e != 1] == [e for e in b.shape if e != 1]


def _agree(found: list[Any], expected: list[Any]) -> bool:
    pairs = zip(found, expected, strict=True)
    return all(np.shape(a) == np.shape(b) and np.allclose(a, b, rtol=1e-7, atol=TINY) for a, b in pairs)


def _ratio(a: Any, b: Any) -> float:
    """The common quotient of all entries; NaN if there is none."""
    if np.shape(a) != np.shape(b):
        return np.nan
    ratio = float(np.sum(a * b) / np.sum(b * b))
    return ratio if np.allclose(a, ratio * np.asarray(b), rtol=1e-7, atol=TINY) else np.nan
