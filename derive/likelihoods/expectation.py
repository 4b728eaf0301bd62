"""Means under a law of one number, without integrals where there is another way.

Powers of y have the mean that the cumulants say. Every other statistic in the scores has one that follows from the scores:
each of them has mean 0 (Bartlett's first identity), and these equations are linear in the unknown means. What is left is one
of Euler's integrals, where the law has a substitution that makes it one.
"""

from __future__ import annotations

from functools import cached_property, partial

import sympy
from sympy import Add, Expr, Mul, S

from ..deadline import OutOfTime
from ..errors import NoClosedForm
from ..information.euler_integrals import Euler, euler
from ..ir.nodes import Bracket, Where
from ..moments.cumulants import cumulant
from ..ops.elementwise.piecewise import Absolute, Sign, domestic
from .family import multiplied_out
from .law import Law
from .logarithms import in_terms
from .textbook import in_factors, shorter, textbook

LONGEST = 400
"""Operations of a mean beyond which it says less than its integral does."""
HIGHEST = 6
"""The largest power of y whose mean is written out."""


class Expectation:
    """Means of expressions in what is observed, in the law's own parameters."""

    def __init__(self, law: Law) -> None:
        self.law = law
        self.known: dict[Expr, Expr] = {}
        self._learn()

    def __call__(self, expr: Expr) -> Expr | None:
        """E of an expression in y and in the law's own parameters; None where it is not found."""
        if (whole := self._of_values(expr)) is not None:
            return whole
        if self.law.density.whole and (values := _single_values(expr, self.law.y)):
            return self._by_values(expr, values)
        found = S.Zero
        for coefficient, statistic in self.parts(expr):
            mean = self._mean(statistic)
            if mean is None:
                return self._by_euler(expr)
            found += coefficient * mean
        found = textbook(found)
        return None if found.count_ops() > LONGEST else found

    def _by_euler(self, expr: Expr) -> Expr | None:
        """By a substitution that makes the density an integrand of Euler's."""
        if self._euler is None:
            return None
        mean = self._euler.mean(expr.xreplace(self._symbols))
        back = {s: r for r, s in self._symbols.items()}
        return None if mean is None else shorter(mean.xreplace(back))

    @cached_property
    def _symbols(self) -> dict[Expr, Expr]:
        """What is observed, and the parameters, as symbols of which SymPy knows whether they are positive."""
        reads = {"x": self.law.y, **self.law.own}
        return {r: sympy.Dummy(n, real=True, positive=r.is_nonnegative or None) for n, r in reads.items()}

    @cached_property
    def _euler(self) -> Euler | None:
        if self.law.density.whole:
            return None
        x = self._symbols[self.law.y]
        return euler(self.law.log_density.xreplace(self._symbols), x)

    def parts(self, expr: Expr) -> list[tuple[Expr, Expr]]:
        """The expression as a sum of coefficients times statistics of y, as it stands."""
        y = self.law.y
        found: dict[Expr, Expr] = {}
        expr = multiplied_out(almost_surely(multiplied_out(expr), self.law))
        for term in Add.make_args(expr):
            factors = Mul.make_args(term)
            statistic = Mul(*(f for f in factors if f.has(y)))
            found[statistic] = found.get(statistic, S.Zero) + Mul(*(f for f in factors if not f.has(y)))
        return [(c, s) for s, c in found.items()]

    def _of_values(self, expr: Expr) -> Expr | None:
        record = self.law.record
        if record is None or record.values is None:
            return None
        pairs = record.values(*self.law.own.values())
        return textbook(Add(*(p * in_terms(expr).xreplace({self.law.y: v}) for v, p in pairs)))

    def _mean(self, statistic: Expr) -> Expr | None:
        if statistic == 1:
            return S.One
        if statistic in self.known:
            return self.known[statistic]
        return self._of_power(statistic)

    def _by_values(self, expr: Expr, values: set[Expr]) -> Expr | None:
        """What holds at single values of y apart: ``E f = E g + sum p(c) (f(c) - g(c))``, g what f is elsewhere."""
        y = self.law.y

        def at(e: Expr, value: Expr) -> Expr:
            return e.xreplace({y: value}).replace(lambda w: isinstance(w, Where) and w.args[0] in (True, False), _decided)

        off = {sympy.Eq(y, c): sympy.false for c in values}
        elsewhere = expr.xreplace(off).replace(lambda w: isinstance(w, Where) and w.args[0] in (True, False), _decided)
        mean = self(elsewhere)
        if mean is None:
            return None
        more = (
            sympy.exp(at(self.law.log_density, c)) * (at(expr, c) - at(elsewhere, c))
            for c in sorted(values, key=str)
        )
        return shorter(mean + Add(*map(in_factors, more)))

    def _of_power(self, statistic: Expr) -> Expr | None:
        """The k-th moment from the cumulants: ``m_k = sum C(k-1, j-1) k_j m_{k-j}``."""
        base, power = statistic.as_base_exp()
        record = self.law.record
        if base != self.law.y or record is None or not power.is_Integer:
            return None
        if not 1 <= power <= HIGHEST:
            return record.power(power, *self.law.own.values()) if record.power else None
        try:
            cumulants = [cumulant(record, k, list(self.law.own.values())) for k in range(1, int(power) + 1)]
        except (NoClosedForm, NotImplementedError, ValueError):
            return None
        moments = [S.One]
        for k in range(1, int(power) + 1):
            terms = (
                sympy.binomial(k - 1, j - 1) * cumulants[j - 1] * moments[k - j] for j in range(1, k + 1)
            )
            moments.append(sympy.expand(Add(*terms)))
        return moments[-1]

    def _learn(self) -> None:
        """The means that follow from those of the scores being 0."""
        unknown: dict[Expr, sympy.Symbol] = {}
        equations = []
        for parameter in self.law.own.values():
            total = S.Zero
            for coefficient, statistic in self.parts(self.law.log_density.diff(parameter)):
                mean = self._mean(statistic)
                total += coefficient * (
                    unknown.setdefault(statistic, sympy.Dummy("m")) if mean is None else mean
                )
            equations.append(total)
        symbols = set(unknown.values())
        solved = _one_by_one(equations, symbols)
        for statistic, symbol in unknown.items():
            if (value := solved.get(symbol)) is not None:
                self.known[statistic] = textbook(value)


