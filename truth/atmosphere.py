"""Turn latitude, time and surface pressure into temperature, humidity, altitude and air columns on levels."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from truth.constants import (
    AVOGADRO,
    GAS_CONSTANT,
    MOLAR_MASS_DRY_AIR,
    MOLAR_MASS_WATER,
    WGS84_A,
    WGS84_ECC2,
    WGS84_F,
    WGS84_GRAVITY_EQUATOR,
    WGS84_M,
    WGS84_SOMIGLIANA_K,
)

DATA = Path(__file__).parent / "data"
LEVELS = 61
TOP_FRACTION = 1e-5  # of the surface pressure, about 1 Pa
_EQUAL_MASS = 0.55  # 1, share of the levels spread evenly in pressure, the rest in its logarithm
_LATITUDE_NODES = (15.0, 45.0, 60.0)  # deg, of the reference atmospheres (Anderson et al. 1986)
_WARMEST = 0.55  # year fraction, about 20 July in the north
_LN_PRESSURE = np.log(np.geomspace(0.5, 105_000.0, 400))  # ln Pa, of the tabulated climatology
# 1, pressure over that of sea level, where ground may be
_RATIOS = np.concatenate((np.geomspace(0.25, 1.0, 90), np.linspace(1.01, 1.07, 7)))
_SEA_LEVEL = 89  # index of 1 in them
_LOWEST_M = -570.0  # m, altitude of the last of them within 60 m, for gravity
_WATER_RATIO = MOLAR_MASS_WATER / MOLAR_MASS_DRY_AIR  # 1


class Columns(NamedTuple):
    """Layer quantities, (..., layer): dry air molecule m-2, water molecule m-2, mean gravity m s-2."""

    dry_air: np.ndarray
    water: np.ndarray
    gravity: np.ndarray


def sigma_levels(count: int = LEVELS) -> np.ndarray:
    """Give pressure over surface pressure, (level,), top to surface."""
    fine = np.geomspace(TOP_FRACTION, 1.0, 4001)
    spread = _EQUAL_MASS * (fine - TOP_FRACTION) / (1.0 - TOP_FRACTION)
    spread += (1.0 - _EQUAL_MASS) * np.log(fine / TOP_FRACTION) / np.log(1.0 / TOP_FRACTION)
    return np.exp(np.interp(np.linspace(0.0, 1.0, count), spread, np.log(fine)))


def gravity(latitude_deg: ArrayLike, altitude_m: ArrayLike) -> np.ndarray:
    """Give WGS-84 normal gravity (Somigliana) with its second-order decrease with height, m s-2."""
    sin2 = np.sin(np.radians(np.asarray(latitude_deg, dtype=float))) ** 2
    height = np.asarray(altitude_m, dtype=float) / WGS84_A
    at_ellipsoid = (
        WGS84_GRAVITY_EQUATOR * (1.0 + WGS84_SOMIGLIANA_K * sin2) / np.sqrt(1.0 - WGS84_ECC2 * sin2)
    )
    decrease = 2.0 * (1.0 + WGS84_F + WGS84_M - 2.0 * WGS84_F * sin2) * height
    return at_ellipsoid * (1.0 - decrease + 3.0 * height**2)


@cache
def _reference() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Tabulate each model on _LN_PRESSURE: temperature K, ln of water over dry air (mole)."""
    rows: dict[str, list[tuple[float, float, float]]] = {}
    with (DATA / "atmosphere_reference.csv").open() as file:
        for row in csv.DictReader(file):
            values = (np.log(100.0 * float(row["pressure_hpa"])), float(row["temperature_k"]))
            water = 1e-6 * float(row["water_ppmv"])
            rows.setdefault(row["model"], []).append((*values, np.log(water / (1.0 - water))))
    table = {}
    for model, profile in rows.items():
        ln_p, temperature, ln_water = np.array(profile)[::-1].T
        table[model] = (
            np.interp(_LN_PRESSURE, ln_p, temperature),
            np.interp(_LN_PRESSURE, ln_p, ln_water),
        )
    return table


def _model_weights(latitude_deg: np.ndarray, year_fraction: np.ndarray) -> dict[str, np.ndarray]:
    """Blend in latitude (smooth step between nodes) and season (cosine)."""
    tropic, middle, subarctic = _LATITUDE_NODES
    phase = np.where(latitude_deg >= 0.0, _WARMEST, _WARMEST + 0.5)
    summer = 0.5 + 0.5 * np.cos(2.0 * np.pi * (year_fraction - phase))
    distance = np.abs(latitude_deg)
    step_1, step_2 = (
        x * x * (3.0 - 2.0 * x)
        for x in (
            np.clip((distance - tropic) / (middle - tropic), 0.0, 1.0),
            np.clip((distance - middle) / (subarctic - middle), 0.0, 1.0),
        )
    )
    return {
        "tropical": 1.0 - step_1,
        "midlatitude_summer": step_1 * (1.0 - step_2) * summer,
        "midlatitude_winter": step_1 * (1.0 - step_2) * (1.0 - summer),
        "subarctic_summer": step_2 * summer,
        "subarctic_winter": step_2 * (1.0 - summer),
    }


