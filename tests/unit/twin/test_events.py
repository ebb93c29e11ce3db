"""The whole event log of a small world, its bits accounted for, and its limits in pairs."""

import csv
from datetime import UTC, datetime

import numpy as np
import pytest
import simpy

from twin.constants import FRAME_US
from twin.events import memory, world
from twin.events.log import COLUMNS, EventLog
from twin.mission import knowledge, pointing, resources, stations
from twin.scenario import Scenario
from twin.telemetry import packets

SECOND = 1_000_000  # us
T0 = 1_466_973_618 * SECOND  # GPS us, 2026-07-01T20:40:00Z
FRAME_BITS = 12 * 2590 * 8 + 32 * 8
ON_AIR_FRAME_US, ON_AIR_ATTITUDE_US = 1844, 6  # bits * 1279 / 1107 / 156 Mbit/s, rounded up


def programme(frames=2, seconds=4, pass_us=500 * SECOND):
    """A world small enough to write its log by hand: attitude packets from 1 s before the frames."""
    seen = stations.Pass("Kiruna", T0 + 100 * SECOND, T0 + 100 * SECOND + pass_us, 30.0)
    timeline = (
        (T0 - 10 * SECOND, "standby"),
        (T0 - 5 * SECOND, "slew"),
        (T0 - SECOND, "glint"),
        (T0 + 10 * SECOND, "slew"),
        (T0 + 15 * SECOND, "standby"),
        (seen.aos_us, "downlink"),
        (seen.los_us, "standby"),
    )
    exposures = tuple((k, T0 + k * FRAME_US) for k in range(frames))
    return world.Programme(
        "glint", timeline, exposures, tuple(T0 - SECOND + k * SECOND for k in range(seconds)), seen
    )


def lines(log):
    return [(e.time_gps_us - T0, e.process, e.event, e.id, e.value) for e in log.events]


