"""timm's EfficientNets: their names, and their batch norm's epsilon and padding, which differ from torchvision's."""
import functools
import hashlib
import types

import pytest
import torch
import torchvision
from safetensors.torch import load_file, save_file
from torch import nn

from driver import run
from models_parity_test import assert_trained_alike
from reference_models import ask, copy_state, leave_trivial_values, make_batch, pass_through, replace_modules

# The blocks of each stage, and the SHA-256 of "\n".join(timm.create_model(NAME).state_dict()) with timm 1.0.31.
TIMM = {"efficientnet_b0": ([1, 2, 2, 3, 3, 4, 1], "077a5b875f1cc00af85dc0b5e2a10f52b56a0759319861592debaaa2d2318942"),
        "efficientnet_b4": ([2, 4, 4, 6, 6, 8, 2], "026d5db6f13e34357365a213cd2d9ded5f34b824d81109833fb39067ae9d01fe")}


def make_timm_names(blocks):
    """The names of timm's EfficientNet in its order."""
    separable = ["conv_dw", "bn1", "se.conv_reduce", "se.conv_expand", "conv_pw", "bn2"]
    inverted = ["conv_pw", "bn1", "conv_dw", "bn2", "se.conv_reduce", "se.conv_expand", "conv_pwl", "bn3"]
    modules = ["conv_stem", "bn1"]
    for stage, count in enumerate(blocks):
        modules += [f"blocks.{stage}.{i}.{part}" for i in range(count) for part in (inverted if stage else separable)]
    modules += ["conv_head", "bn2", "classifier"]
    for module in modules:
        yield f"{module}.weight"
        is_norm = module.split(".")[-1].startswith("bn")
        if is_norm or ".se." in module or module == "classifier":
            yield f"{module}.bias"
        if is_norm:
            yield from (f"{module}.{buffer}" for buffer in ("running_mean", "running_var", "num_batches_tracked"))


@pytest.mark.parametrize("name", TIMM)
def test_timms_names(name, tmp_path):
    blocks, digest = TIMM[name]
    names = list(make_timm_names(blocks))
    assert hashlib.sha256("\n".join(names).encode()).hexdigest() == digest
    state = torchvision.models.get_model(name, weights=None).state_dict()
    for tensor in state.values():
        tensor.copy_(torch.randn(tensor.shape) if tensor.is_floating_point() else torch.tensor(7))
    # Both have the same modules in the same order.
    timm_state = dict(zip(names, state.values(), strict=True))
    path, saved = tmp_path / "net.safetensors", tmp_path / "ours.safetensors"
    save_file(timm_state, path)
    answer = run("weights", {"path": str(path), "model": name.replace("_", "-"), "save": str(saved)})
    assert answer["names_from_timm"]
    ours = load_file(saved)
    assert ours.keys() == state.keys() and all(torch.equal(ours[key], tensor) for key, tensor in state.items())


class SamePadding(nn.Conv2d):
    """TensorFlow's: https://www.tensorflow.org/api_docs/python/tf/nn#same_padding_2"""

    def forward(self, images):
        pads = []
        for size, kernel, stride in zip(images.shape[:1:-1], self.kernel_size[::-1], self.stride[::-1]):
            total = max(kernel - stride if size % stride == 0 else kernel - size % stride, 0)
            pads += [total // 2, total - total // 2]
        return nn.functional.conv2d(nn.functional.pad(images, pads), self.weight, self.bias, self.stride, 0,
                                    groups=self.groups)


def to_same_padding(old):
    if isinstance(old, SamePadding):
        return old
    new = SamePadding(old.in_channels, old.out_channels, old.kernel_size, old.stride, groups=old.groups,
                      bias=old.bias is not None)
    new.load_state_dict(old.state_dict())
    return new


BLOCKS = {"efficientnet_b0": [1, 2, 2, 3, 3, 4, 1], "efficientnet_b5": [3, 5, 5, 7, 7, 9, 3]}


def set_details(model, epsilon, same_padding):
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eps = epsilon
    if same_padding:
        replace_modules(model, nn.Conv2d, to_same_padding)
    return model


@functools.cache
def make_network(name, epsilon, same_padding):
    """torchvision's network with other details, whose running statistics are those of some images."""
    torch.manual_seed(4)
    model = set_details(torchvision.models.get_model(name, num_classes=7), epsilon, same_padding)
    images = make_batch()["images"][:, :, :, 1:].contiguous()  # an even side and an odd one, which are padded differently
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.Conv2d) and module.bias is None:
                module.weight.mul_(0.2)  # the variances are small, so that their epsilon counts
    leave_trivial_values(model, images)
    with torch.no_grad():
        logits = model.eval()(images)
    assert logits.std() > 0.1 and logits.std(0).min() > 0.01
    return types.SimpleNamespace(model=model, images=images, logits=logits, timm_state=dict(
        zip(make_timm_names(BLOCKS[name]), model.state_dict().values(), strict=True)))


