"""Every formula of the battery can be traced on its domain, and has derivatives."""

import derive as dv
from derive.accuracy.domain import domains_of

from .battery import CASES


def test_names_are_unique():
    assert len({c.name for c in CASES}) == len(CASES) >= 200


def test_formulas_can_be_traced_and_differentiated():
    for c in CASES[::4]:
        domains = domains_of(dict.fromkeys(c.domain), c.domain)
        f = dv.trace(c.f, **{name: d.spec for name, d in domains.items()})
        wrt = [name for name, d in domains.items() if d.spec.kind == "real"]
        assert dv.jacobian(f, wrt).outputs, c.name
