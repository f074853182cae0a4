"""Pixels of pictures, whole and damaged, as they come into the cache; Pillow says what they should be."""

import io
import struct
import subprocess
import zlib

import numpy as np
import pytest
from mpbench_command import MPBENCH, rows, run
from PIL import Image
from picture_files import (SIZE, Cache, bmp, bmp_variants, chunk, damaged, encoded, jpeg_with_size, make_folder,
                           many_scans, noise, one_picture, picture, pillow, png, preprocess, quarantined, zeros_png)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "data" / "a").mkdir(parents=True)
    return tmp_path / "data" / "a"


def as_mode(mode, seed=5):
    rgb = Image.fromarray(noise(seed))
    if mode == "RGBA":
        return Image.merge("RGBA", [*rgb.split(), Image.fromarray(noise(9, channels=1))])
    if mode == "LA":
        return Image.merge("LA", [rgb.convert("L"), Image.fromarray(noise(9, channels=1))])
    if mode == "P-alpha":
        image = rgb.convert("P")
        image.info["transparency"] = bytes(range(256))
        return image
    if mode == "P-key":
        image = rgb.convert("P")
        image.info["transparency"] = 3
        return image
    return rgb.convert(mode)


@pytest.mark.filterwarnings("ignore:Palette images")
def test_pixels_are_those_of_pillow(tmp_path, folder):
    names = ["RGB.png", "RGBA.png", "L.png", "LA.png", "P.png", "P-alpha.png", "P-key.png", "1.png", "RGB.bmp", "L.bmp",
             "P.bmp", "1.bmp", "RGBA.bmp", "RGB.jpg", "L.jpg", "CMYK.jpg"]
    for name in names:
        as_mode(name.split(".")[0]).save(folder / name)
    _, result = one_picture(tmp_path, names[0])
    cache = Cache(tmp_path / "cache.safetensors")
    for name in names:
        difference = abs(cache.of(f"a/{name}").astype(int) - pillow(folder / name)).max()
        assert difference <= (2 if name.endswith("jpg") else 0), name
    assert len(result.stderr.splitlines()) == 3, result.stderr  # what it is, what came of it, memory


def test_kinds_of_jpeg(tmp_path, folder):
    kinds = [{"progressive": True}, {"quality": 30, "subsampling": 2}, {"optimize": True}, {"restart_marker_blocks": 1},
             {"subsampling": 1, "progressive": True}]
    for i, options in enumerate(kinds):
        Image.fromarray(noise(3, 61, 45)).save(folder / f"{i}.jpg", **options)
    one_picture(tmp_path, "0.jpg", "--height", 61, "--width", 45)
    cache = Cache(tmp_path / "cache.safetensors")
    for i, options in enumerate(kinds):
        assert abs(cache.of(f"a/{i}.jpg").astype(int) - pillow(folder / f"{i}.jpg")).max() <= 2, options


def test_scans_have_a_limit(tmp_path, folder):
    (folder / "many.jpg").write_bytes(many_scans(40))
    (folder / "too_many.jpg").write_bytes(many_scans(60))
    assert (pillow(folder / "many.jpg") == 128).all()
    actual, _ = one_picture(tmp_path, "many.jpg", code=3, height=8, width=8)
    assert (actual == 128).all()
    row = quarantined(tmp_path)["too_many.jpg"]
    assert row["field"] == "JPEG" and "more than 200 scans" in row["problem"]


@pytest.mark.parametrize("colour", [0, 2])
def test_16_bits_are_kept(tmp_path, folder, colour):
    values = np.random.default_rng(1).integers(0, 65536, (SIZE, SIZE, 3 if colour else 1), dtype=np.uint16)
    lines = b"".join(b"\0" + line.astype(">u2").tobytes() for line in values)
    (folder / "x.png").write_bytes(png(SIZE, SIZE, 16, colour, lines))
    deep, _ = one_picture(tmp_path, "x.png", "--pixel-bits", 16)
    assert np.array_equal(deep, np.broadcast_to(values, (SIZE, SIZE, 3)))
    flat, _ = one_picture(tmp_path, "x.png")
    assert abs(flat / 255 - values / 65535).max() <= 0.5 / 255 + 1e-6


def test_8_bits_are_the_same_in_16(tmp_path):
    data = make_folder(tmp_path / "data")
    cache, _ = preprocess(data, tmp_path, "--pixel-bits", 16)
    assert np.array_equal(cache.of("dog/1.png"), noise(101).astype("u2") * 257)


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_few_bits_and_interlaced(tmp_path, folder, depth):
    size = 16
    values = np.random.default_rng(2).integers(0, 2**depth, (size, size))
    bits = ((values[..., None] >> np.arange(depth)[::-1]) & 1).reshape(size, -1).astype("u1")
    lines = b"".join(b"\0" + line.tobytes() for line in np.packbits(bits, axis=1))
    (folder / "grey.png").write_bytes(png(size, size, depth, 0, lines))
    # Adam7's passes: first row and column, steps.
    passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    lines = b""
    for y, x, down, across in passes:
        for line in bits.reshape(size, size, depth)[y::down, x::across]:
            lines += b"\0" + np.packbits(line.reshape(-1)).tobytes()
    (folder / "interlaced.png").write_bytes(png(size, size, depth, 0, lines, interlace=1))
    expected = np.rint(values * 255 / (2**depth - 1)).astype("u1")
    for name in ("grey.png", "interlaced.png"):
        actual, _ = one_picture(tmp_path, name, channels=1, height=size, width=size)
        assert np.array_equal(actual, expected), name


