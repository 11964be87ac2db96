"""What packing saves in replays of production traces, in virtual time: joules and promises kept.

Every joule here is modelled: emulated engines after published measurements of an H100, and an NPU
that is assumed. The figures to reach stand with a lower bound that no schedule can undercut.
"""

import json
import pathlib
import statistics
import subprocess

import pytest

import processes

TRACES = pathlib.Path(__file__).parents[1] / "Fixtures" / "traces"
CHAT = TRACES / "azure-llm-2023-conversation.csv"
CODE = TRACES / "azure-llm-2023-code.csv"
ROOT = pathlib.Path(__file__).parents[2]
GPUS = ("h100-llama-3.1-8b:6",)


def simulate(pools, policies, traces=(CHAT,), speed=1, seeds=1, more=(), energy="megajoules"):
    """By policy: mean of megajoules and least of attainment over the seeds."""
    command = [processes.program(), "simulate", "--json", "--speed", speed, "--seeds", seeds]
    command += ["--jitter-milliseconds", 100 if seeds > 1 else 0]
    for option, values in (("trace", traces), ("pool", pools), ("policy", policies)):
        for value in values:
            command += [f"--{option}", value]
    command += more
    output = subprocess.run(
        [str(word) for word in command], check=True, capture_output=True, text=True, cwd=ROOT)
    runs: dict[str, list] = {}
    for line in output.stdout.splitlines():
        row = json.loads(line)
        runs.setdefault(row["policy"], []).append(row)
    return {
        policy: (statistics.mean(row[energy] for row in rows),
                 min(row["attainment"] for row in rows))
        for policy, rows in runs.items()}


# Counted to a run's own last completion, as the figures to reach are: counted so, join the shortest
# queue and the static subsets come out as in the pilot that set them, which the next test holds. Over
# the bound's horizon, some 25 to 60 s of idle power longer, it is 2.089, 2.274, 1.630 and 1.278 MJ.
@pytest.mark.parametrize("speed, megajoules", [
    pytest.param(1, 2.07, marks=pytest.mark.xfail(
        strict=True, reason="2.073; with all on one endpoint, the best subset, it is 2.071")),
    (2, 2.29), (4, 1.62), (8, 1.30)])
def test_chat_on_six_gpus_costs_little_more_than_the_bound(speed, megajoules):
    energy, kept = simulate(
        GPUS, ["energy_aware"], speed=speed, seeds=5,
        energy="megajoules_to_last_end")["energy_aware"]
    print(f"x{speed}: {energy:.3f} MJ, {kept:.2%} kept")
    assert kept >= 0.995
    assert energy <= megajoules


@pytest.mark.parametrize("speed, subset, best, spread", [
    (1, 1, 2.07, 4.40), (2, 2, 2.75, 4.85), (4, 4, 2.12, 2.69), (8, 6, 1.52, 1.52)])
def test_the_baselines_cost_what_an_independent_pilot_found(speed, subset, best, spread):
    rows = simulate(GPUS, ["subsets", "least_requests"], speed=speed,
                    energy="megajoules_to_last_end")
    energy = {name.split()[1]: energy for name, (energy, _) in rows.items() if "static" in name}
    print(f"x{speed}: {energy[str(subset)]:.3f}, {rows['least_requests'][0]:.3f} MJ")
    assert energy[str(subset)] == pytest.approx(best, rel=0.005)
    assert rows["least_requests"][0] == pytest.approx(spread, rel=0.005)


@pytest.mark.parametrize("speed", [1, 2])
@pytest.mark.parametrize("npu", ["npu-assumed-8b", "npu-assumed-8b-bucketed"])
def test_unlike_pools_cost_less_than_the_best_subset_in_hindsight(npu, speed):
    pools = ("h100-llama-3.1-8b:3", f"{npu}:6:vllm-rbln")
    rows = simulate(pools, ["subsets", "least_latency", "least_requests", "energy_aware"],
                    speed=speed)
    energy, kept = rows.pop("energy_aware")
    best = min(energy for energy, kept in rows.values() if kept >= 0.995)
    print(f"{npu} x{speed}: {energy:.3f} MJ, {kept:.2%} kept; best other {best:.3f} MJ")
    assert kept >= 0.995
    assert energy <= 0.95 * best


@pytest.mark.parametrize("npu, speed, efficiency", [
    pytest.param("npu-assumed-8b", 1, 0.5, marks=pytest.mark.xfail(
        strict=True, reason="one GPU alone is 0.1 % cheaper: 2.634 against 2.637 MJ")),
    ("npu-assumed-8b", 2, 0.5), ("npu-assumed-8b-bucketed", 1, 2)])
def test_unlike_pools_cost_no_more_than_the_best_subset_however_efficient(npu, speed, efficiency):
    pools = ("h100-llama-3.1-8b:3", f"{npu}:6:vllm-rbln")
    rows = simulate(pools, ["subsets", "gpu_only", "energy_aware"], speed=speed,
                    more=["--efficiency", f"{npu}={efficiency}"])
    energy, kept = rows.pop("energy_aware")
    best = min(energy for energy, kept in rows.values() if kept >= 0.995)
    print(f"{npu} x{speed}, efficiency x{efficiency}: {energy:.3f} MJ; best other {best:.3f} MJ")
    assert kept >= 0.995
    assert energy <= best


