"""Bad input gives one clear line and the right exit code."""
import importlib.metadata
import os
import pathlib
import subprocess

import pytest
from mpbench_command import FASHION_MNIST, MPBENCH, one_line, rows, run


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
    (["train", "--batch-size", "99999999999"], ["--batch-size", "99999999999"]),
    (["train", "--batch-size", "010x"], ["--batch-size", "010x"]),
    (["train", "--batch-size", "0x10"], ["--batch-size", "0x10"]),
    (["train", "--epochs", "99999999999999999999"], ["--epochs", "99999999999999999999"]),
    (["train", "--steps", "1e3"], ["--steps", "1e3"]),
    (["train", "--steps", "99999999999999999999"], ["--steps", "99999999999999999999"]),
    (["train", "--workers", "4000"], ["--workers", "4000"]),
    (["train", "--threads", "100000"], ["--threads", "100000"]),
    (["train", "--seed", "-1"], ["--seed", "-1"]),
    (["train", "--seed", "9223372036854775808"], ["--seed", "9223372036854775807", "9223372036854775808"]),
    (["train", "--image-size", "8"], ["--image-size", "8", "16"]),
    (["train", "--image-size", "100000"], ["--image-size", "8192"]),
    (["train", "--model", "resnet18", "--image-size", "32", "--batch-size", "1"], ["--batch-size 1", "--image-size"]),
    (["train", "--model", "efficientnet-b0", "--image-size", "16", "--batch-size", "1"], ["--batch-size 1"]),
    (["train", "--dataset", "rsna"], ["--dataset rsna", "--data"]),
    (["train", "--lr", "nan"], ["--lr", "nan"]),
    (["train", "--lr", "inf"], ["--lr", "inf"]),
    (["train", "--lr", "1e300"], ["--lr", "1e+300"]),
    (["train", "--lr", "1e400"], ["--lr", "1e400"]),
    (["train", "--precision", "fp16", "--init-scale", "1e300"], ["--init-scale", "1e+300"]),
    (["train", "--precision", "fp16", "--init-scale", "0"], ["--init-scale", "0"]),
    (["train", "--precision", "fp16", "--init-scale", "nan"], ["--init-scale", "nan"]),
    (["train", "--precision", "fp16", "--growth-interval", "0"], ["--growth-interval", "0"]),
    (["train", "--precision", "fp16", "--growth-interval", "3000000000"], ["--growth-interval", "3000000000"]),
    (["train", "--init-scale", "8"], ["--init-scale 8", "--precision fp16"]),
    (["train", "--amp", "--device", "cpu", "--init-scale", "8"], ["--init-scale 8", "--precision fp16"]),
    (["train", "--momentum", "0.8"], ["--momentum 0.8", "--optimizer sgd"]),
    (["train", "--momentum", "0.9"], ["--momentum 0.9", "--optimizer sgd"]),
    (["train", "--nesterov"], ["--nesterov", "adam", "sgd"]),
    (["train", "--optimizer", "sgd", "--nesterov", "--momentum", "0"], ["--nesterov", "--momentum"]),
    (["train", "--optimizer", "sgd", "--momentum", "1"], ["--momentum 1"]),
    (["train", "--weight-decay", "-1"], ["--weight-decay", "-1"]),
    (["train", "--focal-gamma", "1"], ["--focal-gamma 1", "--loss focal"]),
    (["train", "--focal-alpha", "0.5"], ["--focal-alpha 0.5", "--loss focal"]),
    (["train", "--label-smoothing", "1"], ["--label-smoothing 1"]),
    (["train", "--ema-decay", "1"], ["--ema-decay 1"]),
    (["train", "--clip-norm", "inf"], ["--clip-norm", "inf"]),
    (["train", "--min-lr", "1e-5"], ["--min-lr", "--schedule cosine"]),
    (["train", "--folds", "5", "--validation-fraction", "0.3"], ["--validation-fraction 0.3", "--folds"]),
    (["train", "--run-id", "../up"], ["--run-id", "../up"]),
    (["train", "--repeat", "0"], ["--repeat"]),
    (["train", "--take-turns"], ["--take-turns", "mpbench compare"]),
    (["compare", "--seed", "0,-1"], ["--seed", "-1"]),
    (["compare", "--seed", "0,9223372036854775808"], ["--seed", "9223372036854775808"]),
    (["compare", "--image-size", "32,8"], ["--image-size", "8"]),
    (["compare", "--batch-size", "32,1", "--model", "cnn,resnet18", "--image-size", "32"], ["--batch-size 1"]),
    (["compare", "--init-scale", "8"], ["--init-scale 8", "--precision fp16"]),
    (["compare", "--momentum", "0.8"], ["--momentum 0.8", "--optimizer sgd"]),
    (["compare", "--checkpoint-steps", "5"], ["--checkpoint-steps 5", "--checkpoints"]),
    (["compare", "--repeats", "99999999999"], ["--repeats", "99999999999"]),
    (["compare", "--margin", "nan"], ["--margin", "nan"]),
    (["compare", "--confidence", "1"], ["--confidence 1"]),
    (["compare", "--sessions", "1"], ["--sessions 1", "2"]),
    (["compare", "--sessions", "-3"], ["--sessions", "-3"]),
    (["compare", "--repeats", "3", "--seed", "0,1"], ["--repeats 3", "seeds"]),
    (["compare", "--seed", "4,4"], ["--seed", "listed twice"]),
    (["compare", "--axis", "threads"], ["--axis threads", "threads=1,2"]),
    (["compare", "--axis", "=1,2"], ["--axis =1,2", "threads=1,2"]),
    (["compare", "--axis", "threds=1,2"], ["--axis threds", "no such option"]),
    (["compare", "--axis", "out=a,b"], ["--axis out", "no such option"]),
    (["compare", "--axis", "threads=1,2", "--axis", "threads=1,4"], ["--axis threads", "twice"]),
    (["compare", "--axis", "threads=1,2", "--threads", "1"], ["--threads", "--axis threads"]),
    (["compare", "--axis", "threads=1,1"], ["--threads", "listed twice"]),
    (["compare", "--axis", "threads=1,many"], ["--threads", "many"]),
    (["compare", "--axis", "seed=1,2"], ["--axis seed", "--seed"]),
    (["compare", "--precision", "fp32", "--axis", "threads=1"], ["--precision", "two or more"]),
    (["compare", "--axis", "momentum=0.8,0.9"], ["--momentum", "--optimizer sgd"]),
    (["compare", "--baseline", "precision=tf32"], ["--baseline precision=tf32", "fp32, bf16"]),
    (["compare", "--baseline", "precision"], ["--baseline precision"]),
    (["compare", "--baseline", "threads=1"], ["--baseline threads=1", "--axis"]),
    (["compare", "--baseline", "threds=1"], ["--baseline threds=1", "--axis threds"]),
    (["compare", "--equivalence", "abc"], ["--equivalence", "abc", "2%"]),
    (["compare", "--equivalence", "0"], ["--equivalence 0", "above 0"]),
    (["compare", "--equivalence", "-1%"], ["--equivalence -1%", "above 0"]),
    (["compare", "--target-precision", "150%"], ["--target-precision 150%"]),
    (["compare", "--primary", "fp16"], ["--primary fp16", "no such arm"]),
    (["compare", "--primary", "null"], ["--primary null", "no such arm"]),
    (["compare", "--together", "maybe"], ["--together", "maybe", "auto"]),
    (["compare", "--ladder", "sideways"], ["--ladder sideways", "forward", "reverse"]),
    (["compare", "--ladder", "--ladder-reverse"], ["--ladder", "--ladder-reverse"]),
    (["compare", "--ladder", "--handicap", "0.5"], ["--ladder", "--handicap"]),
    (["compare", "--ladder", "--with", "mpbench"], ["--ladder", "--with"]),
    (["compare", "--handicap", "0"], ["--handicap 0", "above 0"]),
    (["compare", "--handicap", "-0.5"], ["--handicap -0.5"]),
    (["compare", "--handicap", "half"], ["--handicap", "half"]),
    (["compare", "--split-seed", "-1"], ["--split-seed", "-1"]),
    (["report"], ["DIR"]),
    (["report", "x", "--format", "xml"], ["--format", "xml", "markdown"]),
    (["report", "x", "--format", "csv", "--markdown"], ["--markdown", "--format"]),
    (["report", "x", "--require", "fast"], ["--require", "fast", "no slower than 3 %"]),
    (["report", "x", "y", "--require", "bf16: non-inferior"], ["--require", "non-inferior", "folders"]),
    (["synth", "set", "--seed", "-1"], ["--seed", "-1"]),
    (["synth", "set", "--patients", "99999999999"], ["--patients", "99999999999"]),
    (["synth", "set", "--positive-fraction", "nan"], ["--positive-fraction", "nan"]),
    (["synth", "set", "--threads", "100000"], ["--threads", "100000"]),
    (["preprocess", "--data", "x", "--cache", "y", "--image-size", "0"], ["--image-size"]),
    (["preprocess", "--data", "x", "--cache", "y", "--workers", "-1"], ["--workers"]),
    (["predict", "--data", "x", "--model", "cnn", "--weights", "w.pth", "--image-size", "8"], ["--image-size", "8"]),
    (["predict", "--data", "x", "--model", "cnn", "--weights", "w.pth", "--mean", "0.5", "--deviation", "0"],
     ["--deviation"]),
    (["predict", "--data", "x", "--checkpoint", "w", "--batch-size", "99999999999"], ["--batch-size"]),
    (["decode", "x.dcm", "--digest", "--stage", "display"], ["--stage", "--digest"]),
    (["decode", "x.dcm", "--frame", "-1"], ["--frame"]),
    (["fly"], ["fly", "mpbench --help"]),
    (["trian"], ["'trian'; did you mean 'train'?"]),
    (["train", "--modle", "cnn"], ["--modle; did you mean '--model'?", "mpbench train --help"]),
    (["compare", "--presicion=fp32,bf16"], ["--presicion; did you mean '--precision'?"]),
    (["--quite", "train"], ["--quite; did you mean '--quiet'?"]),
    ([], ["mpbench --help"]),
])
def test_wrong_usage_is_one_line_and_exit_code_2(arguments, words, tmp_path):
    line = one_line(run(*arguments, code=2, cwd=tmp_path, timeout=30))
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


