"""The virtual environments that scripts/setup makes, by Python's own venv and pip, from three tiny wheels on disk."""

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from setup_machine import ROOT, Machine, the_line

PINS = ROOT / "scripts/packages/pypi.txt"


def write_wheel(folder, name, version):
    """A package with an empty library, and a program that prints the package's name."""
    module = name.replace("-", "_")
    info = f"{module}-{version}.dist-info"
    files = {
        f"{module}/__init__.py": f"def main():\n    print({name!r})\n",
        f"{module}/lib/libtorch_cpu.so": "",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[console_scripts]\n{name}-run = {module}:main\n",
    }
    with zipfile.ZipFile(folder / f"{module}-{version}-py3-none-any.whl", "w") as wheel:
        for path, text in files.items():
            wheel.writestr(path, text)
        wheel.writestr(f"{info}/RECORD", "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"]))


@pytest.fixture(scope="module", params=["cache", "the cache"])
def machine(tmp_path_factory, request):
    """With an environment that scripts/setup has made, once for all tests."""
    folder = tmp_path_factory.mktemp("machine")
    wheels = folder / "wheels"
    wheels.mkdir()
    for name, version in re.findall(r"^(torch|nvidia-[\w-]+)==(\S+)$", PINS.read_text(), re.M):
        write_wheel(wheels, name, version)
    machine = Machine(folder)
    machine.cache = folder / request.param
    machine.environment.update(
        XDG_CACHE_HOME=str(machine.cache),
        PYTHON=sys.executable,
        PIP_CONFIG_FILE="/dev/null",
        PIP_NO_INDEX="1",
        PIP_FIND_LINKS=str(wheels),
        PIP_NO_CACHE_DIR="1",
    )
    result = machine.setup("--program")
    assert result.returncode == 0, result.stderr
    return machine


def environment_of(machine):
    return machine.cache / "mpbench/torch-2.11.0-slim"


def scripts_of(venv):
    """The programs of an environment that are text: all but Python itself."""
    files = [path for path in (venv / "bin").iterdir() if not path.is_symlink() and os.access(path, os.X_OK)]
    return [path for path in files if path.read_bytes().startswith(b"#!")]


def interpreter(script):
    """What starts it: named in its first line, or, where the path has a space, in the second."""
    first, second = script.read_text().splitlines()[:2]
    return Path(second.split('"')[1] if first == "#!/bin/sh" else first[2:])


def check_scripts(venv):
    scripts = scripts_of(venv)
    assert {"pip", "torch-run", "nvidia-cuda-runtime-run"} <= {path.name for path in scripts}
    for script in scripts:
        assert interpreter(script).parent == venv / "bin", script
        assert os.access(interpreter(script), os.X_OK), script
    assert subprocess.check_output([venv / "bin/torch-run"], text=True) == "torch\n"
    assert str(venv) in subprocess.check_output([venv / "bin/pip", "--version"], text=True)

    activated = subprocess.check_output(
        ["bash", "-c", 'source "$1" && echo "$VIRTUAL_ENV" && type -P torch-run', "-", venv / "bin/activate"], text=True
    )
    assert activated.splitlines() == [str(venv), str(venv / "bin/torch-run")]
    for path in [venv / "pyvenv.cfg", *(venv / "bin").glob("activate*")]:
        assert ".partial" not in path.read_text(), path


def test_scripts_start_at_their_final_place(machine):
    check_scripts(environment_of(machine))
    assert machine.environments() == ["torch-2.11.0-slim"]


def test_an_environment_of_an_earlier_version_is_repaired_without_a_download(machine):
    venv = environment_of(machine)
    files = [venv / "pyvenv.cfg", *(venv / "bin").glob("[aA]ctivate*"), *scripts_of(venv)]
    for path in files:
        path.write_text(path.read_text().replace(venv.name, venv.name + ".partial"))
    modes = [path.stat().st_mode for path in files]
    with pytest.raises((OSError, subprocess.CalledProcessError)):
        subprocess.check_call([venv / "bin/torch-run"], stderr=subprocess.DEVNULL)
    library = (venv / "lib").stat()

    result = machine.setup("--program", PIP_FIND_LINKS="/nowhere")
    assert result.returncode == 0, result.stderr
    assert result.stderr.startswith("Set up: ")
    check_scripts(venv)
    assert [path.stat().st_mode for path in files] == modes
    assert (venv / "lib").stat().st_ino == library.st_ino


def test_an_environment_is_kept_where_its_successor_cannot_be_downloaded(machine):
    pins = machine.scripts / "packages" / "pypi.txt"
    pins.write_text(pins.read_text().replace("nvidia-cuda-cupti==13.0.85", "nvidia-cuda-cupti==13.0.86"))
    assert "nvidia-cuda-cupti==13.0.86" in the_line(machine.setup("--program"))
    check_scripts(environment_of(machine))
    assert machine.environments() == ["torch-2.11.0-slim"]


if __name__ == "__main__":
    sys.exit(pytest.main([os.fspath(Path(__file__))]))
