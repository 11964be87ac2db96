"""Floods and bombs against a live gateway: each is to cost it no more than a few megabytes, ends
when the limits say, asks next to nothing of model servers, and is not felt by an honest client.

    pytest -s Tests/Integration/test_floods.py

prints what each attack came to.
"""

import signal
import time

import pytest

from clients import CHAT, H1, H2, chat_body, judge_stream
from conformance.frames import (
    HEADERS, PREFACE, chat_head, data, frame, head, headers, literals, ping, rst, settings,
    window_update)
from floods import http1, http2
from floods.key_updates import TLS1_2, Shaker
from floods.line import Line
from floods.scene import ENDS, GROWTH, MB, SAMPLED, STARTED, Scene, Score, Watch
from mock_upstream import reference

# Of one connection, as the limits have it.
STREAMS = 100
# What a connection holds at most when nobody reads: the transport stops reading then.
OUTPUT = 256 * 1024 + 65_536
# What a byte of a body may cost in memory.
HELD = 2
# Deadlines are looked at so often, seconds.
SWEEP = 0.5
# What honest requests cost the gateway while an attack goes on, seconds of CPU.
PROBES = 0.1


@pytest.fixture(scope="module")
def scores():
    made = []
    yield made
    print("\n\n" + "\n".join([Score.TITLE, *(score.row() for score in made)]))


def deaf_and_hearing(floods):
    read = [pytest.param(flood, False, id=flood.name) for flood in floods]
    return read + [
        pytest.param(flood, True, id=f"{flood.name}, unread") for flood in floods if flood.deaf]


def pour(line, flood, step=500, patience=3.0, pause=0.0):
    """Sends a flood until it is over or nobody takes it any more."""
    for start in range(0, flood.count, step):
        time.sleep(pause)
        if not line.send(b"".join(flood.unit(i) for i in range(start, start + step)), patience):
            return


@pytest.mark.parametrize("flood, deaf", deaf_and_hearing(http2.RESETS + http2.FRAMES))
def test_flood_of_frames_ends_its_connection(bench, scores, flood, deaf):
    scene = Scene(bench)
    name = flood.name + ", unread" * deaf
    opening = PREFACE + settings() + flood.opening
    with scene.attack(name, scores) as score, Line(scene.port, opening, deaf) as line:
        pour(line, flood)
        scene.ends(score, [line])
        if not deaf:
            line.listen(0.2)
            assert line.goaway in flood.codes, f"GOAWAY {line.goaway}"
    assert flood.cpu is None or score.cpu <= flood.cpu + 0.05, f"{score.cpu} s"
    scene.leaves_nothing()


@pytest.mark.parametrize("flood", http2.RESETS[1:2] + http2.RESETS[4:5], ids=lambda f: f.name)
def test_flood_over_tls(bench, scores, tls_listeners, client_tls, flood):
    scene = Scene(bench, listeners=tls_listeners, tls=client_tls)
    opening = PREFACE + settings()
    with scene.attack(f"{flood.name}, TLS", scores) as score, Line(
            scene.tls_port, opening, tls=client_tls) as line:
        pour(line, flood)
        scene.ends(score, [line])
        assert line.goaway in flood.codes
    scene.leaves_nothing()


@pytest.mark.parametrize("flood", http2.RESETS[:3] + http2.RESETS[4:5], ids=lambda f: f.name)
def test_twenty_thousand_resets_on_ever_new_connections(bench, scores, flood):
    """The bar is for the resets, however many connections it takes to send them."""
    scene = Scene(bench)
    resets, sent, connections = 0, 0, 0
    with scene.attack(f"{flood.name}, 20,000 on ever new connections", scores) as score:
        while resets < 20_000:
            with Line(scene.port, PREFACE + settings()) as line:
                start = line.sent
                data = b"".join(map(flood.unit, range(200)))
                line.send(data)
                line.listen(ENDS, lambda line=line: line.goaway is not None)
                assert line.goaway in flood.codes
                resets += 200 * (line.sent - start) // len(data)
                sent += line.sent
                connections += 1
        score.sent, score.connections, score.closed = sent, connections, connections
    scene.leaves_nothing()