@pytest.mark.parametrize("lines, words", [
    ("seed = -1", ["--seed", "-1"]),
    ("seed = 9223372036854775808", ["--config"]),
    ("epochs = 2.5", ["--epochs", "2.5"]),
    ("lr = nan", ["--lr", "nan"]),
    ("lr = [0.1, 0.2]", ["lr", "one value"]),
    ("deterministic = [true, false]", ["deterministic", "one value"]),
    ("lr = 1e300", ["--lr", "1e+300"]),
    ("momentum = 0.8", ["--momentum 0.8", "--optimizer sgd"]),
    ("init-scale = 8", ["--init-scale 8", "--precision fp16"]),
    ("optimizer = 'sgd'\nnesterov = true\nmomentum = 0", ["--nesterov"]),
    ("image-size = 32\nmodel = 'resnet18'\nbatch-size = 1", ["--batch-size 1"]),
    ("amp = true\nprecision = 'fp32'", ["--amp", "--precision"]),
])
def test_values_of_a_config_file_are_checked_as_flags_are(tmp_path, lines, words):
    config = tmp_path / "c.toml"
    config.write_text(lines + "\n")
    line = one_line(run("train", "--config", config, code=2, cwd=tmp_path))
    for word in words:
        assert word in line, line
    assert list(tmp_path.iterdir()) == [config]


