"""Records are found by their folder: every instance of a record type in the modules of a package."""

import pkgutil
from importlib import import_module
from types import ModuleType
from typing import TypeVar

T = TypeVar("T")


def records(package: ModuleType, kind: type[T]) -> list[T]:
    """All records of type `kind` defined in the modules of `package`, in the order of files and lines."""
    found: dict[int, T] = {}
    for info in sorted(pkgutil.iter_modules(package.__path__), key=lambda info: info.name):
        module = import_module(f"{package.__name__}.{info.name}")
        for value in vars(module).values():
            if isinstance(value, kind):
                found.setdefault(id(value), value)
    return list(found.values())
