"""Entropies and divergences of laws of vectors: the mean of log-densities by the moments of the records, traced."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from sympy import Expr

from ..api import simplify, trace
from ..distributions import Parameter, VectorDistribution
from ..errors import ParseError, SpecError
from ..function import Function
from ..ir.facts import Spec, spec, with_facts
from ..ops._primitive import eye
from ..rewrite.diagonals import of_diagonals
from ..texts import parse
from ..verify.sample import sample
from .divergence import AGREES, POINTS, Kind
from .expected import DRAWN, over, with_names
from .laws import Written, names_in
from .vector_gate import is_moved_by, mean_of, points_of

ROLES = {"vector": 1, "matrix": 2, "whole": 0, "entry": 0}


@dataclass(frozen=True, eq=False)
class Vector:
    """A law of vectors: its record, its parameters as formulas, and the declarations of their names."""

    written: Written
    record: VectorDistribution
    specs: Mapping[str, Spec]
    shape: tuple[Expr, ...]

    @property
    def location(self) -> int | None:
        """The place of a parameter by which the whole law is moved."""
        return is_moved_by(self.record)


def vector_law(written: Written, shape: tuple[Expr, ...], shapes: Mapping[str, Spec]) -> Vector:
    """A law of vectors with the declarations of all names in it.

    Raises:
        SpecError: the record has no density, or a name is declared in another shape than its parameter has.
    """
    record = next((r for r in written.records if isinstance(r, VectorDistribution)), None)
    if record is None or record.log_density is None:
        raise SpecError(f"{written.law.name} is no law of vectors with a density here; found {written}")
    sizes = {str(s) for e in shape for s in e.free_symbols}
    found: dict[str, Spec] = {}
    for (text, form), parameter in zip(written.texts, record.parameters, strict=True):
        if form:
            raise SpecError(
                f"laws of vectors are given by {', '.join(p.name for p in record.parameters)} here; found {written}"
            )
        for name in names_in(text, str(written)):
            if name in sizes:
                continue
            known = shapes.get(name)
            if text == name:
                own = known or Spec(_shape(parameter, shape))
                known = replace(own, facts=with_facts(own.facts, *_facts(parameter)))
            found[name] = known or spec("")
    return Vector(written, record, found, shape)


def _shape(parameter: Parameter, shape: tuple[Expr, ...]) -> tuple[Expr, ...]:
    return {"vector": shape[-1:], "matrix": (*shape[-1:], *shape[-1:])}.get(parameter.role, ())


def _facts(parameter: Parameter) -> tuple[str, ...]:
    """A density needs what may be singular elsewhere to be regular."""
    return tuple("positive definite" if f == "positive semidefinite" else f for f in parameter.facts)


def apart(p: Vector, q: Vector) -> str:
    """The words for why almost no value of p is one of q; "" where values of p are values of q."""
    if p.record.discrete != q.record.discrete or set(p.record.support) != set(q.record.support):
        return f"{p.written} and {q.written} have no values in common but for a set of probability 0"
    return ""


def derive_vectors(kind: Kind, p: Vector, q: Vector, shape: tuple[Expr, ...]) -> Function:
    """The closed form as a function of the names in both laws.

    Raises:
        NoClosedForm: there is none here for the mean of a term.
    """
    general = _in_parameters(kind, p, q, shape)
    specs = {**p.specs, **q.specs}
    moved = p.location if p.location is not None and q.location is not None else None

    def body(**arrays: Any) -> Any:
        x = arrays[DRAWN]
        own, other = (values_of(law, arrays, x) for law in (p, q))
        gap = [own[moved] - other[q.location]] if moved is not None and q.location is not None else []
        both = [*_without(own, moved), *_without(other, q.location if moved is not None else None)]
        return general(*(_full(v, x) for v in gap), *both)

    found = trace(with_names(body, (DRAWN, *specs)), **{DRAWN: Spec(shape)}, **specs)
    found = _without_input(found, DRAWN)
    found = simplify(replace(found, program=of_diagonals(found.program), _kernels={}))
    name = {"KL": "kl", "entropy": "entropy", "cross-entropy": "cross_entropy"}[kind]
    laws = str(p.written) if kind == "entropy" else f"{p.written}, {q.written}"
    return replace(_without_unread(found), name=name, source=laws)


def disagreement(kind: Kind, found: Function, p: Vector, q: Vector, shape: tuple[Expr, ...]) -> float | None:
    """The largest relative difference from sums or integrals at some points and a small size; nan if there is none here.

    None if it is too large to be one of rounding.
    """
    rng, worst = np.random.default_rng(11), 0.0
    count = 3 if p.record.discrete else 2
    sizes = {s: count for e in shape for s in e.free_symbols}
    for _ in range(POINTS):
        arrays = {
            name: sample(s.tensor(name), tuple(int(e.xreplace(sizes)) for e in s.shape), rng)
            for name, s in {**p.specs, **q.specs}.items()
        }
        for name in _wholes(p, q):
            arrays[name] = np.array(float(rng.integers(2, 5)))
        x = np.zeros(tuple(int(e.xreplace(sizes)) for e in shape))
        own, other = (values_of(law, arrays, x) for law in (p, q))
        draws = points_of(p.record, own, count) if len(shape) == 1 else None
        if draws is None:
            return float("nan")
        truth = mean_of(partial(_at, log_ratio(kind, p.record, q.record), own, other), draws)
        value = float(found(*(arrays[name] for name in found.inputs)))
        if not abs(value - truth) <= AGREES * (1 + abs(truth)):
            return None
        worst = max(worst, abs(value - truth) / (1 + abs(truth)))
    return worst


def _at(g: Callable[..., Any], own: list[Any], other: list[Any], x: Any) -> Any:
    return g(x, own, other)


def _wholes(p: Vector, q: Vector) -> list[str]:
    """Names of numbers of trials."""
    return [
        text for law in (p, q) for (text, _), a in zip(law.written.texts, law.record.parameters, strict=True)
        if a.integer and text in law.specs
    ]  # fmt: skip


def log_density_lines(law: Vector, shape: tuple[Expr, ...]) -> list[str]:
    """The logarithm of the density as it is printed, in the names of the record's parameters."""
    log_density = law.record.log_density
    assert log_density is not None
    names = [a.name for a in law.record.parameters]
    specs = {
        a.name: Spec(_shape(a, shape), facts=with_facts(frozenset(), *_facts(a)))
        for a in law.record.parameters
    }
    found = trace(
        with_names(lambda **v: log_density(*v.values()), (DRAWN, *names)), **{DRAWN: Spec(shape)}, **specs
    )
    return str(found).replace("Y = ", "log p(x) = ").splitlines()