def test_kinds_of_bmp(tmp_path, folder):
    for name, (file, expected) in bmp_variants().items():
        (folder / f"{name}.bmp").write_bytes(file)
        assert np.array_equal(pillow(folder / f"{name}.bmp"), expected), "Pillow reads it so"
    one_picture(tmp_path, "24.bmp", "--height", 2, "--width", 3)
    cache = Cache(tmp_path / "cache.safetensors")
    for name, (_, expected) in bmp_variants().items():
        assert np.array_equal(cache.of(f"a/{name}.bmp"), expected), name


def test_all_grey_is_one_channel(tmp_path):
    data = make_folder(tmp_path / "data", channels=1)
    picture(data / "cat" / "x.jpg", 3, channels=1)
    picture(data / "cat" / "x.bmp", 4, channels=1)
    (data / "cat" / "broken.png").write_bytes(b"broken")
    cache, _ = preprocess(data, tmp_path, code=3)
    assert cache.images.shape == (8, 1, SIZE, SIZE)
    assert np.array_equal(cache.of("cat/x.bmp"), noise(4, channels=1))
    picture(data / "dog" / "9.png", 9)
    cache, _ = preprocess(data, tmp_path, code=3)
    assert cache.images.shape == (9, 3, SIZE, SIZE)
    assert np.array_equal(cache.of("cat/x.bmp"), np.repeat(noise(4, channels=1)[..., None], 3, axis=2))


def test_size_is_their_own_or_224(tmp_path):
    data = make_folder(tmp_path / "data", height=20, width=30)
    cache, _ = preprocess(data, tmp_path)
    assert cache.images.shape[2:] == (20, 30)
    picture(data / "cat" / "x.png", 3, 21, 30)
    cache, _ = preprocess(data, tmp_path)
    assert cache.images.shape[2:] == (224, 224)
    data = make_folder(tmp_path / "large", count=1, height=513, width=20)
    cache, _ = preprocess(data, tmp_path)
    assert cache.images.shape[2:] == (224, 224)
    cache, _ = preprocess(data, tmp_path, "--image-size", 32)
    assert cache.images.shape[2:] == (32, 32)


def areas(count, into):
    """Weights [into, count] of `count` pixels in the mean over each of `into` equal parts."""
    edges = np.linspace(0, count, into + 1)
    places = np.arange(count)
    overlap = np.minimum(edges[1:, None], places + 1) - np.maximum(edges[:-1, None], places)
    return np.clip(overlap, 0, None) * into / count


def test_fits_with_the_aspect_kept(tmp_path, folder):
    sizes = [(90, 60), (60, 90), (75, 75), (30, 20), (300, 31)]
    shown = {}
    for height, width in sizes:
        y, x = np.mgrid[:height, :width]
        smooth = np.stack([255 * y / height, 255 * x / width, 100 + 50 * np.sin(x / 9)], axis=-1).astype("u1") | 1
        Image.fromarray(smooth).save(folder / f"{height}.png")
        shown[height] = smooth
    one_picture(tmp_path, "90.png", "--image-size", 30)
    cache = Cache(tmp_path / "cache.safetensors")
    for height, width in sizes:
        scale = 30 / max(height, width)
        inner = (round(height * scale), round(width * scale))
        expected = np.zeros((30, 30, 3))
        top, left = (30 - inner[0]) // 2, (30 - inner[1]) // 2
        frame = np.s_[top:top + inner[0], left:left + inner[1]]
        expected[frame] = np.einsum("ah,hwc,bw->abc", areas(height, inner[0]), shown[height], areas(width, inner[1]))
        actual = cache.of(f"a/{height}.png")
        assert abs(actual - expected).max() <= 0.51, (height, width)
        assert np.count_nonzero(actual) <= 3 * inner[0] * inner[1]


# What is damaged.


def test_damaged_pictures_are_named_and_left_out(tmp_path):
    data = make_folder(tmp_path / "data", height=64, width=64)
    cases = damaged()
    for name, (file, _, _) in cases.items():
        (data / "cat" / name).write_bytes(file)
    cache, result = preprocess(data, tmp_path, "--workers", 2, code=3)
    assert cache.ids == [f"{c}/{i}.png" for c in ("cat", "dog") for i in range(3)]
    told = quarantined(tmp_path)
    assert set(told) == set(cases)
    for name, (_, field, problem) in cases.items():
        assert told[name]["field"] and told[name]["problem"].isprintable(), told[name]
        assert field in told[name]["field"] and problem in told[name]["problem"], told[name]
    # Nothing from libraries: the cache, five named inputs and how many there are.
    assert len(result.stderr.splitlines()) == 9, result.stderr


