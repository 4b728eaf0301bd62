"""The command line, run as a user runs it."""

from pathlib import Path

import pytest

from derive.cli import main

LAYERS = str(Path(__file__).parents[1] / "examples" / "layers.py")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_backprop_prints_its_page(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backprop", f"{LAYERS}:attention"]) == 0
    page = capsys.readouterr().out
    for piece in (
        "O = P V",
        "gS = P ∘ (gP − rowsum(gP ∘ P))",
        "chain rule",
        "PASSED",
        "would have caught",
        "kernel",
        "attention_torch.py",
    ):
        assert piece in page
    compile((elsewhere / "derive_stubs" / "attention_torch.py").read_text(), "stub", "exec")


def test_an_edited_stub_is_kept(elsewhere: Path) -> None:
    stub = elsewhere / "mine.py"
    stub.write_text("# edited by hand\n")
    assert main(["backprop", f"{LAYERS}:dense", "--target", "numpy", "--out", str(stub)]) == 0
    assert (elsewhere / "mine.1.old.py").read_text() == "# edited by hand\n"


def test_grad_and_hessian(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["grad", f"{LAYERS}:quadratic_form", "--wrt", "x"]) == 0
    assert main(["hessian", f"{LAYERS}:quadratic_form", "--wrt", "x", "--shapes", "x=n, A=n n"]) == 0
    assert capsys.readouterr().out.splitlines() == ["gx = (A + A') x", "H = A + A'"]


@pytest.mark.parametrize(
    ("reader", "text", "wrt", "shown"),
    [
        ("formula", "0.5*x'*A*x", "x", "gx = (A + A') x / 2"),
        ("latex", r"\frac{1}{2}\|Ax-y\|_2^2", "x", "gx = A' (A x − y)"),
        ("equations", "L = sum_i,j x[i] A[i,j] x[j]", "x", "gx = (A + A') x"),
    ],
)
def test_formulas_as_text(reader: str, text: str, wrt: str, shown: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["grad", text, "--as", reader, "--wrt", wrt]) == 0
    assert capsys.readouterr().out.strip() == shown
    assert main(["grad", text + ")", "--as", reader]) == 2
    assert "^" in capsys.readouterr().err


def test_latex_and_html(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backprop", f"{LAYERS}:softmax", "--format", "latex"]) == 0
    assert r"\odot" in capsys.readouterr().out
    assert main(["backprop", f"{LAYERS}:softmax", "--format", "html"]) == 0
    assert (elsewhere / "softmax_backprop.html").read_text().startswith("<!doctype html>")


def test_emit_and_check(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["emit", f"{LAYERS}:dense_tanh", "--target", "jax"]) == 0
    assert "custom_vjp" in capsys.readouterr().out
    assert main(["check", f"{LAYERS}:dense_tanh", "--wrt", "W,b"]) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["grad", "nowhere.py:f"], "there is no file"),
        (["grad", LAYERS], "FILE.py:FUNCTION"),
        (["grad", f"{LAYERS}:atention"], "did you mean 'attention'"),
        (["grad", f"{LAYERS}:attention"], "needs a scalar"),
        (["backprop", f"{LAYERS}:dense", "--shapes", "X=p q, W=r s, b=s"], "q"),
        (["backprop", f"{LAYERS}:dense", "--shapes", "X=a b"], "'W'"),
        (["backprop", f"{LAYERS}:dense", "--wrt", "V"], "no input 'V'"),
    ],
)
def test_bad_input_ends_with_2_and_one_clear_error(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert message in capsys.readouterr().err


MODEL = """
import numpy as np

def net(params, X):
    for layer in params.values():
        X = np.tanh(X @ layer["W"])
    return X

def horner(c, x):
    y = 0 * x
    for k in range(c.shape[0]):
        y = y * x + c[k]
    return np.sum(y)

SHAPES = {"net": {"params": {"a": {"W": "n m"}, "b": {"W": "m k"}}, "X": "batch n"}, "horner": {"c": "n", "x": "m"}}
"""


def test_nested_parameters(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (elsewhere / "model.py").write_text(MODEL)
    assert main(["backprop", "model.py:net", "--wrt", "params", "--target", "numpy"]) == 0
    page = capsys.readouterr().out
    assert "gparams.b.W = T' gU" in page or "gparams.b.W" in page
    assert "def net_gradients(params, X, gX2):" in (elsewhere / "derive_stubs" / "net_numpy.py").read_text()


def test_a_size_that_the_code_needs(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (elsewhere / "model.py").write_text(MODEL)
    assert main(["grad", "model.py:horner", "--wrt", "c"]) == 2
    assert 'try: --sizes "n=5"' in capsys.readouterr().err
    assert main(["grad", "model.py:horner", "--wrt", "c", "--sizes", "n=2"]) == 0
    page = capsys.readouterr().out
    assert "for k in range(c.shape[0]):" in page and "for n = 2:" in page
    assert main(["grad", "model.py:horner", "--sizes", "n=0"]) == 2
    assert main(["check", "model.py:horner"]) == 0


def test_audit_of_a_backward_pass(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (elsewhere / "model.py").write_text(
        "import numpy as np\n"
        "SHAPES = {'loss': {'x': 'n', 'W': 'm n'}}\n"
        "def loss(x, W):\n    h = np.tanh(W @ x)\n    return np.sum(h**2) / 2\n"
        "def right(x, W):\n    h = np.tanh(W @ x)\n    dz = h * (1 - h**2)\n    return np.outer(dz, x)\n"
        "def wrong(x, W):\n    h = np.tanh(W @ x)\n    dh = 2 * h\n    return np.outer(dh * (1 - h**2), x)\n"
    )
    assert main(["audit", "model.py:loss", "model.py:right", "--wrt", "W"]) == 0
    assert "right as the gradient of loss: no error found" in capsys.readouterr().out
    assert main(["audit", "model.py:loss", "model.py:wrong", "--wrt", "W"]) == 1
    page = capsys.readouterr().out
    assert "12  dh = 2 * h" in page and "WRONG   2 times the gradient of h" in page and page.count("WRONG") == 1
    assert main(["audit", "model.py:loss", "model.py:wrung"]) == 2
    assert "did you mean 'wrong'" in capsys.readouterr().err
