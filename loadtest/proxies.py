"""The proxies that the gateway is compared with: how each is found, configured and started.

Each has one thread that serves, a cleartext listener for HTTP/2 with prior knowledge, one for TLS
where it can, connections upstream that are kept, no access log, and what its own documentation
names for speed."""

import dataclasses
import functools
import getpass
import os
import re
import shutil
import subprocess
import time

from stage import (
    HAPROXY, PROXY_CPU, RELEASE, ROOT, Proxy, Stage, chat_body, free_port, posted)

VENV = ROOT / ".venv-load" / "bin"

HAPROXY_TLS = """\
frontend front_tls
    bind 127.0.0.1:{tls} ssl crt {bundle} alpn h2 ssl-min-ver TLSv1.3
    default_backend model
"""

# Bodies are read whole, in memory, which costs it less than passing on pieces of them; answers go
# on as they come, else there would be no streams.
NGINX = """\
daemon off;
user {user};
worker_processes 1;
worker_rlimit_nofile 16384;
pid {folder}/nginx.pid;
error_log stderr error;
events {{ worker_connections 8192; }}
http {{
  access_log off;
  tcp_nodelay on;
  keepalive_timeout 300s;
  keepalive_requests 1000000000;
  client_max_body_size 8m;
  client_body_buffer_size 256k;
  client_body_temp_path {folder}/nginx-body;
  proxy_temp_path {folder}/nginx-proxy;
  fastcgi_temp_path {folder}/nginx-fastcgi;
  uwsgi_temp_path {folder}/nginx-uwsgi;
  scgi_temp_path {folder}/nginx-scgi;
  http2_max_concurrent_streams 256;
  upstream model {{
    server 127.0.0.1:{upstream};
    keepalive 2048;
    keepalive_requests 1000000000;
    keepalive_timeout 300s;
  }}
  server {{
    listen 127.0.0.1:{port} http2 backlog=4096;
    listen 127.0.0.1:{tls} http2 ssl backlog=4096;
    ssl_certificate {certificate};
    ssl_certificate_key {key};
    ssl_protocols TLSv1.3;
    location / {{
      proxy_pass http://model;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
      proxy_read_timeout 300s;
    }}
  }}
}}
"""

ENVOY = """\
node: {{id: load, cluster: load}}
static_resources:
  listeners:
  - name: front
    address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}
    filter_chains: [{{filters: [&manager {manager}]}}]
  - name: front_tls
    address: {{socket_address: {{address: 127.0.0.1, port_value: {tls}}}}}
    filter_chains:
    - filters: [*manager]
      transport_socket:
        name: envoy.transport_sockets.tls
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
          common_tls_context:
            alpn_protocols: [h2]
            tls_params: {{tls_minimum_protocol_version: TLSv1_3}}
            tls_certificates:
            - certificate_chain: {{filename: {certificate}}}
              private_key: {{filename: {key}}}
  clusters:
  - name: model
    connect_timeout: 2s
    circuit_breakers:
      thresholds:
      - {{max_connections: 100000, max_pending_requests: 100000, max_requests: 100000}}
    load_assignment:
      cluster_name: model
      endpoints:
      - lb_endpoints:
        - endpoint:
            address: {{socket_address: {{address: 127.0.0.1, port_value: {upstream}}}}}
"""

ENVOY_MANAGER = """{
      name: envoy.filters.network.http_connection_manager,
      typed_config: {
        "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager\
.v3.HttpConnectionManager,
        stat_prefix: front, codec_type: HTTP2, stream_idle_timeout: 0s,
        generate_request_id: false,
        http2_protocol_options: {max_concurrent_streams: 256},
        http_filters: [{name: envoy.filters.http.router, typed_config: {
          "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router,
          suppress_envoy_headers: true, dynamic_stats: false}}],
        route_config: {virtual_hosts: [{name: all, domains: ["*"], routes: [
          {match: {prefix: "/"}, route: {cluster: model, timeout: 0s}}]}]}}}"""


@dataclasses.dataclass
class Pair:
    """A certificate with its key, as files; `bundle` has both in one."""

    certificate: object
    key: object
    bundle: object

    @classmethod
    def self_signed(cls, stage):
        """ECDSA on P-256, what most servers show today."""
        key, certificate = stage.folder / "key.pem", stage.folder / "certificate.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-days", "30", "-subj", "/CN=127.0.0.1", "-keyout", key,
             "-out", certificate], check=True, capture_output=True)
        bundle = stage.file("bundle.pem", certificate.read_bytes() + key.read_bytes())
        return cls(certificate, key, bundle)


