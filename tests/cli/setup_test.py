"""scripts/setup on machines that lack something: what it says, what it leaves behind, what it does not do twice.

Every program that would install or download is a stand-in here, so nothing is; the rest is the script itself.
"""

import fcntl
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from setup_machine import ROOT, Machine, the_line


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


def test_program_gets_the_slim_libtorch_and_a_second_run_does_nothing(machine):
    result = machine.setup("--program")
    assert result.returncode == 0, result.stderr
    assert machine.environments() == ["torch-2.11.0-slim"]
    (pip,) = machine.calls()
    assert "--no-deps" in pip
    requirements = (machine.cache / "mpbench/torch-2.11.0-slim/requirements.txt").read_text().split()
    assert [line.split("==")[0] for line in requirements] == ["torch", "nvidia-cuda-runtime", "nvidia-cuda-cupti"]

    start = time.monotonic()
    result = machine.setup("--program")
    assert time.monotonic() - start < 5  # 0.1 s on an idle machine
    assert result.returncode == 0, result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert len(machine.calls()) == 1


def test_tests_get_the_full_libtorch_which_then_serves_the_program(machine):
    result = machine.setup("--tests")
    assert result.returncode == 0, result.stderr
    (pip,) = machine.calls()
    assert "--no-deps" not in pip
    assert machine.setup("--program").returncode == 0
    assert len(machine.calls()) == 1
    assert machine.environments() == ["torch-2.11.0-full"]


def test_cuda_toolkit_brings_the_full_libtorch(machine):
    machine.program("nvcc", "")
    result = machine.setup("--program", MPBENCH_CUDA="AUTO")
    assert result.returncode == 0, result.stderr
    assert machine.environments() == ["torch-2.11.0-full"]


def test_slim_libtorch_beside_a_cuda_toolkit_is_named(machine):
    machine.program("nvcc", "")
    result = machine.setup("--program", "--slim", MPBENCH_CUDA="AUTO")
    assert result.returncode == 0, result.stderr
    folder = machine.cache / "mpbench/torch-2.11.0-slim/lib/python3.11/site-packages/torch"
    assert result.stderr.splitlines()[-1] == f"Set up: LibTorch {folder}"


def test_changed_pins_install_anew(machine):
    assert machine.setup("--program").returncode == 0
    pins = machine.scripts / "packages" / "pypi.txt"
    pins.write_text(pins.read_text().replace("nvidia-cuda-cupti==13.0.85", "nvidia-cuda-cupti==13.0.86"))
    assert machine.setup("--program").returncode == 0
    assert len(machine.calls()) == 2
    assert machine.environments() == ["torch-2.11.0-slim"]


def test_own_libtorch_is_used_and_nothing_downloaded(machine, tmp_path):
    own = tmp_path / "my libtorch"
    (own / "include/torch").mkdir(parents=True)
    (own / "lib").mkdir()
    for name in ("libtorch_cpu.so", "libc10.so"):
        (own / "lib" / name).write_text("")
    result = machine.setup("--program", MPBENCH_LIBTORCH=str(own))
    assert result.returncode == 0, result.stderr
    assert str(own) in result.stderr
    assert machine.calls() == []


def test_own_libtorch_that_is_none_is_refused(machine, tmp_path):
    line = the_line(machine.setup("--program", MPBENCH_LIBTORCH=str(tmp_path)))
    assert f"MPBENCH_LIBTORCH is '{tmp_path}', which holds no include/torch" in line


def test_missing_packages_are_installed_in_one_go(machine):
    machine.missing("libdcmtk-dev", "libgtest-dev", "mold")
    result = machine.setup("--program")
    assert result.returncode == 0, result.stderr
    installs = [call for call in machine.calls() if call.startswith("apt-get") and " install " in call]
    assert len(installs) == 1
    assert installs[0].endswith(" libdcmtk-dev mold")  # and not what only the tests need


