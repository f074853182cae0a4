"""Emulated bfloat16 and float16 convolutions against PyTorch's float32 convolutions of the same 16-bit values."""
import pytest
import torch

from convolutions import convolve, random_tensors
from driver import decode, encode, run

DTYPES = {"bfloat16": torch.bfloat16, "float16": torch.float16}


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


def random_case(spec, dtype):
    return random_tensors(spec, DTYPES[dtype], torch.float32, seed=11)


def ask(spec, dtype, tensors, **environment):
    payload = {**spec, "dtype": dtype, **{name: encode(tensor) for name, tensor in tensors.items()}}
    return run("emulation", payload, **environment)


RESULTS = ("output", "input_gradient", "weight_gradient", "bias_gradient")


def epsilon(dtype):
    """Between 1 and the next value."""
    return torch.finfo(DTYPES[dtype]).eps


def assert_rounded(answer, reference, dtype):
    for name in RESULTS:
        if reference[name] is None:
            assert answer[name] is None
            continue
        assert answer[name]["dtype"] == {"float16": "Half", "bfloat16": "BFloat16"}[dtype]
        ours = decode(answer[name])
        assert torch.equal(ours, ours.to(DTYPES[dtype]).double())
        # Half a unit for the rounding, and float32's own for sums in another order (they matter near zero).
        scale = reference[name].abs().max().double()
        torch.testing.assert_close(ours, reference[name].double(), rtol=0.5 * epsilon(dtype),
                                   atol=(4e-6 * scale + 6e-8).item(), msg=lambda m: f"{name}: {m}")


@pytest.mark.parametrize("channels_last", [False, True], ids=["contiguous", "channels_last"])
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_emulated_is_float32_rounded_once(dtype, name, channels_last):
    spec = {**CASES[name], "channels_last": channels_last}
    tensors = random_case(spec, dtype)
    answer = ask(spec, dtype, tensors, MPBENCH_EMULATION="all")
    assert_rounded(answer, convolve(spec, tensors, torch.float32), dtype)
    if channels_last:
        assert answer["channels_last"]


@pytest.mark.parametrize("name", ["3x3", "depthwise", "1x1", "transposed"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_what_this_machine_chooses(dtype, name):
    tensors = random_case(CASES[name], dtype)
    answer = ask(CASES[name], dtype, tensors, MPBENCH_EMULATION="auto")
    reference = convolve(CASES[name], tensors, torch.float32)
    for key in RESULTS:
        if reference[key] is not None:
            # A kernel of the machine's own may sum in another way.
            scale = reference[key].abs().max().double().item()
            torch.testing.assert_close(decode(answer[key]), reference[key].double(), rtol=2 * epsilon(dtype),
                                       atol=2 * epsilon(dtype) * scale)


@pytest.mark.parametrize("mode", ["all", "none"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_agrees_with_pythons_own_kernel(dtype, mode):
    spec = case((1, 2, 5, 5), (3, 2, 3, 3), padding=(1, 1))
    tensors = random_case(spec, dtype)
    answer = ask(spec, dtype, tensors, MPBENCH_EMULATION=mode)
    reference = convolve(spec, tensors, DTYPES[dtype])
    for key in RESULTS:
        if mode == "none":
            assert torch.equal(decode(answer[key], DTYPES[dtype]), reference[key]), key
        else:
            # ATen's own kernel may round partial sums on the way.
            torch.testing.assert_close(decode(answer[key], DTYPES[dtype]), reference[key], rtol=8 * epsilon(dtype),
                                       atol=8 * epsilon(dtype))


@pytest.mark.parametrize("dtype", DTYPES)
def test_labels(dtype):
    labels = {mode: run("emulation", {"dtype": dtype}, MPBENCH_EMULATION=mode)["label"] for mode in ("none", "all", "auto")}
    assert labels["none"] == "native"
    assert labels["all"] == "emulated in fp32"
    assert labels["auto"] in ("native", "native, weight-gradient in fp32", "emulated in fp32")


@pytest.mark.parametrize("dtype", DTYPES)
def test_onednn_limited_to_avx2_is_emulated(dtype):
    label = run("emulation", {"dtype": dtype}, ONEDNN_MAX_CPU_ISA="AVX2")["label"]
    assert label == "emulated in fp32"
