"""Training checkpoints as PyTorch's examples, torchvision, timm and Lightning write them, and files that are none."""
import argparse
import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import pathlib
import random
import re
import types
import uuid

import numpy as np
import pytest
import torch
import torchvision
from safetensors.torch import load_file, save_file

from driver import run


def make_training(network=None):
    """A network, its optimizer and schedule after a step, and the weights that an average of them has."""
    torch.manual_seed(5)
    model = network or torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2))
    optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [2, 4, 4])
    average = torch.optim.swa_utils.AveragedModel(model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.9))
    model.train()
    model(torch.randn(2, next(model.parameters()).shape[1], 32, 32)).sum().backward()
    average.update_parameters(model)
    optimizer.step()
    schedule.step()
    average.update_parameters(model)
    return types.SimpleNamespace(model=model, optimizer=optimizer, schedule=schedule, average=average)


@pytest.fixture(scope="module")
def training():
    return make_training()


@pytest.fixture
def pth(tmp_path):
    def save(value, name="net.pth", **options):
        torch.save(value, tmp_path / name, **options)
        return tmp_path / name

    return save


def reread(path):
    """The driver's answer, and the tensors that it read."""
    saved = path.with_suffix(".rewritten")
    answer = run("weights", {"path": str(path), "save": str(saved)})
    assert "dtypes" in answer, answer
    return answer, load_file(saved)


def assert_same(ours, expected):
    assert ours.keys() == expected.keys()
    for key, tensor in expected.items():
        assert ours[key].dtype == tensor.dtype and ours[key].shape == tensor.shape, key
        assert torch.equal(ours[key], tensor), key


def refusal(path, **request):
    answer = run("weights", {"path": str(path), **request})
    assert "problem" in answer, f"it was read: {answer}"
    return answer["field"], answer["problem"]


def test_pytorchs_imagenet_example(training, pth):
    """https://github.com/pytorch/examples/blob/main/imagenet/main.py: best_acc1 is a tensor beside the state_dict."""
    path = pth({"epoch": 3, "arch": "resnet18", "state_dict": torch.nn.DataParallel(training.model).state_dict(),
                "best_acc1": torch.tensor(71.5), "optimizer": training.optimizer.state_dict(),
                "scheduler": training.schedule.state_dict()}, "checkpoint.pth.tar")
    answer, ours = reread(path)
    assert (answer["wrapper"], answer["prefix"]) == ("state_dict", "module.")
    assert_same(ours, training.model.state_dict())


def test_torchvisions_references(training, pth):
    """https://github.com/pytorch/vision/blob/main/references/classification/train.py"""
    args = argparse.Namespace(model="resnet18", device="cuda", lr=0.1, output_dir=pathlib.Path("out"), label_smoothing=0.0,
                              weights=None, gpus=[0, 1], lr_steps=(30, 60))
    checkpoint = {"model": training.model.state_dict(), "optimizer": training.optimizer.state_dict(),
                  "lr_scheduler": training.schedule.state_dict(), "epoch": 3, "args": args,
                  "scaler": torch.amp.GradScaler("cpu").state_dict()}
    answer, ours = reread(pth(checkpoint))
    assert (answer["wrapper"], answer["wrapper_note"]) == ("model", "")
    assert_same(ours, training.model.state_dict())
    answer, ours = reread(pth({**checkpoint, "model_ema": training.average.state_dict()}))
    assert (answer["wrapper"], answer["prefix"]) == ("model_ema", "module.")
    assert answer["wrapper_note"] == "the averaged weights, not from 'model'"
    assert_same(ours, training.average.module.state_dict())


def test_timms_training_checkpoints(training, pth):
    """timm/utils/checkpoint_saver.py of timm 1.0."""
    args = argparse.Namespace(model="resnet18", opt="sgd", input_size=None, mean=[0.5], amp_dtype="float16",
                              device=torch.device("cpu"), epochs=300, tuple=(1, 2.5, "x"), nested=argparse.Namespace(a=1))
    checkpoint = {"epoch": 7, "arch": "resnet18", "state_dict": training.model.state_dict(),
                  "optimizer": training.optimizer.state_dict(), "version": 2, "args": args,
                  "amp_scaler": torch.amp.GradScaler("cpu").state_dict(), "metric": np.float64(77.25),
                  "saver": {"checkpoint_files": [("checkpoint-1.pth.tar", np.float64(77.25))], "pending": (7, None)}}
    answer, ours = reread(pth(checkpoint))
    assert answer["wrapper"] == "state_dict"
    assert_same(ours, training.model.state_dict())
    answer, ours = reread(pth({**checkpoint, "state_dict_ema": training.average.module.state_dict()}))
    assert answer["wrapper"] == "state_dict_ema" and "averaged" in answer["wrapper_note"]
    assert_same(ours, training.average.module.state_dict())