def test_missing_packages_without_root_name_the_command(machine):
    machine.program("id", "echo 1000")
    machine.missing("libdcmtk-dev", "libgtest-dev")
    line = the_line(machine.setup("--tests"))
    assert line.endswith("Run: sudo apt-get update && sudo apt-get install -y libdcmtk-dev libgtest-dev")
    assert machine.calls() == []


def test_sudo_without_a_password_is_used(machine):
    machine.program("id", "echo 1000")
    machine.program("sudo", 'shift\necho sudo >> "$STATE/calls"\n"$@"')
    machine.missing("libdcmtk-dev")
    result = machine.setup("--program")
    assert result.returncode == 0, result.stderr
    assert any("install" in call and "libdcmtk-dev" in call for call in machine.calls())


def test_packages_that_only_speed_the_build_up_are_not_required(machine):
    machine.program("id", "echo 1000")
    machine.missing("mold", "ccache")
    assert machine.setup("--program").returncode == 0


@pytest.mark.parametrize(
    ("apt_says", "expected"),
    [
        ("W: Failed to fetch http://x/InRelease  Temporary failure resolving 'x'", "no network: could not download"),
        ("E: Unable to locate package libdcmtk-dev", "have no package libdcmtk-dev (Debian 12 or newer has them)"),
        ("E: You don't have enough free space in /var/cache/apt/archives/.", "the disk is full"),
        ("E: dpkg was interrupted, you must manually run", "run 'sudo dpkg --configure -a'"),
        ("E: Could not get lock /var/lib/dpkg/lock-frontend.", "another program held apt's lock"),
        ("E: Sub-process /usr/bin/dpkg returned an error code (1)", "apt-get could not install"),
    ],
)
def test_apt_failures_are_explained(machine, apt_says, expected):
    machine.program("apt-get", f'echo "{apt_says}"\nexit 100')
    machine.missing("libdcmtk-dev")
    line = the_line(machine.setup("--program"))
    assert expected in line
    assert "libdcmtk-dev" in line or "dpkg" in line or "lock" in line


def test_a_system_without_apt_is_told_what_to_do(machine):
    (machine.bin / "apt-get").unlink()
    assert "set MPBENCH_APT=no" in the_line(machine.setup("--program"))
    result = machine.setup("--program", MPBENCH_APT="no")
    assert result.returncode == 0, result.stderr


def test_no_compiler(machine):
    (machine.bin / "c++").unlink()
    assert "no C++ compiler" in the_line(machine.setup("--program"))


def test_old_compiler(machine):
    machine.program("c++", 'case "$1" in --version) echo "c++ (Free Software Foundation)";; *) echo 9.4.0;; esac')
    assert "is gcc 9.4.0, and C++20 here needs 12 or newer" in the_line(machine.setup("--program"))


def test_old_cmake(machine):
    machine.program("cmake", "echo cmake version 3.9.6")
    assert "is cmake 3.9.6, and 3.23 or newer is needed" in the_line(machine.setup("--program"))


@pytest.mark.parametrize(("goal", "version", "least"), [("--program", "3.9", "3.10"), ("--tests", "3.10", "3.11")])
def test_old_python(machine, goal, version, least):
    line = the_line(machine.setup(goal, PYTHON_VERSION=version))
    assert f"is Python {version}, and {least} or newer is needed" in line


def test_python_without_venv(machine):
    line = the_line(machine.setup("--program", HAS_VENV="no"))
    assert "has no venv module: install it ('sudo apt-get install python3-venv')" in line


