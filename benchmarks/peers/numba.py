"""Numba: a kernel that an expert wrote by hand, where a case has one; serial ones, so they run on one thread."""

from __future__ import annotations

import numpy as np

from ..case import Arrays, Case
from ._record import Call, Peer, Setting


def build(case: Case, arrays: Arrays, setting: Setting) -> Call | None:
    if case.numba is None or setting.threads > 1:
        return None
    run = case.numba(np.dtype(setting.dtype).type)
    values = list(arrays.values())
    return lambda: run(*values)


PEER = Peer("Numba by hand", build, "numba", counts=False)
