"""Turn joined soundings into the figures of a verdict: counts, errors, anomalies, quality of the fit."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from twin.verify.join import Soundings, match
from twin.verify.statistics import (
    Interval,
    correlation,
    max_abs,
    mean,
    mean_interval,
    rms,
    scatter,
    scatter_ratio,
    slope_interval,
)

PRIOR_ERROR_LEAST_PPM = 0.5  # ppm, of the mean prior error below which its leak is a ratio of noise
EARTH_RADIUS_M = 6.371e6  # m, mean: for distances of metres to kilometres
WRONG_PPM = 3.0  # ppm, twice the mission's threshold of the random error: a good flag on it misleads users
FLAGS = ("low_sun", "snow", "surface_pressure", "chi2")  # reasons of L2 that have a figure
Figures = dict[str, float]


def census(soundings: Soundings) -> Figures:
    """Count the soundings: observed, lost, declined, converged, flagged, kept."""
    l2 = soundings.l2
    expected, rows = soundings.observed["sounding_id"].size, l2["xco2"].size
    declined, counted = int(soundings.not_attempted.sum()), int(soundings.counted.sum())
    good = (l2["xco2_quality_flag"] == 0) & ~soundings.not_attempted
    share = {
        "soundings_not_attempted_fraction": declined,
        "soundings_flagged_fraction": rows - int(good.sum()),
        "converged_fraction": counted,
        "quality_kept_fraction": int(good.sum()),
        **{f"flagged_{name}_fraction": _flagged(soundings, name) for name in FLAGS},
    }
    return {
        "soundings_expected": expected,
        "soundings_retrieved": int(np.isfinite(l2["xco2"]).sum()),
        "soundings_missing": expected - rows,
        "soundings_unexpected": soundings.unexpected,
        "soundings_not_attempted": declined,
        "soundings_counted": counted,
        "soundings_kept": int(soundings.kept.sum()),
        "soundings_not_converged": rows - counted,
        **{name: count / expected if expected else math.nan for name, count in share.items()},
    }


def _flagged(soundings: Soundings, reason: str) -> float:
    """Count the soundings flagged for a reason; NaN where the product does not know it."""
    flagged = soundings.reasons().get(reason)
    return math.nan if flagged is None else float(flagged.sum())


def reasons(soundings: Soundings) -> list[dict[str, Any]]:
    """List the reasons the product gives for bad quality, with the number of soundings each."""
    return [{"reason": name, "soundings": int(rows.sum())} for name, rows in soundings.reasons().items()]


def errors(soundings: Soundings) -> Figures:
    """Give the errors of XCO2 and surface pressure of the converged soundings."""
    use = soundings.counted
    raw, smoothed = soundings.error_ppm[use], soundings.smoothed_error_ppm[use]
    psurf, true_psurf = soundings.psurf_error_hpa[use], soundings.truth["surface_pressure"][use]
    noise, total = soundings.l2["xco2_uncertainty_noise"][use], soundings.l2["xco2_uncertainty"][use]
    on_levels = (soundings.truth_on_levels_ppm - soundings.truth["xco2"])[use]
    bias = mean_interval(raw, soundings.block[use])
    return {
        **_spread("xco2_error_mean", bias, "_ppm"),
        "xco2_error_mean_abs_ppm": abs(bias.estimate),
        "xco2_error_scatter_ppm": scatter(raw),
        "xco2_error_max_abs_ppm": max_abs(raw),
        **_spread("smoothed_error_mean", mean_interval(smoothed, soundings.block[use]), "_ppm"),
        "smoothed_error_mean_abs_ppm": abs(mean(smoothed)),
        "smoothed_error_scatter_ppm": scatter(smoothed),
        "smoothed_error_max_abs_ppm": max_abs(smoothed),
        **_spread("smoothed_scatter_to_noise_sigma", scatter_ratio(smoothed, noise), ""),
        "raw_error_rms_to_total_sigma": rms(raw) / rms(total) if raw.size else math.nan,
        "noise_sigma_ppm": rms(noise),
        "total_sigma_ppm": rms(total),
        "truth_on_levels_max_abs_ppm": max_abs(on_levels),
        "surface_pressure_error_mean_hpa": mean(psurf),
        "surface_pressure_error_mean_abs_hpa": abs(mean(psurf)),
        "surface_pressure_error_scatter_hpa": scatter(psurf),
        "surface_pressure_error_max_abs_hpa": max_abs(psurf),
        "surface_pressure_true_range_hpa": float(np.ptp(true_psurf)) if true_psurf.size else math.nan,
    }


def kept(soundings: Soundings) -> Figures:
    """Give the errors of XCO2 of what the quality flag leaves."""
    use = soundings.kept
    raw, smoothed = soundings.error_ppm[use], soundings.smoothed_error_ppm[use]
    expected = soundings.observed["sounding_id"].size
    wrong = float(np.sum(~(np.abs(raw) <= WRONG_PPM)))  # a good flag on no number misleads, too
    return {
        "kept_wrong_fraction": wrong / expected if expected else math.nan,
        "kept_error_mean_ppm": mean(raw),
        "kept_error_mean_abs_ppm": abs(mean(raw)),
        "kept_error_scatter_ppm": scatter(raw),
        "kept_smoothed_error_mean_abs_ppm": abs(mean(smoothed)),
        "kept_smoothed_error_scatter_ppm": scatter(smoothed),
    }


def anomaly(soundings: Soundings) -> Figures:
    """Say how XCO2 follows the truth between soundings, and how much of the prior's error it keeps."""
    use = soundings.counted
    true, found = soundings.truth["xco2"][use], soundings.l2["xco2"][use]
    prior_error = mean(soundings.l2["xco2_apriori"][use] - true)
    leak = (
        mean(soundings.smoothed_ppm[use] - true) / prior_error
        if abs(prior_error) >= PRIOR_ERROR_LEAST_PPM
        else math.nan
    )
    return {
        **_spread("anomaly_slope", slope_interval(true, found), ""),
        "anomaly_correlation": correlation(true, found),
        "anomaly_true_range_ppm": float(np.ptp(true)) if true.size else math.nan,
        "prior_error_mean_ppm": prior_error,
        "prior_leak": leak,
    }


