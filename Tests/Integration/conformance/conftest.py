"""One gateway in front of one model server for all cases."""

import socket
import ssl

import pytest

from conftest import Bench


class Front:
    """The gateway: where to connect, and what came through."""

    def __init__(self, gateway, mock, certificate):
        self.gateway = gateway
        self.mock = mock
        # A context of its own: the cases offer other protocols than the tests beside them.
        self.tls = ssl.create_default_context(cafile=str(certificate))

    def connect(self) -> socket.socket:
        sock = socket.create_connection(("127.0.0.1", self.gateway.ports[0]), 5)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    def connect_tls(self, protocols=("h2",)) -> ssl.SSLSocket:
        sock = socket.create_connection(("127.0.0.1", self.gateway.ports[1]), 5)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.tls.set_alpn_protocols(list(protocols))
        return self.tls.wrap_socket(sock, server_hostname="localhost")

    def asked(self, tag: str) -> int:
        """How many requests of a case the model server got."""
        return sum(seen.body.get("user") == tag for seen in self.mock.inference())


@pytest.fixture(scope="package")
def front(tmp_path_factory, tls_listeners, certificate):
    bench = Bench(tmp_path_factory.mktemp("conformance"))
    mock, = bench.mocks()
    try:
        yield Front(bench.gateway([mock], listeners=tls_listeners), mock, certificate[0])
    finally:
        bench.close()
