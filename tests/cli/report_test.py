"""mpbench report: comparisons shown again, side by side, and held to a requirement."""
import csv
import io
import json
import shutil
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from altered_comparison import altered, write_rows
from mpbench_command import one_line, rows, run
from scipy import stats
from sessions import SPEED, one_thread

BASELINE, ARM = "handicap=0.0", "handicap=1.0"
# Times of six sessions in one folder and of seven in another, beside those of a session.
EARLIER = np.array([1.0, 1.004, 0.997, 1.002, 0.999, 1.005])
LATER = np.array([1.003, 0.996, 1.0, 1.007, 0.998, 1.001, 0.994])


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A comparison, and what it told."""
    out = tmp_path_factory.mktemp("report") / "done"
    return out, run(*one_thread(out, "--precision", "fp32", "--handicap", 1, *SPEED))


@pytest.fixture(scope="module")
def pair(done, tmp_path_factory):
    """Two folders, the later of which is slower by a fifth."""
    folder = tmp_path_factory.mktemp("pair")
    return (altered(done[0], folder / "old", EARLIER, git_commit="1234abc"),
            altered(done[0], folder / "new", 1.2 * LATER, git_commit="5678def"))


def table_of(text):
    return list(csv.DictReader(io.StringIO(text)))


def in_one_line(text):
    """Without the line breaks of a terminal."""
    return " ".join(text.split())


def changes_of(text):
    return {row["arm"]: row for row in table_of(text) if row["compared_folder"]}


def test_of_one_folder_it_is_what_compare_wrote(done):
    out, compared = done
    assert run("report", out, "--format", "csv").stdout == (out / "comparison.csv").read_text()
    assert run("report", out, "--markdown").stdout == (out / "report.md").read_text()
    assert run("report", out, "--format", "markdown").stdout == (out / "report.md").read_text()
    shown = run("report", out)
    assert "speed-up [95 % CI]" in shown.stdout and shown.stdout in compared.stderr
    assert shown.stderr == ""


def test_it_writes_nothing(done):
    out, _ = done
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    run("report", out)
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == before


def test_json_has_null_for_what_was_not_measured(done):
    out, _ = done
    told = json.loads(run("report", out, "--format", "json").stdout)
    assert told["folders"][0]["folder"] == "done" and told["differences"] == {}
    row = next(row for row in told["rows"] if row["arm"] == ARM)
    assert row["metric"] is None and row["accuracy_verdict"] is None
    compared = next(row for row in rows(out / "comparison.csv") if row["arm"] == ARM)
    assert row["speedup"] == float(compared["speedup"]) and row["speed_verdict"] == (compared["speed_verdict"] or None)


def test_a_comparison_that_has_not_ended_is_shown_as_far_as_it_is(done, tmp_path):
    out = altered(done[0], tmp_path / "out", [1.0])
    for name in ("comparison.csv", "report.md", "sessions.csv"):
        (out / name).unlink()
    told = in_one_line(run("report", out).stdout)
    assert "1 session of fresh processes" in told and "no interval and no verdict on speed" in told


def test_it_is_judged_by_the_options_of_the_comparison(done, tmp_path):
    out = shutil.copytree(done[0], tmp_path / "out")
    config = out / "config.toml"
    config.write_text(config.read_text().replace("confidence = 0.95", "confidence = 0.8"))
    assert "speed-up [80 % CI]" in run("report", out).stdout
    wide, narrow = (table_of(run("report", folder, "--format", "csv").stdout)[0] for folder in (done[0], out))
    assert float(narrow["speedup_ci_low"]) > float(wide["speedup_ci_low"])


def test_folders_are_side_by_side_with_what_differs(pair, tmp_path):
    old, new = pair
    told = run("report", old, new).stdout
    assert "differs: git_commit: old 1234abc; new 5678def\n" in told
    assert "differs: threads" not in told and "differs: --" not in told
    table = told[told.index("arm "):]
    assert table.index(" old ") < table.index(" new ")
    assert "mpbench compare --with" in told and "new beside old" in told
    assert all(len(line) <= 80 for line in told.splitlines())
    joined = table_of(run("report", old, new, "--format", "csv").stdout)
    assert {(row["folder"], row["git_commit"]) for row in joined} == {("old", "1234abc"), ("new", "5678def")}
    assert len(joined) == 4 + 3, "two arms in each folder, and the change of all three"
    told = json.loads(run("report", old, new, "--format", "json").stdout)
    assert told["differences"] == {"git_commit": ["1234abc", "5678def"]}
    assert "| arm | folder |" in run("report", old, new, "--markdown").stdout


def test_machines_and_options_that_differ_are_named(pair, done, tmp_path):
    other = altered(done[0], tmp_path / "elsewhere", LATER, git_commit="1234abc", device_name="Another Processor")
    config = other / "config.toml"
    config.write_text(config.read_text().replace("equivalence = 0.02", "equivalence = 0.05"))
    told = in_one_line(run("report", pair[0], other).stdout)
    assert "differs: device_name" in told and "Another Processor" in told
    assert "differs: --equivalence: old 0.02; elsewhere 0.05" in told
    assert "the machines differ:" in told


def test_folders_of_one_name_are_called_by_their_paths(pair, done, tmp_path):
    again = altered(done[0], tmp_path / "old", LATER)
    told = json.loads(run("report", pair[0], again, "--format", "json").stdout)
    assert [folder["folder"] for folder in told["folders"]] == [str(pair[0]), str(again)]


def test_the_change_has_welchs_interval(pair):
    """The logarithms of both folders' sessions are independent samples. Of two arms Holm's procedure tests that with the
    smaller p-value at half the level, and once it is found the other at all of it; here the two are alike but for rounding."""
    changes = changes_of(run("report", *pair, "--format", "csv").stdout)
    earlier, later = -np.log(EARLIER), -np.log(1.2 * LATER)
    expected = stats.ttest_ind(later, earlier, equal_var=False)
    intervals = []
    for arm in (BASELINE, ARM):
        row = changes[arm]
        assert (row["folder"], row["compared_folder"]) == ("new", "old")
        assert (row["compared_sessions"], row["sessions"]) == ("6", "7")
        assert float(row["speedup"]) == pytest.approx(np.exp(later.mean() - earlier.mean()), rel=1e-9)
        intervals.append([float(row["speedup_ci_low"]), float(row["speedup_ci_high"])])
        assert row["speed_verdict"] == "slower"
        ratio = float(row["images_per_s"]) / float(row["compared_images_per_s"])
        assert ratio == pytest.approx(float(row["speedup"]), rel=1e-9)
    wanted = [np.exp(expected.confidence_interval(1 - level)) for level in (0.025, 0.05)]
    assert np.allclose(sorted(intervals), wanted, rtol=1e-9, atol=0)
    assert changes["null"]["arm_kind"] == "null"


def test_a_regression_ends_with_4_and_its_interval(pair):
    result = run("report", *pair, "--require", "no slower than 3 %", code=4)
    not_met = [line for line in result.stderr.splitlines() if "requirement not met" in line]
    assert len(not_met) == 2, result.stderr
    line, = (line for line in not_met if f": {BASELINE}: no slower than 3 %" in line)
    assert "speedup is 0.83" in line and f"beside {BASELINE} of old" in line
    run("report", *reversed(pair), "--require", "no slower than 3 %")


def test_no_regression_is_met(pair, done, tmp_path):
    same = altered(done[0], tmp_path / "same", LATER)
    result = run("report", pair[0], same, "--require", "no slower than 3 %", "--require", f"{ARM}: speed equivalent")
    assert result.stderr.count("requirement met: ") == 3, result.stderr


def test_three_folders_are_each_held_beside_the_first(pair, done, tmp_path):
    same, junit = altered(done[0], tmp_path / "same", LATER), tmp_path / "gate.xml"
    told = run("report", *pair, same, "--require", f"{ARM}: no slower than 3 %", "--junit", junit, code=4).stderr
    assert told.count("requirement not met") == 1 and told.count("requirement met") == 1
    suites = ElementTree.parse(junit).getroot().findall("testsuite")
    assert [suite.get("name").split(": ")[0] for suite in suites] == ["new", "same"]
    assert [suite.get("failures") for suite in suites] == ["1", "0"]


def test_one_folder_is_held_to_its_own_rows(done):
    out, _ = done
    told = run("report", out, "--require", f"{ARM}: speedup >= 1.2", "--require", "status ok", code=4).stderr
    assert "requirement not met" in told and "requirement met" in told


def test_what_no_folder_has_is_not_met(pair):
    told = run("report", *pair, "--require", "fp16: no slower than 3 %", code=4).stderr
    assert "it was not measured" in told


def test_accuracy_is_none_of_several_folders(pair):
    line = one_line(run("report", *pair, "--require", "non-inferior", code=2))
    assert "--require: 'non-inferior'" in line and "speeds are compared" in line


def half(text):
    """Of a table, ending within a row."""
    return text[: text.rindex(",", 0, len(text) // 2)]


@pytest.mark.parametrize("name, change, words", [
    ("runs.csv", half, ["row"]),  # which may end within quotes
    ("blocks.csv", half, ["row", "cells where the header has"]),
    ("blocks.csv", lambda text: "<!DOCTYPE html>\n<html></html>\n", ["column configuration"]),
    ("blocks.csv", lambda text: "", ["header", "empty"]),
    ("blocks.csv", lambda text: "\0\1\2" + text, ["file"]),
    ("runs.csv", lambda text: text.split("\n", 1)[0] + "\n", ["no results"]),
    ("config.toml", lambda text: "what I did on Friday\n", ["margin", "no such line"]),
    ("config.toml", lambda text: text.replace("margin = 0.01", 'margin = "much"'), ["margin", "a number is expected"]),
    ("config.toml", lambda text: text.replace("margin = 0.01", "margin = much"), ["margin", "'much' is no value"]),
    ("config.toml", lambda text: text.replace("margin = 0.01", "margin = 7"), ["--margin 7", "0 to 1"]),
    ("config.toml", lambda text: text.replace("sessions = 2", "sessions = 2.5"), ["sessions", "a whole number"]),
])
def test_a_damaged_folder_is_one_line_that_names_the_file(done, tmp_path, name, change, words):
    out = shutil.copytree(done[0], tmp_path / "out")
    text = (out / name).read_text()
    assert change(text) != text
    (out / name).write_text(change(text))
    line = one_line(run("report", out, code=1))
    for word in [str(out / name), *words]:
        assert word in line, line


@pytest.mark.parametrize("name, column, value", [
    ("blocks.csv", "time_s", "nan"), ("blocks.csv", "data_wait_s", "inf"), ("blocks.csv", "time_s", "-1"),
    ("blocks.csv", "skipped_steps", "1000000"), ("blocks.csv", "round", "100000"), ("blocks.csv", "steps", "many"),
    ("runs.csv", "images_per_s", "nan"), ("runs.csv", "run_id", "../../etc/passwd"), ("sessions.csv", "seconds", "nan"),
])
def test_a_number_that_cannot_be_is_named(done, tmp_path, name, column, value):
    out = shutil.copytree(done[0], tmp_path / "out")
    table = rows(out / name)
    table[1][column] = value
    write_rows(out / name, table)
    line = one_line(run("report", out, code=1))
    assert str(out / name) in line and "row 3" in line, line


def test_what_is_no_comparison_is_named(done, tmp_path):
    assert "nowhere" in one_line(run("report", tmp_path / "nowhere", code=1))
    line = one_line(run("report", done[0], tmp_path, code=1))
    assert str(tmp_path) in line and "config.toml" in line
    line = one_line(run("report", done[0], done[0] / ".", code=2))
    assert "named twice" in line


def test_text_of_a_file_does_not_reach_the_terminal_as_it_is(done, tmp_path):
    out = altered(done[0], tmp_path / "out", EARLIER, device_name="\x1b[31mred")
    told = run("report", out).stdout
    assert "\x1b" not in told and "\\x1B[31mred" in told
