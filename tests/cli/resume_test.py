"""Training that is killed, interrupted or damaged, and goes on."""
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import time

import pytest
from mpbench_command import FASHION_MNIST, MPBENCH, one_line, rows, run, wait_for
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
        resume = ["--resume"] if out.exists() else []
        process = subprocess.Popen([MPBENCH, *command(out, *resume)], stderr=subprocess.DEVNULL)
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


def contents(folder):
    """Every file below it, by its digest."""
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*")) if path.is_file()}


def test_states_of_another_run_are_not_taken_over(peace):
    error = one_line(run(*command(peace, "--quiet", "--resume", "--lr", 0.5), code=1))
    assert str(last(peace)) in error and "lr" in error


@pytest.mark.parametrize("flags, words, code", [
    (["--lr", 0.5], ["lr"], 1),
    (["--seed", 9], ["seed"], 1),
    (["--precision", "fp32"], ["precision"], 1),
    (["--data", "/nowhere"], ["/nowhere"], 1),
    (["--limit", 500], ["limit"], 1),
    (["--dataset", "cifar100"], ["dataset"], 1),
    (["--init-scale", 8], ["--init-scale"], 2),
    (["--weights", "nothing.pth"], ["weights"], 1),
])
def test_a_refused_resume_leaves_the_folder_as_it_was(peace, tmp_path, flags, words, code):
    out = shutil.copytree(peace, tmp_path / "out")
    before = contents(out)
    error = one_line(run("train", "--quiet", "--resume", "--out", out, *flags, code=code))
    for word in words:
        assert word in error, error
    assert contents(out) == before
    run("train", "--resume", "--out", out)
    assert results_of(out) == results_of(peace)


def test_other_images_are_refused_and_nothing_is_written(tmp_path):
    sets = [tmp_path / name for name in ("one", "two")]
    for seed, folder in enumerate(sets):
        run("synth", folder, "--patients", 4, "--height", 64, "--width", 64, "--seed", seed, "--syntax", "explicit-le")
    env = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    out = tmp_path / "out"
    run("train", "--data", sets[0], "--image-size", 32, "--steps", 2, "--out", out, env=env)
    before = contents(out)
    run("train", "--resume", "--data", sets[1], "--out", out, code=1, env=env)
    assert contents(out) == before


def test_a_new_run_that_cannot_begin_leaves_the_finished_one(tmp_path):
    out = tmp_path / "out"
    run(*command(out, "--steps", 4))
    before = contents(out)
    run("train", "--dataset", "idx", "--data", tmp_path / "nowhere", "--out", out, code=1)
    after = contents(out)
    assert after.pop("mpbench.log") != before.pop("mpbench.log"), "the log tells of it"
    assert after == before


def test_amp_goes_on_with_the_precision_that_it_came_to(tmp_path):
    amp = ["train", "--dataset", "idx", "--data", FASHION_MNIST, "--limit", 200, "--epochs", 1, "--device", "cpu"]
    run(*amp, "--amp", "--out", tmp_path / "peace")
    out = tmp_path / "out"
    run(*amp, "--amp", "--steps", 3, "--out", out)
    assert 'precision = "bf16"' in (out / "config.toml").read_text()
    run(*amp, "--amp", "--resume", "--steps", 0, "--out", out)
    assert results_of(out) == results_of(tmp_path / "peace")
    run("train", "--resume", "--amp", "--out", out)
    assert "precision" in one_line(run("train", "--quiet", "--resume", "--precision", "fp16", "--out", out, code=1))


@pytest.mark.parametrize("first, total", [(3, 6), (3, 60), (43, 60), (60, 80)])
def test_a_run_that_steps_ended_within_an_epoch_goes_on_there(tmp_path, first, total):
    """An epoch has 40 steps. A cosine would be another one for another length."""
    constant = ["--schedule", "constant"]
    run(*command(tmp_path / "peace", *constant, "--steps", total))
    out = tmp_path / "out"
    run(*command(out, *constant, "--steps", first))
    finished = results_of(out)
    run(*command(out, *constant, "--steps", first, "--resume"))
    assert results_of(out) == finished, "nothing was left to do"
    result = run(*command(out, *constant, "--steps", total, "--resume"))
    assert f"going on after step {first}" in result.stderr
    assert results_of(out) == results_of(tmp_path / "peace")
    for name in ("last", "best"):
        assert state_of(last(out, name)) == state_of(last(tmp_path / "peace", name)), name