def test_a_bit_that_changed_does_not_crash(tmp_path):
    data = make_folder(tmp_path / "data", height=64, width=64)
    random = np.random.default_rng(6)
    for kind in ("jpeg", "png", "bmp"):
        whole = encoded(kind)
        for i in range(120):
            file = bytearray(whole)
            for _ in range(random.integers(1, 4)):
                file[random.integers(len(file) if i % 2 else 200)] ^= 1 << random.integers(8)
            (data / "cat" / f"{i}.{kind.replace('e', '')}").write_bytes(file)
    result = run("preprocess", "--data", data, "--cache", tmp_path / "c.safetensors", "--image-size", 64, code=3)
    named = sum("left out: " in line for line in result.stderr.splitlines())
    assert named == 5 and len(result.stderr.splitlines()) == 9, result.stderr
    problems = rows(tmp_path / "quarantine.csv")
    assert all(row["problem"].isprintable() for row in problems)
    assert sum(row["path"].endswith(".png") for row in problems) > 100


def peak_kib(folder, tmp_path, code=0):
    """The most memory that preprocessing the folder takes."""
    script = ("import resource, subprocess, sys; code = subprocess.call(sys.argv[1:]);"
              "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(code)")
    result = subprocess.run(["python3", "-c", script, MPBENCH, "preprocess", "--data", folder, "--cache",
                             tmp_path / "c.safetensors"], capture_output=True, text=True)
    assert result.returncode == code, result.stderr
    return int(result.stdout)


def test_a_small_file_cannot_take_much_memory(tmp_path):
    """Each claims 16384 x 16384: 768 MiB of pixels."""
    data = make_folder(tmp_path / "data")
    (data / "cat" / "a.png").write_bytes(png(16384, 16384, 8, 2, bytes(1000)))
    (data / "cat" / "b.jpg").write_bytes(jpeg_with_size(16384, 16384))
    (data / "cat" / "c.bmp").write_bytes(bmp(16384, 16384, 32, bytes(1000)))
    peak = peak_kib(data, tmp_path, 3)
    assert len(quarantined(tmp_path)) == 3
    assert peak - peak_kib(make_folder(tmp_path / "harmless"), tmp_path) < 250_000, f"{peak} KiB"


def test_texts_in_a_png_take_no_memory(tmp_path):
    """A hundred texts of 7 kB that unpack to 7 MB each; nobody asks for them."""
    data, plain = make_folder(tmp_path / "data"), make_folder(tmp_path / "plain")
    pixels = b"".join(b"\0" + bytes(192) for _ in range(64))
    texts = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"a" * (7 << 20))) * 100
    (data / "cat" / "texts.png").write_bytes(png(64, 64, 8, 2, pixels, texts))
    assert peak_kib(data, tmp_path) - peak_kib(plain, tmp_path) < 250_000


def test_a_large_picture_is_read(tmp_path):
    data = make_folder(tmp_path / "data")
    (data / "cat" / "large.png").write_bytes(zeros_png(1500, 16384))
    cache, _ = preprocess(data, tmp_path)
    assert not cache.of("cat/large.png").any()


def test_harmless_oddities_are_noted_not_printed(tmp_path, folder):
    jpeg = encoded("JPEG")
    (folder / "tail.jpg").write_bytes(jpeg + b"another picture behind it" * 40)
    (folder / "jfif.jpg").write_bytes(jpeg.replace(b"JFIF\0\x01", b"JFIF\0\x07"))
    profile = chunk(b"iCCP", b"broken\0\0" + zlib.compress(b"no profile at all" * 20))
    (folder / "profile.png").write_bytes(png(64, 64, 8, 2, b"".join(b"\0" + bytes(192) for _ in range(64)), profile))
    (folder / "png.jpg").write_bytes(encoded("PNG"))
    actual, result = one_picture(tmp_path, "tail.jpg", height=64, width=64)
    assert abs(actual.astype(int) - np.asarray(Image.open(io.BytesIO(jpeg)))).max() <= 2
    assert len(result.stderr.splitlines()) == 3, result.stderr  # what it is, what came of it, memory
    cache = Cache(tmp_path / "cache.safetensors")
    notes = {entry["path"]: entry["notes"] for entry in cache.preparations}
    assert "JFIF" in notes["a/jfif.jpg"][0] and "iCCP" in notes["a/profile.png"][0]
    assert notes["a/tail.jpg"] == notes["a/png.jpg"] == []
    assert np.array_equal(cache.of("a/png.jpg"), noise(8, 64, 64))
