"""Intersect lines of sight with the WGS-84 ellipsoid and measure angles at the ground."""

from __future__ import annotations

import numpy as np

from processors.constants import WGS84_A, WGS84_F

E2 = WGS84_F * (2.0 - WGS84_F)  # squared first eccentricity
AXES = np.array([WGS84_A, WGS84_A, WGS84_A * (1.0 - WGS84_F)])  # m


def intersect(position: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """Return (n, 3) m, the near point where a line of sight meets the ellipsoid; NaN where it passes by.

    position  (n, 3)  m, Earth-fixed;  direction  (n, 3)
    """
    p, d = position / AXES, direction / AXES
    a = np.sum(d * d, axis=1)
    b = np.sum(p * d, axis=1)
    c = np.sum(p * p, axis=1) - 1.0
    with np.errstate(invalid="ignore"):
        root = np.sqrt(np.where(b * b > a * c, b * b - a * c, np.nan))
        distance = c / (root - b)  # the nearer root, without cancellation
        distance = np.where(distance > 0.0, distance, np.nan)
    return position + distance[:, np.newaxis] * direction


def latitude_longitude(ground: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return geodetic degrees of points on the ellipsoid.

    ground  (n, 3)  m
    """
    x, y, z = ground.T
    latitude = np.arctan2(z, (1.0 - E2) * np.hypot(x, y))
    return np.degrees(latitude), np.degrees(np.arctan2(y, x))


def zenith_azimuth(ground: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the degrees from the zenith, and clockwise from north, of a target seen from the ground.

    ground, target  (n, 3)  m, Earth-fixed
    """
    latitude, longitude = (np.radians(angle) for angle in latitude_longitude(ground))
    sight = target - ground
    east = _dot(sight, (-np.sin(longitude), np.cos(longitude), 0.0 * longitude))
    level = np.cos(longitude), np.sin(longitude)
    north = _dot(sight, (-np.sin(latitude) * level[0], -np.sin(latitude) * level[1], np.cos(latitude)))
    up = _dot(sight, (np.cos(latitude) * level[0], np.cos(latitude) * level[1], np.sin(latitude)))
    zenith = np.degrees(np.arctan2(np.hypot(east, north), up))
    return zenith, np.degrees(np.arctan2(east, north)) % 360.0


def recession_speed(ground: np.ndarray, position: np.ndarray, velocity: np.ndarray) -> np.ndarray:
    """Return m s-1, positive moving apart, of a point with an Earth-fixed velocity from the fixed ground."""
    sight = position - ground
    return np.sum(sight * velocity, axis=1) / np.sqrt(np.sum(sight * sight, axis=1))


def _dot(vector: np.ndarray, unit: tuple[np.ndarray, ...]) -> np.ndarray:
    return vector[:, 0] * unit[0] + vector[:, 1] * unit[1] + vector[:, 2] * unit[2]
