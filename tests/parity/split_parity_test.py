"""Folds beside scikit-learn's StratifiedGroupKFold: not the same ones, but no worse balanced."""
import driver
import numpy as np
import pytest
from sklearn.model_selection import StratifiedGroupKFold


def rsna_like(seed, patients, positive_share=0.04):
    """4 to 14 images a patient, 1 to 4 of them positive where any is: about 2 % of all images."""
    generator = np.random.default_rng(seed)
    groups, labels = [], []
    for patient in range(patients):
        images = min(14, 4 + generator.geometric(0.6) - 1)
        positives = generator.integers(1, 5) if generator.random() < positive_share else 0
        groups += [patient] * images
        labels += [int(image < positives) for image in range(images)]
    return np.array(groups), np.array(labels)


def spread(folds, weights):
    """Largest less smallest sum of the weights over the folds."""
    sums = [weights[fold].sum() for fold in folds]
    return max(sums) - min(sums)


def ours(groups, labels, k, seed):
    answer = driver.run("split", {"groups": groups.tolist(), "labels": labels.tolist(), "folds": k, "seed": seed})
    return [np.array(fold, dtype=int) for fold in answer]


@pytest.mark.filterwarnings("ignore:The least populated class")
@pytest.mark.parametrize("k", [2, 5, 10])
@pytest.mark.parametrize("patients", [60, 300, 1500])
def test_no_worse_balanced_than_scikit_learn(patients, k):
    for seed in range(6):
        groups, labels = rsna_like(seed, patients)
        folds = ours(groups, labels, k, seed)
        assert sorted(np.concatenate(folds)) == list(range(len(groups)))
        for i, fold in enumerate(folds):
            for other in folds[:i]:
                assert not set(groups[fold]) & set(groups[other])
        with_shuffle = StratifiedGroupKFold(k, shuffle=True, random_state=seed)
        theirs = [validation for _, validation in with_shuffle.split(groups, labels, groups)]
        everything = np.ones(len(groups), dtype=int)
        for weights in (labels, everything):
            assert spread(folds, weights) <= spread(theirs, weights), (seed, spread(folds, weights))


def test_balances_more_than_two_classes():
    generator = np.random.default_rng(0)
    for _ in range(10):
        labels = generator.integers(0, 7, 400)
        folds = ours(np.arange(400), labels, 4, 1)
        for label in range(7):
            assert spread(folds, (labels == label).astype(int)) <= 1
        assert spread(folds, np.ones(400, dtype=int)) <= 1
