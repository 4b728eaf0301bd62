"""Options of the whole test run."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    words = "how many random programs the property tests check (300)"
    parser.addoption("--programs", type=int, default=300, metavar="N", help=words)
    words = "search for the smallest random program that fails; takes minutes"
    parser.addoption("--shrink", action="store_true", help=words)
