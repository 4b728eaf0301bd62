"""`f.over` on a cluster whose workers have less memory than there is data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import derive as dv

from ..properties.checks import close

dask = pytest.importorskip("dask", reason="f.over runs on dask arrays")
da = pytest.importorskip("dask.array")
distributed = pytest.importorskip("distributed", reason="a cluster with workers of its own")

LIMIT = 500e6
ROWS, COLUMNS, CHUNKS = 15_000, 64, 72
CONFIG = {
    "distributed.worker.memory.target": False,  # nothing goes to the disk: a worker with too much memory is ended
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.admin.large-graph-warning-threshold": "1MB",
}


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with (
        dask.config.set(CONFIG),
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=2, memory_limit=int(LIMIT), dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def block(number: int) -> Any:
    """A chunk of the data; they repeat after three."""
    return np.resize(np.sin(np.arange(1009.0)) * (1 + number % 3), (ROWS, COLUMNS))


def loss(X: Any, y: Any, w: Any) -> Any:
    return np.mean(((X - X.mean(axis=0)) @ w - y) ** 2)


def test_gradients_over_more_data_than_memory(client: Any) -> None:
    X = da.map_blocks(
        lambda block_info=None: block(block_info[None]["chunk-location"][0]),
        chunks=((ROWS,) * CHUNKS, COLUMNS),
        dtype=float,
        meta=np.empty((0, 0)),
    )
    y, w = da.cos(X[:, 0]), np.linspace(-1, 1, COLUMNS)
    assert X.nbytes > LIMIT
    f = dv.value_and_grad(dv.trace(loss, X="n d", y="n", w="d"), "w")
    value, gradient = dask.compute(*f.compile().over(X, y, w))

    some = np.concatenate([block(number) for number in range(3)])
    right, expected = f(some, np.cos(some[:, 0]), w)
    close(value, right, "loss")
    close(gradient, expected, "gradient")


def test_data_that_is_on_the_cluster_stays_there(client: Any) -> None:
    X = da.from_array(np.arange(60.0).reshape(20, 3), chunks=(6, 3)).persist()
    f = dv.trace(lambda X: (X - X.mean(axis=0)) / X.std(axis=0), X="n d")
    plain = np.arange(60.0).reshape(20, 3)
    close(f.over(X).compute(), (plain - plain.mean(axis=0)) / plain.std(axis=0), "standardised")
    close(
        f.over(X.rechunk((5, 3))).compute(),
        (plain - plain.mean(axis=0)) / plain.std(axis=0),
        "in other chunks",
    )
