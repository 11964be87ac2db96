"""The fault matrix again, with the emulated engines in the model server's place."""

import pytest

from clients import judge_stream, told

ENGINES = {
    "vllm": "h100-llama-3.1-8b", "vllm-rbln": "npu-assumed-8b-bucketed",
    "llama-server": "arm-neoverse-n2-llama-3-8b-q4"}
KINDS = [
    "cut-chunked", "cut-close", "error-vllm", "error-llama", "stall", "garbage-chunk", "no-done",
    "partial-event"]
LIMITS = {"upstream_first_byte_timeout_ms": 400, "upstream_between_bytes_timeout_ms": 400}
TOKENS = 8
# As fast as a GPU, for the slower ones as well: what is tested here is the wire.
TIME_FACTORS = {"vllm": "0.25", "vllm-rbln": "0.12", "llama-server": "0.03"}


@pytest.fixture(scope="module", params=ENGINES)
def fleet(request, shared):
    """A gateway before two servers of one engine."""
    engine, profile = request.param, ENGINES[request.param]
    servers = [
        shared.emulator(
            engine, profile, "--seed", str(seed), "--time-factor", TIME_FACTORS[engine])
        for seed in (1, 2)]
    pool = {"engine": engine, "profile": profile, "endpoints": servers}
    return shared.gateway(pool, limits=LIMITS)


def whole_text(client) -> str:
    answer = client.chat(max_tokens=TOKENS, emulated_fault="none")
    assert answer.status == 200, answer
    return answer.json()["choices"][0]["message"]["content"]


@pytest.mark.parametrize("fault", KINDS)
def test_emulated_fault_at_every_event_is_visible(fleet, protocol, fault):
    with protocol(fleet.port) as client:
        text = whole_text(client)
        for at in range(7):
            response = client.chat(
                stream=True, max_tokens=TOKENS, emulated_fault=f"{fault}:{at}")
            assert judge_stream(response, text) == "error", (at, bytes(response.body))
            # Good answers in between keep the circuit breaker closed.
            for _ in range(2):
                good = client.chat(stream=True, max_tokens=TOKENS, emulated_fault="none")
                assert judge_stream(good, text) == "whole"


@pytest.mark.parametrize(
    "fault", ["comment-pings", "multi-token:3", "missing-usage", "slow-header:50",
              "keepalive-close", "max-requests:1"])
def test_harmless_peculiarity_leaves_the_text_whole(fleet, protocol, fault):
    with protocol(fleet.port) as client:
        text = whole_text(client)
        for _ in range(4):
            response = client.chat(stream=True, max_tokens=TOKENS, emulated_fault=fault)
            assert judge_stream(response, text) == "whole"


def test_text_is_the_same_on_every_endpoint_unary_and_streamed(fleet, protocol):
    with protocol(fleet.port) as client:
        texts = {whole_text(client) for _ in range(4)}
        for _ in range(4):
            response = client.chat(
                stream=True, max_tokens=TOKENS, stream_options={"include_usage": True})
            said = told(response.body)
            texts.add(said.text)
            assert said.usage["completion_tokens"] == TOKENS
        assert len(texts) == 1
