"""Integrate the directly reflected and the once scattered sunlight along a spherical line of sight."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from truth.paths import slant_factors, sun_paths

BLOCK = 2048  # points worked on at a time, so that the arrays stay in the cache
SMALL_DEPTH = 0.03  # below it the layer mean of exp(-x) is a series, its error is x^4 / 120


@dataclass(frozen=True)
class Geometry:
    """Angles at the footprint and the ray paths that follow, levels top to surface."""

    sza_deg: float
    vza_deg: float
    raa_deg: float  # 180 at the specular point
    altitude_m: np.ndarray  # (level,)
    view: np.ndarray  # (layer,) path over thickness
    sun: np.ndarray  # (level, layer) path over thickness

    @classmethod
    def at(cls, sza_deg: float, vza_deg: float, raa_deg: float, altitude_m: np.ndarray) -> "Geometry":
        if not 0.0 <= sza_deg < 88.0 or not 0.0 <= vza_deg < 80.0:
            raise ValueError(
                f"expected sza_deg in 0..88 and vza_deg in 0..80, got {sza_deg:.2f} and {vza_deg:.2f}: "
                "check the acquisition time"
            )
        view = slant_factors(vza_deg, altitude_m)
        sun = sun_paths(sza_deg, vza_deg, raa_deg, altitude_m)
        return cls(sza_deg, vza_deg, raa_deg, np.asarray(altitude_m, float), view, sun)

    @property
    def view_to_level(self) -> np.ndarray:
        """Give path over thickness of each layer between the sensor and each level, (level, layer)."""
        above = np.tri(len(self.view) + 1, len(self.view), -1)
        return above * self.view

    @property
    def cos_scattering(self) -> float:
        sza, vza, raa = np.radians((self.sza_deg, self.vza_deg, self.raa_deg))
        return float(-(np.cos(sza) * np.cos(vza) + np.sin(sza) * np.sin(vza) * np.cos(raa)))


def blocks(count: int) -> Iterator[slice]:
    """Cut a range of points into blocks."""
    return (slice(first, min(first + BLOCK, count)) for first in range(0, count, BLOCK))


def two_way_depth(extinction: np.ndarray, geometry: Geometry) -> np.ndarray:
    """Give the optical depth Sun to level to sensor, (level, point), from vertical (layer, point)."""
    ways = geometry.sun + geometry.view_to_level
    return ways.astype(extinction.dtype) @ extinction


def once_scattered(depth: np.ndarray, to_sensor: np.ndarray, geometry: Geometry) -> np.ndarray:
    """Give the radiance per solar irradiance, (point,) sr-1.

    depth      (level, point)  two-way optical depth
    to_sensor  (layer, point)  vertical scattering optical depth times phase function, mean 1 over the sphere
    """
    slant = geometry.view.astype(to_sensor.dtype)[:, None] * to_sensor
    return np.sum(slant * _layer_mean(depth), axis=0) / (4.0 * np.pi)


def _layer_mean(depth: np.ndarray) -> np.ndarray:
    """Average exp(-depth) over each layer, depth being linear within it."""
    transmittance = np.exp(-depth)
    step = np.diff(depth, axis=0)
    upper = transmittance[:-1]
    series = upper * (1.0 - step * (0.5 - step * (1.0 / 6.0 - step / 24.0)))
    exact = (upper - transmittance[1:]) / np.maximum(step, SMALL_DEPTH)
    return np.where(step < SMALL_DEPTH, series, exact)
