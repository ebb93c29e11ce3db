"""Empty the memory over a station at the rate of the X-band link."""

from __future__ import annotations

import simpy

from twin.events.log import EventLog
from twin.events.memory import MassMemory, Record
from twin.events.spacecraft import Process, Spacecraft
from twin.mission.stations import Pass

RATE_BIT_S = 156_000_000  # bit s-1 (CNES), taken to count coded bits (assumption)
CADU_BYTES, DATA_BYTES = 1279, 1107  # a channel access data unit and the packet bytes it carries


def send_us(bits: int) -> int:
    """Return the time on air of packet bits, whole us, rounded up."""
    return -(-bits * CADU_BYTES * 1_000_000 // (DATA_BYTES * RATE_BIT_S))


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
