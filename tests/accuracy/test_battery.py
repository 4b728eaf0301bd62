"""Every formula of the battery can be traced on its domain, and has derivatives."""

import derive as dv
from derive.accuracy.domain import domains_of

from .battery import CASES


def test_names_are_unique():
    assert len({c.name for c in CASES}) == len(CASES) >= 200


def test_formulas_can_be_traced_and_differentiated():
    for c in CASES[::12]:
        domains = domains_of(dict.fromkeys(c.domain), c.domain)
        f = dv.trace(c.f, **{name: d.spec for name, d in domains.items()})
        wrt = [name for name, d in domains.items() if d.spec.kind == "real"]
        assert dv.jacobian(f, wrt).outputs, c.name


KEPT = (
    "softplus", "BCE of a logit", "log-cosh by exp", "sigmoid, e^x / (1 + e^x)", "logsumexp", "log erfc", "Gumbel log density",
    "log(1 + x)", "exp(x) - 1", "compounding", "sqrt(x + 1) - sqrt(x)", "1/x - 1/(x + 1)", "cosine difference", "Euclidean norm",
    "leg of a triangle", "arsinh", "artanh", "acos near 1", "log density of the logistic law", "1 - tanh",
    "noisy or", "Bernoulli KL of logits", "log of a logistic interval", "Box-Cox",
)  # fmt: skip


def test_what_is_run_keeps_its_digits_where_the_naive_formula_loses_them():
    lost = 0
    for c in CASES:
        if c.name in KEPT:
            report = dv.accuracy(c.f, c.domain, of=["value", "gradient"], dtypes=["float64"], points=12)
            assert report.passed, f"{c.name}\n{report}"
            lost += bool(report["value", "naive"].failures)
    assert lost > len(KEPT) // 2
