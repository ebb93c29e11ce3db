"""Make the on-board clock wrong: true GPS microseconds -> what the clock shows.

times_us  (n)  int64, of packets;  start_us, end_us  of the observation
"""

from __future__ import annotations

import numpy as np

JUMP_US = 3_600_000_000  # an hour
BACK_US = -10_000_000
DRIFT = 20e-3  # s s-1: far beyond a real oscillator, so that a short observation shows it
EPOCH_US = 0  # 1980-01-06, where a clock begins that was never set


def jump(times_us: np.ndarray, middle_us: int) -> np.ndarray:
    """Run an hour fast from the middle of the observation on."""
    return times_us + JUMP_US * (times_us >= middle_us)


def backwards(times_us: np.ndarray, middle_us: int) -> np.ndarray:
    """Fall back by 10 s in the middle of the observation."""
    return times_us + BACK_US * (times_us >= middle_us)


def epoch(times_us: np.ndarray, middle_us: int) -> np.ndarray:
    """Start again at the clock's own epoch in the middle of the observation."""
    return np.where(times_us >= middle_us, times_us - middle_us + EPOCH_US, times_us)


def drift(times_us: np.ndarray, middle_us: int) -> np.ndarray:
    """Run fast by DRIFT from the middle of the observation on."""
    late = np.maximum(times_us - middle_us, 0)
    return times_us + np.rint(DRIFT * late).astype(np.int64)
