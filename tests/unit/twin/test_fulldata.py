"""Which granules of a mission become full data, and that they are looked at as an observation would be."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from twin import fulldata
from twin.constants import FRAME_US
from twin.errors import BadInput
from twin.events.frames import Frames
from twin.mission import knowledge, pointing
from twin.mission.timeline import Activity, Timeline
from twin.scenario import Scenario
from twin.timecodes import gps_us

START = datetime(2026, 7, 1, 20, 40, tzinfo=UTC)
T0 = gps_us(START)
BOOT = 10**10
NEVER = -1


def row(mode: str, first_us: int, frames: int) -> Activity:
    return Activity(first_us, first_us + frames * FRAME_US, mode)


def plan(*activities: Activity) -> Timeline:
    return Timeline(T0, T0 + 10**10, activities, (), (), "test", 0.0)


def seen(activities, lost: tuple[int, ...] = ()) -> Frames:
    """Every frame of the activities stored, all but the lost ones sent in pass 0."""
    starts = np.concatenate([np.arange(a.start_us, a.end_us, FRAME_US) for a in activities])
    ids = BOOT + np.arange(starts.size)
    in_pass = np.where(np.isin(np.arange(starts.size), lost), NEVER, 0)
    sent = np.where(in_pass >= 0, starts + 10**9, NEVER)
    return Frames(ids, starts + FRAME_US // 2, sent, in_pass, np.array([T0 + 10**10]), np.array([1]))


def test_every_mode_has_its_share_and_none_less_than_one_granule():
    assert fulldata.shares([800, 190, 10], 10) == [7, 2, 1]
    assert fulldata.shares([5, 5], 10) == [5, 5]
    assert fulldata.shares([100, 1], 3) == [2, 1]
    assert fulldata.shares([100, 1, 1], 2) == [1, 1, 0]


def test_granules_lie_evenly_over_their_mode_and_in_order_of_time():
    parts = row("nadir", T0, 400), row("glint", T0 + 400 * FRAME_US + 10**7, 200)
    chosen = fulldata.choose(plan(*parts), seen(parts), 72)
    assert [granule.activity.mode for granule in chosen] == ["nadir"] * 4 + ["glint"] * 2
    first = [int(granule.frame_id[0]) - BOOT for granule in chosen]
    assert first == sorted(first)
    assert first == [48, 148, 248, 348, 448, 548]


@pytest.mark.parametrize("lost", [(5,), (4, 7)])
def test_a_granule_that_is_not_whole_on_the_ground_is_left_out(lost):
    parts = (row("nadir", T0, 12),)
    chosen = fulldata.choose(plan(*parts), seen(parts, lost), 24)
    assert [int(granule.frame_id[0]) - BOOT for granule in chosen] == [0, 8]
    with pytest.raises(BadInput, match="expected at most 24, as the mission brings down, got 36"):
        fulldata.choose(plan(*parts), seen(parts, lost), 36)


def test_granules_across_a_turn_or_of_a_calibration_are_left_out():
    parts = row("dark", T0, 6), row("nadir", T0 + 10**8, 10)
    chosen = fulldata.choose(plan(*parts), seen(parts), 24)
    assert [granule.frame_id.tolist() for granule in chosen] == [
        [BOOT + n for n in (8, 9, 10, 11)],
        [BOOT + n for n in (12, 13, 14, 15)],
    ]
    with pytest.raises(BadInput, match="expected at most 24"):
        fulldata.choose(plan(*parts), seen(parts), 25)


def scenario(mode: str, soundings: int) -> Scenario:
    seen = {"mode": mode, "soundings": soundings, "start_latitude": 22.0}
    data = {"name": "s", "start": START, "observation": seen, "requirements": []}
    if mode == "plan":
        data["mission"] = {"duration": 86_400.0}
    return Scenario.model_validate(data, context={"stored_units": True})


@pytest.mark.parametrize("mode", ["nadir", "glint"])
def test_full_data_of_a_mission_are_seen_as_an_observation_is(mode):
    """The orbit crosses the same latitude at the same time: the same frames must have the same geometry."""
    alone = pointing.observe(scenario(mode, 24))
    parts = (row(mode, T0, 8),)
    asked = scenario("plan", 24)
    chosen = fulldata.choose(plan(*parts), seen(parts), 24)
    found = fulldata.observe(asked, chosen)
    assert found["sounding_id"].values.tolist() == alone["sounding_id"].values.tolist()
    for name in ("latitude", "longitude", "vertex_latitude", "sensor_zenith_angle", "solar_azimuth_angle"):
        np.testing.assert_allclose(found[name].values, alone[name].values, atol=1e-6, err_msg=name)
    np.testing.assert_array_equal(found["time_gps_us"].values, alone["time_gps_us"].values)


def test_attitude_is_told_each_second_once_around_the_granules():
    parts = (row("glint", T0, 8),)
    asked = scenario("plan", 24)
    chosen = fulldata.choose(plan(*parts), seen(parts), 24)
    told = fulldata.ephemeris(asked, chosen)
    times = told["time_gps_us"].values
    assert (np.diff(times) == 10**6).all()
    assert times[0] <= T0 - 5 * 10**6 < times[0] + 10**6
    assert times[-1] - 10**6 < T0 + 8 * FRAME_US + 5 * 10**6 <= times[-1]
    alone = knowledge.ephemeris(scenario("glint", 24), times)
    for name in ("position", "velocity", "quaternion"):
        np.testing.assert_allclose(told[name].values, alone[name].values, atol=1e-3, err_msg=name)
