"""Say why a sounding is not retrieved, and why an XCO2 that was retrieved is not to be trusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntFlag
from functools import cache
from typing import Any

import numpy as np

from processors import products

from . import atmosphere, tables
from .bands import LAYER_EDGES_PA, LAYER_MID_PA

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
    """Bits of `quality_reasons`; the first three, CLOUD and LEVEL_1 keep a sounding from being retrieved."""

    LOW_SUN = 1
    DARK = 2
    MISSING_DATA = 4
    NOT_CONVERGED = 8
    CHI2 = 16
    SPECTELS = 32
    SNOW = 64
    SURFACE_PRESSURE = 128
    CLOUD = 256
    AEROSOL = 512
    LEVEL_1 = 1024


NONE = Reason(0)
LOG_MID_PA = np.log(LAYER_MID_PA)
MOST_VZA = 80.0  # degrees, from nadir at the ground
MOST_BEYOND = 1.2  # half spans of the tables' temperatures, from their middle
LEVEL_1_SUSPECT = 16 | 32  # bits of L1B's quality_flag: the mode is in doubt, or a band repeats itself
# ppm per optical depth of ice, over land and in glint, of benchmarks/bias_correction.py: trained on the
# aerosol ensembles of seeds 1, 3 and 4
BIAS = {False: -13.8, True: -10.6}


def refusal(sounding: Mapping[str, Any], forecast: Mapping[str, Any], settings: Mapping[str, Any]) -> Reason:
    """Tell what in geometry and forecast forbids a retrieval: numbers that are missing or outside what the
    product tables allow, air that the absorption tables do not reach, night."""
    if int(sounding.get("quality_flag", 0)) & LEVEL_1_SUSPECT:
        return Reason.LEVEL_1
    if not (
        _sensible(sounding, _allowed("l1b", *GEOMETRY, "fov", "operation_mode"))
        and _sensible(forecast, _allowed("prior", *forecast))
    ):
        return Reason.MISSING_DATA
    if not sounding["solar_zenith_angle"] < settings["sza_limit"]:
        return Reason.LOW_SUN
    return NONE if _tabled(forecast) and sounding["sensor_zenith_angle"] < MOST_VZA else Reason.MISSING_DATA


@cache
def _allowed(level: str, *names: str) -> dict[str, tuple[float, float, Sequence[int]]]:
    """Return the least and the largest value of variables by their product's table, and their flags."""
    rows = products.table(level)["variables"]
    any_number = (-np.finfo(float).max, np.finfo(float).max)
    return {
        name: (*rows.get(name, {}).get("valid_range", any_number), rows.get(name, {}).get("flag_values", ()))
        for name in names
    }


def _sensible(given: Mapping[str, Any], allowed: Mapping[str, tuple[float, float, Sequence[int]]]) -> bool:
    """Tell whether all values are numbers that their table allows."""
    for name, (low, high, flags) in allowed.items():
        inside = (given[name] >= low) & (given[name] <= high)  # of NaN neither
        if not (inside.all() if np.ndim(inside) else inside) or (flags and given[name] not in flags):
            return False
    return True


def _tabled(forecast: Mapping[str, Any]) -> bool:
    """Tell whether pressures rise, the ground lies within the layers and tables reach the temperatures."""
    pressure, psurf = np.asarray(forecast["pressure"]), float(forecast["surface_pressure"])
    low, high = atmosphere.PSURF_RANGE_PA
    if pressure[0] <= 0.0 or np.diff(pressure).min() <= 0.0 or not low <= psurf <= high:
        return False
    t, _ = tables.coordinate(np.interp(LOG_MID_PA, np.log(pressure), forecast["temperature"]))
    return bool(np.abs(t[LAYER_EDGES_PA[:-1] < psurf]).max() <= MOST_BEYOND)


def darkness(radiance: np.ndarray, sigma: np.ndarray, good: np.ndarray, snr_limit: float) -> Reason:
    """Tell whether half of each band is there and bright enough; arrays (band, spectel)."""
    if good.sum(axis=1).min() < good.shape[1] // 2:
        return Reason.MISSING_DATA
    ratio = np.where(good, radiance, np.nan) / np.where(good, sigma, 1.0)
    snr = np.median(ratio, axis=1) if good.all() else np.nanmedian(ratio, axis=1)
    return NONE if snr.min() >= snr_limit else Reason.DARK


def doubts(found: Mapping[str, Any], good: np.ndarray, settings: Mapping[str, Any]) -> tuple[Reason, int]:
    """Grade a converged retrieval; return the reasons against it and its warn level, 0 to 5.

    found  the values of the product for one sounding, and those of prescreen.estimates;  good  (band,
    spectel).
    The warn level is five times the largest share of a limit that is used up, rounded down.
    """
    chi2 = np.asarray(found["chi2"])
    shares = {
        Reason.CHI2: np.max(chi2[np.isfinite(chi2)], initial=-np.inf) / settings["chi2_limit"],
        Reason.SURFACE_PRESSURE: abs(found["psurf"] - found["psurf_apriori"]) / settings["psurf_limit"],
        Reason.SNOW: max(blended_albedo(np.asarray(found["albedo"])) / settings["snow_limit"], 0.0),
    }
    if not np.isfinite(chi2).any():
        shares[Reason.CHI2] = np.nan
    shares[Reason.AEROSOL] = aerosol_share(found, settings)
    sea = np.isnan(shares[Reason.SNOW])  # has no albedo
    if sea:
        del shares[Reason.SNOW]
    reasons = [reason for reason, share in shares.items() if not share <= 1.0]  # NaN fails
    if not good.all():
        reasons.append(Reason.SPECTELS)
    largest = max(shares.values()) if np.all(np.isfinite(list(shares.values()))) else 1.0
    return Reason(sum(reasons)), int(np.clip(5.0 * largest, 0, 5))


def aerosol_share(found: Mapping[str, Any], settings: Mapping[str, Any]) -> float:
    """Return how much of the limits on particles a sounding uses up.

    They are on their depth, on that of ice, and on the ratios of the columns that the two CO2 bands see
    before the
    retrieval: 1 where light takes the same way in both. What was not found does not count.
    """
    depth = np.asarray(found.get("aerosol_optical_depth", np.zeros(1)))
    shares = [depth.sum() / settings["aerosol_limit"], depth[-1] / settings["ice_limit"]]
    for name in ("co2_ratio", "h2o_ratio"):
        ratio = found.get(name, np.nan)
        shares.append(abs(ratio - 1.0) / settings[f"{name}_limit"] if np.isfinite(ratio) else 0.0)
    return float(max(shares))


def blended_albedo(albedo: np.ndarray) -> float:
    """Combine the albedos of the O2 A and the strong CO2 band: about 1 and more over snow (Wunch 2011)."""
    return float(2.4 * albedo[0] - 1.13 * albedo[2])


def bias_ppm(found: Mapping[str, Any], glint: bool) -> float:
    """Return the bias of XCO2 that goes with the depth of ice found, linear as what OCO-2 removes."""
    return float(BIAS[glint] * found["aerosol_optical_depth"][-1])
