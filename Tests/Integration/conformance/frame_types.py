"""RFC 9113, 6 and 7: each type of frame, and codes that nobody knows."""

from .cases import (
    Case, answered, connection_error, either_error, fact, nothing, nothing_or_close, one_of,
    shrinks_table, sync, until_answered)
from .frames import (
    ACK, BODY, DATA, ENABLE_PUSH, END_HEADERS, END_STREAM, GOAWAY, HEADER_TABLE_SIZE, HEADERS,
    INITIAL_WINDOW_SIZE, MAX_CONCURRENT_STREAMS, MAX_FRAME_SIZE, MAX_HEADER_LIST_SIZE, MAX_WINDOW,
    PADDED, PING, PRIORITY, PUSH_PROMISE, RST_STREAM, SETTINGS, WINDOW_UPDATE, chat, chat_head,
    data, frame, get, goaway, head, headers, literals, ping, priority, rst, settings,
    window_update)

UPLOAD = headers(1, chat_head(), end=False)
PROTOCOL_ERROR = connection_error("PROTOCOL_ERROR")
SIZE = connection_error("FRAME_SIZE_ERROR")
FLOW = connection_error("FLOW_CONTROL_ERROR")


def case(id, demand, steps, expect, **more):
    return Case(f"9113-{id}", demand, steps, expect, **more)


def takes(id, demand, *pairs, **more):
    return case(f"6.5.2-{id}", demand, (settings(*pairs) + get(),), answered(), **more)


def acks(count):
    return fact(f"{count} acknowledgements", lambda seen: seen.acknowledged == count)


DATA_CASES = [
    case("6.1-stream-0", "DATA belongs to a stream.", (data(0, b"x"),), PROTOCOL_ERROR, tls=True),
    case("6.1-padding", "Padding is taken off.",
         (UPLOAD + data(1, BODY[:9], pad=0) + data(1, BODY[9:20], pad=1)
          + data(1, BODY[20:], pad=255, end=True),), answered(), asks=1, tls=True),
    case("6.1-nothing-but-padding", "A frame may be all padding.",
         (UPLOAD + data(1, b"", pad=255) + data(1, BODY) + data(1, b"", pad=9, end=True),),
         answered(), asks=1),
    case("6.1-padding-as-long-as-the-frame", "Padding cannot be as long as the frame.",
         (UPLOAD + frame(DATA, PADDED | END_STREAM, 1, b"\x06abcde"),), PROTOCOL_ERROR, asks=0,
         tls=True),
    case("6.1-padding-longer-than-the-frame", "Padding cannot be longer than the frame.",
         (UPLOAD + data(1, b"abc", pad=2, says=200, end=True),), PROTOCOL_ERROR, asks=0),
    case("6.1-end-stream-alone", "An empty frame may end the request.",
         (UPLOAD + data(1, BODY) + data(1, end=True),), answered(), asks=1),
]

HEADERS_CASES = [
    case("6.2-stream-0", "HEADERS belong to a stream.", (headers(0, head()),), PROTOCOL_ERROR,
         tls=True),
    case("6.2-padding", "Padding is taken off.", (headers(1, head(), pad=7),), answered()),
    case("6.2-padding-and-priority", "Padding and priority may come together.",
         (headers(1, head(), pad=255, priority=0),), answered()),
    case("6.2-padding-longer-than-the-frame", "Padding cannot be longer than the frame.",
         (headers(1, head(), pad=2, says=255),), PROTOCOL_ERROR, tls=True),
    case("6.2-padding-in-the-place-of-priority",
         "Padding cannot take the room of the priority fields.",
         (frame(HEADERS, END_HEADERS | END_STREAM | PADDED | 0x20, 1, b"\x05" + bytes(5)),),
         connection_error("PROTOCOL_ERROR", "FRAME_SIZE_ERROR")),
]

