"""Decodes the DICOM files of pydicom and pydicom-data, and compares with pydicom and with PS3.3 C.11.

Every file with pixels is either equal to what pydicom gives or in REFUSED with the attribute at fault, so
that the refusals cannot grow silently.
"""
import functools
import logging
import os
import pathlib
import subprocess
import warnings

import data_store
import numpy as np
import pydicom
import pydicom.data
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels import pixel_array
from pydicom.uid import (ExplicitVRLittleEndian, JPEG2000Lossless, JPEGBaseline8Bit, JPEGExtended12Bit,
                         SecondaryCaptureImageStorage, generate_uid)

logging.getLogger("pydicom").setLevel(logging.CRITICAL)
logging.getLogger("pylibjpeg").setLevel(logging.CRITICAL)
pytestmark = pytest.mark.filterwarnings("ignore")

ROOTS = [pathlib.Path(pydicom.data.__file__).parent / "test_files",
         pathlib.Path(data_store.__file__).parent / "data"]

# Lossy JPEG: two right decoders' inverse cosine transforms may round differently, by one.
LOSSY_JPEG = (JPEGBaseline8Bit, JPEGExtended12Bit)

# What is not read, and the attribute that the error names.
REFUSED = {
    # JPEG-LS: DCMTK has it in a library of its own, and no mammogram that this program is for uses it.
    "JPEGLSNearLossless_08.dcm": "TransferSyntaxUID",
    "JPEGLSNearLossless_16.dcm": "TransferSyntaxUID",
    "MR_small_jpeg_ls_lossless.dcm": "TransferSyntaxUID",
    "SC_rgb_jls_lossy_line.dcm": "TransferSyntaxUID",
    "SC_rgb_jls_lossy_sample.dcm": "TransferSyntaxUID",
    "emri_small_jpeg_ls_lossless.dcm": "TransferSyntaxUID",
    # 32-bit doses and colours, 1-bit segmentations.
    "SC_rgb_32bit.dcm": "BitsAllocated",
    "SC_rgb_32bit_2frame.dcm": "BitsAllocated",
    "SC_rgb_expb_32bit.dcm": "BitsAllocated",
    "SC_rgb_expb_32bit_2frame.dcm": "BitsAllocated",
    "SC_rgb_rle_32bit.dcm": "BitsAllocated",
    "SC_rgb_rle_32bit_2frame.dcm": "BitsAllocated",
    "rtdose.dcm": "BitsAllocated",
    "rtdose_1frame.dcm": "BitsAllocated",
    "rtdose_expb.dcm": "BitsAllocated",
    "rtdose_expb_1frame.dcm": "BitsAllocated",
    "rtdose_rle.dcm": "BitsAllocated",
    "rtdose_rle_1frame.dcm": "BitsAllocated",
    "liver.dcm": "BitsAllocated",
    "liver_1frame.dcm": "BitsAllocated",
    "liver_expb.dcm": "BitsAllocated",
    "liver_expb_1frame.dcm": "BitsAllocated",
    # Colour with half the chroma samples, uncompressed.
    "SC_ybr_full_422_uncompressed.dcm": "PhotometricInterpretation",
    # Its dataset is implicit VR, its transfer syntax says explicit.
    "SC_rgb_jpeg.dcm": "dataset",
    # Damaged: pydicom refuses these as well.
    "JPEG2000-embedded-sequence-delimiter.dcm": "PixelData",
    "MR_truncated.dcm": "PixelData",
    "badVR.dcm": "NumberOfFrames",
    "meta_missing_tsyntax.dcm": "Rows",
    "nested_priv_SQ.dcm": "Rows",
}
# pydicom cannot decode these: one codestream is lossy in a way that its decoder lacks, one file has no meta header.
ONLY_HERE = {"JPEG-lossy.dcm", "OT-PAL-8-face.dcm"}

# 120 frames of colour: three are enough.
LONG = "color3d_jpeg_baseline.dcm"
PAIRS = ["RG1", "RG3", "MR2", "693", "US1"]


def decode(*arguments, code=0):
    result = subprocess.run([os.environ["MPBENCH"], "decode", *map(str, arguments)],
                            capture_output=True, text=True, timeout=600)
    assert result.returncode == code, f"exit code {result.returncode}:\n{result.stderr}"
    return result


def has_pixels(path):
    try:
        return "PixelData" in pydicom.dcmread(path, force=True)
    except Exception:
        return False


