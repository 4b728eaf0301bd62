"""Other parameters of a law: by each of its forms a law has the loss that it has by its own parameters."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import derive as dv
from derive.distributions import Distribution, Form, Record, distributions
from derive.ir.facts import spec
from derive.verify.sample import sample

SIZES = {"k": 3, "r": 2}


def together(law: Record) -> Iterator[tuple[str, ...]]:
    """Each form with those that it needs."""
    for name, form in law.forms.items():
        yield (
            name,
            *(
                n
                for n in needed(form)
                if n in law.forms
                and n != name
                and (law.forms[n].of != form.of or name in needed(law.forms[n]))
            ),
        )


def needed(form: Form) -> tuple[str, ...]:
    return tuple(inspect.signature(form.value).parameters)


CASES = [(law, names) for law in distributions() if law.log_density for names in together(law)]


def drawn(facts: tuple[str, ...], axes: str, rng: np.random.Generator) -> Any:
    tensor = spec(axes, *facts).tensor("p")
    shape = tuple(SIZES[a] for a in axes.split())
    return sample(tensor, shape, rng, (0.3, 1.1))


@pytest.mark.parametrize(
    ("law", "names"), CASES, ids=[f"{law.name}-{'-'.join(names)}" for law, names in CASES]
)
def test_the_loss_by_a_form_is_the_loss_by_the_parameters(law: Record, names: tuple[str, ...]) -> None:
    rng = np.random.default_rng(0)
    axes = {"vector": "k", "matrix": "k k"}
    own = {p.name: drawn(p.facts, axes.get(p.role, ""), rng) for p in law.parameters}
    forms = {n: drawn(law.forms[n].facts, law.forms[n].axes, rng) for n in names}
    replaced = {law.forms[n].of for n in names}
    staying = {n: v for n, v in own.items() if n not in replaced}
    for n in names:
        own[law.forms[n].of] = value(law, law.forms[n], {**own, **forms})
    y = observed(law, {p.name: own[p.name] for p in law.parameters})
    np.testing.assert_allclose(total(law, {**staying, **forms}, y), total(law, own, y), rtol=1e-9)


def value(law: Record, form: Form, given: dict[str, Any]) -> Any:
    arguments = [given[n] for n in needed(form)]
    if isinstance(law, Distribution):
        return float(form.value(*arguments))
    return dv.trace(form.value, **{n: x for n, x in zip(needed(form), arguments, strict=True)})(*arguments)


def observed(law: Record, own: dict[str, Any]) -> Any:
    return np.asarray(law.reference(*own.values()).rvs(4, random_state=1), dtype=float)


def total(law: Record, values: dict[str, Any], y: Any) -> float:
    """The loss of all observations where every parameter is a raw output."""
    facts = {p.name: p.facts for p in law.parameters} | {n: f.facts for n, f in law.forms.items()}
    loss = dv.likelihood(law, dict.fromkeys(values, "identity"), raw={n: ", ".join(facts[n]) for n in values})
    inputs = {f"z_{n}" if len(values) > 1 else "z": v for n, v in values.items()}
    return sum(float(loss.whole(**inputs, y=one)) for one in y)
