"""Sums, products, quotients and powers: SymPy's own nodes, so these records only translate."""

import sympy

from .._record import Elementwise

ADD = Elementwise("add", lambda a, b: a + b, ("numpy.add",), arity=2)
SUBTRACT = Elementwise("subtract", lambda a, b: a - b, ("numpy.subtract",), arity=2)
MULTIPLY = Elementwise("multiply", lambda a, b: a * b, ("numpy.multiply",), arity=2)
DIVIDE = Elementwise("divide", lambda a, b: a / b, ("numpy.divide", "numpy.true_divide"), arity=2)
NEGATIVE = Elementwise("negative", lambda a: -a, ("numpy.negative",))
POSITIVE = Elementwise("positive", lambda a: a, ("numpy.positive",))
POWER = Elementwise("power", lambda a, b: a**b, ("numpy.power", "numpy.float_power"), arity=2, domain=(0.2, 3.0))
SQUARE = Elementwise("square", lambda a: a**2, ("numpy.square",))
RECIPROCAL = Elementwise("reciprocal", lambda a: 1 / a, ("numpy.reciprocal",), domain=(0.2, 3.0))
SQRT = Elementwise("sqrt", sympy.sqrt, ("numpy.sqrt",), domain=(0.2, 3.0))
CBRT = Elementwise("cbrt", lambda a: a ** sympy.Rational(1, 3), ("numpy.cbrt",), domain=(0.2, 3.0))
HYPOT = Elementwise("hypot", lambda a, b: sympy.sqrt(a**2 + b**2), ("numpy.hypot",), arity=2, domain=(0.2, 3.0))
DEG2RAD = Elementwise("deg2rad", lambda a: a * sympy.pi / 180, ("numpy.deg2rad", "numpy.radians"))
RAD2DEG = Elementwise("rad2deg", lambda a: a * 180 / sympy.pi, ("numpy.rad2deg", "numpy.degrees"))
