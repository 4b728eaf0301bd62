"""Train a network on handwritten digits with a kernel that `derive` derived from the loss and compiled.

The loss is plain NumPy, its gradient comes from `derive`, the rest is a few lines of gradient descent.
The data are scikit-learn's: 1797 digits of 8 by 8 pixels, a quarter of them held out.

    python examples/train_digits.py
    python examples/train_digits.py --compare-torch     # the same training by torch's autograd, step by step
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import derive as dv

SIZES = (64, 128, 64, 10)  # pixels, two hidden layers, digits
BATCH, RATE, MOMENTUM = 32, 0.05, 0.9
NOISE = 0.3  # standard deviation, on pixels from 0 to 1: keeps the network from learning digits by heart
GOAL = 0.97  # accuracy on the held-out quarter
COMPARED_STEPS, TOLERANCE = 50, 1e-10

Arrays = list[np.ndarray]
LossAndGradient = Callable[[Arrays, np.ndarray, np.ndarray], tuple[float, Arrays]]


def logits(W1, b1, W2, b2, W3, b3, X):
    """The network: two hidden layers."""
    H1 = np.maximum(X @ W1 + b1, 0)
    H2 = np.maximum(H1 @ W2 + b2, 0)
    return H2 @ W3 + b3


def loss(W1, b1, W2, b2, W3, b3, X, y):
    """Mean cross-entropy of the labels y."""
    Z = logits(W1, b1, W2, b2, W3, b3, X)
    C = Z - np.max(Z, axis=1, keepdims=True)
    logP = C - np.log(np.sum(np.exp(C), axis=1, keepdims=True))
    return -np.mean(logP[np.arange(len(y)), y])


def derived_gradient() -> LossAndGradient:
    """The loss and its gradient by the parameters: derived once for all sizes, compiled."""
    f = dv.trace(
        loss,
        W1="n h1", b1="h1", W2="h1 h2", b2="h2", W3="h2 k", b3="k", X="batch n", y="batch, integer < k",
    )  # fmt: skip
    kernel = dv.value_and_grad(f, wrt=["W1", "b1", "W2", "b2", "W3", "b3"]).compile()
    return lambda parameters, X, y: kernel(*parameters, X, y)


def torch_gradient() -> LossAndGradient:
    """The same by torch, for comparison."""
    import torch

    def loss_and_gradient(parameters: Arrays, X: np.ndarray, y: np.ndarray) -> tuple[float, Arrays]:
        W1, b1, W2, b2, W3, b3 = leaves = [torch.tensor(p, requires_grad=True) for p in parameters]
        H1 = torch.relu(torch.from_numpy(X) @ W1 + b1)
        H2 = torch.relu(H1 @ W2 + b2)
        value = torch.nn.functional.cross_entropy(H2 @ W3 + b3, torch.from_numpy(y))
        return value.item(), [gradient.numpy() for gradient in torch.autograd.grad(value, leaves)]

    return loss_and_gradient


def initial(seed: int) -> Arrays:
    """Weights scaled for relu layers (He et al. 2015), biases zero."""
    rng = np.random.default_rng(seed)
    weights = [rng.normal(0, np.sqrt(2 / n), (n, m)) for n, m in pairwise(SIZES)]
    return [parameter for W in weights for parameter in (W, np.zeros(W.shape[1]))]


def shuffled(X: np.ndarray, y: np.ndarray, epochs: int, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Mini-batches: every example once per epoch, each time in another order and with fresh noise."""
    rng = np.random.default_rng(seed)
    for _ in range(epochs):
        order = rng.permutation(len(X))
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            yield rng.normal(X[rows], NOISE), y[rows]


def descend(gradient: LossAndGradient, parameters: Arrays, batches, steps: int) -> Iterator[float]:
    """Gradient descent with momentum, in place; the rate falls linearly to zero. Yields the losses."""
    velocities = [np.zeros_like(p) for p in parameters]
    for step, (X, y) in enumerate(batches):
        value, gradients = gradient(parameters, X, y)
        for p, v, g in zip(parameters, velocities, gradients, strict=True):
            v[...] = MOMENTUM * v - RATE * (1 - step / steps) * g
            p += v
        yield float(value)


