"""--config recipe:NAME takes a file of configs/, in the build folder and where 'cmake --install' has put it."""
import os
import pathlib
import subprocess

import pytest
from mpbench_command import MPBENCH

CONFIGS = pathlib.Path(__file__).parents[2] / "configs"
NAMES = sorted(path.stem for path in CONFIGS.glob("*.toml"))


@pytest.fixture(scope="module", params=["built", "installed"])
def program(request, tmp_path_factory):
    if request.param == "built":
        return MPBENCH
    folder = tmp_path_factory.mktemp("installed")
    build = pathlib.Path(os.environ["MPBENCH_BUILD"]).parent
    subprocess.run(["cmake", "--install", build, "--prefix", folder], check=True, stdout=subprocess.DEVNULL)
    return folder / "bin/mpbench"


def refusal(program, *arguments):
    result = subprocess.run([program, *arguments], capture_output=True, text=True)
    assert result.returncode == 2
    return result.stderr


@pytest.mark.parametrize("name", NAMES)
def test_reads_the_recipe(name, program):
    """An impossible value beside it is refused once the file has been read."""
    assert refusal(program, "compare", "--config", f"recipe:{name}", "--batch-size", "0").startswith("error: --batch-size")
    assert refusal(program, "compare", f"--config=recipe:{name}", "--batch-size", "0").startswith("error: --batch-size")


def test_the_recipe_counts(program):
    """It has a list of precisions, which train does not take."""
    assert refusal(program, "train", "--config", "recipe:demo") == "error: --config: precision: takes one value, not a list\n"


@pytest.mark.parametrize("name", ["no_such", "", "../configs/demo", "demo.toml"])
def test_an_unknown_name_lists_those_there_are(name, program):
    expected = f"error: --config: unknown recipe '{name}': choose {', '.join(NAMES)}\n"
    assert refusal(program, "compare", "--config", f"recipe:{name}") == expected
