"""Turn a scenario into the observation plan: which frame is exposed when, in which mode, aimed at what."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twin.constants import FOVS, FRAME_US, OPERATION_MODES, SWEEP_FRAMES
from twin.mission import aim, orbit
from twin.scenario import Scenario
from twin.timecodes import gps_us

TURN_FRAMES = 10  # of 1.304 s between two city sweeps: 104 s for 3 sweeps (assumption)


@dataclass(frozen=True)
class Plan:
    """Frames in the order of exposure; a city scan leaves gaps between its sweeps."""

    mode: str
    starts_us: tuple[int, ...]  # GPS us, start of each exposure
    aim: aim.Aim | None = None  # what target and city look at; nadir and glint follow satellite and Sun

    @property
    def frames(self) -> int:
        return len(self.starts_us)

    @property
    def start_us(self) -> int:
        return self.starts_us[0]

    @property
    def end_us(self) -> int:
        return self.starts_us[-1] + FRAME_US

    @property
    def operation_mode(self) -> int:
        return OPERATION_MODES[self.mode]

    def exposure_start_us(self) -> np.ndarray:
        """(frame,) int64 GPS us."""
        return np.array(self.starts_us, dtype=np.int64)

    def exposure_middle_us(self) -> np.ndarray:
        """(frame,) int64 GPS us: the time stamp of a frame."""
        return self.exposure_start_us() + FRAME_US // 2


def plan(scenario: Scenario) -> Plan:
    """Round the soundings up to whole frames of 3 fields of view.

    Nadir and glint begin at `start`; a target dwell is centred on the closest approach to its site; a city
    scan as well, and with fewer soundings than its sweeps have, it keeps those in the middle.
    """
    mode = scenario.observation.mode
    frames = -(-scenario.observation.soundings // FOVS)
    if mode in ("nadir", "glint"):
        return Plan(mode, row(gps_us(scenario.start), frames))
    seen = orbit.overpass(scenario)
    if mode == "target":
        return Plan(mode, row(seen.at_us - frames * FRAME_US // 2, frames), aim.Stare(seen.site_m))
    sweeps = sweep_starts(seen.at_us, scenario.observation.sweeps or 3)
    starts = [start for sweep in sweeps for start in sweep]
    first = (len(starts) - frames) // 2
    return Plan(mode, tuple(starts[first : first + frames]), aim.Scan.of(seen, sweeps))


def row(first_us: int, frames: int) -> tuple[int, ...]:
    """Return the starts of exposure of frames back to back."""
    return tuple(first_us + FRAME_US * frame for frame in range(frames))


def sweep_starts(middle_us: int, count: int) -> list[tuple[int, ...]]:
    """Return the starts of exposure of each sweep of a city scan."""
    period = SWEEP_FRAMES + TURN_FRAMES
    first_us = middle_us - (count * period - TURN_FRAMES) * FRAME_US // 2
    return [row(first_us + sweep * period * FRAME_US, SWEEP_FRAMES) for sweep in range(count)]
