"""The form of a case, the reactions that it may name, and how it is run."""

import time
import zlib
from dataclasses import dataclass
from typing import Callable

from h2.errors import ErrorCodes

from . import frames
from .observation import Breach
from .peer import Mismatch, Peer


# Reactions. Each one says whether it has been seen for good.


@dataclass(frozen=True)
class GoAway:
    """A connection error: GOAWAY with one of the codes, and the connection is closed."""

    codes: tuple
    last: int = 0
    """The frame names this stream or a later one as the last that was taken up."""

    def is_seen(self, peer, case) -> bool:
        seen = peer.seen
        return seen.is_closed and seen.error in self.codes and (
            seen.goaways[-1].last_stream_id >= self.last)


@dataclass(frozen=True)
class Close:
    """The connection is closed without a word, or without one about an error."""

    def is_seen(self, peer, case) -> bool:
        return peer.seen.is_closed and peer.seen.error in (None, 0)


@dataclass(frozen=True)
class Reset:
    """RST_STREAM with one of the codes, and the connection lives on."""

    codes: tuple

    def is_seen(self, peer, case) -> bool:
        return peer.seen.resets.get(case.stream) in self.codes and peer.sync()


@dataclass(frozen=True)
class Status:
    """An answer with one of the statuses, whole, and the connection lives on."""

    statuses: tuple

    def is_seen(self, peer, case) -> bool:
        answer = peer.seen.answer(case.stream)
        return answer.is_ended and answer.status in self.statuses and peer.sync()


@dataclass(frozen=True)
class Nothing:
    """No reset and no end: the next request is answered."""

    def is_seen(self, peer, case) -> bool:
        return peer.ask() and case.stream not in peer.seen.resets and peer.sync()


@dataclass(frozen=True)
class Fact:
    """Something about what came, and the connection lives on."""

    name: str
    holds: Callable

    def is_seen(self, peer, case) -> bool:
        return self.holds(peer.seen) and peer.sync()


def codes(*names) -> tuple:
    return tuple(int(ErrorCodes[name]) for name in names)


# What the RFCs allow, and of that what the gateway is to do.


@dataclass(frozen=True)
class Expectation:
    allowed: tuple
    ours: tuple


def connection_error(*names, closes=False, last=0) -> Expectation:
    """RFC 9113 5.4.1: GOAWAY should be sent, the connection must be closed. With `closes` ours
    need not say why."""
    error = GoAway(codes(*names), last)
    return Expectation((error, Close()), (error, Close()) if closes else (error,))


def stream_error(*names) -> Expectation:
    """RFC 9113 5.4.1 lets a server treat it as a connection error as well. Ours must not: other
    streams of the connection are somebody else's."""
    error = Reset(codes(*names))
    return Expectation((error, GoAway(codes(*names)), Close()), (error,))


def either_error(*names) -> Expectation:
    """A stream error in the RFC's words, of which the gateway's library makes a connection
    error."""
    both = Reset(codes(*names)), GoAway(codes(*names))
    return Expectation((*both, Close()), both)


def malformed() -> Expectation:
    """RFC 9113 8.1.1: a stream error, before which a server may answer. Ours does not."""
    allowed = stream_error("PROTOCOL_ERROR").allowed
    return Expectation(
        (*allowed, Status(tuple(range(400, 500)))), (Reset(codes("PROTOCOL_ERROR")),))


def refused(*statuses, or_malformed=True) -> Expectation:
    """Not to be served: ours answers with one of the statuses."""
    more = malformed().allowed if or_malformed else ()
    return Expectation((*more, Status(tuple(range(400, 506)))), (Status(statuses),))


def answered(*statuses) -> Expectation:
    reaction = (Status(statuses or (200,)),)
    return Expectation(reaction, reaction)


def nothing() -> Expectation:
    return Expectation((Nothing(),), (Nothing(),))


def fact(name, holds) -> Expectation:
    return Expectation((Fact(name, holds),), (Fact(name, holds),))


def refused_stream() -> Expectation:
    """RFC 9113 5.1.2: one stream is too many, the others are not. The gateway's library ends the
    connection of a client that has acknowledged the limit."""
    def is_last(seen):
        last = 2 * seen.settings[frames.MAX_CONCURRENT_STREAMS] + 1
        return list(seen.resets) == [last] and seen.resets[last] in codes(
            "PROTOCOL_ERROR", "REFUSED_STREAM")
    one = Fact("one stream is refused", is_last)
    both = one, GoAway(codes("PROTOCOL_ERROR"))
    return Expectation(both, both)


def nothing_or_close() -> Expectation:
    return Expectation((Nothing(), Close()), (Nothing(), Close()))


def closed() -> Expectation:
    error = GoAway(codes("PROTOCOL_ERROR"))
    return Expectation((error, Close()), (error, Close()))


