"""Every model against torchvision's: names, initial values, logits, gradients and running statistics."""
import copy

import pytest
import torch
from torch import nn

from reference_models import NAMES, ask, copy_state, leave_trivial_values, make_batch, make_reference, pass_through

TOLERANCE = 1e-4


def assert_near(ours, reference, what, tolerance=TOLERANCE, floor=1.0):
    """Within `tolerance` of the reference's largest value, or of `floor` where that is larger."""
    difference = (ours.double() - reference.double()).abs().max().item()
    scale = max(floor, reference.double().abs().max().item())
    assert difference <= tolerance * scale, f"{what}: {difference} at scale {scale}"


def assert_trained_alike(ours, model, logits, tolerance):
    """Logits, gradients and running statistics after a training pass that `model` has just been through."""
    assert_near(ours.logits, logits, "logits", tolerance)
    reference = {key: parameter.grad for key, parameter in model.named_parameters()}
    gradients = ours.group("gradient.")
    assert gradients.keys() == reference.keys()
    # A bias whose every path ends in a batch norm has a gradient of 0 but for the rounding.
    floor = 1e-3 * max(gradient.abs().max().item() for gradient in reference.values())
    for key, gradient in gradients.items():
        assert_near(gradient, reference[key], f"gradient of {key}", tolerance, floor)
    state = ours.group("state.")
    assert state.keys() == model.state_dict().keys()
    for key, tensor in model.state_dict().items():
        assert_near(state[key], tensor, key, tolerance, floor=1e-3)


def assert_passes_alike(folder, name, outputs=1000, in_channels=3, activation="silu", dtype=torch.float32,
                        tolerance=TOLERANCE, channels_last=False, **options):
    model = make_reference(name, outputs, in_channels, activation).to(dtype)
    batch = make_batch(in_channels, outputs=outputs)
    batch["images"] = batch["images"].to(dtype)
    leave_trivial_values(model, batch["images"])
    options |= dict(outputs=outputs, in_channels=in_channels, activation=activation, channels_last=channels_last,
                    dtype=str(dtype).removeprefix("torch."), batch=batch, state=copy_state(model))
    if channels_last:
        model.to(memory_format=torch.channels_last)
        batch = {**batch, "images": batch["images"].to(memory_format=torch.channels_last)}
    validation = ask(folder, name, train=False, **options)
    logits = pass_through(model, batch, train=False)
    assert validation.logits.shape == (len(batch["images"]), outputs)
    assert 0.1 < logits.std() < 30  # neither vanished nor exploded: logits that can be compared
    assert_near(validation.logits, logits, "logits in evaluation mode", tolerance)
    training = ask(folder, name, train=True, **options)
    assert_trained_alike(training, model, pass_through(model, batch, train=True), tolerance)


@pytest.mark.parametrize("name", NAMES)
def test_names_shapes_and_initial_values_are_torchvisions(name, tmp_path):
    reference = make_reference(name)
    ours = ask(tmp_path, name)
    assert ours.record["parameters"] == [key for key, _ in reference.named_parameters()]
    assert ours.record["parameter_count"] == sum(parameter.numel() for parameter in reference.parameters())
    expected = reference.state_dict()
    state = ours.group("state.")
    assert state.keys() == expected.keys()
    for key, tensor in state.items():
        assert tensor.dtype == expected[key].dtype
        assert torch.equal(tensor, expected[key]), key  # the same random numbers, drawn in the same order
    assert isinstance(reference.get_submodule(ours.record["stem"]), nn.Conv2d)
    assert isinstance(reference.get_submodule(ours.record["head"]), nn.Linear)


@pytest.mark.parametrize("name", NAMES)
def test_passes_are_torchvisions(name, tmp_path):
    assert_passes_alike(tmp_path, name)


@pytest.mark.parametrize("name", ["cnn", "resnet18", "resnet50", "efficientnet-b0"])
def test_grey_images_and_10_classes_in_channels_last(name, tmp_path):
    assert_passes_alike(tmp_path, name, outputs=10, in_channels=1, channels_last=True)


def relative_distance(tensors, reference):
    """The Euclidean norm of all differences, over that of the reference."""
    difference = sum((tensors[key].double() - value).square().sum() for key, value in reference.items())
    return (difference / sum(value.square().sum() for value in reference.values())).sqrt().item()


# Where a value beside 0 falls on the other side of a ReLU, a whole path's gradient comes or goes: luck, in any float32.
@pytest.mark.parametrize("name, luck", [("cnn", 5e-3), ("resnet18", 5e-3), ("resnet50", 5e-3), ("efficientnet-b0", 0)])
def test_kernels_of_our_own_are_as_near_to_float64_as_pytorchs(name, luck, tmp_path):
    model = make_reference(name, outputs=10)
    batch = make_batch(outputs=10)
    leave_trivial_values(model, batch["images"])
    ours = ask(tmp_path, name, outputs=10, batch=batch, state=copy_state(model), train=True, channels_last=True,
               own_kernels=True)
    exact = copy.deepcopy(model).double()
    exact_logits = {"logits": pass_through(exact, {**batch, "images": batch["images"].double()}, train=True)}
    exact_gradients = {key: parameter.grad for key, parameter in exact.named_parameters()}
    logits = pass_through(model.to(memory_format=torch.channels_last), batch, train=True)
    gradients = {key: parameter.grad for key, parameter in model.named_parameters()}
    reached = relative_distance({"logits": logits}, exact_logits)
    assert relative_distance({"logits": ours.logits}, exact_logits) <= 2 * reached + 1e-6
    reached = relative_distance(gradients, exact_gradients)
    assert relative_distance(ours.group("gradient."), exact_gradients) <= 2 * reached + 1e-5 + luck
    for key, tensor in exact.state_dict().items():
        assert_near(ours.group("state.")[key], tensor, key, floor=1e-3)


# In float64, where other sums in another order make no difference that could hide an error.
@pytest.mark.parametrize("squeeze_excite", ["transformed", "textbook"])
@pytest.mark.parametrize("activation", ["silu", "relu6"])
def test_efficientnets_choices_are_torchvisions_function(activation, squeeze_excite, tmp_path):
    assert_passes_alike(tmp_path, "efficientnet-b0", outputs=10, activation=activation, squeeze_excite=squeeze_excite,
                        dtype=torch.float64, tolerance=1e-9)


def test_textbook_squeeze_excite_in_float32(tmp_path):
    assert_passes_alike(tmp_path, "efficientnet-b0", squeeze_excite="textbook")


def test_textbook_squeeze_excite_takes_the_transformeds_state(tmp_path):
    transformed = ask(tmp_path, "efficientnet-b2", outputs=2, squeeze_excite="transformed")
    textbook = ask(tmp_path, "efficientnet-b2", outputs=2, squeeze_excite="textbook")
    assert transformed.record == textbook.record
    assert transformed.tensors.keys() == textbook.tensors.keys()
    for key, tensor in transformed.tensors.items():
        assert torch.equal(tensor, textbook.tensors[key]), key