@functools.cache
def files():
    """Every file with PixelData of both packages, by its name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = {}
        for root in ROOTS:
            for path in sorted(root.rglob("*")):
                if path.is_file() and path.suffix in ("", ".dcm") and has_pixels(path):
                    found[path.name if path.suffix else str(path.relative_to(root))] = path
        return found


def accepted():
    return {name: path for name, path in files().items() if name not in REFUSED}


def frames_of(path):
    return int(pydicom.dcmread(path, force=True).get("NumberOfFrames") or 1)


@functools.cache
def decoded(stage, folder):
    """The arrays of every accepted grey or (stored stage) colour file; a list of frames a file."""
    chosen = {name: path for name, path in accepted().items()
              if name != LONG and (stage == "stored" or is_grey(path))}
    lines = decode(*chosen.values(), "--stage", stage, "--out", folder).stdout.splitlines()
    arrays = {}
    for name, path in chosen.items():
        count = frames_of(path)
        arrays[name] = [np.load(line) for line in lines[:count]]
        lines = lines[count:]
    assert not lines
    return arrays


def is_grey(path):
    return pydicom.dcmread(path, force=True).PhotometricInterpretation.startswith("MONOCHROME")


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return tmp_path_factory.mktemp("decoded")


def test_the_packages_files_are_there():
    assert len(files()) > 120


def test_stored_values_equal_pydicoms(out):
    compared = 0
    for name, frames in decoded("stored", out).items():
        path = accepted()[name]
        if name in ONLY_HERE:
            continue
        dataset = pydicom.dcmread(path, force=True)
        # raw: colour in the file's own model. Grey files are held to Dataset.pixel_array itself.
        expected = dataset.pixel_array if is_grey(path) else pixel_array(dataset, raw=True)
        actual = np.stack(frames) if len(frames) > 1 else frames[0]
        assert actual.shape == expected.shape, name
        assert actual.dtype == expected.dtype.newbyteorder("="), name
        difference = np.abs(actual.astype(int) - expected.astype(int)).max()
        limit = 1 if dataset.file_meta.TransferSyntaxUID in LOSSY_JPEG else 0
        assert difference <= limit, f"{name}: differs by {difference}"
        compared += 1
    assert compared > 80


@pytest.mark.parametrize("frame", [0, 77, 119])
def test_single_frames_of_a_long_file(frame, tmp_path):
    path = files()[LONG]
    line, = decode("--out", tmp_path, "--frame", frame, path).stdout.splitlines()
    difference = np.abs(np.load(line).astype(int) - pixel_array(path, index=frame, raw=True).astype(int))
    # Half the chroma samples are stored; decoders differ in how they fill in the others.
    assert difference.max() <= 3 and difference.mean() < 0.2


def test_refusals_are_these_and_name_the_attribute():
    paths = {name: files()[name] for name in REFUSED}
    lines = decode(*paths.values(), "--digest", code=1).stderr.splitlines()
    for name, field in REFUSED.items():
        told = [line for line in lines if f"{paths[name]}: " in line]
        assert len(told) == 1 and f"{paths[name]}: {field}: " in told[0], f"{name}: {told}"


@pytest.mark.parametrize("pair", PAIRS)
def test_lossless_pairs_have_one_digest(pair):
    compressed, plain = (files()[f"{pair}_{kind}.dcm"] for kind in ("J2KR", "UNCR"))
    one, other = decode("--digest", compressed, plain).stdout.splitlines()
    assert one.split()[:5] == other.split()[:5]
    assert (one.split()[5], other.split()[5]) == (str(compressed), str(plain))


def lut(item, x):
    """A lookup table's output, and the largest value it could have (PS3.3 C.11.1.1, C.11.2.1.1)."""
    count, first, bits = item.LUTDescriptor
    data = item.LUTData
    if isinstance(data, bytes):
        data = np.frombuffer(data, "<u2" if len(data) >= 2 * (count or 65536) else "u1")
    table = np.asarray(data, float)[: count or 65536]
    return table[np.clip(np.rint(x).astype(int) - first, 0, len(table) - 1)], 2.0 ** bits - 1


def group(dataset, frame, name):
    """The functional group of an enhanced object, else the dataset itself (PS3.3 C.7.6.16)."""
    for sequence, index in (("PerFrameFunctionalGroupsSequence", frame),
                            ("SharedFunctionalGroupsSequence", 0)):
        if sequence in dataset and name in dataset[sequence][index]:
            return dataset[sequence][index][name][0]
    return dataset


