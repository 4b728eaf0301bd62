"""Laws are found by name, also those that a name says how to make; what fits no law is refused with what does."""

import pytest

import derive as dv
from derive.distributions import Distribution, distributions, distributions_called
from derive.errors import SpecError, UnknownName


@pytest.mark.parametrize("name", ["student t", "student_t", "student-t"])
def test_names_of_several_words(name: str) -> None:
    (law,) = distributions_called(name)
    assert law.name == "student t"


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("censored log-normal", ["location", "scale"]),
        ("zero-inflated binomial", ["trials", "p", "inflation"]),
        ("mixture of von mises", ["location", "concentration", "weights"]),
    ],
)
def test_laws_that_a_name_makes(name: str, parameters: list[str]) -> None:
    (law,) = distributions_called(name)
    assert [p.name for p in law.parameters] == parameters
    assert {g.name for g in dv.likelihood(name).setting.given} <= {*parameters, *law.forms}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("zero-inflated gamma", "zeros are added to laws of counts"),
        ("zero-inflated geometric", "zeros are added to laws of counts"),
        ("censored gamma", "need a distribution function"),
    ],
)
def test_what_does_not_fit(name: str, said: str) -> None:
    with pytest.raises(SpecError, match=said):
        dv.likelihood(name)


def test_unknown_names_offer_the_closest() -> None:
    with pytest.raises(UnknownName, match="mixture of poisson"):
        dv.likelihood("mixture of poissn")


def test_no_two_laws_of_numbers_have_one_name() -> None:
    names = [d.name for d in distributions() if isinstance(d, Distribution)]
    assert len(names) == len({*names})
