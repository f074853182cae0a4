"""scripts/gpu_run: all of its stages at tiny sizes on the CPU, so that a machine with a GPU does not meet a script that does not run."""
import csv
import json
import os
import pathlib
import subprocess
import sys
import zipfile

import pytest
from mpbench_command import MPBENCH

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(MPBENCH).parent


def gpu_run(*arguments, code=0):
    # With nothing but the system's tools and a Python that has torch.
    environment = {"PATH": "/usr/bin:/bin", "HOME": os.environ.get("HOME", "/"), "PYTHON": sys.executable}
    result = subprocess.run([ROOT / "scripts" / "gpu_run", *map(str, arguments)], capture_output=True, text=True,
                            stdin=subprocess.DEVNULL, timeout=800, env=environment)
    assert result.returncode == code, result.stderr
    return result.stderr


@pytest.mark.parametrize("arguments, said", [
    (["nothing.whl"], "there is no nothing.whl"),
    ([ROOT / "README.md"], "is neither a wheel nor a folder"),
    ([BUILD, "climb"], "there is no stage 'climb': choose facts, acceptance, ladder, recipes"),
    ([BUILD, "ladder", "--batch-sizes", "many"], "--batch-sizes many: name whole numbers"),
    ([BUILD, "ladder", "--minutes", "0"], "--minutes must be above 0"),
    ([], "name a wheel, or the folder of a program"),
])
def test_wrong_usage(arguments, said):
    assert said in gpu_run(*arguments, code=2)


def test_a_folder_without_a_program(tmp_path):
    assert "holds no program mpbench" in gpu_run(tmp_path, "facts", "--out", tmp_path / "out", code=1)


def test_what_does_not_fit_the_time_is_left_out(tmp_path):
    out = tmp_path / "out"
    gpu_run(BUILD, "ladder", "--rehearse", "--minutes", 0.01, "--out", out)
    with open(out / "ladder.csv", newline="") as file:
        assert {row["status"] for row in csv.DictReader(file)} == {"left out: the time is up"}


def test_a_rehearsal_of_all_stages(tmp_path):
    out = tmp_path / "out"
    gpu_run(BUILD, "--rehearse", "--out", out)
    facts = json.loads((out / "machine.json").read_text())
    assert facts["mpbench"]["versions"]["libtorch"] and facts["mpbench"]["devices"][0]["device"] == "cpu"
    assert (out / "acceptance" / "report.md").read_text().startswith("# GPU acceptance: 29 passed, 0 failed")
    with open(out / "ladder.csv", newline="") as file:
        ladder = list(csv.DictReader(file))
    assert [(row["precision"], row["side"], row["status"]) for row in ladder] == [
        (precision, side, "ok") for precision in ("fp32", "bf16") for side in ("mpbench", "pytorch")]
    assert all(float(row["images_per_s"]) > 0 and float(row["step_ms_median"]) > 0 for row in ladder)
    assert "the figures mean nothing" in (out / "ladder.md").read_text()
    recipes = sorted(path.stem for path in (ROOT / "configs").glob("*.toml") if path.stem != "demo")
    assert sorted(path.name for path in (out / "recipes").iterdir()) == recipes
    for name in recipes:
        with open(out / "recipes" / name / "runs.csv", newline="") as file:
            assert {row["status"] for row in csv.DictReader(file)} == {"ok"}


def test_a_wheel_without_pip(tmp_path):
    """A Python that uv made has no pip: the wheel is unpacked as pip would."""
    wheel = tmp_path / "mpbench-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, mode in (("mpbench/bin/mpbench", 0o755), ("mpbench/__init__.py", 0o644),
                           ("mpbench-1.data/scripts/mpbench", 0o755)):
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (0o100000 | mode) << 16
            archive.writestr(entry, "#!/bin/sh\necho installed\n")
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        from gpu_run import unpack
    finally:
        sys.path.pop(0)
    unpack(wheel, tmp_path / "site")
    assert subprocess.run([tmp_path / "site" / "bin" / "mpbench"], capture_output=True, text=True).stdout == "installed\n"
    assert os.access(tmp_path / "site" / "mpbench" / "bin" / "mpbench", os.X_OK)
