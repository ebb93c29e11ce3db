"""Turn place and time into what the land's exchange adds to the zonal CO2 climatology.

The climatology holds the mean cycle of each latitude; here is how continents depart from it. Regions, their
drawdown and dates are assumed (truth/data/biosphere_regions.csv), with these published bounds: XCO2 cycles
grow from west to east over Eurasia and are largest and earliest over Asia's boreal forest (Jacobs et al.,
Atmos. Chem. Phys. 21, 16661, 2021); the daily range of the column rarely exceeds 1 ppm (Olsen and Randerson,
J. Geophys. Res. 109, D02301, 2004).
"""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ive

from truth.co2 import tropospheric_shape
from truth.constants import SECONDS_PER_DAY

DATA = Path(__file__).parent / "data"
_SUMMER = 2.0  # 1, concentration of the von Mises year: drawdown lasts about four months
_UPTAKE_LEAD = 0.08  # yr, strongest exchange before the lowest column: the column sums the uptake
_DEPTH = 40_000.0  # Pa, e-folding of the seasonal anomaly upwards from the surface
_DAILY_DEPTH = 6_000.0  # Pa, the same of the daily one, about 500 m


class _Regions(NamedTuple):
    """Columns of the table, each (region,): degrees; ppm and year fraction of the deepest; daily cycle.

    daily_ppm in full season, of which the share `evergreen` (1) stays all year
    """

    latitude: np.ndarray
    longitude: np.ndarray
    latitude_width: np.ndarray
    longitude_width: np.ndarray
    drawdown_ppm: np.ndarray
    lowest: np.ndarray
    daily_ppm: np.ndarray
    evergreen: np.ndarray


@cache
def _regions() -> _Regions:
    with (DATA / "biosphere_regions.csv").open() as file:
        rows = [[float(row[name]) for name in _Regions._fields] for row in csv.DictReader(file)]
    return _Regions(*np.array(rows).T)


def _bumps(latitude_deg: np.ndarray, longitude_deg: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give each region's share of a place and its mean along the circle of latitude, (..., region)."""
    regions = _regions()
    latitude, longitude = latitude_deg[..., np.newaxis], longitude_deg[..., np.newaxis]
    north = np.exp(-(((latitude - regions.latitude) / regions.latitude_width) ** 2) / 2.0)
    north *= (np.cos(np.radians(latitude)) / np.cos(np.radians(regions.latitude))) ** 2  # single-valued poles
    narrow = np.radians(regions.longitude_width) ** -2
    east = np.exp(narrow * (np.cos(np.radians(longitude - regions.longitude)) - 1.0))
    return north * east, north * ive(0, narrow)


def _growing(year: np.ndarray, date: np.ndarray) -> np.ndarray:
    """Give the growing season, 1 at its date and next to 0 half a year later."""
    return np.exp(_SUMMER * (np.cos(2.0 * np.pi * (year - date)) - 1.0))


def seasonal_xco2(latitude_deg: ArrayLike, longitude_deg: ArrayLike, year: ArrayLike) -> np.ndarray:
    """Give the departure of XCO2 from its zonal mean, ppm; no mean along a latitude nor over a year."""
    latitude, longitude, when = _together(latitude_deg, longitude_deg, year)
    regions = _regions()
    share, zonal_mean = _bumps(latitude, longitude)
    mean = ive(0, _SUMMER)
    season = (_growing(when[..., np.newaxis], regions.lowest) - mean) / (1.0 - mean)
    return -np.sum(regions.drawdown_ppm * season * (share - zonal_mean), axis=-1)


def daily_xco2(
    latitude_deg: ArrayLike, longitude_deg: ArrayLike, year: ArrayLike, time_s: ArrayLike
) -> np.ndarray:
    """Give the daily cycle of XCO2, ppm, without daily mean: highest at 6 h, lowest at 18 h solar time."""
    latitude, longitude, when, time = _together(latitude_deg, longitude_deg, year, time_s)
    regions = _regions()
    share, _ = _bumps(latitude, longitude)
    season = _growing(when[..., np.newaxis], regions.lowest - _UPTAKE_LEAD)
    green = regions.evergreen + (1.0 - regions.evergreen) * season
    amplitude = np.sum(regions.daily_ppm * green * share, axis=-1)
    day = time / SECONDS_PER_DAY + longitude / 360.0
    return amplitude * np.sin(2.0 * np.pi * day)


def seasonal_shape(pressure_pa: np.ndarray, latitude_deg: ArrayLike) -> np.ndarray:
    """Weigh the seasonal anomaly by height, (..., level): strongest at the surface, 0 at the tropopause."""
    below = pressure_pa[..., -1:] - pressure_pa
    return tropospheric_shape(pressure_pa, latitude_deg) * np.exp(-below / _DEPTH)


def daily_shape(pressure_pa: np.ndarray) -> np.ndarray:
    """Weigh the daily column anomaly by height, (..., level): only the lowest layers."""
    return np.exp(-(pressure_pa[..., -1:] - pressure_pa) / _DAILY_DEPTH)


def _together(*arguments: ArrayLike) -> list[np.ndarray]:
    return list(np.broadcast_arrays(*(np.asarray(each, dtype=float) for each in arguments)))
