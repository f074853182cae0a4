"""pytorch_loop.py MODEL OUT: PyTorch's own training loop, as its guides advise, in each precision on the stand-in for CUDA; OUT.json
gets the calls a step of each. Channels_last, autocast and gradient scaler, fused Adam, cudnn.benchmark, pinned uint8 batches
that are copied ahead on a stream of their own."""

import ctypes
import json
import os
import pathlib
import sys

import torch
import torchvision
from fake_cuda import per_step

BATCH, SIZE, CLASSES, WARM_UP, STEPS = 8, 64, 100, 5, 20
DTYPES = {"fp32": None, "tf32": None, "bf16": torch.bfloat16, "fp16": torch.float16}


def train(name, precision, report):
    device = torch.device("cuda")
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.conv.fp32_precision = "tf32" if precision == "tf32" else "ieee"
    torch.backends.cuda.matmul.fp32_precision = "tf32" if precision == "tf32" else "ieee"
    dtype = DTYPES[precision]
    model = getattr(torchvision.models, name.replace("-", "_"))(num_classes=CLASSES)
    model = model.to(device, memory_format=torch.channels_last).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-4, fused=True)
    scaler = torch.amp.GradScaler("cuda", enabled=precision == "fp16")
    criterion = torch.nn.CrossEntropyLoss()
    stored = [(torch.zeros(BATCH, 3, SIZE, SIZE, dtype=torch.uint8).pin_memory(),
               torch.zeros(BATCH, dtype=torch.int64).pin_memory()) for _ in range(3)]
    mean = torch.zeros(1, 3, 1, 1, device=device)
    deviation = torch.ones(1, 3, 1, 1, device=device)
    copying = torch.cuda.Stream()

    def fetch(number):
        with torch.cuda.stream(copying):
            return [tensor.to(device, non_blocking=True) for tensor in stored[number % len(stored)]]

    ahead = fetch(0)
    for step in range(WARM_UP + STEPS):
        if step == WARM_UP:
            report("before")
        images, labels = ahead
        computing = torch.cuda.current_stream()
        computing.wait_stream(copying)
        for tensor in (images, labels):
            tensor.record_stream(computing)
        ahead = fetch(step + 1)
        images = images.to(torch.float32, memory_format=torch.channels_last).sub_(mean).div_(deviation)
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cuda", dtype=dtype or torch.bfloat16, enabled=dtype is not None):
            loss = criterion(model(images).float(), labels)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
    report("after")


def main():
    name, out = sys.argv[1], pathlib.Path(sys.argv[2])
    write_report = ctypes.CDLL(os.environ["LD_PRELOAD"]).fake_cuda_write_report
    counts = {}
    for precision in DTYPES:
        files = {}

        def report(when):
            files[when] = out.with_suffix(f".{precision}.{when}")
            write_report(str(files[when]).encode())

        train(name, precision, report)
        before, after = (json.loads(files[when].read_text()) for when in ("before", "after"))
        counts[precision] = per_step(before, after, STEPS)
    out.write_text(json.dumps(counts))


if __name__ == "__main__":
    main()
