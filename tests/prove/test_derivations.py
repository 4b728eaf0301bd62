"""Derivations line by line: what follows is marked so, and the first line that does not is found, with numbers."""

import json
from pathlib import Path

import numpy as np
import pytest

import derive as dv
from derive.cli import main
from derive.errors import ParseError, ShapeError
from derive.prove.derivation import composed

Shapes = dict[str, str]

RIGHT: list[tuple[str, Shapes, int]] = [
    ("norm2(x - y)^2 == (x - y)'*(x - y)\n == x'*x - x'*y - y'*x + y'*y\n == x'*x - 2*x'*y + y'*y", {"x": "n", "y": "n"}, 3),
    ("tr(A*B*C) == tr(C*A*B) == tr(B*C*A)", {"A": "n m", "B": "m p", "C": "p n"}, 2),
    ("norm2(A*x - b)^2\n = x'*A'*A*x - x'*A'*b\n   - b'*A*x + b'*b   # expanded\n = x'*A'*A*x -\n 2*b'*A*x + b'*b", {"b": "m"}, 2),
    ("f(x) = x'*A*x + b'*x\n\ngrad(f, x) = (A + A')*x + b\n = 2*A*x + b   by symmetry", {"A": "n n, symmetric"}, 2),
    ("sum(p.*log(p./q)) = p'*log(p) - p'*log(q) = p'*(log(p) - log(q))\nwhere p = softmax(z), q = softmax(w)", {}, 2),
    ("sigmoid(x) = 1./(1 + exp(-x))\n = exp(x)./(1 + exp(x))   (1)\n = 1 - sigmoid(-x)", {"x": "n"}, 3),
    ("(X @ w - y) @ (X @ w - y)\n == w @ X.T @ X @ w - 2 * y @ X @ w + y @ y", {"X": "n m", "w": "m", "y": "n"}, 1),
    ("inv(A + B)\n = inv(B*(inv(B)*A + eye(n)))\n = inv(inv(B)*A + eye(n))*inv(B)", {"A": "n n", "B": "n n"}, 2),
    (r"\begin{align*} \|Ax-b\|^2 &= (Ax-b)^\top(Ax-b) \label{one}\\ &= x^\top A^\top A x - 2 b^\top A x \\"
     r" &\quad {}+ b^\top b && \text{(by symmetry)} \end{align*}".replace("{}", ""), {}, 2),
    (r"p_i &= \frac{e^{z_i}}{\sum_j e^{z_j}} \\ &= \frac{e^{z_i - c}}{\sum_j e^{z_j - c}}", {"z": "n", "c": ""}, 1),
    (r"\nabla_x \frac{1}{2}\|Ax-b\|^2 &= \nabla_x (Ax-b)^\top(Ax-b)\cdot\frac{1}{2} \\ &= A^\top(Ax-b)", {"x": "n"}, 2),
    (r"\nabla_x^2 (x^\top A x) = A + A^\top", {"x": "n"}, 1),
    (r"f(x) = x^\top A x + b^\top x \\ \nabla_x f = (A + A^\top) x + b", {"x": "n"}, 1),
    (r"\mathcal{L}(w) &= \frac{1}{2}\|Xw-y\|^2 \\ &= \frac12 (w^\top X^\top X w - 2 y^\top X w + y^\top y)", {}, 1),
]  # fmt: skip


@pytest.mark.parametrize(("text", "shapes", "count"), RIGHT, ids=[t.split("\n")[0][:40] for t, *_ in RIGHT])
def test_every_line_follows(text: str, shapes: Shapes, count: int) -> None:
    found = dv.verify_derivation(text, **shapes)
    assert found.status == "PROVED", str(found)
    assert found.first_wrong is None and len(found.steps) == count
    assert all(s.verdict.level == "all sizes" for s in found.steps)
    for chain in found.chains:
        assert (chain.whole is None) == (len(chain.steps) == 1)
        assert chain.whole is None or chain.whole.status == "PROVED"


WRONG: list[tuple[str, Shapes, int, int, int]] = [
    # text, shapes, the line that is wrong, the line before it, how many steps are wrong
    ("norm2(x - y)^2\n == (x - y)'*(x - y)\n == x'*x - x'*y + y'*y\n == y'*y - x'*y + x'*x", {"x": "n", "y": "n"}, 3, 2, 1),
    ("norm2(x - y)^2\n == x'*x - x'*y + y'*y\n == x'*x - 2*x'*y + y'*y", {"x": "n", "y": "n"}, 2, 1, 2),
    ("tr(A*B) == tr(B*A)\n\n# the second\ntr(A*B*C)\n == tr(B*A*C)", {"A": "n n", "B": "n n", "C": "n n"}, 5, 4, 1),
    ("f = x'*A*x\ngrad(f, x) == (A + A')*x\n == 2*A*x", {"A": "n n"}, 3, 2, 1),
    ("(A + B)*(A + B)\n = A*A + 2*A*B + B*B", {"A": "n n", "B": "n n"}, 2, 1, 1),
    ("x'*x == norm2(x)^2\n < norm2(x)^2 + y^2", {"x": "n", "y": ""}, 2, 1, 1),
    (r"\begin{align} \|x-y\|^2 &= \|x\|^2 - 2x^\top y + \|y\|^2\\" "\n" r"&= \|x\|^2 + \|y\|^2 \end{align}", {}, 2, 1, 1),
    (r"(AB)^\top &= B^\top A^\top \\" "\n" r" &= A^\top B^\top", {"A": "n n", "B": "n n"}, 2, 1, 1),
]  # fmt: skip


