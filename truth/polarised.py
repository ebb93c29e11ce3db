"""Turn the contents of the air and the sea's slope into the Stokes parameters I, Q, U at the sensor.

Q and U refer to the plane through the footprint's zenith and the line of sight; see docs/conventions.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import sasktran2 as sk
import xarray as xr
from numpy.typing import ArrayLike

from truth import particles, radiance
from truth.constants import EARTH_MEAN_RADIUS
from truth.coupling import effective_albedo
from truth.diffuse import Depth, spread_points
from truth.discrete_ordinates import OBSERVER_ALTITUDE_M
from truth.ground import Ground
from truth.merging import merge
from truth.optics import Medium, mixed_particles
from truth.particles import ParticleOptics
from truth.predictors import known
from truth.scattering import Geometry, blocks, once_scattered, two_way_depth
from truth.spectroscopy.tables import BandTable
from truth.surface import WATER_INDEX

CLEAR = Depth(streams=8, points=16, solved_layers=12)
WITH_PARTICLES = Depth(streams=8, points=20, solved_layers=12)
_AZIMUTH_KNOWN_DEG = 0.01  # deg off the zenith: straight down the plane of Q and U would be lost
_FOUR = (0, 1, 2, 4)  # rows a1 a2 a3 b1 of ParticleOptics.greek


@dataclass(frozen=True)
class Matrix:
    """What the particles of one band do to polarisation, beside truth.optics.Particles; delta-M as there."""

    to_sensor: np.ndarray  # (layer,) untruncated scattering times F12 at the scattering angle
    greek: np.ndarray  # (4, moment, layer) a1 a2 a3 b1 times scattering, without the forward peak


def with_stokes(
    scalar: xr.Dataset,
    scene: xr.Dataset,
    tables: Mapping[str, BandTable],
    cia: Mapping[str, np.ndarray],
    config: Any,
) -> xr.Dataset:
    """Add stokes_q_B1.. and stokes_u_B1.. (sounding, point), and to radiance_B1.. what polarisation adds."""
    result = scalar.copy(deep=True)
    for name in radiance.BAND_ORDER:
        shape = result[f"radiance_{name}"]
        for letter in "qu":
            attributes = {
                "units": shape.attrs["units"],
                "long_name": f"Stokes {letter.upper()} at the sensor",
            }
            result[f"stokes_{letter}_{name}"] = (shape.dims, np.zeros(shape.shape, np.float32), attributes)
    for i in range(scene.sizes["sounding"]):
        one = scene.isel(sounding=i)
        if float(one["solar_zenith_angle"]) < radiance.DAYLIGHT_SZA_DEG:
            sounding = radiance.Sounding.of(one, config)
            for name in radiance.BAND_ORDER:
                light = daylight(sounding, tables[name], cia)
                for kind, values in zip(("radiance", "stokes_q", "stokes_u"), light, strict=True):
                    result[f"{kind}_{name}"].values[i] += values
    return result


def daylight(sounding: radiance.Sounding, table: BandTable, cia: Mapping[str, np.ndarray]) -> np.ndarray:
    """Give what polarisation adds to I, and Q and U, of the sunlight, (3, point) ph s-1 m-2 sr-1 um-1."""
    band, geometry = table.band.name, sounding.geometry
    ground = Ground.of(sounding.scene, radiance.BAND_ORDER.index(band), sounding.config)
    total = np.zeros((3, len(table.wavenumber_cm1)), np.float32)
    parts = zip(
        radiance.skies(sounding, table, cia, ground), radiance.clear_and_cloudy(sounding.scene), strict=True
    )
    for (share, medium, scalar), (_, depth) in parts:
        matrix, fineness = None, CLEAR
        if medium.particles is not None:
            fineness = WITH_PARTICLES
            streams = fineness.streams if scalar else 0
            mix = depth, partial(particles.optics, band=band), geometry.cos_scattering, streams
            medium, matrix = replace(medium, particles=mixed_particles(*mix)), mixed_matrix(*mix)
        azimuths = (float(sounding.scene[f"{body}_azimuth_angle"]) for body in ("solar", "sensor"))
        light = stokes(medium, matrix, geometry, ground, azimuths, fineness if scalar else None)
        total += np.float32(share) * light
    return total * radiance.irradiance(sounding.scene, table.wavenumber_cm1).astype(np.float32)


def stokes(
    medium: Medium,
    matrix: Matrix | None,
    geometry: Geometry,
    ground: Ground,
    azimuths_deg: Iterable[float],
    fineness: Depth | None,
) -> np.ndarray:
    """Give what polarisation adds to I, and Q and U, per solar irradiance, (3, point) sr-1.

    azimuths_deg  of Sun and sensor; fineness None leaves diffuse light out
    """
    saa_deg, vaa_deg = azimuths_deg
    in_plane_of_sun = first_order(medium, matrix, geometry, ground)
    cos_2psi, sin_2psi = turn(geometry.sza_deg, geometry.vza_deg, saa_deg, vaa_deg).astype(np.float32)
    result = np.stack((0.0 * in_plane_of_sun, cos_2psi * in_plane_of_sun, sin_2psi * in_plane_of_sun))
    if fineness is not None:
        side = np.sign(np.sin(np.radians(saa_deg - vaa_deg)))
        diffuse = diffuse_stokes(medium, matrix, geometry, ground, fineness)
        result += diffuse * np.array((1.0, 1.0, side), np.float32)[:, np.newaxis]
    return result


def mixed_matrix(
    depth: Mapping[str, np.ndarray],
    optics: Callable[[str], ParticleOptics],
    cos_scattering: float,
    streams: int,
) -> Matrix | None:
    """Mix the species' optical depths at 0.755 um, (layer,) each; None where there are none."""
    parts = []
    order = np.arange(streams)
    for species, layers in depth.items():
        of = optics(species)
        scattering = np.asarray(layers, float) * of.extinction_ratio * of.single_scattering_albedo
        missing = max(0, streams + 1 - of.greek.shape[1])
        greek = np.pad(of.greek[list(_FOUR)], ((0, 0), (0, missing)))
        peak = (2 * order + 1) * greek[0, streams] / (2 * streams + 1)
        forward = np.stack((peak, np.where(order < 2, 0.0, peak), np.where(order < 2, 0.0, peak), 0.0 * peak))
        greek = (greek[:, :streams] - forward)[..., np.newaxis] * scattering
        parts.append((scattering * of.polarised(cos_scattering), greek))
    if not parts:
        return None
    return Matrix(*(sum(part) for part in zip(*parts, strict=True)))


