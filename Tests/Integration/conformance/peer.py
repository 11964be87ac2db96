"""A client of HTTP/2 that sends whatever it is told to, and keeps what comes back."""

import socket
import ssl
import time

from . import frames
from .observation import Observation

# Streams of our own, above those that cases use.
FENCE = 0x7FFFFF01


class Mismatch(AssertionError):
    """The server did not do on the way what the case needs."""


class Peer:
    """A connection after its handshake. `patience` is how long it waits for anything, seconds."""

    def __init__(self, sock: socket.socket, own=(), greet=True, patience=2.0, tag=""):
        self.socket = sock
        self.patience = patience
        self.tag = tag.encode() or frames.TAG
        initial = dict(own).get(frames.INITIAL_WINDOW_SIZE, 65535)
        self.seen = Observation(initial)
        self.pings = 0
        self.fence = FENCE
        if greet:
            self.send(frames.PREFACE + frames.settings(*own))
            # The server's SETTINGS come first in any case.
            if not self.wait(lambda: self.seen.has_settings and self.seen.acknowledged):
                raise Mismatch(f"no handshake: {self.tell()}")
            self.send(frames.settings(ack=True))
        self.seen.decoder.max_allowed_table_size = dict(own).get(frames.HEADER_TABLE_SIZE, 4096)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data: bytes):
        self.socket.settimeout(self.patience)
        try:
            self.socket.sendall(data.replace(frames.TAG, self.tag))
        except OSError:
            pass  # Why it ended is for reading to find out.

    def open_window(self, stream, increment):
        self.seen.windows.open(stream, increment)
        self.send(frames.window_update(stream, increment))

    def pump(self, timeout) -> bool:
        self.socket.settimeout(max(timeout, 0.001))
        try:
            data = self.socket.recv(1 << 16)
        except (TimeoutError, ssl.SSLWantReadError):
            return False
        except OSError:
            data = b""
        if data:
            self.seen.feed(data)
        else:
            self.seen.is_closed = True
        return bool(data)

    def wait(self, condition, timeout=None) -> bool:
        end = time.monotonic() + (self.patience if timeout is None else timeout)
        while not (done := condition()) and not self.seen.is_closed:
            left = end - time.monotonic()
            if left <= 0:
                break
            self.pump(left)
        return bool(done or condition())

    def sync(self) -> bool:
        """A round trip. False if the connection did not live to see its end."""
        self.pings += 1
        payload = b"sync%04d" % self.pings
        self.send(frames.ping(payload))
        return self.wait(lambda: payload in self.seen.pings)

    def ask(self) -> bool:
        """A request of our own. True if it was answered well."""
        stream = self.fence
        self.fence += 2
        # Whatever the case did to the windows.
        self.seen.windows.open(stream, 65535)
        self.send(frames.get(stream) + frames.window_update(stream, 65535))
        answer = self.seen.answer(stream)
        self.wait(lambda: answer.is_ended or stream in self.seen.resets)
        return answer.is_ended and answer.status == 200

    def tell(self) -> str:
        """What came, in one line."""
        words = [
            f"{type(frame).__name__.removesuffix('Frame')}({frame.stream_id})"
            for frame in self.seen.frames]
        words += [f"stream {s}: reset {code}" for s, code in self.seen.resets.items()]
        words += [
            f"stream {s}: {answer.status} {len(answer.body)} bytes{' end' * answer.is_ended}"
            for s, answer in self.seen.answers.items() if answer.status]
        words += [
            f"GOAWAY {frame.error_code} last {frame.last_stream_id}"
            for frame in self.seen.goaways]
        return ", ".join([*words, "closed" if self.seen.is_closed else "open"])
