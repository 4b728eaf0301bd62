"""What is measured: a record for each case, from which every peer makes its call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any, Literal

import numpy as np

import derive as dv
from derive.verify.sample import sample

What = Literal["value", "grad", "value_and_grad", "vjp", "hessian", "hvp"]
Draw = Callable[[Any, tuple[int, ...]], Any]
Arrays = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Case:
    """One computation on arrays of one size.

    name: with the sizes, as it stands in the tables.
    group: a row of the table of goals.
    function: as a user of derive writes it; traced with `shapes`.
    shapes: the axes of each argument by name, and what is known about it.
    sizes: the length of each axis.
    of: what is computed: the value, gradients (with the value), the backward pass for a given cotangent, the Hessian, or
        its product with a given tangent.
    wrt: the inputs to differentiate by; none given means every real one.
    batched: arguments that have one more axis in front, the examples, over which a gradient is taken for each.
    torch, jax: the function, written independently; the library is the first argument.
    numpy: the whole computation by hand, forward and backward: arrays to a tuple of results. Without it the NumPy source
        that derive emits is run.
    sympy: given SymPy, a function of the arrays that returns all results, by `lambdify`.
    numba: given the precision, all results by kernels that an expert wrote by hand.
    data: how an input is drawn, given a generator and its shape; without it by its declaration.
    bound: what limits a perfect kernel: "memory" or "product"; empty if neither does.
    flops: of the matrix products alone, given the sizes.
    single: the error that single precision may make, of the largest entry of a result.
    reasons: why a goal is missed, and the next idea; printed beside it.
    """

    name: str
    group: str
    function: Callable[..., Any]
    shapes: Mapping[str, str]
    sizes: Mapping[str, int]
    of: What
    torch: Callable[..., Any] | None = None
    jax: Callable[..., Any] | None = None
    numpy: Callable[..., Any] | None = None
    sympy: Callable[[Any], Callable[..., Any]] | None = None
    numba: Callable[[Any], Callable[..., Any]] | None = None
    wrt: tuple[str, ...] = ()
    batched: tuple[str, ...] = ()
    data: Mapping[str, Draw] = field(default_factory=dict)
    bound: Literal["", "memory", "product"] = ""
    flops: Callable[[Mapping[str, int]], float] | None = None
    single: float = 2e-4
    reasons: str = ""

    @cached_property
    def traced(self) -> dv.Function:
        """The function itself."""
        return dv.trace(self.function, **self.shapes)

    @cached_property
    def derived(self) -> dv.Function:
        """What is compiled."""
        by = list(self.by)
        match self.of:
            case "value":
                found = self.traced
            case "grad":
                found = dv.grad(self.traced, by)
            case "value_and_grad":
                found = dv.value_and_grad(self.traced, by)
            case "vjp":
                found = dv.vjp(self.traced, by)
            case "hessian":
                found = dv.hessian(self.traced, by)
            case "hvp":
                found = dv.hvp(self.traced, by)
        return dv.vmap(found, "examples", in_axes=list(self.batched)) if self.batched else found

    @cached_property
    def by(self) -> tuple[str, ...]:
        """The inputs to differentiate by."""
        return self.wrt or tuple(t.name for t in self.traced.program.inputs if t.kind == "real")

    @cached_property
    def seeds(self) -> int:
        """How many cotangents or tangents follow the arguments."""
        return len(self.derived.inputs) - len(self.traced.inputs)

    def arrays(self, dtype: Any = np.float64, seed: int = 0) -> Arrays:
        """The inputs, the same for every peer, in the order in which they are passed."""
        rng = np.random.default_rng(seed)
        found: Arrays = {}
        for tensor in self.derived.program.inputs:
            shape = tuple(_length(extent, self.sizes) for extent in tensor.shape)
            if tensor.name in self.data:
                array = np.asarray(self.data[tensor.name](rng, shape))
            else:
                bound = None if tensor.bound is None else _length(tensor.bound, self.sizes)
                array = sample(tensor, shape, rng, bound=bound)
            found[tensor.name] = array.astype(dtype) if array.dtype.kind == "f" else array
        return found


def _length(extent: Any, sizes: Mapping[str, int]) -> int:
    return int(extent.subs({s: sizes[s.name] for s in extent.free_symbols}))


@cache
def all_cases() -> tuple[Case, ...]:
    """Every case of the folder, in the order of files and lines."""
    from derive.registry import records

    from . import cases

    return tuple(records(cases, Case))


def chosen(only: list[str]) -> list[Case]:
    """The cases whose file, group or name contains one of these words; all without any.

    Raises:
        SystemExit: a word fits none.
    """
    for word in only:
        if not any(fits(case, word) for case in all_cases()):
            raise SystemExit(
                f"no group, file or case has {word!r} in its name; try: python -m benchmarks --list"
            )
    return [case for case in all_cases() if not only or any(fits(case, word) for word in only)]


def fits(case: Case, word: str) -> bool:
    """Whether a word is the name of its file, else a part of the names of the case and of its group."""
    if word in set(_homes().values()):
        return home_of(case) == word
    return any(word.lower() in text.lower() for text in (case.name, case.group, home_of(case)))


def home_of(case: Case) -> str:
    """The file of a case, without its ending; empty for one that no file holds."""
    return _homes().get(id(case), "")


@cache
def _homes() -> dict[int, str]:
    import pkgutil
    from importlib import import_module

    from . import cases

    found: dict[int, str] = {}
    for info in pkgutil.iter_modules(cases.__path__):
        for value in vars(import_module(f"{cases.__name__}.{info.name}")).values():
            if isinstance(value, Case):
                found.setdefault(id(value), info.name)
    return found


# -- how inputs are drawn


def normal(scale: float = 1.0, shift: float = 0.0) -> Draw:
    """Normal with this deviation and mean."""
    return lambda rng, shape: shift + scale * rng.standard_normal(shape)


def weights(rng: Any, shape: tuple[int, ...]) -> Any:
    """A matrix after which values are as large as before it: deviation 1 / sqrt(rows)."""
    return rng.standard_normal(shape) / np.sqrt(shape[-2])


def counts(mean: float) -> Draw:
    """Poisson counts, as floating point numbers."""
    return lambda rng, shape: rng.poisson(mean, shape).astype(float)


def ones(rng: Any, shape: tuple[int, ...]) -> Any:
    """A bit around 1: scales of norms."""
    return 1 + 0.1 * rng.standard_normal(shape)
