"""Carry the file of a pass from the station to the mission centre."""

from __future__ import annotations

import simpy

from twin.events.downlink import File
from twin.events.log import EventLog
from twin.events.spacecraft import Process

LINE_BIT_S = 100_000_000  # bit s-1, each station to the mission centre (assumption)
HANDLING_US = 60_000_000  # us, closing, checking and announcing the file (assumption)


def deliver(env: simpy.Environment, log: EventLog, received: simpy.Store) -> Process:
    """Deliver each pass that a station hands over; a station's line carries one file at a time."""
    lines: dict[str, simpy.Resource] = {}
    while True:
        file: File = yield received.get()
        log.add(env.now, "station", "file_closed", file.name, file.bits)
        env.process(_carry(env, log, lines.setdefault(file.station, simpy.Resource(env)), file))


def _carry(env: simpy.Environment, log: EventLog, line: simpy.Resource, file: File) -> Process:
    with line.request() as turn:
        yield turn
        yield env.timeout(HANDLING_US - (-file.bits * 1_000_000 // LINE_BIT_S))
        log.add(env.now, "ground", "file_delivered", file.name, file.bits)
