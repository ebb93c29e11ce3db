"""Passes against skyfield's own search for them."""

from datetime import UTC, datetime

import numpy as np
import pytest
from skyfield.api import wgs84

from twin.constants import FRAME_US
from twin.mission import orbit, stations
from twin.scenario import Scenario
from twin.timecodes import gps_us

START = datetime(2026, 7, 1, 20, 40, tzinfo=UTC)
AFTER_US = gps_us(START) + 100 * FRAME_US


@pytest.fixture(scope="module")
def scenario():
    observation = {"mode": "nadir", "soundings": 3, "start_latitude": "22 degree"}
    return Scenario.model_validate(
        {"name": "t", "start": START, "observation": observation, "requirements": []}
    )


@pytest.fixture(scope="module")
def satellite(scenario):
    return orbit.satellite(scenario.orbit, scenario.start, scenario.observation.start_latitude)


def site(station):
    return wgs84.latlon(station.latitude_deg, station.longitude_deg, station.height_m)


@pytest.mark.parametrize("station", stations.X_BAND, ids=lambda s: s.name)
def test_pass_is_the_one_skyfield_finds(scenario, satellite, station):
    one_second = 1.0
    seen = stations.first_pass(scenario, AFTER_US, [station])
    window = orbit.skyfield_time([AFTER_US, AFTER_US + stations.SEARCH_US])
    times, kinds = satellite.find_events(site(station), window[0], window[1], altitude_degrees=5.0)
    first = int(np.flatnonzero(kinds == 0)[0])
    assert kinds[first : first + 3].tolist() == [0, 1, 2]
    for ours_us, theirs in ((seen.aos_us, times[first]), (seen.los_us, times[first + 2])):
        assert abs(orbit.skyfield_time(ours_us) - theirs) * 86400 < one_second
    top = (satellite - site(station)).at(times[first + 1]).altaz()[0].degrees
    assert seen.highest_deg == pytest.approx(top, rel=0.03)  # read off a 10 s grid


def test_elevation_agrees_with_skyfield(scenario, satellite):
    tenth_millidegree = 1e-4
    kiruna = stations.X_BAND[0]
    times = AFTER_US + np.arange(0, 86_400_000_000, 1_700_000_000)
    position, _ = orbit.itrs(satellite, times)
    theirs = (satellite - site(kiruna)).at(orbit.skyfield_time(times)).altaz()[0].degrees
    assert np.allclose(kiruna.elevation_deg(position), theirs, atol=tenth_millidegree)


def test_edges_of_the_pass_stand_at_the_mask(scenario, satellite):
    seen = stations.first_pass(scenario, AFTER_US)
    station = next(s for s in stations.X_BAND if s.name == seen.station)
    elevation = station.elevation_deg(orbit.itrs(satellite, np.array([seen.aos_us, seen.los_us]))[0])
    assert np.allclose(elevation, stations.MASK_DEG, atol=1e-4)
    assert AFTER_US <= seen.aos_us < seen.los_us
    assert seen.highest_deg > stations.MASK_DEG


def test_the_earlier_of_two_stations_is_taken_and_a_pass_under_way_is_not(scenario):
    each = [stations.first_pass(scenario, AFTER_US, [s]) for s in stations.X_BAND]
    assert stations.first_pass(scenario, AFTER_US) == min(each, key=lambda p: p.aos_us)
    first = min(each, key=lambda p: p.aos_us)
    later = stations.first_pass(scenario, first.aos_us + 60_000_000)
    assert later.aos_us > first.los_us


def test_a_day_without_a_pass_is_an_error(scenario, monkeypatch):
    monkeypatch.setattr(stations, "SEARCH_US", 60_000_000)
    with pytest.raises(ValueError, match="over Kiruna, Inuvik: add a station"):
        stations.first_pass(scenario, AFTER_US)
