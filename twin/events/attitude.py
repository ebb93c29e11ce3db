"""Turn the activities of a plan into the modes the platform flies, slews between them included."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from twin.constants import FRAME_US, SWEEP_FRAMES
from twin.events.spacecraft import Step, slew_us
from twin.mission import aim, earth, orbit
from twin.mission.programming import TURN_FRAMES
from twin.mission.timeline import Activity

STILL_DEG = 0.05  # deg, a turn that the control loop follows without a slew (assumption)
STANDBY_US = 60_000_000  # us, shown before the first slew
NADIR = np.array([0.0, 0.0, 1.0])
Array = np.ndarray


def directions(path: orbit.Trajectory, activities: Sequence[Activity], times_us: Array) -> Array:
    """Return boresights (n, 3) as along flight, right of it, down, one of each activity at its time.

    Standby, nadir, dark and lamp look down; a city scan is taken at its middle.
    """
    satellite, velocity = path.satellite(times_us)
    latitude, longitude, _ = earth.geodetic(satellite)
    down = -earth.normal(latitude, longitude)
    along = earth.unit(velocity - earth.dot(velocity, down)[:, None] * down)
    frame = np.stack([along, np.cross(down, along), down], axis=1)
    seen = down.copy()
    for mode in {activity.mode for activity in activities} & set(_BORESIGHTS):
        rows = [row for row, activity in enumerate(activities) if activity.mode == mode]
        chosen = [activities[row] for row in rows]
        seen[rows] = _BORESIGHTS[mode](path, chosen, times_us[rows], satellite[rows])
    return np.einsum("nij,nj->ni", frame, seen)


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

    first, last  (activity, 3)  boresights at the first and the last exposure. Where the gap is too short for
    the slew, the mode is entered late, and the instrument skips the frames before.
    """
    for k, activity in enumerate(activities):
        out_us = turn_us(NADIR, first[k])
        left_us, left = activity.start_us - out_us - STANDBY_US, NADIR
        if k:
            left_us, left = activities[k - 1].end_us, last[k - 1]
        yield from _between(left_us, activity.start_us, turn_us(left, NADIR), out_us, turn_us(left, first[k]))
        late_us = max(0, left_us + turn_us(left, first[k]) - activity.start_us)
        yield Step(activity.start_us + late_us, activity.mode, k)
        yield from _sweeps(activity, k)
    if activities:
        back_us = turn_us(last[-1], NADIR)
        yield from [Step(activities[-1].end_us, "slew")] if back_us else []
        yield Step(activities[-1].end_us + back_us, "standby")


def _between(left_us: int, next_us: int, back_us: int, out_us: int, direct_us: int) -> Iterator[Step]:
    """Fill the gap between two activities, by way of nadir or directly."""
    by_nadir = next_us - left_us >= back_us + out_us
    if not by_nadir:
        back_us, out_us = 0, min(direct_us, max(next_us - left_us, 1))
    if back_us:
        yield Step(left_us, "slew")
    if left_us + back_us < next_us - out_us:
        yield Step(left_us + back_us, "standby")
    if out_us:
        yield Step(max(next_us - out_us, left_us), "slew")


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
