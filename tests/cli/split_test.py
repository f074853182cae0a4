"""Folds, split files and augmentation, as train and compare take them."""
import pytest
from mpbench_command import one_line, rows, run


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    folder = tmp_path_factory.mktemp("set")
    run("synth", folder / "set", "--patients", 12, "--height", 128, "--width", 128)
    run("preprocess", "--data", folder / "set", "--cache", folder / "images.safetensors", "--image-size", 32)
    return folder / "images.safetensors"


def train(cache, out, *arguments, **options):
    return run("train", "--data", cache, "--epochs", 1, "--batch-size", 8, "--warmup-steps", 0, "--threads", 1,
               "--device", "cpu", "--out", out, *arguments, **options)


def outcome(out):
    (record,) = rows(out / "runs.csv")
    return [record[name] for name in ["n_train", "n_val", "train_loss", "val_loss"]]


def sides(out):
    return {row["id"]: row["split"] for row in rows(out / "split.csv")}


def test_every_image_is_validated_in_one_fold(cache, tmp_path):
    validated = []
    for fold in range(3):
        train(cache, tmp_path / str(fold), "--folds", 3, "--fold", fold)
        table = rows(tmp_path / str(fold) / "split.csv")
        assert list(table[0]) == ["id", "split", "fold"]
        assert all((row["split"] == "validation") == (row["fold"] == str(fold)) for row in table)
        validated += [row["id"] for row in table if row["split"] == "validation"]
    assert len(validated) == len(set(validated)) == len(table)


def test_a_split_file_repeats_the_split(cache, tmp_path):
    train(cache, tmp_path / "made", "--folds", 3, "--fold", 1)
    file = tmp_path / "made" / "split.csv"
    train(cache, tmp_path / "read", "--split", file)
    assert outcome(tmp_path / "read") == outcome(tmp_path / "made")
    assert sides(tmp_path / "read") == sides(tmp_path / "made")
    train(cache, tmp_path / "other", "--split", file, "--folds", 3, "--fold", 2)
    assert outcome(tmp_path / "other") != outcome(tmp_path / "made")
    folds = {row["id"]: row["fold"] for row in rows(tmp_path / "other" / "split.csv")}
    assert folds == {row["id"]: row["fold"] for row in rows(file)}


def test_a_patient_on_both_sides_is_refused(cache, tmp_path):
    train(cache, tmp_path / "made", "--folds", 3)
    file = tmp_path / "made" / "split.csv"
    lines = file.read_text().splitlines()
    patients = {row["sample_id"]: row["group"] for row in rows(next((tmp_path / "made" / "predictions").iterdir()))}
    assert len(set(patients.values())) < len(patients), "patients have several images"
    wrong = next(i for i, line in enumerate(lines) if line.split(",")[1] == "validation")
    lines[wrong] = lines[wrong].replace("validation", "train")
    file.write_text("\n".join(lines) + "\n")
    line = train(cache, tmp_path / "out", "--split", file, code=1).stderr.splitlines()[-1]
    patient = patients[lines[wrong].split(",")[0]]
    assert "split.csv: row" in line and f"the earlier images of patient {patient} are" in line, line
    line = one_line(train(cache, tmp_path / "out", "--split", tmp_path / "none.csv", code=1))
    assert "none.csv" in line, line


def test_config_toml_repeats_an_augmented_run(cache, tmp_path):
    flags = ["--augment-flip", "--augment-degrees", 10, "--augment-shift", 0.05, "--augment-zoom", 0.1,
             "--augment-brightness", 0.1, "--augment-contrast", 0.1]
    train(cache, tmp_path / "plain")
    train(cache, tmp_path / "varied", *flags)
    assert outcome(tmp_path / "plain") != outcome(tmp_path / "varied")
    run("train", "--config", tmp_path / "varied" / "config.toml", "--workers", 3, "--out", tmp_path / "again")
    assert outcome(tmp_path / "again") == outcome(tmp_path / "varied")
    line = one_line(train(cache, tmp_path / "out", "--augment-zoom", 3, code=2))
    assert "--augment-zoom 3: must be 0 to 0.5" in line, line


def test_compare_hands_the_options_to_its_runs(cache, tmp_path):
    run("compare", "--data", cache, "--precision", "fp32,bf16", "--repeats", 2, "--sessions", 2, "--epochs", 3, "--batch-size", 8,
        "--threads", 1, "--device", "cpu", "--folds", 3, "--fold", 2, "--augment-flip", "--out", tmp_path / "out")
    runs = list((tmp_path / "out" / "runs").iterdir())
    assert len(runs) == 6
    for folder in runs:
        text = (folder / "run.toml").read_text()
        assert "folds = 3\nfold = 2\n" in text and "augment-flip = true\n" in text
        assert {row["fold"] for row in rows(folder / "split.csv") if row["split"] == "validation"} == {"2"}
