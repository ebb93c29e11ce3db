"""Turn a plan into what the spacecraft is told to do: modes, frames, packets, contacts, incidents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from twin.constants import FRAME_US, SWEEP_FRAMES
from twin.events import attitude, incidents, spacecraft
from twin.events.spacecraft import Slice, Step
from twin.mission.timeline import Activity, Contact, Timeline
from twin.operations import Incident

Resolution = Literal["frame", "batch"]
BATCH = 128  # items of a batch at most: 167 s of frames
MARGIN_US = 30_000_000  # us, attitude packets before the first and after the last exposure, as in knowledge


@dataclass(frozen=True)
class Programme:
    """Times in GPS us; iterables are read once, in order of time."""

    start_us: int
    end_us: int
    steps: Iterable[Step]
    slices: Iterable[Slice]
    attitude: Iterable[tuple[int, int]]  # (first, count) of packets a second apart
    x_band: Sequence[tuple[Contact, bool]]  # (contact, lost)
    s_band: Sequence[tuple[Contact, bool]] = ()
    platform: Iterable[tuple[int, int]] = ()
    eclipse: Sequence[tuple[int, bool]] = ()  # none: no power is simulated
    incidents: Sequence[Incident] = ()


def of(
    plan: Timeline,
    steps: Iterable[Step],
    eclipse: Sequence[tuple[int, bool]],
    told: Sequence[Incident],
    resolution: Resolution,
) -> Programme:
    """Lay out a plan; in batches, what is made within a contact or across an incident still goes one by one.

    So both resolutions store, send and lose the same frames at the same times.
    """
    x_band, s_band = (
        incidents.with_losses([c for c in plan.contacts if c.band == band], told) for band in ("x", "s")
    )
    batch = BATCH if resolution == "batch" else 1
    edges = incidents.edges_us(told)
    science, platform = (
        Cutter.of([contact for contact, _ in contacts], edges, batch) for contacts in (x_band, s_band)
    )
    seconds = -(-(plan.end_us - plan.start_us) // spacecraft.PLATFORM_US)
    return Programme(
        start_us=plan.start_us,
        end_us=plan.end_us,
        steps=steps,
        slices=_slices(plan.activities, science),
        attitude=_attitude(plan, science),
        x_band=x_band,
        s_band=s_band,
        platform=platform.pieces(plan.start_us, spacecraft.PLATFORM_US, 0, seconds),
        eclipse=eclipse,
        incidents=incidents.on_board(told),
    )


@dataclass(frozen=True)
class Cutter:
    """Cut rows of equal items: single within contacts, up to `batch` outside, never across an edge."""

    rise_us: np.ndarray  # of contacts, merged where they overlap
    fall_us: np.ndarray
    edges_us: np.ndarray = field(repr=False)
    batch: int

    @classmethod
    def of(cls, contacts: Sequence[Contact], edges_us: Sequence[int], batch: int) -> Cutter:
        merged: list[list[int]] = []
        for contact in sorted(contacts, key=lambda c: c.aos_us):
            if merged and contact.aos_us <= merged[-1][1]:
                merged[-1][1] = max(merged[-1][1], contact.los_us)
            else:
                merged.append([contact.aos_us, contact.los_us])
        spans = np.array(merged, dtype=np.int64).reshape(-1, 2)
        edges = np.unique(np.concatenate([spans.ravel(), np.array(edges_us, dtype=np.int64)]))
        return cls(spans[:, 0], spans[:, 1], edges, batch)

    def pieces(self, first_us: int, period_us: int, lasts_us: int, count: int) -> Iterator[tuple[int, int]]:
        """Give (start of the first, number of items); an item begins every period and lasts a while."""
        if self.batch == 1 or count == 0:
            yield from ((first_us + k * period_us, 1) for k in range(count))
            return
        starts = self._starts(first_us + period_us * np.arange(count, dtype=np.int64), lasts_us)
        counts = np.diff(np.append(starts, count))
        yield from zip((first_us + period_us * starts).tolist(), counts.tolist(), strict=True)

    def _starts(self, begin_us: np.ndarray, lasts_us: int) -> np.ndarray:
        """Return the index of the first item of each piece."""
        end_us = begin_us + lasts_us
        following = np.searchsorted(self.fall_us, begin_us, side="right")
        rise_us = np.append(self.rise_us, np.iinfo(np.int64).max)[following]
        single = rise_us < end_us if lasts_us else rise_us <= end_us
        between = np.searchsorted(self.edges_us, end_us, side="left")
        if lasts_us:  # an edge within the item
            single |= np.searchsorted(self.edges_us, begin_us, side="right") < between
        else:
            single |= between < np.searchsorted(self.edges_us, end_us, side="right")
        fresh = single.copy()
        fresh[0] = True
        fresh[1:] |= single[:-1] | (between[1:] != between[:-1])
        run = np.flatnonzero(fresh)
        within = np.arange(len(begin_us)) - np.repeat(run, np.diff(np.append(run, len(begin_us))))
        return np.flatnonzero(within % self.batch == 0)


def _slices(activities: Sequence[Activity], cutter: Cutter) -> Iterator[Slice]:
    for activity in activities:
        for first_us in attitude.sweep_starts_us(activity):
            count = SWEEP_FRAMES if activity.mode == "city" else (activity.end_us - first_us) // FRAME_US
            for start_us, number in cutter.pieces(first_us, FRAME_US, FRAME_US, count):
                yield Slice(start_us, number, activity.mode)


def _attitude(plan: Timeline, cutter: Cutter) -> Iterator[tuple[int, int]]:
    """Give whole GPS seconds of the span around the activities, each once where their margins overlap."""
    second = spacecraft.ATTITUDE_US
    told_us = -(-plan.start_us // second) * second
    for activity in plan.activities:
        first_us = max((activity.start_us - MARGIN_US) // second * second, told_us)
        last_us = -(-(activity.end_us + MARGIN_US) // second) * second
        told_us = last_us + second
        yield from cutter.pieces(first_us, second, 0, (told_us - first_us) // second)