def test_resets_of_requests_that_have_reached_a_model_server(bench, scores):
    """One by one, each when its request is under way there: an honest client may do so as often as
    it may have streams, and the model server hears of each."""
    scene = Scene(bench)
    most = 3 * (STREAMS + 1)
    with scene.attack("resets one by one, 3 connections", scores, started=most) as score:
        lines = [Line(scene.port, PREFACE + settings()) for _ in range(3)]
        for turn in range(STREAMS + 1):
            before = scene.started()
            alive = sum(line.send(http2.ask(http2.odd(turn), mock={"delay": 30})) for line in lines)
            assert scene.settles(lambda: scene.started() - before == alive), "not under way"
            for line in lines:
                line.send(rst(http2.odd(turn)))
        scene.ends(score, lines, within=30)
        assert all(line.goaway == http2.CALM for line in lines)
    for line in lines:
        line.socket.close()
    scene.leaves_nothing()
    asked = [seen for seen in scene.mock.inference() if seen.body.get("user") == "flood"]
    assert scene.settles(lambda: all(seen.gone_at for seen in asked)), "still asked for"


@pytest.mark.parametrize("deaf", [False, True], ids=["read", "unread"])
@pytest.mark.parametrize("flood", http2.RESETS[1:2] + http2.RESETS[4:5], ids=lambda f: f.name)
def test_resets_while_draining(bench, scores, flood, deaf):
    scene = Scene(bench)
    name = f"{flood.name}, while draining" + ", unread" * deaf
    with H2(scene.port) as client, Line(scene.port, PREFACE + settings(), deaf) as line:
        stream = client.request("POST", CHAT, chat_body(
            stream=True, user="honest", mock={"tokens": 70, "interval": 0.02}))
        assert client.wait(lambda: len(stream.body) > 300)
        watch = Watch(scene.gateway.child.pid)
        scene.idle = 1
        scene.began = time.monotonic()
        scene.gateway.child.send_signal(signal.SIGTERM)
        time.sleep(0.1)
        score = Score(name)
        scores.append(score)
        pour(line, flood)
        try:
            scene.ends(score, [line], within=ENDS + 0.1)
        finally:
            watch.end()
            score.growth, score.started = watch.growth(), scene.started()
            score.cpu = watch.cpu() - watch.cpu_before
        assert score.growth <= GROWTH and score.started <= STARTED
        assert client.wait(lambda: stream.is_over)
        assert judge_stream(stream, reference(70)) == "whole"
    assert scene.gateway.finished(5) == 0


@pytest.mark.parametrize("name", http2.BOMBS)
def test_header_bombs_cost_counting_not_memory(bench, scores, name):
    scene = Scene(bench)
    data = http2.BOMBS[name]()
    with scene.attack(f"{name}, 4 connections", scores) as score:
        lines = [Line(scene.port, http2.shut()) for _ in range(4)]
        for line in lines:
            assert line.send(data), "not taken"
        score.sent = sum(line.sent for line in lines)
        score.connections = len(lines)
        # What each of them gets is a refusal, by a head or by a reset.
        for line in lines:
            assert line.listen(ENDS, lambda line=line: line.heads + line.resets >= 45)
    for line in lines:
        line.socket.close()
    scene.leaves_nothing()


@pytest.mark.parametrize("name", http2.ENDLESS)
def test_header_blocks_without_end(bench, scores, name):
    scene = Scene(bench)
    with scene.attack(name, scores) as score:
        lines = [Line(scene.port, PREFACE + settings() + http2.ENDLESS_OPENING)
                 for _ in range(10)]
        for line in lines:
            pour(line, http2.Flood(name, http2.ENDLESS[name], 5_000), step=10)
        scene.ends(score, lines)
        assert all(line.goaway == http2.CALM for line in lines)
    for line in lines:
        line.socket.close()
    scene.leaves_nothing()


