"""What a run on a GPU measures, with a device that takes a known time for each launch."""
import pytest
from fake_cuda import Training

LAUNCH_US = 100


def test_time_is_the_devices(images, tmp_path):
    training = Training(tmp_path, images, "--model", "resnet18", "--precision", "fp16", "--steps", 30, launch_us=LAUNCH_US)
    step_ms = training.figure("step_ms_median")
    assert 0.2 * LAUNCH_US < step_ms < 0.3 * LAUNCH_US, "some 245 launches of 0.1 ms"
    assert training.figure("images_per_s") == pytest.approx(8e3 / step_ms, rel=0.1)
    assert training.figure("data_wait_fraction") < 0.02, "the host waits, the device does not"


def test_a_graphs_time_is_that_of_its_operations(images, tmp_path):
    training = Training(tmp_path, images, "--model", "resnet18", "--precision", "fp16", "--steps", 30, "--cuda-graph",
                        launch_us=LAUNCH_US)
    assert 0.2 * LAUNCH_US < training.figure("step_ms_median") < 0.3 * LAUNCH_US
    assert training.figure("images_per_s") == pytest.approx(8e3 / training.figure("step_ms_median"), rel=0.1), (
        "neither the recording nor the steps before it are in the time")


def test_waiting_for_data_is_what_the_device_waits(images, tmp_path):
    training = Training(tmp_path, images, "--model", "resnet18", "--precision", "fp16", "--steps", 40, "--image-size", 512,
                        "--augment-flip", "--augment-degrees", 10, "--workers", 1, launch_us=5)
    waited = training.figure("data_wait_fraction") * training.figure("train_time_s")
    computed = 1e-3 * training.figure("step_ms_median") * 40
    assert training.figure("data_wait_fraction") > 0.3, "one thread that turns pictures of 512x512 starves it"
    assert waited + computed == pytest.approx(training.figure("train_time_s"), rel=0.15)


def test_waiting_of_the_host_is_not_the_devices(images, tmp_path):
    """The host runs ahead of a slow device and then waits for the loader, which is fast enough for the device."""
    training = Training(tmp_path, images, "--model", "resnet18", "--precision", "fp16", "--steps", 30, "--image-size", 512,
                        "--augment-flip", "--augment-degrees", 10, "--workers", 1, launch_us=400)
    assert training.figure("step_ms_median") > 90
    assert training.figure("data_wait_fraction") < 0.05


def test_progress_tells_the_devices_rate(images, tmp_path):
    training = Training(tmp_path, images, "--model", "resnet18", "--precision", "fp16", "--steps", 40, launch_us=LAUNCH_US,
                        progress="always")
    rates = [float(line.split("images/s")[0].split()[-1]) for line in training.result.stderr.replace("\r", "\n").splitlines()
             if "epoch 1" in line and "images/s" in line]
    assert rates, training.result.stderr
    assert rates[-1] == pytest.approx(training.figure("images_per_s"), rel=0.15)


def test_memory_is_that_of_training(images, tmp_path):
    """Twice the warm-up does not change it; a graph's working memory is in both figures."""
    peaks = []
    for number, options in enumerate((["--warmup-steps", 3], ["--warmup-steps", 9], ["--cuda-graph"])):
        folder = tmp_path / str(number)
        folder.mkdir()
        training = Training(folder, images, "--model", "resnet18", "--precision", "fp16", "--batch-size", 64, *options)
        peaks.append((training.figure("peak_device_bytes"), training.figure("peak_reserved_bytes")))
        assert training.counted["peak_bytes"] >= training.figure("peak_reserved_bytes")
    eager, longer, graph = peaks
    assert eager[0] == longer[0]
    assert eager[1] >= eager[0]
    assert eager[0] <= graph[0] <= graph[1], "the steps of a graph use memory that the allocator counts as free"
    assert graph[1] <= 1.3 * eager[1], "a recording does not keep what eager steps had beside its own"


def test_kernels_are_loaded_before_the_first_timed_step(images, tmp_path):
    """CUDA loads a kernel when it is first used, for milliseconds."""
    kernels = []
    for steps in (1, 11):
        folder = tmp_path / str(steps)
        folder.mkdir()
        counts = Training(folder, images, "--model", "cnn", "--precision", "fp16", steps=steps).counted["counts"]
        kernels.append({name for name in counts if name.startswith("kernel ")})
    assert kernels[1] == kernels[0]


@pytest.mark.parametrize("device", ["cuda:1", "cuda:0"])
def test_one_device_has_the_only_context(device, images, tmp_path):
    training = Training(tmp_path, images, "--model", "cnn", "--precision", "fp16", "--cuda-graph", device=device, devices=2)
    assert training.row["status"] == "ok" and training.row["device"] == device
    assert training.counted["contexts"] == [int(device[-1])]
    assert training.counted["violations"] == []


