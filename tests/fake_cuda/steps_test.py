"""What a training step asks of a GPU, counted: no more than PyTorch's own loop does."""
import json
import pathlib
import sys

import fake_cuda
import pytest
from fake_cuda import Training, per_step

FEW, MANY = 20, 40
PRECISIONS = ["fp32", "tf32", "bf16", "fp16"]
# How often the host waits, where the device is quick: hardly ever. PyTorch's loop does not wait either.
MOST_SYNCHRONIZATIONS = 0.05


def step_of(folder, images, *options):
    """The counts of one step, from two runs that differ in their number of steps, both without a complaint."""
    runs = []
    for steps in (FEW, MANY):
        (folder / str(steps)).mkdir(parents=True)
        training = Training(folder / str(steps), images, "--steps", steps, *options)
        assert training.row["status"] == "ok"
        assert training.counted["violations"] == [] and training.counted["contexts"] == [0]
        runs.append(training.counted)
    return per_step(*runs, MANY - FEW)


@pytest.fixture(scope="module", params=["resnet18", "resnet50", "efficientnet-b0"])
def model(request, tmp_path_factory):
    """A model's name and PyTorch's counts, for each precision."""
    out = tmp_path_factory.mktemp("pytorch") / "counts.json"
    loop = pathlib.Path(__file__).parent / "pytorch_loop.py"
    fake_cuda.run(sys.executable, loop, request.param, out, timeout=300)
    return request.param, json.loads(out.read_text())


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_step_asks_for_no_more_than_pytorchs_loop(model, precision, images, tmp_path, record_property):
    name, pytorch = model
    step = step_of(tmp_path, images, "--model", name, "--precision", precision)
    print(f"{name} {precision}: mpbench {step}, PyTorch {pytorch[precision]}")
    assert step["launches"] <= pytorch[precision]["launches"]
    assert step["copies"] + step["memsets"] <= pytorch[precision]["copies"] + pytorch[precision]["memsets"]
    assert step["synchronizations"] <= MOST_SYNCHRONIZATIONS


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("name", ["cnn", "resnet18", "resnet50", "efficientnet-b0"])
def test_a_recorded_step_is_one_graph(name, precision, images, tmp_path):
    step = step_of(tmp_path, images, "--model", name, "--precision", precision, "--cuda-graph")
    print(f"{name} {precision}: {step}")
    assert step["graphs"] == 1
    # Outside: normalising the batch (2), and the seeds of what is random in the network (2).
    assert step["launches"] <= 4.2
    assert step["copies"] + step["memsets"] <= 3.5, "the batch to the device, and its labels to where the graph reads"
    assert step["synchronizations"] <= MOST_SYNCHRONIZATIONS


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_small_networks_step(precision, images, tmp_path):
    step = step_of(tmp_path, images, "--model", "cnn", "--precision", precision)
    print(f"cnn {precision}: {step}")
    assert step["launches"] <= 110
    assert step["synchronizations"] <= MOST_SYNCHRONIZATIONS


@pytest.mark.parametrize("options", [
    ["--ema-decay", 0.9], ["--clip-norm", 1], ["--loss", "focal"], ["--label-smoothing", 0.1], ["--optimizer", "sgd"],
    ["--optimizer", "adamw", "--weight-decay", 0.01], ["--schedule", "cosine"], ["--workers", 0], ["--workers", 4],
    ["--warmup-steps", 0], ["--augment-flip"], ["--no-channels-last"],
])
@pytest.mark.parametrize("graph", [[], ["--cuda-graph"]], ids=["eager", "graph"])
def test_other_options_wait_no_more(options, graph, images, tmp_path):
    step = step_of(tmp_path, images, "--model", "cnn", "--precision", "fp16", *options, *graph)
    assert step["synchronizations"] <= MOST_SYNCHRONIZATIONS


def test_accumulated_batches(images, tmp_path):
    training = Training(tmp_path, images, "--model", "cnn", "--precision", "fp16", "--accumulate", 3)
    assert training.row["status"] == "ok" and training.counted["violations"] == []


def test_validation_reads_once(images, tmp_path):
    """Eight batches of validation more than a run without: no reading for each of them."""
    few, many = ((tmp_path / "few"), (tmp_path / "many"))
    counts = []
    for folder, limit in ((few, 80), (many, 640)):
        folder.mkdir()
        counted = Training(folder, images, "--model", "cnn", "--precision", "fp32", "--limit", limit, "--steps", 4,
                           "--batch-size", 8).counted
        counts.append(sum(n for name, n in counted["counts"].items() if name.startswith("copy device to pageable")))
    assert counts[1] - counts[0] <= 2
