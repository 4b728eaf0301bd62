"""Sums of fractions over one denominator, where what cancels above is then gone: ``1/(1 + |x|) - |x|/(1 + |x|)^2``."""

from __future__ import annotations

from dataclasses import dataclass, field

import sympy
from sympy import Add, Expr, Mul, S

from ...ir.nodes import Bracket, Read
from ...ops.elementwise.arithmetic import Hypot, unit
from ...ops.elementwise.piecewise import Absolute, Sign
from ._rule import Rule
from .known import Known
from .rewriter import size_of
from .roots import count, one_sign

MOST, WIDEST = 8, 120
"""Terms and nodes of a sum that is looked at."""
LONGEST = 12
"""Terms of a numerator written out."""


@dataclass
class _Field:
    """Rational functions of atoms: reads, values of functions, roots r with r^2 known, signs s with s^3 = s and |x| = s x.

    back: what an atom stands for. squares: the squares of roots. signs: the sign of a read and its size.
    """

    signed: frozenset[Expr]
    back: dict[Expr, Expr] = field(default_factory=dict)
    atoms: dict[Expr, Expr] = field(default_factory=dict)
    squares: dict[Expr, Expr] = field(default_factory=dict)
    signs: dict[Expr, Expr] = field(default_factory=dict)

    def plain(self, e: Expr) -> Expr:
        if e.is_Rational:
            return e
        if e.is_Add or e.is_Mul:
            return e.func(*map(self.plain, e.args))
        if e.is_Pow and e.exp.is_Integer:
            return self.plain(e.base) ** e.exp
        if e.is_Pow and e.exp.is_Rational and e.exp.q == 2 and not e.base.is_number:
            return self.root(sympy.sqrt(e.base), e.base) ** e.exp.p
        if isinstance(e, Hypot):
            a, b = sorted(e.args, key=str)
            return self.root(Hypot(a, b), a**2 + b**2)
        if isinstance(e, unit):
            return self.plain(e.args[0]) / self.plain(Hypot(*e.args))
        if e in self.signed:
            return self.sign(e) * self.atom(Absolute(e))
        if isinstance(e, Sign) and e.args[0] in self.signed:
            return self.sign(e.args[0])
        if isinstance(e, Bracket) and isinstance(e.condition, sympy.Ne):
            x, zero = e.condition.args
            if x in self.signed and zero == 0:
                return self.sign(x) ** 2
        return self.atom(e)

    def atom(self, e: Expr) -> Expr:
        if e not in self.atoms:
            self.atoms[e] = sympy.Dummy()
            self.back[self.atoms[e]] = e
        return self.atoms[e]

    def root(self, e: Expr, square: Expr) -> Expr:
        r = self.atom(e)
        self.squares[r] = self.plain(square)
        return r

    def sign(self, e: Expr) -> Expr:
        s = self.atom(Sign(e))
        self.signs[s] = self.atom(Absolute(e))
        return s

    def reduced(self, e: Expr) -> tuple[Expr, Expr]:
        """A rational function as an expanded numerator without squares of roots and signs, over a product."""
        for _ in range(MOST):
            above, below = sympy.fraction(sympy.cancel(sympy.together(e)))
            low = self._lowered(sympy.expand(above))
            if low == above:
                break
            e = low / below
        return sympy.expand(above), sympy.factor(below)

    def by_roots(self, above: Expr, below: Expr, known: Known) -> tuple[Expr, Expr]:
        """The quotient with squares of atoms in terms of roots, ``x^2 = r^2 - 1``, where that makes it shorter."""
        best, price = (above, below), sympy.count_ops(sympy.factor(above)) + sympy.count_ops(below)
        for r, square in self.squares.items():
            for b in sorted(square.free_symbols & self.back.keys() - self.squares.keys(), key=self.name):
                slope = sympy.cancel(square.diff(b) / (2 * b))
                if slope == 0 or slope.has(b):
                    continue
                other = sympy.cancel((r**2 - square.subs(b, 0)) / slope)
                parts = [_in_squares(sympy.expand(x), b, other) for x in (above, below)]
                n, d = map(sympy.factor, sympy.fraction(sympy.cancel(parts[0] / parts[1])))
                if (own := sympy.count_ops(n) + sympy.count_ops(d)) < price:
                    n, d = (Mul(*(self._conjugate(f, r, known) for f in Mul.make_args(x))) for x in (n, d))
                    best, price = (n, d), own
        return best

    def name(self, atom: Expr) -> str:
        return str(self.back[atom])

    def _conjugate(self, f: Expr, r: Expr, known: Known) -> Expr:
        """``(r - a)^k`` as ``((r^2 - a^2) / (r + a))^k``, with r^2 written out, if r and a have one sign."""
        base, k = f.as_base_exp()
        alpha, beta = base.coeff(r, 1), base.coeff(r, 0)
        if not base.is_Add or alpha == 0 or sympy.expand(alpha * r + beta - base) != 0:
            return f
        if not one_sign(self.restored(alpha * r - beta), known):
            return f
        difference = sympy.factor(sympy.cancel(alpha**2 * self.squares[r] - beta**2))
        return f if difference.is_Add else (difference / (alpha * r - beta)) ** k

    def _lowered(self, e: Expr) -> Expr:
        return Add(*map(self._low, Add.make_args(e)))

    def _low(self, t: Expr) -> Expr:
        powers = t.as_powers_dict()
        for r, square in self.squares.items():
            k = powers.get(r, 0)
            t *= (square / r**2) ** (k // 2)
        for s, size in self.signs.items():
            k = powers.get(s, 0)
            if k > 1:
                t *= s ** ((2 - k % 2 if not powers.get(size, 0) else k % 2) - k)
        return t

    def restored(self, e: Expr) -> Expr:
        return e.xreplace(self.back)


def _in_squares(e: Expr, b: Expr, square: Expr) -> Expr:
    """A polynomial with an expression in place of the square of an atom."""
    return Add(*(t * (square / b**2) ** (t.as_powers_dict().get(b, 0) // 2) for t in Add.make_args(e)))


def _one_fraction(e: Expr, known: Known) -> Expr | None:
    """The sum over one denominator, if above no terms can cancel any more but two that the inputs make equal."""
    if len(e.args) > MOST or size_of(e) > WIDEST or not any(map(_is_fraction, e.args)) or one_sign(e, known):
        return None
    sizes = e.atoms(Absolute, Sign)
    own = _Field(frozenset(f.args[0] for f in sizes if isinstance(f.args[0], Read)))
    terms = [own.plain(t) for t in e.args]
    try:
        above, below = own.reduced(Add(*terms))
        before = sum(count(sympy.cancel(t * below)) for t in terms)
    except sympy.PolynomialError:
        return None
    if above == 0:
        return S.Zero
    if count(above) > LONGEST:
        return None
    fewer = count(above) < before
    above, below = own.by_roots(above, below, known)
    found = own.restored(sympy.factor(above) if above.is_Add else above)
    if not all(_settled(f.as_base_exp()[0], known, fewer) for f in Mul.make_args(found)):
        return None
    return found / own.restored(below)


def _settled(f: Expr, known: Known, fewer: bool) -> bool:
    """Whether a factor loses no digits: terms of one sign, or two that are products of inputs."""
    if not f.is_Add or one_sign(f, known):
        return True
    return fewer and len(f.args) == 2 and all(map(_monomial, f.args))


def _monomial(t: Expr) -> bool:
    return all(f.is_number or isinstance(f.as_base_exp()[0], Read | Absolute) for f in Mul.make_args(t))


def _is_fraction(t: Expr) -> bool:
    powers = (f.as_base_exp() for f in Mul.make_args(t))
    return any((k.is_negative and not b.is_number) or isinstance(b, unit) for b, k in powers)


ONE = Rule(
    "a/b + c/d", (Add,), _one_fraction,
    ("1/(1 + u) - u/(1 + u)**2 == 1/(1 + u)**2 where u > 0",
     "u/sqrt(u**2 + v**2)**3*u - 1/sqrt(u**2 + v**2) == -v**2/sqrt(u**2 + v**2)**3"),
    when="no terms above can cancel afterwards but two products of inputs", source="Higham (2002), problem 1.7",
)  # fmt: skip
