"""Weights that torch.save and safetensors wrote, through our reader and writer, and back into torchvision's models."""
import argparse
import collections
import os
import random
import sys
import zipfile

import pytest
import torch
import torchvision
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from driver import run

MODELS = {"resnet18": "resnet18", "efficientnet-b0": "efficientnet_b0"}
DTYPES = [torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16,
          torch.int8, torch.uint8, torch.bool]


def make_state(name, **options):
    """A state_dict in which every tensor has values of its own."""
    generator = torch.Generator().manual_seed(11)
    state = torchvision.models.get_model(MODELS.get(name, name), weights=None, **options).state_dict()
    for key, tensor in state.items():
        if tensor.is_floating_point():
            tensor.normal_(generator=generator)
        else:
            tensor.random_(0, 1000, generator=generator)
    return state


def assert_same(ours, expected):
    assert ours.keys() == expected.keys()
    for key, tensor in expected.items():
        assert ours[key].dtype == tensor.dtype and ours[key].shape == tensor.shape, key
        assert torch.equal(ours[key], tensor), key


def assert_refused(path, field, problem, **request):
    answer = run("weights", {"path": str(path), **request})
    assert "problem" in answer, f"it was read: {answer}"
    assert (answer["field"], problem in answer["problem"]) == (field, True), answer


def reread(path, tmp_path):
    """The tensors of a file after our reader and our writer."""
    answer = run("weights", {"path": str(path), "save": str(tmp_path / "rewritten.safetensors")})
    assert "dtypes" in answer, answer
    return answer, load_file(tmp_path / "rewritten.safetensors")


@pytest.fixture
def pth(tmp_path):
    def save(value, **options):
        torch.save(value, tmp_path / "net.pth", **options)
        return tmp_path / "net.pth"

    return save


@pytest.mark.parametrize("form", ["pth", "safetensors"])
@pytest.mark.parametrize("name", MODELS)
def test_a_models_weights_survive_bit_for_bit(name, form, tmp_path):
    state = make_state(name)
    path = tmp_path / f"net.{form}"
    (torch.save if form == "pth" else save_file)(state, path)
    saved = tmp_path / "ours.safetensors"
    answer = run("weights", {"path": str(path), "model": name, "save": str(saved), "channels_last": True})
    assert answer["line"] == f"net.{form}: {len(state)} tensors loaded"
    assert_same(load_file(saved), state)
    torchvision.models.get_model(MODELS[name], weights=None).load_state_dict(load_file(saved), strict=True)
    with safe_open(saved, "pt") as file:
        assert file.metadata() == {"format": "pt"}


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_the_format_before_pytorch_1_6(dtype, pth, tmp_path):
    shared = torch.arange(6).to(dtype)
    state = {"whole": shared, "end": shared[4:], "other": torch.randn(2, 3).t(), "empty": torch.empty(0), "one": torch.tensor(3)}
    checkpoint = {"state_dict": state, "args": argparse.Namespace(a=1), "optimizer": {"x": torch.ones(3)}}
    answer, ours = reread(pth(checkpoint, _use_new_zipfile_serialization=False), tmp_path)
    assert answer["wrapper"] == "state_dict"
    assert_same(ours, state)


def test_a_damaged_file_of_the_format_before_is_read_as_it_was_or_refused(pth):
    state = {"a": torch.arange(12.0).reshape(3, 4), "b": torch.tensor(3), "c": torch.ones(5).half()}
    whole = pth(state, _use_new_zipfile_serialization=False).read_bytes()
    chance = random.Random(3)
    descriptor = os.memfd_create("net.pth")
    refused = 0
    for size in [*range(0, len(whole), 7), *[len(whole)] * 500]:
        changed = bytearray(whole[:size])
        for _ in range(chance.randint(1, 3) if size == len(whole) else 0):
            changed[chance.randrange(size)] = chance.choice([0, 1, 127, 128, 255, chance.randrange(256)])
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, changed, 0)
        answer = run("weights", {"path": f"/proc/{os.getpid()}/fd/{descriptor}"})
        assert "dtypes" in answer or (answer["field"] and answer["problem"])
        refused += "problem" in answer
        assert size == len(whole) or "problem" in answer
    os.close(descriptor)
    assert refused > len(whole) // 7


@pytest.mark.parametrize("protocol", [1, 2, 3, 4, 5])
def test_pickle_protocols(protocol, pth, tmp_path):
    state = {"a": torch.randn(3, 4), "b": torch.tensor(5)}
    _, ours = reread(pth(state, pickle_protocol=protocol), tmp_path)
    assert_same(ours, state)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("form", ["pth", "safetensors"])
