"""Ports of this machine that nobody else is given.

The kernel hands out ports of its ephemeral range to whoever binds none: a gateway under test could
be given the port of a model server that has just stopped, and would then be its own upstream.
"""

import itertools
import os
import pathlib
import socket

COUNT = 12_000


def _first() -> int:
    """They lie below the ephemeral range, above it where there is no room."""
    text = pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text()
    low, high = map(int, text.split())
    if low - COUNT > 1_024:
        return low - COUNT
    if high + COUNT < 65_535:
        return high + 1
    raise OSError(f"the ephemeral range {low} to {high} leaves no {COUNT} ports to the tests")


FIRST = _first()
# Another run beside this one begins elsewhere.
_next = itertools.count(os.getpid() * 997)


def free_port() -> int:
    """A port that nobody listens on; not given out again for a long while."""
    for _ in range(COUNT):
        port = FIRST + next(_next) % COUNT
        with socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                sock.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise OSError("no port is free")
