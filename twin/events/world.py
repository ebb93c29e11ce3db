"""Run the plan through spacecraft, memory, downlink and ground as discrete events: one log of all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import simpy
import xarray as xr

from twin.constants import ALTITUDE_REFERENCE_M, FRAME_US, WGS84_A
from twin.events import downlink, groundsegment, memory, spacecraft
from twin.events.log import EventLog
from twin.mission import aim, knowledge, resources, stations
from twin.scenario import Scenario

STANDBY_US = 60_000_000  # us, shown before the first slew


@dataclass(frozen=True)
class Programme:
    """What the spacecraft was told to do, GPS us: mode timeline, frames, attitude packets and pass."""

    mode: str
    timeline: tuple[tuple[int, str], ...]
    frames: tuple[tuple[int, int], ...]  # (counter, start of exposure)
    attitude_us: tuple[int, ...]
    seen: stations.Pass


def simulate(
    scenario: Scenario,
    geometry: xr.Dataset,
    *,
    x_band: Sequence[stations.Station] = stations.X_BAND,
    memory_bits: int = memory.CAPACITY_BITS,
) -> EventLog:
    """Return the log from standby before the first slew to the delivery of the pass file."""
    return run(programme(scenario, geometry, x_band), memory_bits)


def programme(scenario: Scenario, geometry: xr.Dataset, x_band: Sequence[stations.Station]) -> Programme:
    middle = geometry["fov"].to_numpy() == 2
    starts = geometry["time_gps_us"].to_numpy()[middle] - FRAME_US // 2
    frames = tuple(zip(geometry["frame"].to_numpy()[middle].tolist(), starts.tolist(), strict=True))
    attitude_us = tuple(knowledge.packet_times(scenario).tolist())
    zenith_deg = geometry["sensor_zenith_angle"].to_numpy()[middle]
    there, back = (resources.slew_us(_off_nadir_deg(zenith_deg[k])) for k in (0, -1))
    settled, left = attitude_us[0], attitude_us[-1] + 1_000_000
    seen = stations.first_pass(scenario, left + back, x_band)
    mode = scenario.observation.mode
    timeline = (
        (settled - there - STANDBY_US, "standby"),
        (settled - there, "slew"),
        (settled, mode),
        *_turns(starts, mode),
        (left, "slew"),
        (left + back, "standby"),
        (seen.aos_us, "downlink"),
        (seen.los_us, "standby"),
    )
    return Programme(mode, timeline, frames, attitude_us, seen)


def _turns(starts_us: np.ndarray, mode: str) -> Iterator[tuple[int, str]]:
    """Give the slews, settling included, wherever the frames are not exposed one after the other."""
    for before in np.flatnonzero(np.diff(starts_us) > FRAME_US):
        yield int(starts_us[before]) + FRAME_US + aim.HOLD_US, "slew"
        yield int(starts_us[before + 1]) - aim.HOLD_US, mode


def run(told: Programme, memory_bits: int = memory.CAPACITY_BITS) -> EventLog:
    env = simpy.Environment(initial_time=told.timeline[0][0])  # whole GPS us: no rounding, no drift
    log = EventLog()
    store = memory.MassMemory(env, log, memory_bits)
    craft = spacecraft.Spacecraft(env, log)
    received = simpy.Store(env)
    for process in (
        craft.fly(told.timeline),
        spacecraft.tell_attitude(env, craft, store, told.mode, told.attitude_us),
        spacecraft.acquire(env, log, craft, store, told.mode, told.frames),
        downlink.send(env, log, craft, store, told.seen, received),
        groundsegment.deliver(env, log, received),
    ):
        env.process(process)
    env.run()
    return log


def _off_nadir_deg(zenith_deg: float) -> float:
    """Return the angle at the satellite, deg, that belongs to a zenith angle on the ground (sphere)."""
    ratio = WGS84_A / (WGS84_A + ALTITUDE_REFERENCE_M)
    return float(np.degrees(np.arcsin(ratio * np.sin(np.radians(zenith_deg)))))
