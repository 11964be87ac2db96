"""Tables in Markdown and bars of what `loadtest/peers` measured."""

import dataclasses
import os
import platform
import re
from pathlib import Path

from workloads import WORKLOADS, median


def conditions(peers, repetitions):
    """What a reader must know beside the figures."""
    processor = re.search(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text())
    return {
        "processors": os.cpu_count(), "processor": processor.group(1) if processor else "unknown",
        "kernel": platform.release().split("-")[0], "load_average": round(os.getloadavg()[0], 1),
        "repetitions": repetitions, "versions": {peer.name: peer.version for peer in peers}}


def row(cells):
    return "| " + " | ".join(map(str, cells)) + " |"


def spread(runs, key, digits):
    values = [run[key] for run in runs]
    return f"{median(runs, key):.{digits}f} ({min(values):.{digits}f}-{max(values):.{digits}f})"


def digits_for(value):
    return 2 if value < 10 else 1 if value < 1000 else 0


def table(results, title, columns):
    """One row per proxy; a column is (heading, workload, text of a cell's runs)."""
    workloads = results["workloads"]
    columns = [column for column in columns if column[1] in workloads]
    if not columns:
        return []
    names = []
    for _, workload, _ in columns:
        names += [name for name in workloads[workload] if name not in names]
    lines = [f"**{title}**", "", row(["proxy", *[heading for heading, _, _ in columns]]),
             "|---" * (len(columns) + 1) + "|"]
    notes = []
    for name in names:
        texts = []
        for heading, workload, text in columns:
            cell = workloads[workload].get(name)
            if cell is None:
                texts.append("-")
            elif cell["runs"] and "failure" not in cell:
                texts.append(text(cell["runs"]))
            else:
                texts.append("failed")
                note = f"{name}, {heading}: {cell.get('failure', 'no run')}"
                notes += [note] if note not in notes else []
        lines.append(row([name, *texts]))
    return [*lines, "", *[f"- {note}" for note in notes], *([""] if notes else [])]


def cpu(runs):
    return spread(runs, "cpu_us", digits_for(median(runs, "cpu_us")))


def with_rate(runs):
    """A rate counts only while the load side had time to spare."""
    limited = "≥ " if median(runs, "load_share") >= 0.95 else ""
    return f"{limited}{median(runs, 'rate'):,.0f}"


def delays(runs):
    return f"{median(runs, 'p50'):.0f} / {median(runs, 'p99'):.0f}"


def per_cpu_second(runs):
    values = sorted(1e6 / run["cpu_us"] for run in runs)
    return f"{1e6 / median(runs, 'cpu_us'):,.0f} ({values[0]:,.0f}-{values[-1]:,.0f})"


def shares(runs):
    return " / ".join(f"{median(runs, key):.0%}" for key in ("proxy_share", "load_share"))


def calls(runs):
    return spread(runs, "calls", 2) + ("" if runs[0]["by"] == "perf" else " by strace")


