"""Times single operations in Python's eager PyTorch and in ours, in turn; scripts/peers/kernels --help."""

import argparse
import statistics
import time

import torch
import torch.nn.functional as F

from driver import run

# EfficientNet-B0's at 224 x 224: (channels, side, kernel, stride, how many of them)
DEPTHWISE = [(32, 112, 3, 1, 1), (96, 112, 3, 2, 1), (144, 56, 3, 1, 1), (144, 56, 5, 2, 1), (240, 28, 5, 1, 1), (240, 28, 3, 2, 1),
             (480, 14, 3, 1, 2), (480, 14, 5, 1, 1), (672, 14, 5, 1, 2), (672, 14, 5, 2, 1), (1152, 7, 5, 1, 3), (1152, 7, 3, 1, 1)]
NORMS = [(32, 112, 2), (96, 112, 1), (96, 56, 1), (144, 56, 3), (144, 28, 1), (240, 28, 3), (240, 14, 1), (480, 14, 6), (672, 14, 5),
         (672, 7, 1), (1152, 7, 8), (1280, 7, 1)]
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def operations(batch):
    for channels, side, kernel, stride, count in DEPTHWISE:
        yield f"depthwise {kernel}x{kernel}/{stride} {channels}x{side}x{side}", count, dict(
            operation="depthwise", shape=[batch, channels, side, side], kernel=kernel, stride=stride)
    for channels, side, count in NORMS:
        yield f"norm + SiLU {channels}x{side}x{side}", count, dict(
            operation="norm", shape=[batch, channels, side, side], kernel=1, stride=1)


def ours(spec, dtype, own):
    spec = {**spec, "command": "time", "dtype": dtype, "depthwise": "auto" if own else "framework", "fused_norm": own}
    return lambda: run("kernels", spec, OMP_WAIT_POLICY="passive")["ms"]


def python(spec, dtype):
    shape, kernel = spec["shape"], spec["kernel"]
    channels = shape[1]
    x = torch.randn(shape).to(DTYPES[dtype]).to(memory_format=torch.channels_last).requires_grad_()
    weight = torch.randn(channels, 1, kernel, kernel).to(DTYPES[dtype]).requires_grad_()
    norm = torch.nn.BatchNorm2d(channels)

    def forward():
        if spec["operation"] == "depthwise":
            return F.conv2d(x, weight, None, spec["stride"], kernel // 2, 1, channels)
        return F.silu(norm(x))

    gradient = torch.randn_like(forward())

    def step():
        x.grad = weight.grad = None
        norm.zero_grad()
        before = time.process_time()
        forward().backward(gradient)
        return 1e3 * (time.process_time() - before)

    return step


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--batch", type=int, default=16)
    args = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{'':34}{'':9} {'PyTorch':>8} {'same, C++':>10} {'ours':>8}   PyTorch / ours (lowest to highest)")
    for dtype in DTYPES:
        totals = {}
        for name, count, spec in operations(args.batch):
            arms = {"python": python(spec, dtype), "framework": ours(spec, dtype, False), "own": ours(spec, dtype, True)}
            times = {arm: [] for arm in arms}
            for _ in range(args.rounds):
                for arm, step in arms.items():
                    times[arm].append(step())
            middle = {arm: statistics.median(values) for arm, values in times.items()}
            ratios = sorted(p / o for p, o in zip(times["python"], times["own"]))
            print(f"{name:34}{dtype:9} {middle['python']:8.2f} {middle['framework']:10.2f} {middle['own']:8.2f}   "
                  f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})")
            for arm, value in middle.items():
                key = (spec["operation"], arm)
                totals[key] = totals.get(key, 0) + count * value
        for operation in ("depthwise", "norm"):
            p, f, o = (totals[operation, arm] for arm in ("python", "framework", "own"))
            print(f"{'all of a step: ' + operation:34}{dtype:9} {p:8.1f} {f:10.1f} {o:8.1f}   {p / o:.2f}")


if __name__ == "__main__":
    main()
