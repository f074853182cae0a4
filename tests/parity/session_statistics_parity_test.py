"""The statistics over sessions against NumPy and SciPy. Holm's procedure has no reference in them: its definition is written out."""
import math

import numpy as np
import pytest
from scipy import integrate, stats

import driver


def ask(what, **request):
    return driver.run("session_statistics", {"what": what, **request})


def samples():
    generator = np.random.default_rng(11)
    for size in (2, 3, 6, 7, 12, 18, 30):
        yield generator.normal(0.02, 0.01, size)
        yield generator.normal(-0.03, 0.01, size)
        yield generator.standard_t(2, size) / 100  # outliers
        yield np.round(generator.normal(0, 0.02, size), 2)  # ties


def listed_samples():
    return [pytest.param(values, id=f"{i}-n{len(values)}") for i, values in enumerate(samples())]


@pytest.mark.parametrize("values", listed_samples())
def test_hodges_lehmann(values):
    rows, columns = np.triu_indices(len(values))
    expected = np.median((values[rows] + values[columns]) / 2)
    assert ask("hodges_lehmann", values=values.tolist()) == pytest.approx(expected, rel=1e-12, abs=1e-16)


def test_hodges_lehmann_is_the_centre_of_wilcoxons_test():
    """Shifted by the estimate, positive and negative ranks weigh the same (Hodges and Lehmann's definition)."""
    values = np.random.default_rng(12).exponential(1, 15)
    centred = values - ask("hodges_lehmann", values=values.tolist())
    result = stats.wilcoxon(centred + 1e-9, alternative="two-sided")
    assert result.statistic == pytest.approx(15 * 16 / 4, abs=1)


@pytest.mark.parametrize("level", (0.3, 0.05, 0.0221, 1e-4))
@pytest.mark.parametrize("values", listed_samples())
def test_intervals_and_verdicts(values, level):
    if np.ptp(values) == 0:
        pytest.skip("SciPy has no t test of like values")
    equivalence = 0.02
    ours = ask("interval", values=values.tolist(), level=level, equivalence=equivalence)
    theirs = stats.ttest_1samp(values, 0)
    low, high = theirs.confidence_interval(1 - level)
    assert ours["sessions"] == len(values)
    assert ours["mean"] == pytest.approx(values.mean(), rel=1e-11, abs=1e-16)
    assert ours["sd"] == pytest.approx(values.std(ddof=1), rel=1e-11)
    assert [ours["low"], ours["high"]] == pytest.approx([low, high], rel=1e-9, abs=1e-12)
    assert ours["p_value"] == pytest.approx(theirs.pvalue, rel=1e-9)

    # Schuirmann's two one-sided tests, by their p-values.
    bound = math.log1p(equivalence)
    above = stats.ttest_1samp(values, -bound, alternative="greater").pvalue
    below = stats.ttest_1samp(values, bound, alternative="less").pvalue
    assert ours["within"] == (max(above, below) < level)
    verdict = "unresolved"
    if theirs.pvalue < level:
        verdict = "faster" if values.mean() > 0 else "slower"
    elif ours["within"]:
        verdict = "equivalent"
    assert ours["verdict"] == verdict


@pytest.mark.parametrize("level", (0.3, 0.05, 0.01))
@pytest.mark.parametrize("sizes", ((2, 2), (2, 9), (6, 6), (6, 18), (18, 12)), ids=str)
def test_differences_of_independent_sessions(sizes, level):
    """Welch's t test, and Schuirmann's two one-sided tests by its p-values."""
    generator = np.random.default_rng(sum(sizes))
    equivalence = 0.02
    for shift in (-0.05, -0.01, 0, 0.005, 0.03):
        for spread in (0.002, 0.01, 0.05):
            earlier = generator.normal(4.6, 0.01, sizes[0])
            later = generator.normal(4.6 + shift, spread, sizes[1])
            ours = ask("mean_difference", earlier=earlier.tolist(), later=later.tolist(), level=level,
                       equivalence=equivalence)
            theirs = stats.ttest_ind(later, earlier, equal_var=False)
            low, high = theirs.confidence_interval(1 - level)
            assert ours["difference"] == pytest.approx(later.mean() - earlier.mean(), abs=1e-12)
            assert ours["degrees"] == pytest.approx(theirs.df, rel=1e-9)
            assert [ours["low"], ours["high"]] == pytest.approx([low, high], rel=1e-9, abs=1e-12)
            assert ours["p_value"] == pytest.approx(theirs.pvalue, rel=1e-7)
            bound = math.log1p(equivalence)
            above = stats.ttest_ind(later + bound, earlier, equal_var=False, alternative="greater").pvalue
            below = stats.ttest_ind(later - bound, earlier, equal_var=False, alternative="less").pvalue
            assert ours["within"] == (max(above, below) < level)
            if theirs.pvalue < level:
                assert ours["verdict"] == ("faster" if ours["difference"] > 0 else "slower")
            else:
                assert ours["verdict"] == ("equivalent" if ours["within"] else "unresolved")


def test_every_verdict_was_seen():
    """The samples above have each verdict, and differences that are small as well."""
    answers = [ask("interval", values=values.tolist(), level=level, equivalence=0.02)
               for values in samples() for level in (0.3, 0.05) if np.ptp(values) > 0]
    assert {answer["verdict"] for answer in answers} == {"faster", "slower", "equivalent", "unresolved"}
    assert any(answer["within"] and answer["verdict"] == "faster" for answer in answers)


