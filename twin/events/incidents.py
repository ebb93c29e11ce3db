"""Let go wrong what the scenario says: lost passes, safe mode, reboots, faults of the clock."""

from __future__ import annotations

from collections.abc import Sequence

import simpy

from twin.events.clock import Clock
from twin.events.log import EventLog
from twin.events.spacecraft import Process, Spacecraft
from twin.mission.timeline import Contact
from twin.operations import Incident
from twin.timecodes import gps_us


def with_losses(
    contacts: Sequence[Contact], incidents: Sequence[Incident]
) -> tuple[tuple[Contact, bool], ...]:
    """Say of each contact of a link, in order of time, whether the ground hears nothing of it.

    An outage takes every pass it touches; a pass loss the one under way at its start, or else the next.
    """
    ordered = sorted(contacts, key=lambda contact: (contact.aos_us, contact.station))
    lost: set[Contact] = set()
    for incident in incidents:
        start_us = gps_us(incident.start)
        end_us = start_us + round(incident.duration * 1e6)
        there = [c for c in ordered if incident.station in (None, c.station) and c.los_us > start_us]
        if incident.kind == "station_outage":
            lost |= {c for c in there if c.aos_us < end_us}
        elif incident.kind == "pass_loss":
            lost |= set(there[:1])
    return tuple((contact, contact in lost) for contact in ordered)


def edges_us(incidents: Sequence[Incident]) -> list[int]:
    """List the times at which an incident changes what the spacecraft does."""
    starts = [(gps_us(i.start), round(i.duration * 1e6)) for i in incidents if i.kind in _ON_BOARD]
    return [edge for start, duration in starts for edge in {start, start + duration}]


def strike(
    env: simpy.Environment, log: EventLog, craft: Spacecraft, clock: Clock | None, number: int, what: Incident
) -> Process:
    """Let one incident on board happen; those of stations are in `with_losses`."""
    yield env.timeout(gps_us(what.start) - env.now)
    log.add(env.now, "incident", what.kind, number)
    if what.kind == "reboot":
        craft.reboot()
    elif what.kind == "safe_mode":
        craft.go_safe(f"incident {number}")
        yield env.timeout(round(what.duration * 1e6))
        craft.recover(f"incident {number}")
    elif clock is not None and what.kind == "clock_jump":
        clock.jump(round(what.jump * 1e6))
    elif clock is not None and what.kind == "clock_drift":
        clock.drift_more(round(what.drift * 1e6))


_ON_BOARD = ("safe_mode", "reboot", "clock_jump", "clock_drift")


def on_board(incidents: Sequence[Incident]) -> list[Incident]:
    return [incident for incident in incidents if incident.kind in _ON_BOARD]
