"""Files that are no images, files that break off, transfer syntaxes that lie, and formats that cannot be."""
import os
import struct
import zlib
from io import BytesIO

import numpy as np
import pydicom
from bad_files import BYTES, CODESTREAM, CUTS, GREY, RNG, cut, jpeg2000, native, odd, of_length, refused, thin_ones
from bad_files import with_text, without
from bad_jpegs import jpeg_lossless
from bad_streams import rle
from decode_parity_test import encode, write
from PIL import Image
from pydicom.filebase import DicomFileLike
from pydicom.filewriter import write_dataset, write_file_meta_info
from pydicom.uid import (UID, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ExplicitVRLittleEndian,
                         ImplicitVRLittleEndian, JPEG2000Lossless, JPEGLosslessSV1, RLELossless)


def cut_file(path, make, lost):
    make(path)
    path.write_bytes(path.read_bytes()[:-lost])


def first_bytes(path, count):
    native(path)
    path.write_bytes(path.read_bytes()[:count])


def cut_in(path, element):
    """In the middle of the header of an element of the dataset."""
    native(path)
    content = path.read_bytes()
    path.write_bytes(content[:content.index(element) + 5])


def deflated(path, percent=100):
    native(path)
    dataset = pydicom.dcmread(path)
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    dataset.save_as(path)
    content = path.read_bytes()
    begin = 144 + struct.unpack_from("<I", content, 140)[0]
    path.write_bytes(content[:begin] + cut(percent, content[begin:]))


def deflation_bomb(path):
    """A few hundred kilobytes that inflate to 192 MiB: an element of zeros before the image's attributes."""
    deflated(path)
    content = path.read_bytes()
    begin = 144 + struct.unpack_from("<I", content, 140)[0]
    dataset = zlib.decompress(content[begin:], -15)
    place = dataset.index(b"\x28\x00\x02\x00US")
    zeros = 192 << 20
    inflated = zlib.compressobj(1, wbits=-15)
    parts = [dataset[:place], b"\x09\x00\x10\x10OB\0\0" + struct.pack("<I", zeros), bytes(zeros), dataset[place:]]
    path.write_bytes(content[:begin] + b"".join(map(inflated.compress, parts)) + inflated.flush())


def relabelled(path, syntax, make):
    """A meta header that names another transfer syntax than the dataset has."""
    make(path)
    content = path.read_bytes()
    meta = pydicom.dcmread(path).file_meta
    meta.TransferSyntaxUID = UID(syntax)
    out = BytesIO()
    write_file_meta_info(out, meta, enforce_standard=False)
    begin = 144 + struct.unpack_from("<I", content, 140)[0]
    path.write_bytes(bytes(128) + b"DICM" + out.getvalue() + content[begin:])


def without_meta(path, syntax):
    native(path)
    out = DicomFileLike(BytesIO())
    out.is_implicit_VR, out.is_little_endian = syntax.is_implicit_VR, syntax.is_little_endian
    write_dataset(out, pydicom.dcmread(path))
    path.write_bytes(out.parent.getvalue())


def in_header(path, inserted):
    """Elements of groups 0008 to 0020 in explicit VR, put before the image's attributes."""
    native(path)
    content = path.read_bytes()
    place = content.index(b"\x28\x00\x02\x00US")
    path.write_bytes(content[:place] + inserted + content[place:])


def nested(depth):
    """Sequences within sequences, of undefined length."""
    begin = b"\x08\x00\x40\x11SQ\0\0" + b"\xff" * 4 + b"\xfe\xff\x00\xe0" + b"\xff" * 4
    return begin * depth + (b"\xfe\xff\x0d\xe0" + bytes(4) + b"\xfe\xff\xdd\xe0" + bytes(4)) * depth


def with_icon(path, keep_pixels):
    """An icon has PixelData of its own, which is not the image's."""
    native(path)
    dataset = pydicom.dcmread(path)
    icon = pydicom.Dataset()
    icon.SamplesPerPixel, icon.PhotometricInterpretation = 1, "MONOCHROME2"
    icon.Rows, icon.Columns = BYTES.shape
    icon.BitsAllocated = icon.BitsStored = 8
    icon.HighBit, icon.PixelRepresentation, icon.PixelData = 7, 0, BYTES.tobytes()
    icon["PixelData"].VR = "OB"
    dataset.IconImageSequence = [icon]
    if not keep_pixels:
        del dataset.PixelData
    dataset.save_as(path)


# ---- Files ----------------------------------------------------------------------------------------------------------
for name, content, problem in (
        ("empty_file", b"", "is empty"),
        ("one_byte", b"D", "is not DICOM"),
        ("text_file", b"patient,image\n1,2\n" * 50, "is not DICOM"),
        ("noise", RNG.bytes(4000), "is not DICOM"),
        ("preamble_only", bytes(128) + b"DICM", "is not DICOM"),
        ("preamble_and_noise", bytes(128) + b"DICM" + RNG.bytes(4000), "is not DICOM")):
    refused(name, "file", problem, lambda path, content: path.write_bytes(content), content)
