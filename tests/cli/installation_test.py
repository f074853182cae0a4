"""What the program finds beside itself: its recipes, and the LibTorch that it was built for."""
import pathlib
import shutil

import pytest
from mpbench_command import MPBENCH, one_line, rows, run

BUILD = pathlib.Path(MPBENCH).parent
LIBTORCH = (BUILD / "libtorch").resolve()


@pytest.fixture
def moved(tmp_path):
    """The program and its libraries in another folder, without what CMake leaves beside them."""
    folder = tmp_path / "moved"
    folder.mkdir()
    for name in ("mpbench", "libmpbench_engine.so", "libmpbench_cuda.so"):
        if (BUILD / name).exists():
            shutil.copy2(BUILD / name, folder)
    return folder


def fake_libtorch(folder, version):
    (folder / "lib").mkdir(parents=True)
    (folder / "lib" / "libtorch_cpu.so").touch()
    (folder / "version.py").write_text(f"from typing import Optional\n__version__ = '{version}'\ndebug = False\n")
    return folder


@pytest.mark.parametrize("form", [["--config", "recipe:demo"], ["--config=recipe:demo"]])
def test_a_recipe_is_named(form, tmp_path):
    out = tmp_path / "out"
    run("compare", *form, "--limit", 64, "--steps", 1, "--repeats", 1, "--precision", "fp32,bf16", "--warmup-steps", 0,
        "--device", "cpu", "--no-checkpoints", "--out", out, "--quiet")
    assert {row["model"] for row in rows(out / "runs.csv")} == {"cnn"}


def test_recipes_come_along_where_it_is_installed(moved, tmp_path):
    result = run("train", "--config", "recipe:demo", code=2, program=moved / "mpbench")
    assert one_line(result) == "error: --config recipe: this mpbench was installed without its recipes"
    (moved / "bin").mkdir()
    (moved / "mpbench").rename(moved / "bin" / "mpbench")
    recipes = moved / "share" / "mpbench" / "configs"
    recipes.mkdir(parents=True)
    (recipes / "ours.toml").write_text("epochs = 0\n")
    result = run("train", "--config", "recipe:ours", code=2, program=moved / "bin" / "mpbench")
    assert "--epochs 0" in one_line(result)
    result = run("train", "--config", "recipe:../../x", code=2, program=moved / "bin" / "mpbench")
    assert one_line(result).endswith("there is no such recipe; there are ours")


@pytest.mark.parametrize("version", ["2.10.0+cu130", "2.13.0", "2.110.0"])
def test_another_torch_is_refused(version, tmp_path):
    other = fake_libtorch(tmp_path / "torch", version)
    result = run("info", code=1, env={"MPBENCH_LIBTORCH": str(other)})
    assert one_line(result) == (f"error: mpbench 0.1.0 was built for torch 2.11 and found torch {version} in {other}: "
                                "pip install 'torch==2.11.*', or set MPBENCH_LIBTORCH to its folder")


def test_no_torch_is_said(tmp_path):
    result = run("info", code=1, env={"MPBENCH_LIBTORCH": str(tmp_path)})
    assert one_line(result).startswith(f"error: mpbench 0.1.0 needs torch 2.11 and found none in {tmp_path}: pip install")


def test_a_damaged_torch_is_one_line(tmp_path):
    other = fake_libtorch(tmp_path / "torch", "2.11.1")
    result = run("info", code=1, env={"MPBENCH_LIBTORCH": str(other)})
    assert one_line(result).startswith("error: cannot load LibTorch: ") and "file too short" in result.stderr


def test_a_torch_elsewhere_is_taken(moved, tmp_path):
    """The same LibTorch by another path, and a program that was moved."""
    link = tmp_path / "elsewhere"
    link.symlink_to(LIBTORCH)
    result = run("info", program=moved / "mpbench", env={"MPBENCH_LIBTORCH": str(link)})
    assert "libtorch" in result.stdout
