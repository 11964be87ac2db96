"""Clients that do not read: memory stays bounded, the model server is slowed down, and no byte is
lost in the end."""

import contextlib
import time

import pytest

from clients import CHAT, H1, H2, chat_body, judge_stream
from mock_upstream import reference

STREAMS = 50
PLAN = {"tokens": 400, "pad": 4000}  # 1.7 MB


@pytest.fixture(scope="module")
def stand(shared):
    # Else the kernel holds whole answers, and the model server never feels a slow client.
    mock, = shared.mocks(send_buffer=32768)
    return shared.gateway([mock]), mock


def settle(mock, timeout=10.0) -> int:
    """Bytes that the model server got rid of, once that stands still."""
    end = time.monotonic() + timeout
    last, since = -1, time.monotonic()
    while time.monotonic() < end:
        total = sum(seen.sent for seen in mock.inference())
        if total != last:
            last, since = total, time.monotonic()
        elif time.monotonic() - since > 0.5:
            break
        time.sleep(0.05)
    return last


def test_closed_windows_bound_memory_and_pause_the_model_server(stand):
    gateway, mock = stand
    with H2(gateway.port) as client:
        for _ in range(3):  # Warm: what every later stream needs, too, is there.
            judge_stream(client.chat(stream=True, mock=PLAN), reference(400, 4000))
    before_sent = settle(mock)
    before = gateway.resident_bytes()
    with H2(gateway.port, acknowledges=False, window=0) as client:
        responses = [
            client.request("POST", CHAT, chat_body(stream=True, mock=PLAN))
            for _ in range(STREAMS)]
        assert client.wait(lambda: all(response.status == 200 for response in responses))
        sent = settle(mock) - before_sent
        growth = gateway.resident_bytes() - before
        whole = STREAMS * len(reference(400, 4000))
        buffered = gateway.buffered_bytes()
        print(
            f"{buffered / STREAMS / 1024:.1f} KiB buffered, {growth / STREAMS / 1024:.1f} KiB "
            f"resident per stream, {sent / whole:.0%} sent")
        assert buffered / STREAMS <= 32 * 1024
        assert growth / STREAMS <= 40 * 1024
        assert all(not seen.is_answered for seen in mock.inference()[-STREAMS:])
        # The windows open: every byte comes.
        client.acknowledges = True
        client.open_window(1 << 24)
        for response in responses:
            client.open_window(1 << 22, response)
        assert client.wait(lambda: all(response.is_over for response in responses), 30)
        for response in responses:
            assert judge_stream(response, reference(400, 4000)) == "whole"


def test_a_thousand_stalled_streams_cost_at_most_40_kib_each(bench):
    mock, = bench.mocks(send_buffer=32768)
    gateway = bench.gateway([{"url": mock.url, "max_in_flight": 2000}])
    with H2(gateway.port) as client:
        judge_stream(client.chat(stream=True, mock=PLAN), reference(400, 4000))
    settle(mock)
    before = gateway.resident_bytes()
    with contextlib.ExitStack() as clients:
        streams = 0
        for _ in range(20):
            client = clients.enter_context(H2(gateway.port, acknowledges=False, window=0))
            responses = [
                client.request("POST", CHAT, chat_body(stream=True, mock=PLAN))
                for _ in range(50)]
            # One client after the other: the mock cannot accept a thousand connections at once.
            assert client.wait(lambda: all(response.status == 200 for response in responses), 20)
            streams += len(responses)
        settle(mock)
        growth = (gateway.resident_bytes() - before) / streams
        print(f"{growth / 1024:.1f} KiB resident per stalled stream")
        assert growth <= 40 * 1024


def test_one_closed_window_does_not_hold_the_others_up(stand):
    gateway, _ = stand
    with H2(gateway.port, window=1000) as client:
        client.open_window(1 << 24)
        stuck = client.request("POST", CHAT, chat_body(stream=True, mock=PLAN))
        client.acknowledges = False
        assert client.wait(lambda: len(stuck.body) == 1000)
        client.acknowledges = True
        for _ in range(5):
            response = client.request("POST", CHAT, chat_body(stream=True))
            client.open_window(1 << 20, response)
            assert client.wait(lambda: response.is_over, 5)
            assert judge_stream(response, reference()) == "whole"
        assert len(stuck.body) == 1000 and not stuck.is_over
        client.open_window(1 << 22, stuck)
        assert client.wait(lambda: stuck.is_over)
        assert judge_stream(stuck, reference(400, 4000)) == "whole"


def test_http1_client_that_pauses_gets_every_byte(stand):
    gateway, mock = stand
    plan = {"tokens": 3000, "pad": 4000}  # 12 MB: more than the kernel holds
    with H1(gateway.port, receive_buffer=65536) as client:
        before = gateway.resident_bytes()
        response = client.request("POST", CHAT, chat_body(stream=True, mock=plan))
        time.sleep(0.2)
        settle(mock)
        assert not mock.inference()[-1].is_answered
        assert gateway.resident_bytes() - before < 4 << 20
        assert client.wait(lambda: response.is_over, 30)
        assert judge_stream(response, reference(3000, 4000)) == "whole"


def test_large_unary_answer_to_a_closed_window_is_delivered_whole(stand):
    gateway, _ = stand
    plan = {"tokens": 2000, "pad": 4000}  # 8 MB: passes through, it is not held
    with H2(gateway.port, acknowledges=False, window=100) as client:
        before = gateway.resident_bytes()
        response = client.request("POST", CHAT, chat_body(mock=plan))
        assert client.wait(lambda: response.status == 200)
        time.sleep(0.5)
        assert gateway.resident_bytes() - before < 4 << 20
        client.acknowledges = True
        client.open_window(1 << 25)
        client.open_window(1 << 25, response)
        assert client.wait(lambda: response.is_over, 30)
        text = response.json()["choices"][0]["message"]["content"]
        assert text == reference(2000, 4000)


def test_stalled_reader_is_given_up(bench):
    mock, = bench.mocks(send_buffer=32768)
    gateway = bench.gateway([mock], limits={"stall_timeout_ms": 700})
    with H2(gateway.port, acknowledges=False, window=0) as client:
        response = client.request("POST", CHAT, chat_body(stream=True, mock=PLAN))
        assert client.wait(lambda: response.status == 200)
        assert client.wait(lambda: bool(response.broken), 5), "the stream is held for ever"
        seen, = mock.inference()
        end = time.monotonic() + 1
        while seen.gone_at is None and time.monotonic() < end:
            time.sleep(0.01)
        assert seen.gone_at is not None
        # Other streams of the connection are unaffected.
        good = client.request("POST", CHAT, chat_body(stream=True))
        client.acknowledges = True
        client.open_window(1 << 20)
        client.open_window(1 << 20, good)
        assert client.wait(lambda: good.is_over, 5)
        assert judge_stream(good, reference()) == "whole"
