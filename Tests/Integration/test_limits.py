"""Bounds of the gateway, and model servers that are full or slow."""

import socket
import time

import h11
import pytest

from clients import CHAT, H1, H2, Response, as_bytes, chat_body, judge_stream
from mock_upstream import reference


START = b'{"model":"ax-4.0","messages":[{"role":"user","content":"a"}],'


def deep(levels: int, kind=b"[]") -> bytes:
    value = kind[:1] * levels + kind[1:] * levels
    return START + b'"x":' + value + b"}"


def test_full_server_is_passed_over_without_being_taken_out(bench, protocol):
    mocks = bench.mocks(2)
    gateway = bench.gateway(mocks)
    mocks[0].always = {"fault": "status-503"}
    with protocol(gateway.port) as client:
        for number in range(30):
            response = client.chat(stream=number % 2 == 0)
            assert response.status == 200, response
        assert gateway.workers()[0]["state"] not in ("ejected", "unhealthy")
        mocks[0].always = {}
        before = len(mocks[0].inference())
        end = time.monotonic() + 8
        while len(mocks[0].inference()) == before and time.monotonic() < end:
            assert client.chat().status == 200
            time.sleep(0.05)
        assert len(mocks[0].inference()) > before, "it never gets a request again"


@pytest.mark.parametrize("fault, status", [("status-503", 503), ("status-429", 429)])
def test_all_servers_full_is_said_with_a_time_to_come_back(bench, protocol, fault, status):
    mocks = bench.mocks(2)
    gateway = bench.gateway(mocks, limits={"retry_window_ms": 600})
    for mock in mocks:
        mock.always = {"fault": fault}
    with protocol(gateway.port) as client:
        for stream in (False, True):
            response = client.chat(stream=stream)
            assert response.status in (status, 429, 503), response
            assert 1 <= int(response.header("retry-after")) <= 120
            assert "error" in response.json()
            # The gateway has tried: the client must not multiply that.
            assert response.header("x-should-retry") in (None, "false", "true")
        assert all(worker["state"] != "ejected" for worker in gateway.workers())


def test_silent_server_is_a_gateway_timeout(bench, protocol):
    mock, = bench.mocks()
    gateway = bench.gateway([mock], limits={"upstream_first_byte_timeout_ms": 300})
    with protocol(gateway.port) as client:
        for stream in (False, True):
            start = time.monotonic()
            response = client.chat(stream=stream, mock={"fault": "never-answers"})
            assert response.status == 504, response
            assert response.json()["error"]["code"] == "upstream_timeout"
            assert response.header("x-should-retry") == "false"
            assert 0.25 < time.monotonic() - start < 1.5
            assert client.chat().status == 200


def test_slow_but_living_stream_is_not_cut(bench, protocol):
    mock, = bench.mocks()
    gateway = bench.gateway([mock], limits={
        "upstream_first_byte_timeout_ms": 300, "upstream_between_bytes_timeout_ms": 300,
        "stall_timeout_ms": 500})
    with protocol(gateway.port) as client:
        response = client.chat(stream=True, mock={"tokens": 8, "interval": 0.2})
        assert judge_stream(response, reference(8)) == "whole"


def test_total_time_of_an_exchange_is_bounded(bench, protocol):
    mock, = bench.mocks()
    gateway = bench.gateway([mock], limits={"upstream_total_timeout_ms": 500})
    with protocol(gateway.port) as client:
        response = client.chat(stream=True, mock={"tokens": 1000, "interval": 0.02})
        assert judge_stream(response, reference(1000)) == "error"


@pytest.fixture(scope="module")
def small(shared):
    mock, = shared.mocks()
    return shared.gateway([mock], limits={"request_body_bytes": 10_000}), mock


@pytest.mark.parametrize("size", [10_001, 20_000, 300_000])
def test_body_over_the_limit_is_413(small, protocol, size):
    gateway, mock = small
    before = len(mock.inference())
    with protocol(gateway.port) as client:
        response = client.ask("POST", CHAT, b"x" * size)
        assert response.status == 413, response
        assert response.json()["error"]["code"] == "body_too_large"
    assert len(mock.inference()) == before
    with protocol(gateway.port) as client:
        assert client.chat().status == 200


