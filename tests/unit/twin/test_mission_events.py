"""A mission of a day: both resolutions agree, no frame goes unaccounted, incidents touch nothing else."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.constants import FRAME_US
from twin.errors import BadInput
from twin.events import (
    attitude,
    frames,
    groundsegment,
    latency,
    memory,
    mission,
    plain,
    programme,
    world,
)
from twin.events.log import EventLog
from twin.events.service import Rate, Service
from twin.mission.timeline import Activity, Contact, Timeline
from twin.operations import Incident
from twin.scenario import Scenario
from twin.timecodes import gps_us

SECOND = 1_000_000  # us
START = datetime(2026, 7, 1, tzinfo=UTC)
T0 = gps_us(START)
RATES = Service({s: Rate(0.3, 0.01) for s in ("l0", "l1a", "l1b", "l2")}, "made up")


def scenario(days=1.0, incidents=(), **more):
    told = [{**what, "start": START + timedelta(hours=what["start"])} for what in incidents]
    return Scenario.model_validate(
        {
            "name": "day",
            "start": START,
            "observation": {"mode": "plan", "start_latitude": 0.0},
            "mission": {"duration": 86_400.0 * days, "incidents": told, **more},
            "requirements": [],
        },
        context={"stored_units": True},
    )


@pytest.fixture(scope="module")
def day():
    return plain.timeline(scenario(), 1.0)


TROUBLE = (
    {"kind": "safe_mode", "start": 3.02, "duration": 5000.0},
    {"kind": "reboot", "start": 9.5},
    {"kind": "pass_loss", "start": 13.0},
    {"kind": "station_outage", "start": 15.0, "duration": 14_400.0},
    {"kind": "clock_jump", "start": 17.0, "jump": 0.002},
)


@pytest.fixture(scope="module")
def both(day):
    """The day with incidents, in frames and in batches."""
    told = scenario(incidents=TROUBLE)
    return [mission.simulate(told, day, resolution=how) for how in ("frame", "batch")]


def test_batches_agree_with_single_frames_over_a_day(both):
    one_frame_s = FRAME_US / 1e6
    fine, coarse = (frames.of(log) for log in both)
    assert len(both[1]) < len(both[0]) / 3
    assert fine.id.tolist() == coarse.id.tolist()
    assert np.array_equal(fine.sensed_us, coarse.sensed_us)
    assert np.array_equal(fine.pass_index, coarse.pass_index)
    assert np.abs(fine.sent_us - coarse.sent_us).max() <= FRAME_US
    levels = [[(e.time_gps_us, e.value) for e in log.select("downlink", "left_on_board")] for log in both]
    assert levels[0] == levels[1]
    assert max(level for _, level in levels[0]) > 0
    figures = [latency.figures(log, groundsegment.process(log, RATES, 2)) for log in both]
    for name, value in figures[0].items():
        if name.startswith("latency"):
            assert figures[1][name] == pytest.approx(value, abs=one_frame_s)
        elif name != "battery_min_mj":
            assert figures[1][name] == value, name


@pytest.fixture(scope="module")
def full(day):
    """The same with a memory of 700 Mbit, which fills up, in batches."""
    return mission.simulate(scenario(incidents=TROUBLE, memory=7e8), day, resolution="batch")


@pytest.mark.parametrize("which", [0, 1, 2])
def test_every_frame_is_accounted_for(both, full, which):
    log = (*both, full)[which]
    counted = latency.counts(log)
    assert (counted["frames_refused"] > 0) == (which == 2)
    assert counted["frames_lost"] > 0
    assert counted["passes_lost"] > 2
    assert counted["frames_exposed"] == sum(
        counted[f"frames_{fate}"] for fate in ("stored", "refused", "lost")
    )
    seen = frames.of(log)
    assert len(seen.id) == counted["frames_stored"] == len(np.unique(seen.id))
    acknowledged = sum(e.value for e in log.select("downlink", "acknowledged"))
    assert acknowledged == seen.pass_bits.sum()
    stored = sum(int(log.rows("memory", f"{kind}_stored").value.sum()) for kind in memory.CHANNEL)
    freed = acknowledged + sum(e.value for e in log.select("s_band", "acknowledged"))
    assert log.levels()[2][-1] == stored - freed
    assert log.levels()[2].max() <= (700_000_000 if which == 2 else 10**12)
    assert len(log.frames_downlinked) == int((seen.pass_index >= 0).sum())


@st.composite
def small_worlds(draw):
    """Plans of an hour: stretches of nadir, passes of two stations that may overlap, incidents anywhere."""
    times = sorted(draw(st.lists(st.integers(1, 3500), min_size=2, max_size=8, unique=True)))
    activities = tuple(
        Activity(T0 + a * SECOND, T0 + a * SECOND + frames * FRAME_US, "nadir")
        for a, b in zip(times[::2], times[1::2], strict=False)
        if (frames := (b - a) * SECOND // FRAME_US)
    )
    contacts = tuple(
        Contact(station, "x", T0 + aos, T0 + aos + lasts, 10.0)
        for station, aos, lasts in draw(
            st.lists(
                st.tuples(
                    st.sampled_from(["Kiruna", "Inuvik"]),
                    st.integers(0, 3600 * SECOND),
                    st.integers(SECOND, 600 * SECOND),  # channel 2 is emptied within 0.1 s
                ),
                max_size=5,
            )
        )
    )
    kinds = st.sampled_from(["safe_mode", "reboot", "pass_loss", "station_outage"])
    told = [
        Incident.model_validate(
            {"kind": kind, "start": START + timedelta(seconds=at), "duration": float(lasts)},
            context={"stored_units": True},
        )
        for kind, at, lasts in draw(
            st.lists(st.tuples(kinds, st.integers(0, 3600), st.integers(0, 900)), max_size=4)
        )
    ]
    return Timeline(T0, T0 + 3600 * SECOND, activities, contacts, (), "drawn", 0.0), told


@settings(max_examples=25, deadline=None)
@given(small_worlds())
def test_any_small_world_is_the_same_in_batches_and_loses_no_frame(drawn):
    plan, told = drawn
    down = np.tile([0.0, 0.0, 1.0], (len(plan.activities), 2, 1))
    logs = [
        world.run(programme.of(plan, attitude.steps(plan.activities, down, down), (), told, how))
        for how in ("frame", "batch")
    ]
    fine, coarse = (frames.of(log) for log in logs)
    for column in ("id", "sensed_us", "pass_index", "pass_delivered_us", "pass_bits"):
        assert np.array_equal(getattr(fine, column), getattr(coarse, column)), column
    overtaken_us = 20  # packets of channel 2 that come while a batch is sent go before the next one
    assert np.abs(fine.sent_us - coarse.sent_us).max(initial=0) <= overtaken_us
    assert latency.counts(logs[0]) == latency.counts(logs[1])
    counted = latency.counts(logs[0])
    planned = sum((a.end_us - a.start_us) // FRAME_US for a in plan.activities)
    assert planned == counted["frames_exposed"] + counted["frames_skipped"]
    assert counted["frames_exposed"] == counted["frames_stored"] + counted["frames_lost"]
    assert len(np.unique(fine.id)) == counted["frames_stored"]
    assert logs[0].frames_downlinked == [int(n) for n in logs[1].frames_downlinked]


def test_the_plan_is_exposed_whole_without_incidents(day):
    log = mission.simulate(scenario(), day, resolution="batch")
    counted = latency.counts(log)
    planned = sum((a.end_us - a.start_us) // FRAME_US for a in day.activities)
    assert counted["frames_exposed"] == counted["frames_stored"] == planned
    assert counted["frames_skipped"] == 0
    assert planned > 32_000
    times = [e.time_gps_us for e in log.events]
    assert times == sorted(times)


def test_a_reboot_begins_new_identifiers_and_new_granules(both):
    seen = frames.of(both[0])
    boots = seen.id // 10**10
    assert sorted(set(boots.tolist())) == [1, 2]
    assert seen.id[boots == 2][0] % 10**10 == 0
    assert len(np.unique(seen.granule_id)) == len(seen.granule_id)


def test_losing_a_pass_changes_no_other_draw(day):
    """Clock measurements are keyed by their pass: those of the others are the same to the microsecond."""
    whole, poorer = (
        mission.simulate(scenario(incidents=told), day, resolution="batch")
        for told in (
            (),
            ({"kind": "station_outage", "start": 8.0, "duration": 14_400.0, "station": "Kiruna"},),
        )
    )
    before, after = (
        {(e.time_gps_us, e.id): e.value for e in log.select("clock", "correlated")} for log in (whole, poorer)
    )
    assert 0 < len(after) < len(before)
    assert all(before[key] == value for key, value in after.items())
    assert mission.simulate(scenario(), day, resolution="batch") == whole
    other = mission.simulate(scenario(), day, resolution="batch", seed=2)
    assert other.select("clock", "correlated") != whole.select("clock", "correlated")


def test_slews_of_every_mode_are_flown_before_the_first_exposure():
    """A target under the track between two glints of the day side; the Sun after it."""
    half_orbit_us = 2935 * SECOND
    site = {"latitude_deg": 0.0, "longitude_deg": -157.5}  # where the orbit starts, at local time 10:30
    told = scenario(days=0.2)
    ground = plain.timeline(told, 0.2).activities[0]
    middle = ground.start_us + half_orbit_us // 2
    activities = (
        Activity(middle - 600 * SECOND, middle - 600 * SECOND + 100 * FRAME_US, "glint"),
        Activity(middle, middle + 10 * FRAME_US, "target", "site", **site),
        Activity(middle + 900 * SECOND, middle + 900 * SECOND + 10 * FRAME_US, "sun"),
    )
    plan = Timeline(T0, T0 + 6000 * SECOND, activities, (), (), "hand", 0.0)
    log = mission.simulate(told, plan)
    modes = [e.id for e in log.select("spacecraft", "mode")]
    assert modes == [
        *("standby", "slew", "glint", "slew", "standby", "slew", "target"),
        *("slew", "standby", "slew", "sun", "slew", "standby"),
    ]
    assert not log.select("instrument", "exposure_skipped")
    assert latency.counts(log)["frames_stored"] == 120
    packets = log.rows("memory", "attitude_stored").time_us
    assert packets[0] == (activities[0].start_us - 30 * SECOND) // SECOND * SECOND
    assert packets[-1] == -(-(activities[2].end_us + 30 * SECOND) // SECOND) * SECOND


def test_a_plan_may_begin_with_an_exposure():
    plan = Timeline(T0, T0 + 100 * SECOND, (Activity(T0, T0 + 2 * FRAME_US, "nadir"),), (), (), "hand", 0.0)
    log = mission.simulate(scenario(), plan)
    assert [e.time_gps_us for e in log.select("instrument", "exposure")] == [T0, T0 + FRAME_US]


def test_an_incident_before_the_span_is_refused_and_one_after_it_not_met():
    plan = Timeline(T0, T0 + 3600 * SECOND, (), (), (), "hand", 0.0)
    early, late = ({"kind": "reboot", "start": hours} for hours in (-0.5, 1.0))
    with pytest.raises(BadInput, match=r"expected starts from 2026-07-01T00:00:00.*got reboot at 2026-06-30"):
        mission.simulate(scenario(incidents=[early]), plan)
    assert not mission.simulate(scenario(incidents=[late]), plan).select("spacecraft", "boot")
    within = mission.simulate(scenario(incidents=[{**late, "start": 0.999}]), plan)
    assert len(within.select("spacecraft", "boot")) == 1


def test_a_scenario_without_mission_is_refused(day):
    alone = scenario().model_copy(update={"mission": None})
    with pytest.raises(ValueError, match="expected a scenario with mission"):
        mission.simulate(alone, day)


def test_a_long_log_keeps_its_older_part_in_a_folder(day, tmp_path, monkeypatch):
    from twin.events import columns, log

    monkeypatch.setattr(columns, "SPILL_ROWS", 1000)
    monkeypatch.setattr(log, "SPILL_ROWS", 1000)
    short = Timeline(
        T0, T0 + 9000 * SECOND, (Activity(T0 + 60 * SECOND, T0 + 3060 * SECOND, "nadir"),),
        (Contact("Kiruna", "x", T0 + 1000 * SECOND, T0 + 1500 * SECOND, 9.0),), (), "hand", 0.0,
    )  # fmt: skip
    kept = mission.simulate(scenario(), short)
    spilt = mission.simulate(scenario(), short, folder=tmp_path)
    assert len(list(tmp_path.iterdir())) == 4
    assert len(spilt) > 5000
    assert spilt == kept
    assert all(
        np.array_equal(a, b)
        for a, b in zip(
            spilt.rows("memory", "frame_stored"), kept.rows("memory", "frame_stored"), strict=True
        )
    )
    for name, made in (("a.csv", kept), ("b.csv", spilt)):
        made.to_csv(tmp_path / name)
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    assert EventLog.read_csv(tmp_path / "b.csv") == kept
