"""RSNA's mammograms as PNG or JPEG, as people publish them: breasts, splits and crops are those of the DICOM files."""
import json
import shutil

import numpy as np
import pytest
from mpbench_command import one_line, rows, run, user_cache  # noqa: F401
from PIL import Image
from safetensors import safe_open

SIZE = 64


class Cache:
    def __init__(self, path):
        with safe_open(path, framework="numpy") as file:
            self.images = file.get_tensor("images").astype(int)
            self.labels = file.get_tensor("labels").tolist()
            self.samples = json.loads(file.get_tensor("samples").tobytes())
            self.made = json.loads(file.get_tensor("preparations").tobytes())
            self.metadata = file.metadata()


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A set as RSNA's, and what its images show: arrays in [0, 1] by image id."""
    folder = tmp_path_factory.mktemp("original") / "rsna"
    run("synth", folder, "--patients", 6, "--seed", 3, "--height", 640, "--width", 512)
    (folder / "synthetic.json").unlink()
    shown = tmp_path_factory.mktemp("shown")
    table = rows(folder / "train.csv")
    files = [folder / "train_images" / row["patient_id"] / f"{row['image_id']}.dcm" for row in table]
    run("decode", "--stage", "display", "--out", shown, *files)
    return folder, table, {row["image_id"]: np.load(shown / f"{row['image_id']}.npy") for row in table}


def save_16(values, path):
    Image.fromarray(np.rint(values * 65535).astype("u2")).save(path)


def save_8(values, path):
    Image.fromarray(np.rint(values * 255).astype("u1")).save(path)


def save_colour(values, path):
    Image.fromarray(np.rint(values * 255).astype("u1")).convert("RGB").save(path)


def save_raw_12(values, path):
    """The stored values of a 12-bit detector, as cv2.imwrite leaves them in 16 bits."""
    Image.fromarray(np.rint(values * 4095).astype("u2")).save(path)


def make_pictures(original, folder, name="train_images/{p}/{i}.png", save=save_16):
    source, table, shown = original
    for row in table:
        path = folder / name.format(p=row["patient_id"], i=row["image_id"])
        path.parent.mkdir(parents=True, exist_ok=True)
        save(shown[row["image_id"]], path)
    shutil.copy(source / "train.csv", folder / "train.csv")
    return folder


def preprocess(data, folder, *arguments, code=0):
    folder.mkdir(exist_ok=True)
    result = run("preprocess", "--data", data, "--cache", folder / "c.safetensors", "--image-size", SIZE, *arguments,
                 code=code)
    return (Cache(folder / "c.safetensors") if code in (0, 3) else None), result


@pytest.fixture(scope="module")
def from_dicom(original, tmp_path_factory):
    return preprocess(original[0], tmp_path_factory.mktemp("dicom"), "--exact")[0]


@pytest.mark.parametrize("save, name, difference", [
    (save_16, "train_images/{p}/{i}.png", 1), (save_8, "train_images/{p}/{i}.png", 1),
    (save_16, "png/{p}_{i}.png", 1), (save_8, "{p}@{i}.png", 1), (save_8, "{p}/{i}.PNG", 1),
    (save_colour, "images_512/train/{p}/{i}.png", 1), (save_raw_12, "images/{i}.png", 1),
    (save_8, "jpg/{p}_{i}.jpg", 14), (save_colour, "{p}-{i}.jpeg", 14)])