@pytest.mark.parametrize("alpha", (0.01, 0.05, 0.2))
@pytest.mark.parametrize("looks", (2, 3, 5))
def test_pocock_level_holds_for_the_joint_normal_distribution(alpha, looks):
    """The z values of the looks are jointly normal with correlation sqrt(j / k); Genz's integration of them."""
    level = ask("pocock_level", alpha=alpha, looks=looks)
    critical = stats.norm.isf(level / 2)
    places = np.arange(1, looks + 1)
    correlation = np.sqrt(np.minimum.outer(places, places) / np.maximum.outer(places, places))
    inside = stats.multivariate_normal(cov=correlation, abseps=1e-7, releps=1e-7, maxpts=2_000_000,
                                       seed=1).cdf(np.full(looks, critical), lower_limit=np.full(looks, -critical))
    assert 1 - inside == pytest.approx(alpha, abs=1e-5)


def test_pocock_level_of_two_looks():
    """Of two looks the joint distribution is an integral over one variable, to 1e-9."""
    level = ask("pocock_level", alpha=0.05, looks=2)
    critical = stats.norm.isf(level / 2)

    def inside_both(first):
        edge = critical * math.sqrt(2)
        return stats.norm.pdf(first) * (stats.norm.cdf(edge - first) - stats.norm.cdf(-edge - first))

    inside, _ = integrate.quad(inside_both, -critical, critical, epsabs=1e-13, epsrel=1e-13)
    assert 1 - inside == pytest.approx(0.05, abs=1e-10)


@pytest.mark.parametrize("power", (0.5, 0.8, 0.95))
@pytest.mark.parametrize("level", (0.05, 0.0221))
def test_effects_and_sessions(level, power):
    def log_effect(sd, sessions):
        t = stats.t(sessions - 1)
        return (t.isf(level / 2) + t.ppf(power)) * sd / math.sqrt(sessions)

    for sd in (0.001, 0.004, 0.02, 0.08):
        for sessions in (2, 3, 6, 12, 100):
            assert ask("detectable_effect", sd=sd, sessions=sessions, level=level, power=power) == pytest.approx(
                math.expm1(log_effect(sd, sessions)), rel=1e-9)
        for effect in (0.01, 0.05):
            enough = [k for k in range(2, 301) if log_effect(sd, k) <= math.log1p(effect)]
            assert ask("sessions_needed", sd=sd, level=level, effect=effect, power=power,
                       most=300) == (enough[0] if enough else None)


@pytest.mark.parametrize("sessions, relative", ((2, 0.25), (3, 0.12), (6, 0.03), (12, 0.01), (30, 0.005)))
@pytest.mark.parametrize("level", (0.05, 0.0221))
def test_the_effect_is_found_about_as_often_as_said(sessions, relative, level):
    """The exact power is the noncentral t distribution's. The sum of two quantiles is a little too small."""
    effect = math.log1p(ask("detectable_effect", sd=0.01, sessions=sessions, level=level, power=0.8)) / 0.01

    def power(shift):
        return stats.nct.sf(stats.t.isf(level / 2, sessions - 1), sessions - 1, shift * math.sqrt(sessions))

    assert power(effect) < 0.801
    assert power(effect * (1 + relative)) > 0.8


@pytest.mark.parametrize("sessions", (2, 6, 18))
def test_null_arm(sessions):
    generator = np.random.default_rng(sessions)
    answers = []
    for i in range(100):
        null = generator.normal((i % 3) * 0.01, 0.01, sessions)
        values = generator.normal(0.5, 0.01 * (1 + i % 4), sessions)
        ours = ask("null", values=values.tolist(), null=null.tolist())
        assert ours["process_sd"] == pytest.approx(null.std(ddof=1) / math.sqrt(2), rel=1e-11)
        assert ours["differs"] == (stats.ttest_1samp(null, 0).pvalue < 0.01)
        ratio = values.var(ddof=1) / (0.75 * np.mean(null**2))
        assert ours["noisier"] == (stats.f.sf(ratio, sessions - 1, sessions) < 0.05)
        answers.append((ours["differs"], ours["noisier"]))
    assert {noisier for _, noisier in answers} == {False, True}
    assert sessions == 2 or {differs for differs, _ in answers} == {False, True}


@pytest.mark.parametrize("hypotheses", (1, 2, 3, 5, 8))
def test_holm(hypotheses):
    """By adjusted p-values: the running maximum of (m - i) p_(i)."""
    generator = np.random.default_rng(hypotheses)
    for _ in range(50):
        p = generator.uniform(0, 1, hypotheses) ** 3
        levels = np.array(ask("holm", values=p.tolist(), level=0.05))
        order = np.argsort(p)
        adjusted = np.empty(hypotheses)
        adjusted[order] = np.maximum.accumulate((hypotheses - np.arange(hypotheses)) * p[order])
        assert ((p <= levels) == (adjusted <= 0.05)).all()
        rejected = int((adjusted <= 0.05).sum())
        expected = np.empty(hypotheses)
        expected[order] = 0.05 / np.maximum(hypotheses - np.minimum(np.arange(hypotheses), rejected), 1)
        assert levels == pytest.approx(expected, rel=1e-12)
