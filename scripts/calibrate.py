"""Called by scripts/calibrate, which says what it does."""

import argparse
import contextlib
import csv
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

# What is asked of a handicap, in percent: how many of 20 comparisons may come to a verdict of the wrong kind, or must
# come to the right one.
MOST_FALSE_ALARMS = 1 / 20
LEAST_FOUND = {5: 20 / 20, 2: 16 / 20}
COLUMNS = ["handicap_percent", "number", "verdict", "speedup", "speedup_ci_low", "speedup_ci_high", "sessions", "rounds",
           "process_sd", "detectable_effect", "seconds", "note"]
# A difference that nothing could find.
NO_HANDICAP = 1e-9


def say(text):
    print(text, file=sys.stderr, flush=True)


def arguments_of_the_command_line():
    parser = argparse.ArgumentParser(prog="scripts/calibrate", add_help=False, allow_abbrev=False)
    parser.add_argument("--root", type=pathlib.Path, required=True)
    parser.add_argument("--tries", type=int, default=20)
    parser.add_argument("--handicaps", default="0,5,2")
    parser.add_argument("--max-time", default="160s")
    parser.add_argument("--busy", type=float, default=0.5)
    parser.add_argument("--model", default="cnn")
    parser.add_argument("--image-size", type=int, default=64)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--mpbench")
    parser.add_argument("--out", type=pathlib.Path)
    arguments = parser.parse_args()
    arguments.out = (arguments.out or arguments.root / "build" / "calibrate").resolve()
    built = arguments.root / "build" / "release" / "mpbench"
    arguments.mpbench = arguments.mpbench or (built if built.exists() else shutil.which("mpbench"))
    if arguments.mpbench is None or not os.access(arguments.mpbench, os.X_OK):
        parser.error("there is no program: build it with scripts/demo, or name it with --mpbench")
    try:
        arguments.handicaps = [float(text) for text in arguments.handicaps.split(",")]
    except ValueError:
        parser.error(f"--handicaps {arguments.handicaps}: must be numbers, in percent: 0,5,2")
    if arguments.tries < 1 or any(not 0 <= each <= 100 for each in arguments.handicaps):
        parser.error("--tries must be 1 or more, and each of --handicaps 0 to 100")
    if not 0 <= arguments.busy <= 1:
        parser.error("--busy must be 0 to 1")
    return arguments


@contextlib.contextmanager
def busy_loop(share):
    """Keeps so much of a core busy, in periods of a fiftieth of a second."""
    if share == 0:
        yield
        return
    code = ("import time\nwhile True:\n    end = time.perf_counter() + 0.02 * {share}\n"
            "    while time.perf_counter() < end: pass\n    time.sleep(0.02 * (1 - {share}))\n").format(share=share)
    with subprocess.Popen([sys.executable, "-c", code]) as process:
        try:
            yield
        finally:
            process.kill()


def make_data(arguments):
    """A small set of mammograms, prepared once, so that no comparison pays for it."""
    cache = arguments.out / f"data-{arguments.image_size}.safetensors"
    if not cache.exists():
        folder = arguments.out / "data"
        shutil.rmtree(folder, ignore_errors=True)
        log = arguments.out / "data.log"
        with open(log, "w") as file:
            for command in (["synth", folder, "--patients", "100", "--seed", "1", "--height", "256", "--width", "208"],
                            ["preprocess", "--data", folder, "--cache", cache, "--image-size", arguments.image_size]):
                result = subprocess.run([str(part) for part in [arguments.mpbench, *command]], stdout=file, stderr=file)
                if result.returncode != 0:
                    sys.exit(f"scripts/calibrate: the data could not be made (log: {log})")
    return cache


def compare(arguments, cache, handicap, number):
    """One comparison; its row of calibration.csv."""
    out = arguments.out / f"handicap-{handicap:g}-{number}"
    shutil.rmtree(out, ignore_errors=True)
    command = [arguments.mpbench, "compare", "--speed-only", "--precision", "fp32", "--data", cache, "--model",
               arguments.model, "--image-size", arguments.image_size, "--batch-size", arguments.batch_size, "--device",
               "cpu", "--max-time", arguments.max_time, "--handicap", handicap / 100 or NO_HANDICAP, "--seed", number,
               "--out", out, "--progress", "never", "--quiet"]
    begin = time.monotonic()
    result = subprocess.run([str(part) for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    seconds = time.monotonic() - begin
    if result.returncode != 0:
        sys.exit(f"scripts/calibrate: a comparison failed:\n{result.stderr}")
    with open(out / "comparison.csv", newline="") as file:
        row = next(row for row in csv.DictReader(file) if row["arm_kind"] == "arm")
    shutil.rmtree(out / "runs", ignore_errors=True)
    return {"handicap_percent": f"{handicap:g}", "number": number, "verdict": row["speed_verdict"] or "withheld",
            "seconds": f"{seconds:.1f}", **{name: row[name] for name in COLUMNS if name in row}}


def read_rows(path):
    if not path.exists():
        return []
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def write_rows(path, rows):
    part = path.with_suffix(".part")
    with open(part, "w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def table(rows, handicaps):
    """The summary, a line a handicap."""
    lines = ["| planted | comparisons | slower | faster | equivalent | unresolved | withheld | speed-up, median | sessions, "
             "median | process sd, median | seconds, median (longest) |",
             "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"]
    for handicap in handicaps:
        own = [row for row in rows if row["handicap_percent"] == f"{handicap:g}"]
        if not own:
            continue
        counts = [sum(row["verdict"] == verdict for row in own)
                  for verdict in ("slower", "faster", "equivalent", "unresolved", "withheld")]

        def middle(name):
            return statistics.median(float(row[name]) for row in own if row[name])

        longest = max(float(row["seconds"]) for row in own)
        lines.append(f"| {handicap:g} % | {len(own)} | {' | '.join(map(str, counts))} | {middle('speedup'):.4f} | "
                     f"{middle('sessions'):g} | {100 * middle('process_sd'):.2f} % | {middle('seconds'):.0f} ({longest:.0f}) |")
    return "\n".join(lines)


def holds(rows, handicap):
    own = [row for row in rows if row["handicap_percent"] == f"{handicap:g}"]
    if handicap == 0:
        return sum(row["verdict"] in ("faster", "slower") for row in own) <= MOST_FALSE_ALARMS * len(own)
    return sum(row["verdict"] == "slower" for row in own) >= LEAST_FOUND.get(handicap, 0) * len(own)


def main():
    arguments = arguments_of_the_command_line()
    arguments.out.mkdir(parents=True, exist_ok=True)
    cache = make_data(arguments)
    path = arguments.out / "calibration.csv"
    rows = read_rows(path)
    with busy_loop(arguments.busy):
        for number in range(1, arguments.tries + 1):
            # In turns, so that all meet the same machine.
            for handicap in arguments.handicaps:
                if any(row["handicap_percent"] == f"{handicap:g}" and row["number"] == str(number) for row in rows):
                    continue
                row = compare(arguments, cache, handicap, number)
                rows.append({name: str(value) for name, value in row.items()})
                write_rows(path, rows)
                say(f"{number}/{arguments.tries}: {handicap:g} % planted: {row['verdict']}, {row['speedup']} "
                    f"[{row['speedup_ci_low']}, {row['speedup_ci_high']}], {row['sessions']} sessions, {row['seconds']} s")
    print(table(rows, arguments.handicaps))
    return 0 if all(holds(rows, handicap) for handicap in arguments.handicaps) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
