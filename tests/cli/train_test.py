"""mpbench train on real images, small."""
import os
import pathlib
import re
import signal
import subprocess

import pytest
from mpbench_command import FASHION_MNIST, MPBENCH, one_line, rows, run, wait_for

RUN_COLUMNS = (
    "run_id,status,error,precision,model,dataset,n_train,n_val,image_size,batch_size,epochs,steps,channels_last,seed,"
    "repeat,device,device_name,threads,parameters,time_to_first_step_s,train_time_s,step_ms_median,step_ms_mad,"
    "images_per_s,data_wait_fraction,peak_device_bytes,peak_rss_bytes,cpu_time_s,energy_j,train_loss,val_loss,"
    "val_accuracy,val_auc,val_pf1,skipped_steps,final_loss_scale,torch_version,cuda_version,cudnn_version,git_commit,"
    "config_hash").split(",")
EPOCH_COLUMNS = (
    "run_id,epoch,train_loss,train_accuracy,val_loss,val_accuracy,val_auc,lr,loss_scale,skipped_steps,epoch_time_s,"
    "images_per_s").split(",")


def train(tmp_path, *arguments, **options):
    return run("train", "--dataset", "idx", "--data", FASHION_MNIST, "--limit", 2000, "--epochs", 2, "--device", "cpu",
               "--out", tmp_path / "out", *arguments, **options)


@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_every_precision_learns_and_is_recorded(tmp_path, precision):
    train(tmp_path, "--precision", precision)
    (record,) = rows(tmp_path / "out" / "runs.csv")
    assert list(record)[: len(RUN_COLUMNS)] == RUN_COLUMNS
    assert record["status"] == "ok" and record["precision"] == precision
    assert record["n_train"] == "2000" and record["n_val"] == "400"
    assert float(record["val_accuracy"]) > 0.6
    assert float(record["images_per_s"]) > 0 and float(record["time_to_first_step_s"]) > 0
    assert record["peak_device_bytes"] == "", "there is no device memory on the CPU: not measured, never 0"
    assert (record["skipped_steps"] != "") == (precision == "fp16")
    assert (record["fp16_convolution"] != "") == (precision == "fp16")
    assert (record["bf16_convolution"] != "") == (precision == "bf16")
    epochs = rows(tmp_path / "out" / "epochs.csv")
    assert list(epochs[0]) == EPOCH_COLUMNS and len(epochs) == 2
    assert len(rows(tmp_path / "out" / "predictions" / f"cnn-{precision}.csv")) == 400
    split = [row["split"] for row in rows(tmp_path / "out" / "split.csv")]
    assert split.count("train") == 2000 and split.count("validation") == 400
    assert (tmp_path / "out" / "mpbench.log").stat().st_size > 0


def test_amp_says_and_records_what_it_chose(tmp_path):
    result = train(tmp_path, "--amp", "--steps", 3)
    assert "bf16" in result.stderr
    assert rows(tmp_path / "out" / "runs.csv")[0]["precision"] == "bf16"


def test_config_toml_repeats_the_run(tmp_path):
    train(tmp_path, "--steps", 12, "--seed", 5)
    run("train", "--config", tmp_path / "out" / "config.toml", "--out", tmp_path / "again")
    first, second = (rows(tmp_path / name / "runs.csv")[0] for name in ["out", "again"])
    for column in ["config_hash", "train_loss", "val_loss", "val_accuracy", "steps", "seed"]:
        assert first[column] == second[column], column


def test_output_is_plain_without_a_terminal(tmp_path):
    result = train(tmp_path, "--steps", 3)
    assert result.stdout == ""
    assert "\x1b" not in result.stderr and "\r" not in result.stderr
    assert train(tmp_path, "--steps", 3, "--quiet").stderr == ""


def test_progress_bar_with_rate_and_eta_on_a_terminal(tmp_path):
    import pty
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [MPBENCH, "train", "--dataset", "idx", "--data", FASHION_MNIST, "--limit", "3000", "--epochs", "1",
         "--out", tmp_path / "out"], stderr=slave, stdout=subprocess.DEVNULL)
    os.close(slave)
    seen = b""
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:  # Linux reports the closed other end so.
            break
        if not piece:
            break
        seen += piece
    assert process.wait() == 0
    text = seen.decode()
    assert "images/s" in text and "ETA" in text and "\r" in text
    bars = [line for line in text.replace("\r", "\n").replace("\x1b[K", "").split("\n") if line.startswith("[")]
    assert bars and all(len(line) <= 80 for line in bars), bars


