"""The functions of scalars in kernels: every record against its reference, the vectorised ones to the last digits."""

import math
import platform
import re
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy
from scipy import special

from derive.emit.functions import of_library
from derive.emit.loops_helpers import helpers_for
from derive.ir.evaluate import evaluate
from derive.ir.nodes import Equation, Index, Program, Tensor, size
from derive.kernels.compile import compile_program
from derive.ops.elementwise import elementwise_ops

REFERENCE: dict[str, Callable[[Any], Any]] = {
    "exp": mpmath.exp, "expm1": mpmath.expm1, "tanh": mpmath.tanh, "log": mpmath.log, "log1p": mpmath.log1p,
    "erf": mpmath.erf, "erfc": mpmath.erfc, "sin": mpmath.sin, "cos": mpmath.cos, "tan": mpmath.tan,
    "lgamma": mpmath.loggamma, "ndtr": mpmath.ncdf, "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)), "softplus": lambda x: mpmath.log1p(mpmath.exp(x)),
}  # fmt: skip
ULPS = {"exp": 2, "log": 2, "tanh": 2}
"""The largest error, where it is not 4."""
SPELLED = [op for op in elementwise_ops() if op.head is not None and "numba" in op.spelling]


def every_operation(arity: int) -> Program:
    n = size("n")
    i = Index("i", n)
    inputs = [Tensor(f"x{k}", (n,)) for k in range(arity)]
    constants = (sympy.S.One, sympy.S.One)
    equations = [
        Equation(
            Tensor(f"y{position}", (n,)), (i,),
            op.head(*constants[: op.constants], *(_inside(op.domain, x[i]) for x in inputs)),
        )
        for position, op in enumerate(SPELLED) if op.arity - op.constants == arity
    ]  # fmt: skip
    return Program(tuple(inputs), tuple(equations), tuple(e.target for e in equations))


def _inside(domain: tuple[float, float], x: Any) -> Any:
    low, high = (sympy.Rational(str(bound)) for bound in domain)
    return low + (high - low) * x


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("arity", [1, 2])
def test_every_operation_has_its_value(arity, dtype):
    program = every_operation(arity)
    kernel = compile_program(program, f"operations{arity}", dtype=dtype, single=False)
    rng = np.random.default_rng(arity)
    values = {tensor.name: rng.random(64).astype(np.float32) for tensor in program.inputs}
    expected = evaluate(program, values)
    tolerance = 1e-12 if dtype is np.float64 else 3e-5
    steps = {"floor", "ceil", "round", "trunc", "sign", "rint"}
    for found, equation in zip(kernel(**values), program.equations, strict=True):
        name = type(equation.body).__name__
        if dtype is np.float32 and name.lower() in steps:
            continue
        wanted = expected[equation.target.name]
        np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance, err_msg=str(equation))


@pytest.fixture(scope="module", params=[np.float64, np.float32])
def functions(request: pytest.FixtureRequest) -> tuple[type, dict[str, Any]]:
    """Each helper applied to the entries of an array, in a loop that may be vectorised and reordered."""
    dtype = request.param
    source = "import math\nimport numpy as np\nfrom llvmlite import ir\nfrom numba import njit\n"
    source += "from numba.extending import intrinsic\nreal = np.float32\n"
    source += "\n\n".join(helpers_for(" ".join(f"{name}(" for name in REFERENCE), dtype is np.float32, True))
    options = 'error_model="numpy", fastmath={"arcp", "contract", "nsz", "reassoc"}'
    for name in REFERENCE:
        source += f"\n\n@njit({options})\ndef all_{name}(x):\n    y = np.empty_like(x)\n"
        source += f"    for i in range(x.size):\n        y[i] = {name}(x[i])\n    return y\n"
    module: dict[str, Any] = {}
    exec(source.replace("cache=True, ", ""), module)
    return dtype, module


def arguments(name: str, dtype: type) -> np.ndarray:
    """Numbers of all magnitudes for which the result is a normal number."""
    rng = np.random.default_rng(11)
    limits = np.finfo(dtype)
    top, bottom = math.log(limits.max) * 0.999, math.log(limits.tiny) * 0.999
    small = rng.choice([-1, 1], 300) * np.exp(rng.uniform(bottom, 0, 300))
    wide = np.exp(rng.uniform(bottom, top, 300))
    match name:
        case "exp" | "sigmoid":
            x = [small, rng.uniform(bottom, top if name == "exp" else -bottom, 1000), rng.normal(size=1000)]
        case "expm1":
            x = [small, rng.uniform(-40, top, 1000), rng.normal(size=1000)]
        case "tanh" | "erf":
            x = [small, wide, -wide, rng.normal(size=1000)]
        case "erfc":
            x = [small, rng.uniform(-6, 9 if dtype is np.float32 else 26, 1500)]
        case "ndtr":
            x = [small, rng.uniform(-12.5 if dtype is np.float32 else -37, 6, 1500)]
        case "sin" | "cos" | "tan":
            x = [small, wide, rng.normal(size=500), np.pi / 2 * rng.integers(-(10**6), 10**6, 500)]
        case "lgamma":
            x = [wide[wide < 1e30], rng.uniform(0, 4, 1000), 1 + small, 2 + small]
        case "log":
            x = [wide, np.exp(rng.normal(size=1000)), 1 + small[np.abs(small) < 0.5]]
        case "log1p":
            x = [wide, small[small > -0.999], -np.exp(rng.uniform(-9, -0.001, 500))]
        case _:
            x = [rng.uniform(bottom, top, 1000), rng.normal(size=1000)]
    return np.concatenate(x).astype(dtype)