def modality(dataset, stored, frame=0):
    x = stored.astype(float)
    if dataset.get("ModalityLUTSequence"):
        return lut(dataset.ModalityLUTSequence[0], x)[0]
    item = group(dataset, frame, "PixelValueTransformationSequence")
    return x * float(item.get("RescaleSlope", 1)) + float(item.get("RescaleIntercept", 0))


def first(value):
    return float(value[0] if isinstance(value, pydicom.multival.MultiValue) else value)


def display(dataset, stored, frame=0):
    """The picture by the letter of PS3.3 C.11.2, C.7.5.1.1.2 and C.7.6.3.1.2, written for this test alone."""
    x = modality(dataset, stored, frame)
    padding = np.zeros(stored.shape, bool)
    if "PixelPaddingValue" in dataset:
        ends = sorted([dataset.PixelPaddingValue, dataset.get("PixelPaddingRangeLimit", dataset.PixelPaddingValue)])
        padding = (stored >= ends[0]) & (stored <= ends[1])
    item = group(dataset, frame, "FrameVOILUTSequence")
    if item.get("WindowCenter") is not None and item.get("WindowWidth") is not None:
        c, w = first(item.WindowCenter), first(item.WindowWidth)
        function = item.get("VOILUTFunction") or "LINEAR"
        if function == "SIGMOID":
            y = 1 / (1 + np.exp(-4 * (x - c) / w))
        elif function == "LINEAR_EXACT":
            y = np.where(x <= c - w / 2, 0, np.where(x > c + w / 2, 1, (x - c) / w + 0.5))
        else:
            between = (x - (c - 0.5)) / (w - 1) + 0.5 if w > 1 else np.full(x.shape, np.nan)
            y = np.where(x <= c - 0.5 - (w - 1) / 2, 0, np.where(x > c - 0.5 + (w - 1) / 2, 1, between))
    elif item.get("VOILUTSequence"):
        y, most = lut(item.VOILUTSequence[0], x)
        y = np.minimum(y / most, 1)
    else:
        low, high = x[~padding].min(), x[~padding].max()
        y = np.clip((x - low) / (high - low), 0, 1)
    if dataset.PhotometricInterpretation == "MONOCHROME1" or dataset.get("PresentationLUTShape") == "INVERSE":
        y = 1 - y
    return np.where(padding, 0, y)


@pytest.mark.parametrize("stage", ["modality", "display"])
def test_stages_follow_the_standard(stage, out):
    compared = 0
    for name, frames in decoded(stage, out / stage).items():
        dataset = pydicom.dcmread(accepted()[name], force=True)
        for frame, (actual, stored) in enumerate(zip(frames, decoded("stored", out)[name])):
            assert actual.dtype == np.float32
            expected = (modality if stage == "modality" else display)(dataset, stored, frame)
            np.testing.assert_allclose(actual, expected, rtol=1e-5 if stage == "modality" else 0, atol=1e-5,
                                       err_msg=f"{name} frame {frame}")
        compared += 1
    assert compared > 60