def test_dtypes(dtype, form, tmp_path):
    values = torch.tensor([[0, 1, 2], [100, 127, 3]]).to(dtype)
    state = {"t": values, "scalar": values[1, 2].clone(), "one": values[:1, :1].clone()}
    path = tmp_path / f"net.{form}"
    (torch.save if form == "pth" else save_file)(state, path)
    assert_same(reread(path, tmp_path)[1], state)


def test_views_parameters_and_shared_storages(pth, tmp_path):
    base = torch.randn(4, 6)
    parameter = torch.nn.Parameter(torch.randn(2, 3))
    annotated = torch.nn.Parameter(torch.randn(2))
    annotated.comment = "has a state of its own"
    state = {"whole": base, "rows": base[1:3], "columns": base[:, ::2], "transposed": base.t(), "parameter": parameter,
             "annotated": annotated, "channels_last": torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last)}
    _, ours = reread(pth(state), tmp_path)
    assert_same(ours, {key: tensor.detach() for key, tensor in state.items()})


def test_a_file_without_checksums(pth, tmp_path):
    state = {"a": torch.randn(3, 4)}
    before = torch.serialization.get_crc32_options()
    torch.serialization.set_crc32_options(False)
    try:
        path = pth(state)
    finally:
        torch.serialization.set_crc32_options(before)
    assert_same(reread(path, tmp_path)[1], state)


def make_training():
    model = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2))
    optimizer = torch.optim.AdamW(model.parameters(), betas=(0.8, 0.99))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 10)
    model(torch.randn(2, 1, 5, 5)).sum().backward()
    optimizer.step()
    schedule.step()
    return model, optimizer, schedule


def test_training_checkpoints(pth, tmp_path):
    model, optimizer, schedule = make_training()
    around = {"epoch": 3, "best": 0.5, "optimizer": optimizer.state_dict(), "lr_scheduler": schedule.state_dict(),
              "scaler": torch.amp.GradScaler("cpu").state_dict(), "note": "déjà vu", "args": None}
    for key in ("state_dict", "model", "model_state_dict"):
        answer, ours = reread(pth({**around, key: model.state_dict()}), tmp_path)
        assert answer["wrapper"] == key
        assert_same(ours, model.state_dict())


def test_averaged_weights_of_a_parallel_model(pth, tmp_path):
    model, _, _ = make_training()
    averaged = torch.optim.swa_utils.AveragedModel(model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.9))
    averaged.update_parameters(model)
    with torch.no_grad():
        model[0].weight.mul_(2)
    averaged.update_parameters(model)
    parallel = torch.nn.DataParallel(model)
    answer, ours = reread(pth({"model": parallel.state_dict(), "model_ema": averaged.state_dict()}), tmp_path)
    assert (answer["wrapper"], answer["prefix"]) == ("model_ema", "module.")
    assert_same(ours, averaged.module.state_dict())
    answer, ours = reread(pth(parallel.state_dict()), tmp_path)
    assert answer["prefix"] == "module."
    assert_same(ours, model.state_dict())


