"""Turn a scene's surface variables into the reflectance that light of one band meets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from truth import brdf
from truth.scattering import Geometry
from truth.surface import cox_munk_reflectance


@dataclass(frozen=True)
class Ground:
    """Land and sea side by side under the same air, each by its share of the footprint."""

    lambertian: float  # foam, and land that reflects alike to all sides
    kernels: np.ndarray  # (3,) Ross-Thick Li-Sparse weights of other land
    water: float  # share of the sea
    wind_m_s: float = 0.0
    wind_azimuth_deg: float = np.nan  # from the Sun's, towards the sensor's side; nan: alike all around

    @classmethod
    def of(cls, sounding: xr.Dataset, band: int, config: Any) -> Ground:
        """Read one sounding; without config.brdf land reflects by its albedo."""
        kernels = np.asarray(sounding["brdf_kernel"].values[band], float)
        lambertian = float(sounding["whitecap_albedo"].values[band])
        if not config.brdf or not kernels[1:].any():
            lambertian, kernels = float(sounding["albedo"].values[band]), np.zeros(3)
        water = 1.0 - float(sounding["land_fraction"])
        return cls(lambertian, kernels, water, float(sounding["wind_speed"]), _wind_azimuth_deg(sounding))

    def reflectance(self, sza_deg: Any, vza_deg: Any, raa_deg: Any) -> np.ndarray:
        """Give pi L / (mu0 F0)."""
        result = np.asarray(self.lambertian, float)
        if self.kernels.any():
            result = result + brdf.reflectance(self.kernels, sza_deg, vza_deg, raa_deg)
        if self.water > 0.0:
            glint = cox_munk_reflectance(sza_deg, vza_deg, raa_deg, self.wind_m_s, self.wind_azimuth_deg)
            result = result + self.water * glint
        return result

    def direct(self, geometry: Geometry) -> float:
        return float(self.reflectance(geometry.sza_deg, geometry.vza_deg, geometry.raa_deg))

    @property
    def diffuse_albedo(self) -> float:
        """Give the albedo that scattered light meets."""
        return float(self.lambertian + brdf.white_sky_albedo(self.kernels))


def _wind_azimuth_deg(sounding: xr.Dataset) -> float:
    """Count the wind's azimuth from the Sun's, positive towards the sensor, as the folded raa is."""
    solar, sensor = (float(sounding[f"{body}_azimuth_angle"]) for body in ("solar", "sensor"))
    side = 1.0 if (sensor - solar) % 360.0 < 180.0 else -1.0
    return side * (float(sounding.get("wind_direction", np.nan)) - solar)
