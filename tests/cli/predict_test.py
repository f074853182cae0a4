"""mpbench predict against the training run's own predictions, NumPy and torchvision."""
import csv
import io
import os
import pathlib
import shutil
import signal
import subprocess
import time

import numpy as np
import pytest
import torch
import torchvision
from mpbench_command import FASHION_MNIST, MPBENCH, one_line, rows, run, user_cache  # noqa: F401
from picture_files import make_folder, picture, pillow

IMAGENET_MEAN, IMAGENET_DEVIATION = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def train(data, out, *arguments):
    run("train", "--data", data, "--out", out, "--epochs", 1, "--batch-size", 8, "--warmup-steps", 0, "--threads", 1,
        "--device", "cpu", *arguments)
    return out / "checkpoints" / "best.safetensors"


def predict(*arguments, code=0):
    """The rows on stdout, and the result."""
    result = run("predict", "--threads", 1, "--device", "cpu", *arguments, code=code)
    return list(csv.DictReader(io.StringIO(result.stdout))), result


@pytest.fixture(scope="module")
def mammograms(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rsna") / "set"
    run("synth", folder, "--patients", 8, "--seed", 2, "--height", 96, "--width", 80)
    return folder


@pytest.fixture(scope="module")
def trained(mammograms, tmp_path_factory):
    """The folder of a run on the mammograms, in bf16, whose validation judged averaged weights."""
    out = tmp_path_factory.mktemp("run") / "out"
    train(mammograms, out, "--image-size", 32, "--precision", "bf16", "--ema-decay", 0.5)
    return out


@pytest.fixture(scope="module")
def checkpoint(trained):
    return trained / "checkpoints" / "best.safetensors"


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    return make_folder(tmp_path_factory.mktemp("photos") / "set", ("cat", "dog", "fish"), height=64, width=64)


@pytest.fixture(scope="module")
def resnet18(tmp_path_factory):
    """torchvision's network of three classes, and the file of its weights."""
    torch.manual_seed(3)
    model = torchvision.models.resnet18(num_classes=3).eval()
    path = tmp_path_factory.mktemp("weights") / "resnet18.pth"
    torch.save(model.state_dict(), path)
    return model, path


def test_images_have_the_probabilities_that_the_run_recorded(mammograms, trained, checkpoint):
    (recorded,) = [rows(file) for file in (trained / "predictions").iterdir()]
    found, result = predict("--checkpoint", checkpoint, "--data", mammograms, "--split", trained / "split.csv",
                            "--per-image")
    assert [list(row) for row in found] == [["image_id", "cancer"]] * len(recorded)
    assert [row["image_id"] for row in found] == [row["sample_id"] for row in recorded]
    assert [row["cancer"] for row in found] == [row["score"] for row in recorded]
    assert "averaged weights" in result.stderr and "bf16 on cpu" in result.stderr

    plain, result = predict("--checkpoint", checkpoint, "--data", mammograms, "--split", trained / "split.csv",
                            "--per-image", "--no-ema", "--precision", "fp32")
    assert "trained weights" in result.stderr and "fp32 on cpu" in result.stderr
    assert plain != found
    # In the run's memory format unless told otherwise; in the other one fp32 sums in another order.
    as_run, as_told, other = (
        predict("--checkpoint", checkpoint, "--data", mammograms, "--per-image", "--precision", "fp32", *flag)[0]
        for flag in ((), ("--channels-last",), ("--no-channels-last",)))
    assert as_run == as_told and as_run != other
    train_side, _ = predict("--checkpoint", checkpoint, "--data", mammograms, "--split", trained / "split.csv",
                            "--part", "train", "--per-image")
    everything = [row["image_id"] for row in train_side + found]
    assert sorted(everything) == sorted(row["image_id"] for row in rows(mammograms / "train.csv"))


def test_a_third_part_of_a_split_is_trained_on_by_no_one(mammograms, checkpoint, tmp_path):
    images = rows(mammograms / "train.csv")
    patients = sorted({row["patient_id"] for row in images})
    part = {patient: ("test", "train", "validation")[min(i, 2)] for i, patient in enumerate(patients)}
    split = tmp_path / "split.csv"
    split.write_text("id,split\n" + "".join(f"{row['image_id']},{part[row['patient_id']]}\n" for row in images))
    run("train", "--data", mammograms, "--image-size", "32", "--steps", "1", "--balance", "none",
        "--split", split, "--out", tmp_path / "out")
    assert sorted(row["split"] for row in rows(tmp_path / "out" / "split.csv")) == sorted(
        part[row["patient_id"]] for row in images)
    found, _ = predict("--checkpoint", checkpoint, "--data", mammograms, "--split", split, "--part", "test",
                       "--per-image")
    assert [row["image_id"] for row in found] == [row["image_id"] for row in images
                                                  if part[row["patient_id"]] == "test"]
    split.write_text(split.read_text().replace(",test", ",train"))
    line = predict("--checkpoint", checkpoint, "--data", mammograms, "--split", split, "--part", "test", code=2)[1]
    assert "no test images" in line.stderr


@pytest.mark.parametrize("name, numpy_function", [("mean", np.mean), ("max", np.max)])
def test_a_breast_has_the_mean_of_its_images(mammograms, checkpoint, name, numpy_function):
    images, _ = predict("--checkpoint", checkpoint, "--data", mammograms, "--per-image")
    score = {row["image_id"]: float(row["cancer"]) for row in images}
    by_breast, labels = {}, {}
    for row in rows(mammograms / "train.csv"):
        breast = f"{row['patient_id']}_{row['laterality']}"
        by_breast.setdefault(breast, []).append(score[row["image_id"]])
        labels[breast] = max(labels.get(breast, 0), int(row["cancer"]))
    breasts, result = predict("--checkpoint", checkpoint, "--data", mammograms, "--aggregate", name)
    assert [list(row) for row in breasts] == [["prediction_id", "cancer"]] * 16
    assert [row["prediction_id"] for row in breasts] == list(by_breast)
    found = np.array([float(row["cancer"]) for row in breasts])
    np.testing.assert_allclose(found, [numpy_function(scores) for scores in by_breast.values()], rtol=1e-6)

    from sklearn.metrics import roc_auc_score
    labels = np.array(list(labels.values()))
    pf1 = 2 * found[labels == 1].sum() / (found.sum() + labels.sum())
    line, = [line for line in result.stderr.splitlines() if line.startswith("breasts: ")]
    assert line == (f"breasts: accuracy {np.mean((found >= 0.5) == labels):.4f}, "
                    f"AUC {roc_auc_score(labels, found):.4f}, pF1 {pf1:.4f}")
    assert f"{len(images)} images of 16 breasts" in result.stderr


@pytest.fixture
def test_set(mammograms, tmp_path):
    """The same images as the challenge hands them out: without labels, the breasts named."""
    data = tmp_path / "test-set"
    data.mkdir()
    shutil.copytree(mammograms / "train_images", data / "test_images")
    table = rows(mammograms / "train.csv")
    with open(data / "test.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, ["site_id", "patient_id", "image_id", "laterality", "view", "prediction_id"],
                                extrasaction="ignore")
        writer.writeheader()
        for row in table:
            writer.writerow({**row, "prediction_id": f"breast {row['patient_id']}, {row['laterality']}"})
    return data


def test_takes_the_test_layout(mammograms, test_set, checkpoint, tmp_path):
    known, _ = predict("--checkpoint", checkpoint, "--data", mammograms)
    out = tmp_path / "new folder" / "submission.csv"
    _, result = predict("--checkpoint", checkpoint, "--data", test_set, "--out", out)
    assert result.stdout == "" and "accuracy" not in result.stderr and "rsna-test" in result.stderr
    found = rows(out)
    assert [row["cancer"] for row in found] == [row["cancer"] for row in known]
    assert [row["prediction_id"] for row in found] == [
        "breast " + row["prediction_id"].replace("_", ", ") for row in known]
    assert [path.name for path in out.parent.iterdir()] == ["submission.csv"]

    shutil.copy(mammograms / "train.csv", test_set)
    both, result = predict("--checkpoint", checkpoint, "--data", test_set)
    assert both == found and "--dataset rsna takes train.csv" in result.stderr
    predict("--checkpoint", checkpoint, "--data", test_set, "--dataset", "rsna", code=1)  # train_images/ is not there
    _, result = predict("--checkpoint", checkpoint, "--data", test_set, "--limit", 9)
    assert "of 2 breasts" in result.stderr or "of 4 breasts" in result.stderr


def test_nothing_is_trained_on_images_without_labels(test_set, checkpoint, tmp_path):
    predict("--checkpoint", checkpoint, "--data", test_set)
    cache, = [path for path in pathlib.Path(os.environ["XDG_CACHE_HOME"]).rglob("images.safetensors")
              if b'"dataset":"rsna-test"' in path.read_bytes()[:4096]][:1]
    line = one_line(run("train", "--data", cache, "--out", tmp_path / "out", code=1))
    assert str(cache) in line and "labels" in line
    again, _ = predict("--checkpoint", checkpoint, "--data", cache)
    assert len(again) == 16


def test_a_breast_that_cannot_be_read_is_named(mammograms, checkpoint, tmp_path):
    data = pathlib.Path(shutil.copytree(mammograms, tmp_path / "data"))
    table = rows(data / "train.csv")
    files = {}
    for row in table:
        path = data / "train_images" / row["patient_id"] / f"{row['image_id']}.dcm"
        files.setdefault(f"{row['patient_id']}_{row['laterality']}", []).append(path)
    (lost, lost_files), (other, other_files) = list(files.items())[2:4]
    for path in lost_files:
        path.unlink()
    other_files[0].write_bytes(other_files[0].read_bytes()[:-500])
    found, result = predict("--checkpoint", checkpoint, "--data", data, code=3)
    for path in [*lost_files, other_files[0]]:
        assert f"left out: {path}: " in result.stderr
    assert f"no prediction for these breasts, as none of their images could be read: {lost}\n" in result.stderr
    assert [row["prediction_id"] for row in found] == [name for name in files if name != lost]

    cache = tmp_path / "c.safetensors"
    run("preprocess", "--data", data, "--cache", cache, "--image-size", 32, code=3)
    from_cache, result = predict("--checkpoint", checkpoint, "--data", cache, code=3)
    assert from_cache == found and lost_files[0].name in result.stderr


def test_torchvision_says_the_same(photos, resnet18, tmp_path):
    model, weights = resnet18
    paths = [path for path, _ in torchvision.datasets.ImageFolder(photos).samples]
    images = torch.stack([torchvision.transforms.functional.to_tensor(pillow(path)) for path in paths])
    images = torchvision.transforms.functional.normalize(images, IMAGENET_MEAN, IMAGENET_DEVIATION)
    with torch.no_grad():
        expected = model(images).softmax(1).numpy()
    found, result = predict("--model", "resnet18", "--weights", weights, "--data", photos)
    assert list(found[0]) == ["image", "predicted", "cat", "dog", "fish"]
    assert [row["image"] for row in found] == [os.path.relpath(path, photos) for path in paths]
    probabilities = np.array([[float(row[name]) for name in ("cat", "dog", "fish")] for row in found])
    np.testing.assert_allclose(probabilities, expected, atol=1e-4)
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-6)
    assert expected.std(0).min() > 1e-3, "the images are told apart"
    predicted = [("cat", "dog", "fish")[i] for i in expected.argmax(1)]
    assert [row["predicted"] for row in found] == predicted
    accuracy = np.mean([name == path.split(os.sep)[-2] for name, path in zip(predicted, paths)])
    assert f"images: accuracy {accuracy:.4f}\n" in result.stderr

    # The same pictures without labels, and a grey one, which the network sees in three channels.
    flat = tmp_path / "flat"
    flat.mkdir()
    for path in paths:
        shutil.copy(path, flat / path.removeprefix(str(photos) + os.sep).replace(os.sep, ", "))
    picture(flat / "grey.png", 7, height=64, width=64, channels=1)
    unlabelled, result = predict("--model", "resnet18", "--weights", weights, "--data", flat, "--classes", "a,b,c")
    assert "accuracy" not in result.stderr and list(unlabelled[0]) == ["image", "predicted", "a", "b", "c"]
    values = {row["image"]: [row[name] for name in "abc"] for row in unlabelled}
    assert [values[row["image"].replace(os.sep, ", ")] for row in found] == [
        [row[name] for name in ("cat", "dog", "fish")] for row in found]
    grey = torchvision.transforms.functional.to_tensor(pillow(flat / "grey.png"))
    grey = torchvision.transforms.functional.normalize(grey, IMAGENET_MEAN, IMAGENET_DEVIATION)
    with torch.no_grad():
        np.testing.assert_allclose(np.float32(values["grey.png"]), model(grey[None]).softmax(1).numpy()[0], atol=1e-4)
    nested, _ = predict("--model", "resnet18", "--weights", weights, "--data", photos, "--dataset", "pictures")
    assert list(nested[0]) == ["image", "predicted", "0", "1", "2"]
    assert [list(row.values())[2:] for row in nested] == [list(row.values())[2:] for row in found]


