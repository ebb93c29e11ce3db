"""Fly the mode timeline and fill the memory: platform, instrument and attitude control as processes."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

import simpy

from twin.constants import FRAME_US
from twin.events.log import EventLog
from twin.events.memory import MassMemory, Record
from twin.mission.resources import ATTITUDE_BITS, FRAME_BITS

Process = Generator[simpy.Event, Any, None]


class Spacecraft:
    """The mode, and a way to wait for one."""

    def __init__(self, env: simpy.Environment, log: EventLog) -> None:
        self._env, self._log = env, log
        self.mode = ""
        self._changed = env.event()

    def enter(self, mode: str) -> None:
        self.mode = mode
        self._log.add(self._env.now, "spacecraft", "mode", mode)
        changed, self._changed = self._changed, self._env.event()
        changed.succeed()

    def reaches(self, mode: str) -> Process:
        while self.mode != mode:
            yield self._changed

    def fly(self, timeline: Sequence[tuple[int, str]]) -> Process:
        """Enter each mode at its time (GPS us, mode)."""
        for at_us, mode in timeline:
            yield self._env.timeout(at_us - self._env.now)
            self.enter(mode)


def acquire(
    env: simpy.Environment,
    log: EventLog,
    craft: Spacecraft,
    memory: MassMemory,
    mode: str,
    frames: Sequence[tuple[int, int]],
) -> Process:
    """Expose each frame (counter, start in GPS us) and store its packets at the end of its exposure."""
    yield from craft.reaches(mode)
    for number, start_us in frames:
        if env.now != start_us:
            yield env.timeout(start_us - env.now)
        if craft.mode != mode:
            log.add(env.now, "instrument", "exposure_skipped", number)
            continue
        log.add(env.now, "instrument", "exposure", number)
        yield env.timeout(FRAME_US)
        memory.store(Record("frame", number, FRAME_BITS))


def tell_attitude(
    env: simpy.Environment, craft: Spacecraft, memory: MassMemory, mode: str, times_us: Sequence[int]
) -> Process:
    """Store one attitude and ephemeris packet at each of the times, numbered from 0."""
    yield from craft.reaches(mode)
    for number, at_us in enumerate(times_us):
        if env.now != at_us:
            yield env.timeout(at_us - env.now)
        memory.store(Record("attitude", number, ATTITUDE_BITS))
