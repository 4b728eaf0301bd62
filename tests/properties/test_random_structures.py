"""Random nested arguments: what is taken apart is put together again, and gradients have the structure of their argument."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import derive as dv
from derive.structure import Static, filled, leaves, mapped, matched, numbered, part_at, paths, places


class Pair(NamedTuple):
    first: Any
    second: Any


@dataclass(frozen=True)
class Box:
    inside: Any
    label: str | None = None


KEYS = st.text("abcW_1", min_size=1, max_size=3).filter(lambda key: not key.startswith("1"))
ARRAYS = st.sampled_from([(), (2,), (1,), (3, 2)]).map(lambda shape: np.arange(1.0, 1 + np.prod(shape)).reshape(shape))


def containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        st.dictionaries(KEYS, inner, max_size=3),
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.builds(Pair, inner, inner),
        st.builds(Box, inner, st.sampled_from([None, "label"])),
    )


TREES = st.recursive(st.one_of(ARRAYS, ARRAYS, st.none(), st.just(7)), containers, max_leaves=8)


def is_array(leaf: Any) -> bool:
    return isinstance(leaf, np.ndarray)


def same(a: Any, b: Any) -> bool:
    return [(p, type(x)) for p, x in leaves(a)] == [(p, type(x)) for p, x in leaves(b)] and type(a) is type(b)


@given(TREES)
def test_apart_and_together(tree: Any) -> None:
    structure, arrays = numbered(tree, "p", is_array)
    assert list(matched(structure, tree, "p")) == places(structure) == list(range(len(arrays)))
    again = filled(structure, list(arrays.values()))
    assert same(again, tree)
    for path in paths({"p": structure}):
        assert part_at({"p": structure}, path) is not None
    if places(structure):
        assert isinstance(structure, int | Static) or part_at({"p": structure}, next(iter(arrays))) == 0


@settings(max_examples=30, deadline=None)
@given(TREES.filter(lambda tree: any(is_array(leaf) for _, leaf in leaves(tree))))
def test_gradients_have_the_structure_of_their_argument(tree: Any) -> None:
    def fn(p: Any) -> Any:
        return sum(k * np.sum(x**2) for k, x in enumerate((x for _, x in leaves(p) if hasattr(x, "shape")), start=1))

    for f in (dv.trace(fn, p=tree), fn):
        found = dv.grad(f, "p")(tree)
        count = iter(range(1, 100))
        expected = mapped(tree, lambda _, leaf, count=count: 2 * next(count) * leaf if is_array(leaf) else leaf)
        assert [path for path, _ in leaves(found)] == [path for path, _ in leaves(expected)]
        for (path, x), (_, y) in zip(leaves(found), leaves(expected), strict=True):
            assert np.array_equal(x, y) if is_array(y) else x == y, path
