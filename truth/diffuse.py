"""Run sasktran2 for the light scattered more than once or scattered and reflected by the ground."""

from dataclasses import dataclass

import numpy as np
import sasktran2 as sk

from truth.constants import EARTH_MEAN_RADIUS
from truth.scattering import Geometry, blocks

OBSERVER_ALTITUDE_M = 650_000.0  # m, above the atmosphere
DIFFUSIVITY = 1.3  # 1, slope of diffuse light in the predictors; multiples of it are used as well
EXCHANGE_SLOPES = 4  # each three times the one before, the last for nearly horizontal light
CANDIDATE_STEP = 4  # every fourth point may become a fitted one


@dataclass(frozen=True)
class Depth:
    """How finely the diffuse light of a band is computed; errors in tests/unit/truth/test_radiance.py."""

    streams: int
    points: int  # with sasktran2; the regression gives the others
    solved_layers: int  # neighbours merged into one, for sasktran2
    predictor_layers: int = 4  # and for the predictors


def diffuse(
    absorption: np.ndarray,
    scattering: np.ndarray,
    geometry: Geometry,
    legendre_second: np.ndarray,
    albedo: float,
    depth: Depth,
) -> np.ndarray:
    """Give the radiance per solar irradiance beyond direct and once scattered light, (point,) sr-1.

    Computed at a few points that span the predictors, by least squares on the predictors elsewhere;
    arguments as in sasktran2_radiance.
    """
    known = _known(absorption, scattering, geometry, albedo, depth.predictor_layers)
    chosen = _spread_points(known, depth.points)
    merged, add = merge(depth.solved_layers, geometry)
    optics = (add @ absorption[:, chosen], add @ scattering[:, chosen])
    solved = diffuse_solved(*optics, merged, legendre_second[chosen], albedo, depth.streams)
    coefficients, *_ = np.linalg.lstsq(known[:, chosen].T.astype(float), solved, rcond=1e-7)
    return coefficients.astype(known.dtype) @ known


def _known(
    absorption: np.ndarray, scattering: np.ndarray, geometry: Geometry, albedo: float, count: int
) -> np.ndarray:
    """Give the predictors on merged layers, each with maximum 1."""
    merged, add = merge(count, geometry)
    parts = [
        predictors(add @ absorption[:, block], add @ scattering[:, block], merged, albedo)
        for block in blocks(absorption.shape[1])
    ]
    known = np.concatenate(parts, axis=1)
    return known / known.max(axis=1, keepdims=True)


def diffuse_solved(
    absorption: np.ndarray,
    scattering: np.ndarray,
    geometry: Geometry,
    legendre_second: np.ndarray,
    albedo: float,
    streams: int,
) -> np.ndarray:
    """Give the same from sasktran2 at every point, with the once scattered light of sasktran2 taken off."""
    parts = (absorption, scattering, geometry, legendre_second, albedo)
    return sasktran2_radiance(*parts, streams) - sasktran2_radiance(*parts, 0)


def merge(count: int, geometry: Geometry) -> tuple[Geometry, np.ndarray]:
    """Give the geometry with each `count` layers merged, and the matrix (merged, layer) that adds them up."""
    first = np.arange(0, len(geometry.view), count)
    altitude_m = geometry.altitude_m[np.append(first, len(geometry.view))]
    merged = Geometry.at(geometry.sza_deg, geometry.vza_deg, geometry.raa_deg, altitude_m)
    member = np.arange(len(geometry.view)) // count == np.arange(len(first))[:, None]
    return merged, member.astype(np.float32)


def predictors(
    absorption: np.ndarray, scattering: np.ndarray, geometry: Geometry, albedo: float
) -> np.ndarray:
    """Give rough forms of the diffuse light, (predictor, point)."""
    extinction = absorption + scattering
    sun = geometry.sun.astype(extinction.dtype) @ extinction
    view = geometry.view_to_level.astype(extinction.dtype) @ extinction
    sunlit, seen = np.exp(-_middle(sun)), np.exp(-_middle(view))
    terms = _atmosphere_terms(scattering, extinction, sunlit, seen)
    if albedo > 0.0:
        ground = np.exp(-sun[-1]), np.exp(-view[-1])
        below = np.triu(np.ones((len(extinction),) * 2, extinction.dtype)) @ extinction - extinction / 2.0
        terms += _ground_terms(scattering, sunlit, seen, ground, np.exp(-DIFFUSIVITY * below))
    return np.stack(terms)


