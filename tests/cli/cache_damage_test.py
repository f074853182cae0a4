"""A cache that is damaged is refused and made anew; one that is stale is noticed."""
import hashlib
import json
import os
import pathlib
import shutil
import struct

import numpy as np
import pytest
from cache_command import files_of, preprocess, uncompressed, with_other_pixels
from mpbench_command import one_line, rows, run


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    folder = tmp_path_factory.mktemp("synth") / "set"
    run("synth", folder, "--patients", 3, "--seed", 4, "--height", 96, "--width", 80)
    return folder


@pytest.fixture
def data(original, tmp_path):
    return pathlib.Path(shutil.copytree(original, tmp_path / "data"))


# ---- Damage ---------------------------------------------------------------------------------------------------------
def layout(content):
    """Where a safetensors file has its header's end, and each tensor's first and last byte."""
    length, = struct.unpack_from("<Q", content)
    header = json.loads(content[8:8 + length])
    places = {name: [8 + length + offset for offset in entry["data_offsets"]]
              for name, entry in header.items() if name != "__metadata__"}
    return 8 + length, places


def flipped(content, place, mask=0x01):
    return content[:place] + bytes([content[place] ^ mask]) + content[place + 1:]


def in_tensor(name, share=0.5):
    def damage(content):
        begin, end = layout(content)[1][name]
        return flipped(content, begin + min(int(share * (end - begin)), end - begin - 1))
    return damage


def in_header(text, offset):
    def damage(content):
        place = content.index(text)
        assert place < layout(content)[0]
        return flipped(content, place + offset)
    return damage


def swapped_labels(content):
    """Two labels that are both valid, and change places."""
    begin, end = layout(content)[1]["labels"]
    labels = np.frombuffer(content[begin:end], "<i8").copy()
    one, other = int(np.argmax(labels == 0)), int(np.argmax(labels == 1))
    labels[[one, other]] = labels[[other, one]]
    return content[:begin] + labels.tobytes() + content[end:]


