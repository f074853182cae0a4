"""Runs a part of parity_driver (a C++ program: JSON in, JSON out) and turns tensors into JSON and back."""
import functools
import json
import math
import os
import pathlib
import subprocess

import torch

# The tensors are tiny, and waiting for other threads costs more than the work on a busy machine.
torch.set_num_threads(1)

@functools.cache
def _start(name, environment):
    return subprocess.Popen(
        [pathlib.Path(os.environ["MPBENCH_BUILD"]) / "parity_driver", name],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
        env=os.environ | dict(environment),
    )


def run(name, payload, **environment):
    """The answer of `parity_driver NAME`, which is started once (for each `environment`) and answers line by line."""
    process = _start(name, tuple(sorted(environment.items())))
    try:
        process.stdin.write(json.dumps(payload, allow_nan=False) + "\n")
        answer = process.stdout.readline()
    except BrokenPipeError:
        answer = ""
    if not answer:
        _start.cache_clear()
        raise AssertionError(f"parity_driver {name} ended with exit code {process.wait(timeout=60)}")
    return json.loads(answer)


def _encode_number(value):
    if math.isnan(value):
        return "nan"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return value


def encode(tensor):
    """{"shape", "values"}, row-major; None for None."""
    if tensor is None:
        return None
    values = tensor.detach().double().contiguous().flatten().tolist()
    return {"shape": list(tensor.shape), "values": [_encode_number(v) for v in values]}


def decode(record, dtype=torch.float64):
    """The tensor that a driver wrote; every float32 and float16 value survives exactly in float64."""
    if record is None:
        return None
    values = [float(v) for v in record["values"]]
    return torch.tensor(values, dtype=torch.float64).reshape(record["shape"]).to(dtype)
