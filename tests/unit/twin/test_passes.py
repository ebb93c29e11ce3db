"""All passes against skyfield's own search; the one X-band link against the elevations themselves."""

from itertools import pairwise

import numpy as np
import pytest
from skyfield.api import wgs84

from twin.mission import orbit, stations
from twin.timecodes import gps_us

HOUR_US = 3_600_000_000


@pytest.fixture(scope="module")
def path(mission):
    return flight(mission(1, []), 0, 12)


def flight(scenario, first_h, last_h):
    start_us = gps_us(scenario.start)
    return orbit.trajectory(scenario, start_us + first_h * HOUR_US, start_us + last_h * HOUR_US)


def events(scenario, path, station):
    place = wgs84.latlon(station.latitude_deg, station.longitude_deg, station.height_m)
    window = orbit.skyfield_time([path.start_us, path.end_us])
    times, kinds = orbit.flown(scenario).find_events(place, *window, altitude_degrees=stations.MASK_DEG)
    return [times[kinds == kind] for kind in (0, 2)]


@pytest.mark.parametrize("name", ["Kiruna", "Kourou", "Kerguelen"])
def test_passes_are_those_skyfield_finds(mission, path, name):
    one_second = 1.0
    station = stations.STATIONS[name]
    rises, sets = events(mission(1, []), path, station)
    found = stations.passes(path, [station], path.start_us, path.end_us)
    if found[0].aos_us == path.start_us:  # under way: skyfield tells its end only
        found, sets = found[1:], sets[1:]
    assert len(found) == len(rises) == len(sets) >= 2
    for seen, aos, los in zip(found, rises, sets, strict=True):
        assert abs(orbit.skyfield_time(seen.aos_us) - aos) * 86400 < one_second
        assert abs(orbit.skyfield_time(seen.los_us) - los) * 86400 < one_second


def test_a_pass_under_way_is_cut_at_the_ends_of_the_span(path):
    kiruna = [stations.STATIONS["Kiruna"]]
    whole = stations.passes(path, kiruna, path.start_us, path.end_us)[0]
    minute_us = 60_000_000
    begun = stations.passes(path, kiruna, whole.aos_us + minute_us, path.end_us)[0]
    assert (begun.aos_us, begun.los_us) == (whole.aos_us + minute_us, whole.los_us)
    ended = stations.passes(path, kiruna, path.start_us, whole.los_us - minute_us)[-1]
    assert (ended.aos_us, ended.los_us) == (whole.aos_us, whole.los_us - minute_us)
    inside = stations.passes(path, kiruna, whole.aos_us + minute_us, whole.los_us - minute_us)
    assert [(one.aos_us, one.los_us) for one in inside] == [
        (whole.aos_us + minute_us, whole.los_us - minute_us)
    ]


def test_the_link_serves_the_higher_station_and_one_at_once(path):
    seen = stations.passes(path, stations.named(["Kiruna", "Toulouse", "Inuvik"]), path.start_us, path.end_us)
    link = stations.served(path, seen)
    assert any(b.aos_us < a.los_us for a in seen for b in seen if a is not b and a.aos_us <= b.aos_us)
    assert all(one.los_us <= other.aos_us for one, other in pairwise(link))
    times = np.arange(path.start_us, path.end_us, 7_000_000)
    position = path.satellite(times)[0]
    names = sorted({one.station for one in seen})
    elevation = np.stack([stations.STATIONS[name].elevation_deg(position) for name in names])
    for n, time_us in enumerate(times.tolist()):
        serving = [one.station for one in link if one.aos_us <= time_us < one.los_us]
        highest = elevation[:, n].argmax()
        assert serving == ([names[highest]] if elevation[highest, n] >= stations.MASK_DEG else [])


def test_an_unknown_station_is_an_error():
    assert [station.name for station in stations.named(["Kourou", "Kourou"])] == ["Kourou"]
    with pytest.raises(ValueError, match="got Svalbard: correct its name"):
        stations.named(["Kourou", "Svalbard"])
