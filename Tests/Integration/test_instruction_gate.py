"""`loadtest/instructions --gate`: it closes where a count is above its ceiling."""

import platform
import shutil
import subprocess
import sys

import pytest

from processes import ROOT, program

sys.path.insert(0, str(ROOT / "loadtest"))
import instruction_gate  # noqa: E402

FILE = """\
# Ceilings.
# here: some library
here unary 300 1000
here burst 300 50 # per event
there unary 300 7
"""


def verdict(count, ceiling=1000):
    return instruction_gate.Verdict("unary 300", "request", count, ceiling)


def test_a_count_above_its_ceiling_fails_and_one_at_it_does_not():
    assert not verdict(1000.5).passes
    assert verdict(1000).passes
    assert "2.5% OVER the ceiling of 1000" in str(verdict(1025))
    assert "2.5% under the ceiling of 1000" in str(verdict(975))


def test_a_file_says_what_each_shape_may_take():
    ceilings = instruction_gate.parse(FILE)
    assert [(c.architecture, c.name, c.instructions) for c in ceilings] == [
        ("here", "unary 300", 1000), ("here", "burst 300", 50), ("there", "unary 300", 7)]


@pytest.mark.parametrize("line", [
    "here unary 300", "here unary 300 many", "here unary 300 1 2", "here unary 300 0",
    "here unary 300 -5"])
def test_a_line_that_is_no_ceiling_is_named(line):
    with pytest.raises(ValueError, match="line 2"):
        instruction_gate.parse(f"# Ceilings.\n{line}\n")


def test_a_file_without_ceilings_is_refused():
    with pytest.raises(ValueError, match="could not fail"):
        instruction_gate.parse("# nothing\n")


def test_new_ceilings_lie_three_per_cent_above_the_counts_of_this_architecture():
    counts = {("here", "unary", 300): 900.0, ("here", "burst", 300): 40.0}
    assert instruction_gate.rewritten(FILE, counts, "another library") == """\
# Ceilings.
# here: another library
here unary 300 927
here burst 300 41
there unary 300 7
"""


def test_the_committed_file_holds_unary_requests_bursts_and_tls():
    text = (ROOT / "loadtest" / "instructions.gate").read_text()
    shapes = {c.name for c in instruction_gate.parse(text) if c.architecture == "x86_64"}
    assert {"unary 300", "unary 8192", "burst 300", "tls 300"} <= shapes


@pytest.mark.skipif(not shutil.which("valgrind"), reason="valgrind is missing")
def test_the_gate_closes_on_the_real_gateway(tmp_path):
    """No gateway answers a request with a thousand instructions."""
    file = tmp_path / "ceilings"
    file.write_text(f"{platform.machine()} unary 300 1000\n")
    closed = subprocess.run(
        [ROOT / "loadtest" / "instructions", "--gate", file, program()],
        capture_output=True, text=True, timeout=300)
    assert closed.returncode == 1, closed.stderr
    assert "OVER the ceiling of 1000" in closed.stdout
    assert "takes more than it did" in closed.stderr
