"""`run`: verify entries of the catalog in parallel, and say which miss the level that they must reach."""

from __future__ import annotations

import multiprocessing
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ...deadline import patient
from ...errors import DeriveError
from ...ir.facts import spec
from ..verdict import SMALL, Verdict
from ..verify import verify_text
from .entries import ENOUGH, LEVELS, Entry

PATIENCE = 8.0
"""How many times more time an entry is given that has missed its level."""


@dataclass(frozen=True)
class Outcome:
    """What a run found of one entry: its verdict, or the error that kept it from having one."""

    entry: Entry
    verdict: Verdict | None
    error: str = ""
    seconds: float = 0.0

    @property
    def level(self) -> str:
        """The level reached; UNKNOWN and ERROR are none."""
        return "ERROR" if self.verdict is None else level_of(self.verdict)

    @property
    def failed(self) -> bool:
        """Whether the entry cannot be read, or misses its level; without a level there is nothing to miss."""
        needed = ENOUGH.get(self.entry.level)
        return self.verdict is None or (needed is not None and self.level not in needed)

    def __str__(self) -> str:
        wanted = f", should be {self.entry.level}" if self.failed and self.entry.level else ""
        detail = self.error or str(self.verdict)
        head = f"{self.entry.file}: {self.entry.id}: {self.level}{wanted}"
        return head + "\n  " + detail.replace("\n", "\n  ")


def level_of(verdict: Verdict) -> str:
    """The level of a verdict: proofs for small sizes have their own; what is refuted and holds at times is CONDITIONAL."""
    if verdict.status == "PROVED" and verdict.level.startswith(SMALL):
        return "PROVED SMALL"
    return "CONDITIONAL" if verdict.status == "REFUTED" and verdict.holds_when else verdict.status


def verify_entry(entry: Entry, explained: bool = True) -> Outcome:
    """The verdict on one entry; an error is part of the outcome, with the file, the entry and the character.

    explained: whether conditions and a correction are looked for where the claim is refuted.

    What misses its level is given more time once: searches have limits, and a slow machine gets less far in them.
    """
    outcome = _verified(entry, explained)
    if outcome.verdict is None or not outcome.failed:
        return outcome
    with patient(PATIENCE):
        return _verified(entry, explained)


def _verified(entry: Entry, explained: bool) -> Outcome:
    begin = time.perf_counter()
    try:
        specs = {name: spec(shape) for name, shape in entry.variables.items()}
        verdict = verify_text(entry.statement, specs, explained=explained)
    except DeriveError as error:
        return Outcome(entry, None, f"{type(error).__name__}: {error}", time.perf_counter() - begin)
    return Outcome(entry, verdict, "", time.perf_counter() - begin)


def run(
    entries: Iterable[Entry],
    executor: Executor | None = None,
    progress: Console | None = None,
    workers: int | None = None,
) -> tuple[Outcome, ...]:
    """The outcomes of all entries, in their order.

    Args:
        executor: any `concurrent.futures.Executor`, of other machines as well; by default a pool of processes, which
            is closed again.
        progress: where to show a bar.
        workers: processes of the default pool; by default one for each core.
    """
    entries = tuple(entries)
    with _executor(executor, workers) as pool, _bar(progress) as bar:
        task = bar.add_task("verify", total=len(entries), last="")
        futures = {pool.submit(verify_entry, entry): n for n, entry in enumerate(entries)}
        found: dict[int, Outcome] = {}
        for future in as_completed(futures):
            found[futures[future]] = future.result()
            bar.update(task, advance=1, last=found[futures[future]].entry.id)
    return tuple(found[n] for n in range(len(entries)))


def counts(outcomes: Iterable[Outcome]) -> dict[str, int]:
    """How many entries have each level, the strongest first."""
    count = Counter(o.level for o in outcomes)
    return {level: count[level] for level in (*LEVELS, "UNKNOWN", "ERROR")}


@contextmanager
def _executor(given: Executor | None, workers: int | None) -> Iterator[Executor]:
    if given is not None:
        yield given
        return
    # a fork would copy the threads of BLAS and of the bar in whatever state they are
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool


@contextmanager
def _bar(console: Console | None) -> Iterator[Progress]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[last]}"),
    )
    with Progress(*columns, console=console, disable=console is None, transient=True) as bar:
        yield bar
