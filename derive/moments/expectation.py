"""The mean of a canonical form over a random tensor: products of entries by cumulants, exponentials by tilting."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import sympy
from sympy import Expr, S

from ..distributions import Distribution, VectorDistribution
from ..errors import NoClosedForm
from ..ir.nodes import Bracket, Index, Read, Slot, indices_of, reads_of, substitute
from ..prove.forms.atoms import Grow, Total, Turn
from ..prove.forms.canonical import Canonical
from ..prove.forms.polynomial import Monomial, Polynomial, as_expression
from .drawn import Drawn, Places, is_of
from .entry import entry_mean
from .tilted import Argument, Factor, Term, Tilted, indices_in


class Expectation:
    """The mean of canonical forms over one random tensor; other random tensors are held fixed."""

    def __init__(self, forms: Canonical, drawn: Drawn) -> None:
        self.forms, self.drawn = forms, drawn

    def of(self, form: Polynomial) -> Polynomial:
        """The mean of a form.

        Raises:
            NoClosedForm: there is no formula for one of its terms.
        """
        return Polynomial.sum(self.of_term(m).scaled(c) for m, c in form)

    def of_term(self, monomial: Monomial) -> Polynomial:
        outside = [f for f in monomial if not self.is_random(f[0])]
        inside = [f for f in monomial if self.is_random(f[0])]
        if not inside:
            return Polynomial({monomial: S.One})
        if whole := [(a, e) for a, e in inside if a.is_Add and e.is_Integer and e.is_positive]:
            opened = Polynomial.product(self.forms.form(a).power(int(e)) for a, e in whole)
            return self.of(Polynomial({monomial - set(whole): S.One}) * opened)
        return Polynomial.monomial(outside) * self.mean(self.opened(inside))

    def is_random(self, e: Any) -> bool:
        return any(is_of(r, self.drawn.tensor) for r in reads_of(e))

    def opened(self, factors: Sequence[Factor]) -> Term:
        """The factors with their sums opened, once for each power: one sum over all indices."""
        fixed: list[Factor] = []
        random: list[Factor] = []
        bound: list[Index] = []
        waiting = list(factors)
        while waiting:
            atom, exponent = waiting.pop(0)
            if not self.is_random(atom):
                fixed.append((atom, exponent))
            elif isinstance(atom, Total) and exponent.is_Integer and exponent.is_positive:
                for _ in range(int(exponent)):
                    fresh = {b: self.forms.fresh(b.extent) for b in atom.bound}
                    bound += fresh.values()
                    parts = sympy.Mul.make_args(substitute(atom.body, fresh))
                    waiting += (p.as_base_exp() if p.is_Pow else (p, S.One) for p in parts)
            else:
                random.append((atom, exponent))
        return Term(fixed, random, bound)

    def mean(self, term: Term) -> Polynomial:
        """The mean of a product under its sum."""
        reads: list[Places] = []
        others: list[Factor] = []
        for atom, exponent in term.random:
            if is_of(atom, self.drawn.tensor) and exponent.is_Integer and exponent.is_positive:
                reads += [atom.indices] * int(exponent)
            else:
                others.append((atom, exponent))
        if not others:
            inner = self.forms.form(self.drawn.moment(reads))
        elif (linear := self.linear(others)) is not None:
            product = Polynomial.monomial(term.fixed) * linear
            product = product * Polynomial.monomial((Read(self.drawn.tensor, p), S.One) for p in reads)
            return self.of(self.forms.total(product, tuple(term.bound)))
        elif (
            all(isinstance(a, Grow | Turn) for a, _ in others)
            and (arguments := self.arguments(others)) is not None
        ):
            inner = Tilted(self.forms, self.drawn, arguments).mean(reads)
        else:
            inner = self.by_entries(reads, others)
        return self.forms.total(Polynomial.monomial(term.fixed) * inner, tuple(term.bound))

    # -- finitely many values

    def linear(self, others: Sequence[Factor]) -> Polynomial | None:
        """Functions of an entry that is 0 or 1, or of a vector with a single 1, as linear functions of it."""
        record = self.drawn.record
        if isinstance(record, VectorDistribution) and record.one_hot:
            make: Callable[[Factor], Polynomial | None] = self._by_classes
        elif isinstance(record, Distribution) and record.values is not None:
            make = self._by_values
        else:
            return None
        found = [make(f) for f in others]
        return None if None in found else Polynomial.product(f for f in found if f is not None)

    def _by_classes(self, factor: Factor) -> Polynomial | None:
        """``g(y) = sum_c y_c g(e_c)``, where e_c is 1 at c and 0 elsewhere."""
        atom, exponent = factor
        reads = [r for r in reads_of(atom) if is_of(r, self.drawn.tensor)]
        batches = {r.indices[:-1] for r in reads}
        inner = {b for t in atom.atoms(Total) for b in t.bound}
        if len(batches) != 1 or indices_in(next(iter(batches))) & inner or any(map(_takes_axes, reads)):
            return None
        c = self.forms.fresh(self.drawn.tensor.shape[-1])
        at_class = {r: Bracket(sympy.Eq(r.indices[-1], c)) for r in reads}
        value = self.forms.form(_expression(substitute(atom, at_class)) ** exponent)
        return self.forms.total(
            value * Polynomial.of(Read(self.drawn.tensor, (*next(iter(batches)), c))), (c,)
        )

    def _by_values(self, factor: Factor) -> Polynomial | None:
        """``g(x) = g(0) + (g(1) - g(0)) x``."""
        atom, exponent = factor
        record, place = self.drawn.record, self.place([factor])
        if place is None or not isinstance(record, Distribution) or record.values is None:
            return None
        if {v for v, _ in record.values(*self.drawn.entry_parameters(place))} != {S.Zero, S.One}:
            return None
        read = Read(self.drawn.tensor, place)
        at_zero, at_one = (_expression(substitute(atom, {read: v})) ** exponent for v in (S.Zero, S.One))
        if any(v.has(sympy.nan, sympy.zoo, sympy.oo, -sympy.oo) for v in (at_zero, at_one)):
            raise NoClosedForm(f"{_expression(atom) ** exponent} has no value where {read} is 0 or 1")
        zero, one = self.forms.form(at_zero), self.forms.form(at_one)
        return zero + (one - zero) * Polynomial.of(read)

    def place(self, factors: Sequence[Factor]) -> Places | None:
        """The only entry that some factors depend on, if it is one that no sum within them runs over."""
        reads = {r for a, _ in factors for r in reads_of(a) if is_of(r, self.drawn.tensor)}
        inner = {b for a, _ in factors for t in a.atoms(Total) for b in t.bound}
        if len(reads) != 1 or indices_of(next(iter(reads))) & inner or _takes_axes(next(iter(reads))):
            return None
        return next(iter(reads)).indices

    # -- functions of single entries

    def by_entries(self, reads: Sequence[Places], others: Sequence[Factor]) -> Polynomial:
        """A product of functions of one entry each, whose indices may turn out to be the same."""
        law = self.drawn.entry_law
        u = sympy.Symbol("u", real=True, positive=True if law and "positive" in law.support else None)
        groups: dict[Places, list[Expr]] = {}
        for places in reads:
            groups.setdefault(places, []).append(u)
        for factor in others:
            place = self.place([factor])
            if place is None or law is None:
                raise NoClosedForm(
                    f"no formula here for the mean of {_readable(factor)} over {self.drawn.tensor.name}"
                )
            atom = _expression(substitute(factor[0], {Read(self.drawn.tensor, place): u}))
            groups.setdefault(place, []).append(atom ** factor[1])
        if len(groups) > 1 and not isinstance(self.drawn.record, Distribution):
            raise NoClosedForm(
                f"no formula here for the mean of functions of several entries of {self.drawn.tensor.name}, which depend on "
                "each other"
            )
        items = [(place, sympy.Mul(*parts)) for place, parts in groups.items()]
        return self.forms.form(self._grouped(items, u, law))

    def _grouped(self, items: list[tuple[Places, Expr]], u: sympy.Symbol, law: Any) -> Expr:
        """As `Drawn.moment`, for functions of entries in place of entries."""
        if not items:
            return S.One
        first, *others = items
        total = S.Zero
        for mask in range(2 ** len(others)):
            block = [first, *(o for k, o in enumerate(others) if mask >> k & 1)]
            rest = [o for k, o in enumerate(others) if not mask >> k & 1]
            same = sympy.Mul(
                *(Bracket(sympy.Eq(a, b)) for o in block[1:] for a, b in zip(first[0], o[0], strict=True))
            )
            if same != 0:
                total += same * self._cumulant(block, u, law) * self._grouped(rest, u, law)
        return total

    def _cumulant(self, block: list[tuple[Places, Expr]], u: sympy.Symbol, law: Any) -> Expr:
        """The joint cumulant of functions of the same entry."""
        mean = partial(entry_mean, u=u, law=law, parameters=self.drawn.entry_parameters(block[0][0]))
        first, *others = (g for _, g in block)
        total = mean(sympy.Mul(first, *others))
        for mask in range(2 ** len(others) - 1):
            inner = [o for k, o in enumerate(others) if mask >> k & 1]
            rest = [o for k, o in enumerate(others) if not mask >> k & 1]
            total -= self._cumulant([(block[0][0], g) for g in (first, *inner)], u, law) * mean(
                sympy.Mul(*rest)
            )
        return total

    # -- exponentials

    def arguments(self, exponentials: Sequence[Factor]) -> list[Argument] | None:
        """The exponent of a product of exponentials: numbers times sums of factors times one entry; None if not linear."""
        found = []
        for atom, exponent in exponentials:
            unit = S.ImaginaryUnit if isinstance(atom, Turn) else S.One
            for monomial, c in self.forms.form(atom.args[0]).scaled(exponent * unit):
                term = self.opened(list(monomial))
                if (
                    len(term.random) != 1
                    or not is_of(term.random[0][0], self.drawn.tensor)
                    or term.random[0][1] != 1
                ):
                    return None
                found.append((c, term, term.random[0][0].indices))
        return found


def _takes_axes(read: Read) -> bool:
    """Whether a primitive takes axes of the tensor whole here: more than one entry is meant."""
    return any(isinstance(i, Slot) for i in read.indices)


def _expression(e: Any) -> Any:
    """An atom with exponentials as SymPy writes them."""
    return (
        substitute(e, {g: sympy.exp(_expression(g.args[0])) for g in e.atoms(Grow)})
        if isinstance(e, Expr)
        else e
    )


def _readable(factor: Factor) -> str:
    whole = _expression(as_expression(frozenset({factor})))
    for _ in range(3):  # sums within sums
        whole = whole.xreplace(
            {t: sympy.Symbol(f"sum({t.body})") for t in whole.atoms(Total) if not t.body.has(Total)}
        )
    return re.sub(r"_\d+(?:\.(\d))?", lambda m: "ijklpqrs"[int(m[1] or 0) % 8], str(whole))
