"""Compressed pixels: JPEG 2000, fragments and frames, RLE. JPEG is in bad_jpegs.py."""
import itertools
import struct
from io import BytesIO

import numpy as np
import pydicom
from bad_files import (BYTES, CODESTREAM, CUTS, FRAMES, GREY, RNG, SIGNED, cut, jpeg2000, odd, patched, refused,
                       thin_ones)
from bad_jpegs import LOSSLESS_JPEG
from decode_parity_test import encode, write
from openjpeg.utils import encode_array
from PIL import Image
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import JPEG2000, JPEG2000Lossless, RLELossless

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


def with_data(frame, change):
    """One tile-part's data changed, and its length (Psot) with them."""
    header, (part,), end = tile_parts(frame)
    begin = part.index(b"\xff\x93") + 2
    data = change(part[begin:])
    return header + part[:6] + struct.pack(">I", begin + len(data)) + part[10:begin] + data + end


def packet_ends(frame):
    """Where a codestream's packets end in its tile-part's data, by the lengths that its PLT marker gives (A.7.3)."""
    place = frame.index(b"\xff\x58")
    length, = struct.unpack_from(">H", frame, place + 2)
    ends, value = [0], 0
    for byte in frame[place + 5:place + 2 + length]:
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            ends, value = ends + [ends[-1] + value], 0
    return ends[1:]


WITH_LENGTHS = pillow(plt=True)


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
        ("is_noise", RNG.bytes(500), "is not a JPEG 2000"),
        ("is_a_jpeg", LOSSLESS_JPEG, "is not a JPEG 2000")):
    refused(f"j2k_{name}", "PixelData", problem, jpeg2000, frame)
# Packets that are missing altogether, which OpenJPEG alone takes for empty ones.
for count, end in enumerate(packet_ends(WITH_LENGTHS)[:-1], 1):
    refused(f"j2k_{count}_packets_only", "PixelData", "packets are missing", jpeg2000,
            with_data(WITH_LENGTHS, lambda data, end=end: data[:end]), bits=16)
for percent in CUTS:
    refused(f"j2k_ended_early_{percent}", "PixelData", "JPEG 2000", jpeg2000,
            with_data(CODESTREAM, lambda data, percent=percent: cut(percent, data)))
    refused(f"j2k_without_16_bytes_at_{percent}", "PixelData", "JPEG 2000", jpeg2000, with_data(
        CODESTREAM, lambda data, at=percent * (len(CODESTREAM) - 200) // 100: data[:at] + data[at + 16:]))
for percent in (20, 50, 80):
    for name, damage in (("zeros", bytes(64)), ("noise", RNG.bytes(64)), ("text", b"not this " * 7)):
        refused(f"j2k_{name}_at_{percent}", "PixelData", "code-block is damaged", jpeg2000, with_data(
            CODESTREAM, lambda data, at=percent * len(CODESTREAM) // 100, damage=damage:
                data[:at] + damage + data[at + len(damage):]))
refused("j2k_all_zeros", "PixelData", "zeros", jpeg2000, with_data(CODESTREAM, lambda data: bytes(len(data))))
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
odd("j2k_packet_lengths", GREY, "", jpeg2000, WITH_LENGTHS, bits=16)
odd("j2k_layers", GREY, "", jpeg2000, pillow(quality_mode="rates", quality_layers=[20, 5, 1]), bits=16)
odd("j2k_0_levels", GREY, "", jpeg2000, pillow(num_resolutions=1), bits=16)
odd("j2k_1_level", GREY, "", jpeg2000, pillow(num_resolutions=2), bits=16)
for name, thin in thin_ones():
    odd(f"j2k_{name}", thin, "", jpeg2000, pillow(thin), thin, 16, black=thin.size == 1)

# ---- Fragments and frames -------------------------------------------------------------------------------------------
refused("no_fragments", "PixelData", "no fragments", in_items, b"")
refused("no_items_at_all", "PixelData", "no fragments", in_items)
refused("an_empty_fragment", "PixelData", "is not a JPEG 2000", in_items, b"", b"")
refused("fragment_missing", "PixelData", "cut off", in_items, b"", halves(CODESTREAM)[0])
refused("fragments_swapped", "PixelData", "is not a JPEG 2000", in_items, b"", *halves(CODESTREAM)[::-1])
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

# ---- RLE ------------------------------------------------------------------------------------------------------------
def second_segment(frame):
    """Where it begins: a frame of 16 bits has two (PS3.5 G.5)."""
    return struct.unpack_from("<I", frame, 8)[0]


def first_run(frame, by):
    """The second segment's first run made longer or shorter."""
    place = second_segment(frame)
    return frame[:place] + bytes([(frame[place] + by) % 256]) + frame[place + 1:]


for percent in CUTS:
    refused(f"rle_cut_{percent}", "PixelData", "RLE", lambda path, p: rle(path, change=lambda frame: cut(p, frame)),
            percent)
refused("rle_three_segments", "PixelData", "3 RLE segments", rle, change=lambda frame: b"\3" + frame[1:])
refused("rle_segment_outside", "PixelData", "segment 0 is not within", rle,
        change=lambda frame: frame[:8] + b"\xff\xff\xff\x7f" + frame[12:])
refused("rle_segment_in_the_header", "PixelData", "segment 0 is not within", rle,
        change=lambda frame: frame[:4] + bytes(4) + frame[8:])
refused("rle_segment_with_more", "PixelData", "more data", rle,
        change=lambda frame: frame + b"\1\2\3\4")
for by in (-3, 5):
    refused(f"rle_run_changed_by_{by}", "PixelData", "an RLE segment", rle,
            change=lambda frame, by=by: first_run(frame, by))
odd("rle", GREY, "", rle)
odd("rle_values_above_stored", GREY, "BitsStored 12", rle, GREY | 0x5000)
odd("rle_padded", GREY, "bytes after its values", rle, change=lambda frame: frame + bytes(20))
