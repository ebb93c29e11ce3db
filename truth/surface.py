"""Turn kinds of surface, wind and viewing angles into what light meets at the bottom of the atmosphere."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from truth import brdf, weather
from truth.config import TruthConfig
from truth.footprint import SubSamples, mean_and_sd
from truth.landcover import KINDS, Cover

WATER_INDEX = 1.317  # 1, real refractive index of sea water, taken for all four bands
_CANOPY = (0.43, 0.19, 0.05, 0.37)
_ASPHALT, _CONCRETE = (0.07, 0.12, 0.12, 0.11), (0.31, 0.37, 0.38, 0.35)
# Forest without leaves as retrieved over Park Falls in April, B4 between its neighbours; in leaf 0.6 of the
# canopy's spectrum, because crowns shade each other, assumed
_FOREST_BARE = (0.110, 0.149, 0.095, 0.134)
_FOREST_IN_LEAF = tuple(0.6 * leaves for leaves in _CANOPY)
ALBEDO = {  # Lambertian, order B1, B2, B3, B4; spectral libraries, rounded
    "ocean": (0.0, 0.0, 0.0, 0.0),  # glint and foam carry the whole reflection
    "vegetation": _CANOPY,
    "forest": _FOREST_BARE,
    "soil": tuple(0.6 * laboratory for laboratory in (0.35, 0.47, 0.44, 0.46)),  # 0.6: field against it
    "desert": (0.30, 0.38, 0.38, 0.34),  # sand
    "snow": (0.92, 0.08, 0.04, 0.44),  # 20 m2 kg-1 of surface
    "city": tuple((dark + bright) / 2.0 for dark, bright in zip(_ASPHALT, _CONCRETE, strict=True)),
}
BRIGHTEST = 0.95  # 1, no natural ground is brighter in these bands; with its shape below 1 up to SZA 88
BRDF_SHAPE = {  # volumetric and geometric weight over the isotropic one, round figures, assumed
    "vegetation": (0.5, 0.10),
    "forest": (0.5, 0.15),
    "soil": (0.3, 0.10),
    "desert": (0.3, 0.08),
    "snow": (0.04, 0.0),
    "city": (0.2, 0.15),
}
# Reflectance of foam: 0.22 in the visible (Koepke 1984) times 0.76, 0.207 and 0.453 in B1, B2 and B4, the fit
# of Frouin et al. (1996) in wavelength; that fit ends at 1.65 um, 0.02 in B3 is assumed
FOAM = (0.167, 0.046, 0.02, 0.100)
Field = tuple[tuple[str, ...], np.ndarray]


def albedo(surface: str) -> np.ndarray:
    """Look up the mean Lambertian albedo (band,)."""
    if surface not in ALBEDO:
        raise ValueError(f"surface must be one of {', '.join(KINDS)}, got {surface!r}: name a known type")
    return np.array(ALBEDO[surface])


def ground(
    samples: SubSamples, cover: Cover, place: tuple[np.ndarray, ...], config: TruthConfig, seed: int
) -> dict[str, Field]:
    """Give what light meets at the bottom of the footprints; place is latitude, longitude deg, unix s."""
    sounding, band = ("sounding",), ("sounding", "band")
    shares = np.einsum("ijk,ij->ik", cover.share, samples.weight)
    land = np.clip(1.0 - shares[:, KINDS.index("ocean")], 0.0, 1.0)
    wind = config.wind_speed * weather.wind_factor(seed, *place)
    kernels = _kernels(samples, cover, config, seed)
    foam = whitecap_coverage(wind)[:, np.newaxis] * np.array(FOAM) * config.whitecaps
    reflected = brdf.white_sky_albedo(kernels) + cover.of("ocean")[..., np.newaxis] * foam[:, np.newaxis]
    mean, deviation = mean_and_sd(samples, reflected)
    direction = np.nan if config.wind_direction is None else config.wind_direction
    return {
        "land_fraction": (sounding, land),
        "surface_type": (sounding, (land >= 0.5).astype(np.int8)),
        "surface_kind": (sounding, shares.argmax(axis=1).astype(np.int8)),
        "albedo": (band, mean),
        "albedo_sd": (band, deviation),
        "whitecap_albedo": (band, shares[:, [KINDS.index("ocean")]] * foam),
        "brdf_kernel": ((*band, "kernel"), mean_and_sd(samples, kernels)[0]),
        "wind_speed": (sounding, wind),
        "wind_direction": (sounding, np.full(land.size, direction)),
    }


def _kernels(samples: SubSamples, cover: Cover, config: TruthConfig, seed: int) -> np.ndarray:
    """Add the kernel weights of the kinds of land by their shares, (sounding, sample, band, kernel)."""
    place = (samples.latitude_deg, samples.longitude_deg)
    factor = weather.albedo_factor(seed, *place)
    total = np.zeros((*factor.shape, 3))
    for kind in BRDF_SHAPE:
        share = cover.of(kind)
        if share.any():
            spectrum = np.minimum(_spectrum(kind, cover, place, seed) * factor, BRIGHTEST)
            kernels = land_kernels(kind if config.brdf else "", spectrum)
            total += share[..., np.newaxis, np.newaxis] * kernels
    return total


def _spectrum(kind: str, cover: Cover, place: tuple[np.ndarray, ...], seed: int) -> np.ndarray:
    """Give the mean albedo of a kind at its state, (sounding, sample, band) or (band,)."""
    if kind == "forest":
        return _between(cover.greenness, _FOREST_BARE, _FOREST_IN_LEAF)
    if kind == "city":
        return _between(weather.paving(seed, *place), _ASPHALT, _CONCRETE)
    return albedo(kind)


def _between(share: np.ndarray, first: tuple[float, ...], second: tuple[float, ...]) -> np.ndarray:
    return np.array(first) + share[..., np.newaxis] * (np.array(second) - np.array(first))


def land_kernels(kind: str, white_sky: np.ndarray) -> np.ndarray:
    """Give weights (..., kernel) with the kind's shape and the given white-sky albedo; "" is Lambertian."""
    shape = np.array((1.0, *BRDF_SHAPE.get(kind, (0.0, 0.0))))
    return white_sky[..., np.newaxis] * shape / brdf.white_sky_albedo(shape)


