"""What a comparison says of arms that broke, of scores that saturate and of too little evidence."""
import numpy as np
import pytest
import safetensors.torch
import torch
from mpbench_command import FASHION_MNIST, rows, run
from sklearn.metrics import roc_auc_score

# Two classes of real images, from a folder a class.
SIDE = 28


def write_photos(folder, classes):
    """Classes of Fashion-MNIST as PNG files: their numbers by their names."""
    import gzip

    from PIL import Image
    with gzip.open(FASHION_MNIST / "t10k-images-idx3-ubyte.gz") as file:
        images = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, SIDE, SIDE)
    with gzip.open(FASHION_MNIST / "t10k-labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(), np.uint8, offset=8)
    for name, label in classes.items():
        (folder / name).mkdir(parents=True)
        for i, image in enumerate(images[labels == label][:120]):
            Image.fromarray(image).save(folder / name / f"{name}{i}.png")
    return folder


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Easily told apart."""
    return write_photos(tmp_path_factory.mktemp("photos") / "set", {"bag": 8, "trouser": 1})


@pytest.fixture(scope="module")
def clothes(tmp_path_factory):
    """Hard to tell apart: no two trainings rank all of them alike."""
    return write_photos(tmp_path_factory.mktemp("clothes") / "set", {"coat": 4, "shirt": 6})


def arguments(photos, *more):
    return [*map(str, ("--data", photos, "--image-size", SIDE, "--batch-size", 16, "--device", "cpu", "--threads", 1,
                       "--progress", "never", *more))]


@pytest.fixture(scope="module")
def trained(photos, tmp_path_factory):
    """Weights of a short run."""
    out = tmp_path_factory.mktemp("trained") / "out"
    run("train", *arguments(photos, "--epochs", 2, "--out", out))
    return out / "checkpoints" / "last.safetensors"


def planted(trained, path, change):
    """The weights with a change made to them, in a file of weights alone."""
    tensors = {name: tensor.clone() for name, tensor in safetensors.torch.load_file(trained).items() if "/" not in name}
    change(tensors)
    safetensors.torch.save_file(tensors, path)
    return path


def still(weights, steps=2):
    """Options with which the weights stay as they are."""
    return ["--weights", weights, "--optimizer", "sgd", "--lr", 1e-30, "--steps", steps, "--warmup-steps", 0]


def test_an_arm_that_gives_nan_has_diverged_and_is_not_non_inferior(photos, trained, tmp_path):
    def far_from_the_batch(tensors):
        # In training a batch is normalised by its own statistics. In validation these give some 1e8,
        # which float32 holds and float16 does not.
        name = next(name for name in tensors if name.endswith("running_var"))
        tensors[name.replace("running_var", "running_mean")] -= 1e7
        tensors[name].fill_(1e-2)

    weights = planted(trained, tmp_path / "far.safetensors", far_from_the_batch)
    out = tmp_path / "out"
    run("compare", *arguments(photos, *still(weights, steps=8), "--precision", "fp32,fp16", "--repeats", 2, "--sessions", 2,
                              "--out", out), code=3)
    runs = {(row["arm"], row["repeat"]): row for row in rows(out / "runs.csv")}
    for repeat in "12":
        assert runs["fp32", repeat]["status"] == "ok" and runs["fp32", repeat]["val_auc"] != ""
        broken = runs["fp16", repeat]
        assert broken["status"] == "diverged"
        assert "is not finite" in broken["error"] and "validation after epoch 1, step 8" in broken["error"]
        assert broken["val_accuracy"] == broken["val_loss"] == broken["best_epoch"] == ""
        assert not (out / "predictions" / f"{broken['run_id']}.csv").exists()
    compared = {row["arm"]: row for row in rows(out / "comparison.csv")}
    assert sorted(compared) == ["fp16", "null"]
    assert compared["fp16"]["accuracy_verdict"] == "inferior" and compared["fp16"]["metric"] == ""
    assert compared["null"]["accuracy_verdict"] == "inconclusive" and compared["null"]["metric"] == "val_auc"
    assert "nan" not in (out / "comparison.csv").read_text().lower()


@pytest.mark.parametrize("data, options", [
    # As without a scaler where the loss is tiny: no gradient is left of it in float16.
    ("photos", ["--precision", "fp16", "--axis", "init-scale=65536,1e-8", "--growth-interval", 1000000, "--epochs", 2]),
    ("clothes", ["--precision", "bf16", "--axis", "lr=0.005,0.5", "--epochs", 4]),
    ("clothes", ["--precision", "fp16", "--optimizer", "sgd", "--axis", "lr=0.05,5", "--epochs", 4]),
], ids=["fp16 whose scaler does not scale", "bf16 at 100 times the learning rate", "fp16 likewise"])
def test_a_mixed_arm_that_is_broken_is_found_out(request, tmp_path, data, options):
    out = tmp_path / "out"
    result = run("compare", *arguments(request.getfixturevalue(data), *options, "--repeats", 6, "--sessions", 6, "--margin",
                                       0.05, "--out", out), code=None)
    assert result.returncode in (0, 3), result.stderr
    verdicts = {row["arm_kind"]: row["accuracy_verdict"] for row in rows(out / "comparison.csv")}
    statuses = {row["status"] for row in rows(out / "runs.csv") if row["arm_kind"] == "arm"}
    assert verdicts["arm"] == "inferior" or statuses == {"diverged"}, (verdicts, statuses)
    assert verdicts["null"] != "inferior"


def test_a_saturated_network_is_judged_by_its_logits(photos, trained, tmp_path):
    def saturate(tensors):
        head = next(name for name in tensors if name.endswith("classifier.weight"))
        tensors[head] *= 20
        tensors[head.replace("weight", "bias")] += 2000

    weights = planted(trained, tmp_path / "saturated.safetensors", saturate)
    out = tmp_path / "out"
    run("train", *arguments(photos, *still(weights), "--out", out))
    (record,) = rows(out / "runs.csv")
    predictions = rows(next((out / "predictions").iterdir()))
    labels = [int(row["label"]) for row in predictions]
    logits = np.array([float(row["logit"]) for row in predictions])
    assert all(row["score"] == "1" for row in predictions), "every probability rounds to 1"
    assert float(record["val_auc"]) == pytest.approx(roc_auc_score(labels, logits), abs=1e-12)
    assert float(record["val_auc"]) > 0.9
    assert roc_auc_score(labels, [float(row["score"]) for row in predictions]) == 0.5


def test_probabilities_are_those_of_the_logits_in_double(photos, trained, tmp_path):
    out = tmp_path / "out"
    run("train", *arguments(photos, *still(trained), "--out", out))
    for row in rows(next((out / "predictions").iterdir())):
        expected = torch.sigmoid(torch.tensor(float(row["logit"]), dtype=torch.float64)).item()
        assert float(row["score"]) == pytest.approx(expected, rel=1e-14)


def test_repeats_are_pooled_over_one_split(clothes, tmp_path):
    """Each has its own seed, and all have one split, also where nobody names one."""
    first = tmp_path / "first"
    run("train", *arguments(clothes, "--epochs", 1, "--out", first))
    common = ["--epochs", 2, "--precision", "fp32,bf16", "--sessions", 3, "--margin", 0.9]
    for name, options in (("named", ["--seed", "0,1,2", "--split", first / "split.csv"]), ("own", ["--repeats", 3])):
        run("compare", *arguments(clothes, *common, *options, "--out", tmp_path / name))
        row, null = rows(tmp_path / name / "comparison.csv")
        assert row["pairs"] == "3" and row["seed"] == "" and row["metric"] == "val_auc"
        assert row["accuracy_verdict"] in ("non-inferior", "equivalent"), row["note"]
        assert null["pairs"] == "3" and null["accuracy_verdict"] in ("non-inferior", "equivalent"), null["note"]
        metrics = {(row["arm"], row["metric"]): row for row in rows(tmp_path / name / "metrics.csv")}
        assert metrics["bf16", "auc"]["seeds"] == "3"
        assert float(metrics["bf16", "auc"]["delta"]) == pytest.approx(float(row["metric_delta"]), abs=1e-12)


def test_two_repeats_carry_no_verdict_on_accuracy(photos, tmp_path):
    out = tmp_path / "out"
    run("compare", *arguments(photos, "--epochs", 1, "--precision", "fp32,bf16", "--repeats", 2, "--sessions", 2, "--margin",
                              0.9, "--out", out))
    for row in rows(out / "comparison.csv"):
        assert row["pairs"] == "2" and row["accuracy_verdict"] == "inconclusive"
        assert "2 distinct trainings, and a verdict on accuracy needs 3" in row["note"] and "--repeats" in row["note"]


def test_resuming_does_not_pool_runs_of_other_options(photos, tmp_path):
    out = tmp_path / "out"
    common = ["--precision", "fp32,bf16", "--out", out]
    run("compare", *arguments(photos, *common, "--steps", 9, "--repeats", 2, "--sessions", 2))
    before = {path.name: path.read_bytes() for path in out.glob("*.*") if path.suffix != ".log"}
    result = run("compare", *arguments(photos, *common, "--steps", 8, "--repeats", 2, "--sessions", 2, "--resume"), code=2)
    line = result.stderr.splitlines()[-1]
    assert "--resume" in line and "--steps was 9 and is 8 now" in line and str(out) in line
    for name, content in before.items():
        assert (out / name).read_bytes() == content, name
    run("compare", *arguments(photos, *common, "--steps", 9, "--repeats", 3, "--sessions", 3, "--resume"))
    for row in rows(out / "comparison.csv"):
        assert row["pairs"] == row["sessions"] == "3"


def test_one_class_in_validation_has_no_f1(photos, tmp_path):
    out = tmp_path / "first"
    run("train", *arguments(photos, "--steps", 1, "--out", out))
    lines = (out / "split.csv").read_text().splitlines()
    one_class = [lines[0]] + [line.replace("validation", "train") if "trouser" in line else line for line in lines[1:]]
    split = tmp_path / "split.csv"
    split.write_text("\n".join(one_class) + "\n")
    run("train", *arguments(photos, "--steps", 1, "--split", split, "--out", tmp_path / "out"))
    (record,) = rows(tmp_path / "out" / "runs.csv")
    assert record["status"] == "ok" and record["val_accuracy"] != ""
    assert record["val_auc"] == record["val_pf1"] == record["val_breast_pf1"] == ""