@pytest.mark.parametrize("name", http1.ENDLESS)
def test_http1_without_end(bench, scores, name):
    scene = Scene(bench, limits={"request_body_bytes": 20_000})
    opening, unit, statuses = http1.ENDLESS[name]
    with scene.attack(f"HTTP/1.1: {name}", scores) as score:
        lines = [Line(scene.port, opening, counts=False) for _ in range(10)]
        for line in lines:
            pour(line, http2.Flood(name, unit, 100_000))
        scene.ends(score, lines)
        for line in lines:
            assert int(line.text[9:12]) in statuses, line.text[:100]
            assert line.text.count(b"HTTP/1.1") == 1
    for line in lines:
        line.socket.close()
    scene.leaves_nothing()


@pytest.mark.parametrize("name", http1.SMUGGLED)
def test_smuggled_requests_reach_nobody(bench, scores, name):
    scene = Scene(bench)
    with scene.attack(f"HTTP/1.1: {name}", scores, started=0) as score:
        lines = []
        for _ in range(100):
            lines.append(Line(scene.port, http1.SMUGGLED[name], counts=False))
        scene.ends(score, lines)
        for line in lines:
            assert line.text.startswith(b"HTTP/1.1 400 "), line.text[:100]
            assert line.text.count(b"HTTP/1.1 ") == 1, "the rest was taken for a request"
    for line in lines:
        line.socket.close()
    scene.leaves_nothing()


# Clients that do not read


# Fewer at once than streams may be open. Their answers need no window, and repeat the name.
BLOCK = literals(head(("x-request-id", "r" * 120), method="HEAD"))
BATCH = 90


def heads(turn):
    return b"".join(headers(http2.odd(BATCH * turn + i), BLOCK) for i in range(BATCH))


HEADS = [
    pytest.param(PREFACE + settings(), heads, id="HTTP/2"),
    pytest.param(http1.HEALTH, lambda turn: http1.HEALTH * BATCH, id="HTTP/1.1"),
]


@pytest.mark.parametrize("opening, unit", HEADS)
def test_client_that_asks_and_never_reads(bench, scores, request, opening, unit):
    """Its answers fill the sockets; then its questions are left unread, and in the end it is."""
    scene = Scene(bench, limits={"stall_timeout_ms": 1500})
    name = f"{request.node.callspec.id}: requests without end, no answer read"
    with scene.attack(name, scores) as score, Line(scene.port, opening, deaf=True) as line:
        pour(line, http2.Flood(name, unit, 3_000), step=1, patience=0.3, pause=0.001)
        # From now on nothing is taken from it.
        scene.began = time.monotonic()
        # The answers to what was poured in last may still be on their way.
        scene.gateway.until(lambda: scene.gateway.buffered_bytes() > 0, timeout=1)
        assert scene.gateway.buffered_bytes() <= OUTPUT
        scene.ends(score, [line], within=1.5 + SWEEP + ENDS)
    scene.leaves_nothing()


def closed_windows(scene, count, connections, **members) -> list:
    """So many streams of clients whose windows are shut, each of them answered as far as it goes.
    """
    lines = []
    for _ in range(connections):
        line = Line(scene.port, http2.shut())
        for turn in range(count):
            assert line.send(http2.ask(http2.odd(turn), **members))
        assert line.listen(15, lambda line=line: line.heads >= count), f"{line.heads} answers"
        lines.append(line)
    return lines


PLANS = [
    pytest.param(
        {"stream": True, "mock": {"tokens": 25, "pad": 8000}}, 2, 32 * 1024, id="events"),
    # Held whole before a byte goes out, so that a cut one can be asked for again.
    pytest.param({"mock": {"tokens": 25, "pad": 8000}}, 1, 256 * 1024, id="whole answers"),
]


@pytest.mark.parametrize("members, connections, bound", PLANS)
def test_closed_windows_hold_so_much_and_not_for_ever(
        bench, scores, request, members, connections, bound):
    scene = Scene(bench, limits={"stall_timeout_ms": 2000}, pool={"max_in_flight": 1000})
    count = connections * STREAMS
    name = f"closed windows, {count} streams of 200 KB, {request.node.callspec.id}"
    growth = count * bound + GROWTH
    with scene.attack(name, scores, growth=growth, started=count) as score:
        lines = closed_windows(scene, STREAMS, connections, **members)
        score.sent, score.connections = sum(line.sent for line in lines), len(lines)
        time.sleep(0.3)
        assert scene.gateway.buffered_bytes() <= count * bound
        for line in lines:
            assert line.listen(2.0 + SWEEP + ENDS, lambda line=line: line.resets >= STREAMS)
            # The connection is not to blame.
            assert line.goaway is None and not line.is_closed
    for line in lines:
        line.socket.close()
    scene.leaves_nothing()


