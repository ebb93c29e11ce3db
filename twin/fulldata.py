"""Choose the granules of a mission that are made as full data, and tell what they saw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from twin.constants import FOVS, FRAME_US, OPERATION_MODES
from twin.errors import BadInput
from twin.events.frames import FRAMES_A_GRANULE, Frames
from twin.mission import knowledge, orbit, pointing
from twin.mission.planning import pointings
from twin.mission.timeline import Activity, Timeline
from twin.scenario import Scenario

SECOND_US = 1_000_000
ATTITUDE_MARGIN_US = 5 * SECOND_US  # us, of attitude packets on each side of a granule


@dataclass(frozen=True, eq=False)
class Granule:
    """Four frames in a row of one pointing, all of them on the ground."""

    frame_id: np.ndarray  # (frame,) boot count * 1e10 + frame counter
    start_us: np.ndarray  # (frame,) GPS us, of exposure
    pass_index: np.ndarray  # (frame,) of the passes acknowledged
    activity: Activity

    @property
    def attitude_us(self) -> np.ndarray:
        """Whole GPS seconds around the granule."""
        first = (int(self.start_us[0]) - ATTITUDE_MARGIN_US) // SECOND_US
        last = -(-(int(self.start_us[-1]) + FRAME_US + ATTITUDE_MARGIN_US) // SECOND_US)
        return np.arange(first, last + 1, dtype=np.int64) * SECOND_US


def choose(timeline: Timeline, seen: Frames, soundings: int) -> list[Granule]:
    """Take granules evenly over time within each mode, modes by their share, at least one of each; in order.

    Raise BadInput where the mission has fewer.
    """
    whole = _whole(timeline, seen)
    wanted = -(-soundings // (FOVS * FRAMES_A_GRANULE))
    if len(whole) < wanted:
        raise BadInput(
            f"observation.soundings: expected at most {len(whole) * FOVS * FRAMES_A_GRANULE}, as the mission "
            f"brings down, got {soundings}: ask for fewer or observe longer"
        )
    by_mode: dict[str, list[Granule]] = {}
    for granule in whole:
        by_mode.setdefault(granule.activity.mode, []).append(granule)
    counts = shares([len(members) for members in by_mode.values()], wanted)
    chosen = [
        members[(2 * n + 1) * len(members) // (2 * count)]
        for members, count in zip(by_mode.values(), counts, strict=True)
        for n in range(count)
    ]
    return sorted(chosen, key=lambda granule: int(granule.frame_id[0]))


def shares(sizes: Sequence[int], wanted: int) -> list[int]:
    """Share a number among groups by their sizes (Sainte-Laguë), one each first, none more than it has."""
    given = [0] * len(sizes)
    for _ in range(wanted):
        open_to = [n for n, size in enumerate(sizes) if given[n] < size]
        best = max(open_to, key=lambda n: (given[n] == 0, sizes[n] / (2 * given[n] + 1)))
        given[best] += 1
    return given


def observe(scenario: Scenario, granules: Sequence[Granule]) -> xr.Dataset:
    """Return the true viewing geometry of the granules, as pointing.observe does for an observation."""
    parts = []
    for granule in granules:
        path = _path(scenario, granule.activity)
        whole = pointings.plan_of(granule.activity, path)
        plan = replace(whole, starts_us=tuple(granule.start_us.tolist()))
        parts.append(pointing.look(plan, path, granule.frame_id))
    values = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return pointing.dataset(values, scenario)


def ephemeris(scenario: Scenario, granules: Sequence[Granule]) -> xr.Dataset:
    """Return what the satellite believes around the granules, each second once, as knowledge.ephemeris."""
    parts, told_us = [], np.empty(0, np.int64)
    for granule in granules:
        times = np.setdiff1d(granule.attitude_us, told_us)
        told_us = granule.attitude_us
        if times.size:
            path = _path(scenario, granule.activity)
            plan = pointings.plan_of(granule.activity, path)
            parts.append(knowledge.believed(scenario, plan, path, times))
    return xr.concat(parts, dim="time")


def _path(scenario: Scenario, activity: Activity) -> orbit.Trajectory:
    margin_us = ATTITUDE_MARGIN_US + SECOND_US
    return orbit.trajectory(scenario, activity.start_us - margin_us, activity.end_us + margin_us)


def _whole(timeline: Timeline, seen: Frames) -> list[Granule]:
    """Return the granules of science modes that came down complete, their frames exposed back to back."""
    starts_us = seen.sensed_us - FRAME_US // 2
    begins = np.array([activity.start_us for activity in timeline.activities])
    made = []
    for number in np.flatnonzero(seen.complete & (seen.frames_of_granule == FRAMES_A_GRANULE)):
        rows = slice(first := int(seen.first_of_granule[number]), first + FRAMES_A_GRANULE)
        start = starts_us[rows]
        place = int(np.searchsorted(begins, start[0], side="right")) - 1
        activity = timeline.activities[place]
        within = place >= 0 and start[-1] + FRAME_US <= activity.end_us
        if within and activity.mode in OPERATION_MODES and (np.diff(start) == FRAME_US).all():
            made.append(Granule(seen.id[rows], start, seen.pass_index[rows], activity))
    return made
