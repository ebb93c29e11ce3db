"""Give the lengths of straight rays through spherical layers, the angles being those at the footprint."""

import numpy as np

from truth.constants import EARTH_MEAN_RADIUS


def slant_factors(zenith_deg: float, altitude_m: np.ndarray) -> np.ndarray:
    """Give path over thickness of each layer for a ray that leaves the lowest level, (layer,).

    altitude_m  (level,)  m, top to surface; zenith_deg is the angle at the lowest level
    """
    radius = EARTH_MEAN_RADIUS + np.asarray(altitude_m, float)
    along = np.sqrt(radius**2 - (radius[-1] * np.sin(np.radians(zenith_deg))) ** 2)
    return -np.diff(along) / -np.diff(radius)


def sun_paths(sza_deg: float, vza_deg: float, raa_deg: float, altitude_m: np.ndarray) -> np.ndarray:
    """Give path over thickness of each layer from each level of the line of sight to the Sun, (level, layer).

    raa_deg is 0 when Sun and satellite stand at the same azimuth; layers below a level have zero.
    """
    radius = EARTH_MEAN_RADIUS + np.asarray(altitude_m, float)
    factors = np.zeros((len(radius), len(radius) - 1))
    for level, cos_sun in enumerate(_cos_sun_along_view(sza_deg, vza_deg, raa_deg, radius)):
        closest_squared = radius[level] ** 2 * (1.0 - cos_sun**2)
        along = np.sqrt(radius[: level + 1] ** 2 - closest_squared)
        factors[level, :level] = -np.diff(along) / -np.diff(radius[: level + 1])
    return factors


def _cos_sun_along_view(sza_deg: float, vza_deg: float, raa_deg: float, radius: np.ndarray) -> np.ndarray:
    """Give the cosine of the Sun's local zenith angle where the line of sight meets each level."""
    sza, vza, raa = np.radians((sza_deg, vza_deg, raa_deg))
    ground = radius[-1]
    sideways = ground * np.sin(vza)
    distance = np.sqrt(radius**2 - sideways**2) - ground * np.cos(vza)
    east, up = distance * np.sin(vza), ground + distance * np.cos(vza)
    return (east * np.sin(sza) * np.cos(raa) + up * np.cos(sza)) / radius


def local_zenith_deg(zenith_deg: float, altitude_m: float) -> float:
    """Give the zenith angle, at an altitude, of a ray that leaves the surface at zenith_deg."""
    sine = np.sin(np.radians(zenith_deg)) * EARTH_MEAN_RADIUS / (EARTH_MEAN_RADIUS + altitude_m)
    return float(np.degrees(np.arcsin(sine)))
