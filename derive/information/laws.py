"""A law as it is written, ``normal(mu1, sigma=s1)``, to its record and its parameters as expressions in their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import sympy
from sympy import Expr

from ..distributions import Distribution, Record, VectorDistribution, distributions
from ..errors import DomainError, ParseError, SpecError, UnknownName, closest
from ..frontends.formula_grammar import read_formula
from ..frontends.formula_names import CONSTANTS
from ..frontends.formula_text import Source
from ..frontends.formula_tree import Name, walk
from ..ir.facts import Law, Spec, parts_of, spec
from ..texts import parse

ASSUMED = {
    "positive": {"positive": True},
    "nonnegative": {"nonnegative": True},
    "probability": {"positive": True},
}
"""Facts that SymPy can be told of a symbol."""
RANGES = {"positive": (0.7, 2.4), "probability": (0.15, 0.85)}
PLAIN = (-1.3, 1.3)


@dataclass(frozen=True)
class Written:
    """A law as it was given.

    shape: the axes in front of the law, ``"n"`` in ``"n, normal(mu, Sigma)"``; None if there are none.
    records: those of this name.
    texts: for each parameter its formula, and the form in which it was given, or "".
    """

    law: Law
    shape: tuple[Expr, ...] | None
    records: tuple[Record, ...]
    texts: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        return str(self.law)


@dataclass(frozen=True, eq=False)
class Scalar:
    """A law of numbers with its parameters as expressions in the symbols of their names.

    facts: for each name, the facts that it must have; assumed: those that nobody declared.
    """

    written: Written
    record: Distribution
    parameters: tuple[Expr, ...]
    facts: Mapping[str, frozenset[str]]
    assumed: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.record.name

    def log_density(self, x: Expr) -> Expr:
        """The logarithm of the density at x of the support."""
        if self.record.log_density is None:
            raise SpecError(f"the record of {self.name} does not say its density")
        return sympy.S(self.record.log_density(x, *self.parameters))

    @property
    def bounds(self) -> tuple[Expr, Expr]:
        """The ends of the support."""
        if self.record.bounds is not None:
            low, high = self.record.bounds(*self.parameters)
            return sympy.S(low), sympy.S(high)
        if {"positive", "nonnegative"} & set(self.record.support):
            return sympy.S.Zero, sympy.oo
        return -sympy.oo, sympy.oo

    @property
    def variable(self) -> sympy.Symbol:
        """A value of this law."""
        signed = True if self.bounds[0].is_nonnegative else None
        if self.record.discrete:
            return sympy.Symbol("x", real=True, nonnegative=signed)
        return sympy.Symbol("x", real=True, positive=signed)

    @property
    def names(self) -> tuple[str, ...]:
        """The names in its parameters, in the order of the text."""
        found = (n for text, _ in self.written.texts for n in names_in(text, str(self.written)))
        return tuple(dict.fromkeys(found))

    @property
    def symbols(self) -> tuple[sympy.Symbol, ...]:
        """The symbols of all parameters."""
        return tuple(sorted({s for p in self.parameters for s in p.free_symbols}, key=str))


def law(name: str, /, **parameters: str | float) -> Law:
    """A law by name and keywords: ``law("normal", mean="mu", sigma="exp(s)")``.

    Args:
        name: of one of `derive.distributions`.
        parameters: numbers, or formulas as text, by the names of the record's parameters or their other forms.

    Raises:
        UnknownName: there is no such law.  SpecError: a parameter is neither a number nor text.

    Example:
        >>> print(law("normal", mean="mu", variance=2))
        normal(mean=mu, variance=2)
    """
    called(name)
    for key, value in parameters.items():
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise SpecError(f"{key} of {name} is a number or a formula as text; found {value!r:.60}")
    return Law(name, tuple(f"{key}={value}" for key, value in parameters.items()))


def read_law(given: str | Law) -> Written:
    """A law as text, ``"normal(mu, sigma=s)"``, with the axes in front of it if it is one of arrays.

    Raises:
        SpecError: the text is no law, or has other parameters.  UnknownName: there is no such law or parameter.
    """
    if isinstance(given, Law):
        return _written(given, None)
    if not isinstance(given, str):
        raise SpecError(f"a law is text such as 'normal(mu, sigma^2)'; found {given!r:.60}")
    text = " ".join(given.split())
    head, opening, inside = text.partition("(")
    *axes, name = head.split(",")
    if not opening or not text.endswith(")") or len(axes) > 1 or not name.strip():
        raise SpecError(
            f"{given!r:.80} is no law; try: 'normal(mu, sigma^2)', or 'n, normal(mu, Sigma)' for vectors"
        )
    law = Law(_spelled(name), tuple(part.strip() for part in parts_of(inside[:-1])))
    return _written(law, spec(axes[0]).shape if axes else None)


def _spelled(name: str) -> str:
    return "_".join(name.replace("-", " ").split())


def called(name: str) -> tuple[Record, ...]:
    """The records of this name, in which _ may stand for a space or a hyphen."""
    found = tuple(d for d in distributions() if _spelled(name) == _spelled(d.name))
    if not found:
        known = {_spelled(d.name) for d in distributions()}
        raise UnknownName(f"there is no distribution {name!r}; {closest(name, known)}")
    return found


def _written(law: Law, shape: tuple[Expr, ...] | None) -> Written:
    records = called(law.name)
    wanted = [p.name for p in records[0].parameters]
    forms = dict(getattr(records[0], "forms", {}))
    found: dict[str, tuple[str, str]] = {}
    for place, text in enumerate(law.parameters):
        key, equals, formula = (part.strip() for part in text.partition("="))
        if not equals:
            if place >= len(wanted):
                raise SpecError(f"{law.name} is written {law.name}({', '.join(wanted)}); found {law}")
            key, formula = wanted[place], key
        name, form = (forms[key].of, key) if key in forms else (key, "")
        if name not in wanted:
            raise UnknownName(f"{law.name} has no parameter {key!r}; {closest(key, [*wanted, *forms])}")
        if name in found:
            raise SpecError(f"the {name} of {law.name} is given twice in {law}")
        found[name] = formula, form
    if missing := [name for name in wanted if name not in found]:
        raise SpecError(
            f"{law.name} is written {law.name}({', '.join(wanted)}); {', '.join(missing)} is missing in {law}"
        )
    return Written(law, shape, records, tuple(found[name] for name in wanted))


def names_in(text: str, where: str) -> tuple[str, ...]:
    """The names of variables in a formula."""
    tree = read_formula(Source(text, f"parameter of {where}")).tree
    return tuple(dict.fromkeys(n.name for n in walk(tree) if isinstance(n, Name) and n.name not in CONSTANTS))


def is_of_vectors(written: Written, shapes: Mapping[str, Spec]) -> bool:
    """Whether vectors are meant: there is no law of numbers, or a parameter is a matrix."""
    if all(isinstance(r, VectorDistribution) for r in written.records):
        return True
    if all(isinstance(r, Distribution) for r in written.records) or written.shape is None:
        return False
    vector = next(r for r in written.records if isinstance(r, VectorDistribution))
    for (text, _), parameter in zip(written.texts, vector.parameters, strict=True):
        if parameter.role == "matrix":
            heads = ("eye(", "diag(", "identity(")
            declared = len(shapes[text].shape) == 2 if text in shapes else text[:1].isupper()
            return declared or any(head in text for head in heads)
    return False


def scalar_law(written: Written, shapes: Mapping[str, Spec]) -> Scalar:
    """A law of numbers with its parameters read.

    Raises:
        DomainError: a parameter is outside its domain; the message says where.
        SpecError: there are only vectors of this law, or a parameter is no number.
    """
    record = next((r for r in written.records if isinstance(r, Distribution)), None)
    if record is None:
        raise SpecError(f"{written.law.name} is a law of vectors; try: 'n, {written}'")
    values = [_number(text, shapes, written) for text, _ in written.texts]
    titles = [form or p.name for p, (_, form) in zip(record.parameters, written.texts, strict=True)]
    facts: dict[str, frozenset[str]] = {}
    assumed: list[str] = []
    needs = [
        _facts(record, p.name, form) for p, (_, form) in zip(record.parameters, written.texts, strict=True)
    ]
    for value, need in zip(values, needs, strict=True):
        for symbol in value.free_symbols:
            own = shapes[symbol.name].facts if symbol.name in shapes else frozenset()
            facts[symbol.name] = (
                facts.get(symbol.name, frozenset())
                | own
                | (frozenset(need) if value == symbol else frozenset())
            )
    for title, value, need in zip(titles, values, needs, strict=True):
        if not need or _known(value, need, facts):
            continue
        names = [s.name for s in value.free_symbols if not facts[s.name]]
        positive = {**facts, **{n: frozenset({"positive"}) for n in names}}
        if names and _known(value, need, positive):
            facts, assumed = positive, assumed + names
        elif _violation(value, need, facts):
            raise _outside(title, value, need, facts, written)
    symbols = {name: symbol_of(name, known) for name, known in facts.items()}
    values = [v.xreplace({s: symbols[s.name] for s in v.free_symbols}) for v in values]
    return Scalar(written, record, _standard(record, written, values), facts, tuple(assumed))


def _number(text: str, shapes: Mapping[str, Spec], written: Written) -> Expr:
    """A parameter as an expression of SymPy."""
    try:
        names = names_in(text, str(written))
        value = parse(text, **{name: shapes.get(name, spec("")) for name in names}).to_sympy()
    except ParseError as error:
        raise SpecError(f"a parameter of {written} cannot be read: {error}") from None
    if not isinstance(value, Expr):
        raise SpecError(f"a parameter of {written} is no number but an array: {text}")
    return value


def symbol_of(name: str, facts: frozenset[str]) -> sympy.Symbol:
    """A symbol of which SymPy knows these facts."""
    known: dict[str, bool] = {"real": True}
    for fact in facts:
        known |= ASSUMED.get(fact, {})
    return sympy.Symbol(name, **known)


def _facts(record: Distribution, name: str, form: str) -> tuple[str, ...]:
    """What must hold of a parameter; a density needs what may be 0 elsewhere to be positive."""
    parameter = next(p for p in record.parameters if p.name == name)
    facts = record.forms[form].facts if form else parameter.facts
    return tuple("positive" if f == "nonnegative" else f for f in facts)


def _standard(record: Distribution, written: Written, values: Sequence[Expr]) -> tuple[Expr, ...]:
    """The parameters of the record from the forms that were given."""
    names = [p.name for p in record.parameters]
    given = {form or name: v for name, (_, form), v in zip(names, written.texts, values, strict=True)}
    found = []
    for (_, form), value in zip(written.texts, values, strict=True):
        if form:
            make = record.forms[form].value
            code = make.__code__
            wanted = code.co_varnames[: code.co_argcount]
            if missing := [w for w in wanted if w not in given]:
                raise SpecError(
                    f"the {form} of {written.law.name} needs its {', '.join(missing)}; found {written}"
                )
            value = sympy.S(make(**{w: given[w] for w in wanted}))
        found.append(value)
    return tuple(found)


def sampled(
    facts: Mapping[str, frozenset[str]], rng: np.random.Generator, whole: frozenset[str] = frozenset()
) -> dict[str, float]:
    """A value for each name that has its facts."""
    found = {}
    for name, known in sorted(facts.items()):
        low, high = next((RANGES[f] for f in ("probability", "positive") if f in known), PLAIN)
        found[name] = float(rng.integers(2, 6)) if name in whole else float(rng.uniform(low, high))
    return found


def _known(value: Expr, need: Sequence[str], facts: Mapping[str, frozenset[str]]) -> bool:
    """Whether it follows from the signs of the names that a parameter is positive; a name has its facts."""
    value = value.xreplace({s: symbol_of(s.name, facts[s.name]) for s in value.free_symbols})
    return bool(value.is_Symbol or ("probability" not in need and value.is_positive))


def _violation(
    value: Expr, need: Sequence[str], facts: Mapping[str, frozenset[str]]
) -> tuple[dict[str, float], float] | None:
    """A point at which a parameter has not its facts, and its value there."""
    rng = np.random.default_rng(7)
    for _ in range(12):
        point = sampled({s.name: facts[s.name] for s in value.free_symbols}, rng)
        number = sympy.N(value.subs({s: point[s.name] for s in value.free_symbols}))
        if not number.is_real or not _fits(float(number), need):
            return point, float(sympy.re(number))
    return None


def _fits(number: float, need: Sequence[str]) -> bool:
    if "probability" in need:
        return 0 < number < 1
    return number > 0 if "positive" in need else True


def _outside(
    title: str, value: Expr, need: Sequence[str], facts: Mapping[str, frozenset[str]], written: Written
) -> DomainError:
    found = _violation(value, need, facts)
    assert found is not None
    point, number = found
    where = " where " + ", ".join(f"{k} = {v:.3g}" for k, v in point.items()) if point else ""
    kind = "a probability" if "probability" in need else " and ".join(need)
    what = f"the {title} of {written.law.name} must be {kind}"
    hint = (
        "; try: exp(...) of it, or declare its names, " + ", ".join(f'{k}=", positive"' for k in point)
        if point
        else ""
    )
    shown = f"{value} is {number:.6g}{where}" if point else f"{number:g}"
    return DomainError(
        f"{what}; found {written}, and {shown}{hint}" if point else f"{what}; found {shown} in {written}"
    )
