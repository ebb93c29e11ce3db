"""Time codes, Sun, orbit, attitude and ground points against other packages and closed forms."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation, Slerp
from skyfield.api import Loader, wgs84

from processors.job import BadInput
from processors.l1a import ephemeris, geometry, sun, timecode

AU_M = 149_597_870_700.0
TT_MINUS_UTC = 69.184  # s, from 2017
hundredth_degree = 0.01
one_millimetre = 1e-3
three_metres_per_second = 3.0


def place(latitude: float, longitude: float, height_m: float = 0.0) -> np.ndarray:
    """Earth-fixed metres by another package."""
    return np.array(wgs84.latlon(latitude, longitude, elevation_m=height_m).itrs_xyz.m)


def compass(latitude: float, longitude: float) -> np.ndarray:
    """Unit vectors east, north, up by small steps of another package's positions."""
    here, small = place(latitude, longitude), 1e-4
    steps = (
        place(latitude, longitude + small),
        place(latitude + small, longitude),
        place(latitude, longitude, 10),
    )
    back = place(latitude, longitude - small), place(latitude - small, longitude), here
    return np.array([(a - b) / np.linalg.norm(a - b) for a, b in zip(steps, back, strict=True)])


@pytest.fixture(scope="module")
def sky():
    """Sun by the JPL ephemeris: (Earth-fixed apparent position, distance from the ground, au)."""
    import skyfield_data

    loader = Loader(str(Path(skyfield_data.__file__).parent / "data"), expire=False, verbose=False)
    scale, planets = loader.timescale(builtin=True), loader("de421.bsp")
    from skyfield.framelib import itrs

    def look(utc: np.ndarray, ground: tuple[float, float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        moment = scale.from_datetimes([datetime.fromtimestamp(u, UTC) for u in utc])
        seen = planets["earth"].at(moment).observe(planets["sun"])
        observer = planets["earth"] + wgs84.latlon(*ground)
        vector = observer.at(moment).observe(planets["sun"]).distance().m
        return seen.apparent().frame_xyz(itrs).m.T, vector, seen.distance().au

    yield look
    planets.close()


def test_the_sun_agrees_with_the_jpl_ephemeris(sky) -> None:
    utc = np.linspace(1_577_836_800.0, 1_893_456_000.0, 400)  # 2020 to 2030
    expected, _, distance = sky(utc, (0.0, 0.0))
    got, au = sun.position(utc, np.full(utc.size, TT_MINUS_UTC))
    sine = np.linalg.norm(np.cross(got, expected), axis=1)
    apart = np.degrees(np.arctan2(sine, np.sum(got * expected, axis=1)))
    assert apart.max() < 0.5 * hundredth_degree
    np.testing.assert_allclose(au, distance, atol=4e-5)


def test_the_sun_recedes_as_in_the_jpl_ephemeris(sky) -> None:
    ground, step = (35.0, -20.0), 10.0
    utc = np.linspace(1_767_225_600.0, 1_798_761_600.0, 60)
    expected = (sky(utc + step, ground)[1] - sky(utc - step, ground)[1]) / (2 * step)
    here = np.tile(place(*ground), (utc.size, 1))
    got = sun.recession_speed(utc, np.full(utc.size, TT_MINUS_UTC), here)
    assert np.ptp(expected) > 500.0  # rotation and orbit both in play
    np.testing.assert_allclose(got, expected, atol=three_metres_per_second)


def test_the_published_example_of_nrel() -> None:
    """Reda and Andreas 2004, SPA, table A5.1: elevation without refraction 39.872046, azimuth 194.340241."""
    utc = np.array([datetime(2003, 10, 17, 19, 30, 30, tzinfo=UTC).timestamp()])
    position, distance = sun.position(utc, np.array([67.0]))
    zenith, azimuth = geometry.zenith_azimuth(place(39.742476, -105.1786)[np.newaxis], position)
    assert zenith[0] == pytest.approx(90.0 - 39.872046, abs=hundredth_degree)
    assert azimuth[0] == pytest.approx(194.340241, abs=hundredth_degree)
    assert distance[0] == pytest.approx(0.9965422974, abs=4e-5)


@pytest.mark.parametrize("at", [(0.0, 0.0), (52.0, 13.0), (-71.5, 179.9), (85.0, -100.0)])
@pytest.mark.parametrize(("zenith", "azimuth"), [(0.0, 0.0), (20.0, 75.0), (55.0, 190.0), (80.0, 359.0)])
def test_a_line_of_sight_comes_back_to_where_it_was_made(at, zenith: float, azimuth: float) -> None:
    ground, axes = place(*at), compass(*at)
    z, a = np.radians(zenith), np.radians(azimuth)
    unit = np.array([np.sin(z) * np.sin(a), np.sin(z) * np.cos(a), np.cos(z)]) @ axes
    satellite = (ground + 900e3 * unit)[np.newaxis]
    found = geometry.intersect(satellite, -unit[np.newaxis])
    assert np.linalg.norm(found[0] - ground) < one_millimetre
    latitude, longitude = geometry.latitude_longitude(found)
    assert (latitude[0], longitude[0]) == pytest.approx(at, abs=1e-7)
    got_zenith, got_azimuth = geometry.zenith_azimuth(found, satellite)
    assert got_zenith[0] == pytest.approx(zenith, abs=1e-5)
    if zenith > 0.0:
        assert got_azimuth[0] == pytest.approx(azimuth, abs=1e-4)


def test_a_line_of_sight_past_the_earth_or_away_from_it_gives_nothing() -> None:
    satellite = np.tile([7.0e6, 0.0, 0.0], (3, 1))
    direction = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [-1.0, 0.0, 0.0]])
    assert np.isnan(geometry.intersect(satellite, direction)).all(axis=1).tolist() == [True, True, False]


