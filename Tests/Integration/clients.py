"""Clients that are close to the wire: HTTP/1.1 by h11, HTTP/2 by h2, both checked as strictly as
those libraries do, and both able to leave in every way."""

import json
import socket
import ssl
import struct
import time
from dataclasses import dataclass, field

import h11
import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings
from h2.connection import ConnectionInputs, ConnectionState

PATIENCE = 15.0


@dataclass
class Response:
    """An answer as far as it has come."""

    status: int = 0
    headers: list = field(default_factory=list)
    body: bytearray = field(default_factory=bytearray)
    is_ended: bool = False  # by its framing
    broken: str = ""  # how it ended otherwise
    stream: int = 0

    @property
    def is_over(self) -> bool:
        return self.is_ended or bool(self.broken)

    def header(self, name: str) -> str | None:
        values = [value for key, value in self.headers if key == name]
        assert len(values) <= 1, f"{name} is there {len(values)} times"
        return values[0] if values else None

    def json(self):
        return json.loads(bytes(self.body))


class Client:
    """What the two have in common: a socket, and waiting for something to come true."""

    def __init__(self, port: int, tls: ssl.SSLContext | None, receive_buffer: int | None = None):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname="localhost")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def wait(self, condition, timeout: float = PATIENCE) -> bool:
        """Reads until the condition holds; False if it never did."""
        end = time.monotonic() + timeout
        while not condition():
            left = end - time.monotonic()
            if left <= 0 or not self.pump(left):
                return condition()
        return True

    def linger(self, seconds: float):
        """Reads whatever comes for so long."""
        self.wait(lambda: False, seconds)

    def ask(self, method: str, path: str, body=None, headers=(), timeout=PATIENCE) -> Response:
        """A request and its whole answer."""
        response = self.request(method, path, body, headers)
        assert self.wait(lambda: response.is_over, timeout), f"no end: {response}"
        return response

    def chat(self, timeout=PATIENCE, headers=(), **members) -> Response:
        return self.ask("POST", CHAT, chat_body(**members), headers, timeout)

    def fin(self):
        self.socket.close()

    def rst(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    close = fin

    def read(self, timeout: float) -> bytes | None:
        """None if nothing came; empty at the end."""
        self.socket.settimeout(max(timeout, 0.001))
        try:
            return self.socket.recv(1 << 16)
        except (TimeoutError, ssl.SSLWantReadError):
            return None
        except (ConnectionError, ssl.SSLError, OSError):
            return b""


class H1(Client):
    """HTTP/1.1, one request at a time; connects again after an answer that closed."""

    version = "h1"

    def __init__(self, port, tls=None, **options):
        super().__init__(port, tls, **options)
        self.again = lambda: super(H1, self).__init__(port, tls, **options)
        self.connection = h11.Connection(h11.CLIENT)
        self.current: Response | None = None

    def request(self, method, path, body=None, headers=()) -> Response:
        if self.current and (
                self.connection.our_state is not h11.DONE
                or self.connection.their_state is not h11.DONE):
            assert self.current.is_over, "the answer before is not over"
            self.socket.close()
            self.again()
            self.connection = h11.Connection(h11.CLIENT)
        elif self.current:
            self.connection.start_next_cycle()
        data = as_bytes(body)
        fields = [("host", "gateway.test"), *headers]
        if data is not None:
            fields += [("content-type", "application/json"), ("content-length", str(len(data)))]
        out = self.connection.send(h11.Request(method=method, target=path, headers=fields))
        if data:
            out += self.connection.send(h11.Data(data=data))
        out += self.connection.send(h11.EndOfMessage())
        self.current = Response()
        self.socket.settimeout(PATIENCE)
        try:
            self.socket.sendall(out)
        except OSError:
            pass  # A server may answer before it has read everything.
        return self.current

    def pump(self, timeout) -> bool:
        data = self.read(timeout)
        if data is None:
            return True
        response = self.current
        try:
            self.connection.receive_data(data)
            while True:
                event = self.connection.next_event()
                if event in (h11.NEED_DATA, h11.PAUSED):
                    break
                if isinstance(event, h11.Response):
                    response.status = event.status_code
                    response.headers = text_pairs(event.headers)
                elif isinstance(event, h11.Data):
                    response.body += event.data
                elif isinstance(event, h11.EndOfMessage):
                    response.is_ended = True
                    break
                elif isinstance(event, h11.ConnectionClosed):
                    break
        except h11.RemoteProtocolError as error:
            response.broken = str(error)
        if not data and not response.is_over:
            response.broken = "closed"
        return bool(data)


class H2(Client):
    """HTTP/2: any number of requests. With `acknowledges=False` windows never open by themselves.
    """

    version = "h2"

    def __init__(self, port, tls=None, acknowledges=True, window=None, **options):
        super().__init__(port, tls, **options)
        if tls:
            assert self.socket.selected_alpn_protocol() == "h2"
        self.acknowledges = acknowledges
        self.connection = h2.connection.H2Connection(
            h2.config.H2Configuration(client_side=True, header_encoding="utf-8"))
        # To h2 a GOAWAY is the end of everything, while running streams are to finish (RFC 9113,
        # 6.8).
        machine = self.connection.state_machine
        machine._transitions = {
            **machine._transitions,
            (ConnectionState.CLIENT_OPEN, ConnectionInputs.RECV_GOAWAY): (
                None, ConnectionState.CLIENT_OPEN)}
        self.responses: dict[int, Response] = {}
        self.goaway: h2.events.ConnectionTerminated | None = None
        self.connection.initiate_connection()
        settings = {h2.settings.SettingCodes.ENABLE_PUSH: 0}
        if window is not None:
            settings[h2.settings.SettingCodes.INITIAL_WINDOW_SIZE] = window
        self.connection.update_settings(settings)
        self.flush()

    def flush(self):
        data = self.connection.data_to_send()
        if data:
            self.socket.settimeout(PATIENCE)
            try:
                self.socket.sendall(data)
            except OSError:
                pass

    def request(self, method, path, body=None, headers=()) -> Response:
        data = as_bytes(body)
        stream = self.connection.get_next_available_stream_id()
        fields = [
            (":method", method), (":scheme", "https"), (":authority", "gateway.test"),
            (":path", path), *headers]
        if data is not None:
            fields += [("content-type", "application/json"), ("content-length", str(len(data)))]
        response = Response(stream=stream)
        self.responses[stream] = response
        self.connection.send_headers(stream, fields, end_stream=data is None)
        self.flush()
        while data is not None:
            room = self.connection.local_flow_control_window(stream)
            size = min(len(data), room, self.connection.max_outbound_frame_size)
            if size == 0 and data:
                if response.is_over or not self.pump(PATIENCE):
                    break
                continue
            if response.is_over:
                break
            self.connection.send_data(stream, data[:size], end_stream=size == len(data))
            data = data[size:] or None
            self.flush()
            if data and room - size <= 0:
                self.pump(0.2)
        return response

    def pump(self, timeout) -> bool:
        data = self.read(timeout)
        if data is None:
            return True
        if not data:
            for response in self.responses.values():
                if not response.is_over:
                    response.broken = "closed"
            return False
        for event in self.connection.receive_data(data):
            self.handle(event)
        self.flush()
        return True

    def handle(self, event):
        response = self.responses.get(getattr(event, "stream_id", 0))
        if isinstance(event, h2.events.ResponseReceived):
            response.headers = [(k, v) for k, v in event.headers if not k.startswith(":")]
            response.status = int(dict(event.headers)[":status"])
        elif isinstance(event, h2.events.DataReceived):
            response.body += event.data
            if self.acknowledges and event.flow_controlled_length:
                try:
                    self.connection.acknowledge_received_data(
                        event.flow_controlled_length, event.stream_id)
                except h2.exceptions.StreamClosedError:
                    pass
        elif isinstance(event, h2.events.StreamEnded):
            response.is_ended = True
        elif isinstance(event, h2.events.StreamReset):
            if response and not response.is_over:
                response.broken = f"RST_STREAM {event.error_code}"
        elif isinstance(event, h2.events.ConnectionTerminated):
            self.goaway = event

    def reset(self, response: Response):
        self.connection.reset_stream(response.stream, 8)
        response.broken = "left"
        self.flush()

    def open_window(self, count: int, response: Response | None = None):
        self.connection.increment_flow_control_window(
            count, response.stream if response else None)
        self.flush()


CHAT = "/v1/chat/completions"


def chat_body(stream=False, mock=None, **members) -> dict:
    body = {
        "model": "ax-4.0", "messages": [{"role": "user", "content": "안녕하세요"}],
        **members}
    if stream:
        body["stream"] = True
    if mock:
        body["mock"] = mock
    return body


def as_bytes(body) -> bytes | None:
    if body is None or isinstance(body, bytes):
        return body
    return json.dumps(body, ensure_ascii=False).encode()


def text_pairs(headers) -> list:
    return [(name.decode().lower(), value.decode()) for name, value in headers]


# Streams


def payloads(body: bytes) -> list[str]:
    """The data of every event; anything that is no whole event is an error of the stream."""
    text = bytes(body).decode()  # Strict: no character is ever cut.
    assert text == "" or text.endswith("\n\n"), f"ends within an event: {text[-80:]!r}"
    found = []
    for block in text.split("\n\n")[:-1]:
        lines = [line for line in block.split("\n") if not line.startswith(":")]
        data = [line for line in lines if line.startswith("data:")]
        assert len(data) == len(lines) and len(data) <= 1, f"not an event: {block!r}"
        found += [line.removeprefix("data:").lstrip(" ") for line in data]
    return found


@dataclass
class Told:
    """What a stream said."""

    text: str = ""
    is_done: bool = False
    errors: list = field(default_factory=list)
    finish: str | None = None
    usage: dict | None = None
    after_end: int = 0


def told(body: bytes) -> Told:
    result = Told()
    texts = []
    for payload in payloads(body):
        if result.is_done or result.errors:
            result.after_end += 1
        if payload == "[DONE]":
            result.is_done = True
            continue
        chunk = json.loads(payload)
        if "error" in chunk:
            result.errors.append(chunk["error"])
            continue
        result.usage = chunk.get("usage") or result.usage
        for choice in chunk["choices"]:
            texts.append((choice.get("delta") or {}).get("content") or "")
            result.finish = choice.get("finish_reason") or result.finish
    result.text = "".join(texts)
    return result


def judge_stream(response: Response, expected: str) -> str:
    """`whole` or `error`; anything else fails: a clean end of half an answer, doubled or lost
    text, two endings."""
    if response.status != 200:
        assert response.is_ended, f"a broken error answer: {response}"
        assert response.status >= 400, response
        assert "error" in response.json(), response
        return "error"
    # Even a failed stream ends by its framing: the error event is what tells.
    assert response.is_ended, f"the stream broke off: {response.broken}, {response.body!r}"
    said = told(response.body)
    assert said.after_end == 0, f"something follows the end: {bytes(response.body)!r}"
    if said.is_done:
        assert said.text == expected, f"{said.text!r} is not {expected!r}"
        assert not said.errors
        return "whole"
    assert len(said.errors) == 1, f"neither an end nor an error: {bytes(response.body)!r}"
    assert expected.startswith(said.text), f"{said.text!r} does not begin {expected!r}"
    error = said.errors[0]
    assert error.get("message") and error.get("type"), error
    return "error"