def test_the_weights_file_is_needed_no_longer(tmp_path):
    import torch
    import torchvision
    weights = tmp_path / "resnet18.pth"
    torch.manual_seed(0)
    torch.save(torchvision.models.resnet18().state_dict(), weights)
    options = ["train", "--dataset", "idx", "--data", FASHION_MNIST, "--limit", 64, "--batch-size", 8, "--epochs", 1,
               "--model", "resnet18", "--weights", weights, "--device", "cpu", "--precision", "bf16", "--threads", 1]
    run(*options, "--out", tmp_path / "peace")
    out = tmp_path / "out"
    run(*options, "--steps", 3, "--out", out)
    moved = weights.rename(tmp_path / "moved.pth")
    run("train", "--resume", "--steps", 5, "--out", out)
    other = ["--quiet", "--resume", "--out", out]
    assert "weights" in one_line(run("train", *other, "--weights", tmp_path / "none.pth", code=1))
    run("train", *other, "--weights", moved)
    run("train", *other, "--steps", 0)
    assert results_of(out) == results_of(tmp_path / "peace"), "also the configuration's hash"


@pytest.mark.parametrize("subcommand", ["train", "compare"])
def test_there_has_to_be_something_to_go_on_with(tmp_path, subcommand):
    out = tmp_path / "mistyped"
    line = one_line(run(subcommand, "--resume", "--out", out, code=2))
    assert str(out) in line and "--resume" in line
    assert not out.exists()
    out.mkdir()
    assert str(out) in one_line(run(subcommand, "--resume", "--out", out, code=2))
    assert list(tmp_path.rglob("*")) == [out]
    line = one_line(run(subcommand, "--resume", code=2, cwd=tmp_path))
    assert "--resume" in line and "--out" in line
    assert list(tmp_path.rglob("*")) == [out]


def test_a_run_that_kept_no_state_is_not_begun_again_unasked(tmp_path):
    out = tmp_path / "out"
    run(*command(out, "--steps", 3, "--no-checkpoints"))
    before = contents(out)
    assert str(out) in one_line(run(*command(out, "--resume", "--quiet"), code=2))
    assert contents(out) == before


def test_a_run_killed_before_its_first_state_begins_again(peace, tmp_path):
    out = tmp_path / "out"
    process = subprocess.Popen([MPBENCH, *command(out)], stderr=subprocess.DEVNULL)
    wait_for(out / "config.toml")
    process.kill()
    process.wait()
    assert not last(out).exists(), "it was killed too late"
    assert "begins again" in run("train", "--resume", "--out", out).stderr
    assert results_of(out) == results_of(peace)


LINKS = r"""
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* Stands in for libc's: refuses every hard link with the error in REFUSED, or ends the process at one for FATAL. */
int link(const char* from, const char* to) {
  (void)from;
  const char* refused = getenv("REFUSED");
  const char* fatal = getenv("FATAL");
  if (fatal && strstr(to, fatal)) raise(SIGKILL);
  errno = refused ? atoi(refused) : EPERM;
  return -1;
}
"""


@pytest.fixture(scope="module")
def links(tmp_path_factory):
    """The environment in which link() is another."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler")
    folder = tmp_path_factory.mktemp("links")
    (folder / "links.c").write_text(LINKS)
    subprocess.run([compiler, "-shared", "-fPIC", "-o", folder / "links.so", folder / "links.c"], check=True)
    return {"LD_PRELOAD": str(folder / "links.so")}


@pytest.mark.parametrize("error", ["EPERM", "EOPNOTSUPP", "EMLINK", "ENOSYS"])
def test_a_file_system_without_hard_links_gets_copies(links, peace, tmp_path, error):
    import errno
    out = tmp_path / "out"
    run(*command(out), env={**links, "REFUSED": str(getattr(errno, error))})
    assert results_of(out) == results_of(peace)
    for name in ("last", "best", "previous"):
        assert state_of(last(out, name)) == state_of(last(peace, name)), name
        assert last(out, name).stat().st_nlink == 1
    assert len(list((out / "checkpoints").iterdir())) == 3, "nothing is left behind"


def test_killed_before_the_best_is_marked_it_is_marked_on_resuming(links, peace, tmp_path):
    out = tmp_path / "out"
    process = subprocess.run([MPBENCH, *command(out)], stderr=subprocess.DEVNULL, env={**os.environ, **links, "FATAL": "/best.safetensors"})
    assert process.returncode == -signal.SIGKILL
    assert not last(out, "best").exists()
    assert state_of(last(out))[1]["epochs_done"] == 1
    # No later epoch is better, nor is there one.
    run(*command(out, "--resume", "--epochs", 1))
    assert state_of(last(out, "best")) == state_of(last(out))
    run(*command(out, "--resume"))
    for name in ("last", "best"):
        assert state_of(last(out, name)) == state_of(last(peace, name)), name


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
