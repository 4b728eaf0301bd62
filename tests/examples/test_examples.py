"""The examples do what they promise."""

import ast
from pathlib import Path

import numpy as np
import pytest


def imported_modules(source: str) -> set[str]:
    """The top-level names of the modules that a source imports."""
    modules = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                modules |= {alias.name.partition(".")[0] for alias in names}
            case ast.ImportFrom(module=str(module)):
                modules.add(module.partition(".")[0])
    return modules


def test_digits_are_learned_and_the_losses_are_those_of_torch(tmp_path: Path) -> None:
    pytest.importorskip("sklearn", reason="the digits are scikit-learn's")
    pytest.importorskip("torch", reason="torch's autograd is the comparison")
    import train_digits

    results = train_digits.main(["--compare-torch", "--plot", str(tmp_path / "loss.png")])

    assert results["accuracy"] >= 0.97
    assert results["torch_difference"] <= 1e-10
    assert len(results["losses"]) >= 50
    assert results["losses"][-1] < results["losses"][0] / 10
    assert (tmp_path / "loss.png").read_bytes().startswith(b"\x89PNG")


def test_attention_in_torch(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="the emitted source is torch's")
    import attention_in_torch

    results = attention_in_torch.main(["--stub", str(tmp_path / "attention_torch.py")])

    assert results["gradcheck"]
    assert results["difference"] <= 1e-10
    assert "derive" not in imported_modules(results["stub"].read_text(encoding="utf-8"))


def test_attention_in_jax(tmp_path: Path) -> None:
    pytest.importorskip("jax", reason="the emitted source is jax's")
    import attention_in_jax

    results = attention_in_jax.main(["--stub", str(tmp_path / "attention_jax.py")])

    assert results["difference"] <= 1e-10
    assert "derive" not in imported_modules(results["stub"].read_text(encoding="utf-8"))


def test_a_dict_of_layers_is_trained() -> None:
    import mlp_parameters

    losses = mlp_parameters.train(steps=100)

    assert losses[-1] < losses[0] / 50


def test_weights_are_found_chunk_by_chunk() -> None:
    pytest.importorskip("distributed", reason="the chunks are dask's")
    import larger_than_memory

    results = larger_than_memory.main(["--gigabytes", "0.01", "--workers", "0", "--steps", "3"])

    assert results["losses"][0] == pytest.approx(np.log(2))
    assert sorted(results["losses"], reverse=True) == results["losses"]
    assert results["errors"][-1] < 0.1


def test_errata_of_course_notes(tmp_path: Path) -> None:
    import errata

    page = tmp_path / "errata.md"
    arguments = ["--tag", "course notes", "--tag", "cosine similarity", "--markdown", str(page), "--workers", "1"]
    found = {e.entry.id: e for e in errata.main(arguments)}

    assert found["notes-cosine-ignores-magnitude"].holds_when == ("c is positive",)
    assert "notes-dot-product-of-unit-vectors" not in found
    assert r"\frac{(c x)^\top y}" in page.read_text(encoding="utf-8")


def test_three_errors_of_a_backward_pass_are_found() -> None:
    import wrong_backward

    found = wrong_backward.main()

    assert list(found) == ["dS", "dA", "dZ"]
    assert found["dZ"] == "dZ = dA ∘ (1 − A²)"


def test_a_page_of_textbook_identities() -> None:
    import textbook_page

    verdicts = textbook_page.main()

    assert {v.status for v in verdicts.values()} == {"PROVED", "REFUTED"}
    assert all(v.counterexample is not None for v in verdicts.values() if v.status == "REFUTED")
    assert verdicts["grad(x'*A*x, x) == 2*A*x"].holds_when == ("A is symmetric",)


def test_losses_come_from_distributions() -> None:
    """The losses of the table are those that torch has under their names, and so are the gradients."""
    torch = pytest.importorskip("torch", reason="the losses to compare with are torch's")
    import losses_from_distributions

    F = torch.nn.functional
    losses = losses_from_distributions.main(["--width", "150"])
    z = torch.linspace(-2, 2, 9, dtype=torch.float64, requires_grad=True)
    real, count = torch.linspace(1.5, -2.5, 9, dtype=torch.float64), torch.arange(9.0, dtype=torch.float64)
    theirs = {
        "squared error": (F.mse_loss(z, real, reduction="none") / 2, real),
        "absolute error": (F.l1_loss(z, real, reduction="none"), real),
        "Huber's loss": (F.huber_loss(z, real, reduction="none"), real),
        "binary cross-entropy": (F.binary_cross_entropy_with_logits(z, count % 2, reduction="none"), count % 2),
        "Poisson loss": (F.poisson_nll_loss(z, count, reduction="none"), count),
    }
    for name, (expected, y) in theirs.items():
        (slope,) = torch.autograd.grad(expected.sum(), z)
        at = (z.detach().numpy(), y.numpy())
        assert losses[name].function(*at) == pytest.approx(expected.detach().numpy(), rel=1e-13, abs=1e-15), name
        assert losses[name].gradient(*at) == pytest.approx(slope.numpy(), rel=1e-13, abs=1e-15), name
    scores = torch.randn(5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    classes = torch.tensor([0, 2, 1, 1, 0])
    expected = F.cross_entropy(scores, classes, reduction="none")
    one_hot = F.one_hot(classes).double().numpy()
    assert losses["cross-entropy"].function(scores.numpy(), one_hot) == pytest.approx(expected.numpy(), rel=1e-13)


def test_the_likelihood_of_a_normal_law(tmp_path: Path) -> None:
    import gaussian_likelihood

    found = gaussian_likelihood.main(["--plot", str(tmp_path / "likelihood.png")])

    mean, sigma = found["fit"].estimates
    assert (round(mean, 4), round(sigma, 4)) == (4.7923, 1.8072)
    assert abs(found["grid"][0] - mean) <= 4 / 99 and abs(found["grid"][1] - sigma) <= 3.5 / 99
    assert (tmp_path / "likelihood.png").read_bytes().startswith(b"\x89PNG")


def test_objectives_of_boosting_libraries(tmp_path: Path) -> None:
    pytest.importorskip("xgboost", reason="the emitted objectives are trained by it")
    pytest.importorskip("lightgbm", reason="the emitted objectives are trained by it")
    import custom_objective

    found = custom_objective.main(["--folder", str(tmp_path)])

    assert max(found["differences"].values()) <= 1e-5
    assert found["errors"]["student t"] < 0.8 * found["errors"]["squared error"]
    sources = [path.read_text(encoding="utf-8") for path in tmp_path.glob("*.py")]
    assert len(sources) == 3 and not any("derive" in imported_modules(source) for source in sources)
