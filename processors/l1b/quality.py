"""Flag the spectels whose radiance is not to be trusted."""

from __future__ import annotations

import numpy as np

SATURATED, MISSING, BAD_CALIBRATION = 1, 2, 4  # bits of spectel_quality


def saturated(dn: np.ndarray, any_row: np.ndarray, ceiling_dn: float, fraction: float) -> np.ndarray:
    """Find spectels at the ceiling; where the instrument saw a row saturate, those near it as well.

    dn  (sounding, band, spectel)  sum of rows;  any_row  (sounding, band)  a row of the band saturated
    ceiling_dn  rows * full scale;  fraction  of the ceiling a sum may reach with single rows saturated
    """
    return (dn >= ceiling_dn) | (any_row[..., np.newaxis].astype(bool) & (dn >= fraction * ceiling_dn))


def flag(is_saturated: np.ndarray, band_missing: np.ndarray, radiance: np.ndarray) -> np.ndarray:
    """Combine to the bits of spectel_quality (sounding, band, spectel) int8."""
    missing = np.broadcast_to(band_missing[..., np.newaxis].astype(bool), radiance.shape)
    bad = ~np.isfinite(radiance)
    bits = SATURATED * (is_saturated & ~missing) + MISSING * missing + BAD_CALIBRATION * (bad & ~missing)
    return bits.astype(np.int8)