def _in_parameters(kind: Kind, p: Vector, q: Vector, shape: tuple[Expr, ...]) -> Function:
    """The mean as a function of the parameters of both laws, of locations their difference."""
    moved = p.location is not None and q.location is not None
    own = [(f"{a.name}_p", a) for k, a in enumerate(p.record.parameters) if not (moved and k == p.location)]
    other = [(f"{a.name}_q", a) for k, a in enumerate(q.record.parameters) if not (moved and k == q.location)]
    specs = {"gap": Spec(shape)} if moved else {}
    specs |= {
        name: Spec(_shape(a, shape), facts=with_facts(frozenset(), *_facts(a))) for name, a in (*own, *other)
    }

    def body(**arrays: Any) -> Any:
        x = arrays[DRAWN]
        mine, theirs = [arrays[name] for name, _ in own], [arrays[name] for name, _ in other]
        if moved:
            assert p.location is not None and q.location is not None
            mine.insert(p.location, 0 * x)
            theirs.insert(q.location, 0 * x - arrays["gap"])
        g = log_ratio(kind, p.record, q.record)
        if p.record.one_hot and len(shape) == 1:
            (probabilities,) = mine
            values = g(eye(x, x.shape[-1]), mine, theirs)
            return np.sum(np.where(probabilities > 0, probabilities * values, 0.0))
        return over(np.sum(g(x, mine, theirs)), x, p.record, mine)

    return _without_input(trace(with_names(body, (DRAWN, *specs)), **{DRAWN: Spec(shape)}, **specs), DRAWN)


def log_ratio(
    kind: Kind, p: VectorDistribution, q: VectorDistribution
) -> Callable[[Any, Sequence[Any], Sequence[Any]], Any]:
    """What the mean is of, as a function of x and the parameters of both laws."""
    assert p.log_density is not None and q.log_density is not None
    own, other = p.log_density, q.log_density
    match kind:
        case "entropy":
            return lambda x, a, b: -own(x, *a)
        case "cross-entropy":
            return lambda x, a, b: -other(x, *b)
        case "KL":
            return lambda x, a, b: own(x, *a) - other(x, *b)


def values_of(law: Vector, arrays: Mapping[str, Any], x: Any) -> list[Any]:
    """The parameters of a law, from the arrays of its names; x, an array of the drawn shape, gives the sizes."""
    found = []
    for (text, _), parameter in zip(law.written.texts, law.record.parameters, strict=True):
        value = _value(law, text, parameter, arrays, x)
        found.append(value if parameter.role != "vector" else _full(value, x))
    return found


def _value(law: Vector, text: str, parameter: Parameter, arrays: Mapping[str, Any], x: Any) -> Any:
    if text in arrays:
        return arrays[text]
    names = [n for n in names_in(text, str(law.written)) if n in arrays]
    if len(names) == len(names_in(text, "")):
        return parse(text, **{n: law.specs[n] for n in names})(
            *(arrays[n] for n in _inputs(text, law, names))
        )
    for extended in (
        f"({text}) + 0*{DRAWN}_*{DRAWN}_'",
        f"({text}) + 0*np.outer({DRAWN}_, {DRAWN}_)",
        f"({text}) + 0*{DRAWN}_",
    ):
        try:
            made = parse(extended, **{n: law.specs[n] for n in names}, **{f"{DRAWN}_": Spec(law.shape)})
        except ParseError:
            continue
        return made(*(x if n == f"{DRAWN}_" else arrays[n] for n in made.inputs))
    raise SpecError(f"the {parameter.name} of {law.written} cannot be read")


def _inputs(text: str, law: Vector, names: Sequence[str]) -> tuple[str, ...]:
    return parse(text, **{n: law.specs[n] for n in names}).inputs


def _full(value: Any, x: Any) -> Any:
    return value if np.ndim(value) == np.ndim(x) else value + 0 * x


def _without(values: list[Any], place: int | None) -> list[Any]:
    return [v for k, v in enumerate(values) if k != place]


def _without_unread(f: Function) -> Function:
    """Without the inputs that nothing depends on, such as the mean for an entropy; one that alone says a size stays."""
    read = {r.tensor for e in f.program.equations for r in e.reads}
    for tensor in f.program.inputs:
        others = {
            s for t in f.program.inputs if t.name != tensor.name for e in t.shape for s in e.free_symbols
        }
        if tensor not in read and {s for e in tensor.shape for s in e.free_symbols} <= others:
            f = _without_input(f, tensor.name)
    return f


def _without_input(f: Function, name: str) -> Function:
    inputs = tuple(t for t in f.program.inputs if t.name != name)
    return replace(f, program=replace(f.program, inputs=inputs), _kernels={})