SMALL_CASES = [
    case("6.3-stream-0", "PRIORITY belongs to a stream.", (priority(0),), PROTOCOL_ERROR),
    case("6.3-long", "PRIORITY holds 5 bytes, not 6: an error of the stream.",
         (UPLOAD, frame(PRIORITY, 0, 1, bytes(6))), either_error("FRAME_SIZE_ERROR"), asks=0),
    case("6.4-stream-0", "RST_STREAM belongs to a stream.", (rst(0),), PROTOCOL_ERROR, tls=True),
    case("6.4-long", "RST_STREAM holds 4 bytes, not 5.",
         (UPLOAD, frame(RST_STREAM, 0, 1, bytes(5))), SIZE, asks=0),
    case("6.4-no-error", "RST_STREAM may carry NO_ERROR.", (UPLOAD, rst(1, 0)), nothing(), asks=0),
    case("6.4-frees-the-stream", "After a reset nothing more comes on the stream.",
         (chat(1) + rst(1) + get(3), until_answered(3), sync), nothing()),
    case("6.6-from-a-client", "Clients do not push.",
         (frame(PUSH_PROMISE, END_HEADERS, 1, b"\0\0\0\2" + literals(head())),), PROTOCOL_ERROR,
         tls=True),
    case("6.6-from-a-client-on-a-request", "Clients do not push, on an open stream either.",
         (UPLOAD, frame(PUSH_PROMISE, END_HEADERS, 1, b"\0\0\0\2" + literals(head()))),
         PROTOCOL_ERROR, asks=0),
    case("6.7-same-payload", "PING comes back with its own eight bytes.",
         (ping(b"\x00\xff\x80 abcd"),),
         fact("the payload", lambda seen: seen.pings[:1] == [b"\x00\xff\x80 abcd"]), tls=True),
    case("6.7-each-one", "Each PING comes back, in order.",
         (b"".join(ping(b"number %d" % i) for i in range(9)),),
         fact("nine of them", lambda seen: seen.pings[:9] == [b"number %d" % i for i in range(9)])),
    case("6.7-unasked-ack", "An acknowledgement is not answered.",
         (ping(b"unasked!", ack=True), get(), until_answered(1)),
         fact("no PING", lambda seen: b"unasked!" not in seen.pings)),
    case("6.7-on-a-stream", "PING belongs to the connection.", (ping(stream=1),), PROTOCOL_ERROR),
    case("6.7-long", "PING holds 8 bytes, not 9.", (frame(PING, 0, 0, bytes(9)),), SIZE),
    case("6.7-empty-ack", "Acknowledgements hold 8 bytes, too.",
         (frame(PING, ACK, 0, b""),), SIZE),
    case("6.7-within-a-request", "PING comes back while a request is under way.",
         (UPLOAD + ping(b"underway"),),
         fact("the payload", lambda seen: b"underway" in seen.pings), asks=0),
]

SETTINGS_CASES = [
    case("6.5-ack-with-payload", "An acknowledgement is empty.",
         (frame(SETTINGS, ACK, 0, bytes(6)),), SIZE, tls=True),
    case("6.5-on-a-stream", "SETTINGS belong to the connection.",
         (settings(stream=1),), PROTOCOL_ERROR, tls=True),
    case("6.5-short-entry", "Entries hold 6 bytes, not 5.",
         (frame(SETTINGS, 0, 0, bytes(5)),), SIZE),
    case("6.5-odd-length", "Entries hold 6 bytes each, not 7 and 5 in two.",
         (frame(SETTINGS, 0, 0, bytes(13)),), SIZE),
    case("6.5-ack-on-a-stream", "Acknowledgements belong to the connection, too.",
         (settings(ack=True, stream=1),), PROTOCOL_ERROR),
    case("6.5.2-push-2", "ENABLE_PUSH is 0 or 1.", (settings((ENABLE_PUSH, 2)),), PROTOCOL_ERROR,
         tls=True),
    case("6.5.2-window-too-large", "The initial window is at most 2^31-1.",
         (settings((INITIAL_WINDOW_SIZE, 2**31)),), FLOW, tls=True),
    case("6.5.2-window-far-too-large", "The initial window is at most 2^31-1, not 2^32-1.",
         (settings((INITIAL_WINDOW_SIZE, 2**32 - 1)),), FLOW),
    case("6.5.2-frame-size-too-small", "MAX_FRAME_SIZE is at least 16,384.",
         (settings((MAX_FRAME_SIZE, 16383)),), PROTOCOL_ERROR),
    case("6.5.2-frame-size-too-large", "MAX_FRAME_SIZE is at most 2^24-1.",
         (settings((MAX_FRAME_SIZE, 2**24)),), PROTOCOL_ERROR),
    case("6.5.2-bad-among-good", "One bad entry among good ones is an error.",
         (settings((MAX_FRAME_SIZE, 20000), (ENABLE_PUSH, 7), (0x99, 0)),), PROTOCOL_ERROR),
    case("6.5.2-bad-then-good", "Mending a bad value in the same frame comes too late.",
         (settings((ENABLE_PUSH, 7), (ENABLE_PUSH, 0)),), PROTOCOL_ERROR),
    takes("push-0", "ENABLE_PUSH may be 0.", (ENABLE_PUSH, 0)),
    takes("push-1", "ENABLE_PUSH may be 1, and nothing is pushed.", (ENABLE_PUSH, 1)),
    takes("largest-window", "The initial window may be 2^31-1.",
          (INITIAL_WINDOW_SIZE, MAX_WINDOW)),
    takes("smallest-frame-size", "MAX_FRAME_SIZE may be 16,384.", (MAX_FRAME_SIZE, 16384)),
    takes("largest-frame-size", "MAX_FRAME_SIZE may be 2^24-1.", (MAX_FRAME_SIZE, 2**24 - 1)),
    takes("no-streams", "The client may allow the server no streams.",
          (MAX_CONCURRENT_STREAMS, 0)),
    takes("no-header-list", "MAX_HEADER_LIST_SIZE is advice.", (MAX_HEADER_LIST_SIZE, 0)),
    takes("unknown", "Settings that nobody knows are ignored.", (0xFF00, 7), (0, 1), (0x99, 0),
          tls=True),
    case("6.5.2-no-table", "A compression table of no bytes is kept to from the first answer on.",
         (get(1), until_answered(1), get(3)), answered(), stream=3,
         own=((HEADER_TABLE_SIZE, 0),), tls=True),
    case("6.5.2-table-shrinks", "A table that shrinks is kept to from the acknowledgement on.",
         (get(1), until_answered(1), shrinks_table(0), get(3), until_answered(3),
          shrinks_table(64), get(5)), answered(), stream=5),
    case("6.5.2-table-of-4-gib", "A table without bounds is no reason to use one.",
         (get(1), until_answered(1), get(3)), answered(), stream=3,
         own=((HEADER_TABLE_SIZE, 2**32 - 1),)),
    case("6.5.3-each-is-acknowledged", "Each SETTINGS is acknowledged.",
         (settings() * 3 + settings((ENABLE_PUSH, 0)),), acks(5), tls=True),
    case("6.5.3-ack-is-not-acknowledged", "Acknowledgements are not acknowledged.",
         (get(), until_answered(1)), acks(1)),
    case("6.5.3-within-a-request", "SETTINGS may come while a request is under way.",
         (UPLOAD + settings((INITIAL_WINDOW_SIZE, 70000)) + data(1, BODY, end=True),),
         answered(), asks=1),
]