def test_ctrl_c_keeps_the_finished_epochs(tmp_path):
    out = tmp_path / "out"
    process = subprocess.Popen(
        [MPBENCH, "train", "--dataset", "idx", "--data", FASHION_MNIST, "--limit", "2000", "--epochs", "1000",
         "--out", out], stderr=subprocess.PIPE, text=True)
    wait_for(out / "runs.csv")
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    (record,) = rows(out / "runs.csv")
    assert record["status"] == "interrupted"
    finished = rows(out / "epochs.csv")
    assert int(record["epochs"]) == len(finished) >= 1


def test_refused_allocation_is_an_oom_not_a_crash(tmp_path):
    import resource

    def limit_memory():
        resource.setrlimit(resource.RLIMIT_DATA, (3 << 30, 3 << 30))

    result = run("train", "--dataset", "idx", "--data", FASHION_MNIST, "--image-size", 512, "--limit", 600,
                 "--batch-size", 512, "--epochs", 1, "--warmup-steps", 0, "--out", tmp_path / "out", code=1,
                 preexec_fn=limit_memory)
    assert "oom" in result.stderr, result.stderr
    (record,) = rows(tmp_path / "out" / "runs.csv")
    assert record["status"] == "oom" and record["error"]


def test_without_data_it_trains_on_a_synthetic_set_and_says_so(tmp_path):
    result = run("train", "--amp", "--steps", 2, "--out", tmp_path / "out", env={"XDG_CACHE_HOME": str(tmp_path / "cache")})
    assert "synthetic" in result.stderr
    (record,) = rows(tmp_path / "out" / "runs.csv")
    assert record["dataset"] == "synthetic" and "synthetic" in record["note"]
    assert record["val_auc"] != "" and record["image_size"] == "124"