def digest_made_to_fit(content):
    """A pixel and its digest, changed together."""
    (images, images_end), (digests, digests_end) = (layout(content)[1][name] for name in ("images", "digests"))
    size = (images_end - images) // ((digests_end - digests) // 32)
    content = flipped(content, images + size // 2)
    digest = hashlib.sha256(content[images:images + size]).digest()
    return content[:digests] + digest + content[digests + 32:]


DAMAGES = {
    "a pixel": in_tensor("images"),
    "last pixel": in_tensor("images", 1),
    "two labels swapped": swapped_labels,
    "a digest": in_tensor("digests"),
    "a pixel and its digest": digest_made_to_fit,
    "samples' JSON": in_tensor("samples", 0),
    "a patient": lambda content: flipped(content, content.index(b'"group":["') + 10),
    "quarantine": in_tensor("quarantine", 0),
    "header's JSON": in_header(b'"images"', 0),
    "header's offsets": in_header(b'"data_offsets":[', 16),
    "header's shape": in_header(b'"shape":[', 9),
    "a class's name": in_header(b"negative", 3),
    "the key": in_header(b'"key":"', 8),
    "header's length is huge": lambda content: flipped(content, 7, 0x80),
    "cut in the header": lambda content: content[:200],
    "cut by a byte": lambda content: content[:-1],
    "bytes after the end": lambda content: content + b"0123456789",
    "zeros from the middle on": lambda content: content[:len(content) // 2] + bytes(len(content) - len(content) // 2),
}


@pytest.fixture(scope="module")
def small(original, tmp_path_factory):
    cache = tmp_path_factory.mktemp("small") / "cache.safetensors"
    preprocess(original, cache, size=32)
    return cache.read_bytes()


def train(cache, out, code):
    return run("train", "--data", cache, "--epochs", 1, "--steps", 1, "--warmup-steps", 0, "--device", "cpu",
               "--out", out, code=code)


def test_an_undamaged_copy_is_trained_on(small, tmp_path):
    cache = tmp_path / "cache.safetensors"
    cache.write_bytes(small)
    train(cache, tmp_path / "out", 0)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_cache_is_refused_and_made_anew(original, small, tmp_path, damage):
    cache = tmp_path / "cache.safetensors"
    content = DAMAGES[damage](small)
    assert content != small
    cache.write_bytes(content)
    line = one_line(train(cache, tmp_path / "out", 1))
    assert str(cache) in line and len(line) > len(f"error: {cache}: ") + 10
    made = preprocess(original, cache, size=32).stderr
    assert str(cache) in made and "made anew" in made and "up to date" not in made, made
    assert cache.read_bytes() == small


# ---- Inputs that changed --------------------------------------------------------------------------------------------
class Stale:
    def __init__(self, data, cache):
        self.data, self.cache = data, cache
        preprocess(data, cache, size=32)
        self.before = cache.read_bytes()

    def is_noticed(self, *arguments, code=0, size=32):
        result = preprocess(self.data, self.cache, *arguments, code=code, size=size)
        assert "up to date" not in result.stderr and "made anew" in result.stderr and str(self.cache) in result.stderr
        fresh = self.cache.parent / "fresh" / "cache.safetensors"
        preprocess(self.data, fresh, *arguments, code=code, size=size)
        assert self.cache.read_bytes() == fresh.read_bytes()
        assert "up to date" in preprocess(self.data, self.cache, *arguments, code=code, size=size).stderr


@pytest.fixture
def stale(data, tmp_path):
    return Stale(data, tmp_path / "caches" / "cache.safetensors")


def test_nothing_changed_is_up_to_date(stale):
    made = stale.cache.stat().st_mtime_ns
    assert "up to date" in preprocess(stale.data, stale.cache, size=32).stderr
    assert stale.cache.stat().st_mtime_ns == made and stale.cache.read_bytes() == stale.before


def test_an_input_with_other_bytes_is_noticed(stale):
    with_other_pixels(uncompressed(stale.data))
    stale.is_noticed()
    assert stale.cache.read_bytes() != stale.before


def test_an_input_replaced_by_an_older_file_is_noticed(stale):
    """A copy from a backup keeps its time (cp -p, rsync -t): it is older than the cache, and not what the cache has."""
    path = uncompressed(stale.data)
    with_other_pixels(path)
    os.utime(path, (1e9, 1e9))
    stale.is_noticed()
    assert stale.cache.read_bytes() != stale.before


def test_an_input_that_fails_now_is_noticed_and_one_that_is_back(stale):
    path = files_of(stale.data)[3]
    content, times = path.read_bytes(), path.stat()
    path.write_bytes(content[: len(content) // 2])
    stale.is_noticed(code=3)
    assert [row["path"] for row in rows(stale.cache.parent / "quarantine.csv")] == [str(path)]
    path.write_bytes(content)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    stale.is_noticed()
    assert stale.cache.read_bytes() == stale.before
    assert not (stale.cache.parent / "quarantine.csv").exists()


@pytest.mark.parametrize("column", ["cancer", "laterality", "patient_id", "rows", "order"])
def test_a_changed_table_is_noticed(stale, column):
    table = stale.data / "train.csv"
    header, first, second, *rest = table.read_text().splitlines()
    names, cells = header.split(","), first.split(",")
    lines = [first, second]
    if column == "rows":
        lines = [second]
    elif column == "order":
        lines = [second, first]
    else:
        at = names.index(column)
        if column == "patient_id":
            (stale.data / "train_images" / "999999").mkdir()
            shutil.copy2(files_of(stale.data)[0], stale.data / "train_images" / "999999")
        other = {"cancer": {"0": "1", "1": "0"}, "laterality": {"L": "R", "R": "L"}}
        cells[at] = other[column][cells[at]] if column in other else "999999"
        lines = [",".join(cells), second]
    table.write_text("\n".join([header, *lines, *rest]) + "\n")
    stale.is_noticed()


@pytest.mark.parametrize("arguments, size", [((), 40), (("--pixel-bits", 16), 32), (("--exact",), 32)])
def test_other_options_are_noticed(stale, arguments, size):
    stale.is_noticed(*arguments, size=size)


def test_a_column_that_does_not_matter_changes_nothing(stale):
    table = stale.data / "train.csv"
    header, first, *rest = table.read_text().splitlines()
    cells = first.split(",")
    cells[header.split(",").index("age")] = "33.0"
    table.write_text("\n".join([header, ",".join(cells), *rest]) + "\n")
    assert "up to date" in preprocess(stale.data, stale.cache, size=32).stderr
