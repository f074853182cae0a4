"""Where a name is compared as text. The names of an option's choices belong into one table, which parses them to an enum; all
else compares the enum, so that the compiler finds a name that is not there."""
import collections
import re

from structure.sources import code_of, root

COMPARED = re.compile(r'[=!]=\s*(?:std::string(?:_view)?\()?"([^"\\]*)"|"([^"\\]*)"(?:sv?)?\s*[=!]=')
# What a name of an option, of one of its choices or of an enum looks like. Neither a file's extension does, nor a DICOM term
# ("MONOCHROME1"), nor a word of the command line ("--resume").
NAME = re.compile(r"[a-z][a-z0-9_-]*")

# Words of others, wherever they are compared, by what they are.
OF_OTHERS = {
    "yes and no, in cells and settings": "true false",
    "a cell of RSNA's train.csv": "l left r right",
    "in a pickle of torch.save": "builtins torch module storage little",
    "a tensor's name in a training checkpoint": "n_averaged pos_weight class_weight class_weights",
    "what the kernel says of the processor": "avx512_bf16 avx512_fp16 amx_bf16 amx_fp16 dram",
}
# Comparisons that are in their place: {file: (words, why)}.
IN_THEIR_PLACE = {
    "src/device/device_options.cpp": ("auto cpu cuda", "the parser of --device, which takes cuda:N as well"),
    "src/kernels/instruction_set_options.cpp": ("auto", "the parser: auto is no instruction set"),
    "src/data/formats/image_folder.cpp": ("train", "the name of a folder"),
    "src/train/trainer_checkpoint.cpp": ("threads weights", "options that a resumed run treats in their own way, as free_options"),
}
# Those that are still to become enums: {file: how many}. A number may only fall; an entry of 0 is removed.
TO_BE_ENUMS = {}


def compared_names():
    """{file: the names that it compares, without those that are in their place}"""
    words_of_others = set(" ".join(OF_OTHERS.values()).split())
    found = collections.defaultdict(list)
    for path in sorted(root.glob("include/**/*.hpp")) + sorted(root.glob("src/**/*.[ch]pp")):
        file = str(path.relative_to(root))
        in_place = words_of_others | set(IN_THEIR_PLACE.get(file, ("",))[0].split())
        for match in COMPARED.finditer(code_of(path)):
            word = match[1] or match[2] or ""
            if NAME.fullmatch(word) and word not in in_place:
                found[file].append(word)
    return found


def check_comparisons(_sources):
    found = compared_names()
    for file, words in found.items():
        if len(words) > TO_BE_ENUMS.get(file, 0):
            yield (f"{file}: compares names as text ({', '.join(words)}; {TO_BE_ENUMS.get(file, 0)} were there): make them an enum "
                   "with a table of names, or say in tests/structure/names.py whose words they are")
    for file, count in TO_BE_ENUMS.items():
        if len(found[file]) < count:
            yield f"tests/structure/names.py: {file} has {len(found[file])} such comparisons left: set its {count} to that, or remove it"
    for file, (words, _) in IN_THEIR_PLACE.items():
        text = code_of(root / file) if (root / file).exists() else ""
        missing = [word for word in words.split() if f'"{word}"' not in text]
        if missing:
            yield f"tests/structure/names.py: {file} compares no '{missing[0]}': remove it"


def remaining():
    return f"{sum(TO_BE_ENUMS.values())} comparisons of names as text are left."
