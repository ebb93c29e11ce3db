"""Turn a scene's surface variables into the reflectance that light of one band meets."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from truth import brdf
from truth.scattering import Geometry
from truth.surface import cox_munk_reflectance, whitecap_coverage

Direction = tuple[ArrayLike, ArrayLike]  # zenith angle and azimuth clockwise from the Sun's, deg


@dataclass(frozen=True)
class Ground:
    """Land and sea side by side under the same air, each by its share of the footprint."""

    lambertian: float  # foam, and land that reflects alike to all sides
    kernels: np.ndarray = field(default_factory=lambda: np.zeros(3))  # Ross-Thick Li-Sparse, of other land
    water: float = 0.0  # share of the sea that is free of foam
    wind_m_s: float = 0.0
    wind_azimuth_deg: float = np.nan  # of where it blows from, clockwise from the Sun's; nan: all alike
    clockwise: bool = True  # the sensor stands clockwise of the Sun
    sea_skylight: bool = False  # clean air: scattered light meets the sea, too, not only its foam

    @classmethod
    def of(cls, sounding: xr.Dataset, band: int, config: Any) -> Ground:
        """Read one sounding; without config.brdf land reflects by its albedo."""
        kernels = np.asarray(sounding["brdf_kernel"].values[band], float)
        lambertian = float(sounding["whitecap_albedo"].values[band])
        if not config.brdf or not kernels[1:].any():
            lambertian, kernels = float(sounding["albedo"].values[band]), np.zeros(3)
        sun_deg, wind_m_s = float(sounding["solar_azimuth_angle"]), float(sounding["wind_speed"])
        foam = float(whitecap_coverage(wind_m_s)) if config.whitecaps else 0.0
        return cls(
            lambertian,
            kernels,
            (1.0 - float(sounding["land_fraction"])) * (1.0 - foam),
            wind_m_s,
            float(sounding["wind_direction"]) - sun_deg,
            (float(sounding["sensor_azimuth_angle"]) - sun_deg) % 360.0 < 180.0,
            config.sea_skylight,
        )

    def reflectance(self, sun: Direction, sensor: Direction) -> np.ndarray:
        """Give pi L / (mu0 F0) of light from one direction seen from another."""
        (sza_deg, from_deg), (vza_deg, to_deg) = sun, sensor
        raa_deg = np.asarray(to_deg, float) - from_deg
        result = np.asarray(self.lambertian, float)
        if self.kernels.any():
            result = result + brdf.reflectance(self.kernels, sza_deg, vza_deg, raa_deg)
        if self.water > 0.0:
            wind_deg = self.wind_azimuth_deg - np.asarray(from_deg, float)
            sea = cox_munk_reflectance(sza_deg, vza_deg, raa_deg, self.wind_m_s, wind_deg)
            result = result + self.water * sea
        return result

    def sensor(self, geometry: Geometry) -> Direction:
        return geometry.vza_deg, geometry.raa_deg if self.clockwise else -geometry.raa_deg

    def direct(self, geometry: Geometry) -> float:
        return float(self.reflectance((geometry.sza_deg, 0.0), self.sensor(geometry)))

    @property
    def is_lambertian(self) -> bool:
        return self.water == 0.0 and not self.kernels.any()

    @property
    def is_black(self) -> bool:
        return self.is_lambertian and self.lambertian == 0.0

    def of_scattered_light(self, particles: bool) -> Ground:
        """Give the ground that light meets other than the direct beam on its way to the sensor.

        Particles throw so much light into the glint's surroundings that there the sea always counts.
        """
        return self if self.sea_skylight or particles else replace(self, water=0.0)
