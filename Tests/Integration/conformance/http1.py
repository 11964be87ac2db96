"""RFC 9112: what is a request, and what could be read in two ways and so is none."""

import zlib
from dataclasses import dataclass

from .frames import BODY, CHAT

LENGTH = b"Content-Length: %d" % len(BODY)
CHUNKED = b"Transfer-Encoding: chunked"
CHUNKS = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
HEALTH = b"GET /health HTTP/1.1\r\nHost: gateway.test\r\n\r\n"
SMUGGLED = HEALTH


@dataclass(frozen=True)
class Row:
    """Bytes, and what is to come of them."""

    id: str
    demand: str
    data: bytes
    statuses: tuple
    """Of the answers; each is one status or a tuple of them."""
    closes: bool = False
    """The gateway closes the connection after the last answer."""
    asks: int = 0
    """Requests that a model server gets of it."""
    h11: int = 0
    """How many requests h11 finds in the bytes."""
    why: str = ""
    """Why h11 may see it differently."""
    methods: tuple = ()
    interim: tuple = ()
    holds: bytes = b""
    """What the last head must hold."""

    @property
    def tag(self) -> str:
        return "%08x" % zlib.crc32(self.id.encode())

    @property
    def taken(self) -> int:
        """How many requests the gateway finds in the bytes."""
        return len(self.statuses) - (1 if self.is_refused else 0)

    @property
    def is_refused(self) -> bool:
        """The last answer is about the bytes, not about what they ask for."""
        last = self.statuses[-1]
        return self.closes and last in (400, 431, 501, 505) and b"close" not in self.data


    def is_kept(self, told) -> bool:
        """True if what came is what was to come."""
        return (
            len(told.statuses) == len(self.statuses)
            and all(map(is_one_of, told.statuses, self.statuses))
            and told.is_closed == self.closes and told.rest == b""
            and tuple(told.interim) == self.interim
            and self.holds in told.heads[len(self.statuses) - 1])


def is_one_of(status, wanted) -> bool:
    return status in (wanted if isinstance(wanted, tuple) else (wanted,))


def lines(*parts: bytes) -> bytes:
    return b"".join(part + b"\r\n" for part in parts)


def chat(*fields: bytes, body=BODY, line=b"POST " + CHAT.encode() + b" HTTP/1.1",
         host=b"Host: gateway.test") -> bytes:
    """A request that a model server has to be asked for."""
    return lines(*(part for part in (line, host) if part), *fields, b"") + body


def get(*fields: bytes, line=b"GET /health HTTP/1.1", host=b"Host: gateway.test") -> bytes:
    return lines(*(part for part in (line, host) if part), *fields, b"")


def bad(id, demand, data, status=400, h11=0, **more):
    """Refused, whatever follows it."""
    return Row(f"9112-{id}", demand, data + SMUGGLED, (status,), closes=True, h11=h11, **more)


def good(id, demand, data, **more):
    """Served, and the connection goes on."""
    more = {"h11": 1, "asks": 1, **more}
    return Row(f"9112-{id}", demand, data, (200,), **more)


def page(id, demand, data, *statuses, **more):
    """Answered without a model server."""
    return Row(f"9112-{id}", demand, data, statuses or (200,), **{"h11": 1, **more})


