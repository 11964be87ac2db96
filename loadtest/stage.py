"""What every load test needs: the cheap model server, the proxies in front of it, and the CPU
time that each process has used. Nothing outside Python's standard library and `cc`."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
RELEASE = ROOT / ".build" / "release" / "joulegate"
# The proxy has a processor of its own; where there are enough, so has each part of the load.
PROXY_CPU, LOAD_CPU = "0", "1"
MODEL_CPU = "2" if (os.cpu_count() or 1) > 3 else LOAD_CPU

GATEWAY = """\
listeners: [{{address: 127.0.0.1, port: {port}}}{tls}]
admin: {{address: 127.0.0.1, port: {admin}}}
log_level: warning
profiles_directory: {profiles}
pools:
  - name: mock
    engine: vllm
    profile: h100-llama-3.1-8b
    endpoints: [{{url: "http://127.0.0.1:{upstream}", max_in_flight: 4096}}]
    models: [{{name: m}}]
models: [{{name: m}}]
classes: {{default: {{slo: {{ttft_ms: 2000, itl_ms: 100}}}}}}
policy: energy_aware
"""

TLS_LISTENER = """,
  {{address: 127.0.0.1, port: {port}, tls: {{certificate: {certificate}, key: {key}}}}}"""

HAPROXY = """\
global
    nbthread 1
    maxconn 8192
    tune.bufsize 32768
defaults
    mode http
    timeout connect 2s
    timeout client 300s
    timeout server 300s
    timeout http-keep-alive 300s
    option http-no-delay
    http-reuse always
frontend front
    bind 127.0.0.1:{port} proto h2
    default_backend model
backend model
    server one 127.0.0.1:{upstream}
"""


class Failure(Exception):
    """Why a proxy has no figure: a request that failed, a client that did not end well."""


class Proxy:
    """One proxy under test and where it listens."""

    def __init__(self, name, port, process, log):
        self.name, self.port, self.process, self.log = name, port, process, log
        self.tls_port, self.speaks_http1 = None, False

    @property
    def pid(self):
        return self.process.pid


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def process_tree(pid):
    """A process and its descendants."""
    children = {}
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(ValueError, OSError):
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            children.setdefault(int(parent), []).append(int(folder.name))
    tree, waiting = [], [pid]
    while waiting:
        tree.append(waiting.pop())
        waiting += children.get(tree[-1], [])
    return tree


def cpu_times(pid):
    """User and system time of a process and its descendants, in seconds, in ticks of the clock."""
    tick = os.sysconf("SC_CLK_TCK")
    stats = [
        Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
        for member in process_tree(pid)]
    return sum(int(f[11]) for f in stats) / tick, sum(int(f[12]) for f in stats) / tick


def cpu_seconds(pid):
    """User and system time together, to the nanosecond: the processes' own CPU clocks."""
    scheduled = 2
    return sum(time.clock_gettime(~member << 3 | scheduled) for member in process_tree(pid))


def resident_bytes(pid):
    """Resident memory of the process's own making: pages of the binary come and go."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"RssAnon:\s+(\d+) kB", status).group(1)) * 1024


def chat_body(prompt_bytes, stream, pace_us=None):
    """A request as a chat client sends it; `pace_us` tells the model server between events."""
    words = "What does one token cost on this accelerator, in joules, at this hour? "
    prompt = (words * (prompt_bytes // len(words) + 1))[:prompt_bytes]
    body = {
        "model": "m",
        "messages": [
            {"role": "system", "content": "You are a helpful assistant."},
            {"role": "user", "content": prompt},
        ],
        "temperature": 0.7,
        "max_tokens": 64,
        "stream": stream,
    }
    if pace_us is not None:
        body["user"] = f"pace-{pace_us}"
    return json.dumps(body).encode()


class Stage(contextlib.AbstractContextManager):
    """Starts programs, pins them, and ends them again."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="joulegate-load-"))
        self.processes = []

    def __exit__(self, *_):
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            self.end(process)
        shutil.rmtree(self.folder, ignore_errors=True)

    @staticmethod
    def end(process):
        """Asks once, then takes the whole family down."""
        tree = process_tree(process.pid)
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(3)
        except subprocess.TimeoutExpired:
            for member in tree:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(member, signal.SIGKILL)
            process.wait()

    def stop(self, proxy):
        self.processes.remove(proxy.process)
        self.end(proxy.process)

    def compile(self, name, *libraries):
        target = self.folder / name
        if target.exists():
            return target
        subprocess.run(
            ["cc", "-O2", "-o", target, HERE / "programs" / f"{name}.c",
             "-Wno-deprecated-declarations", *libraries], check=True)
        return target

    def file(self, name, content):
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def stream_client(self):
        return self.compile("stream_client", "-lnghttp2", "-lssl", "-lcrypto")

    @staticmethod
    def listens(port, process, patience=10):
        """True once a process accepts connections; false if it ends first or never does."""
        deadline = time.monotonic() + patience
        while process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return True
            time.sleep(0.02)
        return False

    def spawn(self, command, cpu, port, name, environment=None, patience=10):
        """A program that listens on `port` within `patience` seconds."""
        log = self.folder / f"{name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                ["taskset", "-c", cpu, *map(str, command)], stdout=output, stderr=output,
                env={**os.environ, **(environment or {})})
        self.processes.append(process)
        if self.listens(port, process, patience):
            return Proxy(name, port, process, log)
        raise SystemExit(f"{name} did not start:\n{log.read_text()}")

    def model_server(self, pace_us=0, cpu=MODEL_CPU):
        port = free_port()
        program = self.compile("model_server")
        return self.spawn([program, port, pace_us], cpu, port, f"model_server-{cpu}")

    def gateway(
            self, upstream, binary=RELEASE, name="joulegate", prefix=(), pair=None, threads=1,
            cpu=PROXY_CPU, patience=10):
        """`pair`: certificate and key of a second listener, which speaks TLS."""
        port, tls_port, tls = free_port(), free_port(), ""
        if pair:
            tls = TLS_LISTENER.format(port=tls_port, certificate=pair[0], key=pair[1])
        config = self.file(
            f"{name}.yaml",
            GATEWAY.format(
                port=port, tls=tls, admin=free_port(), upstream=upstream,
                profiles=ROOT / "Config" / "profiles"))
        command = [*prefix, binary, "serve", "--config", config, "--threads", threads]
        proxy = self.spawn(command, cpu, port, name, patience=patience)
        if pair and not self.listens(tls_port, proxy.process, patience):
            raise SystemExit(f"{name} does not listen for TLS:\n{proxy.log.read_text()}")
        proxy.tls_port = tls_port if pair else None
        return proxy

    def haproxy(self, upstream):
        port = free_port()
        config = self.file("haproxy.cfg", HAPROXY.format(port=port, upstream=upstream))
        return self.spawn(["haproxy", "-db", "-f", config], PROXY_CPU, port, "haproxy")

    def proxies(self, upstream, binaries):
        """HAProxy first, then each gateway given as `NAME=PATH` or `PATH`."""
        result = [self.haproxy(upstream)]
        for number, binary in enumerate(binaries or [str(RELEASE)]):
            name, _, path = binary.rpartition("=")
            default = "joulegate" if number == 0 else f"joulegate-{number + 1}"
            result.append(self.gateway(upstream, path, name or default))
        return result


