"""Differences of metrics with their intervals, against implementations from the papers in NumPy, SciPy and scikit-learn.

Every metric is scikit-learn's, or NumPy's where that has none; placements are means over all pairs, a jackknife computes
the metric anew without each patient, and V is Obuchowski and Rockette's as Hillis (2007) writes it."""
import itertools

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from driver import run

TWO_SAMPLE = ("auc", "sensitivity_at_90_specificity")
OF_PROBABILITIES = ("pf1", "brier", "ece")
METRICS = (*TWO_SAMPLE, "accuracy", "pr_auc", *OF_PROBABILITIES)


def ask(what, **request):
    return run("metric_comparison", {"what": what, **request})


# The metrics

def sensitivity(label, score):
    false, true, _ = metrics.roc_curve(label, score, drop_intermediate=False)
    return true[false <= 0.1].max()


def calibration_error(label, probability):
    bins = np.linspace(0, 1, 16)
    gap, _, _ = stats.binned_statistic(probability, probability - label, "sum", bins)
    return np.abs(gap).sum() / len(label)


def probabilistic_f1(label, probability):
    """Each image counts as positive with weight p and as negative with weight 1 - p."""
    return metrics.f1_score(np.tile(label, 2), np.repeat((1, 0), len(label)),
                            sample_weight=np.concatenate([probability, 1 - probability]))


FUNCTIONS = {"auc": metrics.roc_auc_score, "pr_auc": metrics.average_precision_score, "accuracy": metrics.accuracy_score,
             "sensitivity_at_90_specificity": sensitivity, "pf1": probabilistic_f1, "brier": metrics.brier_score_loss,
             "ece": calibration_error}


def values_of(seed, arm, metric):
    """What the metric takes of one arm's predictions."""
    if metric == "accuracy":
        return np.array(seed[f"{arm}_predicted"])
    if metric in OF_PROBABILITIES and f"{arm}_probability" in seed:
        return np.array(seed[f"{arm}_probability"])
    return np.array(seed[f"{arm}_score"])


# Covariances over patients

def auc_components(label, score):
    """What each sample adds (DeLong et al., 1988, equation 4), by its placement."""
    order = np.sign(score[label == 1][:, None] - score[label == 0][None, :]) / 2 + 0.5
    components = np.empty(len(label))
    components[label == 1] = order.mean(axis=1)
    components[label == 0] = order.mean(axis=0)
    return components - order.mean()


def sensitivity_components(label, score):
    """The influence function of a sensitivity at a quantile of the negatives, its slope by a difference quotient."""
    false, true, thresholds = metrics.roc_curve(label, score, drop_intermediate=False)
    chosen = np.flatnonzero(false <= 0.1)[-1]
    before = np.flatnonzero(false <= 0.05)[-1]
    after = np.flatnonzero(false >= 0.15)[0]
    slope = (true[after] - true[before]) / (false[after] - false[before])
    above = score >= thresholds[chosen]
    return np.where(label == 1, above - true[chosen], -slope * (above - false[chosen]))


def clustered_covariance(label, group, a, b):
    """Obuchowski (1997), section 3: S10/M + S01/N + (S11 + S11')/(M N)."""
    patients = np.unique(group)
    positive, negative = label == 1, label == 0

    def sums(components, of_class):
        return np.array([components[(group == patient) & of_class].sum() for patient in patients])

    def covariance(x, y, count):
        return count / (count - 1) * (x * y).sum()

    with_positive = len(np.unique(group[positive]))
    with_negative = len(np.unique(group[negative]))
    many, few = positive.sum(), negative.sum()
    s10 = covariance(sums(a, positive), sums(b, positive), with_positive) / many
    s01 = covariance(sums(a, negative), sums(b, negative), with_negative) / few
    s11 = covariance(sums(a, positive), sums(b, negative), len(patients))
    s11 += covariance(sums(a, negative), sums(b, positive), len(patients))
    return s10 / many + s01 / few + s11 / (many * few)


