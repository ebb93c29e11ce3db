"""Turn the electrons of each row into the summed digital numbers that leave the detector."""

from __future__ import annotations

import numpy as np


def analogue_dn(
    electrons: np.ndarray, electron_per_dn: float, nonlinearity: np.ndarray, full_scale_dn: int
) -> np.ndarray:
    """Solve DN * (1 + c * DN / full scale) = electrons / gain  (row, spectel), unrounded, no offset.

    electrons (row, spectel); nonlinearity c (row).
    """
    linear = electrons / electron_per_dn
    c = nonlinearity[:, None]
    root = np.sqrt(np.maximum(1 + 4 * c * linear / full_scale_dn, 0.0))
    return 2 * linear / (1 + root)


def digitise(dn: np.ndarray, offset_dn: np.ndarray, full_scale_dn: int, *, rounded: bool) -> np.ndarray:
    """Add each row's ADC offset and limit to the ADC's range  (row, spectel).

    Not rounded: 40 rows of one noise-free level would round alike and shift the sum by up to 20 DN, an error
    that noise (16 DN and more per row) dithers away in any real exposure.
    """
    with_offset = dn + offset_dn[:, None]
    return np.clip(np.rint(with_offset) if rounded else with_offset, 0, full_scale_dn)


def sum_rows(dn: np.ndarray) -> np.ndarray:
    """On-board sum of the rows  (spectel)  integer DN."""
    return np.rint(dn.sum(axis=0)).astype(np.int32)
