"""Keep a run directory: its name, its lock, its finished stages, and the way from scenario to verdict."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from twin import console
from twin import scenario as scenario_file
from twin.chain import Chain, stages
from twin.engine import Engine
from twin.errors import BadInput
from twin.ledger import Ledger
from twin.provenance import run_hash

SHIPPED = Path(__file__).parents[1] / "scenarios"
HASH_DIGITS = 8


def find(name: str) -> Path:
    """Find a scenario given as a path or as a bare name of a scenarios/ folder."""
    path = Path(name)
    if path.suffix in (".yaml", ".yml") or len(path.parts) != 1 or path.is_file():
        return path
    for folder in (Path("scenarios"), SHIPPED):
        if (folder / f"{name}.yaml").is_file():
            return folder / f"{name}.yaml"
    return Path("scenarios") / f"{name}.yaml" if Path("scenarios").is_dir() else SHIPPED / f"{name}.yaml"


def listing() -> list[tuple[str, str]]:
    """Give name and first line of every scenario at hand."""
    from twin.diagnosis import first_comment, read

    folder = Path("scenarios") if Path("scenarios").is_dir() else SHIPPED
    paths = sorted(folder.glob("*.yaml"))
    if not paths:
        raise BadInput(f"{folder}: expected *.yaml scenarios, found none: run from the project's folder")
    return [(path.stem, first_comment(read(path))) for path in paths]


def execute(
    name: str,
    runs: Path,
    *,
    soundings: int | None,
    seed: int | None,
    fresh: bool,
    workers: int | None,
) -> int:
    """Run a scenario to its verdict; 0 when all requirements hold, 1 when one fails."""
    path = find(name)
    scenario = scenario_file.load(path, seed=seed, soundings=soundings)
    digest = run_hash(scenario, path.parent)
    directory = (runs / f"{scenario.name}-{digest[:HASH_DIGITS]}").absolute()
    with prepared(directory, fresh), _ended_by_sigterm():
        write(directory / "scenario.yaml", path.read_text(encoding="utf-8"))
        write(directory / "scenario.json", scenario_file.dump(scenario))
        ledger = Ledger(directory / "ledger.sqlite")
        try:
            engine = Engine(ledger, workers or os.cpu_count() or 1, directory)
            chain = Chain(directory, scenario, digest, engine.workers, path.parent.absolute())
            with console.Progress(scenario.name, [stage.name for stage in stages(scenario)]) as progress:
                _advance(chain, engine, progress)
        finally:
            ledger.close()
    return console.conclude(directory)


def _advance(chain: Chain, engine: Engine, progress: Any) -> None:
    """Run the stages without marker, or with a file gone missing, in their order."""
    for stage in stages(chain.scenario):
        marker = chain.directory / "stages" / f"{stage.name}.json"
        started, clock = time.time(), time.monotonic()
        tasks = stage.tasks(chain)
        if marker.exists() and all(map(engine.is_done, tasks)):
            progress.skip(stage.name)
            continue
        progress.start(stage.name, sum(len(task.outputs) for task in tasks))
        try:
            engine.run(tasks, progress.update)
        finally:
            figures = engine.ledger.put_stage(stage.name, started, time.monotonic() - clock)
        write(marker, json.dumps(figures, indent=1) + "\n")
        progress.finish(stage.name)


@contextmanager
def prepared(directory: Path, fresh: bool) -> Iterator[None]:
    """Make the run directory, alone in it; `fresh` empties it first."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        lock = (directory / ".lock").open("w")
    except OSError as error:
        raise BadInput(f"{directory}: expected a writable run directory, got {error.strerror}") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise BadInput(
                f"{directory}: expected no other run at work here, found one: wait for it"
            ) from None
        if fresh:
            _empty(directory)
        yield


def _empty(directory: Path) -> None:
    for path in directory.iterdir():
        if path.name == ".lock":
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Treat a request to end like an interruption from the keyboard."""

    def interrupt(number: int, frame: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def write(path: Path, text: str) -> None:
    """Write to a temporary neighbour, then rename: the file is whole or absent."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, path)
    except OSError as error:
        raise BadInput(f"{path}: expected a writable run directory, got {error.strerror}") from None
