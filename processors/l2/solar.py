"""Give the solar photon irradiance on a wavenumber grid from the auxiliary line and continuum tables."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numba import njit

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


@dataclass(frozen=True)
class Tabulated:
    """Irradiance at 1 au of a Sun at rest on a grid FINER times as fine as a band's, to be shifted and
    scaled."""

    first_cm1: float
    step_cm1: float
    irradiance: np.ndarray

    def seen(self, wavenumber_cm1: np.ndarray, recession_m_s: float, distance_au: float) -> np.ndarray:
        """Return what photon_irradiance does (point), to 1e-5 for a recession of 1 km/s (the continuum
        moves, too)."""
        factor, shift = 1.0 / (1.0 - recession_m_s / C_LIGHT) / self.step_cm1, self.first_cm1 / self.step_cm1
        return np.asarray(_cubic(self.irradiance, wavenumber_cm1, factor, shift, 1.0 / distance_au**2))


FINER, MARGIN_CM1 = 4, 0.5  # of the tabulated Sun; the margin holds shifts up to 10 km/s


def tabulate(sun: Sun, wavenumber_cm1: np.ndarray) -> Tabulated:
    """Compute the irradiance on a fine grid about a band's (point), evenly spaced."""
    first, step = _fine(wavenumber_cm1)
    count = int((wavenumber_cm1[-1] - wavenumber_cm1[0] + 2 * MARGIN_CM1) / step) + 1
    return Tabulated(first, step, photon_irradiance(sun, first + step * np.arange(count), 0.0, 1.0))


def tabulated(irradiance: np.ndarray, wavenumber_cm1: np.ndarray) -> Tabulated:
    """Give back what `tabulate` made for a band's grid (point) from the irradiance it found."""
    return Tabulated(*_fine(wavenumber_cm1), irradiance)


def _fine(wavenumber_cm1: np.ndarray) -> tuple[float, float]:
    """Return first point and step of the fine grid, cm-1."""
    return wavenumber_cm1[0] - MARGIN_CM1, (wavenumber_cm1[1] - wavenumber_cm1[0]) / FINER


@njit(cache=True)
def _cubic(table, at, factor, shift, scale):  # type: ignore[no-untyped-def]
    """Read positions factor * at - shift off a table, Catmull-Rom, times a scale."""
    out = np.empty(at.size)
    for j in range(at.size):
        x = factor * at[j] - shift
        i = min(max(int(x), 1), table.size - 3)
        f = x - i
        y0, y1, y2, y3 = table[i - 1], table[i], table[i + 1], table[i + 2]
        c2, c3 = y0 - 2.5 * y1 + 2.0 * y2 - 0.5 * y3, 1.5 * (y1 - y2) + 0.5 * (y3 - y0)
        out[j] = (((c3 * f + c2) * f + 0.5 * (y2 - y0)) * f + y1) * scale
    return out
