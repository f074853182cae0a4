"""The files under include/ and src/, their modules and what they include."""
import functools
import pathlib
import re

root = pathlib.Path(__file__).resolve().parents[2]
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^">]+)[">]', re.M)


def all_sources():
    return [path for base in ("include/mpbench", "src") for path in sorted((root / base).rglob("*.[ch]pp"))]


def module_of(path):
    base = "include/mpbench" if path.is_relative_to(root / "include") else "src"
    return path.relative_to(root / base).parts[0]


@functools.cache
def headers_of(path):
    """The headers of this project that a file includes, and the names of all others."""
    own, others = [], []
    for name in INCLUDE.findall(path.read_text()):
        places = [folder / name for folder in (path.parent, root / "include", root / "tests")]
        found = next((place.resolve() for place in places if place.is_file()), None)
        (own if found else others).append(found or name)
    return own, others


def code_of(path):
    """A file without its comments."""
    return re.sub(r"//[^\n]*|/\*.*?\*/", "", path.read_text(), flags=re.S)
