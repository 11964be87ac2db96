"""Endpoints that sleep: the advice, the orders to vLLM's development endpoints, and who wakes."""

import concurrent.futures
import json
import time
import urllib.request

import pytest

from clients import H1
from processes import ROOT


@pytest.fixture
def profile(tmp_path):
    """An H100 that wakes in a second, and whose sleep pays after a second."""
    values = json.loads((ROOT / "Config/profiles/h100-llama-3.1-8b.json").read_text())
    values |= {"name": "light-sleeper", "wake_seconds": 1, "wake_joules": 95}
    path = tmp_path / "light-sleeper.json"
    path.write_text(json.dumps(values))
    return str(path)


@pytest.fixture
def stand(bench, profile, request):
    """A gateway before three servers; the parameter says whether it may switch them."""
    servers = [bench.emulator("vllm", profile) for _ in range(3)]
    pool = {"endpoints": servers, "profile": profile, "sleep": {"enabled": request.param}}
    return bench.gateway(pool, policy="energy_aware", probes={"interval_ms": 500}), servers


def is_sleeping(server) -> bool:
    return json.loads(server.page("/is_sleeping"))["is_sleeping"]


def sleepers(servers) -> int:
    return sum(is_sleeping(server) for server in servers)


def drainable(gateway) -> dict:
    page = gateway.admin("GET", "/metrics")[1]
    return {line.split('endpoint="')[1].split('"')[0]: float(line.split()[-1])
            for line in page.splitlines()
            if line.startswith("joulegate_endpoint_drainable{")}


def ask(gateway, words=20, tokens=8, who=0) -> int:
    with H1(gateway.port) as client:
        message = {"role": "user", "content": f"{who}: " + "word " * words}
        return client.chat(max_tokens=tokens, messages=[message], timeout=60).status


@pytest.mark.parametrize("stand", [True], indirect=True)
def test_servers_that_nobody_needs_sleep_and_draw_sleep_power(stand):
    gateway, servers = stand
    gateway.until(lambda: sleepers(servers) == 2, timeout=20)
    states = sorted(worker["state"] for worker in gateway.workers())
    assert states == ["active", "asleep", "asleep"]
    watts = sorted(server.state()["power_watts"] for server in servers)
    assert watts == [25, 25, 120]
    assert ask(gateway) == 200
    assert sleepers(servers) == 2
    # The last one stays awake, however long nobody asks.
    time.sleep(4)
    assert sleepers(servers) == 2


@pytest.mark.parametrize("stand", [True], indirect=True)
def test_a_crowd_wakes_them_and_everybody_is_answered(stand):
    gateway, servers = stand
    gateway.until(lambda: sleepers(servers) == 2, timeout=20)
    # Thirty at a time, each with a prompt of its own: no prefix cache helps.
    with concurrent.futures.ThreadPoolExecutor(30) as crowd:
        answers = list(crowd.map(lambda who: ask(gateway, words=2_000, who=who), range(120)))
    assert answers == [200] * 120
    states = [server.state() for server in servers]
    assert sum(state["joules"]["wake"] > 0 for state in states) >= 1
    assert sum(state["finished"] > 0 for state in states) >= 2


@pytest.mark.parametrize("stand", [True], indirect=True)
def test_a_server_that_somebody_else_put_to_sleep_is_woken(stand):
    gateway, servers = stand
    gateway.until(lambda: sleepers(servers) == 2, timeout=20)
    awake = next(server for server in servers if not is_sleeping(server))
    request = urllib.request.Request(awake.url + "/sleep?level=1", method="POST")
    assert urllib.request.urlopen(request, timeout=5).status == 200
    gateway.until(lambda: sleepers(servers) == 2, timeout=20)
    assert ask(gateway) == 200


@pytest.mark.parametrize("stand", [False], indirect=True)
def test_without_leave_to_switch_there_is_advice_only(stand):
    gateway, servers = stand

    def advice():
        return json.loads(gateway.admin("GET", "/advice")[1])

    gateway.until(lambda: len(advice()["drainable"]) == 2, timeout=20)
    page = advice()
    assert page["required"] == 1 and page["endpoints"] == 3
    assert page["predicted_watts_saved"] == 2 * 95
    for entry in page["drainable"]:
        assert entry["power_state"] == "awake" and entry["switched"] is False
        assert entry["predicted_watts_saved"] == 95
        assert entry["since_seconds"] >= 1 and "not this one" in entry["reason"]
    assert sorted(drainable(gateway).values()) == [0, 1, 1]
    assert sleepers(servers) == 0
