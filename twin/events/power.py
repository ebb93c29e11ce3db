"""Keep the battery's charge in whole nanojoules: mW times us; low charge asks for safe mode."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import simpy

from twin.events.log import EventLog
from twin.events.spacecraft import Process, Spacecraft

NJ_PER_MJ = 10**6


@dataclass(frozen=True)
class PowerBudget:
    """Every figure is an assumption for a satellite of 180 kg; none is published."""

    array_mw: int = 320_000  # mW, solar array, mean over attitudes, in sunlight
    capacity_mj: int = 1_800_000_000  # mJ, 500 Wh
    low_mj: int = 720_000_000  # mJ, 40 %: safe mode
    resume_mj: int = 1_440_000_000  # mJ, 80 %: safe mode ends
    platform_mw: int = 90_000  # mW, always: computer, attitude control, heaters
    safe_mw: int = 10_000  # mW, instrument off but for its heaters
    standby_mw: int = 40_000  # mW, instrument cooled and idle
    slew_mw: int = 60_000  # mW, standby and wheels
    observing_mw: int = 70_000  # mW, any other mode
    downlink_mw: int = 50_000  # mW, X-band transmitter
    s_band_mw: int = 15_000  # mW, S-band transmitter

    def load_mw(self, mode: str, transmitting: Iterable[str]) -> int:
        named = {"safe": self.safe_mw, "standby": self.standby_mw, "": self.standby_mw, "slew": self.slew_mw}
        links = {"downlink": self.downlink_mw, "s_band": self.s_band_mw}
        return self.platform_mw + named.get(mode, self.observing_mw) + sum(links[x] for x in transmitting)


class Battery:
    """Charge in sunlight, discharge always, full at the start; constant power between changes."""

    def __init__(
        self,
        env: simpy.Environment,
        log: EventLog,
        craft: Spacecraft,
        end_us: int,
        budget: PowerBudget | None = None,
    ) -> None:
        self._env, self._log, self._craft = env, log, craft
        self._end_us = end_us  # no shadow is known beyond
        self.budget = budget or PowerBudget()
        self.level_nj = self.budget.capacity_mj * NJ_PER_MJ
        self._sunlit = True
        self._rate_mw = self._power_mw()
        self._since_us = int(env.now)
        self._changed = env.event()
        craft.listeners.append(self._change)

    def _power_mw(self) -> int:
        gain = self.budget.array_mw if self._sunlit else 0
        return gain - self.budget.load_mw(self._craft.mode, self._craft.transmitting)

    def settle(self) -> int:
        """Bring the charge up to now; return it in mJ."""
        now = int(self._env.now)
        charge = self.level_nj + self._rate_mw * (now - self._since_us)
        self.level_nj = max(0, min(self.budget.capacity_mj * NJ_PER_MJ, charge))
        self._since_us = now
        return self.level_nj // NJ_PER_MJ

    def _change(self) -> None:
        self.settle()
        self._rate_mw = self._power_mw()
        if not self._changed.triggered:
            self._changed.succeed()

    def eclipse(self, edges: Iterable[tuple[int, bool]]) -> Process:
        """Follow the Sun: (GPS us, enters) of every edge of the shadow."""
        for at_us, enters in edges:
            if self._env.now != at_us:
                yield self._env.timeout(at_us - self._env.now)
            self._sunlit = not enters
            self._change()
            word = "eclipse_entered" if enters else "eclipse_left"
            self._log.add(self._env.now, "power", word, "", self.level_nj // NJ_PER_MJ)

    def watch(self) -> Process:
        """Ask for safe mode at the low limit, and for its end once the battery has recovered."""
        while self._env.now < self._end_us:
            self._changed = self._env.event()
            due_us = self._due_us()
            yield self._changed if due_us is None else self._changed | self._env.timeout(due_us)
            self._decide(self.settle())

    def _due_us(self) -> int | None:
        """Return the us until the limit the charge moves towards, None when it never gets there."""
        limit_mj = self.budget.resume_mj if self._craft.low_battery else self.budget.low_mj
        missing = limit_mj * NJ_PER_MJ - self.level_nj
        if not missing or not self._rate_mw or (missing > 0) != (self._rate_mw > 0):
            return None
        due_us = -(-abs(missing) // abs(self._rate_mw))
        return due_us if self._env.now + due_us < self._end_us else None

    def _decide(self, level_mj: int) -> None:
        if not self._craft.low_battery and self.level_nj <= self.budget.low_mj * NJ_PER_MJ:
            self._log.add(self._env.now, "power", "battery_low", "", level_mj)
            self._craft.go_safe("battery")
        elif self._craft.low_battery and self.level_nj >= self.budget.resume_mj * NJ_PER_MJ:
            self._log.add(self._env.now, "power", "battery_recovered", "", level_mj)
            self._craft.recover("battery")
