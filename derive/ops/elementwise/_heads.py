"""Heads of functions of one real number whose value at 0 is known."""

from typing import Any, ClassVar

from sympy import Expr, Function


class OfReal(Function):
    """A real function that is `at_zero` at 0; if it is `even`, of x and -x the argument is that which SymPy prefers."""

    is_real = True
    at_zero: ClassVar[Expr]
    even: ClassVar[bool] = False

    @classmethod
    def eval(cls, x: Any) -> Expr | None:
        if x.is_zero:
            return cls.at_zero
        return cls(-x) if cls.even and x.could_extract_minus_sign() else None
