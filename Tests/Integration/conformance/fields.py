"""RFC 9113, 8.2 and 8.3: names, values and pseudo-fields."""

from dataclasses import replace

from .cases import Case, answered, connection_error, malformed, one_of, refused
from .frames import (
    BODY, CHAT, chat, chat_head, continuation, data, get, headers, literal, literals)

MALFORMED = malformed()


def case(id, demand, steps, expect, **more):
    return Case(f"9113-8.{id}", demand, steps, expect, **more)


def bad(id, demand, *more, tls=False, **changes):
    """A request that would be served but for one thing."""
    return case(id, demand, (chat(1, *more, **changes),), MALFORMED, asks=0, tls=tls)


def good(id, demand, *more, tls=False, **changes):
    return case(id, demand, (chat(1, *more, **changes),), answered(), asks=1, tls=tls)


def bad_order(id, demand, fields, **more):
    steps = (headers(1, fields, end=False) + data(1, BODY, end=True),)
    return case(id, demand, steps, MALFORMED, asks=0, **more)


def continuation_of(size):
    """The rest of a block: one field with a value of so many bytes."""
    rest = literal("x-large", "v" * size)
    pieces = [rest[i:i + 16384] for i in range(0, len(rest), 16384)]
    return [continuation(1, piece, piece is pieces[-1]) for piece in pieces]


def without(name):
    return [pair for pair in chat_head() if pair[0] != name]


NAMES = [
    bad("2-upper-case", "Names are in lower case.", ("X-Name", "a"), tls=True),
    bad("2-upper-case-at-the-end", "Names are in lower case to the end.", ("x-namE", "a")),
    bad("2.1-empty-name", "Names are not empty.", ("", "a")),
    bad("2.1-space-in-name", "Names hold no space.", ("x name", "a")),
    bad("2.1-space-after-name", "Names do not end with one.", ("x-name ", "a")),
    bad("2.1-tab-in-name", "Names hold no tab.", ("x\tname", "a")),
    bad("2.1-nul-in-name", "Names hold no NUL.", ("x\0name", "a"), tls=True),
    bad("2.1-line-feed-in-name", "Names hold no line feed.", ("x\nname", "a")),
    bad("2.1-return-in-name", "Names hold no carriage return.", ("x\rname", "a")),
    bad("2.1-delete-in-name", "Names hold no DEL.", ("x\x7fname", "a")),
    bad("2.1-high-byte-in-name", "Names are ASCII.", (b"x\xe9name", "a")),
    bad("2.1-colon-in-name", "Names hold no colon.", ("x:name", "a")),
    bad("2.1-colon-after-name", "Names do not end with one.", ("x-name:", "a")),
    bad("2.1-separators-in-name", "Names are tokens.", ("x(name)", "a")),
    bad("2.1-comma-in-name", "Names are no lists.", ("x,name", "a")),
    good("2.1-token-characters", "All characters of tokens are allowed.",
         ("x!#$%&'*+-.^_`|~09", "a")),
]

VALUES = [
    bad("2.1-nul-in-value", "Values hold no NUL.", ("x-name", "a\0b"), tls=True),
    bad("2.1-line-feed-in-value", "Values hold no line feed.", ("x-name", "a\nx-other: b")),
    bad("2.1-return-in-value", "Values hold no carriage return.", ("x-name", "a\rb"), tls=True),
    bad("2.1-both-in-value", "Values hold no line end.", ("x-name", "a\r\nx-other: b")),
    bad("2.1-space-before-value", "Values do not begin with a space.", ("x-name", " a")),
    bad("2.1-space-after-value", "Values do not end with one.", ("x-name", "a ")),
    bad("2.1-tab-before-value", "Values do not begin with a tab.", ("x-name", "\ta")),
    bad("2.1-tab-after-value", "Values do not end with one.", ("x-name", "a\t")),
    bad("2.1-control-in-value", "Values hold no control character.", ("x-name", "a\x01b")),
    bad("2.1-delete-in-value", "Values hold no DEL.", ("x-name", "a\x7fb")),
    good("2.1-empty-value", "Values may be empty.", ("x-name", "")),
    good("2.1-space-within-value", "Values may hold spaces and tabs.", ("x-name", "a \t b")),
    good("2.1-high-bytes-in-value", "Values may hold bytes above ASCII.",
         ("x-name", b"\xff\xe9\x80")),
    good("2.3-cookie-crumbs", "Cookies may come in crumbs.",
         ("cookie", "a=1"), ("cookie", "b=2"), ("cookie", "c=3")),
]

