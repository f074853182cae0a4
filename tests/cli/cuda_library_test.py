"""CUDA's part is loaded where an NVIDIA driver is, and costs nothing where none is."""
import json
import os
import pathlib
import shutil
import subprocess

import pytest
from mpbench_command import MPBENCH, one_line, run

LIBRARY = pathlib.Path(MPBENCH).parent / "libmpbench_cuda.so"
STUB = pathlib.Path(os.environ.get("CUDA_HOME", "/usr/local/cuda")) / "lib64/stubs/libcuda.so"
needs_cuda_build = pytest.mark.skipif(not LIBRARY.exists(), reason="this mpbench was built without the CUDA toolkit")


@pytest.fixture
def stub_driver(tmp_path):
    """The toolkit's driver to link with: it loads, and answers every call with an error."""
    if not STUB.exists():
        pytest.skip(f"no {STUB}")
    (tmp_path / "libcuda.so.1").symlink_to(STUB)
    return {"LD_LIBRARY_PATH": f"{tmp_path}:{os.environ.get('LD_LIBRARY_PATH', '')}"}


def loaded_libraries(env=None, command=("train", "--device", "cuda", "--dataset", "synthetic"), **options):
    return run(*command, code=1, env={"LD_DEBUG": "files", **(env or {})}, **options).stderr


@needs_cuda_build
def test_is_loaded_where_a_driver_is(stub_driver):
    assert "libtorch_cuda.so" in loaded_libraries(stub_driver)
    line = run("train", "--device", "cuda", "--dataset", "synthetic", code=1, env=stub_driver).stderr.splitlines()[-1]
    assert "device cuda: " in line and "stub" in line and "--device cpu" in line


@needs_cuda_build
@pytest.mark.parametrize("command", [
    ("decode", "nothing.dcm"), ("preprocess", "--data", "nothing", "--cache", "x"), ("synth", "/dev/null/x"),
    ("train", "--device", "cpu", "--dataset", "idx", "--data", "nothing"),
    ("predict", "--device", "cpu", "--data", "nothing", "--checkpoint", "nothing"),
    ("compare", "--device", "cpu", "--dataset", "idx", "--data", "nothing")])
def test_is_not_loaded_by_what_computes_on_the_cpu(command, stub_driver, tmp_path):
    libraries = loaded_libraries(stub_driver, command, cwd=tmp_path)
    assert "libmpbench_engine.so" in libraries and "libtorch_cuda.so" not in libraries


@needs_cuda_build
def test_is_found_beside_a_program_that_was_copied(stub_driver, tmp_path):
    """And beside a test, or in the folder above it."""
    moved = tmp_path / "moved"
    (moved / "tests").mkdir(parents=True)
    build = pathlib.Path(MPBENCH).parent
    for name in ("mpbench", "libmpbench_engine.so", "libmpbench_cuda.so"):
        shutil.copy2(build / name, moved)
    libraries = loaded_libraries(stub_driver, program=moved / "mpbench")
    assert f"calling init: {moved}/libmpbench_cuda.so" in libraries
    test = build / "tests" / "mpbench_device_tests"
    if not test.exists():
        pytest.skip(f"no {test}")
    for folder, library in ((moved, moved / "libmpbench_cuda.so"), (moved / "tests", moved / "tests/../libmpbench_cuda.so")):
        copy = shutil.copy2(test, folder)
        said = subprocess.run([copy, "--gtest_filter=StepTimerTest.*Gpu*"], capture_output=True, text=True,
                              env={**os.environ, **stub_driver, "LD_DEBUG": "files"}).stderr
        assert f"calling init: {library}" in said


@needs_cuda_build
def test_is_not_loaded_without_a_driver():
    if "libcuda.so.1" in subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True).stdout:
        pytest.skip("this machine has a driver")
    assert "libtorch_cuda.so" not in loaded_libraries()
    line = one_line(run("train", "--device", "cuda", "--dataset", "synthetic", code=1))
    assert "there is no NVIDIA driver" in line


@needs_cuda_build
def test_info_names_its_versions_without_a_driver():
    versions = json.loads(run("info", "--json").stdout)["versions"]
    assert versions["cuda"] and versions["cudnn"].count(".") == 2
