"""RFC 7541: header blocks that can be decoded, and those that cannot."""

import hpack

from .cases import Case, answered, connection_error, until_answered
from .frames import (
    chat_head, continuation, data, BODY, head, headers, indexed, integer, literal, literals,
    string, table_size)

FAILURE = connection_error("COMPRESSION_ERROR")
# The path comes last, so that what is in question can be left out of the pseudo-fields.
START = literals(head(path=None))
WHOLE = literals(head())
PATH = literal(":path", "/health", 0x40)
ENDLESS = b"\xff" * 10 + b"\x7f"


def case(id, demand, steps, expect, **more):
    return Case(f"7541-{id}", demand, steps, expect, **more)


def takes(id, demand, block, **more):
    return case(id, demand, (headers(1, block),), answered(), **more)


def breaks(id, demand, block, **more):
    return case(id, demand, (headers(1, block),), FAILURE, **more)


def huffman(code, says=None):
    """A string of these compressed bytes."""
    return integer(len(code) if says is None else says, 7, 0x80) + code


def with_value(bytes_):
    return WHOLE + b"\x00" + string("x-value") + bytes_


def conversation(peer):
    """Requests by a real encoder, whose table fills and turns over."""
    encoder = hpack.Encoder()
    for number in range(60):
        fields = head(("x-number", "n" * 80 + str(number % 50)), ("x-same", "y" * 60))
        peer.send(headers(2 * number + 1, encoder.encode(fields)))
        until_answered(2 * number + 1)(peer)


TABLE = [
    takes("2.3.1-static", "The static table names common fields.",
          indexed(2) + indexed(6) + integer(1, 4) + string("gateway.test") + integer(4, 4)
          + string("/health"), tls=True),
    case("2.3.2-dynamic", "A field that was added can be named by its number.",
         (headers(1, START + PATH), until_answered(1), headers(3, START + indexed(62))),
         answered(), stream=3, tls=True),
    case("2.3.2-newest-first", "The newest field has the lowest number.",
         (headers(1, START + PATH + literal("x-new", "a", 0x40)), until_answered(1),
          headers(3, START + indexed(63))), answered(), stream=3),
    case("2.3.2-within-a-block", "A field can be named in the block that added it.",
         (headers(1, WHOLE + literal("x-a", "b", 0x40) + indexed(62) * 3),), answered()),
    case("2.3.2-added-name", "A field that was added can lend its name alone.",
         (headers(1, START + literal(":path", "/nothing", 0x40)), until_answered(1),
          headers(3, START + integer(62, 4) + string("/health"))), answered(), stream=3),
    breaks("2.3.3-empty-place", "Nothing is at a number behind the tables' end.",
           WHOLE + indexed(62), tls=True),
    breaks("2.3.3-far-place", "Nothing is at a number far behind it.", WHOLE + indexed(70000)),
    case("2.3.3-behind-one-entry", "Nothing is behind the only field that was added.",
         (headers(1, START + PATH), until_answered(1), headers(3, WHOLE + indexed(63))), FAILURE),
    breaks("2.3.3-empty-place-for-a-name", "The same goes for a name's number.",
           WHOLE + integer(62, 6, 0x40) + string("a")),
    breaks("2.3.3-empty-place-for-a-name-not-indexed", "It does if the field is not added.",
           WHOLE + integer(62, 4) + string("a")),
    breaks("2.3.3-empty-place-for-a-name-never-indexed", "It does if it is never to be.",
           WHOLE + integer(62, 4, 0x10) + string("a")),
    breaks("6.1-zero", "The number 0 names no field.", WHOLE + b"\x80", tls=True),
]

SIZES = [
    takes("4.2-at-the-start", "A block may begin with a new size of the table.",
          table_size(0) + WHOLE),
    takes("4.2-twice-at-the-start", "It may begin with the lowest and the last of several.",
          table_size(0) + table_size(4096) + WHOLE),
    breaks("4.2-at-the-end", "A new size cannot come after fields.",
           WHOLE + table_size(0), tls=True),
    breaks("4.2-in-the-middle", "A new size cannot come between fields.",
           literals(head()[:2]) + table_size(4096) + literals(head()[2:])),
    case("4.2-in-a-continuation", "The start of CONTINUATION is not the start of a block.",
         (headers(1, WHOLE[:-9 - 6], whole=False) + continuation(1, WHOLE[-9 - 6:] + b"\x20"),),
         FAILURE),
    breaks("6.3-too-large", "A size above the announced one is an error.",
           table_size(4097) + WHOLE, tls=True),
    breaks("6.3-far-too-large", "So is one of 4 GiB.", table_size(2**32 - 1) + WHOLE),
    takes("6.3-largest", "The announced size itself is none.", table_size(4096) + WHOLE),
    case("4.3-shrinking-evicts", "A smaller table forgets what does not fit.",
         (headers(1, START + PATH), until_answered(1),
          headers(3, table_size(0) + START + indexed(62))), FAILURE),
    case("4.3-no-table", "Nothing is kept in a table of no bytes.",
         (headers(1, table_size(0) + START + PATH), until_answered(1),
          headers(3, START + indexed(62))), FAILURE),
    case("4.3-forgets-for-good", "What was forgotten does not come back with the size.",
         (headers(1, START + PATH), until_answered(1),
          headers(3, table_size(0) + table_size(4096) + START + indexed(62))), FAILURE),
    case("4.4-eviction", "New fields push out the oldest.",
         (headers(1, START + PATH), until_answered(1),
          headers(3, WHOLE + literal("x-big", "v" * 4030, 0x40)), until_answered(3),
          headers(5, START + indexed(63))), FAILURE),
    case("4.4-larger-than-the-table", "A field larger than the table empties it, and is no error.",
         (headers(1, START + PATH), until_answered(1),
          headers(3, WHOLE + literal("x-big", "v" * 4096, 0x40))), answered(), stream=3),
    case("4.4-larger-than-the-table-empties-it", "After it the table is empty.",
         (headers(1, START + PATH), until_answered(1),
          headers(3, WHOLE + literal("x-big", "v" * 4096, 0x40)), until_answered(3),
          headers(5, START + indexed(62))), FAILURE),
]

