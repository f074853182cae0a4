"""Our CPU kernels against PyTorch in float64, and against what PyTorch's own kernels make of the same values."""
import functools

import pytest
import torch
import torch.nn.functional as F

from convolutions import convolve, random_tensors
from driver import decode, encode, run

HALVES = {"bfloat16": torch.bfloat16, "float16": torch.float16}
DTYPES = {**HALVES, "float32": torch.float32}
RESULTS = ("output", "input_gradient", "weight_gradient", "bias_gradient")
# The instructions that this machine has; "none" is the framework.
INSTRUCTIONS = ["auto", "avx2"]


@functools.cache
def available(instructions):
    try:
        with open("/proc/cpuinfo") as file:
            flags = file.read()
    except FileNotFoundError:
        return False
    return instructions == "auto" or instructions in flags


def case(channels, height, width, kernel, stride=1, padding=None, batch=2, bias=False, channels_last=True, dilation=1):
    padding = kernel // 2 if padding is None else padding
    pair = lambda value: list(value) if isinstance(value, tuple) else [value, value]
    return dict(input_shape=(batch, channels, height, width), weight_shape=(channels, 1, *pair(kernel)), stride=pair(stride),
                padding=pair(padding), dilation=pair(dilation), groups=channels, bias=bias, channels_last=channels_last)


OWN = {
    "3x3": case(32, 12, 14, 3),
    "3x3 stride 2": case(32, 13, 15, 3, stride=2),
    "3x3 stride 2, even": case(16, 12, 14, 3, stride=2),
    "5x5": case(40, 9, 11, 5),
    "5x5 stride 2": case(40, 15, 13, 5, stride=2),
    "5x5 stride 2, even": case(24, 14, 12, 5, stride=2),
    "no padding": case(17, 8, 9, 3, padding=0),
    "no padding, 5x5 stride 2": case(17, 11, 12, 5, stride=2, padding=0),
    "padding 1 under 5x5, stride 2": case(8, 11, 12, 5, stride=2, padding=1),
    "much padding": case(8, 6, 7, 3, padding=(4, 5)),
    "much padding, stride 2": case(8, 6, 7, 5, stride=2, padding=(6, 7)),
    "uneven padding": case(7, 10, 9, 5, padding=(0, 3)),
    "2 channels": case(2, 9, 9, 3),
    "7 channels": case(7, 9, 9, 3, stride=2),
    "33 channels": case(33, 7, 7, 5),
    "96 channels": case(96, 10, 10, 3, stride=2),
    "1152 channels": case(1152, 7, 7, 5, batch=1),
    "one pixel": case(8, 1, 1, 3),
    "one column": case(8, 9, 1, 3, stride=2),
    "narrower than the filter": case(8, 3, 2, 5),
    "wide": case(8, 3, 70, 5, stride=2, batch=1),
    "batch of one, bias": case(48, 9, 10, 3, batch=1, bias=True),
    "batch of five, bias": case(20, 8, 8, 5, stride=2, batch=5, bias=True),
}
FRAMEWORKS = {  # what our kernels leave to the framework
    "one channel": case(1, 9, 9, 3),
    "not channels_last": case(16, 9, 9, 3, channels_last=False),
    "7x7": case(16, 12, 12, 7),
    "1x1": case(16, 6, 6, 1),
    "3x5": case(16, 9, 9, (3, 5), padding=(1, 2)),
    "stride 3": case(16, 11, 11, 3, stride=3),
    "two strides": case(16, 11, 11, 3, stride=(1, 2)),
    "dilation": case(16, 11, 11, 3, padding=2, dilation=2),
}


def random_case(spec, dtype):
    return random_tensors(spec, dtype, torch.float64, seed=5)


def ask(spec, tensors, dtype, depthwise, **environment):
    payload = {**spec, **{name: encode(tensor) for name, tensor in tensors.items()}}
    return run("kernels", {**payload, "command": "convolve", "dtype": dtype, "depthwise": depthwise}, **environment)


def assert_near(ours, exact, peers, dtype):
    """Within half a unit of the exact value, but for float32's sums; and no farther than PyTorch's own kernel."""
    epsilon = torch.finfo(DTYPES[dtype]).eps
    for name in RESULTS:
        if exact[name] is None:
            assert ours[name] is None
            continue
        actual = decode(ours[name])
        scale = exact[name].abs().max().item()
        torch.testing.assert_close(actual, exact[name], rtol=0.5 * epsilon, atol=3e-6 * scale + 1e-7, msg=lambda m: f"{name}: {m}")
        error = (actual - exact[name]).square().mean().sqrt().item()
        theirs = (peers[name].double() - exact[name]).square().mean().sqrt().item()
        assert error <= 1.02 * theirs + 3e-7 * scale, name