def test_gives_what_the_dicom_files_give(original, from_dicom, tmp_path, save, name, difference):
    data = make_pictures(original, tmp_path / "data", name, save)
    cache, result = preprocess(data, tmp_path / "made")
    assert cache.metadata["dataset"] == "rsna-png"
    assert cache.samples == from_dicom.samples and cache.labels == from_dicom.labels
    assert cache.samples["unit"] == [f"{row['patient_id']}_{row['laterality']}" for row in original[1]]
    named = name.format(p="<patient_id>", i="<image_id>")
    assert f"the images are PNG, JPEG or BMP files, {named}" in result.stderr
    for ours, theirs in zip(cache.made, from_dicom.made):
        assert ours["breast_found"] and ours["window"] == ""
        if difference <= 1:
            assert ours["crop"] == theirs["crop"]
    assert abs(cache.images - from_dicom.images).max() <= difference
    if save is save_16:
        assert (cache.images != from_dicom.images).mean() < 0.01  # a value on the edge between two
    noted = {note for entry in cache.made for note in entry["notes"]}
    assert any("taken as 12 bits" in note for note in noted) == (save is save_raw_12)


def test_trains_and_predicts_by_breast_and_patient(original, tmp_path):
    data = make_pictures(original, tmp_path / "data", "png/{p}_{i}.png", save_8)
    flags = ["--epochs", 1, "--batch-size", 4, "--warmup-steps", 0, "--threads", 1, "--device", "cpu", "--model", "cnn",
             "--image-size", 32]
    result = run("train", "--data", data, "--out", tmp_path / "out", *flags)
    assert "from RSNA folder of images" in result.stderr
    row, = rows(tmp_path / "out" / "runs.csv")
    assert (row["dataset"], row["status"]) == ("rsna-png", "ok")
    part = {row["id"]: row["split"] for row in rows(tmp_path / "out" / "split.csv")}
    patients = {}
    for row in original[1]:
        patients.setdefault(row["patient_id"], set()).add(part[row["image_id"]])
    assert all(len(parts) == 1 for parts in patients.values()) and set(part.values()) == {"train", "validation"}

    run("predict", "--checkpoint", tmp_path / "out" / "checkpoints" / "best.safetensors", "--data", data, "--device",
        "cpu", "--threads", 1, "--out", tmp_path / "breasts.csv")
    breasts = [row["prediction_id"] for row in rows(tmp_path / "breasts.csv")]
    assert sorted(breasts) == sorted({f"{row['patient_id']}_{row['laterality']}" for row in original[1]})

    limited, _ = preprocess(data, tmp_path / "made", code=0)
    run("train", "--data", tmp_path / "made" / "c.safetensors", "--dataset", "rsna-png", "--out", tmp_path / "again",
        "--limit", 16, *flags[:-2])
    assert len({row["id"] for row in rows(tmp_path / "again" / "split.csv")}) <= 16 < len(limited.labels)


def test_a_test_set_of_pictures(original, tmp_path):
    data = make_pictures(original, tmp_path / "data", "test_images/{p}/{i}.png", save_8)
    trained = make_pictures(original, tmp_path / "trained", "{p}_{i}.png", save_8)
    flags = ["--device", "cpu", "--threads", 1]
    run("train", "--data", trained, "--out", tmp_path / "out", "--steps", 1, "--batch-size", 4, "--warmup-steps", 0,
        "--model", "cnn", "--image-size", 32, *flags)
    (data / "train.csv").rename(data / "test.csv")
    for name, out in ((data, "test.csv"), (trained, "train.csv")):
        run("predict", "--checkpoint", tmp_path / "out" / "checkpoints" / "last.safetensors", "--data", name, "--out",
            tmp_path / out, "--per-image", *flags)
    assert rows(tmp_path / "test.csv") == rows(tmp_path / "train.csv")


def test_names_what_cannot_be_read(original, tmp_path):
    data = make_pictures(original, tmp_path / "data", "png/{p}_{i}.png", save_8)
    files = sorted((data / "png").iterdir())
    files[0].write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12345\n")
    files[1].write_bytes(files[1].read_bytes()[:2000])
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (90, 80, 3), dtype="u1")).save(files[2])
    files[3].unlink()
    (data / "png" / f"._{files[4].name}").write_bytes(b"\0\5\x16\7")
    cache, result = preprocess(data, tmp_path / "made", code=3)
    problems = {row["path"]: (row["field"], row["problem"]) for row in rows(tmp_path / "made" / "quarantine.csv")}
    assert set(problems) == {str(path) for path in files[:4]}
    assert "git lfs pull" in problems[str(files[0])][1]
    assert problems[str(files[2])] == ("colour", "a mammogram is grey")
    assert problems[str(files[3])] == ("file", "there is no such file")
    assert len(cache.labels) == len(original[1]) - 4