def _spread(name: str, interval: Interval, unit: str) -> Figures:
    return {
        f"{name}{unit}": interval.estimate,
        f"{name}_low{unit}": interval.low,
        f"{name}_high{unit}": interval.high,
    }


def placement(soundings: Soundings) -> Figures:
    """Give the largest errors of place and time that products carry; NaN where none has them."""
    known, rows = match(soundings.l2["sounding_id"], soundings.observed["sounding_id"])
    there = {name: soundings.observed[name][known] for name in ("latitude", "longitude", "time")}
    told = {name: soundings.l2[name][rows] for name in there}
    late_s = told["time"] - there["time"]
    north = np.radians(told["latitude"] - there["latitude"])
    east = np.radians((told["longitude"] - there["longitude"] + 180.0) % 360.0 - 180.0)
    apart_m = EARTH_RADIUS_M * np.hypot(north, east * np.cos(np.radians(there["latitude"])))
    return {
        "footprint_error_max_m": max_abs(apart_m[np.isfinite(apart_m)]),
        "time_error_max_s": max_abs(late_s[np.isfinite(late_s)]),
    }


def fit(soundings: Soundings) -> Figures:
    """Give the quality of the spectral fit of the converged soundings."""
    use = soundings.counted
    chi2 = soundings.l2["chi2"]
    bands = chi2.T[:, use] if chi2.ndim == 2 else np.full((4, use.sum()), np.nan)
    return {
        **{f"chi2_b{n + 1}": mean(values) for n, values in enumerate(bands)},
        "dof_co2": mean(soundings.l2["dof_co2"][use]),
        "iterations": mean(soundings.l2["iterations"][use]),
    }
