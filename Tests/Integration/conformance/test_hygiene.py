"""What a client says about a request's way, and what becomes of it: nothing."""

import ssl

import pytest

from clients import CHAT, H1, H2, chat_body

from . import frames
from .exchange import exchange
from .http1 import HEALTH
from .peer import Peer

# All that a model server is told in a head.
TOLD = {
    "host", "user-agent", "accept", "content-type", "content-length", "x-request-id"}

ODD = [
    ("x_underscore", "a"), ("content_length", "5"), ("x-forwarded-for", "6.6.6.6"),
    ("x-forwarded-host", "evil.test"), ("x-forwarded-proto", "https"), ("forwarded", "for=6"),
    ("via", "1.1 evil"), ("x-real-ip", "6.6.6.6"), ("x-request-id", "mine-1"),
    ("x-tenant", "admin"), ("x-priority", "0"), ("cookie", "a=b"), ("authorization", "Bearer x"),
    ("x-original-url", "/metrics"), ("x-http-method-override", "DELETE"), ("range", "bytes=0-1"),
    ("accept-encoding", "gzip, br"), ("traceparent", "00-1-2-3"), ("origin", "evil.test"),
    ("early-data", "1"), ("max-forwards", "0"), ("user-agent", "evil"), ("x-name", "a")]


@pytest.mark.parametrize("client", [H1, H2])
def test_nothing_of_a_clients_head_goes_on(front, client):
    with client(front.gateway.port) as client:
        assert client.ask("POST", CHAT, chat_body(), ODD).status == 200
    seen = front.mock.inference()[-1]
    assert set(seen.headers) == TOLD
    assert seen.headers["x-request-id"].startswith("jg-")
    head = seen.head.lower()
    assert b"evil" not in head and b"6.6.6.6" not in head and b"mine-1" not in head


@pytest.mark.parametrize("query", ["?a=b", "?", "?a=/../..//&b=%00", "?" + "a" * 4000])
def test_a_query_goes_no_further(front, query):
    with H2(front.gateway.port) as client:
        assert client.ask("POST", CHAT + query, chat_body()).status == 200
    assert front.mock.inference()[-1].path == CHAT


@pytest.mark.parametrize("offer, spoken", [
    (["h2", "http/1.1"], "h2"), (["http/1.1", "h2"], "h2"), (["h2"], "h2"),
    (["http/1.1"], "http/1.1"), (["spdy/3", "http/1.1"], "http/1.1"), ([], None)])
def test_what_is_agreed_on_is_spoken(front, offer, spoken):
    sock = front.connect_tls(offer)
    assert sock.selected_alpn_protocol() == spoken
    if spoken == "h2":
        with Peer(sock) as peer:
            peer.send(frames.get(1))
            assert peer.wait(lambda: peer.seen.answer(1).is_ended)
            assert peer.seen.answer(1).status == 200
    else:
        assert exchange(sock, HEALTH, 1).statuses == [200]


def test_an_offer_of_other_protocols_alone_is_refused(front):
    """RFC 7301 3.2."""
    with pytest.raises((ssl.SSLError, ConnectionError)):
        front.connect_tls(["spdy/3"])


def test_the_preface_is_no_request_where_http1_was_agreed_on(front):
    told = exchange(front.connect_tls(["http/1.1"]), frames.PREFACE + frames.settings(), 1)
    assert told.statuses == [505] and told.is_closed
