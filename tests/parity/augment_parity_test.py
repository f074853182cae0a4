"""Augmented batches against SciPy's and torchvision's resampling; the draws against Python's integers."""
import math

import driver
import numpy as np
import pytest
import scipy.ndimage
import torch
from torchvision.transforms import functional, InterpolationMode

EVERYTHING = {"flip": True, "degrees": 30, "shift": 0.1, "zoom": 0.2, "brightness": 0.3, "contrast": 0.4}
MASK = (1 << 64) - 1


def load(shape, bits=8, augment=EVERYTHING, **script):
    """The source images, and what the loader made of them."""
    script = {"batch_size": 4, "workers": 0, "seed": 5, "epoch": 2, "positives": 0, "mean": 0, "deviation": 1} | script
    # Smooth, as photographs are, with a bright frame: the border must not be lost on anyone.
    generator = np.random.default_rng(3)
    pixels = scipy.ndimage.gaussian_filter(generator.random(shape), (0, 0, 1, 1))
    pixels = (pixels - pixels.min()) / np.ptp(pixels)
    pixels[..., 0, :] = pixels[..., -1] = 1
    pixels = np.rint(pixels * (2**bits - 1)).astype(int)
    answer = driver.run("augment", script | {"bits": bits, "augment": augment,
                                            "pixels": driver.encode(torch.tensor(pixels))})
    return pixels, answer


def toned(values, drawn, bits):
    """In [0, 1], rounded to what can be stored."""
    top = 2**bits - 1
    return np.rint(np.clip(values / top * drawn["gain"] + drawn["offset"], 0, 1) * top) / top


def by_scipy(image, drawn):
    """One [C, H, W], from the definition: each step a 3 x 3 matrix on (x, y, 1), their product inverted."""
    height, width = image.shape[1:]
    x, y = (width - 1) / 2, (height - 1) / 2

    def move(dx, dy):
        return np.array([[1, 0, dx], [0, 1, dy], [0, 0, 1]])

    angle = math.radians(drawn["degrees"])
    turn = np.array([[math.cos(angle), -math.sin(angle), 0], [math.sin(angle), math.cos(angle), 0], [0, 0, 1]])
    mirror = np.diag([-1 if drawn["mirrored"] else 1, 1, 1])
    zoom = np.diag([drawn["zoom"], drawn["zoom"], 1])
    shift = move(drawn["shift_x"] * width, drawn["shift_y"] * height)
    forward = shift @ move(x, y) @ turn @ zoom @ mirror @ move(-x, -y)
    rows_first = np.linalg.inv(forward)[np.ix_([1, 0, 2], [1, 0, 2])]
    return np.stack([scipy.ndimage.affine_transform(channel.astype(float), rows_first, order=1, mode="grid-constant")
                     for channel in image])


def by_torchvision(image, drawn):
    height, width = image.shape[1:]
    tensor = torch.tensor(image, dtype=torch.float64)
    if drawn["mirrored"]:
        tensor = functional.hflip(tensor)
    # Without `fill`: with it, torchvision weighs pixels on the border twice.
    return functional.affine(tensor, drawn["degrees"], [drawn["shift_x"] * width, drawn["shift_y"] * height],
                             drawn["zoom"], [0.0, 0.0], InterpolationMode.BILINEAR).numpy()


def differences(pixels, answer, bits, reference):
    """Between ours and the reference's, in levels of what can be stored."""
    found = []
    for entry in answer:
        ours = driver.decode(entry["values"]).numpy()
        theirs = toned(reference(pixels[entry["index"]], entry["drawn"]), entry["drawn"], bits)
        found.append(np.abs(ours - theirs).ravel() * (2**bits - 1))
    return np.concatenate(found)


@pytest.mark.parametrize("reference", [by_scipy, by_torchvision])
@pytest.mark.parametrize("shape", [(12, 1, 40, 40), (6, 3, 31, 22), (3, 1, 5, 600), (3, 1, 300, 4)])
@pytest.mark.parametrize("augment", [
    {"flip": True}, {"degrees": 180}, {"shift": 0.5}, {"zoom": 0.5}, {"brightness": 0.4}, {"contrast": 0.6},
    EVERYTHING],
    ids=lambda options: "+".join(options))
def test_images_are_the_references(augment, shape, reference):
    for bits in (8, 16):
        off = differences(*load(shape, bits, augment), bits, reference)
        # Coordinates are in float32, about 1e-5 pixels off at 600; a level is 1/255 or 1/65535. What lies between two
        # levels may go to the other one.
        if reference is by_scipy:
            assert off.max() <= (1 if bits == 8 else 4) + 1e-2, off.max()
            assert np.mean(off > 0.5) < (0.01 if bits == 8 else 0.3)
        else:  # torchvision computes its grid in float32, from -1 to 1.
            assert off.max() <= (1 if bits == 8 else 40) + 1e-2, off.max()


def test_nothing_on_is_the_image_itself():
    for bits in (8, 16):
        pixels, answer = load((7, 2, 9, 8), bits, {})
        for entry in answer:
            expected = torch.tensor(pixels[entry["index"]]).float() * np.float32(1 / (2**bits - 1))
            torch.testing.assert_close(driver.decode(entry["values"], torch.float32), expected, rtol=1e-6, atol=0)


def test_normalisation_comes_after():
    plain, answer = load((5, 1, 12, 12))
    _, normalised = load((5, 1, 12, 12), mean=0.4, deviation=0.25)
    for one, other in zip(answer, normalised, strict=True):
        expected = (driver.decode(one["values"]) - 0.4) / 0.25
        torch.testing.assert_close(driver.decode(other["values"]), expected, rtol=1e-5, atol=1e-5)


def splitmix(seed):
    while True:
        seed = (seed + 0x9E3779B97F4A7C15) & MASK
        z = (seed ^ (seed >> 30)) * 0xBF58476D1CE4E5B9 & MASK
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB & MASK
        yield z ^ (z >> 31)


def mix_seed(a, b):
    return next(splitmix(next(splitmix(a)) ^ (b * 0xD1342543DE82EF95 + 1) & MASK))


@pytest.mark.parametrize("positives", [0, 2])
def test_draws_follow_from_seed_epoch_index_and_occurrence(positives):
    _, answer = load((23, 1, 2, 2), positives=positives, seed=11, epoch=6)
    assert max(entry["occurrence"] for entry in answer) == (2 if positives else 0)
    for entry in answer:
        mixed = mix_seed(11, 6)
        for part in (0xA06, entry["index"], entry["occurrence"]):
            mixed = mix_seed(mixed, part)
        generator = splitmix(mixed)
        mirrored = next(generator) >> 63
        draws = [(next(generator) >> 11) / 2**52 - 1 for _ in range(6)]
        drawn = entry["drawn"]
        assert drawn["mirrored"] == bool(mirrored)
        expected = [30 * draws[0], 0.1 * draws[1], 0.1 * draws[2],
                    1 + 0.2 * draws[3], 0.3 * draws[4], 1 + 0.4 * draws[5]]
        names = ["degrees", "shift_x", "shift_y", "zoom", "offset", "gain"]
        assert [drawn[name] for name in names] == pytest.approx(expected, rel=1e-12)


def test_neither_workers_nor_batches_change_an_image():
    def images(**script):
        return {entry["index"]: entry["values"] for entry in load((17, 1, 9, 9), **script)[1]}

    reference = images()
    for workers, batch_size in [(1, 4), (3, 4), (0, 1), (2, 17)]:
        assert images(workers=workers, batch_size=batch_size) == reference
    other = images(epoch=3)
    assert sum(reference[index] == other[index] for index in reference) == 0
