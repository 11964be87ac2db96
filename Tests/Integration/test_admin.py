"""The metrics page and the admin surface."""

import json
import time

import pytest
from prometheus_client.parser import text_string_to_metric_families

from clients import CHAT, H1, H2, chat_body
from ports import free_port
from processes import ROOT


def families(gateway) -> dict:
    status, text = gateway.admin("GET", "/metrics")
    assert status == 200
    return {family.name: family for family in text_string_to_metric_families(text)}


def total(gateway, name, sample=None, **labels) -> float:
    family = families(gateway).get(name)
    return 0 if family is None else sum(
        found.value for found in family.samples
        if found.name == (sample or name + "_total")
        and all(found.labels.get(key) == value for key, value in labels.items()))


def counts(mocks) -> list:
    return [len(mock.inference()) for mock in mocks]


@pytest.fixture
def stand(bench):
    mocks = bench.mocks(2)
    return bench.gateway(mocks), mocks


def test_metrics_page_parses_and_its_histograms_are_sound(stand, protocol):
    gateway, _ = stand
    with protocol(gateway.port) as client:
        for stream in (False, True):
            assert client.chat(stream=stream, mock={"tokens": 5}).status == 200
    found = families(gateway)
    names = [s.name + str(sorted(s.labels.items())) for f in found.values() for s in f.samples]
    assert len(names) == len(set(names)), "a sample is there twice"
    for family in found.values():
        assert family.documentation, family.name
        if family.type != "histogram":
            continue
        series = {}
        for sample in family.samples:
            key = tuple(sorted((k, v) for k, v in sample.labels.items() if k != "le"))
            series.setdefault(key, []).append(sample)
        for samples in series.values():
            buckets = [s.value for s in samples if s.name.endswith("_bucket")]
            count, = [s.value for s in samples if s.name.endswith("_count")]
            assert buckets == sorted(buckets) and buckets[-1] == count, family.name


def test_documented_metrics_are_there(stand):
    gateway, _ = stand
    with H2(gateway.port) as client:
        client.chat(stream=True, mock={"tokens": 5})
    _, text = gateway.admin("GET", "/metrics")
    documented = [
        line.split("`")[1] for line in (ROOT / "docs/metrics.md").read_text().splitlines()
        if line.startswith("| `")]
    shown = {line.split(" ")[2] for line in text.splitlines() if line.startswith("# TYPE ")}
    assert shown <= set(documented), "undocumented"
    missing = {name for name in documented if name not in shown}
    assert not missing, missing


def test_request_counters_add_up(stand, protocol):
    gateway, _ = stand
    asked = {"200": 0, "404": 0, "400": 0, "502": 0}
    with protocol(gateway.port) as client:
        for number in range(20):
            assert client.chat(stream=number % 2 == 0).status == 200
            asked["200"] += 1
        for _ in range(3):
            assert client.chat(model="nothing").status == 404
            asked["404"] += 1
            assert client.ask("POST", CHAT, b"{").status == 400
            asked["400"] += 1
            assert client.chat(mock={"fault": "close-before-head"}).status == 502
            asked["502"] += 1
            client.chat()
            client.chat()
            asked["200"] += 2
        # A stream that broke counts as failed, whatever status the client saw.
        client.chat(stream=True, mock={"fault": "cut-chunked", "at": 2})
        asked["502"] += 1
    end = time.monotonic() + 2
    while time.monotonic() < end and total(gateway, "joulegate_requests") != sum(asked.values()):
        time.sleep(0.05)
    by_status = {
        status: total(gateway, "joulegate_requests", status=status) for status in asked}
    assert by_status == asked
    assert total(gateway, "joulegate_requests") == sum(asked.values())
    count = total(
        gateway, "joulegate_request_duration_seconds", "joulegate_request_duration_seconds_count")
    assert count == sum(asked.values())
    assert total(gateway, "joulegate_requests_in_flight", "joulegate_requests_in_flight") == 0


def test_token_counters_are_the_model_servers(stand, protocol):
    gateway, _ = stand
    with protocol(gateway.port) as client:
        for stream in (False, True):
            for _ in range(5):
                client.chat(stream=stream, mock={"tokens": 11})
    assert total(gateway, "joulegate_tokens", token_type="output", pool="alpha") == 110
    assert total(gateway, "joulegate_tokens", token_type="input", pool="alpha") == 70


def test_tokens_of_a_stream_that_is_left_are_counted(stand, protocol):
    gateway, mocks = stand
    client = protocol(gateway.port)
    response = client.request(
        "POST", CHAT, chat_body(stream=True, mock={"tokens": 20, "pause": 9}))
    assert client.wait(lambda: bytes(response.body).count(b"\n\n") >= 9)
    client.fin()
    end = time.monotonic() + 3
    while total(gateway, "joulegate_tokens", token_type="output") < 8 and time.monotonic() < end:
        time.sleep(0.05)
    assert total(gateway, "joulegate_tokens", token_type="output") >= 8
    assert total(gateway, "joulegate_requests", status="499") == 1


