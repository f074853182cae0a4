"""When mpbench preprocess decodes JPEG 2000 at a reduced resolution, when it must not, and how near the two are.

The pictures are smooth with noise, as mammograms are: a bright half disc against the left edge of a dark background.
"""
import json

import numpy as np
import pytest
from bad_files import jpeg2000, native
from bad_streams import pillow
from decode_parity_test import encode
from mpbench_command import run
from odd_displays import lut
from safetensors import safe_open

SIZE = 48
ROWS, COLUMNS = 1200, 900
RNG = np.random.default_rng(5)


def mammogram(background=200, tissue=2500):
    y, x = np.mgrid[0:ROWS, 0:COLUMNS].astype(float)
    radius = np.hypot((y - ROWS / 2) / (0.42 * ROWS), x / (0.7 * COLUMNS))
    picture = background + (tissue - background) * np.clip(1.3 * (1 - radius), 0, 1) ** 0.5
    texture = 250 * np.sin(y / 37) * np.cos(x / 23) * (radius < 0.9)
    return np.clip(picture + texture + RNG.normal(0, 25, picture.shape), 0, 4095).round().astype("u2")


PICTURE = mammogram()
FRAME = encode(PICTURE, 12)
WINDOW = dict(WindowCenter=1500, WindowWidth=3200)
PADDED = PICTURE.copy()
PADDED[:60] = 4095
BLACK_PADDED = PICTURE.copy()
BLACK_PADDED[:60] = 0


def j2k(path, frame=FRAME, pixels=PICTURE, bits=12, **attributes):
    jpeg2000(path, frame, pixels, bits, **attributes)


REDUCED = {  # name: (how to make the file, with which attributes)
    "linear": (j2k, WINDOW),
    "exact": (j2k, {**WINDOW, "VOILUTFunction": "LINEAR_EXACT"}),
    "sigmoid": (j2k, {**WINDOW, "VOILUTFunction": "SIGMOID"}),
    "two_windows": (j2k, dict(WindowCenter=[1500, 100], WindowWidth=[3200, 10])),
    "inverted": (j2k, {**WINDOW, "frame": encode(4095 - PICTURE, 12), "pixels": 4095 - PICTURE,
                       "WindowCenter": 4095 - 1500, "PhotometricInterpretation": "MONOCHROME1"}),
    "signed": (j2k, {"frame": encode((PICTURE.astype("i4") - 2048).astype("i2"), 12),
                     "pixels": (PICTURE.astype("i4") - 2048).astype("i2"), "WindowCenter": 1500 - 2048,
                     "WindowWidth": 3200}),
    "rescaled": (j2k, dict(RescaleSlope="0.5", RescaleIntercept="-100", WindowCenter=650, WindowWidth=1600)),
    "jp2": (j2k, {**WINDOW, "frame": encode(PICTURE, 12, codec_format=1)}),
    "black_padding": (j2k, {**WINDOW, "frame": encode(BLACK_PADDED, 12), "pixels": BLACK_PADDED,
                            "WindowCenter": 1800, "PixelPaddingValue": 0}),
    "padding_that_does_not_occur": (j2k, {**WINDOW, "PixelPaddingValue": 0, "WindowCenter": 1700}),
    "tiled": (j2k, {**WINDOW, "frame": pillow(PICTURE, tile_size=(COLUMNS, 400)), "bits": 16}),
}
IN_FULL = {
    "no_window": (j2k, {}),
    "invalid_window": (j2k, dict(WindowCenter=1500, WindowWidth=0)),
    "unknown_function": (j2k, {**WINDOW, "VOILUTFunction": "LOG"}),
    "narrow_window": (j2k, dict(WindowCenter=1200, WindowWidth=40)),
    "voi_lut": (j2k, dict(VOILUTSequence=lut(list(range(0, 4096)), bits=12))),
    "modality_lut": (j2k, {**WINDOW, "ModalityLUTSequence": lut([(i * 7) % 4096 for i in range(4096)], bits=16)}),
    "white_padding": (j2k, {**WINDOW, "frame": encode(PADDED, 12), "pixels": PADDED, "PixelPaddingValue": 4095}),
    "white_padding_range": (j2k, {**WINDOW, "frame": encode(PADDED, 12), "pixels": PADDED, "PixelPaddingValue": 4000,
                                  "PixelPaddingRangeLimit": 4095}),
    "no_levels": (j2k, {**WINDOW, "frame": pillow(PICTURE, num_resolutions=1), "bits": 16}),
    # -1 stands beside 0 as 4095 in one of these, 2047 beside 2048 as -2048 in the other.
    "unsigned_in_signed": (j2k, {"frame": encode((PICTURE - 1200) & 0xFFF, 12), "pixels": PICTURE.astype("i2") - 1200,
                                 "WindowCenter": 300, "WindowWidth": 3200}),
    "signed_in_unsigned": (j2k, {**WINDOW, "frame": encode((PICTURE << 4).astype("i2") >> 4, 12)}),
    "uncompressed": (native, {**WINDOW, "pixels": PICTURE, "bits": 12}),
}
FILES = {**REDUCED, **IN_FULL}


