"""derive: from a NumPy forward pass to its derivative in closed form, checked, compiled, and as code."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .errors import (
    ChunkError,
    DeriveError,
    DomainError,
    FitError,
    NotDifferentiable,
    ParseError,
    ShapeError,
    SpecError,
    StructureError,
    TraceError,
    UnknownName,
    UnsupportedOp,
    VerdictError,
    closest,
)

if TYPE_CHECKING:
    from . import special
    from .accuracy.accuracy import accuracy
    from .accuracy.report import Accuracy
    from .api import (
        check,
        checkpointed,
        grad,
        hessian,
        hvp,
        jacobian,
        jvp,
        simplify,
        trace,
        value_and_grad,
        vjp,
    )
    from .batches import vmap
    from .claims import audit_gradient, recheck, verify, verify_derivation, verify_gradient
    from .divergences import cross_entropy, entropy, kl, law, mutual_information
    from .frontends.scan import scan
    from .function import Function
    from .ir.facts import spec
    from .likelihoods import Fit, Loss
    from .likelihoods.likelihood import likelihood
    from .likelihoods.priors import prior
    from .matrices import vec, vech
    from .prove.derivation import DerivationVerdict
    from .prove.verdict import Verdict
    from .texts import equations, from_sympy, parse, parse_latex
else:
    from . import accuracy, verify  # packages; the functions of the same names stand in their places

    del accuracy, verify

__version__ = "0.1.0"

HOMES = {
    "accuracy.accuracy": "accuracy",
    "accuracy.report": "Accuracy",
    "api": "check checkpointed grad hessian hvp jacobian jvp simplify trace value_and_grad vjp",
    "batches": "vmap",
    "claims": "audit_gradient recheck verify verify_derivation verify_gradient",
    "divergences": "cross_entropy entropy kl law mutual_information",
    "frontends.scan": "scan",
    "function": "Function",
    "ir.facts": "spec",
    "likelihoods": "Fit Loss",
    "likelihoods.likelihood": "likelihood",
    "likelihoods.priors": "prior",
    "matrices": "vec vech",
    "prove.derivation": "DerivationVerdict",
    "prove.verdict": "Verdict",
    "texts": "equations from_sympy parse parse_latex",
}
"""Where the public names are: each module is imported when the first of its names is used."""
_HOME = {name: home for home, names in HOMES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    if name == "special":
        return import_module(".special", __name__)
    if name not in _HOME:
        raise AttributeError(f"derive has no {name!r}; {closest(name, __all__)}")
    globals()[name] = found = getattr(import_module(f".{_HOME[name]}", __name__), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


__all__ = [
    "Accuracy",
    "ChunkError",
    "DerivationVerdict",
    "DeriveError",
    "DomainError",
    "Fit",
    "FitError",
    "Function",
    "Loss",
    "NotDifferentiable",
    "ParseError",
    "ShapeError",
    "SpecError",
    "StructureError",
    "TraceError",
    "UnknownName",
    "UnsupportedOp",
    "Verdict",
    "VerdictError",
    "accuracy",
    "audit_gradient",
    "check",
    "checkpointed",
    "cross_entropy",
    "entropy",
    "equations",
    "from_sympy",
    "grad",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "kl",
    "law",
    "likelihood",
    "mutual_information",
    "parse",
    "parse_latex",
    "prior",
    "recheck",
    "scan",
    "simplify",
    "spec",
    "special",
    "trace",
    "value_and_grad",
    "vec",
    "vech",
    "verify",
    "verify_derivation",
    "verify_gradient",
    "vjp",
    "vmap",
]
