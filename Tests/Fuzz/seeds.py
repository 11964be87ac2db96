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
