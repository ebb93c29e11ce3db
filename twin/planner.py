"""Turn a scenario into the directory of its plan: timeline, picture, command packets, opportunities."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections import Counter
from pathlib import Path

from twin import console
from twin import scenario as scenario_file
from twin.mission.planning import rolling
from twin.mission.planning.rolling import DayPlan
from twin.mission.timeline import Timeline
from twin.provenance import method_hash, run_hash
from twin.run import HASH_DIGITS, find, prepared, write
from twin.scenario import Scenario


def execute(name: str, runs: Path, method: str | None) -> int:
    """Plan a scenario and print what came of it; 0 unless an error is raised."""
    path = find(name)
    scenario = scenario_file.load(path)
    mission = rolling.mission_of(scenario)
    named = method or mission.programming
    digest = plan_hash(scenario, named, path.parent)
    directory = (runs / f"{scenario.name}-plan-{digest[:HASH_DIGITS]}").absolute()
    clock = time.monotonic()
    with prepared(directory, fresh=False):
        count = len(rolling.day_edges_us(scenario)) - 1
        with console.Progress(scenario.name, ["programming"]) as progress:
            progress.start("programming", count, "day")
            days = list(rolling.days(scenario, method=named, folder=path.parent, told=progress.update))
            plan = rolling.timeline(scenario, days, named)
            progress.finish("programming")
        keep(directory, plan, days, int(mission.memory))
    return console.plan(plan, _served(scenario, plan), directory, time.monotonic() - clock)


def keep(directory: Path, plan: Timeline, days: list[DayPlan], memory_bits: int) -> None:
    """Write the four files, each whole or absent."""
    from twin.report import gantt
    from twin.telemetry import commands

    write(directory / "timeline.json", plan.dump())
    write(directory / "opportunities.json", _opportunities(days))
    _write_bytes(directory / "commands.bin", b"".join(commands.encode(plan)))
    picture = directory / f".gantt.{os.getpid()}.png"
    gantt.draw(plan, [night for day in days for night in day.nights], memory_bits, picture)
    os.replace(picture, directory / "gantt.png")


def plan_hash(scenario: Scenario, method: str, folder: Path) -> str:
    """Hash what decides a plan: scenario, code, method and, of a user's own, its file (hex SHA-256)."""
    decisive = run_hash(scenario, folder) + method_hash(method, folder)
    return hashlib.sha256(decisive.encode()).hexdigest()


def _opportunities(days: list[DayPlan]) -> str:
    """Write the problem of each day as a user's own method is given it, and the choice, a day a line."""
    rows = [
        one.day.problem.described() | {"chosen": one.choice.ids, "no_opportunity": one.day.reasons}
        for one in days
    ]
    return "[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n"


def _served(scenario: Scenario, plan: Timeline) -> list[tuple[str, int, int]]:
    """Return kind, requests served and requests made."""
    asked = Counter(request.kind for request in rolling.mission_of(scenario).requests)
    served = Counter(activity.mode for activity in plan.activities if activity.request)
    return [(kind, served[kind], count) for kind, count in sorted(asked.items())]


def _write_bytes(path: Path, octets: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_bytes(octets)
    os.replace(temporary, path)
