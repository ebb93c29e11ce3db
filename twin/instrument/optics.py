"""Turn monochromatic at-sensor radiance into the radiance each spectel receives."""

from __future__ import annotations

import numpy as np
from numba import njit

from twin.constants import C_LIGHT
from twin.instrument.asbuilt import AsBuilt

NM_CM = 1e7  # nm per cm


def sensor_wavelength(wavenumber_cm1: np.ndarray, recession_speed: float) -> np.ndarray:
    """Vacuum wavelength at the sensor  (point)  nm, ascending, of an ascending ground-frame wavenumber grid.

    First-order Doppler nu * (1 - v/c); the radiance keeps its value (it would change by 4 v/c < 8e-5).
    """
    return NM_CM / (np.asarray(wavenumber_cm1, dtype=float)[::-1] * (1.0 - recession_speed / C_LIGHT))


def spectel_wavelength(dispersion: np.ndarray, spectels: int) -> np.ndarray:
    """Centre wavelengths  (spectel)  nm of one dispersion polynomial c0 + c1*s + c2*s**2."""
    s = np.arange(spectels) - (spectels - 1) / 2
    return dispersion[0] + dispersion[1] * s + dispersion[2] * s**2


def spectel_radiance(
    wavenumber_cm1: np.ndarray,
    radiance: np.ndarray,
    recession_speed: float,
    asbuilt: AsBuilt,
    band: int,
    fov: int,
) -> np.ndarray:
    """Radiance through the ISRF  (spectel)  ph s-1 m-2 sr-1 um-1; `fov` counts from 0."""
    wavelength = sensor_wavelength(wavenumber_cm1, recession_speed)
    centre = spectel_wavelength(asbuilt.dispersion[band, fov], asbuilt.spectels)
    offset = asbuilt.isrf_offset[band]
    _check_cover(wavelength, centre, offset, asbuilt.band[band])
    ascending = np.ascontiguousarray(np.asarray(radiance, dtype=float)[::-1])
    return _convolve(wavelength, ascending, centre, asbuilt.isrf_node, offset, asbuilt.isrf[band, fov])


def _check_cover(wavelength: np.ndarray, centre: np.ndarray, offset: np.ndarray, name: str) -> None:
    low, high = centre[0] + offset[0], centre[-1] + offset[-1]
    if wavelength[0] > low or wavelength[-1] < high:
        raise ValueError(
            f"{name}: the ISRF needs radiance over {low:.3f}-{high:.3f} nm, got "
            f"{wavelength[0]:.3f}-{wavelength[-1]:.3f} nm: widen the truth grid"
        )
    if np.any(np.diff(wavelength) <= 0):
        raise ValueError(f"{name}: wavenumbers must ascend strictly, got a step <= 0: sort the truth grid")


@njit(cache=True)
def _convolve(
    wavelength: np.ndarray,
    radiance: np.ndarray,
    centre: np.ndarray,
    node: np.ndarray,
    offset: np.ndarray,
    table: np.ndarray,
) -> np.ndarray:
    """Trapezoid in wavelength of ISRF * radiance over the ISRF's support, divided by that of the ISRF."""
    result = np.empty(centre.size)
    last, inverse_step = offset.size - 1, (offset.size - 1) / (offset[-1] - offset[0])
    left = 0
    for s in range(centre.size):
        while left < node.size - 2 and s > node[left + 1]:
            left += 1
        right_weight = (s - node[left]) / (node[left + 1] - node[left])
        lower, upper = table[left], table[left + 1]
        start = np.searchsorted(wavelength, centre[s] + offset[0])
        total = norm = 0.0
        for k in range(max(start, 1), wavelength.size - 1):
            x = (wavelength[k] - centre[s] - offset[0]) * inverse_step
            if x >= last:
                break
            i = int(x)
            f = x - i
            a = lower[i] + f * (lower[i + 1] - lower[i])
            b = upper[i] + f * (upper[i + 1] - upper[i])
            weight = (a + right_weight * (b - a)) * (wavelength[k + 1] - wavelength[k - 1])
            total += weight * radiance[k]
            norm += weight
        result[s] = total / norm
    return result
