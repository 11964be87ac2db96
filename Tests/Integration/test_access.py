"""Who may do what, and what nobody gets to see."""

import hashlib
import time

import pytest

from clients import CHAT, H2, chat_body
from mock_upstream import reference

CALL, SPAM, FREE, ADMIN = "key-call", "key-spam", "key-free", "key-admin"
ROTATED = "key-call-old"


def digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def bearer(key: str) -> list:
    return [("authorization", f"Bearer {key}")]


def tenants() -> list:
    return [
        {"name": "call", "pools": ["alpha"], "models": ["ax-4.0"],
         "api_key_sha256": [digest(CALL), digest(ROTATED)]},
        {"name": "spam", "pools": ["beta"], "api_key_sha256": [digest(SPAM)]},
        {"name": "free", "pools": ["alpha", "beta"], "api_key_sha256": [digest(FREE)],
         "allow_remote_media": True, "allow_restricted_fields": True},
    ]


@pytest.fixture(scope="module")
def mocks(shared):
    return shared.mocks(2)


@pytest.fixture(scope="module")
def gateway(shared, mocks):
    alpha, beta = mocks
    both = [{"name": "ax-4.0"}, {"name": "other"}]
    return shared.gateway(
        {"endpoints": [alpha], "models": both}, {"endpoints": [beta], "models": both},
        models=[{"name": "ax-4.0"}, {"name": "other"}], tenants=tenants(), log_level="trace",
        limits={"queue_timeout_ms": 1000},
        admin={"address": "127.0.0.1", "port": 0, "api_key_sha256": digest(ADMIN)})


PATHS = [
    "/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/classify", "/classify",
    "/score", "/v1/score", "/rerank", "/v1/rerank", "/v2/rerank", "/tokenize", "/v1/tokenize",
    "/detokenize", "/v1/detokenize", "/v1/responses",
]


@pytest.mark.parametrize("path", PATHS)
def test_every_inference_path_wants_a_key(gateway, mocks, protocol, path):
    before = [len(mock.inference()) for mock in mocks]
    with protocol(gateway.port) as client:
        for headers in ([], bearer("wrong"), [("authorization", "")],
                        [("authorization", "Bearer")], [("authorization", "Basic a2V5")]):
            response = client.ask("POST", path, chat_body(), headers)
            assert response.status == 401, (path, headers, response)
            assert response.json()["error"]["type"] == "authentication_error"
    assert [len(mock.inference()) for mock in mocks] == before


@pytest.mark.parametrize("path", ["/v1/models", "/v1/models/ax-4.0"])
def test_model_lists_want_a_key(gateway, protocol, path):
    with protocol(gateway.port) as client:
        assert client.ask("GET", path).status == 401
        assert client.ask("GET", path, headers=bearer("wrong")).status == 401
        assert client.ask("GET", path, headers=bearer(CALL)).status == 200


def test_state_pages_are_open(gateway, protocol):
    with protocol(gateway.port) as client:
        for path in ("/health", "/liveness", "/readiness", "/version"):
            assert client.ask("GET", path).status == 200


def test_both_keys_of_a_rotation_hold(gateway, protocol):
    with protocol(gateway.port) as client:
        for headers in (bearer(CALL), bearer(ROTATED), [("authorization", f"bEARER {CALL}")]):
            assert client.chat(headers=headers).status == 200


def test_keys_differ_by_any_byte(gateway, protocol):
    with protocol(gateway.port) as client:
        for key in (CALL + "x", CALL[:-1], CALL.upper(), " " + CALL + " x", digest(CALL)):
            assert client.chat(headers=bearer(key)).status == 401, key


def test_requests_stay_in_the_tenants_pools(gateway, mocks, protocol):
    for key, mine, others in ((CALL, 0, 1), (SPAM, 1, 0)):
        before = len(mocks[mine].inference()), len(mocks[others].inference())
        with protocol(gateway.port) as client:
            for _ in range(10):
                assert client.chat(headers=bearer(key)).status == 200
        assert len(mocks[mine].inference()) == before[0] + 10
        assert len(mocks[others].inference()) == before[1]