def pseudo_values(label, group, value_of):
    """Of one seed: G theta - (G - 1) theta without patient i."""
    patients = np.unique(group)
    count = len(patients)
    without = np.array([value_of(group != patient) for patient in patients])
    return count * value_of(np.full(len(label), True)) - (count - 1) * without


def reference(seeds, metric, confidence):
    label, group = np.array(seeds[0]["label"]), np.array(seeds[0]["group"])
    function = FUNCTIONS[metric]
    arms = [[function(label, values_of(seed, arm, metric)) for seed in seeds] for arm in ("baseline", "arm")]
    differences = np.subtract(arms[1], arms[0])
    count = len(seeds)
    covariance = np.empty((count, count))
    if metric in TWO_SAMPLE:
        components_of = auc_components if metric == "auc" else sensitivity_components
        components = [components_of(label, values_of(seed, "arm", metric))
                      - components_of(label, values_of(seed, "baseline", metric)) for seed in seeds]
        for a, b in itertools.product(range(count), repeat=2):
            covariance[a, b] = clustered_covariance(label, group, components[a], components[b])
    else:
        pseudo = [pseudo_values(label, group,
                                lambda rows, seed=seed: function(label[rows], values_of(seed, "arm", metric)[rows])
                                - function(label[rows], values_of(seed, "baseline", metric)[rows])) for seed in seeds]
        covariance = np.atleast_2d(np.cov(pseudo)) / len(pseudo[0])
    patients = len(np.unique(group))
    least = min(len(np.unique(group[label == 1])), len(np.unique(group[label == 0])))
    effective = patients if metric in ("accuracy", "brier", "ece") else least
    if count == 1:
        variance, freedom, spread = covariance[0, 0], effective - 1, 0
    else:
        spread = np.std(differences, ddof=1)
        of_seeds = spread**2 / count
        of_cases = max(0, covariance[~np.eye(count, dtype=bool)].mean())
        variance = of_seeds + of_cases
        freedom = variance**2 / (of_seeds**2 / (count - 1) + of_cases**2 / (effective - 1))
        freedom = min(freedom, 2 * (count - 1), effective - 1)
    low, high = stats.t.interval(confidence, freedom, loc=differences.mean(), scale=np.sqrt(variance))
    return {"baseline": np.mean(arms[0]), "arm": np.mean(arms[1]), "delta": differences.mean(), "seed_sd": spread,
            "standard_error": np.sqrt(variance), "degrees_of_freedom": freedom, "low": low, "high": high}


def make_seeds(generator, count, patients, most_images=1, decimals=None, spread=0.3):
    """Images of patients who may have both classes; scores are log-odds, with ties where they are rounded."""
    group = np.repeat(np.arange(patients), generator.integers(1, most_images + 1, patients))
    at_risk = generator.random(patients) < 0.5
    label = (at_risk[group] & (generator.random(len(group)) < 0.5)).astype(int)
    difficulty = generator.normal(0, 1, patients)[group] + generator.normal(0, 0.5, len(group)) + 1.5 * label
    of_arm = generator.normal(0, 0.5, patients)[group]
    seeds = []
    for _ in range(count):
        seed = {"group": [f"p{g}" for g in group], "label": label.tolist()}
        for arm in ("baseline", "arm"):
            logit = difficulty + generator.normal(0, spread, len(group)) + generator.normal(0, 0.1) - 1
            if arm == "arm":
                logit += of_arm - 0.2 * label
            if decimals is not None:
                logit = np.round(logit, decimals)
            seed[f"{arm}_score"] = logit.tolist()
            seed[f"{arm}_probability"] = (1 / (1 + np.exp(-logit))).tolist()
            seed[f"{arm}_predicted"] = (logit >= 0).astype(int).tolist()
        seeds.append(seed)
    return seeds


SETS = {"one image": {"patients": 40}, "images of patients": {"patients": 30, "most_images": 6},
        "ties": {"patients": 30, "most_images": 4, "decimals": 0}, "seeds vary": {"patients": 50, "spread": 2.0}}


