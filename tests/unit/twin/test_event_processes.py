"""Each process of the spacecraft alone: its whole event log written by hand."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import simpy
from skyfield.jpllib import SpiceKernel

from twin.constants import FRAME_US, SETTLING_US
from twin.events import attitude, clock, downlink, incidents, memory, power, spacecraft
from twin.events.log import EventLog
from twin.events.programme import Cutter
from twin.events.spacecraft import Slice, Spacecraft, Step
from twin.mission import eclipse, orbit
from twin.mission.timeline import Activity, Contact
from twin.operations import Incident
from twin.random import stream
from twin.scenario import Scenario
from twin.timecodes import gps_us

SECOND = 1_000_000  # us
START = datetime(2026, 7, 1, 20, 40, tzinfo=UTC)
T0 = gps_us(START)
IMAGE, HOUSEKEEPING = 12 * 2590 * 8, 32 * 8  # bits of a frame


class World:
    """Spacecraft, memory and log alone; `run` starts processes and returns the log's lines from T0."""

    def __init__(self, memory_bits=10**12):
        self.env = simpy.Environment(initial_time=T0)
        self.log = EventLog()
        self.memory = memory.MassMemory(self.env, self.log, memory_bits)
        self.craft = Spacecraft(self.env, self.log)

    def acquire(self, *slices):
        told = [Slice(T0 + start, frames, mode) for start, frames, mode in slices]
        return spacecraft.acquire(self.env, self.log, self.craft, self.memory, told)

    def fly(self, *steps):
        return self.craft.fly([Step(T0 + at, mode, *more) for at, mode, *more in steps])

    def strike(self, kind, after_s, ticking=None, **more):
        what = Incident.model_validate(
            {"kind": kind, "start": START + timedelta(seconds=after_s), **more},
            context={"stored_units": True},
        )
        return incidents.strike(self.env, self.log, self.craft, ticking, 1, what)

    def run(self, *processes):
        for process in processes:
            self.env.process(process)
        self.env.run()
        return [(e.time_gps_us - T0, f"{e.process} {e.event}", e.id, e.value) for e in self.log.events]


def test_a_reboot_starts_the_frame_counter_anew_and_gives_the_activity_up():
    world = World()
    found = world.run(
        world.fly(
            (0, "nadir", 0), (4 * SECOND, "slew", 0), (5 * SECOND, "nadir", 0), (9 * SECOND, "glint", 1)
        ),
        world.strike("reboot", 2),
        world.acquire(
            *((k * FRAME_US, 1, "nadir") for k in range(2)),
            (6 * SECOND, 2, "nadir"),
            (9 * SECOND, 1, "glint"),
        ),
    )
    one, two, again = "10000000000", "10000000001", "20000000000"
    assert found == [
        (0, "spacecraft mode", "nadir", 0),
        (0, "instrument exposure", one, 1),
        (FRAME_US, "memory housekeeping_stored", one, HOUSEKEEPING),
        (FRAME_US, "memory frame_stored", one, IMAGE),
        (FRAME_US, "instrument exposure", two, 1),
        (2 * SECOND, "incident reboot", "1", 0),
        (2 * SECOND, "spacecraft boot", "", 2),
        (2 * SECOND, "spacecraft mode", "standby", 0),
        (2 * FRAME_US, "instrument exposure_lost", two, 1),
        (6 * SECOND, "instrument exposure_skipped", "nadir", 2),
        (9 * SECOND, "spacecraft mode", "glint", 0),
        (9 * SECOND, "instrument exposure", again, 1),
        (9 * SECOND + FRAME_US, "memory housekeeping_stored", again, HOUSEKEEPING),
        (9 * SECOND + FRAME_US, "memory frame_stored", again, IMAGE),
    ]