def test_numbers_are_decimal(tmp_path):
    """Not octal, which "010" was."""
    run("train", "--dataset", "idx", "--data", FASHION_MNIST, "--limit", 40, "--steps", "02", "--batch-size", "010",
        "--device", "cpu", "--out", tmp_path / "out")
    record, = rows(tmp_path / "out" / "runs.csv")
    assert (record["batch_size"], record["steps"]) == ("10", "2")


def test_config_may_be_a_pipe():
    for pipe in ["/dev/stdin", "/dev/fd/0"]:
        result = subprocess.run([MPBENCH, "train", "--config", pipe], input="batch-size = -3\n", capture_output=True,
                                text=True, timeout=60)
        assert result.returncode == 2 and "-3" in result.stderr


def test_help_fits_80_columns_and_goes_to_stdout():
    for command in ["", "info", "synth", "decode", "preprocess", "train", "compare", "report"]:
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
    version = importlib.metadata.version("torch").split("+")[0]
    assert info["versions"]["libtorch"] == info["versions"]["libtorch_built_for"] == version
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


def test_a_word_like_no_other_is_not_guessed_at(tmp_path):
    for arguments in (["fly"], ["train", "--no-such-flag"]):
        assert "did you mean" not in one_line(run(*arguments, code=2, cwd=tmp_path))
