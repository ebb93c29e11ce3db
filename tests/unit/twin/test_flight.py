"""What a mission hands on in its run directory: the track as it was flown, and full data pass by pass."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import numpy as np
import pytest
import xarray as xr

from twin import flight
from twin.constants import FRAME_US
from twin.events.log import EventLog
from twin.mission.resources import IMAGE_BITS
from twin.mission.timeline import Activity, Contact, Timeline
from twin.scenario import Scenario
from twin.telemetry import commands
from twin.timecodes import gps_us

START = datetime(2026, 7, 1, 20, 40, tzinfo=UTC)
T0 = gps_us(START)
SECOND = 1_000_000  # us
BOOT = 10**10
LATER = 40 * SECOND  # us, of the second activity


@pytest.fixture
def scenario():
    data = {
        "name": "s",
        "start": START,
        "observation": {"mode": "plan", "soundings": 24, "start_latitude": 22.0},
        "mission": {"duration": 3600.0},
        "requirements": [],
    }
    return Scenario.model_validate(data, context={"stored_units": True})


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Two granules of boots 1 and 2 in a directory; pass 1 is lost, 2 and 3 bring down one granule each."""
    monkeypatch.chdir(tmp_path)
    starts = T0, T0 + LATER
    activities = tuple(Activity(start, start + 4 * FRAME_US, "nadir") for start in starts)
    contact = Contact("Kiruna", "x", T0 + 200 * SECOND, T0 + 300 * SECOND, 20.0)
    plan = Timeline(T0, T0 + 600 * SECOND, activities, (contact,), (), "test", 0.0)
    log = EventLog()
    log.add(T0, "spacecraft", "mode", "nadir")
    for boot, start in enumerate(starts, 1):
        for n in range(4):
            log.add(start + n * FRAME_US, "instrument", "exposure", boot * BOOT + n, 1)
            log.add(start + (n + 1) * FRAME_US, "memory", "frame_stored", boot * BOOT + n, IMAGE_BITS)
    log.add(T0 + 100 * SECOND, "spacecraft", "mode", "safe")
    for number, sent in enumerate(([1, 2], [1], [2]), 1):
        rise, fall = T0 + 100 * number * SECOND, T0 + (100 * number + 50) * SECOND
        log.add(rise, "station", "signal_missed" if number == 1 else "signal_acquired", "Kiruna")
        for boot in sent:
            for n in range(4):
                log.add(rise + (4 * boot + n) * SECOND, "downlink", "frame_sent", boot * BOOT + n, IMAGE_BITS)
        event = "unacknowledged" if number == 1 else "acknowledged"
        log.add(fall, "downlink", event, f"pass_{number:04d}", 4 * len(sent) * IMAGE_BITS)
        log.add(fall, "station", "signal_lost", "Kiruna")
    flight.TIMELINE.write_text(plan.dump())
    flight.COMMANDS.write_bytes(b"".join(commands.encode(plan)))
    log.to_csv(flight.EVENTS)
    return tmp_path


def measured(boots):
    ids = np.array([(boot * BOOT + n) * 10 + fov for boot in boots for n in range(4) for fov in (1, 2, 3)])
    values = {
        "sounding_id": ("sounding", ids),
        "dn": (("sounding", "band", "spectel"), np.zeros((len(ids), 4, 1024), np.int32)),
        "saturated_rows": (("sounding", "band"), np.zeros((len(ids), 4), np.int32)),
    }
    return xr.Dataset(values)


def seen(boots):
    ids = measured(boots)["sounding_id"]
    middle_us = T0 + (ids // (10 * BOOT) - 1) * LATER + ids // 10 % BOOT * FRAME_US + FRAME_US // 2
    mode = np.zeros(len(ids), np.int8)
    return xr.Dataset({"sounding_id": ids, "time_gps_us": middle_us, "operation_mode": ("sounding", mode)})


def test_the_track_tells_the_mode_that_was_flown_not_the_one_planned(run, scenario):
    track = flight.track(scenario)
    assert track["mode"].tolist() == ["nadir"] * 4 + ["safe"] * 16


def test_passes_have_the_numbers_of_the_log_and_their_packets_the_boot(run, scenario):
    sent, numbers = flight.send(scenario, measured([1, 2]), seen([1, 2]), run / "l0_stream")
    assert numbers == [2, 3]
    told = json.loads((run / "l0_stream" / "pass_0003.json").read_text())
    assert (told["pass"], told["station"]) == (3, "Kiruna")
    boot = sent["header"].str[-4:].map(lambda text: int(text, 16))
    assert boot.groupby(sent["pass"]).unique().map(list).to_dict() == {2: [1], 3: [2]}


def test_the_mismatched_soundings_come_in_their_pass_alone(run, scenario):
    sent, numbers = flight.send(scenario, measured([1]), seen([1]), run / "l0_stream")
    assert numbers == [2]
    assert (sent["apid"] == 256).sum() == 4 * 12
