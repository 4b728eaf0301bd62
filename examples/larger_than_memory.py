"""Logistic regression on more data than fits into memory, by Newton's method.

The loss is written for all examples at once, as in a textbook. Which of its sums run over the examples is seen from its
equations: value, gradient and Hessian are computed chunk by chunk and added up, in three passes over the data: for the
means of the features, for their variances, and for the rest. The chunks are made as they are needed; here they are drawn
at random, elsewhere they are read from files.

    python examples/larger_than_memory.py                               # 1 GB on two workers with 600 MB each
    python examples/larger_than_memory.py --gigabytes 20 --workers 4
    python examples/larger_than_memory.py --gigabytes 0.05 --workers 0  # in this process
"""

import argparse
from collections.abc import Sequence
from contextlib import ExitStack

import dask
import dask.array as da
import numpy as np
from distributed import Client, LocalCluster

import derive as dv

FEATURES, CHUNK = 32, 16_000


def loss(X, y, w):
    """The mean negative log-likelihood of labels y in {-1, 1}, with standardised features."""
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    return np.mean(np.log1p(np.exp(-y * (Z @ w))))


def data(gigabytes: float) -> tuple[da.Array, da.Array]:
    """Features of different scales, and labels that depend on every second one of them."""
    rows = max(CHUNK, int(gigabytes * 1e9 / (8 * FEATURES)))
    random = da.random.default_rng(0)
    Z = random.standard_normal(size=(rows, FEATURES), chunks=(CHUNK, FEATURES))
    noise = random.logistic(size=rows, chunks=CHUNK)
    return Z * (1 + np.arange(FEATURES)) + np.arange(FEATURES), da.where(Z @ truth() + noise > 0, 1.0, -1.0)


def truth():
    return np.where(np.arange(FEATURES) % 2, 0.5, 0.0)


def everything() -> dv.Function:
    """The loss, its gradient and its Hessian as one function, so that they share the passes over the data."""
    shapes = {"X": "n d", "y": "n", "w": "d"}
    f = dv.trace(loss, **shapes)
    gradient, hessian = dv.grad(f, "w"), dv.hessian(f, "w")
    return dv.trace(lambda X, y, w: (f(X, y, w), gradient(X, y, w), hessian(X, y, w)), **shapes)


def main(argv: Sequence[str] | None = None) -> dict[str, list[float]]:
    """Take a few steps of Newton's method, and print the loss and the distance to the weights that made the labels."""
    options = _parser().parse_args(argv)
    X, y = data(options.gigabytes)
    run = everything().compile()

    w, losses, errors = np.zeros(FEATURES), [], []
    with ExitStack() as running:
        if options.workers:
            cluster = LocalCluster(
                options.workers, threads_per_worker=1, memory_limit="600MB", dashboard_address=None
            )
            running.enter_context(cluster)
            running.enter_context(Client(cluster))
        print(f"{X.nbytes / 1e9:.2f} GB in {X.numblocks[0]} chunks")
        for step in range(options.steps):
            value, gradient, H = dask.compute(*run.over(X, y, w))
            w = w - np.linalg.solve(H, gradient)
            losses.append(float(value))
            errors.append(float(np.abs(w - truth()).max()))
            print(f"step {step}: loss {value:.6f}, largest error of a weight after it {errors[-1]:.4f}")
    return {"losses": losses, "errors": errors}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gigabytes", type=float, default=1.0, help="how much data (1)")
    parser.add_argument(
        "--workers", type=int, default=2, help="how many processes, 0 for threads of this one (2)"
    )
    parser.add_argument("--steps", type=int, default=5, help="how many steps of Newton's method (5)")
    return parser


if __name__ == "__main__":
    main()
