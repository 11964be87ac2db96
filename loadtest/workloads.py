"""What the proxies are asked to do, and what is written down of each run."""

import dataclasses
import json
import re
import statistics
import subprocess
import time
from pathlib import Path

from calls import Counter
from stage import LOAD_CPU, Failure, Proxy, Sample, chat_body, process_tree

TARGET = "/v1/chat/completions"
CIPHER = "TLS_AES_128_GCM_SHA256"


def client(hall, command, limit=120):
    """A load generator's run beside the proxy's processor; its output."""
    command = ["taskset", "-c", hall.load_cpu, *map(str, command)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=limit)
    except subprocess.TimeoutExpired as late:
        raise Failure(f"{Path(command[3]).name} did not end in {limit} s") from late
    if done.returncode != 0:
        raise Failure(f"{Path(command[3]).name}: {(done.stdout + done.stderr).strip()[-300:]}")
    return done.stdout


def percentiles(values):
    """50th and 99th percentile."""
    ordered = sorted(values)
    return ordered[len(ordered) // 2], ordered[min(len(ordered) * 99 // 100, len(ordered) - 1)]


@dataclasses.dataclass
class Unary:
    """h2load: requests, each answered at once."""

    title: str
    prompt: int = 300
    connections: int = 8
    streams: int = 32
    seconds: float = 2
    streamed: bool = False
    units_per_request: int = 1
    tls: bool = False
    unit: str = "request"
    figure: str = "cpu_us"
    # One request for each connection.
    once: bool = False
    # The answer of the model server itself is worth knowing.
    direct: bool = False
    count: int = 0

    def prepare(self, hall, proxy):
        """How many requests fill the time; the same length of run for slow and fast proxies."""
        if self.count:
            return self.count
        # A pilot long enough to open the connections, and one to measure.
        pilot = max(self.connections * self.streams * 4, 400)
        self.send(hall, proxy, pilot)
        began = time.monotonic()
        self.send(hall, proxy, pilot)
        return max(int(pilot / (time.monotonic() - began) * self.seconds), pilot)

    def run(self, hall, proxy, count):
        sample = Sample(proxy, hall.model_server, lambda: self.send(hall, proxy, count))
        delays = sample.result
        return figures(sample, count * self.units_per_request, *percentiles(delays))

    def send(self, hall, proxy, count):
        """Microseconds of each request; any that fails is a failure of the run."""
        body = hall.body(self.prompt, self.streamed, 0 if self.streamed else None)
        log = hall.stage.folder / "h2load.log"
        log.unlink(missing_ok=True)
        connections = count if self.once else self.connections
        port, scheme = (proxy.tls_port, "https") if self.tls else (proxy.port, "http")
        options = ["--h1"] if proxy.speaks_http1 else []
        output = client(hall, [
            "h2load", *options, "-n", count, "-c", connections, "-m", self.streams,
            "-d", body, "--log-file", log, f"--tls13-ciphers={CIPHER}",
            "-H", "content-type: application/json", f"{scheme}://127.0.0.1:{port}{TARGET}"])
        good = int(re.search(r"(\d+) 2xx", output).group(1))
        succeeded = int(re.search(r"(\d+) succeeded", output).group(1))
        if self.tls and (CIPHER not in output or "TLSv1.3" not in output):
            raise Failure(f"not TLS 1.3 with {CIPHER}")
        if succeeded != count or good != count:
            counts = re.search(r"requests: .*", output).group()
            raise Failure(f"{count - min(good, succeeded)} of {count} failed: {counts}")
        return [int(line.split("\t")[2]) for line in log.read_text().splitlines()]


@dataclasses.dataclass
class Streams:
    """stream_client: streams of 64 events, one every so many microseconds or all at once."""

    title: str
    pace_us: int
    connections: int
    streams: int
    seconds: float
    tls: bool = False
    unit: str = "chunk"
    figure: str = "cpu_us"
    direct: bool = False

    def prepare(self, hall, proxy):
        self.stream(hall, proxy, 0.5)
        return self.seconds

    def run(self, hall, proxy, seconds):
        sample = Sample(proxy, hall.model_server, lambda: self.stream(hall, proxy, seconds))
        result = sample.result
        return figures(sample, result["events"], result["p50"], result["p99"])

    def command(self, hall, proxy, seconds):
        port = f"tls:{proxy.tls_port}" if self.tls else proxy.port
        return [
            hall.stream_client, port, self.connections, self.streams, seconds,
            hall.body(300, True, self.pace_us)]

    def stream(self, hall, proxy, seconds):
        return checked(client(hall, self.command(hall, proxy, seconds)))


class Calls(Streams):
    """System calls per event, counted by the kernel at full load, or else by strace."""

    def run(self, hall, proxy, seconds):
        with Counter(hall, proxy) as counter:
            result = self.stream(hall, proxy, seconds)
        events = result["events"]
        return {
            "units": events, "calls": counter.total / events, "by": counter.program,
            "names": {name: count / events for name, count in counter.names.items()},
            "p50": result["p50"], "p99": result["p99"]}


@dataclasses.dataclass
class Memory(Streams):
    """What open streams take, in a process that has done nothing before."""

    fresh: bool = True

    def prepare(self, hall, proxy):
        return self.seconds

    def run(self, hall, proxy, seconds):
        idle = memory(proxy)
        command = ["taskset", "-c", hall.load_cpu, *map(str, self.command(hall, proxy, seconds))]
        began = time.monotonic()
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
            # Streams end after 64 paces; the look is taken while all the first are open.
            time.sleep(seconds - 0.5)
            if running.poll() is not None:
                raise Failure(f"stream_client ended early: {running.stdout.read()}")
            full, late = memory(proxy), time.monotonic() - began
            output = running.communicate()[0]
        if running.returncode != 0:
            raise Failure(f"stream_client failed: {output}")
        result, wanted = checked(output), self.connections * self.streams
        if result["open"] != wanted or late > seconds:
            raise Failure(f"{result['open']} of {wanted} streams were open")
        grown = {key: (full[key] - idle[key]) / wanted for key in full}
        return {
            "units": wanted, "idle_pss_kib": idle["Pss"], "full_pss_kib": full["Pss"],
            "kib": grown["Pss"], "anonymous_kib": grown["Anonymous"],
            "p50": result["p50"], "p99": result["p99"]}


def checked(output):
    result = json.loads(output)
    if result["errors"] or not result["events"]:
        raise Failure(f"{result['errors']} errors, {result['events']} events")
    return result


def figures(sample, units, p50, p99):
    return {
        "units": units, "cpu_us": sample.cpu / units * 1e6, "rate": units / sample.wall,
        "user_share": sample.user_share, "proxy_share": sample.proxy_share,
        "load_share": sample.load_share, "p50": p50, "p99": p99}


def memory(proxy):
    """KiB of a proxy's whole family: its share of all pages, and those of its own making."""
    total = {"Pss": 0, "Anonymous": 0}
    for member in process_tree(proxy.pid):
        page = Path(f"/proc/{member}/smaps_rollup").read_text()
        for key in total:
            total[key] += int(re.search(rf"^{key}:\s+(\d+) kB", page, re.MULTILINE).group(1))
    return total


@dataclasses.dataclass
class Hall:
    """Where the load stands: the model server, the clients, the bodies."""

    stage: object
    model_server: Proxy
    load_cpu: str = LOAD_CPU

    def __post_init__(self):
        self.stream_client = self.stage.stream_client()

    def body(self, prompt, streamed, pace_us):
        name = f"body-{prompt}-{streamed}-{pace_us}.json"
        path = self.stage.folder / name
        return path if path.exists() else self.stage.file(
            name, chat_body(prompt, streamed, pace_us))


def median(runs, key):
    return statistics.median(run[key] for run in runs)


# The pace of the memory test is slow: no proxy shall be short of time there.
WORKLOADS = {
    "unary": Unary("unary, prompt of 0.3 KiB, 8 connections x 32"),
    "unary-8k": Unary("unary, prompt of 8 KiB, 8 x 32", prompt=8192),
    "unary-64k": Unary("unary, prompt of 64 KiB, 8 x 32", prompt=65536),
    "burst": Streams("burst: 64 chunks at once, 8 x 32", 0, 8, 32, 2),
    "paced5": Streams("a chunk every 5 ms, 8 x 32 streams", 5_000, 8, 32, 4),
    "paced20": Streams("a chunk every 20 ms, 8 x 64 streams", 20_000, 8, 64, 4),
    "calls": Calls(
        "system calls, a chunk every 20 ms, 8 x 64 streams", 20_000, 8, 64, 3, figure="calls"),
    "sequential": Unary(
        "one unary request at a time on one connection", connections=1, streams=1,
        figure="p50", direct=True),
    "sequential-stream": Unary(
        "one stream of 64 chunks at a time on one connection", connections=1, streams=1,
        streamed=True, unit="stream", figure="p50", direct=True),
    "memory": Memory(
        "1,024 open streams, 16 x 64, fresh process", 100_000, 16, 64, 3.5, unit="stream",
        figure="kib"),
    "connections": Unary("unary, 256 connections x 1", connections=256, streams=1),
    "two-connections": Unary("unary, 2 x 1", connections=2, streams=1),
    "tls-unary": Unary("TLS 1.3, unary, 8 x 32", tls=True),
    "tls-burst": Streams("TLS 1.3, burst, 8 x 32", 0, 8, 32, 2, tls=True),
    "tls-handshakes": Unary(
        "TLS 1.3, a connection for each request", tls=True, once=True, streams=1, count=1_000,
        unit="connection"),
}
