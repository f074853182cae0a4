"""Fails where the sources leave the structure that docs/architecture.md and CONTRIBUTING.md describe: a module includes another
against the arrows that CMakeLists.txt has (LINK), a header in include/ that no other module includes, a library seen outside
the module that owns it, a file or a function that is too long, a name of an option or an enum compared as text, a source
file without a test. tests/structure/ has the checks."""
import sys

sys.dont_write_bytecode = True  # before the checks are imported: nothing is written beside them

from structure import includes, lengths, names, sources, tested  # noqa: E402

CHECKS = (includes.check_includes, includes.check_described_modules, includes.check_public_headers, includes.check_front,
          lengths.check_lengths, names.check_comparisons, tested.check_tests)


def main():
    files = sources.all_sources()
    problems = [problem for check in CHECKS for problem in check(files)] if files else [f"no sources under {sources.root}"]
    for problem in problems:
        print(problem.replace(f"{sources.root}/", ""))
    if not problems:
        print(f"{len(files)} files: every include follows the arrows. {names.remaining()} {tested.listed()}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