class AttributeDict(dict):
    """Lightning's for hyper-parameters."""


def test_lightnings_checkpoints(pth):
    """A LightningModule with self.model and a weighted loss; MultiStepLR keeps its milestones in a Counter."""
    trained = make_training(torchvision.models.resnet18(num_classes=3))
    state = {f"model.{name}": tensor for name, tensor in trained.model.state_dict().items()}
    state["criterion.weight"] = torch.tensor([1.0, 2.0, 3.0])
    assert isinstance(trained.schedule.state_dict()["milestones"], collections.Counter)
    path = pth({"epoch": 3, "global_step": 9, "pytorch-lightning_version": "2.6.0", "state_dict": state,
                "loops": {"fit_loop": {"state_dict": {}, "epoch_loop.state_dict": {"_batches_that_stepped": 9}}},
                "callbacks": {"ModelCheckpoint{'monitor': 'val'}": {"best_model_score": torch.tensor(0.5),
                                                                    "best_k_models": {"x.ckpt": torch.tensor(0.5)}}},
                "optimizer_states": [trained.optimizer.state_dict()], "lr_schedulers": [trained.schedule.state_dict()],
                "hparams_name": "kwargs", "hyper_parameters": AttributeDict(lr=0.1, loss=torch.nn.functional.relu)},
               "epoch=3.ckpt")
    saved = path.with_suffix(".ours")
    answer = run("weights", {"path": str(path), "model": "resnet18", "outputs": 3, "save": str(saved)})
    assert "line" in answer, answer
    assert "1 others skipped (criterion.weight)" in answer["line"] and "names without 'model.'" in answer["line"]
    assert_same(load_file(saved), trained.model.state_dict())


class Colour(enum.Enum):
    RED = 1


class Level(enum.IntFlag):
    LOW = 1
    HIGH = 2


@dataclasses.dataclass
class Settings:
    rate: float = 0.1
    sizes: tuple = (1, 2)


Pair = collections.namedtuple("Pair", "a b")


class Slots:
    __slots__ = ("a",)

    def __init__(self):
        self.a = [1]


class ListOfOwn(list):
    pass


class Rebuilt:
    """Reduced to a function with a state, list items and dict items, which few classes have all."""

    def __reduce__(self):
        return AttributeDict, (), {"state": 1}, None, iter([("a", torch.ones(2))])


