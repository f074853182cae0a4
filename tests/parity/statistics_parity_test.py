"""The comparison's statistics against NumPy and SciPy, and its tables against Python's csv module."""
import csv
import json
import os
import pathlib
import subprocess

import numpy as np
import pytest
from scipy import stats

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


@pytest.mark.parametrize("repeats", (2, 3, 5))
def test_like_arms_are_seldom_told_apart(ask, repeats):
    """Two arms drawn alike, 1,000 times: the verdict errs in 5 %."""
    generator = np.random.default_rng(repeats)
    wrong = 0
    for _ in range(1000):
        drift = generator.normal(0, 0.05, repeats)
        speeds = np.exp(5 + drift + generator.normal(0, 0.01, (2, repeats)))
        wrong += ask("verdict", fp32=speeds[0].tolist(), bf16=speeds[1].tolist()) in ("faster", "slower")
    assert wrong <= 70  # three standard errors


def test_a_real_speed_up_is_found(ask):
    generator = np.random.default_rng(0)
    verdicts = []
    for _ in range(200):
        speeds = np.exp(5 + generator.normal(0, 0.01, (2, 3)))
        verdicts.append(ask("verdict", fp32=speeds[0].tolist(), bf16=(1.3 * speeds[1]).tolist()))
    assert verdicts.count("faster") >= 195
    assert "slower" not in verdicts


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
