"""Step times of mpbench and of Python's PyTorch in turns, for networks, batch sizes and precisions."""

import csv
import json
import pathlib
import sys

from acceptance.images import write_images

PEER = pathlib.Path(__file__).with_name("pytorch_loop.py")
# The loss scale does not overflow within these steps: skipped steps would be no work.
INIT_SCALE = 256
COLUMNS = ("model", "batch_size", "precision", "cudnn_benchmark", "side", "mode", "time_to_first_step_s",
           "images_per_s", "step_ms_median", "step_ms_mad",
           "data_wait_fraction", "peak_bytes", "peak_reserved_bytes", "device_clock_mhz", "device_throttled",
           "device_energy_j", "status")


def modes_of_pytorch(session, batch_size, precision):
    """All in one process, which searches cuDNN's kernels once."""
    if session.rehearse:
        return ["eager"]
    compiled = precision == "fp16" and batch_size == session.batch_sizes[0] and session.compile
    return ["eager", "graph", *(["compile"] if compiled else [])]


def size_of(session):
    """Pixels a side, timed steps, and images of the set."""
    return (32, 4) if session.rehearse else (224, session.steps)


def failure(code, log):
    """One line, as it becomes a cell."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    errors = [line for line in lines if "rror" in line]
    return f"exit code {code}: {(errors or lines or ['no output'])[-1][:200]}"


def mpbench(session, name, model, batch_size, precision, mode, images):
    size, steps = size_of(session)
    out = session.out / "runs" / name
    options = ["--init-scale", INIT_SCALE] if precision == "fp16" else []
    options += ["--cuda-graph"] if mode == "graph" else []
    options += [] if session.benchmark else ["--no-cudnn-benchmark"]
    code, log = session.run(
        [session.mpbench, "train", "--device", session.device, "--data", images, "--image-size", size, "--model", model,
         "--precision", precision, "--batch-size", batch_size, "--steps", steps, "--epochs", 1000, "--lr", 3e-4, *options,
         "--no-checkpoints", "--progress", "never", "--out", out, "--run-id", name], name, limit_s=180)
    try:
        with open(out / "runs.csv", newline="") as file:
            row = next(csv.DictReader(file))
    except (OSError, StopIteration):
        return {"status": failure(code, log)}
    told = {key: row.get(key, "") for key in COLUMNS if key in row}
    return {**told, "peak_bytes": row["peak_device_bytes"],
            "status": row["status"] if row["status"] == "ok" else f"{row['status']}: {row['error']}"}


def pytorch(session, name, model, batch_size, precision, modes):
    """A row for each mode."""
    size, steps = size_of(session)
    code, log = session.run([sys.executable, PEER, model, precision, batch_size, size, steps, ",".join(modes), session.device,
                             int(session.benchmark)], name, limit_s=240)
    rows = [{**json.loads(line), "status": "ok"} for line in log.splitlines() if line.startswith("{")]
    return rows + [{"mode": mode, "status": failure(code, log)} for mode in modes[len(rows):]]


def climb(session):
    images = session.out / "images"
    if not images.exists():
        # An epoch's end drains what runs ahead: all timed steps of the first batch size are one epoch.
        largest = 16 if session.rehearse else max(session.batch_sizes)
        first = 0 if session.rehearse else session.steps * session.batch_sizes[0]
        write_images(images, max(8 * largest, first), min(largest, 128))
    batch_sizes = [4] if session.rehearse else session.batch_sizes
    models = ["resnet18"] if session.rehearse else session.models
    rows = []
    for batch_size in batch_sizes:
        for model in models:
            for precision in session.precisions if not session.rehearse else ["fp32", "bf16"]:
                for side, modes in (("mpbench", ["eager"]), ("pytorch", modes_of_pytorch(session, batch_size, precision)),
                                    ("mpbench", [] if session.rehearse else ["graph"])):
                    name = f"{model}-b{batch_size}-{precision}-{side}-{'-'.join(modes)}"
                    if session.left_s() < 20:
                        new = [{"mode": mode, "status": "left out: the time is up"} for mode in modes]
                    elif side == "pytorch":
                        new = pytorch(session, name, model, batch_size, precision, modes)
                    else:
                        new = [{**mpbench(session, name, model, batch_size, precision, mode, images), "mode": mode}
                               for mode in modes]
                    for row in new:
                        row.update(model=model, batch_size=batch_size, precision=precision, side=side,
                                   cudnn_benchmark=str(session.benchmark).lower())
                        session.say(f"{name}, {row['mode']}: {row['status']} {row.get('images_per_s', '')}")
                    rows += new
                    write(session, rows)
    bad = [row for row in rows if row["status"] != "ok" and not row["status"].startswith("left out")]
    for row in bad:
        # A batch that does not fit is an answer.
        if not row["status"].startswith("oom") and "out of memory" not in row["status"]:
            session.fail(f"{row['model']} {row['precision']} {row['side']} {row['mode']}: {row['status'][:200]}")


def write(session, rows):
    with open(session.out / "ladder.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, restval="", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    (session.out / "ladder.md").write_text(markdown(session, rows))


def markdown(session, rows):
    """A line a network, batch and precision; images a second, and the ratio to PyTorch's in the same mode."""
    speeds = {(r["model"], r["batch_size"], r["precision"], r["side"], r["mode"]): float(r["images_per_s"])
              for r in rows if r["status"] == "ok" and r.get("images_per_s")}
    sides = [("mpbench", "eager"), ("pytorch", "eager"), ("mpbench", "graph"), ("pytorch", "graph"), ("pytorch", "compile")]
    head = ["model", "batch", "precision", *(f"{side}, {mode}" for side, mode in sides),
            "mpbench / PyTorch, eager", "graph", "speed-up over fp32, eager", "graph"]
    lines = ["Images a second. " + ("**A rehearsal on the CPU: the figures mean nothing.**" if session.rehearse else ""), "",
             f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]

    def ratio(one, other):
        return f"{speeds[one] / speeds[other]:.2f}" if one in speeds and other in speeds else ""

    for key in dict.fromkeys((r["model"], r["batch_size"], r["precision"]) for r in rows):
        cells = [f"{speeds[(*key, *side)]:.0f}" if (*key, *side) in speeds else "" for side in sides]
        cells += [ratio((*key, "mpbench", mode), (*key, "pytorch", mode)) for mode in ("eager", "graph")]
        cells += [ratio((*key, "mpbench", mode), (*key[:2], "fp32", "mpbench", mode)) for mode in ("eager", "graph")]
        lines.append(f"| {' | '.join([*map(str, key), *cells])} |")
    return "\n".join(lines) + "\n"
