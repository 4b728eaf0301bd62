"""What is loaded when: nothing heavy before it is needed."""

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import derive as dv

HEAVY = {
    "dask", "derive", "flint", "jax", "lark", "lightgbm", "matplotlib", "numba", "pandas", "rich", "scipy", "scipy.linalg",
    "scipy.optimize", "scipy.special", "scipy.stats", "sklearn", "statsmodels", "sympy", "torch", "xgboost",
}  # fmt: skip
ALGEBRA = {"derive", "scipy", "scipy.special", "sympy", "flint"}  # SymPy itself uses python-flint where it is installed
USED = {
    "": {"derive"},
    "dv.grad(dv.trace(lambda x: np.tanh(x).sum(), x='n'), 'x')": ALGEBRA,
    "dv.parse('log(x)')": {*ALGEBRA, "lark"},
    "dv.kl, dv.verify, dv.accuracy": {*ALGEBRA, "lark"},
    "dv.likelihood": {*ALGEBRA, "lark", "rich", "scipy.linalg"},
}


@pytest.mark.parametrize("used", USED, ids=lambda used: used or "import derive")
def test_only_what_is_used_is_loaded(used: str) -> None:
    code = f"import sys, numpy as np, derive as dv\n{used}\nprint(*set({sorted(HEAVY)}) & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) <= USED[used]


def test_names_are_found_where_types_say() -> None:
    source = Path(inspect.getfile(dv)).read_text(encoding="utf-8")
    static = next(node for node in ast.parse(source).body if isinstance(node, ast.If))
    imported = {(n.module or "", a.name) for n in static.body if isinstance(n, ast.ImportFrom) for a in n.names}
    assert imported == {(home, name) for home, names in dv.HOMES.items() for name in names.split()} | {("", "special")}
    assert {name for _, name in imported} < set(dv.__all__)
    assert all(getattr(dv, name) is not None for name in dv.__all__)


def test_functions_stand_before_the_packages_of_their_names() -> None:
    code = "import derive.verify.check; import derive as dv; assert callable(dv.accuracy); dv.verify('1 == 1')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_name_that_is_not_there_is_answered_with_the_closest() -> None:
    with pytest.raises(AttributeError, match="derive has no 'gradd'; did you mean 'grad'"):
        _ = dv.gradd  # type: ignore[attr-defined]
    assert {"grad", "kl", "errors"} <= set(dir(dv))


def test_a_part_of_scipy_that_a_function_loads_when_it_runs_is_traced() -> None:
    code = """
import sys, scipy, numpy as np, derive as dv
def smooth(x):
    def inner(a):
        return scipy.signal.convolve(a, np.ones(3), mode="valid")
    return inner(x).sum()
assert "scipy.signal" not in sys.modules
print(dv.grad(smooth, "x")(np.ones(5)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[1. 2. 3. 2. 1.]", done.stderr
