"""RFC 9113, 8.1 and RFC 9110: requests as sequences of frames, methods, lengths, trailers."""

from .cases import (
    Case, answered, either_error, fact, malformed, one_of, refused, until, until_answered, until_head)
from .frames import BODY, chat, chat_head, data, get, head, headers

MALFORMED = malformed()
UPLOAD = headers(1, chat_head(), end=False)
LENGTH = len(BODY)


def case(id, demand, steps, expect, **more):
    return Case(id, demand, steps, expect, **more)


def trailers(*fields, end=True):
    return UPLOAD + data(1, BODY) + headers(1, list(fields), end=end)


def bad_trailers(id, demand, *fields, **more):
    return case(f"9113-8.1-{id}", demand, (trailers(*fields),), MALFORMED, asks=0, **more)


def length(id, demand, value, *frames, expect=MALFORMED, asks=0, **more):
    """A request that says it is so long, and the frames that follow."""
    first = headers(1, chat_head(("content-length", str(value))), end=not frames)
    return case(f"9113-8.1.1-{id}", demand, (first + b"".join(frames),), expect, asks=asks, **more)


def method(name, demand, expect, **changes):
    return case(f"9110-9-{name}", demand, (get(1, **changes),), expect,
                policy=expect is not MALFORMED)


NO_BODY = fact(
    "no body", lambda seen: seen.answer(1).is_ended and not seen.answer(1).body
    and seen.answer(1).status == 200)

SEQUENCES = [
    case("9113-8.1-get", "A request without content is one HEADERS frame.", (get(),),
         answered(), tls=True),
    case("9113-8.1-post", "One with content goes on in DATA.", (chat(),), answered(), asks=1,
         tls=True),
    case("9113-8.1-post-in-pieces", "How content is cut means nothing.",
         (UPLOAD, *(data(1, BODY[i:i + 1]) for i in range(LENGTH)), data(1, end=True)),
         answered()),
    case("9113-8.1-content-without-use", "Content that a method has no use for is no error.",
         (get(1, end=False) + data(1, b"useless", end=True),), answered()),
    case("9113-8.1-many", "Requests on a connection are answered side by side.",
         (b"".join(chat(i) for i in range(1, 40, 2)),
          *(until_answered(i) for i in range(1, 40, 2))), answered(), stream=39, asks=20),
    case("9113-8.1-answer-before-the-content",
         "An answer may come before the content; the rest is then asked off with NO_ERROR.",
         (headers(1, head(method="POST", path="/nowhere"), end=False), until_answered(1)),
         one_of(fact("NO_ERROR", lambda seen: seen.resets.get(1) == 0), answered(404),
                ours=fact("NO_ERROR", lambda seen: seen.resets.get(1) == 0)), policy=True),
    case("9113-8.1-trailers", "Trailers end a request.", (trailers(("x-sum", "a")),), answered(),
         asks=1, tls=True),
    case("9113-8.1-trailers-after-empty-data", "Trailers may follow content of no bytes.",
         (headers(1, head(), end=False) + data(1) + headers(1, [("x-sum", "a")]),), answered()),
    case("9113-8.1-trailers-at-once", "Trailers may follow HEADERS.",
         (headers(1, head(), end=False) + headers(1, [("x-sum", "a")]),), answered()),
    case("9113-8.1-trailers-without-end", "A second HEADERS frame must end the stream.",
         (trailers(("x-sum", "a"), end=False),), MALFORMED, asks=0, tls=True),
    bad_trailers("pseudo-in-trailers", "Trailers hold no pseudo-fields.", (":path", "/health"),
                 tls=True),
    bad_trailers("status-in-trailers", "They hold none of an answer's either.",
                 (":status", "200")),
    bad_trailers("upper-case-in-trailers", "Their names are in lower case.", ("X-Sum", "a")),
    bad_trailers("line-end-in-trailers", "Their values hold no line ends.", ("x-sum", "a\r\nb")),
    bad_trailers("connection-in-trailers", "They hold nothing of one connection's.",
                 ("connection", "close")),
    case("9113-8.1-data-after-trailers", "Nothing follows trailers.",
         (trailers(("x-sum", "a")) + data(1, b"x", end=True),),
         either_error("STREAM_CLOSED")),
]

LENGTHS = [
    length("right", "A length that is right is right.", LENGTH, data(1, BODY, end=True),
           expect=answered(), asks=1, tls=True),
    length("right-with-padding", "Padding does not count.", LENGTH,
           data(1, BODY, pad=99, end=True), expect=answered(), asks=1),
    length("right-with-trailers", "Trailers do not count.", LENGTH, data(1, BODY),
           headers(1, [("x-sum", "a")]), expect=answered(), asks=1),
    length("zero", "No content has a length of 0.", 0, expect=answered(400), policy=True),
    length("too-long", "The content cannot be shorter than its length.", LENGTH + 1,
           data(1, BODY, end=True), tls=True),
    length("too-short", "It cannot be longer.", LENGTH - 1, data(1, BODY, end=True), tls=True),
    length("too-short-in-pieces", "It cannot be longer in sum.", LENGTH - 1,
           data(1, BODY[:9]), data(1, BODY[9:]), data(1, end=True)),
    length("too-long-with-trailers", "It cannot be shorter before trailers.", LENGTH + 1,
           data(1, BODY), headers(1, [("x-sum", "a")])),
    length("zero-with-content", "A length of 0 has no content.", 0, data(1, b"x", end=True)),
    length("none-came", "A length above 0 cannot go with END_STREAM.", 5),
    length("negative", "A length is no negative number.", -1, data(1, BODY, end=True)),
    length("signed", "A length has no sign.", f"+{LENGTH}", data(1, BODY, end=True)),
    length("hexadecimal", "A length is decimal.", hex(LENGTH), data(1, BODY, end=True)),
    length("empty", "A length has digits.", "", data(1, BODY, end=True)),
    length("list", "A length is one number.", f"{LENGTH}, {LENGTH}", data(1, BODY, end=True),
           expect=one_of(malformed(), answered(), ours=malformed())),
    length("overflow", "A length does not begin at 0 again after 2^64.", 2**64 + LENGTH,
           data(1, BODY, end=True)),
    case("9113-8.1.1-twice-the-same", "A length is said once.",
         (chat(1, ("content-length", str(LENGTH)), ("content-length", str(LENGTH))),),
         one_of(malformed(), answered(), ours=malformed()), asks=0),
    case("9113-8.1.1-two-lengths", "Two lengths contradict each other.",
         (chat(1, ("content-length", str(LENGTH)), ("content-length", "5")),), MALFORMED,
         asks=0, tls=True),
]

