"""Turn a transport model's CO2 file into profiles on the levels of nature, each column's CO2 kept.

Files are read lazily: of a global year only the boxes and steps around the footprints. The model's layers are
given the pressure they have over nature's surface, and shared out among nature's levels by mass of air.
"""

from __future__ import annotations

from collections.abc import Hashable
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import xarray as xr

from truth.atmosphere import level_weights
from truth.config import Co2File
from truth.constants import MOLAR_MASS_CO2, MOLAR_MASS_DRY_AIR, MOLAR_MASS_WATER
from truth.grids import gather, locate, named
from truth.times import unix_seconds

_TO_PPM = {  # unit of a dry-air mole fraction -> ppm
    **dict.fromkeys(("ppm", "ppmv", "1e-6", "micromol mol-1", "umol mol-1", "µmol mol-1"), 1.0),
    **dict.fromkeys(("mol mol-1", "mol mol-1 dry", "mol/mol", "mole mole-1", "v/v", "1"), 1e6),
}
_BY_MASS = ("kg kg-1", "kg kg**-1", "kg/kg")  # CO2 over moist air
_TO_PA = {"Pa": 1.0, "hPa": 100.0, "millibars": 100.0, "mb": 100.0, "mbar": 100.0}
_TIMES = ("time", "valid_time", "date")
_PLAUSIBLE_PPM = (100.0, 10_000.0)  # beyond, it is no CO2 in the unit the file names
_HALF_DAY = 43_200.0  # s, a file of one step stands for its day


class UnusableFile(ValueError):
    """A file of CO2 lacks what is asked of it: a variable, a known unit, the time, the place."""


class Layout(NamedTuple):
    """Names in the files of one model, in the order they are looked for."""

    co2: tuple[str, ...]
    hybrid: tuple[tuple[str, str], ...] = ()  # a, b of the layers' edges: p = a + b surface pressure
    edges: str = ""  # pressure of the layers' edges
    levels: tuple[str, ...] = ()  # pressures that values belong to
    column: bool = False  # XCO2 alone


_LAYOUTS = {
    "cams": Layout(
        ("co2", "CO2"),
        hybrid=(("ap", "bp"), ("hyai", "hybi"), ("a", "b")),
        levels=("level", "pressure_level", "plev", "isobaricInhPa"),
    ),
    "carbontracker": Layout(("co2",), edges="pressure"),
    "geoschem": Layout(("SpeciesConcVV_CO2", "SpeciesConc_CO2"), hybrid=(("hyai", "hybi"),)),
    "oco2_geos": Layout(("XCO2",), column=True),
    "cosmo": Layout(("XCO2",), column=True),
}
LAYOUTS = tuple(_LAYOUTS)
# Tracers of XCO2 in two-dimensional output, and their sign in the sum (photosynthesis is given as uptake)
_TRACERS = {"XCO2_A": 1, "XCO2_JV": 1, "XCO2_RA": 1, "XCO2_GPP": -1}
_EMISSIONS = ("XCO2_BV", "XCO2_BC")  # the same sources with varying and with constant emission: one of them
_BACKGROUND = "XCO2_BG"


class Levels(NamedTuple):
    """Nature's air: pressure (sounding, level) Pa, dry air and water mol m-2 by layer, time s since 1970."""

    pressure_pa: np.ndarray
    dry_air: np.ndarray
    water: np.ndarray
    time_s: np.ndarray


def profiles(file: Co2File, latitude: np.ndarray, longitude: np.ndarray, levels: Levels) -> np.ndarray:
    """Give CO2 at places (sounding, sample) on nature's levels, (sounding, sample, level) ppm dry.

    Raises UnusableFile.
    """
    layout = _layout(file)
    try:
        data = _open(file.path, Path(file.path).stat().st_mtime_ns)
        spot = locate(data, latitude, longitude)
        name, steps = _steps(data, levels.time_s)
        array = named(data, layout.co2)
        factor = _unit(array)
        values = gather(array, spot, steps, name, others=1)
        edges = _edges(data, layout, levels.pressure_pa[:, -1:])
        if edges is None:
            edges = _scaled(gather(named(data, (layout.edges,)), spot, steps, name, others=1), levels)
    except (ValueError, OSError) as error:
        raise UnusableFile(f"{file.path} as {file.layout}: {error}") from error
    _require_finite(file, values)
    if edges.shape[1] != values.shape[-1] + 1:
        found = f"found {values.shape[-1]} layers and {edges.shape[1]} edges"
        raise UnusableFile(f"{file.path} as {file.layout}: expected one edge more than layers, {found}")
    if edges[0, 0] > edges[0, -1]:
        edges, values = edges[:, ::-1], values[..., ::-1]
    if factor is not None:
        dry = factor * regrid(edges, values, levels.pressure_pa, levels.dry_air)
    else:
        moist = levels.dry_air * MOLAR_MASS_DRY_AIR + levels.water * MOLAR_MASS_WATER
        per_mol = 1e6 / MOLAR_MASS_CO2 * _cells(moist) / _cells(levels.dry_air)
        dry = per_mol[:, np.newaxis] * regrid(edges, values, levels.pressure_pa, moist)
    _require_plausible(file, dry)
    return dry


