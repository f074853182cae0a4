"""The comparison's statistics against NumPy, SciPy and scikit-learn, and its tables against Python's csv module."""
import csv
import json
import os
import pathlib
import subprocess

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

DRIVER = pathlib.Path(os.environ["MPBENCH_BUILD"]) / "parity_driver"
ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def ask():
    with subprocess.Popen([DRIVER, "statistics"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def send(what, **request):
            process.stdin.write(json.dumps({"what": what, **request}) + "\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())

        yield send
        process.stdin.close()


def samples():
    generator = np.random.default_rng(1)
    for size in (2, 3, 4, 5, 10, 101):
        yield generator.lognormal(2, 0.7, size)
        yield 1e6 + generator.normal(0, 1e-3, size)  # variance by sums of squares would lose all digits
        yield np.round(generator.normal(10, 2, size))  # ties
    yield np.full(4, 3.25)


@pytest.mark.parametrize("values", list(samples()), ids=lambda v: f"n{len(v)}-{v[0]:.3g}")
def test_descriptions(ask, values):
    listed = values.tolist()
    assert ask("median", values=listed) == pytest.approx(np.median(values), rel=1e-14)
    assert ask("mad", values=listed) == pytest.approx(
        stats.median_abs_deviation(values, scale=1.0), rel=1e-9, abs=1e-14)
    assert ask("deviation", values=listed) == pytest.approx(np.std(values, ddof=1), rel=1e-9, abs=1e-14)
    for q in (0, 0.025, 0.1, 1 / 3, 0.5, 0.975, 1):
        assert ask("quantile", values=listed, q=q) == pytest.approx(np.quantile(values, q), rel=1e-14)


@pytest.mark.parametrize("confidence", (0.5, 0.9, 0.95, 0.999))
@pytest.mark.parametrize("size", (2, 3, 5, 30))
def test_intervals(ask, size, confidence):
    generator = np.random.default_rng(size)
    arm = generator.lognormal(5, 0.05, size)
    baseline = generator.lognormal(4.8, 0.05, size)

    ours = ask("mean_interval", values=arm.tolist(), confidence=confidence)
    low, high = stats.t.interval(confidence, size - 1, loc=np.mean(arm), scale=stats.sem(arm))
    assert [ours["value"], ours["low"], ours["high"]] == pytest.approx([np.mean(arm), low, high], rel=1e-11)

    ours = ask("ratio_interval", values=arm.tolist(), other=baseline.tolist(), confidence=confidence)
    theirs = stats.ttest_rel(np.log(arm), np.log(baseline)).confidence_interval(confidence)
    assert ours["value"] == pytest.approx(stats.gmean(arm / baseline), rel=1e-12)
    assert [ours["low"], ours["high"]] == pytest.approx(np.exp([theirs.low, theirs.high]), rel=1e-11)


def test_noise_floor_is_the_spread_between_two_like_runs(ask):
    values = [100.0, 103.0, 98.5, 101.0]
    floor = ask("noise_floor", values=values)
    assert floor == pytest.approx(stats.gstd(values) ** np.sqrt(2) - 1, rel=1e-12)

    # What it says: the log-ratio of two runs drawn alike has this standard deviation.
    generator = np.random.default_rng(3)
    runs = generator.lognormal(0, 0.02, 4000)
    pairs = np.log(runs[0::2] / runs[1::2])
    assert ask("noise_floor", values=runs.tolist()) == pytest.approx(np.std(pairs), rel=0.05)


@pytest.mark.parametrize("repeats", (2, 3, 5))
def test_like_arms_are_seldom_told_apart(ask, repeats):
    """Two arms drawn alike, 1,000 times: the interval alone would err in 5 %, the noise floor makes that rarer."""
    generator = np.random.default_rng(repeats)
    wrong = 0
    for _ in range(1000):
        drift = generator.normal(0, 0.05, repeats)
        speeds = np.exp(5 + drift + generator.normal(0, 0.01, (2, repeats)))
        wrong += ask("verdict", fp32=speeds[0].tolist(), bf16=speeds[1].tolist()) != "indistinguishable"
    assert wrong <= 50


def test_a_real_speed_up_is_found(ask):
    generator = np.random.default_rng(0)
    verdicts = []
    for _ in range(200):
        speeds = np.exp(5 + generator.normal(0, 0.01, (2, 3)))
        verdicts.append(ask("verdict", fp32=speeds[0].tolist(), bf16=(1.3 * speeds[1]).tolist()))
    assert verdicts.count("faster") >= 195
    assert "slower" not in verdicts


def make_repeat(generator, patients, shift=0.0):
    """Two views a breast, scores that share the patient's and the image's difficulty."""
    group = np.repeat(np.arange(patients), 2)
    label = np.repeat(generator.integers(0, 2, patients), 2)
    shared = label + np.repeat(generator.normal(0, 1, patients), 2)
    logits = [shared + generator.normal(0, 0.5, 2 * patients), shared + generator.normal(0, 0.5, 2 * patients)]
    logits[1] += shift * label
    baseline, arm = (1 / (1 + np.exp(0.5 - logit)) for logit in logits)
    return {"group": [f"p{g}" for g in group], "label": label.tolist(),
            "baseline_score": baseline.tolist(), "arm_score": arm.tolist()}


def auc(label, score):
    """By SciPy's ranks: a tenth of the time of scikit-learn's, which test_bootstrap_agrees_with_scipys holds it to."""
    positives = label.sum()
    ranks = stats.rankdata(score)[label == 1].sum()
    return (ranks - positives * (positives + 1) / 2) / (positives * (len(label) - positives))


def difference(repeat, metric, rows=slice(None)):
    label = np.array(repeat["label"])[rows]
    baseline = np.array(repeat["baseline_score"])[rows]
    arm = np.array(repeat["arm_score"])[rows]
    if metric == "auc":
        return auc(label, arm) - auc(label, baseline)
    return np.mean((arm >= 0.5) == label) - np.mean((baseline >= 0.5) == label)


@pytest.mark.parametrize("metric", ("auc", "accuracy"))
def test_bootstrap_agrees_with_scipys(ask, metric):
    """SciPy resamples the patients; the ends may differ by what some thousand resamples leave to chance."""
    repeat = make_repeat(np.random.default_rng(5), 150, shift=0.2)
    ours = ask("bootstrap", repeats=[repeat], metric=metric, resamples=4000)
    label, arm, baseline = (np.array(repeat[name]) for name in ("label", "arm_score", "baseline_score"))
    if metric == "auc":
        expected = metrics.roc_auc_score(label, arm) - metrics.roc_auc_score(label, baseline)
    else:
        expected = metrics.accuracy_score(label, arm >= 0.5) - metrics.accuracy_score(label, baseline >= 0.5)
    assert ours["value"] == pytest.approx(expected, abs=1e-12)
    assert difference(repeat, metric) == pytest.approx(expected, abs=1e-12)
    assert ours["groups"] == 150

    def statistic(patients):
        rows = np.concatenate([2 * patients, 2 * patients + 1])
        return difference(repeat, metric, rows)

    theirs = stats.bootstrap((np.arange(150),), statistic, n_resamples=2000, vectorized=False, method="percentile",
                             random_state=np.random.default_rng(6))
    width = theirs.confidence_interval.high - theirs.confidence_interval.low
    assert ours["low"] == pytest.approx(theirs.confidence_interval.low, abs=0.08 * width)
    assert ours["high"] == pytest.approx(theirs.confidence_interval.high, abs=0.08 * width)


def test_bootstrap_width_is_the_analytic_one(ask):
    """Accuracy of one image a patient: the paired difference has a standard error in closed form."""
    generator = np.random.default_rng(7)
    label = np.ones(400, dtype=int)
    baseline = (generator.random(400) < 0.8).astype(float)
    arm = np.where(generator.random(400) < 0.1, 1 - baseline, baseline)
    repeat = {"group": [str(i) for i in range(400)], "label": label.tolist(),
              "baseline_score": baseline.tolist(), "arm_score": arm.tolist()}
    ours = ask("bootstrap", repeats=[repeat], metric="accuracy", resamples=4000)
    error = np.std(arm - baseline) / np.sqrt(400)
    assert ours["high"] - ours["low"] == pytest.approx(2 * 1.96 * error, rel=0.06)


def test_bootstrap_covers_the_truth(ask):
    """150 experiments whose true difference is 0: 95 % intervals miss it in about 7 of them."""
    generator = np.random.default_rng(8)
    missed = 0
    for seed in range(150):
        ours = ask("bootstrap", repeats=[make_repeat(generator, 80)], metric="auc", resamples=300, seed=seed)
        missed += not ours["low"] <= 0 <= ours["high"]
    assert 1 <= missed <= 18  # binomial(150, 0.05): outside this range once in 2,000


def test_bootstrap_over_repeats_covers_training_chance(ask):
    """Each repeat has its own luck in training, on the same patients; patients alone would miss that spread."""
    generator = np.random.default_rng(9)
    missed = {"crossed": 0, "one repeat": 0}
    for seed in range(100):
        luck = generator.normal(0, 0.6, 5)
        patients = generator.integers(0, 2**31)
        repeats = [make_repeat(np.random.default_rng(patients), 80, shift) for shift in luck]
        crossed = ask("bootstrap", repeats=repeats, metric="auc", resamples=200, seed=seed)
        single = ask("bootstrap", repeats=repeats[:1], metric="auc", resamples=200, seed=seed)
        missed["crossed"] += not crossed["low"] <= 0 <= crossed["high"]
        missed["one repeat"] += not single["low"] <= 0 <= single["high"]
    assert missed["crossed"] <= 15
    assert missed["one repeat"] > 1.5 * missed["crossed"]


def test_tables_are_what_the_csv_module_reads(ask, tmp_path):
    texts = ["plain", "a,b", 'say "no"', "two\nlines", "cr\r\nlf", '"', ",", '",\n"', "ümläut × 中文", "'", "#", ";",
             "\t", " padded "]
    path = tmp_path / "runs.csv"
    number = 0.1 + 0.2
    back = ask("round_trip", path=str(path), texts=texts, number=number)
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, strict=True))
    assert [row["error"] for row in rows] == texts
    assert back == texts
    assert all(float(row["images_per_s"]) == number for row in rows)
    assert all(row["energy_j"] == "" and row["val_auc"] == "" for row in rows)


def test_every_column_is_documented(ask):
    text = (ROOT / "docs" / "csv.md").read_text()
    for name, columns in ask("columns").items():
        section = text.split(f"## {name}")[1].split("\n## ")[0]
        documented = [line.split("|")[1].strip().strip("`") for line in section.splitlines() if line.startswith("| `")]
        assert documented == columns, f"docs/csv.md, {name}"
