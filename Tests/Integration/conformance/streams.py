"""RFC 9113, 5: what may come on a stream in which state, identifiers, priority, errors."""

from .cases import (
    Case, answered, connection_error, either_error, nothing, one_of, refused_stream,
    sync, until_answered, until_reset)
from .frames import (
    BODY, INITIAL_WINDOW_SIZE, MAX_CONCURRENT_STREAMS, PING, chat, chat_head, continuation, data, frame, get, head,
    headers, priority, rst, window_update)
from .peer import Mismatch

# With no window an answer's body cannot leave: the stream stays half-closed.
SHUT = ((INITIAL_WINDOW_SIZE, 0),)
UPLOAD = headers(1, chat_head(), end=False)
BROKEN_HEAD = chat_head(("Upper", "a"))
DONE = (get(), until_answered(1))
GONE = UPLOAD + rst(1)
PROTOCOL_ERROR = connection_error("PROTOCOL_ERROR")
STREAM_CLOSED = either_error("STREAM_CLOSED")
# RFC 9113 lets a server that knows what the client knows call it either, or look away.
REUSE = one_of(either_error("STREAM_CLOSED", "PROTOCOL_ERROR"))
LATE = one_of(either_error("STREAM_CLOSED", "PROTOCOL_ERROR"), nothing(), ours=STREAM_CLOSED)


def case(id, demand, steps, expect, **more):
    return Case(f"9113-5.{id}", demand, steps, expect, **more)


def opened(count, last=b""):
    return b"".join(headers(2 * i + 1, chat_head(), end=False) for i in range(count)) + last


def one_too_many(peer):
    limit = peer.seen.settings.get(MAX_CONCURRENT_STREAMS)
    if limit is None or limit > 1000:
        raise Mismatch(f"a limit of {limit} streams")
    peer.send(opened(limit + 1))


STATES = [
    case("1-idle-data", "DATA on an idle stream is an error of the connection.",
         (data(1, b"x", end=True),), connection_error("PROTOCOL_ERROR", "STREAM_CLOSED"),
         tls=True),
    case("1-idle-rst-stream", "RST_STREAM on an idle stream is one.", (rst(1),), PROTOCOL_ERROR),
    case("1-idle-window-update", "WINDOW_UPDATE on an idle stream is one.",
         (window_update(1, 100),), PROTOCOL_ERROR),
    case("1-idle-continuation", "CONTINUATION on an idle stream is one.",
         (continuation(1, b""),), PROTOCOL_ERROR),
    case("1-idle-data-above", "So is DATA on a stream above the last one that was opened.",
         (*DONE, data(3, b"x")), connection_error("PROTOCOL_ERROR", "STREAM_CLOSED")),
    case("1-idle-priority", "PRIORITY on an idle stream is none, and the stream can be opened.",
         (priority(1), get(1)), answered(), tls=True),
    case("1-half-closed-data", "DATA after END_STREAM is an error of the stream.",
         (get(), data(1, b"x", end=True)), STREAM_CLOSED, own=SHUT, tls=True),
    case("1-half-closed-headers", "HEADERS after END_STREAM are one.",
         (get(), headers(1, [("x-late", "a")])), STREAM_CLOSED, own=SHUT),
    case("1-half-closed-continuation", "CONTINUATION after END_STREAM is one of the connection.",
         (get(), continuation(1, b"")),
         connection_error("PROTOCOL_ERROR", "STREAM_CLOSED"), own=SHUT),
    case("1-half-closed-window-update", "WINDOW_UPDATE after END_STREAM is welcome.",
         (get(), window_update(1, 65535), lambda peer: peer.seen.windows.open(1, 65535)),
         answered(), own=SHUT),
    case("1-half-closed-priority", "PRIORITY after END_STREAM is no error.",
         (get(), priority(1, 0, 200)), nothing(), own=SHUT),
    case("1-half-closed-rst-stream", "RST_STREAM after END_STREAM is no error.",
         (get(), rst(1)), nothing(), own=SHUT, tls=True),
    case("1-half-closed-unknown", "Frames of unknown types are none in any state.",
         (get(), frame(0x16, 0, 1, b"x")), nothing(), own=SHUT),

    case("1-reset-data", "DATA does not follow the client's own RST_STREAM.",
         (GONE + data(1, b"x", end=True),), LATE, asks=0, tls=True),
    case("1-reset-headers", "HEADERS do not follow the client's own RST_STREAM.",
         (GONE + headers(1, [("x-late", "a")]),), LATE, asks=0),
    case("1-reset-continuation", "CONTINUATION does not follow the client's own RST_STREAM.",
         (GONE + continuation(1, b""),), connection_error("PROTOCOL_ERROR", "STREAM_CLOSED"),
         asks=0),
    case("1-reset-priority", "PRIORITY is allowed after a reset.",
         (GONE + priority(1),), nothing(), asks=0),
    case("1-reset-twice", "A second RST_STREAM is no reason for one in return.",
         (GONE + rst(1),), nothing(), asks=0),
    case("1-closed-data", "DATA on a stream that both sides have ended is an error.",
         (*DONE, data(1, b"x", end=True)), STREAM_CLOSED, tls=True),
    case("1-closed-headers", "HEADERS on a stream that both sides have ended are one.",
         (*DONE, headers(1, [("x-late", "a")])), REUSE),
    case("1-closed-request", "A stream's identifier cannot be used for a second request.",
         (*DONE, get(1)), REUSE, tls=True),
    case("1-closed-continuation", "CONTINUATION on such a stream is an error.",
         (*DONE, continuation(1, b"")), connection_error("PROTOCOL_ERROR", "STREAM_CLOSED")),
    case("1-closed-window-update", "WINDOW_UPDATE that crossed the answer's end is none.",
         (*DONE, window_update(1, 100)), nothing(), tls=True),
    case("1-closed-rst-stream", "RST_STREAM that crossed the answer's end is none.",
         (*DONE, rst(1)), nothing()),
    case("1-closed-priority", "PRIORITY is allowed on a stream that is closed.",
         (*DONE, priority(1)), nothing()),
    case("1-refused-stream-goes-on", "What was under way when the server reset a stream is let go.",
         (headers(1, BROKEN_HEAD, end=False), until_reset(1),
          data(1, BODY) + headers(1, [("x-trailer", "a")]) + window_update(1, 9) + rst(1)
          + get(3)), answered(), stream=3, asks=0),
]

