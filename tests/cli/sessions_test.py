"""mpbench compare: what its sessions leave, and that trainings in turns are those of mpbench train."""
import re

import pytest
from mpbench_command import rows, run
from sessions import one_thread, require_complete, rounds_of, trainings

ARMS = ["fp32", "bf16", "null"]


@pytest.fixture(scope="module")
def speed(tmp_path_factory):
    """Two sessions for speed alone, in blocks of a few steps."""
    out = tmp_path_factory.mktemp("speed") / "out"
    run(*one_thread(out, "--precision", "fp32,bf16", "--speed-only", "--sessions", 2, "--max-time", "12s"))
    return out


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Two sessions that train to the end."""
    out = tmp_path_factory.mktemp("trained") / "out"
    run(*trainings(out, 2))
    return out


def test_every_process_has_every_round_twice_in_mirrored_order(speed):
    require_complete(speed, ARMS, 2)
    blocks = rows(speed / "blocks.csv")
    assert {(b["arm"], b["arm_kind"], b["compared_with"]) for b in blocks} == {
        ("fp32", "baseline", ""), ("bf16", "arm", "fp32"), ("null", "null", "fp32")}
    orders = {tuple(order) for session in (1, 2) for order in rounds_of(blocks, session).values()}
    assert len(orders) > 1, "each round has its own order"
    for session in ("1", "2"):
        places = {}
        for b in blocks:
            if b["session"] == session:
                places.setdefault(b["round"], []).append(int(b["place"]))
        assert sorted(places.pop("0")) == list(range(3)), "to warm up, each once"
        assert all(sorted(of_round) == list(range(6)) for of_round in places.values())


def test_blocks_have_as_many_steps_as_planned(speed):
    """All alike, but for a process that is slower than the baseline: it has as many as fit into the baseline's time."""
    blocks = rows(speed / "blocks.csv")
    for session in ("1", "2"):
        for warm_up in (True, False):
            steps = {arm: {int(b["steps"]) for b in blocks if (b["arm"], b["session"]) == (arm, session)
                           and (b["round"] == "0") == warm_up} for arm in ARMS}
            assert all(len(counts) == 1 for counts in steps.values()), steps
            (most,) = steps["fp32"]
            assert all(0 < count <= most for counts in steps.values() for count in counts), steps


def test_blocks_tell_what_they_took(speed):
    for b in rows(speed / "blocks.csv"):
        assert int(b["images"]) == 8 * int(b["steps"]) and b["skipped_steps"] == "0"
        assert 0 <= float(b["data_wait_s"]) < float(b["time_s"])
        assert 0 < float(b["cpu_time_s"])
        assert all(int(b[name]) >= 0 for name in ("page_faults", "major_page_faults", "preemptions", "voluntary_switches"))


def test_speed_alone_trains_nothing_to_its_end(speed):
    runs = rows(speed / "runs.csv")
    assert len(runs) == 6
    for record in runs:
        assert record["val_loss"] == record["val_accuracy"] == ""
    for name in ("metrics.csv", "decisions.csv", "flips.csv", "predictions", "checkpoints"):
        assert not (speed / name).exists(), name
    rounds = sum(len(rounds_of(rows(speed / "blocks.csv"), session)) - 1 for session in (1, 2))
    compared = rows(speed / "comparison.csv")
    assert [row["arm"] for row in compared] == ["bf16", "null"]
    for row in compared:
        assert (row["sessions"], row["rounds"]) == ("2", str(rounds))
        assert row["speedup"] and row["speedup_ci_low"] and row["process_sd"] and row["detectable_effect"]
        assert row["metric"] == row["metric_delta"] == row["accuracy_verdict"] == ""


def test_a_training_goes_on_from_its_blocks_to_its_end(trained):
    require_complete(trained, ARMS, 2)
    blocks = rows(trained / "blocks.csv")
    for record in rows(trained / "runs.csv"):
        in_blocks = sum(int(b["steps"]) for b in blocks if (b["arm"], b["session"]) == (record["arm"], record["repeat"]))
        assert 0 < in_blocks < 60 == int(record["steps"])
        assert record["val_loss"] and record["val_accuracy"]


