"""mpbench explain: where a step's time goes, and causes that are made here on purpose."""
import json
import math

import pytest
from mpbench_command import FASHION_MNIST, one_line, rows, run, user_cache  # noqa: F401

SMALL = ["--dataset", "idx", "--data", FASHION_MNIST, "--limit", 2000, "--device", "cpu", "--progress", "never", "--max-time", "6s"]


def explain(out, *more, **options):
    return run("explain", *SMALL, "--out", out, *more, **options)


def causes(out):
    return {(row["arm"], row["kind"]) for row in rows(out / "causes.csv")}


def kinds(out, arm):
    return {row["kind"]: float(row["ms"]) for row in rows(out / "explain.csv") if row["arm"] == arm}


@pytest.fixture(scope="module")
def healthy(tmp_path_factory):
    out = tmp_path_factory.mktemp("explain") / "out"
    trace = out.parent / "trace.json"
    result = explain(out, "--threads", 1, "--batch-size", 64, "--precision", "fp32,bf16", "--trace", trace)
    return out, result, trace


def test_the_kinds_add_up_to_the_step(healthy):
    out, _, _ = healthy
    for arm in ("fp32", "bf16"):
        own = [row for row in rows(out / "explain.csv") if row["arm"] == arm]
        step_ms = float(own[0]["step_ms"])
        assert math.isclose(sum(float(row["ms"]) for row in own), step_ms, rel_tol=0.03)
        assert math.isclose(sum(float(row["share"]) for row in own), 1, rel_tol=0.03)
        # The profiler's own cost is not in the step that was compared, and is told.
        assert 0.5 < float(own[0]["profiled_step_ms"]) / step_ms < 3
    run_id = next((out / "runs").iterdir()).name
    operators = rows(out / "runs" / run_id / "operators.csv")
    profiled_ms = float(operators[0]["profiled_step_ms"])
    assert math.isclose(sum(float(row["ms"]) for row in operators), profiled_ms, rel_tol=0.03)


def test_the_kinds_are_those_of_a_step(healthy):
    out, _, _ = healthy
    found = kinds(out, "fp32")
    for kind in ("convolution-forward", "convolution-data-gradient", "convolution-weight-gradient", "norm-activation", "pooling",
                 "linear", "loss", "optimizer", "host"):
        assert found[kind] > 0, found
    assert "cast-copy" in kinds(out, "bf16")
    mixed, = (folder for folder in (out / "runs").iterdir() if "bf16" in folder.name)
    convolutions = [row for row in rows(mixed / "operators.csv") if row["kind"] == "convolution-forward" and row["gflop"]]
    assert convolutions and {row["dtype"] for row in convolutions} == {"bfloat16"}


def test_one_screen_at_80_columns(healthy):
    _, result, _ = healthy
    lines = result.stdout.splitlines()
    assert all(len(line) <= 80 for line in lines) and len(lines) < 60, result.stdout
    assert "at most" in result.stdout and "GFLOP/s" in result.stdout and "profiler's own cost" in result.stdout
    assert "\x1b" not in result.stdout


def test_the_trace_has_both_arms(healthy):
    _, _, trace = healthy
    events = json.loads(trace.read_text())["traceEvents"]
    assert {event["args"]["name"] for event in events if event.get("name") == "process_name"} >= {"mpbench fp32", "mpbench bf16"}
    names = {event.get("name") for event in events}
    assert {"aten::convolution", "optimizer"} <= names


def test_json_has_the_same_figures(healthy, tmp_path):
    out, _, _ = healthy
    told = json.loads((out / "explain.json").read_text())
    assert [arm["arm"] for arm in told["arms"]] == ["fp32", "bf16"]
    assert math.isclose(told["arms"][0]["step_ms"], float(rows(out / "explain.csv")[0]["step_ms"]))
    assert told["rates"]["gflop_per_s"]["fp32"] > 0


