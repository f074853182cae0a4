"""Fails when a module includes another against the arrows of docs/architecture.md."""
import pathlib
import re
import sys

ALLOWED = {
    "core": set(),
    "io": {"core"},
    "stats": {"core"},
    "device": {"core", "io"},
    "dicom": {"core", "io"},
    "synth": {"core", "io", "dicom"},
    "data": {"core", "io", "device", "dicom", "synth"},
    "kernels": {"core", "device"},
    "nn": {"core", "io", "device", "kernels"},
    "amp": {"core", "device", "kernels"},
    "train": {"core", "io", "stats", "device", "kernels", "dicom", "data", "nn", "amp"},
    "predict": {"core", "io", "stats", "device", "kernels", "data", "nn", "amp", "train"},
    "bench": {"core", "io", "stats", "device", "kernels", "data", "nn", "amp", "train"},
    "report": {"core", "io", "stats", "device", "train", "bench"},
    "commands": {"core", "io", "stats", "device", "kernels", "dicom", "synth", "data", "nn", "amp", "train", "predict", "bench", "report"},
    "cli": {"core", "io", "train", "commands"},
}
# Libraries that only one module may see, so that they can be replaced there.
PRIVATE = {"dcmtk/": {"dicom", "synth"}, "openjpeg": {"dicom"}, "CLI/": {"cli"}, "CLI11": {"cli"}}
NO_TORCH = {"core", "io", "stats", "dicom", "synth"}
# What the program has in it before it loads LibTorch, and what it therefore may not reach by any chain of includes.
FRONT = ("src/cli/*.cpp", "src/*/*_options.cpp")
HEAVY = re.compile(r"(torch|ATen|c10|opencv2|dcmtk)/")

root = pathlib.Path(__file__).resolve().parent.parent
include = re.compile(r'^\s*#\s*include\s*[<"]([^">]+)[">]', re.M)
problems = []
files = 0
for base in (root / "include" / "mpbench", root / "src"):
    for path in sorted(base.rglob("*.[ch]pp")):
        files += 1
        module = path.relative_to(base).parts[0]
        if module not in ALLOWED:
            problems.append(f"{path}: module '{module}' is not in {pathlib.Path(__file__).name}")
            continue
        for name in include.findall(path.read_text()):
            if name.startswith("mpbench/"):
                other = name.split("/")[1]
                if other != module and other not in ALLOWED[module]:
                    problems.append(f"{path}: {module} may not include {other} ({name})")
            for prefix, owners in PRIVATE.items():
                if name.startswith(prefix) and module not in owners:
                    problems.append(f"{path}: {name} belongs to {', '.join(owners)} alone")
            if module in NO_TORCH and re.match(r"(torch|ATen|c10)/", name):
                problems.append(f"{path}: {module} has no torch in it ({name})")


def headers_of(path):
    """The headers of ours that a file includes, and the names of all others."""
    ours, others = [], []
    for name in include.findall(path.read_text()):
        places = [folder / name for folder in (path.parent, root / "include")]
        found = next((place for place in places if place.is_file()), None)
        (ours if found else others).append(found or name)
    return ours, others


for pattern in FRONT:
    for source in sorted(root.glob(pattern)):
        reached, waiting = {source}, [source]
        while waiting:
            ours, others = headers_of(path := waiting.pop())
            problems += [f"{source}: it must do without {name}, which {path} includes" for name in others if HEAVY.match(name)]
            waiting += [header for header in ours if header not in reached]
            reached.update(ours)
if files == 0:
    problems.append(f"no sources under {root}")
print("\n".join(problems) or f"{files} files: every include follows the arrows")
sys.exit(1 if problems else 0)
