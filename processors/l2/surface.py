"""Give the reflectance of the surface to sunlight and to the light of the sky: a rough sea, or land.

Reflectance is pi L/(mu0 F0). raa is between Sun and sensor as seen from the ground: 180 is specular, 0 the
hot spot.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np

from .scattering import AZIMUTHS, EDGES, MU

N_WATER = 1.317  # refractive index of sea water over the bands
# Weights of the Ross-Thick and Li-Sparse kernels relative to the isotropic one: of typical land, and none
TYPICAL, LAMBERTIAN = (0.4, 0.1), (0.0, 0.0)
DARKEST = 0.05  # of the reflectance to all sides, for direct light: below lies the twilight of a low Sun
SKY_AZIMUTHS, SKY_CELL = 48, 6  # quadrature of the light of the sky: azimuths, directions a stream stands for


def glint_reflectance(sza_deg, vza_deg, raa_deg, wind_m_s):  # type: ignore[no-untyped-def]
    """Return (R, dR/dwind) of direct sunlight on a Cox-Munk sea, for numbers or arrays of one shape.

    Isotropic slopes, variance 0.003 + 0.00512 W (Cox & Munk 1954), unpolarised Fresnel.
    """
    mu0, mu = np.cos(np.radians(sza_deg)), np.cos(np.radians(vza_deg))
    r, tan2_tilt = _glint(mu0, mu, np.radians(raa_deg), wind_m_s)
    variance = _slope_variance(wind_m_s)
    return r, r * (tan2_tilt / variance - 1.0) / variance * 0.00512


def _slope_variance(wind_m_s):  # type: ignore[no-untyped-def]
    return 0.003 + 0.00512 * wind_m_s


def _glint(mu0, mu, raa_rad, wind_m_s):  # type: ignore[no-untyped-def]
    """Return reflectance and squared tangent of the facets' tilt, for arrays of directions."""
    sines = np.sqrt((1.0 - mu0**2) * (1.0 - mu**2))
    double = 1.0 + mu0 * mu + sines * np.cos(raa_rad)  # half the squared length of Sun + view
    cos_incidence = np.sqrt(np.clip(0.5 * double, 1e-12, 1.0))
    cos2_tilt = (mu0 + mu) ** 2 / (2.0 * double)
    tan2_tilt = 1.0 / cos2_tilt - 1.0
    variance = _slope_variance(wind_m_s)
    density = np.exp(-tan2_tilt / variance) / (np.pi * variance)
    return np.pi * flat_water(cos_incidence) * density / (4.0 * mu0 * mu * cos2_tilt**2), tan2_tilt


def flat_water(cos_i: np.ndarray | float) -> np.ndarray:
    """Return the unpolarised reflectance of flat water."""
    cos_i = np.asarray(cos_i, dtype=float)
    cos_t = np.sqrt(1.0 - (1.0 - cos_i**2) / N_WATER**2)
    s = (cos_i - N_WATER * cos_t) / (cos_i + N_WATER * cos_t)
    p = (N_WATER * cos_i - cos_t) / (N_WATER * cos_i + cos_t)
    return np.asarray(0.5 * (s * s + p * p))


def ross_li(mu0, mu, raa_rad, weights=TYPICAL):  # type: ignore[no-untyped-def]
    """Return the reflectance of land over that of its isotropic part, for arrays of directions.

    weights  of Ross-Thick (Roujean et al. 1992) and reciprocal Li-Sparse, h/b = 2, b/r = 1 (Wanner et al.
    1995), over that of the isotropic kernel
    """
    sin0, sin1 = np.sqrt(1.0 - mu0**2), np.sqrt(1.0 - mu**2)
    cos_xi = np.clip(mu0 * mu + sin0 * sin1 * np.cos(raa_rad), -1.0, 1.0)
    xi = np.arccos(cos_xi)
    ross = ((np.pi / 2 - xi) * cos_xi + np.sin(xi)) / (mu0 + mu) - np.pi / 4
    tan0, tan1, secants = sin0 / mu0, sin1 / mu, 1.0 / mu0 + 1.0 / mu
    distance2 = tan0**2 + tan1**2 - 2.0 * tan0 * tan1 * np.cos(raa_rad)
    across2 = (tan0 * tan1 * np.sin(raa_rad)) ** 2
    cos_t = np.clip(2.0 * np.sqrt(np.maximum(distance2 + across2, 0.0)) / secants, -1.0, 1.0)
    t = np.arccos(cos_t)
    li = (t - np.sin(t) * cos_t) * secants / np.pi - secants + 0.5 * (1.0 + cos_xi) / (mu0 * mu)
    return np.maximum(1.0 + weights[0] * ross + weights[1] * li, 0.0)