@pytest.mark.parametrize(("text", "shapes", "line", "after", "count"), WRONG, ids=[t[:30] for t, *_ in WRONG])
def test_the_first_wrong_line(text: str, shapes: Shapes, line: int, after: int, count: int) -> None:
    found = dv.verify_derivation(text, **shapes)
    wrong = found.first_wrong
    assert found.status == "REFUTED" and wrong is not None
    assert (wrong.line, wrong.after) == (line, after)
    assert sum(s.status == "REFUTED" for s in found.steps) == count
    assert wrong.verdict.counterexample is not None
    assert f"✗ {line}" in str(found) and f"line {line} does not follow from line {after}" in str(found)


def test_the_numbers_under_a_wrong_line() -> None:
    found = dv.verify_derivation("norm2(x - y)^2 == x'*x - x'*y + y'*y\n = x'*x + y'*y", x="n", y="n")
    first, second = found.steps
    for step, left, right in (
        (first, lambda x, y: (x - y) @ (x - y), lambda x, y: x @ x - x @ y + y @ y),
        (second, lambda x, y: x @ x - x @ y + y @ y, lambda x, y: x @ x + y @ y),
    ):
        counter = step.verdict.counterexample
        assert counter is not None
        arrays = {name: np.array(value, dtype=float) for name, value in counter.arrays.items()}
        assert float(counter.left) == left(**arrays) != right(**arrays) == float(counter.right)


def test_what_would_have_been_right() -> None:
    text = str(dv.verify_derivation("grad(f, x) == 2*A*x\nwhere f = x'*A*x", A="n n"))
    assert "what holds: grad(f, x) == (A + A')*x" in text
    assert "holds when A is symmetric" in text
    assert "where f = x'*A*x" in text


def test_the_end_can_be_right_though_a_line_is_not() -> None:
    found = dv.verify_derivation("(a + b)^2\n == a^2 + b^2\n == a^2 + 2*a*b + b^2")
    (chain,) = found.chains
    assert found.status == "REFUTED"
    assert chain.whole is not None and chain.whole.status == "PROVED"
    assert "so PROVED (all sizes): (a + b)^2 == a^2 + 2*a*b + b^2" in str(found)


@pytest.mark.parametrize(
    ("relations", "whole"),
    [
        (["==", "=="], "=="), (["==", "<="], "<="), (["<=", "=="], "<="), (["<=", "<", "=="], "<"), ([">=", ">="], ">="),
        ([">", "==", ">="], ">"), (["<=", ">="], ""), (["==", "!="], "!="), (["!=", "!="], ""), (["!=", "<="], ""),
    ],
)  # fmt: skip
def test_how_the_ends_are_related(relations: list[str], whole: str) -> None:
    """Against all small numbers: the relation found holds wherever the chain does, and nothing stronger always does."""
    assert composed(relations) == whole
    holds = {
        "==": lambda a, b: a == b, "!=": lambda a, b: a != b, "<": lambda a, b: a < b, "<=": lambda a, b: a <= b,
        ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
    }  # fmt: skip
    points = np.stack(np.meshgrid(*[range(4)] * (len(relations) + 1)), -1).reshape(-1, len(relations) + 1)
    fitting = [p for p in points if all(holds[r](a, b) for r, a, b in zip(relations, p, p[1:], strict=False))]
    implied = {r for r in holds if all(holds[r](p[0], p[-1]) for p in fitting)}
    strongest = {
        r for r in implied if not any(s != r and s in implied and _stronger(s, r) for s in holds)
    }
    assert strongest == ({whole} if whole else set())


def _stronger(a: str, b: str) -> bool:
    return b in {"==": {"<=", ">="}, "<": {"<=", "!="}, ">": {">=", "!="}}.get(a, set())


def test_a_step_without_a_formula_is_open() -> None:
    text = "expectation(tanh(x) + x, x)\n = expectation(tanh(x), x) + c\nexpectation(x, x) = c\n = c + 1"
    found = dv.verify_derivation(text, x=", normal(c, 1)")
    assert [s.status for s in found.steps] == ["UNKNOWN", "PROVED", "REFUTED"]
    assert "no formula" in found.steps[0].verdict.evidence
    assert found.first_wrong is not None and found.first_wrong.line == 4


