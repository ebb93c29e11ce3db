"""Turn configured layers and a climatology into the optical depth of aerosol and cirrus by layer."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import log_ndtr, ndtr

from truth.config import Particles, TruthConfig
from truth.particles import SPECIES
from truth.random_field import Scale, random_field
from truth.times import decimal_year

Field = tuple[tuple[str, ...], np.ndarray]
_DATA = Path(__file__).parent / "data" / "aerosol_climatology.csv"
_AEROSOL_SCALES = ((50e3, 0.3), (400e3, 0.7))  # m, share of the variance of ln optical depth [A]
_CIRRUS_SCALES = ((20e3, 0.4), (150e3, 0.6))  # m, share: thinner bands than aerosol [A]
# Climatology at 0.755 um [A]: background of clean air, and soot with the others
_BACKGROUND = {"sulphate": 0.018, "organic": 0.008}  # 1
_SOOT = {
    "sulphate": 0.04,
    "organic": 0.09,
}  # 1, black carbon over optical depth of the kind it is emitted with
_SEA_SALT = (
    0.02,
    0.00055,
    2.195,
)  # a + b U^c; wind part by J. P. Mulcahy et al., GRL 35, L16810, 2008; a [A]
_HEIGHTS = {  # m above sea level of the centre, standard deviation [A]
    "dust": (2000.0, 1500.0),
    "sea_salt": (300.0, 500.0),
    "sulphate": (1000.0, 1200.0),
    "organic": (1500.0, 1200.0),
    "black_carbon": (1500.0, 1200.0),
}
_CLIMATE_VARIABILITY = 0.4  # 1, standard deviation of ln optical depth


def profiles(
    config: TruthConfig,
    seed: int,
    place: tuple[np.ndarray, ...],
    altitude_m: np.ndarray,
    land_fraction: ArrayLike = 0.0,
    wind_speed: ArrayLike = 7.0,
) -> dict[str, Field]:
    """Give vertical extinction optical depth at 0.755 um of each kind on the layers, and its totals.

    place       latitude, longitude deg and unix time s, (sounding,) each: the centre stands for the
                footprint, whose extent is far below the scales of the field
    altitude_m  (sounding, level)  top to surface
    """
    depth = np.zeros((len(altitude_m), len(SPECIES), altitude_m.shape[1] - 1))
    for index, layer in enumerate(config.aerosol):
        column = layer.optical_depth * _factor(
            seed, f"aerosol/{index}", layer.variability, _AEROSOL_SCALES, place
        )
        depth[:, SPECIES.index(layer.type)] += column[:, np.newaxis] * _conserved(altitude_m, layer)
    if config.cirrus is not None:
        layer = config.cirrus
        column = layer.optical_depth * _factor(seed, "cirrus", layer.variability, _CIRRUS_SCALES, place)
        depth[:, SPECIES.index(layer.type)] += column[:, np.newaxis] * _conserved(altitude_m, layer)
    if config.aerosol_climatology:
        depth += _climate(seed, place, altitude_m, land_fraction, wind_speed)
    total, ice = depth.sum(axis=-1), SPECIES.index("ice")
    return {
        "aerosol_optical_depth": (("sounding", "species", "layer"), depth),
        "aod": (("sounding",), total.sum(axis=1) - total[:, ice]),
        "cirrus_optical_depth": (("sounding",), total[:, ice]),
    }


def _factor(
    seed: int,
    effect: str,
    variability: float,
    scales: tuple[tuple[float, float], ...],
    place: tuple[np.ndarray, ...],
) -> np.ndarray:
    """Draw a log-normal factor of mean 1."""
    if variability == 0.0:
        return np.ones(len(place[0]))
    parts = tuple(Scale(length_m, variability * float(np.sqrt(share))) for length_m, share in scales)
    return np.exp(random_field(seed, effect, parts, *place) - variability**2 / 2.0)


def _conserved(altitude_m: np.ndarray, layer: Particles) -> np.ndarray:
    """Share a Gaussian among the layers, (sounding, layer), sum 1 even where the ground cuts into it."""
    standard = (altitude_m - layer.height) / layer.thickness
    above_ground = log_ndtr(-standard[:, -1:])  # ln share above the ground
    share = np.diff(np.exp(log_ndtr(-standard) - above_ground), axis=1)
    return share / share.sum(axis=1, keepdims=True)


def _climate(
    seed: int,
    place: tuple[np.ndarray, ...],
    altitude_m: np.ndarray,
    land_fraction: ArrayLike,
    wind_speed: ArrayLike,
) -> np.ndarray:
    """Spread the climatology over height; what would lie below the ground is not there."""
    depth = np.zeros((len(altitude_m), len(SPECIES), altitude_m.shape[1] - 1))
    latitude, longitude, time_s = place
    column = climatology(latitude, longitude, decimal_year(time_s) % 1.0, land_fraction, wind_speed)
    for kind, (height_m, thickness_m) in _HEIGHTS.items():
        index = SPECIES.index(kind)
        factor = _factor(seed, f"aerosol/climate/{kind}", _CLIMATE_VARIABILITY, _AEROSOL_SCALES, place)
        share = -np.diff(ndtr((altitude_m - height_m) / thickness_m), axis=1) / ndtr(height_m / thickness_m)
        depth[:, index] = (column[:, index] * factor)[:, np.newaxis] * share
    return depth


class _Region(NamedTuple):
    """Where a kind lies: Gaussian in latitude and longitude, one wave a year, peak in mid-month 1..12."""

    species: str
    latitude: float
    longitude: float
    latitude_sd: float
    longitude_sd: float
    optical_depth: float
    peak_month: float
    amplitude: float

    def column(self, latitude: np.ndarray, longitude: np.ndarray, year_fraction: np.ndarray) -> np.ndarray:
        east = (longitude - self.longitude + 180.0) % 360.0 - 180.0
        distance2 = ((latitude - self.latitude) / self.latitude_sd) ** 2 + (east / self.longitude_sd) ** 2
        season = np.cos(2.0 * np.pi * (year_fraction - (self.peak_month - 0.5) / 12.0))
        return self.optical_depth * np.exp(-distance2 / 2.0) * (1.0 + self.amplitude * season)


@cache
def _regions() -> tuple[_Region, ...]:
    with _DATA.open(encoding="utf-8") as file:
        return tuple(
            _Region(row["species"], *(float(row[name]) for name in _Region._fields[1:]))
            for row in csv.DictReader(file)
        )


def climatology(
    latitude: ArrayLike,
    longitude: ArrayLike,
    year_fraction: ArrayLike,
    land_fraction: ArrayLike = 0.0,
    wind_speed: ArrayLike = 7.0,
) -> np.ndarray:
    """Give the mean optical depth of each kind at 0.755 um above sea level, (..., species)."""
    lat, lon, season, land, wind = np.broadcast_arrays(
        *(np.asarray(x, dtype=float) for x in (latitude, longitude, year_fraction, land_fraction, wind_speed))
    )
    column = {kind: np.full(lat.shape, _BACKGROUND.get(kind, 0.0)) for kind in SPECIES}
    for region in _regions():
        column[region.species] += region.column(lat, lon, season)
    offset, slope, power = _SEA_SALT
    column["sea_salt"] += (1.0 - land) * (offset + slope * wind**power)
    for kind, share in _SOOT.items():
        column["black_carbon"] += share * column[kind]
    return np.stack([column[kind] for kind in SPECIES], axis=-1)
