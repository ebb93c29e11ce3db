"""Turn the vertical 1.27 um airglow into line radiance towards a sensor above it."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.interpolate import PchipInterpolator
from scipy.special import erf

from truth.constants import (
    AVOGADRO,
    BOLTZMANN,
    C_LIGHT,
    MOLAR_MASS_O2,
    PHOTONS_PER_MEGARAYLEIGH,
    SECOND_RADIATION,
)

LAYER_TEMPERATURE = 260.0  # K, emission peak near 46.5 km, rounded
REFERENCE_TEMPERATURE = 296.0  # K, of the line intensities (HITRAN)
# Middle of the published ranges, +- 20 %: 25-27, 23.6-25.6, 20-23, 17-19, 12-14 MR; none after sunset
_SZA_DEG = (0.0, 30.0, 50.0, 65.0, 80.0, 95.0)
_VERTICAL_MR = (26.0, 24.6, 21.5, 18.0, 13.0, 0.0)
_airglow = PchipInterpolator(_SZA_DEG, _VERTICAL_MR)


def airglow_mr(sza_deg: ArrayLike) -> np.ndarray:
    """Interpolate the vertical emission of the whole band, MR."""
    return np.maximum(_airglow(np.clip(np.asarray(sza_deg, dtype=float), 0.0, _SZA_DEG[-1])), 0.0)


def line_photons(
    wavenumber_cm1: ArrayLike, intensity: ArrayLike, lower_energy_cm1: ArrayLike, temperature_k: float
) -> np.ndarray:
    """Share the band's photons among its lines, sum 1 (intensity at 296 K, any unit)."""
    nu, strength, lower = (np.asarray(x, dtype=float) for x in (wavenumber_cm1, intensity, lower_energy_cm1))
    exponent = SECOND_RADIATION * (lower / REFERENCE_TEMPERATURE - (lower + nu) / temperature_k)
    photons = strength * nu**2 * np.exp(exponent - exponent.max())
    return photons / photons.sum()


def airglow_spectrum(
    wavenumber_cm1: ArrayLike,
    line_wavenumber_cm1: ArrayLike,
    line_intensity: ArrayLike,
    line_lower_energy_cm1: ArrayLike,
    temperature_k: float = LAYER_TEMPERATURE,
) -> np.ndarray:
    """Average Doppler lines over the cells of a grid so that a vertical 1 MR keeps its photons.

    wavenumber_cm1  (point,)  cm-1, ascending
    line_*          (line,)   O2 lines of the whole 1.27 um band: cm-1, any unit at 296 K, cm-1
    returns         (point,)  ph s-1 m-2 sr-1 um-1 per MR
    """
    grid = np.asarray(wavenumber_cm1, dtype=float)
    lines = np.asarray(line_wavenumber_cm1, dtype=float)
    edges = np.concatenate(
        ([1.5 * grid[0] - 0.5 * grid[1]], (grid[1:] + grid[:-1]) / 2.0, [1.5 * grid[-1] - 0.5 * grid[-2]])
    )
    share = line_photons(lines, line_intensity, line_lower_energy_cm1, temperature_k)
    sigma = lines * np.sqrt(BOLTZMANN * temperature_k * AVOGADRO / MOLAR_MASS_O2) / C_LIGHT
    cell = np.zeros(grid.size)
    for centre, width, fraction in zip(lines, sigma, share, strict=True):
        first, last = np.searchsorted(edges, (centre - 8.0 * width, centre + 8.0 * width))
        first, last = max(first - 1, 0), min(last + 1, edges.size)
        cumulative = 0.5 * erf((edges[first:last] - centre) / (np.sqrt(2.0) * width))
        cell[first : last - 1] += fraction * np.diff(cumulative)
    per_cm1 = PHOTONS_PER_MEGARAYLEIGH * cell / np.diff(edges)
    return per_cm1 * grid**2 / 1e4


def airglow_radiance(
    wavenumber_cm1: ArrayLike,
    line_wavenumber_cm1: ArrayLike,
    line_intensity: ArrayLike,
    line_lower_energy_cm1: ArrayLike,
    vertical_mr: float,
    vza_deg: float,
) -> np.ndarray:
    """Scale the spectrum by the emission along the view of a thin layer, 1/cos VZA."""
    spectrum = airglow_spectrum(wavenumber_cm1, line_wavenumber_cm1, line_intensity, line_lower_energy_cm1)
    return vertical_mr / np.cos(np.radians(vza_deg)) * spectrum
