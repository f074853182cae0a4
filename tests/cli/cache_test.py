"""The cache under stress: kills at random moments, a full disk, several writers, inputs that change meanwhile."""
import contextlib
import os
import pathlib
import random
import resource
import shutil
import signal
import subprocess
import time
import typing

import pytest
from cache_command import command, files_of, preprocess, uncompressed, with_other_pixels
from mpbench_command import run, wait_for
from safetensors import safe_open

SIZE = 256


def left_over(folder):
    """What an unfinished run leaves, but for the .part files that the next one goes on from."""
    return [path.name for path in folder.iterdir() if path.name.endswith(".tmp") or path.name.startswith(".mpbench-")]


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """26 images in all encodings, so large that a cache of them takes about half a second."""
    folder = tmp_path_factory.mktemp("synth") / "set"
    run("synth", folder, "--patients", 6, "--seed", 4, "--height", 480, "--width", 400)
    return folder


class Peace(typing.NamedTuple):
    cache: pathlib.Path
    start_up: float  # seconds until a run sees that nothing is to do
    duration: float


@pytest.fixture(scope="module")
def peace(original, tmp_path_factory):
    """The cache made without trouble, and how long it took."""
    cache = tmp_path_factory.mktemp("peace") / "cache.safetensors"
    moments = [time.monotonic()]
    for _ in range(2):
        preprocess(original, cache, "--workers", 2)
        moments.append(time.monotonic())
    return Peace(cache, moments[2] - moments[1], moments[1] - moments[0])


@pytest.fixture(scope="module")
def in_peace(peace):
    return peace.cache.read_bytes()


def the_error(stderr, cache):
    """The one line that tells of an error; beside it there may be those that say what the dataset was taken for, and why
    an old cache is of no use."""
    lines = [line for line in stderr.splitlines()
             if not line.startswith("dataset ") and not (str(cache) in line and "it is made anew" in line)]
    assert len(lines) == 1 and lines[0].startswith("error: "), stderr
    return lines[0]


# ---- Kills ----------------------------------------------------------------------------------------------------------
def test_twenty_kills_at_random_moments_change_no_byte(original, peace, in_peace, tmp_path):
    cache = tmp_path / "cache.safetensors"
    journal = pathlib.Path(f"{cache}.part.journal")
    moments = random.Random(20)
    work = max(peace.duration - peace.start_up, 0.05)
    kills = at_work = finished = 0

    def journal_bytes():
        with contextlib.suppress(FileNotFoundError):
            return journal.stat().st_size
        return 0

    while kills < 20:
        done = journal_bytes()
        process = subprocess.Popen(command(original, cache, "--workers", 2), stderr=subprocess.DEVNULL)
        if kills % 5 == 0:  # anywhere between its start and its first image
            moment = moments.uniform(0, peace.start_up)
        else:  # from then on: however busy the machine is, most kills come while there is work
            while process.poll() is None and journal_bytes() <= max(done, 100):
                time.sleep(0.001)
            moment = moments.uniform(0, work / 3)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=moment)
        worked = journal_bytes() > done or left_over(tmp_path) != []
        process.kill()
        if process.wait() != 0:
            assert process.returncode == -signal.SIGKILL
            kills += 1
            at_work += worked
            assert not cache.exists() or cache.read_bytes() == in_peace, "half a cache under its name"
        else:  # too little was left to be killed in: the chain is right so far, and starts anew
            assert cache.read_bytes() == in_peace
            cache.unlink()
            finished += 1
    assert at_work >= 12, f"only {at_work} of {kills} kills came while there was work; {finished} runs finished"
    preprocess(original, cache, "--workers", 2)
    assert cache.read_bytes() == in_peace
    assert [path.name for path in tmp_path.iterdir()] == ["cache.safetensors"], "no unfinished copy is left"


def test_kills_while_the_cache_is_put_together_change_no_byte(original, in_peace, tmp_path):
    cache = tmp_path / "cache.safetensors"
    kills = 0
    for attempt in range(12):
        process = subprocess.Popen(command(original, cache, "--workers", 2), stderr=subprocess.DEVNULL)
        # The copy in the making exists for milliseconds: ask without a pause.
        while process.poll() is None and not any(name.endswith(".tmp") for name in os.listdir(tmp_path)):
            pass
        process.kill()
        if process.wait() == -signal.SIGKILL and not cache.exists():
            kills += 1
            assert left_over(tmp_path), "killed before the copy was there"
        else:
            assert cache.read_bytes() == in_peace
            cache.unlink()
        if kills == 3:
            break
    assert kills > 0, "it was never killed in time"
    preprocess(original, cache)
    assert cache.read_bytes() == in_peace
    assert [path.name for path in tmp_path.iterdir()] == ["cache.safetensors"]


# ---- A full disk ----------------------------------------------------------------------------------------------------
def limit_files(limit):
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))


@pytest.mark.parametrize("room", ["none", "an image and a half", "all images, but not the tables"])
@pytest.mark.parametrize("has_old", [True, False], ids=["old cache", "no cache"])
def test_a_file_that_may_not_grow_is_one_line(original, in_peace, tmp_path, room, has_old):
    cache = tmp_path / "cache.safetensors"
    if has_old:
        preprocess(original, cache, size=48)
    old = cache.read_bytes() if has_old else None
    images = {"none": 0.001, "an image and a half": 1.5,
              "all images, but not the tables": len(files_of(original))}[room]
    limit = int(images * SIZE * SIZE)
    result = preprocess(original, cache, "--workers", 2, "--quiet", code=1, preexec_fn=limit_files(limit))
    line = the_error(result.stderr, cache)
    assert "cache.safetensors" in line and "File too large" in line
    assert left_over(tmp_path) == []
    if has_old:
        assert cache.read_bytes() == old
        assert "up to date" in preprocess(original, cache, size=48).stderr
    else:
        assert not cache.exists()
    preprocess(original, cache)
    assert cache.read_bytes() == in_peace


