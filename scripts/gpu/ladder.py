"""Step times of mpbench and of Python's PyTorch in turns, for networks, batch sizes and precisions."""

import csv
import json
import pathlib
import sys

from acceptance.images import write_images

PEER = pathlib.Path(__file__).with_name("pytorch_loop.py")
# The loss scale does not overflow within these steps: skipped steps would be no work.
INIT_SCALE = 256
COLUMNS = ("model", "batch_size", "precision", "side", "mode", "images_per_s", "step_ms_median", "step_ms_mad",
           "data_wait_fraction", "peak_bytes", "peak_reserved_bytes", "device_clock_mhz", "device_throttled",
           "device_energy_j", "status")


def arms(session, model, batch_size, precision):
    """(side, mode), interleaved: both sides of a mode follow one another."""
    chosen = [("mpbench", "eager"), ("pytorch", "eager")]
    if not session.rehearse:
        chosen += [("mpbench", "graph"), ("pytorch", "graph")]
        if precision == "fp16" and batch_size == session.batch_sizes[0]:
            chosen.append(("pytorch", "compile"))
    return chosen


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


def pytorch(session, name, model, batch_size, precision, mode):
    size, steps = size_of(session)
    code, log = session.run([sys.executable, PEER, model, precision, batch_size, size, steps, mode, session.device], name,
                            limit_s=240)
    lines = [line for line in log.splitlines() if line.startswith("{")]
    if code != 0 or not lines:
        return {"status": failure(code, log)}
    return {**json.loads(lines[-1]), "status": "ok"}


def climb(session):
    images = session.out / "images"
    if not images.exists():
        # Two epochs of the largest batch at most; the validation set is one batch.
        largest = 16 if session.rehearse else max(session.batch_sizes)
        write_images(images, 8 * largest, largest)
    batch_sizes = [4] if session.rehearse else session.batch_sizes
    models = ["resnet18"] if session.rehearse else session.models
    rows = []
    for batch_size in batch_sizes:
        for model in models:
            for precision in session.precisions if not session.rehearse else ["fp32", "bf16"]:
                for side, mode in arms(session, model, batch_size, precision):
                    name = f"{model}-b{batch_size}-{precision}-{side}-{mode}"
                    if session.left_s() < 20:
                        rows.append({"status": "left out: the time is up"})
                    elif side == "mpbench":
                        rows.append(mpbench(session, name, model, batch_size, precision, mode, images))
                    else:
                        rows.append(pytorch(session, name, model, batch_size, precision, mode))
                    rows[-1].update(model=model, batch_size=batch_size, precision=precision, side=side, mode=mode)
                    session.say(f"{name}: {rows[-1]['status']} {rows[-1].get('images_per_s', '')}")
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
