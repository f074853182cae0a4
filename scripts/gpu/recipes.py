"""The recipes of configs/ for a minute each, on made-up data: that they run, how fast, and what they decide of speed.
What they say of accuracy means nothing."""

import random
import struct

from acceptance.images import write_images

NAMES = ("rsna_cnn_124", "folder_resnet18", "folder_resnet50", "cifar100_efficientnet", "transfer_head")
TINY = ["--steps", 9, "--repeats", 2, "--sessions", 2, "--image-size", 32, "--batch-size", 4, "--limit", 32,
        "--warmup-steps", 1]


def write_bmp(path, side, chance):
    """Noise of 24 bits: any value is a picture."""
    row = (3 * side + 3) // 4 * 4
    header = struct.pack("<2sIHHI", b"BM", 54 + row * side, 0, 0, 54) + struct.pack("<IiiHHIIiiII", 40, side, side, 1, 24, 0,
                                                                                   row * side, 0, 0, 0, 0)
    path.write_bytes(header + chance.randbytes(row * side))


def folder_of_pictures(session, classes, count):
    folder = session.out / f"pictures-{classes}"
    if folder.exists():
        return folder
    chance = random.Random(5)
    for i in range(count):
        place = folder / f"class {i % classes}"
        place.mkdir(parents=True, exist_ok=True)
        write_bmp(place / f"{i:05}.bmp", 48 if session.rehearse else 256, chance)
    return folder


def mammograms(session):
    folder = session.out / "mammograms"
    if not folder.exists():
        size = ["--height", 160, "--width", 128] if session.rehearse else []
        code, log = session.run([session.mpbench, "synth", folder, "--patients", 8 if session.rehearse else 120, *size],
                                "synth")
        if code != 0:
            session.fail(f"synth: {log.strip()[-300:]}")
    return folder


def weights(session, data):
    """A file that stands for a download: a ResNet-18 that was trained for a step."""
    out = session.out / "runs" / "weights"
    file = out / "checkpoints" / "last.safetensors"
    if not file.exists():
        code, log = session.run([session.mpbench, "train", "--device", session.device, "--model", "resnet18", "--data", data,
                                 "--image-size", 64, "--batch-size", 4, "--steps", 1, "--limit", 32, "--lr", 1e-6, "--progress",
                                 "never", "--out", out], "weights")
        if code != 0:
            session.fail(f"weights: {log.strip()[-300:]}")
    return file


def data_of(session, recipe):
    """A recipe's data and other options."""
    if recipe == "rsna_cnn_124":
        return ["--data", mammograms(session)]
    if recipe == "cifar100_efficientnet":
        images = session.out / "cifar"
        if not images.exists():
            write_images(images, 64 if session.rehearse else 4096, 32 if session.rehearse else 512)
        return ["--data", images]
    pictures = folder_of_pictures(session, 6, 36 if session.rehearse else 1800)
    return ["--data", pictures, *([] if recipe == "folder_resnet50" else ["--weights", weights(session, pictures)])]


def run_all(session):
    for name in session.recipes:
        if session.left_s() < 20:
            session.fail(f"recipe {name} was left out: the time is up")
            continue
        length = TINY if session.rehearse else ["--max-time", f"{session.recipe_s:g}s", "--repeats", 3]
        length += [] if session.benchmark else ["--no-cudnn-benchmark"]
        out = session.out / "recipes" / name
        code, log = session.run([session.mpbench, "compare", "--config", f"recipe:{name}", "--device", session.device,
                                 *data_of(session, name), *length, "--no-checkpoints", "--progress", "never", "--out", out],
                                f"recipe-{name}", limit_s=session.recipe_s + 240)
        session.say(f"recipe {name}: exit code {code}")
        if code != 0:
            session.fail(f"recipe {name}: exit code {code}: {log.strip()[-300:]}")
