"""mpbench compare --require: a comparison that a script can rest on."""
import subprocess

import pytest
from mpbench_command import MPBENCH, one_line, rows, run
from sessions import SPEED, one_thread

# An arm that is half as fast, which no noise hides.
HALF = ["--precision", "fp32", "--handicap", 1, *SPEED]
ARM = "handicap=1.0"


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    out = tmp_path_factory.mktemp("require") / "out"
    result = run(*one_thread(out, *HALF, "--require", f"{ARM}: status ok, speedup < 0.9"))
    return out, result


def test_what_is_met_is_said(done):
    out, result = done
    met = [line for line in result.stderr.splitlines() if "requirement met" in line]
    assert len(met) == 2 and "2 runs are ok" in met[0], result.stderr
    speedup = next(row["speedup"] for row in rows(out / "comparison.csv") if row["arm_kind"] == "arm")
    assert f"speedup is {float(speedup):.4g} [" in met[1]


@pytest.mark.parametrize("requirement, found", [
    (f"{ARM}: speedup >= 1.2", "speedup is 0."),
    ("no slower than 3 %", "speedup is 0."),
    (f"{ARM}: non-inferior", "there is no verdict on accuracy"),
])
def test_what_is_not_met_ends_with_4(done, requirement, found):
    """In a shell, as CI runs it."""
    out, _ = done
    words = [MPBENCH, *map(str, one_thread(out, *HALF, "--resume", "--require", requirement))]
    result = subprocess.run(["sh", "-c", '"$@"; echo "ended with $?"', "sh", *words], stdin=subprocess.DEVNULL,
                            capture_output=True, text=True, timeout=120)
    assert result.stdout.splitlines()[-1] == "ended with 4", result.stderr
    line, = (line for line in result.stderr.splitlines() if "requirement not met" in line)
    assert requirement.split(": ")[-1] in line and found in line


def test_what_makes_no_sense_is_refused_before_anything_runs(tmp_path):
    out = tmp_path / "out"
    for requirement, problem in ((f"{ARM}: fast", "it is no condition"), ("fp16: faster", "there is no such arm"),
                                 (f"{ARM}: speedup >= much", "a number or a percentage")):
        assert problem in one_line(run(*one_thread(out, *HALF, "--require", requirement), code=2))
    assert not out.exists()


def test_it_may_stand_in_the_configuration(done, tmp_path):
    out, _ = done
    text = (out / "config.toml").read_text()
    assert "require = [" in text
    config = tmp_path / "gate.toml"
    config.write_text(f'require = ["{ARM}: speedup >= 1.2", "{ARM}: status ok"]\n')
    told = run(*one_thread(out, *HALF, "--resume", "--config", config), code=4).stderr
    assert told.count("requirement not met") == 1 and told.count("requirement met") == 1
