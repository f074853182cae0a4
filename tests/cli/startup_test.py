"""What needs no LibTorch is answered before it is loaded; what is loaded then has OpenMP's threads sleep."""
import re
import shutil
import subprocess

import pytest
from mpbench_command import FASHION_MNIST, MPBENCH, one_line, rows, run

HEAVY = ("libmpbench_engine", "libtorch", "libc10", "libgomp", "libopencv", "libdcm")


def run_and_list_libraries(folder, *arguments, **options):
    """The result, and the names of all libraries that were looked for."""
    listing = folder / "loader"
    listing.mkdir()
    result = run(*arguments, cwd=folder, env={"LD_DEBUG": "files", "LD_DEBUG_OUTPUT": str(listing / "list")}, **options)
    return result, "".join(path.read_text() for path in listing.iterdir())


@pytest.mark.parametrize("arguments", ["--help", "train --help", "predict --help", "--version", "completion bash",
                                       "completion zsh"])
def test_answers_without_libtorch(arguments, tmp_path):
    result, libraries = run_and_list_libraries(tmp_path, *arguments.split())
    assert result.stdout and result.stderr == ""
    assert "libstdc++" in libraries
    assert not [name for name in HEAVY if name in libraries]


@pytest.mark.parametrize("arguments, line", [
    ("", "A subcommand is required (see 'mpbench --help')"),
    ("fly", "there is no subcommand 'fly' (see 'mpbench --help')"),
    ("train --no-such-flag", "The following argument was not expected: --no-such-flag (see 'mpbench train --help')"),
    ("train --config wrong.toml", "INI was not able to parse train.batch-sise (see 'mpbench train --help')"),
    ("train --batch-size 0", "--batch-size 0: must be 1 to 1048576"),
    ("train --lr -1", "--lr -1: must be above 0 and finite in float32 (1.2e-38 to 3.4e38)"),
    ("train --model vgg16", "unknown model 'vgg16': choose cnn, resnet18, resnet50, efficientnet-b0, efficientnet-b1, "
     "efficientnet-b2, efficientnet-b3, efficientnet-b4, efficientnet-b5, efficientnet-b6, efficientnet-b7"),
    ("train --activation relu6", "activation 'relu6' is for EfficientNet: cnn has no such choice"),
    ("train --precision fp8", "unknown precision 'fp8': choose fp32, tf32, bf16 or fp16"),
    ("train --device tpu", "unknown device 'tpu': choose auto, cpu, cuda or cuda:N"),
    ("train --device cpu --cuda-graph", "--cuda-graph needs a CUDA device"),
    ("train --depthwise fast", "--depthwise fast: choose auto, framework or fp32"),
    ("train --loss hinge", "--loss hinge: choose cross-entropy or focal"),
    ("train --optimizer lion", "--optimizer lion: choose adam, adamw or sgd"),
    ("train --augment-zoom 2", "--augment-zoom 2: must be 0 to 0.5"),
    ("compare --precision fp32", "--precision: a comparison needs two or more, the baseline first: fp32,bf16"),
    ("compare --batch-size 8,8", "--batch-size: 8 is listed twice"),
    ("compare --margin -1", "--margin -1: must be 0 to 1"),
    ("report x y --require equivalent", "--require: 'equivalent': say 'speed equivalent' or 'accuracy equivalent'"),
    ("predict --data x", "a network is needed: --checkpoint FILE, or --model NAME --weights FILE"),
    ("predict --data x --checkpoint y --device tpu", "unknown device 'tpu': choose auto, cpu, cuda or cuda:N"),
    ("synth out --patients 0", "--patients 0: must be 1 to 100000"),
    ("synth out --syntax png", "unknown syntax 'png': choose mixed, explicit-le, rle, jpeg-lossless or jpeg2000"),
    ("preprocess --data x --cache y --dataset imagenet",
     "unknown dataset 'imagenet': auto, rsna, rsna-png, folder, cifar100, cifar10, idx or synthetic"),
])
def test_refuses_wrong_usage_without_libtorch(arguments, line, tmp_path):
    (tmp_path / "wrong.toml").write_text("batch-sise = 3\n")
    result, libraries = run_and_list_libraries(tmp_path, *arguments.split(), code=2)
    assert one_line(result) == "error: " + line
    assert not [name for name in HEAVY if name in libraries]


def test_what_runs_loads_libtorch(tmp_path):
    """The tests above would see it."""
    _, libraries = run_and_list_libraries(tmp_path, "decode", "nothing.dcm", code=1)
    assert not [name for name in HEAVY if name not in libraries]


def test_without_its_library_it_says_so_and_still_answers(tmp_path):
    alone = shutil.copy(MPBENCH, tmp_path)
    result = subprocess.run([alone, "info"], capture_output=True, text=True)
    assert result.returncode == 1 and "libmpbench_engine.so" in one_line(result)
    assert subprocess.run([alone, "--version"], capture_output=True).returncode == 0


# The user's variables; how often libgomp then looks before it sleeps, "0" being at once; what runs.csv says.
WAITING = [({}, "2000", "passive, spincount 2000"),
           ({"OMP_WAIT_POLICY": "active"}, "30000000000", "active"),
           ({"GOMP_SPINCOUNT": "1000"}, "1000", "spincount 1000"),
           ({"GOMP_SPINCOUNT": "1000", "OMP_WAIT_POLICY": "passive"}, "1000", "passive, spincount 1000")]


@pytest.fixture
def no_policy(monkeypatch):
    for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("variables, spin_count, _", WAITING)
def test_openmp_is_told_to_sleep_unless_the_user_says_otherwise(variables, spin_count, _, no_policy):
    """libgomp itself prints what it took from the environment."""
    shown = run("info", env={"OMP_DISPLAY_ENV": "verbose", **variables}).stderr
    assert re.findall(r"GOMP_SPINCOUNT = '(\d+)'", shown) == [spin_count]


@pytest.mark.parametrize("variables, _, recorded", WAITING)
def test_how_openmp_waits_is_recorded(variables, _, recorded, tmp_path, no_policy):
    run("train", "--dataset", "idx", "--data", FASHION_MNIST, "--limit", 200, "--steps", 1, "--warmup-steps", 0,
        "--device", "cpu", "--out", tmp_path / "out", env=variables)
    assert [row["omp_wait_policy"] for row in rows(tmp_path / "out" / "runs.csv")] == [recorded]
