"""Turn places into fractional rows and columns of a model's grid, and gridded fields into values there."""

from __future__ import annotations

from collections.abc import Hashable
from typing import NamedTuple

import numpy as np
import xarray as xr

from truth.random_field import unit_vector

_LATITUDES, _LONGITUDES = ("latitude", "lat"), ("longitude", "lon")
_NEWTON = 8  # iterations on a curvilinear grid; quadratic convergence
_COARSE = 60  # rows and columns of the first guess on it
_OUTSIDE = "expected a place inside the model's grid, {axis} {low:g} to {high:g}, got {got:g}"


class Spot(NamedTuple):
    """Where places lie in a grid: fractional index, same shape as the places; dimensions by name."""

    rows: np.ndarray
    columns: np.ndarray
    row: Hashable
    column: Hashable
    wraps: bool  # the column after the last is the first


def locate(data: xr.Dataset, latitude_deg: np.ndarray, longitude_deg: np.ndarray) -> Spot:
    """Find places in a grid of latitude and longitude, of a rotated pole, or of 2-D coordinates.

    Raises ValueError when the file has none of these or a place lies outside it.
    """
    pole = next((v for v in data.variables.values() if "grid_north_pole_latitude" in v.attrs), None)
    if pole is not None and {"rlat", "rlon"} <= set(data.variables):
        latitude_deg, longitude_deg = rotate(
            latitude_deg,
            longitude_deg,
            float(pole.attrs["grid_north_pole_latitude"]),
            float(pole.attrs["grid_north_pole_longitude"]),
        )
        latitude, longitude = data["rlat"], data["rlon"]
    else:
        latitude, longitude = (named(data, names) for names in (_LATITUDES, _LONGITUDES))
    if latitude.ndim == 2:
        return _curvilinear(latitude, longitude, latitude_deg, longitude_deg)
    if latitude.dims == longitude.dims:
        raise ValueError(f"expected a grid of rows and columns, found cells along {latitude.dims}")
    columns, wraps = _meridians(longitude.values.astype(float), longitude_deg)
    rows = _along(latitude.values.astype(float), latitude_deg, "latitude")
    return Spot(rows, columns, latitude.dims[0], longitude.dims[0], wraps)


def named(data: xr.Dataset, names: tuple[str, ...]) -> xr.DataArray:
    """Give the first variable of these names; raise ValueError that lists what there is."""
    for name in names:
        if name in data.variables:
            return data[name]
    found = ", ".join(str(name) for name in data.variables)
    raise ValueError(f"expected a variable {' or '.join(names)}, found {found}")


def rotate(
    latitude_deg: np.ndarray, longitude_deg: np.ndarray, pole_latitude: float, pole_longitude: float
) -> tuple[np.ndarray, np.ndarray]:
    """Turn geographic into rotated coordinates, degrees; the rotated origin faces away from the pole."""
    phi, pole = np.radians(latitude_deg), np.radians(pole_latitude)
    turn = np.radians(np.asarray(longitude_deg) - pole_longitude)
    up = np.sin(phi) * np.sin(pole) + np.cos(phi) * np.cos(pole) * np.cos(turn)
    east = -np.cos(phi) * np.sin(turn)
    front = np.sin(phi) * np.cos(pole) - np.cos(phi) * np.sin(pole) * np.cos(turn)
    return np.degrees(np.arcsin(np.clip(up, -1.0, 1.0))), np.degrees(np.arctan2(east, front))


def gather(
    array: xr.DataArray, spot: Spot, steps: np.ndarray, time: Hashable | None, others: int = 0
) -> np.ndarray:
    """Interpolate linearly in row, column and time, (place, sample, ...other dimensions).

    Reads only the rows, columns and times around the places.
    steps   (place,)  fractional index of time; time None: a field without time
    others  how many dimensions remain; ValueError when the array has not these
    """
    further = [dim for dim in array.dims if dim not in (time, spot.row, spot.column)]
    if len(further) != others or not {spot.row, spot.column} <= set(array.dims):
        wanted_dims = f"{spot.row}, {spot.column}, {time} and {others} more"
        raise ValueError(f"expected {array.name} along {wanted_dims}, found {array.dims}")
    if time is None or time not in array.dims:
        array, time = array.expand_dims("step"), "step"
        steps = np.zeros(steps.shape)
    size = [array.sizes[dim] for dim in (time, spot.row, spot.column)]
    wanted = np.broadcast_arrays(steps[:, np.newaxis], spot.rows, spot.columns)
    floors = [np.clip(np.floor(index).astype(int), 0, n - 1) for index, n in zip(wanted, size, strict=True)]
    nexts = [np.minimum(floor + 1, n - 1) for floor, n in zip(floors, size, strict=True)]
    if spot.wraps:
        nexts[2] = (floors[2] + 1) % size[2]
    used = [np.unique((low, high)) for low, high in zip(floors, nexts, strict=True)]
    dims = (time, spot.row, spot.column)
    block = array.isel(dict(zip(dims, used, strict=True))).transpose(*dims, ...).values.astype(float)
    total = np.zeros((*wanted[0].shape, *block.shape[3:]))
    for corner in np.ndindex(2, 2, 2):
        weight = np.ones(wanted[0].shape)
        place = []
        for k, upper in enumerate(corner):
            share = wanted[k] - floors[k]
            weight = weight * (share if upper else 1.0 - share)
            place.append(np.searchsorted(used[k], nexts[k] if upper else floors[k]))
        values = block[tuple(place)]
        weight = weight.reshape(weight.shape + (1,) * (values.ndim - 2))
        total += np.where(weight == 0.0, 0.0, weight * values)
    return total


