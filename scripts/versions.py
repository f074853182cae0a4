"""Called by scripts/versions, which says what it does."""

import argparse
import csv
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys

MODELS = {"cnn": {"--batch-size": 32, "--image-size": 124}, "resnet18": {"--batch-size": 8, "--image-size": 128}}
PRECISIONS = ["fp32", "bf16"]
COLUMNS = ["version", "built", "tests_passed", "tests_failed", "tests_skipped", "comparison",
           *(f"{model}_{precision}_ratio{end}" for model in MODELS for precision in PRECISIONS
             for end in ("", "_low", "_high")),
           "left_out"]
# One thread a core waits asleep, as the program has it.
ENVIRONMENT = {**os.environ, "OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "2000"}


class Failed(Exception):
    """What could not be done with a version; the rest goes on without it."""


def say(text):
    print(text, file=sys.stderr, flush=True)


def run(command, log, **options):
    """Runs a command with its output in a log; the end of that is the reason where it fails."""
    with open(log, "w") as file:
        result = subprocess.run([str(part) for part in command], stdout=file, stderr=subprocess.STDOUT,
                                stdin=subprocess.DEVNULL, **options)
    if result.returncode != 0:
        lines = pathlib.Path(log).read_text(errors="replace").strip().splitlines()
        errors = [line for line in lines if re.search(r"\berror\b", line, re.IGNORECASE)]
        raise Failed(f"{(errors or lines or ['no output'])[0][:200]} (log: {log})")


def libtorch_of(version, arguments):
    """The folder of that LibTorch, installed where it is missing."""
    if version == arguments.pinned:
        return arguments.pinned_libtorch
    folder = arguments.cache / "versions" / f"torch-{version}"
    found = list(folder.glob("lib/python3*/site-packages/torch"))
    if found and (folder / "complete").exists():
        return found[0]
    say(f"Installing LibTorch {version} in {folder}")
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    log = folder.with_suffix(".log")
    python = folder / "bin" / "python"
    pip = [python, "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
    environment = {**os.environ, "PIP_USER": "0", "TMPDIR": str(folder)}
    run([sys.executable, "-m", "venv", folder], log)
    run([*pip, "--no-deps", f"torch=={version}"], log, env=environment)
    # libtorch_cpu.so is linked with two libraries of CUDA's, also where no GPU is; the wheel says which version's.
    required = subprocess.run([python, "-c", "import importlib.metadata as m; print(*m.requires('torch'), sep='\\n')"],
                              capture_output=True, text=True, check=True).stdout
    toolkit = re.search(r"^cuda-toolkit\[.*?\]==([0-9.]+)", required, re.MULTILINE)
    if toolkit is None:
        raise Failed(f"torch {version} does not say which CUDA it needs (a version before 2.11?)")
    run([*pip, f"cuda-toolkit[cudart,cupti]=={toolkit[1]}"], log, env=environment)
    (folder / "complete").touch()
    return next(folder.glob("lib/python3*/site-packages/torch"))


def build(version, libtorch, folder, arguments):
    say(f"Building with LibTorch {version} (log: {folder}/build.log)")
    folder.mkdir(parents=True, exist_ok=True)
    run(["cmake", "--preset", "release", "-B", folder, f"-DMPBENCH_LIBTORCH={libtorch}", "-DMPBENCH_CUDA=OFF",
         "-DMPBENCH_TESTS=ON", "-DMPBENCH_PYTHON=", "-DMPBENCH_WARNINGS_AS_ERRORS=OFF"], folder / "configure.log",
        cwd=arguments.root)
    run(["cmake", "--build", folder, "--parallel", os.cpu_count() or 1], folder / "build.log")


def run_tests(folder):
    """Counts of passed, failed and skipped C++ tests, and the names of those that failed."""
    passed, skipped, failed = 0, 0, []
    for program in sorted((folder / "tests").glob("mpbench_*_tests")):
        report = program.with_suffix(".json")
        report.unlink(missing_ok=True)
        subprocess.run([program, f"--gtest_output=json:{report}"], capture_output=True, env=ENVIRONMENT,
                       stdin=subprocess.DEVNULL)
        if not report.exists():
            failed.append(f"{program.name} crashed")
            continue
        for suite in json.loads(report.read_text())["testsuites"]:
            for test in suite["testsuite"]:
                if test.get("result") == "SKIPPED":
                    skipped += 1
                elif "failures" in test:
                    failed.append(f"{suite['name']}.{test['name']}")
                else:
                    passed += 1
    return passed, failed, skipped


def compare(folder):
    out = folder / "comparison"
    shutil.rmtree(out, ignore_errors=True)
    run([folder / "mpbench", "compare", "--device", "cpu", "--precision", "fp32,bf16", "--steps", 4, "--repeats", 2,
         "--image-size", 64, "--no-checkpoints", "--out", out, "--quiet"], folder / "comparison.log", env=ENVIRONMENT)
    with open(out / "runs.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    if {row["status"] for row in rows} != {"ok"} or not all(row["val_auc"] for row in rows):
        raise Failed("a run of the short comparison is not ok")
    return rows[0]["torch_version"]


def step_ms(folder, model, precision, steps):
    out = folder / "timing"
    shutil.rmtree(out, ignore_errors=True)
    options = [part for pair in MODELS[model].items() for part in pair]
    run([folder / "mpbench", "train", "--device", "cpu", "--model", model, "--precision", precision, "--steps", steps,
         *options, "--no-checkpoints", "--out", out, "--quiet"], folder / "timing.log", env=ENVIRONMENT)
    with open(out / "runs.csv", newline="") as file:
        return float(next(csv.DictReader(file))["step_ms_median"])


def measure(folders, arguments):
    """{version: {(model, precision): ratios to the first version's}}; all take turns within a round."""
    baseline = next(iter(folders))
    ratios = {version: {} for version in folders}
    for model in MODELS:
        for precision in PRECISIONS:
            for number in range(arguments.rounds):
                say(f"Measuring {model} in {precision}, round {number + 1} of {arguments.rounds}")
                turns = list(folders) if number % 2 == 0 else list(reversed(folders))
                times = {version: step_ms(folders[version], model, precision, arguments.steps) for version in turns}
                for version, time in times.items():
                    ratios[version].setdefault((model, precision), []).append(time / times[baseline])
    return ratios


def markdown(rows, baseline, arguments):
    names = [f"{model} {precision}" for model in MODELS for precision in PRECISIONS]
    head = ["LibTorch", "built", "C++ tests", "comparison", *(f"{name}, step time" for name in names), "left out"]
    lines = [f"Step times are ratios to those of {baseline}: median of {arguments.rounds} rounds [range].", "",
             f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    for row in rows:
        tests = (f"{row['tests_passed']} passed, {row['tests_failed']} failed, {row['tests_skipped']} skipped"
                 if row.get("tests_passed") != "" and "tests_passed" in row else "")
        cells = [row["version"], row["built"], tests, row.get("comparison", "")]
        for name in names:
            key = name.replace(" ", "_") + "_ratio"
            cells.append(f"{row[key]:.3f} [{row[key + '_low']:.3f}, {row[key + '_high']:.3f}]" if key in row else "")
        lines.append(f"| {' | '.join([*cells, row.get('left_out', '')])} |")
    return "\n".join(lines) + "\n"


def write(path, text):
    """Whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text)
    partial.replace(path)


def write_tables(rows, arguments):
    arguments.out.mkdir(parents=True, exist_ok=True)
    partial = arguments.out / "versions.csv.partial"
    with open(partial, "w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, restval="")
        writer.writeheader()
        writer.writerows(rows)
    partial.replace(arguments.out / "versions.csv")
    text = markdown(rows, arguments.versions[0], arguments)
    write(arguments.out / "versions.md", text)
    print(text, end="")
    print(arguments.out / "versions.csv")
    print(arguments.out / "versions.md")


def try_version(version, arguments):
    """The version's row, and its build folder where steps can be measured."""
    row = {"version": version, "built": "no"}
    folder = arguments.root / "build" / "versions" / version
    try:
        build(version, libtorch_of(version, arguments), folder, arguments)
        row["built"] = "yes"
        say(f"Testing with LibTorch {version}")
        row["tests_passed"], failed, row["tests_skipped"] = run_tests(folder)
        row["tests_failed"] = len(failed)
        row["left_out"] = "CUDA" + "".join(f"; {name}" for name in failed)
        loaded = compare(folder)
        row["comparison"] = "ok" if loaded == version else f"ran with {loaded}"
        return row, folder
    except (Failed, OSError, subprocess.CalledProcessError) as problem:
        row["left_out"] = str(problem)
        say(f"LibTorch {version}: {problem}")
        return row, None


def parse_arguments():
    parser = argparse.ArgumentParser(prog="scripts/versions", usage="scripts/versions VERSION... (see --help)",
                                     add_help=False)
    parser.add_argument("versions", nargs="+")
    for name in ("--root", "--cache", "--pinned-libtorch"):
        parser.add_argument(name, type=pathlib.Path, required=True)
    parser.add_argument("--pinned", required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--out", type=pathlib.Path)
    arguments = parser.parse_args()
    for version in arguments.versions:
        if not re.fullmatch(r"[0-9]+\.[0-9]+\.[0-9]+", version):
            parser.error(f"'{version}' is no version of LibTorch: name them as 2.11.0")
    if len(set(arguments.versions)) < len(arguments.versions):
        parser.error("a version is named twice")
    if not (1 <= arguments.rounds <= 1000 and 1 <= arguments.steps <= 100000):
        parser.error("--rounds must be 1 to 1000, and --steps 1 to 100000")
    arguments.out = arguments.out or arguments.root / "build" / "versions"
    return arguments


def main():
    arguments = parse_arguments()
    tried = {version: try_version(version, arguments) for version in arguments.versions}
    folders = {version: folder for version, (_, folder) in tried.items() if folder is not None}
    rows = {version: row for version, (row, _) in tried.items()}
    if arguments.versions[0] in folders:
        for version, ratios in measure(folders, arguments).items():
            for (model, precision), values in ratios.items():
                name = f"{model}_{precision}_ratio"
                rows[version][name] = statistics.median(values)
                rows[version][f"{name}_low"], rows[version][f"{name}_high"] = min(values), max(values)
    write_tables(list(rows.values()), arguments)
    complete = all(row.get("comparison") == "ok" and row["tests_failed"] == 0 for row in rows.values())
    return 0 if complete else 1


if __name__ == "__main__":
    sys.exit(main())
