"""Target dwells and city scans: the pass, the aim, the footprints, the rates and the timeline."""

import itertools
import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from twin import scenario as models
from twin import worker
from twin.constants import FRAME_US
from twin.events import world
from twin.events.log import EventLog
from twin.mission import earth, orbit, pointing, programming
from twin.timecodes import gps_us, utc

START = datetime(2026, 7, 1, 20, 40, tzinfo=UTC)
PARIS = {"latitude": "48.86 degree", "longitude": "2.35 degree"}
SECOND = 1_000_000  # us
one_metre, hundred_metres = 1.0, 100.0
a_degree_a_second = 1.0  # the platform turns at 0.5 to 1 deg/s


def scenario(mode, site=PARIS, start=START, **more):
    known = {"local_time_descending_node": more.pop("node", "10:30")}
    return models.Scenario.model_validate(
        {
            "name": "test",
            "start": start,
            "orbit": known,
            "observation": {"mode": mode, "site": site, **more},
            "requirements": [],
        }
    )


@pytest.fixture(scope="module")
def city():
    return pointing.observe(scenario("city"))


def path_of(asked):
    plan = programming.plan(asked)
    return plan, orbit.trajectory(asked, plan.start_us - 31 * SECOND, plan.end_us + 31 * SECOND)


def distance_m(a, b):
    return np.linalg.norm(np.asarray(a) - np.asarray(b), axis=-1)


@pytest.mark.parametrize("ascending", [False, True])
@pytest.mark.parametrize("place", [(48.86, 2.35), (-45.04, 169.68), (69.2, -179.9), (0.0, 100.0)])
def test_the_pass_runs_over_the_site_within_half_a_day_of_start(place, ascending):
    site = {"latitude": f"{place[0]} degree", "longitude": f"{place[1]} degree"}
    found = orbit.overpass(scenario("target", site, ascending=ascending))
    assert abs(utc(found.at_us) - START) <= timedelta(hours=12.1)
    position, velocity = orbit.itrs(found.satellite, found.at_us)
    below = earth.ecef(*earth.geodetic(position)[:2])
    assert distance_m(below, earth.ecef(*map(np.array, place))) < one_metre
    assert (velocity[2] > 0.0) == ascending


def test_the_local_time_of_the_pass_is_that_of_the_node_and_the_slant_of_the_orbit():
    """sin(difference of longitude) = tan latitude / tan inclination, further east before the node."""
    half_a_minute_h = 0.5 / 60.0
    found = orbit.overpass(scenario("target"))
    at = utc(found.at_us)
    local = at.hour + at.minute / 60.0 + at.second / 3600.0 + 2.35 / 15.0
    slant = np.degrees(np.arcsin(np.tan(np.radians(48.67)) / -np.tan(np.radians(97.98))))  # geocentric
    assert local == pytest.approx(10.5 + slant / 15.0, abs=half_a_minute_h)


