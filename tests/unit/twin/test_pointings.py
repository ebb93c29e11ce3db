"""An activity of a plan is flown as the single observation of the same site would be."""

from datetime import UTC, datetime

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from twin.constants import FRAME_US
from twin.mission import aim, orbit, pointing, programming, resources
from twin.mission.planning import pointings
from twin.mission.timeline import Activity
from twin.scenario import Scenario

PARIS = {"latitude": "48.86 degree", "longitude": "2.35 degree"}


def single(**observation):
    data = {"name": "t", "start": datetime(2026, 7, 1, 10, tzinfo=UTC), "requirements": []}
    return Scenario.model_validate(data | {"observation": observation})


@pytest.mark.parametrize(
    ("mode", "keys", "sweeps"),
    [("target", {"soundings": 120}, None), ("city", {"sweeps": 3}, 3), ("city", {"sweeps": 2}, 2)],
)
def test_site_modes_point_as_the_single_observation(mode, keys, sweeps):
    rounding_deg = 1e-5  # of the arc cosine
    scenario = single(mode=mode, site=PARIS, **keys)
    alone = programming.plan(scenario)
    path = orbit.trajectory(scenario, alone.start_us - 10**7, alone.end_us + 10**7)
    activity = Activity(alone.start_us, alone.end_us, mode, "paris", 48.86, 2.35, sweeps)
    planned = pointings.plan_of(activity, path)
    assert planned.starts_us == alone.starts_us
    assert pointings.frames_of(activity) == alone.frames
    times = alone.exposure_middle_us()
    theirs = pointing.attitude(alone, path, times)[1]
    assert pointings.turn_deg(pointings.bodies(activity, path, times), theirs).max() < rounding_deg
    assert pointings.ends(activity, path).shape == (2, 3, 3)


def test_modes_without_site():
    scenario = single(mode="nadir", start_latitude="40 degree")
    start_us = programming.plan(scenario).start_us
    path = orbit.trajectory(scenario, start_us, start_us + 10**8)
    times = np.array([start_us, start_us + FRAME_US])
    for mode, like in (("nadir", "nadir"), ("glint", "glint"), ("dark", "nadir"), ("lamp", "nadir")):
        activity = Activity(start_us, start_us + 3 * FRAME_US, mode)
        alone = programming.Plan(like, ())
        assert pointings.frames_of(activity) == 3
        assert np.allclose(pointings.bodies(activity, path, times), pointing.attitude(alone, path, times)[1])
    sun = pointings.bodies(Activity(start_us, start_us + FRAME_US, "sun"), path, times)
    to_sun = path.sun(times)[0] - path.satellite(times)[0]
    assert np.allclose(sun[:, :, 2], to_sun / np.linalg.norm(to_sun, axis=1)[:, None])
    with pytest.raises(ValueError, match="give the site"):
        pointings.plan_of(Activity(start_us, start_us + FRAME_US, "target"), path)
    assert isinstance(pointings.plan_of(Activity(0, FRAME_US, "target", "a", 1.0, 2.0), path).aim, aim.Stare)


@pytest.mark.parametrize("angle_deg", [0.0, 0.01, 30.0, 179.9])
def test_turns_are_those_of_scipy(angle_deg):
    rounding_deg = 1e-5  # of the arc cosine
    one = Rotation.from_euler("zyx", [20.0, 70.0, -130.0], degrees=True)
    axis = np.array([1.0, -2.0, 0.5]) / np.linalg.norm([1.0, -2.0, 0.5])
    other = one * Rotation.from_rotvec(np.radians(angle_deg) * axis)
    found = pointings.turn_deg(one.as_matrix(), other.as_matrix())
    assert found == pytest.approx(angle_deg, abs=rounding_deg)


def test_slews_and_passes_cost_what_the_rates_say():
    assert resources.slew_us(0.0) == 5_000_000
    assert resources.slew_us(90.0) == 185_000_000
    on_air_us = resources.send_us(resources.FRAME_BITS)
    assert resources.pass_bits(on_air_us - 1) == 0
    assert resources.pass_bits(on_air_us) == resources.FRAME_BITS
    eight_minutes_gbit = 75.0 * 1107 / 1279  # 75 Gbit a pass, coding taken off
    assert resources.pass_bits(480_000_000) / 1e9 == pytest.approx(eight_minutes_gbit, rel=0.01)