def test_a_chain_with_an_open_step_is_no_pass() -> None:
    found = dv.verify_derivation("gammaln(x + 1)\n == gammaln(x) + log(x)\n == log(x) + gammaln(x)", x=", positive")
    assert found.status != "PROVED"
    assert {s.status for s in found.steps} >= {"PROVED"}


def test_a_name_means_one_thing_in_all_lines() -> None:
    """b is a vector because of the second line only; a line by itself would take it for a number."""
    assert dv.verify("b*c == c*b").variables == {"b": "", "c": ""}
    found = dv.verify_derivation("b*c == c*b\n\ngrad(b'*x, x) == b", x="n")
    assert found.variables == {"x": "n", "b": "n", "c": ""}
    assert found.status == "PROVED"


def test_the_style_of_one_line_is_that_of_all() -> None:
    found = dv.verify_derivation("(A * B) @ x == (B * A) @ x\n\nA * B == B * A", A="n m", B="n m", x="m")
    assert found.status == "PROVED", "in NumPy style * goes entry by entry, also in the line that has no other mark of NumPy"


def test_names_for_values() -> None:
    found = dv.verify_derivation("s = sum(exp(x))\np = exp(x)/s\nsum(p) = 1\ngrad(log(s), x) = p", x="n")
    assert found.status == "PROVED" and [s.line for s in found.steps] == [3, 4]
    assert found.named == {"s": "sum(exp(x))", "p": "exp(x)/s"}
    assert dv.verify_derivation("A = A'", A="n n").status == "REFUTED", "that is a claim, no name"
    assert dv.verify_derivation("s = sum(x)", s="", x="n").status == "REFUTED", "a declared name is a variable"


def test_derivatives_by_names_and_their_indices() -> None:
    found = dv.verify_derivation("L = sum(P.*log(P)); P = softmax(s)\ngrad(L, P)\n = log(P) + 1\n = log(P) + vector(1)", s="n")
    assert found.status == "PROVED"
    text = r"h_i &= \sum_j W_{ij} x_j \\ \sum_i h_i^2 &= x^\top W^\top W x \\ &= \|Wx\|^2"
    assert dv.verify_derivation(text, W="m n", x="n").status == "PROVED"
    assert dv.verify_derivation(text.replace(r"\|^2", r"\|^2 + 1"), W="m n", x="n").status == "REFUTED"


def test_it_is_no_truth_value_and_can_be_kept() -> None:
    found = dv.verify_derivation("x'*A*x == x'*A'*x\n == x'*(A + A')*x", A="n n")
    with pytest.raises(TypeError, match="REFUTED"):
        bool(found)
    kept = json.loads(found.to_json())
    assert (kept["status"], kept["first_wrong"]) == ("REFUTED", 2)
    again = dv.verify_derivation(kept["text"], **kept["variables"])
    assert [s.status for s in again.steps] == ["PROVED", "REFUTED"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "there are none"),
        ("x'*x", "no relation"),
        ("== x", "nothing stands before"),
        ("a == == b", "missing"),
        ("a == b ==", "missing"),
        ("a == b\nc*d\n", r"line 2, character 1"),
        ("a == b\n == c*(d\n", "never closed"),
        ("x == A*x +\n * A", "line 2, character 2"),
        ("s = sum(x)", "nothing to verify"),
        ("a == p where p = ", "given a value"),
        ("a == p where p = q, q = p", "defined by itself"),
        ("a == p where p = b, p = c", "defined a second time"),
        (r"a &= p \\ \text{where } p &= b, p = c", "defined twice"),
        (r"a &= b \\ &= \frac{c}{", "never closed|no partner"),
        ("a == b\n" * 201, "more than 200"),
        ("a == b " * 2000, "too long"),
    ],
)
def test_what_is_no_derivation(text: str, message: str) -> None:
    with pytest.raises(ParseError, match=message):
        dv.verify_derivation(text)


def test_lines_of_other_shapes() -> None:
    with pytest.raises(ShapeError, match="line 1 is a scalar, line 2 a matrix"):
        dv.verify_derivation("x'*x\n = x*x'", x="n")
    with pytest.raises(ShapeError, match="lines 1 and 2"):
        dv.verify_derivation("A*x\n = x\n", A="n m", x="m")


def test_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "square.txt"
    file.write_text("(a + b)^2\n == a^2 + 2*a*b + b^2\n == a^2 + b^2\n", encoding="utf-8")
    assert main(["verify", "--derivation", str(file)]) == 1
    assert "line 3 does not follow from line 2" in capsys.readouterr().out
    assert main(["verify", "--derivation", "(a + b)^2 == a^2 + 2*a*b + b^2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["status"] == "PROVED"
    assert main(["verify", "--derivation", "nowhere.txt"]) == 2
    assert "no file" in capsys.readouterr().err
    assert main(["verify", "a == a", "--derivation", str(file)]) == 2
