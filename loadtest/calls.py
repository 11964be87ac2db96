"""Counts a proxy's system calls while something runs: by the kernel's own counters where `perf` may
read them, else by strace.

The counters cost next to nothing and leave the load as it is. strace stops the proxy at every
call; a slow proxy finds more to do in each, so that the figure comes out too low."""

import contextlib
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

from stage import Failure, process_tree

EVENTS = Path("/sys/kernel/tracing/events")
TOTAL = "raw_syscalls:sys_enter"
# The calls that a proxy may make for each event; others show in the total.
NAMES = [
    "read", "readv", "recvfrom", "recvmsg", "write", "writev", "sendto", "sendmsg", "epoll_wait",
    "epoll_pwait", "epoll_pwait2", "epoll_ctl", "timerfd_settime", "futex", "getsockopt",
    "setsockopt", "clock_gettime"]


class Counter(contextlib.AbstractContextManager):
    """`total` and `names` hold after the block."""

    def __init__(self, hall, proxy):
        self.report = hall.stage.folder / "calls.txt"
        self.report.unlink(missing_ok=True)
        self.total, self.names = 0, {}
        members = list(map(str, process_tree(proxy.pid)))
        if shutil.which("perf") and (EVENTS / "raw_syscalls").exists():
            self.program = "perf"
            known = [
                f"syscalls:sys_enter_{name}" for name in NAMES
                if (EVENTS / "syscalls" / f"sys_enter_{name}").exists()]
            command = ["perf", "stat", "-x", ",", "-e", ",".join([TOTAL, *known]),
                       "-p", ",".join(members)]
        elif shutil.which("strace"):
            self.program = "strace"
            command = ["strace", "-c", "-f"]
            for member in members:
                command += ["-p", member]
        else:
            raise Failure("neither perf nor strace is there")
        self.process = subprocess.Popen(
            [*command, "-o", self.report], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.5)

    def __exit__(self, kind, *_):
        self.process.send_signal(signal.SIGINT)
        self.process.wait()
        if kind is None:
            self.read()

    def read(self):
        text = self.report.read_text() if self.report.exists() else ""
        if self.program == "perf":
            counts = re.findall(r"^(\d+),[^,]*,(\w+:sys_enter\w*)", text, re.MULTILINE)
            found = {event: int(count) for count, event in counts}
            self.total = found.pop(TOTAL, 0)
            self.names = {
                event.partition("sys_enter_")[2]: count for event, count in found.items() if count}
        else:
            # Share, seconds, microseconds each, calls, perhaps errors, name.
            rows = re.findall(
                r"^ *[\d.]+ +[\d.]+ +\d* +(\d+) +(?:\d+ +)?(\w+)$", text, re.MULTILINE)
            self.names = {name: int(count) for count, name in rows if name != "total"}
            self.total = sum(self.names.values())
        if not self.total:
            raise Failure(f"{self.program} counted nothing: {text[-200:]}")