def accuracy(parameters: Arrays, X: np.ndarray, y: np.ndarray) -> float:
    """The fraction of the rows of X that get their label in y."""
    return float(np.mean(np.argmax(logits(*parameters, X), axis=1) == y))


def save_plot(path: Path, losses: list[float], accuracies: list[float]) -> None:
    """The loss of every mini-batch and the accuracy on the held-out digits after every epoch."""
    epochs = np.arange(1, len(accuracies) + 1)
    time = np.arange(1, len(losses) + 1) * len(epochs) / len(losses)
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.semilogy(time, losses, color="0.8", label="mini-batch")
    left.semilogy(epochs, np.mean(np.split(np.array(losses), len(epochs)), axis=1), label="mean of the epoch")
    left.set(xlabel="epoch", ylabel="cross-entropy (nats)", title="training loss")
    left.legend(frameon=False)
    right.plot(epochs, accuracies)
    right.axhline(GOAL, color="0.6", linestyle=":", label=f"goal {GOAL:.0%}")
    right.set(xlabel="epoch", ylabel="accuracy", title=f"held-out digits: {accuracies[-1]:.1%}")
    right.legend(frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)


def main(argv: list[str] | None = None) -> dict:
    """Train, report, plot.

    Returns:
        A dict with "accuracy" (held out, in [0, 1]), "losses" (nats, one per step), "plot" (the path), and
        "torch_difference" (the largest over the compared steps, or None if not compared).
    """
    parser = argparse.ArgumentParser(description="Train a network on handwritten digits.")
    parser.add_argument("--plot", type=Path, default=Path(__file__).parent / "output" / "train_digits.png")
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--compare-torch", action="store_true", help="train by torch too, and compare")
    options = parser.parse_args(argv)

    console = Console()
    pixels, digits = load_digits(return_X_y=True)
    X, X_held_out, y, y_held_out = train_test_split(
        pixels / 16, digits, test_size=0.25, stratify=digits, random_state=options.seed
    )
    steps_per_epoch = -(-len(X) // BATCH)
    steps = options.epochs * steps_per_epoch
    gradient = derived_gradient()

    def training(gradient: LossAndGradient, parameters: Arrays) -> Iterator[float]:
        return descend(gradient, parameters, shuffled(X, y, options.epochs, options.seed), steps)

    parameters, losses, accuracies = initial(options.seed), [], []
    columns = (
        TextColumn("training"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("loss {task.fields[loss]:.4f}  held-out accuracy {task.fields[accuracy]:.1%}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("training", total=options.epochs, loss=np.nan, accuracy=np.nan)
        for value in training(gradient, parameters):
            losses.append(value)
            if len(losses) % steps_per_epoch == 0:
                accuracies.append(accuracy(parameters, X_held_out, y_held_out))
                mean_loss = np.mean(losses[-steps_per_epoch:])
                progress.update(task, advance=1, loss=mean_loss, accuracy=accuracies[-1])

    save_plot(options.plot, losses, accuracies)
    console.print(f"accuracy on {len(y_held_out)} held-out digits: {accuracies[-1]:.2%}", highlight=False)
    console.print(f"loss plot: {options.plot}", highlight=False)

    difference = None
    if options.compare_torch:
        theirs = list(islice(training(torch_gradient(), initial(options.seed)), COMPARED_STEPS))
        difference = float(np.max(np.abs(np.subtract(losses[: len(theirs)], theirs))))
        console.print(f"largest difference from torch's loss over {len(theirs)} steps: {difference:.1e}")
    return {
        "accuracy": accuracies[-1],
        "losses": losses,
        "plot": options.plot,
        "torch_difference": difference,
    }


if __name__ == "__main__":
    results = main()
    sys.exit(not (results["accuracy"] >= GOAL and (results["torch_difference"] or 0) <= TOLERANCE))
