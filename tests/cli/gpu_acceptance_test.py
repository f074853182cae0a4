"""scripts/gpu_acceptance where it cannot do its work: one line, exit code 2, nothing installed, built or written."""

import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
HAS_GPU = any(pathlib.Path("/dev").glob("nvidia[0-9]*")) or pathlib.Path("/dev/dxg").exists()


def refused(*arguments, **environment):
    result = subprocess.run([ROOT / "scripts" / "gpu_acceptance", *map(str, arguments)], capture_output=True, text=True,
                            stdin=subprocess.DEVNULL, timeout=60, env={**os.environ, "MPBENCH": "", **environment})
    assert result.returncode == 2 and result.stdout == "", result.stderr
    line, = result.stderr.splitlines()
    return line


@pytest.mark.skipif(HAS_GPU, reason="this machine has a GPU")
def test_without_a_gpu_it_says_so_at_once(tmp_path):
    line = refused("--quick", "--out", tmp_path / "out", "--build", tmp_path / "build")
    assert "no NVIDIA GPU" in line and "--device cpu" in line
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("arguments", [["--fast"], ["--device", "gpu"], ["--device"], ["--out"]])
def test_wrong_usage(arguments):
    assert arguments[0] in refused(*arguments)


def test_a_program_that_is_none(tmp_path):
    assert str(tmp_path / "none") in refused("--device", "cpu", MPBENCH=str(tmp_path / "none"))


def test_a_folder_of_the_users_is_not_replaced(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    line = refused("--device", "cpu", "--out", tmp_path, MPBENCH=sys.executable)
    assert "another --out" in line and (tmp_path / "thesis.tex").exists()
