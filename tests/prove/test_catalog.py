"""The catalog: every entry reaches its level, a run of many does what a run of one does, bad files say what is wrong."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from derive.cli import main
from derive.deadline import OutOfTime, check_time, within
from derive.errors import CatalogError, UnknownName
from derive.prove.catalog.entries import LARGEST_FILE, LEVELS, Entry, entries, search, tagged
from derive.prove.catalog.page import page, with_table
from derive.prove.catalog.run import counts, run, verify_entry
from derive.prove.catalog.update import with_levels
from derive.prove.verdict import Verdict

CATALOG = entries()
ONE = Entry("trace-of-transpose", "t", "tr(A) == tr(A')", "derived", {"A": "n n"}, level="PROVED", file="a.toml")
FALSE = Entry("trace-of-square", "t", "tr(A*A) == tr(A)^2", "derived", {"A": "n n"}, level="REFUTED", file="a.toml")


@pytest.mark.parametrize("entry", CATALOG, ids=[e.id for e in CATALOG])
def test_reaches_its_level(entry: Entry) -> None:
    outcome = verify_entry(entry, explained=entry.level != "REFUTED")
    assert not outcome.failed, str(outcome)
    if not entry.level:
        pytest.skip("no level yet: it is verified, and counts as nothing")


def test_errata_are_not_true() -> None:
    assert not [e.id for e in CATALOG if "erratum" in e.tags and e.level in ("PROVED", "TESTED")]
    unmarked = [e for e in CATALOG if not {"erratum", "course notes"} & set(e.tags)]
    assert not [e.id for e in unmarked if e.level in ("REFUTED", "CONDITIONAL")]


# -- runs


def test_a_run_of_processes_finds_the_same_in_order() -> None:
    console = Console(quiet=True)
    outcomes = run([FALSE, ONE], progress=console, workers=1)
    assert [(o.entry.id, o.level, o.failed) for o in outcomes] == [
        ("trace-of-square", "CONDITIONAL", False),
        ("trace-of-transpose", "PROVED", False),
    ]
    assert counts(outcomes)["PROVED"] == 1


def test_any_executor_will_do() -> None:
    with ThreadPoolExecutor(1) as pool:
        (outcome,) = run([ONE], executor=pool)
        assert pool.submit(int).result() == 0  # still open
    assert outcome.level == "PROVED"


def test_a_cluster_is_an_executor() -> None:
    distributed = pytest.importorskip("distributed", reason="dask.distributed is not installed")
    cluster = distributed.LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None)
    with cluster, distributed.Client(cluster) as client:
        assert [o.level for o in run([ONE, FALSE], executor=client.get_executor())] == ["PROVED", "CONDITIONAL"]


def test_a_level_that_is_missed_is_a_failure() -> None:
    outcome = verify_entry(replace(FALSE, level="PROVED"))
    assert outcome.failed and "should be PROVED" in str(outcome)
    assert verify_entry(replace(ONE, level="REFUTED")).failed
    assert not verify_entry(replace(ONE, level="TESTED")).failed
    assert not verify_entry(replace(FALSE, level="")).failed


def test_what_misses_its_level_is_given_more_time(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def slowly(text: str) -> Verdict:
        """Needs three seconds of the one that it has."""
        begin = time.thread_time()
        monkeypatch.setattr(time, "thread_time", lambda: begin + 3)
        asked.append(text)
        try:
            check_time()
        except OutOfTime:
            return Verdict(text, "UNKNOWN", "time limit")
        finally:
            monkeypatch.undo()
            monkeypatch.setattr("derive.prove.catalog.run.verify_text", limited)
        return Verdict(text, "PROVED")

    def limited(text: str, specs: object, explained: bool) -> Verdict:
        with within(1.0):
            return slowly(text)

    monkeypatch.setattr("derive.prove.catalog.run.verify_text", limited)
    assert verify_entry(ONE).level == "PROVED" and len(asked) == 2
    assert verify_entry(replace(ONE, level="")).level == "UNKNOWN" and len(asked) == 3


def test_what_cannot_be_understood_is_a_failure_that_names_the_place() -> None:
    outcome = verify_entry(replace(ONE, claim="tr(A) == trace_of(A)", level=""))
    assert outcome.failed and outcome.level == "ERROR"
    assert "a.toml: trace-of-transpose" in str(outcome) and "^" in str(outcome)


# -- search


def test_search_wants_all_words() -> None:
    assert search("TRACE transpose", [ONE, FALSE]) == (ONE,)
    assert search("tr(A) derived", [ONE, FALSE]) == (ONE, FALSE)


def test_tags() -> None:
    labelled = replace(ONE, tags=("trace", "linear"))
    assert tagged(["trace", "linear"], [labelled, FALSE]) == (labelled,)
    with pytest.raises(UnknownName, match="'trace'"):
        tagged(["trac"], [labelled])


# -- levels in files

TEXT = """# comment
[[identity]]
id = "a"
title = "A"
claim = "tr(A) == tr(A')"
source = "derived"
tags = ["x"]