NUMBERS = [
    breaks("5.1-overflow-of-an-index", "A number without end is an error.",
           WHOLE + b"\xff" + ENDLESS, tls=True),
    breaks("5.1-overflow-of-a-name-index", "So is one in the place of a name.",
           WHOLE + b"\x7f" + ENDLESS + string("a")),
    breaks("5.1-overflow-of-a-length", "So is one as a length.",
           WHOLE + b"\x00\x7f" + ENDLESS + b"a"),
    breaks("5.1-overflow-of-a-size", "So is one as the table's size.",
           b"\x3f" + ENDLESS + WHOLE),
    breaks("5.1-overflow-of-32-bits", "A number does not begin at 0 again after 2^32.",
           WHOLE + integer(2**32 + 2, 7, 0x80)),
    breaks("5.1-overflow-of-64-bits", "It does not after 2^64 either.",
           WHOLE + integer(2**64 + 2, 7, 0x80)),
    breaks("5.1-cut", "A block cannot end within a number.", WHOLE + b"\xff\x80"),
    breaks("5.1-cut-after-its-first-byte", "It cannot end after a number's first byte.",
           WHOLE + b"\x7f"),
]

STRINGS = [
    takes("5.2-compressed", "Strings may be compressed.",
          WHOLE + b"\x00" + huffman(b"\xf2\xb2\x4f") + huffman(b"\x1f")),
    takes("5.2-compressed-and-empty", "An empty string may be called compressed.",
          with_value(huffman(b""))),
    breaks("5.2-padding-too-long", "Padding is less than eight bits.",
           with_value(huffman(b"\x1f\xff")), tls=True),
    breaks("5.2-padding-of-zeros", "Padding is all ones.", with_value(huffman(b"\x18"))),
    breaks("5.2-padding-mixed", "One zero bit in the padding is an error.",
           with_value(huffman(b"\x1d"))),
    breaks("5.2-end-of-string", "The code for a string's end must not be in it.",
           with_value(huffman(b"\xff\xff\xff\xff")), tls=True),
    breaks("5.2-end-of-string-in-the-middle", "It must not be in the middle of it either.",
           with_value(huffman(b"\x1f\xff\xff\xff\xf8\xff"))),
    breaks("5.2-bad-padding-in-a-name", "Names are held to this, too.",
           WHOLE + b"\x00" + huffman(b"\x18") + string("a")),
    breaks("5.2-longer-than-the-block", "A string cannot be longer than its block.",
           with_value(string("abc", says=4))),
    breaks("5.2-far-longer-than-the-block", "It cannot be longer by 2^31 bytes.",
           with_value(string("abc", says=2**31))),
    breaks("6.2-no-value", "A field cannot end after its name.",
           WHOLE + b"\x00" + string("x-name")),
    breaks("6.2-no-name", "It cannot end before its name.", WHOLE + b"\x40"),
]

LITERALS = [
    takes("6.2.1-added", "A field may be added.", WHOLE + literal("x-a", "b", 0x40)),
    takes("6.2.2-not-added", "A field may be left out of the table.",
          WHOLE + literal("x-a", "b", 0x00)),
    takes("6.2.3-never-added", "A field may be kept out of every table.",
          WHOLE + literal("x-a", "b", 0x10)),
    case("6.2.2-is-left-out", "What is to be left out is left out.",
         (headers(1, WHOLE + literal("x-a", "b", 0x00)), until_answered(1),
          headers(3, WHOLE + indexed(62))), FAILURE),
    case("6.2.3-is-kept-out", "What is to be kept out is kept out.",
         (headers(1, WHOLE + literal("x-a", "b", 0x10)), until_answered(1),
          headers(3, WHOLE + indexed(62))), FAILURE),
    case("3.2-trailers", "Trailers are held to all this, too.",
         (headers(1, chat_head(), end=False) + data(1, BODY) + headers(1, indexed(62)),),
         FAILURE, asks=0),
    case("3.2-conversation", "Sixty requests of an encoder with a full table are understood.",
         (conversation, headers(201, WHOLE)), answered(), stream=201, tls=True),
]

CASES = [*TABLE, *SIZES, *NUMBERS, *STRINGS, *LITERALS]
