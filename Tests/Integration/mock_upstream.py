"""A model server on plain sockets: it speaks vLLM's dialect, can fail at any byte, and remembers
what it was asked and when its client left.

A request says what is to happen to it in the body's member "mock" (see `Plan`): the gateway passes
unknown members on untouched. As a program it serves on the port it is given until it is killed:

    python mock_upstream.py PORT
"""

import json
import select
import socket
import struct
import sys
import threading
import time
from dataclasses import dataclass, field

from ports import free_port

WORDS = [
    "전력을", " 아끼면", " 더", " 많은 토큰을", ' "따옴표"', " back\\slash", " naïve", " 🔋",
    " 처리할", "\n수 있습니다", " joule", " <b>",
]

# Faults that strike before a byte of the head is sent.
BEFORE_HEAD = (
    "status-500", "status-503", "status-429", "status-400", "close-before-head",
    "reset-before-head", "garbage-head", "never-answers",
)
# Faults that strike a stream when its event number `at` is due.
MID_STREAM = (
    "cut-chunked", "cut-close", "reset", "error-vllm", "error-llama", "raw-error", "no-done",
    "partial-event", "partial-clean", "garbage-chunk", "stall",
)


@dataclass
class Plan:
    """What is to happen to a request."""

    tokens: int = 3
    interval: float = 0  # seconds before each event but the first
    delay: float = 0  # seconds before the head
    fault: str = ""
    at: int = 0  # the event that the fault strikes at
    once: str = ""  # the fault strikes only one request with this word, on whichever server
    split: int = -1  # the response goes out in two segments, cut at this byte
    pad: int = 0  # bytes of text in each event beside the token
    pause: int = -1  # waits a long while before this event, so that a client can leave


def reference(tokens: int = 3, pad: int = 0) -> str:
    """The text that a request for so many tokens gets."""
    return "".join(WORDS[i % len(WORDS)] + "x" * pad for i in range(tokens))


def compact(value) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def sse(payload) -> bytes:
    return b"data: " + compact(payload) + b"\n\n"


DONE = b"data: [DONE]\n\n"


def stream_events(body: dict, plan: Plan) -> list[bytes]:
    """Every event of a chat stream: role, tokens, finish, usage if asked for, the end."""

    def chunk(choices, **more):
        return sse({
            "id": "chatcmpl-mock", "object": "chat.completion.chunk", "created": 1790000000,
            "model": body.get("model"), "choices": choices, **more})

    def choice(delta, finish=None):
        return [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]

    events = [chunk(choice({"role": "assistant", "content": ""}))]
    for index in range(plan.tokens):
        text = WORDS[index % len(WORDS)] + "x" * plan.pad
        events.append(chunk(choice({"content": text})))
    events.append(chunk(choice({"content": ""}, "stop")))
    if (body.get("stream_options") or {}).get("include_usage"):
        events.append(chunk([], usage=usage_of(plan)))
    return events + [DONE]


def usage_of(plan: Plan) -> dict:
    return {"prompt_tokens": 7, "completion_tokens": plan.tokens, "total_tokens": 7 + plan.tokens}


def unary_answer(path: str, body: dict, plan: Plan) -> bytes:
    if path.endswith("/embeddings"):
        return compact({
            "object": "list", "model": body.get("model"),
            "data": [{"index": 0, "object": "embedding", "embedding": [0.5, -0.5]}],
            "usage": {"prompt_tokens": 7, "total_tokens": 7}})
    return compact({
        "id": "chatcmpl-mock", "object": "chat.completion", "created": 1790000000,
        "model": body.get("model"),
        "choices": [{
            "index": 0, "finish_reason": "stop",
            "message": {"role": "assistant", "content": reference(plan.tokens, plan.pad)}}],
        "usage": usage_of(plan)})


def error_body(status: int) -> bytes:
    return compact({"error": {
        "message": f"mock says {status}", "type": "MockError", "param": None, "code": status}})


@dataclass
class Seen:
    """One request as it arrived, and what became of it."""

    path: str
    head: bytes
    headers: dict
    body: dict
    raw_body: bytes
    connection: int
    at: float
    sent: int = 0  # response bytes that the socket took
    events: int = 0
    gone_at: float | None = None  # when the client was seen to have left before the end
    is_answered: bool = False


class Left(Exception):
    """The client closed its connection."""


class Strike(Exception):
    """The connection is to end here."""


