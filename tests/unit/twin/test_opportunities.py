"""Opportunities against skyfield's view from the ground, searched second by second."""

from dataclasses import replace

import numpy as np
import pytest
from skyfield.api import wgs84

from twin.constants import FRAME_US
from twin.mission import earth, orbit
from twin.mission.planning import limits, opportunities
from twin.operations import Request
from twin.timecodes import gps_us

HOUR_US = 3_600_000_000
SITES = [("Orleans", 47.97, 2.11), ("Izana", 28.3, -16.5), ("Kano", 12.0, 8.5), ("Luanda", -8.84, 13.2)]


def target(name, latitude, longitude, **keys):
    data = {"name": name, "kind": "target", "latitude": latitude, "longitude": longitude} | keys
    return Request.model_validate(data, context={"stored_units": True})


@pytest.fixture(scope="module")
def scenario(mission):
    return mission(6, [])


@pytest.fixture(scope="module")
def path(scenario):
    start_us = gps_us(scenario.start)
    return orbit.trajectory(scenario, start_us - HOUR_US // 2, start_us + 6 * HOUR_US)


@pytest.fixture(scope="module")
def span(scenario, path):
    return gps_us(scenario.start), path.end_us - HOUR_US // 2


def seen_from(satellite, latitude, longitude, times_us):
    """Zenith angle deg by skyfield, on the ellipsoid."""
    view = satellite - wgs84.latlon(latitude, longitude)
    return 90.0 - view.at(orbit.skyfield_time(times_us)).altaz()[0].degrees


def test_approaches_are_those_of_a_search_second_by_second(scenario, path, span):
    one_second_us = 1_000_000
    times = np.arange(*span, one_second_us)
    places = np.array([site[1:] for site in SITES]).T
    found = opportunities.approaches(path, earth.ecef(*places), *span)
    assert sum(map(len, found)) >= 3
    for (_, latitude, longitude), ours in zip(SITES, found, strict=True):
        zenith = seen_from(orbit.flown(scenario), latitude, longitude, times)
        lowest = 1 + np.flatnonzero((zenith[1:-1] < zenith[:-2]) & (zenith[1:-1] <= zenith[2:]))
        theirs = times[lowest[zenith[lowest] <= limits.SITE_VZA_DEG]]
        assert np.allclose(
            ours, theirs, atol=5 * one_second_us, rtol=0.0
        )  # least range, not least zenith angle
        assert len(ours) == len(theirs)


def test_each_look_keeps_its_limits_as_skyfield_sees_them(scenario, path, span):
    found, reasons = opportunities.find([target(*site) for site in SITES], path, *span)
    assert {activity.request for activity, _ in found} | set(reasons) == {site[0] for site in SITES}
    assert len({activity.request for activity, _ in found}) >= 2
    for activity, share in found:
        assert activity.end_us - activity.start_us == 40 * FRAME_US
        times = np.array([activity.start_us, activity.end_us])
        zenith = seen_from(orbit.flown(scenario), activity.latitude_deg, activity.longitude_deg, times)
        assert zenith.max() <= limits.SITE_VZA_DEG + 0.01
        assert share == (1.0 if abs(zenith[0] - zenith[1]) < 1.0 else limits.SHIFTED_WORTH)


def test_a_city_scan_lies_around_closest_approach(path, span):
    city = target("Paris", 48.86, 2.35, kind="city", sweeps=2)
    at_us = opportunities.approaches(path, earth.ecef(np.array([48.86]), np.array([2.35])), *span)[0]
    found, _ = opportunities.find([city], path, *span)
    assert len(found) == len(at_us) == 1
    scan, _ = found[0]
    assert (scan.start_us + scan.end_us) // 2 == at_us[0]
    assert scan.end_us - scan.start_us == (2 * 20 + 10) * FRAME_US
    assert scan.sweeps == 2


def test_reasons_name_view_sun_and_night(path, span):
    calibrations = [
        Request(name="too_long", kind="dark", frames=1000),
        Request(name="no_twilight", kind="sun", frames=1000),
    ]
    brief = span[0], span[0] + HOUR_US // 4
    far, dark = target("far", 0.0, 150.0), target("south", -79.0, 170.0)
    found, reasons = opportunities.find([far, *calibrations], path, *brief)
    assert not found
    assert reasons == {
        "far": opportunities.NO_VIEW,
        "too_long": opportunities.NO_NIGHT,
        "no_twilight": opportunities.NO_SUN,
    }
    _, reasons = opportunities.find([dark], path, *span)
    assert reasons == {"south": opportunities.SUN_DOWN}  # polar night in July


def test_calibrations_stand_where_the_sun_is_right(path, span):
    kinds = [Request(name=kind, kind=kind) for kind in ("dark", "lamp", "sun")]
    found, reasons = opportunities.find(kinds, path, *span)
    assert not reasons
    for activity, _ in found:
        times = np.array([activity.start_us, activity.end_us])
        position = path.satellite(times)[0]
        place = earth.geodetic(position)[:2]
        below_deg = earth.horizontal(place, path.sun(times)[0] - earth.ecef(*place))[0]
        low, high = limits.SUN_SZA_DEG if activity.mode == "sun" else (limits.NIGHT_SZA_DEG, 180.0)
        assert low <= below_deg.min() <= below_deg.max() <= high
    nights = sum(activity.mode == "dark" for activity, _ in found)
    assert nights % limits.STARTS_A_NIGHT == 0
    assert nights >= 3 * limits.STARTS_A_NIGHT


def test_nothing_begins_before_or_ends_after_the_span(path, span):
    found, _ = opportunities.find([target(*SITES[0])], path, *span)
    look = found[0][0]
    kept = {"start_us": look.start_us, "end_us": look.end_us}
    for first_us, last_us, there in (
        (look.start_us, span[1], True),
        (look.start_us + 1, span[1], False),
        (span[0], look.end_us, True),
        (span[0], look.end_us - 1, False),
    ):
        again, _ = opportunities.find([target(*SITES[0])], path, first_us, last_us)
        assert (replace(look, **kept) in [activity for activity, _ in again]) == there
