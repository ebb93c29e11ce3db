"""Turn the weights of the Ross-Thick and Li-Sparse kernels into the reflectance and albedo of land."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import ArrayLike

KERNELS = ("isotropic", "volumetric", "geometric")
_CROWN_HEIGHT = 2.0  # 1, height of a crown's centre over its vertical radius, h/b (Lucht et al. 2000)
_STEEPEST_DEG = 89.5  # deg, the Li kernel is held beyond, where its shadows grow without end


def ross_thick(sza_deg: ArrayLike, vza_deg: ArrayLike, raa_deg: ArrayLike) -> np.ndarray:
    """Give the volumetric kernel (Lucht, Schaaf and Strahler 2000, eq. 38), 0 at nadir under overhead Sun.

    raa_deg  azimuth between Sun and sensor seen from the ground, 0 at the hot spot
    """
    sza, vza, raa = _radians(sza_deg, vza_deg, raa_deg)
    cos_phase, phase = _phase(sza, vza, raa)
    shape = (np.pi / 2.0 - phase) * cos_phase + np.sin(phase)
    return shape / (np.cos(sza) + np.cos(vza)) - np.pi / 4.0


def li_sparse(sza_deg: ArrayLike, vza_deg: ArrayLike, raa_deg: ArrayLike) -> np.ndarray:
    """Give the reciprocal geometric kernel for spherical crowns, b/r = 1 (same paper, eqs. 39-44)."""
    sza, vza, raa = _radians(np.minimum(sza_deg, _STEEPEST_DEG), np.minimum(vza_deg, _STEEPEST_DEG), raa_deg)
    secants = 1.0 / np.cos(sza) + 1.0 / np.cos(vza)
    tan_s, tan_v = np.tan(sza), np.tan(vza)
    distance2 = tan_s**2 + tan_v**2 - 2.0 * tan_s * tan_v * np.cos(raa)
    across = tan_s * tan_v * np.sin(raa)
    cos_t = np.clip(_CROWN_HEIGHT * np.sqrt(np.maximum(distance2 + across**2, 0.0)) / secants, 0.0, 1.0)
    t = np.arccos(cos_t)
    overlap = (t - np.sin(t) * cos_t) * secants / np.pi
    cos_phase, _ = _phase(sza, vza, raa)
    return overlap - secants + 0.5 * (1.0 + cos_phase) / (np.cos(sza) * np.cos(vza))


def reflectance(kernels: ArrayLike, sza_deg: ArrayLike, vza_deg: ArrayLike, raa_deg: ArrayLike) -> np.ndarray:
    """Give pi L / (mu0 F0), never below 0.

    kernels  (..., kernel)  weights isotropic, volumetric, geometric
    raa_deg  0 at the hot spot, 180 at the specular point
    """
    weights = np.asarray(kernels, dtype=float)
    volumetric, geometric = (kernel(sza_deg, vza_deg, raa_deg) for kernel in (ross_thick, li_sparse))
    return np.maximum(weights[..., 0] + weights[..., 1] * volumetric + weights[..., 2] * geometric, 0.0)


def black_sky_albedo(kernels: ArrayLike, sza_deg: ArrayLike) -> np.ndarray:
    """Integrate the reflection of a beam over the hemisphere."""
    node, weight, raa_deg = _quadrature()
    vza_deg = np.degrees(np.arccos(node))[:, np.newaxis]
    sza = np.asarray(sza_deg, dtype=float)[..., np.newaxis, np.newaxis]
    weights = np.asarray(kernels, dtype=float)
    integrals = [
        np.sum(2.0 * (node * weight) * kernel(sza, vza_deg, raa_deg).mean(axis=-1), axis=-1)
        for kernel in (ross_thick, li_sparse)
    ]
    return weights[..., 0] + weights[..., 1] * integrals[0] + weights[..., 2] * integrals[1]


def white_sky_albedo(kernels: ArrayLike) -> np.ndarray:
    """Integrate the reflection of diffuse light over both hemispheres."""
    return np.asarray(kernels, dtype=float) @ white_sky_integrals()


@cache
def white_sky_integrals() -> np.ndarray:
    """Give the white-sky albedo of each kernel, (kernel,)."""
    node, weight, _ = _quadrature()
    sza_deg = np.degrees(np.arccos(node))
    flux = 2.0 * node * weight
    return np.array([flux @ black_sky_albedo(unit, sza_deg) for unit in np.eye(3)])


@cache
def _quadrature() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give nodes and weights in the cosine of zenith angle, and azimuths in the middle of even steps."""
    node, weight = np.polynomial.legendre.leggauss(48)
    return (node + 1.0) / 2.0, weight / 2.0, np.arange(0.5, 180.0)


def _radians(*angles_deg: ArrayLike) -> list[np.ndarray]:
    return [np.radians(np.asarray(angle, dtype=float)) for angle in angles_deg]


def _phase(sza: np.ndarray, vza: np.ndarray, raa: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give the angle between the directions to Sun and sensor: its cosine, and it."""
    cosine = np.cos(sza) * np.cos(vza) + np.sin(sza) * np.sin(vza) * np.cos(raa)
    cosine = np.clip(cosine, -1.0, 1.0)
    return cosine, np.arccos(cosine)
