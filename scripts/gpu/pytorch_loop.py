"""pytorch_loop.py MODEL PRECISION BATCH SIZE STEPS MODES DEVICE BENCHMARK: training in Python's PyTorch, as its guides
advise (channels_last, autocast, fused Adam, pinned uint8 batches copied ahead), on made-up batches, so that no loading of data
slows it. MODES are eager, graph and compile, separated by commas; BENCHMARK (0 or 1) is torch.backends.cudnn.benchmark. Prints
a JSON line a mode."""

import json
import statistics
import sys
import time

STARTED = time.perf_counter()  # before PyTorch is loaded

import torch  # noqa: E402
import torchvision  # noqa: E402

IMPORT_S = time.perf_counter() - STARTED

CLASSES, WARM_UP = 100, 5
DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


class Training:
    def __init__(self, name, precision, mode, device):
        self.device, self.dtype, self.mode = device, DTYPES.get(precision), mode
        model = getattr(torchvision.models, name.replace("-", "_"))(num_classes=CLASSES)
        self.model = model.to(device, memory_format=torch.channels_last).train()
        self.forward = torch.compile(self.model) if mode == "compile" else self.model
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=3e-4, fused=True, capturable=mode == "graph")
        self.scaler = torch.amp.GradScaler(device.type, init_scale=256.0, enabled=precision == "fp16")

    def step(self, images, labels):
        self.optimizer.zero_grad(set_to_none=True)
        with torch.autocast(self.device.type, dtype=self.dtype or torch.bfloat16, enabled=self.dtype is not None,
                            cache_enabled=self.mode != "graph"):
            logits = self.forward(images)
        loss = torch.nn.functional.cross_entropy(logits.float(), labels)
        self.scaler.scale(loss).backward()
        self.scaler.step(self.optimizer)
        self.scaler.update()


class Batches:
    """Pinned batches, copied ahead on a stream of their own and normalised where they are used."""

    def __init__(self, batch_size, size, device):
        self.device, self.cuda = device, device.type == "cuda"
        self.stored = []
        for _ in range(4):
            images = torch.randint(0, 256, (batch_size, 3, size, size), dtype=torch.uint8)
            images = images.contiguous(memory_format=torch.channels_last)
            labels = torch.randint(0, CLASSES, (batch_size,))
            self.stored.append((images.pin_memory(), labels.pin_memory()) if self.cuda else (images, labels))
        self.stream = torch.cuda.Stream() if self.cuda else None
        self.number = 0
        self.ahead = self.fetch()

    def fetch(self):
        images, labels = self.stored[self.number % len(self.stored)]
        self.number += 1
        if not self.cuda:
            return images, labels
        with torch.cuda.stream(self.stream):
            return images.to(self.device, non_blocking=True), labels.to(self.device, non_blocking=True)

    def next(self):
        images, labels = self.ahead
        if self.cuda:
            torch.cuda.current_stream().wait_stream(self.stream)
            for tensor in (images, labels):
                tensor.record_stream(torch.cuda.current_stream())
        self.ahead = self.fetch()
        return images.to(torch.float32, memory_format=torch.channels_last).mul_(1 / 128).sub_(1), labels


def recorded(training, images, labels):
    """The step as a CUDA graph, and where it reads."""
    place = images.clone(memory_format=torch.channels_last), labels.clone()
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            training.step(*place)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    training.optimizer.zero_grad(set_to_none=True)
    with torch.cuda.graph(graph):
        training.step(*place)

    def step(images, labels):
        place[0].copy_(images)
        place[1].copy_(labels)
        graph.replay()

    return step


def measured(name, precision, mode, batch_size, size, steps, device):
    """time_to_first_step_s is PyTorch's import and this mode's part, without CUDA's start where another mode came before."""
    cuda, started = device.type == "cuda", time.perf_counter()
    training, batches = Training(name, precision, mode, device), Batches(batch_size, size, device)
    step = training.step
    if mode == "graph":
        step = recorded(training, *batches.next())
    for number in range(WARM_UP):
        step(*batches.next())
        if number == 0 and cuda:
            torch.cuda.synchronize()
        if number == 0:
            first_step_s = IMPORT_S + time.perf_counter() - started
    if cuda:
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
    marks, times = [], []
    begin = time.perf_counter()
    for _ in range(steps):
        images, labels = batches.next()
        if cuda:
            marks.append([torch.cuda.Event(enable_timing=True) for _ in range(2)])
            marks[-1][0].record()
            step(images, labels)
            marks[-1][1].record()
        else:
            start = time.perf_counter()
            step(images, labels)
            times.append(1e3 * (time.perf_counter() - start))
    if cuda:
        torch.cuda.synchronize()
    seconds = time.perf_counter() - begin
    times = times or [first.elapsed_time(last) for first, last in marks]
    middle = statistics.median(times)
    return {"mode": mode, "time_to_first_step_s": first_step_s, "images_per_s": steps * batch_size / seconds,
            "step_ms_median": middle, "step_ms_mad": statistics.median(abs(value - middle) for value in times),
            "peak_bytes": torch.cuda.max_memory_allocated() if cuda else "",
            "peak_reserved_bytes": torch.cuda.max_memory_reserved() if cuda else ""}


def main():
    name, precision = sys.argv[1:3]
    batch_size, size, steps = map(int, sys.argv[3:6])
    torch.backends.cudnn.benchmark = sys.argv[8] == "1"
    kind = "tf32" if precision == "tf32" else "ieee"
    torch.backends.cudnn.conv.fp32_precision = torch.backends.cuda.matmul.fp32_precision = kind
    for mode in sys.argv[6].split(","):
        told = measured(name, precision, mode, batch_size, size, steps, torch.device(sys.argv[7]))
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
