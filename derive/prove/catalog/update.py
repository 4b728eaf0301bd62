"""`with_levels`: the levels that a run reached, written into the text of a catalog file and nothing else changed."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping

from ...errors import CatalogError
from .entries import ENOUGH, LEVELS
from .run import Outcome

HEAD = "[[identity]]"


def reached(outcomes: Iterable[Outcome]) -> dict[str, str]:
    """By id, the levels that are new or stronger than what the file says; a weaker one is never among them."""
    return {
        o.entry.id: o.level
        for o in outcomes
        if o.level in LEVELS
        and o.level != o.entry.level
        and (not o.entry.level or o.level in ENOUGH[o.entry.level])
    }


def with_levels(text: str, levels: Mapping[str, str]) -> str:
    """The text of a catalog file with these levels by id.

    Raises:
        CatalogError: the file is laid out so that only an editor can write them.
    """
    lines = text.split("\n")
    starts = [n for n, line in enumerate(lines) if line.strip() == HEAD] + [len(lines)]
    wanted = [dict(table) for table in tomllib.loads(text).get("identity", [])]
    if len(wanted) != len(starts) - 1:
        raise CatalogError(f"every entry needs a line {HEAD} of its own for its level to be written")
    blocks = ["\n".join(lines[: starts[0]])]
    for table, first, last in zip(wanted, starts[:-1], starts[1:], strict=True):
        block = lines[first:last]
        if (level := levels.get(table["id"])) is not None:
            table["level"] = level
            block = _leveled(block, level)
        blocks.append("\n".join(block))
    changed = "\n".join(blocks[1:] if starts[0] == 0 else blocks)
    if tomllib.loads(changed).get("identity", []) != wanted:
        raise CatalogError(
            "the levels cannot be written without changing more of the file; write them by hand"
        )
    return changed


def _leveled(block: list[str], level: str) -> list[str]:
    """The lines of an entry with its level, after its last field if it had none."""
    line = f'level = "{level}"'
    kept = [text for text in block if not text.startswith("level = ")]
    last = max(n for n, text in enumerate(kept) if text.strip() and not text.startswith("#"))
    return [*kept[: last + 1], line, *kept[last + 1 :]]