SYNTAX = [
    page("2.2-empty-line-before", "An empty line before a request is forgiven.",
         b"\r\n" + HEALTH, h11=0, why="h11 does not forgive it, as the RFC recommends"),
    bad("2.2-bare-lf-in-request-line", "Lines end with CR LF: the request line does.",
        HEALTH.replace(b"\r\n", b"\n", 1), h11=2, why="h11 takes a bare LF for a line's end"),
    bad("2.2-bare-lf-after-field", "Fields do.",
        b"GET /health HTTP/1.1\r\nHost: gateway.test\nX-A: b\r\n\r\n", h11=2,
        why="h11 takes a bare LF for a line's end"),
    bad("2.2-bare-lf-at-the-end", "The empty line does.",
        b"GET /health HTTP/1.1\r\nHost: gateway.test\r\n\n", h11=2,
        why="h11 takes a bare LF for a line's end"),
    bad("2.2-bare-cr-in-value", "A CR alone is no part of a field.",
        get(b"X-A: b\rX-C: d")),
    bad("2.2-bare-cr-in-request-line", "It is none of a request line.",
        get(line=b"GET /health\rHTTP/1.1 HTTP/1.1")),
    bad("2.2-two-crs", "Two CRs before LF are one too many.", get(b"X-A: b\r")),
    bad("2.2-space-before-request-line", "A request does not begin with a space.",
        b" " + HEALTH),
    bad("2.2-space-before-first-field", "Fields do not begin with one.",
        get(host=b" Host: gateway.test")),
    bad("5.1-space-before-colon", "No space comes before a field's colon.",
        chat(b"Content-Length : %d" % len(BODY))),
    bad("5.1-tab-before-colon", "No tab comes before it.", get(b"X-A\t: b")),
    bad("5.1-no-colon", "A field has a colon.", get(b"X-A")),
    bad("5.1-no-name", "A field has a name.", get(b": b")),
    bad("5.2-folded", "A field is one line.", get(b"X-A: b", b" c"), h11=2,
        why="h11 unfolds lines"),
    bad("5.2-folded-with-tab", "A tab continues no line either.", get(b"X-A: b", b"\tc"), h11=2,
        why="h11 unfolds lines"),
    bad("5.2-folded-chunked", "Framing cannot hide in a second line.",
        chat(b"Transfer-Encoding:", b" chunked", body=CHUNKS), 501, h11=2,
        why="h11 unfolds lines"),
    bad("5-nul-in-value", "Values hold no NUL.", get(b"X-A: b\0c")),
    bad("5-nul-in-name", "Names hold no NUL.", get(b"X\0A: b")),
    bad("5-control-in-value", "Values hold no control characters.", get(b"X-A: b\x01c"), h11=2,
        why="h11 lets them through"),
    bad("5-delete-in-value", "Values hold no DEL.", get(b"X-A: b\x7fc"), h11=2,
        why="h11 lets it through"),
    bad("5-high-byte-in-name", "Names are ASCII.", get(b"X-\xe9: b")),
    bad("5-separator-in-name", "Names are tokens.", get(b"X(A): b")),
    page("5-high-byte-in-value", "Values may hold bytes above ASCII.", get(b"X-A: \xe9\xff")),
    page("5-empty-value", "Values may be empty.", get(b"X-A:")),
    page("5-spaces-around-value", "Spaces and tabs around a value are no part of it.",
         get(b"X-A: \t b c \t ", b"Connection:  Keep-Alive\t")),
    page("5-underscore", "Names with underscores are names, and none is passed on.",
         get(b"X_A: b", b"Content_Length: 5")),
]

REQUEST_LINES = [
    bad("3-two-spaces", "One space is between method and target.",
        get(line=b"GET  /health HTTP/1.1")),
    bad("3-two-spaces-before-version", "One is between target and version.",
        get(line=b"GET /health  HTTP/1.1")),
    bad("3-tabs", "Tabs are no spaces.", get(line=b"GET\t/health\tHTTP/1.1")),
    bad("3-space-at-the-end", "Nothing follows the version.", get(line=b"GET /health HTTP/1.1 ")),
    bad("3-space-in-target", "A target holds no space.", get(line=b"GET /hea lth HTTP/1.1")),
    bad("3-nul-in-target", "A target holds no NUL.", get(line=b"GET /health\0 HTTP/1.1")),
    bad("3-no-version", "HTTP/0.9 is not spoken.", get(line=b"GET /health")),
    bad("3-no-target", "There is a target.", get(line=b"GET HTTP/1.1")),
    bad("3-method-no-token", "A method is a token.", get(line=b"G(T /health HTTP/1.1")),
    bad("3-long-method", "A method is short.", get(line=b"M" * 40 + b" /health HTTP/1.1"), h11=2,
        why="h11 bounds the head alone"),
    page("3.1-lower-case-method", "Methods know cases.", get(line=b"get /health HTTP/1.1"),
         405, holds=b"allow: GET, HEAD\r\n"),
    page("3.1-unknown-method", "Methods that nobody knows are not allowed.",
         get(line=b"BREW /health HTTP/1.1"), 405),
    page("3.1-put", "Neither are others than the path's own.",
         chat(LENGTH, line=b"PUT /v1/chat/completions HTTP/1.1"), 405, closes=True,
         holds=b"allow: POST\r\n"),
    bad("2.3-lower-case-version", "The protocol's name is in upper case.",
        get(line=b"GET /health http/1.1")),
    bad("2.3-version-without-dot", "A version has a dot.", get(line=b"GET /health HTTP/11")),
    bad("2.3-long-version", "It has one digit on either side.",
        get(line=b"GET /health HTTP/1.10")),
    bad("2.3-higher-minor-version", "Versions above 1.1 are refused (they need not be).",
        get(line=b"GET /health HTTP/1.2"), 505, h11=2,
        why="h11 takes any version 1.x, as the RFC recommends"),
    bad("2.3-version-2", "HTTP/2 does not begin like this.", get(line=b"GET /health HTTP/2.0"),
        505, h11=2, why="h11 leaves versions to others"),
    bad("2.3-version-0.9", "HTTP/0.9 has no version.", get(line=b"GET /health HTTP/0.9"), 505,
        h11=1, why="h11 leaves versions to others"),
    bad("3-long-target", "A target of more than 8 KiB is not taken.",
        get(line=b"GET /health?" + b"x" * 8192 + b" HTTP/1.1"), 414, h11=2,
        why="h11 bounds the head alone"),
    bad("3-endless-request-line", "A line without end is not waited for.",
        b"GET /health?" + b"x" * 90_000, 431),
    bad("5-long-field", "A head of more than 64 KiB is not taken.",
        get(b"X-A: " + b"x" * 90_000), 431, h11=2,
        why="h11 bounds what is not whole yet"),
    bad("5-many-fields", "A head of more than 100 fields is not taken.",
        get(*(b"X-%d: a" % i for i in range(100))), 431, h11=2,
        why="h11 bounds the head's bytes"),
    page("5-hundred-fields", "One of 100 is.", get(*(b"X-%d: a" % i for i in range(99)))),
]

