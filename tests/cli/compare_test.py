"""mpbench compare: processes, CSVs, resuming."""
import math
import re
import signal
import statistics
import subprocess
import time
import tomllib

import pytest
from mpbench_command import FASHION_MNIST, MPBENCH, one_line, rows, run, wait_for

COMPARISON_COLUMNS = (
    "baseline_run,arm_run,model,batch_size,image_size,baseline_precision,arm_precision,arm_kind,sessions,rounds,speedup,"
    "speedup_ci_low,speedup_ci_high,process_sd,detectable_effect,speed_verdict,memory_ratio,metric,metric_delta,"
    "metric_delta_ci_low,metric_delta_ci_high,margin,accuracy_verdict,skipped_fraction,note").split(",")
# Two sessions, both of which train to the end.
TWO = ["--repeats", "2", "--sessions", "2"]


def arguments(out, *more):
    return ["compare", "--dataset", "idx", "--data", FASHION_MNIST, "--limit", "1500", "--epochs", "1", "--device", "cpu",
            "--threads", "1", "--out", out, *more]


def short(out, *more):
    """Nine steps a training, with a round of a step in which its speed is measured."""
    return arguments(out, *TWO, "--limit", "100", "--epochs", "9", "--steps", "9", *more)


def contents(out):
    """The tables: what a comparison has measured, and what came of it."""
    return {path.name: path.read_bytes() for path in out.glob("*.csv")}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    out = tmp_path_factory.mktemp("compare") / "out"
    result = run(*arguments(out, "--precision", "fp32,bf16,fp16", *TWO))
    return out, result


def test_every_process_is_ok_and_has_a_row(finished):
    out, _ = finished
    runs = rows(out / "runs.csv")
    assert [run["status"] for run in runs] == ["ok"] * 8
    assert [run["repeat"] for run in runs] == ["1"] * 4 + ["2"] * 4, "sessions are the outer loop"
    assert [(run["arm"], run["arm_kind"], run["compared_with"]) for run in runs] == 2 * [
        ("fp32", "baseline", ""), ("bf16", "arm", "fp32"), ("fp16", "arm", "fp32"), ("null", "null", "fp32")]
    (configuration,) = {run["configuration"] for run in runs}
    assert [run["run_id"] for run in runs] == [f"{configuration}-{run['arm']}-r{run['repeat']}" for run in runs]
    assert len({run["omp_wait_policy"] for run in runs}) == 1, "arms differ in precision alone"
    assert len(rows(out / "epochs.csv")) == 8
    for run in runs:
        assert (out / "predictions" / f"{run['run_id']}.csv").exists()
        assert (out / "runs" / run["run_id"] / "run.toml").exists()


def test_comparison_is_complete(finished):
    out, _ = finished
    comparisons = rows(out / "comparison.csv")
    assert [(c["arm_precision"], c["arm_kind"]) for c in comparisons] == [("bf16", "arm"), ("fp16", "arm"), ("fp32", "null")]
    # Where two trainings give the same predictions there is no interval.
    may_be_empty = {"note", "skipped_fraction", "metric_delta_ci_low", "metric_delta_ci_high"}
    for c in comparisons:
        assert list(c)[: len(COMPARISON_COLUMNS)] == COMPARISON_COLUMNS
        # By chance two copies of the baseline differ more than two sessions can explain: no verdict then, and a note.
        copies_differ = {"speed_verdict"} if "two copies of the baseline differ" in c["note"] else set()
        empty = [name for name in COMPARISON_COLUMNS if c[name] == "" and name not in may_be_empty | copies_differ]
        assert not empty, empty
        assert float(c["speedup_ci_low"]) <= float(c["speedup"]) <= float(c["speedup_ci_high"])
        assert copies_differ or c["speed_verdict"] in ("faster", "slower", "equivalent", "unresolved")
        assert c["accuracy_verdict"] == "inconclusive", "two trainings are too few"
        assert c["sessions"] == c["pairs"] == "2"
    assert comparisons[1]["skipped_fraction"] != ""