def test_whole_event_log():
    log = world.run(programme())
    aos, los = 100 * SECOND, 600 * SECOND
    sent = [ON_AIR_ATTITUDE_US] * 3 + [ON_AIR_FRAME_US, ON_AIR_ATTITUDE_US, ON_AIR_FRAME_US]
    at = (aos + np.cumsum(sent)).tolist()
    total = 2 * FRAME_BITS + 4 * 800
    assert lines(log) == [
        (-10 * SECOND, "spacecraft", "mode", "standby", 0),
        (-5 * SECOND, "spacecraft", "mode", "slew", 0),
        (-SECOND, "spacecraft", "mode", "glint", 0),
        (-SECOND, "memory", "attitude_stored", "0", 800),
        (0, "memory", "attitude_stored", "1", 800),
        (0, "instrument", "exposure", "0", 0),
        (SECOND, "memory", "attitude_stored", "2", 800),
        (1_304_000, "memory", "frame_stored", "0", FRAME_BITS),
        (1_304_000, "instrument", "exposure", "1", 0),
        (2 * SECOND, "memory", "attitude_stored", "3", 800),
        (2_608_000, "memory", "frame_stored", "1", FRAME_BITS),
        (10 * SECOND, "spacecraft", "mode", "slew", 0),
        (15 * SECOND, "spacecraft", "mode", "standby", 0),
        (aos, "spacecraft", "mode", "downlink", 0),
        (aos, "station", "signal_acquired", "Kiruna", 0),
        (at[0], "downlink", "attitude_sent", "0", 800),
        (at[1], "downlink", "attitude_sent", "1", 800),
        (at[2], "downlink", "attitude_sent", "2", 800),
        (at[3], "downlink", "frame_sent", "0", FRAME_BITS),
        (at[4], "downlink", "attitude_sent", "3", 800),
        (at[5], "downlink", "frame_sent", "1", FRAME_BITS),
        (at[5], "downlink", "left_on_board", "Kiruna", 0),
        (los, "spacecraft", "mode", "standby", 0),
        (los, "station", "signal_lost", "Kiruna", 0),
        (los, "station", "file_closed", "pass_0001", total),
        (los + 60 * SECOND + -(-total // 100), "ground", "file_delivered", "pass_0001", total),
    ]


def test_stored_bits_are_the_packets_of_the_telemetry():
    science, housekeeping, attitude = (
        8 * packets.LAYOUT[apid].itemsize
        for apid in (packets.SCIENCE, packets.HOUSEKEEPING, packets.ATTITUDE)
    )
    assert (science, housekeeping) == (resources.SCIENCE_BITS, resources.HOUSEKEEPING_BITS)
    assert attitude == resources.ATTITUDE_BITS
    assert 12 * science + housekeeping == resources.FRAME_BITS == FRAME_BITS


def test_bits_stored_are_sent_or_left_on_board():
    log = world.run(programme(frames=7, seconds=30))
    stored = sum(e.value for e in log.events if e.event.endswith("_stored"))
    sent = sum(e.value for e in log.events if e.event.endswith("_sent"))
    assert stored == sent == 7 * FRAME_BITS + 30 * 800
    assert log.memory_level_bits[0] == FRAME_BITS + 3 * 800
    assert log.frames_downlinked == list(range(7))


def test_a_short_pass_leaves_the_rest_on_board_to_the_microsecond():
    whole = 4 * ON_AIR_ATTITUDE_US + 2 * ON_AIR_FRAME_US
    assert world.run(programme(pass_us=whole)).frames_downlinked == [0, 1]
    short = world.run(programme(pass_us=whole - 1))
    assert short.frames_downlinked == [0]
    assert short.select("downlink", "left_on_board")[0].value == FRAME_BITS


def test_memory_takes_the_last_bit_and_refuses_the_next():
    full = world.run(programme(), memory_bits=2 * FRAME_BITS + 4 * 800)
    assert full.frames_downlinked == [0, 1]
    assert not full.select("memory", "frame_refused")
    over = world.run(programme(), memory_bits=2 * FRAME_BITS + 4 * 800 - 1)
    assert [e.id for e in over.select("memory", "frame_refused")] == ["1"]
    assert over.frames_downlinked == [0]


def test_memory_counts_beyond_the_whole_numbers_of_a_float():
    env = simpy.Environment(initial_time=T0)
    store = memory.MassMemory(env, EventLog(), capacity_bits=2**60 + 1)
    assert store.store(memory.Record("frame", 0, 2**60))
    assert store.store(memory.Record("frame", 1, 1))
    assert not store.store(memory.Record("frame", 2, 1))
    assert store.level_bits == 2**60 + 1
    assert store.release().number == 0
    assert store.level_bits == 1


def test_frames_outside_the_mode_are_skipped_and_said():
    late = programme(frames=9)  # the slew begins 10 s after the first exposure
    log = world.run(late)
    assert [e.id for e in log.select("instrument", "exposure_skipped")] == ["8"]
    assert log.frames_downlinked == list(range(8))


def test_eight_minutes_carry_75_gigabit_on_air():
    """156 Mbit/s for 8 minutes (CNES); packets take 1107 of the 1279 bytes of each unit."""
    one_permille = 1e-3
    packet_bits = 74_880_000_000 * 1107 // 1279
    assert resources.send_us(packet_bits) == pytest.approx(480 * SECOND, rel=one_permille)


@pytest.fixture(scope="module")
def scenario():
    observation = {"mode": "glint", "soundings": 12, "start_latitude": "22 degree"}
    start = datetime(2026, 7, 1, 20, 40, tzinfo=UTC)
    return Scenario.model_validate(
        {"name": "t", "start": start, "observation": observation, "requirements": []}
    )


def test_a_scenario_goes_from_standby_to_delivery(scenario):
    log = world.simulate(scenario, pointing.observe(scenario))
    modes = [e.id for e in log.select("spacecraft", "mode")]
    assert modes == ["standby", "slew", "glint", "slew", "standby", "downlink", "standby"]
    exposures = [e.time_gps_us for e in log.select("instrument", "exposure")]
    assert exposures == [T0 + k * FRAME_US for k in range(4)]
    assert log.frames_downlinked == [0, 1, 2, 3]
    attitude = [e.time_gps_us for e in log.select("memory", "attitude_stored")]
    assert attitude == knowledge.packet_times(scenario).tolist()
    station, aos, los = log.station_pass
    assert station in ("Kiruna", "Inuvik")
    assert T0 + 60 * SECOND < aos < los < T0 + 86_460 * SECOND
    times = [e.time_gps_us for e in log.events]
    assert times == sorted(times)


def test_the_same_scenario_gives_the_same_log(scenario):
    geometry = pointing.observe(scenario)
    assert world.simulate(scenario, geometry) == world.simulate(scenario, geometry)


def test_log_survives_its_file(tmp_path):
    log = world.run(programme())
    log.to_csv(tmp_path / "events.csv")
    assert EventLog.read_csv(tmp_path / "events.csv") == log
    with (tmp_path / "events.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert tuple(rows[0]) == COLUMNS
    assert rows[5]["time_utc"] == "2026-07-01T20:40:00.000000Z"
    assert [path.name for path in tmp_path.iterdir()] == ["events.csv"]


def test_a_file_with_other_columns_is_refused(tmp_path):
    (tmp_path / "events.csv").write_text("time,what\n1,2\n")
    with pytest.raises(ValueError, match="expected columns"):
        EventLog.read_csv(tmp_path / "events.csv")
