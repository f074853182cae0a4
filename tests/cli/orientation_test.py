"""Pictures that lie on their side or head, in every way in which a file says so; Pillow turns them upright."""

import io
import struct
import subprocess
import zlib

import numpy as np
import pytest
from mpbench_command import MPBENCH
from PIL import Image
from picture_files import Cache, chunk, one_picture, picture, pillow


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
