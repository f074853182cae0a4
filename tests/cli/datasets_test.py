"""Image folders and CIFAR as a user has them; torchvision says which files are in which class."""

import os
import subprocess

import numpy as np
import pytest
from mpbench_command import MPBENCH, one_line, rows, run
from PIL import Image
from picture_files import SIZE, make_folder, noise, picture, pillow, preprocess, quarantined
from torchvision.datasets import ImageFolder


def train(data, tmp_path, *arguments, code=0):
    out = tmp_path / "out"
    result = run("train", "--data", data, "--out", out, "--model", "cnn", "--epochs", 1, "--device", "cpu",
                 "--threads", 1, "--warmup-steps", 0, *arguments, code=code,
                 env={"XDG_CACHE_HOME": str(tmp_path / "user-cache")})
    return (rows(out / "runs.csv")[0] if code == 0 else None), result


# The table: which files, in which order, of which class.


def test_lists_what_torchvision_lists(tmp_path):
    data = make_folder(tmp_path / "data", ("b b", "a", "Z", "é"), suffix=".PNG")
    for name in ["a/sub/0.jpg", "a/sub-2/0.jpeg", "a/sub/deeper/x.JPG", "a/1.bmp", "a/10.png", "a/2 2.Jpeg"]:
        picture(data / name, len(name))
    cache, result = preprocess(f"{data}/", tmp_path)
    expected = ImageFolder(data)
    assert cache.classes == expected.classes == ["Z", "a", "b b", "é"]
    assert cache.ids == [os.path.relpath(path, data) for path, _ in expected.samples]
    assert cache.labels == expected.targets
    assert cache.samples["group"] == cache.samples["unit"] == cache.ids
    assert cache.metadata["dataset"] == "folder" and "dataset folder: 18 files, 4 classes" in result.stderr
    assert "left out" not in result.stderr
    assert "validation" not in cache.samples
    for i, (path, _) in enumerate(expected.samples):
        if not path.lower().endswith(("jpg", "jpeg")):
            assert np.array_equal(cache.of(cache.ids[i]), pillow(path)), path


@pytest.mark.parametrize("name", ["val", "valid", "validation", "test"])
def test_takes_the_split_that_is_there(tmp_path, name):
    data = tmp_path / "data"
    make_folder(data / "train")
    make_folder(data / name, count=2)
    if name != "test":
        make_folder(data / "test", count=1)
    cache, result = preprocess(data, tmp_path)
    expected = [f"train/{c}/{i}.png" for c in ("cat", "dog") for i in range(3)]
    expected += [f"{name}/{c}/{i}.png" for c in ("cat", "dog") for i in range(2)]
    assert cache.ids == expected
    assert cache.samples["validation"] == [False] * 6 + [True] * 4
    assert cache.labels == [0, 0, 0, 1, 1, 1, 0, 0, 1, 1]
    assert ("left out: test/" in result.stderr) == (name != "test")


def test_train_may_be_alone_or_a_class(tmp_path):
    make_folder(tmp_path / "alone" / "train")
    cache, _ = preprocess(tmp_path / "alone", tmp_path)
    assert cache.classes == ["cat", "dog"] and "validation" not in cache.samples
    assert cache.ids[0] == "train/cat/0.png"

    make_folder(tmp_path / "vehicles", ("bus", "test", "train"))
    cache, _ = preprocess(tmp_path / "vehicles", tmp_path)
    assert cache.classes == ["bus", "test", "train"]


def test_says_what_it_leaves_out(tmp_path):
    data = make_folder(tmp_path / "data")
    for name in ["cat/.hidden.png", ".ipynb_checkpoints/0.png", "cat/.thumbs/0.png", "._0.png"]:
        picture(data / name, 1)
    for name in ["README.md", "cat/notes.txt", "dog/0.gif", "0.png"]:
        (data / name).write_text("")
    os.mkfifo(data / "cat" / "pipe.png")
    cache, result = preprocess(data, tmp_path)
    assert len(cache.ids) == 6
    line, = [line for line in result.stderr.splitlines() if "left out" in line]
    assert "4 hidden" in line and "5 other" in line and "0 links" in line


