"""SIGTERM: no new requests, running ones finish, and what cannot finish says so."""

import signal
import socket
import time

from clients import CHAT, H1, H2, chat_body, told
from mock_upstream import reference


def stop(gateway):
    gateway.child.send_signal(signal.SIGTERM)


def is_listening(port) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


def test_running_answers_finish_and_the_process_ends_with_0(bench, protocol):
    mock, = bench.mocks()
    gateway = bench.gateway([mock])
    with protocol(gateway.port) as streaming, protocol(gateway.port) as waiting:
        stream = streaming.request("POST", CHAT, chat_body(
            stream=True, mock={"tokens": 60, "interval": 0.02}))
        unary = waiting.request("POST", CHAT, chat_body(mock={"delay": 0.8}))
        assert streaming.wait(lambda: len(stream.body) > 300)
        time.sleep(0.1)
        stop(gateway)
        assert streaming.wait(lambda: stream.is_over)
        assert waiting.wait(lambda: unary.is_over)
        said = told(stream.body)
        assert stream.is_ended and said.is_done and said.text == reference(60)
        assert unary.status == 200
        assert gateway.finished(10) == 0


def test_new_requests_and_readiness_are_refused_while_draining(bench):
    mock, = bench.mocks()
    gateway = bench.gateway([mock])
    with H2(gateway.port) as client, H1(gateway.port) as other:
        assert other.ask("GET", "/readiness").status == 200
        stream = client.request("POST", CHAT, chat_body(
            stream=True, mock={"tokens": 100, "interval": 0.02}))
        assert client.wait(lambda: len(stream.body) > 300)
        stop(gateway)
        time.sleep(0.3)
        # Whoever asks now hears no: by a status, or by nobody listening.
        if is_listening(gateway.port):
            with H1(gateway.port) as late:
                assert late.ask("GET", "/readiness").status == 503
                assert late.chat().status == 503
        assert gateway.status()["draining"] is True
        assert client.wait(lambda: stream.is_over)
        assert told(stream.body).is_done
        assert client.goaway is not None
    assert gateway.finished(10) == 0


def test_http2_client_gets_a_goaway(bench):
    mock, = bench.mocks()
    gateway = bench.gateway([mock])
    with H2(gateway.port) as client:
        assert client.chat().status == 200
        stop(gateway)
        client.wait(lambda: client.goaway is not None, 3)
        assert client.goaway is not None and client.goaway.error_code == 0
    assert gateway.finished(10) == 0


def test_last_goaway_says_which_requests_were_taken_up(bench):
    mock, = bench.mocks()
    gateway = bench.gateway([mock])
    with H2(gateway.port) as client:
        taken = client.request("POST", CHAT, chat_body())
        assert client.wait(lambda: taken.is_over)
        stop(gateway)
        client.linger(2)
        # The first one only announces; without the second a client cannot know whether a request
        # that it sent meanwhile was taken up, and must not send it again.
        assert client.goaway is not None
        assert client.goaway.last_stream_id == taken.stream
    assert gateway.finished(10) == 0


def test_request_that_came_just_before_finishes(bench, protocol):
    mock, = bench.mocks()
    gateway = bench.gateway([mock])
    with protocol(gateway.port) as client:
        assert client.chat().status == 200
        response = client.request("POST", CHAT, chat_body(mock={"delay": 0.5}))
        gateway.until(lambda: len(mock.inference()) == 2)
        stop(gateway)
        assert client.wait(lambda: response.is_over)
        assert response.status == 200, response
    assert gateway.finished(10) == 0


def test_answer_that_waits_for_a_slow_client_is_delivered(bench):
    mock, = bench.mocks()
    gateway = bench.gateway([mock])
    with H2(gateway.port, window=100) as client:
        response = client.request("POST", CHAT, chat_body(mock={"tokens": 5, "pad": 2000}))
        client.acknowledges = False
        assert client.wait(lambda: len(response.body) == 100)
        stop(gateway)
        client.linger(0.5)
        client.acknowledges = True
        client.open_window(1 << 20, response)
        assert client.wait(lambda: response.is_over, 5)
        assert response.is_ended, response.broken
        assert response.json()["choices"][0]["message"]["content"] == reference(5, 2000)
    assert gateway.finished(10) == 0


def test_request_that_races_the_goaway_is_answered_or_retriable(bench):
    mock, = bench.mocks()
    gateway = bench.gateway([mock])
    with H2(gateway.port) as client:
        slow = client.request("POST", CHAT, chat_body(mock={"delay": 0.6}))
        client.linger(0.2)
        stop(gateway)
        raced = [client.request("POST", CHAT, chat_body()) for _ in range(10)]
        assert client.wait(lambda: slow.is_over)
        client.wait(lambda: all(response.is_over for response in raced), 2)
        assert slow.status == 200
        last = client.goaway.last_stream_id if client.goaway else 1 << 31
        for response in raced:
            # Beyond the announced last stream a client may send it again; up to it, an answer.
            assert response.status in (200, 503) or response.stream > last or (
                response.broken == "RST_STREAM 7"), response
    assert gateway.finished(10) == 0


def test_drain_limit_ends_a_stream_with_an_error_event(bench, protocol):
    mock, = bench.mocks()
    gateway = bench.gateway([mock], limits={"drain_timeout_ms": 500})
    with protocol(gateway.port) as client, protocol(gateway.port) as other:
        stream = client.request("POST", CHAT, chat_body(
            stream=True, mock={"tokens": 10000, "interval": 0.02}))
        unary = other.request("POST", CHAT, chat_body(mock={"delay": 30}))
        assert client.wait(lambda: len(stream.body) > 300)
        time.sleep(0.1)
        start = time.monotonic()
        stop(gateway)
        assert client.wait(lambda: stream.is_over, 5)
        assert stream.is_ended, stream.broken
        said = told(stream.body)
        assert not said.is_done and len(said.errors) == 1 and said.after_end == 0
        assert reference(10000).startswith(said.text)
        assert other.wait(lambda: unary.is_over, 5)
        assert unary.status == 503 and "error" in unary.json()
        assert gateway.finished(5) == 0
        assert 0.4 < time.monotonic() - start < 3


def test_idle_gateway_stops_at_once(bench):
    mock, = bench.mocks()
    gateway = bench.gateway([mock])
    with H1(gateway.port) as client, H2(gateway.port) as other:
        assert client.chat().status == 200 and other.chat().status == 200
        start = time.monotonic()
        stop(gateway)
        assert gateway.finished(10) == 0
        assert time.monotonic() - start < 2


def test_interrupt_stops_as_well(bench):
    mock, = bench.mocks()
    gateway = bench.gateway([mock])
    gateway.child.send_signal(signal.SIGINT)
    assert gateway.finished(10) == 0