def test_a_day_of_tides_with_sleep_costs_less_than_an_autoscaler_and_than_any_subset():
    # Of the subsets only all six keep their promises at high tide; of a grid of 24 autoscalers
    # these are the cheapest for what they keep.
    rivals = ["least_requests", "autoscaler:12:60", "autoscaler:16:300", "autoscaler:24:300:1"]
    rows = simulate(GPUS, ["planned", *rivals], more=["--tides"])
    energy, kept = rows.pop("energy_aware, planned")
    fair = {name: energy for name, (energy, share) in rows.items() if share >= kept - 0.002}
    print(f"{energy:.3f} MJ, {kept:.2%}; {rows}")
    assert kept >= 0.995
    assert "least_requests" in fair and any(name.startswith("autoscaler") for name in fair)
    assert energy <= 0.85 * min(fair.values())


@pytest.mark.parametrize("npu", ["npu-assumed-8b", "npu-assumed-8b-bucketed"])
def test_bursts_of_code_beside_chat_on_unlike_pools_keep_their_promises(npu):
    pools = ("h100-llama-3.1-8b:3", f"{npu}:6:vllm-rbln")
    rows = simulate(pools, ["least_requests", "energy_aware"], traces=(CHAT, CODE))
    energy, kept = rows["energy_aware"]
    spread, kept_by_spreading = rows["least_requests"]
    print(f"{energy:.3f} MJ, {kept:.2%}; spread {spread:.3f} MJ, {kept_by_spreading:.2%}")
    assert kept >= kept_by_spreading - 0.002
    assert energy <= 0.75 * spread


def test_bursts_of_code_beside_chat_keep_their_promises():
    rows = simulate(GPUS, ["least_requests", "energy_aware"], traces=(CHAT, CODE))
    energy, kept = rows["energy_aware"]
    spread, kept_by_spreading = rows["least_requests"]
    print(f"{energy:.3f} MJ, {kept:.2%}; spread {spread:.3f} MJ, {kept_by_spreading:.2%}")
    assert kept >= kept_by_spreading - 0.002
    assert energy <= 0.75 * spread


@pytest.fixture(scope="module")
def saturated():
    """Eight GPUs with more to do than they can: the row without a limit."""
    return limited("energy_aware")


def limited(policy, watts=None):
    command = [
        processes.program(), "simulate", "--json", "--trace", CHAT, "--pool",
        "h100-llama-3.1-8b:8", "--speed", "24", "--seconds", "120", "--policy", policy]
    command += ["--site-watts", str(watts)] if watts else []
    output = subprocess.run(
        [str(word) for word in command], check=True, capture_output=True, text=True, cwd=ROOT)
    return json.loads(output.stdout)


@pytest.mark.parametrize("cap, throughput", [(0.9, 0.84), (0.8, 0.72), (0.6, 0.48)])
def test_a_power_limit_is_kept_by_fewer_endpoints_at_full_batch(saturated, cap, throughput):
    watts = cap * saturated["mean_watts"]
    whole = saturated["output_tokens_per_second"]
    row = limited("energy_aware", watts)
    share = row["output_tokens_per_second"] / whole
    print(f"{cap:.0%} of {saturated['mean_watts']:.0f} W: {share:.1%} of {whole:.0f} tokens/s, "
          f"peak {row['peak_watts']:.0f} W, {row['seconds_above_limit']:.2f} s above")
    for name in ("uniform_limit", "board_limit"):
        other = limited(name, watts)
        print(f"  {other['policy']}: {other['output_tokens_per_second'] / whole:.1%}, "
              f"{other['seconds_above_limit']:.2f} s above")
    assert share >= throughput
    assert row["seconds_above_limit"] <= 1


def mixed(pools, policy="energy_aware", seconds=600):
    """Rows of the services, by name and model, of one run of the call mix."""
    command = [
        processes.program(), "simulate", "--json", "--trace", CHAT, "--mix", "call",
        "--seconds", str(seconds), "--policy", policy]
    for pool in pools:
        command += ["--pool", pool]
    output = subprocess.run(
        [str(word) for word in command], check=True, capture_output=True, text=True, cwd=ROOT)
    rows = {}
    for row in json.loads(output.stdout)["services"]:
        name = pathlib.Path(row["name"]).stem
        rows[name, row["model"]] = row
        print(f"{name}, model {row['model']}: {row['attainment']:.2%} kept, "
              f"{row['served']:.1%} of {row['input_tokens']} + {row['output_tokens']} tokens")
    return rows


def test_bulk_fills_what_chat_leaves_and_breaks_no_promise():
    rows = mixed(GPUS)
    assert rows[CHAT.stem, 0]["attainment"] >= 0.995
    assert rows["summary", 0]["attainment"] >= 0.995
    assert rows["notes", 0]["served"] >= 0.9
    assert rows["spam", 0]["served"] >= 0.9
    assert mixed(GPUS, "bulk_as_others")[CHAT.stem, 0]["attainment"] < 0.95