def test_chunked_body_over_the_limit_is_413(small):
    gateway, _ = small
    with H1(gateway.port) as client:
        client.current = Response()
        client.connection.send(h11.Request(
            method="POST", target=CHAT,
            headers=[("host", "x"), ("transfer-encoding", "chunked")]))
        client.socket.sendall(
            b"POST %s HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n" % CHAT.encode())
        for _ in range(20):
            try:
                client.socket.sendall(b"400\r\n" + b"x" * 1024 + b"\r\n")
            except OSError:
                break
        assert client.wait(lambda: client.current.is_over, 5)
        assert client.current.status == 413


def test_http2_body_without_a_length_over_the_limit_is_413(small):
    gateway, _ = small
    with H2(gateway.port) as client:
        stream = client.connection.get_next_available_stream_id()
        response = client.responses[stream] = Response(stream=stream)
        client.connection.send_headers(stream, [
            (":method", "POST"), (":scheme", "https"), (":authority", "x"), (":path", CHAT)])
        for _ in range(12):
            client.connection.send_data(stream, b"x" * 1000)
        client.flush()
        assert client.wait(lambda: response.is_over, 5)
        assert response.status == 413
        # The connection goes on.
        assert client.chat().status == 200


def test_body_at_the_limit_passes(small, protocol):
    gateway, _ = small
    empty = len(as_bytes(chat_body(user="")))
    with protocol(gateway.port) as client:
        assert client.chat(user="x" * (10_000 - empty)).status == 200
        assert client.chat(user="x" * (10_001 - empty)).status == 413


@pytest.mark.parametrize("kind", [b"[]", b'{"a":}'], ids=["arrays", "objects"])
@pytest.mark.parametrize("levels", [64, 100, 1000])
def test_deep_json_is_400(small, protocol, levels, kind):
    gateway, mock = small
    value = b"[" * levels + b"]" * levels if kind == b"[]" else (
        b'{"a":' * levels + b"1" + b"}" * levels)
    body = START + b'"x":' + value + b"}"
    before = len(mock.inference())
    with protocol(gateway.port) as client:
        response = client.ask("POST", CHAT, body)
        assert response.status == 400, response
        assert response.json()["error"]["type"] == "invalid_request_error"
    assert len(mock.inference()) == before


def test_very_deep_json_is_400_at_once(bench, protocol):
    mock, = bench.mocks()
    gateway = bench.gateway([mock])
    with protocol(gateway.port) as client:
        for levels in (10_000, 100_000, 1_000_000):
            start = time.monotonic()
            assert client.ask("POST", CHAT, deep(levels)).status == 400
            assert time.monotonic() - start < 2
        assert client.chat().status == 200


@pytest.mark.parametrize("body", [
    b"", b"{", b"nonsense", b"[]", b"3", b'"x"', b"{}", b'{"model":3,"messages":[]}',
    START + b"}", START + b'"user":"b"}x',
    b'{"model":"ax-4.0","messages":[{"role":"user","content":"\xff\xfe"}]}',
    b'{"model":"ax-4.0","messages":[{"role":"user","content":"\x01"}]}',
    START + b'"stream":"yes"}', b'{"model":"ax-4.0","messages":[]}',
    START + b'"n":01}',
    START + b'"model":"x"}',
])
def test_bad_bodies_are_400(small, protocol, body):
    gateway, mock = small
    before = len(mock.inference())
    with protocol(gateway.port) as client:
        response = client.ask("POST", CHAT, body)
        assert response.status == 400, response
        error = response.json()["error"]
        assert error["type"] == "invalid_request_error" and error["message"]
    assert len(mock.inference()) == before


def test_body_arrives_as_it_was_but_for_the_model(small, protocol):
    gateway, mock = small
    body = (
        '{ "messages" : [ {"role":"user", "content":"\\uc548녕 \\"x\\" "} ],\n'
        '  "temperature": 1.0e0, "seed": 12345678901234567890, "model": "gpt-4o-mini",'
        ' "unknown": {"a": [1, 2.50, null]}, "tools": [] }').encode()
    with protocol(gateway.port) as client:
        assert client.ask("POST", CHAT, body).status == 200
    assert mock.inference()[-1].raw_body == body.replace(b"gpt-4o-mini", b"skt/A.X-4.0")


