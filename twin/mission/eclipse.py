"""Turn a trajectory into the times at which the satellite enters and leaves Earth's shadow."""

from __future__ import annotations

import numpy as np

from twin.constants import WGS84_A
from twin.mission import earth, orbit

_STEP_US = 30_000_000  # us, well below the 6 minutes of the shortest eclipse worth counting
_HALVINGS = 25  # of a step, down to 1 us


def height_m(path: orbit.Trajectory, times_us: np.ndarray) -> np.ndarray:
    """Return how far (n,) m satellites are outside a cylindrical shadow of a spherical Earth (assumption)."""
    satellite, _ = path.satellite(times_us)
    sunward = earth.unit(path.sun(times_us)[0])
    along = earth.dot(satellite, sunward)
    across = np.linalg.norm(satellite - along[:, None] * sunward, axis=-1)
    return np.where(along < 0.0, across - WGS84_A, WGS84_A)


def edges(path: orbit.Trajectory, start_us: int, end_us: int) -> list[tuple[int, bool]]:
    """Return (GPS us, enters) for every crossing of the shadow's edge, and the state at the start first."""
    times = np.append(np.arange(start_us, end_us, _STEP_US), end_us)
    dark = height_m(path, times) < 0.0
    crossing = np.flatnonzero(dark[1:] != dark[:-1])
    low, high, enters = times[crossing], times[crossing + 1], dark[crossing + 1]
    for _ in range(_HALVINGS):
        middle = (low + high) // 2
        after = (height_m(path, middle) < 0.0) == enters
        low, high = np.where(after, low, middle), np.where(after, middle, high)
    return [(start_us, bool(dark[0])), *zip(high.tolist(), enters.tolist(), strict=True)]
