"""Attitude packets of every observation mode through L1A: footprints and angles come out where they were.

Rationale: the ground knows attitude once a second and turns evenly between; a stare and a scan do not.
Setup: true geometry and packets of a pass in each mode, no knowledge error, unpacked and located by L1A.
Expected behaviour: centres and corners within 15 m, angles within a hundredth of a degree, rows in order.
"""

from datetime import UTC, datetime

import numpy as np
import pytest
import xarray as xr

from processors.l1a import decommutate, step, timecode
from twin.instrument import asbuilt
from twin.mission import earth, knowledge, pointing
from twin.scenario import Scenario
from twin.telemetry import packets

# An even turn for 1 s misses 1/8 of the angular acceleration of a stare, at most 0.65 (7.6 km/s / 650 km)^2
fifteen_metres, hundredth_degree = 15.0, 0.01
PARIS = {"latitude": "48.86 degree", "longitude": "2.35 degree"}
MODES = {
    "nadir": {"mode": "nadir", "start_latitude": "22 degree"},
    "night": {"mode": "nadir", "start_latitude": "22 degree", "ascending": True},
    "glint": {"mode": "glint", "start_latitude": "22 degree"},
    "target": {"mode": "target", "site": PARIS},
    "long target": {"mode": "target", "site": PARIS, "soundings": 480, "track_offset": "200 km"},
    "city": {"mode": "city", "site": PARIS},
    "city beside the track": {"mode": "city", "site": PARIS, "track_offset": "-300 km"},
    "city in 2 sweeps": {"mode": "city", "site": PARIS, "sweeps": 2},
}


def observed(name):
    """True geometry and what L1A makes of its packets."""
    scenario = Scenario.model_validate(
        {
            "name": "test",
            "start": datetime(2026, 7, 1, 20, 40, tzinfo=UTC),
            "observation": MODES[name],
            "knowledge_error": {"ephemeris_position": "0 m", "attitude": "0 microradian"},
            "requirements": [],
        }
    )
    geometry = pointing.observe(scenario)
    count = geometry.sizes["sounding"]
    dn = xr.Dataset(
        {
            "sounding_id": geometry.sounding_id,
            "dn": (("sounding", "band", "spectel"), np.zeros((count, 4, 1024), np.int32)),
            "saturated_rows": (("sounding", "band"), np.zeros((count, 4), np.int16)),
        }
    )
    told = knowledge.ephemeris(scenario, knowledge.packet_times(scenario))
    channels, _ = packets.build(dn, geometry, told)
    return geometry, located(channels)


def located(channels):
    octets = {
        size: np.array([np.frombuffer(p, np.uint8) for vc in channels.values() for p in vc if len(p) == size])
        for size in (decommutate.SCIENCE_BYTES, decommutate.ATTITUDE_BYTES)
    }
    science = octets[decommutate.SCIENCE_BYTES]
    built = asbuilt.load("microcarb")
    return step.process(
        decommutate.science(science, np.zeros(len(science), int)),
        decommutate.states(octets[decommutate.ATTITUDE_BYTES]),
        timecode.LeapSeconds(np.array([0.0]), np.array([18.0])),
        step.Sight(built.line_of_sight, built.corner_line_of_sight, built.integration_time_s),
    )


@pytest.mark.parametrize("name", MODES)
def test_l1a_finds_the_footprints_of_every_mode(name):
    truth, found = observed(name)
    assert found["sounding_id"].tolist() == truth.sounding_id.values.tolist()
    assert set(found["operation_mode"].tolist()) == {int(truth.operation_mode[0])}
    assert not (found["quality_flag"] & step.NOT_LOCATED).any()
    for prefix in ("", "vertex_"):
        ours, theirs = (
            earth.ecef(np.asarray(rows[f"{prefix}latitude"]), np.asarray(rows[f"{prefix}longitude"]))
            for rows in (truth, found)
        )
        off = np.linalg.norm(ours - theirs, axis=-1)
        assert off.max() < fifteen_metres, f"{prefix} {off.max():.1f} m"
    for angle in ("solar_zenith_angle", "sensor_zenith_angle"):
        np.testing.assert_allclose(found[angle], truth[angle], atol=hundredth_degree)


def test_frames_of_a_scan_keep_their_gaps_and_their_counters():
    truth, found = observed("city")
    frame = np.repeat(np.arange(60), 3)
    assert found["frame_counter"].tolist() == frame.tolist() == truth.frame.values.tolist()
    assert np.unique(found["sounding_id"]).size == 180
    gaps_s = np.diff(found["time"][::3])
    turn_s = 11 * 1.304
    assert np.flatnonzero(gaps_s > 1.31).tolist() == [19, 39]
    np.testing.assert_allclose(gaps_s[[19, 39]], turn_s, atol=1e-5)
