"""Turn seed, place and time into the opaque clouds over each footprint."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from truth.config import TruthConfig
from truth.footprint import SubSamples
from truth.random_field import Scale, random_field

Field = tuple[tuple[str, ...], np.ndarray]
# Cover by latitude as a lidar sees it from space, zonal means in round figures [A]: a belt of rain at 7 N,
# clear subtropics, stormy fifties and sixties, more in the south
COVER_LATITUDE = (-90.0, -60.0, -40.0, -20.0, -5.0, 7.0, 20.0, 40.0, 60.0, 90.0)  # degrees north
COVER = (0.68, 0.90, 0.82, 0.67, 0.72, 0.82, 0.66, 0.72, 0.80, 0.74)  # 1
# Shares of variance [A] such that 11 % of the footprints are clear (Eguchi and Yokota, GRL 35 L23816, 2008)
_PATTERN = tuple(
    Scale(length_m, float(np.sqrt(share)))
    for length_m, share in ((5e3, 0.3), (20e3, 0.2), (100e3, 0.2), (500e3, 0.3))
)
_WATER = (Scale(20e3, 0.42), Scale(200e3, 0.42))  # 1, of ln optical depth [A]
_MEDIAN_OPTICAL_DEPTH = 12.0  # 1 [A]; with the spread above the mean is 14
_HEIGHTS = (Scale(100e3, 0.25), Scale(500e3, 0.25))  # 1, of ln height of the top [A]
TOP_LATITUDE = (-90.0, -60.0, -40.0, -20.0, 0.0, 7.0, 20.0, 40.0, 60.0, 90.0)  # degrees north
TOP_M = (2500.0, 3500.0, 3500.0, 2500.0, 5000.0, 6000.0, 2500.0, 4000.0, 4000.0, 2500.0)  # m [A]
_DEPTH_M, _DEPTH_POWER = 700.0, 0.6  # m of a cloud of median optical depth; depth ~ tau^(3/5), adiabatic [A]


def fields(
    config: TruthConfig, seed: int, samples: SubSamples, time_s: np.ndarray, altitude_m: np.ndarray
) -> dict[str, Field]:
    """Give the share of each footprint under cloud and the optical depth of the cloudy part by layer.

    time_s      (sounding,)  any fixed epoch
    altitude_m  (sounding, level)  top to surface
    """
    fraction = np.zeros(len(altitude_m))
    depth = np.zeros((len(altitude_m), altitude_m.shape[1] - 1))
    if config.cloud == "climatology":
        place = (samples.latitude_deg, samples.longitude_deg, np.asarray(time_s)[:, np.newaxis])
        fraction = np.sum(samples.weight * cloudy(seed, *place), axis=1)
        latitude, longitude = _centre(samples)
        total = optical_depth(seed, latitude, longitude, time_s) * (fraction > 0.0)
        depth = total[:, np.newaxis] * _slab(altitude_m, top_m(seed, latitude, longitude, time_s), total)
    elif config.cloud != "none":
        raise ValueError(f"cloud must be none or climatology, got {config.cloud!r}")
    return {
        "cloud_fraction": (("sounding",), fraction),
        "cloud_optical_depth": (("sounding", "layer"), depth),
    }


def cloudy(seed: int, latitude: np.ndarray, longitude: np.ndarray, time_s: np.ndarray) -> np.ndarray:
    """Say where the sky is under opaque cloud: a random field above the threshold of the latitude's cover."""
    field = random_field(seed, "cloud", _PATTERN, latitude, longitude, time_s)
    return field > ndtri(1.0 - np.interp(latitude, COVER_LATITUDE, COVER))


def optical_depth(seed: int, latitude: np.ndarray, longitude: np.ndarray, time_s: np.ndarray) -> np.ndarray:
    """Draw the vertical extinction optical depth at 0.755 um, log-normal."""
    return _MEDIAN_OPTICAL_DEPTH * np.exp(
        random_field(seed, "cloud/optical depth", _WATER, latitude, longitude, time_s)
    )


def top_m(seed: int, latitude: np.ndarray, longitude: np.ndarray, time_s: np.ndarray) -> np.ndarray:
    """Draw the height of the top above sea level, m."""
    factor = np.exp(random_field(seed, "cloud/top", _HEIGHTS, latitude, longitude, time_s))
    return np.interp(latitude, TOP_LATITUDE, TOP_M) * factor


def _centre(samples: SubSamples) -> tuple[np.ndarray, np.ndarray]:
    """Average the places, unwrapped at the date line."""
    first = samples.longitude_deg[:, :1]
    east = (samples.longitude_deg - first + 180.0) % 360.0 - 180.0
    latitude = np.sum(samples.weight * samples.latitude_deg, axis=1)
    return latitude, first[:, 0] + np.sum(samples.weight * east, axis=1)


def _slab(altitude_m: np.ndarray, top: np.ndarray, total: np.ndarray) -> np.ndarray:
    """Share a cloud of even extinction among the layers, (sounding, layer), sum 1, above the ground."""
    thickness = _DEPTH_M * (np.maximum(total, 1.0) / _MEDIAN_OPTICAL_DEPTH) ** _DEPTH_POWER
    base = np.maximum(top - thickness, altitude_m[:, -1])
    inside = np.clip(altitude_m, base[:, np.newaxis], (base + thickness)[:, np.newaxis])
    return -np.diff(inside, axis=1) / thickness[:, np.newaxis]
