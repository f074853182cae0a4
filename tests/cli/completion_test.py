"""The completion script, sourced by a real shell."""
import subprocess

from mpbench_command import run


def complete(*words):
    script = run("completion", "bash").stdout
    line = " ".join(f"'{word}'" for word in words)
    asked = f"{script}\nCOMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _mpbench; echo \"${{COMPREPLY[@]}}\""
    return subprocess.run(["bash", "-c", asked], capture_output=True, text=True, check=True).stdout.split()


def test_completes_subcommands_and_their_flags():
    assert complete("mpbench", "comp") == ["compare", "completion"]
    assert "--precision" in complete("mpbench", "train", "--pr")
    assert complete("mpbench", "compare", "--rep") == ["--repeats"]