def columns(
    file: Co2File, latitude: np.ndarray, longitude: np.ndarray, time_s: np.ndarray
) -> tuple[np.ndarray, bool]:
    """Give XCO2 at places (sounding, sample), ppm, and whether it is the whole (or only what tracers add)."""
    layout = _layout(file)
    try:
        data = _open(file.path, Path(file.path).stat().st_mtime_ns)
        spot = locate(data, latitude, longitude)
        name, steps = _steps(data, time_s)
        signs, whole = _tracers(data, layout)
        total = np.zeros(latitude.shape)
        for tracer, sign in signs.items():
            factor = _unit(data[tracer])
            if factor is None:
                raise ValueError(f"expected a mole fraction in {tracer}, got a mass fraction")
            total += sign * factor * gather(data[tracer], spot, steps, name)
    except (ValueError, OSError) as error:
        raise UnusableFile(f"{file.path} as {file.layout}: {error}") from error
    _require_finite(file, total)
    if whole:
        _require_plausible(file, total)
    return total, whole


def holds_columns(file: Co2File) -> bool:
    """Tell files of XCO2 alone from those of profiles."""
    return _layout(file).column


def regrid(edges_pa: np.ndarray, values: np.ndarray, pressure_pa: np.ndarray, mass: np.ndarray) -> np.ndarray:
    """Average over the half layers above and below each level, so that the column keeps its sum.

    edges_pa     (sounding, k + 1)      rising; beyond nature's top and surface nothing counts
    values       (sounding, sample, k)
    pressure_pa  (sounding, level)
    mass         (sounding, level - 1)  of nature's layers, any unit
    """
    total = mass.sum(axis=-1, keepdims=True)
    above = np.concatenate((np.zeros_like(total), np.cumsum(mass, axis=-1)), axis=-1)
    cut = np.array([np.interp(e, p, m) for e, p, m in zip(edges_pa, pressure_pa, above, strict=True)])
    cut[:, 0], cut[:, -1] = 0.0, total[:, 0]
    weights = _cells(mass)
    ends = np.concatenate((np.zeros_like(total), np.cumsum(weights, axis=-1)), axis=-1)
    low = np.maximum(ends[:, :-1, np.newaxis], cut[:, np.newaxis, :-1])
    high = np.minimum(ends[:, 1:, np.newaxis], cut[:, np.newaxis, 1:])
    share = np.maximum(high - low, 0.0) / weights[..., np.newaxis]
    return np.einsum("nlk,nsk->nsl", share, values)


def _cells(mass: np.ndarray) -> np.ndarray:
    return level_weights(mass) * mass.sum(axis=-1, keepdims=True)


def _layout(file: Co2File) -> Layout:
    if file.layout not in _LAYOUTS:
        raise ValueError(f"expected a layout of {', '.join(LAYOUTS)}, got {file.layout!r}")
    return _LAYOUTS[file.layout]


@lru_cache(maxsize=4)
def _open(path: str, modified_ns: int) -> xr.Dataset:
    return xr.open_dataset(path, engine="netcdf4")


def _unit(array: xr.DataArray) -> float | None:
    """Give the factor to ppm, or None for a fraction by mass of moist air."""
    unit = str(array.attrs.get("units", "none"))
    if unit in _BY_MASS:
        return None
    if unit not in _TO_PPM:
        known = ", ".join((*_TO_PPM, *_BY_MASS))
        raise ValueError(f"expected {array.name} in one of {known}, found units {unit!r}")
    return _TO_PPM[unit]


