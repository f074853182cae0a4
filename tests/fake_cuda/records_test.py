"""What a run's rows and files say of the GPU: its own meters, by a stand-in for NVML, and the loader's threads."""
import csv
import json
import os
import tomllib

import fake_cuda
import pytest
from fake_cuda import FOLDER, MPBENCH, Training

NETWORK = ["--model", "cnn", "--precision", "fp16"]
# A training of more than a second: cards refresh their counter of energy some times a second.
SLOW = {"FAKE_CUDA_LAUNCH_US": "4000"}
METERS = ("device_energy_j", "device_clock_mhz", "device_throttled")
COMPARE = ["compare", "--device", "cuda", "--image-size", 32, "--model", "cnn", "--precision", "fp32,fp16", "--repeats", 2,
           "--sessions", 2, "--steps", 9, "--no-checkpoints", "--progress", "never"]


@pytest.fixture
def nvml(tmp_path):
    """A driver with NVML, which knows the card of the first device alone; it is throttled by power and heat."""
    folder = tmp_path / "driver"
    folder.mkdir()
    (folder / "libnvidia-ml.so.1").symlink_to(FOLDER.parent / "libfake_nvml.so")
    return {"LD_LIBRARY_PATH": f"{folder}:{FOLDER}", "FAKE_NVML_REASONS": "0x44"}


def table(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_the_card_measures_itself(nvml, images, tmp_path):
    row = Training(tmp_path, images, *NETWORK, env=nvml | SLOW).row
    # The stand-in has used a joule more at each reading: where training begins, and where it ends.
    assert [row[name] for name in METERS] == ["1", "1410", "power, thermal"]
    versions = json.loads(fake_cuda.run(MPBENCH, "info", "--json", env=nvml).stdout)["versions"]
    assert versions["driver"] == "580.65.06"


def test_energy_is_not_told_of_a_moment(nvml, images, tmp_path):
    row = Training(tmp_path, images, *NETWORK, env=nvml).row
    assert float(row["train_time_s"]) < 1 and [row[name] for name in METERS] == ["", "1410", "power, thermal"]


def test_another_card_is_not_taken_for_it(nvml, images, tmp_path):
    training = Training(tmp_path, images, *NETWORK, env=nvml, devices=2, device="cuda:1")
    assert training.row["status"] == "ok" and [training.row[name] for name in METERS] == [""] * 3


def test_without_nvml_nothing_is_said(images, tmp_path):
    training = Training(tmp_path, images, *NETWORK)
    assert training.row["status"] == "ok" and [training.row[name] for name in METERS] == [""] * 3
    assert "NVML" not in training.result.stderr and "nvidia-ml" not in training.result.stderr


def test_a_comparison_tells_the_ratio_of_the_cards_energy(nvml, images, tmp_path):
    fake_cuda.run(MPBENCH, *COMPARE, "--data", images, "--out", tmp_path / "out", env=nvml | SLOW)
    assert [(row["arm"], row["energy_ratio"]) for row in table(tmp_path / "out" / "comparison.csv")] == [
        ("fp16", "1"), ("null", "1")]


def test_a_session_tells_of_the_card(nvml, images, tmp_path):
    """The program that starts the runs asks it, and finds it without CUDA."""
    def sessions(out, device, devices):
        fake_cuda.run(MPBENCH, "compare", "--device", device, *NETWORK[:2], "--precision", "fp32,fp16", "--image-size", 32,
                      "--batch-size", 8, "--speed-only", "--sessions", 2, "--max-time", "16s", "--progress", "never",
                      "--data", images, "--out", out, env=nvml, devices=devices)
        return [(row["device_clock_mhz"], row["device_throttled"], row["device_temperature_c"])
                for row in table(out / "sessions.csv")]
    first = sessions(tmp_path / "first", "cuda", 1)
    assert first and set(first) == {("1410", "power, thermal", "54")}
    assert all("the GPU was throttled (power, thermal)" in row["note"]
               for row in table(tmp_path / "first" / "comparison.csv"))
    other = sessions(tmp_path / "other", "cuda:1", 2)
    assert other and set(other) == {("", "", "")}


def test_what_starts_the_runs_does_not_load_cuda(images, tmp_path):
    listing = tmp_path / "loader"
    listing.mkdir()
    fake_cuda.run(MPBENCH, *COMPARE, "--data", images, "--out", tmp_path / "out",
                  env={"LD_DEBUG": "files", "LD_DEBUG_OUTPUT": str(listing / "list")})
    loads = ["libmpbench_cuda.so" in path.read_text() for path in listing.iterdir()
             if "libmpbench_engine.so" in path.read_text()]
    assert sorted(loads) == [False] + 6 * [True]


def test_workers_follow_the_device_in_every_arm_and_when_resumed(images, tmp_path):
    out = tmp_path / "out"
    fake_cuda.run(MPBENCH, *COMPARE, "--data", images, "--out", out)
    expected = min(8, max(1, len(os.sched_getaffinity(0)) // 2))
    assert {row["workers"] for row in table(out / "runs.csv")} == {str(expected)}
    for config in [out / "config.toml", *out.glob("runs/*/config.toml")]:
        assert tomllib.loads(config.read_text())["workers"] == expected
    before = (out / "blocks.csv").read_text()
    resumed = fake_cuda.run(MPBENCH, *COMPARE, "--data", images, "--out", out, "--resume")
    assert "session 1/2" not in resumed.stderr and (out / "blocks.csv").read_text() == before
    resumed = fake_cuda.run(MPBENCH, *COMPARE, "--data", images, "--out", out, "--resume", "--workers", expected + 1, code=2)
    assert f"--workers was {expected} and is {expected + 1} now" in resumed.stderr
