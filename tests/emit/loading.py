"""Emitted source as a module: written to a file, imported, and its own tests run."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

MODULES = {"numpy": "numpy", "torch": "torch", "jax": "jax"}


def load(source: str, folder: Path, name: str) -> ModuleType:
    """Import emitted source from a file of its own."""
    path = folder / f"{name}.py"
    path.write_text(source, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run_tests_of(module: ModuleType) -> None:
    """Call every test function that the source brings along."""
    tests = [value for name, value in vars(module).items() if name.startswith("test_")]
    assert tests, f"{module.__name__} has no test"
    for test in tests:
        test()


def call(
    module: ModuleType, name: str, target: str, arrays: Iterable[Any], dtype: Any = np.float64
) -> list[np.ndarray]:
    """The results of an emitted function on NumPy arrays, as a list of arrays."""
    function = getattr(module, name)
    if target == "torch":
        import torch

        results = function(*(torch.as_tensor(a) for a in arrays))
    elif target == "jax":
        import jax
        import jax.numpy as jnp

        with jax.enable_x64(dtype is np.float64):
            results = function(*(jnp.asarray(a) for a in arrays))
    else:
        results = function(*arrays)
    return [np.asarray(r) for r in (results if isinstance(results, tuple) else (results,))]


LINT = [
    "check",
    "--select",
    "E4,E7,E9,F,W,I,UP,B",
    "--ignore",
    "E741",
]  # E741: O, I and l are names in formulas


def assert_formatted(folder: Path, lint: bool = True) -> None:
    """What ruff's formatter and its checks for errors and import order say about the files of a folder."""
    pytest.importorskip("ruff")
    for arguments in [["format", "--diff"], *([LINT] if lint else [])]:
        command = [sys.executable, "-m", "ruff", *arguments, "--isolated", "--no-cache", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