def test_safe_mode_keeps_the_memory_and_the_next_activity_is_flown():
    world = World()
    found = world.run(
        world.fly(
            *(
                (0, "nadir", 0),
                (5 * SECOND, "city", 1),
                (7_500_000, "city", 1),
            ),  # begun in safe mode: given up
            *((8 * SECOND, "standby"), (9 * SECOND, "glint", 2)),
        ),
        world.strike("safe_mode", 3, duration=4.0),
        world.acquire((0, 5, "nadir"), (9 * SECOND, 1, "glint")),
        spacecraft.tell_attitude(
            world.env, world.craft, world.memory, [(T0 + SECOND, 1), (T0 + 4 * SECOND, 2)]
        ),
    )
    first, third = "10000000000", "10000000003"
    assert found == [
        (0, "spacecraft mode", "nadir", 0),
        (0, "instrument exposure", first, 5),
        (SECOND, "memory attitude_stored", "0", 800),
        (3 * SECOND, "incident safe_mode", "1", 0),
        (3 * SECOND, "spacecraft mode", "safe", 0),
        (5 * FRAME_US, "instrument exposure_lost", "10000000002", 3),  # 2 frames ended by 3 s
        (5 * FRAME_US, "memory housekeeping_stored", first, 2 * HOUSEKEEPING),
        (5 * FRAME_US, "memory frame_stored", first, 2 * IMAGE),
        (7 * SECOND, "spacecraft mode", "standby", 0),
        (8 * SECOND, "spacecraft mode", "standby", 0),
        (9 * SECOND, "spacecraft mode", "glint", 0),
        (9 * SECOND, "instrument exposure", third, 1),
        (9 * SECOND + FRAME_US, "memory housekeeping_stored", third, HOUSEKEEPING),
        (9 * SECOND + FRAME_US, "memory frame_stored", third, IMAGE),
    ]


def test_an_exposure_that_ends_as_the_mode_does_is_kept_and_one_a_microsecond_longer_is_not():
    for left, kept in ((FRAME_US, 1), (FRAME_US - 1, 0)):
        world = World()
        found = world.run(world.fly((0, "nadir", 0), (left, "slew")), world.acquire((0, 1, "nadir")))
        assert sum(event == "memory frame_stored" for _, event, *_ in found) == kept
        assert sum(event == "instrument exposure_lost" for _, event, *_ in found) == 1 - kept


def test_the_s_band_pass_sends_what_ends_at_loss_of_signal_and_not_a_microsecond_later():
    packet_bits, on_air_us = 2048, 3817  # 2048 * 1279 / 1107 / 620 kbit/s, rounded up
    for spare, sent in ((0, 2), (-1, 1)):
        world = World()
        contact = Contact("Kourou", "s", T0 + 30 * SECOND, T0 + 30 * SECOND + 2 * on_air_us + spare, 20.0)
        antenna = downlink.Antenna(world.env, world.log, world.craft, world.memory, downlink.S_BAND)
        found = world.run(
            spacecraft.tell_platform(world.env, world.memory, [(T0, 1), (T0 + 10 * SECOND, 2)]),
            antenna.serve([(contact, False)]),
        )
        los = contact.los_us - T0
        assert found == [
            (0, "memory platform_stored", "0", packet_bits),
            (20 * SECOND, "memory platform_stored", "1", 2 * packet_bits),  # a batch is stored at its last
            (30 * SECOND, "s_station signal_acquired", "Kourou", 0),
            *(
                (30 * SECOND + (k + 1) * on_air_us, "s_band platform_sent", str(k), packet_bits)
                for k in range(sent)
            ),
            (los, "s_band acknowledged", "pass_0001", sent * packet_bits),
            (los, "s_band left_on_board", "Kourou", (3 - sent) * packet_bits),
            (los, "s_station signal_lost", "Kourou", 0),
        ]


def test_attitude_goes_down_before_science_and_science_made_in_a_pass_goes_at_once():
    world = World()
    contact = Contact("Kiruna", "x", T0 + SECOND, T0 + 60 * SECOND, 20.0)
    antenna = downlink.Antenna(world.env, world.log, world.craft, world.memory, downlink.X_BAND)
    found = world.run(
        world.fly((0, "nadir", 0)),
        world.acquire((0, 1, "nadir"), (30 * SECOND, 1, "nadir")),
        spacecraft.tell_attitude(world.env, world.craft, world.memory, [(T0, 1)]),
        antenna.serve([(contact, False)]),
    )
    assert [(at, event) for at, event, *_ in found if event.endswith("_sent")] == [
        (SECOND + 6, "downlink attitude_sent"),
        (FRAME_US + 2, "downlink housekeeping_sent"),
        (FRAME_US + 2 + 1842, "downlink frame_sent"),
        (30 * SECOND + FRAME_US + 2, "downlink housekeeping_sent"),
        (30 * SECOND + FRAME_US + 2 + 1842, "downlink frame_sent"),
    ]


