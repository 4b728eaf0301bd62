"""Maximum likelihood for the normal law: from its density to the estimates, and a picture of what they are the maximum of.

The loss, its closed-form minimum and the Fisher information are derived from the density; the search for the maximum by
Newton's method finds the same numbers. The picture shows the log-likelihood over mean and sigma, and the data beside both
densities.

    python examples/gaussian_likelihood.py
    python examples/gaussian_likelihood.py --plot likelihood.png
"""

import argparse
from pathlib import Path

import numpy as np
from matplotlib.colors import BoundaryNorm
from matplotlib.figure import Figure

import derive as dv

MEAN, SIGMA, COUNT = 5.0, 2.0, 100  # what the numbers are drawn from
CELLS = 100  # of the surface, each way


def drawn() -> np.ndarray:
    """The numbers of the demonstration."""
    return np.random.RandomState(42).normal(MEAN, SIGMA, COUNT)


def density(loss: dv.Loss, y: np.ndarray, mean: float, sigma: float) -> np.ndarray:
    """The density that the loss was made from: the loss is minus its logarithm, less a constant."""
    return np.exp(-loss.function(np.full(len(y), mean), y, sigma) - loss.constant(y))


def surface(loss: dv.Loss, y: np.ndarray, means: np.ndarray, sigmas: np.ndarray) -> np.ndarray:
    """The log-likelihood of every pair, [sigma, mean]."""
    z, each = np.repeat(means, len(y)), np.tile(y, len(means))
    dropped = loss.constant(y).sum()
    losses = [loss.function(z, each, sigma).reshape(len(means), len(y)).sum(axis=1) for sigma in sigmas]
    return -(np.array(losses) + dropped)


def plot(loss: dv.Loss, y: np.ndarray, fit: dv.Fit, path: Path) -> tuple[float, float]:
    """Draw the surface and the densities; the pair with the highest log-likelihood on the grid."""
    means, sigmas = np.linspace(3, 7, CELLS), np.linspace(0.5, 4, CELLS)
    L = surface(loss, y, means, sigmas)
    mean, sigma = fit.estimates
    figure = Figure(figsize=(12, 4.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    levels = np.array([-1000, -300, -100, -30, -10, -3, -1, -0.3, -0.1, 0])
    colours = BoundaryNorm(levels, 256)
    filled = left.contourf(means, sigmas, L - L.max(), levels=levels, norm=colours, extend="min")
    figure.colorbar(filled, ax=left, format="%g", ticks=levels, label="log-likelihood less its maximum")
    left.plot(mean, sigma, "*", color="crimson", markersize=15, label=f"maximum ({mean:.3f}, {sigma:.3f})")
    left.plot(
        MEAN,
        SIGMA,
        "+",
        color="white",
        markersize=14,
        markeredgewidth=3,
        label=f"truth ({MEAN:g}, {SIGMA:g})",
    )
    left.set(xlabel="mean", ylabel="sigma", title=f"Log-likelihood of {len(y)} numbers")
    left.legend(facecolor="gray", labelcolor="white", framealpha=0.7)
    x = np.linspace(y.min() - 1, y.max() + 1, 200)
    right.hist(y, bins=20, density=True, color="lightsteelblue", edgecolor="white", label="data")
    right.plot(x, density(loss, x, mean, sigma), color="crimson", linewidth=2, label="fitted density")
    right.plot(x, density(loss, x, MEAN, SIGMA), color="black", linestyle="--", label="true density")
    right.set(xlabel="y", ylabel="density", title="Data, fitted and true density")
    right.legend()
    figure.savefig(path, dpi=120)
    best = np.unravel_index(np.argmax(L), L.shape)
    return float(means[best[1]]), float(sigmas[best[0]])


def main(arguments: list[str] | None = None) -> dict[str, object]:
    parser = argparse.ArgumentParser(description="Maximum likelihood for the normal law.")
    parser.add_argument("--plot", type=Path, default=Path("likelihood.png"), help="where to put the picture")
    options = parser.parse_args(arguments)
    y = drawn()
    loss = dv.likelihood("normal", sigma="learned")
    print(loss)
    fit = loss.fit(y)
    print(f"\n{fit}")
    print(f"\nmean of the data {y.mean():.4f}, standard deviation (ddof = 0) {y.std():.4f}")
    grid = plot(loss, y, fit, options.plot)
    print(f"highest point of the grid {grid[0]:.3f}, {grid[1]:.3f}; picture in {options.plot}")
    return {"fit": fit, "grid": grid, "y": y}


if __name__ == "__main__":
    main()
