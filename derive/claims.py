"""The verbs of the third job: is this identity true, is this gradient right?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from .api import grad, trace
from .errors import ShapeError, UnknownName
from .frontends.user_code import source_lines
from .function import Function
from .ir.facts import Spec
from .prove.backward.judge import Audit, judge, verify_returned
from .prove.derivation import DerivationVerdict
from .prove.derivation import verify_derivation as verify_lines
from .prove.recheck import Recheck
from .prove.recheck import recheck as recheck_saved
from .prove.verdict import Verdict, worst
from .prove.verify import SECONDS, verify_programs, verify_text
from .structure import filled
from .texts import specs_of
from .wanted import Wrt, wanted


def verify(
    claim: str | Function, other: Function | None = None, /, *, seconds: float | None = SECONDS, **shapes: Any
) -> Verdict:
    """Whether an identity holds: proved, tested, refuted with the smallest counterexample found, or unknown.

    Args:
        claim: ``"grad(x'*A*x, x) == (A + A')*x"`` in the grammar of `parse`, with `grad`, `jacobian`, `hessian`,
            `jvp` and `vjp`, and with definitions after the word where; an inequality, ``"abs(x'*y) <= norm2(x)*norm2(y)"``,
            of arrays entry by entry; ``"convex(f, x)"`` or ``"concave(f, x, y)"``, of a scalar in all these variables
            together; or a function, to be compared with `other`.
        other: a function of the same inputs.
        seconds: of processor time, for each array of two functions; what is not decided by then is UNKNOWN; None: no limit.
        shapes: as for `trace`, with facts; what is left out follows from the operations.

    Returns:
        A `Verdict`; it has no truth value: compare its ``status`` with "PROVED", "TESTED", "REFUTED", "UNKNOWN".

    Raises:
        ParseError: the text is no claim.  ShapeError: both sides have other shapes.

    Example:
        >>> print(verify("tr(A*B) == tr(B*A)", A="n m", B="m n"))
        PROVED (all sizes): tr(A*B) == tr(B*A)
          equal canonical forms
        >>> print(verify("vjp(h, x, g) == A'*(g.*(1 - h.^2)) where h = tanh(A*x)", x="n", A="m n", g="m").status)
        PROVED
    """
    if isinstance(claim, str):
        return verify_text(claim, specs_of(shapes), seconds)
    if not isinstance(claim, Function) or not isinstance(other, Function):
        raise UnknownName("verify takes a claim as text, or two functions; try: verify(trace(f, ...), trace(g, ...))")
    return worst(verify_programs(claim.program, other.program, f"{claim.name} == {other.name}", seconds))


def verify_derivation(text: str, /, **shapes: Any) -> DerivationVerdict:
    r"""Whether each line of a derivation follows from the one before; the first that does not is shown with numbers.

    Args:
        text: lines such as ``"x'*A*x + y == z"``, ``"== w"``, ``"<= v   by Jensen"``, or an align block in LaTeX;
            `frontends.derivation_text.read_derivation` says what it may hold. ``where p = softmax(z)`` names a value.
        shapes: as for `verify`; one variable has one shape in all lines.

    Returns:
        A `DerivationVerdict` with a verdict for each step, `first_wrong`, and what follows from the first line to the last.

    Raises:
        ParseError: the text is no derivation.  ShapeError: two lines have other shapes.

    Example:
        >>> print(verify_derivation("(a + b)^2 == a^2 + 2*a*b + b^2", a="", b=""))
        PROVED: 1 step
            1  (a + b)^2
          ✓ 1  == a^2 + 2*a*b + b^2   PROVED (all sizes)
    """
    return verify_lines(text, specs_of(shapes))


def recheck(source: str | Path) -> Recheck:
    """Check a saved verdict again: its counterexample in exact arithmetic, its proof made anew.

    Args:
        source: what `Verdict.to_json` gave, or the path of a file of it; it may come from strangers.

    Returns:
        A `Recheck`: ``confirmed``, and `findings` that say what was looked at. UNKNOWN is never confirmed.

    Raises:
        VerdictError: there is no such file, or it holds no verdict on a claim in text.

    Example:
        >>> print(recheck(verify("x'*y == y'*x", x="n", y="n").to_json()).confirmed)
        True
    """
    return recheck_saved(source)


def verify_gradient(loss: Function, gradient: Callable[..., Any], wrt: Wrt = None) -> Verdict:
    """Whether a hand-written gradient is that of `loss`.

    Args:
        loss: a traced scalar function.
        gradient: a NumPy function of the same arguments that returns the gradients by `wrt`, each in the shape of its
            variable, in the structure that `grad` gives.
        wrt: as for `grad`.

    Returns:
        The `Verdict` that says least of all arrays: one wrong gradient makes it REFUTED. Before it says so, our own gradient
        is confirmed by differences in 60 digits.

    Raises:
        UnknownName: the loss was traced without shapes, or `wrt` names no input.  ShapeError: a gradient does not have the
        shape of its variable.  NotDifferentiable: the loss is no scalar.
    """
    written, names = _written(loss, gradient, wrt)
    claim = f"{written.name} is the gradient of {loss.name}"
    found = worst(verify_returned(loss.program, written.program, names, claim))
    return replace(found, claim=claim) if found.status == "PROVED" else found


def audit_gradient(loss: Function, gradient: Callable[..., Any], wrt: Wrt = None) -> Audit:
    """A hand-written backward pass line by line: which arrays are right, which are wrong, and what they should be.

    An array is taken for the gradient of the array of the forward pass that its name says (``dZ``, ``gZ``, ``grad_Z`` or
    ``Z_bar`` for Z), for what it is returned as, or for what it is equal to. Each line is judged as if the wrong ones
    before it had been put right, so that an error is named once, where it is made.

    Args:
        loss, gradient, wrt: as for `verify_gradient`; arrays are known by the names that both functions give them.

    Returns:
        An `Audit`: ``lines``, of them the ``wrong`` and the ``undecided`` ones; printed, the code with its verdicts.

    Raises:
        As `verify_gradient`.
    """
    written, names = _written(loss, gradient, wrt)
    lines = judge(loss.program, written.program, names)
    return Audit(written.name, loss.name, tuple(lines), source_lines(gradient))


def _written(loss: Function, gradient: Callable[..., Any], wrt: Wrt) -> tuple[Function, tuple[str, ...]]:
    """A hand-written gradient, traced with the shapes of the loss, and the inputs by which it must be one."""
    if not isinstance(loss, Function):
        raise UnknownName('the loss needs shapes: trace(loss, X="n m", ...) in place of loss')
    specs = [Spec(t.shape, t.kind, t.facts, t.bound) for t in loss.program.inputs]
    written = trace(gradient, **{name: filled(part, specs) for name, part in loss.signature.items()})
    expected = grad(loss, wrt).program.outputs
    if len(written.program.outputs) != len(expected):
        raise ShapeError(
            f"{written.name}() returns {len(written.program.outputs)} arrays; {loss.name}() has {len(expected)} gradients: "
            f"{', '.join(t.name for t in expected)}"
        )
    for found, right in zip(written.program.outputs, expected, strict=True):
        if found.shape != right.shape:
            axes = [f"[{', '.join(map(str, t.shape))}]" for t in (found, right)]
            raise ShapeError(f"{written.name}() returns {found.name}{axes[0]} in the place of {right.name}{axes[1]}")
    return written, wanted(loss.name, loss.signature, loss.program.inputs, wrt).names
