"""A comparison of twelve sessions that everything happens to: it takes minutes, and scripts/test --all runs it.

tests/cli/session_ends_test.py has each of these alone, in three sessions."""
import os
import signal
import time

from mpbench_command import rows, run
from sessions import begin, children, end_within, lines_of_session, one_thread, require_complete, require_none_left

TWELVE = 12
# A difference that no noise hides.
LONG = ["--precision", "fp32", "--handicap", 1, "--speed-only", "--sessions", TWELVE, "--max-time", "70s"]


def wait_for_run(out, part, session, process, seconds=120):
    """The process id of a run of this session whose id has that part, once it is there."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        for run_id, child in children(out).items():
            if part in run_id and run_id.endswith(f"-r{session}"):
                return child
        time.sleep(0.01)
    raise AssertionError(f"no process of {part} in session {session}: {process.communicate(timeout=60)[1]}")


def verdicts(out):
    return {(row["arm_kind"], row["speed_verdict"]) for row in rows(out / "comparison.csv") if row["arm_kind"] == "arm"}


def test_twelve_sessions_come_through_everything(tmp_path):
    """The comparison is killed, an arm, the null arm and the baseline are, and then it is interrupted: no finished session is
    lost or done twice, and the verdict is that of peace."""
    out, peace = tmp_path / "out", tmp_path / "peace"
    command = one_thread(out, *LONG)

    first = begin(command)
    wait_for_run(out, "-null-", 3, first)
    first.kill()
    first.wait()
    first.stderr.close()
    require_none_left(out)
    done = {session: lines_of_session(out, session) for session in (1, 2)}
    assert all(done.values())

    second = begin([*command, "--resume"])
    for session, part in ((4, "-handicap1"), (6, "-null-"), (8, "-handicap0")):
        os.kill(wait_for_run(out, part, session, second), signal.SIGKILL)
    wait_for_run(out, "-null-", 10, second)
    second.send_signal(signal.SIGINT)
    told = end_within(second)
    assert second.returncode == 130, told
    require_none_left(out)
    assert "session 1/" not in told and "session 2/" not in told
    for session in (3, 5, 7):
        done[session] = lines_of_session(out, session)
        assert done[session] and told.count(f"session {session}/{TWELVE} of ") == 1, told

    told = run(*command, "--resume").stderr
    for session, lines in done.items():
        assert lines_of_session(out, session) == lines, session
        assert f"session {session}/{TWELVE} of " not in told
    require_complete(out, ["handicap=0.0", "handicap=1.0", "null"], TWELVE)
    run(*one_thread(peace, *LONG))
    assert verdicts(out) == verdicts(peace) == {("arm", "slower")}