def log_time_of_an_image(blocks, arm, session, round):
    """Of the two halves of a round; images of skipped steps are no use."""
    halves = [b for b in blocks if (b["arm"], b["session"], b["round"]) == (arm, session, round)]
    useful = [int(b["images"]) * (1 - int(b["skipped_steps"]) / int(b["steps"])) for b in halves]
    if len(halves) != 2 or 0 in useful:
        return None
    return math.log(sum(float(b["time_s"]) / images for b, images in zip(halves, useful)) / 2)


def test_speedup_is_what_blocks_csv_says(finished):
    """The mean over the sessions of the Hodges-Lehmann estimate over their rounds, computed here from the raw rows."""
    out, _ = finished
    blocks = rows(out / "blocks.csv")
    rounds = sorted({b["round"] for b in blocks} - {"0"})
    for c in rows(out / "comparison.csv"):
        with_null = ["fp32"] if c["arm"] == "null" else ["fp32", "null"]
        sessions = []
        for session in ["1", "2"]:
            gains = []
            for round in rounds:
                own, *others = [log_time_of_an_image(blocks, arm, session, round) for arm in [c["arm"], *with_null]]
                if None not in (own, *others):
                    gains.append(statistics.mean(others) - own)
            sessions.append(statistics.median((a + b) / 2 for i, a in enumerate(gains) for b in gains[: i + 1]))
        assert float(c["speedup"]) == pytest.approx(math.exp(statistics.mean(sessions)), rel=1e-9), c["arm"]


def test_table_and_paths_are_for_people(finished):
    out, result = finished
    assert result.stdout == ""
    assert "bf16" in result.stderr and "comparison.csv" in result.stderr
    assert "\x1b" not in result.stderr
    for line in result.stderr.splitlines():
        assert len(line) <= 80 or "/" in line, line
    for name in ("blocks.csv", "metrics.csv", "decisions.csv", "flips.csv", "report.md"):
        assert str(out / name) in result.stderr and (out / name).exists()


def test_decisions_are_counted_as_they_flip(finished):
    out, _ = finished
    predicted = {}
    for run in rows(out / "runs.csv"):
        predicted[run["arm"], run["repeat"]] = {
            row["sample_id"]: (row["predicted"], row["label"]) for row in rows(out / "predictions" / f"{run['run_id']}.csv")}
    flips = [(row["arm"], row["repeat"], row["sample_id"]) for row in rows(out / "flips.csv")]
    everything = rows(out / "decisions.csv")
    decisions = [row for row in everything if row["attribute"] == ""]
    assert [(row["arm"], row["repeat"]) for row in decisions] == [
        (arm, repeat) for arm in ("bf16", "fp16", "null") for repeat in "12"]
    for row in decisions:
        ours, base = predicted[row["arm"], row["repeat"]], predicted["fp32", row["repeat"]]
        right = [(base[id][0] == base[id][1], ours[id][0] == ours[id][1]) for id in base]
        counts = [right.count(pair) for pair in ((True, True), (False, False), (True, False), (False, True))]
        assert [int(row[name]) for name in ("both_right", "both_wrong", "lost", "gained")] == counts
        assert int(row["decisions"]) == len(base)
        assert sorted(id for id in base if base[id][0] != ours[id][0]) == sorted(
            id for arm, repeat, id in flips if (arm, repeat) == (row["arm"], row["repeat"]))


def test_finished_comparison_is_not_overwritten_but_resumed(finished):
    out, _ = finished
    before = contents(out)
    assert "--resume" in one_line(run(*arguments(out, "--precision", "fp32,bf16,fp16", *TWO), code=2))
    result = run(*arguments(out, "--precision", "fp32,bf16,fp16", *TWO, "--resume"))
    assert contents(out) == before, "nothing was left to do"
    assert not re.search(r"^session \d", result.stderr, re.MULTILINE), result.stderr
    assert "bf16" in result.stderr, "the table is shown"


def test_its_config_file_repeats_it(finished, tmp_path):
    out, _ = finished
    run("compare", "--config", out / "config.toml", "--epochs", "1", "--limit", "450", "--out", tmp_path / "again")
    assert [r["arm"] for r in rows(tmp_path / "again" / "runs.csv")] == 2 * ["fp32", "bf16", "fp16", "null"]
    for c in rows(tmp_path / "again" / "comparison.csv"):
        assert c["speedup"] != "" and c["speedup_ci_low"] != "", "two sessions carry an interval"


