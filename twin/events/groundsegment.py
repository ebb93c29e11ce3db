"""Carry the file of a pass from the station to the mission centre."""

from __future__ import annotations

import simpy

from twin.events.log import EventLog
from twin.events.spacecraft import Process

LINE_BIT_S = 100_000_000  # bit s-1, station to mission centre (assumption)
HANDLING_US = 60_000_000  # us, closing, checking and announcing the file (assumption)


def deliver(env: simpy.Environment, log: EventLog, received: simpy.Store) -> Process:
    """Deliver each pass that a station hands over, numbered from 1."""
    number = 0
    while True:
        bits: int = yield received.get()
        number += 1
        name = f"pass_{number:04d}"
        log.add(env.now, "station", "file_closed", name, bits)
        yield env.timeout(HANDLING_US - (-bits * 1_000_000 // LINE_BIT_S))
        log.add(env.now, "ground", "file_delivered", name, bits)
