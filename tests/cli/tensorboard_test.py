"""mpbench train --tensorboard: every event is read by TensorBoard's own readers, also where the run was killed."""
import io
import json
import re
import shutil
import struct
import subprocess
import time

import numpy as np
import pytest
from mpbench_command import FASHION_MNIST, MPBENCH, one_line, rows, run
from PIL import Image
from safetensors import safe_open
from tensorboard.backend.event_processing import event_accumulator, event_file_loader, plugin_event_accumulator
from tensorboard.plugins.hparams import api_pb2, metadata
from tensorboard.util import tensor_util

ARGUMENTS = ["--dataset", "idx", "--data", FASHION_MNIST, "--batch-size", 25, "--device", "cpu", "--threads", 1,
             "--warmup-steps", 1, "--progress", "never"]
EPOCH_STEPS = 40  # of --limit 1000


def command(out, *arguments):
    return [str(part) for part in ("train", *ARGUMENTS, "--out", out, *arguments)]


def event_files(out):
    return sorted((out / "tensorboard").glob("*tfevents*"))


def whole_records(path):
    """How many whole records a file has, by their lengths alone, and how many bytes follow them."""
    data, place, count = path.read_bytes(), 0, 0
    while len(data) - place >= 16:
        length, = struct.unpack_from("<Q", data, place)
        if length > len(data) - place - 16:
            break
        place += length + 16
        count += 1
    return count, len(data) - place


def events_of(path):
    """All events, as they stand in the file. The loader ends at a record whose checksums are wrong, without a word."""
    events = list(event_file_loader.LegacyEventFileLoader(str(path)).Load())
    assert len(events) == whole_records(path)[0]
    return events


def accumulated(folder):
    return event_accumulator.EventAccumulator(
        str(folder), size_guidance=event_accumulator.STORE_EVERYTHING_SIZE_GUIDANCE).Reload()


def curve(accumulator, tag):
    return {event.step: event.value for event in accumulator.Scalars(tag)}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    out = tmp_path_factory.mktemp("finished") / "out"
    run(*command(out, "--limit", 1000, "--epochs", 2, "--precision", "fp16", "--augment-flip", "--tensorboard"))
    return out


def test_every_event_is_read(finished):
    file, = event_files(finished)
    events = events_of(file)
    assert whole_records(file) == (len(events), 0)
    assert events[0].file_version == "brain.Event:2"
    assert len({value.tag for event in events for value in event.summary.value}) > 30
    assert len(list(event_file_loader.EventFileLoader(str(file)).Load())) == len(events), "as the server loads them"


def test_curves_are_those_of_the_csvs(finished):
    accumulator = accumulated(finished / "tensorboard")
    epochs, (record,) = rows(finished / "epochs.csv"), rows(finished / "runs.csv")
    for column in ["train_loss", "train_accuracy", "val_loss", "val_accuracy", "lr", "loss_scale", "skipped_steps",
                   "epoch_time_s", "images_per_s"]:
        told = curve(accumulator, f"epoch/{column}")
        assert list(told) == [EPOCH_STEPS, 2 * EPOCH_STEPS], column
        assert list(told.values()) == pytest.approx([float(row[column]) for row in epochs], rel=1e-6), column
    assert set(curve(accumulator, "epoch/values_not_finite").values()) == {0}
    for tag in ["step/loss", "step/ms", "step/lr", "step/loss_scale", "step/skipped_steps"]:
        assert {EPOCH_STEPS, 2 * EPOCH_STEPS} <= set(curve(accumulator, tag)), tag
    assert curve(accumulator, "step/skipped_steps")[2 * EPOCH_STEPS] == float(record["skipped_steps"])
    assert curve(accumulator, "step/loss_scale")[2 * EPOCH_STEPS] == float(record["final_loss_scale"])


