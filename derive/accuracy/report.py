"""What `dv.accuracy` answers: a table of the digits that each form loses, where, and why."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any

import numpy as np

from ..function import Function
from .domain import Domain
from .epsilon import Epsilon
from .findings import Finding
from .measure import DERIVATIVES, Measured
from .plot import plot


@dataclass(frozen=True)
class Accuracy:
    """The digits that a function and its derivatives lose over a domain.

    measured: one for each derivative, precision and form.
    findings: the operations of the naive formula at which digits are lost.
    epsilons: small constants that the user wrote, and what they do to the answer.
    rules: the names of the rules that made the stable form of the value.
    """

    function: Function
    domains: dict[str, Domain]
    measured: tuple[Measured, ...]
    findings: tuple[Finding, ...] = ()
    epsilons: tuple[Epsilon, ...] = ()
    rules: tuple[str, ...] = ()

    def __getitem__(self, key: tuple[str, str] | tuple[str, str, str]) -> Measured:
        """``report["gradient", "stable"]``, in float64 if nothing else is said: ``report["value", "naive", "float32"]``."""
        derivative, form, *rest = key
        dtype = rest[0] if rest else "float64"
        for m in self.measured:
            if (m.derivative, m.form, m.dtype) == (derivative, form, dtype):
                return m
        known = ", ".join(f"({m.derivative}, {m.form}, {m.dtype})" for m in self.measured)
        raise KeyError(f"nothing was measured for {key}; known: {known}")

    @property
    def passed(self) -> bool:
        """Whether what is run gives a number wherever there is one, and no error above a million ulps."""
        return not any(m.failures for m in self.measured if m.form == "stable")

    def plot(self, path: str | Path, dtype: str = "float64") -> Path:
        """Draw the error over the domain, naive and stable, and write it as the suffix says; returns the path."""
        return plot(self.title, [m for m in self.measured if m.dtype == dtype], Path(path))

    @property
    def title(self) -> str:
        body = str(self.function).splitlines()
        text = body[0].partition(" = ")[2] if len(body) == 1 else self.function.name
        where = ", ".join(f"{name} in {d}" for name, d in self.domains.items())
        return f"{text}    for {where}"

    def __str__(self) -> str:
        lines = [self.title, "", *self.table()]
        for title, entries in (("where digits are lost", self.findings), ("constants", self.epsilons)):
            if entries:
                lines += ["", f"{title}:"]
                lines += [f"  {line}" for entry in entries for line in str(entry).splitlines()]
        if self.rules:
            lines += ["", f"stable by: {'; '.join(self.rules)}"]
        return "\n".join(lines)

    def table(self) -> list[str]:
        """Lines: derivative and precision, then for each form the worst error, where, and where NaN or Inf begin."""
        forms = list(dict.fromkeys(m.form for m in self.measured))
        rows = [["", "", *forms]]
        dtypes = list(dict.fromkeys(m.dtype for m in self.measured))
        for derivative in DERIVATIVES:
            for dtype in dtypes:
                cells = [
                    cell(self[derivative, form, dtype])
                    for form in forms
                    if self._has(derivative, form, dtype)
                ]
                if cells:
                    rows.append([derivative if dtype == dtypes[0] else "", dtype, *cells])
        widths = [max(len(row[k]) for row in rows if k < len(row)) for k in range(len(rows[0]))]
        return ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=False)).rstrip() for row in rows]

    def _has(self, *key: str) -> bool:
        return any((m.derivative, m.form, m.dtype) == key for m in self.measured)


def cell(m: Measured) -> str:
    """``0.9 ulp``, ``31 bits lost at x = -37.2``, ``NaN or Inf from x = 710 on``."""
    worst = m.worst
    if worst is None:
        return "no value"
    if worst.ulps == inf:
        places = [point_text(p) for p in m.begins[:2]]
        return f"NaN or Inf from {' and '.join(places)} on"
    if worst.ulps < 1000:
        return f"{worst.ulps:.2g} ulp at {point_text(worst.point)}"
    return f"{m.bits:.0f} bits lost at {point_text(worst.point)}"


def point_text(point: dict[str, Any]) -> str:
    """``x = 709.8``; arrays with three digits."""
    return ", ".join(f"{name} = {_number_text(value)}" for name, value in point.items())


def _number_text(value: Any) -> str:
    array = np.asarray(value)
    if not array.ndim:
        return f"{float(array):.4g}"
    return "[" + ", ".join(_number_text(v) for v in array) + "]"