IDENTIFIERS = [
    case("1.1-even", "Clients' streams have odd numbers.", (get(2),), PROTOCOL_ERROR, tls=True),
    case("1.1-even-later", "Clients' streams have odd numbers, later as well.",
         (*DONE, get(4)), PROTOCOL_ERROR),
    case("1.1-descending", "Numbers rise: one that was passed over cannot be opened any more.",
         (get(5), until_answered(5), get(3)), connection_error("PROTOCOL_ERROR"), stream=3),
    case("1.1-descending-while-open", "This holds while the higher stream is open.",
         (headers(5, chat_head(), end=False), get(3)), connection_error("PROTOCOL_ERROR"),
         stream=3, asks=0),
    case("1.1-descending-chat", "Nothing that is asked in this way is served.",
         (get(5), until_answered(5), chat(3)), connection_error("PROTOCOL_ERROR", "STREAM_CLOSED"),
         stream=3, asks=0),
    case("1.1-gaps", "Numbers may be passed over.", (get(1) + get(9) + get(77),), answered(),
         stream=77),
    case("1.1-last", "The highest number is 2^31-1.", (get(0x7FFFFFFF),), answered(),
         stream=0x7FFFFFFF),
    case("1.2-one-too-many", "A stream above the announced number is refused.",
         (one_too_many,), refused_stream(), asks=0),
    case("1.2-reset-streams-do-not-count", "Streams that were reset make room for others.",
         (opened(100) + b"".join(rst(2 * i + 1) for i in range(100)), sync,
          chat(201)), answered(), stream=201, asks=1),
]

PRIORITY = [
    case("3-headers-with-priority", "Priorities in HEADERS are taken and mean nothing.",
         (headers(1, head(), priority=0), headers(3, head(), priority=0x80000001)), answered(),
         stream=3),
    case("3-unknown-parent", "A stream may depend on one that nobody knows.",
         (priority(1, 77) + get(),), answered()),
    case("3-circle", "Streams that depend on each other in a circle are no error.",
         (priority(3, 5) + priority(5, 7) + priority(7, 3) + get(),), answered()),
    case("3-self-by-headers", "A stream cannot depend on itself (an error by RFC 7540 alone).",
         (headers(1, head(), priority=1),),
         one_of(either_error("PROTOCOL_ERROR"), answered(), ours=either_error("PROTOCOL_ERROR"))),
    case("3-self-by-priority", "The same goes for PRIORITY.",
         (priority(1, 1),),
         one_of(either_error("PROTOCOL_ERROR"), nothing(), ours=either_error("PROTOCOL_ERROR"))),
]

ERRORS = [
    case("4.1-names-the-last-stream", "GOAWAY says which streams were taken up.",
         (get(1) + get(3), until_answered(1), until_answered(3), frame(PING, 0, 0, b"short")),
         connection_error("FRAME_SIZE_ERROR", last=3), tls=True),
    case("4.1-ends-everything", "Nothing that follows an error of the connection is served.",
         (frame(PING, 0, 0, b"short") + chat(1),), connection_error("FRAME_SIZE_ERROR"), asks=0,
         tls=True),
    case("4.2-others-live-on", "An error of one stream leaves the others alone.",
         (UPLOAD, headers(3, BROKEN_HEAD), until_reset(3), data(1, BODY, end=True)),
         answered(), asks=1, tls=True),
    case("4.2-no-reset-for-a-reset", "RST_STREAM is never answered with RST_STREAM.",
         (GONE,), nothing(), asks=0),
    case("4.2-reset-of-one-stream", "The client's reset of one stream leaves the others alone.",
         (UPLOAD + chat(3) + rst(1),), answered(), stream=3, asks=1),
]

CASES = [*STATES, *IDENTIFIERS, *PRIORITY, *ERRORS]