def odd_values():
    random.seed(3)
    values = {
        "namespace": argparse.Namespace(a=1, b=argparse.Namespace(c=[2])), "simple": types.SimpleNamespace(a={1: 2}),
        "counter": collections.Counter("abca"), "default": collections.defaultdict(list, {"a": [1]}),
        "ordered": collections.OrderedDict(a=collections.OrderedDict(b=1)), "deque": collections.deque([1, 2], 5),
        "chain": collections.ChainMap({"a": 1}), "device": torch.device("cuda", 1), "dtype": torch.bfloat16,
        "size": torch.Size([3, 4]), "layout": torch.strided, "format": torch.channels_last, "set": {1, "a", (2, 3)},
        "empty set": set(), "frozenset": frozenset([1, 2]), "path": pathlib.PosixPath("/a/b"),
        "pure path": pathlib.PureWindowsPath("c:/x"), "scalar": np.float32(1.5), "integer": np.int64(3),
        "array": np.arange(6.0).reshape(2, 3), "strings": np.array(["a", "bc"]), "objects": np.array([{}, None]),
        "numpy dtype": np.dtype("float32"), "date": datetime.datetime(2024, 5, 6, tzinfo=datetime.timezone.utc),
        "delta": datetime.timedelta(1), "enum": Colour.RED, "flag": Level.LOW | Level.HIGH, "settings": Settings(),
        "pair": Pair(1, 2), "slots": Slots(), "own list": ListOfOwn([1, 2]), "own dict": AttributeDict(a=1),
        "rebuilt": Rebuilt(), "decimal": decimal.Decimal("1.5"), "fraction": fractions.Fraction(1, 3), "complex": 1 + 2j,
        "bytes": b"abc", "many bytes": bytes(300), "bytearray": bytearray(b"abc"), "large": 2**200, "negative": -2**70,
        "very large": 1 << 3000, "function": torch.nn.functional.relu, "class": torch.nn.ReLU, "builtin": len,
        "partial": functools.partial(torch.nn.functional.relu, inplace=True), "range": range(3), "slice": slice(1, 2),
        "uuid": uuid.UUID(int=5), "pattern": re.compile("a+"), "random": random.getstate(), "ellipsis": ...,
        "numpy random": np.random.get_state(), "generator": np.random.default_rng(3), "torch random": torch.get_rng_state(),
        "error": ValueError("x"), "module": torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU()),
        "parameter": torch.nn.Parameter(torch.ones(2)), "sparse": torch.ones(2).to_sparse(),
        "complex tensor": torch.ones(2, dtype=torch.complex64), "float8": torch.ones(2).to(torch.float8_e4m3fn),
        "quantised": torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8), "unsigned": torch.ones(2).to(torch.uint16),
        "weights enum": torchvision.models.ResNet18_Weights.DEFAULT, "none": None, "not implemented": NotImplemented,
        "storage": torch.ones(3).untyped_storage(),
    }
    holds_itself = [1]
    holds_itself.append(holds_itself)
    return {**values, "list": holds_itself, 5: "a key that is no text", (1, 2): "another", None: 1}


@pytest.mark.filterwarnings("ignore:Sparse invariant", "ignore:TypedStorage is deprecated")
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_what_is_not_needed_is_skipped(protocol, training, pth):
    """Each kind beside the network, one by one so that none hides another, and then all."""
    values = odd_values()
    if protocol < 4:
        del values["format"]  # Python itself cannot pickle it so
    assert torch.load(pth({"model": values}, pickle_protocol=protocol), weights_only=False)
    for key, value in values.items():
        path = pth({"before": [value], "model": training.model.state_dict(), key: value, "args": {"x": (value,)}},
                   pickle_protocol=protocol)
        answer, ours = reread(path)
        assert answer["wrapper"] == "model", key
        assert_same(ours, training.model.state_dict())
    answer, ours = reread(pth({"odd": values, "model": training.model.state_dict()}, pickle_protocol=protocol))
    assert_same(ours, training.model.state_dict())


def test_omegaconfs_settings_are_skipped(training, pth):
    omegaconf = pytest.importorskip("omegaconf")
    settings = omegaconf.OmegaConf.create({"lr": 0.1, "sizes": [1, 2], "name": "x"})
    _, ours = reread(pth({"cfg": settings, "state_dict": training.model.state_dict()}))
    assert_same(ours, training.model.state_dict())


@pytest.mark.parametrize("keys, note", [
    (["model", "model_ema"], True), (["state_dict", "state_dict_ema"], True), (["net", "ema"], True),
    (["model_state_dict", "ema_state_dict"], True), (["params", "params_ema"], True), (["model", "ema_model"], True),
    (["network", "swa_model"], True), (["module"], False), (["weights"], False), (["generator"], False)])
def test_entries_that_hold_the_network(keys, note, training, pth):
    other = {name: tensor + 1 for name, tensor in training.model.state_dict().items()}
    value = {"epoch": 3, **{key: other for key in keys[:-1]}, keys[-1]: training.model.state_dict()}
    answer, ours = reread(pth(value))
    assert answer["wrapper"] == keys[-1]
    assert answer["wrapper_note"] == (f"the averaged weights, not from '{keys[0]}'" if note else "")
    assert_same(ours, training.model.state_dict())


def test_a_score_beside_an_entry_of_an_unusual_name(training, pth):
    for name in ("generator", "ema"):
        answer, ours = reread(pth({"best": torch.tensor(0.5), name: training.model.state_dict()}))
        assert answer["wrapper"] == name
        assert_same(ours, training.model.state_dict())
    # A mean and a deviation within a network's own dict do not count as another network.
    state = {**training.model.state_dict(), "normalization": {"mean": torch.zeros(1), "std": torch.ones(1)}}
    answer, ours = reread(pth(state))
    assert answer["left_aside"] == ["normalization"]
    assert_same(ours, training.model.state_dict())


