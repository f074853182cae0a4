"""How long files and functions are."""
import re

MOST_LINES_A_FILE, MOST_LINES_A_FUNCTION = 400, 70
# Lists, a line or two an entry.
LISTS = re.compile(r"void visit_(options|columns)\(")


def check_lengths(sources):
    """clang-format puts the brace that ends a function where its first line begins."""
    for path in sources:
        lines = path.read_text().splitlines()
        if len(lines) > MOST_LINES_A_FILE:
            yield f"{path}: {len(lines)} lines, at most {MOST_LINES_A_FILE}"
        for indent in ("", "  "):
            begin = None
            for number, line in enumerate(lines, 1):
                starts = re.match(indent + r"[A-Za-z~\[]", line) and not re.match(r"\s*(namespace|struct|class|enum|union)\b", line)
                if starts and begin is None:
                    begin = number
                if line == indent + "}" and begin is not None and number - begin > MOST_LINES_A_FUNCTION \
                        and not LISTS.search(" ".join(lines[begin - 1:begin + 1])):
                    yield f"{path}:{begin}: a function of {number - begin} lines, at most {MOST_LINES_A_FUNCTION}"
                if line.startswith(indent + "}") or (starts and line.endswith(";")):
                    begin = None
