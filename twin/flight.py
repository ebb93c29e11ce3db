"""Run the tasks of a mission in a run directory: plan it, fly it, look at its full data, send them down."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from twin import fulldata, planner
from twin.constants import FRAME_US
from twin.events import clock, frames
from twin.events import mission as flown
from twin.events.log import EventLog
from twin.mission import earth, orbit
from twin.mission.planning import rolling
from twin.mission.timeline import Timeline
from twin.scenario import Scenario
from twin.telemetry import commands, packets, sending

TRACK_STEP_US = 30_000_000
TIMELINE, COMMANDS, EVENTS = Path("timeline.json"), Path("commands.bin"), Path("events.csv")


def plan(scenario: Scenario, folder: Path) -> None:
    """Write timeline.json, commands.bin, opportunities.json and gantt.png; own methods are in the folder."""
    days = list(rolling.days(scenario, folder=folder))
    mission = rolling.mission_of(scenario)
    made = rolling.timeline(scenario, days, mission.programming)
    planner.keep(Path(), made, days, int(mission.memory))


def fly(scenario: Scenario) -> EventLog:
    """Return the log of a spacecraft that executes the command packets of the plan."""
    return flown.simulate(scenario, commanded())


def commanded() -> Timeline:
    """Read the plan with the activities and X-band contacts that its command packets tell."""
    told = Timeline.restore(TIMELINE.read_text(encoding="utf-8"))
    activities, x_band = commands.decode(COMMANDS.read_bytes())
    others = [contact for contact in told.contacts if contact.band != "x"]
    contacts = sorted([*x_band, *others], key=lambda contact: (contact.aos_us, contact.band))
    return replace(told, activities=activities, contacts=tuple(contacts))


def granules(scenario: Scenario) -> list[fulldata.Granule]:
    """Choose the granules that are made as full data, from the plan and the log."""
    seen = frames.of(EventLog.read_csv(EVENTS))
    return fulldata.choose(commanded(), seen, scenario.observation.soundings)


def track(scenario: Scenario) -> pd.DataFrame:
    """Return time_gps_us, latitude, longitude (degrees, below the satellite), mode flown, every 30 s."""
    told, log = commanded(), EventLog.read_csv(EVENTS)
    times = np.arange(told.start_us, told.end_us, TRACK_STEP_US, dtype=np.int64)
    position, _ = orbit.trajectory(scenario, told.start_us, told.end_us).satellite(times)
    latitude, longitude, _ = earth.geodetic(position)
    entered = log.rows("spacecraft", "mode")
    place = np.searchsorted(entered.time_us, times, side="right") - 1
    modes = np.array(["standby", *log.texts(entered.id)], dtype=object)[place + 1]
    return pd.DataFrame({"time_gps_us": times, "latitude": latitude, "longitude": longitude, "mode": modes})


def send(
    scenario: Scenario, exposed: xr.Dataset, geometry: xr.Dataset, folder: Path
) -> tuple[pd.DataFrame, list[int]]:
    """Write the passes that bring the full data down; return the packets sent and the passes' numbers."""
    log = EventLog.read_csv(EVENTS)
    chosen = [one for one in granules(scenario) if np.isin(one.frame_id, exposed["sounding_id"] // 10).any()]
    parts, contacts = _by_pass(chosen), _contacts(log)
    times, levels_bits = log.levels()[1:]
    packed = {}
    for number, members in parts.items():
        ids = np.concatenate([granule.frame_id for granule in members])
        here = np.concatenate([granule.pass_index for granule in members]) == number
        wanted = np.isin(exposed["sounding_id"].to_numpy() // 10, ids[here])
        ends_us = np.concatenate([granule.start_us for granule in members])[here] + FRAME_US
        level_bits = levels_bits[np.searchsorted(times, ends_us, side="right") - 1]
        observed = sending.Observed(
            exposed.isel(sounding=wanted),
            geometry,
            fulldata.ephemeris(scenario, members),
            packets.Housekeeping(memory_level_kbit=level_bits // 1000),
        )
        name, contact = contacts[number]
        packed[int(name.removeprefix("pass_"))] = observed, contact
    start_us = commanded().start_us
    incidents = scenario.mission.incidents if scenario.mission else []

    def on_board(times_us: np.ndarray) -> np.ndarray:
        """What the clock shows: GPS time and its offset."""
        flat, order = np.unique(np.asarray(times_us, dtype=np.int64), return_inverse=True)
        offsets = clock.offsets_us(scenario.seed, incidents, start_us, flat.tolist())
        return (flat + np.array(offsets, dtype=np.int64))[order].reshape(np.shape(times_us))

    return sending.send_passes(packed, folder, on_board), sorted(packed)


def _by_pass(chosen: list[fulldata.Granule]) -> dict[int, list[fulldata.Granule]]:
    """Sort granules by the passes that bring frames of them."""
    parts: dict[int, list[fulldata.Granule]] = {}
    for granule in chosen:
        for number in np.unique(granule.pass_index).tolist():
            parts.setdefault(number, []).append(granule)
    return dict(sorted(parts.items()))


def _contacts(log: EventLog) -> list[tuple[str, sending.Contact]]:
    """Return the passes that were acknowledged, in their order, with their names in the log."""
    heard = log.select("downlink", "acknowledged")
    rises = log.select("station", "signal_acquired")
    made = []
    for entry in heard:
        rise = [each for each in rises if each.time_gps_us <= entry.time_gps_us][-1]
        made.append((entry.id, sending.Contact(rise.id, rise.time_gps_us, entry.time_gps_us)))
    return made
