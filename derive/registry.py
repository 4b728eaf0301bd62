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


def home(package: ModuleType, record: object) -> str:
    """The file that defines a record, ``derive/ops/elementwise/gamma.py``; the folder, if no module holds it by name."""
    folder = package.__name__.replace(".", "/")
    for info in sorted(pkgutil.iter_modules(package.__path__), key=lambda info: info.name):
        module = import_module(f"{package.__name__}.{info.name}")
        if any(value is record for value in vars(module).values()) and _defines(module, record):
            return f"{folder}/{info.name}.py"
    return folder


def _defines(module: ModuleType, record: object) -> bool:
    """Whether a lowering is written in this module, not imported by it; other records are never imported."""
    lower = getattr(record, "lower", None)
    return lower is None or lower.__module__ == module.__name__
