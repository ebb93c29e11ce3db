"""Give the reflectance of the surface: a rough sea in Sun glint, or a Lambertian land."""

from __future__ import annotations

import numpy as np

N_WATER = 1.317  # refractive index of sea water over the bands


def glint_reflectance(sza_deg: float, vza_deg: float, raa_deg: float, wind_m_s: float) -> tuple[float, float]:
    """Return (R, dR/dwind), R = pi L/(mu0 F0) of direct sunlight on a Cox-Munk sea; raa 180 is specular.

    Isotropic slopes, variance 0.003 + 0.00512 W (Cox & Munk 1954), unpolarised Fresnel.
    """
    sza, vza, raa = np.radians([sza_deg, vza_deg, raa_deg])
    sun = np.array([np.sin(sza), 0.0, np.cos(sza)])
    view = np.array([np.sin(vza) * np.cos(raa), np.sin(vza) * np.sin(raa), np.cos(vza)])
    normal = sun + view
    cos_incidence = float(np.linalg.norm(normal)) / 2.0
    cos_tilt = normal[2] / np.linalg.norm(normal)
    tan2_tilt = 1.0 / cos_tilt**2 - 1.0
    variance = 0.003 + 0.00512 * wind_m_s
    density = np.exp(-tan2_tilt / variance) / (np.pi * variance)
    r = np.pi * _fresnel(cos_incidence) * density / (4.0 * sun[2] * view[2] * cos_tilt**4)
    return float(r), float(r * (tan2_tilt / variance - 1.0) / variance * 0.00512)


def _fresnel(cos_i: float) -> float:
    """Return the unpolarised reflectance of flat water."""
    cos_t = np.sqrt(1.0 - (1.0 - cos_i**2) / N_WATER**2)
    s = (cos_i - N_WATER * cos_t) / (cos_i + N_WATER * cos_t)
    p = (N_WATER * cos_i - cos_t) / (N_WATER * cos_i + cos_t)
    return float(0.5 * (s * s + p * p))
