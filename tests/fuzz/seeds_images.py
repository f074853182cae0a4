"""Seeds of the fuzz targets picture and image_sets: what Pillow and gzip write."""
import gzip
import io
import struct

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

ORIENTATION = 0x0112


def pixels(rows, columns, channels=1, top=256, dtype="u1"):
    """A slope with a little noise."""
    random = np.random.default_rng(rows * columns)
    y, x = np.mgrid[0:rows, 0:columns]
    slope = (x + y) / (rows + columns) * (top - 1)
    planes = [(slope + random.integers(0, max(2, top // 16), (rows, columns))).clip(0, top - 1) for _ in range(channels)]
    return np.squeeze(np.stack(planes, axis=-1), axis=-1 if channels == 1 else ()).astype(dtype)


GREY = Image.fromarray(pixels(20, 24))
COLOUR = Image.fromarray(pixels(18, 22, 3))
PALETTE = COLOUR.quantize(16)


def saved(image, kind, **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def exif(orientation, order="<"):
    """A TIFF header and a directory of three entries, as cameras write it."""
    entries = [(0x010F, 2, 4, b"Cam\0"), (ORIENTATION, 3, 1, struct.pack(order + "HH", orientation, 0)),
               (0x0128, 3, 1, struct.pack(order + "HH", 2, 0))]
    mark = b"II*\0" if order == "<" else b"MM\0*"
    body = b"".join(struct.pack(order + "HHI", tag, kind, count) + value for tag, kind, count, value in entries)
    return mark + struct.pack(order + "IH", 8, len(entries)) + body + struct.pack(order + "I", 0)


XMP = ('<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
       'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
       'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="8"/></rdf:RDF></x:xmpmeta><?xpacket end="w"?>')


def raw_profile(name, content):
    """EXIF in a PNG's text, as ImageMagick and exiftool write it."""
    digits = content.hex()
    lines = "\n".join(digits[i:i + 72] for i in range(0, len(digits), 72))
    return f"\n{name}\n{len(content):8}\n{lines}\n"


def png_with_text(add):
    text = PngInfo()
    add(text)
    return saved(COLOUR, "PNG", pnginfo=text)


def png_chunk_order(png, name):
    """The chunk moved to the end, before IEND."""
    at = png.index(name) - 4
    length = struct.unpack(">I", png[at:at + 4])[0] + 12
    chunk, rest = png[at:at + length], png[:at] + png[at + length:]
    return rest[:-12] + chunk + rest[-12:]


def picture_seeds():
    yield "png-grey", saved(GREY, "PNG")
    yield "png-colour", saved(COLOUR, "PNG")
    yield "png-palette", saved(PALETTE, "PNG", bits=4)
    yield "png-bilevel", saved(GREY.convert("1"), "PNG")
    yield "png-16-bit", saved(Image.fromarray(pixels(12, 10, top=65536, dtype="u2")), "PNG")
    alpha = COLOUR.convert("RGBA")
    alpha.putalpha(100)
    yield "png-alpha", saved(alpha, "PNG")
    yield "png-grey-alpha", saved(GREY.convert("LA"), "PNG")
    yield "png-transparent-palette", saved(PALETTE, "PNG", transparency=3)
    text = PngInfo()
    text.add_text("Comment", "drawn " * 20, zip=True)
    text.add_itxt("Title", "B\u00e4r", "de", "Titel")
    yield "png-text-icc", saved(COLOUR, "PNG", pnginfo=text, icc_profile=b"\0" * 140, dpi=(72, 72), gamma=0.45)
    yield "png-exif", saved(COLOUR, "PNG", exif=exif(6))
    yield "png-exif-at-end", png_chunk_order(saved(COLOUR, "PNG", exif=exif(3, ">")), b"eXIf")
    profile = raw_profile("exif", b"Exif\0\0" + exif(6))
    yield "png-raw-profile", png_with_text(lambda text: text.add_text("Raw profile type exif", profile))
    yield "png-raw-profile-packed", png_with_text(lambda text: text.add_text("Raw profile type APP1", profile, zip=True))
    yield "png-xmp", png_with_text(lambda text: text.add_itxt("XML:com.adobe.xmp", XMP))
    yield "jpeg-xmp", saved(COLOUR, "JPEG", quality=50, xmp=XMP.encode())
    yield "jpeg-exif-long", saved(GREY, "JPEG", quality=50, exif=b"Exif\0\0" + exif(6).replace(
        struct.pack("<HHIHH", ORIENTATION, 3, 1, 6, 0), struct.pack("<HHII", ORIENTATION, 4, 1, 6)))
    yield "jpeg-grey", saved(GREY, "JPEG", quality=60)
    yield "jpeg-colour", saved(COLOUR, "JPEG", quality=60)
    yield "jpeg-444", saved(COLOUR, "JPEG", quality=90, subsampling=0)
    yield "jpeg-progressive", saved(COLOUR, "JPEG", quality=60, progressive=True, optimize=True)
    yield "jpeg-restart", saved(COLOUR, "JPEG", quality=60, restart_marker_rows=1)
    yield "jpeg-cmyk", saved(COLOUR.convert("CMYK"), "JPEG", quality=60)
    yield "jpeg-keep-rgb", saved(COLOUR, "JPEG", quality=60, keep_rgb=True)
    yield "jpeg-comment-icc", saved(COLOUR, "JPEG", quality=60, comment="seed", icc_profile=b"\0" * 140)
    for orientation in range(2, 9):
        yield f"jpeg-exif-{orientation}", saved(
            GREY, "JPEG", quality=50, exif=b"Exif\0\0" + exif(orientation, "<" if orientation % 2 else ">"))
    written = Image.Exif()
    written[ORIENTATION] = 5
    written.get_ifd(0x8769)[0x9003] = "2026:01:31 12:34:56"
    yield "jpeg-exif-pillow", saved(COLOUR, "JPEG", quality=50, exif=written)
    yield "bmp-colour", saved(COLOUR, "BMP")
    yield "bmp-grey", saved(GREY, "BMP")
    yield "bmp-bilevel", saved(GREY.convert("1"), "BMP")
    yield "bmp-palette", saved(COLOUR.quantize(64), "BMP")
    yield "bmp-32-bit-masks", saved(alpha, "BMP")
    yield "bmp-16-bit", bmp(16, 24, 24, struct.pack("<III", 0xF800, 0x7E0, 0x1F), compression=3)
    yield "bmp-4-bit-top-down", bmp(4, 9, -6, b"".join(bytes([16 * i] * 3 + [0]) for i in range(16)))
    yield "bmp-os2", b"BM" + struct.pack("<IHHI", 0, 0, 0, 26) + struct.pack("<IHHHH", 12, 3, 2, 1, 24) + bytes(24)


def bmp(bits, width, height, table, compression=0):
    """What Pillow does not write: 16 and 4 bits, top-down."""
    row = (bits * width + 31) // 32 * 4
    data = np.random.default_rng(bits).integers(0, 256, row * abs(height), "u1").tobytes()
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(data), 2835, 2835, 0, 0)
    at = 14 + len(header) + len(table)
    return b"BM" + struct.pack("<IHHI", at + len(data), 0, 0, at) + header + table + data


def packed(kind, *files):
    """What image_sets_fuzzer.cpp takes apart again."""
    return kind + b"".join(struct.pack("<I", len(file)) + file for file in files)


def idx(array):
    """http://yann.lecun.com/exdb/mnist/"""
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def image_set_seeds():
    images = np.stack([pixels(5, 7) for _ in range(6)])
    labels = np.array([0, 1, 2, 0, 1, 9], "u1")
    plain = idx(images), idx(labels)
    yield "idx", packed(b"3", *plain)
    yield "idx-with-test", packed(b"2", *plain, idx(images[:2]), idx(labels[:2]))
    yield "idx-gzip", packed(b"3", *(gzip.compress(file, mtime=0) for file in plain))
    yield "idx-gzip-with-test", packed(b"2", plain[0], gzip.compress(plain[1], mtime=0),
                                       gzip.compress(idx(images[:1]), mtime=0), idx(labels[:1]))
    record = pixels(32, 32, 3).transpose(2, 0, 1).tobytes()
    names = b"airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n"
    yield "cifar10", packed(b"0", names, b"\3" + record + b"\7" + record)
    fine = b"".join(b"class_%d\n" % i for i in range(100))
    yield "cifar100", packed(b"1", fine, b"\4\x2a" + record, b"\0\0" + record)


def picture_findings():
    png = saved(GREY, "PNG")
    # libpng takes 1.8 GB for it before it reads.
    yield "png-exif-of-gigabytes", png[:33] + struct.pack(">I", 0x69660028) + b"eXIf" + exif(6) + png[33:]


def image_set_findings():
    # 16 million images of one pixel, in 32 kB.
    count = 1 << 24
    bomb = [gzip.compress(struct.pack(f">HBB{1 + more}I", 0, 8, 1 + more, count, *[1] * more) + bytes(count), mtime=0)
            for more in (2, 0)]
    yield "idx-of-many-tiny-images", packed(b"3", *bomb)
