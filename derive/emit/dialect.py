"""How a framework spells what array code needs: the table that a target fills in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from .code import Code, Prefix
from .layout import Statement


@dataclass(frozen=True)
class Update:
    """``target[index] += value``.

    index: an item for each axis, a name, an expression or ``":"``.
    arrays: which items are integer arrays.
    number: whether the value is a plain number.
    repeats: whether the index may name an entry more than once, so that ``+=`` would lose increments.
    base: what is added to: the target itself or, where nothing changes in place, its first value.
    """

    target: str
    index: tuple[str, ...]
    arrays: tuple[bool, ...]
    value: Code
    number: bool
    repeats: bool
    base: Code


@dataclass(frozen=True)
class Dialect:
    """The spelling of one framework; ``{like}`` stands for an array whose type (and device) is taken.

    module: the name under which the framework is imported.  axis: the keyword of reductions.
    methods: the method of a reduction where it has another name; `one_axis`: those that take one axis only.
    update: writes an `Update`; `arrays_first`: it needs integer arrays for all axes before the last one.
    copy: the method that copies; empty where arrays never change in place.
    flip: the method that reverses an axis, where a slice cannot.
    einsum: further arguments of einsum.  truth: makes an array of one truth value, where that is needed.
    target: the key of the operations' own spellings.
    numbers: spellings that replace an operation's own where its last argument is a plain number.
    """

    target: str
    module: str
    axis: str
    methods: Mapping[str, str]
    swap_last: str
    permute: str
    infinity: str
    arange: str
    arange_real: str
    cast: str
    integer: str
    concatenate: str
    zeros: str
    integer_zeros: str
    full: str
    update: Callable[[Update], Statement]
    copy: str = ""
    flip: str = ""
    one_axis: tuple[str, ...] = ()
    einsum: tuple[str, ...] = ()
    numbers: Mapping[str, str] = field(default_factory=dict)
    truth: str = ""
    promotes_integers: bool = True
    arrays_first: bool = False


def increment(update: Update) -> Statement:
    """``T[index] += v``, or ``-=`` for a value that starts with a minus."""
    value, sign = update.value, "+="
    if isinstance(value, Prefix) and value.operator == "-":
        value, sign = value.base, "-="
    return Statement(f"{update.target}[{', '.join(update.index)}] {sign}", value)