TARGETS = [
    bad("3.2-no-host", "HTTP/1.1 names its host.", get(host=None)),
    bad("3.2-two-hosts", "It names one.", get(b"Host: other.test")),
    bad("3.2-two-hosts-the-same", "It names it once.", get(b"Host: gateway.test")),
    bad("3.2-empty-host", "It names it.", get(host=b"Host:"), h11=2,
        why="h11 does not read hosts"),
    bad("3.2-host-of-two-words", "A host holds no space.", get(host=b"Host: a b"), h11=2,
        why="h11 does not read hosts"),
    bad("3.2-host-with-path", "It holds no path.", get(host=b"Host: a/b"), h11=2,
        why="h11 does not read hosts"),
    bad("3.2-host-with-user", "It holds no user.", get(host=b"Host: u@a"), h11=2,
        why="h11 does not read hosts"),
    bad("3.2-host-list", "It is no list.", get(host=b"Host: a, b"), h11=2,
        why="h11 does not read hosts"),
    page("3.2-host-with-port", "It may name a port.", get(host=b"Host: gateway.test:8080")),
    page("3.2-host-of-numbers", "It may be an address.", get(host=b"Host: [::1]:8080")),
    page("3.2.2-absolute", "A target may be a URL.",
         get(line=b"GET http://gateway.test/health HTTP/1.1")),
    page("3.2.2-absolute-https", "Its scheme may be https.",
         get(line=b"GET https://gateway.test/health?a HTTP/1.1")),
    page("3.2.2-absolute-wins", "A URL's host is the one that counts.",
         get(line=b"GET http://other.test/health HTTP/1.1")),
    bad("3.2.2-absolute-with-user", "A URL names no user.",
        get(line=b"GET http://u@gateway.test/health HTTP/1.1"), h11=2,
        why="h11 does not read targets"),
    bad("3.2.2-absolute-without-host", "A URL names a host.",
        get(line=b"GET http:///health HTTP/1.1"), h11=2, why="h11 does not read targets"),
    bad("3.2.2-absolute-and-no-host-field", "Host is needed beside it.",
        get(line=b"GET http://gateway.test/health HTTP/1.1", host=None)),
    bad("3.2.2-other-scheme", "A URL of another scheme is no target.",
        get(line=b"GET ftp://gateway.test/health HTTP/1.1"), h11=2,
        why="h11 does not read targets"),
    bad("3.2-relative", "A target begins with a slash.", get(line=b"GET health HTTP/1.1"), h11=2,
        why="h11 does not read targets"),
    bad("3.2.3-authority", "A host alone is for CONNECT.",
        get(line=b"GET gateway.test:80 HTTP/1.1"), h11=2, why="h11 does not read targets"),
    page("3.2.3-connect", "CONNECT is answered, and no tunnel is made.",
         get(line=b"CONNECT gateway.test:80 HTTP/1.1"), 405, methods=("CONNECT",)),
    bad("3.2.4-asterisk", "The asterisk is for OPTIONS.", get(line=b"GET * HTTP/1.1"), h11=2,
        why="h11 does not read targets"),
    page("3.2.4-options", "OPTIONS may ask the server as a whole; there are none.",
         get(line=b"OPTIONS * HTTP/1.1"), 405),
    page("3.2.1-fragment", "A target holds no fragment.",
         get(line=b"GET /health#x HTTP/1.1"), 400),
    page("3.2.1-fragment-in-query", "Its query holds none.",
         get(line=b"GET /health?a#x HTTP/1.1"), 400),
    page("3.2.1-high-bytes", "A target is ASCII.",
         get(line=b"GET /health?\xc3\xa9 HTTP/1.1"), 400, h11=0,
         why="h11 refuses it as bytes, the gateway as a target: it keeps the connection"),
    page("3.2.1-dots", "Dots lead nowhere.", get(line=b"GET /v1/../health HTTP/1.1"), 404),
    page("3.2.1-dots-encoded", "Encoded dots lead nowhere.",
         get(line=b"GET /v1/%2e%2e/health HTTP/1.1"), 404),
    page("3.2.1-backslash", "A backslash is no slash.", get(line=b"GET /v1\\models HTTP/1.1"), 404),
]

