"""Floods of HTTP/2: what each is made of, by the number of the turn."""

import json
from dataclasses import dataclass
from typing import Callable

from conformance.frames import (
    CONTINUATION, END_STREAM, GOAWAY, HEADERS, INITIAL_WINDOW_SIZE, MAX_WINDOW, PREFACE,
    PRIORITY, PUSH_PROMISE, chat_head, continuation, data, frame, get, head, headers, indexed,
    literal, literals, ping, priority, rst, settings, window_update)

BODY = json.dumps({
    "model": "ax-4.0", "messages": [{"role": "user", "content": "a"}], "user": "flood"}).encode()
STREAM = json.dumps({
    "model": "ax-4.0", "messages": [{"role": "user", "content": "a"}], "user": "flood",
    "stream": True}).encode()

CALM, PROTOCOL = 0xb, 0x1


def odd(turn: int) -> int:
    """The stream of a turn; stream 1 is the opening's."""
    return 2 * turn + 3


def whole(turn: int, body=BODY) -> bytes:
    """A request that a model server would be asked for."""
    stream = odd(turn)
    return headers(stream, chat_head(), end=False) + data(stream, body, end=True)


def begun(turn: int, *more) -> bytes:
    return headers(odd(turn), chat_head(*more), end=False)


@dataclass(frozen=True)
class Flood:
    name: str
    unit: Callable[[int], bytes]
    count: int = 20_000
    opening: bytes = b""
    """Behind the preface and SETTINGS."""
    codes: tuple = (CALM,)
    """What the last GOAWAY may say."""
    deaf: bool = False
    """It is sent by a client that never reads as well."""
    cpu: float | None = None
    """What the gateway may spend on it, seconds."""


UPLOAD = headers(1, chat_head(), end=False)

# The clients' own resets, and resets that they make the gateway send (CVE-2023-44487,
# CVE-2025-8671): model servers must see none of it.
RESETS = [
    Flood("reset of a head", lambda i: begun(i) + rst(odd(i)), cpu=0.2),
    Flood("reset of a whole request", lambda i: whole(i) + rst(odd(i)), deaf=True, cpu=0.2),
    Flood("reset of a stream of events", lambda i: whole(i, STREAM) + rst(odd(i)), cpu=0.2),
    Flood("window overflow on a request under way",
          lambda i: begun(i) + window_update(odd(i), MAX_WINDOW), cpu=0.2),
    Flood("window overflow on a whole request",
          lambda i: whole(i) + window_update(odd(i), MAX_WINDOW), deaf=True, cpu=0.2),
    Flood("window update of zero", lambda i: whole(i) + window_update(odd(i), 0),
          codes=(PROTOCOL, CALM), cpu=0.2),
    Flood("DATA behind the end", lambda i: whole(i) + data(odd(i), b"x"),
          codes=(PROTOCOL, 0x5, CALM), cpu=0.2),
    Flood("PRIORITY of a wrong length", lambda i: whole(i) + frame(PRIORITY, 0, odd(i), b"1234"),
          codes=(0x6, CALM), cpu=0.2),
    Flood("content beyond its length",
          lambda i: begun(i, ("content-length", "1")) + data(odd(i), b"xy"), cpu=0.2),
    Flood("pseudo-fields in trailers",
          lambda i: begun(i) + data(odd(i), BODY) + headers(odd(i), [(":path", "/")]), cpu=0.2),
    Flood("trailers over the limits",
          lambda i: begun(i) + data(odd(i), BODY) + headers(odd(i), [("t", "v")] * 17), cpu=0.2),
    Flood("malformed head", lambda i: get(odd(i), ("Upper", "x")), deaf=True, cpu=0.2),
]