@pytest.mark.parametrize("kind", SETS)
@pytest.mark.parametrize("count", (1, 2, 3, 5, 10))
@pytest.mark.parametrize("metric", METRICS)
def test_differences_and_their_intervals(metric, count, kind):
    seeds = make_seeds(np.random.default_rng(count), count, **SETS[kind])
    confidence = 0.8 if count == 3 else 0.95
    ours = ask("compare", seeds=seeds, metric=metric, confidence=confidence)
    for name, value in reference(seeds, metric, confidence).items():
        assert ours[name] == pytest.approx(value, rel=1e-9, abs=1e-12), name
    label, group = np.array(seeds[0]["label"]), np.array(seeds[0]["group"])
    assert ours["seeds"] == count
    assert ours["patients"] == len(set(group))
    assert ours["positive_patients"] == len(set(group[label == 1]))
    assert ours["negative_patients"] == len(set(group[label == 0]))


def test_the_reference_sets_meet_every_bound_of_the_degrees_of_freedom():
    """Otherwise the comparison above would not see one of them."""
    met = set()
    for kind, count in itertools.product(SETS, (2, 3, 5, 10)):
        seeds = make_seeds(np.random.default_rng(count), count, **SETS[kind])
        label, group = np.array(seeds[0]["label"]), np.array(seeds[0]["group"])
        least = min(len(set(group[label == 1])), len(set(group[label == 0])))
        freedom = reference(seeds, "auc", 0.95)["degrees_of_freedom"]
        met.add("seeds" if freedom == 2 * (count - 1) else "patients" if freedom == least - 1 else "Satterthwaite")
    assert met == {"seeds", "patients", "Satterthwaite"}


