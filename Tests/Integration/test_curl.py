"""curl: HTTP/2 by ALPN and by prior knowledge, and HTTP/1.1."""

import json
import shutil
import subprocess

import pytest

from clients import told
from mock_upstream import reference

WAYS = {
    "tls-h2": (["--http2"], "2"),
    "tls-h1": (["--http1.1"], "1.1"),
    "h2c": (["--http2-prior-knowledge"], "2"),
    "h1": (["--http1.1"], "1.1"),
}


@pytest.fixture(scope="module")
def mock(shared):
    return shared.mocks()[0]


@pytest.fixture(scope="module")
def gateway(shared, mock, tls_listeners):
    return shared.gateway([mock], listeners=tls_listeners)


@pytest.fixture(params=WAYS)
def curl(request, gateway, certificate):
    """Runs curl: status, protocol version and body."""
    if not shutil.which("curl"):
        pytest.skip("curl is missing")
    about = subprocess.run(["curl", "--version"], capture_output=True, text=True).stdout
    options, version = WAYS[request.param]
    if version == "2" and "HTTP2" not in about:
        pytest.skip("this curl does not speak HTTP/2")
    is_tls = request.param.startswith("tls")
    base = f"https://localhost:{gateway.ports[1]}" if is_tls else (
        f"http://127.0.0.1:{gateway.ports[0]}")

    def run(path, body=None, *more):
        command = [
            "curl", "--silent", "--show-error", "--no-buffer", "--max-time", "20",
            "--noproxy", "*", "--cacert", str(certificate[0]), *options,
            "--write-out", "\n%{http_code} %{http_version}", *more]
        if body is not None:
            data = json.dumps(body) if isinstance(body, dict) else body
            command += ["--header", "content-type: application/json", "--data-binary", data]
        done = subprocess.run([*command, base + path], capture_output=True, timeout=30)
        assert done.returncode == 0, done.stderr
        text, tail = done.stdout.rsplit(b"\n", 1)
        status, spoken = tail.decode().split()
        assert spoken == version
        return int(status), text

    return run


CHAT = "/v1/chat/completions"
BODY = {"model": "ax-4.0", "messages": [{"role": "user", "content": "안녕"}]}


def test_unary(curl):
    status, body = curl(CHAT, {**BODY, "mock": {"tokens": 9}})
    assert status == 200
    assert json.loads(body)["choices"][0]["message"]["content"] == reference(9)


def test_stream(curl):
    status, body = curl(CHAT, {**BODY, "stream": True, "mock": {"tokens": 9}})
    assert status == 200
    said = told(body)
    assert said.text == reference(9) and said.is_done and not said.errors


def test_broken_stream_ends_with_an_error_event(curl):
    status, body = curl(
        CHAT, {**BODY, "stream": True, "mock": {"fault": "cut-chunked", "at": 3}})
    said = told(body)
    assert status == 200 and said.text == reference(2)
    assert not said.is_done and len(said.errors) == 1
    curl(CHAT, BODY)


def test_models(curl):
    status, body = curl("/v1/models")
    assert status == 200 and json.loads(body)["data"][0]["id"] == "ax-4.0"
    assert curl("/v1/models/ax-4.0")[0] == 200
    assert curl("/v1/models/nothing")[0] == 404


@pytest.mark.parametrize("path", ["/health", "/liveness", "/readiness", "/version"])
def test_state_pages(curl, path):
    status, body = curl(path)
    assert status == 200 and json.loads(body)


@pytest.mark.parametrize(
    "path, body, status",
    [
        ("/v1/nothing", None, 404), ("/metrics", None, 404), ("/workers", None, 404),
        ("/v1/../metrics", None, 404), (CHAT, None, 405), (CHAT, "{", 400), (CHAT, "[]", 400),
        (CHAT, {**BODY, "model": "x"}, 404),
    ])
def test_errors_have_the_openai_form(curl, path, body, status):
    got, answer = curl(path, body, "--path-as-is")
    error = json.loads(answer)["error"]
    assert got == status
    assert set(error) == {"message", "type", "param", "code"}
    assert error["message"] and error["type"]


def test_head_has_no_body(curl):
    status, body = curl("/health", None, "--head")
    assert status == 200
    assert body.strip().endswith(b"content-length: 15") or b"{" not in body
