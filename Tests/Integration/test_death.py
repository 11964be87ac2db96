"""Model servers that are killed and come back, under load."""

import os
import pathlib
import signal
import sys
import threading
import time

import pytest

from clients import CHAT, H1, H2, chat_body, judge_stream
from mock_upstream import reference
from ports import free_port
from processes import Process

MOCK = pathlib.Path(__file__).with_name("mock_upstream.py")


class Server(Process):
    """The model server as a process of its own."""

    def __init__(self, port):
        self.port = port
        super().__init__([sys.executable, str(MOCK), str(port)])
        self.url = f"http://127.0.0.1:{port}"
        self.until(self._answers)

    def _answers(self):
        try:
            with H1(self.port) as client:
                return client.ask("GET", "/health").status == 200
        except OSError:
            return False


class Load(threading.Thread):
    """One client that asks again and again and judges every answer."""

    def __init__(self, gateway, protocol, stream):
        super().__init__(daemon=True)
        self.gateway, self.protocol, self.stream = gateway, protocol, stream
        self.stopping = False
        self.verdicts: list[str] = []
        self.problems: list[str] = []

    def run(self):
        plan = {"tokens": 10, "interval": 0.004} if self.stream else {"delay": 0.02}
        with self.protocol(self.gateway.port) as client:
            while not self.stopping:
                try:
                    response = client.chat(stream=self.stream, mock=plan)
                    if self.stream:
                        self.verdicts.append(judge_stream(response, reference(10)))
                        if response.status != 200:
                            self.problems.append(f"{response.status} {bytes(response.body)!r}")
                    elif response.status != 200:
                        self.problems.append(f"{response.status} {bytes(response.body)!r}")
                    else:
                        self.verdicts.append("whole")
                except AssertionError as error:
                    self.problems.append(str(error))
                    return


@pytest.mark.parametrize("round_", range(2))
def test_killed_server_fails_no_unary_request_and_no_stream_unseen(bench, round_):
    servers = [Server(free_port()) for _ in range(2)]
    bench.started += [server.kill for server in servers]
    gateway = bench.gateway(servers, probes={"interval_ms": 200})
    loads = [Load(gateway, kind, stream)
             for kind in (H1, H2) for stream in (False, True) for _ in range(3)]
    for load in loads:
        load.start()
    time.sleep(0.7)
    servers[round_].kill()
    time.sleep(1.5)
    again = Server(servers[round_].port)
    bench.started.append(again.kill)
    end = time.monotonic() + 12
    while not gateway.workers()[round_]["is_healthy"]:
        assert time.monotonic() < end, f"it does not come back: {gateway.workers()}"
        time.sleep(0.1)
    before = gateway.workers()[round_]["dispatched"]
    time.sleep(1.0)
    after = gateway.workers()[round_]["dispatched"]
    for load in loads:
        load.stopping = True
    for load in loads:
        load.join(10)
    problems = [problem for load in loads for problem in load.problems]
    assert not problems, problems[:5]
    assert all(len(load.verdicts) > 20 for load in loads)
    # Streams that had begun on the dead server end with an error event; no more than ran there.
    broken = sum(load.verdicts.count("error") for load in loads)
    print(f"{sum(len(load.verdicts) for load in loads)} answers, {broken} visibly broken")
    assert broken <= 6
    assert after > before, "it gets no requests"


def test_hung_server_is_taken_out(bench):
    servers = [Server(free_port()) for _ in range(2)]
    bench.started += [server.kill for server in servers]
    gateway = bench.gateway(
        servers, probes={"interval_ms": 200, "timeout_ms": 200},
        limits={"upstream_first_byte_timeout_ms": 400})
    os.kill(servers[0].child.pid, signal.SIGSTOP)
    with H2(gateway.port) as client:
        start = time.monotonic()
        while gateway.workers()[0]["is_healthy"]:
            assert time.monotonic() - start < 2
            response = client.chat(mock={})
            assert response.status == 200, response
        for _ in range(10):
            asked = time.monotonic()
            assert client.chat().status == 200
            assert time.monotonic() - asked < 0.3
    os.kill(servers[0].child.pid, signal.SIGCONT)


def test_no_server_at_all_is_said_at_once(bench, protocol):
    mock, = bench.mocks()
    mock.stop()
    gateway = bench.gateway([mock], probes={"interval_ms": 100})
    with protocol(gateway.port) as client:
        start = time.monotonic()
        for stream in (False, True):
            response = client.chat(stream=stream)
            assert response.status in (502, 503) and "error" in response.json()
        assert time.monotonic() - start < 2
        gateway.until(lambda: not gateway.workers()[0]["is_healthy"])
        time.sleep(0.3)
        response = client.chat()
        assert response.status == 503 and 1 <= int(response.header("retry-after")) <= 120
        assert client.ask("GET", "/readiness").status == 503
        assert client.ask("GET", "/health").status == 200
        assert client.ask("GET", "/v1/models").json()["data"] == []


def test_failing_health_page_takes_a_server_out_and_back(bench):
    mocks = bench.mocks(2)
    gateway = bench.gateway(mocks, probes={"interval_ms": 50})
    mocks[0].is_healthy = False
    gateway.until(lambda: gateway.workers()[0]["state"] == "unhealthy")
    with H2(gateway.port) as client:
        for _ in range(10):
            assert client.chat().status == 200
        assert not mocks[0].inference()
        mocks[0].is_healthy = True
        gateway.until(lambda: gateway.workers()[0]["is_healthy"])
        responses = [client.request("POST", CHAT, chat_body()) for _ in range(30)]
        assert client.wait(lambda: all(response.is_over for response in responses))
    assert mocks[0].inference()
