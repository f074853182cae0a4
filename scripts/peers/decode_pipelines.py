"""Measures mpbench preprocess beside Python pipelines on the same mammograms; scripts/peers/decode --help."""

import argparse
import csv
import multiprocessing
import pathlib
import re
import statistics
import subprocess
import sys
import time

import cv2
import dicomsdl
import numpy
import pydicom
from pydicom.encaps import generate_frames
from pydicom.pixels import apply_rescale, apply_voi_lut
from safetensors.numpy import load_file

SETS = {  # name: (height, width, patients, files)
    "2776 x 2082": (2776, 2082, 6, 24),
    "5355 x 4915": (5355, 4915, 2, 8),
}
SYNTAXES = {"JPEG 2000": "jpeg2000", "JPEG Lossless": "jpeg-lossless"}


def window_table(header, pixels):
    """Stored values to [0, 1] by a table: what a careful pipeline does, as computing every pixel takes longer."""
    values = numpy.arange(1 << 16, dtype=numpy.float64)
    values = values * float(header.get("slope") or 1) + float(header.get("intercept") or 0)
    center, width, function = header["center"], header["width"], header["function"]
    if center is None:
        low, high = values[pixels.min()], values[pixels.max()]
        shown = (values - low) / max(high - low, 1)
    elif function == "SIGMOID":
        shown = 1 / (1 + numpy.exp(-4 * (values - center) / width))
    else:
        shown = (values - (center - 0.5)) / (width - 1) + 0.5
    shown = numpy.clip(shown, 0, 1)
    return (1 - shown if header["photometric"] == "MONOCHROME1" else shown).astype(numpy.float32)