METHODS = [
    case("9110-9.3.2-head", "The answer to HEAD has no content.", (get(1, method="HEAD"),),
         NO_BODY, tls=True),
    case("9110-9.3.2-head-length", "It has the length that GET would have.",
         (get(1), get(3, method="HEAD"), until_answered(1)),
         fact("the same length", lambda seen: seen.answer(3).is_ended and (
             seen.answer(3).header(b"content-length") == seen.answer(1).header(b"content-length")
         )), stream=3),
    method("options", "OPTIONS is no method of this resource.", refused(405), method="OPTIONS"),
    method("options-of-the-server", "The server as a whole has no options.", refused(405),
           method="OPTIONS", path="*"),
    method("trace", "TRACE is refused: it would send keys back.", refused(405), method="TRACE"),
    method("unknown", "Methods that nobody knows are refused.", refused(405, 501),
           method="BREW"),
    method("lower-case", "Methods know cases.", refused(405, 501), method="get"),
    method("with-a-space", "A method is one word.", MALFORMED, method="GET x"),
    method("empty", "A method is a word.", MALFORMED, method=""),
    case("9110-15.5.6-allow", "405 says what is allowed.",
         (get(1, method="PUT"), until_answered(1)),
         fact("allow", lambda seen: seen.answer(1).status == 405 and set(
             (seen.answer(1).header(b"allow") or b"").split(b", ")) == {b"GET", b"HEAD"}),
         policy=True),
    case("9110-15.5.6-allow-of-a-task", "It says so for each resource.",
         (get(1, path="/v1/chat/completions"), until_answered(1)),
         fact("allow", lambda seen: seen.answer(1).status == 405 and seen.answer(1).header(
             b"allow") == b"POST"), policy=True),
    case("9113-8.5-connect", "CONNECT asks for a tunnel, and none is made.",
         (get(1, method="CONNECT", scheme=None, path=None),), refused(405, 501), tls=True,
         policy=True),
    case("9113-8.5-connect-with-content", "Nothing that follows it reaches anything.",
         (get(1, method="CONNECT", scheme=None, path=None, end=False) + data(1, BODY),),
         one_of(refused(405, 501), fact("no tunnel", lambda seen: 1 in seen.resets)), asks=0,
         policy=True),
    case("9113-8.5-connect-with-path", "CONNECT has no :path.",
         (get(1, method="CONNECT", scheme=None),), MALFORMED),
    case("9113-8.5-connect-with-scheme", "CONNECT has no :scheme.",
         (get(1, method="CONNECT", path=None),), MALFORMED),
    case("9113-8.5-connect-to-nowhere", "CONNECT has an :authority.",
         (get(1, method="CONNECT", scheme=None, path=None, authority=None),), MALFORMED),
    case("8441-4-extended-connect", "No :protocol without the setting that allows it.",
         (headers(1, [(":method", "CONNECT"), (":protocol", "websocket"), *head()[1:]]),),
         MALFORMED, policy=True),
]

EXPECTATIONS = [
    case("9110-10.1.1-continue", "A client that waits for 100 is told to go on.",
         (headers(1, chat_head(("expect", "100-continue")), end=False),
          until(lambda seen: seen.answer(1).interim == [100], "100"),
          data(1, BODY, end=True)), answered(), asks=1),
    case("9110-10.1.1-content-came", "One that does not wait gets its answer.",
         (chat(1, ("expect", "100-continue")),), answered(), asks=1),
    case("9110-10.1.1-refused-at-once", "One that will be refused hears so, and sends nothing.",
         (headers(1, head(("expect", "100-continue"), method="POST", path="/nowhere"), end=False),
          until_answered(1)),
         fact("404 and no 100", lambda seen: (
             seen.answer(1).status == 404 and not seen.answer(1).interim)), policy=True),
    case("9110-10.1.1-too-long", "One that announces too much hears so, too.",
         (headers(1, chat_head(("expect", "100-continue"), ("content-length", "99999999")),
                  end=False), until_head(1)),
         fact("413", lambda seen: seen.answer(1).status == 413), asks=0, policy=True),
    case("9110-10.1.1-unknown", "Other expectations may be ignored.",
         (chat(1, ("expect", "something")),),
         one_of(answered(), refused(417), ours=answered())),
]

CASES = [*SEQUENCES, *LENGTHS, *METHODS, *EXPECTATIONS]