class Cache:
    def __init__(self, path):
        with safe_open(path, framework="numpy") as file:
            ids = json.loads(file.get_tensor("samples").tobytes())["id"]
            self.images = dict(zip(ids, file.get_tensor("images")[:, 0].astype(float)))
            self.made = dict(zip(ids, json.loads(file.get_tensor("preparations").tobytes())))


@pytest.fixture(scope="module")
def caches(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reduced")
    table = ["patient_id,image_id,laterality,view,cancer"]
    for name, (make, options) in FILES.items():
        path = folder / "data" / "train_images" / f"p_{name}" / f"{name}.dcm"
        path.parent.mkdir(parents=True)
        make(path, **options)
        table.append(f"p_{name},{name},L,CC,{len(table) % 2}")
    (folder / "data" / "train.csv").write_text("\n".join(table) + "\n")
    made = {}
    for name, flags in {"reduced": [], "exact": ["--exact"]}.items():
        cache = folder / f"{name}.safetensors"
        run("preprocess", "--data", folder / "data", "--cache", cache, "--image-size", SIZE, *flags)
        made[name] = Cache(cache)
    return made


def edges(crop):
    left, top, width, height = crop
    return np.array([left, top, left + width, top + height])


@pytest.mark.parametrize("name", REDUCED)
def test_is_reduced(caches, name):
    # The breast is some 1010 pixels high: 48 x 2 x 8 = 768 and 48 x 2 x 16 = 1536; but the search is at 1200 / 4 = 300.
    assert caches["reduced"].made[name]["reduction"] == 2
    assert caches["reduced"].made[name]["breast_found"]


@pytest.mark.parametrize("name", IN_FULL)
def test_is_decoded_in_full(caches, name):
    assert caches["reduced"].made[name]["reduction"] == 0
    assert np.array_equal(caches["reduced"].images[name], caches["exact"].images[name])


@pytest.mark.parametrize("name", FILES)
def test_exact_is_never_reduced(caches, name):
    assert caches["exact"].made[name]["reduction"] == 0


@pytest.mark.parametrize("name", REDUCED)
def test_reduced_is_nearly_exact(caches, name):
    reduced, exact = (caches[kind].images[name] for kind in ("reduced", "exact"))
    assert exact.max() > 100
    assert abs(reduced - exact).mean() < 0.01 * 255
    distance = edges(caches["reduced"].made[name]["crop"]) - edges(caches["exact"].made[name]["crop"])
    assert abs(distance).max() <= 16


@pytest.mark.parametrize("levels", [1, 2, 3])
def test_goes_no_further_than_the_codestream(tmp_path, levels):
    path = tmp_path / "data" / "train_images" / "p" / "1.dcm"
    path.parent.mkdir(parents=True)
    j2k(path, pillow(PICTURE, num_resolutions=levels + 1), bits=16, **WINDOW)
    (tmp_path / "data" / "train.csv").write_text("patient_id,image_id,laterality,view,cancer\np,1,L,CC,0\n")
    run("preprocess", "--data", tmp_path / "data", "--cache", tmp_path / "c.safetensors", "--image-size", SIZE)
    assert Cache(tmp_path / "c.safetensors").made["1"]["reduction"] == min(levels, 2)
