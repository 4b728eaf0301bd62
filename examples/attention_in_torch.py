"""Use the backward pass of attention that `derive` derived in a torch module; compare it with torch's own.

The emitted file needs torch only: paste it into your project.

    python examples/attention_in_torch.py
"""

import argparse
import importlib.util
from pathlib import Path
from types import ModuleType

import torch

import derive as dv
from layers import SHAPES, attention


class AttentionHead(torch.nn.Module):
    """One head: linear maps to queries, keys and values, then the given attention function."""

    def __init__(self, features: int, d: int, attention_function) -> None:
        super().__init__()
        self.query, self.key, self.value = (torch.nn.Linear(features, d) for _ in range(3))
        self.attention = attention_function

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return self.attention(self.query(X), self.key(X), self.value(X))


def emitted(path: Path) -> ModuleType:
    """Derive attention, write its torch source to the path and import it from there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dv.trace(attention, **SHAPES["attention"]).emit("torch"), encoding="utf-8")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(head: AttentionHead, X: torch.Tensor) -> list[torch.Tensor]:
    """The output of the head, then the gradients of a loss by the input and by every parameter."""
    X = X.clone().requires_grad_()
    output = head(X)
    loss = torch.sin(output).sum()
    return [output, *torch.autograd.grad(loss, [X, *head.parameters()])]


def main(argv: list[str] | None = None) -> dict:
    """Check the emitted function, then use it in a module.

    Returns:
        A dict with "gradcheck" (did it pass), "difference" (the largest absolute one from
        torch.nn.functional.scaled_dot_product_attention, over output and gradients) and "stub" (the path).
    """
    parser = argparse.ArgumentParser(description="Attention in torch, with a derived backward pass.")
    default = Path(__file__).parent / "output" / "attention_torch.py"
    parser.add_argument("--stub", type=Path, default=default, help="where to write the emitted source")
    options = parser.parse_args(argv)
    stub = emitted(options.stub)

    generator = torch.Generator().manual_seed(0)
    Q, K, V = (
        torch.randn(size, generator=generator, dtype=torch.float64, requires_grad=True)
        for size in [(5, 3), (7, 3), (7, 4)]
    )
    passed = torch.autograd.gradcheck(stub.AttentionFunction.apply, (Q, K, V))

    ours = AttentionHead(16, 8, stub.attention).double()
    theirs = AttentionHead(16, 8, torch.nn.functional.scaled_dot_product_attention).double()
    theirs.load_state_dict(ours.state_dict())
    X = torch.randn((11, 16), generator=generator, dtype=torch.float64)
    difference = max((a - b).abs().max().item() for a, b in zip(run(ours, X), run(theirs, X), strict=True))

    print(f"emitted source: {options.stub}")
    print(f"torch.autograd.gradcheck: {'passed' if passed else 'failed'}")
    print(f"largest difference from scaled_dot_product_attention, output and gradients: {difference:.1e}")
    return {"gradcheck": passed, "difference": difference, "stub": options.stub}


if __name__ == "__main__":
    main()
