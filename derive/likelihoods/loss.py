"""`likelihood`: from a density and links to the loss, which is the negative log-likelihood in the raw outputs."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from sympy import Expr

from .. import api
from ..emit.emit import emit_source
from ..errors import SpecError
from ..function import Function
from ..ir.facts import Spec, spec
from ..ir.nodes import Program, Tensor
from ..rewrite.derived import names_of, prepare
from .batch import batched, summed
from .boosting import BOOSTING, boosting_request
from .constants import Dropped, without_constants
from .density import Density, density_of
from .links import of_number
from .scalars import function_of, read
from .setting import WORDS, Given, Setting, setting_of

AXES = {
    0: dict.fromkeys(("entry", "vector", "matrix", "whole"), ""),
    1: {"vector": "k", "matrix": "k k", "whole": "", "entry": ""},
}
"""The axes of a parameter of one example, by the rank of what is observed and the role of the parameter."""


@dataclass(frozen=True, eq=False)
class Loss:
    """A negative log-likelihood in the raw outputs of a network, without what is constant.

    setting: the law, its links, and what is learned.
    density: minus the logarithm of the density of one example, nothing dropped, as a function of the parameters' values.
    example: the loss of one example; its inputs are the raw outputs, what is observed, learned scalars, known ones.
    dropped: the terms that no learned thing changes.
    """

    setting: Setting
    example: Function
    whole: Function
    dropped: tuple[Dropped, ...]

    @property
    def name(self) -> str:
        return self.example.name

    @property
    def raw(self) -> tuple[str, ...]:
        """The names of the raw outputs: ``z``, or ``z_mean``, ``z_sigma``."""
        return tuple(g.symbol for g in self.setting.raws)

    @property
    def variable(self) -> str:
        """The name of what is observed."""
        return self.setting.density.variable

    @property
    def learned(self) -> tuple[str, ...]:
        """The names of the learned parameters that are the same for all examples."""
        return tuple(g.symbol for g in self.setting.learned)

    @cached_property
    def function(self) -> Function:
        """The loss of each example, [n], of raw outputs and observations [n] (or [n, k]) and of the learned scalars."""
        return self._of_many(self.example.program, self.name)

    @cached_property
    def total(self) -> Function:
        """The sum of the losses of all examples: minus the log-likelihood, up to a constant."""
        program = prepare(summed(self.function.program, "L"))
        return Function(f"{self.name}_total", program, 0, names_of(program))

    @cached_property
    def gradient(self) -> Function:
        """The derivative of the loss of each example by its raw outputs, [n]; for several raw outputs a tuple."""
        found: Function = api.grad(self.total, self.raw[0] if len(self.raw) == 1 else list(self.raw))
        return found

    @cached_property
    def hessian(self) -> Function:
        """Second derivatives of the loss of each example by its raw outputs, [n]; for several in blocks."""
        one: Function = api.hessian(self.example, self.raw[0] if len(self.raw) == 1 else list(self.raw))
        return self._of_many(one.program, f"{self.name}_hessian", one)

    def constant(self, y: Any, **known: Any) -> Any:
        """What was dropped, for each of the observations: the loss is minus the log-density less this."""
        found: Any = np.zeros(np.shape(y)[: np.ndim(y) - self.setting.density.rank])
        for d in self.dropped:
            each = [self.setting.density.variable] if self.setting.density.variable in d.inputs else []
            values = {**known, self.setting.density.variable: y}
            term = Function("constant", batched(d.term.program, each)) if each else d.term
            found = found + term(**{n: values[n] for n in d.inputs})
        return found

    def emit(self, target: str) -> str:
        """Complete source for ``"numpy"``, ``"numba"``, ``"torch"`` or ``"jax"``: the loss of each example with its backward
        pass; for ``"xgboost"`` and ``"lightgbm"`` gradient and curvature as their custom objective; each with a test.

        Raises:
            UnknownName: no such target.  UnsupportedOp: what the target cannot express.
        """
        if target in BOOSTING:
            return emit_source(boosting_request(self), target)
        return self.function.emit(target)

    def _of_many(self, program: Program, name: str, derived: Function | None = None) -> Function:
        each = {*self.raw, self.setting.density.variable}
        program = batched(program, each)
        if derived is None:
            program = prepare(program)
            return Function(name, program, 0, names_of(program))
        assert derived.origin is not None
        origin = replace(derived.origin, base=self.function)
        return Function(name, program, derived.structure, names_of(self.function.program), origin=origin)

    def __repr__(self) -> str:
        return f"<loss {self.name}({', '.join(self.example.inputs)})>"

    def __str__(self) -> str:
        return str(self.example)


def likelihood(
    density: Any,
    link: str | Mapping[str, str] | None = None,
    *,
    raw: str | Mapping[str, str] = "",
    **parameters: Any,
) -> Loss:
    """The loss that a density stands for: its negative log-likelihood as a function of the raw outputs of a network.

    Args:
        density: the name of a law, ``"poisson"``, or a density of one's own: a formula, ``"exp(-abs(y-mu)/b)/(2*b)"``, a
            SymPy expression, or a NumPy function of the observation and the parameters. What is observed is called y (or x).
        link: the name of a link, for the parameter that models are usually about; for several parameters, each a raw output
            of its own, a dictionary ``{"mean": "identity", "sigma": "log"}``. Left out, it follows from the domain.
        raw: facts that hold for the raw outputs by construction, such as ``"positive"``.
        parameters: for the other parameters, or other forms of them (sigma or precision in place of variance), a number,
            "known" (a number that is given to the loss) or "learned" (the default).

    Raises:
        UnknownName: no such law, link or parameter.  DomainError: a number that a parameter cannot have, a link whose
        values do not fit, a density that is none.  SpecError: what is given for a parameter cannot be read.

    Example:
        >>> print(likelihood("bernoulli", "logit").example)
        loss = softplus(z) − z y
    """
    own = (
        not isinstance(density, str)
        or not density.replace("_", "").replace("-", "").replace(" ", "").isalpha()
    )
    facts = {n: _facts(v) for n, v in parameters.items() if own and isinstance(v, str) and v not in WORDS}
    values = {n: v for n, v in parameters.items() if n not in facts}
    law = density_of(density, facts, _vector(link))
    return loss_of(setting_of(law, link, raw, values))


def _facts(words: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in words.split(",") if part.strip())


def _vector(link: Any) -> bool | None:
    names = link.values() if isinstance(link, Mapping) else [link]
    return True if "softmax" in names else None


def loss_of(setting: Setting) -> Loss:
    """The loss of a law whose parameters are given."""
    name = f"{_identifier(setting.density)}_loss"
    whole = _of_numbers(setting, name) if setting.density.rank == 0 else _of_arrays(setting, name)
    example, dropped = without_constants(whole, {g.symbol for g in setting.parts("raw", "learned")})
    return Loss(setting, example, whole, dropped)


def _identifier(density: Density) -> str:
    name = density.name.replace(" ", "_").replace("-", "_")
    return name if name.isidentifier() else "own"


def inputs_of(setting: Setting) -> list[Tensor]:
    """The inputs of the loss of one example: raw outputs, what is observed, learned parameters, known ones."""
    density = setting.density
    axes = AXES[density.rank]
    observed = spec("k" if density.rank else "", *density.facts).tensor(density.variable)
    raws = [spec(axes[g.parameter.role], *g.raw).tensor(g.symbol) for g in setting.raws]
    others = [*setting.parts("learned"), *setting.parts("known")]
    rest = [spec(axes[g.parameter.role], *g.parameter.facts).tensor(g.symbol) for g in others]
    found = [*raws, observed, *rest]
    names = [t.name for t in found]
    if doubled := next((n for n in names if names.count(n) > 1), None):
        raise SpecError(
            f"{doubled!r} is the name of a parameter and of a raw output or of what is observed; rename it"
        )
    return found


def _of_numbers(setting: Setting, name: str) -> Function:
    inputs = inputs_of(setting)
    reads = {t.name: read(t) for t in inputs}
    values = {g.name: number_of(g, reads) for g in setting.given}
    nll = -setting.density.log_density(reads[setting.density.variable], *setting.in_law(values))
    return function_of(name, inputs, {"loss": nll})


def number_of(given: Given, reads: Mapping[str, Expr]) -> Expr:
    """The value of a parameter that is a number, in the inputs of the loss."""
    if given.part == "number":
        assert given.value is not None
        return given.value
    if given.link is None:
        return reads[given.symbol]
    return of_number(given.link.inverse, reads[given.symbol], given.raw)


def _of_arrays(setting: Setting, name: str) -> Function:
    inputs = inputs_of(setting)
    names = [t.name for t in inputs]

    def loss(*arrays: Any) -> Any:
        by_name = dict(zip(names, arrays, strict=True))
        values = {g.name: _array_of(g, by_name) for g in setting.given}
        return -setting.density.log_density(by_name[setting.density.variable], *setting.in_law(values))

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    loss.__signature__ = inspect.Signature([inspect.Parameter(n, kind) for n in names])  # type: ignore[attr-defined]
    found: Function = api.trace(loss, **{t.name: _spec(t) for t in inputs})
    return replace(found, name=name)


def _array_of(given: Given, arrays: Mapping[str, Any]) -> Any:
    if given.part == "number":
        return float(given.value)  # type: ignore[arg-type]
    array = arrays[given.symbol]
    return array if given.link is None else given.link.inverse(array)


def _spec(t: Tensor) -> Spec:
    return Spec(t.shape, t.kind, t.facts, t.bound)
