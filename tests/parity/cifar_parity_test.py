"""The binary versions of CIFAR against torchvision, which reads the Python version of the same images."""
import pickle

import numpy as np
import pytest
from driver import run
from torchvision.datasets import CIFAR10, CIFAR100, cifar

COUNT = 20  # images a file


def records(seed, classes):
    """Labels [N] and images [N, 3072], which both versions store in this form."""
    random = np.random.default_rng(seed)
    return random.integers(0, classes, COUNT), random.integers(0, 256, (COUNT, 3072), dtype=np.uint8)


def write_10(folder):
    binary, python = folder / "cifar-10-batches-bin", folder / CIFAR10.base_folder
    binary.mkdir()
    python.mkdir()
    names = [f"class {i}" for i in range(10)]
    for i, name in enumerate([*(f"data_batch_{k}" for k in range(1, 6)), "test_batch"]):
        labels, images = records(i, 10)
        (binary / f"{name}.bin").write_bytes(np.column_stack([labels.astype("u1"), images]).tobytes())
        (python / name).write_bytes(pickle.dumps({"data": images, "labels": labels.tolist()}))
    (binary / "batches.meta.txt").write_text("\n".join(names) + "\n\n")
    (python / "batches.meta").write_bytes(pickle.dumps({"label_names": names}))


def write_100(folder):
    binary, python = folder / "cifar-100-binary", folder / CIFAR100.base_folder
    binary.mkdir()
    python.mkdir()
    names = [f"class {i}" for i in range(100)]
    for i, name in enumerate(["train", "test"]):
        labels, images = records(i, 100)
        columns = np.column_stack([(labels // 5).astype("u1"), labels.astype("u1"), images])
        (binary / f"{name}.bin").write_bytes(columns.tobytes())
        (python / name).write_bytes(pickle.dumps({"data": images, "fine_labels": labels.tolist()}))
    (binary / "fine_label_names.txt").write_text("\n".join(names))
    (python / "meta").write_bytes(pickle.dumps({"fine_label_names": names}))


@pytest.mark.parametrize("which, write, reader", [("cifar10", write_10, CIFAR10), ("cifar100", write_100, CIFAR100)])
def test_equals_torchvision(tmp_path, monkeypatch, which, write, reader):
    # It would compare the files with the digests of the published ones.
    monkeypatch.setattr(cifar, "check_integrity", lambda path, md5=None: True)
    write(tmp_path)
    answer = run("cifar", {"which": which, "path": str(tmp_path)})
    train, test = reader(tmp_path, train=True), reader(tmp_path, train=False)
    assert answer["train"] == len(train)
    assert answer["classes"] == train.classes
    assert answer["labels"] == train.targets + test.targets
    assert answer["ids"] == [f"train-{i}" for i in range(len(train))] + [f"test-{i}" for i in range(len(test))]
    images = np.reshape(answer["pixels"], answer["shape"])
    assert np.array_equal(images.transpose(0, 2, 3, 1), np.concatenate([train.data, test.data]))
