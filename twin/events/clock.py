"""Let the on-board clock run away from GPS time, and let the ground measure by how much at S-band passes."""

from __future__ import annotations

from collections.abc import Sequence

import simpy

from twin.events.log import EventLog
from twin.mission.timeline import Contact
from twin.operations import Incident
from twin.random import stream
from twin.timecodes import gps_us

DRIFT_PS_S = 100_000.0  # ps s-1, 1 sigma of the oscillator: 0.1 us a second (assumption)
CORRELATION_US = 10.0  # us, 1 sigma of a measurement: time of flight and station delay (assumption)
FAULTS = ("clock_jump", "clock_drift")
AS_PER_US = 10**12  # attoseconds: ps s-1 times us


def draw_drift_ps_s(seed: int) -> int:
    return round(DRIFT_PS_S * stream(seed, "clock_drift").standard_normal())


def offsets_us(seed: int, incidents: Sequence[Incident], start_us: int, times_us: Sequence[int]) -> list[int]:
    """Return on-board minus GPS time at rising times, without a simulation; 0 at the start of the span."""
    faults = sorted(
        ((gps_us(i.start), i.kind, i) for i in incidents if i.kind in FAULTS), key=lambda fault: fault[0]
    )
    offset_as, since_us, drift_ps_s, found = 0, start_us, draw_drift_ps_s(seed), []
    for time_us in times_us:
        while faults and faults[0][0] <= time_us:
            at_us, kind, fault = faults.pop(0)
            offset_as += drift_ps_s * (at_us - since_us)
            since_us = at_us
            if kind == "clock_jump":
                offset_as += round(fault.jump * 1e6) * AS_PER_US
            else:
                drift_ps_s += round(fault.drift * 1e6)
        found.append((offset_as + drift_ps_s * (time_us - since_us)) // AS_PER_US)
    return found


class Clock:
    """On-board minus GPS time, in whole attoseconds; the seed draws the drift."""

    def __init__(self, env: simpy.Environment, log: EventLog, seed: int) -> None:
        self._env, self._log, self._seed = env, log, seed
        self._offset_as, self._since_us = 0, int(env.now)
        self.drift_ps_s = draw_drift_ps_s(seed)
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
