"""Measures mpbench train beside PyTorch's eager loop; scripts/peers/train --help."""

import argparse
import csv
import functools
import os
import pathlib
import statistics
import sys
import textwrap

from train_runs import BATCH_SIZES, Failed, Setting, mpbench_epoch, mpbench_steps, pytorch_epoch, pytorch_steps

# Ways in which Python may load; the fastest is what mpbench is held against.
LOADERS = (("images", 1), ("images", 2), ("batches", 0), ("batches", 1), ("batches", 2))
TARGETS = {"images_per_s": 1.0, "first_step": 5.0, "memory": 1.0, "epoch": 1.3}


def note(text):
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def say(text):
    note("")
    print(text, flush=True)


def say_list(title, items):
    if items:
        say(textwrap.fill(f"{title}: {', '.join(items)}", 98, subsequent_indent="  "))


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
