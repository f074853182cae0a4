"""Bad input never lies: every way in which a mammogram can be wrong, put before mpbench preprocess and decode.

What cannot be shown is left out and named, with the attribute at fault; what is odd only is in the cache with the
pixels that an independent reading gives, and the oddity is said. The cases are in bad_streams.py, bad_jpegs.py,
bad_headers.py and odd_displays.py.
"""
import json
import os
import pathlib
import shutil
import subprocess

import bad_headers
import bad_streams  # noqa: F401
import numpy as np
import odd_displays  # noqa: F401
import pydicom
import pytest
from bad_files import GREY, ODD, REFUSED, jpeg2000, native, with_text
from decode_parity_test import display, encode
from mpbench_command import MPBENCH, one_line, rows, run
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from safetensors import safe_open

SIZE = 48
GOOD = {f"good_{i}": lambda path, pixels=np.roll(GREY, 7 * i): native(path, pixels) for i in range(3)}
pytestmark = pytest.mark.filterwarnings("ignore")


def file_of(folder, name):
    return folder / "train_images" / f"p_{name}" / f"{name}.dcm"


def make_folder(folder, makers):
    """An RSNA folder, one patient an image; the table has the order of `makers`."""
    table = ["patient_id,image_id,laterality,view,cancer"]
    for number, (name, make) in enumerate(makers.items()):
        path = file_of(folder, name)
        path.parent.mkdir(parents=True)
        make(path)
        table.append(f"p_{name},{name},{'LR'[number % 2]},CC,{number % 2}")
    (folder / "train.csv").write_text("\n".join(table) + "\n")
    return folder


class Cache:
    def __init__(self, path):
        with safe_open(path, framework="numpy") as file:
            ids = json.loads(file.get_tensor("samples").tobytes())["id"]
            self.images = dict(zip(ids, file.get_tensor("images")[:, 0].astype(int)))
            self.digests = dict(zip(ids, map(bytes, file.get_tensor("digests"))))
            self.preparations = dict(zip(ids, json.loads(file.get_tensor("preparations").tobytes())))


def preprocess(data, cache, code=0, size=SIZE):
    result = run("preprocess", "--data", data, "--cache", cache, "--image-size", size, "--exact", code=code,
                 timeout=120)
    return Cache(cache), result


class Everything:
    """One folder with all files, one run over it."""

    def __init__(self, folder):
        # A good one first, between and last: what goes wrong must not reach its neighbours.
        first, between, last = GOOD.items()
        makers = dict([first]) | {name: case.make for name, case in REFUSED.items()} | dict([between])
        makers |= {name: case.make for name, case in ODD.items()} | dict([last])
        self.data = make_folder(folder / "data", makers)
        self.cache, result = preprocess(self.data, folder / "cache.safetensors", code=3)
        self.stderr = result.stderr
        self.quarantine = rows(folder / "quarantine.csv")

    def path(self, name):
        return file_of(self.data, name)


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    return Everything(tmp_path_factory.mktemp("bad"))


def test_the_good_are_not_touched_by_their_neighbours(everything, tmp_path):
    alone, _ = preprocess(make_folder(tmp_path / "good", GOOD), tmp_path / "cache.safetensors")
    assert alone.digests == {name: everything.cache.digests[name] for name in GOOD}


def test_the_bad_are_left_out_and_no_other_in_the_tables_order(everything):
    assert [pathlib.Path(row["path"]).stem for row in everything.quarantine] == list(REFUSED)
    assert list(everything.cache.images) == ["good_0", "good_1", *ODD, "good_2"]
    assert str(everything.path(next(iter(REFUSED)))) in everything.stderr
    assert f"{len(REFUSED)} inputs failed" in everything.stderr and "quarantine.csv" in everything.stderr


@pytest.mark.parametrize("name", REFUSED)
def test_refused(everything, name):
    case = REFUSED[name]
    row, = [row for row in everything.quarantine if row["path"] == str(everything.path(name))]
    assert row["field"] in case.field.split("|"), row
    assert case.problem in row["problem"], row
    assert len(row["problem"]) > 3 and row["problem"].isprintable(), row


@pytest.fixture(scope="module")
def refusals(everything):
    """What `mpbench decode` gives and says when it is asked for all that must be refused."""
    paths = [everything.path(name) for name in REFUSED]
    return subprocess.run([MPBENCH, "decode", "--stage", "display", *paths], capture_output=True, text=True,
                          timeout=120)


