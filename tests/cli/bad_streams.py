"""Compressed pixels: JPEG 2000, fragments and frames, RLE, JPEG Lossless."""
import itertools
import struct
from io import BytesIO

import numpy as np
import pydicom
from bad_files import BYTES, CODESTREAM, CUTS, FRAMES, GREY, RNG, SIGNED, cut, jpeg2000, odd, refused, thin_ones
from decode_parity_test import encode, write
from openjpeg.utils import encode_array
from PIL import Image
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import JPEG2000, JPEG2000Lossless, JPEGLosslessSV1, RLELossless

JP2 = encode(GREY, 12, codec_format=1)
THREE_COMPONENTS = bytes(encode_array(np.dstack([BYTES] * 3), 8, photometric_interpretation=1, use_mct=False))

# Where the fields of SIZ lie in a codestream (ISO/IEC 15444-1 A.5.1).
SIZ = {"Xsiz": (8, ">I"), "Ysiz": (12, ">I"), "XOsiz": (16, ">I"), "YOsiz": (20, ">I"), "XTsiz": (24, ">I"),
       "YTsiz": (28, ">I"), "XTOsiz": (32, ">I"), "YTOsiz": (36, ">I"), "Csiz": (40, ">H"), "Ssiz": (42, "B"),
       "XRsiz": (43, "B"), "YRsiz": (44, "B")}


def siz(**fields):
    frame = bytearray(CODESTREAM)
    for name, value in fields.items():
        place, kind = SIZ[name]
        struct.pack_into(kind, frame, place, value)
    return bytes(frame)


def square(side, **fields):
    return siz(Xsiz=side, Ysiz=side, **{"XTsiz": side, "YTsiz": side} | fields)


def pillow(pixels=GREY, **options):
    """By another encoder, which can do what pylibjpeg-openjpeg leaves at its default; always 16 bits. Its own tiles
    come out wrong where several lie side by side (Pillow 12), so that the tests have them one below the other."""
    out = BytesIO()
    Image.fromarray(pixels).save(out, "JPEG2000", no_jp2=True, irreversible=False, **options)
    return out.getvalue()


def patched(frame, marker, offset, new):
    """Bytes after the first such marker replaced; offset 0 follows its two bytes."""
    place = frame.index(marker) + 2 + offset
    return frame[:place] + new + frame[place + len(new):]


def comment(length, text):
    """A comment marker before the encoder's own, of any stated length (A.9.2)."""
    place = CODESTREAM.index(b"\xff\x64")
    return CODESTREAM[:place] + b"\xff\x64" + struct.pack(">H", length) + text + CODESTREAM[place:]


def tile_parts(frame):
    """The main header, the tile-parts (A.4.2) and the end marker."""
    place = frame.index(b"\xff\x90")
    header, parts = frame[:place], []
    while frame[place:place + 2] == b"\xff\x90":
        length, = struct.unpack_from(">I", frame, place + 6)
        parts.append(frame[place:place + length])
        place += length
    return header, parts, frame[place:]


def only_tiles(*kept):
    header, parts, end = tile_parts(pillow(tile_size=(62, 16)))
    assert len(parts) == 3 and end == b"\xff\xd9"
    return header + b"".join(parts[i] for i in kept) + end


def items(*contents, end=True):
    """Items of encapsulated PixelData, the offset table being the first, as they lie in a file."""
    text = b"".join(b"\xfe\xff\x00\xe0" + struct.pack("<I", len(content)) + content for content in contents)
    return text + (b"\xfe\xff\xdd\xe0" + bytes(4) if end else b"")


def in_items(path, *contents, pixels=GREY, end=True, **attributes):
    """Encapsulated PixelData of any items."""
    stand_in = encapsulate([b"stand-in"])
    write(path, pixels, 12, stand_in, JPEG2000Lossless, **attributes)
    content = path.read_bytes()
    path.write_bytes(content[:content.index(stand_in)] + items(*contents, end=end))


