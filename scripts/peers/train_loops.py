"""Measures mpbench train beside PyTorch's eager loop; scripts/peers/train --help."""

import argparse
import csv
import functools
import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import tempfile
import textwrap

import numpy
from PIL import Image

LOOP = pathlib.Path(__file__).with_name("pytorch_loop.py")
BATCH_SIZES = {"cnn": 32, "resnet18": 16, "resnet50": 8, "efficientnet-b0": 16}
OTHER_BATCH_SIZE = 8
VALIDATION_FRACTION = 0.05
CLASSES = 10
# Ways in which Python may load; the fastest is what mpbench is held against.
LOADERS = (("images", 1), ("images", 2), ("batches", 0), ("batches", 1), ("batches", 2))
KERNEL_COLUMNS = ("fp16_convolution", "depthwise")
TARGETS = {"images_per_s": 1.0, "first_step": 5.0, "memory": 1.0, "epoch": 1.3}


class Failed(Exception):
    """A process ended with an error: its command, and what it said last."""

    def __init__(self, command, said):
        super().__init__(f"{' '.join(map(str, command))}\n{said[-2000:].rstrip()}")


def run(command):
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if result.returncode != 0:
        raise Failed(command, result.stderr)


def note(text):
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def say(text):
    note("")
    print(text, flush=True)


def say_list(title, items):
    if items:
        say(textwrap.fill(f"{title}: {', '.join(items)}", 98, subsequent_indent="  "))


# The images: one cache for both sides.


def mammograms(arguments, size, count):
    """Synthetic, one channel, two classes: where the small network comes from."""
    patients = count // 6 + 1  # 4 to 8 images each
    cache = arguments.work / f"mammograms-{size}-{patients}.safetensors"
    if not cache.exists():
        folder = arguments.work / f"mammograms-{patients}"
        run([arguments.mpbench, "synth", folder, "--patients", patients, "--syntax", "explicit-le"])
        run([arguments.mpbench, "preprocess", "--data", folder, "--cache", cache, "--image-size", size])
    return cache


def pictures(arguments, size, count):
    """Coloured noise in ten classes: what the pictures show takes no time."""
    cache = arguments.work / f"pictures-{size}-{count}.safetensors"
    if not cache.exists():
        folder = arguments.work / f"pictures-{size}-{count}"
        random = numpy.random.default_rng(0)
        for i in range(count):
            path = folder / f"class{i % CLASSES}" / f"{i:05}.bmp"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(random.integers(0, 256, (size, size, 3), numpy.uint8)).save(path)
        run([arguments.mpbench, "preprocess", "--dataset", "folder", "--data", folder, "--cache", cache,
             "--image-size", size])
    return cache


class Setting:
    """What one line of the table measures."""

    def __init__(self, arguments, model, precision):
        self.model, self.precision = model, precision
        self.size = arguments.image_size or (124 if model == "cnn" else 224)
        self.batch = arguments.batch_size or BATCH_SIZES.get(model, OTHER_BATCH_SIZE)

    def make_cache(self, arguments):
        steps = max(arguments.steps, arguments.warmup_steps)
        train_images = self.batch * steps
        if self.model == "cnn":
            train_images = max(train_images, arguments.epoch_images)
        count = int(train_images / (1 - VALIDATION_FRACTION)) + 2 * CLASSES
        self.cache = (mammograms if self.model == "cnn" else pictures)(arguments, self.size, count)

    def __str__(self):
        return f"{self.model:<16}{self.size:>4}{self.batch:>4}  {self.precision:<5}"


# One process each.


def read_rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def common_options(arguments, setting):
    return ["--model", setting.model, "--precision", setting.precision, "--batch-size", setting.batch, "--optimizer",
            arguments.optimizer, "--threads", arguments.threads]


def run_mpbench(arguments, setting, *options):
    """Its rows of runs.csv and epochs.csv."""
    with tempfile.TemporaryDirectory(dir=arguments.work) as out:
        run([arguments.mpbench, "train", *common_options(arguments, setting), "--data", setting.cache, "--normalize",
             "unit", "--balance", "none", "--validation-fraction", VALIDATION_FRACTION, "--depthwise",
             arguments.depthwise, "--no-checkpoints", "--device", "cpu", "--progress", "never", "--out", out, *options])
        (row,) = read_rows(pathlib.Path(out) / "runs.csv")
        return row, read_rows(pathlib.Path(out) / "epochs.csv")


