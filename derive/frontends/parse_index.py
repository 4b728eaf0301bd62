"""Index notation as text -> Program: what `render_index` prints, and what a person writes like it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ..errors import SpecError, UnknownName, closest
from ..ir.facts import Spec
from ..ir.nodes import Equation, Program, size
from ..ir.recurrences import blocks, in_order
from .formula_limits import Growth, check_growth
from .formula_program import sizes_of_specs
from .formula_text import Source
from .formula_tree import Definition
from .names import resize
from .parse_index_equation import Build
from .parse_index_grammar import read_equations
from .parse_index_time import guarded, merged, read_ahead
from .trace import Trace


def parse_equations(text: str, specs: Mapping[str, Spec], outputs: Sequence[str] | None = None) -> Program:
    """Read equations in index notation, one on each line.

        S[i,j] = sum_k Q[i,k] K[j,k] / sqrt(d)
        gE[tok[b,t],k] += gY[b,t,k]

    Juxtaposition and ``*`` multiply, equally strong as ``/``. ``sum_k``, ``max_j``, ``prod_i``, ``min_i,j`` reduce
    all that follows up to a ``+`` or ``-``. ``[j <= i]`` is 1 or a strong 0, ``where(c, a, b)`` chooses. A bracket
    that follows a name directly holds indices. ``+=`` adds up over all indices that are not on its left. An index
    runs over the axes on which it stands by itself, or as far as the text says: ``Y[i] = x[i] for i < 2``.

        h[0,i] = h0[i]
        h[t,i] = tanh(sum_j W[i,j] h[t-1,j] + x[t,i])

    is a recurrence. A tensor that is read in its own equation, or before it, needs a shape in `specs`. Several
    equations for one tensor say what stands at fixed places; what a recurrence reads before its beginning is 0.

    Args:
        text: the equations, each tensor defined before it is read, unless it is part of a recurrence.
        specs: shapes and facts of inputs; also the shapes of results that the equations leave open. A tensor
            without a declaration has as many axes as it is given indices, and the sizes that the letters give.
        outputs: names of results; None for those that no later equation reads.

    Raises:
        ParseError: the text cannot be read, and nothing else; the message points at the character. It is a
            ShapeError as well where an index runs over axes of different sizes, a DomainError where a value is no
            real number, an UnknownName where there is no such output, a SpecError where a name is a tensor and a size.
    """
    source = Source(text, "equations")
    with source.about():
        return _parse(source, specs, outputs)


def _parse(source: Source, specs: Mapping[str, Spec], outputs: Sequence[str] | None) -> Program:
    sizes = frozenset(sizes_of_specs(specs))
    if both := sorted(specs.keys() & sizes):
        raise SpecError(f"{both[0]!r} is a tensor and an axis; try: give the axis another name")
    equations = _Equations(source, specs, sizes, read_equations(source, {*specs, *sizes}))
    return equations.program(outputs)


class _Equations:
    """The equations so far."""

    def __init__(
        self, source: Source, specs: Mapping[str, Spec], sizes: frozenset[str], definitions: list[Definition]
    ) -> None:  # fmt: skip
        self.source = source
        self.trace = Trace()
        definitions = merged(source, definitions, sizes)
        defined = {d.target.name for d in definitions}
        self.declared = {name: spec.tensor(name) for name, spec in specs.items()}
        self.inputs = [t for t in self.declared.values() if t.name not in defined]
        self.made: list[Equation] = []
        self.growth: dict[str, Growth] = {}
        words = {*re.findall(r"\w+", source.text), *sizes, *specs}
        names = (f"{letter}{number}" for number in ("", *range(1, 10_000)) for letter in "npqrs")
        fresh = (size(name) for name in names if name not in words)
        self.build = Build(source, {t.name: t for t in self.inputs}, sizes, self.trace.sizes, fresh, words)
        self.defined: set[str] = set()
        for name, node in read_ahead(definitions).items():
            if name not in self.declared:
                what = f"{name} is read before it is defined; try: its shape, equations(..., {name}=\"T n\")"
                raise source.error_at(what, node.place)
            self.build.tensors[name] = self.declared[name]
        for definition in definitions:
            self.add(definition)

    def add(self, definition: Definition) -> None:
        """One equation, and those for the reductions within it."""
        target = definition.target
        inputs = {t.name for t in (*self.inputs, *self.build.new)}
        if target.name in inputs | self.defined:
            raise self.source.error_at(f"{target.name} is defined already", target.place)
        self.defined.add(target.name)
        self.growth[target.name] = check_growth(self.source, definition.body, self.growth)
        with self.source.about(definition.place):
            self.made += self.build.equations(definition, self.declared.get(target.name))
        self.build.tensors[target.name] = self.made[-1].target

    def program(self, outputs: Sequence[str] | None) -> Program:
        """All of them, with the sizes that are equal made one."""
        self.made = list(in_order(guarded(self.made)))
        results = {e.target.name: e.target for e in self.made}
        names = self.results() if outputs is None else list(outputs)
        for name in names:
            if name not in results:
                raise UnknownName(f"no equation defines the output {name!r}; {closest(name, results)}")
        inputs = (*self.inputs, *self.build.new)
        return resize(Program(inputs, tuple(self.made), tuple(results[n] for n in names)), self.trace)

    def results(self) -> list[str]:
        """What no equation reads; of a recurrence that only reads itself what it keeps from step to step."""
        found: list[str] = []
        for block in blocks(tuple(self.made)):
            own = {block.target.name} if isinstance(block, Equation) else {e.target.name for e in block.equations}
            elsewhere = {r.tensor.name for e in self.made if e.target.name not in own for r in e.reads}
            if isinstance(block, Equation):
                found += own - elsewhere
            elif not own & elsewhere:
                found += sorted({r.tensor.name for e in block.equations for r in block.recurrent(e) if block.lag(e, r)})
        return found
