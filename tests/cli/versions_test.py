"""scripts/versions: wrong usage, and a version that cannot be had does not end the others."""
import csv
import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def versions(*arguments, code, **environment):
    result = subprocess.run([ROOT / "scripts" / "versions", *map(str, arguments)], capture_output=True, text=True,
                            stdin=subprocess.DEVNULL, timeout=600, env={**os.environ, **environment})
    assert result.returncode == code, result.stderr
    return result.stderr


@pytest.mark.parametrize("arguments, said", [
    ([], "name the versions, the one to compare with first"),
    (["2.11"], "'2.11' is no version of LibTorch: name them as 2.11.0"),
    (["../../x"], "is no version of LibTorch"),
    (["2.11.0", "2.11.0"], "a version is named twice"),
    (["2.11.0", "--rounds", "0"], "--rounds must be 1 to 1000"),
])
def test_wrong_usage(arguments, said):
    assert said in versions(*arguments, code=2)


def test_versions_that_cannot_be_had_are_rows_of_the_table(tmp_path):
    """pip finds nothing where it may look nowhere: each version's row says why, and the table is whole."""
    out = tmp_path / "out"
    empty = tmp_path / "empty"
    empty.mkdir()
    result = subprocess.run(
        [sys.executable, ROOT / "scripts" / "versions.py", "--root", tmp_path, "--cache", tmp_path / "cache", "--pinned", "1.2.3",
         "--pinned-libtorch", tmp_path, "9.8.7", "9.8.8", "--out", out], capture_output=True, text=True, timeout=300,
        env={**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(empty)})
    assert result.returncode == 1, result.stderr
    with open(out / "versions.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["version"], row["built"]) for row in rows] == [("9.8.7", "no"), ("9.8.8", "no")]
    assert all("torch==" in row["left_out"] for row in rows)
    assert "| 9.8.7 | no |" in (out / "versions.md").read_text()
