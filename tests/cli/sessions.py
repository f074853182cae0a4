"""Small comparisons, and a look at their processes."""
import pathlib
import subprocess
import time

from mpbench_command import FASHION_MNIST, MPBENCH, rows

# Speed alone, in blocks as short as they get: for tests of everything but the figures.
SPEED = ["--speed-only", "--sessions", 2, "--max-time", "4s"]


def arguments(out, *more):
    return ["compare", "--dataset", "idx", "--data", FASHION_MNIST, "--limit", 400, "--batch-size", 8, "--device", "cpu",
            "--progress", "never", "--out", out, *more]


def one_thread(out, *more):
    return arguments(out, "--threads", 1, *more)


def trainings(out, count, *more):
    """So many sessions, all of which train to the end."""
    return one_thread(out, "--precision", "fp32,bf16", "--repeats", count, "--sessions", count, "--steps", 60, *more)


def begin(command, new_group=False):
    return subprocess.Popen([MPBENCH, *map(str, command)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                            stderr=subprocess.PIPE, text=True, start_new_session=new_group)


def end_within(process, seconds=240):
    """What it wrote; a comparison that hangs is ended."""
    try:
        return process.communicate(timeout=seconds)[1]
    except BaseException:
        process.kill()
        process.communicate()
        raise


def command_lines():
    """Of all processes that can be looked at, by their ids; those that have ended but are not waited for have none."""
    found = {}
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            found[int(folder.name)] = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
    return found


def children(out):
    """Process ids of the runs in a comparison's folder, by the runs' ids."""
    runs = {}
    for process, words in command_lines().items():
        if "--run-id" in words and str(out) in " ".join(words):
            runs[words[words.index("--run-id") + 1]] = process
    return runs


def wait_for_child(out, ending, seconds=120):
    """The process id of the run whose id ends so, once it is there."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for run_id, process in children(out).items():
            if run_id.endswith(ending):
                return process
        time.sleep(0.02)
    raise AssertionError(f"no process {ending} within {seconds} s")


def require_none_left(out, seconds=10):
    """No process that names the folder, a moment after what started them has ended."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        left = [words for words in command_lines().values() if str(out) in " ".join(words)]
        if not left:
            return
        time.sleep(0.1)
    raise AssertionError(f"left over: {left}")


def lines_of_session(out, session):
    """The lines of blocks.csv and of runs.csv that one session has left, as they are."""
    found = []
    for name, column in (("blocks.csv", "session"), ("runs.csv", "repeat")):
        lines = (out / name).read_text().splitlines()
        table = rows(out / name)
        assert len(table) == len(lines) - 1, "no cell has a line break"
        found += [line for line, row in zip(lines[1:], table) if row[column] == str(session)]
    return found


def rounds_of(blocks, session):
    """The arms in the order of their turns, round by round."""
    rounds = {}
    for block in sorted((b for b in blocks if b["session"] == str(session)), key=lambda b: int(b["place"])):
        rounds.setdefault(int(block["round"]), []).append(block["arm"])
    return rounds


def require_complete(out, arms, sessions, apart=()):
    """Every arm has an ok run in every session, and every round of it twice, in a mirrored order; in the sessions `apart`
    the processes were not there at once, and each has its rounds by itself."""
    runs = rows(out / "runs.csv")
    assert sorted((run["arm"], int(run["repeat"]), run["status"]) for run in runs) == sorted(
        (arm, session, "ok") for arm in arms for session in range(1, sessions + 1))
    blocks = rows(out / "blocks.csv")
    assert {block["session"] for block in blocks} == {str(session) for session in range(1, sessions + 1)}
    for session in range(1, sessions + 1):
        rounds = rounds_of(blocks, session)
        assert sorted(rounds) == list(range(len(rounds))) and len(rounds) > 1, "round 0 and at least one that counts"
        assert sorted(rounds.pop(0)) == sorted(arms), "to warm up, each once"
        for order in rounds.values():
            assert sorted(order) == sorted(2 * arms)
            assert session in apart or order == order[::-1], order
