"""What a fit found: estimates, how well they are determined, predictions, and the table of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from io import StringIO
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy
from rich.console import Console
from rich.table import Table

from ..errors import ShapeError, UnsupportedOp
from .fit_data import INTERCEPT, design_of
from .fit_model import Model

if TYPE_CHECKING:
    from .loss import Loss


@dataclass(frozen=True, eq=False)
class Fit:
    """A maximum of a likelihood.

    names: one for each estimate: coefficients, then learned parameters on their own scale.
    estimates: numbers in the order of `names`.
    covariance: of the estimates, the inverse of the `information` ("observed" or "expected"), by the delta method where a
        parameter was looked for on another scale.
    log_likelihood: the sum of the logarithms of the densities, nothing dropped.
    observations: how many rows, or the sum of their weights.
    steps, method: of the search.
    classes: names of the classes, where labels are such.
    """

    loss: Loss
    model: Model = field(repr=False)
    point: Any = field(repr=False)
    names: tuple[str, ...]
    estimates: Any
    covariance: Any = field(repr=False)
    free_covariance: Any = field(repr=False)
    log_likelihood: float
    information: str
    steps: int
    method: str
    classes: tuple[str, ...]
    observations: float

    # -- numbers

    @property
    def coef(self) -> Any:
        """Coefficients of the raw output, [p] or [p, k]; of several raw outputs a dictionary by the parameters' names."""
        split = self.model.split(self.point)
        found = {
            g.name: split[p.coefficients]
            for g, p in zip(self.loss.setting.raws, self.model.predictors, strict=True)
        }
        return next(iter(found.values())) if len(found) == 1 else found

    @property
    def parameters(self) -> dict[str, Any]:
        """Learned parameters that are the same for all examples, by name, on their own scale."""
        split = self.model.split(self.point)
        names = {g.symbol: g.name for g in self.loss.setting.learned}
        natural = {names[s]: b.scale.natural(split[b.name]) for s, b in self.model.parameters.items()}
        return {name: float(value) if np.ndim(value) == 0 else value for name, value in natural.items()}

    @cached_property
    def standard_errors(self) -> Any:
        """The square roots of the diagonal of `covariance`, in the order of `names`."""
        return np.sqrt(np.diag(self.covariance))

    @cached_property
    def z(self) -> Any:
        """Estimates over their standard errors, for coefficients; for other parameters 0 is no hypothesis: NaN."""
        return np.where(self._are_coefficients, self.estimates / self.standard_errors, np.nan)

    @property
    def p_values(self) -> Any:
        """Two-sided, of the hypothesis that a coefficient is 0: ``2 Phi(-|z|)``."""
        return 2 * scipy.special.ndtr(-np.abs(self.z))

    @cached_property
    def _are_coefficients(self) -> Any:
        return np.repeat(
            [b.part == "coefficients" and b.scale.name == "identity" for b in self.model.blocks],
            [len(b.names) for b in self.model.blocks],
        )

    def intervals(self, level: float = 0.95) -> Any:
        """Confidence intervals, one row (low, high) for each name.

        They are symmetric on the scale on which a parameter was looked for, so that none leaves its domain.
        """
        reach = scipy.special.ndtri(0.5 + level / 2)
        rows: list[Any] = []
        place = 0
        errors = np.sqrt(np.diag(self.free_covariance))
        for b in self.model.blocks:
            u, e = self.point[place : place + b.size], errors[place : place + b.size]
            if b.scale.entrywise:
                ends = np.sort(
                    np.column_stack((b.reported(u - reach * e), b.reported(u + reach * e))), axis=1
                )
            else:
                first = sum(map(len, rows))
                part = slice(first, first + len(b.names))
                middle, around = self.estimates[part], reach * self.standard_errors[part]
                ends = np.column_stack((middle - around, middle + around))
            rows.append(ends)
            place += b.size
        return np.concatenate(rows)

    @property
    def aic(self) -> float:
        """Akaike's criterion, ``2 k - 2 log L`` for k estimated numbers."""
        return 2 * len(self.point) - 2 * self.log_likelihood

    @property
    def bic(self) -> float:
        """The Bayesian criterion, ``k log n - 2 log L``."""
        return float(len(self.point) * np.log(self.observations) - 2 * self.log_likelihood)

    # -- predictions

    def predict(self, X: Any = None, *, offset: Any = None, raw: bool = False) -> Any:
        """The modelled parameter, such as the mean, for the rows of X; those of the data if left out.

        Args:
            X: as in `Loss.fit`, without the column of ones.
            offset: for these rows, if the fit had one.
            raw: the raw output instead, under whose link the parameter is.

        Returns:
            [n], or [n, k] for classes; for several raw outputs a dictionary by the parameters' names.
        """
        found: dict[str, Any] = {}
        for g, p in zip(self.loss.setting.raws, self.model.predictors, strict=True):
            matrix = None
            if X is not None:
                columns = X[g.name] if isinstance(X, Mapping) and g.name in X else X
                matrix = self._matrix(columns, p.matrix)
                if p.offset and offset is None:
                    raise UnsupportedOp(
                        "the fit had an offset: predict(X, offset=...) needs one for these rows"
                    )
            z = self.model.predictor(p, self.point, matrix, offset)
            assert g.link is not None
            found[g.name] = z if raw else g.link.inverse(z)
        return next(iter(found.values())) if len(found) == 1 else found

    def _matrix(self, X: Any, name: str) -> Any:
        """New rows with as many columns as there are coefficients.

        Raises:
            ShapeError: there are more or fewer.
        """
        rows = len(next(iter(X.values()))) if isinstance(X, Mapping) else len(X)
        columns = design_of(X, rows, False, None, checked=False).matrix
        wanted = self.model.data[name].shape[1]
        with_ones = np.ptp(self.model.data[name][:, 0]) == 0
        if columns.shape[1] != wanted - with_ones:
            raise ShapeError(
                f"the fit has coefficients for {wanted - with_ones} columns; X has {columns.shape[1]}"
            )
        return np.column_stack((np.ones(rows), columns)) if with_ones else columns

    # -- text

    def __str__(self) -> str:
        return self.summary()

    def summary(self, level: float = 0.95, width: int = 100) -> str:
        """The table of estimates, as text."""
        console = Console(file=StringIO(), width=width, color_system=None, legacy_windows=False)
        console.print(self._table(level))
        file = console.file
        assert isinstance(file, StringIO)
        rows = [line.rstrip() for line in file.getvalue().splitlines()]
        origin = (
            f"standard errors from the {self.information} information; {self.steps} steps of {self.method}"
        )
        return "\n".join([*self._head(), "", *rows, "", origin])

    def __rich__(self) -> Table:
        return self._table(0.95)

    def _head(self) -> list[str]:
        law, links = (
            self.loss.setting.density.name,
            [f"{g.link} link for {g.name}" for g in self.loss.setting.raws],
        )
        counted = f"{self.observations:g} observations, {len(self.point)} estimated numbers"
        values = f"log-likelihood {self.log_likelihood:.6g}, AIC {self.aic:.6g}, BIC {self.bic:.6g}"
        return [f"{law} law, {', '.join(links)}" if links else f"{law} law", counted, values]

    def _table(self, level: float) -> Table:
        percent = f"{100 * level:g} %"
        table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False)
        table.add_column("", justify="left", no_wrap=True)
        for title in ("estimate", "std err", "z", "p", f"{percent} from", "to"):
            table.add_column(title, justify="right", no_wrap=True)
        columns = (
            self.names,
            self.estimates,
            self.standard_errors,
            self.z,
            self.p_values,
            self.intervals(level),
        )
        for name, value, error, z, p, (low, high) in zip(*columns, strict=True):
            tests = ["", ""] if np.isnan(z) else [f"{z:.2f}", _probability(p)]
            numbers = [_number(x, error) for x in (value, error, low, high)]
            table.add_row(name, *numbers[:2], *tests, *numbers[2:])
        return table


def _number(x: float, error: float) -> str:
    """As many digits as four of the standard error."""
    if not np.isfinite(error) or error == 0:
        return f"{x:.5g}"
    decimals = int(3 - np.floor(np.log10(error)))
    return f"{x:.{max(decimals, 0)}f}" if -2 <= decimals <= 8 else f"{x:.5g}"


def _probability(p: float) -> str:
    return f"{p:.3f}" if p >= 0.001 else f"{p:.0e}"


__all__ = ["INTERCEPT", "Fit"]
