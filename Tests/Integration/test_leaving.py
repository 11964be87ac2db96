"""Clients that leave: the model server hears of it at once, and nobody else notices."""

import statistics
import time

import pytest

from clients import CHAT, H1, H2, chat_body, judge_stream
from mock_upstream import reference

ROUNDS = 5


@pytest.fixture(scope="module")
def stand(shared):
    mock, = shared.mocks()
    return shared.gateway([mock]), mock


def upstream_of(mock, word, timeout=5.0):
    """The request with this word as the model server saw it."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        for seen in reversed(mock.requests):
            if seen.body.get("user") == word:
                return seen
        time.sleep(0.001)
    raise AssertionError("the request did not arrive")


def milliseconds_until_gone(seen, left_at) -> float:
    end = time.monotonic() + 2
    while seen.gone_at is None and time.monotonic() < end:
        time.sleep(0.001)
    assert seen.gone_at is not None, "the model server goes on generating"
    return (seen.gone_at - left_at) * 1000


def leave(stand, protocol, how, stream, tls=None, port=0):
    """Leaves in the middle of an answer; returns after how long the model server knew."""
    gateway, mock = stand
    spans = []
    for number in range(ROUNDS):
        word = f"{protocol.__name__}-{how}-{stream}-{port}-{number}"
        plan = {"pause": 2} if stream else {"delay": 30}
        client = protocol(gateway.ports[port], tls)
        response = client.request(
            "POST", CHAT, chat_body(stream=stream, mock=plan, user=word))
        seen = upstream_of(mock, word)
        if stream:
            assert client.wait(lambda: bytes(response.body).count(b"\n\n") >= 2)
        left_at = time.monotonic()
        if how == "reset":
            client.reset(response)
        else:
            getattr(client, how)()
        spans.append(milliseconds_until_gone(seen, left_at))
        client.close()
    print(f"{how}: {', '.join(f'{span:.1f}' for span in spans)} ms")
    # The median, as a test machine may be busy with something else for a moment.
    assert statistics.median(spans) < 50, spans
    assert max(spans) < 500, spans


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "unary"])
@pytest.mark.parametrize("how", ["fin", "rst"])
def test_closed_connection_reaches_the_model_server(stand, protocol, how, stream):
    leave(stand, protocol, how, stream)


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "unary"])
def test_reset_stream_reaches_the_model_server(stand, stream):
    leave(stand, H2, "reset", stream)


@pytest.mark.parametrize("how", ["fin", "rst", "reset"])
def test_leaving_over_tls_reaches_the_model_server(bench, tls_listeners, client_tls, how):
    mock, = bench.mocks()
    gateway = bench.gateway([mock], listeners=tls_listeners)
    leave((gateway, mock), H2, how, True, client_tls, 1)


def test_other_streams_of_the_connection_go_on(stand):
    gateway, mock = stand
    with H2(gateway.port) as client:
        plan = {"tokens": 40, "interval": 0.01}
        stay = [
            client.request("POST", CHAT, chat_body(stream=True, mock=plan)) for _ in range(5)]
        go = [
            client.request("POST", CHAT, chat_body(
                stream=True, user=f"go-{index}", mock={"tokens": 500, "interval": 0.01}))
            for index in range(5)]
        assert client.wait(lambda: all(len(r.body) > 400 for r in stay + go))
        left_at = time.monotonic()
        for response in go:
            client.reset(response)
        for index in range(5):
            assert milliseconds_until_gone(upstream_of(mock, f"go-{index}"), left_at) < 500
        assert client.wait(lambda: all(response.is_over for response in stay))
        for response in stay:
            assert judge_stream(response, reference(40)) == "whole"


def test_thousand_resets_leave_nothing_behind(stand):
    gateway, _ = stand
    gateway.wait_until_idle()
    for _ in range(20):
        with H2(gateway.port) as client:
            for _ in range(50):
                client.reset(client.request(
                    "POST", CHAT, chat_body(stream=True, mock={"interval": 1})))
            client.linger(0.02)
    gateway.wait_until_idle()
    status = gateway.status()
    assert status["in_flight"] == 0 and status["queued"] == 0, status
    assert all(worker["load"] == 0 for worker in gateway.workers())
    with H1(gateway.port) as client:
        assert judge_stream(client.chat(stream=True), reference()) == "whole"


def test_client_that_leaves_the_queue_is_forgotten(bench):
    mock, = bench.mocks()
    gateway = bench.gateway([{"url": mock.url, "max_in_flight": 1}])
    with H2(gateway.port) as client:
        first = client.request("POST", CHAT, chat_body(mock={"delay": 0.6}))
        upstream_of(mock, None)
        waiting = client.request("POST", CHAT, chat_body(user="waits"))
        client.linger(0.2)
        client.reset(waiting)
        last = client.request("POST", CHAT, chat_body(user="last"))
        assert client.wait(lambda: first.is_over and last.is_over)
        assert first.status == 200 and last.status == 200
    assert [seen.body.get("user") for seen in mock.inference()] == [None, "last"]


def test_emulated_engine_stops_generating(bench, protocol):
    server = bench.emulator("vllm", "h100-llama-3.1-8b")
    gateway = bench.gateway([server])
    client = protocol(gateway.port)
    response = client.request(
        "POST", CHAT, chat_body(stream=True, max_tokens=5000))
    assert client.wait(lambda: bytes(response.body).count(b"\n\n") >= 3)
    assert server.state()["running"] == 1
    client.fin()
    time.sleep(0.05)
    state = server.state()
    assert state["running"] == 0 and state["cancelled"] + state["abandoned"] >= 1, state
