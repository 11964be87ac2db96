"""Floods of HTTP/1.1."""

from .http2 import BODY

HEAD = (
    b"POST /v1/chat/completions HTTP/1.1\r\nhost: gateway.test\r\n"
    b"content-type: application/json\r\n")
HEALTH = b"GET /health HTTP/1.1\r\nhost: gateway.test\r\n\r\n"
LENGTH = b"content-length: %d\r\n" % len(BODY)
CHUNKED = b"transfer-encoding: chunked\r\n"
CHUNKS = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)

# Requests that two readers could take for different ones: each is refused, whole.
SMUGGLED = {
    "both lengths": HEAD + LENGTH + CHUNKED + b"\r\n" + CHUNKS + HEALTH,
    "two lengths": HEAD + LENGTH + b"content-length: 3\r\n\r\n" + BODY + HEALTH,
    "bare LF": HEAD.replace(b"\r\n", b"\n") + LENGTH + b"\n" + BODY + HEALTH,
    "folded line": HEAD + LENGTH + b"x-folded: a\r\n b\r\n\r\n" + BODY + HEALTH,
    "space before the colon": HEAD + b"content-length : %d\r\n\r\n" % len(BODY) + BODY + HEALTH,
    "chunk extension": HEAD + CHUNKED + b"\r\n%x;%s\r\n%s\r\n0\r\n\r\n" % (
        len(BODY), b"e" * 300, BODY) + HEALTH,
}

# Each of these lines or bodies goes on for ever: an opening, and what follows it again and again.
ENDLESS = {
    "head without end": (HEAD, lambda i: b"x-%d: y\r\n" % i, (400, 431)),
    "one header without end": (HEAD + b"x: ", lambda i: b"v" * 100, (400, 431)),
    "target without end": (b"GET /", lambda i: b"x" * 100, (414, 400, 431)),
    "chunk extension without end": (HEAD + CHUNKED + b"\r\n1;", lambda i: b"e" * 100, (400,)),
    "chunk size without end": (HEAD + CHUNKED + b"\r\n", lambda i: b"0" * 100, (400,)),
    "trailers without end": (
        HEAD + CHUNKED + b"\r\n0\r\n", lambda i: b"x-%d: y\r\n" % i, (400, 431)),
    "chunks of one byte": (
        HEAD + CHUNKED + b"\r\n", lambda i: b"1;%s\r\n \r\n" % (b"e" * 200), (413,)),
}
