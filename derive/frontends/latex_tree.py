"""What stands in LaTeX before it is decided whether a subscript is an index or part of a name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .formula_tree import Node, Place


@dataclass(frozen=True)
class Mark:
    """A sub- or superscript with its items, or a prime."""

    place: Place
    kind: Literal["sub", "sup", "tick"]
    items: tuple[Node, ...] = ()


@dataclass(frozen=True)
class Sign:
    """What can only stand in a superscript: ``top``, ``-top``, ``star``, ``dagger``, ``+``, ``-``; or an empty pair of braces."""

    place: Place
    sign: str


@dataclass(frozen=True)
class ByEntry:
    """The superscript ``\\odot 2``."""

    place: Place
    arg: Node


@dataclass(frozen=True)
class Scripted:
    """A base with sub- and superscripts."""

    place: Place
    base: Node
    marks: tuple[Mark, ...]


@dataclass(frozen=True)
class Applied:
    """A function with its own scripts, as in ``\\log_2 x``; `closed` if its arguments stand in brackets."""

    place: Place
    function: str
    marks: tuple[Mark, ...]
    args: tuple[Node, ...]
    closed: bool


@dataclass(frozen=True)
class Over:
    """A big operator."""

    place: Place
    kind: str
    marks: tuple[Mark, ...]
    arg: Node


@dataclass(frozen=True)
class Fenced:
    """``norm``, ``bars``, ``floor``, ``ceil``, ``inner``: what stands between bars or angles."""

    place: Place
    kind: str
    args: tuple[Node, ...]


@dataclass(frozen=True)
class Group:
    """Round, square or curly brackets."""

    place: Place
    items: tuple[Node, ...]


@dataclass(frozen=True)
class Constant:
    """A digit in bold: a vector or matrix of ones or zeros."""

    place: Place
    digit: str


@dataclass(frozen=True)
class Root:
    """``\\sqrt[3]{x}``."""

    place: Place
    degree: Node
    arg: Node


Raw = Node | Mark | Sign | ByEntry | Scripted | Applied | Over | Fenced | Group | Constant | Root
