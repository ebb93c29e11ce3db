"""Folders of runs that share the tables of spectroscopy, so that each test session makes them once."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

LIMIT_S = 1500  # s, of one run on a busy machine


@dataclass(frozen=True)
class Outcome:
    """What a run left, and what it said; white space joined, as the width of a terminal breaks lines."""

    code: int
    said: str
    directory: Path

    def verdict(self) -> dict:
        return json.loads((self.directory / "verdict.json").read_text())


def command(*words: str) -> tuple[int, str]:
    """Run the twin; give exit code and all it said."""
    done = subprocess.run(
        [sys.executable, "-m", "twin", *words], capture_output=True, text=True, timeout=LIMIT_S
    )
    return done.returncode, " ".join((done.stdout + done.stderr).split())


def run(scenario: Path, runs: Path, soundings: int) -> Outcome:
    code, said = command("run", str(scenario), "--runs", str(runs), "--soundings", str(soundings))
    (made,) = (path.parent for path in runs.glob(f"{scenario.stem}-*/scenario.json"))
    return Outcome(code, said, made)


@pytest.fixture(scope="session")
def twin_at_work() -> type:
    """Give tests the ways to start the twin."""

    class Ways:
        outcome, command, run = Outcome, staticmethod(command), staticmethod(run)

    return Ways


@pytest.fixture(scope="module")
def coming_runs(request, new_runs) -> Iterator[dict[Path, Future]]:
    """The scenarios that the chosen tests of a module ask for by `asked`, several at once, a core each."""
    calls = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    mine = {path for path in request.module.SCENARIOS}
    asked = [path for path in dict.fromkeys(call.get("asked") for call in calls) if path in mine]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield {path: pool.submit(run, path, new_runs(), request.module.SOUNDINGS) for path in asked}


@pytest.fixture(scope="module")
def outcome(asked, coming_runs) -> Outcome:
    """What the scenario that a module asks for left."""
    return coming_runs[asked].result()


@pytest.fixture(scope="session")
def new_runs(tmp_path_factory) -> Callable[[], Path]:
    """Make folders of runs whose .cache is one and the same."""
    cache = tmp_path_factory.mktemp("tables")

    def make() -> Path:
        runs = tmp_path_factory.mktemp("runs")
        (runs / ".cache").symlink_to(cache)
        return runs

    return make