def test_two_outputs_are_two_classes(tmp_path):
    torch.manual_seed(1)
    model = torchvision.models.resnet18(num_classes=2).eval()
    torch.save(model.state_dict(), tmp_path / "two.pth")
    data = make_folder(tmp_path / "data", ("cat", "dog"), height=32, width=32)
    found, _ = predict("--model", "resnet18", "--weights", tmp_path / "two.pth", "--data", data, "--normalize", "none")
    paths = [path for path, _ in torchvision.datasets.ImageFolder(data).samples]
    images = torch.stack([torchvision.transforms.functional.to_tensor(pillow(path)) for path in paths])
    with torch.no_grad():
        expected = model(images).softmax(1).numpy()
    np.testing.assert_allclose([[float(row["cat"]), float(row["dog"])] for row in found], expected, atol=1e-4)


def test_other_classes_are_named(photos, tmp_path):
    checkpoint = train(photos, tmp_path / "out")
    (recorded,) = [rows(file) for file in (tmp_path / "out" / "predictions").iterdir()]
    found, _ = predict("--checkpoint", checkpoint, "--data", photos, "--split", tmp_path / "out" / "split.csv")
    names = ["cat", "dog", "fish"]
    assert [np.float32(row[names[int(true["label"])]]) for row, true in zip(found, recorded)] == [
        np.float32(row["score"]) for row in recorded]
    assert [row["predicted"] for row in found] == [names[int(row["predicted"])] for row in recorded]

    other = make_folder(tmp_path / "other", ("cat", "dog", "bird"))
    line = predict("--checkpoint", checkpoint, "--data", other, code=1)[1].stderr.splitlines()[-1]
    assert str(other) in line and "no class bird" in line and "no class fish" in line
    line = predict("--checkpoint", checkpoint, "--data", FASHION_MNIST, "--limit", 10, code=1)[1].stderr.splitlines()[-1]
    assert str(FASHION_MNIST) in line and "channels" in line
    damaged = pathlib.Path(shutil.copytree(photos, tmp_path / "damaged")) / "dog" / "1.png"
    damaged.write_bytes(damaged.read_bytes()[:100])
    found, result = predict("--checkpoint", checkpoint, "--data", damaged.parent.parent, code=3)
    assert len(found) == 8 and f"left out: {damaged}" in result.stderr and "breast" not in result.stderr