def turn(sza_deg: ArrayLike, vza_deg: ArrayLike, saa_deg: ArrayLike, vaa_deg: ArrayLike) -> np.ndarray:
    """Give (cos 2 psi, sin 2 psi) from the plane of zenith and view to that of Sun and view.

    psi grows anticlockwise as the sensor sees it.
    """
    sza, vza, saa, vaa = np.radians(np.broadcast_arrays(sza_deg, vza_deg, saa_deg, vaa_deg))
    to_sun, to_sensor = (
        np.stack((np.sin(z) * np.sin(a), np.sin(z) * np.cos(a), np.cos(z)))
        for z, a in ((sza, saa), (vza, vaa))
    )
    upright = np.stack((-np.cos(vza) * np.sin(vaa), -np.cos(vza) * np.cos(vaa), np.sin(vza)))
    left = np.cross(to_sensor, upright, axis=0)  # upright turned anticlockwise by 90 degrees
    c, s = np.sum(to_sun * upright, axis=0), np.sum(to_sun * left, axis=0)
    norm = np.maximum(c**2 + s**2, 1e-30)  # the plane is none where the Sun is behind: no polarisation there
    return np.stack((c**2 - s**2, 2.0 * c * s)) / norm


def fresnel_polarisation(cos_scattering: ArrayLike, refractive_index: float = WATER_INDEX) -> np.ndarray:
    """Give Q/I of unpolarised light from a facet, by the scattering angle; -1 at Brewster's."""
    cos_i = np.sqrt((1.0 - np.asarray(cos_scattering, dtype=float)) / 2.0)
    sine, slowed = np.sqrt(1.0 - cos_i**2), np.sqrt(refractive_index**2 - 1.0 + cos_i**2)
    ratio = (cos_i * slowed - sine**2) / (cos_i * slowed + sine**2)  # r_p / r_s
    return (ratio**2 - 1.0) / (ratio**2 + 1.0)


def first_order(medium: Medium, matrix: Matrix | None, geometry: Geometry, ground: Ground) -> np.ndarray:
    """Give Q in the plane of Sun and view of glint and once scattered light, (point,) sr-1; land has none."""
    cos_scattering = geometry.cos_scattering
    glint = replace(ground, lambertian=0.0, kernels=np.zeros(3)).direct(geometry)
    glint *= float(fresnel_polarisation(cos_scattering))
    direct = np.float32(glint * np.cos(np.radians(geometry.sza_deg)) / np.pi)
    result = np.empty(len(medium.second), np.float32)
    for block in blocks(len(result)):
        part = medium.at(block)
        depth = two_way_depth(part.extinction, geometry)
        to_sensor = part.rayleigh * rayleigh_f12(cos_scattering, part.second).astype(np.float32)
        if matrix is not None:
            to_sensor += matrix.to_sensor[:, np.newaxis].astype(np.float32)
        result[block] = direct * np.exp(-depth[-1]) + once_scattered(depth, to_sensor, geometry)
    return result


