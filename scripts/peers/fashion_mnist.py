"""ResNet-18 on Fashion-MNIST, by mpbench and by PyTorch's own loop; scripts/peers/fashion_mnist --help."""

import argparse
import csv
import gzip
import math
import os
import pathlib
import statistics
import subprocess
import sys
import time

import numpy
import torch
from safetensors.torch import save_file

from pytorch_loop import Training, make_model

MODEL = "resnet18"
SIZE = 32
BATCH = 128
LR = 1e-3
WORD = (1 << 64) - 1


def say(text):
    print(text, file=sys.stderr, flush=True)


# The data as mpbench reads, resizes, normalises and orders it.


def read_idx(path, header_bytes):
    with gzip.open(path) as file:
        return numpy.frombuffer(file.read(), numpy.uint8, offset=header_bytes)


def read_part(folder, name, limit):
    """Images resized to SIZE x SIZE, and labels; with a limit the first images of every class in turn."""
    labels = read_idx(folder / f"{name}-labels-idx1-ubyte.gz", 8)
    images = read_idx(folder / f"{name}-images-idx3-ubyte.gz", 16).reshape(len(labels), 1, 28, 28)
    if limit:
        members = [numpy.flatnonzero(labels == label) for label in range(10)]
        turns = [indices[turn] for turn in range(len(labels)) for indices in members if turn < len(indices)]
        chosen = numpy.sort(turns[:limit])
        images, labels = images[chosen], labels[chosen]
    pixels = torch.from_numpy(images.astype(numpy.float32))
    # The sample points of OpenCV's INTER_LINEAR, which cuts off where this rounds: 6 % of its pixels are 1 of 255 less.
    pixels = torch.nn.functional.interpolate(pixels, size=(SIZE, SIZE), mode="bilinear", align_corners=False)
    return pixels.round().to(torch.uint8), torch.from_numpy(labels.astype(numpy.int64))


