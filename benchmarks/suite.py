"""The plan of a run: which jobs, one process each, and the store that keeps what has been measured."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.progress import Progress

from .case import Case
from .worker import environment

Record = dict[str, Any]


LATENCY = "tiny sizes (latency)"
"""The group for which more threads are no use; it runs with the least number of them."""


@dataclass(frozen=True)
class Job:
    """The cases of one group with one number of threads."""

    group: str
    cases: tuple[str, ...]
    dtypes: tuple[str, ...]
    threads: int
    peers: tuple[str, ...]
    seconds: float

    @property
    def text(self) -> str:
        return json.dumps(
            {**vars(self), "cases": list(self.cases), "dtypes": list(self.dtypes), "peers": list(self.peers)}
        )


def jobs(
    cases: Sequence[Case], settings: Sequence[tuple[str, int]], peers: Sequence[str], seconds: float
) -> list[Job]:
    """A job for each group and number of threads; settings are types and numbers of threads."""
    dtypes: dict[int, tuple[str, ...]] = {}
    for dtype, count in settings:
        dtypes[count] = (*dtypes.get(count, ()), dtype)
    by_group: dict[str, list[str]] = {}
    for case in cases:
        by_group.setdefault(case.group, []).append(case.name)
    return [
        Job(group, tuple(names), own, count, tuple(peers), seconds)
        for count, own in dtypes.items()
        for group, names in by_group.items()
        if count == min(dtypes) or group != LATENCY
    ]


@dataclass
class Store:
    """What has been measured, written to disk after every record, so that a run can be resumed."""

    path: Path
    head: dict[str, Any]
    records: dict[str, Record] = field(default_factory=dict)
    parts: dict[str, Any] = field(default_factory=dict)

    @staticmethod
    def open(path: Path, head: dict[str, Any], resume: bool) -> Store:
        """An empty store, or the records that were measured with the same code."""
        store = Store(path, head)
        if resume and path.exists():
            before = json.loads(path.read_text(encoding="utf-8"))
            if before["head"].get("code") == head.get("code"):
                store.records = {key_of(r): r for r in before["records"]}
                store.parts = before["parts"]
        return store

    def save(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        text = {"head": self.head, "records": list(self.records.values()), "parts": self.parts}
        self.path.write_text(json.dumps(text, indent=1), encoding="utf-8")

    def add(self, record: Record) -> None:
        self.records[key_of(record)] = record
        self.save()

    def missing(self, job: Job) -> Job | None:
        """What of a job has not been measured yet."""
        left = [c for c in job.cases if any(f"{c}|{d}|{job.threads}" not in self.records for d in job.dtypes)]
        return Job(job.group, tuple(left), job.dtypes, job.threads, job.peers, job.seconds) if left else None


def key_of(record: Record) -> str:
    return f"{record['case']}|{record['dtype']}|{record['threads']}"


def run(job: Job) -> Iterator[Record]:
    """The records of a job as they are measured; a process that dies leaves an error for each case that it owed."""
    owed = [(name, dtype) for name in job.cases for dtype in job.dtypes]
    for record in lines_of([sys.executable, "-m", "benchmarks.worker", job.text], job.threads):
        owed.remove((record["case"], record["dtype"]))
        yield record
    for name, dtype in owed:
        yield {
            "case": name,
            "dtype": dtype,
            "threads": job.threads,
            "group": job.group,
            "error": "its process ended early",
        }


def lines_of(command: list[str], threads: int) -> Iterator[Any]:
    """What a process prints, a line of JSON at a time."""
    process = subprocess.Popen(
        command, env=environment(threads), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )  # fmt: skip
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if line.startswith("{"):
                yield json.loads(line)
    finally:
        process.kill()
        process.wait()


def run_all(plan: Sequence[Job], store: Store, progress: Progress) -> None:
    """Run what is missing, one job after the other."""
    left = [job for job in map(store.missing, plan) if job is not None]
    task = progress.add_task("cases", total=sum(len(job.cases) * len(job.dtypes) for job in left))
    for job in left:
        where = f"{job.group.split(',')[0].split(' (')[0]}, {job.threads} thread{'s' * (job.threads > 1)}"
        progress.update(task, description=where)
        for record in run(job):
            store.add(record)
            progress.advance(task)


def compile_ahead(plan: Sequence[Job], store: Store, progress: Progress) -> None:
    """Compile the kernels of what is missing, in two processes at once."""
    left = [job for job in map(store.missing, plan) if job is not None]
    owed = [(case, job.dtypes, job.threads) for job in left for case in job.cases]
    task = progress.add_task("compiling ahead", total=sum(len(dtypes) for _, dtypes, _ in owed))

    def compile_these(part: list[tuple[str, tuple[str, ...], int]]) -> None:
        for threads in sorted({threads for _, _, threads in part}):
            cases = [case for case, _, count in part if count == threads]
            dtypes = next(dtypes for _, dtypes, count in part if count == threads)
            job = {"cases": cases, "dtypes": dtypes, "threads": threads, "compile": True}
            for _ in lines_of([sys.executable, "-m", "benchmarks.worker", json.dumps(job)], threads):
                progress.advance(task)

    if owed:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(compile_these, [part for part in (owed[::2], owed[1::2]) if part]))


def limits_of(threads: Sequence[int]) -> dict[str, Any]:
    """The limits of the machine for each number of threads, each measured in a process of its own."""
    return {
        str(n): next(lines_of([sys.executable, "-m", "benchmarks.limits", str(n)], n))
        for n in threads
    }  # fmt: skip


def today() -> str:
    return datetime.now(UTC).date().isoformat()