def test_histograms_are_of_the_weights(finished):
    accumulator = accumulated(finished / "tensorboard")
    tags = accumulator.Tags()["histograms"]
    names = {tag.removeprefix("weights/") for tag in tags if tag.startswith("weights/")}
    assert {tag.removeprefix("gradients/") for tag in tags if tag.startswith("gradients/")} == names
    with safe_open(finished / "checkpoints" / "last.safetensors", framework="np") as file:
        for name in names:
            values = file.get_tensor(name).astype(np.float64).ravel()
            first, last = accumulator.Histograms(f"weights/{name}")
            assert (first.step, last.step) == (EPOCH_STEPS, 2 * EPOCH_STEPS)
            told = last.histogram_value
            assert (told.min, told.max, told.num) == (values.min(), values.max(), values.size), name
            assert told.sum == pytest.approx(values.sum(), rel=1e-9, abs=1e-6)
            assert told.sum_squares == pytest.approx((values ** 2).sum(), rel=1e-9)
            ends = np.array([-np.inf, *told.bucket_limit])
            assert np.all(np.diff(ends) > 0)
            assert np.cumsum(told.bucket)[-1] == values.size
            # An end below 0 belongs to the bucket below it, as that lies farther from 0.
            inside, _ = np.histogram(values, bins=np.where(ends < 0, np.nextafter(ends, np.inf), ends))
            assert np.array_equal(inside, told.bucket), name
            gradient = accumulator.Histograms(f"gradients/{name}")[-1].histogram_value
            assert gradient.num == values.size and gradient.sum_squares < 1e6, name
    times = accumulator.Histograms("epoch/step_ms")
    assert [event.histogram_value.num for event in times] == [EPOCH_STEPS] * 2


def test_crops_are_images(finished):
    accumulator = accumulated(finished / "tensorboard")
    tags = sorted(accumulator.Tags()["images"])
    assert len(tags) == 8
    for number, tag in enumerate(tags, 1):
        assert re.fullmatch(rf"crops/{number} .+", tag)
        image, = accumulator.Images(tag)
        picture = Image.open(io.BytesIO(image.encoded_image_string))
        assert picture.format == "PNG" and picture.mode == "L"
        assert picture.size == (image.width, image.height) == (28, 28)
        assert np.asarray(picture).max() > 100


def test_options_are_text_and_hyperparameters(finished):
    accumulator = accumulated(finished / "tensorboard")
    text, = accumulator.Tensors("config")
    config = (finished / "config.toml").read_text()
    assert tensor_util.make_ndarray(text.tensor_proto).item().decode() == f"```toml\n{config}```\n"
    contents = accumulator.PluginTagToContent(metadata.PLUGIN_NAME)
    start = metadata.parse_session_start_info_plugin_data(contents[metadata.SESSION_START_INFO_TAG])
    assert start.hparams["precision"].string_value == "fp16"
    assert start.hparams["batch-size"].number_value == 25
    assert start.hparams["augment-flip"].bool_value and not start.hparams["deterministic"].bool_value
    assert len(start.hparams) == len(config.splitlines()), "every option"
    experiment = metadata.parse_experiment_plugin_data(contents[metadata.EXPERIMENT_TAG])
    assert {info.name for info in experiment.hparam_infos} == set(start.hparams)
    assert "epoch/val_accuracy" in {info.name.tag for info in experiment.metric_infos}
    end = metadata.parse_session_end_info_plugin_data(contents[metadata.SESSION_END_INFO_TAG])
    assert end.status == api_pb2.STATUS_SUCCESS
    assert start.start_time_secs <= end.end_time_secs <= time.time()


def test_the_server_knows_what_each_tag_is(finished):
    """The accumulator behind TensorBoard's pages, which goes by plugins."""
    accumulator = plugin_event_accumulator.EventAccumulator(str(finished / "tensorboard")).Reload()
    plugins = {tag: data.plugin_data.plugin_name for tag, data in accumulator.AllSummaryMetadata().items()}
    assert set(plugins) == set(accumulator.Tags()["tensors"])
    for begin, plugin in [("step/", "scalars"), ("epoch/val_", "scalars"), ("weights/", "histograms"),
                          ("gradients/", "histograms"), ("crops/", "images"), ("config", "text"), ("_hparams_/", "hparams")]:
        assert {name for tag, name in plugins.items() if tag.startswith(begin)} == {plugin}, begin


def test_it_changes_no_result(finished, tmp_path):
    out = tmp_path / "out"
    run(*command(out, "--limit", 1000, "--epochs", 2, "--precision", "fp16", "--augment-flip"))
    assert not (out / "tensorboard").exists()
    (record,), (other,) = rows(finished / "runs.csv"), rows(out / "runs.csv")
    for column in ["config_hash", "train_loss", "val_loss", "val_accuracy", "steps", "skipped_steps"]:
        assert record[column] == other[column], column