def lambertian_sky() -> np.ndarray:
    """Return sky_matrix of a ground of reflectance 1 in all directions."""
    out = np.zeros((AZIMUTHS, MU.size + 2, MU.size + 2))
    out[0] = 1.0
    return out


def land_sky(
    sza_deg: float, vza_deg: float, raa_deg: float, weights: tuple[float, float] = TYPICAL
) -> np.ndarray:
    """Return (azimuth, stream + 2, stream + 2) how land of these kernels reflects the light of the sky.

    Cosine components of the reflectance between the streams, Sun and view (in this order), over the
    reflectance of direct sunlight in this geometry.
    """
    mu0, mu = np.cos(np.radians([sza_deg, vza_deg]))
    directions = np.concatenate([MU, [mu0, mu]])
    direct = np.maximum(ross_li(mu0, mu, np.radians(raa_deg), weights), DARKEST)
    return _components(lambda a, b, r: ross_li(a, b, r, weights), directions, directions) / direct


def sea_sky(sza_deg: float, vza_deg: float, wind_m_s: float) -> np.ndarray:
    """Return (azimuth, stream + 2, stream + 2) how a Cox-Munk sea reflects the light of the sky, see
    land_sky.

    Waves send light into narrow lobes, so a stream stands for the mean over its cell of directions.
    """
    wind = float(np.clip(round(wind_m_s), 1, 30))
    out = np.zeros((AZIMUTHS, MU.size + 2, MU.size + 2))
    out[:, : MU.size, : MU.size] = _sea_streams(wind)
    beams = np.cos(np.radians([sza_deg, vza_deg]))
    of_cells = _components(lambda a, b, r: _glint(a, b, r, wind)[0], _CELLS, beams)
    lobes = (of_cells * _CELL_WEIGHT[:, None]).reshape(AZIMUTHS, MU.size, SKY_CELL, 2).sum(axis=2)
    out[:, : MU.size, MU.size :], out[:, MU.size :, : MU.size] = lobes, np.swapaxes(lobes, 1, 2)
    return out


@cache
def _sea_streams(wind_m_s: float) -> np.ndarray:
    between = _components(lambda a, b, r: _glint(a, b, r, wind_m_s)[0], _CELLS, _CELLS)
    weighted = between * _CELL_WEIGHT[:, None] * _CELL_WEIGHT
    return weighted.reshape(AZIMUTHS, MU.size, SKY_CELL, MU.size, SKY_CELL).sum(axis=(2, 4))


def _components(reflectance, one: np.ndarray, other: np.ndarray) -> np.ndarray:  # type: ignore[no-untyped-def]
    """Return (azimuth, one, other) the means of the reflectance times cos(m * turn), turn 0 straight on."""
    values = reflectance(one[:, None, None], other[None, :, None], np.pi - _TURN)
    return np.moveaxis(values @ _COSINES, 2, 0)


def _cells() -> tuple[np.ndarray, np.ndarray]:
    """Return the directions of all streams' cells and their shares of the cell's flux."""
    root = np.concatenate(
        [low + (high - low) * (np.arange(SKY_CELL) + 0.5) / SKY_CELL for low, high in pairwise(EDGES)]
    )
    flux = (root**3).reshape(MU.size, SKY_CELL)  # mu dmu in mu = root^2
    return root**2, (flux / flux.sum(axis=1, keepdims=True)).ravel()


_CELLS, _CELL_WEIGHT = _cells()
_TURN = (np.arange(SKY_AZIMUTHS) + 0.5) * np.pi / SKY_AZIMUTHS
_COSINES = np.cos(np.outer(_TURN, np.arange(AZIMUTHS))) / SKY_AZIMUTHS  # (turn, azimuth)
