"""Processes under test: the gateway and the emulated model server."""

import json
import os
import pathlib
import re
import subprocess
import threading
import time
import urllib.error
import urllib.request

from ports import free_port

ROOT = pathlib.Path(__file__).resolve().parents[2]


def program() -> str:
    """The binary under test."""
    named = os.environ.get("JOULEGATE")
    candidates = [named] if named else [".build/release/joulegate", ".build/debug/joulegate"]
    for candidate in candidates:
        path = ROOT / candidate
        if path.exists():
            return str(path)
    raise FileNotFoundError(f"no joulegate: build it, or name it in JOULEGATE ({candidates})")


class Process:
    """A child whose standard error is kept."""

    def __init__(self, arguments, **options):
        self.lines: list[str] = []
        self.child = subprocess.Popen(
            arguments, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, **options)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.child.stderr:
            self.lines.append(line.decode(errors="replace"))

    @property
    def log(self) -> str:
        return "".join(self.lines)

    def until(self, condition, timeout=15.0):
        end = time.monotonic() + timeout
        while not (result := condition()):
            if self.child.poll() is not None:
                self.reader.join(1)
                raise AssertionError(f"ended with {self.child.returncode}:\n{self.log}")
            if time.monotonic() > end:
                raise AssertionError(f"not in time:\n{self.log}")
            time.sleep(0.01)
        return result

    def finished(self, timeout) -> int:
        """Its exit status once it has ended."""
        status = self.child.wait(timeout)
        self.reader.join(5)
        return status

    def kill(self):
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()
        self.reader.join(5)


def configuration(*pools, listeners=None, **members) -> dict:
    """A configuration with free ports. A pool is a list of servers, or a whole entry."""
    names = ["alpha", "beta", "gamma"]
    entries = []
    for name, pool in zip(names, pools):
        entry = pool if isinstance(pool, dict) else {"endpoints": pool}
        entry = {
            "name": name, "engine": "vllm", "profile": "h100-llama-3.1-8b",
            "models": [{"name": "ax-4.0", "upstream": "skt/A.X-4.0"}], **entry}
        entry["endpoints"] = [
            server if isinstance(server, dict) else {"url": server.url}
            for server in entry["endpoints"]]
        entries.append(entry)
    return {
        "listeners": listeners or [{"address": "127.0.0.1", "port": 0}],
        "admin": {"address": "127.0.0.1", "port": 0},
        "pools": entries,
        "models": [{"name": "ax-4.0", "aliases": ["gpt-4o-mini"]}],
        "policy": "round_robin",
        "threads": 2,
        **members,
    }


class Gateway(Process):
    """`joulegate serve`, ready to be asked. `before` is the command that starts it, if it takes
    one."""

    def __init__(self, folder: pathlib.Path, settings: dict, before=()):
        # JSON is YAML, too.
        self.file = folder / f"gateway-{time.monotonic_ns()}.yaml"
        self.file.write_text(json.dumps(settings, ensure_ascii=False, indent=1))
        super().__init__([*before, program(), "serve", "--config", str(self.file)])
        count = len(settings["listeners"])
        try:
            self.until(lambda: len(self._ports("listening")) == count and self._ports("admin"))
        except AssertionError:
            self.kill()
            raise
        self.ports = self._ports("listening")
        self.port = self.ports[0]
        self.admin_port = self._ports("admin")[0]

    def _ports(self, word: str) -> list[int]:
        pattern = rf"address=[^ ]*:(\d+) .*\b{word}$"
        return [int(port) for port in re.findall(pattern, self.log, re.MULTILINE)]

    def admin(self, method: str, path: str, body=None, headers=None):
        """Status and body of an admin request."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.admin_port}{path}", method=method,
            data=None if body is None else json.dumps(body).encode(), headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def workers(self) -> list[dict]:
        return json.loads(self.admin("GET", "/workers")[1])["workers"]

    def status(self) -> dict:
        return json.loads(self.admin("GET", "/status")[1])

    def wait_until_idle(self, timeout=5.0):
        """Until no request is under way."""
        end = time.monotonic() + timeout
        while self.status()["in_flight"] and time.monotonic() < end:
            time.sleep(0.02)

    def buffered_bytes(self) -> float:
        """What its page says it holds for clients."""
        page = self.admin("GET", "/metrics")[1]
        return float(re.search(r"^joulegate_buffered_bytes (\S+)$", page, re.MULTILINE)[1])

    def resident_bytes(self) -> int:
        fields = pathlib.Path(f"/proc/{self.child.pid}/statm").read_text().split()
        return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")


def can_emulate() -> bool:
    help_ = subprocess.run(
        [program(), "emulate", "--help"], capture_output=True, text=True, cwd=ROOT)
    return "--engine" in help_.stdout


class Emulator(Process):
    """`joulegate emulate`: an emulated model server."""

    def __init__(self, engine: str, profile: str, *more: str, model="skt/A.X-4.0"):
        self.port = free_port()
        super().__init__([
            program(), "emulate", "--engine", engine, "--profile", profile,
            "--port", str(self.port), "--model", model, *more])
        try:
            self.until(self._is_ready)
        except AssertionError:
            self.kill()
            raise

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _is_ready(self) -> bool:
        try:
            self.page("/health")
        except OSError:
            return False
        return True

    def page(self, path: str) -> bytes:
        with urllib.request.urlopen(self.url + path, timeout=5) as answer:
            return answer.read()

    def state(self) -> dict:
        return json.loads(self.page("/emulated/state"))
