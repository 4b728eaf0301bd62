"""torch.compile: the same functions, compiled by its default backend."""

from __future__ import annotations

import warnings
from importlib import import_module
from typing import Any

from ..case import Arrays, Case
from ._record import Call, Peer, Setting
from .torch import call

SETTINGS = (Setting("float64", 1),)
"""Where it is run: it compiles for some seconds in each."""


def build(case: Case, arrays: Arrays, setting: Setting) -> Call | None:
    if case.torch is None or setting not in SETTINGS:
        return None
    torch = import_module("torch")
    torch.set_num_threads(setting.threads)
    import_module("torch._dynamo").reset()
    run = call(torch, case, arrays, lambda f: torch.compile(f, dynamic=False))

    def quiet() -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return run()

    quiet()  # compiles; the call that is timed has no such shell around it
    return run


PEER = Peer("torch.compile", build, "torch")
