"""All cases of HTTP/2."""

from . import (
    blocks, compression, fields, flow, framing, messages, preface, streams, types)

HTTP2 = [
    *preface.CASES, *framing.CASES, *blocks.CASES, *streams.CASES, *types.CASES, *flow.CASES,
    *messages.CASES, *fields.CASES, *compression.CASES,
]

assert len({case.id for case in HTTP2}) == len(HTTP2), "two cases with one id"
