"""Turn a scenario into the observation plan: which frame is exposed when, in which mode."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twin.constants import FOVS, FRAME_US, OPERATION_MODES
from twin.scenario import Scenario
from twin.timecodes import gps_us


@dataclass(frozen=True)
class Plan:
    """One unbroken row of frames; frame 0 is exposed from the scenario's `start`."""

    mode: str
    frames: int
    start_us: int  # GPS us

    @property
    def end_us(self) -> int:
        return self.start_us + self.frames * FRAME_US

    @property
    def operation_mode(self) -> int:
        return OPERATION_MODES[self.mode]

    def exposure_start_us(self) -> np.ndarray:
        """(frame,) int64 GPS us."""
        return self.start_us + FRAME_US * np.arange(self.frames, dtype=np.int64)

    def exposure_middle_us(self) -> np.ndarray:
        """(frame,) int64 GPS us: the time stamp of a frame."""
        return self.exposure_start_us() + FRAME_US // 2


def plan(scenario: Scenario) -> Plan:
    """Round the soundings up to whole frames of 3 fields of view."""
    frames = -(-scenario.observation.soundings // FOVS)
    return Plan(scenario.observation.mode, frames, gps_us(scenario.start))