def test_links_neither_hang_nor_repeat(tmp_path):
    data = make_folder(tmp_path / "data")
    elsewhere = make_folder(tmp_path / "elsewhere", ("owl",))
    (data / "owl").symlink_to(elsewhere / "owl")
    (data / "cat" / "loop").symlink_to(data / "cat")
    (data / "cat" / "up").symlink_to(data)
    (data / "cat" / "root").symlink_to("/")
    (data / "cat" / "self.png").symlink_to(data / "cat" / "self.png")
    (data / "cat" / "gone.png").symlink_to(data / "gone.png")
    (data / "cat" / "zero.png").symlink_to("/dev/zero")
    (data / "cat" / "link.png").symlink_to(elsewhere / "owl" / "0.png")
    cache, result = preprocess(data, tmp_path)
    assert cache.classes == ["cat", "dog", "owl"]
    assert [name for name in cache.ids if name.startswith("cat/")] == ["cat/0.png", "cat/1.png", "cat/2.png",
                                                                      "cat/link.png"]
    assert np.array_equal(cache.of("cat/link.png"), cache.of("owl/0.png"))
    assert "3 links to folders, 3 other files" in result.stderr

    for target in (data, tmp_path):
        (data / "round").unlink(missing_ok=True)
        (data / "round").symlink_to(target)
        _, result = preprocess(data, tmp_path, code=1)
        assert "round" in one_line(result) and "link" in one_line(result)


ODD_NAMES = ["two\nlines", "\"quotes\", 'and' commas", "日本 ü", "  ", "-rf", "a\\b", "tab\there", "%s{}", "=1+1",
             "\x1b[2J"]


def test_odd_names(tmp_path):
    data = tmp_path / "\n".join(ODD_NAMES)
    for i, name in enumerate(ODD_NAMES):
        picture(data / name / f"{name}.png", i)
        (data / name / f"bad {name}.png").write_bytes(b"nothing")
    cache, _ = preprocess(data, tmp_path, code=3)
    assert cache.classes == sorted(ODD_NAMES)
    for i, name in enumerate(ODD_NAMES):
        assert np.array_equal(cache.of(f"{name}/{name}.png"), noise(i))
    named = [row["path"] for row in rows(tmp_path / "quarantine.csv")]
    assert sorted(named) == sorted(str(data / name / f"bad {name}.png") for name in ODD_NAMES)


def test_names_that_are_no_text(tmp_path):
    data = make_folder(tmp_path / "data")
    folder = os.fsencode(data) + b"/caf\xe9"
    os.mkdir(folder)
    for i in range(2):
        Image.fromarray(noise(i)).save(os.fsdecode(folder + b"/\xff%d.png" % i))
    cache, _ = preprocess(data, tmp_path)
    assert cache.classes == ["caf\\xE9", "cat", "dog"]
    assert cache.ids[:2] == ["caf\\xE9/\\xFF0.png", "caf\\xE9/\\xFF1.png"]
    assert np.array_equal(cache.of(cache.ids[1]), noise(1))


def test_refuses_folders_that_teach_nothing(tmp_path):
    def refusal(data, *arguments):
        return one_line(preprocess(data, tmp_path, *arguments, code=1)[1])

    line = refusal(make_folder(tmp_path / "one", ("cat",)))
    assert "only cat" in line and "nothing to learn" in line
    (tmp_path / "nothing").mkdir()
    (tmp_path / "nothing" / "x.txt").write_text("x")
    line = refusal(tmp_path / "nothing")
    for word in ["train.csv", "train-images-idx3-ubyte", "data_batch_1.bin", "fine_label_names.txt", ".jpg"]:
        assert word in line
    assert "there are none" in refusal(tmp_path / "nothing", "--dataset", "folder")
    (tmp_path / "nothing" / "cifar-100-python").mkdir()
    assert "Python version" in refusal(tmp_path / "nothing")

    data = tmp_path / "split"
    make_folder(data / "train")
    make_folder(data / "val", ("cat", "dog", "owl"))
    line = refusal(data)
    assert "class owl" in line and str(data / "val") in line
    data = tmp_path / "missing"
    make_folder(data / "train")
    make_folder(data / "val", ("cat",))
    line = refusal(data)
    assert "class dog" in line and str(data / "val") in line
    make_folder(data / "valid")
    assert "both val/ and valid/" in refusal(data)


def test_leaves_out_what_systems_leave_behind(tmp_path):
    data = make_folder(tmp_path / "data")
    for name in ["__MACOSX/cat/._0.png", "__MACOSX/0.png", "cat/._0.png", "cat/.ipynb_checkpoints/0-checkpoint.png",
                 "@eaDir/0.png", ".ipynb_checkpoints/0.png"]:
        picture(data / name, 1)
    for name in [".DS_Store", "cat/.DS_Store", "cat/Thumbs.db", "dog/desktop.ini"]:
        (data / name).write_bytes(b"left behind")
    (data / "cow").mkdir()
    (data / "cow" / ".DS_Store").write_bytes(b"left behind")
    cache, result = preprocess(data, tmp_path)
    assert cache.ids == [f"{name}/{i}.png" for name in ("cat", "dog") for i in range(3)]
    assert cache.classes == ["cat", "dog"] and cache.labels == [0, 0, 0, 1, 1, 1]
    assert f"{data / 'cow'}: this folder is empty: it is not a class" in result.stderr
    assert "10 hidden or system entries" in result.stderr


