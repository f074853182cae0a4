"""mpbench train --weights and predict --weights with the files that people have."""
import csv
import io
import json
import shutil

import numpy as np
import pytest
import torch
import torchvision
from mpbench_command import one_line, run, user_cache  # noqa: F401
from picture_files import make_folder, pillow
from safetensors import safe_open
from safetensors.torch import load_file, save_file

LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32\nsize 12345\n"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return make_folder(tmp_path_factory.mktemp("pictures") / "set", ("cat", "dog"), height=40, width=40)


def train(data, out, *arguments, code=0, epochs=1):
    return run("train", "--data", data, "--out", out, "--epochs", epochs, "--batch-size", 4, "--warmup-steps", 0, "--threads", 1,
               "--device", "cpu", *arguments, code=code)


def predict(data, *arguments):
    """The probabilities of the second class, and what was said."""
    result = run("predict", "--threads", 1, "--device", "cpu", "--data", data, *arguments)
    return np.array([float(row["dog"]) for row in csv.DictReader(io.StringIO(result.stdout))]), result.stderr


def images_of(data):
    return [torchvision.transforms.functional.to_tensor(np.array(pillow(path)))
            for path, _ in torchvision.datasets.ImageFolder(data).samples]


def expected(model, data):
    """The same of a network of torchvision's."""
    with torch.no_grad():
        return model.eval()(torch.stack(images_of(data))).softmax(1)[:, 1].numpy()


def test_weights_and_checkpoint_take_the_same_average(pictures, tmp_path):
    train(pictures, tmp_path / "out", "--image-size", 32, "--ema-decay", 0.5, "--lr", 0.01, epochs=3)
    checkpoint = tmp_path / "out" / "checkpoints" / "last.safetensors"
    state = load_file(checkpoint)
    assert not torch.equal(state["classifier.weight"], state["ema/module.classifier.weight"])
    by_checkpoint, _ = predict(pictures, "--checkpoint", checkpoint, "--precision", "fp32")
    arguments = ["--model", "cnn", "--weights", checkpoint, "--image-size", 32, "--classes", "cat,dog"]
    with safe_open(checkpoint, "pt") as file:
        saved = json.loads(file.metadata()["mpbench_state"])
    arguments += ["--mean", ",".join(map(str, saved["mean"])), "--deviation", ",".join(map(str, saved["deviation"]))]
    by_weights, said = predict(pictures, *arguments)
    np.testing.assert_allclose(by_weights, by_checkpoint, atol=1e-6)
    assert "taken from 'ema' (the averaged weights of a run with --ema-decay, not the trained ones)" in said
    said = train(pictures, tmp_path / "on", "--image-size", 32, "--weights", checkpoint, "--lr", "1e-30").stderr
    assert "the averaged weights of a run with --ema-decay" in said
    after = load_file(tmp_path / "on" / "checkpoints" / "last.safetensors")
    assert torch.equal(after["classifier.weight"], state["ema/module.classifier.weight"])


def test_a_network_of_two_outputs_becomes_one_of_one(pictures, tmp_path):
    torch.manual_seed(2)
    model = torchvision.models.resnet18(num_classes=2)
    torch.save({"state_dict": model.state_dict(), "best_acc1": torch.tensor(50.0)}, tmp_path / "two.pth")
    said = train(pictures, tmp_path / "out", "--model", "resnet18", "--weights", tmp_path / "two.pth", "--lr", "1e-30",
                 "--steps", 1, "--normalize", "none", "--freeze-backbone").stderr
    assert "head fc: its two outputs became one" in said and "taken from 'state_dict'" in said
    found, _ = predict(pictures, "--checkpoint", tmp_path / "out" / "checkpoints" / "last.safetensors")
    np.testing.assert_allclose(found, expected(model, pictures), atol=1e-4)


def test_the_origin_stays_with_the_checkpoint(pictures, tmp_path):
    """A network with TensorFlow's padding and epsilon, trained for no step and asked with and without its file."""
    weights = tmp_path / "models--timm--tf_efficientnet_b0.ns_jft_in1k" / "snapshots" / "0a1b2c" / "model.safetensors"
    weights.parent.mkdir(parents=True)
    torch.manual_seed(3)
    model = torchvision.models.efficientnet_b0(num_classes=2)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        model(torch.stack(images_of(pictures)))  # its running statistics are those of the pictures
    state = model.state_dict()
    state["conv_stem.weight"] = state.pop("features.0.0.weight")  # by which timm's names are told
    save_file(state, weights)
    arguments = ["--model", "efficientnet-b0", "--weights", weights, "--normalize", "none", "--image-size", 40]
    by_weights, said = predict(pictures, *arguments, "--classes", "cat,dog")
    assert "TensorFlow's padding" in said and "warn" not in said
    train(pictures, tmp_path / "out", *arguments, "--lr", "1e-30", "--steps", 1, "--freeze-backbone")
    checkpoint = tmp_path / "out" / "checkpoints" / "last.safetensors"
    np.testing.assert_allclose(predict(pictures, "--checkpoint", checkpoint)[0], by_weights, atol=1e-5)
    plain = tmp_path / "weights.safetensors"
    shutil.copy(weights, plain)
    other, said = predict(pictures, *arguments[:2], "--weights", plain, *arguments[4:], "--classes", "cat,dog")
    assert "the file does not say which of timm's networks this is" in said
    assert np.abs(other - by_weights).max() > 1e-5


@pytest.mark.parametrize("name", ["net.pth", "net.safetensors"])
@pytest.mark.parametrize("content, words", [(LFS, "git lfs pull"), ("<!DOCTYPE html><html>404</html>", "web page"), ("", "empty")])
def test_a_file_that_is_something_else_is_said_to_be_so(name, content, words, pictures, tmp_path):
    path = tmp_path / name
    path.write_text(content)
    for line in (train(pictures, tmp_path / "out", "--weights", path, code=1).stderr.splitlines()[-1],
                 one_line(run("predict", "--model", "cnn", "--weights", path, "--data", pictures, code=1)),
                 one_line(run("predict", "--checkpoint", path, "--data", pictures, code=1))):
        assert str(path) in line and words in line
