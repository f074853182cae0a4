"""Median steps of precisions, and of ways to wait beside a busy neighbour; scripts/peers/step_times --help."""

import argparse
import contextlib
import os
import pathlib
import statistics
import subprocess
import sys

from train_runs import BATCH_SIZES, Failed, Setting, mpbench_steps, pytorch_steps

PRECISIONS = ("fp32", "bf16", "fp16")
INSTRUCTIONS = {
    "native": {},
    "AVX2": {"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2", "MPBENCH_KERNELS": "avx2"},
}
# libgomp's default where neither it nor OMP_WAIT_POLICY is set: a waiting thread looks 300,000 times before it sleeps.
SPINNING = {"GOMP_SPINCOUNT": "300000"}


@contextlib.contextmanager
def environment(values):
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextlib.contextmanager
def busy_neighbour(wanted):
    if not wanted:
        yield
        return
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def in_turns(rounds, arms):
    """Each arm's step in ms, a list with one value a round; the order turns from round to round."""
    names = list(arms)
    taken = {name: [] for name in names}
    for turn in range(rounds):
        for name in names[turn % len(names):] + names[:turn % len(names)]:
            taken[name].append(1e3 * arms[name]()["step_s"])
    return taken


def spread(values, digits):
    return f"{statistics.median(values):.{digits}f} [{min(values):.{digits}f}, {max(values):.{digits}f}]"


def measure(arguments, setting, run, values=(), beside=False):
    def arm():
        with environment(dict(values)), busy_neighbour(beside):
            return run(arguments, setting)
    return arm


def measure_precisions(arguments):
    print(f"{'model':<16}{'px':>4}{'batch':>6}  {'instructions':<13}{'precision':<10}{'step ms':<28}times fp32's")
    for model in arguments.models:
        settings = {precision: Setting(arguments, model, precision) for precision in PRECISIONS}
        for setting in settings.values():
            setting.make_cache(arguments)
        arms = {(instructions, precision): measure(arguments, setting, mpbench_steps, values)
                for instructions, values in INSTRUCTIONS.items() for precision, setting in settings.items()}
        taken = in_turns(arguments.rounds, arms)
        for (instructions, precision), steps in taken.items():
            ratios = [a / b for a, b in zip(steps, taken[instructions, "fp32"])]
            setting = settings[precision]
            print(f"{model:<16}{setting.size:>4}{setting.batch:>6}  {instructions:<13}{precision:<10}"
                  f"{spread(steps, 1):<28}{spread(ratios, 2) if precision != 'fp32' else ''}", flush=True)


def measure_neighbour(arguments):
    print(f"{'model':<16}{'beside it':<13}{'arm':<18}{'step ms':<28}times mpbench's")
    for model in arguments.models:
        setting = Setting(arguments, model, "fp32")
        setting.make_cache(arguments)
        arms = {}
        for beside in (False, True):
            arms[beside, "mpbench"] = measure(arguments, setting, mpbench_steps, (), beside)
            arms[beside, "mpbench, spinning"] = measure(arguments, setting, mpbench_steps, SPINNING, beside)
            arms[beside, "PyTorch"] = measure(arguments, setting, pytorch_steps, (), beside)
        taken = in_turns(arguments.rounds, arms)
        for (beside, name), steps in taken.items():
            ratios = [a / b for a, b in zip(steps, taken[beside, "mpbench"])]
            print(f"{model:<16}{'a busy loop' if beside else 'nothing':<13}{name:<18}{spread(steps, 1):<28}"
                  f"{spread(ratios, 2) if name != 'mpbench' else ''}", flush=True)


def main():
    parser = argparse.ArgumentParser(usage="scripts/peers/step_times --help")
    parser.add_argument("what", choices=("precisions", "neighbour"))
    parser.add_argument("--mpbench", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--models", type=lambda text: text.split(","))
    parser.add_argument("--batch-size", type=int, default=0)
    parser.add_argument("--image-size", type=int, default=0)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    # What train_runs.py reads besides; scripts/peers/train has flags for them.
    parser.set_defaults(warmup_steps=3, epoch_images=0, optimizer="adam", depthwise="auto", time_limit=600)
    arguments = parser.parse_args()
    unknown = [model for model in arguments.models or () if model not in BATCH_SIZES]
    if unknown:
        parser.error(f"--models {unknown[0]}: choose {', '.join(BATCH_SIZES)}")
    arguments.models = arguments.models or (
        ["cnn"] if arguments.what == "neighbour" else ["cnn", "resnet18", "efficientnet-b0"])
    arguments.work.mkdir(parents=True, exist_ok=True)
    try:
        (measure_neighbour if arguments.what == "neighbour" else measure_precisions)(arguments)
    except Failed as failure:
        sys.exit(f"{failure}")


if __name__ == "__main__":
    main()
