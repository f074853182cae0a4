"""A synthetic set as strangers see it: pydicom reads the files, Python's csv reads the table."""
import collections
import csv
import hashlib
import os
import pathlib
import subprocess
import warnings

import numpy as np
import pydicom
import pytest
from pydicom import config
from pydicom.encaps import generate_frames

COLUMNS = ["site_id", "patient_id", "image_id", "laterality", "view", "age", "cancer", "biopsy", "invasive",
           "BIRADS", "implant", "density", "machine_id", "difficult_negative_case"]
EXPLICIT_LE, RLE = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.5"
JPEG_LOSSLESS, JPEG_2000 = "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.90"
SYNTAXES = {"explicit-le": EXPLICIT_LE, "rle": RLE, "jpeg-lossless": JPEG_LOSSLESS, "jpeg2000": JPEG_2000}
SITE_2 = {"21", "29", "48"}


def synth(out, *flags):
    return subprocess.run([os.environ["MPBENCH"], "synth", str(out), "--height", "160", "--width", "130", *flags],
                          capture_output=True, text=True)


def make(out, *flags):
    done = synth(out, *flags)
    assert done.returncode == 0, done.stderr
    return out


def rows_of(folder):
    with open(folder / "train.csv", newline="") as file:
        return list(csv.DictReader(file))