def make_idx(folder, labels, name="{part}-{what}-idx{n}-ubyte"):
    folder.mkdir(parents=True)
    for part, some in (("train", labels), ("t10k", labels[:10])):
        for what, n, header, data in (("labels", 1, [0x801, len(some)], bytes(some)),
                                      ("images", 3, [0x803, len(some), 16, 16], os.urandom(256 * len(some)))):
            (folder / name.format(part=part, what=what, n=n)).write_bytes(
                b"".join(value.to_bytes(4, "big") for value in header) + data)
    return folder


def test_idx_files_as_archives_name_them(tmp_path):
    data = make_idx(tmp_path / "data", [0, 1, 2] * 20, "{part}-{what}.idx{n}-ubyte")
    run_row, result = train(data, tmp_path, "--batch-size", 10)
    assert (run_row["dataset"], run_row["n_train"], run_row["n_val"]) == ("idx", "60", "10")
    assert "taken for train-images-idx3-ubyte" in result.stderr


def test_a_limit_leaves_classes_to_learn(tmp_path):
    data = make_idx(tmp_path / "idx", [0, 1, 2] * 20)
    _, result = train(data, tmp_path, "--limit", 1, code=2)
    assert "with one class there is nothing to learn" in one_line(result)
    _, result = train(data, tmp_path, "--limit", 6, "--batch-size", 2)
    assert "3 classes" in result.stderr
    (data / "train-labels-idx1-ubyte").write_bytes(b"\0\0\x08\1" + (60).to_bytes(4, "big") + bytes(60))
    assert "all are 0: with one class" in one_line(train(data, tmp_path / "one", code=1)[1])
    make_cifar10(tmp_path / "cifar")
    make_folder(tmp_path / "folder")
    preprocess(tmp_path / "folder", tmp_path)
    for name in ("cifar", "folder", "cache.safetensors"):
        _, result = train(tmp_path / name, tmp_path / "none", "--limit", 1, code=2)
        assert "error: --limit 1 leaves images of class '" in result.stderr


def without_root(*command):
    """As a user for whom permissions count."""
    if os.geteuid() == 0:
        command = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all", *command]
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=60)


def test_names_what_may_not_be_read(tmp_path):
    data = make_folder(tmp_path / "data")
    cache = tmp_path / "c.safetensors"
    (data / "cat" / "1.png").chmod(0)
    result = without_root(MPBENCH, "preprocess", "--data", data, "--cache", cache)
    assert result.returncode == 3, result.stderr
    row = quarantined(tmp_path)["1.png"]
    assert row["field"] == "file" and "ermission denied" in row["problem"]
    (data / "dog").chmod(0)
    result = without_root(MPBENCH, "preprocess", "--data", data, "--cache", cache)
    (data / "dog").chmod(0o755)
    assert result.returncode == 1
    assert str(data / "dog") in result.stderr and "ermission denied" in result.stderr


# Which ones, and training on them.


