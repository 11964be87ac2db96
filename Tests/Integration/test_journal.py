"""The journal of a gateway that has seen everything, and its replay."""

import json
import signal
import stat
import subprocess
import time

import pytest

from clients import H1, H2
from processes import ROOT, program

CANARY = "canary-prompt-5d1e"
KEY = "canary-key-88b2"
# printf %s canary-key-88b2 | sha256sum
KEY_DIGEST = "86c07ef872d9c431e9ea27fd12b75ce7c0f1ce0f14936aa30efd436c3d6093e9"


def replay(path, *options):
    return subprocess.run(
        [program(), "simulate", "--replay", str(path), *options], cwd=ROOT, capture_output=True,
        text=True, timeout=60)


def ask(port, client=H1, **members):
    with client(port) as connection:
        return connection.chat(
            headers=[("authorization", f"Bearer {KEY}")],
            messages=[{"role": "user", "content": f"{CANARY} " * 20}], timeout=60, **members)


def stop(gateway):
    gateway.child.send_signal(signal.SIGTERM)
    assert gateway.finished(30) == 0


@pytest.fixture
def stand(bench, tmp_path):
    """Three servers, one of which can sleep, behind a gateway that takes everything down."""
    servers = [bench.emulator("vllm", "h100-llama-3.1-8b") for _ in range(2)]
    sleeper = bench.emulator("vllm", "h100-llama-3.1-8b")
    path = tmp_path / "night.journal"
    gateway = bench.gateway(
        {"endpoints": servers}, {"endpoints": [sleeper], "sleep": {"enabled": True}},
        policy="energy_aware", shadow_policy="round_robin", journal={"path": str(path)},
        probes={"interval_ms": 200}, scrapes={"interval_ms": 200},
        tenants=[{"name": "t", "pools": ["alpha", "beta"], "api_key_sha256": [KEY_DIGEST]}])
    return gateway, servers, path


def test_a_night_with_everything_in_it_replays_exactly(stand):
    gateway, servers, path = stand
    for client in (H1, H2):
        for stream in (True, False):
            for _ in range(3):
                assert ask(gateway.port, client, stream=stream, max_tokens=12).status == 200
    # A client that leaves.
    with H1(gateway.port) as client:
        client.request(
            "POST", "/v1/chat/completions",
            json.dumps({"model": "ax-4.0", "stream": True, "max_tokens": 4_000,
                        "messages": [{"role": "user", "content": CANARY}]}).encode(),
            [("authorization", f"Bearer {KEY}")])
        client.linger(0.3)
    assert gateway.admin("POST", "/workers/0", {"state": "draining"})[0] == 200
    assert ask(gateway.port, max_tokens=8).status == 200
    assert gateway.admin("POST", "/workers/0", {"state": "active"})[0] == 200
    assert gateway.admin("PUT", "/power", {"total_power_limit_watts": 900})[0] == 200
    assert ask(gateway.port, max_tokens=8).status == 200
    assert gateway.admin("PUT", "/power", {"total_power_limit_watts": None})[0] == 200
    servers[0].kill()
    for _ in range(6):
        ask(gateway.port, max_tokens=8)
    assert gateway.admin("PUT", "/policy", {"policy": "power_of_two"})[0] == 200
    for _ in range(6):
        ask(gateway.port, max_tokens=8)
    time.sleep(1)
    stop(gateway)

    content = path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for secret in (CANARY, KEY, KEY_DIGEST):
        assert secret.encode() not in content and bytes.fromhex(KEY_DIGEST) not in content
    shown = replay(path)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert "the same actions to the last bit" in shown.stdout
    report = json.loads(replay(path, "--json").stdout)
    assert report["end"] == "stopped" and "divergence" not in report
    assert report["requests"] >= 27 and report["cancelled"] >= 1
    assert report["completed"] >= 20 and report["events"] > 100
    assert sum(row["placements"] for row in report["placed"]) >= report["completed"]
    assert [row["pool"] for row in report["placed"]] == ["alpha", "alpha", "beta"]


def test_the_night_under_other_policies(stand):
    gateway, _, path = stand
    for _ in range(5):
        assert ask(gateway.port, stream=True, max_tokens=20).status == 200
    stop(gateway)
    shown = replay(path, "--policy", "round_robin", "--policy", "least_load", "--json")
    assert shown.returncode == 0, shown.stderr
    rows = [json.loads(line) for line in shown.stdout.splitlines()]
    assert [row["policy"] for row in rows] == ["energy_aware", "round_robin", "least_load"]
    assert all(row["attainment"] == 1 and row["megajoules"] > 0 for row in rows)


def test_a_killed_gateway_leaves_what_it_had_written(stand):
    gateway, _, path = stand
    for _ in range(3):
        assert ask(gateway.port, max_tokens=8).status == 200
    time.sleep(1.5)
    gateway.kill()
    shown = replay(path, "--json")
    report = json.loads(shown.stdout)
    assert shown.returncode == 0 and report["end"] == "cut" and report["completed"] == 3
    # Cut in the middle of a block, too.
    path.write_bytes(path.read_bytes()[:-11])
    shown = replay(path)
    assert shown.returncode == 0 and "cut off" in shown.stdout


def test_a_changed_journal_is_found_out(stand, tmp_path):
    gateway, _, path = stand
    assert ask(gateway.port, max_tokens=8).status == 200
    stop(gateway)
    content = bytearray(path.read_bytes())
    content[-40] ^= 1
    path.write_bytes(content)
    shown = replay(path)
    assert shown.returncode == 1 and "DAMAGED at byte" in shown.stdout
    other = tmp_path / "none"
    other.write_text("not a journal")
    assert replay(other).returncode != 0
    assert "no journal of a gateway" in replay(other).stderr
