"""What a server sent, and whether it kept the rules while it did."""

import re
from dataclasses import dataclass, field

import hpack
import hyperframe.exceptions
import hyperframe.frame as received

CONNECTION_FIELDS = {
    b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"}


class Breach(AssertionError):
    """The server's own frames break the protocol."""


@dataclass
class Answer:
    """One stream, as far as it has come."""

    status: int = 0
    interim: list = field(default_factory=list)
    fields: list = field(default_factory=list)
    body: bytearray = field(default_factory=bytearray)
    is_ended: bool = False

    def header(self, name: bytes) -> bytes | None:
        return next((value for key, value in self.fields if key == name), None)


class Windows:
    """What the server may send: RFC 9113 6.9."""

    def __init__(self, initial):
        self.initial = initial
        self.connection = 65535
        self.opened: dict[int, int] = {}
        self.used: dict[int, int] = {}

    def open(self, stream, increment):
        if stream == 0:
            self.connection += increment
        else:
            self.opened[stream] = self.opened.get(stream, 0) + increment

    def use(self, stream, count):
        self.connection -= count
        self.used[stream] = self.used.get(stream, 0) + count
        if count and self.connection < 0:
            raise Breach(f"{-self.connection} bytes over the connection's window")
        if count and self.left(stream) < 0:
            raise Breach(f"{-self.left(stream)} bytes over the window of stream {stream}")

    def left(self, stream) -> int:
        return self.initial + self.opened.get(stream, 0) - self.used.get(stream, 0)


class Observation:
    """Frames in the order of their coming. `feed` raises `Breach`."""

    def __init__(self, initial_window=65535):
        self.windows = Windows(initial_window)
        self.unread = b""
        self.decoder = hpack.Decoder()
        self.frames: list = []
        self.answers: dict[int, Answer] = {}
        self.resets: dict[int, int] = {}
        self.goaways: list = []
        self.pings: list[bytes] = []
        self.settings: dict[int, int] = {}
        self.has_settings = False
        self.acknowledged = 0
        self.credit: dict[int, int] = {}
        self.is_closed = False
        self.block = b""

    def feed(self, data: bytes):
        self.unread += data
        if not self.has_settings and self.unread.startswith(b"HTTP/1."):
            # What does not begin as HTTP/2 may get its refusal in HTTP/1.1.
            self.unread = b"HTTP/1."
            return
        while len(self.unread) >= 9:
            frame, length = self._header(self.unread[:9])
            if length > 16384:
                raise Breach(f"a frame of {length} bytes")
            if len(self.unread) < 9 + length:
                return
            self._payload(frame, self.unread[9:9 + length])
            self.unread = self.unread[9 + length:]
            self.frames.append(frame)
            self._take(frame)

    def _header(self, bytes_):
        try:
            return received.Frame.parse_frame_header(memoryview(bytes_))
        except hyperframe.exceptions.HyperframeError as error:
            raise Breach(f"{bytes_!r} heads no frame: {error}") from None

    def _payload(self, frame, payload):
        try:
            frame.parse_body(memoryview(payload))
        except hyperframe.exceptions.HyperframeError as error:
            raise Breach(f"{frame} is malformed: {error}") from None

    def answer(self, stream) -> Answer:
        return self.answers.setdefault(stream, Answer())

    @property
    def error(self) -> int | None:
        """The code of the last GOAWAY."""
        return self.goaways[-1].error_code if self.goaways else None

    def _take(self, frame):
        if not self.has_settings and not isinstance(frame, received.SettingsFrame):
            raise Breach(f"{frame} comes before SETTINGS")
        if self.block and not isinstance(frame, received.ContinuationFrame):
            raise Breach(f"{frame} interrupts a header block")
        match frame:
            case received.SettingsFrame():
                if "ACK" in frame.flags:
                    self.acknowledged += 1
                else:
                    self.has_settings = True
                    self.settings.update(frame.settings)
            case received.PingFrame():
                if "ACK" in frame.flags:
                    self.pings.append(frame.opaque_data)
            case received.GoAwayFrame():
                self.goaways.append(frame)
            case received.RstStreamFrame():
                self.resets[frame.stream_id] = frame.error_code
            case received.WindowUpdateFrame():
                stream = frame.stream_id
                self.credit[stream] = self.credit.get(stream, 0) + frame.window_increment
            case received.HeadersFrame() | received.ContinuationFrame():
                self._header_block(frame)
            case received.DataFrame():
                self._data(frame)
            case received.PushPromiseFrame():
                raise Breach("a push that nobody asked for")

    def _open(self, stream) -> Answer:
        answer = self.answer(stream)
        if answer.is_ended:
            raise Breach(f"stream {stream} goes on after its end")
        return answer

    def _data(self, frame):
        answer = self._open(frame.stream_id)
        if not answer.status:
            raise Breach("DATA before a response's head")
        self.windows.use(frame.stream_id, frame.flow_controlled_length)
        answer.body += frame.data
        answer.is_ended = "END_STREAM" in frame.flags

    def _header_block(self, frame):
        self.block += frame.data
        if isinstance(frame, received.HeadersFrame):
            self.ends_stream = "END_STREAM" in frame.flags
        if "END_HEADERS" not in frame.flags:
            return
        block, self.block = self.block, b""
        answer = self._open(frame.stream_id)
        try:
            fields = self.decoder.decode(block, raw=True)
        except hpack.HPACKError as error:
            raise Breach(f"a header block that cannot be decoded: {error!r}") from None
        self._check(fields, is_trailer=answer.status != 0)
        if not answer.status:
            status = int(fields[0][1])
            if status < 200:
                answer.interim.append(status)
            else:
                answer.status, answer.fields = status, fields
        answer.is_ended = self.ends_stream

    def _check(self, fields, is_trailer):
        pseudo = [name for name, _ in fields if name.startswith(b":")]
        if pseudo != ([] if is_trailer else [b":status"]):
            raise Breach(f"pseudo-fields {pseudo}")
        if pseudo and fields[0][0] != b":status":
            raise Breach("a field before :status")
        for name, value in fields:
            if not re.fullmatch(rb":status|[!#$%&'*+.^_`|~0-9a-z-]+", name):
                raise Breach(f"the field name {name!r}")
            if name in CONNECTION_FIELDS or re.search(rb"[\0\r\n]|^[ \t]|[ \t]$", value):
                raise Breach(f"the field {name!r}: {value!r}")
