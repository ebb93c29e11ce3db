"""Empty the memory over a station at the rate of the X-band link."""

from __future__ import annotations

import simpy

from twin.events.log import EventLog
from twin.events.memory import MassMemory, Record
from twin.events.spacecraft import Process, Spacecraft
from twin.mission.resources import send_us
from twin.mission.stations import Pass


def send(
    env: simpy.Environment,
    log: EventLog,
    craft: Spacecraft,
    memory: MassMemory,
    seen: Pass,
    received: simpy.Store,
) -> Process:
    """Send whole records, oldest first, while they fit before loss of signal; then hand over the pass."""
    yield from craft.reaches("downlink")
    log.add(env.now, "station", "signal_acquired", seen.station)
    records: list[Record] = []
    while (oldest := memory.oldest()) and env.now + send_us(oldest.bits) <= seen.los_us:
        yield env.timeout(send_us(oldest.bits))
        records.append(memory.release())
        log.add(env.now, "downlink", f"{oldest.kind}_sent", oldest.number, oldest.bits)
    log.add(env.now, "downlink", "left_on_board", seen.station, memory.level_bits)
    yield env.timeout(seen.los_us - env.now)
    log.add(env.now, "station", "signal_lost", seen.station)
    received.put(sum(record.bits for record in records))
