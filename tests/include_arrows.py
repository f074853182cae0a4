"""Fails when a module includes another against the arrows of docs/architecture.md."""
import pathlib
import re
import sys

ALLOWED = {
    "core": set(),
    "device": {"core"},
    "dicom": {"core"},
    "data": {"core", "device", "dicom"},
    "kernels": {"core", "device"},
    "nn": {"core", "device", "kernels"},
    "amp": {"core", "device", "kernels"},
    "train": {"core", "device", "kernels", "dicom", "data", "nn", "amp"},
    "bench": {"core", "device", "kernels", "data", "nn", "amp", "train"},
    "report": {"core", "device", "train", "bench"},
    "cli": {"core", "device", "kernels", "dicom", "data", "nn", "amp", "train", "bench", "report"},
}
# Libraries that only one module may see, so that they can be replaced there.
PRIVATE = {"dcmtk/": {"dicom"}, "openjpeg": {"dicom"}, "CLI/": {"cli"}, "CLI11": {"cli"}}
NO_TORCH = {"core", "dicom"}

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
if files == 0:
    problems.append(f"no sources under {root}")
print("\n".join(problems) or f"{files} files: every include follows the arrows")
sys.exit(1 if problems else 0)
