"""Turn optical depths into rough forms of the diffuse light, the predictors of its regression."""

import numpy as np

from truth.merging import merge
from truth.optics import Medium
from truth.scattering import Geometry, blocks
from truth.two_stream import two_stream_light

DIFFUSIVITY = 1.3  # 1, slope of diffuse light in the predictors; multiples of it are used as well
EXCHANGE_SLOPES = 4  # each three times the one before, the last for nearly horizontal light
TWO_STREAM_SLOPES = (1.5, 3.0)
VANISHING = 1e-30  # 1, largest value of a predictor that single precision no longer resolves


def known(medium: Medium, geometry: Geometry, albedo: float, count: int) -> np.ndarray:
    """Give the predictors on layers merged into `count`, (predictor, point), each with maximum 1.

    Those that vanish are left out, such as the Sun on the ground under a thick cloud.
    """
    merged, add = merge(medium, geometry, count)
    points = medium.rayleigh.shape[1]
    parts = [predictors(medium.at(block).merged(add), merged, albedo) for block in blocks(points)]
    values = np.concatenate(parts, axis=1)
    largest = values.max(axis=1, keepdims=True)
    lit = largest[:, 0] > VANISHING
    return values[lit] / largest[lit]


def predictors(medium: Medium, geometry: Geometry, albedo: float) -> np.ndarray:
    """Give rough forms of the diffuse light, (predictor, point)."""
    scattering, extinction = medium.scattering, medium.extinction
    sun = geometry.sun.astype(extinction.dtype) @ extinction
    view = geometry.view_to_level.astype(extinction.dtype) @ extinction
    sunlit, seen = np.exp(-_middle(sun)), np.exp(-_middle(view))
    ground = np.exp(-sun[-1]), np.exp(-view[-1])
    terms = _atmosphere_terms(scattering, extinction, sunlit, seen)
    if albedo > 0.0:
        below = np.triu(np.ones((len(extinction),) * 2, extinction.dtype)) @ extinction - extinction / 2.0
        terms += _ground_terms(scattering, sunlit, seen, ground, np.exp(-DIFFUSIVITY * below))
    if medium.particles is not None:
        terms += _particle_terms(medium, geometry, (sunlit, seen), ground, albedo)
    return np.stack(terms)


def _particle_terms(
    medium: Medium,
    geometry: Geometry,
    sky: tuple[np.ndarray, np.ndarray],
    ground: tuple[np.ndarray, np.ndarray],
    albedo: float,
) -> list[np.ndarray]:
    """Once scattered by particles, and a two-stream solution at two slopes.

    In the latter the part g of the particles' scattering counts as unscattered, the rest as isotropic.
    """
    assert medium.particles is not None
    scattering, forward = medium.particles.scattering, medium.particles.moments[1] / 3.0
    sunlit, seen = sky
    extinction = medium.extinction - forward[:, None]
    sun = np.cos(np.radians(geometry.sza_deg)) * ground[0]
    terms = [np.sum(scattering[:, None] * sunlit * seen, axis=0)]
    for slope in TWO_STREAM_SLOPES:
        light = two_stream_light(
            extinction, medium.rayleigh, scattering - forward, seen, sunlit, sun, albedo, slope
        )
        terms += list(light[:4])
        if albedo > 0.0:
            terms += [ground[1] * light[4], *light[5:8], ground[1] * light[8]]
    return [term.astype(np.float32) for term in terms]


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


def _middle(level: np.ndarray) -> np.ndarray:
    return (level[1:] + level[:-1]) / 2.0
