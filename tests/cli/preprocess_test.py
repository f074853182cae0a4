"""mpbench preprocess as a user runs it; the cache is read with the safetensors package, not with our own reader."""

import hashlib
import json
import pathlib
import shutil
import signal
import subprocess
import time

import numpy
import pytest
from mpbench_command import MPBENCH, one_line, rows, run
from safetensors import safe_open


def preprocess(data, cache, *arguments, code=0):
    return run("preprocess", "--data", data, "--cache", cache, *arguments, code=code)


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    folder = tmp_path_factory.mktemp("synth") / "set"
    run("synth", folder, "--patients", 6, "--seed", 4, "--height", 160, "--width", 128)
    return folder


@pytest.fixture
def data(original, tmp_path):
    return pathlib.Path(shutil.copytree(original, tmp_path / "data"))


def dicom(data, row):
    return data / "train_images" / row["patient_id"] / f"{row['image_id']}.dcm"


def test_makes_a_cache_that_others_can_read(data, tmp_path):
    cache = tmp_path / "cache.safetensors"
    result = preprocess(data, cache, "--height", 48, "--width", 32, "--workers", 2)
    assert result.stdout == ""
    table = rows(data / "train.csv")
    with safe_open(cache, framework="numpy") as file:
        images = file.get_tensor("images")
        labels = file.get_tensor("labels")
        digests = file.get_tensor("digests")
        samples = json.loads(file.get_tensor("samples").tobytes())
        metadata = file.metadata()
    assert images.shape == (len(table), 1, 48, 32) and images.dtype == numpy.uint8
    assert labels.tolist() == [int(row["cancer"]) for row in table]
    assert samples["id"] == [row["image_id"] for row in table]
    assert samples["group"] == [row["patient_id"] for row in table]
    assert samples["unit"] == [
        f"{row['patient_id']}_{row['laterality']}" for row in table
    ]
    for image, digest in zip(images, digests):
        assert hashlib.sha256(image.tobytes()).digest() == digest.tobytes()
    assert metadata["version"] == "3" and metadata["dataset"] == "synthetic"
    assert images.max(axis=(1, 2, 3)).min() > 100, "a breast is bright"
    assert not (tmp_path / "quarantine.csv").exists()


def test_puts_the_chest_wall_against_its_side(data, tmp_path):
    cache = tmp_path / "cache.safetensors"
    preprocess(data, cache, "--image-size", 64)
    with safe_open(cache, framework="numpy") as file:
        images = file.get_tensor("images")[:, 0].astype(float)
    table = rows(data / "train.csv")
    for image, row in zip(images, table):
        left, right = image[:, :6].mean(), image[:, -6:].mean()
        assert max(left, right) > 2 * min(left, right), row["image_id"]
    # One breast's images have their chest wall on one side.
    sides = {}
    for image, row in zip(images, table):
        sides.setdefault(row["laterality"], set()).add(
            image[:, :6].mean() > image[:, -6:].mean()
        )
    assert all(len(side) == 1 for side in sides.values()) and sides["L"] != sides["R"]


def test_16_bits_refine_8(data, tmp_path):
    preprocess(data, tmp_path / "8.safetensors")
    preprocess(data, tmp_path / "16.safetensors", "--pixel-bits", 16)
    with safe_open(tmp_path / "8.safetensors", framework="numpy") as file:
        coarse = file.get_tensor("images").astype(float) / 255
    with safe_open(tmp_path / "16.safetensors", framework="numpy") as file:
        fine = file.get_tensor("images")
        assert fine.dtype == numpy.uint16
    assert coarse.shape[2:] == (124, 124)
    assert abs(coarse - fine / 65535.0).max() <= 0.5 / 255 + 1e-4


def test_leaves_out_what_fails_and_exits_3(data, tmp_path):
    table = rows(data / "train.csv")
    bad = dicom(data, table[1])
    bad.write_bytes(bad.read_bytes()[: bad.stat().st_size // 2])
    gone = dicom(data, table[5])
    gone.unlink()
    cache = tmp_path / "cache.safetensors"
    result = preprocess(data, cache, code=3)
    assert str(bad) in result.stderr and str(gone) in result.stderr
    quarantined = rows(tmp_path / "quarantine.csv")
    assert [entry["path"] for entry in quarantined] == [str(bad), str(gone)]
    assert all(entry["field"] and entry["problem"] for entry in quarantined)
    with safe_open(cache, framework="numpy") as file:
        samples = json.loads(file.get_tensor("samples").tobytes())
    left = [row["image_id"] for i, row in enumerate(table) if i not in (1, 5)]
    assert samples["id"] == left
    assert "up to date" in preprocess(data, cache, code=3).stderr


def test_does_nothing_when_up_to_date(data, tmp_path):
    cache = tmp_path / "cache.safetensors"
    preprocess(data, cache)
    before = cache.stat()
    assert "up to date" in preprocess(data, cache).stderr
    assert cache.stat().st_ino == before.st_ino


def size_of(path):
    """Bytes of a file that another process may remove at any moment; 0 where there is none."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGKILL])
def test_goes_on_after_a_stop(original, tmp_path, stop):
    whole = tmp_path / "whole.safetensors"
    preprocess(original, whole, "--image-size", 256)
    cache = tmp_path / "cache.safetensors"
    journal = pathlib.Path(f"{cache}.part.journal")
    stops = 0
    for attempt in range(60):
        process = subprocess.Popen(
            [MPBENCH, "preprocess", "--data", original, "--cache", cache]
            + ["--image-size", "256", "--workers", "1"],
            stderr=subprocess.PIPE,
            text=True,
        )
        size = size_of(journal)
        while process.poll() is None:
            if size_of(journal) > max(size, 200) + 1500:
                process.send_signal(stop)
                break
            time.sleep(0.001)
        process.communicate(timeout=60)
        if process.returncode == 0:
            break
        assert process.returncode == (130 if stop == signal.SIGINT else -stop)
        stops += 1
    assert stops > 0, "it was never stopped in time"
    assert cache.read_bytes() == whole.read_bytes()
    assert not journal.exists()


def test_refuses_bad_input(data, tmp_path):
    cache = tmp_path / "cache.safetensors"
    empty = tmp_path / "empty"
    empty.mkdir()
    line = one_line(preprocess(empty, cache, code=1))
    assert str(empty) in line and "train.csv" in line

    (data / "train.csv").write_text("patient_id,image_id,laterality,view,cancer\n1,../x,L,CC,0\n")
    assert "row 2, column image_id" in one_line(preprocess(data, cache, code=1))

    preprocess(data, cache, "--height", -3, code=2)
    preprocess(data, cache, "--pixel-bits", 12, code=2)
    preprocess(data, cache, "--image-size", 64, "--height", 64, code=2)
    run("preprocess", "--data", data, code=2)


def test_refuses_to_overwrite_what_is_no_cache(original, tmp_path):
    precious = tmp_path / "thesis.txt"
    precious.write_text("ten years of work")
    assert "not replaced" in one_line(preprocess(original, precious, code=1))
    assert precious.read_text() == "ten years of work"


def test_says_when_every_input_fails(data, tmp_path):
    table = rows(data / "train.csv")
    for row in table:
        dicom(data, row).write_bytes(b"no DICOM")
    result = preprocess(data, tmp_path / "cache.safetensors", code=1)
    assert f"all {len(table)} inputs failed" in result.stderr
    assert not (tmp_path / "cache.safetensors").exists()
