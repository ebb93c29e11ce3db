"""Default observation: the right mode over the right ground, no flicker, time to slew between."""

from itertools import pairwise

import numpy as np
import pytest

from twin.mission import earth, orbit, pointing, programming
from twin.mission.planning import defaults, limits
from twin.mission.planning.landmask import is_land
from twin.timecodes import gps_us

HOUR_US = 3_600_000_000


@pytest.fixture(scope="module")
def path(mission):
    scenario = mission(4, [])
    start_us = gps_us(scenario.start)
    return orbit.trajectory(scenario, start_us - HOUR_US // 2, start_us + 5 * HOUR_US)


@pytest.fixture(scope="module")
def laid(path):
    first_us = path.start_us + HOUR_US // 2
    return defaults.grid(path, first_us, first_us + 4 * HOUR_US, land=True, ocean=True)


def looked_at(path, mode, times):
    satellite, body = pointing.attitude(programming.Plan(mode, ()), path, times)
    ground = earth.ray_hit(satellite, body[:, :, 2])
    place = earth.geodetic(ground)[:2]
    return place, earth.horizontal(place, path.sun(times)[0] - ground)[0], body


def test_nadir_is_over_land_and_glint_over_sea_by_day(path, laid):
    most = 0.8  # what is bridged is over the other
    for mode, land, highest in (
        (defaults.NADIR, True, limits.NADIR_SZA_DEG),
        (defaults.GLINT, False, limits.GLINT_SZA_DEG),
    ):
        steps = np.flatnonzero(laid.modes == mode)
        assert len(steps) > 100
        place, sza, _ = looked_at(path, defaults.MODES[mode], laid.times_us[steps])
        assert np.mean(is_land(*place) == land) > most
        assert sza.max() <= highest


def test_nothing_is_brief_and_slews_are_left_free(path, laid):
    found = laid.run_ends()
    assert {mode for mode, _, _ in found} == {defaults.NADIR, defaults.GLINT}
    for (mode, _, end), (next_mode, first, _) in pairwise(found):
        times = laid.times_us[[end, first]]
        before = looked_at(path, defaults.MODES[mode], times[:1])[2][0]
        after = looked_at(path, defaults.MODES[next_mode], times[1:])[2][0]
        turn_deg = np.degrees(np.arccos((np.trace(before.T @ after) - 1.0) / 2.0))
        assert (times[1] - times[0]) / 1e6 >= turn_deg / 0.5 + 5.0


@pytest.mark.parametrize(("land", "ocean"), [(True, False), (False, True), (False, False)])
def test_what_is_switched_off_is_not_observed(path, land, ocean):
    first_us = path.start_us + HOUR_US // 2
    modes = defaults.grid(path, first_us, first_us + HOUR_US, land=land, ocean=ocean).modes
    assert (defaults.NADIR in modes, defaults.GLINT in modes) == (land, ocean)


def test_brief_runs_are_given_to_a_neighbour_that_can_look_there():
    shortest = limits.BRIDGE_US // limits.STEP_US
    wanted = np.array([1] * 20 + [2] * (shortest - 1) + [1] * 20 + [2] * shortest + [0] * 2 + [2] * 30)
    everything = np.ones((3, len(wanted)), bool)
    bridged = defaults._bridge(wanted, everything)
    assert defaults.runs(bridged) == [
        (1, 0, 20 + shortest - 1 + 20),
        (2, 20 + shortest - 1 + 20, len(wanted)),
    ]
    nothing = everything.copy()
    nothing[1, 20 : 20 + shortest - 1] = False  # nadir cannot: nothing is looked at in between
    assert defaults._bridge(wanted, nothing)[20 : 20 + shortest - 1].tolist() == [2] * (shortest - 1)


def test_leave_and_resume_are_the_nearest_steps_with_time_to_slew(path, laid):
    _, first, end = max(laid.run_ends(), key=lambda run: run[2] - run[1])
    middle = (first + end) // 2
    at_us = int(laid.times_us[middle])
    mode = int(laid.modes[middle])
    turned = laid.bodies[mode][middle] @ np.diag([-1.0, -1.0, 1.0])  # half a turn about the boresight
    five_minutes = 30  # steps
    leave, resume = laid.leave(at_us, turned), laid.resume(at_us, turned)
    assert middle - leave > five_minutes < resume - middle
    for step, at, sign in ((leave, leave, -1), (resume, resume, 1)):
        for k, enough in ((at, True), (at - sign, False)):
            body = laid.bodies[mode][k]
            turn_deg = np.degrees(np.arccos(np.clip((np.trace(body.T @ turned) - 1.0) / 2.0, -1.0, 1.0)))
            assert (abs(int(laid.times_us[k]) - at_us) / 1e6 >= turn_deg / 0.5 + 5.0) == enough
        assert laid.modes[step - 1 : step + 1].all()
    assert laid.leave(int(laid.times_us[0]), turned) == 0
    assert laid.resume(int(laid.times_us[-1]), turned) == len(laid.modes)