def picture(shown, size):
    """Crop (Otsu on a small copy, the largest component), fit into size x size."""
    factor = 384 / max(shown.shape)
    small = cv2.resize(shown, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    _, mask = cv2.threshold((small * 255).astype(numpy.uint8), 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    count, _, boxes, _ = cv2.connectedComponentsWithStats(mask)
    if count > 1:
        x, y, w, h = (boxes[1 + boxes[1:, cv2.CC_STAT_AREA].argmax(), :4] / factor).astype(int)
        shown = shown[y:y + h, x:x + w]
    factor = size / max(shown.shape)
    shown = cv2.resize(shown, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    out = numpy.zeros((size, size), numpy.uint8)
    height, width = min(size, shown.shape[0]), min(size, shown.shape[1])
    out[:height, :width] = shown[:height, :width] * 255 + 0.5
    return out


def first(value):
    return value[0] if isinstance(value, (list, tuple, pydicom.multival.MultiValue)) else value


def number(value):
    value = first(value)
    return None if value in (None, "") else float(value)


def by_pydicom(path, size):
    """As pydicom's own documentation does it."""
    dataset = pydicom.dcmread(path)
    shown = apply_voi_lut(apply_rescale(dataset.pixel_array, dataset), dataset)
    if dataset.PhotometricInterpretation == "MONOCHROME1":
        shown = shown.max() - shown
    low, high = shown.min(), shown.max()
    return picture(((shown - low) / (high - low)).astype(numpy.float32), size)


def by_pydicom_and_table(path, size):
    dataset = pydicom.dcmread(path)
    header = {"slope": dataset.get("RescaleSlope"), "intercept": dataset.get("RescaleIntercept"),
              "center": number(dataset.get("WindowCenter")), "width": number(dataset.get("WindowWidth")),
              "function": dataset.get("VOILUTFunction"), "photometric": dataset.PhotometricInterpretation}
    pixels = dataset.pixel_array
    return picture(window_table(header, pixels)[pixels], size)


def by_dicomsdl(path, size):
    dataset = dicomsdl.open(str(path))
    header = {"slope": dataset.RescaleSlope, "intercept": dataset.RescaleIntercept,
              "center": number(dataset.WindowCenter), "width": number(dataset.WindowWidth),
              "function": dataset.VOILUTFunction, "photometric": dataset.PhotometricInterpretation}
    pixels = dataset.pixelData(storedvalue=True).astype(numpy.uint16, copy=False)
    return picture(window_table(header, pixels)[pixels], size)


PEERS = {"pydicom": by_pydicom, "pydicom and table": by_pydicom_and_table, "dicomsdl and table": by_dicomsdl}


def start_worker():
    cv2.setNumThreads(1)


def take(task):
    name, path, size = task
    return int(PEERS[name](path, size).max())


def measure_peer(pool, name, files, size):
    begin = time.perf_counter()
    brightest = pool.map(take, [(name, path, size) for path in files], chunksize=1)
    seconds = time.perf_counter() - begin
    assert min(brightest) > 0, f"{name} gave a black picture"
    return seconds


def run(command):
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{result.stderr}")
    return result


def measure_mpbench(arguments, folder, size, exact=False):
    cache = arguments.work / f"{folder.name}-{size}{'-exact' if exact else ''}.safetensors"
    cache.unlink(missing_ok=True)
    result = run([arguments.mpbench, "preprocess", "--data", folder, "--cache", cache, "--image-size", size, "--workers",
                  arguments.workers] + (["--exact"] if exact else []))
    return float(re.search(r" in ([0-9.]+) s", result.stderr)[1])


def table_of(folder):
    with open(folder / "train.csv", newline="") as file:
        return list(csv.DictReader(file))


def file_of(folder, row):
    return folder / "train_images" / row["patient_id"] / f"{row['image_id']}.dcm"


def limited(folder, target, count):
    """A folder that holds the first rows alone; the files are links."""
    rows = table_of(folder)[:count]
    target.mkdir(exist_ok=True)
    with open(target / "train.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    for row in rows:
        link = file_of(target, row)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(file_of(folder, row).resolve())
    return target


def synthetic(arguments, syntax, height, width, patients, count):
    folder = arguments.work / f"{syntax}-{height}x{width}-{patients}"
    if not (folder / "train.csv").exists():
        print(f"making {folder.name}", file=sys.stderr)
        run([arguments.mpbench, "synth", folder, "--syntax", syntax, "--height", height, "--width", width,
             "--patients", patients])
    return limited(folder, arguments.work / f"{folder.name}-first", arguments.limit or count)


def spread(values):
    return f"{statistics.median(values):6.2f}  [{min(values):.2f}, {max(values):.2f}]"


class Report:
    def __init__(self):
        self.rows = []

    def line(self, what, size, other, times, ours):
        ratios = [a / b for a, b in zip(times, ours)]
        self.rows.append({"files": what, "size_px": size, "peer": other, "ratio_median": statistics.median(ratios),
                          "ratio_min": min(ratios), "ratio_max": max(ratios), "peer_s_median": statistics.median(times),
                          "mpbench_s_median": statistics.median(ours), "rounds": len(ratios)})
        print(f"{what:<29}{size:>5}  {other:<20}{spread(ratios)}", flush=True)


def compare_pipelines(arguments, report, name, folder, sizes):
    files = [file_of(folder, row) for row in table_of(folder)]
    with multiprocessing.get_context("spawn").Pool(arguments.workers, start_worker) as pool:
        for size in sizes:
            measure_mpbench(arguments, folder, size)  # once untimed: the files are in the page cache for all
            for peer in PEERS:
                measure_peer(pool, peer, files[:1], size)
            times = {peer: [] for peer in ("mpbench", *PEERS)}
            for turn in range(arguments.rounds):
                order = list(times)[turn % len(times):] + list(times)[:turn % len(times)]
                for who in order:
                    times[who].append(measure_mpbench(arguments, folder, size) if who == "mpbench"
                                      else measure_peer(pool, who, files, size))
            for peer in PEERS:
                report.line(name, size, peer, times[peer], times["mpbench"])


def compare_exact(arguments, report, name, folder):
    """mpbench --exact on one thread beside OpenJPEG alone on the same codestreams."""
    streams = []
    for row in table_of(folder):
        dataset = pydicom.dcmread(file_of(folder, row))
        frame = next(generate_frames(dataset.PixelData, number_of_frames=1))
        path = arguments.work / f"{row['image_id']}.j2k"
        path.write_bytes(frame[frame.index(b"\xff\x4f\xff\x51"):])  # without a JP2 wrapper
        streams.append(path)
    alone, ours = [], []
    workers, arguments.workers = arguments.workers, 1
    for _ in range(arguments.rounds):
        alone.append(sum(map(float, run([arguments.openjpeg, *streams]).stdout.split())))
        ours.append(measure_mpbench(arguments, folder, 512, exact=True))
    arguments.workers = workers
    report.line(name, 512, "--exact/OpenJPEG", ours, alone)
    for path in streams:
        path.unlink()


def difference(arguments, name, folder, size):
    """How far the reduced pictures are from the exact ones, in percent of the range."""
    measure_mpbench(arguments, folder, size, exact=True)
    measure_mpbench(arguments, folder, size)
    reduced, exact = (load_file(arguments.work / f"{folder.name}-{size}{end}.safetensors")["images"].astype(float)
                      for end in ("", "-exact"))
    by_image = abs(reduced - exact).mean(axis=(1, 2, 3)) / 255 * 100
    print(f"{name:<29}{size:>5}  mean difference of reduced and exact pictures: median {numpy.median(by_image):.2f} %, "
          f"largest {by_image.max():.2f} %", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--mpbench", required=True)
    parser.add_argument("--openjpeg", required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--data", type=pathlib.Path)
    parser.add_argument("--limit", type=int, default=0)
    parser.add_argument("--csv", type=pathlib.Path)
    arguments = parser.parse_args()

    report = Report()
    print(f"times as long as mpbench preprocess takes, {arguments.workers} worker(s), {arguments.rounds} rounds: "
          "median [smallest, largest]")
    print(f"{'files':<29}{'px':>5}  {'pipeline':<20}")
    if arguments.data:
        folder = limited(arguments.data, arguments.work / "own-first", arguments.limit or 8)
        compare_pipelines(arguments, report, str(arguments.data), folder, (512, 124))
    else:
        for syntax_name, syntax in SYNTAXES.items():
            for size_name, (height, width, patients, count) in SETS.items():
                folder = synthetic(arguments, syntax, height, width, patients, count)
                name = f"{syntax_name} {size_name}"
                compare_pipelines(arguments, report, name, folder, (512, 124) if syntax == "jpeg2000" else (512,))
                if syntax == "jpeg2000":
                    compare_exact(arguments, report, name, folder)
                    difference(arguments, name, folder, 512)
                    difference(arguments, name, folder, 124)
    if arguments.csv:
        with open(arguments.csv, "w", newline="") as file:
            writer = csv.DictWriter(file, report.rows[0].keys())
            writer.writeheader()
            writer.writerows(report.rows)


if __name__ == "__main__":
    main()
