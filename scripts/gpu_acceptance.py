"""The checks of scripts/gpu_acceptance, which says what they are for; standard library only."""

import argparse
import concurrent.futures
import csv
import dataclasses
import json
import math
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
import traceback
import xml.etree.ElementTree

from acceptance.images import write_images
from acceptance.report import number, report

PRECISIONS = ("fp32", "tf32", "bf16", "fp16")
MODELS = ("cnn", "resnet18", "resnet50", "efficientnet-b0")
# How far the mean training loss of an arm may be from the baseline's, as a share of it: batch normalisation makes per
# cents of a rounding within some steps, in every framework, and dropout may draw other numbers.
NEAR = {"tf32": 0.03, "bf16": 0.08, "fp16": 0.08, "graph": 0.03}
DROPOUT_DRAWS = 0.05
# And how far two runs of one precision and seed are apart on a GPU, whose sums have no fixed order: four fp32 runs of
# ResNet-50 in the quick size ended at losses of 1.094 to 1.141 on an H100.
RUN_TO_RUN = {"resnet50": 0.05}
# How far strict float32 may be from strict float32 after a step: the training loss and the validation loss as a share,
# and probabilities. On one CPU (AMD, AVX-512), SSE4.1, AVX2 and AVX-512 kernels in NCHW and NHWC are up to 6e-7, 5e-7 and
# 1.5e-6 apart with ResNet-18, and 1.6e-5, 3.3e-4 and 1.2e-3 with ResNet-50 (three seeds), whose last batch norms see 64
# values; a third of what is allowed.
ROUNDING = {"resnet50": (5e-5, 1e-3, 4e-3)}
ROUNDING_OF_OTHERS = (3e-5, 3e-4, 3e-4)
# Low enough that no step of these overflows: the first step skipped would make the losses incomparable.
INIT_SCALE = 256
RUN_LIMIT_S, QUICK_RUN_LIMIT_S = 900, 150


@dataclasses.dataclass(frozen=True)
class Size:
    """How much is run."""
    image: int
    batch: int
    steps: int
    small_image: int  # where only agreement counts
    small_batch: int
    graph_precisions: tuple
    options: tuple = ()


FULL = Size(224, 128, 60, 64, 16, PRECISIONS)
QUICK = Size(128, 64, 30, 64, 16, ("fp32", "fp16"))
REHEARSAL = Size(32, 8, 4, 32, 8, ("fp32", "fp16"), ("--threads", "1"))


class Failed(Exception):
    """A check that did not pass; the text says how."""


class Skipped(Exception):
    """A check that cannot be done here; the text says why."""


def require(good, text):
    if not good:
        raise Failed(text)


def say(text):
    print(text, file=sys.stderr, flush=True)


def rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


