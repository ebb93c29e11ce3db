"""Turn place and seed into land and sea and the altitude of the ground."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from truth.config import TruthConfig
from truth.random_field import Scale, random_field

DATA = Path(__file__).parent / "data"
_STEP_M, _FLOOR_M = 28.0, -450.0  # m, of the 5' relief
_CELLS_A_DEGREE, _MASK_CELLS_A_DEGREE = 12, 60
# 1, rms of the structure below 10 km over that of the surroundings: a Hurst exponent of 0.75, assumed
_FINE = (Scale(3.0e3, 0.45), Scale(1.2e3, 0.23))
_COAST = 0.6  # 1, range of the smoothed mask over which land gives way to sea, about 1 km; assumed
_BURIED_M = 200.0  # m of ice that smooth the bed to a third, assumed
_TIMELESS = 0.0  # s


@cache
def _tables() -> tuple[np.ndarray, np.ndarray]:
    """Read relief steps (row, column) and the packed bits of the land, from 90 N and 180 W."""
    with np.load(DATA / "relief.npz") as file:
        return np.cumsum(file["relief"], axis=1, dtype=np.uint8), file["land"]


@cache
def _ice() -> np.ndarray:
    """Read latitude, western and eastern margin deg, and crest m of Greenland's ice, (column, row)."""
    return np.loadtxt(DATA / "greenland_ice.csv", delimiter=",", skiprows=1).T


def ice_sheet_m(latitude_deg: ArrayLike, longitude_deg: ArrayLike) -> np.ndarray:
    """Give the altitude of Greenland's ice, 0 elsewhere: a profile in balance (Vialov 1958) west to east.

    The 5' relief holds the bed below it, which lies near sea level; of Antarctica it holds the surface.
    """
    nodes, *columns = _ice()
    latitude = np.asarray(latitude_deg, dtype=float)
    west, east, crest = (np.interp(latitude, nodes, column) for column in columns)
    offset = (np.asarray(longitude_deg, dtype=float) - (west + east) / 2.0 + 180.0) % 360.0 - 180.0
    share = np.minimum(np.abs(offset) / ((east - west) / 2.0), 1.0)
    return crest * (1.0 - share ** (4.0 / 3.0)) ** (3.0 / 8.0)


def _cell(
    latitude_deg: ArrayLike, longitude_deg: ArrayLike, cells_a_degree: int
) -> tuple[np.ndarray, np.ndarray]:
    """Give row and column with their fractions; whole numbers are cell centres."""
    row = (90.0 - np.asarray(latitude_deg, dtype=float)) * cells_a_degree - 0.5
    column = (np.asarray(longitude_deg, dtype=float) + 180.0) * cells_a_degree - 0.5
    return row, column


def land_share(latitude_deg: ArrayLike, longitude_deg: ArrayLike) -> np.ndarray:
    """Give 1 on land and 0 at sea, with a coast about 1 km wide; lakes are land."""
    _, bits = _tables()
    row, column = _cell(latitude_deg, longitude_deg, _MASK_CELLS_A_DEGREE)
    first_row, first_column = np.floor(row).astype(int), np.floor(column).astype(int)
    down, right = row - first_row, column - first_column
    smooth = np.zeros(row.shape)
    for i, row_weight in ((0, 1.0 - down), (1, down)):
        for j, column_weight in ((0, 1.0 - right), (1, right)):
            r = np.clip(first_row + i, 0, bits.shape[0] - 1)
            c = (first_column + j) % (8 * bits.shape[1])
            smooth += row_weight * column_weight * (bits[r, c >> 3] >> (7 - (c & 7)) & 1)
    return np.clip((smooth - 0.5) / _COAST + 0.5, 0.0, 1.0)


def _bspline(fraction: np.ndarray) -> np.ndarray:
    """Give the uniform cubic B-spline's weights of the four cells around a point, (4, ...), sum 1."""
    t = fraction
    return np.stack(((1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3)) / 6.0


def coarse_altitude_m(latitude_deg: ArrayLike, longitude_deg: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Give altitude and its standard deviation around, both over a few 5' cells; 8 m hide in a step.

    Ice lies on the table's bed, and is smoother. The cubic B-spline is smooth to its second derivative and
    averages the 28 m steps of the table away.
    """
    steps, _ = _tables()
    row, column = _cell(latitude_deg, longitude_deg, _CELLS_A_DEGREE)
    first_row, first_column = np.floor(row).astype(int), np.floor(column).astype(int)
    row_weights, column_weights = _bspline(row - first_row), _bspline(column - first_column)
    mean, square = np.zeros(row.shape), np.zeros(row.shape)
    for i in range(4):
        for j in range(4):
            r = np.clip(first_row + i - 1, 0, steps.shape[0] - 1)
            altitude = _FLOOR_M + _STEP_M * steps[r, (first_column + j - 1) % steps.shape[1]]
            weight = row_weights[i] * column_weights[j]
            mean += weight * altitude
            square += weight * altitude**2
    ice = ice_sheet_m(latitude_deg, longitude_deg)
    thickness = np.where(ice > 0.0, np.maximum(ice - mean, 0.0), 0.0)  # ground below the sea keeps its depth
    variance = np.maximum(square - mean**2, 0.0) * np.exp(-2.0 * thickness / _BURIED_M)
    return mean + thickness, np.sqrt(variance + _STEP_M**2 / 12.0)


def altitude_m(
    latitude_deg: ArrayLike, longitude_deg: ArrayLike, seed: int, config: TruthConfig
) -> np.ndarray:
    """Give the altitude of the ground: the 5' relief, finer hills drawn in its roughness, and sea at 0.

    The hills are synthetic: no data below 10 km. A scenario without relief, or all at sea, is flat.
    """
    land = land_share(latitude_deg, longitude_deg)
    if not config.relief or config.surface == "ocean":
        return np.zeros(land.shape)
    coarse, roughness = coarse_altitude_m(latitude_deg, longitude_deg)
    hills = random_field(seed, "relief", _FINE, latitude_deg, longitude_deg, _TIMELESS)
    return land * np.maximum(coarse + roughness * hills, np.minimum(coarse, 0.0))
