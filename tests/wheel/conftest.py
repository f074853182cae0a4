"""The wheel, built once for all tests of this folder."""
import pathlib
import subprocess

import pytest
from installed_wheel import ROOT, WITH_CUDA, Wheel


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    out = tmp_path_factory.mktemp("dist")
    options = [] if WITH_CUDA else ["--without-cuda"]
    result = subprocess.run([ROOT / "scripts/wheel", "--out", out, *options], capture_output=True, text=True,
                            stdin=subprocess.DEVNULL)
    assert result.returncode == 0, result.stderr
    return Wheel(pathlib.Path(result.stdout.strip()), result.stderr)
