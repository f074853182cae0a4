"""The wheel, installed in the ways in which pip installs: what is in it, and which torch it takes."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import time
import zipfile

import pytest
from installed_wheel import MPBENCH, PACKAGES, ROOT, UNSHARE, WITH_CUDA, Environment, one_line, run

REMEDY = "pip install 'torch==2.11.*', or set MPBENCH_LIBTORCH to the folder of one"
STUB_DRIVER = pathlib.Path(os.environ.get("CUDA_HOME", "/usr/local/cuda")) / "lib64/stubs/libcuda.so"


@pytest.fixture(scope="module")
def environment(wheel, tmp_path_factory):
    """Torch lies beside mpbench, as pip installs it."""
    made = Environment(tmp_path_factory.mktemp("environment") / "venv", wheel)
    made.link_torch()
    return made


@pytest.fixture(scope="module")
def environment_elsewhere(wheel, tmp_path_factory):
    """Torch is in a folder that a .pth file adds, as where an environment inherits from another."""
    made = Environment(tmp_path_factory.mktemp("elsewhere") / "a venv", wheel)
    (made.packages / "inherited.pth").write_text(f"{PACKAGES}\n")
    return made


@pytest.fixture(scope="module")
def environment_without(wheel, tmp_path_factory):
    return Environment(tmp_path_factory.mktemp("without") / "venv", wheel)


def names_in(wheel):
    with zipfile.ZipFile(wheel.path) as file:
        return file.namelist()


def test_is_small_and_for_every_python(wheel):
    assert re.fullmatch(r"mpbench-[\d.]+-py3-none-manylinux_2_\d+_x86_64\.whl", wheel.path.name)
    assert wheel.path.stat().st_size <= 40e6
    assert wheel.report.splitlines()[-1].startswith(f"{wheel.path}: ")


def test_asks_for_torch_and_does_not_hold_it(wheel):
    with zipfile.ZipFile(wheel.path) as file:
        metadata = next(name for name in file.namelist() if name.endswith(".dist-info/METADATA"))
        assert "Requires-Dist: torch==2.11.*\n" in file.read(metadata).decode()
    assert not [name for name in names_in(wheel) if re.search(r"libtorch|libc10|libgomp|libcudart|libX11", name)]
    assert [name for name in names_in(wheel) if "mpbench.libs/libopencv_core" in name], "the names above would be seen"


def test_holds_the_licence_of_every_package_that_it_bundles(wheel):
    bundled = re.findall(r"^  (\S+) +\S+ +[\d.]+ MB  (.*)$", wheel.report, re.M)
    libraries = [name for _, names in bundled for name in names.split(", ")]
    inside = [pathlib.Path(name).name for name in names_in(wheel) if name.startswith("mpbench.libs/lib")]
    assert sorted([*libraries, "libGLX"]) == sorted(re.sub(r"-[0-9a-f]{8}\.so.*", "", name) for name in inside)
    with zipfile.ZipFile(wheel.path) as file:
        licences = {name: file.read(name) for name in file.namelist() if "/licenses/bundled/" in name and name[-1] != "/"}
    texts = {pathlib.Path(name).name: text for name, text in licences.items()}
    for package, _ in bundled:
        assert texts[f"{package}.txt"] == pathlib.Path(f"/usr/share/doc/{package}/copyright").read_bytes()
    assert "GPL-2.txt" in texts, "Debian's copyright files refer to it"


@pytest.mark.parametrize("where", ["environment", "environment_elsewhere"])
def test_runs_with_the_torch_of_its_environment(where, request):
    chosen = request.getfixturevalue(where)
    by_path = json.loads(run(chosen.program, "info", "--json").stdout)
    by_module = json.loads(run(chosen.python, "-m", "mpbench", "info", "--json").stdout)
    assert by_path["versions"] == by_module["versions"]
    assert by_path["versions"]["libtorch"].startswith("2.11.")


def test_is_found_through_a_link(environment, tmp_path):
    (tmp_path / "mpbench").symlink_to(environment.program)
    assert run("mpbench", "--version", env={"PATH": f"{tmp_path}:{os.environ['PATH']}"}).stdout.startswith("mpbench ")


def test_without_its_package_the_script_says_so(environment, tmp_path):
    line = one_line(run(shutil.copy(environment.program, tmp_path), "--version", code=1))
    assert line.startswith(f"mpbench: no package mpbench beside {tmp_path}: ")


def test_of_two_pythons_that_share_a_folder_the_last_one_counts(environment_without):
    """As where pip install --user was run by one Python, and later by another."""
    other = environment_without.folder / "lib/python3.9/site-packages/mpbench/bin/mpbench"
    other.parent.mkdir(parents=True)
    other.write_text("#!/bin/sh\necho the other\n")
    other.chmod(0o755)
    answers = []
    for seconds in (0, 4e9):
        os.utime(other, (seconds, seconds))
        answers.append(run(environment_without.program, "--version").stdout)
    shutil.rmtree(environment_without.folder / "lib/python3.9")
    assert answers[0].startswith("mpbench ") and answers[1] == "the other\n"


@pytest.mark.parametrize("option", ["--prefix", "--target"])
def test_is_installed_apart_from_torch(option, wheel, tmp_path):
    """--prefix lays files out as --user does."""
    wheel.install("install", option, tmp_path / "apart", "--quiet")
    program = tmp_path / "apart/bin/mpbench"
    nowhere = {"PATH": str(tmp_path)}
    assert one_line(run(program, "info", code=1, env=nowhere)) == f"error: there is no torch here: {REMEDY}"
    assert run(program, "info", env={**nowhere, "MPBENCH_LIBTORCH": str(PACKAGES / "torch")}).returncode == 0


def test_without_torch_it_says_so_and_still_answers(environment_without):
    python_alone = {"PATH": str(environment_without.folder / "bin")}
    for command in ([environment_without.program], [environment_without.python, "-m", "mpbench"]):
        assert one_line(run(*command, "info", code=1, env=python_alone)) == f"error: there is no torch here: {REMEDY}"
        assert run(*command, "--version").stdout.startswith("mpbench ")


def test_refuses_a_torch_of_another_version(wheel, tmp_path):
    other = Environment(tmp_path / "venv", wheel)
    other.add_torch_version("2.13.0+cu130")
    for command in ([other.program], [other.python, "-m", "mpbench"]):
        line = one_line(run(*command, "info", code=1))
        assert re.fullmatch(r"error: mpbench \S+ was built for torch 2\.11 and found torch 2\.13\.0\+cu130 in (\S+): (.*)",
                            line).groups() == (str(other.packages / "torch"), REMEDY)


def test_takes_recipes_by_name(environment):
    result = run(environment.program, "compare", "--config", "recipe:no_such", code=2)
    names = one_line(result).split(": choose ")[1].split(", ")
    assert "rsna_cnn_124" in names
    for name in names:
        line = one_line(run(environment.program, "compare", "--config", f"recipe:{name}", "--batch-size", "0", code=2))
        assert line.startswith("error: --batch-size"), "the recipe was read"


def test_loads_nothing_of_debians(environment):
    """Of the system only what every Linux has that Python's wheels run on."""
    listed = run(environment.program, "info", env={"LD_DEBUG": "files"}).stderr
    loaded = set(re.findall(r"calling init: (\S+)", listed))
    system = {pathlib.Path(path).name for path in loaded
              if not path.startswith((str(environment.folder), str(PACKAGES)))}
    assert any("libopencv_core" in path for path in loaded)
    expected = re.compile(r"(ld-linux-x86-64|lib(c|m|dl|pthread|rt|util|stdc\+\+|gcc_s|z|cuda|nvidia-.*))\.so")
    assert {name for name in system if not expected.match(name)} == set()