def rayleigh_f12(cos_scattering: float, second: np.ndarray) -> np.ndarray:
    """Give F12 of air beside its phase function 1 + second P2."""
    return -1.5 * second * (1.0 - cos_scattering**2)


def diffuse_stokes(
    medium: Medium, matrix: Matrix | None, geometry: Geometry, ground: Ground, depth: Depth
) -> np.ndarray:
    """Give what polarisation adds to I, and Q and U, of the diffuse light, (3, point) sr-1.

    Solved at a few points and spread by the regression of truth.diffuse. U is that of a Sun whose azimuth is
    0 to 180 degrees clockwise of the sensor's.
    """
    typical = float(effective_albedo(medium.at(slice(1)), geometry, ground)[0])
    forms = known(medium, geometry, typical, depth.predictor_layers)
    chosen = spread_points(forms, depth.points)
    merged, add = merge(medium, geometry, depth.solved_layers)
    greek = None if matrix is None else matrix.greek @ add.T
    few = medium.at(chosen).merged(add)
    albedo = effective_albedo(few, merged, ground)
    vector = solve(few, greek, merged, albedo, depth.streams, stokes=3)
    vector[0] -= solve(few, greek, merged, albedo, depth.streams, stokes=1)[0]
    coefficients, *_ = np.linalg.lstsq(forms[:, chosen].T.astype(float), vector.T, rcond=1e-7)
    return coefficients.T.astype(forms.dtype) @ forms


def solve(
    medium: Medium,
    greek: np.ndarray | None,
    geometry: Geometry,
    albedo: ArrayLike,
    streams: int,
    stokes: int = 3,
    once: bool = False,
) -> np.ndarray:
    """Run sasktran2 for I, Q, U beyond first order, or with it if once, (stokes, point) sr-1."""
    config = sk.Config()
    config.num_threads, config.num_stokes, config.num_streams = 1, stokes, streams
    config.num_singlescatter_moments = streams
    config.multiple_scatter_source = sk.MultipleScatterSource.DiscreteOrdinates
    if not once:
        config.single_scatter_source = sk.SingleScatterSource.NoSource
    cos_sza = np.cos(np.radians(geometry.sza_deg))
    grid = sk.Geometry1D(
        cos_sza,
        0.0,
        EARTH_MEAN_RADIUS,
        geometry.altitude_m[::-1] - geometry.altitude_m[-1],
        sk.InterpolationMethod.LowerInterpolation,
        sk.GeometryType.Spherical,
    )
    viewing = sk.ViewingGeometry()
    azimuth = np.pi - np.radians(geometry.raa_deg)
    cos_view = np.cos(np.radians(max(geometry.vza_deg, _AZIMUTH_KNOWN_DEG)))
    viewing.add_ray(sk.GroundViewingSolar(cos_sza, azimuth, cos_view, OBSERVER_ALTITUDE_M))
    atmosphere = sk.Atmosphere(grid, config, numwavel=medium.rayleigh.shape[1], calculate_derivatives=False)
    _fill(atmosphere, config, medium, greek, geometry)
    atmosphere.surface.albedo[:] = albedo
    radiance = sk.Engine(config, grid, viewing).calculate_radiance(atmosphere)["radiance"].to_numpy()
    return radiance.reshape(-1, stokes).T.copy()


def _fill(
    atmosphere: sk.Atmosphere, config: sk.Config, medium: Medium, greek: np.ndarray | None, geometry: Geometry
) -> None:
    """Set the layers, surface first; sasktran2's b1 has the other sign than Bohren and Huffman's F12."""
    thickness_m = -np.diff(geometry.altitude_m)[::-1, None]
    extinction, scattering, air = (
        part[::-1].astype(float) for part in (medium.extinction, medium.scattering, medium.rayleigh)
    )
    atmosphere.storage.total_extinction[:-1] = extinction / thickness_m
    atmosphere.storage.ssa[:-1] = scattering / extinction
    moments = np.zeros((4, config.num_streams, *scattering.shape))
    moments[0, 0] = air
    moments[0, 2], moments[1, 2], moments[3, 2] = (
        factor * medium.second * air for factor in (1.0, 6.0, -np.sqrt(6.0))
    )
    if greek is not None:
        moments[:, : greek.shape[1]] += greek[:, :, ::-1, np.newaxis]
    moments[3] *= -1.0
    kinds = ("a1", "a2", "a3", "b1") if config.num_stokes == 3 else ("a1",)
    for name, values in zip(kinds, moments / scattering, strict=False):
        getattr(atmosphere.leg_coeff, name)[: config.num_streams, :-1] = values
