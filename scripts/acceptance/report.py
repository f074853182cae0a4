"""The report: every check with its outcome, and the figures."""

import math
import os
import platform
import subprocess
import time


def number(cell):
    return float(cell) if cell not in ("", None) else math.nan


def megabytes(cell):
    return f"{number(cell) / 1e6:,.0f} MB" if cell else "not measured"


def table(header, body):
    lines = [header, ["---"] * len(header), *body]
    def escaped(cell):
        return str(cell).replace("|", "\\|").replace("\n", " ")

    return "".join("| " + " | ".join(map(escaped, line)) + " |\n" for line in lines)


def report(a):
    """The Markdown of what an Acceptance has found so far."""
    passed, failed, skipped = (a.count(outcome) for outcome in ("pass", "FAIL", "skip"))
    text = f"# GPU acceptance: {passed} passed, {failed} failed, {skipped} skipped\n\n"
    if not a.on_gpu:
        text += "**A rehearsal on the CPU: the checks ran, and nothing here was computed by a GPU.**\n\n"
    facts = {"mode": a.mode, "minutes": f"{(time.monotonic() - a.began) / 60:.1f}", "program": a.mpbench, **a.facts,
             "driver": driver() if a.on_gpu else "", "system": platform.platform(), "cores": os.cpu_count()}
    text += table(["", ""], [(name, value) for name, value in facts.items() if value]) + "\n## Checks\n\n"
    text += table(["check", "outcome", "detail"], a.checks)
    size = a.size
    text += (f"\n## Figures\n\n{size.steps} steps of {size.batch} images of {size.image} x {size.image}, one run each; "
             "ratios are over fp32.\n\n")
    body = []
    for row in a.figures:
        base = a.row_of(row["model"], "fp32") or {}

        def ratio(name):
            return number(row[name]) / number(base.get(name, ""))

        column = "peak_device_bytes" if row["peak_device_bytes"] else "peak_rss_bytes"
        body.append([row["model"], row["precision"], f"{number(row['images_per_s']):.1f}",
                     f"{number(row['step_ms_median']):.2f}", f"{ratio('images_per_s'):.2f}x", megabytes(row[column]),
                     f"{ratio(column):.2f}x",
                     f"{number(row['data_wait_fraction']):.1%}", f"{number(row['time_to_first_step_s']):.1f} s",
                     row["train_loss"][:7], row["skipped_steps"] or "-"])
    text += table(["model", "precision", "images/s", "ms a step", "speed", "peak memory", "memory", "waiting for data",
                   "first step", "train loss", "skipped steps"], body)
    if a.graphs:
        text += "\n### CUDA graphs\n\n" + table(
            ["model", "precision", "eager ms a step", "graph ms a step", "speed"],
            [[e["model"], e["precision"], f"{number(e['step_ms_median']):.2f}", f"{number(g['step_ms_median']):.2f}",
              f"{number(g['images_per_s']) / number(e['images_per_s']):.2f}x"] for e, g in a.graphs])
    info = a.out / "logs" / "info.txt"
    return text + (f"\n## mpbench info\n\n```\n{info.read_text().strip()}\n```\n" if info.exists() else "")


def driver():
    try:
        told = subprocess.run(["nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"],
                              capture_output=True, text=True, timeout=60)
        return told.stdout.strip().replace("\n", "; ")
    except (OSError, subprocess.TimeoutExpired):
        return "nvidia-smi does not answer"