@dataclass
class MockUpstream:
    """Serves until `stop`. Attributes may be changed while it runs."""

    port: int = 0
    once: set = field(default_factory=set)  # shared between servers, see Plan.once
    always: dict = field(default_factory=dict)  # a plan under the one that requests bring
    # After a response the connection is closed without a word, after so many seconds; a function
    # is asked each time. None: it is kept.
    closes_after: object = None
    # False: a failing health page.
    is_healthy: bool = True
    # Bytes that the kernel may hold for each connection; 0: as it likes.
    send_buffer: int = 0

    def __post_init__(self):
        self.requests: list[Seen] = []
        self.accepted = 0
        self.sockets: set[socket.socket] = set()
        self.lock = threading.Lock()
        self.listener = self._listen()
        self.port = self.listener.getsockname()[1]
        self.stopping = False
        threading.Thread(target=self._accept, daemon=True).start()

    def _listen(self) -> socket.socket:
        while True:
            try:
                return socket.create_server(
                    ("127.0.0.1", self.port or free_port()), backlog=512)
            except OSError:
                # Somebody else may have been quicker; a port that was asked for is another matter.
                if self.port:
                    raise

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def name(self) -> str:
        return f"127.0.0.1:{self.port}"

    def stop(self):
        self.stopping = True
        for sock in [self.listener, *self.sockets]:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            sock.close()

    def inference(self) -> list[Seen]:
        """Requests other than probes and scrapes."""
        return [seen for seen in self.requests if seen.head.startswith(b"POST")]

    # Connections

    def _accept(self):
        while not self.stopping:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.send_buffer:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self.send_buffer)
            self.accepted += 1
            self.sockets.add(sock)
            threading.Thread(
                target=self._serve, args=(sock, self.accepted), daemon=True).start()

    def _serve(self, sock, number):
        waiting = b""
        try:
            while True:
                while b"\r\n\r\n" not in waiting:
                    waiting += self._receive(sock)
                head, waiting = waiting.split(b"\r\n\r\n", 1)
                lines = head.decode("latin-1").split("\r\n")
                headers = {}
                for line in lines[1:]:
                    name, value = line.split(":", 1)
                    headers[name.strip().lower()] = value.strip()
                length = int(headers.get("content-length", 0))
                while len(waiting) < length:
                    waiting += self._receive(sock)
                body, waiting = waiting[:length], waiting[length:]
                path = lines[0].split(" ")[1]
                seen = Seen(
                    path, head, headers, json.loads(body) if body else {}, body, number,
                    time.monotonic())
                self.requests.append(seen)
                self._answer(sock, seen)
                seen.is_answered = True
                wait = self.closes_after() if callable(self.closes_after) else self.closes_after
                if wait is not None:
                    # Whatever comes meanwhile is left unread, as with a server that closes just
                    # when the next request is under way.
                    time.sleep(wait)
                    return
        except (Left, Strike, OSError):
            pass
        finally:
            self.sockets.discard(sock)
            sock.close()

    def _receive(self, sock) -> bytes:
        data = sock.recv(1 << 16)
        if not data:
            raise Left
        return data

    def _send(self, sock, seen, data):
        view = memoryview(data)
        while view:
            try:
                count = sock.send(view)
            except OSError:
                seen.gone_at = time.monotonic()
                raise
            seen.sent += count
            view = view[count:]

    def _wait(self, sock, seen, seconds):
        """Waits, but not for longer than the client stays."""
        end = time.monotonic() + seconds
        while True:
            left = end - time.monotonic()
            if left <= 0:
                return
            if select.select([sock], [], [], left)[0]:
                try:
                    data = sock.recv(1 << 16)
                except OSError:
                    data = b""
                if not data:
                    seen.gone_at = time.monotonic()
                    raise Left

    # Answers

    def _answer(self, sock, seen):
        if not seen.head.startswith(b"POST"):
            status = 200 if self.is_healthy and seen.path == "/health" else 503
            self._whole(sock, seen, 404 if seen.path != "/health" else status, b"{}")
            return
        plan = Plan(**{**self.always, **seen.body.get("mock", {})})
        with self.lock:
            if plan.once:
                if plan.once in self.once:
                    plan.fault = ""
                elif plan.fault:
                    self.once.add(plan.once)
        if plan.delay:
            self._wait(sock, seen, plan.delay)
        if plan.fault in BEFORE_HEAD:
            self._fail_early(sock, seen, plan)
        elif seen.body.get("stream"):
            self._stream(sock, seen, plan)
        else:
            self._unary(sock, seen, plan)

    def _whole(self, sock, seen, status, body, split=-1, more=b""):
        head = (
            f"HTTP/1.1 {status} Mock\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nserver: mock-secret\r\n").encode() + more + b"\r\n"
        self._in_two(sock, seen, head + body, split)

    def _in_two(self, sock, seen, data, split):
        if 0 <= split < len(data):
            self._send(sock, seen, data[:split])
            time.sleep(0.0015)
            self._send(sock, seen, data[split:])
        else:
            self._send(sock, seen, data)

    def _fail_early(self, sock, seen, plan):
        match plan.fault:
            case "close-before-head":
                raise Strike
            case "reset-before-head":
                self._reset(sock)
            case "garbage-head":
                self._send(sock, seen, b"HTTP/1.1 abc \x01\x02\r\n\r\n")
                raise Strike
            case "never-answers":
                self._wait(sock, seen, 60)
                raise Strike
            case fault:
                status = int(fault.removeprefix("status-"))
                self._whole(sock, seen, status, error_body(status))

    def _unary(self, sock, seen, plan):
        body = unary_answer(seen.path, seen.body, plan)
        head = (
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\n\r\n").encode()
        match plan.fault:
            case "":
                self._whole(sock, seen, 200, body, plan.split)
            case "cut-chunked":
                head = head.replace(
                    f"content-length: {len(body)}".encode(), b"transfer-encoding: chunked")
                half = body[:len(body) // 2]
                self._send(sock, seen, head + chunked(half))
                raise Strike
            case "cut-close":
                head = head.replace(f"content-length: {len(body)}\r\n".encode(), b"")
                self._send(sock, seen, head + body[:len(body) // 2])
                raise Strike
            case "reset":
                self._send(sock, seen, head + body[:len(body) // 2])
                time.sleep(0.005)
                self._reset(sock)
            case "stall":
                self._send(sock, seen, head + body[:len(body) // 2])
                self._wait(sock, seen, 60)
                raise Strike
            case _:
                self._send(sock, seen, head + body[:len(body) // 2])
                raise Strike

    def _reset(self, sock):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise Strike

    def _stream(self, sock, seen, plan):
        events = stream_events(seen.body, plan)
        closes = plan.fault == "cut-close"
        head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
        head += b"connection: close\r\n\r\n" if closes else b"transfer-encoding: chunked\r\n\r\n"
        if plan.split >= 0:
            body = b"".join(chunked(event) for event in events) + LAST_CHUNK
            self._in_two(sock, seen, head + body, plan.split)
            return
        self._send(sock, seen, head)
        for index, event in enumerate(events):
            if plan.pause == index:
                self._wait(sock, seen, 60)
            if index and plan.interval:
                self._wait(sock, seen, plan.interval)
            if plan.fault and index == plan.at:
                self._strike(sock, seen, plan, event)
                return
            self._send(sock, seen, event if closes else chunked(event))
            seen.events += 1
        if closes:
            raise Strike
        self._send(sock, seen, LAST_CHUNK)

    def _strike(self, sock, seen, plan, event):
        error = sse(json.loads(error_body(500)))
        # What was sent must have been read before a reset, or it is lost on the way.
        match plan.fault:
            case "cut-chunked" | "cut-close":
                raise Strike
            case "reset":
                time.sleep(0.005)
                self._reset(sock)
            case "error-vllm":
                self._send(sock, seen, chunked(error) + chunked(DONE) + LAST_CHUNK)
            case "error-llama":
                self._send(sock, seen, chunked(error) + LAST_CHUNK)
            case "raw-error":
                self._send(sock, seen, chunked(error_body(500)) + LAST_CHUNK)
            case "no-done":
                self._send(sock, seen, LAST_CHUNK)
            case "partial-event":
                self._send(sock, seen, chunked(event[:len(event) // 2]))
                raise Strike
            case "partial-clean":
                self._send(sock, seen, chunked(event[:len(event) // 2]) + LAST_CHUNK)
            case "garbage-chunk":
                self._send(sock, seen, b"zz-no-chunk-size\r\n\x01\x02\r\n")
                raise Strike
            case "stall":
                self._wait(sock, seen, 60)
                raise Strike


LAST_CHUNK = b"0\r\n\r\n"


def chunked(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


if __name__ == "__main__":
    MockUpstream(port=int(sys.argv[1]))
    print("ready", flush=True)
    threading.Event().wait()
