"""Bad input gives one clear line and the right exit code."""
import os
import pathlib
import subprocess

import pytest
from mpbench_command import FASHION_MNIST, MPBENCH, one_line, run


@pytest.mark.parametrize("arguments, words", [
    (["train", "--model", "vgg16"], ["vgg16", "cnn"]),
    (["train", "--batch-size", "-4"], ["--batch-size", "-4"]),
    (["train", "--batch-size", "many"], ["--batch-size", "many"]),
    (["train", "--precision", "fp8"], ["fp8", "bf16"]),
    (["train", "--amp", "--precision", "fp32"], ["--amp", "--precision"]),
    (["train", "--epochs", "0"], ["--epochs"]),
    (["train", "--dataset", "imagenet"], ["imagenet"]),
    (["train", "--device", "tpu"], ["tpu"]),
    (["train", "--no-such-flag"], ["--no-such-flag"]),
    (["compare", "--precision", "fp32"], ["--precision"]),
    (["compare", "--precision", "fp32,fp32"], ["fp32"]),
    (["compare", "--repeats", "0"], ["--repeats"]),
    (["fly"], ["fly", "mpbench --help"]),
    ([], ["mpbench --help"]),
])
def test_wrong_usage_is_one_line_and_exit_code_2(arguments, words, tmp_path):
    line = one_line(run(*arguments, code=2, cwd=tmp_path))
    for word in words:
        assert word in line, line
    assert not list(tmp_path.iterdir()), "wrong usage must leave nothing behind"


def test_folder_without_train_csv_is_named(tmp_path):
    (tmp_path / "empty").mkdir()
    line = one_line(run("train", "--dataset", "rsna", "--data", tmp_path / "empty", "--out", tmp_path / "out", code=1))
    assert "empty" in line and "train.csv" in line


def test_missing_data_is_named(tmp_path):
    line = one_line(run("train", "--data", tmp_path / "nowhere", "--out", tmp_path / "out", code=1))
    assert "nowhere" in line


def test_unwritable_out_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    for out in [tmp_path / "file" / "out", "/proc/mpbench"]:
        line = one_line(run("train", "--dataset", "idx", "--data", FASHION_MNIST, "--out", out, code=1))
        assert str(out) in line


def test_config_file_fills_in_and_flags_win(tmp_path):
    config = tmp_path / "c.toml"
    config.write_text("batch-size = -3\n")
    assert "-3" in one_line(run("train", "--config", config, code=2))
    assert "-9" in one_line(run("train", "--config", config, "--batch-size", "-9", code=2))
    config.write_text("batch-sise = 3\n")
    assert "batch-sise" in one_line(run("train", "--config", config, code=2))
    config.write_text("batch-size = [\n")
    assert "--config" in one_line(run("train", "--config", config, code=2))
    one_line(run("train", "--config", tmp_path / "none.toml", code=2))
    one_line(run("train", "--config", tmp_path, code=2))
    config.write_text("#" * 2**20 + "\n")
    assert "1 MiB" in one_line(run("train", "--config", config, code=2))


def test_config_may_be_a_pipe():
    for pipe in ["/dev/stdin", "/dev/fd/0"]:
        result = subprocess.run([MPBENCH, "train", "--config", pipe], input="batch-size = -3\n", capture_output=True,
                                text=True, timeout=60)
        assert result.returncode == 2 and "-3" in result.stderr


def test_help_fits_80_columns_and_goes_to_stdout():
    for command in ["", "info", "synth", "decode", "preprocess", "train", "compare"]:
        result = run(*command.split(), "--help")
        assert result.stderr == ""
        wide = [line for line in result.stdout.splitlines() if len(line) > 80]
        assert not wide, wide
        assert command in result.stdout
        if command:
            assert "mpbench " + command in result.stdout, "help has an example"


def test_version_names_program_and_number():
    assert run("--version").stdout.startswith("mpbench 0.")


def test_info_reports_support_and_versions():
    import json
    info = json.loads(run("info", "--json").stdout)
    assert info["versions"]["libtorch"].startswith("2.")
    cpu = info["devices"][0]
    assert cpu["device"] == "cpu"
    flags = pathlib.Path("/proc/cpuinfo").read_text().split()
    limited = os.environ.get("ONEDNN_MAX_CPU_ISA", "").upper().startswith(("SSE", "AVX2"))
    expected = "native" if {"avx512_bf16", "amx_bf16"} & set(flags) and not limited else "emulated"
    assert cpu["precisions"]["bf16"]["support"] == expected
    for name in ["onednn", "opencv", "dcmtk", "openjpeg"]:
        assert info["versions"][name], name
    text = run("info").stdout
    assert "bf16" in text and info["versions"]["dcmtk"] in text
