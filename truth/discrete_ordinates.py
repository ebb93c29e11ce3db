"""Run sasktran2 for light scattered more than once or scattered and reflected by the ground."""

import numpy as np
import sasktran2 as sk

from truth.constants import EARTH_MEAN_RADIUS
from truth.optics import Medium
from truth.scattering import Geometry

OBSERVER_ALTITUDE_M = 650_000.0  # m, above the atmosphere
BATCH = 64  # points


def diffuse_solved(
    medium: Medium, geometry: Geometry, albedo: float | np.ndarray, streams: int
) -> np.ndarray:
    """Give the radiance per solar irradiance beyond direct and once scattered light, (point,) sr-1."""
    config = _config(streams)
    config.single_scatter_source = sk.SingleScatterSource.NoSource
    return _run(config, medium, geometry, albedo)


def sasktran2_radiance(
    medium: Medium, geometry: Geometry, albedo: float | np.ndarray, streams: int
) -> np.ndarray:
    """Give the scalar radiance per solar irradiance over a Lambertian ground, (point,) sr-1.

    albedo   1 or (point,)
    streams  full-space discrete ordinates; 0 stops after single scattering, with the truncated moments
    """
    return _run(_config(streams), medium, geometry, albedo)


def _config(streams: int) -> sk.Config:
    config = sk.Config()
    config.num_threads = 1
    config.wavelength_batch_size = BATCH
    config.num_streams = max(streams, 2)
    if streams:
        config.multiple_scatter_source = sk.MultipleScatterSource.DiscreteOrdinates
    return config


def _run(config: sk.Config, medium: Medium, geometry: Geometry, albedo: float | np.ndarray) -> np.ndarray:
    held = 3 if medium.particles is None else len(medium.particles.moments)
    config.num_singlescatter_moments = max(config.num_streams, held)
    grid = sk.Geometry1D(
        np.cos(np.radians(geometry.sza_deg)),
        0.0,
        EARTH_MEAN_RADIUS,
        geometry.altitude_m[::-1] - geometry.altitude_m[-1],
        sk.InterpolationMethod.LowerInterpolation,  # each layer homogeneous, as in truth.scattering
        sk.GeometryType.Spherical,
    )
    viewing = sk.ViewingGeometry()
    forward_azimuth = np.pi - np.radians(geometry.raa_deg)  # sasktran2: 0 looks into the Sun's glint
    cos_view = np.cos(np.radians(geometry.vza_deg))
    viewing.add_ray(
        sk.GroundViewingSolar(
            np.cos(np.radians(geometry.sza_deg)), forward_azimuth, cos_view, OBSERVER_ALTITUDE_M
        )
    )
    engine = sk.Engine(config, grid, viewing)
    atmosphere = _atmosphere(grid, config, medium, geometry)
    atmosphere.surface.albedo[:] = albedo
    return engine.calculate_radiance(atmosphere)["radiance"].to_numpy().reshape(-1)


def _atmosphere(grid, config, medium: Medium, geometry: Geometry) -> sk.Atmosphere:
    count = medium.rayleigh.shape[1]
    atmosphere = sk.Atmosphere(grid, config, numwavel=count, calculate_derivatives=False)
    thickness_m = -np.diff(geometry.altitude_m)[::-1, None]
    total, scattering = (part[::-1].astype(float) for part in (medium.extinction, medium.scattering))
    atmosphere.storage.total_extinction[:-1] = total / thickness_m
    atmosphere.storage.ssa[:-1] = scattering / total
    atmosphere.storage.leg_coeff[0] = 1.0
    if medium.particles is None:
        atmosphere.storage.leg_coeff[2] = medium.second
        return atmosphere
    moments = np.repeat(medium.particles.moments[:, ::-1, None].astype(float), count, axis=2)
    moments[0] += medium.rayleigh[::-1]
    moments[2] += medium.rayleigh[::-1] * medium.second
    atmosphere.storage.leg_coeff[: len(moments), :-1] = moments / scattering
    return atmosphere