def test_decode_gives_nothing_of_what_must_be_refused(refusals):
    assert (refusals.returncode, refusals.stdout) == (1, "")
    assert len(refusals.stderr.splitlines()) == len(REFUSED) + 1


@pytest.mark.parametrize("name", REFUSED)
def test_decode_names_file_and_field_in_one_line(everything, refusals, name):
    fields = REFUSED[name].field.split("|")
    assert any(f"error: {everything.path(name)}: {field}: " in refusals.stderr for field in fields)


@pytest.fixture(scope="module")
def decoded(everything, tmp_path_factory):
    """What `mpbench decode` says and gives of every odd file: its description and its display values."""
    out = tmp_path_factory.mktemp("decoded")
    paths = [everything.path(name) for name in ODD]
    told = run("decode", "--stage", "display", "--frame", 0, *paths).stdout.split(str(everything.data))[1:]
    lines = run("decode", "--stage", "display", "--frame", 0, "--out", out, *paths).stdout.splitlines()
    assert len(told) == len(lines) == len(ODD)
    return {name: (text, np.load(line)) for name, text, line in zip(ODD, told, lines)}


def reading(case, path):
    """The picture by PS3.3 C.11, from the pixels that the file was made of."""
    pixels = case.pixels if case.pixels.ndim == 2 else case.pixels[0]
    if case.black:
        return np.zeros(pixels.shape)
    dataset = pydicom.dcmread(path, force=True)
    for keyword, value in case.as_if.items():
        if value is not None:
            setattr(dataset, keyword, value)
        elif keyword in dataset:
            del dataset[keyword]
    return display(dataset, pixels)


@pytest.mark.parametrize("name", ODD)
def test_odd(everything, decoded, name):
    case = ODD[name]
    told, values = decoded[name]
    np.testing.assert_allclose(values, reading(case, everything.path(name)), rtol=0, atol=1e-5)
    assert case.told in told, told
    # The cache keeps what was said, so that whoever trains on it can ask.
    kept = everything.cache.preparations[name]
    assert kept["notes"] == [line.split("note: ")[1] for line in told.splitlines() if "  note: " in line]
    assert kept["window"] and f", {kept['window']}\n" in told


# pydicom and pylibjpeg hold to the letter of PS3.5 A.4, do not subtract an image's offset, or round lossy values
# otherwise.
NOT_IN_PYDICOM = {"j2k_offset", "j2k_offset_of_tile_too", "j2k_offset_in_tiles", "fragments_table_of_two_bytes",
                  "frames_wrong_table", "frames_equal_table", "jpeg_baseline", "jpeg_progressive"}


@pytest.mark.parametrize("name", [name for name in ODD if name not in NOT_IN_PYDICOM])
def test_pydicom_reads_the_same_pixels(everything, name):
    dataset = pydicom.dcmread(everything.path(name), force=True)
    if "TransferSyntaxUID" not in dataset.file_meta:
        implicit, _ = dataset.original_encoding
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
    assert np.array_equal(dataset.pixel_array, ODD[name].pixels)


def test_the_cache_has_the_picture_and_not_black(everything, tmp_path):
    """Each odd file beside a plain one of the picture that the independent reading gives: one image in the cache."""
    def plain(path, name):
        values = np.rint(reading(ODD[name], everything.path(name)) * 65535).astype("u2")
        native(path, values, 16, WindowCenter="32767.5", WindowWidth=65535, VOILUTFunction="LINEAR_EXACT")

    twins = make_folder(tmp_path / "twins", {name: lambda path, name=name: plain(path, name) for name in ODD})
    expected, _ = preprocess(twins, tmp_path / "cache.safetensors")
    for name in ODD:
        difference = abs(everything.cache.images[name] - expected.images[name]).max()
        assert difference <= 1, f"{name}: differs by {difference}"
        assert (everything.cache.images[name].max() == 0) == ODD[name].black, name


def beside_good(tmp_path, name, make):
    """A folder with one bad file between good ones."""
    (first, make_first), (last, make_last), *_ = GOOD.items()
    return make_folder(tmp_path / "data", {first: make_first, name: make, last: make_last})


