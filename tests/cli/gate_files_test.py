"""--junit and --step-summary of mpbench compare: what continuous integration shows of a comparison."""
import tomllib
import xml.etree.ElementTree as ElementTree

import pytest
from mpbench_command import one_line, rows, run
from sessions import SPEED, one_thread

# An arm that is half as fast, which no noise hides.
HALF = ["--precision", "fp32", "--handicap", 1, *SPEED]
BASELINE, ARM = "handicap=0.0", "handicap=1.0"


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    """A comparison, whose sessions no test has to do again."""
    out = tmp_path_factory.mktemp("gate") / "out"
    run(*one_thread(out, *HALF))
    return out


def gate(out, *more, **options):
    """Goes on with the comparison, without what an earlier test required of it."""
    config = out / "config.toml"
    config.write_text("".join(line for line in config.read_text().splitlines(True) if not line.startswith("require")))
    return run(*one_thread(out, *HALF, "--resume", *more), **options)


def cases_of(path):
    """The suites' names and their cases."""
    root = ElementTree.parse(path).getroot()
    assert root.tag == "testsuites"
    for element in (root, *root.findall("testsuite")):
        cases = element.findall(".//testcase")
        assert element.get("tests") == str(len(cases))
        assert element.get("failures") == str(sum(case.find("failure") is not None for case in cases))
    return {suite.get("name"): suite.findall("testcase") for suite in root.findall("testsuite")}


def test_junit_has_a_case_a_condition(out, tmp_path):
    junit = tmp_path / "made" / "gate.xml"
    told = gate(out, "--require", f"{ARM}: speedup >= 1.2, speedup < 0.9", "--require", "status ok", "--junit", junit,
                code=4).stderr
    assert "requirement not met" in told
    (suite, cases), = cases_of(junit).items()
    assert suite == rows(out / "comparison.csv")[0]["configuration"]
    assert [case.get("name") for case in cases] == [f"{ARM}: speedup >= 1.2", f"{ARM}: speedup < 0.9", f"{ARM}: status ok"]
    assert [case.find("failure") is None for case in cases] == [False, True, True]
    failure = cases[0].find("failure")
    assert failure.get("message").startswith("speedup is 0.") and "[" in failure.get("message")
    assert failure.text in told, "the same line as on the log"
    assert cases[0].get("classname") == f"{suite}.{ARM}"


def test_junit_without_requirements_has_a_case_an_arm(out, tmp_path):
    junit = tmp_path / "gate.xml"
    gate(out, "--junit", junit)
    (_, cases), = cases_of(junit).items()
    assert [case.get("name") for case in cases] == [f"{BASELINE}: status ok", f"{ARM}: status ok"]
    assert "speedup is 0." in cases[1].find("system-out").text


def test_an_arm_that_fails_is_a_failure(tmp_path):
    """Its first step overflows, and one that is skipped is one too many."""
    out, junit = tmp_path / "out", tmp_path / "gate.xml"
    run(*one_thread(out, "--precision", "fp32,fp16", "--init-scale", 1e38, "--stall-steps", 1, *SPEED, "--junit", junit),
        code=3)
    assert {row["arm"] for row in rows(out / "runs.csv") if row["status"] != "ok"} == {"fp16"}
    (_, cases), = cases_of(junit).items()
    failed, = (case for case in cases if case.find("failure") is not None)
    assert failed.get("name") == "fp16: status ok" and "is diverged" in failed.find("failure").get("message")


def test_the_summary_is_added_to_the_file(out, tmp_path):
    summary = tmp_path / "summary.md"
    summary.write_text("# Before\n")
    gate(out, "--require", f"{ARM}: speedup >= 1.2", "--step-summary", summary, code=4)
    text = summary.read_text()
    assert text.startswith("# Before\n\n## Requirements: 0 of 1 met\n")
    assert "**not met**" in text and text.endswith((out / "report.md").read_text())


def test_the_summary_is_github_s_where_none_is_named(out, tmp_path):
    summary = tmp_path / "step.md"
    gate(out, "--step-summary", env={"GITHUB_STEP_SUMMARY": str(summary)})
    assert summary.read_text() == (out / "report.md").read_text()
    line = one_line(gate(out, "--step-summary", env={"GITHUB_STEP_SUMMARY": ""}, code=2))
    assert "--step-summary" in line and "GITHUB_STEP_SUMMARY" in line


def test_they_are_of_one_invocation(out, tmp_path):
    gate(out, "--junit", tmp_path / "gate.xml", "--step-summary", tmp_path / "summary.md")
    assert not {"junit", "step-summary"} & set(tomllib.loads((out / "config.toml").read_text()))


def test_what_cannot_be_written_is_said_before_anything_runs(tmp_path):
    out = tmp_path / "out"
    for flag in ("--junit", "--step-summary"):
        line = one_line(run(*one_thread(out, *HALF, flag, tmp_path), code=1))
        assert str(tmp_path) in line and "folder" in line
        line = one_line(run(*one_thread(out, *HALF, flag, "/proc/no/gate"), code=1))
        assert "/proc/no" in line
    assert not out.exists()
