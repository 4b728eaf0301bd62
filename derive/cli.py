"""The command line: `derive backprop|grad|hessian|emit|check FILE.py:FUNCTION`. A shell without mathematics."""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from . import api, claims, texts
from .accuracy_cli import add_accuracy
from .catalog_cli import add_catalog
from .deferred import PerSize, reason
from .divergences_cli import add_divergences
from .errors import DeriveError, SpecError, UnknownName, closest
from .function import Function
from .ir.facts import Spec, parse_shapes
from .likelihood_cli import add_likelihood
from .prove.derivation import DerivationVerdict
from .prove.verdict import Verdict
from .report import backprop_html, backprop_report, section

FORMATS = ("text", "latex", "html")
TARGETS = ("numpy", "numba", "torch", "jax")
LONGEST_TEXT = 1_000_000
"""Characters of a file that are read; the parsers have limits of their own, with messages."""
READERS = ("function", "formula", "latex", "equations")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 if it succeeded, 1 if a check failed, 2 for bad input."""
    options = _parser().parse_args(argv)
    console = Console(highlight=False, soft_wrap=True)
    try:
        return int(options.run(options, console))
    except DeriveError as error:
        print(f"derive: {type(error).__name__}: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="derive", description="Derive, check, compile and emit derivatives of NumPy functions."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, run, text in (
        ("backprop", _backprop, "forward and backward equations, derivation, checks, timing and the stub"),
        ("grad", _grad, "the gradient of a scalar function"),
        ("hessian", _hessian, "the Hessian of a scalar function"),
        ("emit", _emit, "source with forward and backward for --target"),
        ("check", _check, "the cross-check of the derivative against independent numbers"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("function", metavar="FILE.py:FUNCTION", help="an ordinary NumPy function, or a formula")
        command.add_argument(
            "--as", dest="reader", choices=READERS, default="function",
            help="what FUNCTION is: formula for \"0.5*x'*A*x\", latex for \"\\|Wx-t\\|_2^2\", equations for index notation",
        )  # fmt: skip
        command.add_argument(
            "--shapes", help='"X=batch n, W=n m, y=batch, integer < m"; default: SHAPES[FUNCTION] in the file'
        )
        command.add_argument("--sizes", help='numbers for the sizes that the code needs as such: "n=5, m=3"')
        command.add_argument(
            "--wrt", help="comma-separated inputs to differentiate by; default: every real input"
        )
        command.add_argument(
            "--target", choices=TARGETS, default="torch", help="framework of the emitted stub"
        )
        command.add_argument("--format", choices=FORMATS, default="text")
        command.add_argument("--out", type=Path, help="write the stub (or the page, for html) here")
        command.set_defaults(run=run)
    text = 'a claim such as "grad(x\'*A*x, x) == (A + A\')*x": proved, tested, refuted or unknown'
    command = commands.add_parser("verify", help=text, description=text)
    command.add_argument("claim", nargs="?", help="a relation between two formulas")
    command.add_argument(
        "--derivation", metavar="FILE",
        help="instead of a claim: a file with the lines of a derivation, or these as text; - is standard input",
    )  # fmt: skip
    command.add_argument(
        "--recheck", metavar="FILE", type=Path, help="instead of a claim: a verdict that --json wrote, to be checked anew"
    )
    command.add_argument("--shapes", default="", help='"x=n, A=n n, symmetric"; default: what the operations determine')
    command.add_argument("--json", action="store_true", help="the verdict as JSON")
    command.add_argument(
        "--seconds", type=float, default=claims.SECONDS, help="what is not decided by then is UNKNOWN; default: %(default)s"
    )
    command.set_defaults(run=_verify)
    text = "a hand-written backward pass judged line by line: what is wrong, and what it should be"
    command = commands.add_parser("audit", help=text, description=text)
    command.add_argument("loss", metavar="FILE.py:LOSS", help="a scalar NumPy function")
    command.add_argument("backward", metavar="FILE.py:BACKWARD", help="a function of the same arguments: its gradients")
    command.add_argument("--shapes", help="of the loss, as for backprop")
    command.add_argument("--wrt", help="comma-separated inputs whose gradients are returned; default: every real input")
    command.set_defaults(run=_audit)
    add_accuracy(commands, lambda address: _callable(address)[0])
    add_divergences(commands)
    add_catalog(commands)
    add_likelihood(commands)
    return parser


def _verify(options: argparse.Namespace, console: Console) -> int:
    shapes = parse_shapes(options.shapes)
    if [options.claim, options.derivation, options.recheck].count(None) != 2:
        raise UnknownName("verify takes one of these: a claim, --derivation FILE, --recheck FILE")
    if options.recheck is not None:
        checked = claims.recheck(options.recheck)
        console.print(str(checked), markup=False)
        return 0 if checked.confirmed else 1
    verdict: Verdict | DerivationVerdict = (
        claims.verify(options.claim, seconds=options.seconds, **shapes)
        if options.derivation is None
        else claims.verify_derivation(_text_of(options.derivation), **shapes)
    )
    console.print(verdict.to_json() if options.json else str(verdict), markup=False)
    return 0 if verdict.status in ("PROVED", "TESTED") else 1


def _text_of(given: str) -> str:
    """The text in a file, or the argument itself where it has a relation in it."""
    if given == "-":
        return sys.stdin.read(LONGEST_TEXT)
    path = Path(given)
    try:
        if "\n" not in given and len(given) < 1_000 and path.is_file():
            with path.open(encoding="utf-8") as file:
                return file.read(LONGEST_TEXT)
    except (OSError, UnicodeDecodeError) as error:
        raise UnknownName(f"{given} cannot be read as text ({error})") from None
    if not set(given) & set("=<>≤≥\n\\"):
        raise UnknownName(f"there is no file {given!r}, and it is no derivation; try: a file of lines such as a == b")
    return given


def _backprop(options: argparse.Namespace, console: Console) -> int:
    function = _loaded(options)
    pullback = api.vjp(function, _names(options.wrt))
    if options.format == "latex":
        console.print(pullback.latex(), markup=False)
        return 0
    if options.format == "html":
        return _write(backprop_html(pullback), options.out or Path(f"{function.name}_backprop.html"), console)
    return 0 if backprop_report(pullback, options.target, options.out, console) else 1


def _grad(options: argparse.Namespace, console: Console) -> int:
    return _show(api.grad(_loaded(options), _names(options.wrt)), options, console)


def _hessian(options: argparse.Namespace, console: Console) -> int:
    return _show(api.hessian(_loaded(options), _names(options.wrt)), options, console)


def _show(derivative: Function, options: argparse.Namespace, console: Console) -> int:
    if options.format == "html":
        path = options.out or Path(f"{derivative.name}.html")
        return _write(backprop_html(derivative), path, console)
    console.print(derivative.latex() if options.format == "latex" else str(derivative), markup=False)
    return 0


def _emit(options: argparse.Namespace, console: Console) -> int:
    function = _loaded(options)
    names = _names(options.wrt)
    source = (api.vjp(function, names) if names else function).emit(options.target)
    if options.out:
        return _write(source, options.out, console)
    print(source, end="")
    return 0


def _check(options: argparse.Namespace, console: Console) -> int:
    function = _loaded(options) if options.sizes else _function(options)
    report = api.check(function, _names(options.wrt))
    section(console, "cross-check", str(report).splitlines())
    return 0 if report.passed else 1


def _audit(options: argparse.Namespace, console: Console) -> int:
    loss = load(options.loss, options.shapes)
    if not isinstance(loss, Function):
        raise SpecError(f"{options.loss} needs numbers for some sizes, which an audit does not try")
    backward, _ = _callable(options.backward)
    audit = claims.audit_gradient(loss, backward, _names(options.wrt))
    console.print(str(audit), markup=False)
    return 1 if audit.wrong or audit.undecided else 0


def _write(text: str, path: Path, console: Console) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    console.print(f"written to {path}", markup=False)
    return 0


def _names(wrt: str | None) -> str | list[str] | None:
    if wrt is None:
        return None
    names = [name.strip() for name in wrt.split(",") if name.strip()]
    return names[0] if len(names) == 1 else names


def _function(options: argparse.Namespace) -> Function | PerSize:
    """What the command is about: a function in a file, or text."""
    if options.reader == "function":
        return load(options.function, options.shapes)
    readers: dict[str, Any] = {"formula": texts.parse, "latex": texts.parse_latex, "equations": texts.equations}
    shapes = parse_shapes(options.shapes) if options.shapes else {}
    return readers[options.reader](options.function, **shapes)


def _loaded(options: argparse.Namespace) -> Function:
    """The function that the options name, for the sizes that they give.

    Raises:
        UnknownName: its code needs numbers for sizes that are not given.
    """
    function = _function(options)
    sizes = _numbers(options.sizes or "")
    if not isinstance(function, PerSize):
        if sizes:
            raise UnknownName(f"{function.name}() needs no numbers for its sizes; found --sizes {options.sizes!r}")
        return function
    if not sizes:
        example = ", ".join(f"{name}=5" for name in function.needs)
        raise UnknownName(f'{function.name}() is {reason(function.needs)}\n  try: --sizes "{example}"')
    return function.at(**sizes)


def _numbers(text: str) -> dict[str, int]:
    """``"n=5, m=3"`` as numbers by name."""
    found: dict[str, int] = {}
    for part in filter(None, (p.strip() for p in text.split(","))):
        name, _, value = map(str.strip, part.partition("="))
        if not (name.isidentifier() and value.isdecimal() and int(value) > 0):
            raise SpecError(f'--sizes takes positive integers by name, "n=5, m=3"; found {part!r}')
        found[name] = int(value)
    return found


def load(address: str, shapes: str | None) -> Function | PerSize:
    """The function at ``FILE.py:FUNCTION``, traced with `shapes` or with the file's own ``SHAPES``.

    Raises:
        UnknownName: no such file or function, or no shapes; the closest names are offered.
    """
    function, module = _callable(address)
    file, _, name = address.rpartition(":")
    declared: dict[str, Spec | str] = {
        **(parse_shapes(shapes) if shapes else getattr(module, "SHAPES", {}).get(name, {}))
    }
    if not declared:
        raise UnknownName(f'{name} has no entry in SHAPES of {file}; try: --shapes "X=batch n, W=n m"')
    return api.trace(function, **declared)


def _callable(address: str) -> tuple[Any, Any]:
    """The user's function at ``FILE.py:FUNCTION``, and the module that its file is."""
    file, colon, name = address.rpartition(":")
    if not colon or not name:
        raise UnknownName(f"expected FILE.py:FUNCTION, found {address!r}; try: examples/layers.py:attention")
    path = Path(file)
    if not path.is_file():
        raise UnknownName(f"there is no file {file!r}")
    module = _module(path)
    functions = {n: v for n, v in vars(module).items() if callable(v) and not n.startswith("_")}
    if name not in functions:
        raise UnknownName(f"{file} has no function {name!r}; {closest(name, functions)}")
    return functions[name], module


def _module(path: Path) -> Any:
    """Run the user's own file as a module, its folder importable meanwhile."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise UnknownName(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    folder = str(path.resolve().parent)
    sys.path.insert(0, folder)
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(folder)
    return module


if __name__ == "__main__":
    raise SystemExit(main())
