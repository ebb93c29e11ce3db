"""Turn the true orbit and attitude into what the satellite believes: the contents of its 1 Hz packets."""

from __future__ import annotations

import numpy as np
import xarray as xr
from scipy.spatial.transform import Rotation

from twin.mission import earth, orbit, pointing, programming
from twin.random import stream
from twin.scenario import Scenario

MARGIN_US = 30_000_000  # us, before the first and after the last exposure
_SECOND_US = 1_000_000


def packet_times(scenario: Scenario) -> np.ndarray:
    """Return whole GPS seconds (n,) int64 us, from 30 s before the first exposure to 30 s after the last."""
    plan = programming.plan(scenario)
    first = (plan.start_us - MARGIN_US) // _SECOND_US
    last = -(-(plan.end_us + MARGIN_US) // _SECOND_US)
    return np.arange(first, last + 1, dtype=np.int64) * _SECOND_US


def ephemeris(scenario: Scenario, times_us: np.ndarray) -> xr.Dataset:
    """Return believed position m, velocity m s-1 (time, xyz) and quaternion (time, xyzw), body to ECEF.

    The error is one vector of the scenario's size in position and one in attitude, fixed in the body frame;
    the seed draws their directions. Velocity is exact: the matching 5 mm s-1 is below its use.
    """
    times = np.asarray(times_us, dtype=np.int64)
    path = orbit.trajectory(scenario, int(times.min()), int(times.max()))
    return believed(scenario, programming.plan(scenario), path, times)


def believed(
    scenario: Scenario, plan: programming.Plan, path: orbit.Trajectory, times: np.ndarray
) -> xr.Dataset:
    """Return the contents of the packets at times (n,) int64 GPS us, as `ephemeris`, for one pointing."""
    known = scenario.knowledge_error
    position, body = pointing.attitude(plan, path, times)
    shift = known.ephemeris_position * draw_direction(scenario.seed, "ephemeris_position")
    turn = Rotation.from_rotvec(known.attitude * 1e-6 * draw_direction(scenario.seed, "attitude"))
    told = Rotation.from_matrix(body) * turn
    return xr.Dataset(
        {
            "position": (("time", "xyz"), position + body @ shift, {"units": "m"}),
            "velocity": (("time", "xyz"), path.satellite(times)[1], {"units": "m s-1"}),
            "quaternion": (("time", "xyzw"), _continuous(told.as_quat()), {"units": "1"}),
        },
        coords={"time_gps_us": ("time", times, {"units": "1e-6 s"})},
    )


def draw_direction(seed: int, effect: str) -> np.ndarray:
    """Draw a unit vector (3,) that depends on nothing but seed and effect."""
    return earth.unit(stream(seed, effect).standard_normal(3))


def _continuous(quaternion: np.ndarray) -> np.ndarray:
    """Choose the sign of each quaternion (n, 4) nearest to the one before, the first with w >= 0."""
    flips = np.sign(np.sum(quaternion[1:] * quaternion[:-1], axis=1))
    first = -1.0 if quaternion[0, 3] < 0.0 else 1.0
    return quaternion * np.concatenate([[first], first * np.cumprod(flips)])[:, None]
