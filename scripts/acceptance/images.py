"""Pictures to train on, made on the spot."""

import random


def write_images(folder, train, validation):
    """Files in the format of CIFAR-100's binary version: ten classes of 16 coloured blocks, which every picture varies.

    Varied pictures, because batch normalisation of nearly equal ones turns rounding into differences of per cents.
    """
    folder.mkdir(parents=True)
    (folder / "fine_label_names.txt").write_text("".join(f"class {i}\n" for i in range(100)))
    chance = random.Random(1)
    classes = [[chance.randrange(128) for _ in range(48)] for _ in range(10)]
    fine = int.from_bytes(b"\x1f" * 1024, "big")
    for name, count in (("train.bin", train), ("test.bin", validation)):
        with open(folder / name, "wb") as file:
            for i in range(count):
                label = i % 10
                blocks = [value + chance.randrange(96) for value in classes[label]]
                rows_of_blocks = [b"".join(bytes([value]) * 8 for value in blocks[at:at + 4]) * 8
                                  for at in range(0, 48, 4)]
                file.write(bytes([label // 5, label]))
                for plane in range(3):
                    coarse = int.from_bytes(b"".join(rows_of_blocks[4 * plane:4 * plane + 4]), "big")
                    file.write((coarse ^ chance.getrandbits(8192) & fine).to_bytes(1024, "big"))
    return folder
