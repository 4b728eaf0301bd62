"""Compiled modules on disk, one folder for each content: whatever could change the code is in the folder's name."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

SOURCE, MANIFEST = "kernel.py", "manifest.json"
_LOCK = threading.RLock()
_LOADED: dict[str, Any] = {}


def load_function(source: str, name: str, signature: tuple[Any, ...], library: str = "") -> Any:
    """The function `name` of the module `source`, compiled for `signature`: from this process, from disk, or anew.

    library: the source of a module that `source` imports under its `library_name`; what has been compiled of it for
        one kernel serves all others.
    """
    key = digest(source, str(signature), *fingerprint())
    with _LOCK:
        if library:
            _load_library(library)
        if key not in _LOADED:
            _LOADED[key] = _from_disk(source, name, signature, f"{name}-{key[:24]}")
        return _LOADED[key]


def library_name(source: str) -> str:
    """The name of the module with this source; another content has another name."""
    return f"derive_library_{digest(source, *fingerprint())[:24]}"


def _load_library(source: str) -> None:
    """Make the library importable; its functions are compiled when a kernel first calls them."""
    name = library_name(source)
    if name in sys.modules:
        return
    folder = cache_root() / name.replace("_", "-")
    folder.mkdir(exist_ok=True)
    path = folder / SOURCE
    if not path.exists() or path.read_text(encoding="utf-8") != source:
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=folder, suffix=".tmp", delete=False) as file:
            file.write(source)
        os.replace(file.name, path)
    module = ModuleType(name)
    module.__file__ = str(path)
    sys.modules[name] = module
    with _index_beside_source():
        exec(compile(source, str(path), "exec"), module.__dict__)


def _from_disk(source: str, name: str, signature: tuple[Any, ...], folder: str) -> Any:
    root = cache_root()
    entry = root / folder
    if not entry.exists():
        _copy_of_another(entry, source)
    whole = intact(entry, source)
    if whole:
        try:
            return compiled(folder, entry / SOURCE, source, name, signature)
        except Exception:
            pass
    building = Path(tempfile.mkdtemp(prefix=f".{folder}.", dir=root))
    try:
        (building / SOURCE).write_text(source, encoding="utf-8")
        function = compiled(folder, building / SOURCE, source, name, signature)
        write_manifest(building)
        publish(building, entry, replace=whole)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return function


def _copy_of_another(entry: Path, source: str) -> None:
    """Take over the entry of a folder that can be read but not written: Numba loads from no such folder."""
    for other in _candidates():
        if other != entry.parent and intact(other / entry.name, source):
            building = Path(tempfile.mkdtemp(prefix=f".{entry.name}.", dir=entry.parent))
            shutil.copytree(other / entry.name, building, dirs_exist_ok=True)
            return publish(building, entry, replace=False)


def compiled(folder: str, path: Path, source: str, name: str, signature: tuple[Any, ...]) -> Any:
    """Run the module at `path` and compile its function, or load it from Numba's index beside the file."""
    module = ModuleType("derive_kernel_" + folder.replace("-", "_"))
    module.__file__ = str(path)
    sys.modules[module.__name__] = module
    with _index_beside_source():
        exec(compile(source, str(path), "exec"), module.__dict__)
        function = getattr(module, name)
        function.compile(signature)
    function.disable_compile()
    return function


@contextmanager
def _index_beside_source() -> Iterator[None]:
    """Numba would put its index elsewhere if the user has set NUMBA_CACHE_DIR."""
    import numba

    config: Any = numba.config
    before = config.CACHE_DIR
    config.CACHE_DIR = ""
    try:
        yield
    finally:
        config.CACHE_DIR = before


def intact(entry: Path, source: str) -> bool:
    """The entry is complete, and no file in it differs from what was written."""
    try:
        if (entry / SOURCE).read_text(encoding="utf-8") != source:
            return False
        manifest = json.loads((entry / MANIFEST).read_text(encoding="utf-8"))
        return bool(manifest) and all(file_digest(entry / file) == known for file, known in manifest.items())
    except (OSError, ValueError, AttributeError):
        return False


def write_manifest(folder: Path) -> None:
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.suffix in (".py", ".nbi", ".nbc"))
    manifest = {str(p.relative_to(folder)): file_digest(p) for p in files}
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")


def publish(building: Path, entry: Path, replace: bool) -> None:
    """Give a finished folder its name at once; what another process has put there stays if it is whole.

    replace: it is whole, but it could not be loaded.
    """
    for _ in range(2):
        try:
            building.rename(entry)
            return
        except OSError:
            source = (building / SOURCE).read_text(encoding="utf-8")
            if not entry.exists() or (intact(entry, source) and not replace):
                return
            broken = Path(tempfile.mkdtemp(prefix=f".{entry.name}.", dir=entry.parent))
            try:
                entry.rename(broken / "broken")
            except OSError:
                return
            finally:
                shutil.rmtree(broken, ignore_errors=True)


def cache_root() -> Path:
    """The folder of the cache: DERIVE_CACHE_DIR, else the user's cache folder, else a temporary one."""
    for candidate in _candidates():
        try:
            candidate.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=candidate):
                return candidate
        except OSError:
            continue
    return _temporary_root()


def _candidates() -> Iterator[Path]:
    if os.environ.get("DERIVE_CACHE_DIR"):
        yield Path(os.environ["DERIVE_CACHE_DIR"]).expanduser()
        return
    try:
        home = Path.home()
    except RuntimeError:
        return
    match platform.system():
        case "Windows":
            yield Path(os.environ.get("LOCALAPPDATA", home / "AppData" / "Local")) / "derive" / "Cache"
        case "Darwin":
            yield home / "Library" / "Caches" / "derive"
        case _:
            yield Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache") / "derive"


@cache
def _temporary_root() -> Path:
    return Path(tempfile.mkdtemp(prefix="derive-"))


@cache
def fingerprint() -> tuple[str, ...]:
    """Versions and hardware that compiled code depends on."""
    import llvmlite
    import numba
    import numpy
    from llvmlite import binding

    try:
        own = metadata.version("derive")
    except metadata.PackageNotFoundError:
        own = "source"
    host = (binding.get_host_cpu_name(), binding.get_host_cpu_features().flatten())
    return (
        numba.__version__, llvmlite.__version__, numpy.__version__, platform.python_implementation(),
        platform.python_version(), platform.machine(), *host, own,
    )  # fmt: skip


def digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def file_digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
