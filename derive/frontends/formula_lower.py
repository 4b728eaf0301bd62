"""The tree of a formula -> traced arrays, by NumPy's functions: what they mean stands in their records and nowhere else."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NoReturn

import sympy

from ..errors import ShapeError, closest
from ..ir.nodes import Read, Tensor
from .formula_code import FormulaCode
from .formula_conventions import TIED, is_tied
from .formula_derivatives import Taken, base_of, depends, gradient, jacobian_of, pulled, pushed
from .formula_expectation import Means
from .formula_grammar import KEYWORDS, MODULES, Style, dotted
from .formula_names import (
    BY_ENTRY,
    CONSTANTS,
    DERIVATIVES,
    MEANS,
    OF_TWO,
    OPTIONS,
    OWN,
    UNLIKE,
    canonical,
    functions,
    is_elementwise,
    methods,
    near,
)  # fmt: skip
from .formula_tree import (
    Attribute,
    Call,
    Chain,
    Compare,
    Definition,
    Name,
    Negative,
    Node,
    Number,
    Place,
    Power,
    Several,
    Slice,
    Subscript,
    Text,
    Transpose,
)  # fmt: skip
from .formula_values import MATLAB, Operators, Value
from .primitives import store
from .trace import Trace
from .traced import Traced

ENTRYWISE = {
    "+": "numpy.add", "-": "numpy.subtract", ".*": "numpy.multiply", "./": "numpy.divide", ".^": "numpy.power",
    "**": "numpy.power", "<": "numpy.less", "<=": "numpy.less_equal", ">": "numpy.greater", ">=": "numpy.greater_equal",
    "==": "numpy.equal", "!=": "numpy.not_equal", "~=": "numpy.not_equal",
}  # fmt: skip
"""Operators that go entry by entry in both styles."""

SEVERAL = {f"numpy.linalg.{name}" for name in ("slogdet", "qr", "eigh", "svd")}
"""Functions that give several arrays, of which an index takes one."""

EXAMPLES = {
    "grad": "grad(x'*A*x, x)",
    "jacobian": "jacobian(A*x, x)",
    "hessian": "hessian(x'*A*x, x)",
    "jvp": "jvp(inv(X), X, dX)",
    "vjp": "vjp(inv(X), X, G)",
}
LARGEST_ARGUMENT = 1_000
"""Integers given to functions, as an axis or a number of repetitions."""


class Lowering:
    """One formula on one set of traced arrays; `signs` are how it writes its operators, for messages."""

    signs = MATLAB

    def __init__(
        self, trace: Trace, code: FormulaCode, style: Style, names: Mapping[str, Value], lengths: Mapping[int, Any]
    ) -> None:
        """`names` are the arrays and sizes by name; `lengths` the sizes of vector(..) and matrix(..) by character."""
        self.trace, self.code, self.style, self.lengths = trace, code, style, lengths
        self.names, self.defined = dict(names), dict[str, Value]()
        self.operators = Operators(trace, code, style, self.signs)
        self.means = Means(trace, code, self.operators, self.value)
        self.derivatives: list[Taken] = []

    def define(self, definitions: Iterable[Definition], apart: Collection[str]) -> None:
        """Give names to formulas, each after what it uses; those `apart` become tensors that one can differentiate by."""
        for d in definitions:
            value = self.value(d.body)
            with self.code.at(d.place):
                if d.name in apart:
                    axes = self.trace.indices(value.array)
                    value = Value(store(self.trace, axes, value.array.at(axes), "defined"), value.row)
                self.names[d.name] = self.defined[d.name] = value
                self.code.named[d.name] = value.array

    def result(self, tree: Node) -> Traced:
        """The array that the whole formula stands for."""
        return self.value(tree).array

    def value(self, node: Node) -> Value:
        """The array that a node stands for."""
        with self.code.at(node.place):
            return self._value(node)

    def _value(self, node: Node) -> Value:
        match node:
            case Number(value=value):
                return Value(self.trace.view((), value))
            case Name():
                return self.name(node)
            case Chain():
                return self.chain(node)
            case Negative(arg=arg):
                return self.operators.by_entry("numpy.negative", self.value(arg))
            case Power(symbol="^", base=base, exponent=exponent):
                return self.operators.power(self.value(base), self.value(exponent))
            case Power(symbol=symbol, base=a, exponent=b) | Compare(symbol=symbol, left=a, right=b):
                return self.operators.by_entry(ENTRYWISE[symbol], self.value(a), self.value(b))
            case Transpose(arg=arg, symbol=symbol):
                return self.operators.transposed(self.value(arg), symbol)
            case Call(receiver=None):
                return self.call(node)
            case Call():
                return self.method(node)
            case Attribute():
                return self.attribute(node)
            case Subscript():
                return self.subscript(node)
        raise self.code.error(f"{self.code.where()} stands where an array is needed")

    def name(self, node: Name) -> Value:
        if node.name in self.names:
            return self.names[node.name]
        if node.name in CONSTANTS:
            return Value(self.trace.view((), CONSTANTS[node.name]))
        raise self.code.error(f"{node.name} is not known; {closest(node.name, self.names)}")

    def chain(self, node: Chain) -> Value:
        total = self.value(node.first)
        for symbol, operand in node.rest:
            right = self.value(operand)
            with self.code.at(Place(node.place.start, operand.place.end)):
                total = self.join(symbol, total, right)
        return total

    def join(self, symbol: str, a: Value, b: Value) -> Value:
        """Two operands with a sign between them."""
        match symbol:
            case "*":
                return self.operators.product(a, b)
            case "@":
                return self.operators.matrix_product(a, b)
            case "/":
                return self.operators.quotient(a, b)
            case "\\":
                return self.operators.left_quotient(a, b)
        return self.operators.by_entry(ENTRYWISE[symbol], a, b)

    # -- functions

    def call(self, node: Call) -> Value:
        name = node.function
        if name in self.names:
            raise self.code.error(f"{name} is an array, not a function; write {name}*(...) for a product")
        if name in DERIVATIVES:
            return self.derivative(name, node)
        if name in MEANS:
            self.without_options(node)
            return self.means.call(node)
        if name in OWN:
            return self.own(name, node)
        if name in OF_TWO and len(node.args) == 2 and not node.options:
            return self.operators.by_entry(OF_TWO[name], *map(self.value, node.args))
        known = functions().get(name) or (canonical(name) if "." in name else None)
        if known is None:
            raise self.code.error(f"there is no function {name}{near(name)}")
        if is_elementwise(known) or known in BY_ENTRY:
            self.without_options(node)
            return self.operators.by_entry(known, *map(self.value, node.args))
        args = tuple(map(self.argument, node.args))
        if self.style.columns and "." not in name:
            self.unambiguous(name, known, args, node)
        return self.apply(known, args, self.options(node))

    def own(self, name: str, node: Call) -> Value:
        """The functions that only formulas have."""
        self.without_options(node)
        if len(node.args) != 1:
            raise self.code.error(f"{name} takes one argument; found {len(node.args)}")
        x = self.value(node.args[0])
        match name:
            case "norm1":
                return self.apply("numpy.sum", (self.operators.by_entry("numpy.absolute", x),))
            case "norm2":
                return self.apply("numpy.linalg.norm", (x,))
            case "logdet":
                return self.apply("numpy.linalg.slogdet", (x,), take=1)
            case "relu":
                return self.operators.by_entry("numpy.maximum", x, Value(self.trace.view((), sympy.S.Zero)))
            case "vec":
                turned = self.operators.transposed(x) if x.rank == 2 else x
                return self.apply("numpy.ravel", (turned,)) if x.rank <= 2 else self._no_columns(x)
            case "transpose":
                return self.operators.transposed(x)
        if x.rank:
            raise self.code.error(f"{name}(...) repeats a number; found a {x.shape}")
        return self.apply("numpy.full", (tuple(map(self.trace.number, self.lengths[node.place.start])), x))

    def _no_columns(self, x: Value) -> NoReturn:
        raise self.code.error(f"vec lists the columns of a matrix; found an {x.shape}; try: ravel, which lists by rows")

    def derivative(self, name: str, node: Call) -> Value:
        """``grad(f, x)``, ``jacobian(f, x)``, ``hessian(f, x)``, ``jvp(f, x, dx)``, ``vjp(f, x, g)``.

        By a name that is defined, it is the derivative of f as a function of what has that name. With ``tied=True``,
        ``A[i,j]`` and ``A[j,i]`` of a symmetric A are one variable, as in `derive.grad`.
        """
        tied = self.tied(name, node)
        if len(node.args) != DERIVATIVES[name]:
            raise self.code.error(
                f"{name} takes {DERIVATIVES[name]} arguments, as in {EXAMPLES[name]}; found {len(node.args)}"
            )
        y = self.value(node.args[0])
        x, row = self.variable(node.args[1], y)
        if name in ("grad", "hessian") and y.rank:
            raise ShapeError(f"{name} needs a scalar; found a {y.shape}; try: jacobian, or sum(...)")
        base = base_of(self.trace, y.array, x)
        given: tuple[Traced, ...] = ()
        match name:
            case "grad":
                found = Value(gradient(self.trace, base, x, tied), row)
            case "hessian":
                slope = base_of(self.trace, gradient(self.trace, base, x), x)
                found = Value(jacobian_of(self.trace, slope, x))
            case "jvp":
                tangent = self.value(node.args[2]).array
                self.one_shape("direction", x.shape, tangent)
                given = (tangent,)
                found = Value(pushed(self.trace, base, x, tangent), y.row)
            case "vjp":
                cotangent = self.value(node.args[2]).array
                self.one_shape("cotangent", y.array.extents, cotangent)
                given = (cotangent,)
                found = Value(pulled(self.trace, base, x, cotangent), row)
            case _:
                found = Value(jacobian_of(self.trace, base, x))
        variable = self.trace.view((axes := self.trace.fresh(x.shape)), Read(x, axes))
        self.derivatives.append(Taken(name, base[0], x.name, (found.array, variable, *given), tied))
        return found

    def tied(self, name: str, node: Call) -> bool:
        """Whether the entries of a symmetric variable are one variable."""
        if name != "grad" or [option for option, _ in node.options] != [TIED]:
            self.without_options(node)
            return False
        (value,) = (value for _, value in node.options)
        if not (isinstance(value, Name) and isinstance(KEYWORDS.get(value.name), bool)):
            with self.code.at(value.place):
                raise self.code.error("tied is True or False")
        variable = node.args[1] if len(node.args) > 1 else None
        entry = self.names[variable.name].array.entry if isinstance(variable, Name) and variable.name in self.names else None
        if is_tied(node) and isinstance(entry, Read) and "symmetric" not in entry.tensor.facts:
            raise self.code.error(
                f"tied=True is for a matrix that is declared symmetric; try: {entry.tensor.name}=\"n n, symmetric\""
            )
        return is_tied(node)

    def one_shape(self, what: str, shape: Sequence[Any], given: Traced) -> None:
        """What is given beside the function and the variable of a derivative has the shape of one of them."""
        if len(shape) != given.rank:
            raise ShapeError(f"the {what} has {given.rank} axes, and should have {len(shape)} ({self.trace.place()})")
        for p, (extent, own) in enumerate(zip(shape, given.extents, strict=True)):
            self.trace.unify(extent, own, f"the {what}", (given, p))

    def variable(self, node: Node, y: Value) -> tuple[Tensor, bool]:
        """The input or definition that a name stands for, to differentiate `y` by, and whether it is a row."""
        value = self.names.get(node.name) if isinstance(node, Name) else None
        entry = value.array.entry if value is not None else None
        with self.code.at(node.place):
            if value is None or not isinstance(entry, Read) or entry.tensor.kind != "real":
                raise self.code.error("a derivative is by a variable: write its name")
            if isinstance(node, Name) and node.name in self.defined and not depends(self.trace, y.array, entry.tensor):
                raise self.code.error(
                    f"what is differentiated does not use {node.name}; write it with the name {node.name} where it is meant"
                )
        return entry.tensor, value.row

    def method(self, node: Call) -> Value:
        assert node.receiver is not None
        if node.function not in methods():
            raise self.code.error(f"an array has no method {node.function}; {closest(node.function, methods())}")
        args = (self.value(node.receiver), *map(self.argument, node.args))
        return self.apply(node.function, args, self.options(node))

    def apply(
        self, name: str, args: tuple[Any, ...], options: Mapping[str, Any] = MappingProxyType({}), take: int | None = None
    ) -> Value:  # fmt: skip
        """A function of NumPy; of a row it makes a row, of a matrix summed over axis 0 as well."""
        result = self.operators.call(name, plain(args), {k: plain(v) for k, v in options.items()})
        if take is not None and isinstance(result, tuple) and -len(result) <= take < len(result):
            result = result[take]
        if isinstance(result, tuple):
            raise self.code.error(f"{name} gives {len(result)} arrays; try: {name}(...)[0], up to [{len(result) - 1}]")
        if isinstance(result, int):
            result = self.trace.lift(result)
        if not isinstance(result, Traced):
            raise self.code.error(f"{name} gives a {type(result).__name__}, where one array is needed")
        first = args[0] if args and isinstance(args[0], Value) else None
        row = first is not None and (first.row or (first.rank == 2 and options.get("axis") in (0, -2)))
        return Value(result, row and result.rank == 1)

    def unambiguous(self, name: str, known: str, args: tuple[Any, ...], node: Call) -> None:
        """A bare name must not mean one thing in MATLAB and another in NumPy."""
        if name in UNLIKE:
            raise self.code.error(f"{name} is ambiguous: {UNLIKE[name]}")
        if len(args) > 1 and name in methods():
            raise self.code.error(
                f"{name} with the number of an axis counts from 1 in MATLAB and from 0 in NumPy; try: axis=0"
            )
        first = args[0] if args else None
        if known == "numpy.linalg.norm" and isinstance(first, Value) and first.rank > 1 and "ord" not in dict(node.options):
            raise self.code.error(
                "norm of a matrix is the largest singular value in MATLAB and the Frobenius norm in NumPy; try: norm2(A) "
                "for the Frobenius norm, np.linalg.norm(A, ord=2) for the other"
            )

    # -- arguments

    def argument(self, node: Node) -> Any:
        """What a function is given: an array, an integer, a tuple, or None, True and False."""
        match node:
            case Number(value=value) if value.is_Integer:
                return self.integer(int(value), node)
            case Negative(arg=Number(value=value)) if value.is_Integer:
                return self.integer(-int(value), node)
            case Name(name=name) if name in KEYWORDS:
                return KEYWORDS[name]
            case Several(items=items):
                return tuple(map(self.argument, items))
            case Text(value=value):
                return value
            case Attribute(name="shape", receiver=receiver):
                return self.value(receiver).array.shape
        return self.value(node)

    def integer(self, value: int, node: Node) -> int:
        if abs(value) > LARGEST_ARGUMENT:
            with self.code.at(node.place):
                raise self.code.error(f"functions take integers up to {LARGEST_ARGUMENT}")
        return value

    def options(self, node: Call) -> dict[str, Any]:
        for name, value in node.options:
            if name not in OPTIONS:
                with self.code.at(value.place):
                    raise self.code.error(f"there is no option {name}; {closest(name, OPTIONS)}")
        if len(dict(node.options)) < len(node.options):
            raise self.code.error("an option is given twice")
        return {name: self.argument(value) for name, value in node.options}

    def without_options(self, node: Call) -> None:
        if node.options:
            raise self.code.error(f"{node.function} has no option {node.options[0][0]}")

    # -- attributes and indices

    def attribute(self, node: Attribute) -> Value:
        name = dotted(node)
        if name in CONSTANTS:
            return Value(self.trace.view((), CONSTANTS[name]))
        if name and name.split(".")[0] in MODULES:
            raise self.code.error(f"{name} is no constant; {closest(name, CONSTANTS)}")
        x = self.value(node.receiver).array
        match node.name:
            case "size":
                return Value(self.trace.lift(x.size))
            case "ndim":
                return Value(self.trace.lift(x.ndim))
        raise self.code.error(f"an array has no {node.name}; {closest(node.name, ['T', 'mT', 'shape', 'size', 'ndim'])}")

    def subscript(self, node: Subscript) -> Value:
        if isinstance(node.receiver, Attribute) and node.receiver.name == "shape":
            shape = self.value(node.receiver.receiver).array.shape
            place = self.index(node.items[0])
            if len(node.items) != 1 or not isinstance(place, int) or not -len(shape) <= place < len(shape):
                raise self.code.error(f"the shape has {len(shape)} entries")
            return Value(self.trace.lift(shape[place]))
        several = self.several(node)
        if several is not None:
            return several
        x = self.value(node.receiver)
        return Value(self.trace.getitem(x.array, tuple(map(self.index, node.items))))

    def several(self, node: Subscript) -> Value | None:
        """One of the results of a function that has several, as in ``np.linalg.slogdet(A)[1]``."""
        match node:
            case Subscript(receiver=Call(receiver=None) as call, items=(Number() as item,)) if item.value.is_Integer:
                known = functions().get(call.function, "")
                if known in SEVERAL:
                    args = tuple(map(self.argument, call.args))
                    return self.apply(known, args, self.options(call), take=self.integer(int(item.value), item))
        return None

    def index(self, node: Node) -> Any:
        match node:
            case Number(value=value) if value.is_Integer:
                return int(value)
            case Negative(arg=Number(value=value)) if value.is_Integer:
                return -int(value)
            case Name(name="..."):
                return ...
            case Name(name="None"):
                return None
            case Slice(parts=parts):
                return slice(*(None if p is None else self.index(p) for p in parts))
        return self.value(node).array


def plain(value: Any) -> Any:
    """Values as arrays, also within tuples."""
    if isinstance(value, tuple):
        return tuple(map(plain, value))
    return value.array if isinstance(value, Value) else value
