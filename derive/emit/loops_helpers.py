"""The small functions that a kernel brings along when it uses them; none may be called with other precision than its own."""

from __future__ import annotations

import re

NJIT = "@njit(cache=True, error_model=\"numpy\")"

EXTREMUM = '''
@intrinsic
def {name}(typing, a, b):
    """The {word} of a and b, NaN if one of them is: a single vector instruction."""
    kind = typing.unify_types(a, b)

    def code(context, builder, signature, arguments):
        real = arguments[0].type
        function = builder.module.declare_intrinsic("llvm.{name}", [real], ir.FunctionType(real, [real, real]))
        return builder.call(function, arguments)

    return kind(kind, kind), code
'''

SIGMOID = '''
@njit(cache=True, error_model="numpy")
def sigmoid(x):
    """1 / (1 + exp(-x)), without overflow."""
    e = math.exp(-abs(x))
    return ({one} if x >= 0 else e) / ({one} + e)
'''

SOFTPLUS = '''
@njit(cache=True, error_model="numpy")
def softplus(x):
    """log(1 + exp(x)), without overflow."""
    return (x if x > 0 else {zero}) + math.log1p(math.exp(-abs(x)))
'''

SIGN = '''
@njit(cache=True, error_model="numpy")
def sign(x):
    """-1, 0 or 1; NaN stays."""
    return {one} if x > 0 else (-{one} if x < 0 else x)
'''

HELPERS: dict[str, str] = {
    "maximum": EXTREMUM.format(name="maximum", word="larger"),
    "minimum": EXTREMUM.format(name="minimum", word="smaller"),
    "sigmoid": SIGMOID,
    "softplus": SOFTPLUS,
    "sign": SIGN,
}


def helpers_in(source: str) -> list[str]:
    """The names of the helper functions that `source` calls."""
    return [name for name in HELPERS if re.search(rf"(?<![\w.]){name}\(", source)]


def helper_source(name: str, typed: bool) -> str:
    one, zero = ("real(1)", "real(0)") if typed else ("1.0", "0.0")
    text = HELPERS[name]
    return text if name in ("maximum", "minimum") else text.format(one=one, zero=zero)
