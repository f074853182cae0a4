"""mpbench decode as a user runs it: what lands on stdout, on stderr and in a folder, and the exit codes."""
import hashlib
import pathlib

import numpy as np
import pydicom
import pydicom.data
import pytest
from mpbench_command import one_line, run

FILES = pathlib.Path(pydicom.data.__file__).parent / "test_files"
GREY = FILES / "MR_small.dcm"
FRAMES = FILES / "SC_rgb_rle_16bit_2frame.dcm"
NO_DICOM = FILES / "README.txt"


def test_digest_is_of_the_stored_values():
    pixels = pydicom.dcmread(GREY).pixel_array
    expected = hashlib.sha256(pixels.astype("<i2").tobytes()).hexdigest()
    result = run("decode", "--digest", GREY)
    assert result.stdout == f"{expected} 64 64 16 1 {GREY}\n"
    assert result.stderr == ""


def test_digest_has_a_line_a_frame():
    lines = run("decode", "--digest", FRAMES).stdout.splitlines()
    pixels = pydicom.dcmread(FRAMES).pixel_array
    assert [line.split()[0] for line in lines] == [hashlib.sha256(frame.tobytes()).hexdigest() for frame in pixels]
    assert run("decode", "--digest", "--frame", 1, FRAMES).stdout.splitlines() == lines[1:]


def test_description_names_the_essentials():
    text = run("decode", GREY).stdout
    for part in (str(GREY), "64 x 64", "16 of 16 bits signed", "MONOCHROME2", "1.2.840.10008.1.2.1", "600/1600"):
        assert part in text


def test_out_keeps_files_of_one_stem_apart(tmp_path):
    inputs = []
    for number in (1, 2):
        folder = tmp_path / str(number)
        folder.mkdir()
        inputs.append(folder / "image.dcm")
        dataset = pydicom.dcmread(GREY)
        dataset.PixelData = np.full((64, 64), number, "<i2").tobytes()
        dataset.save_as(inputs[-1])
    out = tmp_path / "out"
    lines = run("decode", "--out", out, *inputs).stdout.splitlines()
    assert [int(np.load(line)[0, 0]) for line in lines] == [1, 2]
    assert sorted(path.name for path in out.iterdir()) == ["image-2.npy", "image-2.png", "image.npy", "image.png"]


def test_stages_differ_in_type(tmp_path):
    for stage, dtype in (("stored", "int16"), ("modality", "float32"), ("display", "float32")):
        line, = run("decode", "--stage", stage, "--out", tmp_path / stage, GREY).stdout.splitlines()
        assert np.load(line).dtype == dtype
        assert pathlib.Path(line).with_suffix(".png").read_bytes().startswith(b"\x89PNG")


def test_one_bad_file_among_several_is_named_and_left_out():
    result = run("decode", "--digest", GREY, NO_DICOM, FILES / "MR_truncated.dcm", GREY, code=3)
    assert len(result.stdout.splitlines()) == 2
    lines = result.stderr.splitlines()
    assert f"{NO_DICOM}: file: " in lines[0]
    assert "MR_truncated.dcm: PixelData: " in lines[1]
    assert "2 of 4" in lines[2]


@pytest.mark.parametrize("path, field", [("no/such/file.dcm", "file"), (FILES, "file"), (NO_DICOM, "file"),
                                         (FILES / "rtplan.dcm", "PixelData")])
def test_a_bad_file_alone_is_one_line_and_exit_code_1(path, field):
    assert f"{path}: {field}: " in one_line(run("decode", path, code=1))


def test_colour_has_no_display_stage():
    line = one_line(run("decode", "--stage", "display", FRAMES, code=1))
    assert "PhotometricInterpretation: RGB" in line


def test_a_frame_that_is_not_there_is_an_error():
    assert "NumberOfFrames" in one_line(run("decode", "--frame", 2, FRAMES, code=1))


def test_an_unwritable_folder_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    assert str(tmp_path / "file") in one_line(run("decode", "--out", tmp_path / "file" / "out", GREY, code=1))


@pytest.mark.parametrize("arguments", [[], ["--stage", "rendered", GREY], ["--frame", "-1", GREY]])
def test_wrong_usage_is_exit_code_2(arguments):
    run("decode", *arguments, code=2)


def test_a_missing_dictionary_is_named():
    """A file of implicit VR does not say what its elements are."""
    path = FILES / "MR_small_implicit.dcm"
    assert "64 x 64" in run("decode", path).stdout
    line = one_line(run("decode", path, code=1, env={"DCMDICTPATH": "/nonexistent"}))
    assert line.startswith(f"error: {path}: PixelData: ") and "DCMDICTPATH" in line