class Trap:
    """An object whose unpickling calls a function."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("function, name", [(os.system, "posix.system"), (eval, "eval"), (getattr, "getattr"),
                                            (torch.load, "torch.serialization.load")])
def test_a_pickle_that_would_run_code_is_refused_by_name(function, name, protocol, pth, tmp_path):
    mark = tmp_path / "it ran"
    trap = Trap(function, f"touch '{mark}'")
    for value in ({"w": torch.ones(2), "trap": trap}, {"state_dict": {"w": torch.ones(2)}, "args": trap}, trap):
        module = "__builtin__." if protocol == 2 and function is not getattr else "builtins."
        full = name if "." in name else module + name
        assert_refused(pth(value, pickle_protocol=protocol), "data.pkl", f"{full} is not allowed, since unpickling")
    assert not mark.exists()


@pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")
def test_what_is_not_a_state_dict_is_refused_by_name(pth, tmp_path, monkeypatch):
    state = {"w": torch.ones(2)}
    assert_refused(pth(torch.nn.Linear(2, 2)), "data.pkl", "it is an object of torch.nn.modules.linear.Linear")
    whole = {"v": torch.ones(2)}
    assert_refused(pth({"w": torch.ones(2).to_sparse(), **whole}), "w", "a sparse tensor (torch._utils._rebuild_sparse")
    quantised = torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8)
    assert_refused(pth({"w": quantised, **whole}), "w", "a quantised tensor (torch._utils._rebuild_qtensor)")
    assert_refused(pth({"w": torch.ones(2, dtype=torch.complex64), **whole}), "w", "torch.ComplexFloatStorage")
    assert_refused(pth({"w": torch.ones(2, dtype=torch.complex64)}), "data.pkl", "torch.ComplexFloatStorage")
    negated = torch.randn(2, dtype=torch.complex64).conj().imag  # read with a minus before it
    assert negated.is_neg()
    assert_refused(pth({"w": negated}), "data.pkl", "a tensor in it has metadata, which is not allowed")
    assert_refused(pth([torch.ones(2)]), "data.pkl", "it holds no dict of tensors")
    assert_refused(pth({"epoch": 1, "optimizer": state}), "data.pkl", "it has epoch, optimizer; save the weights alone")
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), tmp_path / "script.pt")
    assert_refused(tmp_path / "script.pt", "constants.pkl", "it is a TorchScript archive")
    deflated = zipfile.ZipFile(tmp_path / "deflated.pth", "w", zipfile.ZIP_DEFLATED)
    with zipfile.ZipFile(pth(state)) as stored, deflated:
        for name in stored.namelist():
            deflated.writestr(name, stored.read(name))
    assert_refused(tmp_path / "deflated.pth", "net/byteorder", "it is compressed (method 8)")
    monkeypatch.setattr(sys, "byteorder", "big")
    assert_refused(pth(state), "byteorder", "it is 'big'; only little-endian files can be read")


def test_a_truncated_file_is_refused(pth, tmp_path):
    whole = pth({"w": torch.randn(1000)}).read_bytes()
    path = tmp_path / "cut.pth"
    for size in [1, 4, 100, 1000, len(whole) // 2, len(whole) - 1]:
        path.write_bytes(whole[:size])
        answer = run("weights", {"path": str(path)})
        assert answer["field"] in ("file", "zip directory"), answer


def test_a_changed_file_is_read_as_it_was_or_refused(pth):
    """Every change of what torch.save wrote either does not touch the tensors, or is noticed."""
    state = collections.OrderedDict(a=torch.arange(12.0).reshape(3, 4), b=torch.tensor(3), c=torch.ones(5).half())
    whole = pth({"model": state, "epoch": 3}).read_bytes()
    chance = random.Random(3)
    descriptor = os.memfd_create("net.pth")
    read = 0
    times = 1500
    for _ in range(times):
        changed = bytearray(whole)
        for _ in range(chance.randint(1, 3)):
            changed[chance.randrange(len(changed))] = chance.choice([0, 1, 127, 128, 255, chance.randrange(256)])
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, changed, 0)
        answer = run("weights", {"path": f"/proc/{os.getpid()}/fd/{descriptor}"})
        if "dtypes" in answer:
            read += 1
            assert answer["dtypes"] == {"a": "Float", "b": "Long", "c": "Half"}
        else:
            assert answer["field"] and answer["problem"]
    os.close(descriptor)
    assert times / 50 < read < times * 0.9


def test_grey_images_take_the_sum_of_the_colours(tmp_path, pth):
    state = make_state("resnet18")
    saved = tmp_path / "ours.safetensors"
    answer = run("weights", {"path": str(pth(state)), "model": "resnet18", "in_channels": 1, "save": str(saved)})
    assert answer["stem"] == "conv1 adapted from 3 channels to 1: summed over the channels"
    ours = load_file(saved)
    torch.testing.assert_close(ours["conv1.weight"], state["conv1.weight"].sum(1, keepdim=True), rtol=1e-6, atol=1e-6)
    grey = torch.nn.functional.conv2d(torch.ones(1, 1, 9, 9), ours["conv1.weight"])
    colours = torch.nn.functional.conv2d(torch.ones(1, 3, 9, 9), state["conv1.weight"])
    torch.testing.assert_close(grey, colours, rtol=1e-5, atol=1e-5)


def test_half_precision_weights_are_converted(pth, tmp_path):
    state = make_state("resnet18")
    half = {key: tensor.half() if tensor.is_floating_point() else tensor for key, tensor in state.items()}
    saved = tmp_path / "ours.safetensors"
    answer = run("weights", {"path": str(pth(half)), "model": "resnet18", "save": str(saved)})
    floats = sum(tensor.is_floating_point() for tensor in state.values())
    assert answer["converted"] == [f"{floats} tensors from float16 to float32"]
    assert_same(load_file(saved), {key: tensor.to(state[key].dtype) for key, tensor in half.items()})


def test_a_head_of_other_classes_is_left_out(pth):
    path = pth(make_state("efficientnet-b0", num_classes=10))
    answer = run("weights", {"path": str(path), "model": "efficientnet-b0", "outputs": 2})
    assert answer["head"] == "head classifier.1 left out: 10 classes in the file, 2 here"
    assert_refused(path, "classifier.1.weight", "10 classes in the file, 2 here", model="efficientnet-b0", outputs=2,
                   require_head=True)


def test_another_network_is_refused(pth):
    assert_refused(pth(make_state("resnet34")), "layer1.2.bn1.bias",
                   "the file is of another network: it has 96 tensors", model="resnet18")
    assert_refused(pth(make_state("resnet18")), "layer1.0.bn3.bias", "it lacks 165 tensors", model="resnet50")
