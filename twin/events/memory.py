"""Hold what waits for the downlink, first in first out, in whole bits."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import simpy

from twin.events.log import EventLog

CAPACITY_BITS = 10**12  # 1 Tbit (CNES)


@dataclass(frozen=True)
class Record:
    """Packets stored together: the 13 of a frame, or one of attitude."""

    kind: str  # frame or attitude
    number: int
    bits: int


class MassMemory:
    def __init__(self, env: simpy.Environment, log: EventLog, capacity_bits: int = CAPACITY_BITS) -> None:
        self._env, self._log, self.capacity_bits = env, log, capacity_bits
        self.level_bits = 0
        self._records: deque[Record] = deque()

    def store(self, record: Record) -> bool:
        """Keep a record whole, or refuse it whole when it does not fit."""
        fits = self.level_bits + record.bits <= self.capacity_bits
        if fits:
            self._records.append(record)
            self.level_bits += record.bits
        word = "stored" if fits else "refused"
        self._log.add(self._env.now, "memory", f"{record.kind}_{word}", record.number, record.bits)
        return fits

    def oldest(self) -> Record | None:
        return self._records[0] if self._records else None

    def release(self) -> Record:
        """Free the oldest record, once it is on the ground."""
        record = self._records.popleft()
        self.level_bits -= record.bits
        return record
