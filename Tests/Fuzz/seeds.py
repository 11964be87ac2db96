#!/usr/bin/env python3
"""Writes the inputs that the fuzzer starts from: Tests/Fuzz/corpus/TARGET/NAME.

The first bytes of an input are options of its target; `Targets/` says which. Run it after changing
a target's options: `python3 Tests/Fuzz/seeds.py`.
"""

import pathlib
import shutil

ROOT = pathlib.Path(__file__).parent / "corpus"


def write(target, seeds):
    folder = ROOT / target
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, content in seeds.items():
        (folder / name).write_bytes(content)


# --- server-sent events: task and options, end and choices, cut

CHAT, COMPLETION, RESPONSES = 0, 1, 2
STRIP = 4
LIMIT_48, LIMIT_200, LIMIT_600 = 8, 16, 24
CLEAN, CLOSED, CUT, TIMEOUT, SHUTDOWN = range(5)


def sse(text, options=CHAT, end=CLEAN, cut=0x46):
    return bytes([options, end, cut]) + text.encode()


def chunk(choices, tail=""):
    return (
        'data: {"id":"c-7","object":"chat.completion.chunk","created":1790000000,"model":"m",'
        '"choices":[%s]%s}\n\n' % (choices, tail)
    )


def delta(text, finish="null"):
    return chunk('{"index":0,"delta":{"content":"%s"},"finish_reason":%s}' % (text, finish))


USAGE = chunk(
    "",
    ',"usage":{"prompt_tokens":21,"total_tokens":25,"completion_tokens":4,'
    '"prompt_tokens_details":{"cached_tokens":16}}',
)
DONE = "data: [DONE]\n\n"
ANSWER = delta("안녕 ") + ": ping\n\n" + delta("!", '"stop"') + USAGE + DONE
RESPONSE = (
    'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","delta":"a"}\n\n'
    'event: response.completed\ndata: {"type":"response.completed",'
    '"response":{"usage":{"input_tokens":3,"output_tokens":1}}}\n\n'
)
ERROR = 'data: {"error":{"message":"out \\ud83d\\ude00 of \\"memory\\"","code":500}}\n\n'

write(
    "sse",
    {
        "chat": sse(ANSWER),
        "chat-without-usage": sse(ANSWER, STRIP),
        "chat-bytewise": sse(ANSWER, cut=1),
        "chat-crlf": sse(ANSWER.replace("\n", "\r\n"), STRIP, cut=5),
        "chat-cr": sse(ANSWER.replace("\n", "\r"), cut=2),
        "chat-cut": sse(ANSWER[:300], end=CUT),
        "completion": sse('data: {"choices":[{"text":"a","index":0}]}\n\n' + DONE, COMPLETION),
        "two-choices": sse(
            chunk('{"index":1,"delta":{"tool_calls":[{"id":"x"}]},"finish_reason":"length"}')
            + chunk('{"index":70,"delta":{"reasoning":"y"},"finish_reason":"stop"}'),
            end=0x20 | TIMEOUT,
        ),
        "responses": sse(RESPONSE, RESPONSES),
        "responses-failed": sse(
            'event: response.failed\ndata: {"type":"response.failed"}\n\n', RESPONSES
        ),
        "error": sse(delta("a") + ERROR, end=CLOSED),
        "error-without-field": sse('{"error":{"message":"no event"}}\n\n'),
        "error-unfinished": sse(ERROR[:-2], end=SHUTDOWN),
        "data-lines": sse('data: {"choices":\ndata: []}\n\ndata\ndata: [DONE]\n\n'),
        "byte-order-mark": sse("\ufeffdata: {}\n\n\ufeffdata: [DONE]\n\n"),
        "too-large": sse(ANSWER, LIMIT_200, cut=0x43),
        "line-ends": sse("a\r\r\nb\n\rdata: 1\r\n\r\n\r\n:\n\n", LIMIT_48),
    },
)

# --- HTTP/1.1: cut and limits, then the messages

USUAL = 0
SMALL_HEAD, SMALL_TARGET, FEW_FIELDS = 1, 2, 4
SMALL_TRAILERS, SMALL_EXTENSIONS, TO_HEAD = 8, 16, 128
CHUNKS = "4;a=b\r\nbody\r\n3\r\nend\r\n0\r\nx: y\r\n\r\n"
POST = "POST /v1/completions?a HTTP/1.1\r\nHost: a:1\r\nX-Field:  with blanks \r\n"


def http1(text, limits=USUAL, cut=0x46):
    return bytes([cut, limits]) + text.encode()


