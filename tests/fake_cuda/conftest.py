import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import fake_cuda
from acceptance.images import write_images


@pytest.fixture(scope="session", autouse=True)
def user_cache(tmp_path_factory):
    """A cache folder of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("user-cache")))
        yield


@pytest.fixture(scope="session")
def images(tmp_path_factory):
    """640 pictures of 32x32 to train on and 64 to validate with, in CIFAR-100's format."""
    return write_images(tmp_path_factory.mktemp("data") / "images", 640, 64)
