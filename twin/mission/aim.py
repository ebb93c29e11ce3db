"""Turn the pass by a site into the point of the ground that the boresight follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.interpolate import BPoly

from twin.constants import ALTITUDE_REFERENCE_M, FOV_ACROSS_RAD, FOVS, FRAME_US, SETTLING_US
from twin.mission import earth
from twin.mission.orbit import Overpass

STEP_M = 2_000.0  # m along track in one city frame: the ground trace slowed 4.4 times
STRIP_M = FOVS * FOV_ACROSS_RAD * ALTITUDE_REFERENCE_M  # m, 13.5 km: width of a sweep in nadir
HOLD_US = 1_000_000  # us, of steady motion on each side of a sweep: attitude samples are 1 s apart
_APPROACH_US = 60_000_000  # us, before the first sweep and after the last: steady motion too


class Aim(Protocol):
    def point(self, times_us: np.ndarray) -> np.ndarray:
        """Return points of the ellipsoid (n, 3) m, Earth-fixed."""


@dataclass(frozen=True, eq=False)
class Stare:
    site_m: np.ndarray

    def point(self, times_us: np.ndarray) -> np.ndarray:
        return np.broadcast_to(self.site_m, (len(times_us), 3))


@dataclass(frozen=True, eq=False)
class Scan:
    """Parallel strips from left to right of flight, swept with flight, against it, with it."""

    seen: Overpass
    course: BPoly  # s from closest approach -> m along and across track from the site

    @classmethod
    def of(cls, seen: Overpass, sweeps: Sequence[Sequence[int]]) -> Scan:
        """sweeps  (sweep)(frame)  GPS us, starts of exposure."""
        knots_s, states = [], []
        for number, starts_us in enumerate(sweeps):
            ends_us = starts_us[0] - HOLD_US - SETTLING_US, starts_us[-1] + FRAME_US + HOLD_US
            first, last = number == 0, number == len(sweeps) - 1
            ends_us = ends_us[0] - first * _APPROACH_US, ends_us[1] + last * _APPROACH_US
            middle_us = (starts_us[0] + starts_us[-1] + FRAME_US) / 2
            speed_m_s = (-1) ** number * STEP_M / (FRAME_US / 1e6)
            across_m = (number - (len(sweeps) - 1) / 2) * STRIP_M
            for end_us in ends_us:
                along_m = speed_m_s * (end_us - middle_us) / 1e6
                knots_s.append((end_us - seen.at_us) / 1e6)
                states.append([[along_m, across_m], [speed_m_s, 0.0], [0.0, 0.0]])
        return cls(seen, BPoly.from_derivatives(knots_s, np.array(states)))  # quintic: no jump of rate

    def point(self, times_us: np.ndarray) -> np.ndarray:
        along_m, across_m = np.moveaxis(self.course((np.asarray(times_us) - self.seen.at_us) / 1e6), -1, 0)
        plane = self.seen.site_m + along_m[:, None] * self.seen.along + across_m[:, None] * self.seen.across
        return earth.ecef(*earth.geodetic(plane)[:2])