def test_windows_opened_by_one_byte(bench, scores):
    scene = Scene(bench, limits={"stall_timeout_ms": 1000})
    with scene.attack("windows opened by one byte", scores, started=20) as score:
        line, = closed_windows(scene, 20, 1, stream=True, mock={"tokens": 25, "pad": 8000})
        streams = [http2.odd(turn) for turn in range(20)]
        end = time.monotonic() + 1.0 + SWEEP + ENDS
        while line.resets < 20 and time.monotonic() < end:
            line.send(b"".join(window_update(stream, 1) for stream in streams))
            line.listen(0.1)
        score.sent, score.connections = line.sent, 1
        assert line.resets == 20 and not line.is_closed
        line.socket.close()
    scene.leaves_nothing()


# Clients that are slow


SLOW_BODY = http1.HEAD + b"content-length: 1000\r\n\r\n"
UPLOAD = PREFACE + settings() + headers(1, chat_head(), end=False)
TLS_HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"

# What opens a connection, what follows it every tenth of a second, and whether it is closed or, if
# not, its stream answered with 408.
SLOW = {
    "nothing": (b"", b"", False),
    "HTTP/1.1 request line by bytes": (b"GET /", b"x", False),
    "HTTP/1.1 head by lines": (http1.HEAD, b"x: y\r\n", False),
    "HTTP/1.1 body that stops": (SLOW_BODY + b"x" * 500, b"", False),
    "HTTP/1.1 body by bytes": (SLOW_BODY, b"x", False),
    "HTTP/2 preface by bytes": (PREFACE[:4], b"", False),
    "HTTP/2 without a request": (PREFACE + settings(), b"", False),
    "HTTP/2 with pings only": (PREFACE + settings(), ping(), False),
    "HTTP/2 head by bytes": (PREFACE + settings() + frame(HEADERS, 5, 1, b"", 1000), b"\0", False),
    "HTTP/2 head by CONTINUATION": (
        PREFACE + settings() + frame(HEADERS, 1, 1, b"\x82"), b"", False),
    "HTTP/2 frame by bytes": (PREFACE + settings() + frame(0xBE, 0, 0, b"", 1000), b"\0", False),
    "HTTP/2 body that stops": (UPLOAD + data(1, b"x"), b"", True),
    "HTTP/2 body by bytes": (UPLOAD, data(1, b"x"), True),
    "TLS: nothing": (b"", b"", False),
    "TLS: greeting by bytes": (TLS_HELLO, b"\0", False),
    "TLS: greeting of records of one byte": (b"", b"\x16\x03\x01\x00\x01\x01", False),
}
EACH = 10


def test_slow_clients_are_cut_at_their_deadlines(bench, scores, tls_listeners, client_tls):
    deadlines = ("handshake", "header", "first_request", "body")
    limits = {f"{name}_timeout_ms": 1000 for name in deadlines}
    scene = Scene(
        bench, {**limits, "body_total_timeout_ms": 2000}, tls_listeners, client_tls)
    name = f"slow clients of {len(SLOW)} kinds, {EACH * len(SLOW)} connections"
    with scene.attack(name, scores) as score:
        lines = {
            kind: [
                Line(scene.tls_port if kind.startswith("TLS") else scene.port, opening,
                     counts=kind.startswith("HTTP/2")) for _ in range(EACH)]
            for kind, (opening, _, _) in SLOW.items()}
        closes = [line for kind in SLOW if not SLOW[kind][2] for line in lines[kind]]
        answers = [line for kind in SLOW if SLOW[kind][2] for line in lines[kind]]
        end = time.monotonic() + 2.0 + SWEEP + ENDS
        while time.monotonic() < end and not (
                all(line.is_closed for line in closes) and all(line.heads for line in answers)):
            tick = time.monotonic() + 0.1
            for kind, (_, more, _) in SLOW.items():
                for line in lines[kind]:
                    line.send(more)
                    line.drain()
            time.sleep(max(tick - time.monotonic(), 0))
        score.ended = time.monotonic() - scene.began
        score.connections, score.closed = len(closes), sum(line.is_closed for line in closes)
        open_kinds = [kind for kind in SLOW if not SLOW[kind][2] and not all(
            line.is_closed for line in lines[kind])]
        assert open_kinds == []
        assert all(line.heads == 1 for line in answers)
        for kind in ("HTTP/1.1 body that stops", "HTTP/1.1 body by bytes"):
            assert all(b" 408 " in line.text for line in lines[kind])
        for line in answers:
            line.socket.close()
    scene.leaves_nothing()


