"""Every case and every row can fail: no one passes with a server that agrees to everything and
with one that agrees to nothing."""

import pytest

from . import cases
from .contrary import Agreeable, Disagreeable, Lenient, Strict
from .exchange import exchange
from .http1 import ROWS
from .lists import HTTP2


# What the two servers of HTTP/2 passed, case by case.
PASSED = []


def started(*kinds):
    made = [kind() for kind in kinds]
    yield made
    for server in made:
        server.stop()


@pytest.fixture(scope="module")
def http2_servers():
    yield from started(Agreeable, Disagreeable)


@pytest.fixture(scope="module")
def http1_servers():
    yield from started(Lenient, Strict)


@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in HTTP2])
def test_case(http2_servers, case):
    verdicts = [
        cases.run(case, server.connect, patience=0.5, in_order=True).is_ours
        for server in http2_servers]
    PASSED.append(verdicts)
    assert not all(verdicts)


def test_neither_server_fails_everything():
    """Or their failures would say nothing. What ran before is counted, if it was everything."""
    if len(PASSED) == len(HTTP2):
        assert min(map(sum, zip(*PASSED))) > 40, list(map(sum, zip(*PASSED)))


@pytest.mark.parametrize("row", [pytest.param(row, id=row.id) for row in ROWS])
def test_row(http1_servers, row):
    verdicts = [
        row.is_kept(exchange(
            server.connect(), row.data, len(row.statuses), row.methods, patience=0.5))
        for server in http1_servers]
    assert not all(verdicts)
