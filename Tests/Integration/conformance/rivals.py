"""Other servers to run the cases against: each is a name, a version and a port."""

import re
import shutil
import socket
import subprocess
import time

import h2.config
import h2.connection
import h2.events
import h2.exceptions

import processes
from clients import CHAT
from mock_upstream import MockUpstream
from ports import free_port

from .contrary import Contrary

HAPROXY = """
global
  maxconn 500
  nbthread 1
defaults
  mode http
  timeout connect 5s
  timeout client 20s
  timeout server 20s
frontend h2
  bind 127.0.0.1:{h2} proto h2
  default_backend model
frontend h1
  bind 127.0.0.1:{h1}
  default_backend model
backend model
  server model 127.0.0.1:{model}
"""

NGINX = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ worker_connections 500; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  client_max_body_size 16m;
  server {{
    listen 127.0.0.1:{h2} http2;
    listen 127.0.0.1:{h1};
    location / {{
      proxy_pass http://127.0.0.1:{model};
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }}
  }}
}}
"""


class Rival:
    """A running server; `h1` is where it speaks HTTP/1.1, if it does."""

    def __init__(self, name, version, h2, h1=None, stop=lambda: None):
        self.name, self.version = name, version
        self.h2, self.h1, self.stop = h2, h1, stop
        self.asked = lambda: 0

    def connect(self, port=None) -> socket.socket:
        sock = socket.create_connection(("127.0.0.1", port or self.h2), 5)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    def connect_h1(self) -> socket.socket:
        return self.connect(self.h1)


def version_of(*command) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    found = re.search(r"\d+\.\d+(\.\d+)?", done.stdout + done.stderr)
    return found[0] if found else "?"


def spawn(name, version, command, h2, h1=None) -> Rival:
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stop():
        child.terminate()
        child.wait()

    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", h2), 1).close()
            return Rival(name, version, h2, h1, stop)
        except OSError:
            time.sleep(0.05)
    stop()
    raise AssertionError(f"{name} does not listen")


def haproxy(folder, model) -> Rival:
    ports = {"h2": free_port(), "h1": free_port()}
    file = folder / "haproxy.cfg"
    file.write_text(HAPROXY.format(model=model, **ports))
    return spawn("HAProxy", version_of("haproxy", "-v"), ["haproxy", "-db", "-f", file], **ports)


def nginx(folder, model) -> Rival:
    ports = {"h2": free_port(), "h1": free_port()}
    file = folder / "nginx.conf"
    file.write_text(NGINX.format(model=model, folder=folder, **ports))
    return spawn("nginx", version_of("nginx", "-v"), ["nginx", "-c", file, "-p", folder], **ports)


def nghttpx(folder, model) -> Rival:
    port = free_port()
    return spawn("nghttpx", version_of("nghttpx", "--version"), [
        "nghttpx", f"-f127.0.0.1,{port};no-tls", f"-b127.0.0.1,{model}", "--workers=1",
        "--conf=/dev/null", "--errorlog-file=/dev/null"], port, port)


def nghttpd(folder, model) -> Rival:
    """A server of files: the answers are there as such."""
    root = folder / "files"
    for path, size in SIZES.items():
        file = root / path.decode()[1:]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x" * size)
    port = free_port()
    return spawn("nghttpd", version_of("nghttpd", "--version"), [
        "nghttpd", "--no-tls", "-a", "127.0.0.1", "-d", root, str(port)], port)


def joulegate(folder, model) -> Rival:
    """With a model server of its own, as it passes on no other requests than those for models."""
    mock = MockUpstream()
    gateway = processes.Gateway(folder, processes.configuration([mock]))

    def stop():
        gateway.kill()
        mock.stop()

    rival = Rival(
        "joulegate", version_of(processes.program(), "--version"), gateway.port, gateway.port,
        stop)
    rival.asked = lambda: len(mock.inference())
    return rival


# What is served under which path, bytes.
SIZES = {b"/health": 2, CHAT.encode(): 300, b"/v1/completions": 100_000}


class ModelServer(Contrary):
    """HTTP/1.1 behind a proxy: counts requests other than those for /health."""

    count = 0

    def serve(self, sock):
        source = sock.makefile("rb")
        while line := source.readline():
            method, path, _ = line.split(b" ", 2)
            fields = {}
            while (field := source.readline()) not in (b"\r\n", b"\n", b""):
                name, _, value = field.partition(b":")
                fields[name.strip().lower()] = value.strip()
            if fields.get(b"transfer-encoding"):
                while size := int(source.readline().split(b";")[0], 16):
                    source.read(size + 2)
                while source.readline() not in (b"\r\n", b""):
                    pass
            else:
                source.read(int(fields.get(b"content-length", 0)))
            self.count += path != b"/health"
            size = SIZES.get(path, 2)
            body = b"" if method == b"HEAD" else b"x" * size
            sock.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (size, body))


class H2Server(Contrary):
    """A server of the python library h2: an answer to each whole request, as windows allow."""

    def serve(self, sock):
        connection = h2.connection.H2Connection(
            h2.config.H2Configuration(client_side=False, header_encoding=None))
        connection.initiate_connection()
        sock.sendall(connection.data_to_send())
        left, heads = {}, {}
        while data := sock.recv(1 << 16):
            try:
                events = connection.receive_data(data)
            except h2.exceptions.ProtocolError:
                sock.sendall(connection.data_to_send())
                return
            for event in events:
                self.take(connection, event, heads, left)
            self.send(connection, left)
            sock.sendall(connection.data_to_send())

    def take(self, connection, event, heads, left):
        if isinstance(event, h2.events.RequestReceived):
            heads[event.stream_id] = dict(event.headers)
        elif isinstance(event, h2.events.DataReceived):
            connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamReset):
            left.pop(event.stream_id, None)
        elif isinstance(event, h2.events.StreamEnded):
            head = heads.pop(event.stream_id)
            size = SIZES.get(head.get(b":path"), 2)
            is_head = head[b":method"] == b"HEAD"
            try:
                connection.send_headers(event.stream_id, [(":status", "200")], end_stream=is_head)
            except h2.exceptions.StreamClosedError:
                return  # The client has reset it in the same breath.
            if not is_head:
                left[event.stream_id] = size

    def send(self, connection, left):
        for stream in list(left):
            while left.get(stream, 0):
                room = connection.local_flow_control_window(stream)
                count = min(left[stream], room, connection.max_outbound_frame_size)
                if count <= 0:
                    break
                left[stream] -= count
                connection.send_data(stream, b"x" * count, end_stream=not left[stream])


def python_h2(folder, model) -> Rival:
    server = H2Server()
    return Rival("python h2", h2.__version__, server.port, None, server.stop)


ALL = {
    "joulegate": joulegate, "haproxy": haproxy, "nghttpd": nghttpd, "nghttpx": nghttpx,
    "nginx": nginx, "h2": python_h2}


def is_here(name) -> bool:
    return name in ("joulegate", "h2") or shutil.which(name) is not None
