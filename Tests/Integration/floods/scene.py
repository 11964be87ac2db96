"""One attack on a fresh gateway: what it costs there, and what an honest client notices."""

import os
import pathlib
import re
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field

from clients import H1, H2, judge_stream
from mock_upstream import reference

MB = 1_000_000
# What an attack may cost the gateway in memory, at its worst moment.
GROWTH = 5 * MB
# What a flood of resets may start at model servers, however many resets there are.
STARTED = 10
# A flood is to end within so many seconds, whether or not the attacker reads; what comes on top is
# the time between two looks at the gateway's own count.
ENDS = 1.0
LOOK = 0.25
# How often the gateway counts its connections for its page of figures, seconds.
SAMPLED = 0.05
# How long an honest request may take while an attack goes on, seconds. It takes milliseconds; an
# attack that holds up others holds them up for as long as it lasts.
PROMPT = 2.0
# To see that the tests can fail: limits so high that they bound nothing. It takes 2 GB of memory.
LIFTED = {
    "glitches": 10**8, "early_reset_percent": 100, "outbound_frames": 10**7,
    "header_fields": 10**7, "header_list_bytes": 10**9, "trailer_fields": 10**6,
    "trailer_bytes": 10**8, "chunk_extension_bytes": 10**8, "uri_bytes": 10**8,
} if os.environ.get("FLOODS_LIFTED") else {}


@dataclass
class Score:
    """What one attack came to."""

    attack: str
    sent: int = 0  # bytes
    growth: int = 0  # bytes, at the worst moment
    connections: int = 0
    closed: int | None = None  # of these, by the gateway; None: it was not to close any
    ended: float | None = None  # seconds from the first byte to the last close
    started: int = 0  # requests at model servers
    cpu: float = 0.0  # seconds
    probes: int = 0
    slowest: float = 0.0  # seconds
    failures: list = field(default_factory=list)

    TITLE = (
        "| attack | sent, MB | growth, MB | connections closed | after, s | requests started "
        "| gateway's CPU, s | honest requests | slowest, ms |\n|---|---|---|---|---|---|---|---|---|")

    def row(self) -> str:
        closed = "-" if self.closed is None else f"{self.closed} of {self.connections}"
        ended = "-" if self.ended is None else f"{self.ended:.2f}"
        return (
            f"| {self.attack} | {self.sent / MB:.2f} | {self.growth / MB:.1f} | {closed} | {ended} "
            f"| {self.started} | {self.cpu:.2f} | {self.probes - len(self.failures)} of "
            f"{self.probes} | {self.slowest * 1000:.0f} |")


class Probe(threading.Thread):
    """An honest client on a connection of its own. It asks all the time, and never for anything
    but the same: a short answer of a model server, or with `path` one of the gateway's own."""

    def __init__(self, port: int, path: str | None = None, pause: float = 0.01):
        super().__init__(daemon=True)
        self.client = H2(port)
        self.path = path
        self.pause = pause
        self.times: list[float] = []
        self.failures: list[str] = []
        self.leaving = threading.Event()
        self.start()

    def run(self):
        while not self.leaving.is_set():
            began = time.monotonic()
            try:
                problem = self.ask()
            except Exception as error:  # Whatever it is, an honest client has met it.
                problem = repr(error)
            self.times.append(time.monotonic() - began)
            if problem:
                self.failures.append(problem)
                return
            self.leaving.wait(self.pause)

    def ask(self) -> str:
        if self.path:
            response = self.client.ask("GET", self.path)
            return "" if response.status == 200 else str(response)
        response = self.client.chat(stream=True, user="honest", mock={"tokens": 2})
        return "" if judge_stream(response, reference(2)) == "whole" else str(response)

    def leave(self, more: int = 4):
        """Ends after some more requests."""
        count = len(self.times) + more
        end = time.monotonic() + 10
        while len(self.times) < count and self.is_alive() and time.monotonic() < end:
            time.sleep(0.01)
        self.leaving.set()
        self.join(20)
        self.client.close()


class Watch(threading.Thread):
    """The worst that a process takes in memory while it is watched."""

    def __init__(self, pid: int):
        super().__init__(daemon=True)
        self.pid = pid
        self.before = self.resident()
        self.cpu_before = self.cpu()
        self.peak_before = self.kernels_peak()
        self.worst = self.before
        self.ending = threading.Event()
        self.start()

    def resident(self) -> int:
        fields = pathlib.Path(f"/proc/{self.pid}/statm").read_text().split()
        return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")

    def kernels_peak(self) -> int:
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) * 1024

    def cpu(self) -> float:
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def run(self):
        try:
            while not self.ending.is_set():
                self.worst = max(self.worst, self.resident())
                self.ending.wait(0.01)
        except OSError:
            pass  # It has ended.

    def growth(self) -> int:
        """By what was seen, or by the kernel's own mark if it was moved meanwhile."""
        peak = self.kernels_peak()
        return max(self.worst, peak if peak > self.peak_before else 0) - self.before

    def end(self):
        self.ending.set()
        self.join(5)