def test_dataset_names(original, tmp_path):
    data = make_pictures(original, tmp_path / "data", "png/{p}_{i}.png", save_8)
    for name in ("rsna", "rsna-png"):
        assert preprocess(data, tmp_path / name, "--dataset", name)[0].metadata["dataset"] == "rsna-png"
    line = one_line(preprocess(original[0], tmp_path / "made", "--dataset", "rsna-png", code=1)[1])
    assert "these are DICOM files: --dataset rsna takes them" in line
    sheet = tmp_path / "sheet.png"
    preprocess(data, tmp_path / "sheet", "--contact-sheet", sheet)
    assert Image.open(sheet).size[0] > 500


def test_a_patients_folder_is_no_class(original, tmp_path):
    """A folder a patient looks like a folder a class."""
    data = make_pictures(original, tmp_path / "data", "png/{p}/{i}.png", save_8)
    assert preprocess(data, tmp_path / "made")[0].metadata["dataset"] == "rsna-png"
    line = one_line(preprocess(data / "png", tmp_path / "made", code=1)[1])
    assert f"use --data {data}" in line and "table" in line


# Tables as programs write them, over the same DICOM files.


def rewritten(original, tmp_path, change, encoding="utf-8"):
    source, _, _ = original
    data = tmp_path / "data"
    data.mkdir(exist_ok=True)
    if not (data / "train_images").exists():
        (data / "train_images").symlink_to(source / "train_images")
    text = (source / "train.csv").read_text()
    (data / "train.csv").write_bytes(change(text).encode(encoding))
    return data


def by_line(change):
    return lambda text: "".join(change(line) + "\n" for line in text.splitlines())


def quoted(line):
    return ",".join(f'"{cell}"' for cell in line.split(","))


def float_labels(text):
    lines = text.splitlines()
    place = lines[0].split(",").index("cancer")
    cells = [line.split(",") for line in lines]
    for row in cells[1:]:
        row[place] += ".0"
    return "".join(",".join(row) + "\n" for row in cells)


TABLES = {
    "mark_and_quotes": (lambda text: "\ufeff" + by_line(quoted)(text), ""),
    "quotes": (by_line(quoted), ""),
    "crlf": (lambda text: text.replace("\n", "\r\n"), ""),
    "cr": (lambda text: text.replace("\n", "\r"), ""),
    "blank_lines": (lambda text: text.replace("\n", "\n\n") + "\n\n", ""),
    "commas_behind": (by_line(lambda line: line + ",,"), ""),
    "commas_behind_rows": (lambda text: text.replace("\n", ",\n").replace(",\n", "\n", 1), "empty cells"),
    "rows_of_commas": (lambda text: text + ",,,,,,,,,,,,,\n" * 3, "3 rows without a value"),
    "spaced_header": (lambda text: text.replace("\n", " \n", 1).replace(",", " , ", 6), "column names"),
    "spaced_quotes": (by_line(lambda line: quoted(line).replace('","', '", "')), "spaces around cells"),
    "spaced_cells": (by_line(lambda line: line.replace(",", " , ")), "spaces around"),
    "semicolons": (lambda text: text.replace(",", ";"), "semicolons"),
    "excel": (lambda text: "\ufeffsep=;\r\n" + text.replace(",", ";").replace("\n", "\r\n"), "semicolons"),
    "tabs": (lambda text: text.replace(",", "\t"), "tabs"),
    "float_labels": (float_labels, "column cancer"),
    "decimal_commas": (lambda text: float_labels(text).replace(",", ";").replace(".", ","), "column cancer"),
}


