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

BERNOULLI = (
    "1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798, -174611 / 330"
)


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
    "polygamma": '''
def polygamma(order, x):
    """The derivatives of log(gamma), 0 for digamma: recurrence up to large x, then Stirling's series.

    For x > 0 4 ulp; digamma, which has a zero at 1.46, to 1e-15.
    """
    n, x = int(order), np.float64(x)
    if n == 0:
        if x < 0.0:
            return (np.float64(polygamma_sum(0, 1.0 - x)) - math.pi / math.tan(math.pi * x))
        return (polygamma_sum(0, x))
    return (polygamma_sum(n, x) if x > 0.0 else math.inf if x == 0.0 and n % 2 else math.nan)
''',
    "polygamma_sum": f'''
def polygamma_sum(n, x):
    """Stirling's series at x + k >= 12 + n, and the terms of the recurrence down to x."""
    factorial = 1.0
    for k in range(2, n + 1):
        factorial *= k
    total = 0.0
    while x < 12.0 + n:
        total += factorial / x ** (n + 1)
        x += 1.0
    if n == 0:
        tail = 0.0
        power = 1.0
        k = 0
        for bernoulli in ({BERNOULLI}):
            k += 2
            power /= x * x
            tail += bernoulli / k * power
        return math.log(x) - (tail + 0.5 / x + total)
    power = factorial / x**n
    tail = power / n + 0.5 * power / x
    power *= (n + 1) / (2.0 * x * x)
    k = 2
    for bernoulli in ({BERNOULLI}):
        tail += bernoulli * power
        power *= (k + n) * (k + n + 1) / ((k + 1.0) * (k + 2.0) * x * x)
        k += 2
    return (tail + total) if n % 2 else -(tail + total)
''',
    "stirling_change": '''
def stirling_change(x, h):
    """The difference of Stirling's series for log(gamma) from x to x + h, without h log(x)."""
    r = h / x
    ell = math.log1p(r)
    tail = 0.0
    power = x
    m = 1.0
    for c in (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156, -3617 / 122400):
        tail += c * math.expm1(-m * ell) / power
        power *= x * x
        m += 2.0
    return x * np.float64(log1pmx(r)) + ((h - 0.5) * ell + tail)
''',
    "gammaln_diff": '''
def gammaln_diff(x, h):
    """log(gamma(x + h)) - log(gamma(x)): by Stirling's series where h is small beside x."""
    x, h = np.float64(x), np.float64(h)
    if not (-0.5 * x < h < x):
        return (math.lgamma(x + h) - math.lgamma(x))
    product = 0.0
    while x < 10.0:
        product += (1.0 + product) * (h / x)
        x += 1.0
    return (h * math.log(x) + stirling_change(x, h) - math.log1p(product))
''',
    "gammaln_excess": '''
def gammaln_excess(x, h):
    """log(gamma(x + h)) - log(gamma(x)) - h log(x): from 10 on by Stirling's series, in which h log(x) cancels."""
    x, h = np.float64(x), np.float64(h)
    if not (x >= 10.0 and x + h >= 10.0):
        return (np.float64(gammaln_diff(x, h)) - h * math.log(x))
    return (stirling_change(x, h))
''',
    "bessel_scaled": '''
def bessel_scaled(n, x):
    """exp(-|x|) I_n(x) for n = 0 and 1: the power series up to 20, from there on the asymptotic one."""
    size = abs(x)
    if size == math.inf:
        return 0.0
    if size > 20.0:
        term = 1.0
        total = 1.0
        for k in range(1, 30):
            term *= ((2 * k - 1) ** 2 - 4.0 * n * n) / (8.0 * k * size)
            total += term
            if abs(term) < 1e-17:
                break
        y = total / math.sqrt(2.0 * math.pi * size)
    else:
        quarter = 0.25 * size * size
        term = 0.5 * size if n else 1.0
        total = term
        k = 0
        while term > 1e-17 * total:
            k += 1
            term *= quarter / (k * (k + n))
            total += term
        y = total * math.exp(-size)
    return -y if n and x < 0.0 else y
''',
    "bessel_i0e": '''
def bessel_i0e(x):
    """exp(-|x|) I_0(x): 8 ulp."""
    return (bessel_scaled(0, np.float64(x)))
''',
    "bessel_i1e": '''
def bessel_i1e(x):
    """exp(-|x|) I_1(x): 8 ulp."""
    return (bessel_scaled(1, np.float64(x)))
''',
    "bessel_i0": '''
def bessel_i0(x):
    """The modified Bessel function I_0: 8 ulp."""
    z = np.float64(x)
    return (bessel_scaled(0, z) * math.exp(0.5 * abs(z)) * math.exp(0.5 * abs(z)))
''',
    "bessel_i1": '''
def bessel_i1(x):
    """The modified Bessel function I_1: 8 ulp."""
    z = np.float64(x)
    return (bessel_scaled(1, z) * math.exp(0.5 * abs(z)) * math.exp(0.5 * abs(z)))
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
POLYGAMMA = _record("polygamma", 2)
POLYGAMMA_SUM = _record("polygamma_sum", 2)
STIRLING_CHANGE = _record("stirling_change", 2)
GAMMALN_DIFF = _record("gammaln_diff", 2)
GAMMALN_EXCESS = _record("gammaln_excess", 2)
SCALED = _record("bessel_scaled", 2)
I0E = _record("bessel_i0e")
I1E = _record("bessel_i1e")
I0 = _record("bessel_i0")
I1 = _record("bessel_i1")
