"""The runs that train_loops.py compares: the images for both, and one process for each measurement."""

import csv
import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import tempfile

import numpy
from PIL import Image

LOOP = pathlib.Path(__file__).with_name("pytorch_loop.py")
BATCH_SIZES = {"cnn": 32, "resnet18": 16, "resnet50": 8, "efficientnet-b0": 16}
OTHER_BATCH_SIZE = 8
VALIDATION_FRACTION = 0.05
CLASSES = 10
KERNEL_COLUMNS = ("fp16_convolution", "bf16_convolution", "kernels")


class Failed(Exception):
    """A process ended with an error: its command, and what it said last."""

    def __init__(self, command, said):
        super().__init__(f"{' '.join(map(str, command))}\n{said[-2000:].rstrip()}")


def run(command):
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if result.returncode != 0:
        raise Failed(command, result.stderr)


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
