"""Say why a sounding is not retrieved, and why an XCO2 that was retrieved is not to be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntFlag
from typing import Any

import numpy as np

from . import atmosphere

GEOMETRY = (
    "solar_zenith_angle",
    "sensor_zenith_angle",
    "solar_azimuth_angle",
    "sensor_azimuth_angle",
    "sensor_recession_speed",
    "sun_recession_speed",
    "earth_sun_distance",
    "latitude",
)


class Reason(IntFlag):
    """Bits of `quality_reasons`; the first three keep a sounding from being retrieved at all."""

    LOW_SUN = 1
    DARK = 2
    MISSING_DATA = 4
    NOT_CONVERGED = 8
    CHI2 = 16
    SPECTELS = 32
    SNOW = 64
    SURFACE_PRESSURE = 128


NONE = Reason(0)


def refusal(sounding: Mapping[str, Any], forecast: Mapping[str, Any], settings: Mapping[str, Any]) -> Reason:
    """Tell what in geometry and forecast forbids a retrieval: missing numbers, night, no such pressure."""
    finite = all(np.all(np.isfinite(sounding[name])) for name in GEOMETRY)
    if not finite or not all(np.all(np.isfinite(values)) for values in forecast.values()):
        return Reason.MISSING_DATA
    if not sounding["solar_zenith_angle"] < settings["sza_limit"]:
        return Reason.LOW_SUN
    low, high = atmosphere.PSURF_RANGE_PA
    return NONE if low <= forecast["surface_pressure"] <= high else Reason.MISSING_DATA


def darkness(radiance: np.ndarray, sigma: np.ndarray, good: np.ndarray, snr_limit: float) -> Reason:
    """Tell whether half of each band is there and bright enough; arrays (band, spectel)."""
    if good.sum(axis=1).min() < good.shape[1] // 2:
        return Reason.MISSING_DATA
    snr = [np.median(r[g] / s[g]) for r, s, g in zip(radiance, sigma, good, strict=True)]
    return NONE if min(snr) >= snr_limit else Reason.DARK


def doubts(
    chi2: np.ndarray, good: np.ndarray, albedo: np.ndarray, psurf_change: float, settings: Mapping[str, Any]
) -> Reason:
    """Grade a converged retrieval: fit, spectels, snow, and cloud or aerosol by the surface pressure.

    chi2, albedo  (band), the latter NaN over the sea;  psurf_change  hPa, retrieved - forecast
    """
    found = {
        Reason.CHI2: not chi2.max() <= settings["chi2_limit"],  # NaN fails
        Reason.SPECTELS: not good.all(),
        Reason.SNOW: blended_albedo(albedo) > settings["snow_limit"],
        Reason.SURFACE_PRESSURE: not abs(psurf_change) <= settings["psurf_limit"],
    }
    return Reason(sum(reason for reason, holds in found.items() if holds))


def blended_albedo(albedo: np.ndarray) -> float:
    """Combine the albedos of the O2 A and the strong CO2 band: about 1 and more over snow (Wunch 2011)."""
    return float(2.4 * albedo[0] - 1.13 * albedo[2])
