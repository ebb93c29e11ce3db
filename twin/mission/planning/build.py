"""Turn requests and orbit into the problem of one day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twin.mission import orbit
from twin.mission.planning import limits, opportunities, pointings
from twin.mission.planning.defaults import Grid, grid
from twin.mission.planning.problem import SPARE_BITS, Opportunity, Problem
from twin.mission.resources import FRAME_BITS, slew_us
from twin.mission.timeline import Activity, Contact
from twin.operations import Mission, Request

Conflicts = tuple[tuple[int, int], ...]


@dataclass(frozen=True, eq=False)
class Before:
    """How the day before ended: GPS us, attitude, and the mode if that was default observation."""

    end_us: int
    body: np.ndarray
    mode: int = 0


@dataclass(frozen=True, eq=False)
class Day:
    problem: Problem
    steps: Grid
    reasons: dict[str, str]  # of requests without opportunity


def day(
    mission: Mission,
    requests: Sequence[Request],
    path: orbit.Trajectory,
    span_us: tuple[int, int],
    contacts: tuple[Contact, ...],
    *,
    before: Before | None = None,
    level_bits: int = 0,
) -> Day:
    """Find what the requests could do within the span; the path reaches limits.CONTEXT_US beyond it."""
    start_us, end_us = span_us
    steps = grid(path, start_us, end_us, land=mission.observe_land, ocean=mission.observe_ocean)
    _join(steps, before)
    found, reasons = opportunities.find(requests, path, start_us, end_us)
    bodies = [pointings.ends(activity, path) for activity, _ in found]
    kept = [n for n, (activity, _) in enumerate(found) if _follows(activity, bodies[n], before)]
    worth = {request.name: request.priority * limits.WORTH_OF_PRIORITY_S for request in requests}
    offered = tuple(_opportunity(number, *found[n], worth, steps, bodies[n]) for number, n in enumerate(kept))
    problem = Problem(
        start_us,
        end_us,
        offered,
        _conflicts([found[n][0] for n in kept], [bodies[n] for n in kept]),
        steps.modes,
        contacts,
        int(mission.memory) - SPARE_BITS,
        level_bits,
    )
    return Day(problem, steps, reasons)


def _join(steps: Grid, before: Before | None) -> None:
    """Leave the slew from what the day before ended with; the same mode goes on without."""
    if before is None or (
        before.mode and before.end_us == steps.times_us[0] and before.mode == steps.modes[0]
    ):
        return
    steps.modes[: steps.resume(before.end_us, before.body)] = 0


def _follows(activity: Activity, body: np.ndarray, before: Before | None) -> bool:
    if before is None:
        return True
    return activity.start_us - before.end_us >= _slew_us(before.body, body[0])


def _opportunity(
    number: int, activity: Activity, share: float, worth: dict[str, int], steps: Grid, body: np.ndarray
) -> Opportunity:
    return Opportunity(
        number,
        activity,
        round(share * worth[activity.request]),
        pointings.frames_of(activity) * FRAME_BITS,
        steps.leave(activity.start_us, body[0]),
        steps.resume(activity.end_us, body[1]),
    )


def _conflicts(activities: Sequence[Activity], bodies: Sequence[np.ndarray]) -> Conflicts:
    """Return the pairs of different requests that overlap or leave no time to slew between them."""
    order = sorted(range(len(activities)), key=lambda n: (activities[n].start_us, n))
    found = []
    for place, a in enumerate(order):
        for b in order[place + 1 :]:
            gap_us = activities[b].start_us - activities[a].end_us
            if gap_us >= limits.LONGEST_SLEW_US + limits.SPARE_US:
                break
            if activities[a].request != activities[b].request and (
                gap_us < 0 or gap_us < _slew_us(bodies[a][1], bodies[b][0])
            ):
                found.append((min(a, b), max(a, b)))
    return tuple(sorted(found))


def _slew_us(one: np.ndarray, other: np.ndarray) -> int:
    return slew_us(float(pointings.turn_deg(one, other))) + limits.SPARE_US
