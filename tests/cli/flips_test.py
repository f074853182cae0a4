"""decisions.csv and flips.csv beside the table that the images came with."""
import collections

import pytest
from mpbench_command import rows, run

ATTRIBUTES = {"site": "site_id", "view": "view", "machine": "machine_id", "density": "density", "age": "age"}


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """Trainings of a few steps, so that no two models agree; their folder, and the rows of train.csv by image."""
    folder = tmp_path_factory.mktemp("flips")
    run("synth", folder / "data", "--patients", 60, "--seed", 3, "--height", 128, "--width", 104)
    cache = folder / "cache.safetensors"
    run("preprocess", "--data", folder / "data", "--cache", cache, "--image-size", 32)
    run("compare", "--data", cache, "--image-size", 32, "--batch-size", 8, "--device", "cpu", "--threads", 1, "--precision",
        "fp32,bf16", "--repeats", 2, "--sessions", 2, "--steps", 12, "--validation-fraction", 0.5, "--out", folder / "out",
        "--progress", "never")
    return folder / "out", {row["image_id"]: row for row in rows(folder / "data" / "train.csv")}


def value_of(row, attribute):
    """As decisions.csv groups it."""
    text = row[ATTRIBUTES[attribute]]
    if text == "":
        return "unknown"
    if attribute != "age":
        return text
    decade = int(float(text)) // 10 * 10
    return f"{decade}-{decade + 9}"


def decisions_of(out, table, run_id, threshold, unit):
    """Decision, truth and the row of train.csv of each image or breast; a breast's score is the mean of its images'."""
    scores = collections.defaultdict(list)
    for row in rows(out / "predictions" / f"{run_id}.csv"):
        scores[row["sample_id"] if unit == "image" else row["unit"]].append(row)
    found = {}
    for name, images in scores.items():
        score = sum(float(image["score"]) for image in images) / len(images)
        label = max(int(image["label"]) for image in images)
        found[name] = (int(score >= threshold), label, table[images[0]["sample_id"]])
    return found


def test_predictions_say_what_the_table_says(compared):
    out, table = compared
    for path in (out / "predictions").iterdir():
        for row in rows(path):
            for attribute, column in ATTRIBUTES.items():
                expected = table[row["sample_id"]][column]
                assert row[attribute] == (expected.removesuffix(".0") if attribute == "age" else expected)


def test_decisions_add_up_by_every_attribute(compared):
    out, table = compared
    runs = {(row["arm"], row["repeat"]): row for row in rows(out / "runs.csv")}
    counted = collections.defaultdict(dict)
    for row in rows(out / "decisions.csv"):
        counted[row["arm"], row["repeat"], row["unit"]][row["attribute"], row["value"]] = row
    assert set(counted) == {(arm, repeat, unit) for arm in ("bf16", "null") for repeat in "12" for unit in ("breast", "image")}
    flips = 0
    for (arm, repeat, unit), groups in counted.items():
        threshold = float(runs["fp32", repeat]["val_threshold"])
        before = decisions_of(out, table, runs["fp32", repeat]["run_id"], threshold, unit)
        after = decisions_of(out, table, runs[arm, repeat]["run_id"], threshold, unit)
        expected = collections.defaultdict(collections.Counter)
        for name, (old, label, row) in before.items():
            kind = ("both_right" if after[name][0] == label else "lost") if old == label else (
                "gained" if after[name][0] == label else "both_wrong")
            flips += old != after[name][0]
            expected["", ""][kind] += 1
            for attribute in ATTRIBUTES:
                if attribute != "view" or unit == "image":
                    expected[attribute, value_of(row, attribute)][kind] += 1
        assert set(groups) == set(expected), (arm, repeat, unit)
        for group, row in groups.items():
            for kind in ("both_right", "both_wrong", "lost", "gained"):
                assert int(row[kind]) == expected[group][kind], (arm, repeat, unit, group, kind)
            assert int(row["decisions"]) == sum(expected[group].values())
    assert flips > 0, "this test needs decisions that differ"


def test_each_flip_says_whose_it_is(compared):
    out, table = compared
    found = rows(out / "flips.csv")
    assert {row["unit"] for row in found} == {"breast", "image"}
    for row in found:
        images = [image for image in table.values()
                  if row["sample_id"] in (image["image_id"], f"{image['patient_id']}_{image['laterality']}")]
        assert images
        assert (row["site"], row["machine"]) == (images[0]["site_id"], images[0]["machine_id"])
        assert row["view"] == (images[0]["view"] if row["unit"] == "image" else "")
        assert row["baseline_decision"] != row["arm_decision"]
