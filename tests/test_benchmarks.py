"""The machinery of the benchmarks, on tiny sizes: what is refused, what counts, what is kept."""

import json
from dataclasses import replace

import numpy as np
import pytest

from benchmarks import chart, suite
from benchmarks.__main__ import parsed
from benchmarks.case import all_cases, chosen
from benchmarks.cases import tiny
from benchmarks.compare import Disagreement, compare
from benchmarks.goals import GOALS, goals_table, ratio, reached
from benchmarks.measure import measure
from benchmarks.peers._record import Setting
from benchmarks.readme import CLOSE, OPEN, README, replaced
from benchmarks.table import times_table

PEERS = ["derive", "jax.jit", "NumPy"]


def record(case: str, group: str, **seconds: float) -> dict:
    times = {name.replace("_", "."): {"median": s, "low": s, "high": s, "least": s, "rounds": 3} for name, s in seconds.items()}
    return {"case": case, "group": group, "dtype": "float64", "threads": 1, "refused": {}, "notes": {}, "seconds": times}


def test_every_case_belongs_to_a_goal_and_is_written_twice() -> None:
    cases = all_cases()
    assert len({case.name for case in cases}) == len(cases)
    for case in cases:
        assert case.group in {goal.group for goal in GOALS}
        assert case.torch is not None and case.jax is not None


def test_one_case_is_compared_and_timed() -> None:
    pytest.importorskip("jax")
    found = measure(tiny.QUADRATIC, Setting(), PEERS, 0.005)
    assert found["reference"] == "jax.jit"
    assert set(found["seconds"]) == set(PEERS) and not found["refused"]
    assert all(error < 1e-14 for error in found["difference"].values())
    assert ratio(found) == min(found["seconds"][n]["median"] for n in PEERS[1:]) / found["seconds"]["derive"]["median"]
    assert json.loads(json.dumps(found)) == found
    assert any("quadratic form 3" in line for line in times_table([found], ("float64", 1)))


def test_a_peer_that_computes_something_else_has_no_time() -> None:
    pytest.importorskip("jax")
    wrong = replace(tiny.QUADRATIC, numpy=lambda x, A: (x @ A @ x, (A + A.T) @ x * (1 + 3e-9)))
    found = measure(wrong, Setting(), PEERS, 0.005)
    assert set(found["seconds"]) == {"derive", "jax.jit"}
    assert "3.0e-09 of the largest entry" in found["refused"]["NumPy"]


def test_nobody_has_times_if_derive_computes_something_else() -> None:
    pytest.importorskip("jax")
    wrong = replace(tiny.QUADRATIC, jax=lambda jax, x, A: x @ A @ x + 1e-8)
    found = measure(wrong, Setting(), PEERS, 0.005)
    assert "derive" in found["refused"] and not found["seconds"]
    (row,) = reached([found])
    assert row.worst == 0 and row.verdict != "reached"


@pytest.mark.parametrize("got", [[np.array([1.0, 2.0 + 1e-8])], [np.array([1.0, np.nan])], [np.ones((2, 1))], []])
def test_compare_refuses(got: list) -> None:
    with pytest.raises(Disagreement):
        compare("peer", tiny.QUADRATIC, got, [np.array([1.0, 2.0])], "float64")


def test_small_gradients_are_compared_by_their_own_size() -> None:
    with pytest.raises(Disagreement):
        compare("peer", tiny.QUADRATIC, [np.array([1.001e-7])], [np.array([1e-7])], "float64")


def test_goals_name_what_is_missed() -> None:
    group = GOALS[1].group
    good = record("fast", group, derive=1.0, jax_jit=4.0, torch=3.0)
    bad = record("slow", group, derive=1.0, jax_jit=0.5) | {"reasons": "Its loop has a call."}
    (row,) = reached([good, bad])
    assert row.mean == pytest.approx(1.5**0.5) and (row.worst, row.case) == (0.5, "slow (float64, 1 thread)")
    text = "\n".join(goals_table([good, bad]))
    assert "**missed**" in text and "- slow: 0.50 to jax.jit in float64, 1 thread.\n\n  Its loop has a call." in text
    assert "reached" in "\n".join(goals_table([good])) and "missed" not in "\n".join(goals_table([good]))


def test_code_by_hand_is_shown_and_does_not_count() -> None:
    found = record("case", GOALS[0].group, **{"derive": 1.0, "jax_jit": 4.0, "Numba by hand": 0.5})
    assert ratio(found) == 4.0


def test_a_run_is_resumed_where_the_code_is_the_same(tmp_path) -> None:
    path, group = tmp_path / "results.json", GOALS[0].group
    store = suite.Store.open(path, {"code": "a"}, resume=False)
    store.add(record("first", group, derive=1.0))
    job = suite.Job(group, ("first", "second"), ("float64",), 1, ("derive",), 0.1)
    again = suite.Store.open(path, {"code": "a"}, resume=True)
    left = again.missing(job)
    assert left is not None and left.cases == ("second",)
    assert suite.Store.open(path, {"code": "b"}, resume=True).missing(job) == job


def test_a_picture_is_drawn(tmp_path) -> None:
    records = [record(f"case {k}", GOALS[k % 2].group, derive=1.0, jax_jit=2.0**k) for k in range(3)]
    chart.draw(records, ("float64", 1), tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 5000


def test_options() -> None:
    options = parsed(["--only", "tiny", "--peers", "jax,torch", "--dtype", "float32"])
    assert options.peers == ["derive", "jax.jit", "torch"] and options.parts == ["kernels"]
    assert options.settings == [("float32", 1)]
    assert parsed(["--threads", "1,2", "--dtype", "float64,float32"]).settings == [
        ("float64", 1), ("float32", 1), ("float64", 2), ("float32", 2)]  # fmt: skip
    assert len(parsed([]).settings) == 3 and parsed(["--quick"]).settings == [("float64", 1)]
    with pytest.raises(SystemExit):
        parsed(["--threads", "0"])
    assert {case.group for case in chosen(["tiny"])} == {"tiny sizes (latency)"}
    with pytest.raises(SystemExit):
        chosen(["no such case"])


def test_only_the_block_of_the_readme_changes() -> None:
    text = f"before {OPEN}\nold\n{CLOSE} after"
    assert replaced(text, "new") == f"before {OPEN}\nnew\n{CLOSE} after"
    assert replaced(README.read_text(encoding="utf-8"), "new").count("new\n" + CLOSE) == 1
    with pytest.raises(ValueError):
        replaced("no markers", "new")
