"""Backpropagation through time in little memory: the carry is stored at every so many steps, the rest is computed again.

A function with a recurrence over T steps is cut into three programs: the initial values, one *segment* of the steps
(the same equations on a part of the time axis), and what follows. The driver runs the segments forward and keeps the
carry at their beginnings; then it runs the derived backward pass of each segment, from the last to the first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import isqrt
from typing import Any

import numpy as np
import sympy
from sympy import Eq, Expr

from .calculus.vjp import vjp
from .errors import UnknownName, UnsupportedOp
from .ir.evaluate import evaluate
from .ir.nodes import Equation, Index, Program, Read, Tensor, Where, indices_of, reads_of, substitute
from .ir.recurrences import Recurrence, blocks, in_order, split_off
from .ir.sizes import solve_sizes
from .kernels.compile import compile_program
from .render.letters import time_axes
from .rewrite.derived import derived
from .rewrite.measure import prune

Arrays = Mapping[str, Any]
Runner = Callable[[Program], Callable[[Arrays], dict[str, Any]]]


def interpreted(program: Program) -> Callable[[Arrays], dict[str, Any]]:
    """Run a program by the reference interpreter."""

    def run(arrays: Arrays) -> dict[str, Any]:
        values = evaluate(program, {t.name: arrays[t.name] for t in program.inputs})
        return {t.name: values[t.name] for t in program.outputs}

    return run


def compiled(program: Program) -> Callable[[Arrays], dict[str, Any]]:
    """Run a program as a kernel."""
    kernel = compile_program(program, "part", single=False)

    def run(arrays: Arrays) -> dict[str, Any]:
        values = kernel(**{t.name: arrays[t.name] for t in program.inputs})
        return {t.name: value for t, value in zip(program.outputs, values, strict=True)}

    return run


@dataclass(frozen=True)
class Parts:
    """A program cut along its time.

    first: the initial carry from the inputs.  segment: from the carry and a part of the time axis the carry behind it,
    the sums over its steps, and the outputs that have a time axis.  last: the other outputs, from sums and last carry.
    carry: the names of the carry in front of a segment and behind it.  timed: the time axis of inputs and outputs.
    """

    first: Program
    segment: Program
    last: Program
    carry: dict[str, str]
    sums: tuple[str, ...]
    timed: dict[str, int]
    steps: Expr


def cut(program: Program) -> Parts:
    """Cut a program with one recurrence that runs forward.

    Raises:
        UnsupportedOp: there is no such recurrence, or something looks at more than one step of the time axis.
    """
    loops = [b for b in blocks(program.equations) if isinstance(b, Recurrence)]
    if len(loops) != 1 or not loops[0].forward:
        raise UnsupportedOp(f"checkpoints need one recurrence that runs forward; found {len(loops)} in all")
    (loop,) = loops
    places: dict[str, int] = dict(time_axes(program))
    states = {e.target.name: e for e in loop.equations if split_off(e) is not None}
    for e in loop.equations:
        if any(loop.lag(e, r) and r.tensor.name not in states for r in loop.recurrent(e)):
            raise UnsupportedOp(f"checkpoints need an initial value for what is kept; found {e}")
    steps = sympy.expand(loop.time(next(iter(states.values()))).extent - 1)
    begin = {n: Tensor(f"{n}_before", _without(e.target.shape, places[n])) for n, e in states.items()}
    end = {n: Tensor(f"{n}_behind", t.shape) for n, t in begin.items()}
    first, behind = [], []
    for n, e in states.items():
        found = split_off(e)
        assert found is not None
        axes = tuple(i for p, i in enumerate(e.axes) if p != places[n])
        first.append(Equation(replace(begin[n], name=f"{n}_first"), axes, found[2]))
        whole = (*axes[: places[n]], steps, *axes[places[n] :])
        behind.append(Equation(end[n], axes, Read(e.target, whole)))
    inside: list[Equation] = []
    outside: list[Equation] = []
    for e in program.equations:
        if e.target.name in states:
            inside.append(_restarted(e, begin[e.target.name], places[e.target.name]))
        elif e.target.name in places:
            inside.append(e)
        elif any(r.tensor.name in places and not _is_last(r, places, steps) for r in e.reads):
            _check_sum(e, places)
            inside.append(e)
        else:
            outside.append(_from_last(e, places, end))
    sums = tuple(e.target for e in inside if e.target.name not in places)
    timed_outputs = tuple(t for t in program.outputs if t.name in places)
    _check_local(inside, states, places, steps)
    passed = {*(s.name for s in sums), *(t.name for t in end.values())}
    untimed = [e for e in outside if not any(r.tensor.name in passed for r in e.reads)]
    segment = prune(
        Program(
            (*program.inputs, *begin.values()),
            in_order((*untimed, *inside, *behind)),
            (*end.values(), *sums, *timed_outputs),
        )
    )
    firsts = prune(Program(program.inputs, in_order((*untimed, *first)), tuple(e.target for e in first)))
    others = tuple(t for t in program.outputs if t.name not in places)
    given = tuple(s for s in (*sums, *end.values()))
    last = prune(Program((*program.inputs, *given), in_order(outside), others))
    named = {t.name for t in (*program.inputs, *program.outputs)}
    timed = {n: p for n, p in places.items() if n in named}
    carry = {begin[n].name: end[n].name for n in states}
    return Parts(firsts, segment, last, carry, tuple(s.name for s in sums), timed, steps)


def _without(shape: tuple[Expr, ...], place: int) -> tuple[Expr, ...]:
    return tuple(n for p, n in enumerate(shape) if p != place)


def _restarted(e: Equation, begin: Tensor, place: int) -> Equation:
    """The equation of a state with the carry in front of the segment as its initial value."""
    found = split_off(e)
    assert found is not None
    s, start, _, rest = found
    return replace(
        e, body=Where(Eq(s, start), Read(begin, (i for p, i in enumerate(e.axes) if p != place)), rest)
    )


def _is_last(read: Read, places: Mapping[str, int], steps: Expr) -> bool:
    return sympy.expand(read.indices[places[read.tensor.name]] - steps) == 0


def _from_last(e: Equation, places: Mapping[str, int], end: Mapping[str, Tensor]) -> Equation:
    """Reads of the last carry as reads of what is behind the last segment."""
    mapping: dict[Expr, Expr] = {
        r: Read(end[r.tensor.name], (i for p, i in enumerate(r.indices) if p != places[r.tensor.name]))
        for r in e.reads
        if r.tensor.name in end
    }
    return replace(e, body=substitute(e.body, mapping))


def _check_sum(e: Equation, places: Mapping[str, int]) -> None:
    times = {r.indices[places[r.tensor.name]] for r in e.reads if r.tensor.name in places}
    summed = all(indices_of(t) and indices_of(t) <= set(e.bound) for t in times)
    if e.reduce != "sum" or not summed or not all(reads_of(e.body)):
        raise UnsupportedOp(f"checkpoints need sums over the steps; found {e}")


def _check_local(
    inside: list[Equation], states: Mapping[str, Equation], places: Mapping[str, int], steps: Expr
) -> None:
    """A segment must not know how many steps there are, nor read other steps than its own."""
    for e in inside:
        if e.target.name in states:
            continue
        timed = [r for r in (e.lhs, *e.reads) if r.tensor.name in places]
        at = {(r.tensor.name in states, r.indices[places[r.tensor.name]]) for r in timed}
        over = {index for _, place in at for index in indices_of(place)}
        shifted = any(not state and not isinstance(place, Index) for state, place in at)
        if (
            shifted
            or any(sympy.expand(i.extent - steps) != 0 for i in over)
            or e.body.free_symbols & steps.free_symbols
        ):
            raise UnsupportedOp(f"checkpoints need equations about one step each; found {e}")


class Checkpointed:
    """The backward pass of a function, with the carry stored at every `every`-th step and nothing else kept in between.

    Called with the inputs of the function and a cotangent ``g<output>`` for each output, by position or name (those
    of scalars may be left out: they are 1), it gives the gradients of `wrt`: one array if `single`, else a tuple.
    `every` is the square root of the number of steps unless it is given. The forward pass of each segment runs twice.
    `held` is the number of values of the carry that the last call stored.
    """

    def __init__(
        self, program: Program, wrt: tuple[str, ...], every: int | None = None, single: bool = False,
        runner: Runner = interpreted,
    ) -> None:  # fmt: skip
        self.single = single
        self.program, self.wrt, self.every, self.parts = program, wrt, every, cut(program)
        parts = self.parts
        self.forward = {part: runner(part) for part in (parts.first, parts.segment, parts.last)}
        self.backward = {
            part: self._pullback(part, runner) for part in (parts.first, parts.segment, parts.last)
        }
        self.held = 0

    def _pullback(self, part: Program, runner: Runner) -> Callable[[Arrays], dict[str, Any]]:
        """The vjp of a part with respect to all that can pass a cotangent on."""
        real = tuple(t.name for t in part.inputs if t.kind == "real")
        used = {r.tensor.name for e in part.equations for r in e.reads} | {t.name for t in part.outputs}
        names = tuple(
            n for n in real if n in used and (n in self.wrt or n not in {t.name for t in self.program.inputs})
        )
        if not names or not part.outputs:
            return lambda arrays: {}
        raw = vjp(part, names, dict.fromkeys(t.name for t in part.outputs))
        run = runner(derived(raw, part))
        seeds = [t.name for t in raw.inputs[len(part.inputs) :]]
        outputs = [t.name for t in raw.outputs]

        def pull(arrays: Arrays) -> dict[str, Any]:
            given = dict(zip(seeds, (arrays["g " + t.name] for t in part.outputs), strict=True))
            values = run({**{t.name: arrays[t.name] for t in part.inputs}, **given})
            return {name: values[output] for name, output in zip(names, outputs, strict=True)}

        return pull

    def compile(self) -> Checkpointed:
        """The same with a kernel for each part."""
        return Checkpointed(self.program, self.wrt, self.every, self.single, compiled)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The gradients at these inputs, for these cotangents."""
        names = [*(t.name for t in self.program.inputs), *(f"g{t.name}" for t in self.program.outputs)]
        arrays = dict(zip(names, args, strict=False)) | kwargs
        needed = [
            n
            for n in names
            if n not in arrays and n not in {f"g{t.name}" for t in self.program.outputs if not t.rank}
        ]
        if needed or arrays.keys() - set(names):
            raise UnknownName(f"expected {', '.join(names)}; found {', '.join(arrays)}")
        found = self._gradients(arrays)
        return found[0] if self.single else found

    def _gradients(self, arrays: Arrays) -> tuple[np.ndarray, ...]:
        parts, inputs = self.parts, {t.name: np.asarray(arrays[t.name]) for t in self.program.inputs}
        sizes = solve_sizes(self.program, inputs)
        steps = int(parts.steps.xreplace({s: sympy.Integer(n) for s, n in sizes.items()}))
        every = self.every or max(1, isqrt(steps - 1) + 1)
        spans = [(a, min(a + every, steps)) for a in range(0, steps, every)]
        seeds = {t.name: np.asarray(arrays.get(f"g{t.name}", 1.0), float) for t in self.program.outputs}
        firsts = self.forward[parts.first](inputs)
        carry = {before: firsts[before.removesuffix("_before") + "_first"] for before in parts.carry}
        carries, sums = [], dict.fromkeys(parts.sums, 0.0)
        for span in spans:
            carries.append(carry)
            found = self.forward[parts.segment]({**self._sliced(inputs, span), **carry})
            sums = {name: sums[name] + found[name] for name in sums}
            carry = {before: found[behind] for before, behind in parts.carry.items()}
        self.held = sum(np.size(v) for c in carries for v in c.values())
        gradients = {name: np.zeros(np.shape(inputs[name])) for name in self.wrt}
        behind = {after: carry[before] for before, after in parts.carry.items()}
        back = self.backward[parts.last]({**inputs, **sums, **behind, **_seeds(parts.last, seeds)})
        self._add(gradients, back)
        g_carry = {after: back.get(after, np.zeros(np.shape(behind[after]))) for after in behind}
        g_sums = {name: back.get(name, np.zeros(np.shape(sums[name]))) for name in sums}
        for span, before in zip(reversed(spans), reversed(carries), strict=True):
            timed = self._sliced({n: v for n, v in seeds.items() if n in parts.timed}, span)
            given = {f"g {n}": v for n, v in {**g_carry, **g_sums, **timed}.items()}
            back = self.backward[parts.segment]({**self._sliced(inputs, span), **before, **given})
            self._add(gradients, back, span)
            g_carry = {after: back[b] for b, after in parts.carry.items()}
        initial = {f"g {b.removesuffix('_before')}_first": g_carry[after] for b, after in parts.carry.items()}
        self._add(gradients, self.backward[parts.first]({**inputs, **initial}))
        return tuple(gradients[name] for name in self.wrt)

    def _sliced(self, arrays: Arrays, span: tuple[int, int]) -> dict[str, Any]:
        return {n: v[self._at(n, span)] if n in self.parts.timed else v for n, v in arrays.items()}

    def _at(self, name: str, span: tuple[int, int]) -> tuple[slice, ...]:
        return (*(slice(None) for _ in range(self.parts.timed[name])), slice(*span))

    def _add(self, gradients: dict[str, Any], shares: Arrays, span: tuple[int, int] | None = None) -> None:
        for name in gradients.keys() & shares.keys():
            if span is not None and name in self.parts.timed:
                gradients[name][self._at(name, span)] += shares[name]
            else:
                gradients[name] += shares[name]


def _seeds(part: Program, seeds: Arrays) -> dict[str, Any]:
    return {f"g {t.name}": seeds[t.name] for t in part.outputs}