def test_request_waits_in_the_queue_for_room(bench, protocol):
    mock, = bench.mocks()
    gateway = bench.gateway([{"url": mock.url, "max_in_flight": 2}])
    with H2(gateway.port) as client:
        responses = [
            client.request("POST", CHAT, chat_body(mock={"delay": 0.1})) for _ in range(10)]
        assert client.wait(lambda: all(response.is_over for response in responses))
        assert all(response.status == 200 for response in responses)
    arrivals = sorted(seen.at for seen in mock.inference())
    assert arrivals[-1] - arrivals[0] > 0.35


def test_full_queue_is_429_with_a_time_to_come_back(bench):
    mock, = bench.mocks()
    gateway = bench.gateway(
        [{"url": mock.url, "max_in_flight": 1}], limits={"queued_requests": 2})
    with H2(gateway.port) as client:
        responses = [
            client.request("POST", CHAT, chat_body(mock={"delay": 0.3})) for _ in range(8)]
        assert client.wait(lambda: all(response.is_over for response in responses))
    statuses = sorted(response.status for response in responses)
    assert statuses == [200] * 3 + [429] * 5
    for response in responses:
        if response.status == 429:
            assert 1 <= int(response.header("retry-after")) <= 120
            assert response.json()["error"]["type"] == "rate_limit_error"


def test_queue_wait_is_bounded(bench, protocol):
    mock, = bench.mocks()
    gateway = bench.gateway(
        [{"url": mock.url, "max_in_flight": 1}], limits={"queue_timeout_ms": 300})
    with protocol(gateway.port) as first, protocol(gateway.port) as second:
        running = first.request("POST", CHAT, chat_body(mock={"delay": 1.5}))
        time.sleep(0.2)
        start = time.monotonic()
        response = second.chat()
        assert response.status in (408, 429, 503), response
        assert 0.2 < time.monotonic() - start < 1.2
        assert response.header("retry-after")
        assert first.wait(lambda: running.is_over) and running.status == 200


def test_more_streams_than_allowed_at_once_all_get_answers(bench):
    mock, = bench.mocks()
    gateway = bench.gateway([mock], limits={"concurrent_streams": 10})
    with H2(gateway.port) as client:
        client.linger(0.5)
        assert client.connection.remote_settings.max_concurrent_streams == 10
        responses = [
            client.request("POST", CHAT, chat_body(mock={"delay": 0.2})) for _ in range(10)]
        assert client.wait(lambda: all(response.is_over for response in responses))
        assert all(response.status == 200 for response in responses)


def test_too_many_header_fields_are_431(small, protocol):
    gateway, _ = small
    with protocol(gateway.port) as client:
        response = client.ask(
            "POST", CHAT, chat_body(), [(f"x-{i}", "y") for i in range(200)])
        assert response.status in (400, 431) or response.broken, response
    with protocol(gateway.port) as client:
        assert client.chat().status == 200


def test_long_target_is_414(small, protocol):
    gateway, _ = small
    with protocol(gateway.port) as client:
        response = client.ask("GET", "/v1/models?" + "x" * 9000)
        assert response.status in (414, 431), response


def test_server_that_takes_no_connection_is_given_up(bench, protocol):
    """Its queue of connections is full: the kernel answers no further one."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        waiting = [socket.socket() for _ in range(4)]
        for sock in waiting:
            sock.setblocking(False)
            sock.connect_ex(full.getsockname())
        gateway = bench.gateway(
            [{"url": f"http://127.0.0.1:{full.getsockname()[1]}"}],
            limits={"upstream_connect_timeout_ms": 300, "attempts": 1})
        with protocol(gateway.port) as client:
            start = time.monotonic()
            response = client.chat()
            assert response.status == 502, response
            assert response.json()["error"]["code"] == "upstream_failed"
            assert 0.25 < time.monotonic() - start < 1.5
        for sock in waiting:
            sock.close()
