"""`joulegate check`: what is wrong with a configuration, and where."""

import json
import subprocess

import pytest

from processes import ROOT, configuration, program

GOOD = """\
listeners:
  - {address: 127.0.0.1, port: 0}
pools:
  - name: alpha
    engine: vllm
    profile: h100-llama-3.1-8b
    endpoints:
      - {url: "http://127.0.0.1:8000"}
    models:
      - {name: ax-4.0}
"""


def check(folder, text, command="check"):
    file = folder / "gateway.yaml"
    file.write_text(text)
    done = subprocess.run(
        [program(), command, "--config", str(file)], capture_output=True, text=True, timeout=20,
        cwd=ROOT)
    return done.returncode, done.stdout, done.stderr


def test_good_file_prints_the_values_in_effect(tmp_path):
    status, out, err = check(tmp_path, GOOD)
    assert status == 0 and err == ""
    assert "request_body_bytes: 8388608" in out and "ax-4.0" in out
    # What it prints is a configuration itself.
    assert check(tmp_path, out)[0] == 0


@pytest.mark.parametrize(
    "old, new, line, column, words",
    [
        ("    engine:", "    engnie:", 5, 5, ["engnie", "engine"]),
        ("listeners:", "listenres:", 1, 1, ["listenres", "listeners"]),
        ("port: 0", "prot: 0", 2, 26, ["prot", "port"]),
        ("engine: vllm", "engine: vlm", 5, 13, ["vlm", "vllm"]),
        ("port: 0", "port: 70000", 2, 32, ["70000"]),
        ("h100-llama-3.1-8b", "h100-llama", 6, 14, ["h100-llama"]),
        ("http://127.0.0.1:8000", "ftp://127.0.0.1", 8, 15, ["http://"]),
    ])
@pytest.mark.parametrize("command", ["check", "serve"])
def test_mistake_names_line_column_and_nearest_key(
        tmp_path, old, new, line, column, words, command):
    assert GOOD.count(old) == 1
    status, _, err = check(tmp_path, GOOD.replace(old, new), command)
    assert status == 1
    place = f"gateway.yaml:{line}:{column}: error: "
    there = [text for text in err.splitlines() if place in text]
    assert len(there) == 1, err
    assert all(word in there[0] for word in words), err


def test_all_mistakes_are_found_at_once(tmp_path):
    text = GOOD.replace("    engine:", "    engnie:").replace("listeners:", "listenres:")
    _, _, err = check(tmp_path, text)
    assert "engnie" in err and "listenres" in err


def test_broken_yaml_names_the_place(tmp_path):
    status, _, err = check(tmp_path, GOOD + "  - [unclosed\n")
    assert status == 1 and "gateway.yaml:1" in err and "error" in err


def test_missing_file_is_said(tmp_path):
    done = subprocess.run(
        [program(), "check", "--config", str(tmp_path / "nothing.yaml")], capture_output=True,
        text=True, timeout=20)
    assert done.returncode == 1 and "nothing.yaml" in done.stderr


def test_secret_in_the_environment_is_never_printed(tmp_path, monkeypatch):
    monkeypatch.setenv("JOULEGATE_TEST_SECRET", "CANARY-SECRET")
    text = GOOD.replace(
        "    models:", "    api_key: ${JOULEGATE_TEST_SECRET}\n    models:")
    status, out, err = check(tmp_path, text)
    assert status == 0 and "CANARY" not in out + err
    _, out, err = check(tmp_path, text.replace("engine: vllm", "engine: ${JOULEGATE_TEST_SECRET}"))
    assert "CANARY" not in out + err


@pytest.mark.parametrize("name", ["demo.yaml", "example.yaml"])
def test_files_of_the_repository_are_good(name):
    done = subprocess.run(
        [program(), "check", "--config", f"Config/{name}"], capture_output=True, text=True,
        timeout=20, cwd=ROOT)
    assert done.returncode == 0, done.stderr


def test_port_in_use_is_said(bench, tmp_path):
    mock, other = bench.mocks(2)
    settings = configuration(
        [mock], listeners=[{"address": "127.0.0.1", "port": other.port}])
    status, _, err = check(tmp_path, json.dumps(settings), "serve")
    assert status != 0 and str(other.port) in err


def test_missing_certificate_is_said(bench, tmp_path):
    mock, = bench.mocks()
    tls = {"certificate": "/nothing/c.pem", "key": "/nothing/k.pem"}
    settings = configuration(
        [mock], listeners=[{"address": "127.0.0.1", "port": 0, "tls": tls}])
    status, _, err = check(tmp_path, json.dumps(settings), "serve")
    assert status != 0 and "/nothing/c.pem" in err
