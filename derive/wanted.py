"""What to differentiate by: whole arguments, parts of them by their paths, or all real ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .errors import NotDifferentiable, UnknownName, closest
from .ir.nodes import Tensor
from .structure import Static, Structure, part_at, paths, places, renumbered

Wrt = str | Sequence[str] | None


@dataclass(frozen=True)
class Wanted:
    """The arrays to differentiate by.

    names: of the arrays.
    parts: by the path that was asked for the structure of its arrays, numbered like `names`.
    single: whether one path was asked for, so that its part alone is returned.
    """

    names: tuple[str, ...] = ()
    parts: dict[str, Structure] = field(default_factory=dict, hash=False)
    single: bool = False

    @property
    def structure(self) -> Structure:
        """What is returned for it."""
        parts = tuple(self.parts.values())
        return parts[0] if self.single else parts


def wanted(function: str, arguments: Mapping[str, Structure], inputs: Sequence[Tensor], wrt: Wrt) -> Wanted:
    """Read a `wrt` argument.

    Raises:
        UnknownName: there is no such input, or it is named twice.  NotDifferentiable: it holds no real numbers.
    """
    asked = all_real(arguments, inputs) if wrt is None else (wrt,) if isinstance(wrt, str) else tuple(wrt)
    if not asked and wrt is None:
        raise NotDifferentiable(f"{function}() has no real input to differentiate by")
    if not asked:
        raise UnknownName("wrt is empty; give the name of an input, or a list of names")
    found = [_part(function, arguments, inputs, path) for path in asked]
    order = [p for part in found for p in places(part) if inputs[p].kind == "real"]
    if len(set(order)) < len(order):
        raise UnknownName(f"wrt names an input twice: {', '.join(asked)}")
    position = {p: Static(None) for part in found for p in places(part)} | {p: k for k, p in enumerate(order)}
    parts = {path: renumbered(part, position.__getitem__) for path, part in zip(asked, found, strict=True)}
    single = isinstance(wrt, str) or (wrt is None and len(asked) == 1)
    return Wanted(tuple(inputs[p].name for p in order), parts, single)


def all_real(arguments: Mapping[str, Structure], inputs: Sequence[Tensor]) -> tuple[str, ...]:
    """The arguments that hold real numbers."""
    return tuple(n for n, part in arguments.items() if any(inputs[p].kind == "real" for p in places(part)))


def _part(function: str, arguments: Mapping[str, Structure], inputs: Sequence[Tensor], path: str) -> Structure:
    """The structure of an argument or of a part of one, which holds a real array."""
    part = part_at(dict(arguments), path) if path else None
    if part is None or not places(part):
        known = dict.fromkeys((*paths(dict(arguments)), *(t.name for t in inputs)))
        raise UnknownName(f"{function}() has no input {path!r}; {closest(path, known)}")
    kinds = {inputs[p].kind for p in places(part)}
    if "real" not in kinds:
        real = ", ".join(t.name for t in inputs if t.kind == "real") or "none"
        raise NotDifferentiable(f"{path} is {min(kinds)}: it has no gradient; real inputs: {real}")
    return part
