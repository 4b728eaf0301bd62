"""`python -m benchmarks.stability [NAMES] [--only derive|...]`: how many of the battery's formulas each library gets wrong.

A case fails if NaN or infinity stand in the place of a number at any point of its domain, or an error of more than a
million ulps after what rounding the inputs would do. The libraries run the same naive formula and differentiate it.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import FunctionType, SimpleNamespace
from typing import Any

import numpy as np
from rich.progress import track

from derive.accuracy.accuracy import understood
from derive.accuracy.errors import Reference
from derive.accuracy.measure import DERIVATIVES, Measured, derivatives, measure, runs
from derive.accuracy.report import cell
from derive.accuracy.sample import sample

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "accuracy"))
from battery import CASES, MODELS, Case

Peer = Callable[[Case, str, Sequence[str]], Callable[[Mapping[str, Any]], list[Any]]]


def main() -> None:
    """Measure the cases that were asked for, print the table and what fails."""
    parser = argparse.ArgumentParser(prog="benchmarks.stability", description=__doc__)
    parser.add_argument("names", nargs="*", help="parts of names of cases; default: all")
    parser.add_argument(
        "--only", help="libraries, comma-separated: stable,naive,sympy,torch,jax; default: those installed"
    )
    parser.add_argument("--of", default="value,gradient,Hessian")
    parser.add_argument("--points", type=int, default=60)
    parser.add_argument("--dtype", default="float64", choices=("float64", "float32"))
    parser.add_argument(
        "--failures", action="store_true", help="list every failure of every library; default: ours"
    )
    parser.add_argument("--out", type=Path, default=Path("benchmarks/output"))
    options = parser.parse_args()
    libraries = (options.only or "stable,naive,sympy,torch,jax").split(",")
    libraries = [name for name in libraries if name in ("stable", "naive") or find_spec(name)]
    cases = [c for c in [*CASES, *MODELS] if not options.names or any(n in c.name for n in options.names)]
    found: dict[tuple[str, str], dict[str, Measured | None]] = {}
    for c in track(cases, transient=True):
        for (library, derivative), m in measured(c, libraries, options).items():
            found.setdefault((library, derivative), {})[c.name] = m
    print("\n".join(table(found, libraries)))
    print("\n".join(failures({k: v for k, v in found.items() if options.failures or k[0] == "stable"})))
    options.out.mkdir(parents=True, exist_ok=True)
    numbers = {
        f"{library} {derivative}": {name: worst_of(m) for name, m in cases_of.items()}
        for (library, derivative), cases_of in found.items()
    }
    (options.out / "stability.json").write_text(json.dumps(numbers, indent=1), encoding="utf-8")


def measured(c: Case, libraries: Sequence[str], options: Any) -> dict[tuple[str, str], Measured | None]:
    """One case by every library; None where a library cannot run it."""
    function, domains = understood(c.f, c.domain)
    wrt = [t.name for t in function.program.inputs if t.kind == "real"]
    points = sample(domains, options.points, 0, np.dtype(options.dtype).type)
    found: dict[tuple[str, str], Measured | None] = {}
    for derivative, g in derivatives(function, wrt, options.of.split(",")).items():
        reference = Reference(g.program)
        for library in libraries:
            try:
                ours = runs(g, options.dtype)
                run = ours[library] if library in ours else PEERS[library](c, derivative, wrt)
                found[library, derivative] = measure(
                    library, derivative, options.dtype, run, reference, points
                )
            except Exception as error:  # whatever a library cannot do
                print(
                    f"{library}: {derivative} of {c.name}: {type(error).__name__}: {str(error)[:120]}",
                    file=sys.stderr,
                )
                found[library, derivative] = None
    return found


def worst_of(m: Measured | None) -> float | None:
    return None if m is None or m.worst is None else m.worst.ulps


def table(
    found: Mapping[tuple[str, str], Mapping[str, Measured | None]], libraries: Sequence[str]
) -> list[str]:
    """Markdown: for each library and derivative the cases that fail, and the median and worst error of the others."""
    lines = [
        "| naive formula run by | "
        + " | ".join(f"{d}: fail, median / worst ulp of the rest" for d in DERIVATIVES)
        + " |"
    ]
    lines.append("|---" * (1 + len(DERIVATIVES)) + "|")
    for library in libraries:
        cells = []
        for derivative in DERIVATIVES:
            cases = found.get((library, derivative), {})
            bad = [name for name, m in cases.items() if m is None or m.failures]
            good = sorted(
                w
                for m in cases.values()
                if m is not None and not m.failures and (w := worst_of(m)) is not None
            )
            rest = f", {good[len(good) // 2]:.2g} / {good[-1]:.2g}" if good else ""
            cells.append(f"{len(bad)} of {len(cases)}{rest}" if cases else "-")
        lines.append(f"| {library} | " + " | ".join(cells) + " |")
    return lines


def failures(found: Mapping[tuple[str, str], Mapping[str, Measured | None]]) -> list[str]:
    """A line for each failure: which, by whom, and how."""
    lines = []
    for (library, derivative), cases in found.items():
        for name, m in cases.items():
            if m is None:
                lines.append(f"{library:8} {derivative:8} {name}: cannot be run")
            elif m.failures:
                lines.append(
                    f"{library:8} {derivative:8} {name}: {len(m.failures)} of {len(m.trials)} points; {cell(m)}"
                )
    return lines


# -- the same formula in other libraries


def rebound(f: Any, np_like: Any, special_like: Any) -> Any:
    """A formula with other functions in the place of NumPy's and SciPy's, also in the formulas that it calls."""
    names = dict(f.__globals__)
    for name, value in names.items():
        if isinstance(value, FunctionType) and value.__module__ == f.__module__ and name not in ("case",):
            names[name] = FunctionType(value.__code__, {**names, "np": np_like, "special": special_like})
    return FunctionType(f.__code__, {**names, "np": np_like, "special": special_like})


def torch_peer(c: Case, derivative: str, wrt: Sequence[str]) -> Callable[[Mapping[str, Any]], list[Any]]:
    """The formula in eager torch, differentiated by its automatic differentiation."""
    torch = import_module("torch")
    torch.set_num_threads(1)

    def lifted(name: str) -> Any:
        own, plain = getattr(torch, name), getattr(np, name)
        return lambda *xs: own(*map(_tensor, xs)) if any(torch.is_tensor(x) for x in xs) else plain(*xs)

    def _tensor(x: Any) -> Any:
        return x if torch.is_tensor(x) else torch.tensor(x, dtype=torch.float64)

    names = "log exp sqrt sum mean prod cosh sinh tanh cos sin tan arctan arccos arcsin abs maximum minimum log2 log1p expm1"
    names += " where arcsinh arctanh"
    like = SimpleNamespace(pi=np.pi, e=np.e, **{name: lifted(name) for name in names.split()})
    like.where = torch.where
    lgamma = torch.lgamma
    special = SimpleNamespace(
        erf=torch.erf, erfc=torch.erfc, gammaln=lgamma, gamma=lambda x: torch.exp(lgamma(x)), i0=torch.special.i0,
        i1=torch.special.i1, betaln=lambda a, b: lgamma(a) + lgamma(b) - lgamma(a + b), digamma=torch.digamma,
    )  # fmt: skip
    f = rebound(c.f, like, special)
    order = list(c.domain)
    places = tuple(order.index(name) for name in wrt)

    def run(point: Mapping[str, Any]) -> list[Any]:
        real = next(
            (np.asarray(v).dtype for v in point.values() if np.asarray(v).dtype.kind == "f"), np.dtype(float)
        )
        values = [torch.tensor(np.asarray(point[name], dtype=real)) for name in order]
        match derivative:
            case "value":
                result: Any = f(*values)
            case "gradient":
                result = torch.func.jacrev(f, argnums=places)(*values)
            case _:
                result = torch.func.jacrev(torch.func.jacrev(f, argnums=places), argnums=places)(*values)
        return [np.asarray(x.detach()) for x in _flat(result)]

    return run


def jax_peer(c: Case, derivative: str, wrt: Sequence[str]) -> Callable[[Mapping[str, Any]], list[Any]]:
    """The formula in jax in double precision, jitted."""
    jax = import_module("jax")
    jax.config.update("jax_enable_x64", True)
    special = import_module("jax.scipy.special")
    f = rebound(c.f, jax.numpy, special)
    order = list(c.domain)
    places = tuple(order.index(name) for name in wrt)
    wanted = {"value": lambda: f, "gradient": lambda: jax.jacrev(f, argnums=places),
              "Hessian": lambda: jax.hessian(f, argnums=places)}[derivative]()  # fmt: skip
    jitted = jax.jit(wanted)

    def run(point: Mapping[str, Any]) -> list[Any]:
        real = next(
            (np.asarray(v).dtype for v in point.values() if np.asarray(v).dtype.kind == "f"), np.dtype(float)
        )
        return [
            np.asarray(x) for x in _flat(jitted(*(np.asarray(point[name], dtype=real) for name in order)))
        ]

    return run


def sympy_peer(c: Case, derivative: str, wrt: Sequence[str]) -> Callable[[Mapping[str, Any]], list[Any]]:
    """The formula as SymPy expressions, differentiated by SymPy and printed for SciPy by `lambdify`."""
    sympy = import_module("sympy")
    _, domains = understood(c.f, c.domain)
    shapes = {name: np.shape(sample({name: d}, 1, 0)[0][name]) for name, d in domains.items()}

    def entrywise(own: Any) -> Any:
        def on(*xs: Any) -> Any:
            found = np.frompyfunc(own, len(xs), 1)(*(np.asarray(x, dtype=object) for x in xs))
            return found

        return on

    names = {name: name for name in ["log", "exp", "sqrt", "cosh", "sinh", "tanh", "cos", "sin", "tan"]}
    names |= {"arctan": "atan", "arccos": "acos", "arcsin": "asin", "abs": "Abs", "maximum": "Max"}
    like = SimpleNamespace(
        pi=sympy.pi, e=sympy.E, **{n: entrywise(getattr(sympy, s)) for n, s in names.items()}
    )
    like.log2 = entrywise(lambda x: sympy.log(x) / sympy.log(2))
    like.sum, like.mean, like.prod = np.sum, lambda x: np.sum(x) / np.size(x), np.prod
    like.where = entrywise(lambda c, a, b: sympy.Piecewise((a, c), (b, True)))
    lgamma = sympy.loggamma
    special = SimpleNamespace(
        erf=entrywise(sympy.erf), erfc=entrywise(sympy.erfc), gammaln=entrywise(lgamma), gamma=entrywise(sympy.gamma),
        i0=entrywise(lambda x: sympy.besseli(0, x)), i1=entrywise(lambda x: sympy.besseli(1, x)),
        betaln=entrywise(lambda a, b: lgamma(a) + lgamma(b) - lgamma(a + b)),
    )  # fmt: skip
    symbols = {
        name: np.array(sympy.symbols(f"{name}_:{int(np.prod(shape))}", real=True), dtype=object).reshape(
            shape
        )
        for name, shape in shapes.items()
    }
    arguments = [s.item() if not s.ndim else s for s in symbols.values()]
    value = np.asarray(rebound(c.f, like, special)(*arguments), dtype=object)
    results = [value]
    for _ in range(DERIVATIVES.index(derivative)):  # type: ignore[arg-type]
        results = [_slopes(r, symbols[name], sympy) for r in results for name in wrt]
    flat = [s for a in symbols.values() for s in a.ravel()]
    code = sympy.lambdify(flat, [list(r.ravel()) for r in results], modules=["scipy", "numpy"])

    def run(point: Mapping[str, Any]) -> list[Any]:
        numbers = [x for name in symbols for x in np.asarray(point[name]).ravel()]
        numbers = [x.astype(np.float64) if x.dtype.kind in "iub" else x for x in numbers]
        with np.errstate(all="ignore"):
            found = code(*numbers)
        return [np.asarray(x, dtype=np.float64).reshape(r.shape) for x, r in zip(found, results, strict=True)]

    return run


def _slopes(values: Any, by: Any, sympy: Any) -> Any:
    found = np.empty((*values.shape, *by.shape), dtype=object)
    for a in np.ndindex(values.shape):
        for b in np.ndindex(by.shape):
            found[a + b] = sympy.sympify(values[a]).diff(by[b])
    return found


def _flat(result: Any) -> list[Any]:
    return [x for part in result for x in _flat(part)] if isinstance(result, tuple | list) else [result]


PEERS: dict[str, Peer] = {"torch": torch_peer, "jax": jax_peer, "sympy": sympy_peer}

if __name__ == "__main__":
    main()
