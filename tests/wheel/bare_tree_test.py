"""The wheel on a Linux that has the C and C++ libraries, a shell, torch, and nothing else: no Debian package, no Python."""
import os
import pathlib
import shutil
import subprocess

import pydicom.data
import pytest
from installed_wheel import PACKAGES, UNSHARE, Environment

# What Python's wheels for manylinux may expect of a system.
SYSTEM_LIBRARIES = ["libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1", "libutil.so.1", "libstdc++.so.6",
                    "libgcc_s.so.1", "libz.so.1"]
IMPLICIT_VR = pathlib.Path(pydicom.data.__file__).parent / "test_files/MR_small_implicit.dcm"


def library_path(name):
    """Where the loader finds a library of this system."""
    listing = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=True).stdout
    return next(line.split(" => ")[1] for line in listing.splitlines() if line.split() and line.split()[0] == name
                and "x86-64" in line)


class BareTree:
    def __init__(self, folder, environment):
        self.folder = folder
        for name in ("lib64", "usr/lib", "bin", "proc", "dev", "tmp", "data"):
            (folder / name).mkdir(parents=True)
        shutil.copy("/lib64/ld-linux-x86-64.so.2", folder / "lib64")
        for name in SYSTEM_LIBRARIES:
            shutil.copy(library_path(name), folder / "usr/lib" / name)
        shutil.copy(shutil.which("dash") or "/bin/sh", folder / "bin/sh")
        self.packages = folder / "venv" / environment.packages.relative_to(environment.folder)
        shutil.copytree(environment.packages, self.packages)
        (folder / "venv/bin").mkdir()
        shutil.copy(environment.program, folder / "venv/bin")
        for name in ("torch", "nvidia"):
            (self.packages / name).mkdir()

    def run(self, *command):
        mounts = [(PACKAGES / "torch", self.packages / "torch"), ("/proc", self.folder / "proc"),
                  ("/dev", self.folder / "dev")]
        if (PACKAGES / "nvidia").exists():
            mounts.append((PACKAGES / "nvidia", self.packages / "nvidia"))
        script = "".join(f"mount --rbind '{source}' '{target}' && " for source, target in mounts)
        return subprocess.run(
            [*UNSHARE, "sh", "-c", script + 'exec chroot "$@"', "sh", self.folder, "/venv/bin/mpbench", *map(str, command)],
            capture_output=True, text=True, stdin=subprocess.DEVNULL, env={"PATH": os.environ["PATH"], "HOME": "/tmp"})

    def answer(self, *command):
        result = self.run(*command)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout + result.stderr


@pytest.fixture(scope="module")
def tree(wheel, tmp_path_factory):
    if subprocess.run([*UNSHARE, "mount", "--rbind", "/proc", "/proc"], capture_output=True).returncode != 0:
        pytest.skip("this machine lets no one mount in a namespace of one's own")
    folder = tmp_path_factory.mktemp("bare")
    return BareTree(folder / "root", Environment(folder / "venv", wheel))


def test_has_no_library_of_ours_nor_python(tree):
    names = {path.name for path in (tree.folder / "usr").rglob("*")}
    assert names == {"lib", *SYSTEM_LIBRARIES}
    assert not list(tree.folder.rglob("python3"))


def test_info(tree):
    text = tree.answer("info")
    assert "cpu: " in text and "opencv " in text


def test_decodes_what_needs_dcmtks_dictionary(tree):
    """A file of implicit VR does not say what its elements are."""
    shutil.copy(IMPLICIT_VR, tree.folder / "data")
    assert "64 x 64 pixels" in tree.answer("decode", "/data/MR_small_implicit.dcm")


def test_from_dicom_files_to_a_comparison(tree):
    tree.answer("synth", "/data/rsna", "--patients", 24, "--height", 128, "--width", 104)
    text = tree.answer("preprocess", "--data", "/data/rsna", "--cache", "/data/rsna.safetensors", "--image-size", 64)
    assert "104 images" in text
    text = tree.answer("compare", "--config", "recipe:rsna_cnn_124", "--data", "/data/rsna.safetensors", "--dataset", "auto",
                       "--image-size", 64, "--precision", "fp32,bf16", "--repeats", 2, "--sessions", 2, "--steps", 9,
                       "--batch-size", 8, "--device", "cpu", "--out", "/data/out")
    assert "verdict" in text
    assert (tree.folder / "data/out/comparison.csv").read_text().count("\n") == 3
