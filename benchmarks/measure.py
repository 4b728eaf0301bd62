"""One case in one setting: the calls of all peers, compared with the reference, then timed in turn."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from functools import cache
from time import perf_counter
from typing import Any

import numpy as np

from derive.timing import interleaved, summary

from . import peers as folder
from .case import Case, home_of
from .compare import Disagreement, arrays_of, compare
from .peers._record import Call, Peer, Setting

REFERENCES = ("jax.jit", "torch", "NumPy")
"""In double precision, the first of these that is installed and independent is what all results are compared with."""


@cache
def all_peers() -> dict[str, Peer]:
    """By name, derive first."""
    from derive.registry import records

    order = ("derive", "jax.jit", "torch", "torch.compile", "NumPy", "SymPy", "Numba by hand")
    found = {peer.name: peer for peer in records(folder, Peer)}
    return {name: found[name] for name in sorted(found, key=order.index)}


def reference(case: Case, arrays: Mapping[str, Any]) -> tuple[str, list[Any], Call]:
    """The name of an independent implementation, its results on these arrays, computed in double precision, and its call.

    Raises:
        Disagreement: nothing independent of derive can run the case.
    """
    double = {name: a.astype(np.float64) if a.dtype.kind == "f" else a for name, a in arrays.items()}
    for name in REFERENCES:
        peer = all_peers()[name]
        if not peer.installed:
            continue
        built = peer.build(case, double, Setting())
        if built is not None and not isinstance(built, tuple):
            return name, [np.array(x) for x in arrays_of(built())], built
    raise Disagreement(f"{case.name}: jax or torch must be installed, so that results can be compared")


def measure(case: Case, setting: Setting, names: list[str], seconds: float) -> dict[str, Any]:
    """The record of one case: seconds per call of each peer, median and quartiles, and what differs.

    A peer whose results are wrong has no time, and the record says so under `refused`; one that cannot run the case
    stands under `absent`. If derive itself is refused, nobody has times.
    """
    record: dict[str, Any] = {
        "case": case.name, "group": case.group, "file": home_of(case), "dtype": setting.dtype, "threads": setting.threads,
        "refused": {}, "absent": {}, "notes": {}, "difference": {}, "first call": {}, "seconds": {},
    }  # fmt: skip
    arrays = case.arrays(setting.dtype)
    record["reference"], expected, call = reference(case, arrays)
    calls: dict[str, Call] = {}
    known = {record["reference"]: call} if setting.dtype == "float64" else {}
    for name in names:
        try:
            calls[name] = known.get(name) or _ready(all_peers()[name], case, arrays, setting, expected, record)
        except _Absent as error:
            record["absent"][name] = str(error)
        except Disagreement as error:
            record["refused"][name] = str(error)
        if name == "derive" and name not in calls:
            return record
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        times = interleaved(calls, seconds)
    record["seconds"] = {name: summary(values) for name, values in times.items()}
    record["bytes"] = sum(np.asarray(a).nbytes for a in arrays.values()) + _bytes(expected, setting.dtype)
    record["flops"] = None if case.flops is None else float(case.flops(case.sizes))
    record["bound"] = case.bound
    record["reasons"] = case.reasons
    return record


class _Absent(Exception):
    """A peer cannot run the case."""


def _ready(
    peer: Peer,
    case: Case,
    arrays: Mapping[str, Any],
    setting: Setting,
    expected: list[Any],
    record: dict[str, Any],
) -> Call:
    """A peer's call, after its first results have been compared."""
    if not peer.installed:
        raise _Absent("not installed")
    start = perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            built = peer.build(case, dict(arrays), setting)
            call, note = built if isinstance(built, tuple) else (built, "")
            if call is None:
                raise _Absent("the case has no code for it")
            results = call()
        except _Absent:
            raise
        except Exception as error:  # whatever a library cannot do; derive itself must
            if peer.name == "derive":
                raise
            said = str(error).strip().splitlines() or [""]
            raise _Absent(f"{type(error).__name__}: {said[0][:160]}") from None
    record["first call"][peer.name] = perf_counter() - start
    if note:
        record["notes"][peer.name] = note
    record["difference"][peer.name] = compare(peer.name, case, results, expected, setting.dtype)
    return call


def _bytes(results: list[Any], dtype: str) -> int:
    return sum(int(np.size(x)) for x in results) * np.dtype(dtype).itemsize
