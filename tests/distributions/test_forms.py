"""Other parameters of a law: by each of its forms a law has the loss that it has by its own parameters."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import derive as dv
from derive.distributions import Distribution, Form, Record, distributions

from .arrays import drawn, observed, parameters, raw_outputs, whole


def needed(form: Form) -> tuple[str, ...]:
    return tuple(inspect.signature(form.value).parameters)


def together(law: Record) -> Iterator[tuple[str, ...]]:
    """Each form with the other forms that it needs."""
    for name, form in law.forms.items():
        yield (name, *(n for n in needed(form) if n in law.forms and n != name))


CASES = [(law, names) for law in distributions() if law.log_density for names in together(law)]


@pytest.mark.parametrize(
    ("law", "names"), CASES, ids=[f"{law.name}-{'-'.join(names)}" for law, names in CASES]
)
def test_the_loss_by_a_form_is_the_loss_by_the_parameters(law: Record, names: tuple[str, ...]) -> None:
    rng = np.random.default_rng(1)
    own = parameters(law)
    forms = {n: drawn(law.forms[n].facts, law.forms[n].axes, rng) for n in names}
    for n in names:
        own[law.forms[n].of] = replaced_by(law, law.forms[n], {**own, **forms})
    replaced = {law.forms[n].of for n in names}
    by_form = {**{n: v for n, v in own.items() if n not in replaced}, **forms}
    y = observed(law, own, 3)
    for one in y:
        assert value(law, by_form, one) == pytest.approx(value(law, own, one), rel=1e-9)


def replaced_by(law: Record, form: Form, given: dict[str, Any]) -> Any:
    arguments = [given[n] for n in needed(form)]
    if isinstance(law, Distribution):
        return float(form.value(*arguments))
    return dv.trace(form.value, **dict(zip(needed(form), arguments, strict=True)))(*arguments)


def value(law: Record, values: dict[str, Any], y: Any) -> float:
    return float(whole(law, [*values])(**raw_outputs(values), y=y))