def test_pool_restriction_holds_when_the_own_pool_is_down(bench, protocol):
    alpha, beta = bench.mocks(2)
    alpha.always = {"fault": "close-before-head"}
    gateway = bench.gateway(
        [alpha], [beta], limits={"queue_timeout_ms": 300}, tenants=tenants()[:2])
    with protocol(gateway.port) as client:
        for _ in range(12):
            assert client.chat(headers=bearer(CALL)).status in (408, 502, 503)
    assert beta.inference() == []


def test_model_that_is_not_the_tenants_does_not_exist(gateway, mocks, protocol):
    with protocol(gateway.port) as client:
        forbidden = client.chat(headers=bearer(CALL), model="other")
        missing = client.chat(headers=bearer(CALL), model="nothing")
        assert forbidden.status == missing.status == 404
        # The two cannot be told apart.
        same = bytes(forbidden.body).replace(b"other", b"nothing")
        assert same == bytes(missing.body)
        listed = client.ask("GET", "/v1/models", headers=bearer(CALL)).json()
        assert [model["id"] for model in listed["data"]] == ["ax-4.0"]
        assert client.ask("GET", "/v1/models/other", headers=bearer(CALL)).status == 404
        assert client.chat(headers=bearer(FREE), model="other").status == 200


@pytest.mark.parametrize("name", ["chat_template", "kv_transfer_params", "vllm_xargs"])
def test_restricted_fields_need_permission(gateway, protocol, name):
    with protocol(gateway.port) as client:
        response = client.chat(headers=bearer(CALL), **{name: {"a": 1}})
        assert response.status == 403, response
        error = response.json()["error"]
        assert error["param"] == name and error["code"] == "field_not_allowed"
        assert client.chat(headers=bearer(FREE), **{name: {"a": 1}}).status == 200


@pytest.mark.parametrize("spelling", [
    b'"chat_template"', b'"chat\\u005ftemplate"', b'"\\u0063hat_template"'])
def test_escapes_do_not_hide_a_restricted_field(gateway, protocol, spelling):
    body = b'{"model":"ax-4.0","messages":[{"role":"user","content":"a"}],%s:"x"}' % spelling
    with protocol(gateway.port) as client:
        assert client.ask("POST", CHAT, body, bearer(CALL)).status == 403


@pytest.mark.parametrize("part", [
    {"type": "image_url", "image_url": {"url": "http://127.0.0.1/x.png"}},
    {"type": "image_url", "image_url": {"url": "https://example.test/x.png"}},
    {"type": "image_url", "image_url": {"url": "file:///etc/passwd"}},
    {"type": "image_url", "image_url": {"url": "HTTP://127.0.0.1/x.png"}},
    {"type": "image_url", "image_url": "http://127.0.0.1/x.png"},
    {"type": "video_url", "video_url": {"url": "http://127.0.0.1/x.mp4"}},
    {"type": "audio_url", "audio_url": {"url": "ftp://127.0.0.1/x.wav"}},
])
def test_remote_media_need_permission(gateway, mocks, protocol, part):
    before = sum(len(mock.inference()) for mock in mocks)
    messages = [{"role": "user", "content": [{"type": "text", "text": "?"}, part]}]
    with protocol(gateway.port) as client:
        response = client.chat(headers=bearer(CALL), messages=messages)
        assert response.status == 403, response
        assert sum(len(mock.inference()) for mock in mocks) == before
        assert client.chat(headers=bearer(FREE), messages=messages).status == 200


def test_inline_media_pass(gateway, protocol):
    part = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    messages = [{"role": "user", "content": [part]}]
    with protocol(gateway.port) as client:
        assert client.chat(headers=bearer(CALL), messages=messages).status == 200