def test_an_average_without_the_running_statistics_is_not_taken(training, pth):
    average = {name: parameter.detach() * 2 for name, parameter in training.model.named_parameters()}
    answer, ours = reread(pth({"model": training.model.state_dict(), "ema": {"decay": 0.9, "shadow": average}}))
    assert answer["wrapper"] == "model"
    assert answer["wrapper_note"] == ("the trained weights, because the averaged ones lack 3 of their tensors, "
                                      "not from 'ema.shadow'")
    assert_same(ours, training.model.state_dict())


def test_several_networks_are_named(training, pth):
    state = training.model.state_dict()
    field, problem = refusal(pth({"netG": state, "netD": dict(state)}))
    assert field == "data.pkl" and "several dicts of tensors, 'netG', 'netD'" in problem
    field, problem = refusal(pth({"model": training.model, "epoch": 1}))
    assert "model (it is an object of torch.nn.modules.container.Sequential, not a tensor)" in problem
    assert "torch.save(model.state_dict(), path)" in problem


class Imposter:
    """Pickled as a call of a class of its own with a tensor."""

    def __init__(self, value):
        self.value = value

    def __reduce__(self):
        return Imposter, (self.value,)


class StateDictOfOwn(dict):
    pass


@pytest.mark.parametrize("protocol", [2, 4])
def test_no_unknown_class_yields_a_tensor(protocol, pth):
    one = torch.ones(2)
    answer, ours = reread(pth({"w": one, "v": Imposter(one)}, pickle_protocol=protocol))
    assert list(ours) == ["w"] and answer["left_aside"] == ["v"]
    for value in (StateDictOfOwn(w=one), Imposter({"w": one}), {"model": Imposter({"w": one})}, [one],
                  {"model": StateDictOfOwn(w=one)}, collections.UserDict(w=one)):
        field, _ = refusal(pth(value, pickle_protocol=protocol))
        assert field == "data.pkl"


def test_tensors_with_attributes(pth):
    tagged = torch.ones(2, 3)
    tagged.tag = "a note"
    parameter = torch.nn.Parameter(torch.randn(2))
    parameter.tag = {"a": 1}
    _, ours = reread(pth({"tagged": tagged, "parameter": parameter}))
    assert_same(ours, {"tagged": torch.ones(2, 3), "parameter": parameter.detach()})


def test_expanded_and_empty_tensors(pth, tmp_path):
    base = torch.arange(4.0)
    state = {"expanded": torch.ones(2).expand(3, 2), "scalar": torch.tensor(2.5).expand(4, 5), "unfolded": base.unfold(0, 2, 1),
             "rows": base.reshape(2, 2)[:1].expand(5, 2), "empty": torch.empty(0), "none": torch.empty(3, 0, 2),
             "slice": base[4:], "plain": torch.randn(2)}
    _, ours = reread(pth(state))
    assert_same(ours, state)
    # The empty ones under names before and after others, as safetensors orders them.
    whole = {"a": torch.empty(0, 3), "b": torch.randn(3), "c": torch.empty(0), "d": torch.arange(3), "e": torch.empty(2, 0)}
    save_file(whole, tmp_path / "e.safetensors")
    _, ours = reread(tmp_path / "e.safetensors")
    assert_same(ours, whole)
    _, problem = refusal(pth({"w": torch.ones(1).expand(1 << 12, 1 << 13)}))
    assert "its 33554432 elements share 1 in the file" in problem


LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32\nsize 12345\n"


@pytest.mark.parametrize("content, words", [
    (LFS, ["Git LFS pointer", "git lfs pull"]), ("<!DOCTYPE html>\n<html><body>404</body></html>", ["web page", "download"]),
    ("\n<html>\n<head><title>Sign in", ["web page"]), ("", ["empty"]), ('{"weight_map": {"a": "b"}}', ["JSON"]),
    ("Entry not found, or access denied", ["text"])], ids=["lfs", "html", "indented html", "empty", "json", "text"])
@pytest.mark.parametrize("name", ["net.pth", "model.safetensors", "weights.bin"])
def test_files_that_are_something_else(name, content, words, tmp_path):
    (tmp_path / name).write_text(content)
    for request in ({}, {"model": "resnet18"}):
        field, problem = refusal(tmp_path / name, **request)
        assert field == "file" and all(word in problem for word in words), problem
