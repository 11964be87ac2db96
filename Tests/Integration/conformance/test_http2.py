"""Every case of HTTP/2 against the gateway, by prior knowledge and some by ALPN."""

import pytest

from . import cases
from .lists import HTTP2


def parameters(chosen):
    return [pytest.param(case, id=case.id) for case in chosen]


def judge(case, verdict, front):
    assert verdict.is_allowed, f"{case.demand} But: {verdict.story}"
    assert verdict.is_ours, f"{case.demand} Allowed, but not ours: {verdict.story}"
    if case.asks is not None:
        assert front.asked(case.tag) == case.asks


@pytest.mark.parametrize("case", parameters(HTTP2))
def test_cleartext(front, case):
    judge(case, cases.run(case, front.connect), front)


@pytest.mark.parametrize("case", parameters(case for case in HTTP2 if case.tls))
def test_tls(front, case):
    before = front.asked(case.tag)
    verdict = cases.run(case, front.connect_tls)
    assert verdict.is_allowed and verdict.is_ours, f"{case.demand} But: {verdict.story}"
    if case.asks is not None:
        assert front.asked(case.tag) == before + case.asks


def test_nothing_that_was_refused_reached_a_model_server(front):
    """Late arrivals included."""
    front.gateway.wait_until_idle()
    refused = [case.id for case in HTTP2 if case.asks == 0 and front.asked(case.tag)]
    assert not refused
