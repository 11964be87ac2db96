"""Two bad servers: one agrees to everything, one to nothing. A case that both of them pass says
nothing about any server."""

import socket
import struct
import threading

from . import frames


class Contrary:
    """Serves on a port of its own until `stop`; each connection is one thread."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def connect(self) -> socket.socket:
        sock = socket.create_connection(("127.0.0.1", self.port), 5)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    def stop(self):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        with sock:
            try:
                self.serve(sock)
            except (OSError, EOFError, ValueError):
                pass  # The other side is as it is.


def read(sock, count) -> bytes:
    data = b""
    while len(data) < count:
        more = sock.recv(count - len(data))
        if not more:
            raise EOFError
        data += more
    return data


class Frames(Contrary):
    """HTTP/2 as far as the lengths of frames go."""

    def serve(self, sock):
        read(sock, len(frames.PREFACE))
        sock.sendall(frames.settings((frames.MAX_CONCURRENT_STREAMS, 100)))
        while True:
            head = read(sock, 9)
            length = int.from_bytes(head[:3], "big")
            kind, flags, stream = struct.unpack(">BBI", head[3:])
            self.take(sock, kind, flags, stream & 0x7FFFFFFF, read(sock, length))


class Agreeable(Frames):
    """Has an answer to every request, and never an objection."""

    def take(self, sock, kind, flags, stream, payload):
        if kind == frames.SETTINGS and not flags & frames.ACK:
            sock.sendall(frames.settings(ack=True))
        elif kind == frames.PING and not flags & frames.ACK:
            sock.sendall(frames.ping(payload[:8].ljust(8), ack=True))
        elif kind == frames.HEADERS:
            sock.sendall(
                frames.headers(stream, [(":status", "200")], end=False)
                + frames.data(stream, b"{}", end=True))


class Disagreeable(Frames):
    """Shakes hands, and objects to whatever comes next."""

    def take(self, sock, kind, flags, stream, payload):
        if kind != frames.SETTINGS:
            sock.sendall(frames.goaway(stream, 1))
            raise EOFError
        if not flags & frames.ACK:
            sock.sendall(frames.settings(ack=True))


class Lenient(Contrary):
    """HTTP/1.1: every empty line ends a request, and every request is good."""

    def serve(self, sock):
        waiting = b""
        while True:
            while b"\n\n" not in waiting.replace(b"\r", b""):
                data = sock.recv(1 << 16)
                if not data:
                    return
                waiting += data
            waiting = waiting.replace(b"\r", b"").split(b"\n\n", 1)[1]
            sock.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")


class Strict(Contrary):
    """HTTP/1.1: no request is good."""

    def serve(self, sock):
        sock.recv(1 << 20)
        sock.sendall(b"HTTP/1.1 400 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(1 << 16):
            pass
