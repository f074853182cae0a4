"""What the scripts show while they download and compile: on a terminal, elsewhere, and when they are interrupted.

The terminal is a real one (a pseudo-terminal); pip, CMake and the compiler are stand-ins that wait until the test has
seen what it waits for.
"""

import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest
from setup_machine import Machine

PIP = """
echo "Downloading torch-2.11.0-cp311-cp311-manylinux_2_28_x86_64.whl (530.6 MB)"
mkdir "$TMPDIR/unpack"
truncate -s 120000000 "$TMPDIR/unpack/torch.whl"
until [ -e "$STATE/downloaded" ]; do sleep 0.1; done
echo "Installing collected packages: torch"
until [ -e "$STATE/unpacked" ]; do sleep 0.1; done
"""

CMAKE = """
case "$1" in
  --version) echo cmake version 3.25.1 ;;
  --build)
    echo "[1/318] Building CXX object a.o"
    echo "a.cpp:1: warning: [120/318] is no count here"
    echo "[12/318] Building CXX object b.o"
    until [ -e "$STATE/built" ]; do sleep 0.1; done
    [ ! -e "$STATE/broken" ] || { printf 'FAILED: c.o\\nc.cpp:1: error: so\\nninja: build stopped\\n'; exit 1; }
    ;;
esac
"""