def climatology(
    pressure_pa: ArrayLike, latitude_deg: ArrayLike, year_fraction: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    """Give temperature (K) and specific humidity (kg kg-1, moist) by latitude, season and pressure.

    pressure_pa                  (..., level)
    latitude_deg, year_fraction  (...)
    """
    latitude, fraction = np.broadcast_arrays(
        np.asarray(latitude_deg, dtype=float), np.asarray(year_fraction, dtype=float)
    )
    weights = _model_weights(latitude, fraction)
    ln_p = np.log(np.asarray(pressure_pa, dtype=float))
    temperature = np.zeros(ln_p.shape)
    ln_water = np.zeros(ln_p.shape)
    for model, (model_temperature, model_ln_water) in _reference().items():
        weight = weights[model][..., np.newaxis]
        temperature += weight * np.interp(ln_p, _LN_PRESSURE, model_temperature)
        ln_water += weight * np.interp(ln_p, _LN_PRESSURE, model_ln_water)
    mass_ratio = _WATER_RATIO * np.exp(ln_water)
    return temperature, mass_ratio / (1.0 + mass_ratio)


def virtual_temperature(temperature_k: np.ndarray, specific_humidity: np.ndarray) -> np.ndarray:
    return temperature_k * (1.0 + (1.0 / _WATER_RATIO - 1.0) * specific_humidity)


def altitude(
    pressure_pa: np.ndarray,
    temperature_k: np.ndarray,
    specific_humidity: np.ndarray,
    latitude_deg: ArrayLike,
    surface_altitude_m: ArrayLike = 0.0,
) -> np.ndarray:
    """Integrate the hydrostatic equation upwards from the surface, (..., level) m."""
    t_v = virtual_temperature(temperature_k, specific_humidity)
    gas = GAS_CONSTANT / MOLAR_MASS_DRY_AIR
    latitude = np.asarray(latitude_deg, dtype=float)[..., np.newaxis]
    rise = gas * (t_v[..., 1:] + t_v[..., :-1]) / 2.0 * np.diff(np.log(pressure_pa), axis=-1)
    surface = np.asarray(surface_altitude_m, dtype=float)[..., np.newaxis]
    geopotential_m = np.cumsum(rise[..., ::-1], axis=-1)[..., ::-1] / gravity(latitude, surface)
    z = surface + np.concatenate((geopotential_m, np.zeros_like(geopotential_m[..., :1])), axis=-1)
    for _ in range(3):
        layers = rise / gravity(latitude, (z[..., 1:] + z[..., :-1]) / 2.0)
        z = surface + np.concatenate(
            (np.cumsum(layers[..., ::-1], axis=-1)[..., ::-1], np.zeros_like(layers[..., :1])), axis=-1
        )
    return z


def pressure_at_altitude(
    altitude_m: np.ndarray, sea_level_pa: np.ndarray, latitude_deg: np.ndarray, year_fraction: np.ndarray
) -> np.ndarray:
    """Give the pressure of the climatology's air in balance above sea level, (...) Pa, -0.6 to 10 km."""
    pressure = np.asarray(sea_level_pa, dtype=float)[..., np.newaxis] * _RATIOS
    z = altitude(pressure, *climatology(pressure, latitude_deg, year_fraction), latitude_deg, _LOWEST_M)
    z = z - z[..., [_SEA_LEVEL]]
    height = np.asarray(altitude_m, dtype=float)[..., np.newaxis]
    above = np.clip(np.sum(z > height, axis=-1, keepdims=True) - 1, 0, _RATIOS.size - 2)
    top, bottom = (np.take_along_axis(z, above + step, axis=-1) for step in (0, 1))
    share = (height - bottom) / (top - bottom)
    ln_ratio = np.log(_RATIOS)
    ln = share * ln_ratio[above] + (1.0 - share) * ln_ratio[above + 1]
    return sea_level_pa * np.exp(ln)[..., 0]


def columns(
    pressure_pa: np.ndarray, specific_humidity: np.ndarray, altitude_m: np.ndarray, latitude_deg: ArrayLike
) -> Columns:
    """Split each layer's mass dp/g into dry air and water, humidity linear in pressure."""
    latitude = np.asarray(latitude_deg, dtype=float)[..., np.newaxis]
    g = gravity(latitude, (altitude_m[..., 1:] + altitude_m[..., :-1]) / 2.0)
    mass = np.diff(pressure_pa, axis=-1) / g
    humidity = (specific_humidity[..., 1:] + specific_humidity[..., :-1]) / 2.0
    return Columns(
        dry_air=mass * (1.0 - humidity) * AVOGADRO / MOLAR_MASS_DRY_AIR,
        water=mass * humidity * AVOGADRO / MOLAR_MASS_WATER,
        gravity=g,
    )


def level_weights(dry_air: np.ndarray) -> np.ndarray:
    """Turn layer columns (..., layer) into dry-air weights of the levels (..., level), sum 1.

    Half of each layer goes to either level: the weight of a quantity taken as the mean of its two levels.
    """
    half = np.zeros((*dry_air.shape[:-1], dry_air.shape[-1] + 1))
    half[..., 1:] += dry_air / 2.0
    half[..., :-1] += dry_air / 2.0
    return half / dry_air.sum(axis=-1, keepdims=True)
