"""scripts/gpu_run on the stand-in for CUDA: the parts of it that a rehearsal on the CPU leaves out."""
import csv
import json
import pathlib
import subprocess
import sys

import fake_cuda


def test_the_ladder_beside_pytorch(tmp_path):
    """All but torch.compile, whose compiler asks the GPU itself."""
    out = tmp_path / "out"
    result = subprocess.run(
        [fake_cuda.ROOT / "scripts" / "gpu_run", pathlib.Path(fake_cuda.MPBENCH).parent, "facts", "ladder", "--models", "resnet18",
         "--precisions", "fp32,bf16", "--batch-sizes", "8", "--steps", "20", "--out", out], capture_output=True, text=True,
        stdin=subprocess.DEVNULL, timeout=300, env={**fake_cuda.environment(), "PYTHON": sys.executable})
    assert result.returncode == 0, result.stderr
    devices = json.loads((out / "machine.json").read_text())["mpbench"]["devices"]
    assert [device["name"] for device in devices][1:] == ["Fake H100 0"]
    with open(out / "ladder.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["precision"], row["side"], row["mode"], row["status"]) for row in rows] == [
        (precision, side, mode, "ok") for precision in ("fp32", "bf16")
        for side, mode in (("mpbench", "eager"), ("pytorch", "eager"), ("pytorch", "graph"), ("mpbench", "graph"))]
    assert all(float(row["time_to_first_step_s"]) > 0 and row["cudnn_benchmark"] == "true" for row in rows)
    assert all(float(row["images_per_s"]) > 0 and int(row["peak_bytes"]) > 0 for row in rows)
    assert "rehearsal" not in (out / "ladder.md").read_text()
