"""mpbench compare: processes, interleaving, CSVs, resuming."""
import os
import pathlib
import re
import signal
import subprocess
import time
import tomllib

import pytest
from mpbench_command import FASHION_MNIST, MPBENCH, one_line, rows, run, wait_for

COMPARISON_COLUMNS = (
    "baseline_run,arm_run,model,batch_size,image_size,baseline_precision,arm_precision,speedup,speedup_ci_low,"
    "speedup_ci_high,noise_floor,speed_verdict,memory_ratio,metric,metric_delta,metric_delta_ci_low,"
    "metric_delta_ci_high,margin,accuracy_verdict,skipped_fraction,note").split(",")


def arguments(out, *more):
    return ["compare", "--dataset", "idx", "--data", FASHION_MNIST, "--limit", "1500", "--epochs", "1", "--device", "cpu",
            "--out", out, *more]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    out = tmp_path_factory.mktemp("compare") / "out"
    result = run(*arguments(out, "--precision", "fp32,bf16,fp16", "--repeats", "2"))
    return out, result


def test_every_arm_is_ok_and_interleaved(finished):
    out, _ = finished
    runs = rows(out / "runs.csv")
    assert [run["status"] for run in runs] == ["ok"] * 6
    assert [run["repeat"] for run in runs] == ["1"] * 3 + ["2"] * 3, "repeats are the outer loop"
    assert len({run["run_id"] for run in runs}) == 6
    assert len({run["omp_wait_policy"] for run in runs}) == 1, "arms differ in precision alone"
    assert len(rows(out / "epochs.csv")) == 6
    for run in runs:
        assert (out / "predictions" / f"{run['run_id']}.csv").exists()


def test_comparison_is_complete(finished):
    out, _ = finished
    comparisons = rows(out / "comparison.csv")
    assert [c["arm_precision"] for c in comparisons] == ["bf16", "fp16"]
    for c in comparisons:
        assert list(c)[: len(COMPARISON_COLUMNS)] == COMPARISON_COLUMNS
        empty = [name for name in COMPARISON_COLUMNS if c[name] == "" and name not in ("note", "skipped_fraction")]
        assert not empty, empty
        assert float(c["speedup_ci_low"]) <= float(c["speedup"]) <= float(c["speedup_ci_high"])
        assert c["speed_verdict"] in ("faster", "slower", "indistinguishable")
        assert c["accuracy_verdict"] in ("non-inferior", "inferior", "inconclusive")
    assert comparisons[1]["skipped_fraction"] != ""


def test_speedup_is_what_runs_csv_says(finished):
    """The geometric mean of the paired throughput ratios, computed here from the raw rows."""
    out, _ = finished
    runs = rows(out / "runs.csv")
    speed = {(r["precision"], r["repeat"]): float(r["images_per_s"]) for r in runs}
    for c in rows(out / "comparison.csv"):
        arm = c["arm_precision"]
        product = 1.0
        for repeat in ["1", "2"]:
            product *= speed[arm, repeat] / speed["fp32", repeat]
        assert float(c["speedup"]) == pytest.approx(product ** 0.5, rel=1e-9)


def test_table_and_paths_are_for_people(finished):
    out, result = finished
    assert result.stdout == ""
    assert "bf16" in result.stderr and "comparison.csv" in result.stderr
    assert "\x1b" not in result.stderr
    for line in result.stderr.splitlines():
        assert len(line) <= 80 or "/" in line, line


def test_finished_comparison_is_not_overwritten_but_resumed(finished):
    out, _ = finished
    before = (out / "runs.csv").read_text()
    assert "--resume" in one_line(run(*arguments(out, "--precision", "fp32,bf16,fp16", "--repeats", "2"), code=2))
    result = run(*arguments(out, "--precision", "fp32,bf16,fp16", "--repeats", "2", "--resume"))
    assert (out / "runs.csv").read_text() == before, "nothing was left to do"
    assert "done already" in result.stderr


def test_its_config_file_repeats_it(finished, tmp_path):
    out, _ = finished
    result = run("compare", "--config", out / "config.toml", "--epochs", "1", "--limit", "200", "--repeats", "1",
                 "--out", tmp_path / "again")
    assert [r["precision"] for r in rows(tmp_path / "again" / "runs.csv")] == ["fp32", "bf16", "fp16"]
    (one, _) = rows(tmp_path / "again" / "comparison.csv")
    assert one["speedup"] != "" and one["speedup_ci_low"] == "" and one["note"], "one repeat carries no interval"


def test_axes_are_comma_lists(tmp_path):
    run(*arguments(tmp_path / "out", "--precision", "fp32,bf16", "--repeats", "1", "--batch-size", "16,32",
                   "--channels-last", "true,false", "--limit", "100", "--steps", "2"))
    runs = rows(tmp_path / "out" / "runs.csv")
    assert {(r["batch_size"], r["channels_last"]) for r in runs} == {
        ("16", "true"), ("16", "false"), ("32", "true"), ("32", "false")}
    assert len(rows(tmp_path / "out" / "comparison.csv")) == 4


