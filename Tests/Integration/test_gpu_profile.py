"""What loadtest/gpu-profile makes of a board's readings. The board and the stack here are made up, and
their clock is the test's: what it measures is known beforehand."""

import datetime
import importlib.machinery
import importlib.util
import json
import pathlib
import subprocess
import types

import pytest

import processes

ROOT = pathlib.Path(__file__).parents[2]


def load():
    path = ROOT / "loadtest" / "gpu-profile"
    loader = importlib.machinery.SourceFileLoader("gpu_profile", str(path))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("gpu_profile", loader))
    loader.exec_module(module)
    return module


class Board:
    name, driver = "NVIDIA H100 80GB HBM3", "575.51"

    def __init__(self, has_counter=True):
        self.now, self.energy, self.power, self.has_counter = 0.0, 5_000.0, 100.0, has_counter

    def spend(self, seconds, watts):
        self.now += seconds
        self.energy += seconds * watts
        self.power = watts

    def joules(self):
        return self.energy if self.has_counter else None

    def watts(self):
        return self.power

    def limit_watts(self):
        return 700.0

    def megahertz(self):
        return 1_980


class Stack:
    """Steps of 5 ms and 20 us for each sequence; prompts at 20,000 tokens per second."""
    gigabytes = 16.06
    shape = types.SimpleNamespace(kv_kilobytes_per_token=128.0)

    def __init__(self, board):
        self.board = board

    def synchronise(self):
        pass

    def prefill(self, tokens):
        return lambda: self.board.spend(tokens / 20_000, 640)

    def decode(self, batch, context):
        return lambda: self.board.spend(0.005 + 20e-6 * batch, 400 + batch)


def measured(has_counter=True):
    board = Board(has_counter)
    return load().profile(
        "made-up", board, Stack(board), batches=[1, 8, 64], seconds=2, context=512, chunk=1_000,
        now=datetime.date(2026, 1, 2), torch_version="2.9", clock=lambda: board.now,
        pause=lambda seconds: board.spend(seconds, 100))


@pytest.mark.parametrize("has_counter", [True, False])
def test_what_the_board_drew_is_what_the_profile_says(has_counter):
    profile = measured(has_counter)
    assert profile["idle_watts"] == pytest.approx(100)
    assert profile["prefill"]["tokens_per_second"] == pytest.approx(20_000, rel=1e-3)
    assert profile["prefill"]["watts"] == pytest.approx(640)
    for knot in profile["knots"]:
        assert knot["iteration_seconds"] == pytest.approx(0.005 + 20e-6 * knot["batch"], rel=1e-3)
        assert knot["watts"] == pytest.approx(400 + knot["batch"])
        assert knot["source"] == "measured"
    assert "512 tokens" in profile["note"] and "700" in profile["note"]


def test_the_simulator_takes_the_profile(tmp_path):
    path = tmp_path / "made-up.json"
    path.write_text(json.dumps(measured()))
    output = subprocess.run(
        [processes.program(), "simulate", "--json", "--trace",
         ROOT / "Tests/Fixtures/traces/azure-llm-2023-conversation.csv", "--seconds", "30",
         "--pool", f"{path}:2", "--policy", "energy_aware"],
        check=True, capture_output=True, text=True, cwd=ROOT)
    row = json.loads(output.stdout)
    idle = 2 * 100 * row["horizon_seconds"] / 1e6
    assert row["megajoules"] > idle
    assert row["megajoules"] - row["megajoules_above_idle"] == pytest.approx(idle, rel=1e-6)


DRIVER = r"""
#include <string.h>
typedef void *device;
int nvmlInit_v2(void) { return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, device *out) {
    *out = (device)(long)(index + 1);
    return index < 2 ? 0 : 2;
}
int nvmlDeviceGetName(device d, char *text, unsigned size) { strncpy(text, "Made-up", size); return 0; }
int nvmlSystemGetDriverVersion(char *text, unsigned size) { strncpy(text, "1.2.3", size); return 0; }
int nvmlDeviceGetTotalEnergyConsumption(device d, unsigned long long *out) {
    *out = 9000000000123ull;
    return d == (device)1 ? 0 : 3;
}
int nvmlDeviceGetPowerUsage(device d, unsigned *out) { *out = 412500; return 0; }
int nvmlDeviceGetEnforcedPowerLimit(device d, unsigned *out) { *out = 700000; return 0; }
int nvmlDeviceGetClockInfo(device d, unsigned clock, unsigned *out) {
    *out = clock == 1 ? 1980 : 0;
    return 0;
}
"""


def test_readings_come_in_joules_watts_and_megahertz(tmp_path, monkeypatch):
    (tmp_path / "driver.c").write_text(DRIVER)
    library = tmp_path / "libdriver.so"
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-o", library, tmp_path / "driver.c"], check=True)
    monkeypatch.syspath_prepend(str(ROOT / "loadtest"))
    import nvml
    board = nvml.Board(0, library=str(library))
    assert (board.name, board.driver) == ("Made-up", "1.2.3")
    assert board.joules() == pytest.approx(9_000_000_000.123)
    assert (board.watts(), board.limit_watts(), board.megahertz()) == (412.5, 700, 1_980)
    assert nvml.Board(1, library=str(library)).joules() is None
    with pytest.raises(nvml.MeterError, match="device"):
        nvml.Board(2, library=str(library))


def test_without_a_driver_it_says_so():
    run = subprocess.run(
        ["python3", ROOT / "loadtest" / "gpu-profile", "--name", "x"],
        capture_output=True, text=True, cwd=ROOT)
    if run.returncode == 0:
        pytest.skip("there is a GPU here")
    assert run.returncode == 1
    assert "NVIDIA" in run.stderr and "Traceback" not in run.stderr
