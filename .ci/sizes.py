"""Fail on a Python file above 500 lines or a function above 60, docstring not counted."""

import ast
import subprocess
import sys
from pathlib import Path

FILE_LINES, FUNCTION_LINES = 500, 60


def too_long(path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8")
    found = [f"{path}: {n} lines"] if (n := text.count("\n")) > FILE_LINES else []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            docstring = ast.get_docstring(node, clean=False)
            lines = node.end_lineno - node.lineno + 1 - (docstring.count("\n") + 1 if docstring else 0)
            if lines > FUNCTION_LINES:
                found.append(f"{path}:{node.lineno}: {node.name} has {lines} lines")
    return found


if __name__ == "__main__":
    files = subprocess.run(["git", "ls-files", "*.py"], capture_output=True, text=True, check=True)
    problems = [problem for name in files.stdout.split() for problem in too_long(Path(name))]
    print(
        "\n".join(problems)
        or f"{len(files.stdout.split())} files within {FILE_LINES} and {FUNCTION_LINES} lines"
    )
    sys.exit(bool(problems))