@pytest.mark.parametrize("name", TABLES)
def test_tables_as_programs_write_them(original, from_dicom, tmp_path, name):
    change, note = TABLES[name]
    cache, result = preprocess(rewritten(original, tmp_path, change), tmp_path / "made", "--exact")
    assert cache.samples == from_dicom.samples and cache.labels == from_dicom.labels
    assert np.array_equal(cache.images, from_dicom.images)
    assert note in result.stderr
    assert len(result.stderr.splitlines()) <= (5 if note else 3), result.stderr


def test_tables_that_do_not_say_what_they_mean(original, tmp_path):
    def refusal(change, **options):
        return one_line(preprocess(rewritten(original, tmp_path, change, **options), tmp_path / "made", code=1)[1])

    line = refusal(lambda text: float_labels(text).replace(".0,", ".5,", 1).replace("1.0", "0.5"))
    assert "column cancer" in line and "is neither 0 nor 1" in line
    assert "UTF-16" in refusal(lambda text: text, encoding="utf-16")
    assert "Excel" in refusal(lambda text: "PK\3\4")
    assert "git lfs pull" in refusal(lambda text: "version https://git-lfs.github.com/spec/v1\noid sha256:1\n")
    line = refusal(lambda text: text.replace("cancer", "Cancer", 1))
    assert "column cancer" in line and "Cancer" in line


@pytest.mark.parametrize("extension", [".DCM", "", ".dicom"])
def test_dicom_files_of_other_names(original, from_dicom, tmp_path, extension):
    source, table, _ = original
    data = tmp_path / "data"
    for row in table:
        path = data / "train_images" / row["patient_id"] / f"{row['image_id']}{extension}"
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source / "train_images" / row["patient_id"] / f"{row['image_id']}.dcm", path)
    shutil.copy(source / "train.csv", data)
    cache, result = preprocess(data, tmp_path / "made", "--exact")
    assert np.array_equal(cache.images, from_dicom.images) and cache.metadata["dataset"] == "rsna"
    assert f"{len(table)} images are named otherwise than <image_id>.dcm" in result.stderr


def test_what_lies_there_and_what_to_do(original, tmp_path):
    source, _, _ = original

    def refusal(data):
        return one_line(preprocess(data, tmp_path / "made", code=1)[1])

    shutil.copytree(source, tmp_path / "outer" / "rsna")
    line = refusal(tmp_path / "outer")
    assert "it holds a folder 'rsna' with train.csv in it" in line
    assert f"use --data {tmp_path / 'outer' / 'rsna'}" in line
    line = one_line(preprocess(tmp_path / "outer", tmp_path / "made", "--dataset", "rsna", code=1)[1])
    assert f"use --data {tmp_path / 'outer' / 'rsna'}" in line
    line = refusal(source / "train_images")
    assert f"use --data {source}" in line
    assert f"use --data {source}" in refusal(f"{source}/train_images/")

    nested = tmp_path / "nested"
    shutil.copytree(source / "train_images", nested / "train_images" / "train_images")
    shutil.copy(source / "train.csv", nested)
    line = refusal(nested)
    assert "train_images/train_images/<patient_id>/<image_id>.dcm" in line and "move them" in line
    shutil.rmtree(nested / "train_images")
    assert "not one of the table's" in refusal(nested)

    bare = tmp_path / "bare"
    shutil.copytree(source / "train_images", bare / "a")
    line = refusal(bare)
    assert "DICOM files" in line and "no train.csv" in line
    (bare / "a").rename(bare / "train_images")
    assert "it holds train_images/, but no train.csv" in refusal(bare)
    (bare / "train_images").rename(bare / "a")
    shutil.copy(source / "train.csv", bare / "Train.csv")
    assert "it holds Train.csv" in refusal(bare)