def test_no_prompt_answer_or_key_in_the_log(gateway, mocks, protocol):
    prompt, secret = "CANARY-PROMPT-카나리아", "sk-CANARY-KEY"
    everything = [
        {}, {"stream": True}, {"model": "CANARY-MODEL"}, {"chat_template": prompt},
        {"stream": True, "mock": {"fault": "cut-chunked", "at": 3}},
        {"mock": {"fault": "status-500"}}, {"mock": {"fault": "garbage-head"}},
        {"mock": {"fault": "status-400"}}, {"stream": True, "mock": {"fault": "error-vllm"}},
        {"messages": [{"role": "user", "content": [
            {"type": "image_url", "image_url": {"url": "http://CANARY-PROMPT"}}]}]},
    ]
    with protocol(gateway.port) as client:
        for members in everything:
            messages = [{"role": "user", "content": prompt}]
            for key in (FREE, CALL, secret):
                client.chat(headers=bearer(key), **{"messages": messages, **members})
        client.ask("POST", CHAT, f'{{"x": "{prompt}"'.encode(), bearer(FREE))
        client.ask("GET", f"/v1/models/{secret}", headers=bearer(FREE))
        client.ask("GET", f"/nothing?key={secret}", headers=bearer(secret))
    with protocol(gateway.port) as client:
        client.request("POST", CHAT, chat_body(
            messages=[{"role": "user", "content": prompt}], mock={"delay": 5}), bearer(FREE))
        client.linger(0.2)
    time.sleep(0.3)
    pages = [gateway.admin("GET", path, headers=dict(bearer(ADMIN)))[1]
             for path in ("/metrics", "/status", "/workers")]
    for text in (gateway.log, *pages):
        for word in ("CANARY", "카나리아", FREE, CALL, SPAM, ADMIN, reference(), "Bearer"):
            assert word not in text
    assert any(mock.inference() for mock in mocks)


def test_admin_pages_want_the_admin_key(gateway):
    for path in ("/metrics", "/workers", "/status", "/policy", "/workers/0", "/nothing"):
        assert gateway.admin("GET", path)[0] == 401
        assert gateway.admin("GET", path, headers=dict(bearer(CALL)))[0] == 401
    assert gateway.admin("PUT", "/policy", {"policy": "random"})[0] == 401
    assert gateway.admin("POST", "/workers/0", {"state": "draining"})[0] == 401
    assert gateway.admin("GET", "/metrics", headers=dict(bearer(ADMIN)))[0] == 200
    assert gateway.admin("GET", "/health")[0] == 200


@pytest.mark.parametrize("path", [
    "/metrics", "/workers", "/workers/0", "/status", "/policy", "/", "/emulated/state",
    "/v1/load_lora_adapter", "/pause", "/sleep", "/collective_rpc", "/tokenizer_info"])
def test_data_port_has_no_admin_pages_and_passes_nothing_unknown_on(
        gateway, mocks, protocol, path):
    before = sum(len(mock.requests) for mock in mocks)
    with protocol(gateway.port) as client:
        for method in ("GET", "POST", "PUT", "DELETE"):
            body = b"{}" if method in ("POST", "PUT") else None
            response = client.ask(method, path, body, bearer(ADMIN))
            assert response.status in (404, 405), response
    assert all(path != seen.path for mock in mocks for seen in mock.requests[before:]
               if path != "/metrics")


# Header fields


INTERNAL = [
    ("x-forwarded-for", "10.0.0.1"), ("forwarded", "for=10.0.0.1"), ("x-real-ip", "10.0.0.1"),
    ("x-vllm-priority", "-9"), ("x-session-id", "s1"), ("x-data-parallel-rank", "3"),
    ("cookie", "a=b"), ("proxy-authorization", "Basic QQ=="), ("expect", ""),
    ("x-joulegate-admin-key", ADMIN), ("x-joulegate-endpoint", "x"), ("openai-project", "p"),
    ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    ("accept-encoding", "gzip"), ("x-custom", "canary-field"), ("te", "trailers"),
    ("user-agent", "canary-agent"), ("endpoint-load-metrics-format", "TEXT"),
]
HOP_BY_HOP = [
    ("connection", "keep-alive, x-secret"), ("x-secret", "canary"), ("keep-alive", "timeout=5"),
    ("proxy-connection", "keep-alive"),
]
OURS = {
    "host", "user-agent", "accept", "content-type", "content-length", "x-request-id",
    "authorization", "traceparent", "tracestate",
}