LENGTHS = [
    good("6.2-length", "A length says where the content ends.", chat(LENGTH)),
    good("6.2-zeros", "It may begin with zeros.", chat(b"Content-Length: 000%d" % len(BODY))),
    page("6.2-content-without-use", "Content belongs to a request that has no use for it.",
         get(b"Content-Length: %d" % len(SMUGGLED)) + SMUGGLED),
    page("6.3-no-length", "Without a length there is no content.", chat(body=b""), 400),
    bad("6.3-twice-the-same", "A length is said once.", chat(LENGTH, LENGTH), h11=2,
        why="h11 takes equal lengths for one"),
    bad("6.3-two-lengths", "Two lengths contradict each other.",
        chat(LENGTH, b"Content-Length: 5")),
    bad("6.3-list", "A length is one number.", chat(b"Content-Length: %d, %d" % (
        len(BODY), len(BODY))), h11=2, why="h11 takes equal lengths for one"),
    bad("6.3-list-of-two", "Two numbers contradict each other.",
        chat(b"Content-Length: %d, 5" % len(BODY))),
    bad("6.3-negative", "A length is no negative number.", chat(b"Content-Length: -5")),
    bad("6.3-signed", "It has no sign.", chat(b"Content-Length: +%d" % len(BODY))),
    bad("6.3-hexadecimal", "It is decimal.", chat(b"Content-Length: 0x%x" % len(BODY))),
    bad("6.3-two-words", "It is one word.", chat(b"Content-Length: %d 5" % len(BODY))),
    bad("6.3-no-digits", "It has digits.", chat(b"Content-Length:")),
    bad("6.3-overflow", "It does not begin at 0 again after 2^64.",
        chat(b"Content-Length: %d" % (2**64 + len(BODY)))),
    bad("6.3-underscores", "It holds no underscores.", chat(b"Content-Length: 1_0")),
    bad("6.3-length-and-chunks", "Content has a length or chunks.",
        chat(LENGTH, CHUNKED, body=CHUNKS), h11=2, why="h11 lets the chunks count"),
    bad("6.3-chunks-and-length", "This holds in any order.",
        chat(CHUNKED, b"Content-Length: 5", body=CHUNKS), h11=2, why="h11 lets the chunks count"),
    bad("6.3-length-of-a-hidden-request", "What one length hides is not served by the other.",
        chat(CHUNKED, b"Content-Length: %d" % (5 + len(SMUGGLED)),
             body=b"0\r\n\r\n" + SMUGGLED), h11=3, why="h11 lets the chunks count"),
    bad("6.1-chunks-of-1.0", "HTTP/1.0 has no chunks.",
        chat(CHUNKED, body=CHUNKS, line=b"POST " + CHAT.encode() + b" HTTP/1.0"), 501, h11=1,
        why="h11 takes them"),
    bad("6.1-other-coding", "No other coding is known.",
        chat(b"Transfer-Encoding: gzip, chunked", body=CHUNKS), 501),
    bad("6.1-chunks-not-last", "Chunks come last.",
        chat(b"Transfer-Encoding: chunked, gzip", body=CHUNKS), 501),
    bad("6.1-chunks-twice", "Chunks come once.",
        chat(b"Transfer-Encoding: chunked, chunked", body=CHUNKS), 501),
    bad("6.1-chunks-in-two-fields", "They are named once.",
        chat(CHUNKED, CHUNKED, body=CHUNKS), 501),
    bad("6.1-identity", "There is no coding called identity.",
        chat(b"Transfer-Encoding: identity", LENGTH), 501),
    bad("6.1-parameter", "Chunks have no parameter.",
        chat(b"Transfer-Encoding: chunked;q=1", body=CHUNKS), 501),
    bad("6.1-vertical-tab", "A coding's name is a token.",
        chat(b"Transfer-Encoding: \x0bchunked", body=CHUNKS)),
    bad("6.1-empty", "A coding has a name.", chat(b"Transfer-Encoding:", LENGTH), 501),
    good("6.1-upper-case", "A coding's name knows no cases.",
         chat(b"Transfer-Encoding: CHUNKED", body=CHUNKS)),
    good("6.1-underscore", "A name with an underscore is another name.",
         chat(b"Transfer_Encoding: chunked", LENGTH)),
]