def last_step(out):
    """The step of the last point that is on disk, while more are written."""
    steps = [event.step for path in event_files(out)
             for event in event_file_loader.LegacyEventFileLoader(str(path)).Load()
             if any(value.tag == "step/loss" for value in event.summary.value)]
    return max(steps, default=0)


def kept_steps(out):
    with safe_open(out / "checkpoints" / "last.safetensors", framework="np") as file:
        return json.loads(file.metadata()["mpbench_state"])["steps_done"]


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """A run that was killed within its second epoch, after points that its last state knows nothing of."""
    out = tmp_path_factory.mktemp("killed") / "out"
    limit = ["--limit", 20000, "--epochs", 50, "--tensorboard"]
    process = subprocess.Popen([MPBENCH, *command(out, *limit)], stderr=subprocess.DEVNULL)
    deadline = time.time() + 240
    while last_step(out) <= 800 and time.time() < deadline:
        time.sleep(0.05)
    process.kill()
    process.wait()
    return out


def test_a_run_that_is_killed_leaves_a_file_that_is_read(killed):
    file, = event_files(killed)
    events = events_of(file)
    accumulator = accumulated(killed / "tensorboard")
    assert curve(accumulator, "step/loss") and curve(accumulator, "epoch/train_loss")
    assert metadata.SESSION_END_INFO_TAG not in accumulator.PluginTagToContent(metadata.PLUGIN_NAME)
    assert events[-1].step > kept_steps(killed)


@pytest.mark.parametrize("missing", [1, 3, 4, 5, 12, 17])
def test_a_last_record_that_is_cut_short_is_passed_over(killed, tmp_path, missing):
    file, = event_files(killed)
    data = file.read_bytes()
    whole = len(data) - whole_records(file)[1]
    cut = tmp_path / file.name
    cut.write_bytes(data[:whole - missing])
    assert len(events_of(cut)) == len(events_of(file)) - 1
    assert accumulated(tmp_path).Scalars("step/loss")


def test_a_resumed_run_has_each_step_once(killed, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(killed, out)
    before = accumulated(out / "tensorboard")
    kept = kept_steps(out)
    assert max(curve(before, "step/loss")) > kept, "there is something to do again"
    run("train", "--resume", "--tensorboard", "--out", out, "--steps", kept + 30)
    first, second = event_files(out)
    assert first.read_bytes() == event_files(killed)[0].read_bytes()
    events = events_of(second)
    assert events[1].session_log.status == events[1].session_log.START and events[1].step == kept + 1
    accumulator = accumulated(out / "tensorboard")
    steps = [event.step for event in accumulator.Scalars("step/loss")]
    assert steps == sorted(set(steps)) and steps[-1] == kept + 30
    assert [step for step in steps if step <= kept] == [step for step in curve(before, "step/loss") if step <= kept]
    assert len(accumulator.Tensors("config")) == 2, "the options of each part"
    assert len(accumulator.Tags()["images"]) == 8
    server = plugin_event_accumulator.EventAccumulator(str(out / "tensorboard")).Reload()
    steps = [event.step for event in server.Tensors("step/loss")]
    assert steps == sorted(set(steps)) and steps[-1] == kept + 30


def test_a_new_run_takes_the_place_of_the_old_ones_events(tmp_path):
    out = tmp_path / "out"
    short = ["--limit", 200, "--steps", 3]
    run(*command(out, *short, "--tensorboard"))
    other = out / "tensorboard" / "events.out.tfevents.1764262973.host.1.0"
    other.write_bytes(event_files(out)[0].read_bytes())
    run(*command(out, *short, "--tensorboard", "--seed", 5))
    ours = out / "tensorboard" / "events.out.tfevents.0000000001.mpbench"
    assert event_files(out) == [ours, other], "what others have written stays"
    other.unlink()
    run(*command(out, *short))
    assert not (out / "tensorboard").exists(), "the events of an earlier run would pass for this one's"


def test_a_folder_that_cannot_be_is_named(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "tensorboard").write_text("a file")
    line = one_line(run(*command(out, "--limit", 200, "--steps", 3, "--tensorboard", "--quiet"), code=1))
    assert str(out / "tensorboard") in line
    assert (out / "tensorboard").read_text() == "a file"


def test_a_comparison_has_no_such_flag(tmp_path):
    line = one_line(run("compare", "--tensorboard", "--out", tmp_path / "out", code=2))
    assert "--tensorboard" in line
