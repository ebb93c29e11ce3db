"""Turn retrieved and true columns into errors, and errors into figures with their intervals."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import special

CONFIDENCE = 0.95


class Interval(NamedTuple):
    estimate: float
    low: float
    high: float


UNKNOWN = Interval(np.nan, np.nan, np.nan)


def on_levels(profile: np.ndarray, pressure: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Average profiles, linear in pressure between their points, around each level.

    profile, pressure  (sounding, any)  pressure rising;  levels  (sounding, level), same unit
    The weight of a level falls linearly in pressure to zero at its neighbours, which keeps the mass of
    the column; point values would be 0.02 ppm off where profiles bend at the tropopause.
    """
    nothing = np.full(levels.shape[1:], np.nan)  # of a sounding not retrieved
    rows = [
        _level_means(profile[n], pressure[n], levels[n]) if np.all(np.isfinite(levels[n])) else nothing
        for n in range(len(profile))
    ]
    return np.array(rows, dtype=float).reshape(levels.shape)


def _level_means(profile: np.ndarray, pressure: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Integrate profile times hat function exactly: Simpson's rule between all points of either grid."""
    inside = pressure[(pressure > levels[0]) & (pressure < levels[-1])]
    edge = np.union1d(levels, inside)
    points = np.concatenate([edge[:-1], 0.5 * (edge[:-1] + edge[1:]), edge[1:]])
    weight = np.outer([1.0, 4.0, 1.0], np.diff(edge)).ravel()
    hat = weight * np.array([np.interp(points, levels, unit) for unit in np.eye(levels.size)])
    return np.asarray(hat @ np.interp(points, pressure, profile) / hat.sum(axis=1))


def smoothed_column(
    prior_column: np.ndarray, h: np.ndarray, a: np.ndarray, x_true: np.ndarray, x_a: np.ndarray
) -> np.ndarray:
    """Return the column the retrieval would find without any error: X_a + sum_j h_j a_j (x_true - x_a)_j.

    prior_column  (sounding)  ppm;  h, a, x_true, x_a  (sounding, level), the last two ppm (Rodgers 2000)
    """
    return prior_column + np.sum(h * a * (x_true - x_a), axis=1)


def mean_interval(errors: np.ndarray, block: np.ndarray) -> Interval:
    """Give the mean and its 95 % interval by the delete-one-block jackknife, Student's t with blocks - 1.

    block  (sounding) int: soundings near each other, whose errors may be correlated, share one.
    A single block is split into its soundings, which takes their errors as independent.
    """
    if errors.size < 2:
        return Interval(mean(errors), np.nan, np.nan)
    labels = np.unique(block)
    if labels.size < 2:
        block = labels = np.arange(errors.size)
    left_out = np.array([errors[block != label].mean() for label in labels])
    count = labels.size
    error = np.sqrt((count - 1) / count * np.sum((left_out - left_out.mean()) ** 2))
    reach = special.stdtrit(count - 1, 0.5 + CONFIDENCE / 2) * error
    centre = mean(errors)
    return Interval(centre, centre - reach, centre + reach)


def scatter_ratio(errors: np.ndarray, sigma: np.ndarray) -> Interval:
    """Give scatter(errors) / rms(sigma) and its 95 % interval by chi-square with n - 1 degrees of freedom.

    The interval takes the errors as independent and Gaussian.
    """
    scale = rms(sigma)
    if errors.size < 2 or not scale > 0.0:
        return UNKNOWN
    ratio = scatter(errors) / scale
    free = errors.size - 1
    tails = special.chdtri(free, [0.5 - CONFIDENCE / 2, 0.5 + CONFIDENCE / 2])  # by exceedance
    low, high = ratio * np.sqrt(free / tails)
    return Interval(ratio, float(low), float(high))


def scatter(errors: np.ndarray) -> float:
    """Give the standard deviation about the mean (n - 1); NaN below two values."""
    return float(np.std(errors, ddof=1)) if errors.size > 1 else np.nan


def slope_interval(x: np.ndarray, y: np.ndarray) -> Interval:
    """Give the least-squares slope of y on x and its 95 % interval, Student's t with n - 2.

    The interval takes the residuals as independent; NaN where x does not vary or nothing is left to judge by.
    """
    if x.size < 2 or not np.ptp(x) > 0.0:
        return UNKNOWN
    about, free = x - x.mean(), x.size - 2
    estimate = float(about @ (y - y.mean()) / (about @ about))
    if free < 1:
        return Interval(estimate, np.nan, np.nan)
    residual = y - y.mean() - estimate * about
    reach = special.stdtrit(free, 0.5 + CONFIDENCE / 2) * np.sqrt(
        residual @ residual / free / (about @ about)
    )
    return Interval(estimate, estimate - float(reach), estimate + float(reach))


def correlation(x: np.ndarray, y: np.ndarray) -> float:
    """Give Pearson's correlation; NaN where either does not vary."""
    if x.size < 2 or not (np.ptp(x) > 0.0 and np.ptp(y) > 0.0):
        return np.nan
    return float(np.corrcoef(x, y)[0, 1])


def rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(values**2))) if values.size else np.nan


def max_abs(values: np.ndarray) -> float:
    return float(np.max(np.abs(values))) if values.size else np.nan


def mean(values: np.ndarray) -> float:
    """Give the mean; NaN of nothing, without a warning."""
    return float(values.mean()) if values.size else np.nan
