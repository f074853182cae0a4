"""mpbench preprocess and its inputs, for the tests of the cache."""
import pydicom
from mpbench_command import MPBENCH, rows, run


def command(data, cache, *arguments, size=256):
    return [MPBENCH, "preprocess", "--data", str(data), "--cache", str(cache), "--image-size", str(size),
            *map(str, arguments)]


def preprocess(data, cache, *arguments, code=0, size=256, **options):
    return run(*command(data, cache, *arguments, size=size)[1:], code=code, **options)


def files_of(data):
    return [data / "train_images" / row["patient_id"] / f"{row['image_id']}.dcm" for row in rows(data / "train.csv")]


def with_other_pixels(path):
    """The file with other values, and not a byte longer or shorter."""
    dataset = pydicom.dcmread(path)
    size = path.stat().st_size
    dataset.PixelData = dataset.PixelData[::-1]
    dataset.save_as(path)
    assert path.stat().st_size == size


def uncompressed(data):
    """The first of the set's files whose pixels lie open."""
    return next(path for path in files_of(data) if not pydicom.dcmread(path).file_meta.TransferSyntaxUID.is_compressed)
