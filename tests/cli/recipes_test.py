"""The recipes of configs/, each from its files to its comparison, with less data, smaller images and fewer steps."""

import pathlib
import re
import struct
import subprocess
import tomllib

import numpy as np
import pytest
import torch
import torchvision
from mpbench_command import one_line, rows, run
from PIL import Image
from safetensors.torch import load_file

ROOT = pathlib.Path(__file__).resolve().parents[2]
CONFIGS = sorted((ROOT / "configs").glob("*.toml"))
RECIPES = ["cifar100_efficientnet", "folder_resnet18", "folder_resnet50", "rsna_cnn_124", "transfer_head"]
SMALL = {"limit": 16, "steps": 8, "repeats": 2, "sessions": 2, "warmup-steps": 1, "threads": 1, "device": "cpu"}


def recipe(name):
    return tomllib.loads((ROOT / "configs" / f"{name}.toml").read_text())


def flags(options):
    return [text for name, value in options.items() for text in (f"--{name}", value)]


def as_list(value):
    return value if isinstance(value, list) else [value]


def compare(name, tmp_path, data, **smaller):
    """The finished comparison's folder. Whatever is not made smaller here has to be as the recipe says."""
    smaller = {**SMALL, **{key.replace("_", "-"): value for key, value in smaller.items()}}
    out = tmp_path / "out"
    run("compare", "--config", ROOT / "configs" / f"{name}.toml", "--data", data, "--out", out, "--quiet",
        *flags(smaller), env={"XDG_CACHE_HOME": str(tmp_path / "cache")})

    applied = tomllib.loads((out / "config.toml").read_text())
    for key, value in recipe(name).items():
        if key not in smaller:
            assert as_list(applied[key]) == as_list(value), key
    assert applied["data"] == str(data)

    runs = rows(out / "runs.csv")
    arms = [(model, str(batch), precision) for model in as_list(applied["model"])
            for batch in as_list(applied["batch-size"]) for precision in [*as_list(applied["precision"]), "null"]]
    assert sorted((r["model"], r["batch_size"], r["arm"]) for r in runs) == sorted(2 * arms)
    for r in runs:
        assert r["status"] == "ok", r["error"]
        assert r["n_train"] and r["n_val"] and r["val_loss"] not in ("", "nan")
    baseline = as_list(recipe(name)["precision"])[0]
    compared = rows(out / "comparison.csv")
    assert sorted((c["model"], c["batch_size"], c["arm"]) for c in compared) == sorted(
        arm for arm in arms if arm[2] != baseline)
    for c in compared:
        assert c["baseline_precision"] == baseline and c["metric_delta"] != ""
        if c["arm"] == "fp16" and c["speedup"] == "":
            assert float(c["skipped_fraction"]) > 0.5 and "every step of a block was skipped" in c["note"], (
                "the first steps may all overflow")
        else:
            assert float(c["speedup"]) > 0 and (c["arm"] == "fp16" or c["sessions"] == "2")
    return out, runs


def test_there_is_a_config_for_each_recipe():
    assert [path.stem for path in CONFIGS if path.stem != "demo"] == RECIPES


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_key_is_a_flag_of_compare(path, tmp_path):
    weights = tmp_path / "weights.pth"
    weights.write_bytes(b"")
    error = one_line(run("compare", "--config", path, "--weights", weights, "--data", tmp_path / "no data",
                         "--out", tmp_path / "out", code=1))
    assert "no data: data: there is no such" in error, "it is the data that stops it"
    (tmp_path / "typo.toml").write_text(path.read_text() + "\nepoch = 3\n")
    assert "epoch" in one_line(run("compare", "--config", tmp_path / "typo.toml", "--data", tmp_path / "x", code=2))


PUBLISHED = {
    "rsna_cnn_124": {"dataset": "rsna", "model": "cnn", "image-size": 124},
    "folder_resnet50": {"dataset": "folder", "model": "resnet50"},
    "cifar100_efficientnet": {"dataset": "cifar100", "model": ["efficientnet-b0"], "image-size": 224, "epochs": 20,
                              "optimizer": "adam", "lr": 1e-3, "batch-size": [128, 256]},
    "folder_resnet18": {"dataset": "folder", "model": "resnet18", "image-size": 256, "augment-flip": True,
                        "batch-size": 256, "epochs": 120, "optimizer": "adam", "lr": 1e-4, "schedule": "cosine"},
    "transfer_head": {"freeze-backbone": True},
}


