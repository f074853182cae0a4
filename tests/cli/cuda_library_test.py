"""CUDA's part is loaded where an NVIDIA driver is, and costs nothing where none is."""
import json
import os
import pathlib
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


def loaded_libraries(env=None, command=("train", "--device", "cuda", "--dataset", "synthetic")):
    return run(*command, code=1, env={"LD_DEBUG": "files", **(env or {})}).stderr


@needs_cuda_build
def test_is_loaded_where_a_driver_is(stub_driver):
    assert "libtorch_cuda.so" in loaded_libraries(stub_driver)
    assert "libtorch_cuda.so" not in loaded_libraries(stub_driver, ("decode", "nothing.dcm")), "decodes on the CPU"
    line = run("train", "--device", "cuda", "--dataset", "synthetic", code=1, env=stub_driver).stderr.splitlines()[-1]
    assert "device cuda: " in line and "stub" in line and "--device cpu" in line


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
