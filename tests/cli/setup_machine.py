"""A stand-in for a machine, to run the scripts on: its programs are small shell scripts that record how they are called."""

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOLS = (
    "awk bash cat cut df dirname du env flock grep head mkdir mv nproc paste realpath rm sed sha256sum sleep sort "
    "stty tail tr truncate uname"
).split()

# Says which packages dpkg has: all but those named in the file "missing".
DPKG_QUERY = """
for name in "$@"; do
  case "$name" in
    -*) ;;
    *) grep -qxF -- "$name" "$STATE/missing" || echo "ii  $name" ;;
  esac
done
"""

APT_GET = """
echo "apt-get $*" >> "$STATE/calls"
case "$*" in
  *install*) : > "$STATE/missing" ;;
esac
"""

# A Python that makes "virtual environments" of two files, with a pip that installs a LibTorch of two more.
PYTHON = r"""
case "$1 $2" in
  "-c "*version_info*) echo "$PYTHON_VERSION" ;;
  "-c import ensurepip"*) [ "$HAS_VENV" = yes ] ;;
  "-c "*) ;;
  "--version "*) echo "Python $PYTHON_VERSION" ;;
  "-I -c") ;;
  "-m venv")
    mkdir -p "$4/bin" "$4/lib/python3.11/site-packages"
    cp_self="$(cat "$0")"
    printf '%s\n' "$cp_self" > "$4/bin/python"
    /bin/chmod +x "$4/bin/python"
    ;;
  "-m pip")
    echo "pip $*" >> "$STATE/calls"
    [ ! -e "$STATE/pip_does" ] || . "$STATE/pip_does"
    if [ -s "$STATE/pip_says" ]; then
      cat "$STATE/pip_says"
      exit 1
    fi
    torch="${0%/bin/python}/lib/python3.11/site-packages/torch"
    mkdir -p "$torch/lib"
    : > "$torch/lib/libtorch_cpu.so"
    ;;
  *) echo "unexpected: $*" >&2; exit 9 ;;
esac
"""


class Machine:
    """A folder that stands for a machine: its programs, its state, and a copy of the scripts in a path with a space."""

    def __init__(self, folder):
        self.bin = folder / "bin"
        self.state = folder / "state"
        self.cache = folder / "the cache"
        self.scripts = folder / "my code" / "mpbench" / "scripts"
        self.bin.mkdir(parents=True)
        self.state.mkdir()
        shutil.copytree(ROOT / "scripts", self.scripts)
        for tool in TOOLS:
            (self.bin / tool).symlink_to(shutil.which(tool))
        (self.state / "missing").write_text("")
        self.program("dpkg-query", DPKG_QUERY)
        self.program("apt-get", APT_GET)
        self.program("id", "echo 0")
        self.program("c++", 'case "$1" in --version) echo "c++ (Free Software Foundation)";; *) echo 12.2.0;; esac')
        self.program("cmake", "echo cmake version 3.25.1")
        self.program("ninja", "echo 1.11")
        self.program("python3", PYTHON)
        self.environment = {
            "PATH": str(self.bin),
            "HOME": str(folder),
            "XDG_CACHE_HOME": str(self.cache),
            "STATE": str(self.state),
            "PYTHON_VERSION": "3.11",
            "HAS_VENV": "yes",
            "CUDA_HOME": "/nowhere",
            "MPBENCH_CUDA": "OFF",  # the machine that runs the tests may have a toolkit of its own
        }

    def program(self, name, script):
        path = self.bin / name
        path.write_text("#!/bin/bash\n" + script + "\n")
        path.chmod(0o755)

    def missing(self, *packages):
        (self.state / "missing").write_text("".join(name + "\n" for name in packages))

    def pip_says(self, text):
        """pip fails with this text, or works again where it is empty."""
        (self.state / "pip_says").write_text(text)

    def pip_does(self, commands):
        """Before that, pip runs these commands of the shell."""
        (self.state / "pip_does").write_text(commands)

    def now(self, *states):
        """Programs that wait for a file of this name go on."""
        for name in states:
            (self.state / name).touch()

    def calls(self):
        path = self.state / "calls"
        return path.read_text().splitlines() if path.exists() else []

    def setup(self, *arguments, **environment):
        return subprocess.run(
            [self.scripts / "setup", *arguments],
            env={**self.environment, **environment},
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
        )

    def environments(self):
        return sorted(path.name for path in (self.cache / "mpbench").glob("torch-*"))


def the_line(result, code=1):
    """The one line that ends a failed set-up, with nothing on stdout."""
    assert result.returncode == code, result.stderr
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    ours = [line for line in lines if line.startswith("scripts/setup: ")]
    assert ours == lines[-1:], result.stderr
    return ours[0]