CONNECTION = [
    bad("2.2-connection", "Nothing of one connection's: no Connection.",
        ("connection", "close"), tls=True),
    bad("2.2-connection-names-field", "No Connection that names a field.",
        ("connection", "x-name"), ("x-name", "a")),
    bad("2.2-keep-alive", "No Keep-Alive.", ("keep-alive", "timeout=5")),
    bad("2.2-proxy-connection", "No Proxy-Connection.", ("proxy-connection", "keep-alive")),
    bad("2.2-transfer-encoding", "No Transfer-Encoding.", ("transfer-encoding", "chunked"),
        tls=True),
    bad("2.2-transfer-encoding-identity", "No Transfer-Encoding that does nothing.",
        ("transfer-encoding", "identity")),
    bad("2.2-upgrade", "No Upgrade.", ("upgrade", "websocket")),
    bad("2.2-te", "TE says trailers, or nothing.", ("te", "gzip"), tls=True),
    bad("2.2-te-list", "TE says nothing beside trailers.", ("te", "trailers, deflate;q=0.5")),
    good("2.2-te-trailers", "TE may say trailers.", ("te", "trailers")),
]

PSEUDO = [
    bad("3-unknown", "Pseudo-fields are those that are defined.", (":foo", "a"), tls=True),
    bad("3-of-an-answer", "An answer's are no request's.", (":status", "200")),
    bad_order("3-unknown-first", "This holds for the first field, too.",
              [(":foo", "a"), *chat_head()]),
    bad_order("3-after-a-field", "They come before all other fields.",
              [*chat_head(path=None), (":path", CHAT)], tls=True),
    bad_order("3-between-fields", "They do not come between them.",
              [*without(":method"), (":method", "POST"), ("x-name", "a")]),
    bad_order("3-upper-case", "Their names are in lower case.",
              [(":Method", "POST"), *without(":method")]),
    bad_order("3.1-method-twice", "There is one :method.", [(":method", "POST"), *chat_head()]),
    bad_order("3.1-scheme-twice", "There is one :scheme.", [(":scheme", "http"), *chat_head()]),
    bad_order("3.1-path-twice", "There is one :path.", [(":path", "/health"), *chat_head()],
              tls=True),
    bad_order("3.1-authority-twice", "There is one :authority.",
              [(":authority", "gateway.test"), *chat_head()]),
    bad("3.1-no-method", "A :method there must be.", method=None, tls=True),
    bad("3.1-no-scheme", "A :scheme there must be.", scheme=None),
    bad("3.1-no-path", "A :path there must be.", path=None),
    bad("3.1-nothing", "There must be pseudo-fields.", method=None, scheme=None, path=None,
        authority=None),
    bad("3.1-empty-path", "A path is not empty.", path="", tls=True),
    bad("3.1-path-without-slash", "A path begins with a slash.", path=CHAT[1:]),
    bad("3.1-absolute-form", "A path is no URL.", path="http://gateway.test" + CHAT),
    bad("3.1-asterisk", "The asterisk is for OPTIONS.", path="*"),
    bad("3.1-space-in-path", "A path holds no space.", path=CHAT + "?a b"),
    bad("3.1-line-end-in-path", "A path holds no line end.",
        path=CHAT + " HTTP/1.1\r\nx-name: a\r\n\r\nGET /health"),
    bad("3.1-nul-in-path", "A path holds no NUL.", path=CHAT + "?\0"),
    bad("3.1-empty-scheme", "A scheme is not empty.", scheme=""),
    bad("3.1-scheme-of-two-words", "A scheme is one word.", scheme="ht tp"),
    bad("3.1-scheme-with-more", "A scheme holds nothing of a URL's other parts.",
        scheme="http://gateway.test/?"),
    good("3.1-https", "Which scheme a client names is no matter of this hop.", scheme="https",
         tls=True),
    bad("3.1-nobody-named", "A request says whom it is for.", authority=None, tls=True),
    good("3.1-host-alone", "Host can say it where :authority does not.", ("host", "gateway.test"),
         authority=None),
    good("3.1-host-the-same", "Host may say the same as :authority.", ("host", "gateway.test")),
    bad("3.1-two-hosts", "There is one Host.", ("host", "gateway.test"), ("host", "gateway.test"),
        authority=None),
    bad("3.1-space-in-authority", "An authority holds no space.", authority="gateway .test"),
    bad("3.1-slash-in-authority", "It holds no path.", authority="gateway.test/v1"),
    bad("3.1-question-in-authority", "It holds no query.", authority="gateway.test?x"),
    bad("3.1-fragment-in-authority", "It holds no fragment.", authority="gateway.test#x"),
    bad("3.1-line-end-in-authority", "It holds no line end.", authority="gateway.test\r\nx: y"),
]

