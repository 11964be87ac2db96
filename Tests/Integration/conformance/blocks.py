"""RFC 9113, 4.3 and 6.10: header blocks in several frames."""

import hpack

from .cases import (
    Case, answered, connection_error, until_answered, until_reset)
from .frames import (
    END_HEADERS, PUSH_PROMISE, chat_head, continuation, data, frame, get, goaway, head,
    headers, indexed, literal, literals, ping, priority, rst, settings, window_update)

BLOCK = literals(head())
OPEN = headers(1, BLOCK[:7], whole=False)
INTERRUPTED = connection_error("PROTOCOL_ERROR")


def case(id, demand, steps, expect, **more):
    return Case(f"9113-{id}", demand, steps, expect, **more)


def pieces(block, count):
    size = -(-len(block) // count)
    parts = [block[i:i + size] for i in range(0, len(block), size)]
    return headers(1, parts[0], whole=False) + b"".join(
        continuation(1, part, whole=index == len(parts) - 2)
        for index, part in enumerate(parts[1:]))


def between(what, bytes_, **more):
    return case(
        f"4.3-interrupted-by-{what}",
        f"Within a header block only CONTINUATION of its stream may come, not {what}.",
        (OPEN + bytes_,), INTERRUPTED, **more)


def huffman(fields):
    return hpack.Encoder().encode(fields)


CASES = [
    case("4.3-two-frames", "A block may go on in CONTINUATION.",
         (pieces(BLOCK, 2),), answered(), tls=True),
    case("4.3-five-frames", "It may go on in several of them.",
         (pieces(BLOCK, 5),), answered()),
    case("4.3-nothing-in-headers", "All of it may be in CONTINUATION.",
         (headers(1, b"", whole=False) + continuation(1, BLOCK),), answered()),
    case("4.3-nothing-in-continuation", "CONTINUATION may be empty.",
         (headers(1, BLOCK, whole=False) + continuation(1),), answered()),
    case("4.3-cut-within-a-huffman-code", "It may be cut within a string that is compressed.",
         (pieces(huffman(head(("x-long", " ".join(["compressed text"] * 8)))), 6),), answered()),
    case("4.3-frames-apart", "Its frames may come one by one.",
         (headers(1, BLOCK[:20], whole=False), continuation(1, BLOCK[20:30], whole=False),
          continuation(1, BLOCK[30:])), answered()),
    case("4.3-end-stream-before-continuation", "END_STREAM in HEADERS holds for the whole block.",
         (headers(1, BLOCK, whole=False, end=True) + continuation(1),), answered()),
    case("4.3-with-padding-and-priority", "HEADERS before CONTINUATION may be padded.",
         (headers(1, BLOCK[:9], whole=False, pad=5, priority=0) + continuation(1, BLOCK[9:]),),
         answered()),
    between("data", data(1, b"x")),
    between("headers", headers(1, BLOCK), tls=True),
    between("headers-of-another-stream", headers(3, BLOCK)),
    between("continuation-of-another-stream", continuation(3, BLOCK[7:])),
    between("priority", priority(1)),
    between("rst-stream", rst(1)),
    between("settings", settings()),
    between("push-promise", frame(PUSH_PROMISE, END_HEADERS, 1, b"\0\0\0\2" + BLOCK)),
    between("ping", ping()),
    between("goaway", goaway()),
    between("window-update", window_update(1, 1)),
    between("unknown", frame(0x16, 0, 1, b"x")),
    between("ping-of-the-connection-after-continuation", continuation(1, b"", False) + ping()),

    case("4.3-table-lives-on-after-a-malformed-request",
         "What a refused request adds to the compression table stays there.",
         (headers(1, literals(head()) + literal("x-kept", "a", 0x40)
                  + literal("Upper", "b", 0x40)), until_reset(1),
          headers(3, literals(head()) + indexed(62 + 1))), answered(), stream=3),
    case("4.3-table-lives-on-after-a-reset",
         "The same goes for a request that the client resets at once.",
         (headers(1, chat_head() + [], end=False) + rst(1),
          headers(3, literals(chat_head()) + literal("x-kept", "a", 0x40), end=False) + rst(3),
          headers(5, literals(head()) + indexed(62))), answered(), stream=5),
    case("4.3-table-is-shared-by-streams",
         "One compression table serves the streams of a connection in their order.",
         (headers(1, literals(head(path=None)) + literal(":path", "/health", 0x40)),
          headers(3, literals(head(path=None)) + indexed(62)), until_answered(1)),
         answered(), stream=3),

    case("6.10-alone", "CONTINUATION follows HEADERS.",
         (get() + continuation(1),), INTERRUPTED),
    case("6.10-first-of-all", "CONTINUATION cannot begin a request.",
         (continuation(1, BLOCK),), INTERRUPTED),
    case("6.10-after-the-end", "CONTINUATION does not follow one that has END_HEADERS.",
         (headers(1, BLOCK[:9], whole=False) + continuation(1, BLOCK[9:]) + continuation(1),),
         INTERRUPTED),
    case("6.10-after-data", "CONTINUATION does not follow DATA.",
         (headers(1, chat_head(), end=False) + data(1, b"x") + continuation(1),), INTERRUPTED,
         asks=0),
    case("6.10-on-stream-0", "CONTINUATION belongs to a stream.",
         (headers(1, BLOCK, whole=False) + continuation(0),), INTERRUPTED),
    case("6.10-on-stream-0-alone", "CONTINUATION belongs to a stream, also where none was begun.",
         (continuation(0, BLOCK),), INTERRUPTED),
]
