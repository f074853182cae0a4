"""Who includes whom: the arrows that CMakeLists.txt has, the headers that others need, the libraries that one module owns."""
import re

from structure.sources import headers_of, module_of, root

# The program checks options before the libraries that have them are loaded: it includes without linking.
INCLUDED_WITHOUT_LINKING = {"cli": {"train", "commands"}}
# Libraries that only some modules may see, so that they can be replaced there.
PRIVATE = {"dcmtk/": {"dicom", "synth"}, "openjpeg": {"dicom"}, "CLI/": {"cli"}, "CLI11": {"cli"},
           "protozero/": {"tensorboard"}, "pugixml": {"report"}}
# What the program has in it before it loads LibTorch, and what it therefore may not reach by any chain of includes.
FRONT = ("src/cli/*.cpp", "src/*/*_options.cpp")
HEAVY = re.compile(r"(torch|ATen|c10|opencv2|dcmtk)/")
TORCH = re.compile(r"(torch|ATen|c10)/")


def modules_of_cmake():
    """{module: (the modules that it may include, whether it has torch)}"""
    linked, torch = {}, set()
    for name, rest in re.findall(r"^mpbench_module\((\w+)([^)]*)\)", (root / "CMakeLists.txt").read_text(), re.M):
        words = rest.split()
        linked[name] = set(words[words.index("LINK") + 1:]) if "LINK" in words else set()
        torch |= {name} if "TORCH" in words else set()
    # No module, but the library of all *_options.cpp.
    options = re.search(r"target_link_libraries\(mpbench_options ([^)]*)\)", (root / "cmake/options_library.cmake").read_text())
    linked["options"] = set(re.findall(r"mpbench_(\w+)", options[1]))
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


def check_includes(sources):
    allowed = modules_of_cmake()
    for path in sources:
        module = module_of(path)
        if module not in allowed:
            yield f"{path}: CMakeLists.txt has no module '{module}'"
            continue
        others, torch = allowed[module]
        own, foreign = headers_of(path)
        for header in own:
            if module_of(header) != module and module_of(header) not in others:
                yield f"{path}: {module} may not include {module_of(header)} ({header.name})"
            if module_of(header) != module and header.is_relative_to(root / "src"):
                yield f"{path}: {header.name} is {module_of(header)}'s own: it is not in include/"
        for name in foreign:
            for prefix, owners in PRIVATE.items():
                if name.startswith(prefix) and module not in owners:
                    yield f"{path}: {name} belongs to {', '.join(sorted(owners))} alone"
            if not torch and TORCH.match(name):
                yield f"{path}: {module} has no torch in it ({name})"


def check_described_modules(_sources):
    """The table of modules in docs/architecture.md has a row for each."""
    described = set(re.findall(r"^\| `(\w+)` \|", (root / "docs/architecture.md").read_text(), re.M))
    for module in sorted(described ^ set(modules_of_cmake())):
        yield f"docs/architecture.md: the table of modules and CMakeLists.txt disagree on '{module}'"


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
    for header in sorted(headers - public):
        yield f"{header}: no other module includes it: it belongs into src/{module_of(header)}"


def check_front(_sources):
    for pattern in FRONT:
        for source in sorted(root.glob(pattern)):
            reached, waiting = {source}, [source]
            while waiting:
                own, others = headers_of(path := waiting.pop())
                for name in others:
                    if HEAVY.match(name):
                        yield f"{source}: it must do without {name}, which {path} includes"
                waiting += [header for header in own if header not in reached]
                reached.update(own)
