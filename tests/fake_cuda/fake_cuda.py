"""Runs programs on the stand-in for CUDA and reads what it counted. README.md has what it shows and what it does not."""

import csv
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = pathlib.Path(os.environ.get("FAKE_CUDA", ""))
MPBENCH = os.environ.get("MPBENCH", "")

sys.path += [str(ROOT / "scripts"), str(pathlib.Path(__file__).parent)]


def environment(**chosen):
    """Variables for a process on the stand-in: devices=2, memory=10**9, launch_us=100, failing_capture=1, ..."""
    settings = {f"FAKE_CUDA_{name.upper()}": str(value) for name, value in chosen.items()}
    return {**os.environ, "LD_PRELOAD": str(FOLDER / "libfake_cuda.so"), "LD_LIBRARY_PATH": str(FOLDER),
            "OMP_NUM_THREADS": "1", **settings}


def run(program, *arguments, code=0, timeout=120, env=None, **chosen):
    result = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, timeout=timeout,
                            env={**environment(**chosen), **(env or {})}, stdin=subprocess.DEVNULL)
    assert result.returncode == code, f"exit code {result.returncode}, expected {code}\n{result.stdout}\n{result.stderr}"
    return result


class Training:
    """One `mpbench train` on the stand-in: its row of runs.csv, what it printed and what was counted."""

    def __init__(self, folder, data, *options, code=0, env=None, device="cuda", program=MPBENCH, progress="never",
                 **chosen):
        out, report = folder / "out", folder / "report.json"
        given = {"--batch-size": 8, "--image-size": 64, "--epochs": 1, "--lr": 3e-4, "--steps": 20}
        words = [str(word) for word in options]
        defaults = [str(word) for name, value in given.items() if name not in words for word in (name, value)]
        self.result = run(program, "train", "--device", device, "--data", data, "--out", out, "--progress", progress,
                          "--no-checkpoints", *defaults, *words, code=code, env=env, report=report, **chosen)
        self.counted = json.loads(report.read_text())
        with open(out / "runs.csv", newline="") as file:
            self.row = list(csv.DictReader(file))[-1]

    def figure(self, column):
        return float(self.row[column])


def per_step(before, after, steps):
    """What a step adds to the counts: launches, copies, memsets, synchronizations and graph launches."""
    kinds = {"launches": "kernel ", "copies": "copy ", "memsets": "memset", "synchronizations": "synchronize ",
             "graphs": "launch graph"}
    sums = dict.fromkeys(kinds, 0)
    for name in {*before["counts"], *after["counts"]}:
        for kind, prefix in kinds.items():
            if name.startswith(prefix):
                sums[kind] += after["counts"].get(name, 0) - before["counts"].get(name, 0)
    return {kind: number / steps for kind, number in sums.items()}