def test_goes_on_where_it_stopped_and_notices_changes(tmp_path):
    data = make_folder(tmp_path / "data")
    preprocess(data, tmp_path)
    assert "up to date" in preprocess(data, tmp_path)[1].stderr
    picture(data / "cat" / "0.png", 55, 20, 20)
    cache, result = preprocess(data, tmp_path, "--image-size", SIZE)
    assert "made anew" in result.stderr
    assert not np.array_equal(cache.of("cat/0.png"), noise(0))


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Pictures of two sizes in three classes that differ in colour, with a split."""
    data = tmp_path_factory.mktemp("photos") / "data"
    for side, count in (("train", 12), ("val", 6)):
        for label, name in enumerate(("blue", "green", "red")):
            for i in range(count):
                pixels = noise(1000 * label + i + 100 * count, 40, 30 + 10 * (i % 2)) // 4
                pixels[..., 2 - label] += 150
                path = data / side / name / f"{i}.jpg"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(pixels).save(path)
    return data


def test_trains_on_a_folder(photos, tmp_path):
    run_row, result = train(photos, tmp_path, "--dataset", "folder", "--image-size", 32, "--batch-size", 4,
                            "--epochs", 4)
    assert run_row["dataset"] == "folder" and run_row["status"] == "ok"
    assert (run_row["n_train"], run_row["n_val"], run_row["image_size"]) == ("36", "18", "32")
    assert "dataset folder: 54 images of 3 x 32 x 32, 3 classes, from image folder" in result.stderr
    assert float(run_row["val_accuracy"]) > 0.9
    split = rows(tmp_path / "out" / "split.csv")
    assert {row["id"].split("/")[0]: row["split"] for row in split} == {"train": "train", "val": "validation"}


def test_limit_takes_the_same_of_each_class(photos, tmp_path):
    run_row, _ = train(photos, tmp_path, "--limit", 10, "--image-size", 16, "--batch-size", 2)
    assert (run_row["n_train"], run_row["n_val"]) == ("10", "2")
    from_folder = rows(tmp_path / "out" / "split.csv")
    classes = [row["id"].split("/")[1] for row in from_folder if row["split"] == "train"]
    assert sorted(classes.count(name) for name in set(classes)) == [3, 3, 4]

    preprocess(photos, tmp_path, "--image-size", 16)
    (tmp_path / "from-cache").mkdir()
    run_row, _ = train(tmp_path / "cache.safetensors", tmp_path / "from-cache", "--limit", 10, "--batch-size", 2)
    assert (run_row["n_train"], run_row["n_val"], run_row["dataset"]) == ("10", "2", "folder")
    assert rows(tmp_path / "from-cache" / "out" / "split.csv") == from_folder


def cifar_record(rng, labels):
    return bytes(labels) + rng.integers(0, 256, 3072, dtype=np.uint8).tobytes()


def make_cifar100(folder, train_count=300, test_count=100):
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for name, count in (("train.bin", train_count), ("test.bin", test_count)):
        (folder / name).write_bytes(b"".join(cifar_record(rng, [i % 20, i % 100]) for i in range(count)))
    (folder / "fine_label_names.txt").write_text("".join(f"fine {i}\n" for i in range(100)))
    (folder / "coarse_label_names.txt").write_text("".join(f"coarse {i}\n" for i in range(20)))
    return folder


def make_cifar10(folder, count=20):
    folder.mkdir(parents=True)
    rng = np.random.default_rng(1)
    for name in [*(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin"]:
        (folder / name).write_bytes(b"".join(cifar_record(rng, [i % 10]) for i in range(count)))
    (folder / "batches.meta.txt").write_text("".join(f"class {i}\n" for i in range(10)) + "\n")
    return folder


def test_trains_on_cifar(tmp_path):
    make_cifar100(tmp_path / "data" / "cifar-100-binary")
    run_row, result = train(tmp_path / "data", tmp_path, "--batch-size", 100)
    assert (run_row["dataset"], run_row["n_train"], run_row["n_val"]) == ("cifar100", "300", "100")
    assert "300 images for training and 100" in result.stderr and "50000" in result.stderr
    assert "400 images of 3 x 32 x 32, 100 classes, from CIFAR-100 binary folder" in result.stderr
    run_row, _ = train(tmp_path / "data" / "cifar-100-binary", tmp_path / "again", "--dataset", "cifar100",
                       "--limit", 200, "--image-size", 48, "--batch-size", 100)
    assert (run_row["n_train"], run_row["n_val"], run_row["image_size"]) == ("200", "40", "48")

    make_cifar10(tmp_path / "ten")
    run_row, _ = train(tmp_path / "ten", tmp_path / "third", "--batch-size", 50)
    assert (run_row["dataset"], run_row["n_train"], run_row["n_val"]) == ("cifar10", "100", "20")

    make_cifar10(tmp_path / "data" / "cifar-10-batches-bin")
    _, result = train(tmp_path / "data", tmp_path / "fourth", code=1)
    assert "name one with --dataset" in one_line(result)
    line = one_line(preprocess(tmp_path / "ten", tmp_path, code=2)[1])
    assert "CIFAR-10 binary folder" in line and "read as it is" in line


def test_refuses_damaged_cifar(tmp_path):
    def refusal(folder, *arguments):
        return one_line(train(folder, tmp_path, *arguments, code=1)[1])

    data = make_cifar100(tmp_path / "a")
    with open(data / "test.bin", "ab") as file:
        file.write(b"x")
    assert f"{data / 'test.bin'}: length: " in refusal(data)
    (data / "test.bin").write_bytes(b"")
    assert f"{data / 'test.bin'}: length: " in refusal(data)
    (data / "test.bin").unlink()
    assert "test.bin: there is no such file" in refusal(data)
    for labels, wrong in (([3, 100], "100 is not in 0 to 99"), ([20, 5], "20 is not in 0 to 19")):
        (data / "test.bin").write_bytes(bytes(3074) + bytes(labels) + bytes(3072))
        line = refusal(data)
        assert "label: record 1: " + wrong in line
    (data / "fine_label_names.txt").write_text("one\ntwo\n")
    assert "names: there are 2, CIFAR-100 has 100" in refusal(data)
    data = make_cifar10(tmp_path / "b")
    (data / "data_batch_3.bin").unlink()
    assert "data_batch_3.bin" in refusal(data)
    assert "fine_label_names.txt" in refusal(data, "--dataset", "cifar100")
