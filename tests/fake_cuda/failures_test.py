"""A GPU that has too little memory, refuses a recording or is not there: a row that says so, in one line."""
import json
import pathlib
import re
import shutil

import fake_cuda
import pytest
from fake_cuda import MPBENCH, Training

NETWORK = ["--model", "resnet18", "--precision", "fp16"]
MEGABYTE = 10**6


@pytest.fixture(scope="module")
def peak_bytes(images, tmp_path_factory):
    """What the network takes of the device, without and with a graph."""
    def peak(*options):
        return Training(tmp_path_factory.mktemp("peak"), images, *NETWORK, *options).counted["peak_bytes"]
    return {"eager": peak(), "graph": peak("--cuda-graph")}


@pytest.mark.parametrize("share", [0.02, 0.2, 0.5, 0.7, 0.9, 0.99])
@pytest.mark.parametrize("graph", ["eager", "graph"])
def test_memory_that_runs_out_anywhere_is_oom(share, graph, peak_bytes, images, tmp_path):
    options = ["--cuda-graph"] if graph == "graph" else []
    training = Training(tmp_path, images, *NETWORK, *options, code=1, memory=int(share * peak_bytes[graph]))
    assert training.row["status"] == "oom"
    error = training.row["error"]
    assert "\n" not in error and ("out of memory" in error.lower() or "memory ran out" in error)
    if share >= 0.7:
        assert "batch" in error, "network and optimizer were on the device: a batch was at work"
    last = training.result.stderr.strip().splitlines()[-1]
    assert last.startswith("error: oom: ")


def test_memory_that_suffices(peak_bytes, images, tmp_path):
    assert Training(tmp_path, images, *NETWORK, memory=peak_bytes["eager"] + MEGABYTE).row["status"] == "ok"


def test_a_recording_that_fails(images, tmp_path):
    training = Training(tmp_path, images, *NETWORK, "--cuda-graph", code=1, failing_capture=1)
    assert training.row["status"] == "failed"
    assert training.row["error"] and "\n" not in training.row["error"]


def test_a_device_that_fails_before_it_is_used(images, tmp_path):
    training = Training(tmp_path, images, *NETWORK, code=1, refused="cudaGetDeviceProperties")
    assert training.row["status"] == "failed" and training.row["error"] == "CUDA error: an error of the fake runtime"
    assert training.row["device"] == "cuda:0" and training.row["device_name"] == training.row["peak_device_bytes"] == ""
    assert "failed: CUDA error: an error of the fake runtime; results in" in training.result.stderr.strip().splitlines()[-1]


def test_pinned_memory_that_runs_out_is_oom(images, tmp_path):
    training = Training(tmp_path, images, *NETWORK, code=1, refused="cudaHostAlloc")
    assert training.row["status"] == "oom"
    assert training.row["error"] == "memory ran out in step 1, with a batch of [8, 3, 64, 64]: CUDA error: out of memory"


def test_tunable_operators_with_tf32_are_refused(images, tmp_path):
    given = ["train", "--device", "cuda", "--data", images, "--image-size", 32, "--steps", 2, "--no-checkpoints"]
    tunable = {"PYTORCH_TUNABLEOP_ENABLED": "1"}
    result = fake_cuda.run(MPBENCH, *given, "--precision", "tf32", "--out", tmp_path / "tf32", code=1, env=tunable)
    assert result.stderr.strip().splitlines()[-1].startswith("error: PYTORCH_TUNABLEOP_ENABLED=1: ")
    fake_cuda.run(MPBENCH, *given, "--precision", "fp32", "--out", tmp_path / "fp32", env=tunable)


def test_no_device_answers(images, tmp_path):
    result = fake_cuda.run(MPBENCH, "train", "--device", "cuda", "--data", images, "--out", tmp_path / "out", code=1, devices=0)
    assert re.fullmatch("error: device cuda: .*; use --device cpu, or see mpbench info", result.stderr.strip().splitlines()[-1])
    result = fake_cuda.run(MPBENCH, "info", "--json", devices=0)
    assert [device["device"] for device in json.loads(result.stdout)["devices"]] == ["cpu"]


def test_a_device_that_is_not_there(images, tmp_path):
    result = fake_cuda.run(MPBENCH, "train", "--device", "cuda:2", "--data", images, "--out", tmp_path / "out", code=1, devices=2)
    assert result.stderr.strip().splitlines()[-1].startswith("error: device cuda:2: 2 CUDA devices answer")


def test_info_lists_the_devices():
    devices = json.loads(fake_cuda.run(MPBENCH, "info", "--json", devices=2).stdout)["devices"]
    assert [device["device"] for device in devices] == ["cpu", "cuda:0", "cuda:1"]
    assert devices[1]["name"] == "Fake H100 0" and devices[1]["precisions"]["tf32"]["support"] == "native"


def test_a_copied_build_finds_its_libraries(images, tmp_path):
    build = pathlib.Path(MPBENCH).parent
    moved = tmp_path / "moved"
    moved.mkdir()
    for name in ("mpbench", "libmpbench_engine.so", "libmpbench_cuda.so"):
        shutil.copy2(build / name, moved)
    training = Training(tmp_path, images, "--model", "cnn", "--precision", "fp16", program=moved / "mpbench")
    assert training.row["status"] == "ok"


def test_a_comparison_on_cuda(images, tmp_path):
    report = tmp_path / "report.json"
    fake_cuda.run(MPBENCH, "compare", "--device", "cuda", "--data", images, "--image-size", 32, "--model", "cnn", "--precision",
                  "fp32,fp16", "--repeats", 2, "--sessions", 2, "--steps", 9, "--out", tmp_path / "out", "--progress", "never",
                  report=report)
    statuses = {line.split(",")[1] for line in (tmp_path / "out" / "runs.csv").read_text().splitlines()[1:]}
    assert statuses == {"ok"}


def test_the_parent_of_a_comparison_makes_no_context(images, tmp_path):
    """A process that calls CUDA leaves a report: the runs of two sessions do, and what started them does not."""
    report = tmp_path / "report-%p.json"
    fake_cuda.run(MPBENCH, "compare", "--device", "cuda", "--data", images, "--image-size", 32, "--model", "cnn", "--precision",
                  "fp32,fp16", "--repeats", 2, "--sessions", 2, "--steps", 9, "--out", tmp_path / "out", "--progress", "never",
                  report=report)
    assert [json.loads(each.read_text())["contexts"] for each in tmp_path.glob("report-*.json")] == 6 * [[0]]
