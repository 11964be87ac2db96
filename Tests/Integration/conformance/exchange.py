"""HTTP/1.1 by hand: sends bytes, counts answers, and finds out whether the connection is kept."""

import re
import ssl
import time
from dataclasses import dataclass, field

import h11


@dataclass
class Told:
    """What came back on one connection."""

    statuses: list = field(default_factory=list)
    interim: list = field(default_factory=list)
    heads: list = field(default_factory=list)
    is_closed: bool = False
    rest: bytes = b""


class Reader:
    """Cuts answers apart. `methods` are those of the requests, as HEAD's answers have no body."""

    def __init__(self, sock, methods, patience):
        self.socket = sock
        self.methods = list(methods)
        self.end = time.monotonic() + patience
        self.told = Told()

    def more(self) -> bool:
        left = self.end - time.monotonic()
        if left <= 0 or self.told.is_closed:
            return False
        self.socket.settimeout(left)
        try:
            data = self.socket.recv(1 << 16)
        except (TimeoutError, ssl.SSLWantReadError):
            return False
        except OSError:
            data = b""
        self.told.rest += data
        self.told.is_closed = not data
        return bool(data)

    def take(self, count) -> bytes | None:
        while len(self.told.rest) < count:
            if not self.more():
                return None
        taken, self.told.rest = self.told.rest[:count], self.told.rest[count:]
        return taken

    def line(self, end=b"\r\n") -> bytes | None:
        while end not in self.told.rest:
            if not self.more():
                return None
        return self.take(self.told.rest.index(end) + len(end))

    def answer(self) -> bool:
        """One whole answer. False if none comes."""
        head = self.line(b"\r\n\r\n")
        if head is None:
            return False
        line = re.match(rb"HTTP/1\.1 (\d{3}) [^\r\n]*\r\n", head)
        if not line:
            self.told.statuses.append("no status line")
            return False
        status = int(line[1])
        if status < 200:
            self.told.interim.append(status)
            return self.answer()
        method = self.methods.pop(0) if self.methods else "GET"
        if method != "HEAD" and not self.body(head.lower()):
            return False
        self.told.statuses.append(status)
        self.told.heads.append(head)
        return True

    def body(self, head) -> bool:
        if b"transfer-encoding: chunked" in head:
            while (size := self.line()) is not None:
                if self.take(int(size, 16) + 2) is None:
                    return False
                if int(size, 16) == 0:
                    return True
            return False
        length = re.search(rb"\r\ncontent-length: (\d+)\r\n", head)
        if length:
            return self.take(int(length[1])) is not None
        while self.more():
            pass
        self.told.rest = b""
        return self.told.is_closed


AFTER = b"GET /health HTTP/1.1\r\nHost: gateway.test\r\n\r\n"


def exchange(sock, data: bytes, answers: int, methods=(), patience=2.0) -> Told:
    """Sends all of it, and reads so many answers. Then asks once more: a connection that was not
    closed must answer that, and nothing else."""
    with sock:
        send(sock, data)
        reader = Reader(sock, methods, patience)
        for _ in range(answers):
            if not reader.answer():
                return reader.told
        told = reader.told
        send(sock, AFTER)
        reader.end = time.monotonic() + patience
        is_answered = reader.answer()
        if is_answered and told.statuses.pop() != 200:
            told.statuses.append("no answer to the request that follows")
        if not is_answered and not told.is_closed:
            told.statuses.append("silence")
        return told


def send(sock, data):
    try:
        sock.sendall(data)
    except OSError:
        pass


def taken_by_h11(data: bytes) -> int:
    """How many requests h11 finds in these bytes, whole, before an error or their end."""
    connection = h11.Connection(h11.SERVER)
    count = 0
    try:
        connection.receive_data(data)
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA or isinstance(event, h11.ConnectionClosed):
                return count
            if event is h11.PAUSED:
                connection.send(h11.Response(
                    status_code=200, headers=[("content-length", "0")]))
                connection.send(h11.EndOfMessage())
                if connection.our_state is not h11.DONE:
                    return count
                connection.start_next_cycle()
            if isinstance(event, h11.EndOfMessage):
                count += 1
                if connection.their_state is h11.MIGHT_SWITCH_PROTOCOL:
                    return count
                if connection.their_state is h11.MUST_CLOSE:
                    return count
                if connection.their_state is h11.DONE and not connection.trailing_data[0]:
                    return count
    except h11.RemoteProtocolError:
        return count