def read(folder, row):
    """The dataset and its pixels; any warning or invalid value is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dataset = pydicom.dcmread(folder / "train_images" / row["patient_id"] / f"{row['image_id']}.dcm")
        for element in dataset.iterall():
            element.value
        return dataset, dataset.pixel_array


def digests(folder):
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module", autouse=True)
def strict():
    before = config.settings.reading_validation_mode
    config.settings.reading_validation_mode = config.RAISE
    yield
    config.settings.reading_validation_mode = before


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    folder = make(tmp_path_factory.mktemp("synth") / "mixed", "--patients", "12", "--seed", "3")
    rows = rows_of(folder)
    return folder, [(row, *read(folder, row)) for row in rows]


def test_table_is_rsnas(mixed):
    folder, images = mixed
    with open(folder / "train.csv", newline="") as file:
        assert next(csv.reader(file)) == COLUMNS
    on_disk = {str(path.relative_to(folder / "train_images")) for path in folder.rglob("*.dcm")}
    assert on_disk == {f"{row['patient_id']}/{row['image_id']}.dcm" for row, _, _ in images}
    breasts = collections.defaultdict(list)
    for row, _, _ in images:
        breasts[row["patient_id"], row["laterality"]].append(row)
        assert row["cancer"] in "01" and row["biopsy"] in "01" and row["invasive"] in "01" and row["implant"] in "01"
        assert row["age"] == "" or 26 <= float(row["age"]) <= 89
        assert row["BIRADS"] in ("", "0.0", "1.0", "2.0") and row["density"] in ("", "A", "B", "C", "D")
        assert row["difficult_negative_case"] in ("True", "False")
        assert (row["site_id"] == "2") == (row["machine_id"] in SITE_2)
        assert not (row["cancer"] == "1" and row["machine_id"] in ("210", "197"))
        if row["site_id"] == "2":
            assert row["density"] == "" and row["BIRADS"] == ""
    assert len(breasts) == 24
    for rows in breasts.values():
        assert 2 <= len(rows) <= 4
        assert {"CC", "MLO"} <= {row["view"] for row in rows}
        assert len({row["cancer"] for row in rows}) == 1
    assert sum(rows[0]["cancer"] == "1" for rows in breasts.values()) == 6


def test_headers_agree_with_the_table(mixed):
    _, images = mixed
    studies = collections.defaultdict(set)
    for row, dataset, _ in images:
        assert dataset.SOPClassUID == "1.2.840.10008.5.1.4.1.1.1.2" and dataset.Modality == "MG"
        assert dataset.file_meta.MediaStorageSOPInstanceUID == dataset.SOPInstanceUID
        assert dataset.SOPInstanceUID.startswith("2.25.") and dataset.SOPInstanceUID.is_valid
        assert dataset.PatientID == row["patient_id"] and dataset.ImageLaterality == row["laterality"]
        assert dataset.ViewPosition == row["view"]
        assert dataset.BreastImplantPresent == ("YES" if row["implant"] == "1" else "NO")
        assert dataset.get("PatientAge", "") == (f"{int(float(row['age'])):03}Y" if row["age"] else "")
        shape = "INVERSE" if dataset.PhotometricInterpretation == "MONOCHROME1" else "IDENTITY"
        assert dataset.PresentationLUTShape == shape
        studies[dataset.StudyInstanceUID].add(row["patient_id"])
    assert all(len(patients) == 1 for patients in studies.values()) and len(studies) == 12
    assert len({dataset.SOPInstanceUID for _, dataset, _ in images}) == len(images)


def test_every_kind_of_file_occurs(mixed):
    _, images = mixed
    datasets = [dataset for _, dataset, _ in images]
    assert {dataset.file_meta.TransferSyntaxUID for dataset in datasets} == set(SYNTAXES.values())
    assert {dataset.PhotometricInterpretation for dataset in datasets} == {"MONOCHROME1", "MONOCHROME2"}
    assert {dataset.get("VOILUTFunction", "") for dataset in datasets} == {"", "LINEAR", "SIGMOID"}
    assert {row["laterality"] for row, _, _ in images} == {"L", "R"}
    assert len({dataset.BitsStored for dataset in datasets}) >= 3
    assert any(dataset.WindowCenter.__class__.__name__ == "MultiValue" for dataset in datasets)
    starts = collections.Counter(next(generate_frames(dataset.PixelData, number_of_frames=1))[:4]
                                 for dataset in datasets if dataset.file_meta.TransferSyntaxUID == JPEG_2000)
    assert set(starts) == {b"\x00\x00\x00\x0c", b"\xff\x4f\xff\x51"}


def test_pixels_are_a_mammograms(mixed):
    _, images = mixed
    for row, dataset, pixels in images:
        assert pixels.shape == (160, 130) and pixels.dtype == np.uint16
        assert pixels.max() < 2**dataset.BitsStored
        shown = pixels.astype(float)
        if dataset.PhotometricInterpretation == "MONOCHROME1":
            shown = 2**dataset.BitsStored - 1 - shown
        if row["laterality"] == "R":
            shown = shown[:, ::-1]
        centre = np.atleast_1d(dataset.WindowCenter)[0]
        width = np.atleast_1d(dataset.WindowWidth)[0]
        chest_wall, air = shown[70:100, :12], shown[150:, 110:]
        assert chest_wall.mean() > 3 * air.mean()
        assert air.std() > 0
        tissue = pixels[70:100, :12] if row["laterality"] == "L" else pixels[70:100, -12:]
        assert (abs(tissue.astype(float) - centre) < width / 2).mean() > 0.9


def test_same_seed_same_bytes(tmp_path):
    one = digests(make(tmp_path / "one", "--patients", "4", "--seed", "11"))
    again = digests(make(tmp_path / "again", "--patients", "4", "--seed", "11"))
    other = digests(make(tmp_path / "other", "--patients", "4", "--seed", "12"))
    assert one == again
    assert not set(one.values()) & set(other.values())


def test_four_syntaxes_hold_the_same_pixels(tmp_path):
    seen = {}
    for name, uid in SYNTAXES.items():
        folder = make(tmp_path / name, "--patients", "2", "--seed", "5", "--syntax", name)
        for row in rows_of(folder):
            dataset, pixels = read(folder, row)
            assert dataset.file_meta.TransferSyntaxUID == uid
            first = seen.setdefault(row["image_id"], pixels)
            assert np.array_equal(first, pixels), (name, row)
    assert len(seen) >= 8


@pytest.mark.parametrize("flags, said", [
    (["--patients", "0"], "patients"),
    (["--height", "10"], "height"),
    (["--syntax", "jpeg"], "syntax"),
    (["--positive-fraction", "1.5"], "positive-fraction"),
])
def test_bad_flags_are_usage_errors(tmp_path, flags, said):
    done = subprocess.run([os.environ["MPBENCH"], "synth", str(tmp_path / "set"), *flags],
                          capture_output=True, text=True)
    assert done.returncode == 2
    assert said in done.stderr
    assert not (tmp_path / "set").exists()


def test_foreign_folder_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    done = synth(tmp_path, "--patients", "1")
    assert done.returncode == 1
    assert str(tmp_path) in done.stderr and len(done.stderr.strip().splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
