"""Float16 convolutions under Fp16ConvolutionGuard against PyTorch's float32 convolutions of the same float16 values."""
import pytest
import torch

from convolutions import convolve, random_tensors
from driver import decode, encode, run

EPSILON = torch.finfo(torch.float16).eps  # 2^-10: between a value and the next


def case(input_shape, weight_shape, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1, bias=True,
         channels_last=False, transposed=False, output_padding=(0, 0)):
    return dict(input_shape=input_shape, weight_shape=weight_shape, stride=stride, padding=padding,
                dilation=dilation, groups=groups, bias=bias, channels_last=channels_last, transposed=transposed,
                output_padding=output_padding)


CASES = {
    "3x3": case((2, 3, 10, 12), (8, 3, 3, 3), padding=(1, 1)),
    "3x3 without bias": case((2, 3, 10, 12), (8, 3, 3, 3), padding=(1, 1), bias=False),
    "stride 2": case((2, 16, 11, 9), (8, 16, 3, 3), stride=(2, 2), padding=(1, 1)),
    "7x7 stem": case((1, 3, 21, 21), (16, 3, 7, 7), stride=(2, 2), padding=(3, 3), bias=False),
    "uneven stride and padding": case((2, 4, 12, 10), (6, 4, 3, 5), stride=(2, 1), padding=(0, 2)),
    "dilation 2": case((2, 4, 13, 13), (4, 4, 3, 3), padding=(2, 2), dilation=(2, 2)),
    "2 groups": case((2, 8, 9, 9), (6, 4, 3, 3), padding=(1, 1), groups=2),
    "depthwise": case((2, 16, 9, 9), (16, 1, 3, 3), padding=(1, 1), groups=16, bias=False),
    "depthwise 5x5 stride 2": case((2, 8, 12, 12), (8, 1, 5, 5), stride=(2, 2), padding=(2, 2), groups=8),
    "1x1": case((2, 32, 7, 7), (16, 32, 1, 1), bias=False),
    "1x1 stride 2": case((2, 32, 8, 8), (16, 32, 1, 1), stride=(2, 2), bias=False),
    "one pixel": case((4, 64, 1, 1), (8, 64, 1, 1)),
    "one channel": case((2, 1, 12, 12), (32, 1, 3, 3), padding=(1, 1)),
    "batch of one": case((1, 4, 8, 8), (4, 4, 3, 3)),
    "transposed": case((2, 6, 5, 5), (6, 4, 3, 3), stride=(2, 2), padding=(1, 1), transposed=True, output_padding=(1, 1)),
    "large sums": case((1, 256, 6, 6), (8, 256, 3, 3), padding=(1, 1)),
}


def random_case(spec):
    return random_tensors(spec, torch.float16, torch.float32, seed=11)


def ask(spec, tensors, **environment):
    payload = {**spec, **{name: encode(tensor) for name, tensor in tensors.items()}}
    return run("fp16_conv", payload, **environment)


RESULTS = ("output", "input_gradient", "weight_gradient", "bias_gradient")


def assert_rounded(answer, reference):
    for name in RESULTS:
        if reference[name] is None:
            assert answer[name] is None
            continue
        assert answer[name]["dtype"] == "Half"
        ours = decode(answer[name])
        assert torch.equal(ours, ours.half().double())
        # Half a unit for the rounding, and float32's own for sums in another order (they matter near zero).
        scale = reference[name].abs().max().double()
        torch.testing.assert_close(ours, reference[name].double(), rtol=0.5 * EPSILON, atol=(4e-6 * scale + 6e-8).item(), msg=lambda m: f"{name}: {m}")


@pytest.mark.parametrize("channels_last", [False, True], ids=["contiguous", "channels_last"])
@pytest.mark.parametrize("name", CASES)
def test_emulated_is_float32_rounded_once(name, channels_last):
    spec = {**CASES[name], "channels_last": channels_last}
    tensors = random_case(spec)
    answer = ask(spec, tensors, MPBENCH_FP16_CONV="emulated")
    assert_rounded(answer, convolve(spec, tensors, torch.float32))
    if channels_last:
        assert answer["channels_last"]


@pytest.mark.parametrize("name", ["3x3", "depthwise", "1x1", "transposed"])
def test_what_this_machine_chooses(name):
    tensors = random_case(CASES[name])
    answer = ask(CASES[name], tensors, MPBENCH_FP16_CONV="auto")
    reference = convolve(CASES[name], tensors, torch.float32)
    for key in RESULTS:
        if reference[key] is not None:
            # A float16 kernel of the machine's own may sum in another way.
            scale = reference[key].abs().max().double().item()
            torch.testing.assert_close(decode(answer[key]), reference[key].double(), rtol=2 * EPSILON, atol=2 * EPSILON * scale)


@pytest.mark.parametrize("mode", ["emulated", "native"])
def test_agrees_with_pythons_own_float16_kernel(mode):
    spec = case((1, 2, 5, 5), (3, 2, 3, 3), padding=(1, 1))
    tensors = random_case(spec)
    answer = ask(spec, tensors, MPBENCH_FP16_CONV=mode)
    reference = convolve(spec, tensors, torch.float16)
    for key in RESULTS:
        if mode == "native":
            assert torch.equal(decode(answer[key], torch.float16), reference[key]), key
        else:
            # ATen's own kernel may round partial sums to float16 on the way.
            torch.testing.assert_close(decode(answer[key], torch.float16), reference[key], rtol=8 * EPSILON, atol=8 * EPSILON)


def test_labels():
    labels = {mode: run("fp16_conv", {}, MPBENCH_FP16_CONV=mode)["label"] for mode in ("native", "emulated", "auto")}
    assert labels["native"] == "native"
    assert labels["emulated"] == "emulated in fp32"
    assert labels["auto"] in ("native", "native, weight-gradient in fp32", "emulated in fp32")