def write(path, pixels, bits, frames=None, syntax=ExplicitVRLittleEndian, **attributes):
    """A grey file by pydicom; `frames` are encoded frames in place of the pixels themselves."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = SecondaryCaptureImageStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = generate_uid()
    dataset.Rows, dataset.Columns = pixels.shape[-2:]
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated = 8 * pixels.itemsize
    dataset.BitsStored, dataset.HighBit = bits, bits - 1
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    if pixels.ndim == 3:
        dataset.NumberOfFrames = len(pixels)
    for name, value in attributes.items():
        setattr(dataset, name, value)
    dataset.PixelData = pixels.tobytes() if frames is None else frames
    dataset["PixelData"].VR = "OW" if frames is None else "OB"
    dataset["PixelData"].is_undefined_length = frames is not None
    dataset.save_as(path, enforce_file_format=True)
    return path


def table(first_value, entries, bits, vr):
    item = Dataset()
    item.add_new("LUTDescriptor", vr, [len(entries), first_value, bits])
    item.add_new("LUTData", "US", list(entries))
    return [item]


RNG = np.random.default_rng(3)
UNSIGNED = RNG.integers(0, 4096, (48, 62)).astype("u2")
SIGNED = RNG.integers(-2048, 2048, (48, 62)).astype("i2")
DISPLAYS = {
    "linear": dict(WindowCenter=2000, WindowWidth=1500),
    "linear_narrow": dict(WindowCenter=2000.5, WindowWidth=1),
    "exact": dict(WindowCenter=1999.5, WindowWidth=0.5, VOILUTFunction="LINEAR_EXACT"),
    "sigmoid": dict(WindowCenter=2047, WindowWidth=900, VOILUTFunction="SIGMOID"),
    "two_windows": dict(WindowCenter=[100, 3000], WindowWidth=[300, 10], VOILUTFunction="SIGMOID"),
    "no_window": {},
    "rescaled": dict(RescaleSlope="0.37", RescaleIntercept="-812.5", WindowCenter=-100, WindowWidth=777),
    "negative_slope": dict(RescaleSlope="-1", RescaleIntercept="4095"),
    "monochrome1": dict(PhotometricInterpretation="MONOCHROME1", PresentationLUTShape="INVERSE",
                        WindowCenter=1000, WindowWidth=3000),
    "monochrome1_identity": dict(PhotometricInterpretation="MONOCHROME1", PresentationLUTShape="IDENTITY"),
    "inverse": dict(PresentationLUTShape="INVERSE", WindowCenter=1000, WindowWidth=3000),
    "padding": dict(PixelPaddingValue=4000, PixelPaddingRangeLimit=4095),
    "padding_inverted": dict(PixelPaddingValue=4095, PixelPaddingRangeLimit=3000,
                             PhotometricInterpretation="MONOCHROME1"),
    "voi_lut": dict(VOILUTSequence=table(500, range(0, 4096, 2), 12, "US")),
    "modality_lut": dict(ModalityLUTSequence=table(100, range(60000, 0, -20), 16, "US"),
                         WindowCenter=30000, WindowWidth=40000),
}


@pytest.mark.parametrize("name", DISPLAYS)
@pytest.mark.parametrize("pixels", [UNSIGNED, SIGNED], ids=["unsigned", "signed"])
def test_display_of_every_attribute(name, pixels, tmp_path):
    attributes = dict(DISPLAYS[name])
    if pixels is SIGNED:
        for sequence in ("VOILUTSequence", "ModalityLUTSequence"):
            if sequence in attributes:
                entries = attributes[sequence][0].LUTData
                attributes[sequence] = table(-700, entries, attributes[sequence][0].LUTDescriptor[2], "SS")
        for value in ("PixelPaddingValue", "PixelPaddingRangeLimit"):
            if value in attributes:
                attributes[value] -= 2048
    path = write(tmp_path / "image.dcm", pixels, 12, **attributes)
    line, = decode("--stage", "display", "--out", tmp_path, path).stdout.splitlines()
    dataset = pydicom.dcmread(path)
    assert np.array_equal(dataset.pixel_array, pixels)
    np.testing.assert_allclose(np.load(line), display(dataset, pixels), rtol=0, atol=1e-5)


def encode(pixels, bits, **options):
    from openjpeg.utils import encode_array

    return bytes(encode_array(pixels, bits_stored=bits, photometric_interpretation=2, **options))


def read_back(path, tmp_path):
    lines = decode("--out", tmp_path, path).stdout.splitlines()
    arrays = [np.load(line) for line in lines]
    return arrays[0] if len(arrays) == 1 else np.stack(arrays)


@pytest.mark.parametrize("header_sign", ["u2", "i2"])
@pytest.mark.parametrize("pixels", [UNSIGNED, SIGNED], ids=["unsigned", "signed"])
@pytest.mark.parametrize("codec_format", [0, 1], ids=["codestream", "jp2"])
def test_jpeg2000_of_another_encoder_and_either_sign(pixels, header_sign, codec_format, tmp_path):
    frame = encode(pixels, 12, codec_format=codec_format)
    path = write(tmp_path / "image.dcm", pixels.astype(header_sign), 12, encapsulate([frame]), JPEG2000Lossless)
    assert np.array_equal(read_back(path, tmp_path), pydicom.dcmread(path).pixel_array)


@pytest.mark.parametrize("fragments", [1, 3])
@pytest.mark.parametrize("has_table", [True, False])
def test_frames_in_fragments(fragments, has_table, tmp_path):
    pixels = RNG.integers(0, 4096, (4, 40, 50)).astype("u2")
    frames = encapsulate([encode(frame, 12) for frame in pixels], fragments_per_frame=fragments, has_bot=has_table)
    path = write(tmp_path / "image.dcm", pixels, 12, frames, JPEG2000Lossless)
    assert np.array_equal(read_back(path, tmp_path), pixels)
