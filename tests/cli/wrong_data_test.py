"""--data naming something that is not a dataset: one line says what lies there and what to do."""

from datasets_test import make_cifar10
from mpbench_command import one_line, run
from picture_files import make_folder, picture, preprocess, quarantined


def test_names_git_lfs_pointers(tmp_path):
    data = make_folder(tmp_path / "data")
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"
    (data / "cat" / "1.png").write_text(pointer)
    preprocess(data, tmp_path, code=3)
    assert "Git LFS pointer, not the file itself: run git lfs pull" in quarantined(tmp_path)["1.png"]["problem"]
    for path in data.rglob("*.png"):
        path.write_text(pointer)
    _, result = preprocess(data, tmp_path, code=1)
    assert "all 6 inputs failed" in result.stderr and "git lfs pull" in result.stderr


def test_says_what_lies_there_and_what_to_do(tmp_path):
    def refusal(data, *arguments):
        return one_line(preprocess(data, tmp_path, *arguments, code=1)[1])

    data = tmp_path / "data"
    for name, content, said in [
            ("set.zip", b"PK\3\4", "ZIP archive: unpack it (unzip set.zip)"),
            ("set.tar.gz", b"\x1f\x8b\x08", "(tar -xf set.tar.gz)"),
            ("set.tgz", b"\x1f\x8b\x08", "(tar -xf set.tgz)"),
            ("set.7z", b"7z\xbc\xaf\x27\x1c", "7z archive: unpack it"),
            ("train.csv", b"patient_id,image_id\n",
             f"it is a table: name the folder with the table and its images, --data {data}"),
            ("x.dcm", bytes(128) + b"DICM", "single DICOM file"),
            ("0.png", b"\x89PNG\r\n\x1a\n", "a PNG image: name the folder"),
            ("0.jpg", b"\xff\xd8\xff\xe0", "a JPEG image: name the folder"),
            ("x.npy", b"\x93NUMPY", "a NumPy array, which is not read"),
            ("x.h5", b"\x89HDF\r\n\x1a\n", "an HDF5 file, which is not read"),
            ("x.pth", b"PK\3\4", "--weights takes it"),
            ("train-images-idx3-ubyte", b"\0\0\x08\3", f"one file of an idx dataset: name its folder, --data {data}"),
            ("train-images-idx3-ubyte.gz", b"\x1f\x8b\x08", "one file of an idx dataset"),
            ("data_batch_1.bin", bytes(3073), "one file of CIFAR"),
            ("pointer.safetensors", b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
            ("nothing", b"", "it is an empty file")]:
        data.mkdir(exist_ok=True)
        (data / name).write_bytes(content)
        line = refusal(data / name)
        assert f"{data / name}: data: " in line and said in line, line
        out = run("predict", "--weights", data / name, "--data", data / name, "--model", "cnn", code=1)
        assert out.returncode == 1

    def folder(name, *files):
        for file, content in files:
            path = tmp_path / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return tmp_path / name

    (tmp_path / "empty").mkdir()
    assert "there is no file in it" in refusal(tmp_path / "empty")
    assert "unpack it (unzip all.zip)" in refusal(folder("packed", ("all.zip", b"PK\3\4"), ("notes.txt", b"x")))
    line = refusal(folder("tiffs", *((f"{c}/{i}.tif", b"II*\0") for c in ("cat", "dog") for i in range(3))))
    assert "it holds 6 .tif files, as cat/0.tif (a TIFF image)" in line and ".png, .jpg, .jpeg and .bmp" in line
    packed = folder("packed_cifar", ("data_batch_1.bin.gz", b"\x1f\x8b\x08"))
    assert "unpack it (gunzip data_batch_1.bin.gz)" in refusal(packed)
    assert "4 .webp files" in refusal(folder("webps", *((f"{i}.webp", b"RIFF1234WEBP") for i in range(4))))
    assert ".npy files, as a/0.npy (a NumPy array)" in refusal(folder("npys", ("a/0.npy", b"\x93NUMPY")))
    picture(tmp_path / "flat" / "0.png", 1)
    assert "in no class's folder" in refusal(tmp_path / "flat")
    line = refusal(folder("mixed", ("cat/0.tif", b"II*\0")) and make_folder(tmp_path / "mixed", ("dog",)))
    assert f"{tmp_path / 'mixed' / 'cat'}: class: " in line and "but 1 .tif files" in line
    make_folder(tmp_path / "deep" / "photos")
    assert f"use --data {tmp_path / 'deep' / 'photos'}" in refusal(tmp_path / "deep")
    folder("MNIST", ("raw/train-images-idx3-ubyte", b"\0\0\x08\3"))
    assert f"use --data {tmp_path / 'MNIST' / 'raw'}" in refusal(tmp_path / "MNIST")
    make_cifar10(tmp_path / "zoo" / "a" / "cifar-10-batches-bin", count=2)
    assert f"use --data {tmp_path / 'zoo' / 'a'}" in refusal(tmp_path / "zoo")