def test_cache_of_another_version_is_refused(tmp_path):
    run("synth", tmp_path / "set", "--patients", 8, "--height", 128, "--width", 128)
    run("preprocess", "--data", tmp_path / "set", "--cache", tmp_path / "a.safetensors", "--image-size", 64)
    content = (tmp_path / "a.safetensors").read_bytes()
    version, = re.findall(rb'"version":"\d"', content)
    (tmp_path / "b.safetensors").write_bytes(content.replace(version, b'"version":"7"'))
    (tmp_path / "c.safetensors").write_bytes(content[: len(content) // 2])
    for name, word in [("b", "version 7"), ("c", "safetensors")]:
        line = one_line(run("train", "--data", tmp_path / f"{name}.safetensors", "--out", tmp_path / "out", code=1))
        assert f"{name}.safetensors" in line and word in line, line


def test_a_processor_without_16_bit_arithmetic_emulates_it(tmp_path):
    """oneDNN, ATen and mpbench limited to AVX2 stand in for such a processor."""
    avx2 = {"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2", "MPBENCH_KERNELS": "avx2"}
    common = ["train", "--dataset", "idx", "--data", FASHION_MNIST, "--limit", "100", "--steps", "2"]
    result = run(*common, "--amp", "--out", tmp_path / "amp", env=avx2)
    (said,) = [line for line in result.stderr.splitlines() if "emulated" in line]
    assert "bf16 is emulated on this device" in said and "fp32's time" in said
    (record,) = rows(tmp_path / "amp" / "runs.csv")
    assert record["bf16_convolution"] == "emulated in fp32" and "depthwise avx2" in record["kernels"]
    run(*common, "--precision", "fp16", "--out", tmp_path / "fp16", env=avx2)
    (record,) = rows(tmp_path / "fp16" / "runs.csv")
    assert record["fp16_convolution"] == "emulated in fp32" and record["bf16_convolution"] == ""
    run(*common, "--amp", "--emulation", "framework", "--kernels", "none", "--out", tmp_path / "framework", env=avx2)
    (record,) = rows(tmp_path / "framework" / "runs.csv")
    assert record["bf16_convolution"] == "framework" and record["kernels"] == "framework"


@pytest.mark.parametrize("option, value", [("--emulation", "fp32"), ("--kernels", "sse2")])
def test_a_choice_that_there_is_not_is_named(tmp_path, option, value):
    line = one_line(run("train", option, value, "--out", tmp_path / "out", code=2))
    assert option in line and value in line


@pytest.fixture(scope="module")
def mammograms(tmp_path_factory):
    """A cache of small mammograms, a few of them positive."""
    folder = tmp_path_factory.mktemp("mammograms")
    run("synth", folder / "set", "--patients", 16, "--height", 64, "--width", 64, "--syntax", "explicit-le",
        "--positive-fraction", 0.1)
    run("preprocess", "--data", folder / "set", "--cache", folder / "set.safetensors", "--image-size", 32)
    return folder


@pytest.mark.parametrize("balance, batch_size", [("none", 1), ("weight", 1), ("auto", 1), ("positives", 1),
                                                 ("auto", 2), ("auto", 8)])
def test_share_of_positives_trained_on(mammograms, tmp_path, balance, batch_size):
    run("train", "--data", mammograms / "set.safetensors", "--balance", balance, "--batch-size", batch_size,
        "--epochs", 1, "--device", "cpu", "--threads", 1, "--out", tmp_path / "out")
    (record,) = rows(tmp_path / "out" / "runs.csv")
    cancer = {row["image_id"]: int(row["cancer"]) for row in rows(mammograms / "set" / "train.csv")}
    labels = [cancer[row["id"]] for row in rows(tmp_path / "out" / "split.csv") if row["split"] == "train"]
    assert 0 < sum(labels) < 0.15 * len(labels)
    share = float(record["train_positive_share"])
    if balance in ("none", "weight"):
        assert share == sum(labels) / len(labels)
    else:
        images = len(labels) // batch_size * batch_size
        batches = -(-images // max(batch_size, 2))
        assert share == max(batches, sum(labels) * images // len(labels)) / images
        assert share <= 0.51, "the negatives are trained on as well"


def test_more_than_two_classes_have_no_positives(tmp_path):
    train(tmp_path, "--steps", 2)
    assert rows(tmp_path / "out" / "runs.csv")[0]["train_positive_share"] == ""
    for balance in ("positives", "weight"):
        line = one_line(train(tmp_path, "--steps", 2, "--quiet", "--balance", balance, code=2))
        assert f"--balance {balance}" in line and "10" in line, line
    line = one_line(train(tmp_path, "--steps", 2, "--quiet", "--loss", "focal", "--focal-alpha", 0.5, code=2))
    assert "--focal-alpha" in line, line


def test_the_largest_seed_is_read_back(tmp_path):
    seed = 2**63 - 1
    train(tmp_path, "--steps", 3, "--seed", seed)
    run("train", "--resume", "--steps", 4, "--out", tmp_path / "out")
    (record,) = rows(tmp_path / "out" / "runs.csv")
    assert record["seed"] == str(seed) and record["steps"] == "4"


def test_images_too_small_for_the_network_are_refused_by_the_option(tmp_path):
    write_idx(tmp_path / "digits", side=8)
    data = ["train", "--quiet", "--device", "cpu", "--dataset", "idx", "--data", tmp_path / "digits", "--steps", 1]
    line = one_line(run(*data, "--out", tmp_path / "out", code=2))
    assert "--image-size" in line and "8 x 8" in line, line
    line = one_line(run(*data, "--model", "resnet18", "--batch-size", 1, "--out", tmp_path / "out", code=2))
    assert "--batch-size 1" in line, line
    run(*data, "--image-size", 16, "--out", tmp_path / "larger")
    run(*data, "--model", "resnet18", "--out", tmp_path / "resnet18")


def write_idx(folder, side, count=40):
    """Noise under the names of MNIST's files."""
    import struct
    folder.mkdir()
    for part in ("train", "t10k"):
        (folder / f"{part}-images-idx3-ubyte").write_bytes(
            struct.pack(">IIII", 0x803, count, side, side) + os.urandom(count * side * side))
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(
            struct.pack(">II", 0x801, count) + bytes(i % 3 for i in range(count)))