def _along(axis: np.ndarray, wanted: np.ndarray, name: str) -> np.ndarray:
    """Give the fractional index on an axis that rises or falls; half a step beyond its ends is its end."""
    index = np.arange(axis.size, dtype=float)
    if axis.size > 1 and axis[0] > axis[-1]:
        axis, index = axis[::-1], index[::-1]
    if axis.size > 1 and np.any(np.diff(axis) <= 0.0):
        raise ValueError(f"expected a {name} that rises or falls all the way, got {axis[:4]}...")
    beyond = (axis[1] - axis[0], axis[-1] - axis[-2]) if axis.size > 1 else (0.0, 0.0)
    low, high = axis[0] - beyond[0] / 2.0, axis[-1] + beyond[1] / 2.0
    outside = (wanted < low - 1e-9) | (wanted > high + 1e-9)
    if np.any(outside):
        raise ValueError(_OUTSIDE.format(axis=name, low=low, high=high, got=wanted[outside].flat[0]))
    return np.interp(wanted, axis, index)


def _meridians(axis: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, bool]:
    """Give the fractional column; a global grid closes on itself."""
    span = axis[-1] - axis[0]
    step, east = abs(span) / max(axis.size - 1, 1), np.sign(span)
    around = axis[0] + east * (east * (wanted - axis[0]) % 360.0)
    if np.isclose(abs(span), 360.0):  # the first meridian again at the end
        return _along(axis, around, "longitude"), False
    if axis.size > 1 and axis.size * step > 360.0 - 0.5 * step:
        return _along(np.append(axis, axis[0] + east * 360.0), around, "longitude"), True
    middle = (axis[0] + axis[-1]) / 2.0
    return _along(axis, middle + (wanted - middle + 180.0) % 360.0 - 180.0, "longitude"), False


def _curvilinear(
    latitude: xr.DataArray, longitude: xr.DataArray, latitude_deg: np.ndarray, longitude_deg: np.ndarray
) -> Spot:
    """Invert 2-D coordinates by Newton's method on their bilinear interpolation."""
    grid = unit_vector(latitude.values, longitude.values)
    up = grid.mean(axis=(0, 1))
    east = np.cross((0.0, 0.0, 1.0), up)
    axes = np.stack((east, np.cross(up, east)), axis=-1)
    place = unit_vector(latitude_deg, longitude_deg)
    plane, wanted = grid @ axes, place @ axes
    ends = np.array(plane.shape[:2]) - 1
    guesses = [np.unique(np.linspace(0, end, _COARSE).astype(int)) for end in ends]
    coarse = plane[np.ix_(*guesses)]
    flat = wanted.reshape(-1, 2)
    nearest = np.argmin(np.sum((flat[:, np.newaxis] - coarse.reshape(-1, 2)) ** 2, axis=-1), axis=1)
    first = np.unravel_index(nearest, coarse.shape[:2])
    index = np.stack([guess[k] for guess, k in zip(guesses, first, strict=True)], axis=-1).astype(float)
    for _ in range(_NEWTON):
        value, slope = _bilinear(plane, index, ends)
        index = index + np.linalg.solve(slope, (flat - value)[..., np.newaxis])[..., 0]
        index = np.clip(index, -1.0, ends + 1.0)
    behind = (place @ up).reshape(-1) <= 0.0  # the other side of the Earth lies in the same plane
    far = behind | np.any((index < -0.5) | (index > ends + 0.5), axis=1)
    if np.any(far):
        got = latitude_deg.reshape(-1)[far][0]
        low, high = float(latitude.min()), float(latitude.max())
        raise ValueError(_OUTSIDE.format(axis="latitude", low=low, high=high, got=got))
    rows, columns = np.clip(index, 0.0, ends).T.reshape(2, *latitude_deg.shape)
    return Spot(rows, columns, latitude.dims[0], latitude.dims[1], wraps=False)


def _bilinear(plane: np.ndarray, index: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Interpolate coordinates at fractional indices (point, 2) and give their slope (point, 2, 2)."""
    floor = np.clip(np.floor(index).astype(int), 0, ends - 1)
    (i, j), (r, c) = floor.T, (index - floor).T[..., np.newaxis]
    a, b, d, e = plane[i, j], plane[i + 1, j], plane[i, j + 1], plane[i + 1, j + 1]
    value = (1 - c) * ((1 - r) * a + r * b) + c * ((1 - r) * d + r * e)
    by_row = (1 - c) * (b - a) + c * (e - d)
    by_column = (1 - r) * (d - a) + r * (e - b)
    return value, np.stack((by_row, by_column), axis=-1)
