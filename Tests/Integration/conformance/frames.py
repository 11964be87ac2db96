"""Bytes of HTTP/2 frames and header blocks, broken ones included: nothing here checks anything."""

import json
import struct

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS = range(5)
PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(5, 10)

END_STREAM, ACK, END_HEADERS, PADDED, HAS_PRIORITY = 0x1, 0x1, 0x4, 0x8, 0x20

HEADER_TABLE_SIZE, ENABLE_PUSH, MAX_CONCURRENT_STREAMS = 1, 2, 3
INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE, MAX_HEADER_LIST_SIZE = 4, 5, 6

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
MAX_WINDOW = 2**31 - 1


def frame(kind, flags=0, stream=0, payload=b"", length=None) -> bytes:
    """`length`, if given, is what the frame says of itself."""
    length = len(payload) if length is None else length
    return struct.pack(">I", length)[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def padded(payload: bytes, pad: int | None, says: int | None = None) -> bytes:
    """`says`, if given, is the pad length that the payload claims."""
    if pad is None:
        return payload
    return bytes([pad if says is None else says]) + payload + bytes(pad)


def data(stream, payload=b"", end=False, pad=None, says=None) -> bytes:
    flags = (END_STREAM if end else 0) | (0 if pad is None else PADDED)
    return frame(DATA, flags, stream, padded(payload, pad, says))


def headers(stream, block, end=True, whole=True, pad=None, says=None, priority=None) -> bytes:
    """`block` is a list of fields, or the bytes of a block or of its first fragment. `priority` is
    the stream that this one depends on."""
    fragment = block if isinstance(block, bytes) else literals(block)
    flags = (END_STREAM if end else 0) | (END_HEADERS if whole else 0)
    if priority is not None:
        flags |= HAS_PRIORITY
        fragment = struct.pack(">IB", priority, 15) + fragment
    flags |= 0 if pad is None else PADDED
    return frame(HEADERS, flags, stream, padded(fragment, pad, says))


def continuation(stream, fragment=b"", whole=True) -> bytes:
    return frame(CONTINUATION, END_HEADERS if whole else 0, stream, fragment)


def priority(stream, depends_on=0, weight=15) -> bytes:
    return frame(PRIORITY, 0, stream, struct.pack(">IB", depends_on, weight))


def rst(stream, code=8) -> bytes:
    return frame(RST_STREAM, 0, stream, struct.pack(">I", code))


def settings(*pairs, ack=False, stream=0) -> bytes:
    payload = b"".join(struct.pack(">HI", *pair) for pair in pairs)
    return frame(SETTINGS, ACK if ack else 0, stream, payload)


def ping(payload=b"conforms", ack=False, stream=0) -> bytes:
    return frame(PING, ACK if ack else 0, stream, payload)


def goaway(last=0, code=0, more=b"", stream=0) -> bytes:
    return frame(GOAWAY, 0, stream, struct.pack(">II", last, code) + more)


def window_update(stream, increment) -> bytes:
    return frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", increment))


# Header blocks


def as_bytes(text) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


def integer(value: int, bits: int, first: int = 0) -> bytes:
    """RFC 7541 5.1, with `first` in the bits before the prefix."""
    limit = (1 << bits) - 1
    if value < limit:
        return bytes([first | value])
    out = [first | limit]
    value -= limit
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def string(text, says: int | None = None) -> bytes:
    text = as_bytes(text)
    return integer(len(text) if says is None else says, 7) + text


def literal(name, value, first=0x00) -> bytes:
    """A literal field with a new name. `first`: 0x00 not indexed, 0x10 never, 0x40 indexed."""
    return bytes([first]) + string(name) + string(value)


def literals(fields) -> bytes:
    """A block that neither needs nor changes the dynamic table."""
    return b"".join(literal(name, value) for name, value in fields)


def indexed(index: int) -> bytes:
    return integer(index, 7, 0x80)


def table_size(size: int) -> bytes:
    return integer(size, 5, 0x20)


# Requests

CHAT = "/v1/chat/completions"

# Takes the place of the case's own eight letters in a body, so that whatever reaches the model
# server can be told apart.
TAG = b"caseword"

BODY = json.dumps({
    "model": "ax-4.0", "messages": [{"role": "user", "content": "a"}],
    "user": TAG.decode()}).encode()


def head(*more, method="GET", scheme="http", authority="gateway.test", path="/health") -> list:
    """The fields of a request; a pseudo-field that is None is left out."""
    pseudo = [
        (":method", method), (":scheme", scheme), (":authority", authority), (":path", path)]
    return [pair for pair in pseudo if pair[1] is not None] + list(more)


def get(stream=1, *more, end=True, **changes) -> bytes:
    return headers(stream, head(*more, **changes), end=end)


def chat_head(*more, **changes) -> list:
    changes = {"method": "POST", "path": CHAT, **changes}
    return head(("content-type", "application/json"), *more, **changes)


def chat(stream=1, *more, body=BODY, **changes) -> bytes:
    """A whole request that a model server has to be asked for."""
    return headers(stream, chat_head(*more, **changes), end=False) + data(stream, body, end=True)


# An answer above the windows that a connection begins with.
LARGE = json.dumps({
    "model": "ax-4.0", "prompt": "a", "user": TAG.decode(),
    "mock": {"tokens": 100, "pad": 1000}}).encode()


def large(stream=1) -> bytes:
    return chat(stream, body=LARGE, path="/v1/completions")
