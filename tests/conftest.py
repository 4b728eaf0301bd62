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
    words = "every case of the long tables of tests, which otherwise run every third"
    parser.addoption("--every-case", action="store_true", help=words)


LONG = (
    "emit/test_linear_algebra.py::test_emitted_file", "emit/test_time.py::test_own_tests_pass_and_values_agree",
    "emit/test_layers.py::test_layer", "emit/test_functions.py::test_own_test_passes", "emit/test_arrays.py::test_values_and_types",
    "frontends_text/test_equations.py::test_what_is_printed_is_read_back", "prove/test_corrected.py::",
    "prove/test_mutants.py::test_no_false_mutant_is_verified", "prove/test_mutants.py::test_the_oracle_agrees",
    "prove/test_inequalities.py::test_false_with_a_counterexample_and_without_a_proof",
    "prove/test_convexity.py::test_the_opposite_is_not_proved", "prove/test_convexity.py::test_no_mutant_that_is_false",
    "render/test_matrix_functions.py::", "ops/test_digits.py::", "properties/test_wrapped.py::",
    "examples/test_convolutions.py::", "kernels/test_special_functions.py::", "kernels/test_functions.py::test_accuracy",
    "kernels/test_mechanisms.py::", "kernels/test_contractions.py::", "kernels/test_linear_algebra.py::test_options",
    "frontends/test_scan.py::test_the_backward_pass", "frontends_text/test_fuzz.py::", "distributions/test_forms.py::",
)  # fmt: skip
"""Tables of like cases that take long together."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Of the long tables every third case, unless a test was named or every case was asked for."""
    if config.getoption("--every-case") or any("::" in argument for argument in config.args):
        return
    seen: dict[str, int] = {}
    left_out = []
    for item in items:
        table, case, _ = item.nodeid.partition("[")
        if case and any(table.startswith(f"tests/{name}") for name in LONG):
            seen[table] = seen.get(table, -1) + 1
            if seen[table] % 3:
                left_out.append(item)
    config.hook.pytest_deselected(items=left_out)
    out = set(left_out)
    items[:] = [item for item in items if item not in out]
