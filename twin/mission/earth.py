"""Turn rays and Earth-fixed points into places, angles and azimuths on the WGS-84 ellipsoid."""

from __future__ import annotations

import numpy as np

from twin.constants import WGS84_A, WGS84_B, WGS84_F

E2 = WGS84_F * (2.0 - WGS84_F)  # first eccentricity squared
_AXES = np.array([WGS84_A, WGS84_A, WGS84_B])
_BOWRING_PASSES = 5  # each gains 3 or more digits up to 1000 km of height

Array = np.ndarray


def unit(vector: Array) -> Array:
    """(..., 3) -> (..., 3) of length 1."""
    return vector / np.linalg.norm(vector, axis=-1, keepdims=True)


def dot(a: Array, b: Array) -> Array:
    return np.sum(a * b, axis=-1)


def geodetic(ecef_m: Array) -> tuple[Array, Array, Array]:
    """Return latitude deg, longitude deg (-180..180), height m of (..., 3) points (Bowring 1976)."""
    x, y, z = np.moveaxis(np.asarray(ecef_m, dtype=float), -1, 0)
    rho = np.hypot(x, y)
    reduced = np.arctan2(z, (1.0 - WGS84_F) * rho)
    for _ in range(_BOWRING_PASSES):
        latitude = np.arctan2(
            z + E2 / (1.0 - E2) * WGS84_B * np.sin(reduced) ** 3, rho - E2 * WGS84_A * np.cos(reduced) ** 3
        )
        reduced = np.arctan2((1.0 - WGS84_F) * np.sin(latitude), np.cos(latitude))
    height = (
        rho * np.cos(latitude) + z * np.sin(latitude) - WGS84_A * np.sqrt(1.0 - E2 * np.sin(latitude) ** 2)
    )
    return np.degrees(latitude), np.degrees(np.arctan2(y, x)), height


def ecef(latitude_deg: Array, longitude_deg: Array, height_m: Array | float = 0.0) -> Array:
    """Return (..., 3) m."""
    up = normal(latitude_deg, longitude_deg)
    return surface_point(up) + np.asarray(height_m)[..., None] * up


def normal(latitude_deg: Array, longitude_deg: Array) -> Array:
    """Return the outward unit normal (..., 3) of the ellipsoid at geodetic places."""
    lat, lon = np.radians(latitude_deg), np.radians(longitude_deg)
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)


def surface_point(up: Array) -> Array:
    """Return the point (..., 3) m of the ellipsoid whose outward unit normal is `up`."""
    scaled = _AXES**2 * up
    return scaled / np.sqrt(dot(scaled, up))[..., None]


def ray_hit(origin_m: Array, direction: Array) -> Array:
    """Return the first point (..., 3) m where rays meet the ellipsoid; a ray that misses is an error."""
    o, d = origin_m / _AXES, direction / _AXES
    a, b, c = dot(d, d), dot(o, d), dot(o, o) - 1.0
    discriminant = b**2 - a * c
    if np.any(discriminant < 0.0) or np.any(b > 0.0):
        raise ValueError("expected lines of sight that meet the Earth, got one past the limb: check pointing")
    length = c / (-b + np.sqrt(discriminant))
    return origin_m + length[..., None] * direction


def horizontal(place_deg: tuple[Array, Array], toward: Array) -> tuple[Array, Array]:
    """Return zenith angle and azimuth (clockwise from north, 0..360), deg, of vectors (..., 3) at a place."""
    latitude, longitude = place_deg
    up = normal(latitude, longitude)
    lon = np.radians(longitude)
    east = np.stack([-np.sin(lon), np.cos(lon), np.zeros_like(lon)], axis=-1)
    north = np.cross(up, east)
    e, n, u = dot(toward, east), dot(toward, north), dot(toward, up)
    return np.degrees(np.arctan2(np.hypot(e, n), u)), np.degrees(np.arctan2(e, n)) % 360.0


def specular_point(satellite_m: Array, sun_m: Array, tolerance: float = 1e-13) -> Array:
    """Return the point (..., 3) m of the ellipsoid that mirrors the Sun to the satellite.

    Fixed point: the normal sought is the bisector of the directions to Sun and satellite. The bisector turns
    against the normal by up to R/2h, so the step is damped by 1 + R/2h, which converges up to the terminator.
    """
    _, _, height = geodetic(satellite_m)
    damping = 1.0 / (1.0 + WGS84_A / (2.0 * height))[..., None]
    up = unit(satellite_m)
    for _ in range(1000):
        point = surface_point(up)
        bisector = unit(unit(satellite_m - point) + unit(sun_m - point))
        change = damping * (bisector - up)
        up = unit(up + change)
        if np.max(np.abs(change)) < tolerance:
            return surface_point(up)
    raise ValueError("expected the Sun and the satellite above one horizon: no specular point was found")
