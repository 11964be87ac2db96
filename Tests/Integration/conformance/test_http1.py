"""Every row of HTTP/1.1 against the gateway, and beside it h11's view of the same bytes."""

import pytest

from .exchange import exchange, taken_by_h11
from .frames import TAG
from .http1 import ROWS

EACH = pytest.mark.parametrize("row", [pytest.param(row, id=row.id) for row in ROWS])


@EACH
def test_row(front, row):
    told = exchange(
        front.connect(), row.data.replace(TAG, row.tag.encode()), len(row.statuses), row.methods)
    assert row.is_kept(told), f"{row.demand} But: {told}"
    # One in, at most one out, whatever else the bytes may look like.
    assert front.asked(row.tag) == row.asks


@EACH
def test_h11_sees_the_same_or_it_is_known_why(row):
    """Two readers that see two things are what smuggling lives on: where we and h11 differ, it is
    h11 that takes more, or the row says why."""
    found = taken_by_h11(row.data)
    assert found == row.h11
    assert row.why or found == row.taken


def test_nothing_that_was_refused_reached_a_model_server(front):
    front.gateway.wait_until_idle()
    assert not [row.id for row in ROWS if front.asked(row.tag) != row.asks]
