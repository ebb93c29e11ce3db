"""Turn seed, place and time into smooth departures of the weather and the ground from their means."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from truth.constants import STANDARD_PRESSURE
from truth.random_field import Scale, random_field

# Sizes and lengths are round figures of midlatitude synoptic weather, assumed
_HIGHS_AND_LOWS = (Scale(700e3, 1.0),)
_PRESSURE_TROPICS, _PRESSURE_POLES = 200.0, 900.0  # Pa, standard deviation at the equator and the poles
_AIR_MASSES = (Scale(500e3, 2.0),)  # K
_MOISTURE = (Scale(250e3, 0.15),)  # 1, of ln humidity
_GUSTS = (Scale(60e3, 0.05),)  # 1, of ln wind speed
_BRIGHTNESS = (Scale(1e3, 0.03), Scale(4e3, 0.04), Scale(40e3, 0.06))  # 1, of ln albedo, all bands together
_COLOUR = (Scale(20e3, 0.01),)  # 1, of ln albedo, each band
_PAVING = (Scale(1.5e3, 1.0), Scale(6e3, 0.7))  # 1, of the logit of concrete's share of a city
_LEAVES = (Scale(3e3, 0.08), Scale(30e3, 0.12))  # 1, of ln fluorescence
_GLOW = (Scale(1000e3, 0.03),)  # 1, of ln airglow
_SEASONLESS = 0.0  # s, time given to fields that stay in place
_SIGMA_KNOTS = (0.05, 0.2, 0.5, 1.0)  # 1, pressure over surface pressure


def sea_level_pressure(seed: int, latitude: ArrayLike, longitude: ArrayLike, time_s: ArrayLike) -> np.ndarray:
    """Draw the pressure at mean sea level, Pa."""
    anomaly = random_field(seed, "surface pressure", _HIGHS_AND_LOWS, latitude, longitude, time_s)
    sin2 = np.sin(np.radians(latitude)) ** 2
    return STANDARD_PRESSURE + (_PRESSURE_TROPICS + (_PRESSURE_POLES - _PRESSURE_TROPICS) * sin2) * anomaly


def temperature_anomaly(
    seed: int, sigma: np.ndarray, latitude: np.ndarray, longitude: np.ndarray, time_s: np.ndarray
) -> np.ndarray:
    """Draw low and high air masses' departure from the climatology, (..., level) K, none above sigma 0.05."""
    low, high = (
        random_field(seed, f"temperature/{part}", _AIR_MASSES, latitude, longitude, time_s)
        for part in ("low", "high")
    )
    shape_low = np.interp(sigma, _SIGMA_KNOTS, (0.0, 0.0, 0.5, 1.0))
    shape_high = np.interp(sigma, _SIGMA_KNOTS, (0.0, 1.0, 0.5, 0.0))
    return low[..., np.newaxis] * shape_low + high[..., np.newaxis] * shape_high


def humidity_factor(seed: int, latitude: ArrayLike, longitude: ArrayLike, time_s: ArrayLike) -> np.ndarray:
    return np.exp(random_field(seed, "humidity", _MOISTURE, latitude, longitude, time_s))


def wind_factor(seed: int, latitude: ArrayLike, longitude: ArrayLike, time_s: ArrayLike) -> np.ndarray:
    return np.exp(random_field(seed, "wind", _GUSTS, latitude, longitude, time_s))


def albedo_factor(seed: int, latitude: ArrayLike, longitude: ArrayLike, bands: int = 4) -> np.ndarray:
    """Draw the ground's brightness over its type's mean, (..., band), the same at every pass."""
    common = random_field(seed, "albedo", _BRIGHTNESS, latitude, longitude, _SEASONLESS)
    colours = [
        random_field(seed, f"albedo/{band}", _COLOUR, latitude, longitude, _SEASONLESS)
        for band in range(bands)
    ]
    return np.exp(common[..., np.newaxis] + np.stack(colours, axis=-1))


def paving(seed: int, latitude: ArrayLike, longitude: ArrayLike) -> np.ndarray:
    """Draw the share of concrete in a city; the rest is asphalt."""
    return 1.0 / (1.0 + np.exp(-random_field(seed, "paving", _PAVING, latitude, longitude, _SEASONLESS)))


def leaf_factor(seed: int, latitude: ArrayLike, longitude: ArrayLike) -> np.ndarray:
    return np.exp(random_field(seed, "fluorescence", _LEAVES, latitude, longitude, _SEASONLESS))


def airglow_factor(seed: int, latitude: ArrayLike, longitude: ArrayLike, time_s: ArrayLike) -> np.ndarray:
    return np.exp(random_field(seed, "airglow", _GLOW, latitude, longitude, time_s))