class Scene:
    """A gateway that has served a little, in front of one model server."""

    def __init__(self, bench, limits=None, listeners=None, tls=None, pool=None, before=()):
        self.mock, = bench.mocks(send_buffer=32768)
        self.gateway = bench.gateway(
            [{"url": self.mock.url, **(pool or {})}], limits={**LIFTED, **(limits or {})},
            listeners=listeners, before=before)
        self.port = self.gateway.port
        self.tls = tls
        self.tls_port = self.gateway.ports[-1]
        self.warm()

    def warm(self):
        """What any use of the gateway needs is there: both protocols, both threads, TLS."""
        for connect in (H1, H2, H1, H2):
            with connect(self.port) as client:
                assert client.chat().status == 200
                assert judge_stream(client.chat(stream=True), reference()) == "whole"
                assert client.ask("POST", "/nowhere", b"{}").status == 404
            if self.tls:
                with H2(self.tls_port, self.tls) as client:
                    assert client.chat().status == 200
        self.gateway.wait_until_idle()
        assert self.settles(lambda: self.connections() == 0)

    def figure(self, name: str) -> int:
        page = self.gateway.admin("GET", "/metrics")[1]
        values = re.findall(rf"^{name}(?:{{.*}})? (\S+)$", page, re.MULTILINE)
        assert values, f"no {name}"
        return int(sum(map(float, values)))

    def connections(self) -> int:
        return self.figure("joulegate_connections")

    def settles(self, holds, timeout=5.0) -> bool:
        end = time.monotonic() + timeout
        while not (result := holds()) and time.monotonic() < end:
            time.sleep(0.02)
        return result

    def started(self) -> int:
        """Requests at the model server that were the attacker's."""
        return sum(seen.body.get("user") == "flood" for seen in self.mock.inference())

    @contextmanager
    def attack(
            self, name: str, scores: list, path=None, growth=GROWTH, started=STARTED, others=0):
        """Runs the block beside an honest client, and judges what it has cost. `path`: what the
        honest client asks for, if not for a model server's answer. `others`: connections of the
        attacker's that are there already."""
        probe = Probe(self.port, path)
        assert self.settles(
            lambda: len(probe.times) >= 3 and self.connections() == 1 + others)
        watch = Watch(self.gateway.child.pid)
        self.idle = 1  # The probe's.
        self.began = time.monotonic()
        score = Score(name)
        try:
            yield score
        finally:
            probe.leave()
            watch.end()
            score.growth = watch.growth()
            score.cpu = watch.cpu() - watch.cpu_before
            score.started = self.started()
            score.probes = len(probe.times)
            score.slowest = max(probe.times)
            score.failures = probe.failures
            scores.append(score)
        assert score.failures == [], f"an honest client was hit: {score.failures}"
        assert score.slowest <= PROMPT, f"an honest client waited for {score.slowest:.2f} s"
        assert score.growth <= growth, f"{score.growth / MB:.1f} MB more"
        assert score.started <= started, f"{score.started} requests at the model server"

    def ends(self, score: Score, lines, within=ENDS):
        """Waits until the gateway has closed all of these connections, which their client still
        holds open. Who reads hears of it; of the others the gateway's own count tells."""
        score.connections = len(lines)
        score.sent = sum(line.sent for line in lines)
        end = self.began + within + LOOK
        for line in lines:
            line.listen(max(end - time.monotonic(), 0))
        if any(line.deaf for line in lines):
            time.sleep(2 * SAMPLED)
            left = max(end - time.monotonic(), LOOK)
            self.settles(lambda: self.connections() <= self.idle, left)
            score.closed = len(lines) - (self.connections() - self.idle)
        else:
            score.closed = sum(line.is_closed for line in lines)
        score.ended = time.monotonic() - self.began
        assert score.closed == len(lines), f"{score.closed} of {len(lines)} were closed"
        assert score.ended <= within + LOOK, f"after {score.ended:.2f} s"

    def leaves_nothing(self):
        """After the attacker has left: no stream, no connection, no byte of it is left."""
        self.gateway.wait_until_idle()
        assert self.gateway.status()["in_flight"] == 0, "requests are left"
        for name in ("joulegate_connections", "joulegate_open_streams", "joulegate_buffered_bytes"):
            assert self.settles(lambda name=name: self.figure(name) == 0), f"{name} is left"
