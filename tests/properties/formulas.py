"""Random formulas as text, in MATLAB's spelling and in NumPy's, with what they mean as NumPy code on columns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .maker import Choices

SHAPES = {"a": "", "b": "", "x": "n", "y": "m", "z": "n", "A": "n m", "B": "n m", "S": "n n", "P": "n n, positive definite"}
SCALAR, N, M, NM, NN, MN, MM = (), ("n",), ("m",), ("n", "m"), ("n", "n"), ("m", "n"), ("m", "m")
Shape = tuple[str, ...]
NAMES: dict[Shape, tuple[str, ...]] = {
    SCALAR: ("a", "b", "0.5", "3"), N: ("x", "z"), M: ("y",), NM: ("A", "B"), NN: ("S", "P"), MN: (), MM: (),
}  # fmt: skip


@dataclass(frozen=True)
class Formula:
    """A formula in both spellings, and NumPy code in which vectors are columns: arrays with two axes."""

    matlab: str
    numpy: str
    columns: str


def formula(choices: Choices, shape: Shape = SCALAR, depth: int = 4) -> Formula:
    """A random formula of that shape."""
    leaf = depth <= 0 or choices.integer(0, 9) == 0
    names = NAMES[shape]
    if leaf and names:
        name = names[choices.integer(0, len(names) - 1)]
        return Formula(name, name, name)
    forms = FORMS[len(shape)] + (() if len(shape) == 0 else BOTH)
    if leaf:
        return transposed(choices, shape, 0) if shape == MN else Formula("A'*B", "(A.T @ B)", "(A.T @ B)")
    return forms[choices.integer(0, len(forms) - 1)](choices, shape, depth - 1)


Form = Callable[[Choices, Shape, int], Formula]


def filled(matlab: str, numpy: str, columns: str, *shapes: Callable[[Choices, Shape], Shape]) -> Form:
    """A form with places ``{0}``, ``{1}`` for formulas of these shapes."""

    def form(choices: Choices, shape: Shape, depth: int) -> Formula:
        parts = [formula(choices, of(choices, shape), depth) for of in shapes]
        return Formula(
            matlab.format(*(p.matlab for p in parts)),
            numpy.format(*(p.numpy for p in parts)),
            columns.format(*(p.columns for p in parts)),
        )

    return form


def same(choices: Choices, shape: Shape) -> Shape:
    return shape


def number(choices: Choices, shape: Shape) -> Shape:
    return SCALAR


def fixed(shape: Shape) -> Callable[[Choices, Shape], Shape]:
    return lambda choices, _: shape


def transposed(choices: Choices, shape: Shape, depth: int) -> Formula:
    inner = formula(choices, shape[::-1], depth)
    return Formula(f"({inner.matlab})'", f"({inner.numpy}).T", f"({inner.columns}).T")


def product(choices: Choices, shape: Shape, depth: int) -> Formula:
    """A matrix product with the middle extent n or m."""
    middle = "nm"[choices.integer(0, 1)]
    left = formula(choices, (shape[0], middle), depth)
    right = formula(choices, (middle, *shape[1:]), depth)
    return Formula(
        f"({left.matlab})*({right.matlab})",
        f"(({left.numpy}) @ ({right.numpy}))",
        f"(({left.columns}) @ ({right.columns}))",
    )


def quadratic(choices: Choices, shape: Shape, depth: int) -> Formula:
    left, right = ("nm"[choices.integer(0, 1)] for _ in range(2))
    x, M, y = (formula(choices, s, depth) for s in ((left,), (left, right), (right,)))
    return Formula(
        f"({x.matlab})'*({M.matlab})*({y.matlab})",
        f"(({x.numpy}) @ ({M.numpy}) @ ({y.numpy}))",
        f"(({x.columns}).T @ ({M.columns}) @ ({y.columns})).item()",
    )


def outer(choices: Choices, shape: Shape, depth: int) -> Formula:
    x, y = (formula(choices, (e,), depth) for e in shape)
    return Formula(
        f"({x.matlab})*({y.matlab})'",
        f"np.outer({x.numpy}, {y.numpy})",
        f"(({x.columns}) @ ({y.columns}).T)",
    )


def diagonal(choices: Choices, shape: Shape, depth: int) -> Formula:
    if shape[0] != shape[1]:
        return outer(choices, shape, depth)
    x = formula(choices, shape[:1], depth)
    return Formula(f"diag({x.matlab})", f"np.diag({x.numpy})", f"np.diagflat({x.columns})")


def solved(choices: Choices, shape: Shape, depth: int) -> Formula:
    if shape[0] != "n":
        return product(choices, shape, depth)
    b = formula(choices, shape, depth)
    return Formula(
        f"inv(P)*({b.matlab})", f"np.linalg.solve(P, {b.numpy})", f"np.linalg.solve(P, {b.columns})"
    )


def of_any(matlab: str, numpy: str, columns: str) -> Form:
    """A number made of all entries of something."""

    def some(choices: Choices, _: Shape) -> Shape:
        return (N, M, NM, NN)[choices.integer(0, 3)]

    return filled(matlab, numpy, columns, some)


BOTH: tuple[Form, ...] = (
    filled("({0} + {1})", "({0} + {1})", "({0} + {1})", same, same),
    filled("({0} - {1})", "({0} - {1})", "({0} - {1})", same, same),
    filled("(({0}).*({1}))", "(({0}) * ({1}))", "(({0}) * ({1}))", same, same),
    filled("(({0})./(2 + ({1}).^2))", "(({0}) / (2 + ({1}) ** 2))", "(({0}) / (2 + ({1}) ** 2))", same, same),
    filled("({0})*({1})", "({0}) * ({1})", "(({0}) * ({1}))", number, same),
    filled("tanh({0})", "np.tanh({0})", "np.tanh({0})", same),
    filled("exp(-({0}).^2)", "np.exp(-({0}) ** 2)", "np.exp(-({0}) ** 2)", same),
    filled("-({0})", "-({0})", "(-({0}))", same),
)
FORMS: dict[int, tuple[Form, ...]] = {
    0: (
        filled("({0} + {1})", "({0} + {1})", "({0} + {1})", number, number),
        filled("({0} - ({1}))", "({0} - ({1}))", "({0} - ({1}))", number, number),
        filled("({0})*({1})", "({0}) * ({1})", "(({0}) * ({1}))", number, number),
        filled("({0})/(1 + ({1})^2)", "({0}) / (1 + ({1}) ** 2)", "(({0}) / (1 + ({1}) ** 2))", number, number),
        filled("log(1 + ({0})^2)", "np.log(1 + ({0}) ** 2)", "np.log(1 + ({0}) ** 2)", number),
        filled("sin({0})", "np.sin({0})", "np.sin({0})", number),
        of_any("sum(sum({0}))", "np.sum({0})", "np.sum({0})"),
        of_any("sum({0})", "np.sum({0})", "np.sum({0})"),
        filled("norm2({0})^2", "np.linalg.norm({0}) ** 2", "np.sum(({0}) ** 2)", fixed(N)),
        filled("norm1({0})", "np.abs({0}).sum()", "size({0})", fixed(M)),
        filled("tr({0})", "np.trace({0})", "np.trace({0})", fixed(NN)),
        filled("({0})'*({1})", "(({0}) @ ({1}))", "(({0}).T @ ({1})).item()", fixed(N), fixed(N)),
        quadratic, quadratic,
        filled("log(det(P))", "np.log(np.linalg.det(P))", "np.log(np.linalg.det(P))"),
        filled("tr(inv(P)*({0}))", "np.trace(np.linalg.inv(P) @ ({0}))", "np.trace(np.linalg.inv(P) @ ({0}))", fixed(NN)),
    ),
    1: (product, product, solved),
    2: (product, transposed, outer, diagonal, solved),
}  # fmt: skip
