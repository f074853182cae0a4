"""python -m mpbench: becomes the program, and tells it which torch this Python would import."""
import importlib.util
import os
import pathlib
import sys

program = pathlib.Path(__file__).parent / "bin" / "mpbench"
torch = importlib.util.find_spec("torch")
folders = (torch.submodule_search_locations or []) if torch else []
for folder in folders:
    if pathlib.Path(folder, "lib/libtorch_cpu.so").exists():
        os.environ.setdefault("MPBENCH_LIBTORCH", folder)
os.execv(program, [str(program), *sys.argv[1:]])
