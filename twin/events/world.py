"""Run what the spacecraft was told through its processes, links and stations: one log of all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import simpy
import xarray as xr

from twin.constants import ALTITUDE_REFERENCE_M, FRAME_US, WGS84_A
from twin.events import downlink, groundsegment, incidents, memory, power, spacecraft
from twin.events.clock import Clock
from twin.events.log import EventLog
from twin.events.programme import Programme
from twin.events.spacecraft import Slice, Step
from twin.mission import aim, knowledge, resources, stations
from twin.mission.timeline import Contact
from twin.scenario import Scenario

STANDBY_US = 60_000_000  # us, shown before the first slew


def simulate(
    scenario: Scenario,
    geometry: xr.Dataset,
    *,
    x_band: Sequence[stations.Station] = stations.X_BAND,
    memory_bits: int = memory.CAPACITY_BITS,
) -> EventLog:
    """Fly one observation: from standby before the first slew to the delivery of the pass file."""
    return run(programme(scenario, geometry, x_band), memory_bits=memory_bits, seed=scenario.seed)


def programme(scenario: Scenario, geometry: xr.Dataset, x_band: Sequence[stations.Station]) -> Programme:
    middle = geometry["fov"].to_numpy() == 2
    starts = geometry["time_gps_us"].to_numpy()[middle] - FRAME_US // 2
    attitude_us = tuple(knowledge.packet_times(scenario).tolist())
    zenith_deg = geometry["sensor_zenith_angle"].to_numpy()[middle]
    there, back = (resources.slew_us(_off_nadir_deg(zenith_deg[k])) for k in (0, -1))
    settled, left = attitude_us[0], attitude_us[-1] + 1_000_000
    seen = stations.first_pass(scenario, left + back, x_band)
    contact = Contact(seen.station, "x", seen.aos_us, seen.los_us, seen.highest_deg)
    mode = scenario.observation.mode
    steps = (
        Step(settled - there - STANDBY_US, "standby"),
        Step(settled - there, "slew"),
        Step(settled, mode),
        *_turns(starts, mode),
        Step(left, "slew"),
        Step(left + back, "standby"),
    )
    return Programme(
        start_us=steps[0].at_us,
        end_us=seen.los_us,
        steps=steps,
        slices=tuple(Slice(start, 1, mode) for start in starts.tolist()),
        attitude=tuple((at_us, 1) for at_us in attitude_us),
        x_band=((contact, False),),
    )


def _turns(starts_us: np.ndarray, mode: str) -> Iterator[Step]:
    """Give the slews, settling included, wherever the frames are not exposed one after the other."""
    for before in np.flatnonzero(np.diff(starts_us) > FRAME_US):
        yield Step(int(starts_us[before]) + FRAME_US + aim.HOLD_US, "slew")
        yield Step(int(starts_us[before + 1]) - aim.HOLD_US, mode)


def run(
    told: Programme,
    *,
    memory_bits: int = memory.CAPACITY_BITS,
    seed: int = 1,
    budget: power.PowerBudget | None = None,
    folder: Path | None = None,
) -> EventLog:
    """Return the log; a folder takes the older part of a long one."""
    env = simpy.Environment(initial_time=told.start_us)  # whole GPS us: no rounding, no drift
    log = EventLog(folder)
    store = memory.MassMemory(env, log, memory_bits)
    craft = spacecraft.Spacecraft(env, log)
    clock = Clock(env, log, seed)
    received = simpy.Store(env)
    x_band = downlink.Antenna(env, log, craft, store, downlink.X_BAND, received)
    s_band = downlink.Antenna(env, log, craft, store, downlink.S_BAND, heard=clock.correlate)
    processes = [
        craft.fly(told.steps),
        *(incidents.strike(env, log, craft, clock, n, i) for n, i in enumerate(told.incidents, 1)),
        spacecraft.tell_attitude(env, craft, store, told.attitude),
        spacecraft.tell_platform(env, store, told.platform),
        spacecraft.acquire(env, log, craft, store, told.slices),
        x_band.serve(told.x_band),
        s_band.serve(told.s_band),
        groundsegment.deliver(env, log, received),
    ]
    if told.eclipse:
        battery = power.Battery(env, log, craft, told.end_us, budget)
        processes += [battery.eclipse(told.eclipse), battery.watch()]
    for process in processes:
        env.process(process)
    env.run()
    return log


def _off_nadir_deg(zenith_deg: float) -> float:
    """Return the angle at the satellite, deg, that belongs to a zenith angle on the ground (sphere)."""
    ratio = WGS84_A / (WGS84_A + ALTITUDE_REFERENCE_M)
    return float(np.degrees(np.arcsin(ratio * np.sin(np.radians(zenith_deg)))))