def own_mounts():
    """How to run a script that may mount, or why that is not to be had here."""
    if shutil.which("unshare") is None:
        return None, "unshare is not there"
    tried = subprocess.run(["unshare", "-rm", "sh", "-c", "mount -t tmpfs -o size=64k tmpfs /mnt"],
                           capture_output=True, text=True)
    return (["unshare", "-rm", "sh", "-eu", "-c"], "") if tried.returncode == 0 else (None, tried.stderr.strip())


# The cache of 48 x 48 takes 100 kB; the one of 256 x 256 takes 1.7 MB, and so does its .part.
@pytest.mark.parametrize("kilobytes", [400, 1900, 3000], ids=["in the images", "before the end", "while put together"])
def test_a_full_disk_is_one_line_and_keeps_the_old_cache(original, in_peace, tmp_path, kilobytes):
    script, reason = own_mounts()
    if script is None:
        pytest.skip(f"no small disk can be made here: {reason}")
    disk, out = tmp_path / "disk", tmp_path / "out"
    disk.mkdir()
    out.mkdir()
    old, new = (" ".join(command(original, disk / "cache.safetensors", "--workers", 2, size=size))
                for size in (48, SIZE))
    subprocess.run([*script, f"""
        mount -t tmpfs -o size={kilobytes}k tmpfs {disk}
        {old} 2> {out}/old.log
        cp {disk}/cache.safetensors {out}/before
        code=0; {new} --quiet 2> {out}/full.log || code=$?
        echo $code > {out}/code
        ls -A {disk} > {out}/names
        cp {disk}/cache.safetensors {out}/after
        mount -o remount,size=64m {disk}
        {new} 2> {out}/new.log
        cp {disk}/cache.safetensors {out}/new
    """], check=True, timeout=120)
    line = the_error((out / "full.log").read_text(), disk / "cache.safetensors")
    assert (out / "code").read_text() == "1\n"
    assert "cache.safetensors" in line and "No space left on device" in line
    assert not [name for name in (out / "names").read_text().split() if name.endswith(".tmp")]
    assert (out / "after").read_bytes() == (out / "before").read_bytes()
    assert (out / "new").read_bytes() == in_peace
    if kilobytes > 1000:
        assert "from an interrupted run" in (out / "new.log").read_text(), "it went on from what was done"


# ---- Two writers ----------------------------------------------------------------------------------------------------
def test_a_second_writer_is_refused_and_the_first_one_finishes(original, in_peace, tmp_path):
    cache = tmp_path / "cache.safetensors"
    first = subprocess.Popen(command(original, cache, "--workers", 1), stderr=subprocess.PIPE, text=True)
    try:
        wait_for(pathlib.Path(f"{cache}.part.journal"), 60)
        time.sleep(0.05)
        first.send_signal(signal.SIGSTOP)
        assert first.poll() is None and not cache.exists(), "it was done too soon for this test"
        for size in (SIZE, 48):
            line = the_error(preprocess(original, cache, code=1, size=size).stderr, cache)
            assert str(cache) in line and "another process is writing" in line
    finally:
        first.send_signal(signal.SIGCONT)
    _, stderr = first.communicate(timeout=60)
    assert first.returncode == 0, stderr
    assert cache.read_bytes() == in_peace


def test_four_writers_at_once_leave_one_right_cache(original, in_peace, tmp_path):
    cache = tmp_path / "cache.safetensors"
    writers = [subprocess.Popen(command(original, cache, "--workers", 1), stderr=subprocess.PIPE,
                                text=True) for _ in range(4)]
    results = [(writer.communicate(timeout=120)[1], writer.returncode) for writer in writers]
    assert 0 in [code for _, code in results]
    for stderr, code in results:
        assert code == 0 or (code == 1 and "another process is writing" in stderr), stderr
    assert cache.read_bytes() == in_peace
    assert [path.name for path in tmp_path.iterdir()] == ["cache.safetensors"]


# ---- Inputs that change meanwhile --------------------------------------------------------------------------------
def pixels_of(cache):
    with safe_open(cache, framework="numpy") as file:
        return file.get_tensor("images")


def test_an_input_that_changed_while_the_cache_was_made_is_noticed(original, tmp_path):
    data = pathlib.Path(shutil.copytree(original, tmp_path / "data"))
    cache = tmp_path / "caches" / "cache.safetensors"
    path = uncompressed(data)
    place = files_of(data).index(path)
    journal = pathlib.Path(f"{cache}.part.journal")
    process = subprocess.Popen(command(data, cache, "--workers", 1), stderr=subprocess.DEVNULL)
    try:
        while process.poll() is None and not (journal.exists() and f"\n[{place}," in journal.read_text()):
            pass
        process.send_signal(signal.SIGSTOP)
        assert process.poll() is None and not cache.exists(), "it was done too soon for this test"
        with_other_pixels(path)
    finally:
        process.send_signal(signal.SIGCONT)
    process.wait(timeout=60)
    preprocess(data, cache)
    fresh = tmp_path / "fresh" / "cache.safetensors"
    preprocess(data, fresh)
    assert (pixels_of(cache) == pixels_of(fresh)).all(), "it took a cache of what the file was before for up to date"