# Large things


def test_long_targets_are_refused(bench, scores):
    scene = Scene(bench)
    long = PREFACE + settings() + b"".join(
        headers(http2.odd(i), literals(head(path="/" + "x" * 16_000))) for i in range(200))
    with scene.attack("200 targets of 16 KB", scores) as score, Line(scene.port, long) as line:
        score.sent, score.connections = line.sent, 1
        assert line.listen(ENDS, lambda: line.heads == 200)
    scene.leaves_nothing()


@pytest.mark.parametrize("levels, count", [(50_000, 100), (4_000_000, 2)])
def test_deep_json_costs_next_to_nothing(bench, scores, levels, count):
    scene = Scene(bench)
    # Nothing else is wrong with it.
    body = http2.BODY[:-1] + b',"x":' + b"[" * levels + b"]" * levels + b"}"
    bound = HELD * len(body) + GROWTH
    with scene.attack(f"{count} bodies nested {levels} deep", scores, growth=bound) as score, H1(
            scene.port) as client:
        for _ in range(count):
            assert client.ask("POST", CHAT, body).status == 400
        score.sent, score.connections = count * len(body), 1
    # A thousandth of a second each, and what taking in the bytes costs: as much again for each MB.
    assert score.cpu <= count * (0.001 + 0.001 * len(body) / MB) + PROBES
    scene.leaves_nothing()


# Budgets of the process


def is_overloaded(response) -> bool:
    """Refused for want of memory; anything else is an answer."""
    if response.status == 200:
        return False
    assert response.status == 503 and response.json()["error"]["code"] == "overloaded"
    assert 1 <= int(response.header("retry-after")) <= 120
    return True


def test_bodies_beyond_the_budget_are_refused(bench, scores):
    budget = 8 << 20
    scene = Scene(bench, {"body_budget_bytes": budget, "request_body_bytes": 4 << 20})
    begun = http1.HEAD + b"content-length: %d\r\n\r\n" % (4 << 20)
    name = "bodies that stop halfway, a budget of 8 MB"
    with scene.attack(name, scores, path="/health", growth=HELD * budget + GROWTH) as score:
        lines = [Line(scene.port, begun + b" " * (2 << 20), counts=False) for _ in range(30)]
        for line in lines:
            line.listen(0.02)

        def refused():
            for line in lines:
                line.drain()
            return sum(b"overloaded" in line.text for line in lines)
        assert scene.settles(lambda: refused() >= 30 - 4), f"{refused()} refused"
        # What fits between the large ones fills the rest up, and then some.
        with H2(scene.port) as client, H1(scene.port) as other:
            while not is_overloaded(answer := client.chat(user="honest")) and len(lines) < 200:
                lines.append(Line(scene.port, begun + b" " * 100_000, counts=False))
            assert is_overloaded(answer) and is_overloaded(other.chat(user="honest"))
        score.sent = sum(line.sent for line in lines)
        score.connections = len(lines)
        for line in lines:
            line.socket.close()
        with H2(scene.port) as client:
            assert scene.settles(lambda: client.chat(user="honest").status == 200)
    scene.leaves_nothing()


