"""Plan a mission day after day: requests not served carry over, memory and attitude go on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from twin.constants import FRAME_US
from twin.errors import BadInput
from twin.mission import orbit, stations
from twin.mission.planning import build, check, cp_sat, greedy, limits, own, pointings, reasons
from twin.mission.planning.defaults import MODES, runs
from twin.mission.planning.opportunities import NO_VIEW
from twin.mission.planning.problem import Choice, Problem
from twin.mission.timeline import Activity, Contact, Timeline
from twin.operations import Mission
from twin.scenario import Scenario
from twin.timecodes import DAY_US, gps_us

Method = Callable[[Problem], Choice]
METHODS: dict[str, Method] = {"cp_sat": cp_sat.choose, "greedy": greedy.choose}
HORIZON_DEG = 90.0
Stretch = tuple[int, int, int]  # mode, start and end of default observation, GPS us


@dataclass(frozen=True, eq=False)
class DayPlan:
    """A day and what was chosen for it."""

    day: build.Day
    choice: Choice
    kept: np.ndarray  # (step,) of default observation
    contacts: tuple[Contact, ...]  # begun within the day

    @property
    def activities(self) -> list[Activity]:
        """Return what serves requests."""
        return [self.day.problem.opportunities[k].activity for k in self.choice.ids]

    @property
    def stretches(self) -> list[Stretch]:
        times = self.day.steps.times_us
        found = runs(np.where(self.kept, self.day.problem.modes, 0))
        return [(mode, int(times[a]), int(times[b])) for mode, a, b in found if mode]

    @property
    def nights(self) -> list[tuple[int, int]]:
        """Return start and end, GPS us, of the stretches with the Sun below the horizon beneath."""
        times = self.day.steps.times_us
        dark = runs(self.day.steps.sza_deg[:-1] >= HORIZON_DEG)
        return [(int(times[a]), int(times[b])) for night, a, b in dark if night]

    @property
    def worth(self) -> int:
        return self.day.problem.worth(self.choice.ids, self.kept)


def plan(
    scenario: Scenario,
    *,
    method: str | None = None,
    folder: Path | None = None,
    told: Callable[[int], None] = lambda day: None,
) -> Timeline:
    """Return the timeline of a scenario in mode plan, checked; see `days` for the arguments."""
    return timeline(scenario, list(days(scenario, method=method, folder=folder, told=told)), method)


def days(
    scenario: Scenario,
    *,
    method: str | None = None,
    folder: Path | None = None,
    told: Callable[[int], None] = lambda day: None,
) -> Iterator[DayPlan]:
    """Plan each day; `method` replaces mission.programming, a user's own is looked for in the folder.

    `told` hears the number of days done.
    """
    mission = mission_of(scenario)
    choose = _method(method or mission.programming, folder or Path())
    waiting, before, level_bits = list(mission.requests), None, 0
    edges = day_edges_us(scenario)
    for number, span_us in enumerate(pairwise(edges), start=1):
        path = orbit.trajectory(scenario, span_us[0] - limits.CONTEXT_US, span_us[1] + limits.CONTEXT_US)
        seen = contacts(mission, path, span_us, (edges[0], edges[-1]))
        x_band = tuple(contact for contact in seen if contact.band == "x")
        day = build.day(mission, waiting, path, span_us, x_band, before=before, level_bits=level_bits)
        done = _solved(day, choose, seen)
        yield done
        served = {activity.request for activity in done.activities}
        waiting = [request for request in waiting if request.name not in served]
        before = _end(done, path) or before
        level_bits = day.problem.levels(done.choice.ids, done.kept)[-1]
        told(number)


def mission_of(scenario: Scenario) -> Mission:
    """Return what to programme; refuse a scenario without, too short a span, and unknown stations."""
    if scenario.mission is None:
        raise BadInput(
            f"{scenario.name}: expected observation.mode plan and a mission, got mode "
            f"{scenario.observation.mode} and none: use `twin run`"
        )
    if scenario.mission.duration * 1e6 < limits.STEP_US:
        raise BadInput(f"{scenario.name}: expected mission.duration of 10 s or more: plan at least a step")
    try:
        stations.named([*scenario.mission.x_band, *scenario.mission.s_band])
    except ValueError as error:
        raise BadInput(f"{scenario.name}: mission: {error}") from error
    return scenario.mission


def day_edges_us(scenario: Scenario) -> list[int]:
    """Return start and end of each day; the span is cut to whole steps of the grid."""
    start_us = gps_us(scenario.start)
    length_us = round(mission_of(scenario).duration * 1e6) // limits.STEP_US * limits.STEP_US
    return [*range(start_us, start_us + length_us, DAY_US), start_us + length_us]


def contacts(
    mission: Mission, path: orbit.Trajectory, day_us: tuple[int, int], span_us: tuple[int, int]
) -> tuple[Contact, ...]:
    """Return the contacts that begin within a day, X-band one at once, S-band all; cut at the span's ends."""
    first_us = max(path.start_us, span_us[0])
    last_us = min(path.end_us, span_us[1])
    found = []
    for band, names in (("x", mission.x_band), ("s", mission.s_band)):
        seen = stations.passes(path, stations.named(names), first_us, last_us)
        found += [
            Contact(one.station, band, one.aos_us, one.los_us, one.highest_deg)
            for one in (stations.served(path, seen) if band == "x" else seen)
            if day_us[0] <= one.aos_us < day_us[1]
        ]
    return tuple(sorted(found, key=lambda contact: (contact.aos_us, contact.band, contact.station)))