def halves(frame):
    middle = len(frame) // 4 * 2
    return frame[:middle], frame[middle:] + bytes(len(frame) % 2)


def rle(path, pixels=GREY, change=None):
    write(path, pixels, 12)
    dataset = pydicom.dcmread(path)
    dataset.compress(RLELossless)
    if change is not None:
        frame, = generate_frames(dataset.PixelData, number_of_frames=1)
        dataset.PixelData = encapsulate([change(frame)])
    dataset.save_as(path)


def lossless_jpeg():
    """GREY as JPEG Lossless SV1 (ITU-T T.81 Annex H), which no package here writes: each value by its left neighbour,
    each difference as its length in bits (a code of five bits, whatever the length) and its lowest bits."""
    values = GREY.astype(int)
    before = np.empty_like(values)
    before[:, 1:], before[1:, 0], before[0, 0] = values[:, :-1], values[:-1, 0], 1 << 11
    text = ""
    for difference in (values - before).flat:
        length = int(abs(difference)).bit_length()
        text += f"{length:05b}"
        if length:
            text += f"{difference if difference > 0 else difference + (1 << length) - 1:0{length}b}"
    text += "1" * (-len(text) % 8)
    coded = int(text, 2).to_bytes(len(text) // 8, "big").replace(b"\xff", b"\xff\0")
    rows, columns = GREY.shape
    return (b"\xff\xd8\xff\xc3" + struct.pack(">HBHHB3B", 11, 12, rows, columns, 1, 1, 0x11, 0)
            + b"\xff\xc4" + struct.pack(">HB16B", 36, 0, *[0] * 4, 17, *[0] * 11) + bytes(range(17))
            + b"\xff\xda" + struct.pack(">HB2B3B", 8, 1, 1, 0, 1, 0, 0) + coded + b"\xff\xd9")


LOSSLESS_JPEG = lossless_jpeg()


def jpeg_lossless(path, frame=LOSSLESS_JPEG, bits=12, **attributes):
    write(path, GREY, bits, encapsulate([frame]), JPEGLosslessSV1, **attributes)


# ---- JPEG 2000: refused ---------------------------------------------------------------------------------------------
PSOT_0 = patched(CODESTREAM, b"\xff\x90", 4, bytes(4))  # the tile-part goes on to the end marker (A.4.2)
for percent in CUTS:
    refused(f"j2k_cut_{percent}", "PixelData", "cut off", jpeg2000, cut(percent, CODESTREAM))
    refused(f"jp2_cut_{percent}", "PixelData", "cut off" if percent > 1 else "no codestream", jpeg2000,
            cut(percent, JP2))
    refused(f"j2k_psot_0_cut_{percent}", "PixelData", "cut off", jpeg2000, cut(percent, PSOT_0))
for name, frame, problem in (
        ("no_end_marker", CODESTREAM[:-2], "the end marker is missing"),
        ("psot_0_no_end_marker", PSOT_0[:-2], "the end marker is missing"),
        ("cut_in_siz", CODESTREAM[:40], "cut off"),
        ("cut_after_siz", CODESTREAM[:45], "cut off"),
        ("half_of_zeros", cut(50, CODESTREAM) + bytes(len(CODESTREAM) // 2), "JPEG 2000"),
        ("comment_of_length_0", comment(0, b""), "JPEG 2000"),
        ("comment_of_length_1", comment(1, b""), "JPEG 2000"),
        ("comment_past_the_end", comment(65535, b""), "JPEG 2000"),
        ("transposed", encode(np.ascontiguousarray(GREY.T), 12),
         "is 62 x 48 (rows x columns), the dataset says 48 x 62"),
        ("one_row_less", encode(GREY[:-1], 12), "47 x 62"),
        ("60000_squared", square(60000), "60000 x 60000"),
        ("offset_without_a_larger_size", siz(XOsiz=32), "48 x 30"),
        ("offset_down_without_a_larger_size", siz(YOsiz=1), "47 x 62"),
        ("offset_beyond_the_size", siz(XOsiz=62), "empty"),
        ("offset_of_all_ones", siz(XOsiz=0xFFFFFFFF), "empty"),
        ("tiles_of_size_0", siz(XTsiz=0), "tiles"),
        ("tile_offset_after_the_image", siz(XTOsiz=1), "tiles"),
        ("last_tile_missing", only_tiles(0, 1), "tile"),
        ("first_tile_missing", only_tiles(1, 2), "tile"),
        ("all_tiles_but_one_missing", only_tiles(1), "tile"),
        ("no_tile", only_tiles(), "JPEG 2000"),
        ("a_tile_in_place_of_another", only_tiles(0, 1, 1), "tile"),
        ("psot_of_nothing", patched(CODESTREAM, b"\xff\x90", 4, struct.pack(">I", 14)), "tile"),
        ("psot_of_1", patched(CODESTREAM, b"\xff\x90", 4, struct.pack(">I", 1)), "Psot"),
        ("psot_past_the_end", patched(CODESTREAM, b"\xff\x90", 4, b"\x7f\xff\xff\xff"), "JPEG 2000"),
        ("subsampled_across", siz(XRsiz=2), "subsampled"),
        ("subsampled_down", siz(YRsiz=2), "subsampled"),
        ("subsampled_by_0", siz(XRsiz=0), "subsampled"),
        ("no_component", siz(Csiz=0), "0 components"),
        ("16384_components", siz(Csiz=16384), "16384 components"),
        ("precision_38", siz(Ssiz=37), "38 bits"),
        ("is_noise", RNG.bytes(500), "no JPEG 2000"),
        ("is_a_jpeg", LOSSLESS_JPEG, "no JPEG 2000")):
    refused(f"j2k_{name}", "PixelData", problem, jpeg2000, frame)
refused("j2k_one_row_more_in_the_dataset", "PixelData", "48 x 62 (rows x columns), the dataset says 49 x 62", jpeg2000,
        Rows=49)
refused("j2k_60000_squared_in_both", "Rows", "4 GiB", jpeg2000, square(60000), Rows=60000, Columns=60000)
refused("j2k_40000_squared_in_both", "PixelData", "40000 x 40000", jpeg2000, square(40000), Rows=40000, Columns=40000)
refused("j2k_tiles_of_one_pixel", "PixelData", "tiles", jpeg2000, square(5000, XTsiz=1, YTsiz=1), Rows=5000,
        Columns=5000)
refused("j2k_three_components_for_one_sample", "PixelData", "3 components", jpeg2000, THREE_COMPONENTS, BYTES, 8)
refused("j2k_one_component_for_three_samples", "PixelData", "1 components", jpeg2000, encode(BYTES, 8), BYTES, 8,
        SamplesPerPixel=3, PhotometricInterpretation="RGB", PlanarConfiguration=0)
refused("j2k_precision_above_allocated", "PixelData", "12 bits", jpeg2000, CODESTREAM, BYTES, 8)
refused("jp2_without_codestream", "PixelData", "no codestream", jpeg2000, JP2[: JP2.index(b"jp2c") - 4])
refused("jp2_box_longer_than_the_file", "PixelData", "no codestream", jpeg2000, patched(JP2, b"jp2h", -6, b"\xff" * 4))
refused("jp2_box_of_length_7", "PixelData", "no codestream", jpeg2000, patched(JP2, b"jp2h", -6, bytes(3) + b"\7"))

# ---- JPEG 2000: odd -------------------------------------------------------------------------------------------------
odd("j2k", GREY, "", jpeg2000)
odd("j2k_under_91", GREY, "1.2.840.10008.1.2.4.91", jpeg2000, syntax=JPEG2000)
odd("j2k_odd_padding", GREY, "", lambda path: in_items(path, b"", CODESTREAM + bytes(1 + len(CODESTREAM) % 2)))
odd("j2k_long_padding", GREY, "", jpeg2000, CODESTREAM + bytes(1000))
odd("j2k_padding_of_ones", GREY, "", jpeg2000, CODESTREAM + b"\xff" * 1000)
odd("j2k_psot_0", GREY, "", jpeg2000, PSOT_0)
odd("j2k_psot_0_long_padding", GREY, "", jpeg2000, PSOT_0 + bytes(1000))
odd("j2k_empty_comment", GREY, "", jpeg2000, comment(4, b"\0\1"))
odd("j2k_comment_of_unknown_kind", GREY, "", jpeg2000, comment(9, b"\xff\xff\0\xff\4\0\1"))
odd("jp2", GREY, "wrapped in JP2", jpeg2000, JP2)
odd("jp2_signed", SIGNED, "wrapped in JP2", jpeg2000, encode(SIGNED, 12, codec_format=1), SIGNED)
SIGN_EXTENDED = (GREY << 4).astype("i2") >> 4
odd("j2k_signed_in_unsigned", SIGNED.astype("u2") & 0xFFF, "codestream is signed, PixelRepresentation is 0", jpeg2000,
    encode(SIGNED, 12), SIGNED.astype("u2"))
odd("j2k_unsigned_in_signed", SIGN_EXTENDED, "codestream is unsigned, PixelRepresentation is 1", jpeg2000, CODESTREAM,
    SIGNED)
odd("j2k_precision_above_stored", GREY, "12 bits a value, BitsStored is 10", jpeg2000, bits=10)
odd("j2k_values_above_stored", GREY, f"{GREY.max()} exceed BitsStored 10", jpeg2000, bits=10)
odd("j2k_precision_below_stored", GREY, "12 bits a value, BitsStored is 16", jpeg2000, bits=16)
odd("j2k_signed_precision_below_stored", SIGNED, "12 bits a value, BitsStored is 16", jpeg2000, encode(SIGNED, 12),
    SIGNED, 16)
odd("j2k_unsigned_in_signed_precision_below_stored", SIGN_EXTENDED, "12 bits a value, BitsStored is 16", jpeg2000,
    CODESTREAM, SIGNED, 16)
odd("j2k_offset", GREY, "", jpeg2000, pillow(offset=(13, 7), tile_size=(75, 55)), bits=16)
odd("j2k_offset_of_tile_too", GREY, "", jpeg2000, pillow(offset=(13, 7), tile_offset=(13, 7), tile_size=(62, 48)),
    bits=16)
odd("j2k_offset_in_tiles", GREY, "", jpeg2000, pillow(offset=(13, 7), tile_size=(75, 20)), bits=16)
odd("j2k_tiles", GREY, "", jpeg2000, only_tiles(0, 1, 2), bits=16)
odd("j2k_tiles_in_another_order", GREY, "", jpeg2000, only_tiles(2, 0, 1), bits=16)
odd("j2k_0_levels", GREY, "", jpeg2000, pillow(num_resolutions=1), bits=16)
odd("j2k_1_level", GREY, "", jpeg2000, pillow(num_resolutions=2), bits=16)
for name, thin in thin_ones():
    odd(f"j2k_{name}", thin, "", jpeg2000, pillow(thin), thin, 16, black=thin.size == 1)

# ---- Fragments and frames -------------------------------------------------------------------------------------------
refused("no_fragments", "PixelData", "no fragments", in_items, b"")
refused("no_items_at_all", "PixelData", "no fragments", in_items)
refused("an_empty_fragment", "PixelData", "no JPEG 2000", in_items, b"", b"")
refused("fragment_missing", "PixelData", "cut off", in_items, b"", halves(CODESTREAM)[0])
refused("fragments_swapped", "PixelData", "no JPEG 2000", in_items, b"", *halves(CODESTREAM)[::-1])
refused("no_sequence_delimiter", "PixelData", "Sequence Delimitation Item", in_items, b"", *halves(CODESTREAM),
        end=False)
refused("two_frames_one_fragment", "PixelData", "has 1 fragments, NumberOfFrames is 2", jpeg2000, NumberOfFrames=2)
refused("frames_that_begin_nowhere", "PixelData", "offset table", in_items, b"", *halves(CODESTREAM) * 2, pixels=FRAMES)

odd("fragments_empty_table", GREY, "", in_items, b"", *halves(CODESTREAM))
odd("fragments_wrong_table", GREY, "", in_items, struct.pack("<I", 77777), *halves(CODESTREAM))
odd("fragments_table_of_two_bytes", GREY, "", in_items, b"\1\2", *halves(CODESTREAM))
odd("fragments_of_two_bytes_first", GREY, "", in_items, b"", CODESTREAM[:2],
    CODESTREAM[2:] + bytes(len(CODESTREAM) % 2))
PIECES = list(itertools.chain(*(halves(encode(frame, 12)) for frame in FRAMES)))
for name, offsets in (("empty", b""), ("wrong", struct.pack("<3I", 0, 5, 9)), ("equal", struct.pack("<3I", 9, 9, 9))):
    odd(f"frames_{name}_table", FRAMES, "3 frame(s)", in_items, offsets, *PIECES, pixels=FRAMES)

# ---- RLE and JPEG Lossless ------------------------------------------------------------------------------------------
for percent in CUTS:
    refused(f"rle_cut_{percent}", "PixelData", "RLE", lambda path, p: rle(path, change=lambda frame: cut(p, frame)),
            percent)
    refused(f"jpeg_cut_{percent}", "PixelData", "end marker", jpeg_lossless, cut(percent, LOSSLESS_JPEG))
refused("rle_three_segments", "PixelData", "3 RLE segments", rle, change=lambda frame: b"\3" + frame[1:])
refused("rle_segment_outside", "PixelData", "segment 0 is not within", rle,
        change=lambda frame: frame[:8] + b"\xff\xff\xff\x7f" + frame[12:])
refused("rle_segment_in_the_header", "PixelData", "segment 0 is not within", rle,
        change=lambda frame: frame[:4] + bytes(4) + frame[8:])
for name, frame, problem in (
        ("no_end_marker", LOSSLESS_JPEG[:-2], "end marker"),
        ("half_of_zeros", cut(50, LOSSLESS_JPEG) + bytes(len(LOSSLESS_JPEG) // 2), "end marker"),
        ("65535_squared", patched(LOSSLESS_JPEG, b"\xff\xc3", 3, b"\xff" * 4),
         "65535 x 65535 x 1, the dataset says 48 x 62 x 1"),
        ("three_components", patched(LOSSLESS_JPEG, b"\xff\xc3", 7, b"\3"), "48 x 62 x 3"),
        ("of_8_bits", patched(LOSSLESS_JPEG, b"\xff\xc3", 2, b"\x08"), "8 bits a value, BitsAllocated is 16"),
        ("without_table", LOSSLESS_JPEG.replace(b"\xff\xc4", b"\xff\xfe", 1), "Huffman table"),
        ("is_noise", RNG.bytes(500), "no JPEG stream"),
        ("is_a_codestream", CODESTREAM, "no JPEG stream")):
    refused(f"jpeg_{name}", "PixelData", problem, jpeg_lossless, frame)
refused("jpeg_size", "PixelData", "48 x 62 x 1, the dataset says 47 x 62 x 1", jpeg_lossless, Rows=47)
refused("jpeg_65535_in_both", "PixelData", "cannot hold", jpeg_lossless,
        patched(LOSSLESS_JPEG, b"\xff\xc3", 3, b"\xff\xff\x7f\xff"), Rows=65535, Columns=32767)

odd("rle", GREY, "", rle)
odd("rle_values_above_stored", GREY, "BitsStored 12", rle, GREY | 0x5000)
odd("jpeg_lossless", GREY, "", jpeg_lossless)
# As pydicom does: what is above BitsStored is dropped (PS3.5 8.1.1), and that has to be said.
odd("jpeg_lossless_values_above_stored", GREY & 0x3FF, "BitsStored 10", jpeg_lossless, bits=10)