def test_answers_beyond_the_budget_are_refused(bench, scores):
    budget = 4 << 20
    scene = Scene(bench, {"response_budget_bytes": budget}, pool={"max_in_flight": 1000})
    name = "answers that nobody reads, a budget of 4 MB"
    with scene.attack(name, scores, path="/health", growth=budget + GROWTH, started=30) as score:
        line = Line(scene.port, http2.shut())
        turn = 0
        # Three quarters of it at once, the rest one after the other, so that no answer is under
        # way when the budget is used up.
        while scene.gateway.buffered_bytes() <= budget and turn < 30:
            for _ in range(1 if turn else 15):
                line.send(http2.ask(http2.odd(turn), mock={"tokens": 25, "pad": 8000}))
                turn += 1
            assert line.listen(5, lambda: line.heads == turn)
            time.sleep(2 * SAMPLED)
        score.sent, score.connections = line.sent, 1
        with H2(scene.port) as client, H1(scene.port) as other:
            assert is_overloaded(client.chat(user="honest"))
            assert is_overloaded(other.chat(user="honest"))
        line.socket.close()
        with H2(scene.port) as client:
            assert scene.settles(lambda: client.chat(user="honest").status == 200)
    scene.leaves_nothing()


# TLS


@pytest.mark.parametrize("deaf", [False, True], ids=["read", "unread"])
@pytest.mark.parametrize("alpn", [b"h2", b"http/1.1"], ids=bytes.decode)
def test_key_updates_without_end(bench, scores, tls_listeners, client_tls, alpn, deaf):
    scene = Scene(bench, listeners=tls_listeners, tls=client_tls)
    name = f"TLS 1.3 key updates, {alpn.decode()}" + ", unread" * deaf
    with Shaker(scene.tls_port, protocol=alpn, deaf=deaf) as line:
        records = line.key_updates(2_000)
        assert scene.settles(lambda: scene.connections() == 1)
        with scene.attack(name, scores, others=1) as score:
            line.send(records)
            scene.ends(score, [line])
    scene.leaves_nothing()


def test_renegotiation_is_refused(bench, scores, tls_listeners, client_tls):
    scene = Scene(bench, listeners=tls_listeners, tls=client_tls)
    with Shaker(scene.tls_port, version=TLS1_2) as line:
        hello = line.renegotiate()
        assert scene.settles(lambda: scene.connections() == 1)
        with scene.attack("TLS 1.2 renegotiation", scores, others=1) as score:
            line.send(hello)
            score.sent, score.connections = line.sent, 1
            # An alert and nothing else: a ServerHello would be a record of a handshake.
            assert line.socket.recv(1)[0] == 21
    scene.leaves_nothing()


# Connections


def test_connections_beyond_the_limit_are_closed_at_once(bench, scores):
    scene = Scene(bench, {"connections": 50})
    with scene.attack("200 connections, a limit of 50", scores) as score:
        lines = [Line(scene.port, b"") for _ in range(200)]
        assert scene.settles(lambda: scene.connections() == 50)
        for line in lines:
            line.listen(0.01)
        score.connections, score.closed = 200, sum(line.is_closed for line in lines)
        assert score.closed == 151, "all but those that the probe leaves room for"
        for line in lines:
            line.socket.close()
        assert scene.settles(lambda: scene.connections() == 1)
        with H2(scene.port) as client:
            assert client.chat(user="honest").status == 200
    scene.leaves_nothing()


def test_running_out_of_descriptors_neither_spins_nor_lasts(bench, scores):
    scene = Scene(bench, before=["prlimit", "--nofile=128:128"])
    # Its connection to the model server is open already, and stays so.
    with scene.attack("300 connections, 128 descriptors", scores) as score:
        lines = [Line(scene.port, b"") for _ in range(300)]
        time.sleep(0.2)
        watch = Watch(scene.gateway.child.pid)
        time.sleep(1)
        watch.end()
        assert watch.cpu() - watch.cpu_before <= 0.05 + PROBES, "it spins"
        score.connections = len(lines)
        for line in lines:
            line.socket.close()
    with H2(scene.port) as client:
        assert client.chat(user="honest").status == 200
    scene.leaves_nothing()
