"""Energy from an exporter's page to the client that asks and the operator who reads."""

import json
import re
import time

import pytest

from clients import H1, H2, payloads
from ports import free_port
from processes import can_emulate

ASKS = [("x-joulegate-energy", "true")]

pytestmark = pytest.mark.skipif(not can_emulate(), reason="needs `joulegate emulate`")


@pytest.fixture
def metered(bench):
    port = free_port()
    server = bench.emulator("vllm", "h100-llama-3.1-8b", "--exporter-port", str(port))
    return bench.gateway(
        {"endpoints": [{"url": server.url, "meters": ["card"]}]},
        meters=[{"name": "card", "source": "dcgm-exporter",
                 "url": f"http://127.0.0.1:{port}/metrics", "match": {"gpu": "0"}}],
        scrapes={"interval_ms": 200})


def books(gateway) -> dict:
    return json.loads(gateway.admin("GET", "/energy")[1])


@pytest.mark.parametrize("client_type", [H1, H2])
def test_an_answer_says_its_cost_only_if_asked(metered, client_type):
    with client_type(metered.port) as client:
        assert "energy" not in json.loads(client.chat(max_tokens=20).body)
        answer = client.chat(max_tokens=20, headers=ASKS)
        energy = json.loads(answer.body)["energy"]
        assert set(energy) == {
            "joules", "joules_marginal", "provenance", "scope", "estimated"}
        assert 0 < energy["joules_marginal"] < energy["joules"] < 1_000
        stream = client.chat(max_tokens=20, stream=True, headers=ASKS)
        assert payloads(stream.body)[-1] == "[DONE]"
        last = bytes(stream.body).decode().split("\n\n")[-3]
        comment = re.fullmatch(r": energy (\{.*\})", last)
        assert json.loads(comment[1])["joules_marginal"] > 0


def test_every_joule_of_the_meter_has_its_place(metered):
    with H2(metered.port) as client:
        for _ in range(6):
            assert client.chat(max_tokens=100).status == 200
    end = time.monotonic() + 25
    while not (books(metered)["meters"][0]["windows"] >= 2):
        assert time.monotonic() < end, books(metered)
        time.sleep(0.2)
    page = books(metered)
    assert page["balanced"] is True
    parts = page["meters"][0]["microjoules"]
    assert parts["requests"] + parts["idle"] + parts["unexplained"] == parts["total"]
    assert parts["requests"] > 0 and parts["idle"] > 0
    for view in ("pools", "models", "tenants", "classes"):
        used = sum(entry["joules_marginal"] for entry in page[view])
        assert abs(used - parts["requests"] / 1e6) < 1e-3, view
        assert all(e["joules_full_cost"] >= e["joules_marginal"] for e in page[view])
    # The same figures in the metrics, by what used them.
    text = metered.admin("GET", "/metrics")[1]
    samples = re.findall(
        r'^joulegate_energy_joules_total\{.*kind="(\w+)".*\} (\S+)$', text, re.MULTILINE)
    total = sum(float(value) for _, value in samples)
    assert {kind for kind, _ in samples} >= {"request", "idle"}
    assert total >= parts["total"] / 1e6 - 1e-3
