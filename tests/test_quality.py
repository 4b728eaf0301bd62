"""The code is clean by the project's own tools, and the README says what the continuous integration runs."""

import ast
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import sympy

import derive as dv

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


RUNS_TEXT = {"eval", "exec", "compile", "__import__", "lambdify", "parse_expr", "literal_eval"}
OF_OURS = {"kernels/cache.py": {"exec", "compile"}}  # the source of kernels, which we have written


def test_no_text_is_run_as_code() -> None:
    """Neither Python's evaluation of text nor SymPy's is called; `sympify` only where it refuses text."""
    found: dict[str, set[str]] = {}
    for path in sorted((ROOT / "derive").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id=name)):
                    pass
                case ast.Call(func=ast.Attribute(value=ast.Name(id="sympy" | "builtins" | "ast"), attr=name)):
                    pass
                case _:
                    continue
            lax = name == "sympify" and not any(k.arg == "strict" for k in node.keywords)
            if name in RUNS_TEXT or lax:
                found.setdefault(path.relative_to(ROOT / "derive").as_posix(), set()).add(name)
    assert found == OF_OURS


TEXTS = {
    "a formula": lambda: dv.grad(dv.parse("sum(exp(-abs(y - 2)) / (1 + y'*y))", y="n"), "y").compile(),
    "a density": lambda: dv.likelihood("exp(-abs(y-mu)/b)/(2*b)", link="log", b=2.0).gradient,
    "a claim": lambda: dv.verify("log(exp(x)) == x"),
    "LaTeX": lambda: str(dv.parse_latex(r"\frac{1}{1 + e^{-x}}")),
}


@pytest.mark.parametrize("text", TEXTS)
def test_no_text_reaches_sympys_parser(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """SymPy turns text into code wherever it is given some instead of an expression."""

    def refused(*_: object, **__: object) -> None:
        raise AssertionError("SymPy was given text")

    monkeypatch.setattr(sympy.parsing.sympy_parser, "parse_expr", refused)
    monkeypatch.setattr(sympy, "lambdify", refused)
    TEXTS[text]()
