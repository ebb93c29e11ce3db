"""Hold what waits for a downlink, first in first out on each virtual channel, in whole bits."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

import simpy

from twin.events.log import EventLog

CAPACITY_BITS = 10**12  # 1 Tbit (CNES)
PLATFORM_BITS = 8 * 256  # space packet of the slow housekeeping (assumption)
CHANNEL = {"frame": 1, "housekeeping": 2, "attitude": 2, "platform": 0}  # virtual channel of each kind
CHANNELS = (0, 1, 2)


class Record(NamedTuple):
    """Packets stored, sent and lost as one; or an amount of them in a row, numbered from `number`."""

    kind: str
    number: int
    bits: int  # of one
    amount: int = 1


class MassMemory:
    """Level counts what is stored until the ground has acknowledged it, sent or not."""

    def __init__(self, env: simpy.Environment, log: EventLog, capacity_bits: int = CAPACITY_BITS) -> None:
        self._env, self._log, self.capacity_bits = env, log, capacity_bits
        self.level_bits = 0
        self._waiting: dict[int, deque[Record]] = {channel: deque() for channel in CHANNELS}
        self._sent: dict[str, list[Record]] = {}  # by link, not acknowledged yet
        self._awaited: list[tuple[Sequence[int], simpy.Event]] = []

    def store(self, *records: Record) -> int:
        """Keep records of the same amount together, as many whole ones as fit; return how many."""
        count = records[0].amount
        each = sum(record.bits for record in records)
        kept = min(count, (self.capacity_bits - self.level_bits) // each)
        for record in records:
            if kept:
                self._keep(record if kept == count else record._replace(amount=kept))
            if kept < count:
                refused = record.number + kept, (count - kept) * record.bits
                self._log.add(self._env.now, "memory", f"{record.kind}_refused", *refused)
        return kept

    def _keep(self, record: Record) -> None:
        channel, bits = CHANNEL[record.kind], record.amount * record.bits
        self._waiting[channel].append(record)
        self.level_bits += bits
        self._log.add(self._env.now, "memory", f"{record.kind}_stored", record.number, bits)
        if self._awaited:
            due = [event for channels, event in self._awaited if channel in channels]
            self._awaited = [entry for entry in self._awaited if channel not in entry[0]]
            for event in due:
                event.succeed()

    def arrival(self, channels: Sequence[int]) -> simpy.Event:
        """Return an event that happens when something is stored on one of the channels."""
        event = self._env.event()
        self._awaited.append((channels, event))
        return event

    def oldest(self, channels: Sequence[int]) -> Record | None:
        """Look at what the first channel with anything waiting would send next."""
        return next((self._waiting[channel][0] for channel in channels if self._waiting[channel]), None)

    def take(self, kind: str, count: int, link: str) -> Record:
        """Mark the oldest `count` of a kind's channel as sent over a link; they stay in memory."""
        waiting = self._waiting[CHANNEL[kind]]
        record = waiting.popleft()
        if count < record.amount:
            left = record._replace(number=record.number + count, amount=record.amount - count)
            waiting.appendleft(left)
            record = record._replace(amount=count)
        self._sent.setdefault(link, []).append(record)
        return record

    def release(self, link: str) -> int:
        """Free what the ground acknowledged; return its bits."""
        bits = sum(record.bits * record.amount for record in self._sent.pop(link, []))
        self.level_bits -= bits
        return bits

    def restore(self, link: str) -> int:
        """Queue again, in front and in the old order, what was sent in vain; return its bits."""
        records = self._sent.pop(link, [])
        for record in reversed(records):
            self._waiting[CHANNEL[record.kind]].appendleft(record)
        return sum(record.bits * record.amount for record in records)