def test_safe_mode_silences_x_band_for_the_rest_of_the_pass_and_not_s_band():
    world = World()
    x_band, s_band = (
        downlink.Antenna(world.env, world.log, world.craft, world.memory, link)
        for link in (downlink.X_BAND, downlink.S_BAND)
    )
    span = T0 + SECOND, T0 + 60 * SECOND, 20.0
    every_ten = [(T0 + k * 10 * SECOND, 1) for k in range(5)]
    found = world.run(
        world.strike("safe_mode", 15, duration=20.0),
        spacecraft.tell_attitude(world.env, world.craft, world.memory, every_ten),
        spacecraft.tell_platform(world.env, world.memory, every_ten),
        x_band.serve([(Contact("Kiruna", "x", *span), False)]),
        s_band.serve([(Contact("Kiruna", "s", *span), False)]),
    )
    sent = [(at // SECOND, event) for at, event, *_ in found if event.endswith("_sent")]
    assert [at for at, event in sent if event == "downlink attitude_sent"] == [1, 10]
    assert [at for at, event in sent if event == "s_band platform_sent"] == [1, 10, 20, 30, 40]
    assert [value for _, event, _, value in found if event == "downlink acknowledged"] == [2 * 800]
    stored = [at // SECOND for at, event, *_ in found if event == "memory attitude_stored"]
    assert stored == [0, 10, 40]  # none in safe mode


BUDGET = power.PowerBudget(
    array_mw=300, capacity_mj=10_000, low_mj=4_000, resume_mj=8_000, platform_mw=100, safe_mw=0, standby_mw=50
)


def battery_log(edges, until_s, budget=BUDGET):
    world = World()
    battery = power.Battery(world.env, world.log, world.craft, T0 + until_s * SECOND, budget)
    return world.run(
        world.fly((0, "standby")), battery.eclipse([(T0 + at, dark) for at, dark in edges]), battery.watch()
    )


def test_a_low_battery_asks_for_safe_mode_and_recovers_to_the_microsecond():
    """Full are 10 J; the dark takes 150 mW from 10 s on, 100 if safe; light gives 200 from 60 s on."""
    edges = [(0, False), (10 * SECOND, True), (60 * SECOND, False)]
    assert battery_log(edges, until_s=200) == [
        (0, "spacecraft mode", "standby", 0),
        (0, "power eclipse_left", "", 10_000),
        (10 * SECOND, "power eclipse_entered", "", 10_000),  # full: more than full is not stored
        (50 * SECOND, "power battery_low", "", 4_000),
        (50 * SECOND, "spacecraft mode", "safe", 0),
        (60 * SECOND, "power eclipse_left", "", 3_000),
        (85 * SECOND, "power battery_recovered", "", 8_000),
        (85 * SECOND, "spacecraft mode", "standby", 0),
    ]


def test_a_battery_that_reaches_its_limit_after_the_span_is_not_told():
    edges = [(0, True)]
    assert [e for _, e, *_ in battery_log(edges, until_s=41)][-2] == "power battery_low"
    assert [e for _, e, *_ in battery_log(edges, until_s=40)] == ["spacecraft mode", "power eclipse_entered"]


def test_modes_and_transmitters_draw_what_the_budget_says():
    assert BUDGET.load_mw("standby", []) == 150
    assert BUDGET.load_mw("safe", ["s_band"]) == 100 + BUDGET.s_band_mw
    assert (
        BUDGET.load_mw("glint", ["downlink", "s_band"])
        == 100 + BUDGET.observing_mw + BUDGET.downlink_mw + 15_000
    )


def test_the_ground_measures_a_clock_that_drifts_and_jumps():
    seed, ten_us = 7, 10.0
    world = World()
    ticking = clock.Clock(world.env, world.log, seed)
    ticking.drift_ps_s = 200_000  # 0.2 us a second
    passes = [
        Contact("Kiruna", "s", T0 + k * 1000 * SECOND, T0 + k * 1000 * SECOND + 100, 9.0) for k in range(1, 5)
    ]
    antenna = downlink.Antenna(
        world.env, world.log, world.craft, world.memory, downlink.S_BAND, heard=ticking.correlate
    )
    found = world.run(
        antenna.serve([(contact, False) for contact in passes]),
        world.strike("clock_jump", 2500, ticking, jump=0.003),
        world.strike("clock_drift", 3500, ticking, drift=1.0),
    )
    noise = [round(ten_us * stream(seed, "time_correlation", c.aos_us).standard_normal()) for c in passes]
    true = [200, 400, 600 + 3000, 700 + 3000 + 600]  # drift of 1.2 us a second from 3500 s
    offset = [a + b for a, b in zip(true, noise, strict=True)]
    foretold = [2 * offset[1] - offset[0], 2 * offset[2] - offset[1]]
    whole = []
    for k, (contact, at) in enumerate(zip(passes, (1000, 2000, 3000, 4000), strict=True)):
        rise, fall = at * SECOND, at * SECOND + 100
        whole.append((rise, "s_station signal_acquired", "Kiruna", 0))
        whole.append((rise, "clock correlated", contact.station, offset[k]))
        if k >= 2:
            whole.append((rise, "clock prediction_error", "Kiruna", offset[k] - foretold[k - 2]))
        whole.append((fall, "s_band acknowledged", f"pass_{k + 1:04d}", 0))
        whole.append((fall, "s_band left_on_board", "Kiruna", 0))
        whole.append((fall, "s_station signal_lost", "Kiruna", 0))
    whole.append((2500 * SECOND, "incident clock_jump", "1", 0))
    whole.append((3500 * SECOND, "incident clock_drift", "1", 0))
    assert sorted(found, key=lambda line: line[0]) == sorted(whole, key=lambda line: line[0])


def test_offsets_are_those_of_the_simulated_clock():
    seed = 11
    world = World()
    ticking = clock.Clock(world.env, world.log, seed)
    faults = [
        Incident.model_validate(
            {"kind": kind, "start": START + timedelta(seconds=at), **more}, context={"stored_units": True}
        )
        for kind, at, more in (("clock_drift", 40, {"drift": -3.0}), ("clock_jump", 20, {"jump": -0.5}))
    ]
    times = [T0 + s * SECOND for s in (0, 19, 20, 21, 39, 41, 1000)]
    seen = []

    def look():
        for at_us in times:
            yield world.env.timeout(at_us + 1 - world.env.now)  # after what happens at that time
            seen.append(ticking.offset_us())

    world.run(
        look(),
        *(
            incidents.strike(world.env, world.log, world.craft, ticking, n, f)
            for n, f in enumerate(faults, 1)
        ),
    )
    assert clock.offsets_us(seed, faults, T0, [at_us + 1 for at_us in times]) == seen
    assert seen[2] - seen[1] == pytest.approx(-500_000, abs=2)


def contact(station, aos_s, los_s):
    return Contact(station, "x", T0 + aos_s * SECOND, T0 + los_s * SECOND, 30.0)


def lost(*told):
    passes = [contact("Kiruna", 100, 200), contact("Inuvik", 300, 400), contact("Kiruna", 500, 600)]
    context = {"stored_units": True}
    made = [
        Incident.model_validate({**what, "start": START + timedelta(seconds=what["start"])}, context=context)
        for what in told
    ]
    return [gone for _, gone in incidents.with_losses(passes[::-1], made)]


def test_an_outage_takes_the_passes_it_touches_and_a_loss_the_next():
    outage = {"kind": "station_outage", "station": "Kiruna", "duration": 300.0}
    assert lost({**outage, "start": 199.999_999}) == [True, False, False]
    assert lost({**outage, "start": 200.0}) == [False, False, False]
    assert lost({**outage, "start": 200.000_001}) == [False, False, True]
    assert lost({"kind": "station_outage", "start": 0.0, "duration": 1000.0}) == [True] * 3
    assert lost({"kind": "pass_loss", "start": 150.0}) == [True, False, False]
    assert lost({"kind": "pass_loss", "start": 200.0, "station": "Kiruna"}) == [False, False, True]
    assert lost({"kind": "reboot", "start": 150.0}) == [False] * 3


def turned(*degrees):
    """Directions (n, 2, 3): boresights tilted by angles, nadir."""
    angle = np.radians(degrees)
    tilted = np.stack([np.sin(angle), np.zeros_like(angle), np.cos(angle)], axis=-1)
    return np.stack([tilted, np.broadcast_to([0.0, 0.0, 1.0], tilted.shape)], axis=1)


def test_slews_go_home_where_there_is_time_else_directly_and_late_if_they_must():
    """At 0.5 deg/s and 5 s to settle 10 degrees take 25 s, 20 take 45 s."""
    activities = [
        Activity(100 * SECOND, 200 * SECOND, "nadir"),
        Activity(230 * SECOND, 300 * SECOND, "glint"),
        Activity(350 * SECOND, 400 * SECOND, "target", "a", 0.0, 0.0),
        Activity(449 * SECOND, 500 * SECOND, "target", "b", 0.0, 0.0),
        Activity(501 * SECOND, 600 * SECOND, "glint"),
    ]
    towards = turned(0, 10, 20, -10, 10)
    found = [
        (step.at_us // SECOND, step.mode, step.activity)
        for step in attitude.steps(activities, towards, towards)
    ]
    assert SETTLING_US == 5 * SECOND
    assert found == [
        (40, "standby", -1),
        (100, "nadir", 0),
        (200, "standby", -1),
        (205, "slew", -1),
        (230, "glint", 1),
        (300, "standby", -1),  # 25 + 45 s by way of nadir do not fit into 50 s
        (325, "slew", -1),
        (350, "target", 2),
        (400, "slew", -1),  # 65 s for 30 degrees: 16 s late
        (465, "target", 3),
        (500, "slew", -1),
        (545, "glint", 4),
        (600, "slew", -1),
        (625, "standby", -1),
    ]


def test_a_city_scan_turns_between_its_sweeps():
    city = Activity(0, (2 * 20 + 10) * FRAME_US, "city", "paris", 48.9, 2.35, 2)
    assert attitude.sweep_starts_us(city) == [0, 30 * FRAME_US]
    found = list(attitude.steps([city], turned(0), turned(0)))
    assert found[1:] == [
        Step(0, "city", 0),
        Step(20 * FRAME_US + SECOND, "slew", 0),
        Step(30 * FRAME_US - SECOND, "city", 0),
        Step(50 * FRAME_US, "standby"),
    ]


@pytest.mark.parametrize("lasts_us", [0, 10])
def test_pieces_are_single_in_contacts_and_never_run_across_an_edge(lasts_us):
    contacts = [
        Contact("a", "x", 205, 251, 1.0),
        Contact("b", "x", 240, 275, 1.0),
        Contact("c", "x", 600, 640, 1.0),
    ]
    cutter = Cutter.of(contacts, [433], batch=8)
    pieces = list(cutter.pieces(100, 10, lasts_us, 70))
    items = [start + 10 * k for start, count in pieces for k in range(count)]
    assert items == list(range(100, 800, 10))
    assert max(count for _, count in pieces) == 8
    for start, count in pieces:
        end = start + 10 * (count - 1) + lasts_us
        if count > 1:
            assert all(end <= edge or start + lasts_us > edge for edge in (205, 275, 433, 600, 640))
            assert all(end <= c.aos_us or start >= c.los_us for c in contacts)
    singles = {start for start, count in pieces if count == 1}
    assert {210, 240, 250, 270, 610} <= singles
    assert list(Cutter.of(contacts, [], 1).pieces(100, 10, lasts_us, 3)) == [(100, 1), (110, 1), (120, 1)]
    assert list(cutter.pieces(100, 10, lasts_us, 0)) == []


def test_eclipse_is_the_one_skyfield_sees():
    two_seconds = 2.0  # skyfield's Earth and ours differ in radius by 0.1 km
    import skyfield_data

    scenario = Scenario.model_validate(
        {
            "name": "t",
            "start": START,
            "observation": {"mode": "nadir", "start_latitude": 22.0},
            "requirements": [],
        },
        context={"stored_units": True},
    )
    path = orbit.trajectory(scenario, T0, T0 + 7200 * SECOND)
    edges = eclipse.edges(path, T0, T0 + 7200 * SECOND)
    kernel = SpiceKernel(skyfield_data.__path__[0] + "/data/de421.bsp")
    satellite = orbit.flown(scenario)
    try:
        for at_us, enters in edges[1:]:
            for shift_s, dark in ((-two_seconds, not enters), (two_seconds, enters)):
                time = orbit.skyfield_time(at_us + round(shift_s * SECOND))
                assert bool(satellite.at(time).is_sunlit(kernel)) is not dark
    finally:
        kernel.close()
    assert len(edges) >= 3
    assert [enters for _, enters in edges[1:]] == [not enters for _, enters in edges[:-1]]
