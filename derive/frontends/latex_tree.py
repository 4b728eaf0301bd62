"""What stands in LaTeX before it is decided whether a subscript is an index or part of a name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from .formula_tree import Place

Raw = Any
"""A node of this file, or one of `formula_tree`."""


@dataclass(frozen=True)
class Mark:
    """A sub- or superscript with its items, or a prime."""

    place: Place
    kind: Literal["sub", "sup", "tick"]
    items: tuple[Raw, ...] = ()


@dataclass(frozen=True)
class Sign:
    """What can only stand in a superscript: ``top``, ``-top``, ``star``, ``dagger``, ``+``, ``-``."""

    place: Place
    sign: str


@dataclass(frozen=True)
class ByEntry:
    """The superscript ``\\odot 2``."""

    place: Place
    arg: Raw


@dataclass(frozen=True)
class Scripted:
    """A base with sub- and superscripts."""

    place: Place
    base: Raw
    marks: tuple[Mark, ...]


@dataclass(frozen=True)
class Applied:
    """A function with its own scripts, as in ``\\log_2 x``; `closed` if its arguments stand in brackets."""

    place: Place
    function: str
    marks: tuple[Mark, ...]
    args: tuple[Raw, ...]
    closed: bool


@dataclass(frozen=True)
class Over:
    """A big operator."""

    place: Place
    kind: str
    marks: tuple[Mark, ...]
    arg: Raw


@dataclass(frozen=True)
class Fenced:
    """``norm``, ``bars``, ``floor``, ``ceil``, ``inner``: what stands between bars or angles."""

    place: Place
    kind: str
    args: tuple[Raw, ...]


@dataclass(frozen=True)
class Group:
    """Round, square or curly brackets."""

    place: Place
    items: tuple[Raw, ...]


@dataclass(frozen=True)
class Constant:
    """A digit in bold: a vector or matrix of ones or zeros."""

    place: Place
    digit: str


@dataclass(frozen=True)
class Root:
    """``\\sqrt[3]{x}``."""

    place: Place
    degree: Raw
    arg: Raw