@pytest.mark.parametrize("instructions", INSTRUCTIONS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", OWN)
def test_depthwise_is_as_near_to_float64_as_can_be(name, dtype, instructions):
    assert available(instructions), f"this machine has no {instructions}"
    spec = OWN[name]
    tensors = random_case(spec, DTYPES[dtype])
    answer = ask(spec, tensors, dtype, "auto", MPBENCH_KERNELS=instructions)
    assert answer["label"] in (("avx512", "avx2") if instructions == "auto" else (instructions,))
    assert answer["channels_last"]
    assert_near(answer, convolve(spec, tensors, torch.float64), convolve(spec, tensors, DTYPES[dtype]), dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("depthwise", ["auto", "framework"])
@pytest.mark.parametrize("name", [*FRAMEWORKS, "3x3", "5x5 stride 2"])
def test_what_is_not_ours_is_exactly_the_frameworks(name, depthwise, dtype):
    spec = {**OWN, **FRAMEWORKS}[name]
    if name in OWN and depthwise == "auto":
        depthwise = "framework"
    tensors = random_case(spec, DTYPES[dtype])
    answer = ask(spec, tensors, dtype, depthwise)
    reference = convolve(spec, tensors, DTYPES[dtype])
    for key in RESULTS:
        assert (answer[key] is None) == (reference[key] is None)
        if reference[key] is not None:
            assert torch.equal(decode(answer[key], DTYPES[dtype]), reference[key]), key


@pytest.mark.parametrize("name", ["3x3", "5x5 stride 2"])
def test_without_our_instructions_it_is_the_frameworks(name):
    tensors = random_case(OWN[name], torch.bfloat16)
    answer = ask(OWN[name], tensors, "bfloat16", "auto", MPBENCH_KERNELS="none")
    assert answer["label"] == "framework"
    reference = convolve(OWN[name], tensors, torch.bfloat16)
    for key in RESULTS[:3]:
        assert torch.equal(decode(answer[key], torch.bfloat16), reference[key]), key


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("name", [*FRAMEWORKS, "3x3 stride 2", "batch of one, bias"])
def test_fp32_is_float32_rounded_once(name, dtype):
    spec = {**OWN, **FRAMEWORKS}[name]
    tensors = random_case(spec, DTYPES[dtype])
    answer = ask(spec, tensors, dtype, "fp32")
    if name == "one channel":
        return  # not depthwise: the framework's, in its own type
    reference = convolve(spec, tensors, torch.float32)
    for key in RESULTS:
        if reference[key] is not None:
            expected = reference[key].to(DTYPES[dtype])
            assert torch.equal(decode(answer[key], DTYPES[dtype]), expected), key


ACTIVATIONS = {"none": lambda z: z, "relu": F.relu, "relu6": F.relu6, "silu": F.silu}
SHAPES = {
    "small": (2, 8, 5, 7),
    "one channel": (3, 1, 6, 5),
    "7 channels": (2, 7, 5, 5),
    "17 channels": (2, 17, 4, 4),
    "24 channels": (4, 24, 6, 6),
    "33 channels": (1, 33, 3, 5),
    "96 channels": (2, 96, 9, 9),
    "1152 channels": (2, 1152, 3, 3),
    "many rows": (4, 16, 41, 40),
    "two rows": (2, 40, 1, 1),
}


def norm_case(shape, dtype, mean=0.0, momentum=0.1):
    generator = torch.Generator().manual_seed(9)
    channels = shape[1]
    normal = lambda *sizes: torch.randn(sizes, generator=generator)
    return {"input": (normal(*shape) * (1 + torch.rand(channels, 1, 1, generator=generator)) + mean).to(dtype),
            "weight": normal(channels), "bias": normal(channels), "mean": normal(channels),
            "variance": torch.rand(channels, generator=generator) + 0.5,
            "output_gradient": normal(*shape).to(dtype), "eps": 1e-3, "momentum": momentum}


def normalize(tensors, activation, dtype, parameters, steps=1):
    """torch's batch norm and activation: input in `dtype`, parameters and statistics in `parameters`."""
    channels_last = lambda t: t.to(dtype).to(memory_format=torch.channels_last)
    x = channels_last(tensors["input"]).detach().requires_grad_()
    norm = torch.nn.BatchNorm2d(x.shape[1], eps=tensors["eps"], momentum=tensors["momentum"]).to(parameters)
    with torch.no_grad():
        for name, tensor in (("weight", norm.weight), ("bias", norm.bias), ("mean", norm.running_mean), ("variance", norm.running_var)):
            tensor.copy_(tensors[name])
    for _ in range(steps):
        y = ACTIVATIONS[activation](norm(x))
    y.backward(channels_last(tensors["output_gradient"]))
    return {"output": y.detach(), "input_gradient": x.grad, "weight_gradient": norm.weight.grad, "bias_gradient": norm.bias.grad,
            "mean": norm.running_mean, "variance": norm.running_var}


def ask_norm(tensors, activation, dtype, channels_last=True, steps=1, **environment):
    payload = {name: encode(value) if torch.is_tensor(value) else value for name, value in tensors.items()}
    return run("kernels", {**payload, "command": "normalize", "dtype": dtype, "depthwise": "auto", "activation": activation,
                           "channels_last": channels_last, "steps": steps}, **environment)


def assert_norm_near(ours, exact, theirs):
    """As near to float64 as torch's own kernels in the same type are: each rounds once, torch twice (before the activation)."""
    for name, reference in exact.items():
        actual = decode(ours[name])
        scale = reference.abs().max().item()
        error = (actual - reference).square().mean().sqrt().item()
        peer = (theirs[name].double() - reference).square().mean().sqrt().item()
        assert error <= 1.02 * peer + 3e-6 * scale, (name, error, peer, scale)
        assert (actual - reference).abs().max().item() <= 1.5 * (theirs[name].double() - reference).abs().max().item() + 1e-5 * scale, name


@pytest.mark.parametrize("instructions", INSTRUCTIONS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("name", SHAPES)
def test_batch_norm_and_activation(name, activation, dtype, instructions):
    tensors = norm_case(SHAPES[name], DTYPES[dtype])
    answer = ask_norm(tensors, activation, dtype, MPBENCH_KERNELS=instructions)
    assert answer["fused"] and answer["channels_last"] and answer["batches"] == 1
    assert_norm_near(answer, normalize(tensors, activation, torch.float64, torch.float64),
                     normalize(tensors, activation, DTYPES[dtype], torch.float32))


def test_batch_norm_far_from_zero():
    # The variance is a millionth of the mean's square: sums of squares around zero would lose it.
    tensors = norm_case((4, 16, 20, 20), torch.float32, mean=1000.0)
    answer = ask_norm(tensors, "silu", "float32")
    exact = normalize(tensors, "silu", torch.float64, torch.float64)
    for name in ("output", "input_gradient", "variance"):
        torch.testing.assert_close(decode(answer[name]), exact[name], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("momentum", [0.1, 0.01, 1.0, None])
def test_running_statistics(momentum):
    tensors = norm_case((3, 24, 6, 6), torch.float32, momentum=momentum)
    answer = ask_norm(tensors, "relu", "float32", steps=3)
    exact = normalize(tensors, "relu", torch.float32, torch.float32, steps=3)
    assert answer["batches"] == 3
    for name in ("mean", "variance"):
        torch.testing.assert_close(decode(answer[name], torch.float32), exact[name], rtol=1e-5, atol=1e-6)


def test_what_batch_norm_leaves_to_the_framework():
    tensors = norm_case((2, 8, 5, 7), torch.float32)
    assert not ask_norm(tensors, "silu", "float32", channels_last=False)["fused"]
    assert not ask_norm(tensors, "silu", "float64")["fused"]
    assert not ask_norm(tensors, "silu", "float32", MPBENCH_KERNELS="none")["fused"]
    assert not ask_norm(norm_case((1, 8, 1, 1), torch.float32), "silu", "float32")["fused"]  # torch refuses it


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("instructions", INSTRUCTIONS)
def test_activations_far_out(activation, instructions):
    values = torch.tensor([-3e4, -200.0, -88.0, -20.0, -1.0, -1e-6, 0.0, 1e-6, 1.0, 5.9, 6.1, 20.0, 88.0, 200.0, 3e4, 0.0])
    tensors = {"input": values.repeat(2).reshape(2, 1, 4, 4), "weight": torch.ones(1), "bias": torch.zeros(1), "mean": torch.zeros(1),
               "variance": torch.ones(1), "output_gradient": torch.ones(2, 1, 4, 4), "eps": 1e-5, "momentum": 0.1}
    deviation = values.double().var(correction=0).sqrt().float()
    tensors["weight"] *= deviation  # z is x itself again
    tensors["bias"] += values.mean()
    answer = ask_norm(tensors, activation, "float32", MPBENCH_KERNELS=instructions)
    exact = normalize(tensors, activation, torch.float64, torch.float64)
    torch.testing.assert_close(decode(answer["output"]), exact["output"], rtol=1e-5, atol=2e-2)
