"""One training run in eager PyTorch, tuned as PyTorch's own guides advise: the peer of one `mpbench train`.

Prints one JSON object a line as it goes, so that what was done before a time limit is known.
"""

import argparse
import json
import os
import struct
import time

import numpy
import torch
from torch import nn

HALF_TYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}
OPTIMIZERS = {"adam": {}, "adamw": {"weight_decay": 0}, "sgd": {"momentum": 0.9}}


def tell(**values):
    print(json.dumps(values), flush=True)


def small_cnn(channels, outputs):
    """mpbench's cnn (src/nn/models/cnn.cpp)."""
    layers = []
    for width in (32, 64, 128, 128):
        layers += [nn.Conv2d(channels, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True),
                   nn.MaxPool2d(2)]
        channels = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, outputs))


def make_model(name, channels, outputs):
    if name == "cnn":
        return small_cnn(channels, outputs)
    import torchvision  # a user of the small network would not wait for it

    model = getattr(torchvision.models, name.replace("-", "_"))(num_classes=outputs)
    if channels != 3:
        holder, place = (model, "conv1") if name.startswith("resnet") else (model.features[0], "0")
        stem = getattr(holder, place)
        new = nn.Conv2d(channels, stem.out_channels, stem.kernel_size, stem.stride, stem.padding, bias=False)
        nn.init.kaiming_normal_(new.weight, mode="fan_out", nonlinearity="relu")
        setattr(holder, place, new)
    return model


class Training:
    """Model, loss, optimizer and gradient scaler, and one step of theirs."""

    def __init__(self, model, precision, optimizer="adam", lr=1e-3, binary=False):
        self.model = model.to(memory_format=torch.channels_last).train()
        self.binary = binary
        kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}[optimizer]
        self.optimizer = kind(self.model.parameters(), lr=lr, fused=True, **OPTIMIZERS[optimizer])
        self.half_type = HALF_TYPES.get(precision)
        self.scaler = torch.amp.GradScaler("cpu", enabled=precision == "fp16")

    def logits(self, images):
        with torch.autocast("cpu", dtype=self.half_type or torch.bfloat16, enabled=self.half_type is not None):
            return self.model(images)

    def loss(self, logits, labels):
        if self.binary:
            return nn.functional.binary_cross_entropy_with_logits(logits.float().squeeze(1), labels.float())
        return nn.functional.cross_entropy(logits.float(), labels)

    def step(self, images, labels):
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.loss(self.logits(images), labels)
        self.scaler.scale(loss).backward()
        self.scaler.step(self.optimizer)
        self.scaler.update()
        return loss.detach()


class Cache(torch.utils.data.Dataset):
    """mpbench's cache: a safetensors file, mapped. One index gives an image, a list of them a batch."""

    def __init__(self, path):
        with open(path, "rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(length))

        def mapped(name, dtype):
            entry = header[name]
            return numpy.memmap(path, dtype, "r", 8 + length + entry["data_offsets"][0], tuple(entry["shape"]))

        self.images = mapped("images", numpy.uint8)
        self.labels = torch.from_numpy(numpy.array(mapped("labels", numpy.int64)))
        self.classes = len(json.loads(header["__metadata__"]["classes"]))

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, which):
        # As `mpbench train --normalize unit`: (x / 255 - 0.5) / 0.5
        pixels = torch.from_numpy(self.images[which].astype(numpy.float32))
        return pixels.mul_(2 / 255).sub_(1), self.labels[which]


def loader(cache, how, workers, batch_size):
    """`images`: as most write it, image by image; `batches`: a whole batch at once, with far less Python."""
    common = {"num_workers": workers, "persistent_workers": workers > 0}
    if how == "images":
        return torch.utils.data.DataLoader(cache, batch_size=batch_size, shuffle=True, drop_last=True, **common)
    order = torch.utils.data.BatchSampler(torch.utils.data.RandomSampler(cache), batch_size, drop_last=True)
    return torch.utils.data.DataLoader(cache, batch_size=None, sampler=order, **common)


def seconds_since_process_start():
    with open("/proc/self/stat") as file:
        started = int(file.read().rpartition(")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started


def reset_peak_memory():
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")


def peak_memory_bytes():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM:"))


def run_steps(arguments, cache, training):
    order = torch.randperm(len(cache)).tolist()
    for number in range(arguments.warmup_steps + arguments.steps):
        if number == arguments.warmup_steps:
            reset_peak_memory()
        begin = number * arguments.batch_size % (len(order) - arguments.batch_size + 1)
        images, labels = cache[order[begin:begin + arguments.batch_size]]
        images = images.contiguous(memory_format=torch.channels_last)
        start = time.perf_counter()
        training.step(images, labels)
        seconds = time.perf_counter() - start
        if number == 0:
            tell(first_step_s=seconds_since_process_start())
        tell(step_s=seconds)
    tell(peak_bytes=peak_memory_bytes())


def run_epochs(arguments, cache, training):
    batches = loader(cache, arguments.loader, arguments.workers, arguments.batch_size)
    tell(images_per_epoch=len(batches) * arguments.batch_size)
    for _ in range(arguments.epochs):
        images_done = 0
        start = time.perf_counter()
        for images, labels in batches:
            training.step(images.contiguous(memory_format=torch.channels_last), labels)
            images_done += len(labels)
        tell(epoch_s=time.perf_counter() - start, images=images_done)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--precision", required=True)
    parser.add_argument("--optimizer", required=True)
    parser.add_argument("--batch-size", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--steps", type=int, default=0)
    parser.add_argument("--warmup-steps", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=0)
    parser.add_argument("--loader", choices=("images", "batches"))
    parser.add_argument("--workers", type=int, default=0)
    arguments = parser.parse_args()

    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    cache = Cache(arguments.cache)
    binary = cache.classes == 2
    model = make_model(arguments.model, cache.images.shape[1], 1 if binary else cache.classes)
    training = Training(model, arguments.precision, arguments.optimizer, binary=binary)
    if arguments.epochs:
        run_epochs(arguments, cache, training)
    else:
        run_steps(arguments, cache, training)


if __name__ == "__main__":
    main()
