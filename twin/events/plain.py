"""Make a plain plan for tests and benchmarks: nadir over the sunlit half of every orbit, every contact."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from twin.constants import FRAME_US
from twin.mission import earth, orbit, stations
from twin.mission.timeline import Activity, Contact, Timeline
from twin.scenario import Scenario
from twin.timecodes import DAY_US, gps_us

STEP_US = 10_000_000  # us; edges are interpolated between
S_BAND = (*stations.X_BAND, stations.STATIONS["Kourou"])
GUARD_US = 60_000_000  # us kept free at both ends of the span


def timeline(scenario: Scenario, days: float) -> Timeline:
    """Plan from the scenario's start; conflict-free by itself, as nadir needs no slew."""
    start_us = gps_us(scenario.start)
    end_us = start_us + round(days * DAY_US)
    activities: list[Activity] = []
    contacts: list[Contact] = []
    for first_us in range(start_us, end_us, DAY_US):
        times = np.arange(first_us, min(first_us + DAY_US, end_us), STEP_US)
        path = orbit.trajectory(scenario, int(times[0]), int(times[-1]))
        satellite, _ = path.satellite(times)
        sunward = earth.dot(satellite, path.sun(times)[0])
        activities += [Activity(a, b, "nadir") for a, b in _observed(times, sunward)]
        for band, there in (("x", stations.X_BAND), ("s", S_BAND)):
            seen = stations.passes(path, there, int(times[0]), int(times[-1]))
            contacts += [Contact(one.station, band, one.aos_us, one.los_us, one.highest_deg) for one in seen]
    ordered = tuple(sorted(contacts, key=lambda contact: contact.aos_us))
    return Timeline(start_us, end_us, tuple(activities), ordered, (), "plain", 0.0)


def _observed(times_us: np.ndarray, sunward: np.ndarray) -> Iterator[tuple[int, int]]:
    """Give spans of whole frames by day; a span that touches midnight of the plan is cut there."""
    for begin_us, end_us in _spans(times_us, sunward):
        begin_us = max(begin_us, int(times_us[0]) + GUARD_US)
        frames = (min(end_us, int(times_us[-1]) - GUARD_US) - begin_us) // FRAME_US
        if frames > 0:
            yield begin_us, begin_us + frames * FRAME_US


def _spans(times_us: np.ndarray, level: np.ndarray) -> list[tuple[int, int]]:
    """Return (begin, end) of every span of positive level, cut at the ends of the grid."""
    up = np.flatnonzero((level[:-1] <= 0) & (level[1:] > 0))
    down = np.flatnonzero((level[:-1] > 0) & (level[1:] <= 0))
    edge = {k: int(times_us[k] + STEP_US * level[k] / (level[k] - level[k + 1])) for k in (*up, *down)}
    open_end = [int(times_us[0])] if level[0] > 0 else []
    begins = [*open_end, *(edge[k] for k in up)]
    ends = [*(edge[k] for k in down), *([int(times_us[-1])] if level[-1] > 0 else [])]
    return list(zip(begins, ends, strict=True))