@pytest.mark.parametrize("name", RECIPES)
def test_settings_are_the_published_ones(name):
    told = recipe(name)
    assert {key: told.get(key) for key in PUBLISHED[name]} == PUBLISHED[name]
    assert told["precision"][:2] == ["fp32", "fp16"], "strict FP32 against autocast with a GradScaler"
    assert told["repeats"] >= 3, "an interval needs repeats"
    if told.get("freeze-backbone"):
        assert 1 < told["unfreeze-epoch"] <= told["epochs"], "fine-tuned as well"
    if name == "folder_resnet18":
        assert 0 < told["warmup-epochs"] < told["epochs"]


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_documentation_names_it_and_quotes_its_command(path):
    text = (ROOT / "docs" / "recipes.md").read_text()
    assert f"configs/{path.name}" in text
    if path.stem in RECIPES:
        says = path.read_text()
        assert re.search(rf"^#   mpbench compare --config configs/{path.name} ", says, re.M), "how it is run"
        assert re.search("^# Published", says, re.M) and re.search("^# What the published figures", says, re.M)


def write_pictures(folder, classes, side, count=6):
    """JPEG and PNG photographs of a colour a class, noise on it."""
    chance = np.random.default_rng(3)
    for label in range(classes):
        place = folder / f"class {label}"
        place.mkdir(parents=True)
        colour = chance.integers(0, 200, 3)
        for i in range(count):
            picture = (colour + chance.integers(0, 56, (side, side, 3))).astype(np.uint8)
            Image.fromarray(picture).save(place / f"{i}.{'png' if i % 2 else 'jpg'}")
    return folder


def write_cifar100(folder, train=60, test=20):
    """Files in the format of CIFAR-100's binary version: coarse label, fine label, three planes of 32 x 32."""
    folder.mkdir(parents=True)
    (folder / "fine_label_names.txt").write_text("".join(f"class_{i}\n" for i in range(100)))
    chance = np.random.default_rng(4)
    for name, count in [("train.bin", train), ("test.bin", test)]:
        records = (struct.pack("BB", i % 20, i % 100) + chance.bytes(3 * 32 * 32) for i in range(count))
        (folder / name).write_bytes(b"".join(records))
    return folder


@pytest.fixture(scope="module")
def resnet18_weights(tmp_path_factory):
    """What a download from torchvision holds, but for the values: 1000 classes, 3 channels."""
    path = tmp_path_factory.mktemp("weights") / "resnet18-f37072fd.pth"
    torch.manual_seed(0)
    torch.save(torchvision.models.resnet18(weights=None).state_dict(), path)
    return path


def logs(out, runs):
    return [(out / "runs" / r["run_id"] / "mpbench.log").read_text() for r in runs]


def test_rsna_cnn_124(tmp_path):
    run("synth", tmp_path / "rsna", "--patients", 8, "--height", 160, "--width", 128)
    out, runs = compare("rsna_cnn_124", tmp_path, tmp_path / "rsna", batch_size=4)
    assert {r["image_size"] for r in runs} == {"124"}
    assert {c["metric"] for c in rows(out / "comparison.csv")} == {"val_breast_auc"}


def test_folder_resnet50(tmp_path):
    data = write_pictures(tmp_path / "ships", classes=3, side=48)
    out, runs = compare("folder_resnet50", tmp_path, data, image_size=32, batch_size=4)
    assert {r["dataset"] for r in runs} == {"folder"}
    for r in runs:  # published beside the time
        assert float(r["cpu_time_s"]) > 0 and int(r["peak_rss_bytes"]) > 1 << 26
    assert [r["skipped_steps"] != "" for r in runs] == [r["precision"] == "fp16" for r in runs], "loss scaling"
    assert {r["parameters"] for r in runs} == {str(parameters(torchvision.models.resnet50(num_classes=3)))}


def test_folder_resnet18(tmp_path, resnet18_weights):
    data = write_pictures(tmp_path / "photographs", classes=6, side=150)
    out, runs = compare("folder_resnet18", tmp_path, data, image_size=32, batch_size=4, weights=resnet18_weights)
    for log in logs(out, runs):
        assert "head fc left out: 1000 classes in the file, 6 here" in log
    for e in rows(out / "epochs.csv"):
        assert float(e["lr"]) <= 1e-4, "warming up"