def chunked(id, demand, chunks, **more):
    return good(f"7.1-{id}", demand, chat(CHUNKED, body=chunks), **more)


def bad_chunks(id, demand, chunks, **more):
    return bad(f"7.1-{id}", demand, chat(CHUNKED, body=chunks), **more)


def chunk(size: bytes, end=b"\r\n") -> bytes:
    return size + end + BODY + b"\r\n0\r\n\r\n"


SIZE = b"%x" % len(BODY)
LAST = b"%s\r\n%s\r\n0\r\n" % (SIZE, BODY)

CHUNK_ROWS = [
    chunked("one", "Content may come in a chunk.", CHUNKS),
    chunked("many", "It may come in many.",
            # Cut like this the tag is not found, here or there.
            b"".join(b"1\r\n%c\r\n" % byte for byte in BODY) + b"0\r\n\r\n", asks=0),
    chunked("upper-case", "Sizes may be in upper case.", chunk(SIZE.upper())),
    chunked("zeros", "They may begin with zeros.", chunk(b"000" + SIZE)),
    chunked("last-of-zeros", "The last one may be of many zeros.",
            b"%s\r\n%s\r\n0000\r\n\r\n" % (SIZE, BODY)),
    chunked("extension", "Extensions are ignored.", chunk(SIZE + b";a=b;c")),
    chunked("quoted-extension", "Their values may be quoted.", chunk(SIZE + b';a="b;c"')),
    bad_chunks("long-extension", "They are short.", chunk(SIZE + b";" + b"a" * 400), h11=2,
               why="h11 bounds the line at 16 KiB"),
    bad_chunks("lf-in-extension", "They end with CR LF.", chunk(SIZE + b";a", b"\n")),
    bad_chunks("lf", "Sizes do.", chunk(SIZE, b"\n")),
    bad_chunks("cr", "A CR alone ends none.", chunk(SIZE, b"\r")),
    bad_chunks("0x", "Sizes have no prefix.", chunk(b"0x" + SIZE)),
    bad_chunks("signed", "They have no sign.", chunk(b"+" + SIZE)),
    bad_chunks("negative", "They are not negative.", chunk(b"-" + SIZE)),
    bad_chunks("space-before", "No space comes before them.", chunk(b" " + SIZE)),
    bad_chunks("two-sizes", "A space does not make one of two.", chunk(SIZE + b" 5")),
    bad_chunks("no-size", "There is one.", chunk(b"")),
    bad_chunks("no-hexadecimal", "Its digits are hexadecimal.", chunk(b"g")),
    bad_chunks("overflow-of-64-bits", "It does not begin at 0 again after 2^64.",
               chunk(b"1" + SIZE.zfill(16))),
    bad_chunks("overflow-to-negative", "It is not negative after 2^63.",
               chunk(b"ffffffffffffffff")),
    bad_chunks("data-too-long", "A chunk ends where its size says.",
               b"5\r\n%s\r\n0\r\n\r\n" % BODY),
    bad_chunks("data-without-line-end", "A line end follows it.",
               b"%s\r\n%s0\r\n\r\n" % (SIZE, BODY)),
    bad_chunks("data-with-lf", "It is CR LF.", b"%s\r\n%s\n0\r\n\r\n" % (SIZE, BODY)),
    chunked("trailers", "Trailers may follow.", LAST + b"X-Sum: a\r\nX-B: c\r\n\r\n"),
    chunked("framing-in-trailers", "Framing in trailers means nothing.",
            LAST + b"Content-Length: 50\r\nTransfer-Encoding: chunked\r\nHost: b\r\n\r\n"),
    bad_chunks("request-in-trailers", "A request is no trailer.", LAST + SMUGGLED),
    bad_chunks("space-in-trailer", "No space comes before a trailer's colon.",
               LAST + b"X-Sum : a\r\n\r\n"),
    bad_chunks("folded-trailer", "A trailer is one line.", LAST + b"X-Sum: a\r\n b\r\n\r\n",
               h11=2, why="h11 unfolds lines"),
    bad_chunks("nul-in-trailer", "Trailers hold no NUL.", LAST + b"X-Sum: a\0\r\n\r\n"),
    bad_chunks("lf-after-trailer", "Trailers end with CR LF.", LAST + b"X-Sum: a\n\r\n",
               h11=2, why="h11 takes a bare LF for a line's end"),
    bad_chunks("many-trailers", "There are few of them.",
               LAST + b"X-Sum: a\r\n" * 20 + b"\r\n", status=431, h11=2,
               why="h11 bounds their bytes"),
]