def test_pipes(mammograms, checkpoint):
    command = [MPBENCH, "predict", "--checkpoint", checkpoint, "--data", mammograms, "--precision", "fp32", "--quiet"]
    head = subprocess.run(f"{' '.join(map(str, command))} | head -1", shell=True, capture_output=True, text=True)
    assert head.stdout == "prediction_id,cancer\n" and head.stderr == ""
    full = subprocess.run([*command, "--out", "/dev/full"], capture_output=True, text=True)
    assert full.returncode == 1 and "/dev/full" in full.stderr and pathlib.Path("/dev/full").is_char_device()


def test_ctrl_c_leaves_nothing(tmp_path):
    model = torchvision.models.resnet18(num_classes=10)
    torch.save(model.state_dict(), tmp_path / "w.pth")
    out = tmp_path / "out" / "p.csv"
    process = subprocess.Popen(
        [MPBENCH, "predict", "--model", "resnet18", "--weights", tmp_path / "w.pth", "--data", FASHION_MNIST, "--mean",
         "0.286", "--deviation", "0.353", "--image-size", "64", "--threads", "1", "--out", out],
        stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        if "tensors loaded" in line:
            break
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert list(out.parent.iterdir()) == []


def test_a_bad_checkpoint_is_named(mammograms, checkpoint, resnet18, tmp_path):
    content = checkpoint.read_bytes()
    for name, bytes_, word in [("cut", content[:-100], "cut"), ("flipped", content[:-1000] + b"?" + content[-999:], "sha256"),
                               ("other", resnet18[1].read_bytes(), "other")]:
        path = tmp_path / f"{name}.safetensors"
        path.write_bytes(bytes_)
        line = one_line(predict("--checkpoint", path, "--data", mammograms, code=1)[1])
        assert str(path) in line and word in line
    assert "nowhere" in one_line(predict("--checkpoint", tmp_path / "nowhere", "--data", mammograms, code=1)[1])
    line = predict("--model", "resnet50", "--weights", resnet18[1], "--data", mammograms, "--normalize", "none",
                   code=1)[1].stderr.splitlines()[-1]
    assert str(resnet18[1]) in line and "another network" in line


@pytest.mark.parametrize("arguments, words", [
    ([], ["--checkpoint", "--weights"]),
    (["--weights", "w.pth"], ["--model"]),
    (["--checkpoint", "c", "--weights", "w.pth", "--model", "cnn"], ["--checkpoint", "--weights"]),
    (["--checkpoint", "c", "--classes", "a,b"], ["--classes"]),
    (["--checkpoint", "c", "--precision", "fp8"], ["fp8"]),
    (["--checkpoint", "c", "--device", "tpu"], ["tpu"]),
    (["--checkpoint", "c", "--dataset", "imagenet"], ["imagenet"]),
    (["--checkpoint", "c", "--batch-size", "-1"], ["--batch-size"]),
    (["--checkpoint", "c", "--aggregate", "median"], ["median"]),
    (["--checkpoint", "c", "--out", "/tmp"], ["/tmp", "folder"]),
    (["--model", "vgg16", "--weights", "w.pth"], ["vgg16"]),
])
def test_wrong_usage(tmp_path, arguments, words):
    line = one_line(run("predict", "--data", tmp_path, *arguments, code=2, cwd=tmp_path))
    assert all(word in line for word in words), line
    assert not list(tmp_path.iterdir())


def test_grey_images_need_a_normalisation(mammograms, resnet18, checkpoint, photos):
    line = predict("--model", "resnet18", "--weights", resnet18[1], "--data", mammograms, code=2)[1].stderr
    assert "--mean" in line and "--deviation" in line
    line = predict("--checkpoint", checkpoint, "--data", mammograms, "--part", "validation", code=2)[1].stderr
    assert "--split" in line.splitlines()[-1]
    line = predict("--model", "resnet18", "--weights", resnet18[1], "--data", photos, "--per-image",
                   code=2)[1].stderr
    assert "--per-image" in line.splitlines()[-1]


def test_help_fits_80_columns():
    text = run("predict", "--help").stdout
    assert max(map(len, text.splitlines())) <= 80 and "mpbench predict --checkpoint" in text
