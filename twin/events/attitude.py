"""Turn the activities of a plan into the modes the platform flies, slews between them included."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from twin.constants import FRAME_US, SWEEP_FRAMES
from twin.events.spacecraft import Step
from twin.mission import aim, earth, orbit
from twin.mission.programming import TURN_FRAMES
from twin.mission.resources import slew_us
from twin.mission.timeline import Activity

STILL_DEG = 0.05  # deg, a turn that the control loop follows without a slew (assumption)
STANDBY_US = 60_000_000  # us, shown before the first slew
Array = np.ndarray


def directions(path: orbit.Trajectory, activities: Sequence[Activity], times_us: Array) -> Array:
    """Return (n, 2, 3) Earth-fixed unit vectors: boresight of each activity at its time, and nadir there.

    Nadir, dark and lamp look down; a city scan is taken at its middle.
    """
    satellite, _ = path.satellite(times_us)
    latitude, longitude, _ = earth.geodetic(satellite)
    down = -earth.normal(latitude, longitude)
    seen = down.copy()
    for mode in {activity.mode for activity in activities} & set(_BORESIGHTS):
        rows = [row for row, activity in enumerate(activities) if activity.mode == mode]
        chosen = [activities[row] for row in rows]
        seen[rows] = _BORESIGHTS[mode](path, chosen, times_us[rows], satellite[rows])
    return np.stack([seen, down], axis=1)


def _at_site(path: orbit.Trajectory, chosen: Sequence[Activity], times_us: Array, satellite: Array) -> Array:
    places = np.array([(a.latitude_deg, a.longitude_deg) for a in chosen], dtype=float)
    return earth.unit(earth.ecef(places[:, 0], places[:, 1]) - satellite)


def _at_glint(path: orbit.Trajectory, chosen: Sequence[Activity], times_us: Array, satellite: Array) -> Array:
    return earth.unit(earth.specular_point(satellite, path.sun(times_us)[0]) - satellite)


def _at_sun(path: orbit.Trajectory, chosen: Sequence[Activity], times_us: Array, satellite: Array) -> Array:
    return earth.unit(path.sun(times_us)[0] - satellite)


_BORESIGHTS = {"target": _at_site, "city": _at_site, "glint": _at_glint, "sun": _at_sun}


def turn_us(before: Array, after: Array) -> int:
    """Return the time from one direction (3,) to another, settling included; none where they agree."""
    angle_deg = float(np.degrees(np.arctan2(np.linalg.norm(np.cross(before, after)), before @ after)))
    return slew_us(angle_deg) if angle_deg >= STILL_DEG else 0


def steps(activities: Sequence[Activity], first: Array, last: Array) -> Iterator[Step]:
    """Give the modes in order of time: back to nadir between activities where there is time for it.

    first, last  (activity, 2, 3)  directions at the first and the last exposure. Where the gap is too short
    for the slew, the mode is entered late, and the instrument skips the frames before.
    """
    left_us, back_us = None, 0  # end of the activity before, time to return to nadir from it
    for k, activity in enumerate(activities):
        out_us = turn_us(*first[k])
        direct_us = turn_us(last[k - 1][0], first[k][0]) if k else out_us
        if left_us is None:
            left_us = activity.start_us - out_us - STANDBY_US
        gap = Gap(left_us, activity.start_us, back_us, out_us, direct_us)
        yield from gap.steps()
        yield Step(gap.entered_us, activity.mode, k)
        yield from _sweeps(activity, k)
        left_us, back_us = activity.end_us, turn_us(*last[k])
    if left_us is not None:
        yield from [Step(left_us, "slew")] if back_us else []
        yield Step(left_us + back_us, "standby")


@dataclass(frozen=True)
class Gap:
    """The time between two activities, and what the turns in it take."""

    left_us: int
    next_us: int
    back_us: int  # to nadir
    out_us: int  # from nadir
    direct_us: int

    @property
    def by_nadir(self) -> bool:
        return self.next_us - self.left_us >= self.back_us + self.out_us

    @property
    def entered_us(self) -> int:
        return self.next_us if self.by_nadir else max(self.next_us, self.left_us + self.direct_us)

    def steps(self) -> Iterator[Step]:
        back_us, out_us = (self.back_us, self.out_us) if self.by_nadir else (0, self.direct_us)
        if back_us:
            yield Step(self.left_us, "slew")
        if self.left_us + back_us < self.entered_us - out_us:
            yield Step(self.left_us + back_us, "standby")
        if out_us:
            yield Step(self.entered_us - out_us, "slew")


def _sweeps(activity: Activity, k: int) -> Iterator[Step]:
    """Give the turns between the sweeps of a city scan, settling included."""
    for start_us in sweep_starts_us(activity)[:-1]:
        ended_us = start_us + SWEEP_FRAMES * FRAME_US
        yield Step(ended_us + aim.HOLD_US, "slew", k)
        yield Step(ended_us + TURN_FRAMES * FRAME_US - aim.HOLD_US, "city", k)


def sweep_starts_us(activity: Activity) -> list[int]:
    """Return the first exposure of every sweep of an activity; all but a city scan have one."""
    sweeps = (activity.sweeps or 3) if activity.mode == "city" else 1
    return [activity.start_us + n * (SWEEP_FRAMES + TURN_FRAMES) * FRAME_US for n in range(sweeps)]
