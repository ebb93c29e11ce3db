"""Empty the memory over stations: science over the X-band link, slow housekeeping over the S-band one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import simpy

from twin.events.log import EventLog
from twin.events.memory import MassMemory
from twin.events.spacecraft import Process, Spacecraft
from twin.mission.resources import CADU_BYTES, DATA_BYTES, RATE_BIT_S
from twin.mission.timeline import Contact

S_BAND_BIT_S = 620_000  # bit s-1 (CNES), taken to count coded bits (assumption)


@dataclass(frozen=True)
class Link:
    """An antenna of its own; names in the log of link and stations, rate of coded bits, channels in order."""

    name: str
    stations: str
    rate_bit_s: int
    channels: tuple[int, ...]
    in_safe_mode: bool

    def send_us(self, bits: int) -> int:
        """Return the time on air of packet bits, whole us, rounded up."""
        return -(-bits * CADU_BYTES * 1_000_000 // (DATA_BYTES * self.rate_bit_s))


# Channel 2 goes first: its attitude and housekeeping are 0.5 % of the bits, and without them no frame of the
# pass can be located. Safe mode keeps S-band alone (assumption).
X_BAND = Link("downlink", "station", RATE_BIT_S, (2, 1), in_safe_mode=False)
S_BAND = Link("s_band", "s_station", S_BAND_BIT_S, (0,), in_safe_mode=True)


class File(NamedTuple):
    """What a station holds after a pass."""

    name: str
    station: str
    bits: int


@dataclass(frozen=True)
class Antenna:
    """Serve the contacts of one link, one after the other."""

    env: simpy.Environment
    log: EventLog
    craft: Spacecraft
    memory: MassMemory
    link: Link
    received: simpy.Store | None = None
    heard: Callable[[Contact], None] = lambda contact: None  # told of every contact at its beginning

    def serve(self, contacts: Sequence[tuple[Contact, bool]]) -> Process:
        """Fly each (contact, lost); one that overlaps its predecessor begins when that has ended."""
        for number, (contact, lost) in enumerate(contacts, 1):
            name = f"pass_{number:04d}"
            if contact.los_us <= self.env.now:
                self._say("contact_hidden", name)  # all of it within another
                continue
            if contact.aos_us > self.env.now:
                yield self.env.timeout(contact.aos_us - self.env.now)
            yield from self._fly(contact, name, lost)

    def _fly(self, contact: Contact, name: str, lost: bool) -> Process:
        self.log.add(
            self.env.now,
            self.link.stations,
            "signal_missed" if lost else "signal_acquired",
            contact.station,
        )
        if not lost:
            self.heard(contact)
        self.craft.transmit(self.link.name, True)
        yield from self._send(contact.los_us)
        self.craft.transmit(self.link.name, False)
        bits = self.memory.restore(self.link.name) if lost else self.memory.release(self.link.name)
        self._say("unacknowledged" if lost else "acknowledged", name, bits)
        self._say("left_on_board", contact.station, self.memory.level_bits)
        self.log.add(self.env.now, self.link.stations, "signal_lost", contact.station)
        if bits and not lost and self.received is not None:
            self.received.put(File(name, contact.station, bits))

    def _send(self, los_us: int) -> Process:
        """Send whole records while they fit before loss of signal, and wait for it."""
        end = self.env.timeout(los_us - self.env.now)
        before = self.craft.safe_modes
        while self.link.in_safe_mode or not (self.craft.safe or self.craft.safe_modes > before):
            oldest = self.memory.oldest(self.link.channels)
            if oldest is None:
                yield end | self.memory.arrival(self.link.channels)
                if end.processed:
                    return
                continue
            each_us = self.link.send_us(oldest.bits)
            fit = min(oldest.amount, int(los_us - self.env.now) // each_us)
            if not fit:
                break
            yield self.env.timeout(fit * each_us)
            sent = self.memory.take(oldest.kind, fit, self.link.name)
            self._say(f"{sent.kind}_sent", sent.number, sent.amount * sent.bits)
        if not end.processed:
            yield end

    def _say(self, event: str, id: str | int, value: int = 0) -> None:
        self.log.add(self.env.now, self.link.name, event, id, value)