def orbit(time: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Circular orbit seen from the turning Earth, closed form: position m, velocity m s-1."""
    radius, rate, turn, tilt = 7.02e6, 1.0703e-3, 7.292115e-5, np.radians(98.0)
    u, lamda = rate * time, turn * time
    flat = np.stack([np.cos(u), np.sin(u) * np.cos(tilt), np.sin(u) * np.sin(tilt)])
    fast = rate * np.stack([-np.sin(u), np.cos(u) * np.cos(tilt), np.cos(u) * np.sin(tilt)])
    c, s = np.cos(lamda), np.sin(lamda)
    position = np.stack([c * flat[0] + s * flat[1], c * flat[1] - s * flat[0], flat[2]])
    velocity = np.stack([c * fast[0] + s * fast[1], c * fast[1] - s * fast[0], fast[2]])
    velocity += turn * np.stack([position[1], -position[0], 0 * u])
    return radius * position.T, radius * velocity.T


def samples(time: np.ndarray) -> ephemeris.Ephemeris:
    turn = Rotation.from_rotvec(np.outer(time, [1e-3, -2e-4, 3e-4])).as_quat()
    turn[::2] *= -1.0  # the same attitudes, signs as an on-board filter may give them
    return ephemeris.arrange(time, *orbit(time), turn)


def test_orbit_and_attitude_between_the_samples() -> None:
    time = np.arange(0.0, 60.0)
    middle = np.linspace(3.0, 55.0, 77)
    got = ephemeris.interpolate(samples(time), middle)
    position, velocity = orbit(middle)
    assert got.valid.all()
    assert np.abs(got.position - position).max() < one_millimetre
    assert np.abs(got.velocity - velocity).max() < one_millimetre
    expected = Slerp(time, Rotation.from_rotvec(np.outer(time, [1e-3, -2e-4, 3e-4])))(middle)
    for axis in np.eye(3):
        turned = ephemeris.rotate(got.quaternion, np.tile(axis, (middle.size, 1)))
        np.testing.assert_allclose(turned, expected.apply(axis), atol=1e-12)


def test_gaps_and_ends_of_the_ephemeris_give_nothing() -> None:
    time = np.array([0.0, 1.0, 2.0, 9.0, 10.0])
    got = ephemeris.interpolate(samples(time), np.array([-0.1, 0.0, 1.5, 5.0, 9.5, 10.0, 10.1]))
    assert got.valid.tolist() == [False, True, True, False, True, True, False]
    assert np.isnan(got.position).any(axis=1).tolist() == (~got.valid).tolist()


def test_one_sample_or_none_gives_nothing() -> None:
    for count in (0, 1):
        assert not ephemeris.interpolate(samples(np.arange(float(count))), np.zeros(3)).valid.any()


def test_samples_that_cannot_be_true_are_left_out() -> None:
    time = np.arange(8.0)
    position, velocity = orbit(time)
    turn = np.tile([0.0, 0.0, 0.0, 1.0], (8, 1))
    position[1], velocity[2], turn[3], turn[4], position[5] = np.nan, np.inf, 0.0, 1e300, 1.0
    assert ephemeris.arrange(time, position, velocity, turn).time.tolist() == [0.0, 6.0, 7.0]


def test_the_speed_away_is_the_slope_of_the_range() -> None:
    ground = place(10.0, 20.0)[np.newaxis]
    time, step = np.array([100.0]), 0.5
    ranges = [np.linalg.norm(orbit(time + d)[0] - ground) for d in (-step, step)]
    got = geometry.recession_speed(ground, *orbit(time))
    assert got[0] == pytest.approx((ranges[1] - ranges[0]) / (2 * step), abs=0.01)


LEAPS = "utc_start,gps_minus_utc_s\n2015-07-01T00:00:00Z,17\n2017-01-01T00:00:00Z,18\n"


def test_time_codes_are_the_calendar_s(tmp_path: Path) -> None:
    moment = datetime(2026, 6, 13, 12, 0, 0, 123_456, tzinfo=UTC)
    days = (moment - datetime(1958, 1, 1, tzinfo=UTC)).days
    code = np.array([days]), np.array([43_200_123]), np.array([456])
    microsecond = 1e-6
    assert timecode.utc_seconds(*code)[0] == pytest.approx(moment.timestamp(), abs=microsecond)
    (tmp_path / "leap.csv").write_text(LEAPS)
    leap = timecode.LeapSeconds.read(tmp_path / "leap.csv")
    assert leap.gps_minus_utc(np.array([moment.timestamp()]))[0] == 18.0


def test_the_leap_second_of_2016_is_one_second_long(tmp_path: Path) -> None:
    (tmp_path / "leap.csv").write_text(LEAPS)
    leap = timecode.LeapSeconds.read(tmp_path / "leap.csv")
    eve = (datetime(2016, 12, 31) - datetime(1958, 1, 1)).days
    days, ms = np.array([eve, eve, eve + 1]), np.array([86_399_500, 86_400_500, 500])
    time = leap.continuous(days, ms, np.zeros(3, int))
    np.testing.assert_allclose(np.diff(time), 1.0, atol=1e-6)


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "utc_start,gps_minus_utc_s\nsoon,18\n"])
def test_a_broken_leap_second_file_is_bad_input(tmp_path: Path, text: str) -> None:
    (tmp_path / "leap.csv").write_text(text)
    with pytest.raises(BadInput, match=r"leap\.csv: expected"):
        timecode.LeapSeconds.read(tmp_path / "leap.csv")
