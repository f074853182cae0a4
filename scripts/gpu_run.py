"""Called by scripts/gpu_run, which says what it does; standard library only."""

import argparse
import importlib.util
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import time
import zipfile

from gpu import facts, ladder, recipes

STAGES = ("facts", "acceptance", "ladder", "recipes")


def unpack(wheel, site):
    """What pip install --target does with a wheel, for a Python without pip (one that uv made)."""
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.infolist():
            path = pathlib.Path(archive.extract(entry, site))
            if path.is_file():
                path.chmod(entry.external_attr >> 16 & 0o777 | 0o644)
    (site / "bin").mkdir()
    for script in site.glob("*.data/scripts/*"):
        script.chmod(0o755)
        script.rename(site / "bin" / script.name)


class Session:
    """The program, where results go, and how much time is left."""

    def __init__(self, options):
        self.root, self.out, self.rehearse = options.root, options.out, options.rehearse
        self.models, self.precisions = options.models.split(","), options.precisions.split(",")
        self.batch_sizes, self.steps = options.batch_sizes, options.steps
        self.benchmark, self.compile = not options.no_benchmark, not options.no_compile
        self.recipes, self.recipe_s = options.recipes.split(","), options.recipe_seconds
        self.device = "cpu" if options.rehearse else "cuda"
        self.deadline = time.monotonic() + 60 * options.minutes
        self.began = time.monotonic()
        self.failures = []
        self.environment = {**os.environ, "XDG_CACHE_HOME": str(self.out / "cache")}
        if options.rehearse:  # spinning threads would take minutes beside other work
            self.environment.setdefault("OMP_WAIT_POLICY", "passive")
        torch = importlib.util.find_spec("torch")
        if torch is None:
            raise SystemExit(f"scripts/gpu_run: {sys.executable} has no torch: name a Python that has it with PYTHON")
        self.environment.setdefault("MPBENCH_LIBTORCH", str(pathlib.Path(torch.origin).parent))
        self.mpbench = None

    def left_s(self):
        return self.deadline - time.monotonic()

    def say(self, text):
        line = f"[{time.monotonic() - self.began:5.0f} s] {text}"
        print(line, file=sys.stderr, flush=True)
        with open(self.out / "log.txt", "a") as log:
            print(line, file=log)

    def fail(self, text):
        self.failures.append(text)
        self.say(f"FAILED: {text}")

    def run(self, command, name, limit_s=300, **options):
        """Runs a command with its output in logs/NAME.log: the exit code, 124 where it took too long, and the log."""
        log = self.out / "logs" / f"{name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        environment = {**self.environment, **options.pop("env", {})}
        with open(log, "w") as file:
            process = subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=file,
                                       stderr=subprocess.STDOUT, env=environment, start_new_session=True, **options)
            try:
                code = process.wait(timeout=max(1, min(limit_s, self.left_s() + 30)))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, 9)  # with the runs that it started
                process.wait()
                code = 124
            except KeyboardInterrupt:
                os.killpg(process.pid, 2)
                process.wait()
                raise
        return code, log.read_text(errors="replace")

    def install(self, program):
        """The program of a wheel, installed below the output folder, or of a folder."""
        if program.is_dir():
            self.mpbench = program / "mpbench"
            if not os.access(self.mpbench, os.X_OK):
                raise SystemExit(f"scripts/gpu_run: {program} holds no program mpbench")
            return
        site = self.out / "site"
        shutil.rmtree(site, ignore_errors=True)
        if importlib.util.find_spec("pip") is None:
            unpack(program, site)
        else:
            code, log = self.run([sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-index",
                                  "--no-deps", "--target", site, program], "install")
            if code != 0:
                raise SystemExit(f"scripts/gpu_run: the wheel could not be installed:\n{log.strip()[-1000:]}")
        self.mpbench = site / "bin" / "mpbench"
        self.say(f"installed {program.name} in {site}")


def accept(session):
    """scripts/gpu_acceptance --quick, with the program that is there."""
    command = [session.root / "scripts" / "gpu_acceptance", "--quick", "--no-tests", "--device", session.device, "--out",
               session.out / "acceptance"]
    code, log = session.run(command, "acceptance", limit_s=600, env={"MPBENCH": str(session.mpbench)})
    session.say(log.strip().splitlines()[-1] if log.strip() else "gpu_acceptance said nothing")
    if code != 0:
        session.fail(f"gpu_acceptance ended with exit code {code}")


def parse_arguments():
    parser = argparse.ArgumentParser(prog="scripts/gpu_run", usage="scripts/gpu_run PROGRAM [STAGE...] (see --help)",
                                     add_help=False)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("stages", nargs="*")
    parser.add_argument("--root", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("--minutes", type=float, default=9)
    parser.add_argument("--models", default="resnet50,efficientnet-b0,resnet18,efficientnet-b4")
    parser.add_argument("--precisions", default="fp16,fp32,bf16,tf32")
    parser.add_argument("--batch-sizes", default="128,32,256,64,512")
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--no-benchmark", action="store_true")
    parser.add_argument("--no-compile", action="store_true")
    parser.add_argument("--recipes", default=",".join(recipes.NAMES))
    parser.add_argument("--recipe-seconds", type=float, default=120)
    parser.add_argument("--rehearse", action="store_true")
    options = parser.parse_args()
    for stage in options.stages:
        if stage not in STAGES:
            parser.error(f"there is no stage '{stage}': choose {', '.join(STAGES)}")
    if not options.program.exists():
        parser.error(f"there is no {options.program}")
    if options.program.is_file() and options.program.suffix != ".whl":
        parser.error(f"{options.program} is neither a wheel nor a folder")
    for name in options.recipes.split(","):
        if name not in recipes.NAMES:
            parser.error(f"there is no recipe '{name}': choose {', '.join(recipes.NAMES)}")
    try:
        options.batch_sizes = [int(word) for word in options.batch_sizes.split(",")]
    except ValueError:
        parser.error(f"--batch-sizes {options.batch_sizes}: name whole numbers, as 128,32")
    if not 0 < options.minutes <= 600 or options.steps < 1 or min(options.batch_sizes) < 1:
        parser.error("--minutes must be above 0 and at most 600, --steps and --batch-sizes at least 1")
    options.out = (options.out or options.root / "build" / "gpu_run").resolve()
    options.program = options.program.resolve()
    options.stages = options.stages or list(STAGES)
    return options


def main():
    options = parse_arguments()
    options.out.mkdir(parents=True, exist_ok=True)
    session = Session(options)
    session.say(f"{'a rehearsal on the CPU; ' if options.rehearse else ''}{platform.node()}, Python {platform.python_version()}")
    work = {"facts": facts.write, "acceptance": accept, "ladder": ladder.climb, "recipes": recipes.run_all}
    try:
        session.install(options.program)
        for stage in options.stages:
            if session.left_s() <= 0:
                session.fail(f"{stage} was left out: the time is up")
                continue
            session.say(f"stage {stage}")
            work[stage](session)
    except KeyboardInterrupt:
        session.say("interrupted; what was measured so far is kept")
        return 130
    session.say(f"done: {len(session.failures)} failures; {session.out}")
    return 1 if session.failures else 0


if __name__ == "__main__":
    sys.exit(main())
