"""Special functions one number at a time, with loops and branches; in double precision in kernels of single too.

Largest errors seen on samples of their whole range are beside each; `tests/kernels/test_special_functions.py` measures
them against 50 digits.
"""

from __future__ import annotations

from ._record import KernelFunction

CENTRE = (
    ("2509.0809287301226727", "33430.575583588128105", "67265.770927008700853", "45921.953931549871457",
     "13731.693765509461125", "1971.5909503065514427", "133.14166789178437745", "3.387132872796366608"),
    ("5226.495278852854561", "28729.085735721942674", "39307.89580009271061", "21213.794301586595867",
     "5394.1960214247511077", "687.1870074920579083", "42.313330701600911252", "1.0"),
)  # fmt: skip
MIDDLE = (
    ("7.7454501427834140764e-4", "0.0227238449892691845833", "0.24178072517745061177", "1.27045825245236838258",
     "3.64784832476320460504", "5.7694972214606914055", "4.6303378461565452959", "1.42343711074968357734"),
    ("1.05075007164441684324e-9", "5.475938084995344946e-4", "0.0151986665636164571966", "0.14810397642748007459",
     "0.68976733498510000455", "1.6763848301838038494", "2.05319162663775882187", "1.0"),
)  # fmt: skip
TAIL = (
    ("2.01033439929228813265e-7", "2.71155556874348757815e-5", "0.0012426609473880784386", "0.026532189526576123093",
     "0.29656057182850489123", "1.7848265399172913358", "5.4637849111641143699", "6.6579046435011037772"),
    ("2.04426310338993978564e-15", "1.4215117583164458887e-7", "1.8463183175100546818e-5", "7.868691311456132591e-4",
     "0.0148753612908506148525", "0.13692988092273580531", "0.59983220655588793769", "1.0"),
)  # fmt: skip
"""Numerators and denominators of Wichura (1988), algorithm AS 241."""


def _polynomial(coefficients: tuple[str, ...], variable: str, name: str) -> str:
    """Lines that leave the value of a polynomial in `name`."""
    first, *rest = coefficients
    return "\n    ".join([f"{name} = {first}", *(f"{name} = {name} * {variable} + {c}" for c in rest)])


def _ratio(pair: tuple[tuple[str, ...], tuple[str, ...]], variable: str) -> str:
    above, below = (_polynomial(part, variable, name) for part, name in zip(pair, ("p", "q"), strict=True))
    return f"{above}\n    {below}"


def _indented(text: str) -> str:
    return text.replace("\n", "\n    ")


SPECIAL: dict[str, str] = {
    "normal_quantile": f'''
def normal_quantile(q, tail):
    """The normal quantile of 1/2 + q, where `tail` is the smaller of that and 1/2 - q."""
    if abs(q) <= 0.425:
        r = 0.180625 - q * q
        {_indented(_ratio(CENTRE, "r"))}
        return q * (p / q_)
    if not 0.0 <= tail <= 0.5:
        return math.nan
    if tail == 0.0:
        return math.copysign(math.inf, q)
    r = math.sqrt(-math.log(tail))
    if r <= 5.0:
        r = r - 1.6
        {_indented(_ratio(MIDDLE, "r"))}
    else:
        r = r - 5.0
        {_indented(_ratio(TAIL, "r"))}
    return math.copysign(p / q_, q)
'''.replace("\n        q = ", "\n        q_ = ").replace(" q * r +", " q_ * r +"),
    "ndtri": '''
def ndtri(p):
    """The inverse of the normal distribution function: 6 ulp."""
    p = np.float64(p)
    return (normal_quantile(p - 0.5, p if p < 0.5 else 1.0 - p))
''',
    "erfinv": '''
def erfinv(y):
    """The inverse of the error function: 4 ulp."""
    y = np.float64(y)
    return (0.7071067811865476 * normal_quantile(0.5 * y, 0.5 * (1.0 - abs(y))))
''',
}  # fmt: skip
"""The text of each function."""


def _record(name: str, arity: int = 1) -> KernelFunction:
    return KernelFunction(
        name, lambda f, order: SPECIAL[name], double=True, contract=False, inlined=False, arity=arity
    )


QUANTILE = _record("normal_quantile", 2)
NDTRI = _record("ndtri")
ERFINV = _record("erfinv")