@pytest.mark.parametrize("name", REFERENCE)
def test_accuracy(functions, name):
    dtype, module = functions
    x = arguments(name, dtype)
    found = module[f"all_{name}"](x)
    assert found.dtype == dtype
    with mpmath.workprec(1200 if name in ("sin", "cos", "tan") else 150):
        exact = [REFERENCE[name](mpmath.mpf(float(value))) for value in x]
        units = np.spacing(np.abs(np.array([float(e) for e in exact])).astype(dtype)).astype(float)
        errors = [abs(mpmath.mpf(float(y)) - e) / u for y, e, u in zip(found, exact, units, strict=True)]
    worst = int(np.argmax([float(e) for e in errors]))
    assert errors[worst] < ULPS.get(name, 4), f"{name}({x[worst]}) is off by {float(errors[worst]):.2f} ulp"


@pytest.mark.parametrize("name", REFERENCE)
def test_special_values(functions, name):
    dtype, module = functions
    big, tiny = np.finfo(dtype).max, np.finfo(dtype).smallest_subnormal
    x = np.array([0, 1, -1, np.inf, -np.inf, np.nan, big, -big, tiny], dtype=dtype)
    with np.errstate(all="ignore"):
        expected = {
            "erf": special.erf, "erfc": special.erfc, "ndtr": special.ndtr, "sin": np.sin, "cos": np.cos, "tan": np.tan,
            "lgamma": lambda a: np.array([np.inf, 0, *[np.inf] * 3, np.nan, np.inf, np.inf, -np.log(tiny)], dtype),
            "exp": np.exp, "expm1": np.expm1, "tanh": np.tanh, "log": np.log, "log1p": np.log1p,
            "sigmoid": lambda a: 1 / (1 + np.exp(-a)), "softplus": lambda a: np.logaddexp(dtype(0), a),
        }[name](x)  # fmt: skip
    np.testing.assert_allclose(module[f"all_{name}"](x), expected, rtol=4 * np.finfo(dtype).eps, atol=tiny)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the names of vector registers")
@pytest.mark.parametrize("name", REFERENCE)
def test_the_loop_is_made_of_vector_instructions(functions, name):
    """Arithmetic is on whole registers: multiplications of single numbers are those of the remainder of the loop."""
    _, module = functions
    module[f"all_{name}"](np.ones(3, functions[0]))
    (code,) = module[f"all_{name}"].inspect_asm().values()
    assert re.search(r"mul[a-z0-9]*p[ds]\s.*%[yz]mm|mulp[ds]\s.*%xmm", code)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_powers(dtype):
    module: dict[str, Any] = {}
    source = "import math\nimport numpy as np\nfrom llvmlite import ir\nfrom numba import njit\n"
    source += "from numba.extending import intrinsic\nreal = np.float32\n"
    source += "\n\n".join(helpers_for("power(", dtype is np.float32, True))
    source += "\n\n@njit(error_model='numpy')\ndef all_powers(x, y):\n    z = np.empty_like(x)\n"
    source += "    for i in range(x.size):\n        z[i] = power(x[i], y[i])\n    return z\n"
    exec(source.replace("cache=True, ", ""), module)
    ends = np.array([0, -0.0, 1, -1, 2, -2, 0.5, -0.5, 3, -3, np.inf, -np.inf, np.nan, 1e-40, -7, 1e30], dtype)
    a, b = (v.ravel() for v in np.meshgrid(ends, ends))
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(module["all_powers"](a, b), np.power(a, b), rtol=4 * np.finfo(dtype).eps)
        assert (np.signbit(module["all_powers"](a, b)) == np.signbit(np.power(a, b)))[~np.isnan(np.power(a, b))].all()
    rng = np.random.default_rng(3)
    largest = 700 if dtype is np.float64 else 80
    x = np.exp(rng.uniform(-largest / 12, largest / 12, 1000)).astype(dtype)
    y = (rng.uniform(-1, 1, 1000) * largest / np.abs(np.log(x))).astype(dtype)
    with mpmath.workprec(150):
        exact = [mpmath.mpf(float(v)) ** mpmath.mpf(float(w)) for v, w in zip(x, y, strict=True)]
        units = np.spacing(np.array([float(e) for e in exact]).astype(dtype)).astype(float)
        assert max(abs(mpmath.mpf(float(z)) - e) / u for z, e, u in zip(module["all_powers"](x, y), exact, units, strict=True)) < 4


def test_no_function_inherits_the_reordering_of_its_caller():
    """Numba hands a caller's fastmath down to functions that state none; sums reordered would ruin log1p."""
    for name in of_library():
        for helper in helpers_for(f"{name}(", False, True):
            assert helper.startswith("@intrinsic") or "fastmath=" in helper.splitlines()[0]
