"""TLS clients that go on shaking hands, by the system's own OpenSSL: Python's module cannot."""

import ctypes
import ctypes.util
import select
import socket

TLS1_2, TLS1_3 = 0x0303, 0x0304
SET_MIN_VERSION, SET_MAX_VERSION = 123, 124
REQUESTED = 1


def library():
    ssl = ctypes.CDLL(ctypes.util.find_library("ssl"))
    for name in ("TLS_client_method", "SSL_CTX_new", "SSL_new"):
        getattr(ssl, name).restype = ctypes.c_void_p
    ssl.crypto = ctypes.CDLL(ctypes.util.find_library("crypto"))
    ssl.crypto.BIO_new.restype = ctypes.c_void_p
    ssl.crypto.BIO_s_mem.restype = ctypes.c_void_p
    return ssl


class Shaker:
    """A connection whose records are made in memory, so that thousands can be sent at once."""

    def __init__(self, port: int, version=TLS1_3, protocol=b"http/1.1", deaf=False):
        self.ssl = library()
        self.buffer = ctypes.create_string_buffer(1 << 14)
        pointer = ctypes.c_void_p
        context = pointer(self.ssl.SSL_CTX_new(pointer(self.ssl.TLS_client_method())))
        for command in (SET_MIN_VERSION, SET_MAX_VERSION):
            self.ssl.SSL_CTX_ctrl(context, command, ctypes.c_long(version), None)
        offer = bytes([len(protocol)]) + protocol
        self.ssl.SSL_CTX_set_alpn_protos(context, offer, len(offer))
        self.handle = pointer(self.ssl.SSL_new(context))
        memory = pointer(self.ssl.crypto.BIO_s_mem())
        self.incoming = pointer(self.ssl.crypto.BIO_new(memory))
        self.outgoing = pointer(self.ssl.crypto.BIO_new(memory))
        self.ssl.SSL_set_bio(self.handle, self.incoming, self.outgoing)
        self.ssl.SSL_set_connect_state(self.handle)
        self.socket = socket.socket()
        if deaf:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.settimeout(2)
        self.socket.connect(("127.0.0.1", port))
        self.deaf = deaf
        self.sent = 0
        self.is_closed = False
        while self.ssl.SSL_do_handshake(self.handle) != 1:
            self.socket.sendall(self.pending())
            self.take(self.socket.recv(1 << 16))
        self.socket.sendall(self.pending())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def take(self, data: bytes):
        if not data:
            raise ConnectionError("closed")
        self.ssl.crypto.BIO_write(self.incoming, data, len(data))

    def pending(self) -> bytes:
        """What OpenSSL has made."""
        made = b""
        read = self.ssl.crypto.BIO_read
        while (count := read(self.outgoing, self.buffer, len(self.buffer))) > 0:
            made += self.buffer[:count]
        return made

    def send(self, data: bytes):
        """Sends; whoever is not deaf throws away what comes back."""
        view = memoryview(data)
        self.socket.setblocking(False)
        quiet = 0
        while view and not self.is_closed and quiet < 20:
            want = [self.socket] if not self.deaf else []
            readable, writable, _ = select.select(want, [self.socket], [], 0.1)
            quiet = 0 if readable or writable else quiet + 1
            try:
                if readable and not self.socket.recv(1 << 16):
                    self.is_closed = True
                if writable:
                    count = self.socket.send(view)
                    self.sent += count
                    view = view[count:]
            except BlockingIOError:
                pass
            except OSError:
                self.is_closed = True
        self.socket.settimeout(2)

    def listen(self, seconds: float):
        """Reads and throws away until the end."""
        self.socket.settimeout(max(seconds, 0.001))
        try:
            while not self.is_closed and not self.deaf:
                self.is_closed = not self.socket.recv(1 << 16)
        except TimeoutError:
            pass
        except OSError:
            self.is_closed = True

    def key_updates(self, count: int) -> bytes:
        """So many, each of which asks for one in return (RFC 8446 4.6.3)."""
        made = []
        for _ in range(count):
            assert self.ssl.SSL_key_update(self.handle, REQUESTED) == 1
            assert self.ssl.SSL_do_handshake(self.handle) == 1
            made.append(self.pending())
        return b"".join(made)

    def renegotiate(self) -> bytes:
        """A ClientHello within a connection of TLS 1.2."""
        assert self.ssl.SSL_renegotiate(self.handle) == 1
        self.ssl.SSL_do_handshake(self.handle)
        return self.pending()
