"""Seeds of the fuzz targets pth and safetensors: what PyTorch and Hugging Face's safetensors write, and a cache that
the program made."""
import hashlib
import io
import json
import pathlib
import subprocess
import tempfile
import zipfile

import safetensors.torch
import torch


def network():
    torch.manual_seed(22)
    return torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3, bias=False), torch.nn.BatchNorm2d(2), torch.nn.Linear(2, 3))


def saved(value, **options):
    stream = io.BytesIO()
    torch.save(value, stream, **options)
    return stream.getvalue()


def without_checksums(value):
    """With CRCs of 0, which readers take for none: a change is not refused for its checksum."""
    torch.serialization.set_crc32_options(False)
    try:
        return saved(value)
    finally:
        torch.serialization.set_crc32_options(True)


def training_checkpoint():
    model = network()
    optimizer = torch.optim.Adam(model.parameters())
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    return {"epoch": 3, "arch": "cnn", "best": 0.5, "model_ema": model.state_dict(), "optimizer": optimizer.state_dict(),
            "args": ["--lr", 0.1, None, True, (1, 2)]}


def storages_of_64_bytes():
    """What pth_fuzzer.cpp puts around a pickle: eight storages of 64 bytes each."""
    floats = torch.arange(16.0)
    return {"floats": floats, "matrix": torch.arange(16.0).reshape(2, 8), "transposed": torch.arange(16.0).reshape(4, 4).t(),
            "part": floats[3:9:2], "halves": torch.zeros(32, dtype=torch.float16), "counts": torch.arange(8),
            "flags": torch.zeros(64, dtype=torch.bool), "double": torch.zeros(8, dtype=torch.float64),
            "parameter": torch.nn.Parameter(torch.zeros(2, 2, 2, 2)), "empty": floats[:0], "scalar": floats[5]}


def pickle_in(archive):
    with zipfile.ZipFile(io.BytesIO(archive)) as files:
        return files.read(next(name for name in files.namelist() if name.endswith("/data.pkl")))


def pth_seeds():
    state = network().state_dict()
    yield "state-dict", saved(state)
    yield "state-dict-unchecked", without_checksums(state)
    yield "checkpoint", saved(training_checkpoint())
    yield "checkpoint-unchecked", without_checksums(training_checkpoint())
    yield "protocol-4", saved(state, pickle_protocol=4)
    yield "old-format", saved({"w": torch.zeros(2)}, _use_new_zipfile_serialization=False)
    yield "whole-module", saved(torch.nn.Linear(2, 1))
    stream = io.BytesIO()
    torch.jit.save(torch.jit.script(torch.nn.ReLU()), stream)
    yield "torchscript", stream.getvalue()
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as files:
        files.writestr(zipfile.ZipInfo("net/data.pkl"), pickle_in(saved({"w": torch.zeros(2)})), zipfile.ZIP_DEFLATED)
    yield "deflated", stream.getvalue()
    for protocol in (2, 3, 4, 5):
        yield f"pickle-protocol-{protocol}", pickle_in(saved(storages_of_64_bytes(), pickle_protocol=protocol))
    tensors = storages_of_64_bytes()
    yield "pickle-checkpoint", pickle_in(saved({
        "state_dict": {f"module.{name}": tensors[name] for name in ("floats", "matrix", "flags")}, "epoch": 2**40,
        "model_ema": {"n_averaged": tensors["scalar"], "module.floats": tensors["floats"]}, "lr": [1e-3, -1.5], "none": None}))
    yield "pickle-sparse", pickle_in(saved({"w": torch.eye(2).to_sparse()}))


def safetensors_file(header, data=b"", pad=8):
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % pad)
    return len(text).to_bytes(8, "little") + text + data


def digest(metadata, tensors):
    """What train/checkpoint.cpp says that it makes its digest of."""
    def sha(data):
        return hashlib.sha256(data).hexdigest()
    text = "".join(f"{sha(key.encode())} {sha(value.encode())}\n" for key, value in sorted(metadata.items()))
    for name, (dtype, shape, data) in sorted(tensors.items()):
        text += f"\n{name} {dtype} {','.join(map(str, shape))} {sha(data)}"
    return sha(text.encode())


def checkpoint():
    """As train writes it, of a network of two tensors."""
    state = {"format": 1, "dataset": "rsna", "classes": ["negative", "cancer"], "height": 16, "width": 16,
             "model": {"name": "cnn", "in_channels": 1, "outputs": 1, "activation": "silu", "squeeze_excite": "transformed"},
             "mean": [0.25], "deviation": [0.5], "epochs_done": 1, "steps_done": 4, "epoch": {"step_s": [0.5, 0.25]},
             "options": {"precision": '"fp32"', "depthwise": '"auto"', "emulation": '"auto"', "batch-size": "4",
                         "channels-last": "true", "deterministic": "false"}}
    metadata = {"format": "pt", "mpbench_state": json.dumps(state)}
    tensors = {"fc.bias": ("F32", [1], bytes(4)), "fc.weight": ("F32", [1, 4], bytes(16)),
               "optimizer/step": ("I64", [], bytes(8)), "rng/cpu": ("U8", [24], bytes(range(24)))}
    tensors["digest/sha256"] = ("U8", [64], digest(metadata, tensors).encode())
    header, data = {"__metadata__": metadata}, b""
    for name, (dtype, shape, content) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    return safetensors_file(header, data)


def cache(mpbench):
    with tempfile.TemporaryDirectory() as folder:
        for words in (["synth", "set", "--patients", "1", "--height", "64", "--width", "64"],
                      ["preprocess", "--data", "set", "--image-size", "16", "--cache", "set.safetensors"]):
            subprocess.run([mpbench, *words], check=True, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return (pathlib.Path(folder) / "set.safetensors").read_bytes()


def safetensors_seeds(mpbench):
    yield "state-dict", safetensors.torch.save(network().state_dict(), {"format": "pt"})
    yield "prefixed", safetensors.torch.save({f"module._orig_mod.{name}": tensor for name, tensor in network().state_dict().items()})
    kinds = {str(kind).split(".")[-1]: torch.ones(2, 3).to(kind) for kind in (
        torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8,
        torch.uint8, torch.bool, torch.uint16, torch.uint32, torch.uint64)}
    yield "all-dtypes", safetensors.torch.save(kinds)
    yield "empty-tensors", safetensors.torch.save(
        {"a": torch.ones(1), "b": torch.ones(0, dtype=torch.float64), "c": torch.ones(3, 0, 5), "d": torch.tensor(1.0)})
    yield "no-tensors", safetensors.torch.save({})
    yield "unaligned", safetensors_file({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}, bytes(8), pad=1)
    yield "checkpoint", checkpoint()
    yield "cache", cache(mpbench)


def pth_findings():
    return []


def safetensors_findings():
    # A checkpoint of another format is refused with that format's text, which printed level by level.
    deep = '{"format":' + "[" * 40000 + "]" * 40000 + "}"
    yield "offset-of-1e108", safetensors_file({"w": {"dtype": "U8", "shape": [8], "data_offsets": [1e108, 8]}}, bytes(8))
    yield "checkpoint-nested-without-end", safetensors_file({"__metadata__": {"mpbench_state": deep}})
