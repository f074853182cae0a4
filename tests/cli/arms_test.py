"""mpbench compare: what the arms differ in, and how the processes of a session share the machine."""
import pathlib
import re
import shutil
import statistics
import time
import tomllib

import pytest
from mpbench_command import MPBENCH, one_line, rows, run
from sessions import SPEED, arguments, begin, children, one_thread


def compared(out):
    """What each row of comparison.csv compares."""
    return [(row["arm"], row["arm_kind"], row["compared_with"]) for row in rows(out / "comparison.csv")]


def option_of_runs(out, option):
    """An option's values by the arm, as the runs of a comparison had it."""
    found = {}
    for record in rows(out / "runs.csv"):
        told = tomllib.loads((out / "runs" / record["run_id"] / "run.toml").read_text())
        found.setdefault(record["arm"], set()).add(told[option])
    return found


def require_that_nothing_is_left_to_do(out):
    """A comparison's own config.toml leads to the same arms."""
    before = {name: (out / name).read_bytes() for name in ("blocks.csv", "runs.csv", "comparison.csv")}
    run("compare", "--resume", "--out", out)
    for name, content in before.items():
        assert (out / name).read_bytes() == content, name


def test_an_axis_of_any_option(tmp_path):
    out = tmp_path / "out"
    result = run(*arguments(out, *SPEED, "--precision", "fp32", "--axis", "threads=1,2"))
    assert compared(out) == [("threads=2", "arm", "threads=1"), ("null", "null", "threads=1")]
    assert option_of_runs(out, "threads") == {"threads=1": {1}, "threads=2": {2}, "null": {1}}
    assert {(row["arm"], row["threads"]) for row in rows(out / "runs.csv")} == {
        ("threads=1", "1"), ("threads=2", "2"), ("null", "1")}
    assert re.search(r"^threads=1 +[\d.]+ +[\d.]+ +baseline", result.stderr, re.MULTILINE), result.stderr
    require_that_nothing_is_left_to_do(out)


def test_a_baseline_that_is_chosen(tmp_path):
    """The other axes then make configurations."""
    out = tmp_path / "out"
    run(*one_thread(out, *SPEED, "--precision", "fp32,bf16", "--axis", "optimizer=adam,sgd", "--baseline", "optimizer=sgd"))
    assert compared(out) == 2 * [("optimizer=adam", "arm", "optimizer=sgd"), ("null", "null", "optimizer=sgd")]
    assert {(row["configuration"], row["baseline_precision"]) for row in rows(out / "comparison.csv")} == {
        ("cnn-b8-inative-cl-s0-fp32", "fp32"), ("cnn-b8-inative-cl-s0-bf16", "bf16")}
    assert option_of_runs(out, "optimizer") == {"optimizer=adam": {"adam"}, "optimizer=sgd": {"sgd"}, "null": {"sgd"}}
    require_that_nothing_is_left_to_do(out)


def test_time_that_is_short_leaves_two_sessions_for_each_configuration(tmp_path):
    out = tmp_path / "out"
    run(*one_thread(out, "--speed-only", "--max-time", "1s", "--precision", "fp32,bf16", "--axis", "optimizer=adam,sgd"))
    table = rows(out / "comparison.csv")
    assert len(table) == 4
    assert all(row["sessions"] == "2" and row["speedup_ci_low"] for row in table), "without two there is no interval"


def test_a_handicap_is_found(tmp_path):
    """Steps that take half as long again: two thirds of the speed."""
    out = tmp_path / "out"
    run(*one_thread(out, "--precision", "fp32", "--handicap", 0.5, "--speed-only", "--sessions", 3, "--max-time", "45s"))
    row, null = rows(out / "comparison.csv")
    assert row["arm"] == "handicap=0.5" and null["arm_kind"] == "null" and row["sessions"] == "3"
    # How exactly is for scripts/calibrate to show: other work on the machine counts here too.
    assert 0.4 < float(row["speedup"]) < 0.9
    assert float(row["speedup_ci_low"]) < float(row["speedup"]) < float(row["speedup_ci_high"])
    assert row["speed_verdict"] in ("slower", "unresolved") or "two copies of the baseline differ" in row["note"]
    assert 0.7 < float(null["speedup"]) < 1.4
    require_that_nothing_is_left_to_do(out)


def test_another_build_is_an_arm(tmp_path):
    out = tmp_path / "out"
    (tmp_path / "other build").mkdir()
    for name in ("mpbench", "libmpbench_engine.so"):
        shutil.copy2(pathlib.Path(MPBENCH).parent / name, tmp_path / "other build")
    other = tmp_path / "other build" / "mpbench"
    process = begin(one_thread(out, *SPEED, "--precision", "fp32", "--with", other))
    programs = {}
    while process.poll() is None:
        for run_id, child in children(out).items():
            try:
                programs[run_id] = pathlib.Path(f"/proc/{child}/cmdline").read_text().split("\0")[0]
            except OSError:
                pass
        time.sleep(0.05)
    assert process.returncode == 0, process.communicate()[1]
    process.communicate()
    assert {program for run_id, program in programs.items() if "-other-" in run_id} == {str(other)}
    assert str(other) not in {program for run_id, program in programs.items() if "-other-" not in run_id}
    assert compared(out) == [("other", "arm", "fp32"), ("null", "null", "fp32")]
    hashes = {row["arm"]: row["config_hash"] for row in rows(out / "blocks.csv")}
    assert hashes["other"] == hashes["fp32"], "the same options"
    require_that_nothing_is_left_to_do(out)