def _one_by_one(equations: list[Expr], unknown: set[sympy.Symbol]) -> dict[Expr, Expr]:
    """Linear equations solved: those with one unknown first, what is left together."""
    found: dict[Expr, Expr] = {}
    waiting = list(equations)
    while single := [(e, e.free_symbols & unknown) for e in waiting if len(e.free_symbols & unknown) == 1]:
        equation, (symbol,) = single[0]
        slope = equation.diff(symbol)
        found[symbol] = sympy.cancel(sympy.together(-equation.xreplace({symbol: S.Zero}) / slope))
        waiting = [e.xreplace({symbol: found[symbol]}) for e in waiting if e is not equation]
    waiting = [e for e in waiting if e.free_symbols & unknown]
    try:
        rest = sympy.solve(waiting, list(unknown - set(found)), dict=True) if waiting else []
    except (NotImplementedError, OutOfTime):
        rest = []
    return found | ({s: v for s, v in rest[0].items() if not v.has(*unknown)} if rest else {})


def almost_surely(expr: Expr, law: Law) -> Expr:
    """What holds but for single values of y, which have probability 0 under a density: ``sign(y - a)^2 = 1``."""
    expr = domestic(expr)
    if law.density.whole:
        return expr
    expr = expr.replace(Bracket, lambda c: S.One if isinstance(c, sympy.Ne) and c.has(law.y) else Bracket(c))
    expr = expr.replace(lambda e: isinstance(e, Sign) and e.has(law.y), _upright)
    expr = expr.replace(lambda e: isinstance(e, Mul) and e.has(Sign) and e.has(Absolute), _signed)
    return expr.replace(lambda e: isinstance(e, Mul) and law.y in e.args and e.has(Sign), partial(_moved, y=law.y))


def _single_values(expr: Expr, y: Expr) -> set[Expr]:
    """The values of y for which an expression says something of their own."""
    return {c.rhs for c in expr.atoms(sympy.Eq) if c.lhs == y and not c.rhs.has(y)}


def _decided(choice: Expr) -> Expr:
    condition, there, elsewhere = choice.args
    return there if condition == True else elsewhere  # noqa: E712


def _upright(sign: Expr) -> Expr:
    """sign(a - y) is -sign(y - a)."""
    x = sign.args[0]
    return -Sign(-x) if x.could_extract_minus_sign() else sign


def _moved(product: Expr, y: Expr) -> Expr:
    """y sign(y - a) is |y - a| + a sign(y - a)."""
    sign = next((f for f in product.args if isinstance(f, Sign) and f.args[0].diff(y).is_number), None)
    if sign is None:
        return product
    u = sign.args[0]
    slope = u.diff(y)
    rest = [f for f in product.args if f not in (y, sign)]
    return Mul(*rest) * (Absolute(u) - sympy.expand(u - slope * y) * sign) / slope


def _signed(product: Expr) -> Expr:
    """|x| sign(x) is x."""
    factors = list(product.args)
    for f in [f for f in factors if isinstance(f, Sign)]:
        if Absolute(f.args[0]) in factors:
            factors[factors.index(Absolute(f.args[0]))] = f.args[0]
            factors.remove(f)
    return Mul(*factors)
