"""A run whose memory is refused ends as `oom`, names the batch, and the sweep goes on."""
import resource

from mpbench_command import FASHION_MNIST, rows, run

LIMIT = 6 << 30
TOO_MANY = 4096


def limited():
    resource.setrlimit(resource.RLIMIT_AS, (LIMIT, LIMIT))


def arguments(out):
    return ["--dataset", "idx", "--data", FASHION_MNIST, "--limit", 4200, "--image-size", 128, "--steps", 7,
            "--threads", 1, "--warmup-steps", 1, "--device", "cpu", "--progress", "never", "--out", out]


def test_a_run_names_the_step_and_the_batch(tmp_path):
    out = tmp_path / "out"
    run("train", *arguments(out), "--batch-size", TOO_MANY, code=1, preexec_fn=limited)
    record, = rows(out / "runs.csv")
    assert record["status"] == "oom"
    assert f"step 1, with a batch of [{TOO_MANY}, 1, 128, 128]" in record["error"]


def test_a_sweep_goes_on(tmp_path):
    out = tmp_path / "out"
    result = run("compare", *arguments(out), "--precision", "fp32,bf16", "--batch-size", f"{TOO_MANY},16", "--repeats", 2,
                 "--sessions", 2, code=3, preexec_fn=limited)
    assert f"-b{TOO_MANY}-i128-cl-s0-fp32 is left out from here on: oom: " in result.stderr
    status = {row["run_id"]: row["status"] for row in rows(out / "runs.csv")}
    assert all((f"b{TOO_MANY}" in run_id) == (value == "oom") for run_id, value in status.items())
    # Where the baseline fails, what is left of the configuration's first session is not begun, nor are its others.
    assert set(status.values()) == {"ok", "oom"} and list(status.values()).count("ok") == 6
    compared = rows(out / "comparison.csv")
    assert [(row["batch_size"], row["arm"]) for row in compared if row["speedup"]] == [("16", "bf16"), ("16", "null")]
    assert any(f"b{TOO_MANY}" in row["note"] and "oom" in row["note"] for row in compared)
