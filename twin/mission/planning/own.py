"""Let a user's own method choose: a class or function of a module, or an executable."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from twin.errors import BadInput
from twin.mission.planning.problem import Choice, Problem

TIMEOUT_S = 600  # of an executable, for one day


def method(name: str, folder: Path) -> Callable[[Problem], Choice]:
    """Find `module:Name`, importable from the folder or the path, or an executable, relative to the folder.

    A class is called without argument and its `choose` with the problem; a function with the problem. An
    executable reads the problem as JSON on standard input and writes the list of chosen ids as JSON.
    """
    if ":" in name:
        choose = _imported(name, folder)
        return lambda problem: _checked(name, problem, choose(problem.described()))
    path = source(name, folder)
    if not os.access(path, os.X_OK) or path.is_dir():
        raise BadInput(
            f"mission.programming: expected cp_sat, greedy, module:Name or an executable, got {name}: "
            f"no executable is at {path}"
        )
    return lambda problem: _checked(name, problem, _run(path, problem))


def source(name: str, folder: Path) -> Path:
    """Return the file of an executable, or of a module in the folder; it need not exist."""
    module, colon, _ = name.partition(":")
    return (folder / Path(f"{module}.py" if colon else name).expanduser()).resolve()


def _imported(name: str, folder: Path) -> Callable[[dict[str, Any]], Any]:
    module_name, _, attribute = name.partition(":")
    with _importable(folder):
        try:
            found = getattr(importlib.import_module(module_name), attribute)
        except (ImportError, AttributeError) as error:
            raise BadInput(
                f"mission.programming: expected module:Name to import from {folder}, got {name}: {error}"
            ) from error
    choose = getattr(found(), "choose", None) if isinstance(found, type) else found
    if not callable(choose):
        raise BadInput(
            f"mission.programming: expected a function or a class with choose(problem), got {name}"
        )
    return choose


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    sys.path.insert(0, str(folder.resolve()))
    try:
        yield
    finally:
        sys.path.remove(str(folder.resolve()))


def _run(path: Path, problem: Problem) -> Any:
    text = json.dumps(problem.described())
    try:
        done = subprocess.run(
            [path], input=text, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BadInput(f"{path}: expected a list of ids within {TIMEOUT_S} s, got {error}") from error
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise BadInput(f"{path}: expected exit code 0, got {done.returncode}: {last}")
    try:
        return json.loads(done.stdout)
    except ValueError:
        raise BadInput(
            f"{path}: expected a JSON list of ids on standard output, got {done.stdout[:60]!r}"
        ) from None


def _checked(name: str, problem: Problem, answer: Any) -> Choice:
    """Accept a list of different ids; whether they make a plan the checker tells."""
    count = len(problem.opportunities)
    listed = list(answer) if isinstance(answer, list | tuple | set | frozenset) else [answer]
    for one in listed:
        if isinstance(one, bool) or not isinstance(one, int) or not 0 <= one < count:
            raise BadInput(f"{name}: expected a list of ids of opportunities, 0 to {count - 1}, got {one!r}")
    if len(set(listed)) < len(listed):
        raise BadInput(f"{name}: expected different ids, got one twice: choose each opportunity once")
    return Choice(tuple(sorted(listed)))
