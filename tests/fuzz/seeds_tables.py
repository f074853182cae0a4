"""Seeds of the fuzz targets csv and config: tables as spreadsheets and Python's csv write them, and what the program
itself left of a run; the configurations that are part of the source, and one with every option."""
import csv
import io
import pathlib
import subprocess
import tempfile

import numpy as np

from seeds_images import idx

ROOT = pathlib.Path(__file__).resolve().parents[2]


# What a comparison leaves.
COMPARED = ("runs", "epochs", "blocks", "sessions", "comparison", "metrics", "decisions", "flips")


def table(header, rows, **options):
    stream = io.StringIO()
    writer = csv.writer(stream, **{"lineterminator": "\n", **options})
    writer.writerow(header)
    writer.writerows(rows)
    return stream.getvalue().encode()


def rsna_rows(images=8):
    return [[2, 100 + i // 2, 900 + i, "LR"[i % 2], ["CC", "MLO"][i // 2 % 2], 61.0, int(i < 2), 0, 0, "", 0, "A", 29, False]
            for i in range(images)]


RSNA = ["site_id", "patient_id", "image_id", "laterality", "view", "age", "cancer", "biopsy", "invasive", "BIRADS",
        "implant", "density", "machine_id", "difficult_negative_case"]


def run_tables(mpbench):
    """What `compare` leaves of the smallest comparison, and the config.toml of one run in it."""
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "out"
        data = pathlib.Path(folder) / "data"
        data.mkdir()
        for part, count in (("train", 16), ("t10k", 8)):
            labels = np.arange(count, dtype="u1") % 2
            images = np.repeat(labels * 200, 16 * 16).reshape(count, 16, 16)
            (data / f"{part}-images-idx3-ubyte").write_bytes(idx(images))
            (data / f"{part}-labels-idx1-ubyte").write_bytes(idx(labels))
        subprocess.run([mpbench, "compare", "--data", "data", "--precision", "fp32,bf16", "--batch-size", "4",
                        "--epochs", "1", "--warmup-steps", "0", "--repeats", "2", "--sessions", "2", "--out", "out"],
                       check=True, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for name in COMPARED:
            yield name, (out / f"{name}.csv").read_bytes()
        yield "predictions", next(iter(sorted(out.glob("predictions/*.csv")))).read_bytes()
        yield "config", next(iter(sorted(out.glob("**/*.toml")))).read_bytes()


def csv_seeds(runs):
    train = table(RSNA, rsna_rows())
    yield "train", train
    yield "train-crlf-bom", b"\xef\xbb\xbf" + train.replace(b"\n", b"\r\n")
    yield "train-quoted", table(RSNA, rsna_rows(4), quoting=csv.QUOTE_ALL)
    yield "train-semicolons", table(RSNA, rsna_rows(4), delimiter=";")
    yield "train-tabs", table(RSNA, rsna_rows(4), delimiter="\t")
    yield "train-excel", b"\xef\xbb\xbfsep=;\r\n" + table(RSNA, rsna_rows(4), delimiter=";").replace(b"\n", b";\r\n")
    yield "train-spaces", table(RSNA, rsna_rows(4), quoting=csv.QUOTE_ALL).replace(b'","', b'" , "')
    yield "train-floats", table(["patient_id", "image_id", "laterality", "view", "cancer"],
                                [[f"{row[1]}.0", f"{row[2]}.0", "Left", "CC", f"{row[6]}.0"] for row in rsna_rows(4)])
    yield "test", table(["patient_id", "image_id", "laterality", "view", "prediction_id"],
                        [[row[1], row[2], row[3], row[4], f"{row[1]}_{row[3]}"] for row in rsna_rows()])
    # The samples that csv_fuzzer.cpp makes: two to a patient.
    sides = ["train", "train", "validation", "train", "test", "validation"]
    yield "split", table(["id", "split"], [[i, sides[i // 2]] for i in range(12)])
    yield "folds", table(["id", "split", "fold"], [[i, "train", i // 2 % 3] for i in range(12)])
    yield "quotes-and-lines", table(["a", "b"], [['say "no"', "two\nlines"], ["x,y", " blanks "], ["", ""]])
    for name in (*COMPARED, "predictions"):
        yield name, runs[name]


def config_seeds(runs):
    for path in sorted((ROOT / "configs").glob("*.toml")):
        yield path.stem.replace("_", "-"), path.read_bytes()
    yield "kept", runs["config"]
    yield "compare", b'precision = ["fp32", "bf16"]\nmodel = ["cnn", "resnet18"]\nbatch-size = [16, 32]\nrepeats = 3\nmargin = 0.01\n'
    yield "types", (b'# every kind of value\nlr = 1e-3\nseed = 0x10\nepochs = 1_000\namp = true\nmodel = \'cnn\'\n'
                    b'data = """\nlong\\u00e9"""\nwhen = 2026-01-31T12:34:56Z\ninf = -inf\nnot = nan\nlist = [1, [2.5, "x"], {a = 1}]\n'
                    b'[table]\n"quoted key" = 1\na.b.c = 2\n[[many]]\nx = 1\n')


def csv_findings():
    return []


def config_findings():
    return []
