"""State one day of planning as a choice among opportunities, and count what a choice is worth."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np

from twin.constants import FRAME_US
from twin.mission.planning import limits
from twin.mission.resources import ATTITUDE_BITS, FRAME_BITS, pass_bits
from twin.mission.timeline import Activity, Contact

STEP_BITS = -(-FRAME_BITS * limits.STEP_US // FRAME_US)  # of a step of default observation, rounded up
SPARE_BITS = 2 * STEP_BITS  # left free: a stretch may run over the beginning of a pass
STEP_WORTH = limits.STEP_US // 1_000_000  # one point a second


@dataclass(frozen=True)
class Opportunity:
    """One way to serve a request; the default observation stands still in steps leave to resume."""

    id: int
    activity: Activity
    worth: int  # points
    bits: int
    leave: int  # step before which the default observation must end
    resume: int  # step with which it may go on

    @property
    def request(self) -> str:
        return self.activity.request


@dataclass(frozen=True, eq=False)
class Problem:
    """A day: at most one opportunity a request, one of a conflicting pair, and what the memory holds."""

    start_us: int
    end_us: int
    opportunities: tuple[Opportunity, ...]  # number k has id k
    conflicts: tuple[tuple[int, int], ...]  # pairs of ids that overlap or leave no time to slew
    modes: np.ndarray  # (step,) default observation, see defaults.MODES
    contacts: tuple[Contact, ...]  # X-band, in order of time, one at once
    memory_bits: int
    level_bits: int = 0  # in memory at the start

    @cached_property
    def partners(self) -> dict[int, set[int]]:
        """Return the ids in conflict with each id, those of the same request included."""
        same: dict[str, set[int]] = {}
        for one in self.opportunities:
            same.setdefault(one.request, set()).add(one.id)
        found = {one.id: same[one.request] - {one.id} for one in self.opportunities}
        for a, b in self.conflicts:
            found[a].add(b)
            found[b].add(a)
        return found

    @cached_property
    def segment_ends_us(self) -> tuple[int, ...]:
        """Return when the memory is fullest: as a pass begins, and at the end of the day."""
        return (*(contact.aos_us for contact in self.contacts), self.end_us)

    def segment(self, time_us: int) -> int:
        """Return the number of passes begun by a time."""
        return bisect_right(self.segment_ends_us[:-1], time_us)

    @cached_property
    def step_segments(self) -> np.ndarray:
        """Return (step,) the segment in which each step of default observation begins."""
        return np.array([self.segment(self.start_us + k * limits.STEP_US) for k in range(len(self.modes))])

    def attitude_bits(self, segment: int) -> int:
        """Return the bits of attitude packets, one a second throughout."""
        start_us = self.segment_ends_us[segment - 1] if segment else self.start_us
        return -(-(self.segment_ends_us[segment] - start_us) // 1_000_000) * ATTITUDE_BITS

    def levels(self, ids: Iterable[int], kept: np.ndarray) -> list[int]:
        """Return the bits in memory at the end of each segment, before its pass takes its share."""
        steps = np.bincount(self.step_segments[kept], minlength=len(self.segment_ends_us)).tolist()
        levels, level = [], self.level_bits
        for segment, filled in enumerate(self.fills(ids)):
            level += filled + STEP_BITS * steps[segment]
            levels.append(level)
            level -= min(level, self.capacity_bits(segment))
        return levels

    def fills(self, ids: Iterable[int]) -> list[int]:
        """Return the bits that attitude and opportunities put into each segment."""
        bits = [self.attitude_bits(segment) for segment in range(len(self.segment_ends_us))]
        for one in (self.opportunities[k] for k in ids):
            for segment in self.segments(one):
                bits[segment] += one.bits
        return bits

    def segments(self, one: Opportunity) -> range:
        """Return the segments an opportunity fills; should a pass begin within it, all its bits in each."""
        return range(self.segment(one.activity.start_us), self.segment(one.activity.end_us) + 1)

    def capacity_bits(self, segment: int) -> int:
        """Return what the pass at the end of a segment takes from the memory; none at the end of the day."""
        if segment == len(self.contacts):
            return 0
        return pass_bits(self.contacts[segment].los_us - self.contacts[segment].aos_us)

    def free_steps(self, ids: Iterable[int]) -> np.ndarray:
        """Return (step,) where default observation goes on beside the chosen opportunities."""
        free = self.modes > 0
        for one in (self.opportunities[k] for k in ids):
            free[one.leave : one.resume] = False
        return free

    def kept_steps(self, ids: Sequence[int]) -> np.ndarray | None:
        """Return (step,) the default observation that the memory has room for, the latest left out.

        None: not even what is chosen fits.
        """
        kept = self.free_steps(ids)
        for segment in range(len(self.segment_ends_us)):
            if not self._make_room(ids, kept, segment):
                return None
        return kept

    def _make_room(self, ids: Sequence[int], kept: np.ndarray, full: int) -> bool:
        """Leave out default observation until a segment fits: its own, then what earlier passes left."""
        for segment in range(full, -1, -1):
            excess = self.levels(ids, kept)[full] - self.memory_bits
            if excess <= 0:
                return True
            steps = np.flatnonzero(kept & (self.step_segments == segment))
            many = min(len(steps), -(-excess // STEP_BITS))
            kept[steps[len(steps) - many :]] = False
        return self.levels(ids, kept)[full] <= self.memory_bits

    def worth(self, ids: Sequence[int], kept: np.ndarray) -> int:
        """Return the points: of the requests served and a second of default observation each."""
        return sum(self.opportunities[k].worth for k in ids) + STEP_WORTH * int(np.count_nonzero(kept))

    def described(self) -> dict[str, Any]:
        """Return the problem in plain numbers and texts, for other programs; docs/planning.md lists them."""
        return {
            "start_us": self.start_us,
            "end_us": self.end_us,
            "opportunities": [
                asdict(one.activity)
                | {
                    "id": one.id,
                    "worth": one.worth,
                    "bits": one.bits,
                    "default_ends_us": self.start_us + one.leave * limits.STEP_US,
                    "default_resumes_us": self.start_us + one.resume * limits.STEP_US,
                }
                for one in self.opportunities
            ],
            "conflicts": [list(pair) for pair in self.conflicts],
            "default_steps": {
                "step_us": limits.STEP_US,
                "bits": STEP_BITS,
                "modes": "".join(".ng"[mode] for mode in self.modes),
            },
            "contacts": [
                asdict(contact) | {"capacity_bits": self.capacity_bits(segment)}
                for segment, contact in enumerate(self.contacts)
            ],
            "memory_bits": self.memory_bits,
            "level_bits": self.level_bits,
        }


@dataclass(frozen=True)
class Choice:
    """What a method chose; the bound is of the worth, where it knows one."""

    ids: tuple[int, ...]
    bound: float | None = None
    optimal: bool = False
