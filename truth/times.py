"""Turn UTC of any kind into seconds since 1970 and into the year with its fraction."""

from __future__ import annotations

import numpy as np


def unix_seconds(time: np.ndarray) -> np.ndarray:
    """Accept UTC as seconds since 1970 or as datetime64."""
    if np.issubdtype(time.dtype, np.datetime64):
        return (time - np.datetime64(0, "s")) / np.timedelta64(1, "s")
    return np.asarray(time, dtype=float)


def decimal_year(time_s: np.ndarray) -> np.ndarray:
    """Turn seconds since 1970 into the year with its fraction."""
    seconds = np.asarray(time_s, dtype=float)
    year = seconds.astype("datetime64[s]").astype("datetime64[Y]")
    start, end = (y.astype("datetime64[s]").astype(float) for y in (year, year + 1))
    return year.astype(int) + 1970 + (seconds - start) / (end - start)
