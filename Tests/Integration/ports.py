"""Ports of this machine that nobody else is given.

The kernel hands out ports of its ephemeral range to whoever binds none: a gateway under test could
be given the port of a model server that has just stopped, and would then be its own upstream.
"""

import itertools
import os
import socket

FIRST, LAST = 20_000, 32_000  # below the ephemeral range, which begins at 32,768
# Another run beside this one begins elsewhere.
_next = itertools.count(os.getpid() * 61)


def free_port() -> int:
    """A port that nobody listens on; not given out again for a long while."""
    for _ in range(LAST - FIRST):
        port = FIRST + next(_next) % (LAST - FIRST)
        with socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                sock.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise OSError("no port is free")