@pytest.mark.skipif(not WITH_CUDA, reason="this mpbench was built without the CUDA toolkit")
@pytest.mark.parametrize("where", ["environment", "environment_elsewhere"])
def test_loads_its_cuda_side_where_a_driver_is(where, request, tmp_path):
    if not STUB_DRIVER.exists():
        pytest.skip(f"no {STUB_DRIVER}")
    (tmp_path / "libcuda.so.1").symlink_to(STUB_DRIVER)  # it loads, and answers every call with an error
    line = run(request.getfixturevalue(where).program, "train", "--device", "cuda", "--dataset", "synthetic", code=1,
               env={"LD_LIBRARY_PATH": str(tmp_path)}).stderr.splitlines()[-1]
    assert "device cuda: " in line and "stub" in line


def fastest(program, *arguments):
    """Seconds, the best of several, as machines are shared."""
    seconds = []
    for _ in range(7):
        start = time.perf_counter()
        subprocess.run([program, *arguments], check=True, stdout=subprocess.DEVNULL)
        seconds.append(time.perf_counter() - start)
    return min(seconds)


@pytest.mark.parametrize("argument", ["--version", "info"])
def test_starts_as_fast_as_the_program_built_in_place(argument, environment):
    assert fastest(environment.program, argument) < fastest(MPBENCH, argument) + 0.05


def test_without_the_cuda_toolkit_none_is_built_unless_asked_for(tmp_path):
    """Its folder is covered up in a namespace of its own."""
    script = ('[ ! -d /usr/local/cuda ] || mount -t tmpfs none "$(readlink -f /usr/local/cuda)" || exit 77\n'
              'exec "$0" --out "$1"')
    result = subprocess.run([*UNSHARE, "sh", "-c", script, ROOT / "scripts/wheel", tmp_path], capture_output=True, text=True,
                            env={"PATH": "/usr/bin:/bin", "HOME": os.environ["HOME"]})
    if result.returncode == 77 or "unshare" in result.stderr:
        pytest.skip("this machine lets no one mount in a namespace of one's own")
    if shutil.which("nvcc", path="/usr/bin:/bin"):
        pytest.skip("nvcc is a program of the system")
    assert result.returncode == 1 and not list(tmp_path.iterdir())
    assert "there is no CUDA toolkit" in one_line(result) and "--without-cuda" in result.stderr


def test_wrong_usage_is_one_line():
    line = one_line(run(ROOT / "scripts/wheel", "--fast", code=2))
    assert line == "scripts/wheel: unknown option '--fast'; scripts/wheel --help lists them"
    assert "Examples:" in run(ROOT / "scripts/wheel", "--help").stdout
