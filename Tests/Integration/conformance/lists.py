"""All cases of HTTP/2."""

from . import blocks, framing, preface

HTTP2 = [
    *preface.CASES, *framing.CASES, *blocks.CASES,
]

assert len({case.id for case in HTTP2}) == len(HTTP2), "two cases with one id"
