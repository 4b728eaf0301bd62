"""What is left of a function beside the first terms of its Taylor series, and one minus a cosine."""

from __future__ import annotations

from sympy import S, cos, exp, sin, sinh

from ...ops.elementwise.exponential import expm1, log1p
from ...ops.elementwise.remainders import cosm1, expm1mx, log1pmx
from ._rule import U, identity

COSINE = identity("cos(u) - 1", [cos(U), -1], cosm1(U))
SINE = identity("1 - sin(u)^2", [-(sin(U) ** 2), 1], cos(U) ** 2)
SQUARE = identity("1 - cos(u)^2", [-(cos(U) ** 2), 1], sin(U) ** 2)
CIRCLE = identity("sin(u)^2 + cos(u)^2", [sin(U) ** 2, cos(U) ** 2], S.One)
COSM1 = identity("cosm1(u) + 1", [cosm1(U), 1], cos(U))
LOGARITHM = identity("log1p(u) - u", [log1p(U), -U], log1pmx(U))
EXPONENTIAL = identity("expm1(u) - u", [expm1(U), -U], expm1mx(U))
REMAINDER = identity("exp(u) - 1 - u", [exp(U), -1, -U], expm1mx(U))
COSHES = identity("exp(u) + exp(-u) - 2", [exp(U), exp(-U), -2], 4 * sinh(U / 2) ** 2)
