"""RFC 9113, 4.1 and 4.2: the frame's head, and how long frames may be."""

from .cases import Case, answered, connection_error, either_error, sync
from .frames import (
    BODY, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HAS_PRIORITY, HEADERS, PADDED, PING,
    PRIORITY, RST_STREAM, SETTINGS, WINDOW_UPDATE, chat_head, data, frame, get, head,
    headers, literals, ping)

# Of type FRAME_SIZE_ERROR where the frame could alter the state of the whole connection.
SIZE = connection_error("FRAME_SIZE_ERROR")
LONG = b"x" * 16384


def case(id, demand, steps, expect, **more):
    return Case(f"9113-4.{id}", demand, steps, expect, **more)


def with_reserved_bit(bytes_):
    return bytes_[:5] + bytes([bytes_[5] | 0x80]) + bytes_[6:]


def big_head(size):
    """A header block of exactly so many bytes."""
    start = literals(head())
    # The field's name and the lengths of both take eleven bytes.
    return start + literals([("x-filler", "v" * (size - len(start) - 13))])


CASES = [
    case("1-unknown-type", "Frames of unknown types are ignored.",
         (frame(0x16, 0, 0, b"anything"), get()), answered(), tls=True),
    case("1-unknown-type-on-idle-stream", "They are ignored on a stream that is idle, too.",
         (frame(0x16, 0xFF, 1, b"anything"), get()), answered()),
    case("1-unknown-type-on-open-stream", "They are ignored within a request, too.",
         (headers(1, chat_head(), end=False), frame(0xFF, 0, 1), data(1, BODY, end=True)),
         answered(), asks=1),
    case("1-undefined-flags", "Flags that a frame's type does not define are ignored.",
         (frame(PING, 0xFE, 0, b"flags   "), get()), answered()),
    case("1-undefined-flags-of-headers", "The same goes for HEADERS.",
         (frame(HEADERS, END_HEADERS | END_STREAM | 0x92, 1, literals(head())),), answered()),
    case("1-undefined-flags-of-data", "The same goes for DATA.",
         (headers(1, chat_head(), end=False), frame(DATA, END_STREAM | 0xF2, 1, BODY)),
         answered(), asks=1),
    case("1-reserved-bit", "The bit before the stream's identifier is ignored.",
         (with_reserved_bit(ping()), with_reserved_bit(get())), answered(), tls=True),

    case("2-longest-data", "Frames of 16,384 bytes are taken.",
         (headers(1, chat_head(), end=False),
          data(1, BODY + b" " * (16384 - len(BODY)), end=True)), answered(), asks=1, tls=True),
    case("2-longest-headers", "The same goes for HEADERS, and so many bytes of fields.",
         (headers(1, big_head(16384)),), answered(), policy=True),
    case("2-too-long-data", "DATA above the announced size is an error.",
         (headers(1, chat_head(), end=False), data(1, LONG + b"x", end=True)),
         either_error("FRAME_SIZE_ERROR"), asks=0, tls=True),
    case("2-too-long-headers", "HEADERS above it are an error of the connection.",
         (headers(1, big_head(16385)),), SIZE),
    case("2-too-long-continuation", "CONTINUATION above it is an error of the connection.",
         (headers(1, literals(head()), whole=False), frame(CONTINUATION, 0, 1, LONG + b"x")), SIZE),
    case("2-too-long-settings", "SETTINGS above it are an error of the connection.",
         (frame(SETTINGS, 0, 0, bytes([0, 0x77, 0, 0, 0, 0]) * 2731),), SIZE),
    case("2-too-long-goaway", "GOAWAY above it is an error of the connection.",
         (frame(GOAWAY, 0, 0, bytes(16385)),), SIZE),
    case("2-too-long-unknown", "Frames of unknown types are held to it, too.",
         (frame(0x16, 0, 0, LONG + b"x"),), SIZE),
    case("2-longest-length", "A length of 2^24-1 is refused before its bytes have come.",
         (frame(0x16, 0, 0, b"x", length=0xFFFFFF),), SIZE, tls=True),
    case("2-short-ping", "PING holds 8 bytes, not 7.",
         (frame(PING, 0, 0, bytes(7)),), SIZE),
    case("2-short-rst-stream", "RST_STREAM holds 4 bytes, not 3.",
         (headers(1, chat_head(), end=False), frame(RST_STREAM, 0, 1, bytes(3))), SIZE, asks=0),
    case("2-short-window-update", "WINDOW_UPDATE holds 4 bytes, not 3.",
         (frame(WINDOW_UPDATE, 0, 0, bytes(3)),), SIZE),
    case("2-short-goaway", "GOAWAY holds at least 8 bytes.",
         (frame(GOAWAY, 0, 0, bytes(7)),), SIZE),
    case("2-short-priority", "PRIORITY holds 5 bytes, not 4: an error of the stream.",
         (headers(1, chat_head(), end=False), frame(PRIORITY, 0, 1, bytes(4))),
         either_error("FRAME_SIZE_ERROR"), asks=0),
    case("2-no-room-for-pad-length", "DATA with padding has at least the byte of its length.",
         (headers(1, chat_head(), end=False), frame(DATA, PADDED, 1)),
         either_error("FRAME_SIZE_ERROR", "PROTOCOL_ERROR"), asks=0),
    case("2-no-room-for-pad-length-of-headers", "So have HEADERS with padding.",
         (frame(HEADERS, END_HEADERS | END_STREAM | PADDED, 1),),
         connection_error("FRAME_SIZE_ERROR", "PROTOCOL_ERROR")),
    case("2-no-room-for-priority", "HEADERS with a priority have the 5 bytes of it.",
         (frame(HEADERS, END_HEADERS | END_STREAM | HAS_PRIORITY, 1, bytes(4)),),
         connection_error("FRAME_SIZE_ERROR", "PROTOCOL_ERROR")),
    case("2-largest-frames-in-a-row", "A body of many of the longest frames is taken.",
         (headers(1, chat_head(), end=False), sync, data(1, BODY),
          *(data(1, b" " * 16384) for _ in range(3)), data(1, end=True)), answered(), asks=1),
    case("2-empty-data", "Empty frames of DATA are frames like others.",
         (headers(1, chat_head(), end=False), data(1), data(1, BODY), data(1),
          data(1, end=True)), answered(), asks=1),
]