def run_pytorch(arguments, setting, *options):
    """The lines it printed before its end or the time limit, and its peak memory if it was stopped there."""
    command = [sys.executable, LOOP, *common_options(arguments, setting), "--cache", setting.cache, *options]
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen([str(part) for part in command], stdout=output, stderr=errors,
                                   start_new_session=True)
        stopped_peak = None
        try:
            process.wait(arguments.time_limit)
        except subprocess.TimeoutExpired:
            stopped_peak = peak_memory_bytes(process.pid)
        finally:
            if stopped_peak or sys.exc_info()[0]:
                os.killpg(process.pid, signal.SIGKILL)  # its loading processes too
            status = process.wait()
        if status != 0 and not stopped_peak:
            errors.seek(0)
            raise Failed(command, errors.read())
        output.seek(0)
        lines = [json.loads(line) for line in output if line.endswith("\n")]
    return lines, stopped_peak


def peak_memory_bytes(process):
    """None when it is just about to end."""
    with open(f"/proc/{process}/status") as file:
        return next((int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM:")), None)


def values(lines, name):
    return [line[name] for line in lines if name in line]


def mpbench_steps(arguments, setting):
    # Without workers: the step alone, and nothing beside it that takes its cores.
    row, _ = run_mpbench(arguments, setting, "--steps", arguments.steps, "--warmup-steps", arguments.warmup_steps,
                         "--workers", 0)
    return {"step_s": float(row["step_ms_median"]) / 1e3, "first_step_s": float(row["time_to_first_step_s"]),
            "peak_bytes": int(row["peak_rss_bytes"]), "stopped": False, "is_bound": False,
            "computed": "; ".join(f"{name} {row[name]}" for name in KERNEL_COLUMNS if row.get(name))}


def pytorch_steps(arguments, setting):
    lines, stopped_peak = run_pytorch(arguments, setting, "--steps", arguments.steps, "--warmup-steps",
                                      arguments.warmup_steps)
    steps, first = values(lines, "step_s"), values(lines, "first_step_s")
    # Stopped early, what there is counts, best without the first; before the first step's end, the limit is a bound.
    counted = steps[arguments.warmup_steps:] or steps[1:] or steps or [arguments.time_limit]
    return {"step_s": statistics.median(counted), "first_step_s": (first or [arguments.time_limit])[0],
            "peak_bytes": stopped_peak or values(lines, "peak_bytes")[0], "stopped": stopped_peak is not None,
            "is_bound": not steps, "computed": "torch's own kernels"}


def mpbench_epoch(arguments, setting):
    _, epochs = run_mpbench(arguments, setting, "--epochs", arguments.epochs, "--workers", 1)
    # The first one is left out on both sides: Python starts its workers in it.
    rates = [float(epoch["images_per_s"]) for epoch in epochs]
    return {"images_per_s": statistics.median(rates[1:] or rates), "stopped": False, "is_bound": False,
            "computed": "1 worker"}


def pytorch_epoch(arguments, setting, how, workers):
    lines, stopped_peak = run_pytorch(arguments, setting, "--epochs", arguments.epochs, "--loader", how, "--workers",
                                      workers)
    rates = [line["images"] / line["epoch_s"] for line in lines if "epoch_s" in line]
    images = values(lines, "images_per_epoch")
    if not images:
        raise Failed([sys.executable, LOOP], f"not ready to train after {arguments.time_limit:.0f} s")
    return {"images_per_s": statistics.median(rates[1:] or rates or [images[0] / arguments.time_limit]),
            "stopped": stopped_peak is not None, "is_bound": not rates, "computed": f"{how}, {workers} workers"}


# The tables.


class Results:
    def __init__(self, path):
        self.path = path
        self.rows = []
        self.missed = 0
        self.failed = 0

    def each(self, settings, line):
        """Prints a line for each setting; one that fails has its reason in place of it, and the others go on."""
        for setting in settings:
            try:
                line(setting)
            except Failed as failure:
                self.failed += 1
                say(f"{setting}  FAILED: {failure}")
            if self.path:
                self.write()

    def add(self, setting, what, turn, side, measured):
        self.rows.append({"what": what, "model": setting.model, "image_size_px": setting.size,
                          "batch_size": setting.batch, "precision": setting.precision, "round": turn + 1, "side": side,
                          **measured})

    def mark(self, ratio, target, at_most=False):
        reached = ratio <= target if at_most else ratio >= target
        self.missed += not reached
        return "ok" if reached else "HIGH" if at_most else "LOW"

    def write(self):
        names = list(dict.fromkeys(name for row in self.rows for name in row))
        with open(self.path, "w", newline="") as file:
            writer = csv.DictWriter(file, names)
            writer.writeheader()
            writer.writerows(self.rows)


def in_turns(arguments, results, setting, what, ours, theirs):
    """Each round both, in an order that changes; a peer that the time limit stopped has its turn once."""
    measured = {"mpbench": [], "PyTorch": []}
    for turn in range(arguments.rounds):
        for side in list(measured)[::-1 if turn % 2 else 1]:
            taken = measured[side]
            if side == "PyTorch" and taken and taken[0]["stopped"]:
                taken.append(taken[0])
                continue
            note(f"{setting.model} {setting.precision}, {what}: round {turn + 1} of {arguments.rounds}, {side}")
            taken.append((ours if side == "mpbench" else theirs)(arguments, setting))
            if "first_step_s" in taken[-1]:
                taken[-1]["start_s"] = taken[-1]["first_step_s"] - taken[-1]["step_s"]
            results.add(setting, what, turn, side, taken[-1])
    return measured["mpbench"], measured["PyTorch"]


def ratios_of(above, below, name):
    return [a[name] / b[name] for a, b in zip(above, below)]


def spread(ratios, is_bound):
    return f"{'>' if is_bound else ''}{statistics.median(ratios):.2f} [{min(ratios):.2f}, {max(ratios):.2f}]"


def median_of(measured, name):
    return statistics.median(each[name] for each in measured)


def compare_steps(arguments, results, settings):
    say(f"{'':31}{'ms a step':^17}  {'images/s':<26}{'first step':<13}memory")
    say(f"{'model':<16}{'px':>4}{'b':>4}  {'':<5}{'ours':>8}{'PyTorch':>9}  {'ours/PyTorch':<26}{'sooner':<13}"
        "ours/PyTorch")
    our_ms, kernels, starts = {}, {}, []

    def line(setting):
        ours, theirs = in_turns(arguments, results, setting, "steps", mpbench_steps, pytorch_steps)
        is_bound, is_cut = theirs[0]["is_bound"], theirs[0]["stopped"]
        speed, sooner = (ratios_of(theirs, ours, name) for name in ("step_s", "first_step_s"))
        memory = statistics.median(ratios_of(ours, theirs, "peak_bytes"))
        ms = our_ms[setting.model, setting.precision] = 1e3 * median_of(ours, "step_s")
        their_ms = f"{'>' if is_bound else '~' if is_cut else ''}{1e3 * median_of(theirs, 'step_s'):.0f}"
        first = f"{'>' if is_bound else ''}{statistics.median(sooner):.1f}"
        say(f"{setting}{ms:8.0f}{their_ms:>9}  {spread(speed, is_bound):<21} "
            f"{results.mark(statistics.median(speed), TARGETS['images_per_s']):<4}"
            f"{first:<8}{results.mark(statistics.median(sooner), TARGETS['first_step']):<5}"
            f"{'<' if is_bound else ''}{memory:<6.2f}{results.mark(memory, TARGETS['memory'], at_most=True)}")
        if not is_bound:
            start = statistics.median(ratios_of(theirs, ours, "start_s"))
            starts.append(f"{setting.model} {setting.precision} {start:.1f}")
        if ours[0]["computed"]:
            kernels.setdefault(ours[0]["computed"], []).append(f"{setting.model} {setting.precision}")

    results.each(settings, line)
    gains = [f"{model} {precision} {our_ms[model, 'fp32'] / ms:.2f}" for (model, precision), ms in our_ms.items()
             if precision != "fp32" and (model, "fp32") in our_ms]
    say_list("start alone (first step less a median one), times sooner", starts)
    say_list("mpbench's own FP32 step over its mixed one", gains)
    for computed, where in kernels.items():
        say_list(f"mpbench's kernels, {computed}", where)


def fastest_loaders(arguments, results, setting):
    """How Python loads: the fastest of all ways, and the fastest of those that most people write."""
    tried = {}
    for how, workers in LOADERS[1:3] if arguments.quick else LOADERS:
        note(f"{setting.model} {setting.precision}, PyTorch's DataLoader: {how}, {workers} workers")
        tried[how, workers] = pytorch_epoch(arguments, setting, how, workers)
        results.add(setting, "loaders", 0, "PyTorch", tried[how, workers])
        if tried[how, workers]["stopped"]:
            return [(how, workers)]
    fastest = max(tried, key=lambda way: tried[way]["images_per_s"])
    usual = max((way for way in tried if way[0] == "images"), key=lambda way: tried[way]["images_per_s"])
    return list(dict.fromkeys((fastest, usual)))


def compare_epochs(arguments, results, settings):
    say("")
    say(f"{'whole epochs, loading included':<31}{'images/s':^17}  {'images/s':<26}")
    say(f"{'model':<16}{'px':>4}{'b':>4}  {'':<5}{'ours':>8}{'PyTorch':>9}  {'ours/PyTorch':<26}PyTorch's DataLoader")

    def line(setting):
        for how, workers in fastest_loaders(arguments, results, setting):
            ours, theirs = in_turns(arguments, results, setting, "epochs", mpbench_epoch,
                                    functools.partial(pytorch_epoch, how=how, workers=workers))
            is_bound, is_cut = theirs[0]["is_bound"], theirs[0]["stopped"]
            speed = ratios_of(ours, theirs, "images_per_s")
            rate = f"{'<' if is_bound else '~' if is_cut else ''}{median_of(theirs, 'images_per_s'):.1f}"
            say(f"{setting}{median_of(ours, 'images_per_s'):8.1f}{rate:>9}  {spread(speed, is_bound):<21} "
                f"{results.mark(statistics.median(speed), TARGETS['epoch']):<4}{theirs[0]['computed']}")

    results.each(settings, line)


def names(text):
    return [name for name in text.split(",") if name]


def parse_arguments():
    parser = argparse.ArgumentParser(usage="scripts/peers/train --help")
    parser.add_argument("--mpbench", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--models", type=names, default=list(BATCH_SIZES))
    parser.add_argument("--precisions", type=names, default=["fp32", "bf16", "fp16"])
    parser.add_argument("--batch-size", type=int, default=0)
    parser.add_argument("--image-size", type=int, default=0)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--warmup-steps", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--epoch-images", type=int, default=1024)
    parser.add_argument("--optimizer", choices=("adam", "adamw", "sgd"), default="adam")
    parser.add_argument("--depthwise", default="auto")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--time-limit", type=float, default=90)
    parser.add_argument("--csv", type=pathlib.Path)
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.rounds, arguments.steps, arguments.warmup_steps, arguments.epochs = 1, 2, 1, 2
        arguments.batch_size, arguments.image_size, arguments.epoch_images = 4, 64, 32
    for name in ("rounds", "steps", "warmup_steps", "epochs", "epoch_images", "threads", "time_limit"):
        if getattr(arguments, name) < 1:
            parser.error(f"--{name.replace('_', '-')}: must be at least 1")
    unknown = set(arguments.precisions) - {"fp32", "bf16", "fp16"}
    if unknown:
        parser.error(f"--precisions: {', '.join(sorted(unknown))}: choose fp32, bf16, fp16")
    return arguments


def main():
    arguments = parse_arguments()
    arguments.work.mkdir(parents=True, exist_ok=True)
    settings = [Setting(arguments, model, precision)
                for model in arguments.models for precision in arguments.precisions]
    for setting in settings:
        note(f"making images of {setting.size} x {setting.size}")
        setting.make_cache(arguments)
    results = Results(arguments.csv)
    # Once untimed: the libraries and the images are in the page cache for both.
    warm = argparse.Namespace(**{**vars(arguments), "steps": 1, "warmup_steps": 1})
    for setting in {setting.model: setting for setting in reversed(settings)}.values():
        note(f"once untimed: {setting.model}")
        try:
            mpbench_steps(warm, setting)
            pytorch_steps(warm, setting)
        except Failed:
            pass  # it will fail again, in the table

    say(f"mpbench train beside eager PyTorch (channels_last, fused {arguments.optimizer}), {arguments.threads} "
        f"threads, {arguments.steps} steps after {arguments.warmup_steps}")
    say(f"median [smallest, largest] of {arguments.rounds} rounds; targets: images/s >= {TARGETS['images_per_s']}, "
        f"first step >= {TARGETS['first_step']} times")
    say(f"sooner, memory <= {TARGETS['memory']}, whole epochs >= {TARGETS['epoch']}; > or <: PyTorch was not done in "
        f"{arguments.time_limit:.0f} s; ~: stopped then\n")
    compare_steps(arguments, results, settings)
    epochs = [setting for setting in settings if setting.model == "cnn"]
    if epochs:
        compare_epochs(arguments, results, epochs)
    say(f"\n{results.missed} targets missed" if results.missed else "\nall targets reached")
    return 1 if results.failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failed as failure:
        sys.exit(f"scripts/peers/train: {failure}")
