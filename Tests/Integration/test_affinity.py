"""Conversations before servers with prefix caches: who gets the next turn, and what it costs."""

import hashlib
import json
import time

import pytest

from clients import H1

PROFILE = "h100-llama-3.1-8b"
ONE, OTHER = "sk-affinity-one", "sk-affinity-other"
INSTRUCTION = {"role": "system", "content": "You answer in one word. " * 60}


@pytest.fixture
def servers(bench):
    return [bench.emulator("vllm", PROFILE, "--prefix-cache", "--time-factor", "0.05")
            for _ in range(3)]


def turns(count: int, topic: str):
    """The messages of a conversation, turn by turn."""
    messages = [INSTRUCTION]
    for number in range(count):
        messages.append({"role": "user", "content": f"{topic} {number}: " + "and so on " * 80})
        yield list(messages)
        messages.append({"role": "assistant", "content": "Indeed."})


def ask(gateway, messages, headers=()) -> dict:
    """The usage of one turn."""
    with H1(gateway.port) as client:
        response = client.chat(messages=messages, max_tokens=4, headers=headers, timeout=30)
        assert response.status == 200
        return json.loads(response.body)["usage"]


def cached(usage: dict) -> int:
    return usage["prompt_tokens_details"]["cached_tokens"]


def total(gateway, name: str, *labels: str) -> float:
    page = gateway.admin("GET", "/metrics")[1]
    return sum(float(line.split()[-1]) for line in page.splitlines()
               if line.startswith(name) and all(label in line for label in labels))


def prompts(server) -> int:
    page = server.page("/metrics").decode()
    return next(int(float(line.split()[-1])) for line in page.splitlines()
                if line.startswith("vllm:prefix_cache_queries_total"))


@pytest.mark.parametrize("policy", ["energy_aware", "cache_aware"])
def test_a_turn_goes_where_its_beginning_lies(bench, servers, policy):
    gateway = bench.gateway(servers, policy=policy)
    usages = [ask(gateway, messages) for messages in turns(5, "Ships")]
    assert cached(usages[0]) == 0
    for before, usage in zip(usages, usages[1:]):
        assert cached(usage) >= before["prompt_tokens"] * 0.8
    assert sum(prompts(server) > 0 for server in servers) == 1
    said = total(gateway, "joulegate_tokens_total", 'token_type="cached_input"')
    assert said == sum(cached(usage) for usage in usages)
    believed = total(gateway, "joulegate_predicted_cached_tokens_total")
    assert 0.6 * said <= believed <= 1.4 * said


def test_switched_off_nothing_is_believed(bench, servers):
    gateway = bench.gateway(servers, policy="cache_aware", affinity={"enabled": False})
    for messages in turns(3, "Ships"):
        ask(gateway, messages)
    assert total(gateway, "joulegate_predicted_cached_tokens_total") == 0


@pytest.mark.parametrize("header", ["x-session-id", "x-correlation-id"])
def test_a_session_stays_with_its_server(bench, servers, header):
    gateway = bench.gateway(servers, policy="consistent_hashing")
    found = []
    for session in range(6):
        for messages in turns(3, f"Session {session}"):
            # Another first message each time: the session alone says where it belongs.
            messages[0] = {"role": "system", "content": f"{session} {len(messages)} " * 100}
            ask(gateway, messages, headers=[(header, f"s-{session}")])
        found.append(tuple(prompts(server) for server in servers))
    changes = [sum(a != b for a, b in zip(one, two))
               for one, two in zip([(0, 0, 0), *found], found)]
    assert changes == [1] * 6
    assert sum(count > 0 for count in found[-1]) > 1


def test_tenants_with_the_same_prompt_are_told_apart(bench, servers):
    def digest(key):
        return hashlib.sha256(key.encode()).hexdigest()
    tenants = [{"name": name, "pools": ["alpha"], "api_key_sha256": [digest(key)]}
               for name, key in (("one", ONE), ("other", OTHER))]
    gateway = bench.gateway(servers, policy="energy_aware", tenants=tenants)
    messages = next(turns(1, "Secrets"))

    def believed(key):
        ask(gateway, messages, headers=[("authorization", f"Bearer {key}")])
        return total(gateway, "joulegate_predicted_cached_tokens_total")
    assert believed(ONE) == 0
    assert believed(OTHER) == 0
    assert believed(ONE) > 0
    assert "Secrets" not in gateway.log


@pytest.mark.parametrize("flags, share", [
    (["--prefix-cache", "--hide-cached-tokens"], 0.7),
    # A server without such a cache says so on its page.
    ([], 0),
])
def test_a_server_that_tells_nothing_in_answers_is_known_by_its_page(bench, flags, share):
    servers = [bench.emulator("vllm", PROFILE, *flags, "--time-factor", "0.05")
               for _ in range(2)]
    gateway = bench.gateway(servers, policy="energy_aware", scrapes={"interval_ms": 100})
    time.sleep(0.5)
    usages = [ask(gateway, messages) for messages in turns(12, "Ships")]
    assert not any(usage.get("prompt_tokens_details") for usage in usages)
    asked = sum(usage["prompt_tokens"] for usage in usages[1:])
    believed = total(gateway, "joulegate_predicted_cached_tokens_total")
    if share:
        assert share * asked <= believed <= asked
    else:
        assert believed == 0
