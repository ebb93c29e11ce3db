"""Measure the plan of one day: 150 requests, the day's passes; time, gap, and whether a repeat is identical.

Usage: python benchmarks/planning.py [--yaml FILE]; with it, the day is only written, as a scenario.
The requests: the sites of twin/data/sites.csv (validation stations of TCCON, to 0.001 degree as the network
lists them; cities, recalled to 0.01 degree) and 20 calibrations.
"""

from __future__ import annotations

import csv
import sys
import time
from itertools import chain
from pathlib import Path

from twin import scenario as scenario_file
from twin.mission.planning import rolling
from twin.mission.timeline import Timeline
from twin.scenario import Scenario

SITES = Path("twin/data/sites.csv")
CALIBRATIONS = {"dark": 8, "lamp": 8, "sun": 4}
PRIORITIES = {"target": 20, "city": 10, "dark": 15, "lamp": 15, "sun": 30}
HEAD = """# What does a day of the mission look like, planned from 150 requests?
name: day_in_the_life
seed: 16
start: 2026-07-01T00:00:00Z
observation: {mode: plan, start_latitude: 0 degree, soundings: 120}
mission:
  duration: 1 day
  requests:
"""
TAIL = """requirements:
  - {figure: packets_unaccounted, at_most: 0, because: the chain may lose nothing}
"""


def requests() -> list[str]:
    """Return a line of YAML a request."""
    with SITES.open(encoding="utf-8") as file:
        sites = [
            f"{{name: {row['name']}, kind: {row['kind']}, latitude: {row['latitude']} degree, "
            f"longitude: {row['longitude']} degree, priority: {PRIORITIES[row['kind']]}}}"
            for row in csv.DictReader(file)
        ]
    calibrations = [
        f"{{name: {kind}_{number}, kind: {kind}, priority: {PRIORITIES[kind]}}}"
        for kind, count in CALIBRATIONS.items()
        for number in range(1, count + 1)
    ]
    return [f"    - {line}" for line in chain(sites, calibrations)]


def planned(scenario: Scenario, method: str) -> tuple[Timeline, float, list[float]]:
    """Return the plan, its wall time s, and the solver's share of it."""
    clock = time.perf_counter()
    choosing: list[float] = []
    choose = rolling.METHODS[method]

    def timed(problem):
        begin = time.perf_counter()
        try:
            return choose(problem)
        finally:
            choosing.append(time.perf_counter() - begin)

    rolling.METHODS["timed"] = timed
    plan = rolling.plan(scenario, method="timed")
    return plan, time.perf_counter() - clock, choosing


def main() -> None:
    text = HEAD + "\n".join(requests()) + "\n" + TAIL
    if "--yaml" in sys.argv:
        Path(sys.argv[sys.argv.index("--yaml") + 1]).write_text(text, encoding="utf-8")
        return
    path = Path("runs") / ".day_in_the_life.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    scenario = scenario_file.load(path)
    path.unlink()
    for method in ("cp_sat", "greedy"):
        plan, wall_s, choosing = planned(scenario, method)
        again, *_ = planned(scenario, method)
        passes = sum(contact.band == "x" for contact in plan.contacts)
        served = sum(bool(activity.request) for activity in plan.activities)
        gap = "unknown" if plan.gap is None else f"{plan.gap:.2%}"
        print(
            f"{method}: {served} of {len(requests())} requests, {passes} X-band passes, objective "
            f"{plan.objective:.0f}, gap {gap}, optimal {plan.optimal}; {wall_s:.1f} s, choosing "
            f"{sum(choosing):.2f} s; repeat identical: {plan.dump() == again.dump()}"
        )


if __name__ == "__main__":
    main()
