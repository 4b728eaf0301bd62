"""NumPy's and SciPy's linear algebra in terms of the primitives."""

from typing import Any

import numpy as np

from ...errors import ShapeError
from .._tensor import tensor_op


@tensor_op("numpy.linalg.inv", "scipy.linalg.inv")
def _inv(trace: Any, a: Any) -> Any:
    return trace.primitive("inv", (a,))[0]


@tensor_op("numpy.linalg.pinv", "scipy.linalg.pinv")
def _pinv(trace: Any, a: Any) -> Any:
    return trace.primitive("pinv", (a,))[0]


@tensor_op("numpy.linalg.det", "scipy.linalg.det")
def _det(trace: Any, a: Any) -> Any:
    return trace.primitive("det", (a,))[0]


@tensor_op("numpy.linalg.slogdet")
def _slogdet(trace: Any, a: Any) -> Any:
    return np.linalg._linalg.SlogdetResult(*trace.primitive("slogdet", (a,)))


def solved(trace: Any, a: Any, b: Any) -> Any:
    """``a^-1 b`` for a vector, or a stack of matrices whose columns are solved for."""
    if b.rank == 1:
        return trace.primitive("solve", (a, b))[0]
    stack = a.through((*a.axes[:-2], trace.unit(), *a.axes[-2:]), a.entry)
    return trace.primitive("solve", (stack, b.mT), columns=True)[0].mT


@tensor_op("numpy.linalg.solve", "scipy.linalg.solve")
def _solve(trace: Any, a: Any, b: Any) -> Any:
    return solved(trace, trace.lift(a), trace.lift(b))


@tensor_op("scipy.linalg.solve_triangular", source="SciPy reference")
def _solve_triangular(trace: Any, a: Any, b: Any, trans: Any = 0, lower: bool = False) -> Any:
    a = trace.lift(a)
    fact = "lower triangular" if lower else "upper triangular"
    if fact not in trace.facts_of(a):
        a = trace.stored(trace.call("numpy.tril" if lower else "numpy.triu", (a,), {}), fact)
    return solved(trace, a.mT if trans in (1, "T") else a, trace.lift(b))


@tensor_op("scipy.linalg.cho_solve", source="SciPy reference")
def _cho_solve(trace: Any, c_and_lower: Any, b: Any) -> Any:
    factor, lower = c_and_lower
    first, second = (False, True) if not lower else (True, False)
    a = trace.lift(factor)
    half = _solve_triangular.lower(trace, a, b, 0 if first else 1, lower)
    return _solve_triangular.lower(trace, a, half, 0 if second else 1, lower)


@tensor_op("scipy.linalg.cho_factor", source="SciPy reference")
def _cho_factor(trace: Any, a: Any, lower: bool = False) -> Any:
    factor = trace.primitive("cholesky", (a,))[0]
    return (factor if lower else factor.mT), lower


@tensor_op("numpy.linalg.cholesky")
def _cholesky(trace: Any, a: Any, *, upper: bool = False) -> Any:
    factor = trace.primitive("cholesky", (a,))[0]
    return factor.mT if upper else factor


@tensor_op("scipy.linalg.cholesky", source="SciPy reference")
def _scipy_cholesky(trace: Any, a: Any, lower: bool = False) -> Any:
    return _cholesky.lower(trace, a, upper=not lower)


@tensor_op("numpy.linalg.qr")
def _qr(trace: Any, a: Any, mode: str = "reduced") -> Any:
    if mode not in ("reduced", "r"):
        raise trace.unsupported("numpy.linalg.qr", f"mode={mode!r}", "mode='reduced' or 'r'")
    Q, R = trace.primitive("qr", (a,))
    return R if mode == "r" else np.linalg._linalg.QRResult(Q, R)


@tensor_op("numpy.linalg.eigh", "scipy.linalg.eigh")
def _eigh(trace: Any, a: Any, UPLO: str = "L") -> Any:
    return np.linalg._linalg.EighResult(*trace.primitive("eigh", (a,)))


@tensor_op("numpy.linalg.eigvalsh", "scipy.linalg.eigvalsh")
def _eigvalsh(trace: Any, a: Any, UPLO: str = "L") -> Any:
    return trace.primitive("eigh", (a,))[0]


@tensor_op("numpy.linalg.svd")
def _svd(
    trace: Any, a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False
) -> Any:
    a = trace.lift(a)
    square = a.extents[-1] == a.extents[-2]
    if compute_uv and full_matrices and not square:
        raise trace.unsupported(
            "numpy.linalg.svd", "full_matrices=True", "full_matrices=False: what lies beside is not unique"
        )
    results = trace.primitive("svd", (a,))
    return np.linalg._linalg.SVDResult(*results) if compute_uv else results[1]


@tensor_op("numpy.linalg.svdvals", "scipy.linalg.svdvals")
def _svdvals(trace: Any, x: Any) -> Any:
    return trace.primitive("svd", (x,))[1]


@tensor_op("scipy.linalg.expm", source="SciPy reference")
def _expm(trace: Any, a: Any) -> Any:
    return trace.primitive("expm", (a,))[0]


@tensor_op("scipy.linalg.sqrtm", source="SciPy reference")
def _sqrtm(trace: Any, a: Any) -> Any:
    return trace.primitive("sqrtm", (a,))[0]


@tensor_op("numpy.linalg.matrix_power")
def _matrix_power(trace: Any, a: Any, n: Any) -> Any:
    a = trace.lift(a)
    if isinstance(n, int | np.integer) and n < 0:
        a, n = trace.primitive("inv", (a,))[0], -int(n)
    if isinstance(n, int | np.integer) and n in (1, 2, 3):
        return a if n == 1 else a @ a if n == 2 else a @ a @ a
    exponent = trace.lift(n)
    if exponent.rank or exponent.dtype.kind not in "iu":
        raise ShapeError(f"matrix_power needs one integer exponent; found {exponent} ({trace.place()})")
    return trace.primitive("power", (a,), (exponent,))[0]
