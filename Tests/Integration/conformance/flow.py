"""RFC 9113, 5.2 and 6.9: how much may be on its way."""

from .cases import (
    Case, answered, fact, opens, sets_window, until_answered, until_body, until_head, until_reset)
from .frames import (
    BODY, INITIAL_WINDOW_SIZE, MAX_WINDOW, chat, chat_head, data, get, headers, large)
from .peer import Mismatch


def case(id, demand, steps, expect, **more):
    return Case(f"9113-{id}", demand, steps, expect, **more)


def window(size):
    return ((INITIAL_WINDOW_SIZE, size),)


def body_of(count, stream=1):
    return fact(f"{count} bytes", lambda seen: len(seen.answer(stream).body) == count)


class Sender:
    """Sends DATA as the server's windows allow; `sent` is what the connection has taken."""

    def __init__(self, peer):
        self.peer = peer
        self.sent = 0

    def send(self, stream, count, payload, pad=None):
        """So many frames of `payload`."""
        size = len(payload) + (0 if pad is None else pad + 1)
        seen = self.peer.seen
        used = 0
        for _ in range(count):
            def has_room(used=used):
                initial = seen.settings.get(INITIAL_WINDOW_SIZE, 65535)
                stream_room = initial + seen.credit.get(stream, 0) - used
                room = 65535 + seen.credit.get(0, 0) - self.sent
                # A stream that is gone gets no more credit of its own, and needs none.
                return room >= size and (stream_room >= size or stream in seen.resets)
            if not self.peer.wait(has_room):
                raise Mismatch(f"no room after {self.sent} bytes")
            self.peer.send(data(stream, payload, pad=pad))
            used += size
            self.sent += size


def long_upload(pad, payload, count):
    def step(peer):
        peer.send(headers(1, chat_head(), end=False))
        Sender(peer).send(1, count, payload, pad)
        peer.send(data(1, BODY, end=True))
    return step


def uploads_for_nobody(peer):
    """More than a connection's window, on streams that the server has refused."""
    sender = Sender(peer)
    for stream in range(1, 41, 2):
        peer.send(headers(stream, chat_head(("Upper", "a")), end=False))
        until_reset(stream)(peer)
        sender.send(stream, 8, b" " * 16384)


CASES = [
    case("6.9.1-shut", "Without a window the head comes, and no body.",
         (chat(1), until_head(1), until_body(0)), body_of(0), own=window(0), tls=True),
    case("6.9.1-to-the-byte", "WINDOW_UPDATE lets exactly its bytes through.",
         (chat(1), until_body(1), opens(1, 1), until_body(2), opens(1, 9), until_body(11)),
         body_of(11), own=window(1), tls=True),
    case("6.9.1-update-before-the-answer", "WINDOW_UPDATE counts before there is a body, too.",
         (headers(1, chat_head(), end=False), opens(1, 7), data(1, BODY, end=True),
          until_body(7)), body_of(7), own=window(0), asks=1),
    case("6.9.1-head-answer", "An answer without a body needs no window.",
         (get(1, method="HEAD"),), answered(), own=window(0), policy=True),
    case("6.9.1-connection", "The connection's window holds for all that comes.",
         (large(1), until_body(65535), opens(0, 10), until_body(65545), opens(0, 1 << 20),
          until_answered(1)), answered(), own=window(MAX_WINDOW), tls=True),
    case("6.9.1-both", "Bytes need room in both windows.",
         (large(1), until_body(65535), opens(1, 1 << 20), until_body(65535), opens(0, 1),
          until_body(65536)), body_of(65536)),
    case("6.9.1-shared", "The connection's window is shared by its streams.",
         (large(1), until_body(65535), chat(3), until_body(0, stream=3), opens(0, 1 << 20), until_answered(3)), answered(), stream=3, own=window(MAX_WINDOW)),
    case("5.2.1-one-stream-does-not-block-another", "A stream that waits does not hold up others.",
         (large(1), until_body(50), chat(3), opens(3, 65535)), answered(), stream=3,
         own=window(50)),
    case("6.9.2-grows", "A larger initial window opens streams that wait.",
         (chat(1), until_head(1), sets_window(5), until_body(5), sets_window(65535)),
         answered(), own=window(0), tls=True),
    case("6.9.2-grows-by-the-difference", "What was sent counts when the window changes.",
         (chat(1), until_body(20), sets_window(30), until_body(30)), body_of(30),
         own=window(20)),
    case("6.9.2-negative", "A window that SETTINGS make negative must be filled up first.",
         (chat(1), until_body(10), sets_window(3), until_body(10), opens(1, 7), until_body(10),
          opens(1, 1), until_body(11)), body_of(11), own=window(10), tls=True),
    case("6.9.2-negative-then-grows", "SETTINGS can bring it back, too.",
         (chat(1), until_body(10), sets_window(0), until_body(10), sets_window(12),
          until_body(12)), body_of(12), own=window(10)),
    case("6.9.2-not-the-connection", "SETTINGS do not change the connection's window.",
         (large(1), until_body(65535), sets_window(MAX_WINDOW), until_body(65535)),
         body_of(65535)),
    case("6.5.3-in-order", "Of two values in one frame the last one holds.",
         (chat(1), until_head(1), sets_window(100, 1), until_body(1)), body_of(1),
         own=window(0)),
    case("6.5.3-zero-in-between", "Each value counts on its way to the last one.",
         (chat(1), until_body(10), sets_window(0, 40, 15), until_body(15)), body_of(15),
         own=window(10)),
    case("6.9-credit-for-a-long-body", "What the server has read it gives back.",
         (long_upload(None, b" " * 16384, 90),), answered(), asks=1, tls=True),
    case("6.9-credit-for-padding", "Padding takes room, and gives it back.",
         (long_upload(255, b" ", 1500),), answered(), asks=1),
    case("6.9-credit-for-what-is-thrown-away",
         "DATA on streams that are gone takes room of the connection, and gives it back.",
         (uploads_for_nobody, chat(101)), answered(), stream=101, asks=1),
]
