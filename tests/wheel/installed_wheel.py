"""Installs the wheel as its users do, with the torch of the Python that runs the tests."""
import importlib.util
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).parents[2]
MPBENCH = pathlib.Path(os.environ["MPBENCH"])
PACKAGES = pathlib.Path(importlib.util.find_spec("torch").origin).parents[1]
WITH_CUDA = (MPBENCH.parent / "libmpbench_cuda.so").exists()
# Mounts need root's rights, or a user namespace in which one has them.
UNSHARE = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--mount", "--map-root-user"]


class Wheel:
    """The file, and what scripts/wheel said."""

    def __init__(self, path, report):
        self.path = path
        self.report = report

    def install(self, *options):
        """By pip, without network."""
        subprocess.run([sys.executable, "-m", "pip", "--disable-pip-version-check", *options,
                        "--no-index", "--no-deps", self.path], check=True, stdout=subprocess.DEVNULL)


class Environment:
    """A virtual environment with mpbench, and with torch where it is told so."""

    def __init__(self, folder, wheel):
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
        self.folder = folder
        self.program = folder / "bin/mpbench"
        self.python = folder / "bin/python"
        self.packages = next(folder.glob("lib/python3*/site-packages"))
        wheel.install("--python", self.python, "install")

    def link_torch(self):
        """As if pip had installed it here; it has five gigabytes."""
        for name in ("torch", "nvidia"):
            if (PACKAGES / name).exists():
                (self.packages / name).symlink_to(PACKAGES / name)

    def add_torch_version(self, version):
        """What mpbench looks at before it loads anything."""
        (self.packages / "torch/lib").mkdir(parents=True)
        (self.packages / "torch/lib/libtorch_cpu.so").touch()
        (self.packages / "torch/version.py").write_text(f"__version__ = '{version}'\ndebug = False\n")


def run(*command, code=0, env=None, **options):
    """Runs a command without the variables that would lead to another torch or library."""
    environment = {name: value for name, value in os.environ.items()
                   if name not in ("MPBENCH_LIBTORCH", "LD_LIBRARY_PATH", "PYTHONPATH", "DCMDICTPATH")}
    result = subprocess.run(list(map(str, command)), capture_output=True, text=True, stdin=subprocess.DEVNULL,
                            env={**environment, **(env or {})}, **options)
    assert result.returncode == code, f"exit code {result.returncode}\n{result.stdout}\n{result.stderr}"
    return result


def one_line(result):
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    return lines[0]
