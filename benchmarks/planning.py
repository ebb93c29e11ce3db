"""Measure the plan of one day: 150 requests, the day's passes; time, gap, and whether a repeat is identical.

Usage: python benchmarks/planning.py. The day is that of scenarios/day_in_the_life.yaml.
"""

from __future__ import annotations

import time
from pathlib import Path

from twin import scenario as scenario_file
from twin.mission.planning import rolling
from twin.mission.timeline import Timeline
from twin.scenario import Scenario

DAY = Path(__file__).parents[1] / "scenarios" / "day_in_the_life.yaml"


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
    scenario = scenario_file.load(DAY)
    asked = len(scenario.mission.requests) if scenario.mission else 0
    for method in ("cp_sat", "greedy"):
        plan, wall_s, choosing = planned(scenario, method)
        again, *_ = planned(scenario, method)
        passes = sum(contact.band == "x" for contact in plan.contacts)
        served = sum(bool(activity.request) for activity in plan.activities)
        gap = "unknown" if plan.gap is None else f"{plan.gap:.2%}"
        print(
            f"{method}: {served} of {asked} requests, {passes} X-band passes, objective "
            f"{plan.objective:.0f}, gap {gap}, optimal {plan.optimal}; {wall_s:.1f} s, choosing "
            f"{sum(choosing):.2f} s; repeat identical: {plan.dump() == again.dump()}"
        )


if __name__ == "__main__":
    main()
