"""Measure the skylight that the direct glint term leaves out, as fractions of that term."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import exprel

from truth.rayleigh import legendre_second
from truth.surface import cox_munk_reflectance

_ZENITH_NODES, _AZIMUTH_NODES = (
    64,
    128,
)  # directions of the hemisphere; doubling both changes 1e-4 of the result


class Skylight(NamedTuple):
    """Fractions of the attenuated direct glint radiance at the top of the atmosphere."""

    sky_reflected: float  # Sun to air to sea to sensor
    glint_scattered: float  # Sun to sea to air to sensor

    @property
    def total(self) -> float:
        return self.sky_reflected + self.glint_scattered


def skylight_left_out(
    sza_deg: float,
    vza_deg: float,
    raa_deg: float,
    wind_m_s: float,
    rayleigh_depth: float,
    wavenumber_cm1: float,
    nodes: tuple[int, int] = (_ZENITH_NODES, _AZIMUTH_NODES),
) -> Skylight:
    """Integrate both once-scattered paths over the hemisphere, where no gas absorbs; unpolarised, plane air.

    raa_deg  180 at the specular point
    """
    mu_0, mu = np.cos(np.radians([sza_deg, vza_deg]))
    zenith_deg, azimuth_deg, solid_angle = _hemisphere(*nodes)
    mu_i = np.cos(np.radians(zenith_deg))
    second = float(legendre_second(np.array(wavenumber_cm1)))
    sun, sensor = (sza_deg, 0.0), (vza_deg, raa_deg)
    depth = rayleigh_depth

    to_sea = depth / mu_i * np.exp(-depth / mu_i) * exprel(depth * (1.0 / mu_i - 1.0 / mu_0))
    sky = _phase(_cosine(sun, zenith_deg, azimuth_deg), second) / (4.0 * np.pi) * to_sea
    reflection = cox_munk_reflectance(zenith_deg, vza_deg, _folded(azimuth_deg - raa_deg), wind_m_s) / np.pi
    sky_reflected = np.sum(sky * reflection * mu_i * solid_angle) * np.exp(-depth / mu)

    to_sensor = depth / mu * np.exp(-depth / mu) * exprel(depth * (1.0 / mu - 1.0 / mu_i))
    upward = mu_0 * cox_munk_reflectance(sza_deg, zenith_deg, _folded(azimuth_deg), wind_m_s) / np.pi
    scattered = _phase(_cosine(sensor, zenith_deg, azimuth_deg), second) / (4.0 * np.pi) * to_sensor
    glint_scattered = np.sum(upward * scattered * solid_angle) * np.exp(-depth / mu_0)

    direct = mu_0 * cox_munk_reflectance(sza_deg, vza_deg, raa_deg, wind_m_s) / np.pi
    direct = float(direct * np.exp(-depth / mu_0 - depth / mu))
    return Skylight(float(sky_reflected) / direct, float(glint_scattered) / direct)


def _hemisphere(zenith_nodes: int, azimuth_nodes: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give zenith and azimuth (deg) and solid angle (sr), broadcastable: Gauss-Legendre in the cosine."""
    node, weight = np.polynomial.legendre.leggauss(zenith_nodes)
    zenith_deg = np.degrees(np.arccos(0.5 + 0.5 * node))[:, np.newaxis]
    azimuth_deg = (np.arange(azimuth_nodes) + 0.5) * 360.0 / azimuth_nodes
    return zenith_deg, azimuth_deg[np.newaxis, :], np.pi / azimuth_nodes * weight[:, np.newaxis]


def _cosine(direction: tuple[float, float], zenith_deg: np.ndarray, azimuth_deg: np.ndarray) -> np.ndarray:
    """Give the cosine between directions of (zenith, azimuth)."""
    one, other = np.radians(direction[0]), np.radians(zenith_deg)
    along = np.cos(np.radians(azimuth_deg - direction[1]))
    return np.cos(one) * np.cos(other) + np.sin(one) * np.sin(other) * along


def _phase(cosine: np.ndarray, second: float) -> np.ndarray:
    """Evaluate 1 + b2 P2(cos T), mean 1 over the sphere."""
    return 1.0 + second * 0.5 * (3.0 * cosine**2 - 1.0)


def _folded(difference_deg: np.ndarray) -> np.ndarray:
    return np.abs((difference_deg + 180.0) % 360.0 - 180.0)