def test_each_repeat_has_its_own_seed_and_all_one_split(trained):
    runs = rows(trained / "runs.csv")
    seeds = {(record["arm"], record["repeat"]): record["seed"] for record in runs}
    for arm in ("fp32", "bf16"):
        assert [seeds[arm, repeat] for repeat in "12"] == ["0", "1"]
    assert len({seeds["null", "1"], seeds["null", "2"], "0", "1"}) == 4, "the null arm has other seeds"
    splits = {(trained / "runs" / record["run_id"] / "split.csv").read_bytes() for record in runs}
    assert len(splits) == 1


def test_a_training_in_turns_is_that_of_train(trained, tmp_path):
    """To the last bit: that the steps came in blocks changes nothing."""
    for record in rows(trained / "runs.csv")[:3]:
        folder = tmp_path / record["arm"]
        run("train", "--config", trained / "runs" / record["run_id"] / "run.toml", "--out", folder)
        alone, = rows(folder / "runs.csv")
        for column in ("config_hash", "seed", "steps", "train_loss", "val_loss", "val_accuracy"):
            assert alone[column] == record[column] != "", (record["run_id"], column)


def test_the_split_has_its_own_seed(tmp_path):
    """The set is split at random, unlike that of the other tests."""
    out = tmp_path / "out"
    options = ["--dataset", "synthetic", "--limit", 40, "--image-size", 32, "--batch-size", 4, "--device", "cpu", "--threads", 1]
    run("compare", *options, "--precision", "fp32,bf16", "--repeats", 2, "--sessions", 2, "--steps", 9, "--split-seed", 3,
        "--out", out)
    splits = [path.read_bytes() for path in out.glob("runs/*/split.csv")]
    assert len(splits) == 6 and len(set(splits)) == 1, "of all repeats, and of the null arm, whose seed is another"

    def split_of_train(*seeds):
        folder = tmp_path / "".join(map(str, seeds))
        run("train", *options, "--steps", 1, "--out", folder, *seeds)
        return (folder / "split.csv").read_bytes()

    assert split_of_train("--split-seed", 3, "--seed", 9) == splits[0]
    assert split_of_train("--split-seed", 4) != splits[0] != split_of_train("--seed", 3)


def test_seeds_may_be_listed(tmp_path):
    run(*one_thread(tmp_path / "out", "--precision", "fp32,bf16", "--seed", "5,3", "--sessions", 2, "--steps", 9))
    runs = rows(tmp_path / "out" / "runs.csv")
    assert [record["seed"] for record in runs if record["arm_kind"] != "null"] == ["5", "5", "3", "3"]
    assert all(record["val_loss"] for record in runs), "as many repeats as seeds"


@pytest.mark.parametrize("steps", [6, 20])
def test_a_training_that_is_just_long_enough_for_its_blocks(steps, tmp_path):
    """Or ends with them: no process counts as failed, and no session is done twice."""
    out = tmp_path / "out"
    result = run(*one_thread(out, "--precision", "fp32,bf16", "--repeats", 2, "--sessions", 2, "--steps", steps,
                             "--max-time", "40s"))
    assert "ended" not in result.stderr
    require_complete(out, ARMS, 2)
    if steps == 20:
        assert re.findall(r"^session (\d)/2", result.stderr, re.MULTILINE) == ["1", "2"]


def test_runs_that_stop_early_are_compared_as_they_are(tmp_path):
    """A run that ends in its turn, before the rounds do; two epochs at least have two rounds."""
    out = tmp_path / "out"
    result = run(*one_thread(out, "--precision", "fp32,bf16", "--repeats", 2, "--sessions", 2, "--limit", 64, "--epochs", 6,
                             "--early-stop", 1, "--lr", 0.02, "--max-time", "2min"))
    assert "ended" not in result.stderr
    runs = rows(out / "runs.csv")
    assert [record["status"] for record in runs] == ["ok"] * 6
    assert all(record["val_loss"] for record in runs) and any(int(record["epochs"]) < 6 for record in runs)
    assert all(row["sessions"] == "2" and row["speedup"] for row in rows(out / "comparison.csv"))


def test_more_sessions_are_added_to_what_is_there(speed):
    before = (speed / "blocks.csv").read_text()
    result = run(*one_thread(speed, "--precision", "fp32,bf16", "--speed-only", "--sessions", 3, "--max-time", "4s", "--resume"))
    after = (speed / "blocks.csv").read_text()
    assert after.startswith(before) and len(after) > len(before)
    assert re.findall(r"^session (\d)/3", result.stderr, re.MULTILINE) == ["3"]
    require_complete(speed, ARMS, 3)
    assert {row["sessions"] for row in rows(speed / "comparison.csv")} == {"3"}