GOAWAY_CASES = [
    case("6.8-on-a-stream", "GOAWAY belongs to the connection.", (goaway(stream=1),),
         PROTOCOL_ERROR, tls=True),
    case("6.8-runs-out", "What runs when the client says goodbye is still answered.",
         (UPLOAD + goaway() + data(1, BODY, end=True), until_answered(1)), nothing_or_close(),
         asks=1, tls=True),
    case("6.8-with-debug-data", "GOAWAY may carry text.",
         (get() + goaway(0, 0, b"bye" * 100), until_answered(1)), nothing_or_close()),
    case("6.8-twice", "GOAWAY may come twice.",
         (get() + goaway(0) + goaway(0), until_answered(1)), nothing_or_close()),
    case("6.8-reserved-bit", "The bit before the last stream's number is ignored.",
         (get() + frame(GOAWAY, 0, 0, b"\x80" + bytes(7)), until_answered(1)),
         nothing_or_close()),
    case("7-unknown-code-in-goaway", "Codes that nobody knows are no error.",
         (get() + goaway(0, 0xFFFFFFFF), until_answered(1)), nothing_or_close()),
    case("7-unknown-code-in-rst-stream", "The same goes for RST_STREAM.",
         (UPLOAD, rst(1, 0xFFFFFFFF)), nothing(), asks=0, tls=True),
]

WINDOW_CASES = [
    case("6.9-nothing", "An increment of 0 is an error of the stream.",
         (UPLOAD, window_update(1, 0)), either_error("PROTOCOL_ERROR"), asks=0, tls=True),
    case("6.9-nothing-for-the-connection", "On the connection it is one of the connection.",
         (window_update(0, 0),), PROTOCOL_ERROR, tls=True),
    case("6.9-long", "WINDOW_UPDATE holds 4 bytes, not 5.",
         (frame(WINDOW_UPDATE, 0, 0, bytes(5)),), SIZE),
    case("6.9-reserved-bit", "The bit before the increment is ignored.",
         (window_update(0, 0x80000001) + get(),), answered(), policy=True),
    case("6.9-nothing-but-the-reserved-bit", "It does not make 0 an increment.",
         (window_update(0, 0x80000000),), PROTOCOL_ERROR, policy=True),
    case("6.9.1-overflow", "A window above 2^31-1 is an error of the stream.",
         (UPLOAD, window_update(1, MAX_WINDOW)), either_error("FLOW_CONTROL_ERROR"), asks=0,
         tls=True),
    case("6.9.1-overflow-of-the-connection", "On the connection it is one of the connection.",
         (window_update(0, MAX_WINDOW),), FLOW, tls=True),
    case("6.9.1-overflow-bit-by-bit", "Increments add up.",
         (UPLOAD, window_update(1, 2**30), window_update(1, 2**30)),
         either_error("FLOW_CONTROL_ERROR"), asks=0),
    case("6.9.1-overflow-of-the-connection-bit-by-bit", "Increments of the connection add up.",
         (window_update(0, 2**30) + window_update(0, 2**30),), FLOW),
    case("6.9.1-largest", "A window of exactly 2^31-1 is none.",
         (UPLOAD, window_update(1, MAX_WINDOW - 65535), window_update(0, MAX_WINDOW - 65535),
          data(1, BODY, end=True)), answered(), asks=1),
    case("6.9.2-overflow-by-settings", "SETTINGS must not lift a window above 2^31-1.",
         (UPLOAD, window_update(1, MAX_WINDOW - 65535), settings((INITIAL_WINDOW_SIZE, 65536))),
         FLOW, asks=0),
]

CASES = [
    *DATA_CASES, *HEADERS_CASES, *SMALL_CASES, *SETTINGS_CASES, *GOAWAY_CASES, *WINDOW_CASES]
