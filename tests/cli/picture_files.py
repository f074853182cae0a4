"""Picture files of every kind, whole and damaged, and how tests look at what became of them."""

import io
import json
import pathlib
import struct
import zlib

import numpy as np
from mpbench_command import rows, run
from PIL import Image, ImageOps
from safetensors import safe_open

SIZE = 24


def noise(seed, height=SIZE, width=SIZE, channels=3):
    shape = (height, width, channels) if channels > 1 else (height, width)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def picture(path, seed, height=SIZE, width=SIZE, channels=3):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(noise(seed, height, width, channels)).save(path)


def make_folder(folder, classes=("cat", "dog"), count=3, suffix=".png", **size):
    for label, name in enumerate(classes):
        for i in range(count):
            picture(folder / name / f"{i}{suffix}", 100 * label + i, **size)
    return folder


class Cache:
    def __init__(self, path):
        with safe_open(path, framework="numpy") as file:
            self.images = file.get_tensor("images")
            self.labels = file.get_tensor("labels").tolist()
            self.samples = json.loads(file.get_tensor("samples").tobytes())
            self.preparations = json.loads(file.get_tensor("preparations").tobytes())
            self.metadata = file.metadata()
        self.ids = self.samples["id"]
        self.classes = json.loads(self.metadata["classes"])

    def of(self, name):
        """The image [H, W, C], or [H, W] where it has one channel."""
        image = self.images[self.ids.index(name)].transpose(1, 2, 0)
        return image[..., 0] if image.shape[2] == 1 else image


def preprocess(data, tmp_path, *arguments, code=0):
    cache = tmp_path / "cache.safetensors"
    result = run("preprocess", "--data", data, "--cache", cache, *arguments, code=code)
    return (Cache(cache) if code in (0, 3) else None), result


def one_picture(tmp_path, name, *arguments, code=0, **other):
    """Preprocesses a picture that lies at data/a/NAME, beside a plain one in data/b."""
    data = tmp_path / "data"
    if not (data / "b").exists():
        picture(data / "b" / "plain.png", 1, **other)
    cache, result = preprocess(data, tmp_path, *arguments, code=code)
    return cache.of(f"a/{name}"), result


def quarantined(tmp_path):
    return {pathlib.Path(row["path"]).name: row for row in rows(tmp_path / "quarantine.csv")}


def pillow(path, mode="RGB"):
    """What PIL, and torchvision with it, sees."""
    with Image.open(path) as image:
        return np.asarray(ImageOps.exif_transpose(image).convert(mode))


def many_scans(coefficients):
    """A progressive JPEG of one block: a scan for its mean, and four for each of so many coefficients."""
    def segment(marker, body):
        return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body

    def scan(first, last, high, low):
        return segment(0xDA, bytes([1, 1, 0, first, last, high << 4 | low])) + b"\x7f"  # the code 0, filled up with 1

    one_code = bytes([1] + [0] * 15 + [0])  # 0 stands for 0: no difference, or end of block
    file = b"\xff\xd8" + segment(0xDB, b"\0" + b"\1" * 64)
    file += segment(0xC2, struct.pack(">BHHBBBB", 8, 8, 8, 1, 1, 0x11, 0))
    file += segment(0xC4, b"\x00" + one_code) + segment(0xC4, b"\x10" + one_code) + scan(0, 0, 0, 0)
    for k in range(1, coefficients + 1):
        file += b"".join(scan(k, k, high, low) for high, low in ((0, 3), (3, 2), (2, 1), (1, 0)))
    return file + b"\xff\xd9"


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width, height, depth, colour, data, *others, interlace=0):
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        [chunk(b"IHDR", header), *others, chunk(b"IDAT", zlib.compress(data)), chunk(b"IEND", b"")])


def bmp(width, height, bits, pixels, compression=0, masks=b"", palette=b"", used=0, header=40):
    body = struct.pack("<IiiHHIIiiII", header, width, height, 1, bits, compression, 0, 0, 0, used, 0)
    body += masks.ljust(header - 40, b"\0") if header > 40 else masks
    at = 14 + len(body) + len(palette)
    return b"BM" + struct.pack("<IHHI", at + len(pixels), 0, 0, at) + body + palette + pixels


