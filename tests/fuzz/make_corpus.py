#!/usr/bin/env python3
"""Makes tests/fuzz/corpus anew: seed-*, small files of every kind that the fuzz targets read, and found-*, each the
smallest file that once crashed the program, took minutes or gigabytes, or was read as if it were whole. Other names
are left alone.

The seeds of dicom and jpeg2000 are made here, those of the other targets by seeds_*.py. Needs numpy, pillow, pydicom,
safetensors and torch.
"""
import argparse
import functools
import io
import pathlib
import struct
import subprocess
import tempfile
import zlib

import numpy as np
import pydicom
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian,
    JPEG2000, JPEG2000Lossless, JPEGBaseline8Bit, RLELossless, SecondaryCaptureImageStorage)

import seeds_images
import seeds_tables
import seeds_tensors

RANDOM = np.random.default_rng(20)


def picture(rows, columns, bits):
    """A bright half disc on a dark, slightly noisy background: a breast to the crop, little to the codec."""
    y, x = np.mgrid[0:rows, 0:columns]
    inside = ((y - rows / 2) / (0.4 * rows)) ** 2 + (x / (0.7 * columns)) ** 2 < 1
    top = 2 ** bits - 1
    values = np.where(inside, 0.3 + 0.5 * y / rows, 0.02) * top + RANDOM.integers(0, max(2, top // 64), (rows, columns))
    return values.clip(0, top).astype("u2" if bits > 8 else "u1")


GREY = picture(32, 28, 12)
BYTES = picture(32, 28, 8)
COLOUR = np.stack([picture(24, 20, 8) for _ in range(3)], axis=-1)


def codestream(pixels, **options):
    """JPEG 2000 of a grey or colour picture, by Pillow: JP2-wrapped where no_jp2=False."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG2000", **{"no_jp2": True, "num_resolutions": 3, **options})
    return stream.getvalue()


def dataset(pixels, bits, **attributes):
    made = Dataset()
    made.SOPClassUID = SecondaryCaptureImageStorage
    made.SOPInstanceUID = "1.2.826.0.1.3680043.10.1.1"
    made.PatientID = "P1"
    made.SamplesPerPixel = 1
    made.PhotometricInterpretation = "MONOCHROME2"
    made.Rows, made.Columns = pixels.shape[-2:]
    made.BitsAllocated = 8 * pixels.itemsize
    made.BitsStored = bits
    made.HighBit = bits - 1
    made.PixelRepresentation = int(pixels.dtype.kind == "i")
    if pixels.ndim == 3:
        made.NumberOfFrames = len(pixels)
    made.PixelData = pixels.tobytes()
    made["PixelData"].VR = "OW" if pixels.itemsize == 2 else "OB"
    for name, value in attributes.items():
        setattr(made, name, value)
    return made


def colour(pixels, **attributes):
    made = dataset(pixels[:, :, 0], 8, SamplesPerPixel=3, PhotometricInterpretation="RGB", PlanarConfiguration=0)
    made.PixelData = pixels.tobytes()
    for name, value in attributes.items():
        setattr(made, name, value)
    return made


def encapsulated(made, frames, **options):
    made.PixelData = encapsulate(frames, **options)
    made["PixelData"].VR = "OB"
    made["PixelData"].is_undefined_length = True
    return made


def run_length_encoded(made):
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.compress(RLELossless, generate_instance_uid=False)
    return made


def file_bytes(made, syntax, meta=True):
    stream = io.BytesIO()
    if meta:
        made.file_meta = FileMetaDataset()
        made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID
        made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
        made.file_meta.TransferSyntaxUID = syntax
        made.save_as(stream, enforce_file_format=True)
    else:
        made.save_as(stream, implicit_vr=syntax.is_implicit_VR, little_endian=syntax.is_little_endian)
    return stream.getvalue()


def table(first_value, entries, bits, explanation):
    item = Dataset()
    item.add_new("LUTDescriptor", "US", [len(entries), first_value, bits])
    item.add_new("LUTData", "US", list(map(int, entries)))
    item.LUTExplanation = explanation
    return Sequence([item])


def functional_groups(frames):
    """Windows for each frame, as enhanced multi-frame images have them (PS3.3 C.7.6.16)."""
    groups = []
    for frame in range(frames):
        voi, rescale, group = Dataset(), Dataset(), Dataset()
        voi.WindowCenter, voi.WindowWidth = 1000 + 500 * frame, 2000
        rescale.RescaleIntercept, rescale.RescaleSlope, rescale.RescaleType = -10 * frame, 1.5, "US"
        group.FrameVOILUTSequence = Sequence([voi])
        group.PixelValueTransformationSequence = Sequence([rescale])
        groups.append(group)
    return Sequence(groups)


def dicom_seeds():
    little = ExplicitVRLittleEndian
    yield "implicit", file_bytes(dataset(GREY, 12), ImplicitVRLittleEndian)
    big = dataset(GREY.byteswap(), 12)
    yield "big-endian", file_bytes(big, ExplicitVRBigEndian)
    yield "deflated", file_bytes(dataset(GREY, 12), DeflatedExplicitVRLittleEndian)
    yield "no-meta-header", file_bytes(dataset(BYTES, 8), ImplicitVRLittleEndian, meta=False)
    yield "frames", file_bytes(dataset(np.stack([GREY, GREY[::-1]])[:, :16, :16].copy(), 12), little)
    yield "frames-with-functional-groups", file_bytes(
        dataset(np.stack([GREY, GREY[::-1]])[:, :16, :16].copy(), 12,
                PerFrameFunctionalGroupsSequence=functional_groups(2),
                SharedFunctionalGroupsSequence=functional_groups(1)), little)
    yield "signed", file_bytes(dataset((GREY.astype("i2") - 2048)[:16], 12, PixelPaddingValue=-2048,
                                       RescaleSlope="0.5", RescaleIntercept="-3"), little)
    yield "padding-range-inverse", file_bytes(
        dataset(BYTES, 8, PixelPaddingValue=0, PixelPaddingRangeLimit=9, PhotometricInterpretation="MONOCHROME1",
                PresentationLUTShape="INVERSE"), little)
    yield "windows", file_bytes(
        dataset(BYTES, 8, WindowCenter=["100", "20.5"], WindowWidth=["200", "1"],
                WindowCenterWidthExplanation=["NORMAL", "HARDER"], VOILUTFunction="LINEAR_EXACT"), little)
    yield "sigmoid", file_bytes(dataset(BYTES, 8, WindowCenter="100", WindowWidth="200", VOILUTFunction="SIGMOID",
                                        ImageLaterality="L", ViewPosition="MLO"), little)
    yield "voi-table", file_bytes(dataset(BYTES, 8, VOILUTSequence=table(3, range(0, 4096, 32), 12, "A")), little)
    yield "modality-table", file_bytes(
        dataset(BYTES, 8, ModalityLUTSequence=table(0, range(0, 65536, 512), 16, "B"),
                WindowCenter="30000", WindowWidth="60000"), little)
    yield "colour", file_bytes(colour(COLOUR), little)
    yield "colour-by-plane", file_bytes(
        colour(COLOUR, PlanarConfiguration=1, PixelData=COLOUR.transpose(2, 0, 1).tobytes()), little)

    yield "rle-frames", file_bytes(run_length_encoded(dataset(np.stack([GREY, GREY[::-1]]), 12)), RLELossless)
    yield "rle-colour", file_bytes(run_length_encoded(colour(COLOUR)), RLELossless)

    stream = io.BytesIO()
    Image.fromarray(BYTES).save(stream, "JPEG", quality=60)
    yield "jpeg-baseline", file_bytes(encapsulated(dataset(BYTES, 8), [stream.getvalue()]), JPEGBaseline8Bit)
    stream = io.BytesIO()
    Image.fromarray(COLOUR).save(stream, "JPEG", quality=60)
    yield "jpeg-colour", file_bytes(
        encapsulated(colour(COLOUR, PhotometricInterpretation="YBR_FULL_422"), [stream.getvalue()]), JPEGBaseline8Bit)

    grey = codestream(GREY)
    low_bits = dataset(GREY, 12)  # Pillow writes 16-bit codestreams
    yield "jpeg2000", file_bytes(encapsulated(low_bits, [grey]), JPEG2000Lossless)
    yield "jpeg2000-jp2", file_bytes(encapsulated(dataset(GREY, 16), [codestream(GREY, no_jp2=False)]), JPEG2000)
    yield "jpeg2000-colour", file_bytes(
        encapsulated(colour(COLOUR, PhotometricInterpretation="YBR_RCT"), [codestream(COLOUR, mct=1)]),
        JPEG2000Lossless)
    two = dataset(np.stack([BYTES, BYTES[::-1]]), 8)
    frames = [codestream(BYTES), codestream(np.ascontiguousarray(BYTES[::-1]))]
    yield "jpeg2000-frames-in-fragments", file_bytes(
        encapsulated(two, frames, fragments_per_frame=3, has_bot=True), JPEG2000Lossless)
    two = dataset(np.stack([BYTES, BYTES[::-1]]), 8)
    yield "jpeg2000-fragments-without-table", file_bytes(
        encapsulated(two, frames, fragments_per_frame=2, has_bot=False), JPEG2000Lossless)


def synth_seeds(mpbench):
    """One mammogram of each syntax that synth writes, as small as it draws them."""
    with tempfile.TemporaryDirectory() as folder:
        for syntax in ("explicit-le", "rle", "jpeg-lossless", "jpeg2000"):
            out = pathlib.Path(folder) / syntax
            subprocess.run([mpbench, "synth", str(out), "--patients", "1", "--height", "64", "--width", "64",
                            "--syntax", syntax], check=True, stderr=subprocess.DEVNULL)
            files = sorted(out.rglob("*.dcm"), key=lambda path: (path.stat().st_size, path.name))
            yield f"mammogram-{syntax}", files[0].read_bytes()


def jpeg2000_seeds(mammogram):
    grey8, grey16 = picture(40, 36, 8), picture(40, 36, 16)
    yield "grey8", codestream(grey8)
    yield "grey16", codestream(grey16)
    yield "jp2", codestream(grey8, no_jp2=False)
    yield "colour", codestream(COLOUR, mct=1)
    yield "colour-separate", codestream(COLOUR, mct=0)
    yield "signed", codestream(grey16, signed=True)
    for progression in ("LRCP", "RLCP", "RPCL", "PCRL", "CPRL"):
        yield f"{progression.lower()}-precincts", codestream(
            COLOUR, progression=progression, precinct_size=(16, 16), codeblock_size=(8, 8), num_resolutions=2)
    yield "irreversible-layers", codestream(
        grey8, irreversible=True, quality_mode="rates", quality_layers=[40, 10, 2], num_resolutions=4)
    yield "layers", codestream(grey16, quality_mode="rates", quality_layers=[20, 5, 1])
    yield "tiles", codestream(grey8, tile_size=(16, 16), num_resolutions=2)
    yield "tiles-offset", codestream(grey8, tile_size=(24, 24), offset=(5, 3), tile_offset=(1, 2), num_resolutions=2)
    yield "packet-lengths", codestream(grey8, plt=True)
    yield "comment", codestream(grey8, comment="a comment")
    yield "one-resolution", codestream(grey8, num_resolutions=1)
    yield "row", codestream(picture(1, 33, 8), num_resolutions=1)
    yield "pixel", codestream(picture(1, 1, 8), num_resolutions=1)
    yield "mammogram", next(pydicom.encaps.generate_frames(
        pydicom.dcmread(io.BytesIO(mammogram)).PixelData, number_of_frames=1))


def length_of_4gb():
    """DCMTK takes memory for a value by its length word before it reads."""
    made = file_bytes(dataset(BYTES, 8), ExplicitVRLittleEndian)
    at = made.index(b"\xe0\x7f\x10\x00OB\x00\x00") + 8
    return made[:at] + struct.pack("<I", 0xFFFFFF00) + made[at + 4:]


def deflated(elements):
    """A file whose deflated dataset is these bytes: what repeats itself takes little room."""
    whole = file_bytes(dataset(BYTES, 8), DeflatedExplicitVRLittleEndian)
    meta = 132 + 12 + struct.unpack("<I", whole[140:144])[0]
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    packed = packer.compress(elements) + packer.flush()
    return whole[:meta] + packed + b"\0" * (len(packed) % 2)


def nested_sequences():
    """DCMTK's parser calls itself for each level."""
    return deflated(bytes.fromhex("08004011 53510000 ffffffff feff00e0 ffffffff") * 20000)


def descending_tags():
    """DCMTK inserts an element by a walk past all that are larger."""
    return deflated(b"".join(
        struct.pack("<HH2sH", 0x0009, element, b"SH", 0) for element in range(20000, 0, -1)))


def many_windows():
    """DCMTK finds one of several values by a walk over those before it."""
    made = file_bytes(dataset(BYTES, 8), ExplicitVRLittleEndian)
    body = made[132 + 12 + struct.unpack("<I", made[140:144])[0]:]
    at = body.index(b"\xe0\x7f\x10\x00OB")
    windows = b"".join(struct.pack("<HH2sHI", 0x0028, tag, b"UN", 0, 200000) + b"1\\" * 100000
                       for tag in (0x1050, 0x1051))
    return deflated(body[:at] + windows + body[at:])


def jpeg_in_small_fragments():
    """DCMTK takes its own way through a JPEG stream in fragments of a few bytes, and refuses it."""
    stream = io.BytesIO()
    Image.fromarray(BYTES).save(stream, "JPEG", quality=60, comment=b"c" * 60)
    whole = stream.getvalue() + b"\0" * (len(stream.getvalue()) % 2)
    return file_bytes(encapsulated(dataset(BYTES, 8), [whole], fragments_per_frame=len(whole) // 2), JPEGBaseline8Bit)


def jpeg_without_tables():
    """DCMTK frees a fragment over 4 KB when it has decoded it, or failed to."""
    stream = io.BytesIO()
    Image.fromarray(BYTES).save(stream, "JPEG", quality=60, comment=b"c" * 4200)
    whole = stream.getvalue()
    while (at := whole.find(b"\xff\xc4")) > 0:
        whole = whole[:at] + whole[at + 2 + struct.unpack(">H", whole[at + 2:at + 4])[0]:]
    return file_bytes(encapsulated(dataset(BYTES, 8), [whole]), JPEGBaseline8Bit)


def forged(side, levels, layers, precincts, body, tile=None):
    """A grey codestream of empty packets, as complex as its headers say."""
    def segment(marker, content):
        return struct.pack(">HH", marker, len(content) + 2) + content
    tile = tile or side
    size = segment(0xFF51, struct.pack(">H8IH3B", 0, side, side, 0, 0, tile, tile, 0, 0, 1, 7, 1, 1))
    style = segment(0xFF52, struct.pack(">BBHB5B", 1, 0, layers, 0, levels, 4, 4, 0, 1) + bytes(precincts))
    steps = segment(0xFF5C, bytes([0x40] + [80] * (3 * levels + 1)))
    part = struct.pack(">HHHIBBH", 0xFF90, 10, 0, 14 + len(body), 0, 1, 0xFF93) + body
    return b"\xff\x4f" + size + style + steps + part + b"\xff\xd9"


def missing_tile():
    """OpenJPEG leaves a tile black that has no tile-part, and says nothing."""
    whole = codestream(picture(40, 36, 8), tile_size=(20, 20), num_resolutions=2)
    starts = [at for at in range(len(whole)) if whole[at:at + 4] == b"\xff\x90\x00\x0a"]
    return whole[:starts[1]] + whole[starts[2]:]


def dicom_findings():
    yield "length-of-4gb", length_of_4gb()
    yield "nested-sequences", nested_sequences()
    yield "descending-tags", descending_tags()
    yield "many-windows", many_windows()
    yield "jpeg-in-small-fragments", jpeg_in_small_fragments()
    yield "jpeg-without-tables", jpeg_without_tables()


def jpeg2000_findings():
    yield "tiny-precincts", forged(512, 5, 1, [0x11] * 6, bytes(100))
    yield "layers-times-precincts", forged(512, 5, 65535, [0x44] * 6, bytes(100))
    yield "one-of-16384-tiles", forged(512, 5, 1, [0xFF] * 6, bytes(10), tile=4)
    yield "missing-tile", missing_tile()


def corpora(mpbench):
    """For each target a function that makes its seeds and one that makes its findings, as (name, bytes)."""
    mammograms = functools.cache(lambda: dict(synth_seeds(mpbench)))
    runs = functools.cache(lambda: dict(seeds_tables.run_tables(mpbench)))
    return {"dicom": (lambda: [*mammograms().items(), *dicom_seeds()], dicom_findings),
            "jpeg2000": (lambda: jpeg2000_seeds(mammograms()["mammogram-jpeg2000"]), jpeg2000_findings),
            "picture": (seeds_images.picture_seeds, seeds_images.picture_findings),
            "image_sets": (seeds_images.image_set_seeds, seeds_images.image_set_findings),
            "csv": (lambda: seeds_tables.csv_seeds(runs()), seeds_tables.csv_findings),
            "config": (lambda: seeds_tables.config_seeds(runs()), seeds_tables.config_findings),
            "pth": (seeds_tensors.pth_seeds, seeds_tensors.pth_findings),
            "safetensors": (lambda: seeds_tensors.safetensors_seeds(mpbench), seeds_tensors.safetensors_findings)}


def main():
    here = pathlib.Path(__file__).parent
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mpbench", type=pathlib.Path, help="the program: it draws the mammograms and makes a cache and a run")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="all unless given")
    parser.add_argument("--corpus", type=pathlib.Path, default=here / "corpus", help="the folder to write to")
    arguments = parser.parse_args()
    known = corpora(arguments.mpbench.resolve())
    for target in arguments.targets or known:
        if target not in known:
            parser.error(f"there is no target {target}: choose from {', '.join(known)}")
        folder = arguments.corpus / target
        folder.mkdir(parents=True, exist_ok=True)
        for kind, make in zip(("seed", "found"), known[target]):
            files = dict(make())
            for old in folder.glob(f"{kind}-*"):
                old.unlink()
            for name, content in files.items():
                (folder / f"{kind}-{name}").write_bytes(content)
            print(f"{folder}/{kind}-*: {len(files)} files, {sum(map(len, files.values()))} bytes")


if __name__ == "__main__":
    main()
