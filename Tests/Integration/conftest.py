"""Fixtures: gateways, model servers and a certificate. Traffic stays on 127.0.0.1."""

import shutil
import ssl
import subprocess

import pytest

import clients
import processes
from mock_upstream import MockUpstream


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """Paths of a self-signed certificate and its key."""
    if not shutil.which("openssl"):
        pytest.skip("openssl is missing: no certificate can be made")
    folder = tmp_path_factory.mktemp("tls")
    files = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
         "-out", str(files[0]), "-keyout", str(files[1])],
        check=True, capture_output=True)
    return files


@pytest.fixture(scope="session")
def client_tls(certificate):
    """A client's TLS context that trusts the certificate and offers HTTP/2."""
    context = ssl.create_default_context(cafile=str(certificate[0]))
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context


@pytest.fixture(scope="session")
def tls_listeners(certificate):
    """A cleartext and a TLS listener."""
    return [
        {"address": "127.0.0.1", "port": 0},
        {"address": "127.0.0.1", "port": 0,
         "tls": {"certificate": str(certificate[0]), "key": str(certificate[1])}},
    ]


class Bench:
    """Starts what a test needs and stops it again."""

    def __init__(self, folder):
        self.folder = folder
        self.started = []

    def mocks(self, count=1, **options) -> list[MockUpstream]:
        """Model servers that agree on which fault has struck."""
        once = set()
        made = [MockUpstream(once=once, **options) for _ in range(count)]
        self.started += [mock.stop for mock in made]
        return made

    def gateway(self, *pools, before=(), **members) -> processes.Gateway:
        made = processes.Gateway(self.folder, processes.configuration(*pools, **members), before)
        self.started.append(made.kill)
        return made

    def emulator(self, *arguments, **options) -> processes.Emulator:
        if not processes.can_emulate():
            pytest.skip("this joulegate has no emulate command")
        made = processes.Emulator(*arguments, **options)
        self.started.append(made.kill)
        return made

    def process(self, *arguments) -> processes.Process:
        made = processes.Process(list(arguments))
        self.started.append(made.kill)
        return made

    def close(self):
        for stop in reversed(self.started):
            stop()


@pytest.fixture
def bench(tmp_path):
    made = Bench(tmp_path)
    yield made
    made.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A bench for all tests of a file."""
    made = Bench(tmp_path_factory.mktemp("shared"))
    yield made
    made.close()


@pytest.fixture(params=["h1", "h2"])
def protocol(request):
    """The client to speak with, over cleartext."""
    return {"h1": clients.H1, "h2": clients.H2}[request.param]