def bmp_variants():
    """Pictures of 3 x 2 (rows are padded to 4 bytes) and what they show, top row first."""
    colours = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]], [[0, 0, 0], [255, 255, 255], [255, 255, 0]]], "u1")
    upside_down = colours[::-1]
    bgrx = b"".join(bytes([*pixel[::-1], 77]) for pixel in upside_down.reshape(-1, 3))
    rgbx = b"".join(bytes([*pixel, 77]) for pixel in upside_down.reshape(-1, 3))

    def words(shifts, tops):
        lines = b""
        for line in upside_down.astype(int):
            for pixel in line:
                lines += struct.pack("<H", sum((value * top // 255) << shift for value, top, shift in
                                               zip(pixel, tops, shifts)))
            lines += b"\0\0"
        return lines

    xbgr = b"".join(bytes([77, *pixel[::-1]]) for pixel in upside_down.reshape(-1, 3))
    xbgr_masks = struct.pack("<III", 0xFF000000, 0xFF0000, 0xFF00)
    masks_565 = struct.pack("<III", 0xF800, 0x7E0, 0x1F)
    rgba_masks = struct.pack("<IIII", 0xFF, 0xFF00, 0xFF0000, 0xFF000000)
    palette = b"".join(bytes([*pixel[::-1], 0]) for pixel in colours.reshape(-1, 3))
    os2 = b"BM" + struct.pack("<IHHI", 0, 0, 0, 14 + 12 + 6) + struct.pack("<IHHHH", 12, 3, 2, 1, 1)
    grey = np.array([[0, 1, 0], [1, 0, 1]], "u1")
    return {
        "24": (bmp(3, 2, 24, b"".join(line[:, ::-1].tobytes() + b"\0" * 3 for line in upside_down)), colours),
        "24_top_down": (bmp(3, -2, 24, b"".join(line[:, ::-1].tobytes() + b"\0" * 3 for line in colours)), colours),
        "32": (bmp(3, 2, 32, bgrx), colours),
        "32_masks": (bmp(3, 2, 32, xbgr, 3, xbgr_masks), colours),
        "32_v5": (bmp(3, 2, 32, rgbx, 3, rgba_masks, header=124), colours),
        "16_555": (bmp(3, 2, 16, words((10, 5, 0), (31, 31, 31))), colours),
        "16_565": (bmp(3, 2, 16, words((11, 5, 0), (31, 63, 31)), 3, masks_565), colours),
        "8": (bmp(3, 2, 8, bytes([3, 4, 5, 0, 0, 1, 2, 0]), palette=palette, used=6), colours),
        "4": (bmp(3, 2, 4, bytes([0x34, 0x50, 0, 0, 0x01, 0x20, 0, 0]), palette=palette, used=6), colours),
        "1_os2": (os2 + b"\0\0\0\xff\xff\xff" + bytes([0b10100000, 0, 0, 0, 0b01000000, 0, 0, 0]),
                  np.repeat(grey[..., None] * 255, 3, axis=2)),
    }


def encoded(kind, height=64, width=64, **options):
    file = io.BytesIO()
    Image.fromarray(noise(8, height, width)).save(file, kind, **options)
    return file.getvalue()


def jpeg_with_size(height, width):
    file = bytearray(encoded("JPEG"))
    at = file.index(b"\xff\xc0")
    file[at + 5:at + 9] = struct.pack(">HH", height, width)
    return bytes(file)


def zeros_png(height, width):
    lines = zlib.compressobj(9)
    data = b"".join(lines.compress(bytes(width * 3 + 1)) for _ in range(height)) + lines.flush()
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", data) + chunk(b"IEND", b""))


def damaged():
    """Files by name: their bytes, and what is said of them (field, a part of the problem)."""
    jpeg, progressive, whole_png, whole_bmp = (encoded("JPEG"), encoded("JPEG", progressive=True), encoded("PNG"),
                                               encoded("BMP"))
    cases = {
        "text.png": (b"this is no picture\n" * 9, "file", "begins like none"),
        "empty.jpg": (b"", "file", "empty"),
        "gif.png": (encoded("GIF"), "file", "begins like none"),
        "huge.png": (png(60000, 60000, 8, 2, bytes(100)), "IHDR", "60000"),
        "huge.jpg": (jpeg_with_size(60000, 60000), "SOF", "60000"),
        "huge.bmp": (bmp(60000, 60000, 24, bytes(100)), "header", "60000"),
        "large.png": (png(16384, 16384, 8, 2, bytes(100)), "IHDR", "cannot hold"),
        "large.jpg": (jpeg_with_size(16384, 16384), "SOF", "cannot hold"),
        "large.bmp": (bmp(16384, 16384, 24, bytes(100)), "pixels", "cut off"),
        "none.png": (png(0, 5, 8, 2, b""), "IHDR", "0"),
        "none.jpg": (jpeg_with_size(0, 64), "SOF", "0"),
        "none.bmp": (bmp(0, 5, 24, b""), "header", "0"),
        "lowest.bmp": (bmp(5, -2**31, 24, b""), "header", "2147483648"),
        "depth.png": (png(8, 8, 7, 2, bytes(200)), "PNG", ""),
        "12_bits.jpg": (jpeg.replace(b"\xff\xc0\0\x11\x08", b"\xff\xc0\0\x11\x0c"), "JPEG", "precision 12"),
        "two.jpg": (jpeg.replace(b"\xff\xc0\0\x11\x08\0\x40\0\x40\x03\x01", b"\xff\xc0\0\x11\x08\0\x40\0\x40\x02\x01"),
                    "JPEG", ""),
        "bits.bmp": (bmp(8, 8, 13, bytes(200)), "header", "13 bits"),
        "rle.bmp": (bmp(8, 8, 8, bytes(200), compression=1, palette=bytes(1024)), "compression", "type 1"),
        "mask.bmp": (bmp(8, 8, 32, bytes(300), 3, struct.pack("<III", 0xFF, 0xA00, 0)), "masks", "0x00000a00"),
        "palette.bmp": (bmp(8, 8, 8, b"\x09" * 200, palette=bytes(8), used=2), "pixels", "colour 9"),
        "colours.bmp": (bmp(8, 8, 8, bytes(200), palette=bytes(8), used=2**31), "palette", ""),
        "head.bmp": (whole_bmp[:14] + struct.pack("<I", 2**31) + whole_bmp[18:], "header", "ends"),
        "filter.png": (png(8, 8, 8, 2, b"\x09" * 200), "PNG", ""),
        "no_end.png": (whole_png[:-12], "PNG", "cut off"),
        "flipped.png": (whole_png[:3000] + bytes([whole_png[3000] ^ 1]) + whole_png[3001:], "PNG", "IDAT"),
        "no_end.jpg": (jpeg[:-2], "JPEG", "remature end"),
        "grey_end.jpg": (jpeg[:len(jpeg) * 2 // 3] + b"\xff\xd9", "JPEG", "remature end"),
        "left_over.jpg": (jpeg[:-2] + bytes(500) + jpeg[-2:], "JPEG", "extraneous"),
        "markers.jpg": (b"\xff\xd8\xff\xe0\xff\xff" + bytes(50), "markers", "outside"),
        "no_frame.jpg": (b"\xff\xd8\xff\xd9" + bytes(50), "SOF", "none"),
        "fill.jpg": (b"\xff\xd8" + b"\xff" * 50, "markers", "ends"),
    }
    for name, file in [("jpg", jpeg), ("progressive.jpg", progressive), ("png", whole_png), ("bmp", whole_bmp)]:
        for share in (1, 5, 9):
            cases[f"cut_{share}.{name}"] = (file[:len(file) * share // 10], "", "")
        for count in (2, 3, 8, 20):
            cases[f"head_{count}.{name}"] = (file[:count], "", "")
    return cases
