"""JPEG: baseline, extended and lossless, whole, damaged and odd (ITU-T T.81)."""
import struct
from io import BytesIO

import numpy as np
from bad_files import BYTES, CODESTREAM, CUTS, GREY, RNG, cut, odd, patched, refused
from decode_parity_test import write
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGBaseline8Bit, JPEGLossless, JPEGLosslessSV1

END = b"\xff\xd9"


def predicted(values, predictor):
    """Each value's prediction by its neighbours (table H.1); the first row by the left, the first column by above."""
    left, above, corner = np.zeros((3, *values.shape), int)
    left[:, 1:], above[1:], corner[1:, 1:] = values[:, :-1], values[:-1], values[:-1, :-1]
    made = {1: left, 2: above, 3: corner, 4: left + above - corner, 5: left + (above - corner >> 1),
            6: above + (left - corner >> 1), 7: left + above >> 1}[predictor]
    made[0], made[1:, 0], made[0, 0] = left[0], above[1:, 0], 1 << 11
    return made


def coded(values, predictor):
    """Each difference as its length in bits (a code of five bits, whatever the length) and its lowest bits."""
    text = ""
    for difference in (values - predicted(values, predictor)).flat:
        length = int(abs(difference)).bit_length()
        text += f"{length:05b}"
        if length:
            text += f"{difference if difference > 0 else difference + (1 << length) - 1:0{length}b}"
    text += "1" * (-len(text) % 8)
    return int(text, 2).to_bytes(len(text) // 8, "big").replace(b"\xff", b"\xff\0")


def lossless_jpeg(predictor=1, restart=0):
    """GREY as JPEG Lossless (Annex H), which no package here writes: restart markers after so many rows."""
    values = GREY.astype(int)
    rows, columns = values.shape
    parts = [coded(values[row:row + (restart or rows)], predictor) for row in range(0, rows, restart or rows)]
    scan = parts[0] + b"".join(bytes([0xFF, 0xD0 + i % 8]) + part for i, part in enumerate(parts[1:]))
    return (b"\xff\xd8\xff\xc3" + struct.pack(">HBHHB3B", 11, 12, rows, columns, 1, 1, 0x11, 0)
            + (b"\xff\xdd" + struct.pack(">HH", 4, restart * columns) if restart else b"")
            + b"\xff\xc4" + struct.pack(">HB16B", 36, 0, *[0] * 4, 17, *[0] * 11) + bytes(range(17))
            + b"\xff\xda" + struct.pack(">HB2B3B", 8, 1, 1, 0, predictor, 0, 0) + scan + END)


LOSSLESS_JPEG = lossless_jpeg()
RESTARTED = lossless_jpeg(restart=6)


def jpeg_lossless(path, frame=LOSSLESS_JPEG, bits=12, syntax=JPEGLosslessSV1, **attributes):
    write(path, GREY, bits, encapsulate([frame]), syntax, **attributes)


def pillow_jpeg(**options):
    out = BytesIO()
    Image.fromarray(BYTES).save(out, "JPEG", quality=90, **options)
    return out.getvalue()


BASELINE = pillow_jpeg()
PROGRESSIVE = pillow_jpeg(progressive=True)


def decoded_by_pillow(frame):
    return np.asarray(Image.open(BytesIO(frame)))


def jpeg_baseline(path, frame=BASELINE):
    write(path, BYTES, 8, encapsulate([frame]), JPEGBaseline8Bit)


def scan_of(frame):
    """Where the first scan's entropy-coded data begin, and where the stream's end marker does."""
    place = frame.index(b"\xff\xda")
    return place + 2 + struct.unpack_from(">H", frame, place + 2)[0], len(frame) - 2


def ended_early(frame, percent):
    """What is left of the entropy-coded data, with an end marker."""
    begin, end = scan_of(frame)
    return frame[:begin + max(1, (end - begin) * percent // 100)] + END


def with_bad_code(frame, percent):
    """Ones alone are no code (C.2)."""
    begin, end = scan_of(frame)
    place = begin + (end - begin) * percent // 100
    return frame[:place] + b"\xff\0" * 16 + frame[place + 32:]


def without_part(frame, first, last):
    """Without what lies from one marker to another."""
    return frame[:frame.index(first)] + frame[frame.index(last):]


# ---- Refused --------------------------------------------------------------------------------------------------------
for name, make, frame in (
        ("jpeg", jpeg_lossless, LOSSLESS_JPEG), ("jpeg_restarted", jpeg_lossless, RESTARTED),
        ("jpeg_baseline", jpeg_baseline, BASELINE), ("jpeg_progressive", jpeg_baseline, PROGRESSIVE)):
    for percent in CUTS:
        refused(f"{name}_cut_{percent}", "PixelData", "end marker", make,
                cut(percent, frame) if percent > 1 else frame[:scan_of(frame)[0] + 9])
        refused(f"{name}_ended_early_{percent}", "PixelData", "premature end", make, ended_early(frame, percent))
    for percent in (5, 40, 90):
        refused(f"{name}_bad_code_{percent}", "PixelData", "damaged", make, with_bad_code(frame, percent))
    refused(f"{name}_data_left_over", "PixelData", "extraneous bytes", make, frame[:-2] + b"abcdefgh" + END)
for predictor in range(2, 8):
    refused(f"jpeg_predictor_{predictor}_ended_early", "PixelData", "premature end", jpeg_lossless,
            ended_early(lossless_jpeg(predictor), 60), syntax=JPEGLossless)
for name, frame in (
        ("marker_missing", RESTARTED.replace(b"\xff\xd2", b"", 1)),
        ("markers_swapped", RESTARTED.replace(b"\xff\xd2", b"\xff\xd5", 1)),
        ("part_missing", without_part(RESTARTED, b"\xff\xd1", b"\xff\xd2")),
        ("part_twice", RESTARTED[:RESTARTED.index(b"\xff\xd2")] + RESTARTED[RESTARTED.index(b"\xff\xd1"):]),
        ("part_empty", RESTARTED[:RESTARTED.index(b"\xff\xd1") + 2] + RESTARTED[RESTARTED.index(b"\xff\xd2"):])):
    refused(f"jpeg_restart_{name}", "PixelData", "damaged", jpeg_lossless, frame)
for count in (1, 3, 5):
    kept = PROGRESSIVE
    for _ in range(count):
        kept = kept[:kept.rindex(b"\xff\xda")]
    refused(f"jpeg_progressive_without_{count}_scans", "PixelData", "lacks scans", jpeg_baseline, kept + END)
for name, frame, problem in (
        ("half_of_zeros", cut(50, LOSSLESS_JPEG) + bytes(len(LOSSLESS_JPEG) // 2), "end marker"),
        ("65535_squared", patched(LOSSLESS_JPEG, b"\xff\xc3", 3, b"\xff" * 4),
         "65535 x 65535 x 1, the dataset says 48 x 62 x 1"),
        ("three_components", patched(LOSSLESS_JPEG, b"\xff\xc3", 7, b"\3"), "48 x 62 x 3"),
        ("of_8_bits", patched(LOSSLESS_JPEG, b"\xff\xc3", 2, b"\x08"), "8 bits a value, BitsAllocated is 16"),
        ("without_table", LOSSLESS_JPEG.replace(b"\xff\xc4", b"\xff\xfe", 1), "Huffman table"),
        ("is_noise", RNG.bytes(500), "is not a JPEG stream"),
        ("is_a_codestream", CODESTREAM, "is not a JPEG stream")):
    refused(f"jpeg_{name}", "PixelData", problem, jpeg_lossless, frame)
refused("jpeg_size", "PixelData", "48 x 62 x 1, the dataset says 47 x 62 x 1", jpeg_lossless, Rows=47)
refused("jpeg_65535_in_both", "PixelData", "cannot hold", jpeg_lossless,
        patched(LOSSLESS_JPEG, b"\xff\xc3", 3, b"\xff\xff\x7f\xff"), Rows=65535, Columns=32767)

# ---- Odd ------------------------------------------------------------------------------------------------------------
odd("jpeg_lossless", GREY, "", jpeg_lossless)
odd("jpeg_baseline", decoded_by_pillow(BASELINE), "", jpeg_baseline)
odd("jpeg_progressive", decoded_by_pillow(PROGRESSIVE), "", jpeg_baseline, PROGRESSIVE)
odd("jpeg_restarted", GREY, "", jpeg_lossless, RESTARTED)
for predictor in range(2, 8):
    odd(f"jpeg_predictor_{predictor}", GREY, "", jpeg_lossless, lossless_jpeg(predictor), syntax=JPEGLossless)
# As pydicom does: what is above BitsStored is dropped (PS3.5 8.1.1), and that has to be said.
odd("jpeg_lossless_values_above_stored", GREY & 0x3FF, "BitsStored 10", jpeg_lossless, bits=10)
for name, frame, told in (
        ("no_end_marker", LOSSLESS_JPEG[:-2], "no end marker; all of its values are there"),
        ("no_end_marker_but_zeros", LOSSLESS_JPEG[:-2] + bytes(7), "no end marker"),
        ("fill_bytes_before_the_end", LOSSLESS_JPEG[:-2] + b"\xff" * 5 + END, ""),
        ("fill_bytes_before_a_restart", RESTARTED.replace(b"\xff\xd2", b"\xff" * 5 + b"\xd2"), ""),
        ("zeros_before_the_end", LOSSLESS_JPEG[:-2] + bytes(12) + END, "extraneous bytes before marker 0xd9"),
        ("zeros_before_a_restart", RESTARTED.replace(b"\xff\xd2", bytes(9) + b"\xff\xd2"),
         "extraneous bytes before marker 0xd2"),
        ("zeros_after_the_end", LOSSLESS_JPEG + bytes(99), ""),
        ("more_after_the_end", LOSSLESS_JPEG + b"what is this", "")):
    odd(f"jpeg_{name}", GREY, told, jpeg_lossless, frame)