# Frames that cost their sender nothing and ask for nothing.
FRAMES = [
    Flood("PING", lambda i: ping(), 300_000, deaf=True),
    Flood("PING acknowledgement", lambda i: ping(ack=True), 300_000),
    Flood("SETTINGS", lambda i: settings(), 100_000, deaf=True),
    Flood("SETTINGS that move windows",
          lambda i: settings((INITIAL_WINDOW_SIZE, 65535 * (i & 1))), 100_000, UPLOAD),
    Flood("PRIORITY", lambda i: priority(odd(i)), 300_000),
    Flood("PRIORITY of one open stream", lambda i: priority(1, depends_on=odd(i)), 300_000, UPLOAD),
    Flood("WINDOW_UPDATE", lambda i: window_update(0, 1), 500_000),
    Flood("WINDOW_UPDATE of a stream", lambda i: window_update(1, 1), 500_000, UPLOAD),
    Flood("unknown frames", lambda i: frame(0xBE, 0, 0), 500_000),
    Flood("unknown frames of 16 KiB", lambda i: frame(0xBE, 0, 0, bytes(16_384)), 2_000),
    Flood("empty DATA", lambda i: data(1), 500_000, UPLOAD, deaf=True),
    Flood("DATA of padding alone", lambda i: data(1, pad=255), 20_000, UPLOAD),
    Flood("GOAWAY", lambda i: frame(GOAWAY, 0, 0, bytes(8)), 100_000),
    Flood("empty HEADERS", lambda i: headers(odd(i), b""), 100_000),
    Flood("empty trailers without an end", lambda i: headers(1, b"", end=False), 100_000,
          UPLOAD, codes=(PROTOCOL, CALM)),
    Flood("PUSH_PROMISE", lambda i: frame(PUSH_PROMISE, 0x4, 1, bytes(4)), 100_000, UPLOAD,
          codes=(PROTOCOL, CALM)),
    Flood("streams beyond the limit", begun, 20_000, deaf=True),
]

# A table entry of a few bytes, and references to it of one byte each (RFC 7541 6.1: index 62 is
# the latest entry).
TINY = literal("a", "", first=0x40)
CRUMB = literal("cookie", "a", first=0x40)
FAT = literal("x-fat", "v" * 4000, first=0x40)
LATEST = indexed(62)
FULL = 16_384


def bomb(stream: int, entry: bytes, frames: int) -> bytes:
    """A request with as many references to one table entry as fit into so many frames."""
    block = literals(head()) + entry
    first = headers(stream, block + LATEST * (FULL - len(block)), whole=frames == 1)
    parts = [
        continuation(stream, LATEST * FULL, whole=index == frames - 1)
        for index in range(1, frames)]
    return first + b"".join(parts)


BOMBS = {
    "HPACK bomb of tiny fields": lambda: b"".join(bomb(odd(i), TINY, 9) for i in range(45)),
    "HPACK bomb of 4 KB fields": lambda: b"".join(bomb(odd(i), FAT, 1) for i in range(45)),
    "cookie crumbs": lambda: b"".join(bomb(odd(i), CRUMB, 9) for i in range(45)),
    "header list too large": lambda: b"".join(
        headers(odd(i), literals(head()) + literal("x", "v" * 16_000), whole=False)
        + b"".join(
            continuation(odd(i), literal("x", "v" * 16_000), whole=part == 4)
            for part in range(5))
        for i in range(45)),
}

# Header blocks without an end.
ENDLESS = {
    "CONTINUATION without end": lambda i: continuation(
        1, literal("x", "v" * 1000), whole=False),
    "empty CONTINUATION without end": lambda i: continuation(1, b"", whole=False),
    "CONTINUATION of one byte": lambda i: frame(CONTINUATION, 0, 1, b"\x82"),
}
ENDLESS_OPENING = frame(HEADERS, END_STREAM, 1, literals(head()))


def shut(*more) -> bytes:
    """The start of a client that takes no byte of any body."""
    return PREFACE + settings((INITIAL_WINDOW_SIZE, 0), *more)


def ask(stream: int, /, **members) -> bytes:
    """A chat request of the attacker's."""
    body = json.dumps({**json.loads(BODY), **members}).encode()
    return headers(stream, chat_head(), end=False) + data(stream, body, end=True)


