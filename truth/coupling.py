"""Turn reflection that depends on direction into the albedo with the same once scattered skylight."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import ArrayLike

from truth import rayleigh
from truth.ground import Direction, Ground
from truth.optics import Medium
from truth.scattering import Geometry

NODES = 24, 48  # zenith angles and azimuths; doubling both: tests/unit/truth/test_coupling.py
OPAQUE = 300.0  # 1, slant depth beyond which no light is counted


def effective_albedo(medium: Medium, geometry: Geometry, ground: Ground) -> np.ndarray:
    """Give the Lambertian albedo that sends as much once scattered light to the sensor, (point,).

    Counted are Sun to air to ground to sensor, Sun to ground to air to sensor, and Sun to ground to air to
    ground to sensor, in plane layers.
    """
    points = len(medium.second)
    ground = ground.of_scattered_light(medium.particles is not None)
    if ground.is_lambertian:
        return np.full(points, ground.lambertian)
    zenith_deg, azimuth_deg, solid_angle = _hemisphere(*NODES)
    sky = zenith_deg, azimuth_deg
    sun, sensor = (geometry.sza_deg, 0.0), ground.sensor(geometry)
    mu_sun, mu_view = _cosine(sun[0]), _cosine(sensor[0])
    total = np.minimum(medium.extinction.sum(axis=0), OPAQUE * mu_sun * mu_view)
    down, up = np.exp(-total / mu_sun), np.exp(-total / mu_view)
    from_sun, to_sensor = ground.reflectance(sun, sky), ground.reflectance(sky, sensor)
    ways = (sun, to_sensor, up), (sensor, from_sun, down * mu_sun / mu_view)
    reflected, white = np.zeros(points), np.zeros(points)
    for beam, reflectance, transmittance in ways:
        light = _sky_light(medium, beam, sky, np.stack([solid_angle * reflectance, solid_angle]))
        reflected += transmittance * light[0]
        white += transmittance * light[1]
    flat = solid_angle.sum(axis=1)
    bounces = _thrown_back(
        medium,
        zenith_deg,
        np.stack([np.sum(solid_angle * from_sun, axis=1), flat]),
        np.stack([np.sum(solid_angle * to_sensor, axis=1), flat]),
    )
    lit, twice = white > 0.0, mu_sun / np.pi * down * up * bounces
    once, more, again = (
        np.divide(part, white, out=np.zeros(points), where=lit) for part in (reflected, *twice)
    )
    # albedo + albedo^2 again = once + more
    found = 2.0 * (once + more) / (1.0 + np.sqrt(1.0 + 4.0 * again * (once + more)))
    return np.where(lit, found, ground.lambertian)


def _thrown_back(
    medium: Medium, zenith_deg: np.ndarray, upward: np.ndarray, onward: np.ndarray
) -> np.ndarray:
    """Integrate light that goes up from the ground, is scattered once and met again, (weight, point).

    upward, onward  (weight, zenith) by which both ways are weighted; the azimuth is averaged over
    """
    mu, degree = _cosine(zenith_deg)[:, 0], 2
    depth = medium.extinction.astype(float)
    below = np.cumsum(depth[::-1], axis=0)[::-1] - depth / 2.0
    way = np.exp(-np.minimum(below / mu[:, None, None], OPAQUE))  # (zenith, layer, point)
    if medium.particles is not None:
        degree = max(degree, len(medium.particles.moments) - 1)
    moments = np.zeros((degree + 1, *depth.shape))
    moments[0], moments[2] = medium.rayleigh, medium.rayleigh * medium.second
    if medium.particles is not None:
        moments[: len(medium.particles.moments)] += medium.particles.moments[:, :, None]
    sign = (-1.0) ** np.arange(degree + 1)  # up and down
    ways = legendre.legvander(mu, degree)
    result = np.zeros((len(upward), depth.shape[1]))
    for n, (one, other) in enumerate(zip(upward, onward, strict=True)):
        for k in range(degree + 1):
            if moments[k].any():
                there, back = (np.tensordot(w * ways[:, k], way, 1) for w in (one, other))
                result[n] += sign[k] * np.sum(moments[k] * there * back, axis=0)
    return result


def _sky_light(medium: Medium, beam: Direction, sky: Direction, weights: np.ndarray) -> np.ndarray:
    """Integrate once scattered light on the ground by weights (weight, zenith, azimuth), (weight, point).

    By reciprocity the same for light from the ground that the air scatters along the beam's way.
    """
    cosine = _cosine_between(beam, sky)
    air = np.sum(weights * rayleigh.phase_function(cosine, medium.second.mean()), axis=-1)
    depth = medium.extinction.astype(float)
    below = np.cumsum(depth[::-1], axis=0)[::-1] - depth / 2.0
    above = np.cumsum(depth, axis=0) - depth / 2.0
    reaching = np.exp(-np.minimum(above / _cosine(beam[0]), OPAQUE))
    result = np.zeros((len(weights), depth.shape[1]))
    particles = np.zeros((len(weights), len(depth), cosine.shape[0]))
    if medium.particles is not None:
        phase = legendre.legval(cosine, medium.particles.moments)  # times scattering
        particles = np.einsum("wza,lza->wlz", weights, phase)
    for zenith, mu in enumerate(_cosine(sky[0])[:, 0]):
        way = reaching * np.exp(-np.minimum(below / mu, OPAQUE))
        result += np.outer(air[:, zenith], np.sum(way * medium.rayleigh, axis=0))
        result += particles[:, :, zenith] @ way
    return result


@cache
def _hemisphere(zenith_nodes: int, azimuth_nodes: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give zenith and azimuth (deg) and solid angle (sr), broadcastable: Gauss-Legendre in the cosine."""
    node, weight = np.polynomial.legendre.leggauss(zenith_nodes)
    zenith_deg = np.degrees(np.arccos(0.5 + 0.5 * node))[:, np.newaxis]
    azimuth_deg = (np.arange(azimuth_nodes) + 0.5) * 360.0 / azimuth_nodes
    solid_angle = np.pi / azimuth_nodes * weight[:, np.newaxis] * np.ones(azimuth_nodes)
    return zenith_deg, azimuth_deg[np.newaxis, :], solid_angle


def _cosine(zenith_deg: ArrayLike) -> np.ndarray:
    return np.cos(np.radians(zenith_deg))


def _cosine_between(one: Direction, other: Direction) -> np.ndarray:
    """Give the cosine of the angle between two directions."""
    a, b = np.radians(one[0]), np.radians(other[0])
    along = np.cos(np.radians(np.asarray(other[1], float) - one[1]))
    return np.cos(a) * np.cos(b) + np.sin(a) * np.sin(b) * along