def pinned(*command):
    """A load generator's run on its own CPU; its output."""
    done = subprocess.run(
        ["taskset", "-c", LOAD_CPU, *map(str, command)], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{command[0]} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def posted(port, body):
    """Does a proxy answer one request well?"""
    with tempfile.NamedTemporaryFile() as file:
        file.write(body)
        file.flush()
        done = subprocess.run(
            ["h2load", "-n1", "-c1", "-N", "5", "-d", file.name, "-H",
             "content-type: application/json", f"http://127.0.0.1:{port}/v1/chat/completions"],
            capture_output=True, text=True, check=False)
    return " 1 2xx" in done.stdout


def h2load(port, body, requests, connections=8, streams=32):
    """Completed requests of one unary run; any failure ends the test."""
    output = pinned(
        "h2load", "-n", requests, "-c", connections, "-m", streams, "-d", body,
        "-H", "content-type: application/json",
        f"http://127.0.0.1:{port}/v1/chat/completions")
    succeeded = int(re.search(r"(\d+) succeeded", output).group(1))
    good = int(re.search(r"(\d+) 2xx", output).group(1))
    if succeeded != requests or good != requests:
        raise SystemExit(output)
    return succeeded


class Sample:
    """CPU of a proxy and of the load side over one run."""

    def __init__(self, proxy, model_server, run):
        children = os.times()
        before = cpu_times(proxy.pid), cpu_seconds(proxy.pid)
        server, began = cpu_seconds(model_server.pid), time.monotonic()
        self.result = run()
        self.wall = time.monotonic() - began
        after = os.times()
        client = sum(after[2:4]) - sum(children[2:4])
        server = cpu_seconds(model_server.pid) - server
        self.cpu = cpu_seconds(proxy.pid) - before[1]
        user, system = (a - b for a, b in zip(cpu_times(proxy.pid), before[0]))
        self.user_share = user / max(user + system, 0.01)
        busiest = client + server if MODEL_CPU == LOAD_CPU else max(client, server)
        self.load_share = busiest / self.wall
        self.proxy_share = self.cpu / self.wall


def interleave(proxies, repetitions, measure):
    """Runs `measure(proxy)` for all proxies before the next repetition, in alternating order."""
    samples = {proxy.name: [] for proxy in proxies}
    for repetition in range(repetitions):
        for proxy in proxies if repetition % 2 == 0 else reversed(proxies):
            samples[proxy.name].append(measure(proxy))
    return samples


def report(title, samples, figure, reference="haproxy"):
    """One line per proxy: median, spread, load-side share, ratio of medians and the median of
    the ratios within each repetition."""
    print(f"{title}")
    base = [figure(sample) for sample in samples[reference]]
    summary = {}
    for name, runs in samples.items():
        values = [figure(run) for run in runs]
        ratio = statistics.median(values) / statistics.median(base)
        paired = statistics.median(v / b for v, b in zip(values, base))
        load = statistics.median(run.load_share for run in runs)
        busy = statistics.median(run.proxy_share for run in runs)
        user = statistics.median(run.user_share for run in runs)
        print(
            f"  {name:14} {statistics.median(values):8.2f} us "
            f"({min(values):.2f}-{max(values):.2f})  ratio {ratio:.2f}  paired {paired:.2f}  "
            f"user {user:3.0%}  proxy {busy:4.0%}  load {load:4.0%}", flush=True)
        summary[name] = {"us": statistics.median(values), "ratio": ratio, "paired": paired}
    return summary