def ask_for_logits(path, name, images, tmp_path):
    save_file({"images": images}, tmp_path / "images.safetensors")
    answer = run("weights", {"path": str(path), "model": name.replace("_", "-"), "outputs": 7,
                             "images": str(tmp_path / "images.safetensors"), "logits": str(tmp_path / "logits")})
    assert "line" in answer, answer
    return answer, load_file(tmp_path / "logits")["logits"]


def assert_near(ours, expected):
    torch.testing.assert_close(ours, expected, rtol=1e-3, atol=1e-3 * expected.abs().max().item())


DETAILS = {"efficientnet_b0": (1e-5, False), "tf_efficientnet_b0": (1e-3, True), "efficientnet_b5": (1e-5, False),
           "tf_efficientnet_b5": (1e-3, True)}


def network_of(name):
    return make_network(name.removeprefix("tf_"), *DETAILS[name])


@pytest.mark.parametrize("folder", ["", "models--timm--{}.x_in1k/snapshots/0a1b", "models--timm--{}.x_in1k/blobs"])
@pytest.mark.parametrize("name", DETAILS)
def test_the_origins_epsilon_and_padding(name, folder, tmp_path):
    network = network_of(name)
    path = tmp_path / folder.format(name) / ("0a1b2c" if "blobs" in folder else "model.safetensors" if folder
                                             else f"{name}.safetensors")
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(network.timm_state, path)
    answer, ours = ask_for_logits(path, name.removeprefix("tf_"), network.images, tmp_path)
    assert answer["origin"] == ("timm-tf" if name.startswith("tf_") else "timm") and not answer["warnings"]
    assert_near(ours, network.logits)


@pytest.mark.parametrize("own_kernels", [False, True])
def test_training_with_tensorflows_details(own_kernels, tmp_path):
    network = network_of("tf_efficientnet_b0")
    model = set_details(torchvision.models.efficientnet_b0(num_classes=7), *DETAILS["tf_efficientnet_b0"])
    model.load_state_dict(network.model.state_dict())
    model.to(memory_format=torch.channels_last)
    batch = {"images": network.images, "labels": torch.tensor([0, 3, 6, 2])}
    ours = ask(tmp_path, "efficientnet-b0", 7, train=True, origin="timm-tf", own_kernels=own_kernels, channels_last=True,
               batch=batch, state=copy_state(model))
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            assert module.momentum == 0.1
    batch["images"] = batch["images"].to(memory_format=torch.channels_last)
    assert_trained_alike(ours, model, pass_through(model, batch, train=True), 1e-3)


@pytest.mark.parametrize("name", ["tf_efficientnet_b0", "efficientnet_b5"])
def test_the_details_are_told_apart(name):
    """That the tests above can fail."""
    network = network_of(name)
    epsilon, same_padding = DETAILS[name]
    for other in ((1e-3 if epsilon == 1e-5 else 1e-5, same_padding), (epsilon, not same_padding)):
        model = set_details(torchvision.models.get_model(name.removeprefix("tf_"), num_classes=7), *other)
        model.load_state_dict(network.model.state_dict())
        with torch.no_grad():
            logits = model.eval()(network.images)
        assert not (logits - network.logits).abs().max() < 0.02 * network.logits.std()


@pytest.mark.parametrize("name", DETAILS)
def test_timm_says_the_same(name, tmp_path):
    timm = pytest.importorskip("timm")
    network = network_of(name)
    model = timm.create_model(name, num_classes=7)
    model.load_state_dict(network.timm_state)
    # As timm's training script saves it: "arch" tells the origin.
    path = tmp_path / "model_best.pth.tar"
    torch.save({"arch": name, "epoch": 1, "state_dict": model.state_dict()}, path)
    answer, ours = ask_for_logits(path, name.removeprefix("tf_"), network.images, tmp_path)
    assert not answer["warnings"]
    with torch.no_grad():
        assert_near(ours, model.eval()(network.images))


def test_a_file_that_does_not_tell_is_warned_of(tmp_path):
    network = network_of("efficientnet_b5")
    save_file(network.timm_state, tmp_path / "weights.safetensors")
    answer, ours = ask_for_logits(tmp_path / "weights.safetensors", "efficientnet_b5", network.images, tmp_path)
    (warning,) = answer["warnings"]
    assert "batch norm epsilon 1e-05" in warning and "tf_efficientnet" in warning
    assert_near(ours, network.logits)
