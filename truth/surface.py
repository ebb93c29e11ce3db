"""Turn surface type, wind and viewing angles into reflectance at the bottom of the atmosphere."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from truth import weather
from truth.config import TruthConfig
from truth.footprint import SubSamples

KINDS = ("ocean", "vegetation", "forest", "soil", "desert", "snow", "city")  # flag values 0..6
WATER_INDEX = 1.317  # 1, real refractive index of sea water, taken for all four bands
ALBEDO = {  # Lambertian, order B1, B2, B3, B4; spectral libraries, rounded
    "ocean": (0.0, 0.0, 0.0, 0.0),  # the glint term carries the whole reflection
    "vegetation": (0.43, 0.19, 0.05, 0.37),  # canopy
    "forest": (0.110, 0.149, 0.095, 0.130),
    "soil": tuple(
        0.6 * laboratory for laboratory in (0.35, 0.47, 0.44, 0.46)
    ),  # 0.6: field against laboratory
    "desert": (0.30, 0.38, 0.38, 0.34),  # sand
    "snow": (0.92, 0.08, 0.04, 0.44),
    "city": (0.19, 0.245, 0.25, 0.23),
}
Field = tuple[tuple[str, ...], np.ndarray]


def ground(
    samples: SubSamples, place: tuple[np.ndarray, ...], config: TruthConfig, seed: int
) -> dict[str, Field]:
    """Give what light meets at the bottom of the footprints; place is latitude, longitude deg, unix s."""
    latitude, longitude, _ = place
    kind = KINDS.index(config.surface) if config.surface in KINDS else 0
    reflected = albedo(KINDS[kind]) * weather.albedo_factor(seed, latitude, longitude)
    kernels = np.zeros((*reflected.shape, 3))
    kernels[..., 0] = reflected
    sounding, band = ("sounding",), ("sounding", "band")
    return {
        "land_fraction": (sounding, np.full(latitude.size, float(kind > 0))),
        "surface_type": (sounding, np.full(latitude.size, kind > 0, dtype=np.int8)),
        "surface_kind": (sounding, np.full(latitude.size, kind, dtype=np.int8)),
        "albedo": (band, reflected),
        "albedo_sd": (band, np.zeros_like(reflected)),
        "whitecap_albedo": (band, np.zeros_like(reflected)),
        "brdf_kernel": ((*band, "kernel"), kernels),
        "wind_speed": (sounding, config.wind_speed * weather.wind_factor(seed, *place)),
        "wind_direction": (
            sounding,
            np.full(latitude.size, np.nan if config.wind_direction is None else config.wind_direction),
        ),
    }


def albedo(surface: str) -> np.ndarray:
    """Look up the mean Lambertian albedo (band,)."""
    if surface not in ALBEDO:
        raise ValueError(f"surface must be one of {', '.join(KINDS)}, got {surface!r}: name a known type")
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
