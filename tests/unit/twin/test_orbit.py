"""The repeat orbit against published figures, and its propagation against the promise of the elements."""

from datetime import UTC, datetime

import numpy as np
import pytest

from twin.constants import WGS84_A
from twin.mission import earth, orbit
from twin.scenario import Orbit
from twin.timecodes import gps_us

START = datetime(2026, 7, 1, 20, 40, tzinfo=UTC)
DAY_US = 86_400_000_000
two_metres = 2.0

# days, revs, mean altitude km, inclination deg, as the mission documents round them
FAMILIES = {
    "mission": (25, 368, 648.9, 97.98),
    "one rev less": (25, 367, 661.7, None),
    "one rev more": (25, 369, 636.2, None),
    "Sentinel-2, 786 km": (10, 143, 786.0, None),
    "Landsat and A-Train, mean semi-major axis 7077.7 km": (16, 233, 699.6, 98.2),
}


@pytest.fixture(scope="module")
def satellite():
    return orbit.satellite(Orbit(), START, 22.0)


@pytest.mark.parametrize("name", FAMILIES)
def test_repeat_orbit_has_the_published_altitude_and_inclination(name):
    days, revs, altitude_km, inclination = FAMILIES[name]
    rounding_km, rounding_deg = (0.05, 0.005) if days == 25 else (0.5, 0.05)
    found = orbit.repeat_orbit(days, revs)
    assert (found.semi_major_axis_m - WGS84_A) / 1e3 == pytest.approx(altitude_km, abs=rounding_km)
    if inclination:
        assert found.inclination_deg == pytest.approx(inclination, abs=rounding_deg)


def test_repeat_orbit_has_the_mission_period_and_ground_speed():
    hundredth_s, metre_s = 0.01, 1.0
    found = orbit.repeat_orbit(25, 368)
    assert found.nodal_period_s == pytest.approx(5869.57, abs=hundredth_s)
    assert 2 * np.pi * WGS84_A / found.nodal_period_s == pytest.approx(6828.0, abs=metre_s)


def test_an_orbit_that_cannot_follow_the_sun_is_refused():
    with pytest.raises(ValueError, match="revs in 1 days"):
        orbit.repeat_orbit(1, 3)


def test_gps_time_reaches_skyfield_as_the_utc_it_stands_for():
    """Neither the 18 s to UTC nor the 19 s to TAI may be lost or counted twice."""
    tenth_ms = 1e-4
    theirs = orbit.timescale().from_datetime(START)
    assert abs(orbit.skyfield_time(gps_us(START)) - theirs) * 86400 < tenth_ms


@pytest.mark.parametrize("latitude", [-80.0, -35.0, 0.0, 2.0, 22.0, 80.0])
def test_start_latitude_is_crossed_southbound_at_start(latitude):
    micro_degree = 1e-6
    found = orbit.satellite(Orbit(), START, latitude)
    position, velocity = orbit.itrs(found, gps_us(START))
    assert earth.geodetic(position)[0] == pytest.approx(latitude, abs=micro_degree)
    assert velocity[2] < 0.0


@pytest.mark.parametrize(("text", "hours"), [("10:30", 10.5), ("13:15", 13.25), ("00:10", 1 / 6)])
def test_descending_node_has_the_wanted_local_time(text, hours):
    one_second_h = 1.0 / 3600.0
    found = orbit.satellite(Orbit(local_time_descending_node=text), START, 22.0)
    _, local = orbit.descending_node(found, gps_us(START))
    assert local == pytest.approx(hours, abs=one_second_h)


def test_local_time_is_that_of_the_real_sun_when_the_equation_of_time_is_zero():
    half_minute_h = 0.5 / 60.0
    start = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)  # equation of time -0.1 min (almanac)
    found = orbit.satellite(Orbit(), start, 0.0)
    longitudes = [
        earth.geodetic(x)[1] for x in (orbit.itrs(found, gps_us(start))[0], orbit.sun_itrs(gps_us(start)))
    ]
    assert (12.0 + (longitudes[0] - longitudes[1]) / 15.0) % 24.0 == pytest.approx(10.5, abs=half_minute_h)