@pytest.mark.parametrize(
    ("pip_says", "expected"),
    [
        (
            "WARNING: Retrying: NewConnectionError: Temporary failure in name resolution\n"
            "ERROR: No matching distribution found for torch==2.11.0\n",
            "no network, or it broke off: could not download LibTorch 2.11.0 (slim)",
        ),
        ("ERROR: No matching distribution found for torch==2.11.0\n", "PyPI has no torch==2.11.0 for Python 3.11 on"),
        ("ERROR: Could not install packages: [Errno 28] No space left on device\n", "the disk is full"),
        ("ERROR: something new\n", "could not install LibTorch 2.11.0 (slim); see why above"),
    ],
)
def test_pip_failures_are_explained_and_leave_nothing(machine, pip_says, expected):
    machine.pip_says(pip_says)
    result = machine.setup("--program")
    assert expected in the_line(result)
    assert machine.environments() == []
    assert len(machine.calls()) == 1

    machine.pip_says("")
    assert machine.setup("--program").returncode == 0
    assert machine.environments() == ["torch-2.11.0-slim"]


def test_a_download_that_breaks_off_is_tried_again(machine):
    machine.pip_says("pip._vendor.urllib3.exceptions.ProtocolError: ('Connection broken: IncompleteRead(1 of 2)')\n")
    assert "no network, or it broke off" in the_line(machine.setup("--program"))
    assert len(machine.calls()) == 3


def test_too_little_space(machine):
    (machine.bin / "df").unlink()
    machine.program("df", "echo Avail\necho 2")
    assert "needs 3 GB free and" in the_line(machine.setup("--program"))
    assert machine.calls() == []


def test_cache_that_cannot_be_written(machine):
    machine.cache.write_text("a file where the folder should be")
    line = the_line(machine.setup("--program"))
    assert f"cannot write to {machine.cache}/mpbench" in line and "XDG_CACHE_HOME" in line


def test_two_at_once_wait_for_each_other(machine):
    folder = machine.cache / "mpbench"
    folder.mkdir(parents=True)
    with open(folder / "setup.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        process = subprocess.Popen(
            [machine.scripts / "setup", "--program"],
            env=machine.environment,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert "waiting for it" in process.stderr.readline()
        assert machine.calls() == []
        fcntl.flock(lock, fcntl.LOCK_UN)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 0, stderr
    assert len(machine.calls()) == 1


@pytest.mark.parametrize(
    ("arguments", "environment", "expected"),
    [
        (["--everything"], {}, "unknown option '--everything'"),
        (["--tests", "--slim"], {}, "--slim serves the program only"),
        (["--program"], {"MPBENCH_CUDA": "yes"}, "MPBENCH_CUDA is 'yes'; it can be AUTO, ON or OFF"),
    ],
)
def test_wrong_usage(machine, arguments, environment, expected):
    assert expected in the_line(machine.setup(*arguments, **environment), code=2)


def test_neither_home_nor_cache(machine):
    environment = {name: machine.environment[name] for name in ("PATH", "STATE")}
    result = subprocess.run([machine.scripts / "setup"], env=environment, capture_output=True, text=True)
    assert "neither XDG_CACHE_HOME nor HOME is set" in the_line(result)


@pytest.mark.parametrize("script", ["demo", "test"])
def test_the_other_scripts_end_with_the_line_of_setup(machine, script):
    (machine.bin / "c++").unlink()
    result = subprocess.run(
        [machine.scripts / script], env=machine.environment, capture_output=True, text=True, timeout=60
    )
    assert "no C++ compiler" in the_line(result)


def test_cmake_looks_for_the_libtorch_that_setup_installs():
    pinned = re.search(r"^torch==(\S+)$", (ROOT / "scripts/packages/pypi.txt").read_text(), re.M).group(1)
    wanted = re.search(r"set\(MPBENCH_TORCH_VERSION (\S+)\)", (ROOT / "cmake/libtorch.cmake").read_text()).group(1)
    assert pinned == wanted


def test_scripts_are_well_formed():
    for path in [*ROOT.glob("scripts/shell/*.sh"), ROOT / "scripts/setup", ROOT / "scripts/demo", ROOT / "scripts/test"]:
        result = subprocess.run(["bash", "-n", path], capture_output=True, text=True)
        assert result.returncode == 0, result.stderr


if __name__ == "__main__":
    sys.exit(pytest.main([os.fspath(Path(__file__))]))
