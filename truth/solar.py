"""Turn wavenumbers at the ground into solar photon irradiance with Fraunhofer lines."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from truth.constants import C_LIGHT, PLANCK

DATA = Path(__file__).parent / "data"
_NEGLIGIBLE_DEPTH = 1e-8  # optical depth at which a Fraunhofer wing is cut


@cache
def continuum_table() -> tuple[np.ndarray, np.ndarray]:
    """Read vacuum wavelength (nm) and irradiance (W m-2 um-1 at 1 au)."""
    table = np.loadtxt(DATA / "solar_continuum.csv", delimiter=",", skiprows=1)
    return table[:, 0], table[:, 1]


@cache
def fraunhofer_lines() -> np.ndarray:
    """Read (line, 4): wavenumber cm-1, optical depth, Lorentz width cm-1, Doppler width cm-1."""
    return np.loadtxt(DATA / "solar_lines_v1.csv", delimiter=",", skiprows=1, usecols=(1, 2, 3, 4))


def continuum(wavenumber_cm1: ArrayLike) -> np.ndarray:
    """Interpolate the line-free irradiance, ph s-1 m-2 um-1 at 1 au."""
    nu = np.asarray(wavenumber_cm1, dtype=float)
    wavelength_nm, watts = continuum_table()
    return np.interp(1e7 / nu, wavelength_nm, watts) / (PLANCK * C_LIGHT * 100.0 * nu)


def fraunhofer_transmittance(wavenumber_cm1: ArrayLike, lines: np.ndarray | None = None) -> np.ndarray:
    """Multiply the lines exp(-s exp(-x2/sqrt(d4 + x2 w2))) (Toon 2010) in the frame of the Sun.

    wavenumber_cm1  (point,)  cm-1, ascending
    """
    nu = np.asarray(wavenumber_cm1, dtype=float)
    depth = np.zeros(nu.shape)
    for nu_0, s, w, d in fraunhofer_lines() if lines is None else lines:
        reach = np.log(s / _NEGLIGIBLE_DEPTH)
        half_width = np.sqrt(reach * (reach * w**2 + np.sqrt(reach**2 * w**4 + 4.0 * d**4)) / 2.0)
        inside = slice(*np.searchsorted(nu, (nu_0 - half_width, nu_0 + half_width)))
        x2 = (nu[inside] - nu_0) ** 2
        depth[inside] += s * np.exp(-x2 / np.sqrt(d**4 + x2 * w**2))
    return np.exp(-depth)


def irradiance(
    wavenumber_cm1: ArrayLike, sun_recession_speed: float = 0.0, earth_sun_distance: float = 1.0
) -> np.ndarray:
    """Give the irradiance on a surface facing the Sun.

    wavenumber_cm1       (point,)  cm-1 in the frame of the ground, ascending
    sun_recession_speed  m s-1, positive when Sun and ground move apart
    earth_sun_distance   au
    returns              (point,)  ph s-1 m-2 um-1
    """
    nu = np.asarray(wavenumber_cm1, dtype=float)
    if np.any(np.diff(nu) < 0):
        raise ValueError("wavenumber_cm1 must ascend, got a descending step: sort the grid first")
    nu_sun = nu / (1.0 - sun_recession_speed / C_LIGHT)
    return continuum(nu) * fraunhofer_transmittance(nu_sun) / earth_sun_distance**2
