"""Training that is killed, interrupted or damaged, and goes on."""
import json
import random
import signal
import subprocess
import time

import pytest
from mpbench_command import FASHION_MNIST, MPBENCH, one_line, rows, run
from safetensors import safe_open

TIMINGS = {"use", "time_s", "data_wait_s", "step_s", "epoch_time_s", "images_per_s"}
ARGUMENTS = ["--dataset", "idx", "--data", FASHION_MNIST, "--limit", 1000, "--epochs", 3, "--batch-size", 25,
             "--device", "cpu", "--precision", "bf16", "--ema-decay", 0.9, "--augment-flip", "--schedule", "cosine",
             "--checkpoint-steps", 4, "--threads", 1, "--warmup-steps", 1, "--progress", "never"]


def command(out, *arguments):
    return [str(part) for part in ("train", *ARGUMENTS, "--out", out, *arguments)]


def last(out, name="last"):
    return out / "checkpoints" / f"{name}.safetensors"


def without_timings(value):
    if isinstance(value, dict):
        return {key: without_timings(part) for key, part in value.items() if key not in TIMINGS}
    return [without_timings(part) for part in value] if isinstance(value, list) else value


def state_of(path):
    """Every tensor's bytes, and the state but for what a clock told."""
    with safe_open(path, framework="np") as file:
        tensors = {name: file.get_tensor(name).tobytes() for name in file.keys() if name != "digest/sha256"}
        state = json.loads(file.metadata()["mpbench_state"])
    return tensors, without_timings(state)


def results_of(out):
    epochs = [{key: value for key, value in row.items() if key not in TIMINGS} for row in rows(out / "epochs.csv")]
    record, = rows(out / "runs.csv")
    kept = {key: record[key] for key in ("status", "steps", "epochs", "train_loss", "val_loss", "val_accuracy",
                                         "best_epoch", "config_hash")}
    return kept, epochs, rows(next((out / "predictions").glob("*.csv")))


@pytest.fixture(scope="module")
def peace(tmp_path_factory):
    out = tmp_path_factory.mktemp("peace") / "out"
    run(*command(out))
    return out


@pytest.fixture(scope="module")
def duration_s(peace, tmp_path_factory):
    begin = time.monotonic()
    run(*command(tmp_path_factory.mktemp("again") / "out"))
    return time.monotonic() - begin


def test_killed_at_random_moments_it_ends_as_in_peace(peace, duration_s, tmp_path):
    out = tmp_path / "out"
    chance = random.Random(7)
    kills = 0
    for _ in range(40):
        process = subprocess.Popen([MPBENCH, *command(out, "--resume")], stderr=subprocess.DEVNULL)
        try:
            process.wait(timeout=chance.uniform(0.3, 0.7) * duration_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            kills += 1
        else:
            assert process.returncode == 0
            break
    else:
        run(*command(out, "--resume"))
    assert kills >= 2, "the run is too short to be killed"
    assert results_of(out) == results_of(peace)
    for name in ("last", "best"):
        assert state_of(last(out, name)) == state_of(last(peace, name)), name


def test_ctrl_c_keeps_the_step_and_the_run_goes_on(peace, tmp_path):
    out = tmp_path / "out"
    process = subprocess.Popen([MPBENCH, *command(out)], stderr=subprocess.PIPE, text=True)
    deadline = time.time() + 60
    while not last(out).exists() and time.time() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    told = process.communicate(timeout=60)[1]
    assert process.returncode == 130, told
    assert "--resume" in told
    record, = rows(out / "runs.csv")
    assert record["status"] == "interrupted" and int(record["steps"]) >= 4
    assert "--resume" in one_line(run(*command(out, "--quiet"), code=2)), "it is not overwritten unasked"
    assert state_of(last(out))[1]["steps_done"] == int(record["steps"])
    run(*command(out, "--resume"))
    assert results_of(out) == results_of(peace)


def test_a_finished_run_has_nothing_left_to_do(peace):
    before = results_of(peace)
    run(*command(peace, "--resume"))
    assert results_of(peace) == before


def test_the_folder_knows_its_options(peace, tmp_path):
    out = tmp_path / "out"
    run(*command(out, "--epochs", 1))
    run("train", "--resume", "--out", out, "--epochs", 3)
    assert results_of(out)[0]["epochs"] == "3", "--epochs 3 wins over the file's 1"
    assert rows(out / "runs.csv")[0]["batch_size"] == "25"
    assert float(results_of(out)[0]["val_accuracy"]) > 0.5


def test_states_of_another_run_are_not_taken_over(peace):
    error = one_line(run(*command(peace, "--quiet", "--resume", "--lr", 0.5), code=1))
    assert str(last(peace)) in error and "lr" in error


def test_a_damaged_state_is_refused_and_the_one_before_it_offered(tmp_path):
    out = tmp_path / "out"
    run(*command(out, "--steps", 14))
    content = bytearray(last(out).read_bytes())
    content[-2000] ^= 1
    last(out).write_bytes(content)
    error = one_line(run(*command(out, "--quiet", "--steps", 20, "--resume"), code=1))
    assert str(last(out)) in error and "damaged" in error
    assert f"--resume-from {last(out, 'previous')}" in error
    result = run(*command(out, "--steps", 20, "--resume-from", last(out, "previous")))
    assert "going on after step" in result.stderr and "--steps was 14" in result.stderr
    assert rows(out / "runs.csv")[0]["steps"] == "20"


def test_a_finished_run_gives_way_to_a_new_one(tmp_path):
    out = tmp_path / "out"
    run(*command(out, "--steps", 8))
    run(*command(out, "--steps", 4, "--lr", 0.01))
    assert state_of(last(out))[1]["steps_done"] == 4 and not last(out, "previous").exists()


def test_nothing_is_kept_where_nothing_is_asked_for(tmp_path):
    run(*command(tmp_path / "out", "--steps", 3, "--no-checkpoints"))
    assert not (tmp_path / "out" / "checkpoints").exists()


def test_a_run_stops_where_it_gets_no_better(tmp_path):
    result = run(*command(tmp_path / "out", "--early-stop", 1, "--epochs", 30, "--lr", 0.05, "--limit", 200))
    record, = rows(tmp_path / "out" / "runs.csv")
    assert record["status"] == "ok" and "stopped early" in result.stderr
    assert int(record["epochs"]) == int(record["best_epoch"]) + 1 < 30
