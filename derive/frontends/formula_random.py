"""Random variables of a formula: their laws as they are declared, and the parameters of these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

from ..distributions import Parameter, Record, VectorDistribution, distributions_called
from ..errors import SpecError
from ..ir.facts import Law, Spec, with_facts
from .formula_grammar import read_formula
from .formula_names import CONSTANTS
from .formula_text import Source
from .formula_tree import Call, Name, Node, Place, walk

START = Place(0, 0)


@dataclass(frozen=True)
class Random:
    """A random variable: its law as it is written, the records that have this name, and its parameters as trees."""

    name: str
    law: Law
    records: tuple[Record, ...]
    trees: tuple[Node, ...]

    @property
    def names(self) -> tuple[Name, ...]:
        """The names in its parameters."""
        return tuple(n for tree in self.trees for n in walk(tree) if isinstance(n, Name))


def random_of(specs: Mapping[str, Spec]) -> dict[str, Random]:
    """The random variables among some declarations.

    Raises:
        UnknownName: no distribution has this name.  SpecError: it takes other parameters, or cannot have declared facts.
        ParseError: a parameter is no formula.
    """
    return {name: _random(name, s, s.law) for name, s in specs.items() if s.law is not None}


def _random(name: str, spec: Spec, law: Law) -> Random:
    records = tuple(distributions_called(law.name))
    wanted = records[0].parameters
    if len(law.parameters) != len(wanted):
        needs = ", ".join(p.name for p in wanted)
        raise SpecError(f"{law.name} is written {law.name}({needs}); found {law} for {name}")
    if more := sorted(spec.facts - with_facts(frozenset(), *records[0].support)):
        raise SpecError(f"{name} is drawn from {law}; it cannot be declared {', '.join(more)} as well")
    if spec.kind != "real":
        raise SpecError(
            f"{name} is drawn from {law}, whose values are real numbers; found {spec.kind} as well"
        )
    if not spec.shape and all(isinstance(r, VectorDistribution) for r in records):
        raise SpecError(f"{law.name} is a law of vectors; try: {name}='n, {law}'")
    source = (Source(text, f"declaration of {name}") for text in law.parameters)
    trees = tuple(moved(read_formula(s).tree, START) for s in source)
    return Random(name, law, records, trees)


def parameters_of(random: Mapping[str, Random], specs: Mapping[str, Spec]) -> tuple[Name, ...]:
    """The variables in the parameters of laws."""
    known = ({*_sizes(specs), *CONSTANTS}) - specs.keys()
    return tuple(n for r in random.values() for n in r.names if n.name not in known)


def moved(node: Any, place: Place) -> Any:
    """A tree with all its nodes at one place: its own text is not the one that messages show."""
    if isinstance(node, Place):
        return replace(place, depth=node.depth)
    if isinstance(node, tuple):
        return tuple(moved(n, place) for n in node)
    if is_dataclass(node) and not isinstance(node, type):
        return replace(node, **{f.name: moved(getattr(node, f.name), place) for f in fields(node)})
    return node


def completed(random: Mapping[str, Random], specs: Mapping[str, Spec]) -> dict[str, Spec]:
    """The declarations with what laws say: the support of what is drawn, and shapes and facts of parameters that are names.

    Raises:
        SpecError: a parameter has facts that it cannot have.
    """
    found = dict(specs)
    for r in random.values():
        own = found[r.name]
        found[r.name] = replace(own, facts=with_facts(own.facts, *r.records[0].support))
        matrix = _is_vector(r, found)
        record = next((d for d in r.records if isinstance(d, VectorDistribution) == matrix), r.records[0])
        for tree, parameter in zip(r.trees, record.parameters, strict=True):
            if isinstance(tree, Name) and tree.name not in random and tree.name not in _sizes(specs):
                known = found.get(tree.name) or Spec(_shape(parameter, own))
                found[tree.name] = replace(known, facts=_with(known.facts, parameter))
    return found


def _sizes(specs: Mapping[str, Spec]) -> set[str]:
    return {str(s) for spec in specs.values() for e in spec.shape for s in e.free_symbols}


def _is_vector(r: Random, specs: Mapping[str, Spec]) -> bool:
    """Whether the law is that of vectors, by what is declared of its parameters, else by capital letters."""
    if not specs[r.name].shape:
        return False
    for record in r.records:
        if isinstance(record, VectorDistribution):
            if len(r.records) == 1:
                return True
            for tree, parameter in zip(r.trees, record.parameters, strict=True):
                if parameter.role == "matrix":
                    return any(_is_matrix(n, specs) for n in walk(tree))
    return False


def _is_matrix(node: Node, specs: Mapping[str, Spec]) -> bool:
    match node:
        case Name(name=name):
            return len(specs[name].shape) == 2 if name in specs else name[0].isupper()
        case Call(function=function):
            return function.rpartition(".")[2] in ("eye", "identity", "diag")
    return False


def _shape(parameter: Parameter, own: Spec) -> tuple[Any, ...]:
    """The shape of a parameter that is not declared: independent entries have one law."""
    match parameter.role:
        case "matrix":
            return (own.shape[-1], own.shape[-1])
        case "vector":
            return own.shape[-1:]
    return ()


def _with(facts: frozenset[str], parameter: Parameter) -> frozenset[str]:
    if "positive definite" in facts:
        return facts
    return with_facts(facts, *parameter.facts)
