"""The verbs of the third job: is this identity true, is this gradient right?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .api import grad, trace
from .errors import UnknownName
from .function import Function
from .ir.facts import Spec
from .prove.derivation import DerivationVerdict
from .prove.derivation import verify_derivation as verify_lines
from .prove.verdict import Verdict, worst
from .prove.verify import verify_programs, verify_text
from .structure import filled
from .texts import specs_of
from .wanted import Wrt


def verify(claim: str | Function, other: Function | None = None, /, **shapes: Any) -> Verdict:
    """Whether an identity holds: proved, tested, refuted with the smallest counterexample found, or unknown.

    Args:
        claim: ``"grad(x'*A*x, x) == (A + A')*x"`` in the grammar of `parse`, with `grad`, `jacobian`, `hessian`,
            `jvp` and `vjp`, and with definitions after the word where; or a function, to be compared with `other`.
        other: a function of the same inputs.
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
        return verify_text(claim, specs_of(shapes))
    if not isinstance(claim, Function) or not isinstance(other, Function):
        raise UnknownName("verify takes a claim as text, or two functions; try: verify(trace(f, ...), trace(g, ...))")
    return worst(verify_programs(claim.program, other.program, f"{claim.name} == {other.name}"))


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


def verify_gradient(loss: Function, gradient: Callable[..., Any], wrt: Wrt = None) -> Verdict:
    """Whether a hand-written gradient is that of `loss`.

    Args:
        loss: a traced scalar function.
        gradient: a NumPy function of the same arguments that returns the gradients by `wrt`, each in the shape of its
            variable, in the structure that `grad` gives.
        wrt: as for `grad`.

    Returns:
        The `Verdict` that says least of all arrays: one wrong gradient makes it REFUTED.

    Raises:
        UnknownName: the loss was traced without shapes, or `wrt` names no input.  ShapeError: a gradient does not have the
        shape of its variable.  NotDifferentiable: the loss is no scalar.
    """
    if not isinstance(loss, Function):
        raise UnknownName('the loss needs shapes: verify_gradient(trace(loss, X="n m", ...), my_gradient)')
    specs = [Spec(t.shape, t.kind, t.facts, t.bound) for t in loss.program.inputs]
    written = trace(gradient, **{name: filled(part, specs) for name, part in loss.signature.items()})
    claim = f"{written.name} is the gradient of {loss.name}"
    return worst(verify_programs(written.program, grad(loss, wrt).program, claim))
