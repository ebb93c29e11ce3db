"""Give the spectral shape of chlorophyll fluorescence at the ground in the O2 A band."""

from __future__ import annotations

import numpy as np

from processors.constants import C_LIGHT, PLANCK

# Far-red emission relative to 740 nm, published shape; a parabola goes through the three points
WAVELENGTH_NM = np.array([757.0, 763.5, 768.75])
RELATIVE = np.array([0.58, 0.43, 0.32])


def spectrum(wavenumber_cm1: np.ndarray) -> np.ndarray:
    """Return radiance (point), ph s-1 m-2 sr-1 um-1, of an emission of 1 W m-2 um-1 sr-1 at 740 nm."""
    middle = WAVELENGTH_NM[1]
    parabola = np.polyfit(WAVELENGTH_NM - middle, RELATIVE, 2)
    wavelength_m = 0.01 / wavenumber_cm1
    return np.polyval(parabola, 1e9 * wavelength_m - middle) * wavelength_m / (PLANCK * C_LIGHT)