def _atmosphere_terms(
    scattering: np.ndarray, extinction: np.ndarray, sunlit: np.ndarray, seen: np.ndarray
) -> list[np.ndarray]:
    """Scattered once, and scattered twice with the way between at four slopes."""
    source, sight = scattering * sunlit, scattering * seen
    terms = [np.sum(source * seen, axis=0)]
    half_way = np.exp(-DIFFUSIVITY / 2.0 * extinction)
    for _ in range(EXCHANGE_SLOPES):
        terms.append(np.sum(sight * _exchange(source, half_way), axis=0))
        half_way = half_way**3
    return terms


def _exchange(source: np.ndarray, half_way: np.ndarray) -> np.ndarray:
    """Carry the light of each layer to the middle of all layers, half_way being exp(-slope depth / 2)."""
    received = source * half_way
    for order in (range(len(source)), range(len(source) - 1, -1, -1)):
        passing = np.zeros_like(source[0])
        for layer in order:
            received[layer] += passing * half_way[layer]
            passing = (passing * half_way[layer] + source[layer]) * half_way[layer]
    return received


def _ground_terms(
    scattering: np.ndarray,
    sunlit: np.ndarray,
    seen: np.ndarray,
    ground: tuple[np.ndarray, np.ndarray],
    diffuse_down: np.ndarray,
) -> list[np.ndarray]:
    """Sky then ground, ground then sky, ground then sky then ground, at two slopes; and the direct beam."""
    ground_sunlit, ground_seen = ground
    direct = ground_sunlit * ground_seen
    terms = [direct]
    for way in (diffuse_down, diffuse_down**2):
        terms.append(ground_seen * np.sum(scattering * sunlit * way, axis=0))
        terms.append(ground_sunlit * np.sum(scattering * seen * way, axis=0))
        terms.append(direct * np.sum(scattering * way**2, axis=0))
    return terms


def _spread_points(known: np.ndarray, count: int) -> np.ndarray:
    """Choose points far from each other in the space of the predictors, the brightest first."""
    space = known[:, ::CANDIDATE_STEP]
    chosen = [int(space.sum(axis=0).argmax())]
    distance = np.full(space.shape[1], np.inf, space.dtype)
    while len(chosen) < count:
        latest = space[:, chosen[-1], None]
        np.minimum(distance, np.sum((space - latest) ** 2, axis=0), out=distance)
        chosen.append(int(distance.argmax()))
    return CANDIDATE_STEP * np.array(chosen)


def _middle(level: np.ndarray) -> np.ndarray:
    return (level[1:] + level[:-1]) / 2.0


def sasktran2_radiance(
    absorption: np.ndarray,
    scattering: np.ndarray,
    geometry: Geometry,
    legendre_second: np.ndarray,
    albedo: float,
    streams: int,
) -> np.ndarray:
    """Give the scalar radiance per solar irradiance over a Lambertian ground, (point,) sr-1.

    absorption, scattering  (layer, point)  vertical optical depths, top to surface
    legendre_second         (point,)        of the phase function
    streams                 full-space discrete ordinates; 0 stops after single scattering
    """
    config = sk.Config()
    config.num_threads = 1
    config.wavelength_batch_size = 64
    config.num_streams = max(streams, 2)
    config.num_singlescatter_moments = max(streams, 4)
    if streams:
        config.multiple_scatter_source = sk.MultipleScatterSource.DiscreteOrdinates
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
    atmosphere = _atmosphere(grid, config, absorption, scattering, geometry, legendre_second)
    atmosphere.surface.albedo[:] = albedo
    return engine.calculate_radiance(atmosphere)["radiance"].to_numpy().reshape(-1)


def _atmosphere(grid, config, absorption, scattering, geometry, legendre_second) -> sk.Atmosphere:
    atmosphere = sk.Atmosphere(grid, config, numwavel=absorption.shape[1], calculate_derivatives=False)
    thickness_m = -np.diff(geometry.altitude_m)[::-1, None]
    total = (absorption + scattering)[::-1].astype(float)
    atmosphere.storage.total_extinction[:-1] = total / thickness_m
    atmosphere.storage.ssa[:-1] = scattering[::-1] / total
    atmosphere.storage.leg_coeff[0] = 1.0
    atmosphere.storage.leg_coeff[2] = legendre_second
    return atmosphere
