"""Let the on-board clock run away from GPS time, and let the ground measure by how much at S-band passes."""

from __future__ import annotations

import simpy

from twin.events.log import EventLog
from twin.mission.timeline import Contact
from twin.random import stream

DRIFT_PS_S = 100_000.0  # ps s-1, 1 sigma of the oscillator: 0.1 us a second (assumption)
CORRELATION_US = 10.0  # us, 1 sigma of a measurement: time of flight and station delay (assumption)
AS_PER_US = 10**12  # attoseconds: ps s-1 times us


class Clock:
    """On-board minus GPS time, in whole attoseconds; the seed draws the drift."""

    def __init__(self, env: simpy.Environment, log: EventLog, seed: int) -> None:
        self._env, self._log, self._seed = env, log, seed
        self._offset_as, self._since_us = 0, int(env.now)
        self.drift_ps_s = round(DRIFT_PS_S * stream(seed, "clock_drift").standard_normal())
        self._measured: list[tuple[int, int]] = []  # (GPS us, offset us), the last two

    def offset_us(self) -> int:
        now = int(self._env.now)
        self._offset_as += self.drift_ps_s * (now - self._since_us)
        self._since_us = now
        return self._offset_as // AS_PER_US

    def jump(self, jump_us: int) -> None:
        self._offset_as += jump_us * AS_PER_US

    def drift_more(self, more_ps_s: int) -> None:
        self.offset_us()
        self.drift_ps_s += more_ps_s

    def correlate(self, contact: Contact) -> None:
        """Measure the offset from time packets; the error of what the last two foretold shows faults."""
        now = int(self._env.now)
        draw = stream(self._seed, "time_correlation", contact.aos_us).standard_normal()
        found_us = self.offset_us() + round(CORRELATION_US * draw)
        self._log.add(now, "clock", "correlated", contact.station, found_us)
        if len(self._measured) == 2:
            (t0, x0), (t1, x1) = self._measured
            foretold_us = x1 + (x1 - x0) * (now - t1) // (t1 - t0)
            self._log.add(now, "clock", "prediction_error", contact.station, found_us - foretold_us)
        self._measured = [*self._measured[-1:], (now, found_us)]