def test_a_healthy_run_has_no_false_cause(healthy):
    """What the machine does beside it, and how well this processor computes in bf16 and in each memory format, is true of it."""
    out, _, _ = healthy
    true_of_some = {"other-load", "slow-dtype", "casts", "memory-bound", "memory-format"}
    assert {kind for _, kind in causes(out)} <= true_of_some, (out / "causes.csv").read_text()


def test_a_slow_loader(healthy, tmp_path):
    """Augmentation in the main thread, beside a network of which only the head is trained: how much of the step that is depends
    on the processor, and from 5 % on it is a cause."""
    out = tmp_path / "out"
    explain(out, "--workers", 0, "--freeze-backbone", "--augment-degrees", 20, "--augment-zoom", 0.2, "--augment-shift", 0.1,
            "--augment-brightness", 0.1, "--augment-contrast", 0.1, "--batch-size", 64, "--precision", "fp32,bf16")
    usual, shares = ({row["arm"]: float(row["share"]) for row in rows(folder / "explain.csv") if row["kind"] == "data-wait"}
                     for folder in (healthy[0], out))
    assert all(share > 2 * usual[arm] for arm, share in shares.items()), (usual, shares)
    assert {arm for arm, kind in causes(out) if kind == "data-wait"} == {arm for arm, share in shares.items() if share >= 0.05}


def test_a_batch_of_one(tmp_path):
    out = tmp_path / "out"
    explain(out, "--threads", 1, "--batch-size", 1, "--precision", "fp32,bf16")
    assert ("fp32", "small-batch") in causes(out), (out / "explain.csv").read_text()


def test_fp16_in_code_that_is_slow(tmp_path):
    out = tmp_path / "out"
    explain(out, "--threads", 1, "--batch-size", 16, "--limit", 400, "--precision", "fp32,fp16", "--emulation", "framework")
    found = {row["kind"]: row for row in rows(out / "causes.csv") if row["arm"] == "fp16"}
    fast = json.loads((out / "explain.json").read_text())["rates"]["gflop_per_s"]
    assert ("slow-dtype" in found) == (fast["fp16"] < 1.2 * fast["fp32"]), found


def test_more_threads_than_processors(tmp_path):
    out = tmp_path / "out"
    explain(out, "--threads", 16, "--batch-size", 32, "--precision", "fp32,bf16")
    assert {("fp32", "oversubscribed"), ("bf16", "oversubscribed")} <= causes(out)


def test_what_makes_no_sense_is_refused(tmp_path):
    for more, problem in ((["--precision", "fp64"], "fp64"), (["--profile-steps", 0], "--profile-steps 0"),
                          (["--model", "vgg"], "vgg")):
        assert problem in one_line(explain(tmp_path / "out", *more, code=2))
    assert "--max-time 0s" in one_line(run("explain", "--max-time", 0, "--out", tmp_path / "out", code=2))
    assert not (tmp_path / "out").exists()


def test_a_folder_with_results_is_left_alone(healthy):
    out, _, _ = healthy
    before = (out / "runs.csv").read_bytes()
    assert "choose another --out" in one_line(explain(out, code=2))
    assert (out / "runs.csv").read_bytes() == before


def test_info_measures_the_rates_that_explain_rests_on():
    assert "GFLOP/s" in run("info", "--measure").stdout
    told = json.loads(run("info", "--measure", "--json").stdout)["devices"][0]["rates"]
    assert told["gflop_per_s"]["fp32"] > 0 and told["copy_gb_per_s"] > 0


def test_its_options_are_kept_and_read_back(healthy, tmp_path):
    out, _, _ = healthy
    kept = (out / "config.toml").read_text()
    assert 'precision = ["fp32", "bf16"]' in kept and "profile-steps = 5" in kept
    again = tmp_path / "again"
    run("explain", "--config", out / "config.toml", "--out", again, "--progress", "never")
    assert {row["arm"] for row in rows(again / "explain.csv")} == {"fp32", "bf16"}