def test_no_field_of_the_clients_reaches_the_model_server(gateway, mocks, protocol):
    fields = bearer(FREE) + [field for field in INTERNAL if field[1]]
    if protocol.version == "h1":
        fields += HOP_BY_HOP
    with protocol(gateway.port) as client:
        response = client.chat(headers=fields, stream=True, user="heads")
        assert response.status == 200, response
    seen = [s for mock in mocks for s in mock.inference() if s.body.get("user") == "heads"][-1]
    assert set(seen.headers) <= OURS, seen.headers
    assert seen.headers["user-agent"] == "joulegate"
    assert seen.headers["accept"] != "gzip"
    assert "canary" not in seen.head.decode()
    # The client's key is not the model server's.
    assert FREE not in seen.head.decode() and ADMIN not in seen.head.decode()
    # Its own address is in no field, either.
    assert "10.0.0.1" not in seen.head.decode()


def test_pool_key_goes_to_its_model_servers_only(bench, protocol):
    alpha, beta = bench.mocks(2)
    gateway = bench.gateway({"endpoints": [alpha], "api_key": "pool-secret"}, [beta])
    with protocol(gateway.port) as client:
        for _ in range(4):
            assert client.chat(headers=bearer("client-key")).status == 200
    assert {seen.headers.get("authorization") for seen in alpha.inference()} == {
        "Bearer pool-secret"}
    assert {seen.headers.get("authorization") for seen in beta.inference()} == {None}


def test_fields_of_the_model_server_do_not_reach_the_client(gateway, protocol):
    with protocol(gateway.port) as client:
        for stream in (False, True):
            response = client.chat(headers=bearer(FREE), stream=stream)
            names = {name for name, _ in response.headers}
            assert names <= {
                "content-type", "content-length", "x-request-id", "cache-control", "date",
                "connection", "keep-alive", "transfer-encoding", "server", "x-accel-buffering"}
            assert "mock-secret" not in str(response.headers)


def test_request_id_is_echoed_and_not_forwarded(gateway, mocks, protocol):
    with protocol(gateway.port) as client:
        for path, members in ((CHAT, {}), (CHAT, {"stream": True}), (CHAT, {"model": "x"})):
            response = client.ask(
                "POST", path, chat_body(user="ids", **members),
                bearer(FREE) + [("x-request-id", "mine-1234")])
            assert response.header("x-request-id") == "mine-1234", response
        response = client.ask(
            "GET", "/v1/models", headers=bearer(FREE) + [("x-request-id", "mine-1234")])
        assert response.header("x-request-id") == "mine-1234"
    for seen in [s for mock in mocks for s in mock.inference()]:
        assert "mine-1234" not in seen.head.decode()
        assert seen.headers["x-request-id"].startswith("jg-")


def test_every_answer_has_a_request_id(gateway, protocol):
    ids = set()
    with protocol(gateway.port) as client:
        for members in ({}, {"stream": True}, {"mock": {"fault": "status-400"}}):
            response = client.chat(headers=bearer(FREE), **members)
            ids.add(response.header("x-request-id"))
        # Errors of the gateway's own as well: they are what people ask about.
        for members in ({"model": "nothing"}, {"messages": 3}):
            ids.add(client.chat(headers=bearer(FREE), **members).header("x-request-id"))
    assert None not in ids and len(ids) == 5


@pytest.mark.parametrize("value", ["a b", "x" * 300, "ä", "a\tb", "<script>"])
def test_unfit_request_id_is_replaced(gateway, value):
    with H2(gateway.port) as client:
        response = client.chat(headers=bearer(FREE) + [("x-request-id", value)])
        assert response.status == 200
        assert response.header("x-request-id") != value


def test_placement_is_shown_to_the_admin_key_only(gateway, mocks, protocol):
    with protocol(gateway.port) as client:
        for stream in (False, True):
            response = client.chat(
                headers=bearer(FREE) + [("x-joulegate-admin-key", ADMIN)], stream=stream)
            place = response.header("x-joulegate-endpoint")
            assert place in {f"alpha/{mocks[0].name}", f"beta/{mocks[1].name}"}
            assert "joules=" in response.header("x-joulegate-reason")
            for more in ([], [("x-joulegate-admin-key", "wrong")],
                         [("x-joulegate-admin-key", FREE)]):
                response = client.chat(headers=bearer(FREE) + more, stream=stream)
                assert not [n for n, _ in response.headers if n.startswith("x-joulegate")]