class Acceptance:
    def __init__(self, options):
        self.mpbench = options.mpbench
        self.device = options.device
        self.on_gpu = options.device != "cpu"
        self.out = options.out
        self.tests = options.tests
        self.labels = options.labels
        self.size = REHEARSAL if not self.on_gpu else QUICK if options.quick else FULL
        self.mode = "rehearsal" if not self.on_gpu else "quick" if options.quick else "full"
        self.run_limit_s = QUICK_RUN_LIMIT_S if options.quick else RUN_LIMIT_S
        self.checks = []  # (name, outcome, detail)
        self.figures = []  # rows of runs.csv
        self.graphs = []  # (eager, graph)
        self.facts = {}
        self.lock = threading.Lock()
        self.began = time.monotonic()

    # Running mpbench

    def run(self, arguments, log, code=0, env=None, limit_data=None):
        """Runs mpbench with its output in a log file; its exit code has to be the one expected."""
        def limit_memory():
            resource.setrlimit(resource.RLIMIT_DATA, (limit_data, limit_data))
        log.parent.mkdir(parents=True, exist_ok=True)
        with open(log, "w") as file:
            try:
                done = subprocess.run([self.mpbench, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=file,
                                      stderr=subprocess.STDOUT, timeout=self.run_limit_s, env={**os.environ, **(env or {})},
                                      preexec_fn=limit_memory if limit_data else None)
            except subprocess.TimeoutExpired:
                raise Failed(f"took more than {self.run_limit_s} s (log: {log})") from None
        lines = log.read_text(errors="replace").splitlines()
        require(done.returncode == code,
                f"exit code {done.returncode}, expected {code}: {lines[-1] if lines else 'no output'} (log: {log})")
        return "\n".join(lines)

    def command(self, name, keep=False, **options):
        """Flags of train and compare. States are kept where asked for alone: those of ResNet-50 are 300 MB each."""
        options = {"device": self.device, "data": self.out / "images", "no_checkpoints": not keep or None, **options}
        flags = []
        for key, value in options.items():
            flag = "--" + key.replace("_", "-")
            flags += [flag] if value is True else [] if value is None else [flag, str(value)]
        return [*self.size.options, *flags, "--out", self.out / "runs" / name, "--progress", "never"]

    def train(self, name, **options):
        """One run that has to end well: its row of runs.csv."""
        self.run(["train", *self.command(name, **options), "--run-id", name], self.out / "logs" / f"{name}.log")
        row, = rows(self.out / "runs" / name / "runs.csv")
        require(row["status"] == "ok", f"{name}: {row['status']}: {row['error']}")
        for column in ("train_loss", "val_loss"):
            require(math.isfinite(number(row[column])), f"{name}: {column} is {row[column] or 'empty'}")
        return row

    def timed(self, name, **options):
        size = self.size
        init_scale = INIT_SCALE if options["precision"] == "fp16" else None
        return self.train(name, image_size=size.image, batch_size=size.batch, epochs=1, lr=3e-4, init_scale=init_scale,
                          **options)

    def small(self, name, **options):
        return self.train(name, **{**self.small_options(), **options})

    def small_options(self):
        size = self.size
        return {"image_size": size.small_image, "batch_size": size.small_batch, "optimizer": "sgd", "lr": 1e-3,
                "limit": size.small_batch * 8, "epochs": 1, "warmup_steps": 1, "deterministic": True}

    # The checks. Each returns a line for the report, or throws Failed or Skipped.

    def program(self):
        log = self.run(["info", "--json"], self.out / "logs" / "info.json")
        told = json.loads(log)
        (self.out / "logs" / "info.txt").write_text(self.run(["info"], self.out / "logs" / "info.log"))
        index = self.device.partition(":")[2] or "0"
        wanted = {f"cuda:{index}", self.device} if self.on_gpu else {"cpu"}
        found = [device for device in told["devices"] if device["device"] in wanted]
        require(found, f"mpbench info lists no {self.device}: {[device['device'] for device in told['devices']]}")
        self.info, = found
        self.facts.update({"device": f"{self.info['name']} ({self.info['compute_capability'] or 'no extensions'})",
                           **{name: value for name, value in told["versions"].items() if value}})
        require(set(self.info["precisions"]) == set(PRECISIONS), "a precision is missing")
        return "; ".join(f"{name} {what['support']}" for name, what in self.info["precisions"].items())

    def amp_default(self):
        row = self.train("amp", image_size=32, batch_size=8, steps=2, amp=True)
        expected = "fp16" if self.on_gpu else "bf16"
        require(row["precision"] == expected, f"--amp means {row['precision']}, PyTorch's default here is {expected}")
        return expected

    def ctest(self):
        if self.tests is None:
            raise Skipped("no folder with tests was given")
        junit = self.out / "logs" / "ctest.xml"
        log = self.out / "logs" / "ctest.log"
        selection = ["-L", self.labels] if self.labels else ["-LE", "^slow$"]
        with open(log, "w") as file:
            subprocess.run(["ctest", "--test-dir", self.tests, "--output-on-failure", "--no-tests=error",
                            "--output-junit", junit, "-j", str(max(1, (os.cpu_count() or 1) // 4)), *selection],
                           stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT)
        require(junit.exists(), f"ctest left no results (log: {log})")
        outcome = {"run": [], "fail": [], "other": []}
        wanting = []
        for case in xml.etree.ElementTree.parse(junit).iter("testcase"):
            outcome[case.get("status") if case.get("status") in outcome else "other"].append(case.get("name"))
            said = case.findtext("system-out") or ""
            if case.get("status") not in ("run", "fail") and re.search(r"\bno (GPU|CUDA)|without CUDA", said):
                wanting.append(case.get("name"))
        passed, failed, skipped = outcome["run"], outcome["fail"], outcome["other"]
        ran = len(passed) + len(failed)
        require(not failed, f"{len(failed)} of {ran} failed: {', '.join(failed[:8])} (log: {log})")
        require(passed, f"no test ran (log: {log})")
        if self.on_gpu:
            require(not wanting, f"skipped as if there were no GPU: {', '.join(wanting[:8])} (log: {log})")
        return f"{len(passed)} passed, {len(skipped)} skipped" + (f": {', '.join(skipped[:12])}" if skipped else "")

    def precision(self, model, precision):
        row = self.timed(f"{model}-{precision}", model=model, precision=precision, keep=precision == "fp32")
        row["model"], row["precision"] = model, precision
        self.figures.append(row)
        if self.on_gpu:
            require(number(row["peak_device_bytes"]) > 0, "peak_device_bytes was not recorded")
        skipped = row["skipped_steps"]
        require(skipped in ("", "0"), f"{skipped} steps overflowed at a loss scale of {INIT_SCALE}")
        said = f"train_loss {number(row['train_loss']):.4f}"
        if precision == "fp32":
            return said
        base = self.row_of(model, "fp32")
        if base is None:
            raise Failed(f"{said}; no fp32 run to compare it with")
        allowed = NEAR[precision] + (DROPOUT_DRAWS if "efficientnet" in model else 0) + RUN_TO_RUN.get(model, 0)
        apart = abs(number(row["train_loss"]) / number(base["train_loss"]) - 1)
        require(apart <= allowed, f"{said}, {apart:.1%} from fp32's, allowed {allowed:.1%}")
        return f"{said}, {apart:.2%} from fp32's; {number(row['images_per_s']) / number(base['images_per_s']):.2f}x"

    def row_of(self, model, precision):
        return next((row for row in self.figures if (row["model"], row["precision"]) == (model, precision)), None)

    def graph(self, model, precision):
        if not self.on_gpu:
            raise Skipped("CUDA graphs need CUDA")
        eager = self.row_of(model, precision)
        require(eager is not None, "there is no eager run to compare it with")
        row = self.timed(f"{model}-{precision}-graph", model=model, precision=precision, cuda_graph=True)
        self.graphs.append((eager, row))
        require(row.get("cuda_graph", "true") == "true", "the step was not captured: runs.csv says so")
        allowed = NEAR["graph"] + (DROPOUT_DRAWS if "efficientnet" in model else 0) + RUN_TO_RUN.get(model, 0)
        apart = abs(number(row["train_loss"]) / number(eager["train_loss"]) - 1)
        require(apart <= allowed, f"train_loss {apart:.1%} from the eager run's, allowed {allowed:.1%}")
        speed = number(row["images_per_s"]) / number(eager["images_per_s"])
        return f"{apart:.2%} from the eager run's loss; {speed:.2f}x its speed"

    def deterministic(self):
        first, second = (self.small(f"deterministic-{i}", model="resnet18", precision="fp16") for i in (1, 2))
        for column in ("train_loss", "val_loss"):
            pair = (first[column], second[column])
            require(pair[0] == pair[1], f"{column}: {pair[0]} and {pair[1]} of two equal runs")
        return f"two runs, one train_loss: {first['train_loss']}"

    def scales_loss(self):
        """From a scale at which fp16 overflows, each skipped step halves it, and training goes on."""
        first = 2.0 ** 24
        row = self.small("loss-scale", model="cnn", precision="fp16", epochs=3, init_scale=first)
        skipped, steps = int(row["skipped_steps"]), int(row["steps"])
        require(0 < skipped < steps, f"{skipped} of {steps} steps were skipped")
        require(number(row["final_loss_scale"]) == first * 0.5 ** skipped,
                f"the scale is {row['final_loss_scale']} after {skipped} skipped steps from {first:.0f}")
        return f"{skipped} of {steps} steps skipped, each halving the scale, to {number(row['final_loss_scale']):.0f}"

    def agrees_with_cpu(self, model):
        """One step, as rounding grows with every further one: its loss (forward), then validation (backward, update).

        fp32 is strict, and TF32's ten bits of mantissa in a convolution would be further off than is allowed.
        """
        reference = {"device": "cpu"} if self.on_gpu else {"no_channels_last": True}  # other kernels, other rounding
        options = {"model": model, "steps": 1, "precision": "fp32", "lr": 1e-4}
        names = [f"parity-{model}", f"parity-{model}-cpu"]
        pair = [self.small(names[0], **options), self.small(names[1], **options, **reference)]
        said = []
        *losses, allowed_score = ROUNDING.get(model, ROUNDING_OF_OTHERS)
        for column, allowed in zip(("train_loss", "val_loss"), losses):
            apart = abs(number(pair[0][column]) / number(pair[1][column]) - 1)
            require(apart <= allowed, f"{column} is {apart:.2g} from the CPU's, allowed {allowed:g}")
            said.append(f"{column} within {apart:.1g}")
        files = [self.out / "runs" / name / "predictions" / f"{name}.csv" for name in names]
        scores = [[number(row["score"]) for row in rows(file)] for file in files]
        require(scores[0] and len(scores[0]) == len(scores[1]), "the predictions have different lengths")
        apart = max(abs(a - b) for a, b in zip(*scores))
        require(apart <= allowed_score, f"probabilities {apart:.2g} from the CPU's, allowed {allowed_score:g}")
        return f"{', '.join(said)}, probabilities within {apart:.1g}"

    def predicts_as_cpu(self, model):
        """The same weights, evaluated on both: the logits' parity, dropout and batch statistics left out."""
        usage = subprocess.run([self.mpbench, "--help"], capture_output=True, text=True).stdout
        if not re.search(r"^  predict ", usage, re.MULTILINE):
            raise Skipped("this mpbench has no subcommand predict")
        checkpoint = self.out / "runs" / f"{model}-fp32" / "checkpoints" / "last.safetensors"
        require(checkpoint.exists(), f"{model}-fp32 left no checkpoint")
        tables = []
        for device in (self.device, "cpu"):
            file = self.out / "predictions" / f"{model}-{len(tables)}.csv"
            file.parent.mkdir(exist_ok=True)
            self.run(["predict", "--checkpoint", checkpoint, "--data", self.out / "images", "--limit", 64, "--device",
                      device, "--out", file], self.out / "logs" / f"predict-{model}-{len(tables)}.log")
            tables.append(rows(file))
        require(tables[0] and len(tables[0]) == len(tables[1]), "the files have different lengths")
        classes = [name for name in tables[0][0] if name not in ("image", "predicted")]
        apart = max(abs(number(a[name]) - number(b[name])) for a, b in zip(*tables) for name in classes)
        require(apart <= 1e-4, f"probabilities {apart:.2g} from the CPU's, allowed 1e-4")
        return f"{len(tables[0])} images: probabilities within {apart:.1g}"

    def resumes(self):
        """Killed in mid-epoch and resumed, a run ends as one in peace; fp16, so that the scaler's state counts too."""
        options = {"model": "resnet18", "precision": "fp16", "epochs": 6, "checkpoint_steps": 3, "keep": True}
        peace = self.small("resume-peace", **options)
        name = "resume-killed"
        arguments = self.command(name, **{**self.small_options(), **options})
        kept = self.out / "runs" / name / "checkpoints" / "last.safetensors"
        with open(self.out / "logs" / f"{name}.log", "w") as log:
            process = subprocess.Popen([self.mpbench, "train", *map(str, arguments), "--run-id", name],
                                       stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
            deadline = time.monotonic() + 120
            while process.poll() is None and not kept.exists() and time.monotonic() < deadline:
                time.sleep(0.01)
            process.kill()
            require(process.wait() == -signal.SIGKILL, "the run ended before it could be killed")
        resumed = self.small(name, **options, resume=True)
        log = (self.out / "logs" / f"{name}.log").read_text()
        begun = re.search(r"going on after step (\d+)", log)
        require(begun, "it started afresh: no state was kept")
        apart = max(abs(number(resumed[column]) / number(peace[column]) - 1) for column in ("train_loss", "val_loss"))
        require(resumed["steps"] == peace["steps"], f"{resumed['steps']} steps, {peace['steps']} in peace")
        require(apart <= (1e-4 if self.on_gpu else 0), f"losses {apart:.2g} from those of a run in peace")
        return f"killed, resumed after step {begun[1]} of {peace['steps']}: " + (
            "the same to the bit" if apart == 0 else f"losses within {apart:.1g}")

    def runs_out_of_memory(self):
        """A batch that cannot fit ends as oom, and the sweep goes on with the one that does."""
        if self.on_gpu:
            # ResNet-50 takes more than 80 MB an image at 224 x 224 in float32; a fifth more than would fit then.
            huge = math.ceil(1.2 * self.info["memory_bytes"] / 80e6)
            images, options, limit = huge, {"model": "resnet50", "image_size": 224}, None
        else:
            huge, images, limit = 1024, 1024, 3 << 30
            options = {"model": "cnn", "image_size": 256}
        data = write_images(self.out / "many images", images, 8)
        options.update(data=data, precision="fp32,tf32", batch_size=f"{huge},8", repeats=2, sessions=2, steps=9,
                       warmup_steps=0)
        self.run(["compare", *self.command("oom", **options)],
                 self.out / "logs" / "oom.log", code=3, limit_data=limit)
        shutil.rmtree(data)
        runs = rows(self.out / "runs" / "oom" / "runs.csv")
        ended = [(row["batch_size"], row["status"]) for row in runs]
        # Two sessions of three processes; where the baseline fails, what is left of the first one is not begun.
        require(set(ended) == {(str(huge), "oom"), ("8", "ok")} and ended.count(("8", "ok")) == 6,
                f"batch and status: {ended}; " + "; ".join(sorted({row["error"] for row in runs if row["error"]})))
        require(all(str(huge) in row["error"] for row in runs if row["status"] == "oom"), "the batch is not named")
        return f"batch {huge}: oom, batch 8 after it: ok"

    # What is done, and told

    def check(self, name, work, *arguments):
        began = time.monotonic()
        try:
            outcome, detail = "pass", work(*arguments)
        except Skipped as reason:
            outcome, detail = "skip", str(reason)
        except Failed as problem:
            outcome, detail = "FAIL", str(problem)
        except Exception as error:  # a defect of a check must not hide the others' outcomes
            (self.out / "logs" / "checks.log").open("a").write(f"{name}\n{traceback.format_exc()}\n")
            outcome, detail = "FAIL", f"{type(error).__name__}: {error} (log: {self.out / 'logs' / 'checks.log'})"
        with self.lock:
            self.checks.append((name, outcome, detail))
            say(f"{outcome}  {name}: {detail} ({time.monotonic() - began:.0f} s)")
            self.write_report()
        return outcome != "FAIL"

    def all(self):
        if not self.check("mpbench info", self.program):
            return
        size = self.size
        write_images(self.out / "images", size.batch * size.steps, max(64, size.batch))
        for model in MODELS:  # one at a time: these are timed
            for precision in PRECISIONS:
                self.check(f"{model} {precision}", self.precision, model, precision)
            for precision in size.graph_precisions:
                self.check(f"{model} {precision} --cuda-graph", self.graph, model, precision)
        self.check("out of memory", self.runs_out_of_memory)
        together = [("--amp", self.amp_default), ("loss scale", self.scales_loss), ("killed and resumed", self.resumes),
                    ("--deterministic", self.deterministic)]
        # Dropout draws other numbers on each device, so that EfficientNet's training is compared by evaluation alone.
        together += [(f"{model} trains as on the CPU", self.agrees_with_cpu, model) for model in MODELS[:3]]
        together += [(f"{model} predicts as on the CPU", self.predicts_as_cpu, model) for model in MODELS]
        with concurrent.futures.ThreadPoolExecutor(max(1, min(4, (os.cpu_count() or 1) // 4))) as pool:
            for work in [pool.submit(self.check, *what) for what in together]:
                work.result()
        self.check("ctest", self.ctest)

    def count(self, outcome):
        return sum(1 for check in self.checks if check[1] == outcome)

    def write_report(self):
        (self.out / "report.md").write_text(report(self))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mpbench", required=True)
    parser.add_argument("--device", required=True)
    parser.add_argument("--out", required=True, type=pathlib.Path)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--tests", help="build folder whose tests are run")
    parser.add_argument("--labels", help="regular expression: only these modules' tests")
    options = parser.parse_args()
    if options.out.exists() and any(options.out.iterdir()) and not (options.out / "report.md").exists():
        say(f"scripts/gpu_acceptance: {options.out} is not empty and no earlier report: name another --out")
        return 2
    shutil.rmtree(options.out, ignore_errors=True)
    (options.out / "logs").mkdir(parents=True)
    os.environ["XDG_CACHE_HOME"] = str(options.out / "cache")
    acceptance = Acceptance(options)
    acceptance.write_report()
    try:
        acceptance.all()
    except KeyboardInterrupt:
        say(f"scripts/gpu_acceptance: interrupted; what was found so far: {options.out / 'report.md'}")
        return 130
    passed, failed, skipped = (acceptance.count(outcome) for outcome in ("pass", "FAIL", "skip"))
    acceptance.write_report()
    what = "Rehearsal on the CPU" if not acceptance.on_gpu else "GPU acceptance"
    say(f"{what}: {passed} passed, {failed} failed, {skipped} skipped; report: {options.out / 'report.md'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