def test_in_flight_returns_to_zero(stand):
    gateway, _ = stand
    with H2(gateway.port) as client:
        responses = [
            client.request("POST", CHAT, chat_body(mock={"delay": 0.5})) for _ in range(10)]
        client.linger(0.2)
        name = "joulegate_requests_in_flight"
        assert total(gateway, name, name) == 10
        assert sum(worker["load"] for worker in gateway.workers()) == 10
        assert client.wait(lambda: all(response.is_over for response in responses))
    gateway.wait_until_idle()
    assert total(gateway, name, name) == 0


def test_workers_are_listed(stand):
    gateway, mocks = stand
    workers = gateway.workers()
    assert [worker["url"] for worker in workers] == [mock.name for mock in mocks]
    for worker in workers:
        assert worker["pool"] == "alpha" and worker["engine"] == "vllm"
        assert worker["is_healthy"] is True and worker["load"] == 0
    assert json.loads(gateway.admin("GET", "/workers/1")[1])["id"] == 1
    assert gateway.admin("GET", "/workers/2")[0] == 404
    assert gateway.admin("GET", "/workers/x")[0] == 404


def test_draining_a_worker_moves_traffic(stand, protocol):
    gateway, mocks = stand
    with protocol(gateway.port) as client:
        assert gateway.admin("POST", "/workers/0", {"state": "draining"})[0] == 200
        for _ in range(20):
            assert client.chat().status == 200
        assert counts(mocks) == [0, 20]
        assert gateway.workers()[0]["state"] == "draining"
        assert gateway.admin("POST", "/workers/0", {"state": "active"})[0] == 200
        for _ in range(20):
            assert client.chat().status == 200
        assert counts(mocks)[0] >= 5


def test_draining_a_worker_lets_its_stream_finish(stand):
    gateway, mocks = stand
    with H1(gateway.port) as client:
        response = client.request("POST", CHAT, chat_body(
            stream=True, mock={"tokens": 30, "interval": 0.02}))
        assert client.wait(lambda: len(response.body) > 100)
        for index in (0, 1):
            gateway.admin("POST", f"/workers/{index}", {"state": "draining"})
        assert client.wait(lambda: response.is_over)
        assert response.body.endswith(b"data: [DONE]\n\n")
        late = client.chat()
        assert late.status == 503 and late.header("retry-after")


@pytest.mark.parametrize("body", [{}, {"state": "off"}, {"state": 1}, []])
def test_unknown_states_are_refused(stand, body):
    gateway, _ = stand
    status, text = gateway.admin("POST", "/workers/0", body)
    assert status == 400 and "draining" in text
    assert gateway.workers()[0]["state"] == "active"


def test_policy_can_be_switched(stand):
    gateway, mocks = stand
    with H2(gateway.port) as client:
        assert gateway.status()["policy"] == "round_robin"
        for name in ("least_load", "power_of_two", "random", "least_latency", "energy_aware"):
            assert gateway.admin("PUT", "/policy", {"policy": name})[0] == 200
            assert gateway.status()["policy"] == name
            for _ in range(5):
                assert client.chat().status == 200
        assert gateway.admin("PUT", "/policy", {"policy": "cheapest"})[0] == 400
        gateway.admin("PUT", "/policy", {"policy": "round-robin"})
        before = counts(mocks)
        for _ in range(10):
            client.chat()
        assert [after - b for after, b in zip(counts(mocks), before)] == [5, 5]


def test_energy_aware_prefers_the_cheaper_pool(bench):
    cheap, dear = bench.mocks(2)
    gateway = bench.gateway(
        {"endpoints": [dear], "profile": "h100-llama-3.1-8b"},
        {"endpoints": [cheap], "profile": "h100-llama-3.1-8b"}, policy="energy_aware")
    with H2(gateway.port) as client:
        responses = [
            client.request("POST", CHAT, chat_body(mock={"delay": 0.3})) for _ in range(8)]
        assert client.wait(lambda: all(response.is_over for response in responses))
        assert all(response.status == 200 for response in responses)
    # Equal curves: the joint batch is cheaper than two small ones.
    assert sorted(counts([cheap, dear])) == [0, 8]


def test_metered_power_is_shown(bench):
    port = free_port()
    server = bench.emulator("vllm", "h100-llama-3.1-8b", "--exporter-port", str(port))
    gateway = bench.gateway(
        {"endpoints": [{"url": server.url, "meters": ["card"]}]},
        meters=[{"name": "card", "source": "dcgm-exporter",
                 "url": f"http://127.0.0.1:{port}/metrics", "match": {"gpu": "0"}}],
        scrapes={"interval_ms": 100})
    with H2(gateway.port) as client:
        assert client.chat(max_tokens=50).status == 200
    end = time.monotonic() + 5
    while not total(gateway, "joulegate_power_watts", "joulegate_power_watts"):
        assert time.monotonic() < end, "no reading"
        time.sleep(0.1)
    idle = total(
        gateway, "joulegate_power_watts", "joulegate_power_watts", provenance="measured")
    assert 20 < idle < 800, idle
    assert gateway.status()["pools"][0]["power_provenance"] == "measured"


def test_admin_page_survives_many_readers(stand):
    gateway, _ = stand
    with H1(gateway.admin_port) as client:
        for _ in range(100):
            assert client.ask("GET", "/metrics").status == 200
            assert client.ask("GET", "/workers").status == 200