def _steps(data: xr.Dataset, time_s: np.ndarray) -> tuple[Hashable | None, np.ndarray]:
    """Find times among the file's steps, with their dimension; half a step beyond the ends is the end."""
    name = str(named(data, _TIMES).name)
    if not np.issubdtype(data[name].dtype, np.datetime64):
        raise ValueError(f"expected {name} as UTC in a standard calendar, found {data[name].dtype}")
    if data[name].ndim > 1:
        raise ValueError(f"expected {name} along one dimension, found {data[name].dims}")
    steps = np.atleast_1d(unix_seconds(data[name].values))
    if np.any(np.diff(steps) <= 0.0):
        raise ValueError(f"expected {name} that rises all the way, got {_utc(steps[0])} to {_utc(steps[-1])}")
    beyond = np.diff(steps)[[0, -1]] / 2.0 if steps.size > 1 else (_HALF_DAY, _HALF_DAY)
    outside = (time_s < steps[0] - beyond[0]) | (time_s > steps[-1] + beyond[1])
    if np.any(outside):
        first, last, got = (_utc(t) for t in (steps[0], steps[-1], time_s[outside][0]))
        raise ValueError(f"expected a file that holds {got}, found times {first} to {last}")
    return next(iter(data[name].dims), None), np.interp(time_s, steps, np.arange(steps.size))


def _utc(time_s: float) -> str:
    return f"{np.datetime64(int(time_s), 's')}Z"


def _edges(data: xr.Dataset, layout: Layout, surface_pa: np.ndarray) -> np.ndarray | None:
    """Give the pressure of the layers' edges over nature's surface, (sounding, edge); None: gridded ones."""
    if layout.edges:
        return None
    for a, b in layout.hybrid:
        if a in data.variables and b in data.variables:
            return _pressure(data[a]).values + data[b].values.astype(float) * surface_pa
    names = tuple(f"{a} and {b}" for a, b in layout.hybrid) + layout.levels
    name = next((name for name in layout.levels if name in data.variables), None)
    if name is None:
        found = ", ".join(str(name) for name in data.variables)
        raise ValueError(f"expected vertical coordinates {' or '.join(names)}, found {found}")
    level = np.atleast_1d(_pressure(data[name]).values)
    if np.any(np.diff(level) * (level[-1] - level[0]) <= 0.0):
        raise ValueError(f"expected a {name} that rises or falls all the way, got {level[:4]}... Pa")
    middle = (level[1:] + level[:-1]) / 2.0
    ends = (0.0, np.inf) if level[0] < level[-1] else (np.inf, 0.0)
    return np.broadcast_to(np.concatenate((ends[:1], middle, ends[1:])), (surface_pa.size, level.size + 1))


def _pressure(array: xr.DataArray) -> xr.DataArray:
    unit = str(array.attrs.get("units", "none"))
    if unit not in _TO_PA:
        raise ValueError(f"expected {array.name} in {', '.join(_TO_PA)}, found units {unit!r}")
    return array.astype(float) * _TO_PA[unit]


def _scaled(edges: np.ndarray, levels: Levels) -> np.ndarray:
    """Average gridded edges over the footprint and stretch them onto nature's surface pressure."""
    mean = edges.mean(axis=1)
    return mean / mean.max(axis=1, keepdims=True) * levels.pressure_pa[:, -1:]


def _tracers(data: xr.Dataset, layout: Layout) -> tuple[dict[str, int], bool]:
    """Give the variables to add up with their signs, and whether they make the whole column."""
    if layout.co2[0] in data.variables:
        return {layout.co2[0]: 1}, True
    emitted = next((name for name in _EMISSIONS if name in data.variables), None)
    signs = {name: sign for name, sign in _TRACERS.items() if name in data.variables}
    if emitted:
        signs[emitted] = 1
    if _BACKGROUND in data.variables:
        return signs | {_BACKGROUND: 1}, True
    if not signs or layout is not _LAYOUTS["cosmo"]:
        named(data, layout.co2)
    return signs, False


def _require_plausible(file: Co2File, ppm: np.ndarray) -> None:
    low, high = _PLAUSIBLE_PPM
    if ppm.min() < low or ppm.max() > high:
        found = f"found {ppm.min():g} to {ppm.max():g}: check its units"
        raise UnusableFile(f"{file.path} as {file.layout}: expected CO2 of {low:g} to {high:g} ppm, {found}")


def _require_finite(file: Co2File, values: np.ndarray) -> None:
    if not np.all(np.isfinite(values)):
        raise UnusableFile(f"{file.path} as {file.layout}: expected CO2 at every place, found missing values")
