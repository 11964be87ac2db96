"""All cases of HTTP/2."""

from . import (
    blocks, compression, fields, flow, frame_types, framing, messages, preface, streams)

HTTP2 = [
    *preface.CASES, *framing.CASES, *blocks.CASES, *streams.CASES, *frame_types.CASES, *flow.CASES,
    *messages.CASES, *fields.CASES, *compression.CASES,
]

assert len({case.id for case in HTTP2}) == len(HTTP2), "two cases with one id"