def test_accuracy_of_many_classes():
    generator = np.random.default_rng(1)
    label = generator.integers(0, 5, 200)
    seeds = []
    for _ in range(4):
        predicted = [np.where(generator.random(200) < 0.7, label, generator.integers(0, 5, 200)) for _ in range(2)]
        seeds.append({"group": [str(i // 2) for i in range(200)], "label": label.tolist(),
                      "baseline_score": [0.0] * 200, "arm_score": [0.0] * 200,
                      "baseline_predicted": predicted[0].tolist(), "arm_predicted": predicted[1].tolist()})
    ours = ask("compare", seeds=seeds, metric="accuracy", confidence=0.95)
    expected = [metrics.accuracy_score(label, seed["arm_predicted"])
                - metrics.accuracy_score(label, seed["baseline_predicted"]) for seed in seeds]
    assert ours["delta"] == pytest.approx(np.mean(expected), rel=1e-9)
    assert ours["seed_sd"] == pytest.approx(np.std(expected, ddof=1), rel=1e-9)
    assert ask("compare", seeds=seeds, metric="auc", confidence=0.95) is None


def test_jackknife_of_a_mean_is_its_standard_error():
    """Accuracy of one image a patient, one seed: the standard error of a paired difference of means."""
    seeds = make_seeds(np.random.default_rng(2), 1, patients=200)
    ours = ask("compare", seeds=seeds, metric="accuracy", confidence=0.95)
    right = [np.equal(seeds[0][f"{arm}_predicted"], seeds[0]["label"]).astype(int) for arm in ("baseline", "arm")]
    assert ours["standard_error"] == pytest.approx(stats.sem(right[1] - right[0]), rel=1e-12)
    expected = stats.ttest_rel(right[1], right[0]).confidence_interval(0.95)
    assert [ours["low"], ours["high"]] == pytest.approx(list(expected), rel=1e-9)


@pytest.mark.parametrize("size", (2, 10, 300, 3000))
@pytest.mark.parametrize("share", (0.02, 0.3, 0.9))
@pytest.mark.parametrize("decimals", (17, 2, 1))
def test_metrics(size, share, decimals):
    generator = np.random.default_rng(size)
    labels = (generator.random(size) < share).astype(int)
    labels[:2] = (0, 1)
    scores = 1 / (1 + np.exp(-(generator.normal(0, 1, size) + labels - 1)))
    if decimals < 17:  # not a multiple of 1/15, where an end of a bin is a matter of rounding
        scores = np.round(scores, decimals) * 0.98 + 0.01
    ours = ask("metrics", scores=scores.tolist(), labels=labels.tolist())
    assert ours["pr_auc"] == pytest.approx(metrics.average_precision_score(labels, scores), rel=1e-12)
    assert ours["sensitivity"] == pytest.approx(sensitivity(labels, scores), rel=1e-12)
    assert ours["brier"] == pytest.approx(metrics.brier_score_loss(labels, scores), rel=1e-12)
    assert ours["ece"] == pytest.approx(calibration_error(labels, scores), rel=1e-10)


@pytest.mark.parametrize("baseline, arm", ((0, 0), (1, 0), (0, 1), (3, 3), (10, 4), (4, 10), (150, 211), (0, 60), (4999, 5203),
                                           (10_000_000, 10_006_000), (9_990_000, 10_010_000), (1_000_000, 990_000)))
def test_mcnemar(baseline, arm):
    expected = stats.binomtest(arm, baseline + arm, 0.5).pvalue if baseline + arm else 1
    assert ask("mcnemar", baseline=baseline, arm=arm) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("folds", (2, 5, 10))
@pytest.mark.parametrize("confidence", (0.9, 0.95))
def test_folds(folds, confidence):
    differences = np.random.default_rng(folds).normal(0.01, 0.02, folds)
    ratio = 1 / (folds - 1)
    ours = ask("folds", differences=differences.tolist(), ratio=ratio, confidence=confidence)
    error = np.sqrt((1 / folds + ratio) * differences.var(ddof=1))
    assert ours == pytest.approx([differences.mean(),
                                  *stats.t.interval(confidence, folds - 1, loc=differences.mean(), scale=error)], rel=1e-9)


def provable_margin(plan):
    """By Hanley and McNeil's variance, in the words of Hillis's tables."""
    auc, positives, negatives, seeds = plan["auc"], plan["positives"], plan["negatives"], plan["seeds"]
    q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    error = np.sqrt((auc * (1 - auc) + (positives - 1) * (q1 - auc**2) + (negatives - 1) * (q2 - auc**2))
                    / (positives * negatives))
    own = 2 * error**2 * (1 - plan["score_correlation"])
    cases = own * plan["shared"]
    readers = (2 * plan["seed_sd"]**2 * (1 - plan["seed_correlation"]) + own * (1 - plan["shared"])) / seeds
    total = cases + readers
    least = min(positives, negatives)
    freedom = min(total**2 / (readers**2 / (seeds - 1) + cases**2 / (least - 1)), 2 * (seeds - 1), least - 1)
    quantiles = stats.t.ppf((1 + plan["confidence"]) / 2, freedom) + stats.t.ppf(plan["power"], freedom)
    return quantiles * np.sqrt(total)


@pytest.mark.parametrize("seeds", (3, 5, 10, 40))
@pytest.mark.parametrize("positives, negatives", ((12, 588), (40, 1960), (300, 100)))
@pytest.mark.parametrize("seed_sd", (0.002, 0.02))
def test_margins(seeds, positives, negatives, seed_sd):
    plan = {"positives": positives, "negatives": negatives, "seeds": seeds, "auc": 0.9, "seed_sd": seed_sd,
            "score_correlation": 0.9, "shared": 0.4, "seed_correlation": 0.1, "confidence": 0.9, "power": 0.7}
    ours = ask("margin", **plan, target=0.03)
    assert ours["margin"] == pytest.approx(provable_margin(plan), rel=1e-9)

    def is_enough(number):
        negatives_then = number * negatives / positives
        return min(number, negatives_then) >= 10 \
            and provable_margin({**plan, "positives": number, "negatives": negatives_then}) <= 0.03

    fewest = next((number for number in range(1, 3000) if is_enough(number)), None)
    assert ours["positives"] == fewest
