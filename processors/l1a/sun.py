"""Give the Sun's position in the Earth-fixed frame (Meeus, Astronomical Algorithms, chapters 12, 22, 25)."""

from __future__ import annotations

import numpy as np

from processors.constants import AU

CENTURY_S = 36_525.0 * 86_400.0
J2000_S = 946_728_000.0  # 2000-01-01T12:00:00 in seconds since 1970, on the scale asked for
RATE_STEP_S = 10.0  # s either side, of the range rate


def position(utc: np.ndarray, tt_minus_utc: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return ((n, 3) m apparent geocentric position, Earth-fixed; (n) distance in au).

    utc  (n)  seconds since 1970, taken for UT1 (at most 0.9 s off, 0.004 deg);  tt_minus_utc  (n)  s
    """
    t = (utc + tt_minus_utc - J2000_S) / CENTURY_S
    longitude, distance = _longitude_distance(t)
    node = np.radians(125.04452 - 1934.136261 * t)
    mean_sun = np.radians(280.4665 + 36_000.7698 * t)
    mean_moon = np.radians(218.3165 + 481_267.8813 * t)
    angles = np.stack([node, 2 * mean_sun, 2 * mean_moon, 2 * node])
    nutation = np.array([-17.20, -1.32, -0.23, 0.21]) @ np.sin(angles) / 3600.0  # degrees, of longitude
    tilt = np.array([9.20, 0.57, 0.10, -0.09]) @ np.cos(angles) / 3600.0  # degrees, of obliquity
    obliquity = np.radians(23.43929111 - 0.013004167 * t + tilt)
    aberration = -20.4898 / 3600.0 / distance
    apparent = np.radians(longitude + nutation + aberration)
    sidereal = np.radians(_sidereal_time(utc) + nutation * np.cos(obliquity))
    x, y = np.cos(apparent), np.sin(apparent) * np.cos(obliquity)
    z = np.sin(apparent) * np.sin(obliquity)
    cosine, sine = np.cos(sidereal), np.sin(sidereal)
    unit = np.stack([cosine * x + sine * y, cosine * y - sine * x, z], axis=1)
    return unit * (distance * AU)[:, np.newaxis], distance


def recession_speed(utc: np.ndarray, tt_minus_utc: np.ndarray, ground: np.ndarray) -> np.ndarray:
    """Return d(range)/dt between ground and Sun, m s-1: rotation of the Earth and its way round the Sun.

    ground  (n, 3)  m, Earth-fixed
    """
    after, before = (
        np.linalg.norm(position(utc + step, tt_minus_utc)[0] - ground, axis=1)
        for step in (RATE_STEP_S, -RATE_STEP_S)
    )
    return (after - before) / (2.0 * RATE_STEP_S)


def _longitude_distance(t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the geometric longitude (degrees, mean equinox of date) and the distance (au)."""
    anomaly = np.radians(357.52911 + t * (35_999.05029 - 0.0001537 * t))
    eccentricity = 0.016708634 - t * (0.000042037 + 0.0000001267 * t)
    centre = (
        (1.914602 - t * (0.004817 + 0.000014 * t)) * np.sin(anomaly)
        + (0.019993 - 0.000101 * t) * np.sin(2 * anomaly)
        + 0.000289 * np.sin(3 * anomaly)
    )
    pull, stretch = _perturbation(t + 1.0)
    longitude = 280.46646 + t * (36_000.76983 + 0.0003032 * t) + centre + pull
    true_anomaly = anomaly + np.radians(centre)
    distance = 1.000001018 * (1.0 - eccentricity**2) / (1.0 + eccentricity * np.cos(true_anomaly))
    return longitude, distance + stretch


# Meeus, Astronomical Formulae for Calculators (1982), chapter 18: angle = phase + rate * centuries since 1900
# (degrees), then the amplitude in longitude (degrees) and in distance (au)
VENUS_1 = (153.23, 22_518.7541, 0.00134, 0.000_005_43)  # cosine in longitude, sine in distance
VENUS_2 = (216.57, 45_037.5082, 0.00154, 0.000_015_75)
JUPITER = (312.69, 32_964.3577, 0.00200, 0.000_016_27)
MOON = (350.74, 445_267.1142, 0.00179, 0.000_030_76)  # sine in longitude, cosine in distance
LONG_PERIOD = (231.19, 20.20, 0.00178, 0.0)


def _perturbation(t_1900: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what Venus, Jupiter and the Moon add to longitude (degrees) and distance (au)."""
    longitude, distance = np.zeros_like(t_1900), np.zeros_like(t_1900)
    for phase, rate, degrees, au in (VENUS_1, VENUS_2, JUPITER):
        angle = np.radians(phase + rate * t_1900)
        longitude += degrees * np.cos(angle)
        distance += au * np.sin(angle)
    for phase, rate, degrees, au in (MOON, LONG_PERIOD):
        angle = np.radians(phase + rate * t_1900)
        longitude += degrees * np.sin(angle)
        distance += au * np.cos(angle)
    return longitude, distance


def _sidereal_time(ut: np.ndarray) -> np.ndarray:
    """Return Greenwich mean sidereal time in degrees."""
    days = (ut - J2000_S) / 86_400.0
    t = days / 36_525.0
    return 280.46061837 + 360.98564736629 * days + t * t * (0.000387933 - t / 38_710_000.0)
