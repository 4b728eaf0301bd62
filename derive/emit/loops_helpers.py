"""The small functions that a kernel brings along when it calls them."""

from __future__ import annotations

import re

from .loops_families import CALL, ORDERED, family_function
from .loops_gemm import GEMM
from .loops_math import VECTOR, vector_function
from .loops_special import SPECIAL, special_function
from .loops_stable import STABLE, stable_function

EXTREMUM = '''
@intrinsic
def {name}(typing, a, b):
    """The {word} of a and b, NaN if one of them is: a single vector instruction."""
    kind = typing.unify_types(a, b)

    def code(context, builder, signature, arguments):
        real = arguments[0].type
        kind = ir.FunctionType(real, [real, real])
        function = builder.module.declare_intrinsic("llvm.{name}", [real], kind)
        return builder.call(function, arguments)

    return kind(kind, kind), code
'''

SIGMOID = '''
@njit(cache=True, error_model="numpy", fastmath=False, forceinline=True)
def sigmoid(x):
    """1 / (1 + exp(-x)), without overflow."""
    e = {exp}(-abs(x))
    return ({one} if x >= {zero} else e) / ({one} + e)
'''

SOFTPLUS = '''
@njit(cache=True, error_model="numpy", fastmath=False, forceinline=True)
def softplus(x):
    """log(1 + exp(x)), without overflow."""
    return (x if x > {zero} else {zero}) + {log1p}({exp}(-abs(x)))
'''

SIGN = '''
@njit(cache=True, error_model="numpy", fastmath=False, forceinline=True)
def sign(x):
    """-1, 0 or 1; NaN stays."""
    return {one} if x > {zero} else (-{one} if x < {zero} else x)
'''

EXTREMA = {"maximum": "larger", "minimum": "smaller"}
PLAIN = {"sigmoid": SIGMOID, "softplus": SOFTPLUS, "sign": SIGN}
NAMES = ("gemm", *EXTREMA, *VECTOR, *PLAIN, *SPECIAL, *STABLE, *ORDERED)


def helpers_for(source: str, typed: bool, vector: bool) -> list[str]:
    """The helper functions that `source` calls and those that they call, callees first.

    typed: in single precision, which the module calls ``real``.
    vector: with exponentials and logarithms that can be vectorised instead of those of the library.
    """
    found: dict[str, str] = {}

    def visit(text: str) -> None:
        for name in calls(text):
            if name not in found and (vector or name not in VECTOR):
                own = helper(name, typed, vector)
                visit(own)
                found[name] = own

    visit(source)
    return list(found.values())


def calls(text: str) -> list[str]:
    """The helper functions that are called in `text`, comments, docstrings and definitions left out."""
    code = re.sub(r'""".*?"""', "", text, flags=re.DOTALL)
    code = re.sub(r"#.*|def \w+", "", code)
    fixed = [name for name in NAMES if name not in ORDERED and re.search(rf"(?<![\w.]){name}\(", code)]
    return fixed + sorted(set(CALL.findall(code)))


def helper(name: str, typed: bool, vector: bool) -> str:
    """The source of one helper function."""
    if name == "gemm":
        return GEMM.strip("\n")
    if name in EXTREMA:
        return EXTREMUM.format(name=name, word=EXTREMA[name]).strip("\n")
    if name in VECTOR:
        return vector_function(name, typed).strip("\n")
    if name in SPECIAL:
        return special_function(name, typed)
    if CALL.match(f"{name}("):
        return family_function(name, typed)
    if name in STABLE:
        return stable_function(name, typed, vector)
    one, zero = ("real(1)", "real(0)") if typed else ("1.0", "0.0")
    library = "" if vector else "math."
    return PLAIN[name].format(one=one, zero=zero, exp=f"{library}exp", log1p=f"{library}log1p").strip("\n")