# What the gateway's library lets through: the gateway answers for it.
OURS = [
    case("3.1-user-in-authority", "An authority names no user.",
         (chat(1, authority="user@gateway.test"),), refused(400), asks=0),
    case("3.1-host-differs", "Host must not name another host than :authority.",
         (chat(1, ("host", "other.test")),), refused(400), asks=0, tls=True),
    case("3.1-bad-host", "Host is held to what :authority is.",
         (chat(1, ("host", "user@gateway.test"), authority=None),), refused(400), asks=0),
    case("3.1-fragment-in-path", "A path holds no fragment.",
         (chat(1, path=CHAT + "#x"),), refused(400), asks=0),
    case("3.1-fragment-in-query", "A query holds none either.",
         (chat(1, path=CHAT + "?a#x"),), refused(400), asks=0),
    case("3.1-high-bytes-in-path", "A path is ASCII.",
         (chat(1, path=CHAT.encode() + b"\xc3\xa9"),), refused(400), asks=0),
    case("3.1-high-bytes-in-query", "A query is ASCII.",
         (chat(1, path=CHAT.encode() + b"?\xff"),), refused(400), asks=0),
]

# Requests that are well-formed, and that a proxy could be led astray by.
ASTRAY = [
    case("3.1-dots", "Paths are compared as they are: dots lead nowhere.",
         (chat(1, path="/v1/../v1/chat/completions"),), refused(404, or_malformed=False), asks=0,
         tls=True),
    case("3.1-dots-encoded", "Encoded dots lead nowhere.",
         (chat(1, path="/v1/%2e%2e/v1/chat/completions"),), refused(404, or_malformed=False),
         asks=0),
    case("3.1-slash-encoded", "An encoded slash is no slash.",
         (chat(1, path="/v1%2fchat/completions"),), refused(404, or_malformed=False), asks=0),
    case("3.1-two-slashes", "Two slashes are not one.",
         (chat(1, path="//v1/chat/completions"),), refused(404, or_malformed=False), asks=0),
    case("3.1-backslash", "A backslash is no slash.",
         (chat(1, path="/v1\\chat\\completions"),), refused(400, 404), asks=0),
    case("3.1-letter-encoded", "An encoded letter is not the letter.",
         (chat(1, path="/v1/%63hat/completions"),), refused(404, or_malformed=False), asks=0),
    case("3.1-upper-case-path", "Paths know cases.",
         (chat(1, path="/V1/Chat/Completions"),), refused(404, or_malformed=False), asks=0),
    case("3.1-lower-case-method", "Methods know cases.",
         (chat(1, method="post"),), refused(405, 501), asks=0),
    case("2.2-http2-settings", "What is left of the way up from HTTP/1.1 means nothing.",
         (chat(1, ("http2-settings", "AAMAAABkAAQAAP__")),), answered(), asks=1),
    case("2.1-method-override", "Another method in a field changes nothing.",
         (get(1, ("x-http-method-override", "DELETE"), ("x-method", "PUT")),), answered()),
    case("2.1-original-url", "Another path in a field changes nothing.",
         (get(1, ("x-original-url", "/metrics"), ("x-rewrite-url", "/metrics")),), answered()),
]

LIMITS = [
    case("2-hundred-fields", "A hundred fields are taken.",
         (chat(1, *((f"x-{i}", "a") for i in range(95))),), answered(), asks=1),
    case("2-hundred-and-one-fields", "More are not, and the client hears so.",
         (chat(1, *((f"x-{i}", "a") for i in range(96))),), refused(431), asks=0),
    case("2-hundred-and-one-crumbs", "Crumbs of cookies count.",
         (chat(1, *(("cookie", f"a{i}=b") for i in range(96))),), refused(431), asks=0),
    case("2-references", "Fields count that were named by one byte.",
         (headers(1, literals(chat_head()) + literal("x-a", "b", 0x40) + b"\xbe" * 200,
                  end=False) + data(1, BODY, end=True),), refused(431), asks=0),
    case("2-large-field", "A field of 60,000 bytes is taken.",
         (headers(1, literals(chat_head()), whole=False, end=False)
          + b"".join(continuation_of(60_000)) + data(1, BODY, end=True),), answered(), asks=1),
    case("2-too-large-fields", "More than 64 KiB in all are not.",
         (headers(1, literals(chat_head(("x-first", "v" * 9000))), whole=False, end=False)
          + b"".join(continuation_of(60_000)) + data(1, BODY, end=True),), refused(431), asks=0),
    case("2-too-large-field", "One field of 70,000 bytes is too long for the decoder.",
         (headers(1, literals(chat_head()), whole=False, end=False)
          + b"".join(continuation_of(70_000)),),
         one_of(refused(431), connection_error("COMPRESSION_ERROR")), asks=0),
    case("3.1-long-path", "A target of more than 8 KiB is not taken.",
         (chat(1, path=CHAT + "?" + "x" * 8192),), refused(414), asks=0),
]

CASES = [
    *NAMES, *VALUES, *CONNECTION, *PSEUDO,
    *(replace(each, policy=True) for each in (*OURS, *ASTRAY, *LIMITS))]
