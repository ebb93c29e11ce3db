"""Fly the told modes and fill the memory: platform, instrument, attitude and slow housekeeping."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from typing import Any, NamedTuple

import simpy

from twin.constants import BOOT_COUNT, FRAME_US
from twin.events.log import COUNTERS, EventLog
from twin.events.memory import PLATFORM_BITS, MassMemory, Record
from twin.mission.resources import ATTITUDE_BITS, HOUSEKEEPING_BITS, IMAGE_BITS

ATTITUDE_US = 1_000_000  # us, between attitude packets
PLATFORM_US = 10_000_000  # us, between packets of slow housekeeping (assumption)
Process = Generator[simpy.Event, Any, None]


class Step(NamedTuple):
    """A mode to enter at a time, GPS us, as part of an activity of the plan (-1: of none)."""

    at_us: int
    mode: str
    activity: int = -1


class Slice(NamedTuple):
    """Frames exposed back to back in a mode and stored together; frame by frame it is one."""

    start_us: int
    frames: int
    mode: str


class Spacecraft:
    """The state that all processes share: mode, boot count, frame counter, transmitters."""

    def __init__(self, env: simpy.Environment, log: EventLog) -> None:
        self._env, self._log = env, log
        self.mode = ""
        self.transmitting: set[str] = set()
        self.boot_count = BOOT_COUNT
        self.safe_modes = 0  # entered so far
        self.listeners: list[Callable[[], None]] = []  # told when what draws power has changed
        self._counter = 0
        self._activity, self._given_up = -1, -1
        self._entered_us: list[int] = []  # of each stay in a mode
        self._reasons: set[str] = set()  # for safe mode

    @property
    def safe(self) -> bool:
        return bool(self._reasons)

    @property
    def low_battery(self) -> bool:
        return "battery" in self._reasons

    @property
    def stay(self) -> int:
        """Number of the present stay in a mode."""
        return len(self._entered_us) - 1

    def enter(self, mode: str) -> None:
        self.mode = mode
        self._entered_us.append(int(self._env.now))
        self._log.add(self._env.now, "spacecraft", "mode", mode)
        self._tell()

    def transmit(self, link: str, on: bool) -> None:
        (self.transmitting.add if on else self.transmitting.discard)(link)
        self._tell()

    def _tell(self) -> None:
        for listener in self.listeners:
            listener()

    def fly(self, steps: Iterable[Step]) -> Process:
        """Enter each mode at its time, but not in safe mode nor of an activity that was given up."""
        for step in steps:
            if self._env.now < step.at_us:  # the first may lie before the span
                yield self._env.timeout(step.at_us - self._env.now)
            if step.activity >= 0:
                self._activity = step.activity
            if not self.safe and (step.activity < 0 or step.activity != self._given_up):
                self.enter(step.mode)

    def give_up(self) -> None:
        """Leave the activity under way: the next one is flown again."""
        self._given_up = self._activity

    def go_safe(self, reason: str) -> None:
        """Stop observing until every reason for safe mode has gone; memory is kept (assumption)."""
        first = not self.safe
        self._reasons.add(reason)
        if first:
            self.safe_modes += 1
            self.enter("safe")

    def recover(self, reason: str) -> None:
        self._reasons.discard(reason)
        if not self.safe:
            self.give_up()
            self.enter("standby")

    def reboot(self) -> None:
        """Start the on-board computer anew: boot count + 1, frames from 0; memory is kept (assumption)."""
        self.boot_count += 1
        self._counter = 0
        self._log.add(self._env.now, "spacecraft", "boot", "", self.boot_count)
        if not self.safe:
            self.give_up()
            self.enter("standby")

    def number(self, count: int) -> int:
        """Count frames and return the id of the first: boot count * 1e10 + frame counter."""
        first, self._counter = self._counter, self._counter + count
        return self.boot_count * COUNTERS + first

    def uncount(self, first: int, begun: int) -> None:
        """Take back the frames of a slice that were never begun, where no reboot has done so."""
        if first // COUNTERS == self.boot_count:
            self._counter = first % COUNTERS + begun

    def whole(self, stay: int, start_us: int, count: int) -> int:
        """Return how many frames of a slice ended before the stay in the mode did."""
        if self.stay == stay:
            return count
        return min(count, (self._entered_us[stay + 1] - start_us) // FRAME_US)


def acquire(
    env: simpy.Environment, log: EventLog, craft: Spacecraft, memory: MassMemory, slices: Iterable[Slice]
) -> Process:
    """Expose each slice and store science and housekeeping packets of its frames at its end."""
    for start_us, count, mode in slices:
        if env.now != start_us:
            yield env.timeout(start_us - env.now)
        if craft.mode != mode:
            yield env.timeout(0)  # it may be entered at this very microsecond
        if craft.mode != mode:
            log.add(env.now, "instrument", "exposure_skipped", mode, count)
            continue
        first, stay = craft.number(count), craft.stay
        log.add(env.now, "instrument", "exposure", first, count)
        yield env.timeout(count * FRAME_US)
        whole = craft.whole(stay, start_us, count)
        if whole < count:
            craft.uncount(first, whole + 1)
            log.add(env.now, "instrument", "exposure_lost", first + whole, count - whole)
        if whole:
            housekeeping = Record("housekeeping", first, HOUSEKEEPING_BITS, whole)
            memory.store(housekeeping, Record("frame", first, IMAGE_BITS, whole))


def tell_attitude(
    env: simpy.Environment, craft: Spacecraft, memory: MassMemory, runs: Iterable[tuple[int, int]]
) -> Process:
    """Store attitude packets, one a second, numbered from 0; a run (start, count) is stored at its last."""
    number = 0
    for start_us, count in runs:
        at_us = start_us + (count - 1) * ATTITUDE_US
        if env.now != at_us:
            yield env.timeout(at_us - env.now)
        if not craft.safe:
            memory.store(Record("attitude", number, ATTITUDE_BITS, count))
            number += count


def tell_platform(env: simpy.Environment, memory: MassMemory, runs: Iterable[tuple[int, int]]) -> Process:
    """Store packets of slow housekeeping every 10 s, whatever the mode."""
    number = 0
    for start_us, count in runs:
        at_us = start_us + (count - 1) * PLATFORM_US
        if env.now != at_us:
            yield env.timeout(at_us - env.now)
        memory.store(Record("platform", number, PLATFORM_BITS, count))
        number += count
