"""Fails where the sources leave the structure that docs/architecture.md draws: a module includes another against the arrows that
CMakeLists.txt has (LINK), a header in include/ that no other module includes, a library seen outside the module that owns it, a
file or a function that is too long."""
import pathlib
import re
import sys

MOST_LINES_A_FILE, MOST_LINES_A_FUNCTION = 400, 70
# Lists, a line or two an entry.
LISTS = re.compile(r"void visit_(options|columns)\(")
# The program checks options before the libraries that have them are loaded: it includes without linking.
INCLUDED_WITHOUT_LINKING = {"cli": {"train", "commands"}}
# Libraries that only some modules may see, so that they can be replaced there.
PRIVATE = {"dcmtk/": {"dicom", "synth"}, "openjpeg": {"dicom"}, "CLI/": {"cli"}, "CLI11": {"cli"}}
# What the program has in it before it loads LibTorch, and what it therefore may not reach by any chain of includes.
FRONT = ("src/cli/*.cpp", "src/*/*_options.cpp")
HEAVY = re.compile(r"(torch|ATen|c10|opencv2|dcmtk)/")
TORCH = re.compile(r"(torch|ATen|c10)/")

root = pathlib.Path(__file__).resolve().parent.parent
include = re.compile(r'^\s*#\s*include\s*[<"]([^">]+)[">]', re.M)
problems = []


def modules_of_cmake():
    """{module: (the modules that it may include, whether it has torch)}"""
    text = (root / "CMakeLists.txt").read_text()
    linked = {"options": {"io"}}  # cmake/options_library.cmake
    torch = set()
    for name, rest in re.findall(r"^mpbench_module\((\w+)([^)]*)\)", text, re.M):
        words = rest.split()
        linked[name] = set(words[words.index("LINK") + 1:]) if "LINK" in words else set()
        torch |= {name} if "TORCH" in words else set()
    allowed = {}
    for name in linked:
        reached, waiting = set(), [name]
        while waiting:
            for other in linked[waiting.pop()] - reached:
                reached.add(other)
                waiting.append(other)
        # Whoever links a module with torch may include torch.
        allowed[name] = (reached - {"options"} | INCLUDED_WITHOUT_LINKING.get(name, set()), bool(({name} | reached) & torch))
    del allowed["options"]
    return allowed


def headers_of(path):
    """The headers of this project that a file includes, and the names of all others."""
    own, others = [], []
    for name in include.findall(path.read_text()):
        places = [folder / name for folder in (path.parent, root / "include")]
        found = next((place.resolve() for place in places if place.is_file()), None)
        (own if found else others).append(found or name)
    return own, others


def module_of(path):
    base = "include/mpbench" if path.is_relative_to(root / "include") else "src"
    return path.relative_to(root / base).parts[0]


def check_includes(sources, allowed):
    for path in sources:
        module = module_of(path)
        if module not in allowed:
            problems.append(f"{path}: CMakeLists.txt has no module '{module}'")
            continue
        others, torch = allowed[module]
        own, foreign = headers_of(path)
        for header in own:
            if module_of(header) != module and module_of(header) not in others:
                problems.append(f"{path}: {module} may not include {module_of(header)} ({header.name})")
            if module_of(header) != module and header.is_relative_to(root / "src"):
                problems.append(f"{path}: {header.name} is {module_of(header)}'s own: it is not in include/")
        for name in foreign:
            for prefix, owners in PRIVATE.items():
                if name.startswith(prefix) and module not in owners:
                    problems.append(f"{path}: {name} belongs to {', '.join(sorted(owners))} alone")
            if not torch and TORCH.match(name):
                problems.append(f"{path}: {module} has no torch in it ({name})")


def check_public_headers(sources):
    """A header in include/ is one that another module includes, itself or by another such header."""
    includers = {}
    for path in sources:
        for header in headers_of(path)[0]:
            includers.setdefault(header, set()).add(path)
    headers = {path for path in sources if path.is_relative_to(root / "include")}
    public = {header for header in headers if any(module_of(path) != module_of(header) for path in includers.get(header, ()))}
    while more := {header for header in headers - public if includers.get(header, set()) & public}:
        public |= more
    problems.extend(f"{header}: no other module includes it: it belongs into src/{module_of(header)}" for header in headers - public)


def check_front():
    for pattern in FRONT:
        for source in sorted(root.glob(pattern)):
            reached, waiting = {source}, [source]
            while waiting:
                own, others = headers_of(path := waiting.pop())
                problems.extend(f"{source}: it must do without {name}, which {path} includes" for name in others
                                if HEAVY.match(name))
                waiting += [header for header in own if header not in reached]
                reached.update(own)


def check_lengths(sources):
    """clang-format puts the brace that ends a function where its first line begins."""
    for path in sources:
        lines = path.read_text().splitlines()
        if len(lines) > MOST_LINES_A_FILE:
            problems.append(f"{path}: {len(lines)} lines, at most {MOST_LINES_A_FILE}")
        for indent in ("", "  "):
            begin = None
            for number, line in enumerate(lines, 1):
                starts = re.match(indent + r"[A-Za-z~\[]", line) and not re.match(r"\s*(namespace|struct|class|enum|union)\b", line)
                if starts and begin is None:
                    begin = number
                if line == indent + "}" and begin is not None and not LISTS.search(" ".join(lines[begin - 1:begin + 1])) and number - begin > MOST_LINES_A_FUNCTION:
                    problems.append(f"{path}:{begin}: a function of {number - begin} lines, at most {MOST_LINES_A_FUNCTION}")
                if line.startswith(indent + "}") or (starts and line.endswith(";")):
                    begin = None


def main():
    sources = [path for base in ("include/mpbench", "src") for path in sorted((root / base).rglob("*.[ch]pp"))]
    if not sources:
        problems.append(f"no sources under {root}")
    check_includes(sources, modules_of_cmake())
    check_public_headers(sources)
    check_front()
    check_lengths(sources)
    print("\n".join(problems) or f"{len(sources)} files: every include follows the arrows")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
