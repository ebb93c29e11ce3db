"""Turn light on leaves into fluorescence, and vertical 1.27 um airglow into line radiance at a sensor."""

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
    PLANCK,
    SECOND_RADIATION,
)

LAYER_TEMPERATURE = 260.0  # K, emission peak near 46.5 km, rounded
REFERENCE_TEMPERATURE = 296.0  # K, of the line intensities (HITRAN)
# Middle of the published ranges, +- 20 %: 25-27, 23.6-25.6, 20-23, 17-19, 12-14 MR; none after sunset
_SZA_DEG = (0.0, 30.0, 50.0, 65.0, 80.0, 95.0)
_VERTICAL_MR = (26.0, 24.6, 21.5, 18.0, 13.0, 0.0)
_airglow = PchipInterpolator(_SZA_DEG, _VERTICAL_MR)

# W m-2 um-1 sr-1 at 740 nm in full leaf under overhead Sun, so that noon reaches the published 2; assumed
SIF_PEAK = {"vegetation": 2.4, "forest": 2.0}
_SIF_NM = (740.0, 757.0, 763.5, 768.75)
_SIF_RELATIVE = (1.0, 0.58, 0.43, 0.32)  # 1, published
_SIF_RANGE_NM = (730.0, 800.0)  # nm, the far-red wing; taken as dark beyond
_ln_sif = PchipInterpolator(_SIF_NM, np.log(_SIF_RELATIVE))


def sif_740(kind: str, greenness: ArrayLike, sza_deg: ArrayLike) -> np.ndarray:
    """Give the fluorescence of a kind of surface at 740 nm in proportion to leaves and light.

    returns  W m-2 um-1 sr-1, 0 for kinds without leaves and without Sun
    """
    light = np.maximum(np.cos(np.radians(sza_deg)), 0.0)
    return SIF_PEAK.get(kind, 0.0) * np.asarray(greenness, dtype=float) * light


def sif_spectrum(wavenumber_cm1: ArrayLike) -> np.ndarray:
    """Give fluorescence per wavelength relative to 740 nm, steady in slope of its logarithm at the ends."""
    nm = 1e7 / np.asarray(wavenumber_cm1, dtype=float)
    inside = np.clip(nm, _SIF_NM[0], _SIF_NM[-1])
    ln_shape = _ln_sif(inside) + _ln_sif(inside, 1) * (nm - inside)
    first, last = _SIF_RANGE_NM
    return np.where((nm >= first) & (nm <= last), np.exp(np.clip(ln_shape, -50.0, 1.0)), 0.0)


def sif_photons(wavenumber_cm1: ArrayLike, sif: ArrayLike) -> np.ndarray:
    """Turn the fluorescence at 740 nm, W m-2 um-1 sr-1, into photons at the ground, s-1 m-2 sr-1 um-1."""
    nu = np.asarray(wavenumber_cm1, dtype=float)
    return np.asarray(sif, dtype=float) * sif_spectrum(nu) / (PLANCK * C_LIGHT * 100.0 * nu)


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