def test_folder_resnet18_needs_its_weights(tmp_path):
    data = write_pictures(tmp_path / "photographs", classes=2, side=32, count=2)
    error = one_line(run("compare", "--config", ROOT / "configs" / "folder_resnet18.toml", "--data", data, "--out",
                         tmp_path / "out", code=1, cwd=tmp_path))
    assert "resnet18-f37072fd.pth" in error and "there is no such file" in error


def test_cifar100_efficientnet(tmp_path):
    data = write_cifar100(tmp_path / "cifar-100-binary")
    _, runs = compare("cifar100_efficientnet", tmp_path, data, image_size=32, batch_size="4,8")
    assert {r["image_size"] for r in runs} == {"32"} and {r["batch_size"] for r in runs} == {"4", "8"}
    assert {r["parameters"] for r in runs} == {str(parameters(torchvision.models.efficientnet_b0(num_classes=100)))}


def test_cifar100_efficientnet_with_the_split_it_describes(tmp_path):
    """The shell command in the recipe's comments, for fewer images; CIFAR's test images are then kept from training."""
    data = write_cifar100(tmp_path / "cifar-100-binary", train=30)
    text = (ROOT / "configs" / "cifar100_efficientnet.toml").read_text()
    command = re.search(r"^#   (\(echo id,split;.*\n#.*) > cifar100_split.csv$", text, re.M)[1].replace("\n#", "\n")
    small = command.replace("49999", "29").replace("40000", "24").replace("9999", "19")
    assert small.count("29") == small.count("24") == small.count(" 19)") == 1
    split = tmp_path / "cifar100_split.csv"
    first, second = (subprocess.run(["bash", "-c", small], check=True, capture_output=True).stdout for _ in range(2))
    assert first == second, "drawn once and for all"
    split.write_bytes(first)
    _, runs = compare("cifar100_efficientnet", tmp_path, data, image_size=32, batch_size=4, limit=0,
                      precision="fp32,bf16", split=split)
    assert {(r["n_train"], r["n_val"]) for r in runs} == {("24", "6")}
    kept = [row["id"] for row in rows(tmp_path / "out" / "runs" / runs[0]["run_id"] / "split.csv")
            if row["split"] == "test"]
    assert kept == [f"test-{i}" for i in range(20)]


def test_transfer_head(tmp_path, resnet18_weights):
    data = write_pictures(tmp_path / "pictures", classes=2, side=40)
    out, runs = compare("transfer_head", tmp_path, data, image_size=32, batch_size=2, limit=12, steps=0, epochs=2,
                        unfreeze_epoch=2, weights=resnet18_weights)
    for log in logs(out, runs):
        assert re.search("head fc left out: 1000 classes in the file, 1 here", log)
    assert all(r["epochs"] == "2" for r in runs), "the second epoch is trained unfrozen"


def test_transfer_head_trains_the_head_alone_and_then_all(tmp_path, resnet18_weights):
    """The recipe's own switches, in a run of its own so that its weights can be looked at."""
    data = write_pictures(tmp_path / "pictures", classes=3, side=40)
    given = torch.load(resnet18_weights)
    for epochs, moved in [(1, False), (2, True)]:
        out = tmp_path / f"{epochs} epochs"
        options = recipe("transfer_head")
        shared = {key: options[key] for key in ("dataset", "model", "optimizer", "lr", "schedule")}
        run("train", "--data", data, "--out", out, "--quiet", "--weights", resnet18_weights, "--freeze-backbone",
            *flags({**shared, "unfreeze-epoch": 2, "epochs": epochs, "image-size": 32, "batch-size": 4,
                    "warmup-steps": 1, "threads": 1, "device": "cpu", "precision": "bf16"}),
            env={"XDG_CACHE_HOME": str(tmp_path / "cache")})
        trained = load_file(out / "checkpoints" / "last.safetensors")
        for name in ("conv1.weight", "bn1.running_mean", "layer4.1.conv2.weight"):
            assert torch.equal(trained[name], given[name]) != moved, (name, epochs)
        assert trained["fc.weight"].shape == (3, 512)


def parameters(model):
    return sum(parameter.numel() for parameter in model.parameters())
