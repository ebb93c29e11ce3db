"""Give the detector's words a content that is wrong.

exposed  dn(sounding, band, spectel), saturated_rows(sounding, band), sounding_id(sounding); changed as a copy
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from twin.constants import FOVS
from twin.faults.hits import Hits

FULL_SCALE_DN = 40 * (2**14 - 1)  # 40 rows of 14 bits, all at the ceiling
STRONG_CO2, O2_A = 2, 0  # places in the band dimension
STUCK_FRAMES = 2


def saturated(exposed: xr.Dataset, hits: Hits) -> xr.Dataset:
    """Saturate every row of the O2 A band in one frame."""
    rows = _frame(exposed, hits)
    dn, flags = exposed["dn"].copy(deep=True), exposed["saturated_rows"].copy(deep=True)
    dn[rows, O2_A] = FULL_SCALE_DN
    flags[rows, O2_A] = 40
    return exposed.assign(dn=dn, saturated_rows=flags)


def dead(exposed: xr.Dataset, hits: Hits) -> xr.Dataset:
    """Read nothing but zeros from the strong CO2 band in one frame."""
    rows = _frame(exposed, hits)
    dn = exposed["dn"].copy(deep=True)
    dn[rows, STRONG_CO2] = 0
    return exposed.assign(dn=dn)


def stuck(exposed: xr.Dataset, hits: Hits) -> xr.Dataset:
    """Repeat the strong CO2 band of one frame in the two that follow; the first is under suspicion, too."""
    rows = _frame(exposed, hits, 1 + STUCK_FRAMES)
    dn = exposed["dn"].copy(deep=True)
    repeats = rows.size // FOVS - 1
    dn[rows[FOVS:], STRONG_CO2] = np.tile(dn.to_numpy()[rows[:FOVS], STRONG_CO2], (repeats, 1))
    return exposed.assign(dn=dn)


def _frame(exposed: xr.Dataset, hits: Hits, frames: int = 1) -> np.ndarray:
    """Take frames from the middle of what was exposed; return the rows of their soundings."""
    ids = exposed["sounding_id"].to_numpy()
    numbers = np.unique(ids // 10)
    first = min(len(numbers) // 2, len(numbers) - frames)
    rows = np.flatnonzero(np.isin(ids // 10, numbers[max(first, 0) :][:frames]))
    hits.sounding(ids[rows])
    return rows
