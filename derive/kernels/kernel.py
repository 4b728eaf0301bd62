"""A compiled program that is called like a function."""

from __future__ import annotations

from operator import attrgetter
from typing import Any, NoReturn

import numpy as np

from ..emit.loops import Lowered
from ..errors import DomainError
from ..ir.evaluate import evaluate
from ..ir.nodes import Program
from ..ir.sizes import solve_sizes
from .arguments import REMEMBERED_SHAPES, Arguments
from .buffers import Buffers, Room
from .threads import with_threads

SEEN = attrgetter("shape", "dtype", "flags.c_contiguous", "__class__")


class Kernel:
    """Compiled code for a program.

    Call it with arrays, by position or name. Lists, non-contiguous and read-only arrays are accepted; integers are
    promoted; float64 given to a float32 kernel is rounded to float32. The arguments are never written to.

    Attributes: `name`, `program`, `dtype` (the NumPy type it computes in), `source` (the generated module),
    `single` (it returns one array, not a tuple), `parallel` (it has loops that run on several threads).
    """

    def __init__(
        self, name: str, program: Program, dtype: type[np.floating[Any]], source: str, function: Any, lowered: Lowered,
        single: bool = False,
    ) -> None:  # fmt: skip
        self.name, self.program, self.dtype, self.source, self.single = name, program, dtype, source, single
        self.function, self.limits, self.parallel = function, lowered.limits, bool(lowered.gains)
        self._arguments = Arguments(name, program, np.dtype(dtype))
        self._buffers = Buffers(program, lowered, dtype)
        self._results = self._buffers.results
        self._seen = [
            (kind, True, np.ndarray if tensor.rank else kind.type) for tensor, kind in self._arguments.slots
        ]
        self._rooms: dict[Any, Room] = {}
        self._run = self._in_parallel if self.parallel else function

    def __call__(self, *args: Any, out: Any = None, **kwargs: Any) -> Any:
        """Run the kernel: the outputs as a tuple, or the one output by itself if the kernel is `single`.

        Args:
            args, kwargs: the inputs, by position or name.
            out: arrays to write the outputs to, one for each (or the one array of a `single` kernel); of the kernel's
                dtype, contiguous, and apart from the inputs. Outputs without axes take None. Saves the time in which
                the system finds memory for new arrays, most of the time of a kernel on large ones.

        Raises:
            ShapeError: ranks or axes that disagree; the axis, both tensors and both values are named.
            UnknownName: an argument is missing or unknown.
            DomainError: complex input, an integer that is no index of the axis that it indexes, or a matrix that has
                no inverse, factor or derivative.
        """
        if out is None and not kwargs:
            try:  # arrays of the kernel's types, of shapes that were seen before
                room = self._rooms[tuple(map(SEEN, args))]
                outputs, rest = room.take()
                numbers = self._run(*args, *outputs, *rest, *room.threads)
            except (AttributeError, KeyError, TypeError, ValueError, IndexError):
                pass  # converted or explained below
            else:
                results = self._results(room, args, outputs, rest, numbers)
                return results[0] if self.single else results
        values, shapes, sizes = self._arguments.ready(self._arguments.bind(args, kwargs))
        room = self._buffers.room(shapes, sizes)
        if len(self._rooms) > REMEMBERED_SHAPES:
            self._rooms.clear()
        self._rooms[tuple([(shape, *seen) for shape, seen in zip(shapes, self._seen, strict=True)])] = room
        outputs, rest = room.take()
        if out is not None:
            self._buffers.given(out if not self.single else (out,), outputs, values)
        try:
            numbers = self._run(*values, *outputs, *rest, *room.threads)
        except IndexError:
            self._explain(values)
            raise
        except ValueError as error:
            self._without_result(values, error)
        results = self._results(room, values, outputs, rest, numbers)
        return results[0] if self.single else results

    def _in_parallel(self, *values: Any) -> Any:
        """The last of the values says whether threads are worth waking."""
        return with_threads(self.function, values[:-1], values[-1])

    def _explain(self, values: list[Any]) -> None:
        """Say which integer is out of range.

        Raises:
            DomainError: always, unless every integer is in its range.
        """
        arrays = dict(zip(self._arguments.names, values, strict=True))
        sizes = solve_sizes(self.program, arrays)
        for tensor, bound in self.limits:
            limit = int(bound.subs(sizes))
            array = np.asarray(arrays[tensor.name])
            wrong = np.argwhere((array < 0) | (array >= limit))
            if len(wrong):
                place = tuple(int(i) for i in wrong[0])
                raise DomainError(
                    f"{tensor.name}{list(place) if place else ''} is {array[place]}, but it is an index "
                    f"below {bound} = {limit}: it must be in 0..{limit - 1}"
                ) from None
        evaluate(self.program, arrays)  # an index that is computed: the interpreter says which

    def _without_result(self, values: list[Any], error: ValueError) -> NoReturn:
        """Say which matrix has no result, as the interpreter does.

        Raises:
            DomainError: always.
        """
        evaluate(self.program, dict(zip(self._arguments.names, values, strict=True)))
        raise DomainError(f"{self.name}: {error}") from error

    def __repr__(self) -> str:
        return f"<kernel {self.name}({', '.join(self._arguments.names)}) in {np.dtype(self.dtype).name}>"
