"""Model servers that fail, in every way at every event: a client gets the whole answer or a
visible error, and never something between the two."""

import pytest

import clients
from clients import judge_stream
from mock_upstream import BEFORE_HEAD, MID_STREAM, chunked, reference, stream_events, Plan

TOKENS = 3
# Role, three tokens, finish, usage (which the gateway asks for), [DONE].
POSITIONS = range(7)
IMPATIENT = {"upstream_first_byte_timeout_ms": 300, "upstream_between_bytes_timeout_ms": 300}


@pytest.fixture(scope="module")
def single(shared):
    """A gateway before one model server."""
    mock, = shared.mocks()
    return shared.gateway([mock], limits=IMPATIENT), mock


@pytest.fixture(scope="module")
def double(shared):
    """A gateway before two model servers of one pool."""
    mocks = shared.mocks(2)
    return shared.gateway(mocks, limits=IMPATIENT), mocks


def revive(client):
    """A good answer, so that the circuit breaker sees no row of failures: that an endpoint is
    taken out after one is another test's business."""
    assert judge_stream(client.chat(stream=True), reference()) == "whole"


@pytest.mark.parametrize("at", POSITIONS)
@pytest.mark.parametrize("fault", MID_STREAM)
def test_broken_stream_is_never_passed_off_as_whole(single, protocol, fault, at):
    gateway, _ = single
    with protocol(gateway.port) as client:
        response = client.chat(stream=True, mock={"fault": fault, "at": at})
        assert judge_stream(response, reference()) == "error"
        if response.status != 200:
            assert response.status in (502, 503, 504), response
    with protocol(gateway.port) as client:
        revive(client)


@pytest.mark.parametrize("fault", BEFORE_HEAD)
def test_failure_before_the_head_is_an_error_answer(single, protocol, fault):
    gateway, _ = single
    for stream in (True, False):
        with protocol(gateway.port) as client:
            response = client.chat(stream=stream, mock={"fault": fault})
            assert response.is_ended and response.status >= 400, response
            assert "error" in response.json()
            if fault == "status-400":
                assert response.status == 400
            else:
                # Never the client's fault, so that it may try again.
                assert response.status == 429 or response.status >= 500, response
        with protocol(gateway.port) as client:
            revive(client)


@pytest.mark.parametrize(
    "fault", ["cut-chunked", "cut-close", "reset", "stall", "partial-event"])
def test_broken_unary_answer_is_an_error_answer(single, protocol, fault):
    gateway, _ = single
    with protocol(gateway.port) as client:
        response = client.chat(mock={"fault": fault})
        assert response.is_ended and response.status in (502, 503, 504), response
        assert "error" in response.json()
    with protocol(gateway.port) as client:
        revive(client)


@pytest.mark.parametrize("fault", MID_STREAM)
def test_stream_that_fails_before_its_first_event_is_retried_elsewhere(double, protocol, fault):
    gateway, mocks = double
    word = f"retry-{fault}-{protocol.version}"
    before = [len(mock.inference()) for mock in mocks]
    with protocol(gateway.port) as client:
        response = client.chat(stream=True, mock={"fault": fault, "at": 0, "once": word})
        assert judge_stream(response, reference()) == "whole"
    assert word in mocks[0].once, "the fault did not strike"
    assert [len(m.inference()) - b for m, b in zip(mocks, before)] == [1, 1]


@pytest.mark.parametrize("fault", [fault for fault in BEFORE_HEAD if fault != "status-400"])
@pytest.mark.parametrize("stream", [False, True], ids=["unary", "stream"])
def test_request_that_fails_before_its_head_is_retried_elsewhere(
        double, protocol, fault, stream):
    gateway, mocks = double
    word = f"head-{fault}-{protocol.version}-{stream}"
    with protocol(gateway.port) as client:
        response = client.chat(stream=stream, mock={"fault": fault, "once": word})
    assert word in mocks[0].once, "the fault did not strike"
    if stream:
        assert judge_stream(response, reference()) == "whole"
    else:
        assert response.status == 200, response
        assert response.json()["choices"][0]["message"]["content"] == reference()


@pytest.mark.parametrize("fault", ["cut-chunked", "cut-close", "reset", "stall"])
def test_unary_answer_that_breaks_off_is_retried_elsewhere(double, protocol, fault):
    gateway, mocks = double
    word = f"unary-{fault}-{protocol.version}"
    with protocol(gateway.port) as client:
        response = client.chat(mock={"fault": fault, "once": word})
    assert word in mocks[0].once, "the fault did not strike"
    assert response.status == 200, response
    assert response.json()["choices"][0]["message"]["content"] == reference()


@pytest.mark.parametrize("at", range(1, 7))
def test_stream_that_fails_after_its_first_event_is_not_sent_twice(double, protocol, at):
    gateway, mocks = double
    before = sum(len(mock.inference()) for mock in mocks)
    with protocol(gateway.port) as client:
        response = client.chat(
            stream=True, mock={"fault": "cut-chunked", "at": at, "once": f"{protocol}-{at}"})
        # The whole text may come if the gateway can continue it; never a clean half.
        judge_stream(response, reference())
    with protocol(gateway.port) as client:
        revive(client)
        revive(client)
    assert sum(len(mock.inference()) for mock in mocks) - before >= 3


def expected_bytes(members: dict, model: str, drop_usage: bool) -> bytes:
    body = {"model": model, "stream_options": {"include_usage": not drop_usage}}
    return b"".join(stream_events(body, Plan(tokens=members["tokens"])))


@pytest.mark.parametrize("asks", [True, False], ids=["usage-asked", "usage-injected"])
def test_korean_stream_cut_at_every_byte_arrives_byte_identical(single, protocol, asks):
    gateway, _ = single
    model = "skt/A.X-4.0"
    plan = {"tokens": 4}
    expected = expected_bytes(plan, model, drop_usage=not asks)
    upstream = expected_bytes(plan, model, drop_usage=False)
    head = len(
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
        b"transfer-encoding: chunked\r\n\r\n")
    length = head + len(b"".join(
        chunked(event + b"\n\n") for event in upstream.split(b"\n\n")[:-1])) + 5
    members = {"stream_options": {"include_usage": True}} if asks else {}
    with protocol(gateway.port) as client:
        for split in range(1, length):
            response = client.chat(stream=True, mock={**plan, "split": split}, **members)
            assert response.is_ended, (split, response)
            assert bytes(response.body) == expected, split


def test_event_without_an_end_fails_the_stream(bench, protocol):
    mock, = bench.mocks()
    gateway = bench.gateway([mock], limits={"event_bytes": 4096})
    with protocol(gateway.port) as client:
        response = client.chat(stream=True, mock={"pad": 9000})
        assert judge_stream(response, reference(3, 9000)) == "error"


def test_endpoint_that_fails_in_a_row_is_taken_out(bench):
    mocks = bench.mocks(2)
    gateway = bench.gateway(mocks)
    mocks[0].always = {"fault": "cut-chunked", "at": 0}
    with clients.H2(gateway.port) as client:
        for _ in range(20):
            assert judge_stream(client.chat(stream=True), reference()) == "whole"
        assert gateway.workers()[0]["state"] == "ejected"
        count = len(mocks[0].inference())
        for _ in range(10):
            assert judge_stream(client.chat(stream=True), reference()) == "whole"
        assert len(mocks[0].inference()) == count