def test_ctrl_c_keeps_finished_runs(tmp_path):
    out = tmp_path / "out"
    process = subprocess.Popen([MPBENCH, *map(str, arguments(out, "--precision", "fp32,bf16", "--repeats", "50"))],
                               stderr=subprocess.PIPE, text=True)
    wait_for(out / "runs.csv")
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=120)
    assert process.returncode == 130, stderr
    statuses = [r["status"] for r in rows(out / "runs.csv")]
    assert statuses[0] == "ok" and set(statuses[1:]) <= {"ok", "interrupted"}
    assert (out / "comparison.csv").exists()


def test_a_killed_run_is_recorded_and_the_sweep_goes_on(tmp_path):
    out = tmp_path / "out"
    process = subprocess.Popen([MPBENCH, *map(str, arguments(out, "--precision", "fp32,bf16", "--repeats", "1", "--epochs", "20"))],
                               stderr=subprocess.PIPE, text=True)
    deadline = time.time() + 120
    child = None
    while child is None and time.time() < deadline:
        children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        child = int(children[0]) if children else None
        time.sleep(0.1)
    os.kill(child, signal.SIGKILL)
    _, stderr = process.communicate(timeout=240)
    assert process.returncode == 3, stderr
    first, second = rows(out / "runs.csv")
    assert first["status"] == "oom" and "signal 9" in first["error"]
    assert second["status"] == "ok"
    (row,) = rows(out / "comparison.csv")
    assert row["speedup"] == "" and row["note"]


def test_max_time_chooses_steps_that_fit(tmp_path):
    out = tmp_path / "out"
    before = time.monotonic()
    result = run("compare", "--dataset", "idx", "--data", FASHION_MNIST, "--limit", "1500", "--epochs", "1000000",
                 "--precision", "fp32,bf16", "--repeats", "2", "--max-time", "0.5min", "--device", "cpu", "--out", out)
    took = time.monotonic() - before
    # Machines are shared: that the runs would take years is what it must not follow.
    assert took < 90, result.stderr
    assert re.search(r"^4 runs of \d+ steps each: about \d+ s$", result.stderr, re.MULTILINE), result.stderr
    runs = rows(out / "runs.csv")
    assert {run["status"] for run in runs} == {"ok"} and len(runs) in (2, 4), "whole rounds"
    (steps,) = {run["steps"] for run in runs}
    assert int(steps) >= 2
    assert not (out / "trial").exists()
    config = (out / "config.toml").read_text()
    assert f"steps = {steps}\n" in config and 'max-time = "30s"' in config
    resumed = run("compare", "--resume", "--config", out / "config.toml", "--out", out)
    assert "measuring a step" not in resumed.stderr, "what is gone on with keeps its steps"


def test_max_time_takes_no_more_steps_than_asked_for(tmp_path):
    run(*arguments(tmp_path / "out", "--precision", "fp32,bf16", "--repeats", "1", "--limit", "100", "--steps", "3",
                   "--max-time", "1h"))
    assert {r["steps"] for r in rows(tmp_path / "out" / "runs.csv")} == {"3"}


def test_max_time_that_is_too_short_is_refused(tmp_path):
    result = run(*arguments(tmp_path / "out", "--precision", "fp32,bf16", "--max-time", "0.1s"), code=2)
    assert "--max-time" in result.stderr.splitlines()[-1] and "--repeats" in result.stderr.splitlines()[-1]
    assert "--max-time" in one_line(run(*arguments(tmp_path / "out", "--max-time", "5 fortnights"), code=2))
    assert "--max-time" in one_line(run(*arguments(tmp_path / "out", "--max-time", "-5s"), code=2))


def test_an_option_may_be_for_one_arm_alone(tmp_path):
    out = tmp_path / "out"
    run(*arguments(out, "--precision", "fp32,fp16", "--init-scale", "1024", "--repeats", "1", "--limit", "100", "--steps", "2"))
    scale = {run["precision"]: tomllib.loads((out / "runs" / run["run_id"] / "run.toml").read_text())["init-scale"]
             for run in rows(out / "runs.csv")}
    assert scale == {"fp32": 65536, "fp16": 1024}
    assert [run["status"] for run in rows(out / "runs.csv")] == ["ok", "ok"]


def test_the_largest_seed_is_run_and_resumed(tmp_path):
    out = tmp_path / "out"
    seeds = ["0", str(2**63 - 1)]
    options = arguments(out, "--precision", "fp32,bf16", "--repeats", "1", "--limit", "100", "--steps", "2")
    run(*options, "--seed", ",".join(seeds))
    assert {r["seed"] for r in rows(out / "runs.csv")} == set(seeds)
    before = (out / "runs.csv").read_text()
    assert "done already" in run("compare", "--resume", "--out", out).stderr
    assert (out / "runs.csv").read_text() == before


def test_a_comparison_that_is_resumed_has_to_be_there(tmp_path):
    for make in (lambda: None, lambda: (tmp_path / "mistyped").mkdir()):
        make()
        line = one_line(run(*arguments(tmp_path / "mistyped", "--resume"), code=2))
        assert "mistyped" in line and "--resume" in line, line
    assert not list((tmp_path / "mistyped").iterdir())
