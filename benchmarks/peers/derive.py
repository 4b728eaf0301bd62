"""derive itself."""

from __future__ import annotations

from ..case import Arrays, Case
from ._record import Call, Peer, Setting


def build(case: Case, arrays: Arrays, setting: Setting) -> Call:
    kernel = case.derived.compile(setting.dtype, parallel=setting.threads > 1)
    values = list(arrays.values())
    return lambda: kernel(*values)


PEER = Peer("derive", build, "derive", counts=False)
