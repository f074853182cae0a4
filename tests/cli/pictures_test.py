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
                           many_scans, noise, picture, pillow, png, preprocess, quarantined, zeros_png)


def one_picture(tmp_path, name, *arguments, code=0, **other):
    """Preprocesses a picture that lies at data/a/NAME, beside a plain one in data/b."""
    data = tmp_path / "data"
    if not (data / "b").exists():
        picture(data / "b" / "plain.png", 1, **other)
    cache, result = preprocess(data, tmp_path, *arguments, code=code)
    return cache.of(f"a/{name}"), result


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "data" / "a").mkdir(parents=True)
    return tmp_path / "data" / "a"


def test_turns_pictures_upright(tmp_path, folder):
    smooth = np.add.outer(np.arange(20) * 10, np.arange(30)).astype("u1")
    image = Image.fromarray(np.stack([smooth, 255 - smooth, smooth // 2], axis=-1))
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x010F] = "a maker"  # a tag before it, and one behind
        exif[0x0112] = orientation
        exif[0x0131] = "a program"
        image.save(folder / f"{orientation}.jpg", exif=exif, quality=100, subsampling=0)
        image.save(folder / f"{orientation}.png", exif=exif)
    for height, width, turned in ((20, 30, range(1, 5)), (30, 20, range(5, 9))):
        one_picture(tmp_path, "1.png", "--height", height, "--width", width)
        cache = Cache(tmp_path / "cache.safetensors")
        notes = {entry["path"]: entry["notes"] for entry in cache.preparations}
        for orientation in turned:
            for suffix, tolerance in (("jpg", 2), ("png", 0)):
                name = f"{orientation}.{suffix}"
                expected = pillow(folder / name)
                assert expected.shape == (height, width, 3)
                assert abs(cache.of(f"a/{name}").astype(int) - expected).max() <= tolerance, name
                told = [] if orientation == 1 else [f"turned upright from EXIF orientation {orientation}"]
                assert notes[f"a/{name}"] == told


def test_an_orientation_in_motorola_order_or_none_at_all(tmp_path, folder):
    def app1(tiff):
        body = b"Exif\0\0" + tiff
        return b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body

    plain = io.BytesIO()
    downwards = np.repeat(np.arange(0, 240, 10, dtype="u1")[:, None], 24, axis=1)
    Image.fromarray(downwards).convert("RGB").save(plain, "JPEG")
    plain = plain.getvalue()
    entry = struct.pack(">HHIHH", 0x0112, 3, 1, 6, 0)
    variants = {
        "motorola": b"MM\0*\0\0\0\x08\0\x01" + entry + b"\0" * 4,
        "no_directory": b"MM\0*\xff\xff\xff\xff\0\x01" + entry,
        "cut": b"MM\0*\0\0\0\x08\0\x05" + entry[:7],
        "nine": b"MM\0*\0\0\0\x08\0\x01" + entry.replace(b"\0\x06", b"\0\x09"),
        "empty": b"",
    }
    for name, tiff in variants.items():
        (folder / f"{name}.jpg").write_bytes(plain[:2] + app1(tiff) + plain[2:])
    one_picture(tmp_path, "motorola.jpg")
    cache = Cache(tmp_path / "cache.safetensors")
    for name in variants:
        image = cache.of(f"a/{name}.jpg").astype(int)
        along, across = image[:, -1, 0] - image[:, 0, 0], image[-1, :, 0] - image[0, :, 0]
        assert (abs(along).min() > 200) == (name == "motorola"), name
        assert (abs(across).min() > 200) == (name != "motorola"), name


# Types of TIFF 6.0 section 2: number, struct's letter.
TIFF_TYPES = {"BYTE": (1, "B"), "SHORT": (3, "H"), "LONG": (4, "I"), "SBYTE": (6, "b"), "SSHORT": (8, "h"),
              "SLONG": (9, "i"), "FLOAT": (11, "f"), "RATIONAL": (5, None)}


def tiff(order, kind, orientation):
    """A directory of a maker's name and an orientation, in Intel's or Motorola's order."""
    number, letter = TIFF_TYPES[kind]
    mark = {"<": b"II*\0", ">": b"MM\0*"}[order]
    value = struct.pack(order + "I", 50) if letter is None else struct.pack(order + letter, orientation)
    return (mark + struct.pack(order + "IH", 8, 2) + struct.pack(order + "HHI4s", 0x010F, 2, 4, b"abc\0")
            + struct.pack(order + "HHI4s", 0x0112, number, 1, value) + bytes(16)
            + struct.pack(order + "II", abs(int(orientation)), 1))


def raw_profile(name, profile):
    """As ImageMagick writes a profile into a PNG's text: PNG's coder, Magick_png_write_raw_profile."""
    digits = profile.hex()
    lines = "".join("\n" + digits[i:i + 72] for i in range(0, len(digits), 72))
    return f"\n{name}\n{len(profile):8d}{lines}\n".encode()


def png_text(kind, keyword, text):
    if kind == "tEXt":
        return chunk(b"tEXt", keyword + b"\0" + text)
    if kind == "zTXt":
        return chunk(b"zTXt", keyword + b"\0\0" + zlib.compress(text))
    packed = kind == "packed iTXt"
    return chunk(b"iTXt", keyword + (b"\0\1" if packed else b"\0\0") + b"\0en\0word\0"
                 + (zlib.compress(text) if packed else text))


def with_chunk(file, added, at_end=False):
    at = len(file) - 12 if at_end else 33
    return file[:at] + added + file[at:]


def with_app1(file, body):
    return file[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + file[2:]


def sideways(kind):
    file = io.BytesIO()
    smooth = np.add.outer(np.arange(20) * 10, np.arange(30)).astype("u1")
    Image.fromarray(smooth).convert("RGB").save(file, kind, **({"quality": 100} if kind == "JPEG" else {}))
    return file.getvalue()


def test_turns_pictures_upright_whatever_the_type_of_the_orientation(tmp_path, folder):
    jpeg, png_file = sideways("JPEG"), sideways("PNG")
    for order in "<>":
        for kind in TIFF_TYPES:
            for orientation in (5, 6, 7, 8):
                exif = tiff(order, kind, orientation)
                name = f"{'II' if order == '<' else 'MM'}_{kind}_{orientation}"
                (folder / f"{name}.jpg").write_bytes(with_app1(jpeg, b"Exif\0\0" + exif))
                (folder / f"{name}.png").write_bytes(with_chunk(png_file, chunk(b"eXIf", exif)))
    one_picture(tmp_path, "II_LONG_6.png", "--height", 30, "--width", 20)
    cache = Cache(tmp_path / "cache.safetensors")
    for path in folder.iterdir():
        # Pillow passes over BYTE, which says the same.
        expected = pillow(folder / path.name.replace("_BYTE_", "_SHORT_"))
        assert expected.shape == (30, 20, 3), path.name
        tolerance = 2 if path.suffix == ".jpg" else 0
        assert abs(cache.of(f"a/{path.name}").astype(int) - expected).max() <= tolerance, path.name


def test_turns_pngs_upright_by_their_raw_profiles(tmp_path, folder):
    whole = sideways("PNG")
    exif = tiff("<", "SHORT", 6)
    by_pillow = []
    for kind in ("tEXt", "zTXt", "iTXt", "packed iTXt"):
        for at_end in (False, True):
            for profile in (exif, b"Exif\0\0" + exif, b"Exif\0\0" + tiff(">", "LONG", 6)):
                for name in ("exif", "APP1"):
                    number = len(list(folder.iterdir()))
                    text = png_text(kind, b"Raw profile type " + name.encode(), raw_profile(name.lower(), profile))
                    (folder / f"{number}.png").write_bytes(with_chunk(whole, text, at_end))
                    by_pillow += [number] if name == "exif" else []  # which does not know the older name
    count = len(list(folder.iterdir()))
    one_picture(tmp_path, "0.png", "--height", 30, "--width", 20)
    cache = Cache(tmp_path / "cache.safetensors")
    expected = pillow(folder / "0.png")
    for number in range(count):
        assert np.array_equal(cache.of(f"a/{number}.png"), expected), number
        if number in by_pillow:
            assert np.array_equal(pillow(folder / f"{number}.png"), expected)


def test_orientations_that_contradict_or_mean_nothing(tmp_path, folder):
    jpeg, whole = sideways("JPEG"), sideways("PNG")
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    six, one = tiff("<", "SHORT", 6), tiff("<", "SHORT", 1)
    app1_xmp = b"http://ns.adobe.com/xap/1.0/\0" + xmp
    text = png_text("tEXt", b"Raw profile type exif", raw_profile("exif", six))
    huge = b"Raw profile type exif\0\0" + zlib.compress(b"\nexif\n  9\n" + b"0" * 50_000_000, 9)
    files = {
        "xmp.jpg": with_app1(jpeg, app1_xmp),
        "exif_before_xmp.jpg": with_app1(with_app1(jpeg, app1_xmp), b"Exif\0\0" + one),
        "xmp.png": with_chunk(whole, png_text("iTXt", b"XML:com.adobe.xmp", xmp)),
        "exif_before_profile.png": with_chunk(whole, chunk(b"eXIf", one) + text),
        "cut_profile.png": with_chunk(whole, png_text("tEXt", b"Raw profile type exif", b"\nexif\n 90\n4949")),
        "no_profile.png": with_chunk(whole, png_text("tEXt", b"Raw profile type exif", b"exif")),
        "no_digits.png": with_chunk(whole, png_text("tEXt", b"Raw profile type APP1", b"\nexif\n 9\nzz")),
        "broken_zlib.png": with_chunk(whole, chunk(b"zTXt", b"Raw profile type APP1\0\0broken")),
        "huge.png": with_chunk(whole, chunk(b"zTXt", huge)),
        "out_of_range.png": with_chunk(whole, chunk(b"eXIf", tiff("<", "SLONG", -6))),
        "far_away.png": with_chunk(whole, chunk(b"eXIf", b"II*\0\x08\0\0\0\1\0" + struct.pack(
            "<HHII", 0x0112, 5, 1, 0xFFFFFFF0) + bytes(4))),
        "half.png": with_chunk(whole, chunk(b"eXIf", tiff("<", "FLOAT", 6.5))),
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    one_picture(tmp_path, "xmp.png", "--height", 30, "--width", 30)
    cache = Cache(tmp_path / "cache.safetensors")
    turned = {name for name in files if cache.of(f"a/{name}")[:3].any()}  # higher than wide: no black above
    assert turned == {"xmp.jpg", "xmp.png"}
    for name in set(files) - {"cut_profile.png", "no_digits.png", "broken_zlib.png", "huge.png"}:
        expected = pillow(folder / name)  # Pillow cannot open the others
        assert (expected.shape[0] == 30) == (name in turned), name


def test_a_packed_profile_cannot_take_much_memory(tmp_path, folder):
    packed = zlib.compress(b"\nexif\n  9\n" + b"0" * 400_000_000, 9)
    (folder / "bomb.png").write_bytes(with_chunk(sideways("PNG"), b"".join(
        chunk(b"zTXt", keyword + b"\0\0" + packed)
        for keyword in [b"Raw profile type exif", b"Raw profile type APP1"] * 20)))
    picture(tmp_path / "data" / "b" / "plain.png", 1)
    script = ("import resource, subprocess, sys; code = subprocess.call(sys.argv[1:]);"
              "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(code)")
    result = subprocess.run(["python3", "-c", script, MPBENCH, "preprocess", "--data", tmp_path / "data", "--cache",
                             tmp_path / "c.safetensors"], capture_output=True, text=True, timeout=60)
    assert result.returncode in (0, 3), result.stderr
    assert int(result.stdout) < 500_000, f"{result.stdout} KiB"


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
