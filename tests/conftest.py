"""Options of the whole test run."""

import pytest
from hypothesis import settings

# The same examples in every run, so that a failure is found again; --hypothesis-profile=default draws new ones.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")


def pytest_addoption(parser: pytest.Parser) -> None:
    words = "how many random programs the property tests check (40)"
    parser.addoption("--programs", type=int, default=40, metavar="N", help=words)
    words = "search for the smallest random program that fails; takes minutes"
    parser.addoption("--shrink", action="store_true", help=words)
    words = "how many false mutants of each catalog entry the verifier is given: a number, some (a sample), or all"
    parser.addoption("--mutants", default="some", metavar="N", help=words)
    words = "which losses of laws are written as source: some for one target each, or all for all targets"
    parser.addoption("--laws", default="some", metavar="N", help=words)
