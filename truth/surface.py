"""Turn surface type, wind and viewing angles into reflectance at the bottom of the atmosphere."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

WATER_INDEX = 1.317  # 1, real refractive index of sea water, taken for all four bands
SURFACES = ("ocean", "vegetation", "soil", "desert")
ALBEDO = {  # Lambertian, order B1, B2, B3, B4; spectral libraries, rounded
    "ocean": (0.0, 0.0, 0.0, 0.0),  # the glint term carries the whole reflection
    "vegetation": (0.43, 0.19, 0.05, 0.37),  # canopy
    "soil": tuple(
        0.6 * laboratory for laboratory in (0.35, 0.47, 0.44, 0.46)
    ),  # 0.6: field against laboratory
    "desert": (0.30, 0.38, 0.38, 0.34),  # sand
}


def albedo(surface: str) -> np.ndarray:
    """Look up the mean Lambertian albedo (band,)."""
    if surface not in ALBEDO:
        raise ValueError(f"surface must be one of {', '.join(SURFACES)}, got {surface!r}: name a known type")
    return np.array(ALBEDO[surface])


def fresnel(incidence_cosine: ArrayLike, refractive_index: float = WATER_INDEX) -> np.ndarray:
    """Reflect unpolarised light at a flat interface from air."""
    cos_i = np.asarray(incidence_cosine, dtype=float)
    cos_t = np.sqrt(1.0 - (1.0 - cos_i**2) / refractive_index**2)
    r_s = (cos_i - refractive_index * cos_t) / (cos_i + refractive_index * cos_t)
    r_p = (refractive_index * cos_i - cos_t) / (refractive_index * cos_i + cos_t)
    return (r_s**2 + r_p**2) / 2.0


def cox_munk_reflectance(
    sza_deg: ArrayLike, vza_deg: ArrayLike, raa_deg: ArrayLike, wind_m_s: ArrayLike
) -> np.ndarray:
    """Give R = pi L / (mu0 F0) = pi F P / (4 mu0 mu cos^4 beta) of a wind-roughened sea (Cox and Munk 1954).

    raa_deg   folded azimuth difference, 180 at the specular point
    wind_m_s  at 10 m height; slope variance 0.003 + 0.00512 W, no wind direction
    """
    sza, vza, raa = (np.radians(np.asarray(angle, dtype=float)) for angle in (sza_deg, vza_deg, raa_deg))
    mu_0, mu = np.cos(sza), np.cos(vza)
    cos_2omega = mu_0 * mu + np.sin(sza) * np.sin(vza) * np.cos(raa)
    cos_omega = np.sqrt((1.0 + np.clip(cos_2omega, -1.0, 1.0)) / 2.0)
    cos_beta = np.minimum((mu_0 + mu) / (2.0 * cos_omega), 1.0)
    variance = 0.003 + 0.00512 * np.asarray(wind_m_s, dtype=float)
    facets = np.exp(-(1.0 / cos_beta**2 - 1.0) / variance) / (np.pi * variance)
    return np.pi * fresnel(cos_omega) * facets / (4.0 * mu_0 * mu * cos_beta**4)
