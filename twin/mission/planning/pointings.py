"""Turn an activity of a plan into its exposures and the attitude it holds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twin.constants import FRAME_US
from twin.mission import aim, earth, orbit, pointing, programming
from twin.mission.timeline import Activity

NADIR_POINTED = ("nadir", "dark", "lamp")  # the shutter is closed in dark and lamp: any attitude would do


@dataclass(frozen=True, eq=False)
class SunView:
    """Hold the boresight on the Sun (assumption: the calibration port looks where the telescope does)."""

    path: orbit.Trajectory

    def point(self, times_us: np.ndarray) -> np.ndarray:
        return self.path.sun(times_us)[0]


def plan_of(activity: Activity, path: orbit.Trajectory) -> programming.Plan:
    """Return exposures and aim; dark and lamp are flown like nadir."""
    if activity.mode == "city":
        return _scan(activity, path)
    starts_us = programming.row(activity.start_us, frames_of(activity))
    if activity.mode == "target":
        return programming.Plan("target", starts_us, aim.Stare(site_of(activity)))
    if activity.mode == "sun":
        return programming.Plan("sun", starts_us, SunView(path))
    return programming.Plan("nadir" if activity.mode in NADIR_POINTED else "glint", starts_us)


def frames_of(activity: Activity) -> int:
    """Count the frames; a city scan has fewer than would fit its turns included."""
    if activity.mode == "city":
        return len(programming.sweep_starts(0, activity.sweeps or 3)) * programming.SWEEP_FRAMES
    return (activity.end_us - activity.start_us) // FRAME_US


def site_of(activity: Activity) -> np.ndarray:
    """Return the Earth-fixed site (3,) m of a target or a city."""
    if activity.latitude_deg is None or activity.longitude_deg is None:
        raise ValueError(f"expected latitude and longitude in mode {activity.mode}, got none: give the site")
    return earth.ecef(np.array(activity.latitude_deg), np.array(activity.longitude_deg))


def bodies(activity: Activity, path: orbit.Trajectory, times_us: np.ndarray) -> np.ndarray:
    """Return attitude matrices (n, 3, 3), body to ECEF, held at the times."""
    return pointing.attitude(plan_of(activity, path), path, times_us)[1]


def ends(activity: Activity, path: orbit.Trajectory) -> np.ndarray:
    """Return the attitude (2, 3, 3) at the first exposure and after the last."""
    return bodies(activity, path, np.array([activity.start_us, activity.end_us]))


def turn_deg(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the angle (...) of the rotation between attitudes (..., 3, 3).

    Both are Earth-fixed: the Earth's own 0.004 degree a second is left out of a slew.
    """
    cosine = (np.einsum("...ij,...ij->...", one, other) - 1.0) / 2.0
    return np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))


def _scan(activity: Activity, path: orbit.Trajectory) -> programming.Plan:
    """Lay the sweeps along the flight direction at the middle of the scan."""
    middle_us = (activity.start_us + activity.end_us) // 2
    site_m = site_of(activity)
    up = earth.normal(np.array(activity.latitude_deg), np.array(activity.longitude_deg))
    velocity = path.satellite(np.array(middle_us))[1]
    along = earth.unit(velocity - (velocity @ up) * up)
    seen = orbit.Overpass(None, middle_us, site_m, along, np.cross(along, up))
    sweeps = programming.sweep_starts(middle_us, activity.sweeps or 3)
    starts_us = tuple(start for sweep in sweeps for start in sweep)
    return programming.Plan("city", starts_us, aim.Scan.of(seen, sweeps))