write(
    "http1-request",
    {
        "get": http1("GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        "length": http1(POST + "Content-Length: 4\r\n\r\nbody"),
        "length-bytewise": http1(POST + "Content-Length: 4\r\n\r\nbody", cut=1),
        "chunks": http1(POST + "Transfer-Encoding: chunked\r\n\r\n" + CHUNKS),
        "chunks-small": http1(
            POST + "Transfer-Encoding: chunked\r\n\r\n" + CHUNKS, SMALL_TRAILERS | SMALL_EXTENSIONS
        ),
        "both": http1(POST + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS),
        "pipelined": http1("\r\n" + 2 * ("GET /a HTTP/1.1\r\nHost: a\r\n\r\n"), cut=2),
        "old": http1("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
        "url": http1("GET https://b:2/c HTTP/1.1\r\nHost: a\r\n\r\n"),
        "options": http1("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"),
        "connect": http1("CONNECT b:443 HTTP/1.1\r\nHost: a\r\n\r\n"),
        "expect": http1(POST + "Expect: 100-continue\r\nContent-Length: 1\r\n\r\na"),
        "one-hop": http1(POST + "TE: a\r\nUpgrade: b\r\nConnection: close, te\r\n\r\n"),
        "folded": http1("GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n z\r\n\r\n"),
        "bare-line-feed": http1("GET / HTTP/1.1\nHost: a\r\n\r\n"),
        "large-head": http1(POST + 9 * "Field: value\r\n" + "\r\n", SMALL_HEAD | FEW_FIELDS),
        "long-target": http1("GET /0123456789abcdef HTTP/1.1\r\nHost: a\r\n\r\n", SMALL_TARGET),
    },
)

OK = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
write(
    "http1-response",
    {
        "length": http1(OK + "Content-Length: 4\r\n\r\nbody"),
        "chunks": http1(OK + "Transfer-Encoding: chunked\r\n\r\n" + CHUNKS, cut=1),
        "chunks-small": http1(
            OK + "Transfer-Encoding: chunked\r\n\r\n" + CHUNKS, SMALL_TRAILERS | SMALL_EXTENSIONS
        ),
        "close": http1(OK + "\r\nas long as it comes"),
        "interim": http1("HTTP/1.1 100 Continue\r\n\r\n" + OK + "Content-Length: 0\r\n\r\n"),
        "interims": http1(9 * "HTTP/1.1 102\r\nA: b\r\n\r\n", cut=2),
        "upgrade": http1("HTTP/1.1 101 Switching Protocols\r\n\r\n"),
        "no-content": http1("HTTP/1.1 204 No Content\r\n\r\n" + OK + "\r\n"),
        "not-modified": http1("HTTP/1.1 304 \r\nContent-Length: 9\r\n\r\n" + OK + "\r\n"),
        "to-head": http1(OK + "Content-Length: 9\r\n\r\n" + OK + "\r\n", TO_HEAD),
        "old": http1("HTTP/1.0 200\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\na"),
        "cut": http1(OK + "Content-Length: 9\r\n\r\nbody"),
        "large-head": http1(OK + 9 * "Field: value\r\n" + "\r\n", SMALL_HEAD | FEW_FIELDS),
        "two-lengths": http1(OK + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
    },
)

# --- HTTP/2: cut, limits and answers, then frames as records (`Targets/HTTP2Wire.swift`)

NO_PREFACE, FEW_STREAMS, SMALL_LIST, SMALL_TRAILER_LIST, FEW_FRAMES = 1, 2, 4, 8, 16
DATA, HEADERS, PRIORITY, RESET, SETTINGS, PUSH, PING, GO_AWAY, WINDOW, CONTINUATION = range(10)
END_STREAM, END_HEADERS, PADDED, PRIORITISED = 1, 4, 8, 32
GET = bytes([0x82, 0x86, 0x84, 0x41, 1]) + b"a"
POST2 = bytes([0x83, 0x86, 0x84, 0x41, 1]) + b"a"


def frame(kind, stream=0, payload=b"", flags=0):
    return bytes([kind, flags, stream, len(payload)]) + payload


def literal(name, value):
    return bytes([0, len(name)]) + name.encode() + bytes([len(value)]) + value.encode()


def http2(*frames, limits=USUAL, cut=0x46, answers=0):
    return bytes([cut, limits, answers]) + b"".join(frames)


ACK = frame(SETTINGS, flags=1)
WHOLE = END_STREAM | END_HEADERS
ASK = frame(HEADERS, 1, GET, WHOLE)
UPLOAD = frame(HEADERS, 3, POST2, END_HEADERS) + frame(DATA, 3, b"body", END_STREAM)

write(
    "http2",
    {
        "get": http2(ACK, ASK),
        "get-bytewise": http2(ACK, ASK, cut=1, answers=1),
        "upload": http2(ACK, ASK, UPLOAD, answers=1),
        "upload-answered-early": http2(ACK, frame(HEADERS, 1, POST2, END_HEADERS), answers=0xFF),
        "padded": http2(frame(DATA, 1, b"\x03body\0\0\0", PADDED), ASK),
        "trailers": http2(
            frame(HEADERS, 1, POST2, END_HEADERS),
            frame(DATA, 1, b"a"),
            frame(HEADERS, 1, literal("x", "y"), WHOLE),
        ),
        "large-trailers": http2(
            frame(HEADERS, 1, POST2, END_HEADERS),
            frame(HEADERS, 1, 3 * literal("x", "y"), WHOLE),
            limits=SMALL_TRAILER_LIST,
        ),
        "continued": http2(
            frame(HEADERS, 1, GET[:3], END_STREAM), frame(CONTINUATION, 1, GET[3:], END_HEADERS)
        ),
        "large-list": http2(
            frame(HEADERS, 1, GET + 5 * literal("name", "value"), WHOLE), limits=SMALL_LIST
        ),
        "many-streams": http2(
            *(frame(HEADERS, n, POST2, END_HEADERS) for n in (1, 3, 5, 7)), limits=FEW_STREAMS
        ),
        "reset": http2(frame(HEADERS, 1, POST2, END_HEADERS), frame(RESET, 1, b"\0\0\0\x08")),
        "late-reset": http2(ASK, frame(RESET, 1, b"\0\0\0\x08"), answers=1),
        "windows": http2(
            frame(SETTINGS, 0, b"\0\x04\0\0\0\x05"),
            ASK,
            frame(WINDOW, 1, b"\0\0\x01\0"),
            frame(WINDOW, 0, b"\0\0\x01\0"),
            answers=2,
        ),
        "table": http2(
            frame(HEADERS, 1, GET + b"\x40\x01x\x01y", WHOLE),
            frame(HEADERS, 3, GET[:3] + b"\xbf\xbe", WHOLE),
            frame(SETTINGS, 0, b"\0\x01\0\0\0\0"),
            frame(HEADERS, 5, b"\x20" + GET, WHOLE),
        ),
        "pings": http2(*(8 * [frame(PING, 0, b"12345678")]), limits=FEW_FRAMES),
        "priority": http2(
            frame(PRIORITY, 1, b"\0\0\0\x03\x07"),
            frame(HEADERS, 1, b"\0\0\0\x03\x07" + GET, WHOLE | PRIORITISED),
        ),
        "passed-over": http2(frame(HEADERS, 7, GET, WHOLE), frame(HEADERS, 3, GET, WHOLE)),
        "go-away": http2(ASK, frame(GO_AWAY, 0, 8 * b"\0"), UPLOAD),
        "push": http2(frame(PUSH, 1, b"\0\0\0\x02\x82", END_HEADERS)),
        "unknown": http2(frame(0x42, 5, b"unknown"), ASK),
        "no-preface": http2(frame(0xFF, 0, b"GET / HTTP/1.1\r\n\r\n"), limits=NO_PREFACE),
        "raw": http2(ASK, frame(0xFF, 0, b"\xff\xff\xff\0\0\0\0\0\x01")),
    },
)

# --- JSON: task and depth, then a request's body

EMBEDDING, RESPONSES_TASK, CLASSIFY, RERANK, SHALLOW = 2, 3, 4, 5, 8


def body(text, options=CHAT):
    return bytes([options]) + text.encode()


ASKED = '{"model":"m","messages":[{"role":"user","content":"%s"}]%s}'
write(
    "json",
    {
        "chat": body(ASKED % ("안녕 \\ud83d\\ude00 \\n", "")),
        "long-text": body(ASKED % (40 * "a", ',"n":3,"max_tokens":7')),
        "long-escaped": body(ASKED % (20 * "\\u00e9 ", ',"logprobs":true')),
        "streaming": body(ASKED % ("a", ',"stream":true')),
        "usage": body(ASKED % ("a", ',"stream":true,"stream_options":{"include_usage":false}')),
        "usage-null": body(ASKED % ("a", ',"stream":true,"stream_options":null')),
        "image": body(
            '{"messages":[{"content":[{"type":"image_url","image_url":{"url":"DATA:,"}},'
            '{"type":"text","text":"a"}]}],"model":null}'
        ),
        "remote": body('{"messages":[{"content":[{"image_url":"http://a"}]}]}'),
        "tools": body(ASKED % ("a", ',"tools":[{"type":"function"}],"chat_template":"x"')),
        "twice": body('{"messages":[],"model":"a","\\u006dodel":"b"}'),
        "completion": body(' {"prompt":[1,2,[3],"a"],"suffix":"b"} ', COMPLETION),
        "embedding": body('{"input":["a","b"],"model":"m"}', EMBEDDING),
        "responses": body(
            '{"input":[{"type":"input_text","text":"a"}],"max_output_tokens":5}', RESPONSES_TASK
        ),
        "classify": body('{"input":["a\\n\\"","\\u00e9",""],"model":"m"}', CLASSIFY),
        "classify-messages": body(
            '{"messages":[{"content":"a"},{"content":[{"type":"text","text":"\\\\"}]}]}', CLASSIFY
        ),
        "decisions": body(
            '{"input":[{"content":"a"}],"questions":[{"type":"predicate"},{"type":"choice",'
            '"choices":[{"value":"ham"},{"value":"spam"}]}]}', CLASSIFY
        ),
        "verdicts": body(
            '{"data":[{"index":1,"label":null,"probs":[0.5,1e-9]},'
            '{"index":0,"label":"a","probs":[]}],"usage":{"prompt_tokens":3}}', CLASSIFY
        ),
        "rerank": body('{"query":"q","documents":["a",{"text":"b"}]}', RERANK),
        "deep": body('{"messages":[{"content":[{"a":[]}]}]}', SHALLOW),
        "numbers": body('{"prompt":[-0.0,1e9,1E+2,0,-1],"n":1.0}', COMPLETION),
        "unfinished": body('{"messages":[{"content":"a'),
        "empty": body("{}", COMPLETION),
    },
)

# --- Prometheus text: limits and kinds of page, then a page

FEW_SAMPLES, SHORT_LINES = 2, 1


def page(text, limits=USUAL, engine=0, exporter=0):
    return bytes([limits | engine << 2 | exporter << 5]) + text.encode()


VLLM = (
    "# TYPE vllm:num_requests_running gauge\n"
    'vllm:num_requests_running{engine="0"} 3.0\n'
    'vllm:num_requests_waiting_by_reason{reason="capacity"} 1\n'
    'vllm:kv_cache_usage_perc{engine="0"} 0.25\nvllm:kv_cache_usage_perc{engine="1"} 0.5\n'
    "vllm:prompt_tokens_total 1.5e3 1790000000000\n"
)
write(
    "prometheus",
    {
        "vllm": page(VLLM),
        "vllm-short-lines": page(VLLM, SHORT_LINES),
        "vllm-few-samples": page(VLLM, FEW_SAMPLES),
        "llama": page("llamacpp:requests_processing 1\nllamacpp:kv_cache_usage_ratio NaN\n", 0, 2),
        "sglang": page("sglang:num_running_reqs 2\r\nsglang:token_usage 1.5\r\n", 0, 3),
        "dcgm": page(
            'DCGM_FI_DEV_POWER_USAGE{gpu="0",UUID="a",Hostname="h"} 310.5\n'
            'DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION{gpu="0"} 9223372036854775794\n'
        ),
        "rbln": page('rbln_npu_power{card="0"} 55\nRBLN_DEVICE_STATUS:CARD_POWER 54\n', 0, 0, 1),
        "kepler": page(
            'kepler_node_cpu_watts{zone="package",path="p"} 20\n'
            'kepler_node_cpu_watts{zone="core"} 9\nkepler_node_cpu_joules_total{zone="psys"} 1\n',
            exporter=2,
        ),
        "escapes": page('a{gpu="\\"\\\\\\n", card = "x" ,} +Inf # {le="1"} 2\n'),
        "malformed": page('a\nb{\nc{x}\nd 0x10\n{a="b"} 1\ne 1 2 3\n\n # x\n'),
        "timestamps": page("a 1 1790000000.125\nb 1 -5\nc 1 1e99\n"),
    },
)

# --- configurations

POOL = (
    "pools:\n  - name: p\n    engine: vllm\n    profile: test\n"
    '    endpoints: [{url: "http://h:1"}]\n    models: [{name: m}]\n'
)
write(
    "configuration",
    {
        "smallest": POOL.encode(),
        "meters": (
            POOL + "meters: [{name: w, source: powercap, path: 'a \"b\" #', match: {k v: 1}}]\n"
        ).encode(),
        "models": (POOL + "models: [{name: m, aliases: [n], task: classify}]\n").encode(),
        "classes": (POOL + "classes: {bulk: {slo: {ttft_ms: 5}}}\npolicy: random\n").encode(),
        "environment": (POOL + "profiles_directory: ${E:-x}${S}\nthreads: ${N}\n").encode(),
        "dollars": (POOL + "denied_fields: ['$${A}', $, a$b]\n").encode(),
        "limits": (POOL + "limits: {attempts: 3, queue_timeout_ms: 10_000}\n").encode(),
        "listeners": (
            POOL + "listeners: [{address: '::1', port: 1, tls: {certificate: a, key: b}}]\n"
        ).encode(),
        "tenants": (
            POOL + "tenants: [{name: t, class: bulk, api_key_sha256: [%s]}]\n" % (8 * "01234567")
        ).encode(),
        "mistakes": b"pool: 1\nlisteners: {a: b}\nthreads: -1\nlog_level: ${U}\nsite: {pue: 0}\n",
        "secrets": b"policy: ${S}\nthreads: ${S}\npools: [{name: ${S}}]\n${S}: 1\n",
        "aliases": b"a: &a [*a]\nmodels: &b [{name: m}]\nmeters: *b\n",
        "twice": b"threads: 1\nthreads: 2\n",
        "blocks": b"--- # c\nmodels:\n- name: |\n    m\n- ? name\n  : >-\n    n\n...\n",
        "no-yaml": b"{a: [b\n\t- c",
    },
)


# --- journals: mode, then records; or changes (count, then offset and byte of each) and records

RECORDS, CHANGED_HEAD, CHANGED_FILE, RAW = range(4)
ID, OTHER = (7).to_bytes(8, "little"), (8).to_bytes(8, "little")


def signed(number):
    number = number << 1 if number >= 0 else (-number << 1) - 1
    encoded = bytearray()
    while number >= 0x80:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(encoded) + bytes([number])


def record(kind, fields=b"", after=1_000_000, actions=0, digest=b""):
    return bytes([kind]) + fields + signed(after) + bytes([actions]) + digest


def arrival(request=ID, task=0, service_class=1, size=800):
    return record(
        1, request + signed(0) + signed(0) + bytes([task, service_class, 1]) + signed(size)
        + signed(0) + b"\x01" + signed(128) + signed(1) + b"\0\0\1" + b"\0\0" + bytes(8),
        actions=1, digest=b"abcd")


USAGE_OF_BOTH = b"\1" + signed(200) + b"\1" + signed(100) + b"\0"
LIFE = (
    arrival() + record(2, ID) + record(3, b"\1" + ID + signed(30))
    + record(4, ID + b"\0" + USAGE_OF_BOTH)
)
TROUBLE = (
    arrival() + arrival(OTHER, service_class=3) + record(5, ID + b"\0") + record(5, ID + b"\2\0")
    + record(4, OTHER + b"\2\4" + signed(500) + b"\0\0\0") + record(6, ID)
)
FLEET = (
    record(7, signed(0) + b"\0") + record(8, signed(1) + signed(2) + signed(0) + b"\0" + signed(9))
    + record(9, signed(1) + b"\3") + record(10, b"\2\1\0\0\0" + signed(1))
    + record(11, b"\1" + signed(0) + signed(0) + signed(5_000_000) + signed(900) + b"\0\0")
    + record(12, signed(0) + OTHER) + record(13, b"\3") + record(14, signed(0) + b"\1")
    + record(15, b"\0\0" + bytes(6) + b"\xf0\x3f" + bytes(6) + b"\xf0\x3f")
)
write(
    "journal",
    {
        "life": bytes([RECORDS]) + LIFE,
        "trouble": bytes([RECORDS]) + TROUBLE,
        "fleet": bytes([RECORDS]) + FLEET + LIFE,
        "end": bytes([RECORDS]) + arrival() + record(16) + record(17, after=10**12) + LIFE,
        "twice": bytes([RECORDS]) + arrival() + arrival(),
        "changed-head": bytes([CHANGED_HEAD, 2, 9, 0, 5, 60, 1, 255]) + LIFE,
        "changed-file": bytes([CHANGED_FILE, 1, 80, 2, 1]) + LIFE,
        "raw": bytes([RAW]) + b"JGJRNL\0\0" + bytes([1]) + bytes(7) + bytes([1, 0, 0, 0, 3]),
        "no-journal": bytes([RAW]) + b"# TYPE x counter",
    },
)
