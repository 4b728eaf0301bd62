"""derive: from a NumPy forward pass to its derivative in closed form, checked, compiled, and as code."""

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
)
from .frontends.scan import scan
from .function import Function
from .ir.facts import spec
from .likelihoods import Fit, Loss, likelihood
from .likelihoods.priors import prior
from .matrices import vec, vech
from .prove.derivation import DerivationVerdict
from .prove.verdict import Verdict
from .texts import equations, from_sympy, parse, parse_latex

__version__ = "0.1.0"

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