# about b
[[identity]]
id = "b"
title = "B"
claim = "x == x"
source = "derived"
level = "TESTED"
"""


def test_levels_are_written_and_nothing_else() -> None:
    changed = with_levels(TEXT, {"a": "PROVED", "b": "PROVED"})
    assert changed == TEXT.replace('["x"]\n', '["x"]\nlevel = "PROVED"\n').replace("TESTED", "PROVED")
    assert with_levels(TEXT, {}) == TEXT


def test_update_writes_and_never_lowers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "own.toml"
    place.write_text(TEXT.replace("x == x", "x == 2*x"))
    assert main(["catalog", "--folder", str(place), "update", "--open", "--workers", "1"]) == 0
    assert main(["catalog", "--folder", str(place), "update", "--workers", "1"]) == 1
    assert [e.level for e in entries(place)] == ["PROVED", "TESTED"]
    assert "should be TESTED" in capsys.readouterr().out


# -- definitions


DEFINED = replace(ONE, id="d", claim="grad(sum(y.^2), y) == 2*y", where=("y = A*x",), variables={"A": "m n", "x": "n"})


def test_definitions_are_part_of_the_claim_and_of_what_is_shown() -> None:
    outcome = verify_entry(DEFINED)
    assert outcome.level == "PROVED" and outcome.verdict is not None
    assert outcome.verdict.claim == "grad(sum(y.^2), y) == 2*y where y = A*x"
    assert verify_entry(replace(DEFINED, where=("y = A*x + 1*x",))).level == "ERROR"
    assert "where y = A*x" in str(DEFINED)
    assert r"2 y \quad\text{where}\quad y = A x$" in page([DEFINED])
    assert search("A*x", [ONE, DEFINED]) == (DEFINED,)


# -- the command line


def test_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["catalog", "list", "--tag", "erratum"]) == 0
    assert main(["catalog", "search", "cyclic"]) == 0
    assert "trace-is-cyclic" in capsys.readouterr().out
    assert main(["catalog", "search", "nosuchword"]) == 1
    assert main(["catalog", "stats"]) == 0
    shown = capsys.readouterr().out
    assert all(level in shown for level in LEVELS)
    assert main(["catalog", "show", "trace-is-cylic"]) == 2
    assert "'trace-is-cyclic'" in capsys.readouterr().err


# -- bad input

GOOD = {"id": '"a-b"', "title": '"A"', "claim": '"x == x"', "source": '"derived"'}


def table(**changes: str) -> str:
    fields = {**GOOD, **changes}
    return "[[identity]]\n" + "".join(f"{name} = {value}\n" for name, value in fields.items() if value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[identity]]\nid = \n", "bad.toml: no TOML: .*line 2"),
        ("[[entries]]\nid = 'a'\n", "bad.toml: unknown table 'entries'"),
        ("identity = 3\n", "array of tables.*an integer"),
        ("identity = [1]\n", "array of tables"),
        (table(clame='"x"'), "a-b: unknown field 'clame'; did you mean 'claim'"),
        (table(claim=""), "a-b: the field 'claim' is missing"),
        (table(id=""), "entry 1: the field 'id' is missing"),
        (table(id="3"), "entry 1: id must be text in quotes; found an integer"),
        (table(id='"A_b"'), "A_b: an id is up to 80 small letters"),
        (table(title='" "'), "a-b: title is empty"),
        (table(level='"TRUE"'), "a-b: the level is one of PROVED"),
        (table(level='"UNKNOWN"'), "a-b: the level is one of PROVED"),
        (table(tags='"x"'), "a-b: tags must be an array"),
        (table(tags="[1]"), "a-b: a tag must be text"),
        (table(where='"y = x"'), "a-b: where must be an array of texts; found text"),
        (table(claim='"x == y"', where="[3]"), "a-b: a definition must be text"),
        (table(claim='"x == y"', where='["y = (x"]'), r"a-b: .*character 18 of the claim is never closed"),
        (table(claim='"x == y"', where='["y = z; z = x"]'), "a-b: where has 1 texts with 2 definitions"),
        (table(claim='"x == y where y = x"', where='["z = x"]'), "a-b: .*'where' at character 20"),
        (table(variables='"n"'), "a-b: variables must be a table"),
        (table(variables="{ x = 3 }"), "a-b: the variable 'x' must be text in quotes; found an integer"),
        (table(variables='{ x = "n, symetric" }'), "a-b: unknown fact 'symetric'"),
        (table(claim='"x === x"'), r"a-b: .*character 5 of the claim"),
        (table(claim='"x == (x"'), "a-b: .*never closed"),
        (table(claim=f'"{"x + " * 600}x == x"'), "more than 2000"),
        (table() + table(), "the id 'a-b' is already in bad.toml"),
        (table() + "x" * 5_000, "line 6 has 5000 characters"),
        ("x = " + "[\n" * 20_000, "nests too deeply"),
        ("#\n" * (LARGEST_FILE // 2 + 1), "larger than 1000000 bytes"),
    ],
)
def test_bad_files_say_where(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "bad.toml").write_text(text)
    with pytest.raises(CatalogError, match=f"(?s){words}"):
        entries(tmp_path)


def test_no_text(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(CatalogError, match="no UTF-8"):
        entries(tmp_path)
    with pytest.raises(CatalogError, match="no catalog at"):
        entries(tmp_path / "nowhere")


def test_a_bad_file_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.toml").write_text(table(claim='"x"[0]'))
    assert main(["catalog", "--folder", str(tmp_path), "list"]) == 2
    assert "bad.toml" in capsys.readouterr().err


# -- the page


def test_the_page_is_up_to_date() -> None:
    written = (Path(__file__).parents[2] / "docs" / "catalog.md").read_text(encoding="utf-8")
    assert written == page(CATALOG), "the page is out of date; try: derive catalog page"
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    assert readme == with_table(readme, CATALOG), "its table is out of date; try: derive catalog page --table README.md"


def test_a_page_without_marks() -> None:
    with pytest.raises(CatalogError, match="<!-- catalog -->"):
        with_table("# Page", [ONE])


def test_the_page_shows_mathematics(tmp_path: Path) -> None:
    unusual = replace(ONE, id="b", claim="x.shape[0] == n", level="", variables={"x": "n", "c": ", positive"})
    text = page([ONE, unusual])
    assert r"| $\operatorname{tr}(A) = \operatorname{tr}(A^\top)$ | `A: n n` | PROVED |" in text
    assert "| `x.shape[0] == n` | `x: n`; `c: scalar, positive` | open |" in text
    assert main(["catalog", "page", "--out", str(tmp_path / "docs" / "page.md")]) == 0
