"""What a trace says: where it stands, what an array is called, and what cannot be done."""

from __future__ import annotations

from difflib import get_close_matches

from sympy import Expr

from ..errors import TraceError, UnsupportedOp
from ..ir.nodes import Read, reads_of
from ..ops.elementwise import elementwise_ops
from ..ops.tensor import home_of, tensor_ops
from .traced import Traced
from .user_code import UserCode

TEMPORARY = "#"
"""What the names of tensors without a name begin with; no Python name can."""


class Words:
    """The messages of a trace; `user` is the code that is traced."""

    def __init__(self) -> None:
        self.user = UserCode()

    def resolve(self, extent: Expr) -> Expr:
        """The extent in sizes that are not bound to others."""
        raise NotImplementedError

    def place(self) -> str:
        """The user's file and line."""
        return self.user.place()

    def line(self) -> str:
        """The user's function and line of code."""
        return self.user.line()

    def describe(self, x: Traced) -> str:
        """``X[batch, n]``: the tensor that `x` reads, and its extents."""
        self.user.frame()
        entry = x.entry.tensor if isinstance(x.entry, Read) and x.axes else self.resolve(x.entry)
        unnamed = any(r.tensor.name.startswith(TEMPORARY) for r in reads_of(x.entry))
        variable = next((name for name, value in self.user.variables() if value is x), None)
        what = variable or ("an intermediate" if unnamed else str(entry))
        return f"{what}[{', '.join(map(str, x.extents))}]" if x.axes else what

    def unknown(self, name: str) -> UnsupportedOp:
        """The error for a function without a record."""
        known = {n for op in elementwise_ops() for n in op.numpy} | {n for n in tensor_ops() if "." in n}
        functions = {n.rpartition(".")[2]: n for n in sorted(known)}
        near = get_close_matches(name.rpartition(".")[2], functions, n=3, cutoff=0.3)
        return UnsupportedOp(
            f"{name} is not supported yet ({self.place()}); the closest that are: "
            f"{', '.join(functions[n] for n in near) or 'none'}\n"
            "  try: write it with supported functions (docs/operations.md lists them); to add it: one record in "
            "derive/ops/elementwise (a function of scalars) or derive/ops/tensor (one that lowers to others)"
        )

    def unsupported(self, name: str, what: str, instead: str) -> UnsupportedOp:
        """The error for an option or a case that a record does not know."""
        return UnsupportedOp(
            f"{name} with {what} is not supported ({self.place()}); supported: {instead}\n"
            f"  to add it: the record of {name} in {home_of(name)}"
        )

    def in_place(self, what: str) -> TraceError:
        """The error for what would change an array."""
        return TraceError(
            f"{what} would change an array in place ({self.place()}), and a traced array is a value; "
            "try: y = f(x) without out=, np.where(mask, new, old), or np.concatenate"
        )
