"""Viewing geometry against skyfield, the law of reflection, Fermat's principle and closed forms."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import skyfield_data
from scipy.optimize import minimize
from scipy.spatial.transform import Rotation
from skyfield.api import load_file, wgs84

from twin.constants import WGS84_A, WGS84_B
from twin.mission import earth, knowledge, orbit, pointing, programming
from twin.scenario import Scenario

MICRO_DEG = 1e-6
TENTH_MILLIDEG = 1e-4
START = datetime(2026, 7, 1, 20, 40, tzinfo=UTC)


def scenario(mode, soundings=12, latitude="22 degree", start=START, ascending=False, **more):
    observation = {"mode": mode, "soundings": soundings, "start_latitude": latitude, "ascending": ascending}
    return Scenario.model_validate(
        {
            "name": "test",
            "start": start,
            "observation": observation,
            "requirements": [],
            **more,
        }
    )


@pytest.fixture(scope="module", params=["glint", "nadir"])
def mode(request):
    return request.param


@pytest.fixture(scope="module")
def geometry(mode):
    return pointing.observe(scenario(mode))


@pytest.fixture(scope="module")
def glint():
    return pointing.observe(scenario("glint"))


@pytest.fixture(scope="module")
def nadir():
    return pointing.observe(scenario("nadir"))


@pytest.fixture(scope="module")
def kernel():
    opened = load_file(str(Path(skyfield_data.__file__).parent / "data" / "de421.bsp"))
    yield opened
    opened.close()


def one(geometry, index):
    """(place, time, satellite) of skyfield for one sounding."""
    row = geometry.isel(sounding=index)
    place = wgs84.latlon(float(row.latitude), float(row.longitude))
    found = scenario("nadir")
    satellite = orbit.satellite(found.orbit, found.start, found.observation.start_latitude)
    return row, place, orbit.skyfield_time(int(row.time_gps_us)), satellite


def test_geodetic_agrees_with_skyfield():
    points = np.array([[4.2e6, -3.1e6, 4.5e6], [1.0, 2.0, -6.9e6], [-7.0e6, 10.0, 0.0]])
    for point, latitude, longitude, height in zip(points, *earth.geodetic(points), strict=True):
        assert np.allclose(earth.ecef(latitude, longitude, height), point, atol=1e-6)
        theirs = wgs84.latlon(float(latitude), float(longitude), float(height)).itrs_xyz.m
        assert np.allclose(theirs, point, atol=1e-4)


def test_rays_meet_the_ellipsoid_where_closed_forms_say():
    micrometre = 1e-6
    above_pole, above_equator = np.array([0.0, 0.0, 7e6]), np.array([0.0, 7e6, 0.0])
    assert np.allclose(earth.ray_hit(above_pole, np.array([0, 0, -1.0])), [0, 0, WGS84_B], atol=micrometre)
    assert np.allclose(earth.ray_hit(above_equator, np.array([0, -1.0, 0])), [0, WGS84_A, 0], atol=micrometre)
    slant = earth.ray_hit(above_equator, earth.unit(np.array([0.1, -1.0, 0.2])))
    assert (slant[0] ** 2 + slant[1] ** 2) / WGS84_A**2 + slant[2] ** 2 / WGS84_B**2 == pytest.approx(
        1.0, 1e-14
    )
    assert np.allclose(np.cross(slant - above_equator, [0.1, -1.0, 0.2]), 0.0, atol=1e-8)


def test_rays_past_the_limb_are_refused():
    above = np.array([0.0, 7e6, 0.0])
    limb = np.arcsin(WGS84_A / 7e6)
    earth.ray_hit(above, np.array([np.sin(limb - 1e-6), -np.cos(limb - 1e-6), 0.0]))
    with pytest.raises(ValueError, match="past the limb"):
        earth.ray_hit(above, np.array([np.sin(limb + 1e-6), -np.cos(limb + 1e-6), 0.0]))
    with pytest.raises(ValueError, match="past the limb"):
        earth.ray_hit(above, np.array([0.0, 1.0, 0.0]))


@pytest.mark.parametrize("index", [0, 1, 5, 11])
def test_solar_angles_agree_with_skyfield(geometry, kernel, index):
    row, place, time, _ = one(geometry, index)
    altitude, azimuth, _ = (kernel["earth"] + place).at(time).observe(kernel["sun"]).apparent().altaz()
    diurnal_aberration_deg = 0.4 / 3600.0
    tolerance = diurnal_aberration_deg / np.cos(np.radians(altitude.degrees)) + TENTH_MILLIDEG
    assert float(row.solar_zenith_angle) == pytest.approx(90.0 - altitude.degrees, abs=tolerance)
    assert float(row.solar_azimuth_angle) == pytest.approx(azimuth.degrees, abs=tolerance)


@pytest.mark.parametrize("index", [0, 1, 5, 11])
def test_sensor_angles_and_recession_agree_with_skyfield(geometry, index):
    mm_s = 0.001
    row, place, time, satellite = one(geometry, index)
    seen = (satellite - place).at(time)
    altitude, azimuth, _ = seen.altaz()
    assert float(row.sensor_zenith_angle) == pytest.approx(90.0 - altitude.degrees, abs=TENTH_MILLIDEG)
    if row.sensor_zenith_angle > 0.1:
        tolerance = TENTH_MILLIDEG / np.sin(np.radians(float(row.sensor_zenith_angle)))
        assert float(row.sensor_azimuth_angle) == pytest.approx(azimuth.degrees, abs=tolerance)
    *_, range_rate = seen.frame_latlon_and_rates(place)
    assert float(row.sensor_recession_speed) == pytest.approx(range_rate.m_per_s, abs=mm_s)


def test_sun_recedes_as_its_topocentric_distance_grows(geometry, kernel):
    metre_s = 1.0
    row, place, _, _ = one(geometry, 4)
    times = orbit.skyfield_time(int(row.time_gps_us) + np.array([-100, 100]) * 1_000_000)
    distance = (kernel["earth"] + place).at(times).observe(kernel["sun"]).apparent().distance()
    assert float(row.sun_recession_speed) == pytest.approx(np.diff(distance.m)[0] / 200.0, abs=metre_s)
    assert float(row.earth_sun_distance) == pytest.approx(distance.au.mean(), abs=6.4e6 / 1.495e11)


def test_sun_recedes_in_the_afternoon_and_approaches_in_the_morning():
    morning = pointing.observe(scenario("nadir", 3))
    afternoon = pointing.observe(scenario("nadir", 3, orbit={"local_time_descending_node": "14:00"}))
    assert float(morning.sun_recession_speed[1]) < -100.0
    assert float(afternoon.sun_recession_speed[1]) > 100.0


@pytest.mark.parametrize("latitude", ["-20 degree", "22 degree", "70 degree"])
def test_specular_point_reflects(latitude):
    found = scenario("glint", 3, latitude)
    plan = programming.plan(found)
    path = orbit.trajectory(found, plan.start_us, plan.end_us)
    times = plan.exposure_middle_us()
    satellite, sun = path.satellite(times)[0][0], path.sun(times)[0][0]
    point = earth.specular_point(satellite[None], sun[None])[0]
    up = earth.normal(*earth.geodetic(point)[:2])
    to_satellite, to_sun = earth.unit(satellite - point), earth.unit(sun - point)
    angle = 1e-10
    assert abs(earth.geodetic(point)[2]) < 1e-6
    assert to_satellite @ up == pytest.approx(to_sun @ up, abs=angle)
    assert np.cross(to_satellite, to_sun) @ up == pytest.approx(0.0, abs=angle)
    assert to_satellite @ up > 0.0


def test_specular_point_has_the_shortest_path():
    """Fermat: no place on the ellipsoid is nearer to Sun and satellite together."""
    found = scenario("glint", 3)
    plan = programming.plan(found)
    path = orbit.trajectory(found, plan.start_us, plan.end_us)
    satellite, sun = (
        path.satellite(plan.exposure_middle_us())[0][0],
        path.sun(plan.exposure_middle_us())[0][0],
    )
    far = np.linalg.norm(sun)

    def length_km(place):
        point = earth.ecef(place[0], place[1])
        return (np.linalg.norm(satellite - point) + np.linalg.norm(sun - point) - far) / 1e3

    start = np.array([float(x) for x in earth.geodetic(satellite)[:2]])
    best = minimize(length_km, start, method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-9})
    hundred_metres_deg = 1e-3
    expected = earth.geodetic(earth.specular_point(satellite[None], sun[None])[0])[:2]
    assert np.allclose(best.x, expected, atol=hundred_metres_deg)


def test_glint_looks_into_the_mirrored_sun(glint):
    centre = glint.isel(sounding=glint.fov.values == 2)
    raa = np.abs((centre.solar_azimuth_angle - centre.sensor_azimuth_angle + 180.0) % 360.0 - 180.0)
    assert np.allclose(raa, 180.0, atol=MICRO_DEG)
    assert np.allclose(centre.solar_zenith_angle, centre.sensor_zenith_angle, atol=MICRO_DEG)


def test_scattering_angle_of_the_convention_is_that_of_the_vectors(geometry):
    up = np.radians(geometry.solar_zenith_angle), np.radians(geometry.sensor_zenith_angle)
    raa = np.radians(geometry.solar_azimuth_angle - geometry.sensor_azimuth_angle)
    by_angles = -(np.cos(up[0]) * np.cos(up[1]) + np.sin(up[0]) * np.sin(up[1]) * np.cos(raa))
    found = scenario("glint")
    times = geometry.time_gps_us.values
    path = orbit.trajectory(found, int(times.min()), int(times.max()))
    ground = earth.ecef(geometry.latitude.values, geometry.longitude.values)
    light = earth.unit(ground - path.sun(times)[0])
    view = earth.unit(path.satellite(times)[0] - ground)
    assert np.allclose(by_angles, earth.dot(light, view), atol=1e-9)


def test_nadir_footprint_is_4_5_by_8_9_km(nadir):
    five_percent = 0.05  # height above the ellipsoid and Earth rotation vary along the orbit
    corner = earth.ecef(nadir.vertex_latitude.values, nadir.vertex_longitude.values)
    across = np.linalg.norm(corner[:, 1] - corner[:, 0], axis=-1)
    along = np.linalg.norm(corner[:, 3] - corner[:, 0], axis=-1)
    assert np.allclose(across, 4500.0, rtol=five_percent)
    assert np.allclose(along, 8900.0, rtol=five_percent)
    square = np.einsum("nj,nj->n", corner[:, 1] - corner[:, 0], corner[:, 3] - corner[:, 0]) / (
        across * along
    )
    assert np.all(np.abs(square) < 0.01)


def test_nadir_ground_speed_at_the_equator_has_its_closed_form():
    """6.828 km/s along the orbit, with the turning Earth (465.1 m/s eastward) taken off."""
    tenth_percent = 0.001
    row = pointing.observe(scenario("nadir", 12, "0 degree"))
    centre = row.isel(sounding=row.fov.values == 2)
    points = earth.ecef(centre.latitude.values, centre.longitude.values)
    speed = np.linalg.norm(points[1] - points[0]) / 1.304
    inclination = np.radians(97.98)
    expected = np.hypot(6828.0 * np.sin(inclination), 6828.0 * np.cos(inclination) - 465.1)
    assert speed == pytest.approx(expected, rel=tenth_percent)


def test_fov_1_lies_left_of_flight_and_corners_start_there(geometry):
    """Flying south, left is east."""
    row = geometry.isel(sounding=slice(0, 3))
    assert row.longitude[0] > row.longitude[1] > row.longitude[2]
    assert (row.vertex_longitude[:, 0] > row.vertex_longitude[:, 1]).all()  # start-left, start-right
    assert (row.vertex_longitude[:, 3] > row.vertex_longitude[:, 2]).all()  # end-left, end-right
    assert (row.vertex_latitude[:, 0] > row.vertex_latitude[:, 3]).all()  # start is north of end


def test_footprints_touch_without_gap_or_overlap(geometry):
    for name in ("vertex_latitude", "vertex_longitude"):
        corner = geometry[name].values.reshape(-1, 3, 4)
        assert np.allclose(corner[:, :-1, 1], corner[:, 1:, 0], atol=MICRO_DEG)  # right of one, left of next
        assert np.allclose(corner[:-1, :, 3], corner[1:, :, 0], atol=MICRO_DEG)  # end of one, start of next


def test_centre_is_the_middle_of_its_corners(geometry):
    tenth_km_deg = 0.001
    assert np.allclose(geometry.vertex_latitude.mean("vertex"), geometry.latitude, atol=tenth_km_deg)
    assert np.allclose(geometry.vertex_longitude.mean("vertex"), geometry.longitude, atol=tenth_km_deg)


def test_rows_are_frame_major_and_ids_are_made_of_boot_frame_and_fov(geometry):
    assert geometry.sounding_id.values[:4].tolist() == [10**11 + n for n in (1, 2, 3, 11)]
    assert geometry.frame.values.tolist() == np.repeat(np.arange(4), 3).tolist()
    assert geometry.time_gps_us.values[3] - geometry.time_gps_us.values[0] == 1_304_000
    assert float(geometry.time[0]) == pytest.approx(1782938400.652, abs=1e-6)  # 2026-07-01T20:40:00.652Z
    kinds = {name: geometry[name].dtype.str for name in ("sounding_id", "frame", "fov", "operation_mode")}
    assert kinds == {"sounding_id": "<i8", "frame": "<i8", "fov": "|i1", "operation_mode": "|i1"}


def test_geometry_file_keeps_every_number(geometry, tmp_path):
    geometry.to_netcdf(tmp_path / "geometry.nc")
    assert pointing.read(tmp_path / "geometry.nc").identical(geometry)
    assert all("units" in geometry[name].attrs and "long_name" in geometry[name].attrs for name in geometry)


def test_soundings_are_rounded_up_to_whole_frames():
    assert pointing.observe(scenario("nadir", 4)).sizes["sounding"] == 6


def test_a_dark_scene_is_refused_in_glint_alone():
    with pytest.raises(ValueError, match=r"solar_zenith_angle|no specular point"):
        pointing.observe(scenario("glint", 3, "-75 degree"))
    with pytest.raises(ValueError, match="no specular point"):
        pointing.observe(scenario("glint", 3, ascending=True))
    assert float(pointing.observe(scenario("nadir", 3, "-75 degree")).solar_zenith_angle.min()) > 85.0


def test_the_ascending_side_flies_north_by_night():
    night = pointing.observe(scenario("nadir", 12, ascending=True))
    middle = night.isel(sounding=night.fov.values == 2)
    assert float(night.solar_zenith_angle.min()) > 110.0
    assert (np.diff(middle.latitude) > 0.0).all()
    assert float(middle.latitude[0]) == pytest.approx(22.0, abs=0.1)
    assert (night.longitude.values.reshape(-1, 3)[:, 0] < middle.longitude.values).all()  # left is west
    local_hours = (np.float64(20.0 + 40.0 / 60.0) + float(middle.longitude[0]) / 15.0) % 24.0
    half_an_hour = 0.5  # 22:30 at the equator, earlier by node's slant further north
    assert local_hours == pytest.approx(22.5, abs=half_an_hour)


def test_perfect_knowledge_looks_where_the_footprint_is(mode):
    centimetre = 0.01
    perfect = {"ephemeris_position": "0 m", "attitude": "0 microradian"}
    found = scenario(mode, 3, knowledge_error=perfect)
    truth = pointing.observe(found)
    told = knowledge.ephemeris(found, truth.time_gps_us.values[:1])
    body = Rotation.from_quat(told.quaternion.values[0])
    assert np.linalg.det(body.as_matrix()) == pytest.approx(1.0)
    sight = body.apply(pointing.line_of_sight((np.arange(3) - 1) * 4.5 / 648.9))
    ground = earth.ray_hit(told.position.values[0], sight)
    expected = earth.ecef(truth.latitude.values, truth.longitude.values)
    assert np.linalg.norm(ground - expected, axis=1).max() < centimetre


def test_knowledge_error_has_its_size_and_follows_the_seed(mode):
    times = knowledge.packet_times(scenario(mode))[:5]
    sizes = {"ephemeris_position": "50 m", "attitude": "40 microradian"}
    true, told = (
        knowledge.ephemeris(scenario(mode, knowledge_error=error), times)
        for error in ({"ephemeris_position": "0 m", "attitude": "0 microradian"}, sizes)
    )
    off = np.linalg.norm(told.position - true.position, axis=1)
    turn = (
        Rotation.from_quat(true.quaternion.values).inv() * Rotation.from_quat(told.quaternion.values)
    ).magnitude()
    assert np.allclose(off, 50.0, rtol=1e-6)
    assert np.allclose(turn, 40e-6, rtol=1e-6)
    again = knowledge.ephemeris(scenario(mode, knowledge_error=sizes), times[2:3])  # one time by itself
    assert np.allclose(again.position[0], told.position[2], atol=1e-3)
    other = knowledge.ephemeris(scenario(mode, knowledge_error=sizes, seed=2), times)
    assert np.all(np.linalg.norm(other.position - told.position, axis=1) > 1.0)


def test_attitude_packets_cover_the_frames_with_30_s_to_spare(mode):
    found = scenario(mode)
    plan, times = programming.plan(found), knowledge.packet_times(found)
    assert plan.start_us - 31_000_000 < times[0] <= plan.start_us - 30_000_000
    assert plan.end_us + 30_000_000 <= times[-1] < plan.end_us + 31_000_000
    assert np.all(np.diff(times) == 1_000_000)
    assert np.all(times % 1_000_000 == 0)
    quaternion = knowledge.ephemeris(found, times).quaternion.values
    assert np.all(
        np.sum(quaternion[1:] * quaternion[:-1], axis=1) > 0.999
    )  # no sign flips to interpolate over