def whitecap_coverage(wind_m_s: ArrayLike) -> np.ndarray:
    """Give the share of the sea under foam (Monahan and O'Muircheartaigh 1980); wind at 10 m."""
    return np.minimum(2.95e-6 * np.asarray(wind_m_s, dtype=float) ** 3.52, 1.0)


def fresnel(incidence_cosine: ArrayLike, refractive_index: float = WATER_INDEX) -> np.ndarray:
    """Reflect unpolarised light at a flat interface from air."""
    cos_i = np.asarray(incidence_cosine, dtype=float)
    cos_t = np.sqrt(1.0 - (1.0 - cos_i**2) / refractive_index**2)
    r_s = (cos_i - refractive_index * cos_t) / (cos_i + refractive_index * cos_t)
    r_p = (refractive_index * cos_i - cos_t) / (refractive_index * cos_i + cos_t)
    return (r_s**2 + r_p**2) / 2.0


def cox_munk_reflectance(
    sza_deg: ArrayLike,
    vza_deg: ArrayLike,
    raa_deg: ArrayLike,
    wind_m_s: ArrayLike,
    wind_azimuth_deg: ArrayLike | None = None,
) -> np.ndarray:
    """Give R = pi L / (mu0 F0) = pi F P / (4 mu0 mu cos^4 beta) of a wind-roughened sea (Cox and Munk 1954).

    raa_deg           azimuth of the sensor less that of the Sun, 180 at the specular point; its sign counts
                      only with a wind direction
    wind_m_s          at 10 m height
    wind_azimuth_deg  azimuth of the wind less that of the Sun; None or not a number: slopes alike all around
    """
    sza, vza, raa = (np.radians(np.asarray(angle, dtype=float)) for angle in (sza_deg, vza_deg, raa_deg))
    mu_0, mu = np.cos(sza), np.cos(vza)
    cos_2omega = mu_0 * mu + np.sin(sza) * np.sin(vza) * np.cos(raa)
    cos_omega = np.sqrt((1.0 + np.clip(cos_2omega, -1.0, 1.0)) / 2.0)
    cos_beta = np.minimum((mu_0 + mu) / (2.0 * cos_omega), 1.0)
    wind = np.asarray(wind_m_s, dtype=float)
    facets = _facets(1.0 / cos_beta**2 - 1.0, 0.003 + 0.00512 * wind)
    if wind_azimuth_deg is not None:
        towards_sun = (np.sin(sza) + np.sin(vza) * np.cos(raa)) / (mu_0 + mu)
        beside = np.sin(vza) * np.sin(raa) / (mu_0 + mu)
        directed = _directed_facets(towards_sun, beside, wind, np.radians(wind_azimuth_deg))
        facets = np.where(np.isfinite(directed), directed, facets)
    return np.pi * fresnel(cos_omega) * facets / (4.0 * mu_0 * mu * cos_beta**4)


def _facets(slope2: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Give the density of slopes that are alike all around."""
    return np.exp(-slope2 / variance) / (np.pi * variance)


def _directed_facets(
    towards_sun: np.ndarray, beside: np.ndarray, wind: np.ndarray, wind_azimuth: np.ndarray
) -> np.ndarray:
    """Give the density of slopes with Cox and Munk's variances along and across the wind; no skewness."""
    along = towards_sun * np.cos(wind_azimuth) + beside * np.sin(wind_azimuth)
    across = beside * np.cos(wind_azimuth) - towards_sun * np.sin(wind_azimuth)
    variance_along, variance_across = 0.00316 * wind, 0.003 + 0.00192 * wind
    exponent = along**2 / variance_along + across**2 / variance_across
    return np.exp(-exponent / 2.0) / (2.0 * np.pi * np.sqrt(variance_along * variance_across))