def test_a_hundred_thousand_sequences_in_one_another_are_no_crash(tmp_path):
    data = beside_good(tmp_path, "nested", lambda path: bad_headers.in_header(path, bad_headers.nested(100000)))
    cache, _ = preprocess(data, tmp_path / "cache.safetensors", code=3)
    assert set(cache.images) == {"good_0", "good_1"}
    row, = rows(tmp_path / "quarantine.csv")
    assert row["path"] == str(file_of(data, "nested")) and row["field"] == "dataset" and "nested" in row["problem"]
    assert f"{file_of(data, 'nested')}: dataset: " in one_line(run("decode", file_of(data, "nested"), code=1))


@pytest.mark.parametrize("what", ["file", "folder"])
def test_what_may_not_be_read_is_named(tmp_path, what):
    # Root may read all: it has to give that up.
    without_rights = []
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("runs as root, and setpriv is not there to give up root's right to read all")
        without_rights = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"]
    data = beside_good(tmp_path, "closed", native)
    closed = file_of(data, "closed") if what == "file" else file_of(data, "closed").parent
    closed.chmod(0)
    try:
        result = subprocess.run([*without_rights, MPBENCH, "preprocess", "--data", data, "--cache",
                                 tmp_path / "c.safetensors"],
                                capture_output=True, text=True, timeout=60)
    finally:
        closed.chmod(0o755)
    assert result.returncode == 3, result.stderr
    row, = rows(tmp_path / "quarantine.csv")
    assert row["path"] == str(file_of(data, "closed")) and row["field"] == "file"
    assert "ermission denied" in row["problem"], row


@pytest.mark.parametrize("text", ["M\x1b[2J", "M\nO\rN", "M\xff\xfe\x80", '",=1+1"', "\0\0\1\2"])
def test_what_a_file_says_is_told_in_one_line_of_plain_text(tmp_path, text):
    """A hostile value must not reach a terminal or break the table that names it."""
    data = beside_good(tmp_path, "hostile", lambda path: with_text(path, "PhotometricInterpretation", text))
    _, result = preprocess(data, tmp_path / "cache.safetensors", code=3)
    row, = rows(tmp_path / "quarantine.csv")
    assert row["path"] == str(file_of(data, "hostile")) and row["field"] == "PhotometricInterpretation"
    assert row["problem"].isprintable(), row
    assert all(line.isprintable() for line in result.stderr.splitlines())
    assert one_line(run("decode", file_of(data, "hostile"), code=1)).isprintable()


def test_what_is_odd_and_no_text_stops_no_run(tmp_path):
    """A note quotes the file; its bytes need not be text that JSON can hold."""
    data = beside_good(tmp_path, "hostile", lambda path: with_text(path, "VOILUTFunction", "L\xff\xfe\x80\n\x1b[",
                                                                   WindowCenter=2000, WindowWidth=100))
    cache, result = preprocess(data, tmp_path / "cache.safetensors")
    assert set(cache.images) == {"good_0", "good_1", "hostile"}
    assert all(line.isprintable() for line in result.stderr.splitlines())
    note, = cache.preparations["hostile"]["notes"]
    assert "VOILUTFunction" in note and note.isprintable()
    told = run("decode", "--stage", "display", file_of(data, "hostile")).stdout
    assert "VOILUTFunction" in told and all(line.isprintable() for line in told.splitlines())


def test_few_wavelet_levels_do_not_spoil_a_small_picture(tmp_path):
    """A target so small that a quarter of the resolution would do, and codestreams that cannot be had so small."""
    y, x = np.mgrid[:768, :640]
    smooth = (4000 * np.exp(-((x / 400) ** 2 + ((y - 380) / 300) ** 2))).astype("u2")
    makers = {"plain": lambda path: native(path, smooth, 16),
              "five_levels": lambda path: jpeg2000(path, encode(smooth, 16), smooth, 16),
              "jp2_five_levels": lambda path: jpeg2000(path, encode(smooth, 16, codec_format=1), smooth, 16)}
    for levels in (0, 1, 2):
        makers[f"levels_{levels}"] = (
            lambda path, n=levels: jpeg2000(path, bad_streams.pillow(smooth, num_resolutions=n + 1), smooth, 16))
    data = make_folder(tmp_path / "data", makers)
    run("preprocess", "--data", data, "--cache", tmp_path / "cache.safetensors", "--image-size", 64)
    images = Cache(tmp_path / "cache.safetensors").images
    assert images["plain"].max() > 200
    for name in makers:
        # The chest wall is on the left in all of them, but train.csv has every other breast as the right one.
        difference = abs(images[name] - images["plain"])
        assert difference.mean() < 1.5 and np.percentile(difference, 99) < 8, name
