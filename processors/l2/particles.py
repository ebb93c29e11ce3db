"""Give the optical properties of the particles that L2 fits, and their share in each layer with
derivatives."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numba import njit

from .bands import BANDS, LAYER_EDGES_PA

COLUMNS = ("type", "wavelength_um", "extinction", "single_scattering_albedo", "asymmetry")


@dataclass(frozen=True)
class Optics:
    """Optical properties at the band centres; every array (type, band), extinction relative to 0.755 um."""

    names: tuple[str, ...]
    extinction: np.ndarray
    albedo: np.ndarray  # of single scattering
    asymmetry: np.ndarray  # of a Henyey-Greenstein phase function


def read(path: Path) -> Optics:
    """Read the auxiliary table of the particle types; log-log in extinction, linear otherwise."""
    rows: dict[str, list[tuple[float, ...]]] = {}
    with path.open(newline="") as file:
        for row in csv.DictReader(line for line in file if not line.startswith("#")):
            rows.setdefault(row["type"], []).append(tuple(float(row[name]) for name in COLUMNS[1:]))
    if not rows:
        raise ValueError(f"{path}: expected columns {', '.join(COLUMNS)}")
    center = np.array([2e4 / (band.first_cm1 + band.last_cm1) for band in BANDS])
    tables = [np.array(sorted(values)).T for values in rows.values()]
    at = np.log(center)
    return Optics(
        tuple(rows),
        np.array([np.exp(np.interp(at, np.log(t[0]), np.log(t[1]))) for t in tables]),
        np.array([np.interp(at, np.log(t[0]), t[2]) for t in tables]),
        np.array([np.interp(at, np.log(t[0]), t[3]) for t in tables]),
    )


def henyey_greenstein(asymmetry: np.ndarray, cos_scattering: np.ndarray | float) -> np.ndarray:
    """Return the phase function, mean 1 over the sphere (Henyey & Greenstein 1941)."""
    g = asymmetry
    return np.asarray((1.0 - g * g) / (1.0 + g * g - 2.0 * g * cos_scattering) ** 1.5)


def profile(psurf_pa: float, height: float, width: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return each layer's share of an optical depth (layer) and its slopes by height and by psurf (hPa-1).

    Gaussian in p/p_s about `height` with standard deviation `width`, cut at the top and at the ground.
    """
    return _profile(psurf_pa, height, width, LAYER_EDGES_PA)  # type: ignore[no-any-return]


@njit(cache=True)
def _profile(psurf, height, width, edges_pa):  # type: ignore[no-untyped-def]
    count = edges_pa.size - 1
    share, by_height, by_psurf = np.zeros(count), np.zeros(count), np.zeros(count)
    below, d_below = _normal((0.0 - height) / width)
    ground, d_ground = _normal((1.0 - height) / width)
    total, d_total = ground - below, -(d_ground - d_below) / width
    lower, d_lower, x_lower = below, d_below, 0.0
    for l in range(count):
        x = min(edges_pa[l + 1] / psurf, 1.0)
        upper, d_upper = _normal((x - height) / width)
        share[l] = (upper - lower) / total
        by_height[l] = (-(d_upper - d_lower) / width - share[l] * d_total) / total
        moved_upper = -x * d_upper if x < 1.0 else 0.0
        moved_lower = -x_lower * d_lower
        by_psurf[l] = (moved_upper - moved_lower) / width / total / psurf * 100.0
        if x >= 1.0:
            break
        lower, d_lower, x_lower = upper, d_upper, x
    return share, by_height, by_psurf


@njit(cache=True)
def _normal(z):  # type: ignore[no-untyped-def]
    """Return the normal distribution and its density."""
    return 0.5 * math.erfc(-z / math.sqrt(2.0)), math.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)
