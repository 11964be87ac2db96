"""A raw connection of an attacker: it sends until nobody takes it, and sees how it ends."""

import select
import socket
import ssl
import time

from conformance.frames import GOAWAY, HEADERS, PREFACE, RST_STREAM, SETTINGS, settings


class Line:
    """With `deaf` it never reads a byte. `opening` is sent at once."""

    def __init__(self, port, opening=PREFACE + settings(), deaf=False, tls=None, counts=True):
        self.socket = socket.socket()
        if deaf:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.settimeout(5)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname="localhost")
        self.socket.setblocking(False)
        self.deaf = deaf
        self.sent = 0
        self.is_closed = False
        self.goaway: int | None = None  # the error code of the last one
        self.counts = counts
        self.frames: dict[int, int] = {}  # how many of each type came
        self.unread = b""
        self.text = b""  # where frames are not counted
        self.poll = select.poll()
        self.poll.register(self.socket, 0)
        self.send(opening)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data: bytes, timeout: float = 3.0) -> bool:
        """False once the other side has closed, or takes no more for so long."""
        view = memoryview(data)
        end = time.monotonic() + timeout
        while view and not self.is_closed:
            self.wait(select.POLLOUT, max(end - time.monotonic(), 0))
            if time.monotonic() > end:
                return False
            try:
                count = self.socket.send(view[:1 << 16])
            except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
                continue
            except OSError:
                # What it had to say before may still lie here.
                self.drain()
                self.is_closed = True
                break
            self.sent += count
            view = view[count:]
        return not self.is_closed

    def wait(self, want: int, timeout: float):
        """Until the socket is ready, the answers that have come meanwhile read."""
        reads = 0 if self.deaf else select.POLLIN
        self.poll.modify(self.socket, want | reads)
        for _, events in self.poll.poll(timeout * 1000):
            if events & select.POLLIN:
                self.drain()
            elif events & (select.POLLERR | select.POLLHUP) and not events & want:
                self.is_closed = True

    def drain(self):
        while not self.is_closed and not self.deaf:
            try:
                data = self.socket.recv(1 << 16)
            except (BlockingIOError, ssl.SSLWantReadError):
                return
            except OSError:
                data = b""
            if data:
                self.take(data)
            else:
                self.is_closed = True

    def listen(self, seconds: float, holds=lambda: False) -> bool:
        """Reads for so long, or until something holds, or the end. Who is deaf hears nothing."""
        end = time.monotonic() + (0 if self.deaf else seconds)
        while not holds() and not self.is_closed and (left := end - time.monotonic()) > 0:
            self.wait(0, min(left, 0.05))
        return holds()

    def take(self, data: bytes):
        if not self.counts:
            self.text = (self.text + data)[-(1 << 16):]
            return
        self.unread += data
        offset = 0
        while len(self.unread) - offset >= 9:
            length = int.from_bytes(self.unread[offset:offset + 3])
            if len(self.unread) - offset < 9 + length:
                break
            kind = self.unread[offset + 3]
            self.frames[kind] = self.frames.get(kind, 0) + 1
            if kind == GOAWAY:
                self.goaway = int.from_bytes(self.unread[offset + 13:offset + 17])
            offset += 9 + length
        self.unread = self.unread[offset:]

    @property
    def resets(self) -> int:
        return self.frames.get(RST_STREAM, 0)

    @property
    def heads(self) -> int:
        return self.frames.get(HEADERS, 0)

    def hears_settings(self) -> bool:
        return self.listen(2, lambda: SETTINGS in self.frames)
