"""The floating-point operations that mpbench explain counts, against PyTorch's own counter."""
import csv
import os
import pathlib
import subprocess

import pytest
import torch
import torchvision
from torch.utils.flop_counter import FlopCounterMode

FASHION_MNIST = "/usr/share/datasets/fashion-mnist"
BATCH, SIDE, CLASSES = 2, 64, 10


def resnet50():
    model = torchvision.models.resnet50(num_classes=CLASSES)
    model.conv1 = torch.nn.Conv2d(1, 64, 7, stride=2, padding=3, bias=False)
    return model


def efficientnet_b0():
    model = torchvision.models.efficientnet_b0(num_classes=CLASSES)
    model.features[0][0] = torch.nn.Conv2d(1, 32, 3, stride=2, padding=1, bias=False)
    return model


def gflop_of_pytorch(model, backward):
    images, labels = torch.rand(BATCH, 1, SIDE, SIDE), torch.zeros(BATCH, dtype=torch.long)
    with FlopCounterMode(display=False) as counter:
        loss = torch.nn.functional.cross_entropy(model(images), labels)
        if backward:
            loss.backward()
    return counter.get_total_flops() / 1e9


def operators(model, out):
    subprocess.run([os.environ["MPBENCH"], "explain", "--model", model, "--precision", "fp32", "--dataset", "idx", "--data",
                    FASHION_MNIST, "--limit", "200", "--image-size", str(SIDE), "--batch-size", str(BATCH), "--device", "cpu",
                    "--profile-steps", "2", "--max-time", "2s", "--progress", "never", "--out", str(out)], check=True, capture_output=True, timeout=300,
                   env={**os.environ, "XDG_CACHE_HOME": str(out.parent)})
    folder, = pathlib.Path(out, "runs").iterdir()
    with open(folder / "operators.csv", newline="") as file:
        return [row for row in csv.DictReader(file) if row["gflop"]]


def test_resnet50_forward_and_backward(tmp_path):
    counted = operators("resnet50", tmp_path / "out")
    assert sum(float(row["gflop"]) for row in counted) == pytest.approx(gflop_of_pytorch(resnet50(), backward=True), rel=1e-9)


def test_efficientnet_b0_forward(tmp_path):
    """Of its backward pass PyTorch counts depthwise weight gradients as if they were not in groups."""
    counted = operators("efficientnet-b0", tmp_path / "out")
    forward = [row for row in counted if row["name"] in ("aten::convolution", "aten::addmm")]
    assert sum(float(row["gflop"]) for row in forward) == pytest.approx(gflop_of_pytorch(efficientnet_b0(), backward=False), rel=1e-9)
