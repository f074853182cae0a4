"""Metrics against scikit-learn's, scores of units against NumPy."""
import numpy as np
import pytest
from sklearn import metrics

from driver import run


def score_sets():
    """Scores in [0, 1] and labels: few and many, few and many positives, with and without ties."""
    generator = np.random.default_rng(3)
    for size in (2, 3, 10, 300, 3000):
        for share in (0.02, 0.3, 0.5, 0.9):
            for decimals in (17, 2, 1):
                labels = (generator.random(size) < share).astype(int)
                labels[:2] = (0, 1)
                logits = generator.normal(0, 1, size) + labels - 1
                yield labels, np.round(1 / (1 + np.exp(-logits)), decimals)


SCORE_SETS = pytest.mark.parametrize("labels, scores", list(score_sets()), ids=lambda v: f"{len(v)}")


def of_scores(labels, scores):
    return run("metrics", {"what": "scores", "labels": labels.tolist(), "scores": scores.tolist()})


@SCORE_SETS
def test_area_under_the_curve(labels, scores):
    assert of_scores(labels, scores)["auc"] == pytest.approx(metrics.roc_auc_score(labels, scores), abs=1e-12)


@SCORE_SETS
def test_probabilistic_f1_is_f1_of_fractional_predictions(labels, scores):
    """Each image counts as positive with weight p and as negative with weight 1 - p."""
    expected = metrics.f1_score(np.tile(labels, 2), np.repeat((1, 0), len(labels)),
                                sample_weight=np.concatenate([scores, 1 - scores]))
    assert of_scores(labels, scores)["pf1"] == pytest.approx(expected, abs=1e-12)


@SCORE_SETS
def test_best_threshold(labels, scores):
    ours = of_scores(labels, scores)
    precision, recall, thresholds = metrics.precision_recall_curve(labels, scores)
    total = precision + recall
    f1 = np.divide(2 * precision * recall, total, out=np.zeros_like(total), where=total > 0)[:-1]
    assert ours["best_f1"] == pytest.approx(f1.max(), abs=1e-12)
    assert ours["threshold"] == thresholds[np.isclose(f1, f1.max(), rtol=1e-12)].min()
    at_it = metrics.f1_score(labels, scores >= ours["threshold"])
    assert ours["best_f1"] == pytest.approx(at_it, abs=1e-12)
    assert ours["pf1_when_cut"] == pytest.approx(at_it, abs=1e-12)


@pytest.mark.parametrize("classes", (2, 3, 10))
@pytest.mark.parametrize("size", (1, 7, 500))
def test_accuracy_and_confusion(classes, size):
    generator = np.random.default_rng(size)
    labels, predicted = generator.integers(0, classes, (2, size))
    labels[labels == classes - 1] = 0  # a class that is predicted and never true
    ours = run("metrics", {"what": "classes", "classes": classes, "labels": labels.tolist(),
                           "predicted": predicted.tolist()})
    assert ours["accuracy"] == pytest.approx(metrics.accuracy_score(labels, predicted), abs=1e-15)
    expected = metrics.confusion_matrix(labels, predicted, labels=range(classes))
    assert np.array_equal(np.reshape(ours["confusion"], (classes, classes)), expected)


@pytest.mark.parametrize("scoring, combine", (("mean", np.mean), ("max", np.max)))
@pytest.mark.parametrize("bad", (None, np.nan, np.inf))
def test_units(scoring, combine, bad):
    generator = np.random.default_rng(4)
    units = np.array([f"{i}_{side}" for i in range(40) for side in "LR" for _ in range(generator.integers(1, 5))])
    generator.shuffle(units)
    labels = generator.integers(0, 2, len(units))
    scores = generator.random(len(units))
    if bad is not None:
        scores[[3, 50]] = bad
    listed = ["nan" if np.isnan(s) else "inf" if np.isinf(s) else s for s in scores.tolist()]
    ours = run("metrics", {"what": "units", "scoring": scoring, "units": units.tolist(), "labels": labels.tolist(),
                           "scores": listed})
    assert [row["unit"] for row in ours] == list(dict.fromkeys(units.tolist()))
    for row in ours:
        of_unit = units == row["unit"]
        assert row["images"] == of_unit.sum()
        assert row["label"] == labels[of_unit].max()
        assert float(row["score"]) == pytest.approx(combine(scores[of_unit]), rel=1e-15, nan_ok=True)