@pytest.mark.parametrize("what", ["there is none", "/bin/true", "/etc/passwd", "a folder"])
def test_another_build_that_is_no_mpbench(what, tmp_path):
    out = tmp_path / "out"
    (tmp_path / "a folder").mkdir()
    program = what if what.startswith("/") else tmp_path / what
    line = one_line(run(*one_thread(out, *SPEED, "--precision", "fp32", "--with", program, "--quiet"), code=1))
    assert "--with" in line and str(program) in line, line
    assert not out.exists(), "nothing is begun"


def figures_in(report):
    """Images a second and milliseconds a step, line by line of report.md's table of speeds."""
    table = report[report.index("| arm | images/s | step ms"):].split("\n\n")[0].splitlines()[2:]
    return [[float(text) for text in line.split("|")[2:4]] for line in table]


def test_a_ladder_changes_one_factor_after_another(tmp_path):
    out = tmp_path / "out"
    result = run(*one_thread(out, *SPEED, "--ladder"))
    rungs = ["fp32", "channels-last=true", "bf16", "batch-size=16"]
    assert compared(out) == [("channels-last=true", "arm", "fp32"), ("bf16", "arm", "channels-last=true"),
                             ("batch-size=16", "arm", "bf16"), ("null", "null", "fp32"), ("batch-size=16", "arm", "fp32")]
    assert all(row["speedup"] for row in rows(out / "comparison.csv"))
    runs = rows(out / "runs.csv")
    assert {(row["arm"], row["precision"], row["channels_last"], row["batch_size"]) for row in runs} == {
        ("fp32", "fp32", "false", "8"), ("channels-last=true", "fp32", "true", "8"), ("bf16", "bf16", "true", "8"),
        ("batch-size=16", "bf16", "true", "16"), ("null", "fp32", "false", "8")}
    assert all(f"\n+ {rung} " in result.stderr for rung in rungs[1:]), "names are whole at 80 columns"
    # The last line is that of all rungs together.
    for arm, shown in zip([*rungs, "null", rungs[-1]], figures_in((out / "report.md").read_text()), strict=True):
        own = [row for row in runs if row["arm"] == arm]
        expected = [statistics.median(float(row[column]) for row in own) for column in ("images_per_s", "step_ms_median")]
        assert shown == pytest.approx(expected, rel=1e-3), arm
    require_that_nothing_is_left_to_do(out)


def test_a_ladder_may_be_climbed_in_reverse(tmp_path):
    """Of the batch as it is given, also where that is the default."""
    out = tmp_path / "out"
    command = [word for word in one_thread(out, *SPEED, "--ladder-reverse")]
    place = command.index("--batch-size")
    run(*command[:place], *command[place + 2:])
    assert compared(out) == [("batch-size=64", "arm", "fp32"), ("bf16", "arm", "batch-size=64"),
                             ("channels-last=true", "arm", "bf16"), ("null", "null", "fp32"),
                             ("channels-last=true", "arm", "fp32")]
    require_that_nothing_is_left_to_do(out)


@pytest.mark.parametrize("together, most", [("yes", 3), ("no", 1), ("auto", 3)])
def test_processes_are_there_at_once_or_not(together, most, tmp_path):
    out = tmp_path / "out"
    process = begin(one_thread(out, *SPEED, "--precision", "fp32,bf16", "--together", together))
    seen = 0
    while process.poll() is None:
        seen = max(seen, len(children(out)))
        time.sleep(0.03)
    assert process.returncode == 0, process.communicate()[1]
    process.communicate()
    assert seen == most
    assert compared(out) == [("bf16", "arm", "fp32"), ("null", "null", "fp32")]
    blocks = rows(out / "blocks.csv")
    for session in "12":
        rounds = {arm: [b["round"] for b in blocks if (b["arm"], b["session"]) == (arm, session)]
                  for arm in ("fp32", "bf16", "null")}
        assert rounds["fp32"] == rounds["bf16"] == rounds["null"]
        assert all(rounds["fp32"].count(each) == (1 if each == "0" else 2) for each in rounds["fp32"])


@pytest.mark.parametrize("more, time", [(SPEED, "speed alone, 2 sessions"),
                                        (["--repeats", 2, "--sessions", 2, "--steps", 9], "2 trainings of 9 steps an arm, 2 sessions")])
def test_a_dry_run_shows_the_arms_and_measures_nothing(more, time, tmp_path):
    out = tmp_path / "out"
    result = run(*one_thread(out, "--precision", "fp32,bf16", *more, "--dry-run"))
    assert result.stdout == ("cnn-b8-inative-cl-s0\n  baseline: fp32\n  arm: bf16, compared with fp32\n"
                             "  null: null, compared with fp32\n")
    assert re.search(rf"^{time} to begin with: about \d", result.stderr, re.MULTILINE), result.stderr
    assert not out.exists()
    run(*one_thread(out, "--precision", "fp32,bf16", *more))
    assert compared(out) == [("bf16", "arm", "fp32"), ("null", "null", "fp32")]
