"""Mammograms that are wrong or odd, each in one small file: what bad_input_test.py puts before the program.

REFUSED: name -> Refused: the attribute that the error must name, a part of what it must say, and how to make the file.
ODD: name -> Odd: files that are fine, or odd only: their pixels, a part of what must be said, and how to read them.
The cases themselves are in bad_headers.py, bad_jpegs.py, bad_streams.py and odd_displays.py, which fill the two in.
"""
import pathlib
import struct
import sys
import typing

import numpy as np
import pydicom
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "parity"))
from decode_parity_test import encode, write  # noqa: E402

RNG = np.random.default_rng(11)
GREY = RNG.integers(0, 4096, (48, 62)).astype("u2")
SIGNED = RNG.integers(-2048, 2048, (48, 62)).astype("i2")
BYTES = RNG.integers(0, 256, (48, 62)).astype("u1")
FRAMES = RNG.integers(0, 4096, (3, 48, 62)).astype("u2")
CODESTREAM = encode(GREY, 12)
CUTS = (1, 50, 99)  # percent that are left


class Refused(typing.NamedTuple):
    field: str  # or several, with | between, where the program may tell it either way
    problem: str
    make: typing.Callable


class Odd(typing.NamedTuple):
    make: typing.Callable
    pixels: np.ndarray  # the stored values
    told: str           # a part of what `mpbench decode` says
    as_if: dict         # attributes in place of the file's when PS3.3 is applied; None: as if it were absent
    black: bool         # there is nothing to show: one value only, and no window


REFUSED = {}
ODD = {}


def refused(name, field, problem, make, /, *arguments, **options):
    assert name not in REFUSED and name not in ODD, name
    REFUSED[name] = Refused(field, problem, lambda path: make(path, *arguments, **options))


def odd(name, pixels, told, make, /, *arguments, as_if=None, black=False, **options):
    assert name not in REFUSED and name not in ODD, name
    ODD[name] = Odd(lambda path: make(path, *arguments, **options), pixels, told, as_if or {}, black)


def native(path, pixels=GREY, bits=12, **attributes):
    write(path, pixels, bits, **attributes)


def jpeg2000(path, frame=CODESTREAM, pixels=GREY, bits=12, syntax=JPEG2000Lossless, **attributes):
    """One encapsulated frame of any bytes; an odd length is padded as PS3.5 A.4 wants it."""
    write(path, pixels, bits, encapsulate([frame]), syntax, **attributes)


def with_text(path, keyword, text, **attributes):
    """An attribute with a value that its VR forbids and pydicom would not write."""
    stand_in = b"98765432"
    write(path, GREY, 12, **{keyword: stand_in.decode()}, **attributes)
    content = path.read_bytes()
    assert content.count(stand_in) == 1
    path.write_bytes(content.replace(stand_in, text.encode("latin-1").ljust(len(stand_in))))


def without(path, *keywords):
    write(path, GREY, 12)
    dataset = pydicom.dcmread(path)
    for keyword in keywords:
        delattr(dataset, keyword)
    dataset.save_as(path)


def cut(percent, content):
    return content[: max(1, len(content) * percent // 100)]


def patched(frame, marker, offset, new):
    """Bytes after the first such marker replaced; offset 0 follows its two bytes."""
    place = frame.index(marker) + 2 + offset
    return frame[:place] + new + frame[place + len(new):]


def of_length(path, length, pixels=GREY, bits=12):
    """Uncompressed pixels cut or padded to a length, which is said truly."""
    write(path, pixels, bits)
    content = path.read_bytes()
    place = content.rindex(b"\xe0\x7f\x10\x00OW\0\0") + 8
    path.write_bytes(content[:place] + struct.pack("<I", length) + (content[place + 4:] + bytes(length))[:length])


def thin_ones():
    for rows, columns in ((1, 1), (1, 62), (48, 1)):
        yield f"{rows}x{columns}", np.ascontiguousarray(GREY[:rows, :columns])