class SplitMix64:
    """include/mpbench/core/random.hpp"""

    def __init__(self, seed):
        self.state = seed & WORD

    def __call__(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & WORD
        z = self.state
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & WORD
        z = (z ^ z >> 27) * 0x94D049BB133111EB & WORD
        return z ^ z >> 31

    def below(self, bound):
        excess = (WORD % bound + 1) % bound
        while (value := self()) > WORD - excess:
            pass
        return value % bound


def epoch_order(count, seed, epoch):
    """src/data/loader/batch_order.cpp: the images' order of an epoch, counted from 0."""
    random = SplitMix64(SplitMix64(SplitMix64(seed)() ^ (epoch * 0xD1342543DE82EF95 + 1) & WORD)())
    order = list(range(count))
    for i in range(count, 1, -1):
        j = random.below(i)
        order[i - 1], order[j] = order[j], order[i - 1]
    return torch.tensor(order)


class FashionMnist:
    def __init__(self, folder, limit):
        self.images, self.labels = read_part(folder, "train", limit)
        self.test_images, self.test_labels = read_part(folder, "t10k", max(1, limit // 5) if limit else 0)
        pixels = self.images.numpy() / numpy.float32(255)
        self.mean, self.deviation = (float(f(pixels, dtype=numpy.float64)) for f in (numpy.mean, numpy.std))

    def batch(self, images):
        pixels = (images.float() / 255 - self.mean) / self.deviation
        return pixels.contiguous(memory_format=torch.channels_last)


# One arm each: what it prints is [(training loss, validation accuracy in percent, seconds), ...] by epoch.


def train_pytorch(arguments, data, precision, seed, weights):
    torch.set_num_threads(arguments.threads)
    model = make_model(MODEL, 1, 10)
    model.load_state_dict(weights)
    training = Training(model, precision, lr=LR)
    steps = max(1, len(data.labels) // BATCH)
    done = 0
    for epoch in range(arguments.epochs):
        begin = time.perf_counter()
        model.train()
        losses = []
        for indices in epoch_order(len(data.labels), seed, epoch).split(BATCH)[:steps]:
            # One period of a cosine, as src/train/schedule.hpp has it
            for group in training.optimizer.param_groups:
                group["lr"] = LR * (1 + math.cos(math.pi * done / (steps * arguments.epochs))) / 2
            losses.append(training.step(data.batch(data.images[indices]), data.labels[indices]))
            done += 1
        seconds = time.perf_counter() - begin
        model.eval()
        with torch.inference_mode():
            right = sum((training.logits(data.batch(images)).argmax(1) == labels).sum().item()
                        for images, labels in zip(data.test_images.split(BATCH), data.test_labels.split(BATCH)))
        yield torch.stack(losses).double().mean().item(), 100 * right / len(data.test_labels), seconds


def train_mpbench(arguments, precision, seed, weights_file):
    out = arguments.work / f"mpbench-{precision}-{seed}"
    command = [arguments.mpbench, "train", "--dataset", "idx", "--data", arguments.data, "--limit", arguments.limit,
               "--model", MODEL, "--weights", weights_file, "--image-size", SIZE, "--batch-size", BATCH, "--epochs",
               arguments.epochs, "--precision", precision, "--optimizer", "adam", "--lr", LR, "--schedule", "cosine",
               "--seed", seed, "--threads", arguments.threads, "--device", "cpu", "--no-checkpoints", "--out", out,
               "--progress", "never"]
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{result.stderr}")
    with open(out / "epochs.csv", newline="") as file:
        for row in csv.DictReader(file):
            yield float(row["train_loss"]), 100 * float(row["val_accuracy"]), float(row["epoch_time_s"])


def starting_weights(arguments, seed):
    """torchvision's, for both; the file is for mpbench."""
    torch.manual_seed(seed)
    weights = make_model(MODEL, 1, 10).state_dict()
    path = arguments.work / f"start-{seed}.safetensors"
    save_file(weights, path)
    return weights, path


def run_arm(arguments, data, who, precision, seed):
    weights, path = starting_weights(arguments, seed)
    epochs = []
    for epoch in (train_mpbench(arguments, precision, seed, path) if who == "mpbench"
                  else train_pytorch(arguments, data, precision, seed, weights)):
        epochs.append(epoch)
        say(f"{who} {precision}, seed {seed}, epoch {len(epochs)}: training loss {epoch[0]:.4f}, validation accuracy "
            f"{epoch[1]:.2f} %, {epoch[2]:.0f} s")
    return epochs


def names(text):
    return [name for name in text.split(",") if name]


def parse_arguments():
    parser = argparse.ArgumentParser(usage="scripts/peers/fashion_mnist --help")
    parser.add_argument("--mpbench", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--data", type=pathlib.Path, default=pathlib.Path("/usr/share/datasets/fashion-mnist"))
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--limit", type=int, default=0)
    parser.add_argument("--precisions", type=names, default=["fp32", "bf16", "fp16"])
    parser.add_argument("--peer-precisions", type=names, default=["fp32", "bf16"])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--points", type=float, default=0.5)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    arguments = parser.parse_args()
    for name in ("epochs", "seeds", "threads"):
        if getattr(arguments, name) < 1:
            parser.error(f"--{name}: must be at least 1")
    if unknown := {*arguments.precisions, *arguments.peer_precisions} - {"fp32", "bf16", "fp16"}:
        parser.error(f"precisions: {', '.join(sorted(unknown))}: choose fp32, bf16, fp16")
    return arguments


def main():
    arguments = parse_arguments()
    arguments.work.mkdir(parents=True, exist_ok=True)
    data = FashionMnist(arguments.data, arguments.limit)
    arms = [("mpbench", precision) for precision in arguments.precisions]
    arms += [("PyTorch", precision) for precision in arguments.peer_precisions]
    results = {arm: [] for arm in arms}
    for seed in range(arguments.seeds):
        for arm in arms:
            results[arm].append(run_arm(arguments, data, *arm, seed))

    print(f"{MODEL} at {SIZE} x {SIZE} on {len(data.labels)} images of Fashion-MNIST, {arguments.epochs} epochs, batch "
          f"{BATCH}, Adam {LR:g} down a cosine, {arguments.seeds} seed(s)\n")
    width = max(14, 7 * arguments.seeds)
    print(f"{'':<15}{'accuracy %':>11}{'of each seed':>{width}}{'loss':>9}{'s an epoch':>12}")
    accuracies = {}
    for (who, precision), runs in results.items():
        each = [epochs[-1][1] for epochs in runs]
        accuracies[who, precision] = statistics.mean(each)
        loss = statistics.mean(epochs[-1][0] for epochs in runs)
        seconds = statistics.median(epoch[2] for epochs in runs for epoch in epochs)
        print(f"{who:<9}{precision:<6}{accuracies[who, precision]:>11.2f}"
              f"{' '.join(f'{value:.2f}' for value in each):>{width}}{loss:>9.4f}{seconds:>12.1f}")
    apart = max(accuracies.values()) - min(accuracies.values())
    within = apart <= arguments.points
    print(f"\n{'PASS' if within else 'FAIL'}: the arms are {apart:.2f} points apart; {arguments.points:g} are allowed")
    return 0 if within else 1


if __name__ == "__main__":
    sys.exit(main())
