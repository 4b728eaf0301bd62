"""The small functions that a kernel brings along when it calls them."""

from __future__ import annotations

import re

from .functions import by_own, kernel_functions, of_library
from .functions._format import Format
from .functions._record import KernelFunction

HEAD = '@njit(cache=True, error_model="numpy", fastmath={}, forceinline=True)'
NAMES = tuple(
    text
    for name, record in kernel_functions().items()
    for text in ([f"{name}_{n}" for n in range(10)] if record.ordered else [name])
)
"""Names that nothing else in a module should have."""

CALL = re.compile(r"(?<![\w.])([a-z]\w*)\(")
Wanted = tuple[str, bool]


def helpers_for(source: str, typed: bool, vector: bool) -> list[str]:
    """The helper functions that `source` calls and those that they call, callees first.

    typed: in single precision, which the module calls ``real``.
    vector: with exponentials and logarithms that can be vectorised instead of those of the library.
    """
    found: dict[Wanted, str] = {}

    def visit(text: str, wide: bool) -> None:
        for name in calls(text, vector):
            if (name, wide) in found:
                continue
            record, order = record_of(name)
            if record.double and typed and not wide:
                visit(f"{name}(", True)
                found[name, wide] = narrowed(name, record)
                continue
            own = helper(record, order, Format(typed and not wide), vector)
            visit(own, wide)
            found[name, wide] = widened(own) if wide and not record.intrinsic else own

    visit(source, False)
    return list(found.values())


def calls(text: str, vector: bool = True) -> list[str]:
    """The helper functions that are called in `text`, comments, docstrings and definitions left out."""
    code = re.sub(r'""".*?"""', "", text, flags=re.DOTALL)
    code = re.sub(r"#.*|def \w+", "", code)
    names = dict.fromkeys(CALL.findall(code))
    return [name for name in names if is_helper(name) and (vector or name not in of_library())]


def is_helper(name: str) -> bool:
    records = kernel_functions()
    if name in records:
        return not records[name].ordered
    family, _, order = name.rpartition("_")
    return order.isdigit() and family in records and records[family].ordered


def record_of(name: str) -> tuple[KernelFunction, int]:
    """The record of a helper function, and its order."""
    records = kernel_functions()
    if name in records:
        return records[name], 0
    family, _, order = name.rpartition("_")
    return records[family], int(order)


def helper(record: KernelFunction, order: int, f: Format, vector: bool) -> str:
    """The source of one helper function."""
    if not vector and record.plain:
        return "\n".join([HEAD.format(False), record.plain.strip("\n")])
    text = f.typing(record.source(f, order).strip("\n"))
    if record.intrinsic:
        return text
    if vector:
        text = by_own(text)
    head = HEAD if record.inlined else HEAD.replace(", forceinline=True", "")
    return "\n".join([head.format('{"contract"}' if record.contract else False), text])


def widened(text: str) -> str:
    """A function of double precision in a module of single: it and what it calls have names of their own."""
    parts = text.split('"""')
    return '"""'.join(part if p == 1 else CALL.sub(_wide, part) for p, part in enumerate(parts))


def _wide(match: re.Match[str]) -> str:
    name = match[1]
    plain = not is_helper(name) or record_of(name)[0].intrinsic
    return match[0] if plain else f"{name}_wide("


def narrowed(name: str, record: KernelFunction) -> str:
    """A function of single precision that calls that of double."""
    arguments = ["x", "h"][: record.arity]
    wide = ", ".join(f"np.float64({a})" for a in arguments)
    return "\n".join([
        HEAD.format(False),
        f"def {name}({', '.join(arguments)}):",
        '    """In double precision, rounded."""',
        f"    return real({name}_wide({wide}))",
    ])  # fmt: skip
