"""python -m mpbench: becomes the program, and tells it which torch this Python would import."""
import importlib.util
import os
import pathlib
import sys

program = pathlib.Path(__file__).parent / "bin" / "mpbench"
torch = importlib.util.find_spec("torch")
if torch is not None and torch.submodule_search_locations and "MPBENCH_LIBTORCH" not in os.environ:
    os.environ["MPBENCH_LIBTORCH"] = torch.submodule_search_locations[0]
os.execv(program, [str(program), *sys.argv[1:]])
