"""The code is clean by the project's own tools, and the README says what the continuous integration runs."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def run_module(module: str, *arguments: str) -> None:
    if find_spec(module) is None:
        pytest.skip(f"{module} is not installed")
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_lint() -> None:
    run_module("ruff", "check", "--no-cache")


def test_types() -> None:
    run_module("mypy")


def test_readme_gives_the_two_set_up_commands() -> None:
    lines = [line.strip() for line in (ROOT / "README.md").read_text(encoding="utf-8").splitlines()]
    assert [line for line in lines if line.startswith("pip install -e ")] == [
        "pip install -e . && derive backprop examples/layers.py:attention",
        "pip install -e '.[test]' && pytest",
    ]