CONNECTIONS = [
    page("9.3-kept", "A connection is kept.", HEALTH),
    page("9.3.2-pipelined", "Requests may come at once; their answers keep their order.",
         HEALTH + get(line=b"GET /nowhere HTTP/1.1") + HEALTH, 200, 404, 200, h11=3),
    Row("9112-9.3.2-pipelined-behind-content", "They may come behind content.",
        chat(LENGTH) + HEALTH + chat(CHUNKED, body=CHUNKS), (200, 200, 200), asks=2, h11=3),
    Row("9112-9.3.2-pipelined-behind-an-error", "Nothing behind an error is served.",
        HEALTH + get(b"X-A : b") + chat(LENGTH), (200, 400), closes=True, h11=1),
    page("9.3.2-head", "The answer to HEAD has no content.",
         get(line=b"HEAD /health HTTP/1.1") + HEALTH, 200, 200, h11=2, methods=("HEAD", "GET")),
    page("9.6-close", "A client may ask for the end of the connection.",
         get(b"Connection: close") + SMUGGLED, closes=True, holds=b"connection: close\r\n"),
    page("9.6-close-in-a-list", "It may do so in a list.",
         get(b"Connection: x, CLOSE") + SMUGGLED, closes=True),
    page("9.3-1.0", "HTTP/1.0 ends with its answer.",
         get(line=b"GET /health HTTP/1.0"), closes=True),
    page("9.3-1.0-without-host", "HTTP/1.0 needs no Host.",
         get(line=b"GET /health HTTP/1.0", host=None), closes=True),
    page("9.3-1.0-kept", "HTTP/1.0 may ask to go on, and hears whether it does.",
         get(b"Connection: keep-alive", line=b"GET /health HTTP/1.0"),
         holds=b"connection: keep-alive\r\n"),
    page("7.8-upgrade-to-h2c", "An upgrade to HTTP/2 is ignored: RFC 9113 has taken it away.",
         get(b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c",
             b"HTTP2-Settings: AAMAAABkAAQAAP__")),
    page("7.8-upgrade-to-websocket", "So is any other.",
         get(b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Version: 13")),
    page("7.6.1-names-host", "Connection cannot take away what a request needs.",
         get(b"Connection: host, content-length")),
    good("10.1.1-continue", "A client that waits for 100 is told to go on.",
         chat(b"Expect: 100-continue", LENGTH), interim=(100,)),
    good("10.1.1-continue-of-1.0", "One of HTTP/1.0 is not.",
         chat(b"Expect: 100-continue", b"Connection: keep-alive", LENGTH,
              line=b"POST " + CHAT.encode() + b" HTTP/1.0")),
    good("10.1.1-unknown", "Other expectations are ignored.", chat(b"Expect: x", LENGTH)),
    page("10.1.1-too-long", "One that announces too much is told so instead.",
         get(b"Expect: 100-continue", b"Content-Length: 99999999",
             line=b"POST /v1/chat/completions HTTP/1.1"), 413, closes=True, h11=0,
         why="the content never comes"),
    page("10.1.1-refused", "So is one that asks for nothing that there is.",
         get(b"Expect: 100-continue", b"Content-Length: 5",
             line=b"POST /nowhere HTTP/1.1"), 404, closes=True, h11=0,
         why="the content never comes"),
]

ROWS = [*SYNTAX, *REQUEST_LINES, *TARGETS, *LENGTHS, *CHUNK_ROWS, *CONNECTIONS]
assert len({row.id for row in ROWS}) == len(ROWS), "two rows with one id"
