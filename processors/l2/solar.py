"""Give the solar photon irradiance on a wavenumber grid from the auxiliary line and continuum tables."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from processors.constants import C_LIGHT, PLANCK


@dataclass(frozen=True)
class Sun:
    """Fraunhofer lines (line), cm-1 and optical depth; continuum (wavelength), nm and W m-2 um-1 at 1 au."""

    center: np.ndarray
    depth: np.ndarray
    lorentz: np.ndarray
    doppler: np.ndarray
    wavelength_nm: np.ndarray
    irradiance: np.ndarray


def read(lines: Path, continuum: Path) -> Sun:
    """Read the two auxiliary solar tables."""
    names = ("wavenumber_cm1", "optical_depth", "lorentz_width_cm1", "doppler_width_cm1")
    return Sun(*_columns(lines, names), *_columns(continuum, ("wavelength_nm", "irradiance_w_m2_um")))


def _columns(path: Path, names: tuple[str, ...]) -> list[np.ndarray]:
    with path.open(newline="") as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    if not rows or any(name not in rows[0] for name in names):
        raise ValueError(f"{path}: expected columns {', '.join(names)}")
    return [np.array([float(row[name]) for row in rows]) for name in names]


def photon_irradiance(
    sun: Sun, wavenumber_cm1: np.ndarray, recession_m_s: float, distance_au: float
) -> np.ndarray:
    """Return the irradiance (point), ph s-1 m-2 um-1, that reaches a point receding from the Sun.

    tau = s exp(-x^2/sqrt(d^4 + x^2 w^2)), x from the line centre (Toon 2010).
    """
    at_sun = wavenumber_cm1 / (1.0 - recession_m_s / C_LIGHT)
    tau = np.zeros_like(wavenumber_cm1)
    step = wavenumber_cm1[1] - wavenumber_cm1[0]
    for center, depth, lorentz, doppler in zip(sun.center, sun.depth, sun.lorentz, sun.doppler, strict=True):
        # exp(-|x|/w) far out: 25 widths end below 1e-10 of the depth
        reach = 25.0 * max(lorentz, doppler)
        lo, hi = np.clip((center + np.array([-reach, reach]) - at_sun[0]) / step, 0, at_sun.size).astype(int)
        if hi > lo:
            x2 = (at_sun[lo:hi] - center) ** 2
            tau[lo:hi] += depth * np.exp(-x2 / np.sqrt(doppler**4 + x2 * lorentz**2))
    wavelength_m = 0.01 / wavenumber_cm1
    continuum = np.interp(wavelength_m * 1e9, sun.wavelength_nm, sun.irradiance)
    return continuum * wavelength_m / (PLANCK * C_LIGHT) * np.exp(-tau) / distance_au**2