@dataclasses.dataclass
class Theatre:
    """The stage with what all proxies share."""

    stage: Stage
    upstream: Proxy
    pair: Pair
    started: int = 0

    def launch(self, peer):
        """A fresh process of a peer that has answered its first request."""
        self.started += 1
        name = f"{peer.name}-{self.started}"
        proxy = peer.start(self, name)
        proxy.name = peer.name
        body = self.stage.file("first.json", chat_body(300, stream=False)).read_bytes()
        for _ in range(100):
            if proxy.process.poll() is None and posted(proxy.port, body):
                return proxy
            time.sleep(0.2)
        raise SystemExit(f"{peer.name} does not answer:\n{proxy.log.read_text()}")

    def spawn(self, name, command, port, tls_port=None, environment=None):
        proxy = self.stage.spawn(command, PROXY_CPU, port, name, environment)
        proxy.tls_port = tls_port
        return proxy

    def written(self, name, template, port, tls, **more):
        """A configuration file from its template."""
        return self.stage.file(name, template.format(
            port=port, tls=tls, upstream=self.upstream.port, folder=self.stage.folder,
            certificate=self.pair.certificate, key=self.pair.key, bundle=self.pair.bundle, **more))


@dataclasses.dataclass
class Peer:
    """A program that may be installed."""

    name: str
    program: str
    version_option: str
    start: object
    has_tls: bool = True

    @functools.cached_property
    def path(self):
        inside = VENV / self.program
        return str(inside) if inside.exists() else shutil.which(self.program)

    @property
    def version(self):
        if self.program == "vllm-router":
            done = [VENV / "python", "-c",
                    "import importlib.metadata as m; print(m.version('vllm-router'))"]
        else:
            done = [self.path, self.version_option]
        done = subprocess.run(done, capture_output=True, text=True, check=False)
        found = re.search(r"\d+\.\d+\.\d+", done.stdout + done.stderr)
        return found.group() if found else "unknown"


def start_haproxy(theatre, name):
    port, tls = free_port(), free_port()
    config = theatre.written(f"{name}.cfg", HAPROXY + HAPROXY_TLS, port, tls)
    return theatre.spawn(name, [PEERS["haproxy"].path, "-db", "-f", config], port, tls)


def start_nginx(theatre, name):
    port, tls = free_port(), free_port()
    user = "root" if os.getuid() == 0 else getpass.getuser()
    config = theatre.written(f"{name}.conf", NGINX, port, tls, user=user)
    return theatre.spawn(
        name, [PEERS["nginx"].path, "-e", "stderr", "-c", config], port, tls)


def start_nghttpx(theatre, name):
    port, tls = free_port(), free_port()
    command = [
        PEERS["nghttpx"].path, "--single-process", "--single-thread", "--workers=1",
        f"--frontend=127.0.0.1,{port};no-tls", f"--frontend=127.0.0.1,{tls}",
        f"--backend=127.0.0.1,{theatre.upstream.port}", "--no-ocsp", "--log-level=ERROR",
        "--tls-min-proto-version=TLSv1.3", "--backlog=4096",
        "--frontend-http2-max-concurrent-streams=256",
        # Prompts of 64 KiB do not fit the 65,535 bytes that a connection may have by default.
        "--frontend-http2-window-size=1048575",
        "--frontend-http2-connection-window-size=16777215",
        "--frontend-http2-read-timeout=300", "--backend-read-timeout=300",
        "--backend-keep-alive-timeout=300", "--conf=/dev/null",
        theatre.pair.key, theatre.pair.certificate]
    return theatre.spawn(name, command, port, tls)


def start_envoy(theatre, name):
    port, tls = free_port(), free_port()
    config = theatre.written(f"{name}.yaml", ENVOY, port, tls, manager=ENVOY_MANAGER)
    command = [
        PEERS["envoy"].path, "-c", config, "--concurrency", "1", "--disable-hot-restart",
        "--log-level", "error"]
    return theatre.spawn(name, command, port, tls)


def start_vllm_router(theatre, name):
    port = free_port()
    command = [
        PEERS["vllm-router"].path, "--worker-urls", f"http://127.0.0.1:{theatre.upstream.port}",
        "--policy", "round_robin", "--host", "127.0.0.1", "--port", port,
        "--prometheus-port", free_port(), "--log-level", "error"]
    return theatre.spawn(name, command, port, environment={"TOKIO_WORKER_THREADS": "1"})


def start_gateway(theatre, name, binary=RELEASE):
    return theatre.stage.gateway(
        theatre.upstream.port, binary, name, pair=(theatre.pair.certificate, theatre.pair.key))


PEERS = {
    peer.name: peer for peer in [
        Peer("joulegate", str(RELEASE), "--version", start_gateway),
        Peer("haproxy", "haproxy", "-v", start_haproxy),
        Peer("nghttpx", "nghttpx", "--version", start_nghttpx),
        Peer("nginx", "nginx", "-v", start_nginx),
        Peer("envoy", "envoy", "--version", start_envoy),
        Peer("vllm-router", "vllm-router", "--version", start_vllm_router, has_tls=False),
    ]
}


def gateway_peer(name, binary):
    """A build of the gateway as a peer."""
    return Peer(
        name, str(binary), "--version",
        lambda theatre, unique: start_gateway(theatre, unique, binary))