def one_of(*expectations, ours=None) -> Expectation:
    """Where the RFC leaves it open. `ours`: which of them the gateway has chosen."""
    allowed = tuple(reaction for each in expectations for reaction in each.allowed)
    chosen = ours.ours if ours else tuple(r for each in expectations for r in each.ours)
    return Expectation(allowed, chosen)


@dataclass(frozen=True)
class Case:
    """One demand. `steps` are bytes to send, or functions of the peer that wait for something."""

    id: str
    demand: str
    steps: tuple
    expect: Expectation
    stream: int = 1
    """The stream that the reaction is about."""
    own: tuple = ()
    """The settings that the client begins with."""
    greet: bool = True
    """The handshake comes first."""
    asks: int | None = None
    """How many requests a model server gets of it; None: it is none of the case's business."""
    tls: bool = False
    """It runs over TLS as well."""
    policy: bool = False
    """No RFC demands it: it is what this gateway has decided, and no measure of others."""

    @property
    def tag(self) -> str:
        return "%08x" % zlib.crc32(self.id.encode())


@dataclass(frozen=True)
class Verdict:
    is_allowed: bool
    """What came is what the RFC demands or allows."""
    is_ours: bool
    """It is what the gateway has chosen of that."""
    story: str


def run(case: Case, connect, patience=2.0, in_order=False) -> Verdict:
    """Runs a case on a connection of its own, which `connect` makes. A peer that does everything
    in order needs no patience: what has not come after a round trip does not come."""
    try:
        with Peer(connect(), case.own, case.greet, patience, case.tag) as peer:
            try:
                for step in case.steps:
                    if callable(step):
                        step(peer)
                    else:
                        peer.send(step)
                patience = 0 if in_order and peer.sync() else peer.patience
                is_allowed = wait_for(case.expect.allowed, peer, case, patience)
                is_ours = is_allowed and any(r.is_seen(peer, case) for r in case.expect.ours)
                return Verdict(is_allowed, is_ours, peer.tell())
            except AssertionError as error:
                return Verdict(False, False, f"{error} ({peer.tell()})")
    except (AssertionError, OSError) as error:
        return Verdict(False, False, str(error))


def wait_for(reactions, peer, case, patience) -> bool:
    """True once one of the reactions was seen."""
    end = time.monotonic() + patience
    waits = [r for r in reactions if not isinstance(r, Nothing)]
    rests = [r for r in reactions if isinstance(r, Nothing)]
    while True:
        if any(reaction.is_seen(peer, case) for reaction in waits):
            return True
        if rests:
            # The answer to a later request comes after what there is to say of the case.
            return any(r.is_seen(peer, case) for r in rests) or any(
                r.is_seen(peer, case) for r in waits)
        left = end - time.monotonic()
        if left <= 0 or peer.seen.is_closed:
            return False
        peer.pump(left)


# Steps that wait


def until(condition, what):
    def step(peer):
        if not peer.wait(lambda: condition(peer.seen)):
            raise Mismatch(f"never {what}")
    return step


def until_answered(stream=1):
    return until(lambda seen: seen.answer(stream).is_ended, f"an answer on stream {stream}")


def until_head(stream=1):
    return until(lambda seen: seen.answer(stream).status, f"a head on stream {stream}")


def until_body(count, stream=1):
    """That many bytes of body and, after a round trip, no more."""
    def step(peer):
        body = peer.seen.answer(stream).body
        if not peer.wait(lambda: len(body) >= count) or not peer.sync() or len(body) != count:
            raise Mismatch(f"{len(body)} bytes of body on stream {stream}, not {count}")
    return step


def until_reset(stream=1):
    return until(lambda seen: stream in seen.resets, f"a reset of stream {stream}")


def sync(peer):
    if not peer.sync():
        raise Mismatch("the connection is not alive")


def opens(stream, increment):
    return lambda peer: peer.open_window(stream, increment)


def sets_window(*values):
    """One SETTINGS frame that changes the initial window, so many times over."""
    def step(peer):
        count = peer.seen.acknowledged
        # The server may use a wider window at once, and must keep a narrower one from its ACK on.
        peer.seen.windows.initial = max(peer.seen.windows.initial, values[-1])
        peer.send(frames.settings(*((frames.INITIAL_WINDOW_SIZE, value) for value in values)))
        if not peer.wait(lambda: peer.seen.acknowledged > count):
            raise Mismatch("SETTINGS are not acknowledged")
        peer.seen.windows.initial = values[-1]
    return step


def byte_by_byte(data):
    def step(peer):
        for index in range(len(data)):
            peer.send(data[index:index + 1])
    return step


def shrinks_table(size):
    """Bounds the server's compression table, and holds it to that from its ACK on."""
    def step(peer):
        count = peer.seen.acknowledged
        peer.send(frames.settings((frames.HEADER_TABLE_SIZE, size)))
        if not peer.wait(lambda: peer.seen.acknowledged > count):
            raise Mismatch("SETTINGS are not acknowledged")
        peer.seen.decoder.max_allowed_table_size = size
    return step