def timeline(scenario: Scenario, planned: list[DayPlan], method: str | None = None) -> Timeline:
    """Put the days together; refuse a plan that breaks a rule."""
    edges = day_edges_us(scenario)
    activities = [activity for one in planned for activity in one.activities] + _default(planned)
    bounds = [one.choice.bound for one in planned if one.choice.bound is not None]
    made = Timeline(
        start_us=edges[0],
        end_us=edges[-1],
        activities=tuple(sorted(activities, key=lambda activity: activity.start_us)),
        contacts=tuple(contact for one in planned for contact in one.contacts),
        unserved=_unserved(planned),
        method=method or mission_of(scenario).programming,
        objective=float(sum(one.worth for one in planned)),
        bound=float(sum(bounds)) if len(bounds) == len(planned) else None,
        optimal=all(one.choice.optimal for one in planned),
    )
    check.require(scenario, made)
    return made


def _method(name: str, folder: Path) -> Method:
    return METHODS[name] if name in METHODS else own.method(name, folder)


def _solved(day: build.Day, choose: Method, seen: tuple[Contact, ...]) -> DayPlan:
    if day.problem.kept_steps(()) is None:
        raise BadInput(
            "mission.memory: expected room for attitude packets until the next pass, got "
            f"{max(day.problem.memory_bits, 0)} bit beside the reserve: enlarge it or add a station to x_band"
        )
    choice = choose(day.problem)
    kept = day.problem.kept_steps(choice.ids)
    return DayPlan(day, choice, np.zeros(len(day.problem.modes), bool) if kept is None else kept, seen)


def _end(done: DayPlan, path: orbit.Trajectory) -> build.Before | None:
    """Return how the day ends, None if nothing was done in it."""
    ends = [
        build.Before(
            end_us, done.day.steps.bodies[mode][(end_us - done.day.problem.start_us) // limits.STEP_US], mode
        )
        for mode, _, end_us in done.stretches[-1:]
    ]
    last = max(done.activities, key=lambda activity: activity.end_us, default=None)
    if last is not None:
        ends.append(build.Before(last.end_us, pointings.ends(last, path)[1]))
    return max(ends, key=lambda end: end.end_us, default=None)


def _default(planned: list[DayPlan]) -> list[Activity]:
    """Turn the default observation into activities of whole frames; a stretch may run over midnight."""
    joined: list[Stretch] = []
    for mode, start_us, end_us in (stretch for one in planned for stretch in one.stretches):
        if joined and joined[-1][0] == mode and joined[-1][2] == start_us:
            start_us = joined.pop()[1]
        joined.append((mode, start_us, end_us))
    return [
        Activity(start_us, start_us + (end_us - start_us) // FRAME_US * FRAME_US, MODES[mode])
        for mode, start_us, end_us in joined
    ]


def _unserved(planned: list[DayPlan]) -> tuple[tuple[str, str], ...]:
    """Return requests never served, by the day that came nearest to it, the latest of equals."""
    served = {activity.request for one in planned for activity in one.activities}
    why: dict[str, tuple[int, str]] = {}
    for one in planned:
        told = [(0 if reason == NO_VIEW else 1, name, reason) for name, reason in one.day.reasons.items()]
        told += [(2, *item) for item in reasons.unserved(one.day.problem, one.choice.ids).items()]
        for rank, name, reason in told:
            if name not in served and rank >= why.get(name, (0, ""))[0]:
                why[name] = rank, reason
    return tuple(sorted((name, reason) for name, (_, reason) in why.items()))
