"""Model servers that close idle connections: no client ever notices."""

import random
import time

import pytest

from clients import H1, judge_stream
from mock_upstream import reference


def ask_many(client, count, pause=lambda: 0.0) -> list:
    failures = []
    for number in range(count):
        time.sleep(pause())
        stream = number % 2 == 0
        response = client.chat(stream=stream, mock={"tokens": 2})
        if stream:
            is_good = judge_stream(response, reference(2)) == "whole"
        else:
            is_good = response.status == 200
        if not is_good:
            failures.append((number, response.status, bytes(response.body)))
    return failures


@pytest.mark.parametrize("count", [1, 2], ids=["one-endpoint", "two-endpoints"])
def test_server_that_closes_right_after_each_answer(bench, protocol, count):
    mocks = bench.mocks(count, closes_after=0)
    gateway = bench.gateway(mocks)
    with protocol(gateway.port) as client:
        assert ask_many(client, 300) == []


def test_server_that_closes_at_random_moments(bench, protocol):
    mock, = bench.mocks(closes_after=lambda: random.uniform(0, 0.006))
    gateway = bench.gateway([mock])
    with protocol(gateway.port) as client:
        assert ask_many(client, 300, lambda: random.uniform(0, 0.006)) == []
    # Retrying a dead connection is no failure of the endpoint.
    assert gateway.workers()[0]["state"] == "active"


def test_connections_are_used_again(bench, protocol):
    mock, = bench.mocks()
    gateway = bench.gateway([mock], threads=1)
    with protocol(gateway.port) as client:
        assert ask_many(client, 50) == []
    assert len({seen.connection for seen in mock.inference()}) <= 2


def test_idle_connection_is_closed_before_the_server_does(bench):
    mock, = bench.mocks()
    gateway = bench.gateway(
        [mock], threads=1, limits={"upstream_idle_timeout_ms": 300},
        probes={"interval_ms": 60000}, scrapes={"interval_ms": 60000})
    with H1(gateway.port) as client:
        client.chat()
        time.sleep(1.2)
        client.chat()
    first, second = mock.inference()
    assert first.connection != second.connection
