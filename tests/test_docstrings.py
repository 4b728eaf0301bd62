"""The examples in docstrings, run with the public names at hand."""

import doctest
import importlib
import pkgutil

import numpy as np
import pytest
import sympy

import derive as dv

MODULES = sorted(m.name for m in pkgutil.walk_packages(dv.__path__, "derive.") if not m.name.endswith("__main__"))


@pytest.mark.parametrize("name", MODULES)
def test_examples_say_what_comes_out(name: str) -> None:
    module = importlib.import_module(name)
    names = {**{n: getattr(dv, n) for n in dv.__all__}, "np": np, "sympy": sympy, "dv": dv}
    found = doctest.testmod(module, extraglobs=names, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert not found.failed