def test_axes_are_comma_lists(tmp_path):
    run(*short(tmp_path / "out", "--precision", "fp32,bf16", "--batch-size", "16,32", "--channels-last", "true,false"))
    runs = rows(tmp_path / "out" / "runs.csv")
    assert {(r["batch_size"], r["channels_last"]) for r in runs} == {
        ("16", "true"), ("16", "false"), ("32", "true"), ("32", "false")}
    comparisons = rows(tmp_path / "out" / "comparison.csv")
    assert [c["arm_kind"] for c in comparisons] == 4 * ["arm", "null"]
    assert len({c["configuration"] for c in comparisons}) == 4


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


def test_max_time_chooses_steps_that_fit(tmp_path):
    out = tmp_path / "out"
    before = time.monotonic()
    result = run("compare", "--dataset", "idx", "--data", FASHION_MNIST, "--limit", "1500", "--epochs", "1000000",
                 "--precision", "fp32,bf16", *TWO, "--max-time", "0.5min", "--device", "cpu", "--threads", "1", "--out", out)
    took = time.monotonic() - before
    # Machines are shared: that the runs would take years is what it must not follow.
    assert took < 90, result.stderr
    assert re.search(r"^2 trainings of \d+ steps an arm, 2 sessions to begin with: about \d+ s$", result.stderr,
                     re.MULTILINE), result.stderr
    runs = rows(out / "runs.csv")
    assert {run["status"] for run in runs} == {"ok"} and len(runs) in (3, 6), "whole sessions"
    (steps,) = {run["steps"] for run in runs}
    assert int(steps) >= 2
    assert not (out / "trial").exists()
    config = (out / "config.toml").read_text()
    assert f"steps = {steps}\n" in config and 'max-time = "30s"' in config
    resumed = run("compare", "--resume", "--config", out / "config.toml", "--out", out)
    assert "measuring a step" not in resumed.stderr, "what is gone on with keeps its steps"
    assert {run["steps"] for run in rows(out / "runs.csv")} == {steps}


def test_max_time_takes_no_more_steps_than_asked_for(tmp_path):
    run(*short(tmp_path / "out", "--precision", "fp32,bf16", "--max-time", "1h"))
    assert {r["steps"] for r in rows(tmp_path / "out" / "runs.csv")} == {"9"}


def test_max_time_that_is_too_short_is_refused(tmp_path):
    result = run(*arguments(tmp_path / "out", "--precision", "fp32,bf16", "--max-time", "0.1s"), code=2)
    assert "--max-time" in result.stderr.splitlines()[-1] and "--repeats" in result.stderr.splitlines()[-1]
    assert "--max-time" in one_line(run(*arguments(tmp_path / "out", "--max-time", "5 fortnights"), code=2))
    assert "--max-time" in one_line(run(*arguments(tmp_path / "out", "--max-time", "-5s"), code=2))


def test_an_option_may_be_for_one_arm_alone(tmp_path):
    out = tmp_path / "out"
    run(*short(out, "--precision", "fp32,fp16", "--init-scale", "1024"))
    runs = rows(out / "runs.csv")
    scale = {(run["arm"], tomllib.loads((out / "runs" / run["run_id"] / "run.toml").read_text())["init-scale"])
             for run in runs}
    assert scale == {("fp32", 65536), ("null", 65536), ("fp16", 1024)}
    assert [run["status"] for run in runs] == ["ok"] * 6


def test_the_largest_seed_is_run_and_resumed(tmp_path):
    out = tmp_path / "out"
    seeds = ["0", str(2**63 - 1)]
    run(*short(out, "--precision", "fp32,bf16", "--seed", ",".join(seeds)))
    assert [r["seed"] for r in rows(out / "runs.csv") if r["arm_kind"] != "null"] == [seeds[0]] * 2 + [seeds[1]] * 2
    before = contents(out)
    assert "session 1" not in run("compare", "--resume", "--out", out).stderr
    assert contents(out) == before


def test_a_comparison_that_is_resumed_has_to_be_there(tmp_path):
    for make in (lambda: None, lambda: (tmp_path / "mistyped").mkdir()):
        make()
        line = one_line(run(*arguments(tmp_path / "mistyped", "--resume"), code=2))
        assert "mistyped" in line and "--resume" in line, line
    assert not list((tmp_path / "mistyped").iterdir())
