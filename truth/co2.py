"""Turn latitude, time and pressure into the CO2 dry-air mole fraction of a known field."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from truth.random_field import Scale, random_field

DATA = Path(__file__).parent / "data"
# Mean of Mauna Loa and South Pole (NOAA), cubic in years since 2015, fitted 2000-2024
_BASE_PPM = (1.3882446e-4, 0.0193344639, 2.31560797, 399.14273)
_SURFACE_PRESSURE = 1000.0  # hPa, foot of the climatology's height coordinate
# ppm; least squares to 0.09, 0.18, 0.23, 0.32 ppm rms difference at 10, 50, 100, 400 km of a 1.1 km model run
SYNOPTIC_XCO2 = (Scale(6e3, 0.0673), Scale(40e3, 0.1428), Scale(300e3, 0.2112))


@cache
def _harmonics() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Read latitude (node,), offset from the base in 2015.0 (node,), cosines and sines (node, 6), ppm."""
    table = np.loadtxt(DATA / "co2_marine_boundary_harmonics.csv", delimiter=",", skiprows=1)
    return table[:, 0], table[:, 1] - _BASE_PPM[-1], table[:, 2:]


def base_ppm(year: ArrayLike) -> np.ndarray:
    return np.polyval(_BASE_PPM, np.asarray(year, dtype=float) - 2015.0)


def seasonal_ppm(latitude_deg: np.ndarray, year: np.ndarray) -> np.ndarray:
    """Sum three harmonics, their coefficients linear in latitude."""
    nodes, _, coefficients = _harmonics()
    total = np.zeros(np.broadcast_shapes(np.shape(latitude_deg), np.shape(year)))
    for h in (1, 2, 3):
        cosine, sine = (np.interp(latitude_deg, nodes, coefficients[:, 2 * h - 2 + k]) for k in (0, 1))
        angle = 2.0 * np.pi * h * year
        total += cosine * np.cos(angle) + sine * np.sin(angle)
    return total


def tropopause_hpa(latitude_deg: ArrayLike) -> np.ndarray:
    return 100.0 + 170.0 / (1.0 + np.exp(-(np.abs(latitude_deg) - 33.0) / 6.0))


def zonal_background(pressure_pa: ArrayLike, latitude_deg: ArrayLike, year: ArrayLike) -> np.ndarray:
    """Give the zonal climatology, ppm dry; arguments broadcast, year with its fraction.

    Surface harmonics relaxed with height, late by up to 0.046 yr in the troposphere, by the age of air above.
    """
    year = np.asarray(year, dtype=float)
    p_hpa = np.asarray(pressure_pa, dtype=float) / 100.0
    latitude = np.asarray(latitude_deg, dtype=float)
    nodes, offsets, _ = _harmonics()
    p_trop = tropopause_hpa(latitude)
    x_p = np.clip((_SURFACE_PRESSURE - p_hpa) / (_SURFACE_PRESSURE - p_trop), 0.0, 1.0)
    y = np.clip(1.0 - p_hpa / p_trop, 0.0, 1.0)
    offset = np.interp(latitude, nodes, offsets)
    offset = offset + 0.557 * x_p**1.398 * (1.068 * np.interp(0.0, nodes, offsets) - offset)
    amplitude = (1.0 - 0.544 * x_p**1.489) * np.exp(-y / 0.1)
    age = np.minimum((1.0 + 3.5 * np.clip((np.abs(latitude) - 10.0) / 50.0, 0.0, 1.0)) * y, 5.5)
    season = seasonal_ppm(latitude, year - 0.046 * x_p)
    return base_ppm(year - age) + offset * np.exp(-3.0 * y) + amplitude * season


def synoptic_xco2(
    seed: int, latitude_deg: ArrayLike, longitude_deg: ArrayLike, time_s: ArrayLike
) -> np.ndarray:
    """Draw the weather's part of XCO2, ppm: a smooth random field of the published structure."""
    return random_field(seed, "co2/synoptic", SYNOPTIC_XCO2, latitude_deg, longitude_deg, time_s)


def tropospheric_shape(pressure_pa: ArrayLike, latitude_deg: ArrayLike) -> np.ndarray:
    """Weigh a column anomaly by height: 1 at the surface, falling to 0 at the tropopause."""
    p_trop = 100.0 * tropopause_hpa(latitude_deg)
    height = (np.asarray(pressure_pa, dtype=float) - p_trop) / (100.0 * _SURFACE_PRESSURE - p_trop)
    return np.clip(height, 0.0, 1.0)
