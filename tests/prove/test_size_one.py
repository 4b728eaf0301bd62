"""What is left of functions of matrices where every size is one."""

import pytest

import derive as dv


@pytest.mark.parametrize(
    ("claim", "shapes"),
    [
        ("tr(A*B) == sum(eigvalsh(A).*eigvalsh(B))", {"A": "n n, symmetric", "B": "n n, symmetric"}),
        ("sum(svdvals(A))^2 == sum(svdvals(A*A))", {"A": "n n"}),
        ("-sum(p.*log(p)) == 0", {"p": "n, simplex"}),
    ],
)
def test_claims_about_sums_hold_for_one_term(claim: str, shapes: dict[str, str]) -> None:
    verdict = dv.verify(claim, **shapes)
    assert verdict.status == "REFUTED" and "n = 1" in verdict.holds_when, str(verdict)


def test_a_value_that_is_missing_says_nothing() -> None:
    """A standard deviation is 0 where there is one entry, and the mean below has no value there."""
    claim = "mean(y) == 0 where y = (x - mean(x))/np.std(x)*g + b"
    verdict = dv.verify(claim, x="n", g="", b="")
    assert verdict.holds_when == ("b = 0",)
    assert verdict.corrected.startswith("mean(y) == b")


def test_singular_values_keep_no_sign() -> None:
    assert "n = 1" not in dv.verify("sum(svdvals(A)) == tr(A)", A="n n").holds_when
