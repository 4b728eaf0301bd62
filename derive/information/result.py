"""What an entropy or a divergence is: a function of the parameters, its derivation, and numbers where no formula is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..api import trace
from ..errors import UnknownName, closest
from ..function import Function
from ..ir.facts import Spec
from .expected import with_names
from .quadrature import Quadrature


def in_bits(f: Function) -> Function:
    """A function in nats divided by log 2."""
    specs = {t.name: Spec(t.shape, t.kind, t.facts, t.bound) for t in f.program.inputs}
    found = trace(with_names(lambda **arrays: f(**arrays) / np.log(2), specs), **specs)
    return replace(found, name=f.name, source=f.source)


@dataclass(frozen=True, repr=False)
class Information:
    """An entropy, a cross-entropy, a divergence or a mutual information, in nats.

    title: what it is, ``KL(poisson(a) ‖ poisson(b))``.
    function: of the parameters by their names; None where no closed form was found.
    formula: its right side as text; "" without a closed form.
    steps: the derivation, line by line.
    note: what a reader must know: assumptions, supports that do not fit, that it is infinite.
    """

    title: str
    function: Function | None
    formula: str
    steps: tuple[str, ...] = ()
    note: str = ""
    _quadrature: Callable[[Mapping[str, float]], Quadrature] | None = field(
        default=None, compare=False, repr=False
    )
    _names: tuple[str, ...] = field(default=(), compare=False, repr=False)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The value at parameters, by position or name; of laws of numbers by quadrature where there is no formula."""
        if self.function is not None:
            return self.function(*args, **kwargs)
        return self.at(**dict(zip(self._names, args, strict=False)), **kwargs).value

    def at(self, **values: float) -> Quadrature:
        """The value by quadrature or summation, with a bound of its error: an independent check of a closed form.

        Raises:
            UnknownName: a parameter has no value, or a value no parameter; or these are laws of vectors.
        """
        if self._quadrature is None:
            raise UnknownName(f"{self.title} has no quadrature here; try: call it with its parameters")
        for name in values:
            if name not in self._names:
                raise UnknownName(f"{self.title} has no parameter {name!r}; {closest(name, self._names)}")
        if missing := [name for name in self._names if name not in values]:
            raise UnknownName(f"{self.title} needs a value of {', '.join(missing)}")
        return self._quadrature({name: float(np.asarray(value)) for name, value in values.items()})

    def __repr__(self) -> str:
        return f"<{self.title}>"

    def __str__(self) -> str:
        lines = [self.title]
        if self.formula:
            first, *others = self.formula.splitlines()
            lines += [f"  = {first}", *(f"    {line}" for line in others)]
        if self.note:
            lines += [f"  {line}" for line in self.note.splitlines()]
        return "\n".join([*lines, *(["", *(f"  {s}" for s in self.steps)] if self.steps else [])])

    @property
    def bits(self) -> Information:
        """The same in bits: divided by log 2."""
        function, quadrature = self.function, self._quadrature

        def by_quadrature(point: Mapping[str, float]) -> Quadrature:
            assert quadrature is not None
            found = quadrature(point)
            return Quadrature(found.value / np.log(2), found.error / np.log(2))

        return replace(
            self,
            title=f"{self.title} in bits",
            function=function and in_bits(function),
            formula=f"({self.formula}) / log(2)" if self.formula else "",
            _quadrature=quadrature and by_quadrature,
        )
