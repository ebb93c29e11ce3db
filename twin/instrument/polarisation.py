"""Turn Stokes parameters at the sensor into the radiance that a slightly polarising instrument senses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from twin.instrument.asbuilt import AsBuilt


def sensed(
    radiance_ds: Mapping[Any, Any], geometry_ds: xr.Dataset, asbuilt: AsBuilt, band: int
) -> np.ndarray:
    """Give I + p (Q cos 2 chi + U sin 2 chi)  (sounding, point); I alone if the light has no Q and U.

    chi runs from upright (docs/conventions.md) to the instrument's axis.
    """
    name = asbuilt.band[band]
    radiance = np.asarray(radiance_ds[f"radiance_{name}"])
    if f"stokes_q_{name}" not in radiance_ds:
        return radiance
    chi = slit_angle_rad(geometry_ds) + asbuilt.polarisation_axis_rad[band]
    q, u = (np.asarray(radiance_ds[f"stokes_{kind}_{name}"]) for kind in "qu")
    swing = q * np.cos(2.0 * chi)[:, np.newaxis] + u * np.sin(2.0 * chi)[:, np.newaxis]
    return radiance + asbuilt.polarisation[band] * swing


def slit_angle_rad(geometry_ds: xr.Dataset) -> np.ndarray:
    """Give the angle from upright to the slit, left to right, anticlockwise to the sensor  (sounding).

    geometry_ds: vertex_latitude, vertex_longitude (sounding, vertex) deg, sensor_zenith_angle,
    sensor_azimuth_angle (sounding) deg.
    """
    latitude, longitude = (geometry_ds[f"vertex_{name}"].values for name in ("latitude", "longitude"))
    longitude = np.unwrap(longitude, period=360.0, axis=1)
    north, east = ((x[:, 1] + x[:, 2] - x[:, 0] - x[:, 3]) / 2.0 for x in (latitude, longitude))
    azimuth = np.arctan2(east * np.cos(np.radians(latitude.mean(axis=1))), north)
    vza, vaa = (np.radians(geometry_ds[f"sensor_{name}_angle"].values) for name in ("zenith", "azimuth"))
    return np.arctan2(np.sin(azimuth - vaa), -np.cos(vza) * np.cos(azimuth - vaa))