@pytest.mark.parametrize(("offset_km", "ascending"), [(100, False), (-100, False), (100, True), (-250, True)])
def test_a_track_offset_moves_the_track_east_of_the_site(offset_km, ascending):
    asked = scenario("target", track_offset=f"{offset_km} km", ascending=ascending)
    plan, path = path_of(asked)
    times = np.arange(plan.start_us, plan.end_us, 10_000)
    below = earth.ecef(*earth.geodetic(path.satellite(times)[0])[:2])
    site = earth.ecef(np.array(48.86), np.array(2.35))
    far = distance_m(below, site)
    nearest = int(np.argmin(far))
    assert far[nearest] == pytest.approx(abs(offset_km) * 1e3, rel=0.001)
    assert abs(times[nearest] - (plan.start_us + plan.end_us) // 2) < 0.3 * SECOND
    east = np.array([-site[1], site[0], 0.0]) @ (below[nearest] - site)
    assert np.sign(east) == np.sign(offset_km)


@pytest.mark.parametrize("soundings", [12, 120, 600])
def test_the_boresight_stays_on_the_site_over_the_dwell(soundings):
    plan, path = path_of(scenario("target", soundings=soundings, track_offset="50 km"))
    times = np.arange(plan.start_us, plan.end_us, 100_000)
    hit = pointing.footprints(plan, path, times, np.array([0.0]))[:, 0]
    assert distance_m(hit, earth.ecef(np.array(48.86), np.array(2.35))).max() < one_metre


def test_the_dwell_is_seen_from_both_sides_alike_and_numbered_as_ever():
    seen = pointing.observe(scenario("target", soundings=120))
    zenith = seen.sensor_zenith_angle.values[1::3]
    assert zenith[0] == pytest.approx(zenith[-1], abs=0.1)
    assert 0.4 < zenith.min() < 0.7  # half a frame before overhead: 4.5 km of 660
    assert np.unique(seen.sounding_id).size == 120
    assert set(seen.operation_mode.values.tolist()) == {2}
    assert "LTDN 10:30 past 48.86, 2.35 deg at 2026-07-01T10:57:" in seen.attrs["orbit"]


def test_a_dwell_too_long_is_refused_with_the_angle_reached():
    frames = 204  # 60 degrees from the zenith are 133 s from closest approach
    assert pointing.observe(scenario("target", soundings=3 * frames)).sensor_zenith_angle.max() < 60.2
    for too_many in (3 * frames + 12, 9999):
        with pytest.raises(ValueError, match=r"up to 60.0 degrees .* in mode target, got \d+\.\d: lower"):
            pointing.observe(scenario("target", soundings=too_many))


def test_a_track_too_far_away_is_refused():
    with pytest.raises(ValueError, match="sensor zenith angle"):
        pointing.observe(scenario("city", track_offset="950 km"))


def plane_km(city):
    """Corners (sounding, vertex, 2) along and across track from the site, km."""
    seen = orbit.overpass(scenario("city"))
    corner = earth.ecef(city.vertex_latitude.values, city.vertex_longitude.values) - seen.site_m
    return np.stack([corner @ seen.along, corner @ seen.across], axis=-1) / 1e3


def test_city_footprints_are_2_km_along_and_4_5_km_across(city):
    corner = earth.ecef(city.vertex_latitude.values, city.vertex_longitude.values)
    one_percent = 0.01
    assert np.allclose(distance_m(corner[:, 3], corner[:, 0]), 2000.0, rtol=one_percent)
    across = distance_m(corner[:, 1], corner[:, 0])
    assert across.min() > 4500.0  # 660 km above Paris
    assert across.max() < 4500.0 * 660 / 648.9 / np.cos(np.radians(29.8))  # further away at the ends


def test_a_scan_of_three_sweeps_covers_40_by_40_km(city):
    inside = covered(plane_km(city))
    assert inside.mean() > 0.995
    without_the_middle = plane_km(city)[np.r_[0:60, 120:180]]
    assert covered(without_the_middle).mean() < 0.75


def covered(corner):
    """Whether each point of a 40 x 40 km grid lies in a quadrilateral (n, 4, 2), whichever way round."""
    axis = np.arange(-19.9, 20.0, 0.2)
    point = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    inside = np.zeros(len(point), bool)
    for quad in corner:
        edge = np.roll(quad, -1, axis=0) - quad
        reach = point[:, None] - quad
        side = edge[:, 0] * reach[..., 1] - edge[:, 1] * reach[..., 0]
        inside |= (side >= 0.0).all(axis=1) | (side <= 0.0).all(axis=1)
    return inside


def test_sweeps_lie_side_by_side_and_alternate(city):
    along, across = np.moveaxis(plane_km(city).mean(axis=1).reshape(3, 20, 3, 2), -1, 0)
    assert np.allclose(across[:, :, 1].mean(axis=1), [-13.5, 0.0, 13.5], atol=0.05)
    assert [np.sign(sweep[-1, 1] - sweep[0, 1]) for sweep in along] == [1.0, -1.0, 1.0]
    assert np.allclose(np.abs(along[:, [0, -1], 1]), 19.0, atol=0.05)
    assert (np.diff(across, axis=2) > 4.4).all()  # field of view 1 stays left of flight in every sweep


def test_two_sweeps_and_part_of_a_scan():
    two = pointing.observe(scenario("city", sweeps=2))
    assert two.sizes["sounding"] == 120
    part, whole = (programming.plan(scenario("city", soundings=n)) for n in (6, 180))
    assert part.starts_us == whole.starts_us[29:31]
    seen = pointing.observe(scenario("city", soundings=6))
    assert seen.sounding_id.values.tolist() == [10**11 + n for n in (1, 2, 3, 11, 12, 13)]
    assert np.abs(seen.latitude - 48.86).max() < 0.1


def test_a_scan_takes_104_s_and_looks_28_degrees_fore_and_aft(city):
    plan = programming.plan(scenario("city"))
    assert plan.end_us - plan.start_us == (60 + 2 * 10) * FRAME_US == 104_320_000
    middle = orbit.overpass(scenario("city")).at_us
    assert abs((plan.start_us + plan.end_us) // 2 - middle) <= 1
    zenith = city.sensor_zenith_angle.values[[1, -2]]
    off_nadir = np.degrees(np.arcsin(6371.0 / (6371.0 + 660.0) * np.sin(np.radians(zenith))))
    assert np.allclose(off_nadir, 27.0, atol=1.0)


def rates_deg_s(asked):
    plan, path = path_of(asked)
    times = np.arange(plan.start_us - 30 * SECOND, plan.end_us + 30 * SECOND, 100_000)
    body = Rotation.from_matrix(pointing.attitude(plan, path, times)[1])
    return np.degrees((body[:-1].inv() * body[1:]).magnitude()) / 0.1


def test_a_stare_turns_with_speed_over_height_at_most():
    found = orbit.overpass(scenario("target"))
    position, velocity = orbit.itrs(found.satellite, found.at_us)
    expected = np.degrees(np.linalg.norm(velocity) / distance_m(position, found.site_m))
    rates = rates_deg_s(scenario("target", soundings=600))
    assert rates.max() == pytest.approx(expected, rel=0.005)
    assert rates.max() < 0.67 < a_degree_a_second


@pytest.mark.parametrize("more", [{}, {"sweeps": 2}, {"track_offset": "-200 km"}, {"ascending": True}])
def test_a_scan_never_turns_faster_than_the_platform_can(more):
    rates = rates_deg_s(scenario("city", **more))
    assert rates.max() < 0.93 < a_degree_a_second
    assert np.abs(np.diff(rates)).max() < 0.05  # deg/s in 0.1 s: no jump where sweeps and turns meet


def test_the_timeline_of_a_scan_slews_between_its_sweeps(city):
    asked = scenario("city")
    log = world.simulate(asked, city)
    modes = [(event.time_gps_us, event.id) for event in log.select("spacecraft", "mode")]
    assert [mode for _, mode in modes] == [
        *("standby", "slew", "city", "slew", "city", "slew", "city"),
        *("slew", "standby"),
    ]
    assert not log.select("instrument", "exposure_skipped")
    exposures = np.array([event.time_gps_us for event in log.select("instrument", "exposure")])
    assert exposures.tolist() == list(programming.plan(asked).starts_us)
    for (at, mode), (until, _) in itertools.pairwise(modes):
        if mode == "slew":
            assert not ((exposures + FRAME_US > at) & (exposures < until)).any()
    assert log.frames_downlinked == list(range(60))
    attitude = [event.time_gps_us for event in log.select("memory", "attitude_stored")]
    assert set(np.diff(attitude).tolist()) == {SECOND}


def test_the_mismatch_of_a_dwell_flies_the_same_pass(tmp_path, monkeypatch):
    """A dwell of fewer soundings would be centred elsewhere: the variant keeps the first of the whole one."""
    monkeypatch.chdir(tmp_path)
    asked = scenario("target", soundings=60)
    (tmp_path / "scenario.json").write_text(models.dump(asked))
    for task, order in (("orbit", {}), ("events", {"variant": ""}), ("events", {"variant": "mismatch"})):
        (tmp_path / "job.yaml").write_text(json.dumps(order))
        assert worker.main([task, "job.yaml"]) == 0
    whole, part = (pointing.read(tmp_path / name / "geometry.nc") for name in (".", "mismatch"))
    assert part.identical(whole.isel(sounding=slice(0, 12)))
    logs = [EventLog.read_csv(tmp_path / name / "events.csv") for name in (".", "mismatch")]
    assert logs[1].frames_downlinked == [0, 1, 2, 3]
    packets = [log.select("memory", "attitude_stored") for log in logs]
    assert [e.time_gps_us for e in packets[0]] == [e.time_gps_us for e in packets[1]]


def test_another_day_and_node_move_the_pass():
    later = orbit.overpass(scenario("target", start=START + timedelta(days=3)))
    assert abs(later.at_us - gps_us(START) - 3 * 86_400 * SECOND) <= 12.1 * 3600 * SECOND
    afternoon = utc(orbit.overpass(scenario("target", node="13:30")).at_us)
    assert (afternoon.hour, abs(afternoon.minute - 57) <= 1) == (13, True)