class Run:
    """A script whose stderr is a terminal of this width, or a pipe where there is none."""

    def __init__(self, machine, *command, columns=80, terminal=True, term="xterm"):
        self.text = ""
        if terminal:
            self.end, stderr = os.openpty()
            fcntl.ioctl(stderr, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        else:
            self.end, stderr = os.pipe()
        self.process = subprocess.Popen(
            [machine.scripts / command[0], *command[1:]],
            env={**machine.environment, "TERM": term},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            start_new_session=True,
        )
        os.close(stderr)

    def read(self, seconds=0.1):
        if not select.select([self.end], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.end, 65536)
        except OSError:  # a terminal that nobody has open
            data = b""
        self.text += data.decode()
        return bool(data)

    def wait_for(self, pattern, seconds=120):
        deadline = time.monotonic() + seconds
        while not re.search(pattern, self.text):
            assert time.monotonic() < deadline, self.text
            assert self.read(), self.text

    def finish(self, code=0):
        while self.read():
            pass
        os.close(self.end)
        assert self.process.wait(timeout=60) == code, self.text
        deadline = time.monotonic() + 20
        while self.left_over() and time.monotonic() < deadline:
            time.sleep(0.1)
        assert self.left_over() == []

    def left_over(self):
        """The processes of its session, which the sixth field of their stat names."""
        found = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                name, fields = stat.read_text().rsplit(")", 1)
            except OSError:
                continue
            if fields.split()[3] == str(self.process.pid):
                found.append(name)
        return found

    def drawn(self):
        """Each text that was written over its line."""
        return re.findall(r"\r([^\r\n\x1b]+)\x1b\[K", self.text)

    def seen(self):
        """The lines that stay on the terminal: of each, what was written last from its beginning on."""
        lines = self.text.replace("\r\n", "\n").split("\n")
        lines = [line.rsplit("\r", 1)[-1].replace("\x1b[K", "") for line in lines]
        return lines if lines[-1] else lines[:-1]


@pytest.fixture
def machine(tmp_path):
    machine = Machine(tmp_path)
    machine.pip_does(PIP)
    return machine


def test_download_is_one_line_that_is_rewritten(machine):
    run = Run(machine, "setup", "--program")
    run.wait_for(r"\rDownloaded 0\.12 of about 0\.6 GB in \d:\d\d \(now torch, 530\.6 MB\)\x1b\[K")
    machine.now("downloaded")
    run.wait_for(r"\rUnpacked 0\.00 of about 1\.3 GB in \d:\d\d\x1b\[K")
    machine.now("unpacked")
    run.finish()
    installing, set_up = run.seen()
    assert installing.startswith("Installing LibTorch 2.11.0 (slim, 0.6 GB to download)")
    assert set_up.startswith("Set up: LibTorch /")


def test_a_narrow_terminal_gets_no_line_that_wraps(machine):
    run = Run(machine, "setup", "--program", columns=30)
    run.wait_for(r"\rDownloaded 0\.12")
    machine.now("downloaded", "unpacked")
    run.finish()
    assert run.drawn() and max(map(len, run.drawn())) == 29


def test_a_download_that_fails_leaves_no_half_line_before_the_error(machine):
    machine.pip_says("ERROR: No matching distribution found for torch==2.11.0\n")
    run = Run(machine, "setup", "--program")
    run.wait_for(r"\rDownloaded 0\.12")
    machine.now("downloaded", "unpacked")
    run.finish(code=1)
    assert [line.split(":")[0].split(" ")[0] for line in run.seen()] == ["Installing", "scripts/setup"]


def test_an_interrupted_download_leaves_nothing(machine):
    run = Run(machine, "setup", "--program")
    run.wait_for(r"\rDownloaded 0\.12")
    os.killpg(run.process.pid, signal.SIGINT)
    run.finish(code=130)
    assert run.seen()[1:] == ["scripts/setup: interrupted; run it again to go on"]
    assert machine.environments() == []


@pytest.mark.parametrize(("terminal", "term"), [(False, "xterm"), (True, "dumb")])
def test_elsewhere_progress_is_a_plain_line_now_and_then(machine, terminal, term):
    shell = machine.scripts / "shell/progress.sh"
    assert "\nseconds_between_lines=30\n" in shell.read_text()
    shell.write_text(shell.read_text().replace("seconds_between_lines=30", "seconds_between_lines=2"))
    run = Run(machine, "setup", "--program", terminal=terminal, term=term)
    run.wait_for(r"\nDownloaded 0\.12 of about 0\.6 GB in 0:0[2-9] \(now torch, 530\.6 MB\)\r?\n")
    machine.now("downloaded", "unpacked")
    run.finish()
    assert "\x1b" not in run.text and "\r" not in run.text.replace("\r\n", "")


@pytest.mark.parametrize(("script", "shown"), [("setup", "Unpacked 0"), ("test", "Built 12")])
def test_the_display_ends_when_the_script_is_killed(machine, script, shown):
    machine.program("cmake", CMAKE)
    machine.now("downloaded")
    if script == "test":
        machine.now("unpacked")
    run = Run(machine, script)
    run.wait_for(r"\r" + shown)
    run.process.kill()
    run.wait_for(r"\r\x1b\[K$")
    os.killpg(run.process.pid, signal.SIGTERM)  # what it ran, which nobody is left to stop
    run.finish(code=-signal.SIGKILL)


def test_build_counts_what_is_built(machine):
    machine.program("cmake", CMAKE)
    machine.program("ctest", "exit 0")
    machine.now("downloaded", "unpacked")
    run = Run(machine, "test")
    run.wait_for(r"\rBuilt 12 of 318 files in \d:\d\d\x1b\[K")
    machine.now("built")
    run.finish()
    assert run.seen()[-1].startswith("Building with ")
    assert "[12/318]" in (machine.scripts.parent / "build/release/build.log").read_text()


def test_a_build_that_fails_ends_with_what_the_compiler_said(machine):
    machine.program("cmake", CMAKE)
    machine.now("downloaded", "unpacked", "broken")
    run = Run(machine, "test")
    run.wait_for(r"\rBuilt 12 of 318")
    machine.now("built")
    run.finish(code=1)
    seen = run.seen()
    assert seen[seen.index("FAILED: c.o") - 1].startswith("Building with ")
    assert seen[-1].startswith("scripts/test: the build failed; see why above (log: ")


def test_an_interrupted_build_says_so(machine):
    machine.program("cmake", CMAKE)
    machine.now("downloaded", "unpacked")
    run = Run(machine, "test")
    run.wait_for(r"\rBuilt 12 of 318")
    os.killpg(run.process.pid, signal.SIGINT)
    run.finish(code=130)
    assert run.seen()[-1] == "scripts/test: interrupted; run it again to go on"


if __name__ == "__main__":
    sys.exit(pytest.main([os.fspath(Path(__file__))]))
