"""Single instructions, and calls of the mathematical library where a function without branches does not reach."""

from __future__ import annotations

from ..loops_gemm import GEMM as MATRIX_PRODUCT
from ._format import Format
from ._record import KernelFunction

INSTRUCTION = '''
@intrinsic
def {name}(typing, {arguments}):
    """{words}"""
    kind = {unified}

    def code(context, builder, signature, arguments):
        real = arguments[0].type
        kind = ir.FunctionType(real, [real] * {count})
        function = builder.module.declare_intrinsic("llvm.{name}", [real], kind)
        return builder.call(function, arguments)

    return kind({kinds}), code
'''
RARE = '''
@intrinsic
def rare_{name}(typing, x):
    """The library's {name}; a loop that calls it in a branch still becomes vector instructions.

    LLVM leaves such a loop alone unless a vector variant of the function that is called exists: one of 4096 lanes,
    which it never takes. It then works lane by lane, and only where the condition holds.
    """

    def code(context, builder, signature, arguments):
        real = arguments[0].type
        kind = ir.FunctionType(real, [real])
        name = f"derive_rare_{name}_{{context.get_abi_sizeof(real)}}"
        function = builder.module.globals.get(name)
        if function is None:
            library = "{name}" if isinstance(real, ir.DoubleType) else "{name}f"
            function = ir.Function(builder.module, kind, name)
            function.linkage = "internal"
            for attribute in ("noinline", "nounwind", "readnone"):
                function.attributes.add(attribute)
            block = ir.IRBuilder(function.append_basic_block())
            called = builder.module.globals.get(library) or ir.Function(builder.module, kind, library)
            block.ret(block.call(called, function.args))
        call = builder.call(function, arguments)
        set.add(call.attributes, f'"vector-function-abi-variant"="_ZGV_LLVM_M4096v_{{name}}({{name}})"')
        return call

    return x(x), code
'''


def _instruction(name: str, arguments: tuple[str, ...], words: str) -> KernelFunction:
    names, count = ", ".join(arguments), len(arguments)
    text = INSTRUCTION.format(
        name=name,
        arguments=names,
        words=words,
        count=count,
        unified=f"typing.unify_types({names})" if count > 1 else names,
        kinds=", ".join(["kind"] * count),
    )
    return KernelFunction(name, lambda f, order: text, intrinsic=True)


def _rare(name: str) -> KernelFunction:
    text = RARE.format(name=name)
    return KernelFunction(f"rare_{name}", lambda f, order: text, intrinsic=True)


MAXIMUM = _instruction(
    "maximum", ("a", "b"), "The larger of a and b, NaN if one of them is: a single vector instruction."
)
MINIMUM = _instruction(
    "minimum", ("a", "b"), "The smaller of a and b, NaN if one of them is: a single vector instruction."
)
FLOOR = _instruction("floor", ("x",), "The largest integer up to x, as a real number.")
FMA = _instruction("fma", ("a", "b", "c"), "a b + c, rounded once.")
SIN = _rare("sin")
COS = _rare("cos")
TAN = _rare("tan")
LGAMMA = _rare("lgamma")


def _sign(f: Format, order: int) -> str:
    return '''
def sign(x):
    """-1, 0 or 1; NaN stays."""
    return 1.0 if x > 0.0 else (-1.0 if x < 0.0 else x)
'''


SIGN = KernelFunction("sign", _sign)
GEMM = KernelFunction("gemm", lambda f, order: MATRIX_PRODUCT, intrinsic=True)