refused("png_file", "file", "is not DICOM: it is a PNG image", lambda path: Image.fromarray(BYTES).save(path, "PNG"))
# Zeros are, to the letter, a dataset of empty elements without a meta header.
refused("zeros", "PixelData", "not a DICOM image", lambda path: path.write_bytes(bytes(4000)))
refused("missing", "file", "no such file", lambda path: None)
refused("folder", "file", "is a folder", lambda path: path.mkdir())
for name, target, problem in (
        ("link_to_nothing", "nowhere.dcm", "no such file"), ("link_to_folder", ".", "is a folder"),
        ("endless_device", "/dev/zero", "regular file"), ("empty_device", "/dev/null", "regular file")):
    refused(name, "file", problem, lambda path, target: path.symlink_to(target), target)
refused("link_to_itself", "file", "symbolic links", lambda path: path.symlink_to(path.name))
refused("fifo", "file", "regular file", lambda path: os.mkfifo(path))

refused("lfs_pointer", "file", "run git lfs pull", lambda path: path.write_text(
    "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"))
refused("cut_in_preamble", "file", "is not DICOM", first_bytes, 100)
refused("cut_in_meta_header", "file", "is not DICOM", first_bytes, 170)
refused("cut_in_header", "dataset", "cannot be read to its end", cut_in, b"\x28\x00\x10\x00US")
refused("cut_before_pixels", "dataset", "cannot be read to its end", cut_in, b"\xe0\x7f\x10\x00OW")
for percent in CUTS:
    refused(f"cut_in_pixels_{percent}", "PixelData", "cannot be read to its end", cut_file, native,
            GREY.nbytes * (100 - percent) // 100)
    refused(f"cut_in_fragment_{percent}", "PixelData", "cannot be read to its end", cut_file, jpeg2000,
            8 + len(CODESTREAM) * (100 - percent) // 100)
for percent in CUTS:
    refused(f"deflated_cut_{percent}", "file|dataset|PixelData", "", deflated, percent)
refused("deflated_a_thousand_times", "dataset", "inflates", deflation_bomb)
refused("no_pixels", "PixelData", "is missing", without, "PixelData")
refused("pixels_in_an_icon_only", "PixelData", "is missing", with_icon, False)
refused("element_longer_than_the_file", "dataset", "cannot be read to its end", in_header,
        b"\x08\x00\x40\x11OB\0\0" + struct.pack("<I", 0xFFFFFFF0))
# ---- What follows the last element ----------------------------------------------------------------------------------
def followed(path, make, tail):
    make(path)
    path.write_bytes(path.read_bytes() + tail)


for name, make in (("", native), ("fragments_", jpeg2000),
                   ("implicit_", lambda path: native(path, syntax=ImplicitVRLittleEndian))):
    for count in (1, 2, 5, 8, 2048):
        for kind, tail in (("zeros", b"\0"), ("newlines", b"\n"), ("line_ends", b"\r\n"), ("spaces", b" "),
                           ("ctrl_z", b"\x1a")):
            tail = (tail * count)[:count]
            odd(f"{name}{count}_{kind}_at_the_end", GREY, f"{count} byte", followed, make, tail)
refused("two_files_in_one", "dataset", "another DICOM file",
        lambda path: (native(path), path.write_bytes(path.read_bytes() * 2)))
refused("two_datasets_in_one", "dataset", "a second one",
        lambda path: (native(path), path.write_bytes(path.read_bytes() + path.read_bytes()[
            144 + struct.unpack_from("<I", path.read_bytes(), 140)[0]:])))
refused("cut_in_the_padding_element", "PixelData", "cannot be read to its end", followed, native,
        b"\xfc\xff\xfc\xffOB\0\0" + struct.pack("<I", 100) + bytes(60))
odd("padding_element", GREY, "", followed, native, b"\xfc\xff\xfc\xffOB\0\0" + struct.pack("<I", 60) + bytes(60))
odd("nested_sequences", GREY, "", lambda path: in_header(path, nested(20)))
odd("an_icon_beside_the_pixels", GREY, "", with_icon, True)
odd("no_meta_header_implicit", GREY, "guessed", without_meta, ImplicitVRLittleEndian)
odd("no_meta_header_explicit", GREY, "guessed", without_meta, ExplicitVRLittleEndian)
odd("deflated", GREY, "", deflated)

# ---- Transfer syntaxes ----------------------------------------------------------------------------------------------
for name, uid in (("unknown", "1.2.840.10008.1.2.4.999"), ("private", "1.2.3.4"), ("mpeg2", "1.2.840.10008.1.2.4.100"),
                  ("jpeg_ls", "1.2.840.10008.1.2.4.80"), ("htj2k", "1.2.840.10008.1.2.4.201")):
    refused(f"syntax_{name}", "TransferSyntaxUID", uid, relabelled, uid, jpeg2000)
for name, syntax, make, field, problem in (
        ("empty_over_jpeg2000", "", jpeg2000, "PixelData", "encapsulated"),
        ("plain_over_jpeg2000", ExplicitVRLittleEndian, jpeg2000, "PixelData", "encapsulated"),
        ("implicit_over_jpeg2000", ImplicitVRLittleEndian, jpeg2000, "dataset", "cannot be read to its end"),
        ("rle_over_jpeg2000", RLELossless, jpeg2000, "PixelData", "RLE segments"),
        ("jpeg_over_jpeg2000", JPEGLosslessSV1, jpeg2000, "PixelData", "is not a JPEG stream"),
        ("jpeg2000_over_rle", JPEG2000Lossless, rle, "PixelData", "is not a JPEG 2000 codestream"),
        ("jpeg2000_over_jpeg", JPEG2000Lossless, jpeg_lossless, "PixelData", "is not a JPEG 2000 codestream"),
        ("jpeg2000_over_plain", JPEG2000Lossless, native, "PixelData",
         "compressed Transfer Syntax uses explicit length"),
        ("rle_over_plain", RLELossless, native, "PixelData", "compressed Transfer Syntax uses explicit length"),
        ("implicit_over_plain", ImplicitVRLittleEndian, native, "dataset", "cannot be read to its end"),
        ("big_endian_over_plain", ExplicitVRBigEndian, native, "dataset", "cannot be read to its end"),
        ("deflated_over_plain", DeflatedExplicitVRLittleEndian, native, "dataset", "ZLib Error")):
    refused(f"syntax_says_{name}", field, problem, relabelled, syntax, make)

# ---- The image's format ---------------------------------------------------------------------------------------------
for length in (0, GREY.nbytes // 2, GREY.nbytes - 2, GREY.nbytes - 1):
    refused(f"pixels_of_length_{length}", "PixelData", f"is {length} bytes, 1 frame(s) of 48 x 62 need 5952",
            of_length, length)
for more in (2, 3, 1000):
    odd(f"pixels_too_long_by_{more}", GREY, f"{more} bytes more", of_length, GREY.nbytes + more)
SEVEN = np.ascontiguousarray(BYTES[:7, :7])
odd("pixels_odd_and_padded", SEVEN, "", of_length, 50, SEVEN, 8)
odd("pixels_odd", SEVEN, "", of_length, 49, SEVEN, 8)
refused("over_4_gib", "Rows", "65535 x 65535 pixels of 16 bits need over 4 GiB", native, Rows=65535, Columns=65535)
refused("just_under_4_gib", "PixelData", "need 4294770690", native, Rows=65535, Columns=32767)
for name, value in (("Rows", 0), ("Columns", 0), ("SamplesPerPixel", 0), ("SamplesPerPixel", 2), ("SamplesPerPixel", 3),
                    ("BitsAllocated", 0), ("BitsAllocated", 1), ("BitsAllocated", 12), ("BitsAllocated", 32),
                    ("BitsStored", 0), ("BitsStored", 17), ("BitsStored", 65535), ("HighBit", 0), ("HighBit", 15),
                    ("HighBit", 16), ("HighBit", 65535), ("PixelRepresentation", 2),
                    ("PhotometricInterpretation", "MONOCHROME3"), ("PhotometricInterpretation", "YBR_FULL_422")):
    refused(f"{name}_{value}", name, str(value), native, **{name: value})
for name in ("Rows", "Columns", "SamplesPerPixel", "BitsAllocated", "BitsStored", "PixelRepresentation",
             "PhotometricInterpretation"):
    refused(f"no_{name}", name, "missing", without, name)
refused("colour", "PhotometricInterpretation", "RGB", native, np.ascontiguousarray(BYTES[:16, :60]), 8, Columns=20,
        SamplesPerPixel=3, PhotometricInterpretation="RGB", PlanarConfiguration=0)
for text in ("0", "-1", "abc", "1.5", "2e0"):
    refused(f"NumberOfFrames_{text}", "NumberOfFrames", f"'{text[:1]}", with_text, "NumberOfFrames", text)
for frames in (2, 99999999):
    refused(f"NumberOfFrames_{frames}", "PixelData", f"{frames} frame(s)", native, NumberOfFrames=frames)
odd("NumberOfFrames_empty", GREY, "1 frame(s)", native, NumberOfFrames=None)
odd("NumberOfFrames_plus_1", GREY, "1 frame(s)", with_text, "NumberOfFrames", "+1")
FRAMES = np.stack([GREY, GREY[::-1]])
odd("two_frames", FRAMES, "2 frame(s)", native, FRAMES)
odd("no_high_bit", GREY, "", without, "HighBit")
for name, thin in thin_ones():
    odd(f"native_{name}", thin, "", native, thin, black=thin.size == 1)
odd("values_above_stored", GREY, "BitsStored 12", native, GREY | 0x5000)
for value in (0, 1234, 4095):
    flat = np.full_like(GREY, value)
    odd(f"constant_{value}", flat, f"every value is {value}", native, flat, black=True)
    odd(f"constant_{value}_jpeg2000", flat, f"every value is {value}", jpeg2000, encode(flat, 12), black=True)
odd("constant_with_window", flat, "every value is 4095", native, flat, WindowCenter=4000, WindowWidth=1000)