def test_local_time_holds_over_the_repeat_cycle(satellite):
    tenth_second_h = 0.1 / 3600.0
    for day in (5, 12, 25):
        _, local = orbit.descending_node(satellite, gps_us(START) + day * DAY_US)
        assert local == pytest.approx(10.5, abs=tenth_second_h)


def test_nodal_period_measured_on_the_propagated_orbit(satellite):
    ms = 0.001
    first, _ = orbit.descending_node(satellite, gps_us(START))
    later, _ = orbit.descending_node(satellite, first + 368 * 5_869_565_217)
    assert (later - first) / 368e6 == pytest.approx(25 * 86400 / 368, abs=ms)


def test_ground_track_closes_after_25_days(satellite):
    hundred_metres = 100.0
    times = gps_us(START) + np.array([0, 25 * DAY_US])
    position, _ = orbit.itrs(satellite, times)
    assert np.linalg.norm(position[1] - position[0]) < hundred_metres


def test_orbit_is_frozen(satellite):
    """Height over one latitude must not change as the line of apsides would turn (period 100 days)."""
    fifty_metres = 50.0
    heights = []
    for day in (0, 25, 50):
        at, _ = orbit.descending_node(satellite, gps_us(START) + day * DAY_US)
        heights.append(float(earth.geodetic(orbit.itrs(satellite, at)[0])[2]))
    assert np.ptp(heights) < fifty_metres


def test_interpolated_trajectory_matches_direct_propagation(satellite):
    tenth_metre, mm_s, ten_km = 0.1, 0.001, 1e4
    start = gps_us(START)
    path = orbit.Trajectory(satellite, start, start + 6_000_000_000)
    times = start + np.arange(0, 6_000_000_000, 7_300_001, dtype=np.int64)
    position, velocity = path.satellite(times)
    direct_position, direct_velocity = orbit.itrs(satellite, times)
    assert np.linalg.norm(position - direct_position, axis=1).max() < tenth_metre
    assert np.linalg.norm(velocity - direct_velocity, axis=1).max() < mm_s
    sun, _ = path.sun(times[::50])
    assert np.linalg.norm(sun - orbit.sun_itrs(times[::50]), axis=1).max() < ten_km  # 0.01 arc seconds


def test_velocity_is_earth_fixed_not_inertial(satellite):
    """Numerical rate of Earth-fixed positions; the inertial velocity differs by up to 500 m/s."""
    cm_s = 0.01
    at = gps_us(START) + np.array([-50_000, 0, 50_000])
    position, velocity = orbit.itrs(satellite, at)
    assert np.allclose((position[2] - position[0]) / 0.1, velocity[1], atol=cm_s)


def test_times_off_the_trajectory_are_refused(satellite):
    start = gps_us(START)
    path = orbit.Trajectory(satellite, start, start + 60_000_000)
    path.satellite(np.array([start, start + 60_000_000]))
    for outside in (start - 1, start + 60_000_001):
        with pytest.raises(ValueError, match="extend the path"):
            path.satellite(np.array([outside]))


def test_an_inserted_leap_second_does_not_move_the_satellite():
    """Positions 1 s apart in GPS time differ by the velocity, before, in and after 2016-12-31T23:59:60."""
    craft = orbit.satellite(Orbit(), datetime(2016, 12, 31, 23, 59, 50, tzinfo=UTC), 22.0)
    times = gps_us(datetime(2017, 1, 1, tzinfo=UTC)) + 1_000_000 * np.arange(-5, 6)
    position, velocity = orbit.itrs(craft, times)
    step = np.diff(position, axis=0) - (velocity[1:] + velocity[:-1]) / 2
    assert np.abs(step).max() < two_metres
    single = np.array([orbit.itrs(craft, at)[0] for at in times])
    np.testing.assert_allclose(single, position, atol=1e-6)


def test_away_from_leap_seconds_it_is_the_satellite_of_skyfield():
    from skyfield.api import EarthSatellite

    craft = orbit.satellite(Orbit(), datetime(2026, 7, 1, 20, 40, tzinfo=UTC), 22.0)
    stock = EarthSatellite.from_satrec(craft.model, orbit.timescale())
    times = gps_us(datetime(2026, 7, 2, tzinfo=UTC)) + 60_000_000 * np.arange(5)
    np.testing.assert_array_equal(orbit.itrs(craft, times)[0], orbit.itrs(stock, times)[0])
