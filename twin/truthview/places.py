"""Turn places and a time into the viewing geometry that nature is sampled with."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import xarray as xr

from twin.constants import ALTITUDE_REFERENCE_M, AU, BOOT_COUNT, FOV_ACROSS_RAD, OPERATION_MODES
from twin.mission import earth, orbit
from twin.timecodes import gps_us

ACROSS_M = FOV_ACROSS_RAD * ALTITUDE_REFERENCE_M  # m, footprint in nadir
ALONG_M = 8_900.0  # m, one frame of 1.304 s at 6.83 km/s
MIDDLE_FOV = 2
SECOND_US = 1_000_000


def sunlit(latitude_deg: np.ndarray, longitude_deg: np.ndarray, at: datetime) -> xr.Dataset:
    """Describe footprints of a satellite overhead, (sounding), at one time, with the Sun where it stands.

    A footprint is 4.5 km east-west by 8.9 km, as on a pass due south; its centre is the place asked for.
    """
    latitude, longitude = (np.atleast_1d(np.asarray(x, dtype=float)) for x in (latitude_deg, longitude_deg))
    count, now_us = latitude.size, gps_us(at)
    ground = earth.ecef(latitude, longitude)
    before, sun, after = orbit.sun_itrs(now_us + np.array([-SECOND_US, 0, SECOND_US]))
    to_sun = sun - ground
    sza, saa = earth.horizontal((latitude, longitude), to_sun)
    corners = earth.geodetic(_corners(ground, latitude, longitude))
    rows = {
        "sounding_id": BOOT_COUNT * 10**11 + 10 * np.arange(count, dtype=np.int64) + MIDDLE_FOV,
        "fov": np.full(count, MIDDLE_FOV, dtype=np.int8),
        "time": np.full(count, at.timestamp()),
        "latitude": latitude,
        "longitude": longitude,
        "solar_zenith_angle": sza,
        "solar_azimuth_angle": saa,
        "sensor_zenith_angle": np.zeros(count),
        "sensor_azimuth_angle": (saa + 180.0) % 360.0,
        "sensor_recession_speed": np.zeros(count),
        "sun_recession_speed": earth.dot(earth.unit(to_sun), 0.5 * (after - before)),
        "earth_sun_distance": np.full(count, np.linalg.norm(sun) / AU),
        "operation_mode": np.full(count, OPERATION_MODES["nadir"], dtype=np.int8),
    }
    geometry = xr.Dataset({name: ("sounding", values) for name, values in rows.items()})
    for name, values in zip(("vertex_latitude", "vertex_longitude"), corners[:2], strict=True):
        geometry[name] = (("sounding", "vertex"), values)
    return geometry


def viewed(
    geometry: xr.Dataset, mode: str, vza_deg: float | None = None, sza_deg: float | None = None
) -> xr.Dataset:
    """Look from the mirror's side of the Sun: overhead in nadir, at the Sun's zenith angle in glint.

    The angles given replace those of the mode and of the Sun. The satellite is at its closest and shifts
    no line.
    """
    sza = geometry["solar_zenith_angle"].values if sza_deg is None else np.array([sza_deg])
    vza = (sza if mode == "glint" else np.zeros(1)) if vza_deg is None else np.array([vza_deg])
    return geometry.assign(
        solar_zenith_angle=("sounding", sza),
        sensor_zenith_angle=("sounding", vza),
        operation_mode=("sounding", np.array([OPERATION_MODES[mode]], dtype=np.int8)),
    )


def _corners(ground_m: np.ndarray, latitude_deg: np.ndarray, longitude_deg: np.ndarray) -> np.ndarray:
    """Return corners (n, vertex, 3) m: start-left, start-right, end-right, end-left of flight due south."""
    lon = np.radians(longitude_deg)
    east = np.stack([-np.sin(lon), np.cos(lon), np.zeros_like(lon)], axis=-1)
    north = np.cross(earth.normal(latitude_deg, longitude_deg), east)
    signs = ((1, 1), (-1, 1), (-1, -1), (1, -1))  # left of flight due south is east
    steps = [0.5 * (e * ACROSS_M * east + n * ALONG_M * north) for e, n in signs]
    return ground_m[:, None, :] + np.stack(steps, axis=1)
