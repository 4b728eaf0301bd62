"""Laws of arrays, and of numbers whose parameters are arrays: points of their parameters drawn from facts and shapes alone."""

from __future__ import annotations

from typing import Any

import numpy as np

import derive as dv
from derive.distributions import Parameter, Record, VectorDistribution, distributions
from derive.ir.facts import spec
from derive.likelihoods.density import HAVE_DENSITY, density_of
from derive.likelihoods.example import example_of
from derive.likelihoods.setting import setting_of
from derive.verify.sample import sample

ARRAYS = [d for d in distributions() if isinstance(d, VectorDistribution) and d.log_density is not None]
AXES = {"vector": "k", "matrix": "k k", "whole": "", "entry": ""}
SIZES = {"k": 3, "r": 2}


def facts_of(facts: tuple[str, ...]) -> tuple[str, ...]:
    """Facts of a parameter where there is a density."""
    return tuple(HAVE_DENSITY.get(f, f) for f in facts)


def drawn(facts: tuple[str, ...], axes: str, rng: np.random.Generator, integer: bool = False) -> Any:
    tensor = spec(axes, *facts_of(facts)).tensor("p")
    array = sample(tensor, tuple(SIZES[a] for a in axes.split()), rng, (0.3, 1.1))
    return np.ceil(5 * array) if integer else array


def axes_of(parameter: Parameter) -> str:
    return AXES[parameter.role] if parameter.axes is None else parameter.axes


def parameters(law: Record, seed: int = 0) -> dict[str, Any]:
    """A value of each parameter; numbers are made larger until what the law requires holds by far."""
    rng = np.random.default_rng(seed)
    found = {p.name: drawn(p.facts, axes_of(p), rng, p.integer) for p in law.parameters}
    while isinstance(law, VectorDistribution) and law.requires is not None:
        if all(np.all(r > 1) for r in law.requires(*found.values())):
            break
        found = {n: v + 1 if np.ndim(v) == 0 else v for n, v in found.items()}
    return found


def observed(law: Record, own: dict[str, Any], count: int) -> Any:
    found = np.asarray(law.reference(*own.values()).rvs(count, random_state=1), dtype=float)
    return found.reshape(count, *found.shape[found.ndim - rank(law) :]) if rank(law) else found


def rank(law: Record) -> int:
    return len(law.axes.split()) if isinstance(law, VectorDistribution) else 0


def whole(law: Record, names: list[str]) -> dv.Function:
    """Minus the log-density as it is before it is simplified, of parameters and forms as they are."""
    return example_of(setting_of(density_of(law, {}), *_as_they_are(law, names), {}))


def loss_of(law: Record, names: list[str]) -> dv.Loss:
    """The loss where these parameters and forms are raw outputs, as they are."""
    link, raw = _as_they_are(law, names)
    return dv.likelihood(law, link, raw=raw)


def _as_they_are(law: Record, names: list[str]) -> tuple[dict[str, str], dict[str, str]]:
    facts = {p.name: p.facts for p in law.parameters} | {n: f.facts for n, f in law.forms.items()}
    raw = {n: ", ".join(facts_of(facts[n])) for n in names}
    return dict.fromkeys(names, "identity"), raw


def usual(law: Record) -> dv.Loss:
    """The loss with the usual link; of a matrix, which has none, with raw outputs that are what it must be."""
    main = next((p for p in law.parameters if p.name == law.modelled and p.role == "matrix"), None)
    return dv.likelihood(law, **({} if main is None else {"raw": ", ".join(main.facts)}))


def raw_outputs(values: dict[str, Any]) -> dict[str, Any]:
    return {f"z_{n}" if len(values) > 1 else "z": v for n, v in values.items()}
