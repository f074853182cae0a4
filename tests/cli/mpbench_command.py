"""Runs the program as a user does, from the shell."""
import csv
import os
import pathlib
import subprocess
import time

import pytest

MPBENCH = os.environ["MPBENCH"]
FASHION_MNIST = pathlib.Path("/usr/share/datasets/fashion-mnist")


@pytest.fixture(scope="module", autouse=True)
def user_cache(tmp_path_factory):
    """A cache folder of its own for each module that imports this."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("user-cache")))
        yield


def run(*arguments, code=0, env=None, timeout=600, program=MPBENCH, **options):
    """Runs mpbench and checks its exit code, unless it is None; stdout and stderr are in the result as text."""
    result = subprocess.run(
        [program, *map(str, arguments)], capture_output=True, text=True, timeout=timeout,
        env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL, **options)
    assert code is None or result.returncode == code, (
        f"exit code {result.returncode}, expected {code}\n{result.stdout}\n{result.stderr}")
    return result


def one_line(result):
    """The single line on stderr, which is all that a user error may print; beside it a run says where a precision is
    emulated."""
    lines = [line for line in result.stderr.splitlines() if line.strip() and "is emulated on this device" not in line]
    assert len(lines) == 1, f"expected one line on stderr:\n{result.stderr}"
    return lines[0]


def wait_for(path, seconds=240):
    """Waits until a file is there, or the time is up: what follows then fails by its own assertion."""
    deadline = time.time() + seconds
    while not path.exists() and time.time() < deadline:
        time.sleep(0.1)


def rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))
