"""Check the table of what the twin must reach against the tests, scenarios and benchmarks that show it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

Row = dict[str, Any]


def load(path: Path) -> list[Row]:
    """Read rows of `requirement` and `shown_by`: PATH::TEST, PATH of a benchmark, or SCENARIO:FIGURE."""
    rows: list[Row] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return rows


def problems(rows: list[Row], root: Path) -> list[str]:
    """List rows without evidence and evidence that is not there; `root` is the folder of the project."""
    found = []
    for row in rows:
        if not row.get("shown_by"):
            found.append(f"{row['requirement']}: expected evidence, got none: name a test that shows it")
        found += [f"{row['requirement']}: {text}" for text in _absent(row.get("shown_by") or [], root)]
    return found


def _absent(evidence: list[str], root: Path) -> Iterator[str]:
    for entry in evidence:
        path, double, test = entry.partition("::")
        if double:
            there = test in _tests(root / path)
        elif ".yaml:" in entry:
            there = _asks(root / entry.split(":")[0], entry.split(":")[1])
        else:
            there = (root / path).is_file()
        if not there:
            yield f"expected {entry}, found none: name the test, scenario or benchmark as it is"


def _tests(path: Path) -> set[str]:
    if not path.is_file():
        return set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def _asks(scenario: Path, figure: str) -> bool:
    """Tell whether the scenario has a requirement on the figure."""
    if not scenario.is_file():
        return False
    asked = yaml.safe_load(scenario.read_text(encoding="utf-8"))["requirements"]
    return figure in {row["figure"] for row in asked}
