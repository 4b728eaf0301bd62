"""`python -m benchmarks`: derived kernels beside their peers, derivation times, first calls, memory, limits of the machine.

Prints Markdown and writes results.json, results.md and a picture for each setting. With --only, kernels alone unless
--parts says more. Results are compared with an independent implementation before any time counts.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from . import suite
from .case import all_cases, chosen, home_of
from .derivation import derivation_times
from .machine import machine
from .measure import all_peers
from .memory import memory_peaks
from .readme import rewrite
from .report import charts, page
from .startup import startup_times
from .verify import verify_times

PARTS = ("limits", "kernels", "derivation", "startup", "memory", "verify")
DEFAULT = [("float64", 1), ("float32", 1), ("float64", 2)]
"""All combinations would take half as long again; `--dtype float32 --threads 2` runs what is left out."""
SECONDS, QUICK = 0.2, 0.1
SLOW_PEERS = ("torch.compile",)


def main(arguments: list[str] | None = None) -> None:
    """Run what was asked for."""
    options = parsed(arguments)
    if options.list:
        for case in all_cases():
            print(f"{home_of(case):12} {case.name}   [{case.group}]")
        return
    cases = chosen(options.only)
    store = suite.Store.open(
        options.out / "results.json", {**machine(), "date": suite.today()}, options.resume
    )
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, transient=True) as progress:
        measured: dict[str, Any] = {
            "limits": lambda: suite.limits_of(sorted({threads for _, threads in options.settings})),
            "derivation": lambda: derivation_times(options.quick),
            "startup": lambda: startup_times(cases),
            "memory": lambda: memory_peaks(cases),
            "verify": verify_times,
        }
        for part in options.parts:
            if part == "kernels":
                plan = suite.jobs(cases, options.settings, options.peers, options.seconds)
                suite.compile_ahead(plan, store, progress)
                suite.run_all(plan, store, progress)
            elif part not in store.parts:
                task = progress.add_task(part, total=1)
                store.parts[part] = measured[part]()
                progress.advance(task)
                store.save()
    lines = page(store)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "results.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))
    for path in charts(store, options.out):
        print(path)
    if options.readme:
        print(rewrite(store))


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    """The options, with what follows from others filled in."""
    parser = argparse.ArgumentParser(
        prog="benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = tuple(name for name in all_peers() if name != "derive")
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        help="part of a group, file or case; may be repeated",
    )
    parser.add_argument(
        "--peers", type=_words, help=f"comma-separated, of: {', '.join(names)}; 'none' for derive alone"
    )
    parser.add_argument("--threads", type=_words, help="comma-separated numbers")
    parser.add_argument("--dtype", type=_words, help="comma-separated: float64,float32")
    parser.add_argument("--parts", type=_words, help=f"comma-separated, of: {', '.join(PARTS)}")
    parser.add_argument("--seconds", type=float, help="for each peer of each case; default 0.2")
    parser.add_argument(
        "--quick", action="store_true", help="float64, one thread, short, without torch.compile"
    )
    parser.add_argument("--resume", action="store_true", help="keep what was measured with the same code")
    parser.add_argument(
        "--readme", action="store_true", help="write the tables into README.md, between its markers"
    )
    parser.add_argument("--list", action="store_true", help="print groups and cases")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/output"))
    options = parser.parse_args(arguments)
    options.peers = _peers(parser, options.peers, names, options.quick)
    options.settings = _settings(parser, options.dtype, options.threads, options.quick)
    alone = options.only or options.quick
    options.parts = options.parts or (["kernels"] if alone else list(PARTS))
    options.seconds = options.seconds or (QUICK if options.quick else SECONDS)
    if wrong := [part for part in options.parts if part not in PARTS]:
        parser.error(f"no part is called {wrong[0]!r}; there are {', '.join(PARTS)}")
    return options


def _settings(
    parser: argparse.ArgumentParser, dtypes: list[str] | None, threads: list[str] | None, quick: bool
) -> list[tuple[str, int]]:
    """Types and numbers of threads: what was asked for in all combinations, else a selection."""
    if dtypes is None and threads is None:
        return DEFAULT[:1] if quick else DEFAULT
    if wrong := [kind for kind in dtypes or () if kind not in ("float64", "float32")]:
        parser.error(f"kernels compute in float64 or float32, not in {wrong[0]!r}")
    if wrong := [count for count in threads or () if not count.isdigit() or count == "0"]:
        parser.error(f"{wrong[0]!r} is no number of threads")
    return [(kind, int(count)) for count in threads or ["1"] for kind in dtypes or ["float64"]]


def _peers(
    parser: argparse.ArgumentParser, given: list[str] | None, names: tuple[str, ...], quick: bool
) -> list[str]:
    """derive and the peers that were asked for."""
    if given is None:
        return ["derive", *(name for name in names if not (quick and name in SLOW_PEERS))]
    wanted = [] if given == ["none"] else given
    found = ["derive"]
    for word in wanted:
        exact = [n for n in names if n.lower() == word.lower()]
        matching = exact or [n for n in names if n.lower().startswith(word.lower())]
        if not matching:
            parser.error(f"no peer is called {word!r}; there are {', '.join(names)}")
        found += matching[:1]
    return found


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


if __name__ == "__main__":
    main()