def call_names(runs):
    """The most frequent calls of the run in the middle."""
    middle = sorted(runs, key=lambda run: run["calls"])[len(runs) // 2]["names"]
    often = sorted(middle.items(), key=lambda item: -item[1])
    return ", ".join(f"{count:.2f} {name}" for name, count in often if count >= 0.01)


def mebibytes(key):
    return lambda runs: f"{median(runs, key) / 1024:.1f}"


def tables(results):
    facts = results["conditions"]
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    lines = [
        f"{versions}. {facts['processors']} processors ({facts['processor']}), Linux "
        f"{facts['kernel']}, load average {facts['load_average']} at the start. Medians of "
        f"{facts['repetitions']} interleaved repetitions, in brackets least and most.", ""]
    for title, columns in LAYOUT:
        lines += table(results, title, columns)
    if "scaling" in results:
        lines += scaling_table(results["scaling"])
    return "\n".join(lines)


def scaling_table(scaling):
    lines = ["**Reactors: CPU per request or chunk, us**", "",
             row(["work", "one reactor", "two reactors", "ratio"]), "|---" * 4 + "|"]
    for name, cells in scaling["work"].items():
        one, two = cells["1"], cells["2"]
        ratio = median(two, "cpu_us") / median(one, "cpu_us")
        lines.append(row([name, cpu(one), cpu(two), f"{ratio:.2f}"]))
    return [*lines, "", f"Two connections were on two reactors in {scaling['spread']} of "
            f"{scaling['trials']} trials.", ""]


LAYOUT = [
    ("CPU of the proxy per request, us", [
        ("0.3 KiB", "unary", cpu), ("8 KiB", "unary-8k", cpu), ("64 KiB", "unary-64k", cpu),
        ("256 connections", "connections", cpu), ("TLS 1.3", "tls-unary", cpu)]),
    ("CPU of the proxy per chunk, us", [
        ("burst", "burst", cpu), ("paced 5 ms, 256 streams", "paced5", cpu),
        ("paced 20 ms, 512 streams", "paced20", cpu), ("TLS burst", "tls-burst", cpu)]),
    ("System calls per chunk, paced 20 ms, 512 streams", [
        ("all", "calls", calls), ("by name", "calls", call_names)]),
    ("Delay p50 / p99, us", [
        ("one request at a time", "sequential", delays),
        ("one stream at a time", "sequential-stream", delays),
        ("chunk, paced 20 ms", "paced20", delays), ("chunk, paced 5 ms", "paced5", delays),
        ("256 connections", "connections", delays)]),
    ("Per second; at least, where the load side was at its limit", [
        ("requests, 0.3 KiB", "unary", with_rate), ("chunks, burst", "burst", with_rate),
        ("requests, TLS", "tls-unary", with_rate),
        ("TLS connections per CPU second", "tls-handshakes", per_cpu_second)]),
    ("How busy: proxy / load side", [
        ("unary", "unary", shares), ("burst", "burst", shares),
        ("paced 20 ms", "paced20", shares), ("TLS unary", "tls-unary", shares),
        ("TLS handshakes", "tls-handshakes", shares)]),
    ("Memory with 1,024 open streams, a fresh process", [
        ("idle, MiB", "memory", mebibytes("idle_pss_kib")),
        ("with streams, MiB", "memory", mebibytes("full_pss_kib")),
        ("KiB per stream", "memory", lambda runs: spread(runs, "kib", 1)),
        ("of it anonymous", "memory", lambda runs: spread(runs, "anonymous_kib", 1))]),
]


@dataclasses.dataclass
class Bar:
    """`figure` of the gateway against `limit` times that of a peer, or against `limit` alone."""

    text: str
    workload: str
    limit: float
    peer: str = None
    is_strict: bool = False
    # What stands for a peer's figure: less than that of the model server alone, if set.
    base: str = None


BARS = [
    Bar("unary CPU below HAProxy's", "unary", 1, "haproxy", True),
    Bar("unary CPU at most a third of Envoy's", "unary", 1 / 3, "envoy"),
    Bar("unary CPU at most a third of vllm-router's", "unary", 1 / 3, "vllm-router"),
    Bar("unary CPU at 8 KiB below HAProxy's", "unary-8k", 1, "haproxy", True),
    Bar("unary CPU at 8 KiB at most a third of Envoy's", "unary-8k", 1 / 3, "envoy"),
    Bar("unary CPU at 8 KiB at most a third of vllm-router's", "unary-8k", 1 / 3, "vllm-router"),
    Bar("CPU per chunk paced at 20 ms at most HAProxy's", "paced20", 1, "haproxy"),
    Bar("at most 1.5 system calls per chunk paced at 20 ms", "calls", 1.5),
    Bar("CPU per chunk of a burst at most nghttpx's", "burst", 1, "nghttpx"),
    Bar("p50 added on one idle connection at most HAProxy's", "sequential", 1, "haproxy",
        base="direct"),
    Bar("unary CPU over TLS below HAProxy's", "tls-unary", 1, "haproxy", True),
    Bar("at most 10 KiB per open stream", "memory", 10),
]


def bars(results):
    """A line for each bar: PASS, MISS, or SKIP where a figure is missing."""
    workloads = results["workloads"]
    lines = [judged(bar, workloads) for bar in BARS if bar.workload in workloads]
    if "scaling" in results:
        lines += scaling_bars(results["scaling"])
    return lines


def judged(bar, workloads):
    cells = workloads.get(bar.workload, {})

    def figure(name):
        cell = cells.get(name, {"runs": []})
        if "failure" in cell or not cell["runs"]:
            return None
        return median(cell["runs"], WORKLOADS[bar.workload].figure)

    base = figure(bar.base) if bar.base else 0
    ours, theirs = figure("joulegate"), figure(bar.peer) if bar.peer else 1
    if ours is None or theirs is None or base is None:
        return f"SKIP {bar.text}: not measured"
    ours -= base
    theirs -= base
    if bar.peer:
        said = f"{ours:.2f} against {theirs:.2f}, ratio {ours / theirs:.2f}"
    else:
        said = f"{ours:.2f}"
    limit = bar.limit * theirs
    passes = ours < limit if bar.is_strict else ours <= limit
    return f"{'PASS' if passes else 'MISS'} {bar.text}: {said}, bar {bar.limit:.2f}"


def scaling_bars(scaling):
    """Of chunks there is no bar: two reactors meet fewer of them at a time, and so write more."""
    cells = scaling["work"]["unary"]
    ratio = median(cells["2"], "cpu_us") / median(cells["1"], "cpu_us")
    lines = [
        f"{'PASS' if ratio <= 1.1 else 'MISS'} unary CPU with two reactors as with one: "
        f"ratio {ratio:.2f}, bar 1.10"]
    spread_over, trials = scaling["spread"], scaling["trials"]
    lines.append(
        f"{'PASS' if spread_over == trials else 'MISS'} two connections on two reactors: "
        f"{spread_over} of {trials} trials")
    return lines
