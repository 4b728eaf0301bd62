"""A `Loss`: a negative log-likelihood in the raw outputs of a network, and everything that is derived from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from sympy import Expr

from .. import api
from ..calculus.batched import batched
from ..emit.emit import emit_source
from ..errors import NotDifferentiable
from ..function import Function, Origin
from ..ir.nodes import Equation, Index, Program, Read, Tensor, size
from ..prove.verdict import Verdict
from ..rewrite.derived import names_of, prepare
from ..structure import Structure
from ..wanted import wanted
from .array_law import ArrayLaw, array_law
from .boosting import BOOSTING, boosting_request
from .canonical import Canonical, canonical
from .constants import Dropped
from .convexity import convexity
from .estimate import Estimates, estimates
from .family import ExponentialFamily, exponential_family
from .fisher import Information
from .fit import fit
from .fit_result import Fit
from .labels import check_labels
from .law import Law, law_of
from .map import Map, map_of
from .page import Section, page, sections
from .priors import Prior
from .scalars import function_of, read, scalar_of
from .setting import Setting
from .textbook import textbook
from .wall import wall

EXAMPLES = size("n")


@dataclass(frozen=True, eq=False)
class Loss:
    """A negative log-likelihood in the raw outputs of a network, without what is constant.

    setting: the law, its links, and what is learned.
    example: the loss of one example; its inputs are the raw outputs, what is observed, learned scalars, known ones.
    whole: minus the log-density of one example, with the same inputs and nothing dropped.
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

    # -- functions of n examples

    @cached_property
    def function(self) -> Function:
        """The loss of each example, [n], of raw outputs and observations [n] (or [n, k]) and of the learned scalars."""
        program = prepare(self._of_many(self.example.program))
        return Function(self.name, program, 0, names_of(program))

    @cached_property
    def total(self) -> Function:
        """The sum of the losses of all examples: minus the log-likelihood, up to a constant."""
        many = self.function.program
        (output,) = many.outputs
        axis, total = Index("i", EXAMPLES), Tensor("L")
        equation = Equation(total, (), Read(output, (axis,)), "sum", (axis,))
        program = prepare(replace(many, equations=(*many.equations, equation), outputs=(total,)))
        return Function(f"{self.name}_total", program, 0, names_of(program))

    @cached_property
    def gradient(self) -> Function:
        """The derivative of the loss of each example by its raw outputs, [n]; for several raw outputs a tuple."""
        found: Function = api.grad(self.total, self._wrt)
        return found

    @cached_property
    def hessian(self) -> Function:
        """Second derivatives of the loss of each example by its raw outputs, [n]; for several in blocks."""
        one: Function = api.hessian(self.example, self._wrt)
        return self._derived("hessian", one.program, one.structure)

    @cached_property
    def fisher(self) -> Function | None:
        """The expected Fisher information of each example about its raw outputs and the learned scalars, in blocks [n].

        None where no closed form was found.
        """
        found = self.information
        if found is None or found.expected is None:
            return None
        names = found.names
        blocks = {
            f"I_{a}_{b}": e
            for a, row in zip(names, found.expected, strict=True)
            for b, e in zip(names, row, strict=True)
        }
        count = len(names)
        structure = 0 if count == 1 else tuple(tuple(range(k * count, (k + 1) * count)) for k in range(count))
        one = function_of(self.name, self.example.program.inputs, blocks, structure)
        return self._derived("fisher", one.program, structure)

    def __call__(self, *arrays: Any, **by_name: Any) -> Any:
        """The loss of each example, its observations checked: `function` does the same without the check.

        Raises:
            DomainError: an observation is outside the support of the law; the value and its place are named.
        """
        values = dict(zip(self.function.inputs, arrays, strict=False)) | by_name
        if self.variable in values:
            self.check_labels(values[self.variable])
        return self.function(*arrays, **by_name)

    def check_labels(self, y: Any) -> None:
        """Raise if an observation is outside the support of the law.

        Raises:
            DomainError: the value and its place are named.
        """
        check_labels(self.setting, y)

    def constant(self, y: Any, **known: Any) -> Any:
        """What was dropped, for each of the observations: the loss is minus the log-density less this."""
        found: Any = np.zeros(np.shape(y)[: np.ndim(y) - len(self.setting.density.shape)])
        for d in self.dropped:
            values = {**known, self.variable: y}
            program = batched(d.term.program, EXAMPLES, {n: 0 for n in d.inputs if n == self.variable}, [0])
            term = Function("constant", program) if self.variable in d.inputs else d.term
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

    def fit(self, X: Any, y: Any = None, **options: Any) -> Fit:
        """Maximum likelihood: coefficients of linear predictors and learned parameters, with standard errors.

        Args:
            X: [n, p], a table with named columns, a dictionary of columns, or one column; for several raw outputs the same
                for all, or a dictionary by the parameters' names. ``loss.fit(y)`` without it: one law for all labels.
            y: labels; of classes one name or number for each row.
            intercept: whether a column of ones stands first: yes, unless cutpoints are learned, which are intercepts.
            names: of the columns.
            offset: [n], added to the raw output.
            weights: [n], how often each row counts.
            start: values to start from, by the parameters' names.
            sizes: sizes of the law that labels do not say, such as ``{"k": 2}`` parts of a mixture.
            information: "observed" or "expected", where standard errors come from.
            method: "newton", a method of scipy.optimize such as "trust-ncg" or "L-BFGS-B", or "auto": by how much there is
                to estimate.
            limit: of Newton's steps.
            options: values of known parameters, a number or [n].

        Raises:
            DomainError: labels outside of the support, columns that are collinear or not finite, nowhere to start.
            FitError: the likelihood has no maximum, as for separated labels, or it was not reached.
            ShapeError: rows, names or weights that do not fit.  UnknownName: no such column or parameter.

        Example:
            >>> print(likelihood("poisson", "log").fit([1.0, 2.0, 6.0]).names)
            ('mean',)
        """
        return fit(self, X, y, **options)

    def map(self, axes: Mapping[str, str] | None = None, /, **priors: Prior) -> Map:
        """The loss with priors: maximum a posteriori, where each prior adds minus the logarithm of its density.

        Args:
            axes: of what has a prior, ``{"w": "p k"}``; a name that is no parameter of the law is a vector, [p].
            priors: what `prior` gives, by the name of what it is about: weights, a learned scalar, or a parameter of the law
                that all observations have in common.

        Raises:
            DomainError: a prior has other values than what it is about.  SpecError: what is given is no prior.

        Example:
            >>> from derive.likelihoods.priors import prior
            >>> print(likelihood("bernoulli").map(p=prior("beta", a=2, b=2)).estimate.value)
            (s + 1)/(n + 2)
        """
        return map_of(self, axes or {}, priors)

    @property
    def _wrt(self) -> str | list[str]:
        return self.raw[0] if len(self.raw) == 1 else list(self.raw)

    def _of_many(self, program: Program) -> Program:
        each = {t.name: 0 for t in program.inputs if t.name in (*self.raw, self.variable)}
        return batched(program, EXAMPLES, each, [0] * len(program.outputs))

    def _derived(self, kind: str, program: Program, structure: Structure) -> Function:
        """A derivative of one example for n of them; it is printed and emitted as one."""
        by = wanted(self.name, self.function.signature, self.function.program.inputs, list(self.raw))
        origin = Origin("hessian", self.function, by)
        program = self._of_many(program)
        return Function(
            f"{self.name}_{kind}", program, structure, names_of(self.function.program), origin=origin
        )

    # -- of one example, in symbols

    @cached_property
    def law(self) -> Law | None:
        """The law in symbols; None for laws of vectors, and of parameters that are vectors."""
        return None if self.setting.density.arrays else law_of(self.setting)

    @cached_property
    def array_law(self) -> ArrayLaw | None:
        """A law of arrays in its own parameters; None for laws of numbers, and for losses that have no law."""
        return array_law(self.setting) if self.law is None and not self.setting.density.statement else None

    @cached_property
    def body(self) -> Expr:
        """The loss of one example, in `reads`.

        Raises:
            NotDifferentiable: the law is one of vectors, which has no such expression.
        """
        if self.law is None:
            raise NotDifferentiable(f"{self.name} is a loss of arrays; try: loss.example.program")
        return textbook(scalar_of(self.example.program))

    @property
    def reads(self) -> dict[str, Expr]:
        """The inputs of `example`, as they stand in `body`."""
        return {t.name: read(t) for t in self.example.program.inputs}

    @cached_property
    def example_gradient(self) -> Function:
        """The gradient of the loss of one example by its raw outputs."""
        found: Function = api.grad(self.example, self._wrt)
        return found

    @cached_property
    def example_hessian(self) -> Function:
        """The Hessian of the loss of one example by its raw outputs."""
        found: Function = api.hessian(self.example, self._wrt)
        return found

    @cached_property
    def score(self) -> dict[str, Expr] | None:
        """The derivatives of the log-density by the parameters that are learned or under a link; None for arrays."""
        if self.law is None:
            return None
        model = self.law.model
        return {name: textbook(model.diff(parameter)) for name, parameter in self.law.free.items()}

    @cached_property
    def information(self) -> Information | None:
        """Observed and expected Fisher information of one example about its raw outputs and the learned scalars."""
        if self.law is None or self.setting.density.statement:
            return None
        names = self.raw + self.learned
        return Information(self.law, names, tuple(self.reads[n] for n in names), self.body)

    @cached_property
    def information_of_raw(self) -> Information | None:
        """The same about the raw outputs alone, learned scalars held fixed."""
        if self.law is None:
            return None
        return Information(self.law, self.raw, tuple(self.reads[n] for n in self.raw), self.body)

    @cached_property
    def information_of_parameters(self) -> Information | None:
        """The same about the parameters themselves, in the form in which they were given: sigma, variance, precision."""
        if self.law is None or self.setting.density.statement:
            return None
        law = replace(self.law, raw={})
        return Information(law, tuple(law.free), tuple(law.free.values()), -law.model)

    @cached_property
    def canonical(self) -> tuple[Canonical | None, ...]:
        """For each parameter under a link its canonical link; None where the law is no exponential family in it."""
        if self.law is None:
            return ()
        return tuple(canonical(self.law, g) for g in self.setting.raws)

    @cached_property
    def exponential_family(self) -> ExponentialFamily | None:
        """The exponential family that the law is, derived from its log-density; None if it is none, or one of arrays."""
        return None if self.law is None else exponential_family(self.law)

    @cached_property
    def mle(self) -> Estimates | None:
        """Maximum-likelihood estimates in closed form where there are any, of observations with the same parameters."""
        return None if self.law is None else estimates(self.law)

    @cached_property
    def convex(self) -> Verdict:
        """Whether the loss is convex in its raw outputs together."""
        text = str(self.example).splitlines()[-1].partition(" = ")[2] if self.law is None else wall(self.body)
        claim = f"convex({text}, {', '.join(self.raw)})"
        return convexity(self.example.program, self.raw, self.variable, claim)

    # -- to be read

    @cached_property
    def title(self) -> str:
        """One line that says what it is the loss of."""
        density, several = self.setting.density, len(self.raw) > 1
        name = f"{density.name} law" if density.record else density.name
        links = [f"{g.link} link" + f" of {g.name}" * several for g in self.setting.raws]
        return f"{name}, {' and '.join(links)}"

    @cached_property
    def steps(self) -> tuple[Section, ...]:
        """The derivation, step by step: each a title and its lines."""
        return sections(self)

    def explain(self) -> str:
        """The page of the loss, as `str` gives it."""
        return str(self)

    def __str__(self) -> str:
        return page(self)

    def __repr__(self) -> str:
        return f"<loss {self.name}({', '.join(self.example.inputs)})>"
