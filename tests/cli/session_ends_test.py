"""mpbench compare whose processes are ended from outside: nothing finished is lost, nothing is left running."""
import os
import signal
import threading
import time

import pytest
from mpbench_command import rows, run
from sessions import (SPEED, begin, children, end_within, lines_of_session, one_thread, require_complete,
                      require_none_left, trainings, wait_for_child)

ARMS = ["fp32", "bf16", "null"]
SESSIONS = 3


@pytest.fixture
def second_session(tmp_path):
    """A comparison in its second session: the folder and the process; with an arm's process that waits or trains."""
    out = tmp_path / "out"
    process = begin(trainings(out, SESSIONS))
    try:
        wait_for_child(out, "-r2")
        yield out, process
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def resume(out, sessions_left, apart=()):
    """Goes on, and requires that the sessions done are as they were, and these alone were left."""
    done = {session: lines_of_session(out, session) for session in range(1, SESSIONS + 1) if session not in sessions_left}
    told = run(*trainings(out, SESSIONS, "--resume")).stderr
    for session, lines in done.items():
        assert lines and lines_of_session(out, session) == lines
        assert f"session {session}/" not in told
    for session in sessions_left:
        assert told.count(f"session {session}/{SESSIONS}") == 1
    require_complete(out, ARMS, SESSIONS, apart)
    require_none_left(out)


@pytest.mark.parametrize("moment", ["-fp32-r2", "-bf16-r2", "-null-r2"])
def test_the_comparison_is_killed(second_session, moment):
    out, process = second_session
    wait_for_child(out, moment)
    time.sleep(0.3)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    require_none_left(out)
    assert {row["repeat"] for row in rows(out / "runs.csv")} == {"1"}, "it was killed too late"
    resume(out, [2, 3])


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_the_comparison_is_asked_to_stop(second_session, stop):
    out, process = second_session
    process.send_signal(stop)
    told = end_within(process, 60)
    assert process.returncode == 130, told
    require_none_left(out)
    assert {row["repeat"] for row in rows(out / "runs.csv")} == {"1"}, "it was stopped too late"
    compared = rows(out / "comparison.csv")
    assert [(row["arm"], row["sessions"]) for row in compared] == [("bf16", "1"), ("null", "1")]
    assert all(row["speedup"] and not row["speedup_ci_low"] and not row["speed_verdict"] for row in compared)
    resume(out, [2, 3])


def test_ctrl_c_reaches_all_processes_at_once(tmp_path):
    """As a terminal sends it: to the whole foreground process group."""
    out = tmp_path / "out"
    process = begin(trainings(out, SESSIONS), new_group=True)
    wait_for_child(out, "-r2")
    os.killpg(process.pid, signal.SIGINT)
    told = end_within(process, 60)
    assert process.returncode == 130, told
    require_none_left(out)
    resume(out, [2, 3])


@pytest.mark.parametrize("arm", ["fp32", "bf16", "null"])
def test_the_process_of_an_arm_is_killed(second_session, arm):
    """The session is done once more, and all go on together: memory has run out where that happens twice."""
    out, process = second_session
    first = lines_of_session(out, 1)
    os.kill(wait_for_child(out, f"-{arm}-r2"), signal.SIGKILL)
    told = end_within(process)
    assert process.returncode == 0, told
    assert f"-{arm}-r2 ended: oom: " in told and "signal 9" in told
    require_none_left(out)
    assert lines_of_session(out, 1) == first
    require_complete(out, ARMS, SESSIONS)
    resume(out, [])


def test_what_a_kill_between_two_files_leaves_is_done_again(tmp_path):
    """blocks.csv is written last: a session that it lacks is not done."""
    out = tmp_path / "out"
    command = one_thread(out, "--precision", "fp32,bf16", *SPEED)
    run(*command)
    first = lines_of_session(out, 1)
    lines = (out / "blocks.csv").read_text().splitlines(keepends=True)
    kept = [line for line, row in zip(lines[1:], rows(out / "blocks.csv")) if row["session"] == "1"]
    (out / "blocks.csv").write_text(lines[0] + "".join(kept))
    told = run(*command, "--resume").stderr
    assert "session 1/2" not in told and told.count("session 2/2") == 1
    assert lines_of_session(out, 1) == first
    require_complete(out, ARMS, 2)


def kill_whenever_it_starts(out, part, process):
    """Until the comparison ends."""
    while process.poll() is None:
        for run_id, child in children(out).items():
            if part in run_id:
                try:
                    os.kill(child, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        time.sleep(0.05)


def test_an_arm_that_never_comes_through_is_left_out(tmp_path):
    out = tmp_path / "out"
    process = begin(trainings(out, SESSIONS))
    killer = threading.Thread(target=kill_whenever_it_starts, args=(out, "-bf16-", process))
    killer.start()
    told = end_within(process)
    killer.join()
    assert process.returncode == 3, told
    assert "-bf16 is left out from here on: oom: " in told
    require_none_left(out)
    runs = rows(out / "runs.csv")
    assert sorted((row["arm"], row["repeat"]) for row in runs if row["status"] == "ok") == sorted(
        (arm, str(session)) for arm in ("fp32", "null") for session in range(1, SESSIONS + 1))
    broken = [row for row in runs if row["arm"] == "bf16"]
    assert 1 <= len(broken) <= 2 and all(row["status"] == "oom" and "signal 9" in row["error"] for row in broken)
    compared = {row["arm"]: row for row in rows(out / "comparison.csv")}
    assert compared["bf16"]["speedup"] == compared["bf16"]["metric"] == "" and "signal 9" in compared["bf16"]["note"]
    assert compared["null"]["sessions"] == str(SESSIONS) and compared["null"]["speedup"]
    run(*trainings(out, SESSIONS, "--resume"))
    require_complete(out, ARMS, SESSIONS, apart=range(1, SESSIONS + 1))


def test_without_its_baseline_nothing_is_compared(tmp_path):
    out = tmp_path / "out"
    process = begin(trainings(out, SESSIONS))
    killer = threading.Thread(target=kill_whenever_it_starts, args=(out, "-fp32-", process))
    killer.start()
    told = end_within(process)
    killer.join()
    assert process.returncode in (1, 3), told
    assert "the baseline cannot be trained here" in told
    require_none_left(out)
    assert all(row["speedup"] == "" and row["note"] for row in rows(out / "comparison.csv"))
