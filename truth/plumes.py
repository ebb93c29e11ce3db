"""Turn sources of CO2 and the wind into the column enhancement of each cell under a footprint.

Steady: the Gaussian plume integrated over height. Turbulent: at each moment narrower, with a centreline that
swings and puffs of varying load; the mean over many moments is the steady plume.
"""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.special import erf

from truth.config import Source, TruthConfig
from truth.constants import EARTH_MEAN_RADIUS, MOLAR_MASS_CO2
from truth.footprint import SubSamples
from truth.random_field import keyed_generator, unit_vector

DATA = Path(__file__).parent / "data"
SPREAD = {"A": 213.0, "B": 156.0, "C": 104.0, "D": 68.0, "E": 50.5, "F": 34.0}  # m at 1 km, after Pasquill
_SPREAD_POWER = 0.894  # 1, growth of the spread with distance
_KG_PER_MT_YEAR = 1e9 / (365.25 * 86_400.0)  # kg s-1 per Mt yr-1
_MIXED_DEPTH = 1200.0  # m, well-mixed height of the plume above ground, assumed
_MIXED_EDGE = 100.0  # m, thickness of its upper edge, assumed
_FADE = (400e3, 600e3)  # m downwind: a plume is lost in the background between, assumed
_SLICES, _SLICE_WEIGHTS = np.polynomial.legendre.leggauss(16)
# Of the turbulent plume, assumed; together peaks of a 1 km map are about twice those of the steady plume
_NARROWER = 0.45  # 1, spread of one moment over the spread of the mean
_LOAD = 0.4  # 1, standard deviation of ln load
_SWING_LENGTH, _SWING_TIME = 20e3, 3600.0  # m along the wind, s as the air moves
_LOAD_LENGTH, _LOAD_TIME = 4e3, 1200.0
_WAVES = 64


class _Cells(NamedTuple):
    """Cells (sounding, sample) seen from a source, m downwind and to the left: centre, two half edges."""

    centre: np.ndarray
    across: np.ndarray
    along: np.ndarray


def sources(config: TruthConfig) -> tuple[Source, ...]:
    """Give the scenario's sources or, if it names none, the catalogue."""
    return config.sources or _catalogue()


@cache
def _catalogue() -> tuple[Source, ...]:
    with (DATA / "co2_sources.csv").open(encoding="utf-8") as file:
        return tuple(
            Source(
                name=row["name"],
                latitude=float(row["latitude"]),
                longitude=float(row["longitude"]),
                emission=float(row["emission_mt"]),
                extent=1e3 * float(row["extent_km"]),
            )
            for row in csv.DictReader(file)
        )


def enhancement(
    samples: SubSamples, dry_air: np.ndarray, time_s: np.ndarray, config: TruthConfig, seed: int
) -> np.ndarray:
    """Add the plumes of all sources, each cell's mean XCO2 (sounding, sample) ppm.

    dry_air  (sounding,)  dry-air column, mol m-2
    """
    total = np.zeros(samples.weight.shape)
    for source in sources(config):
        cells = _seen_from(source, samples, config.wind_direction)
        near = _near(source, samples, cells)
        if near.any():
            part = _Cells(*(vectors[near] for vectors in cells))
            moment = np.broadcast_to(time_s[:, np.newaxis], near.shape)[near]
            width = _cell_mean(source, part, moment, config, seed)
            total[near] += _load_ppm_m(source, config.wind_speed, dry_air)[np.nonzero(near)[0]] * width
    return total


def mixed_shape(altitude_m: np.ndarray) -> np.ndarray:
    """Weigh the column enhancement by height, (..., level): well mixed below 1.2 km above ground."""
    height = altitude_m - altitude_m[..., -1:]
    return 0.5 - 0.5 * np.tanh((height - _MIXED_DEPTH) / (2.0 * _MIXED_EDGE))


def _load_ppm_m(source: Source, wind_speed: float, dry_air: np.ndarray) -> np.ndarray:
    """Integrate the plume across the wind: emission over wind speed and air column, ppm m."""
    mol_per_m = source.emission * _KG_PER_MT_YEAR / MOLAR_MASS_CO2 / wind_speed
    return 1e6 * mol_per_m / dry_air


def _seen_from(source: Source, samples: SubSamples, wind_from_deg: float | None) -> _Cells:
    """Turn cells into the source's tangent plane, x downwind and y to the left, m."""
    towards = np.radians(90.0 if wind_from_deg is None else wind_from_deg + 180.0)
    longitude = np.radians(source.longitude)
    east = np.array((-np.sin(longitude), np.cos(longitude), 0.0))
    up = unit_vector(source.latitude, source.longitude)
    north = np.cross(up, east)
    axes = np.stack(
        (np.sin(towards) * east + np.cos(towards) * north, np.sin(towards) * north - np.cos(towards) * east),
        axis=-1,
    )
    centre = EARTH_MEAN_RADIUS * unit_vector(samples.latitude_deg, samples.longitude_deg) @ axes
    edges = (EARTH_MEAN_RADIUS * half @ axes for half in (samples.half_across, samples.half_along))
    return _Cells(centre, *edges)


def _near(source: Source, samples: SubSamples, cells: _Cells) -> np.ndarray:
    """Tell the cells the plume may reach: on the source's side of the Earth, downwind, not too far."""
    up = unit_vector(source.latitude, source.longitude)
    facing = unit_vector(samples.latitude_deg, samples.longitude_deg) @ up > 0.9
    reach = np.abs(cells.across[..., 0]) + np.abs(cells.along[..., 0])
    downwind = cells.centre[..., 0] + reach + source.extent / 2.0
    return facing & (downwind > 0.0) & (downwind < _FADE[1])


def _cell_mean(
    source: Source, cells: _Cells, time_s: np.ndarray, config: TruthConfig, seed: int
) -> np.ndarray:
    """Average the crosswind density of the plume over each cell (cell,), 1/m.

    Each slice of the cell along y is integrated exactly, the slices by Gauss-Legendre along x.
    """
    start = -source.extent / 2.0
    reach = np.abs(cells.across[:, 0]) + np.abs(cells.along[:, 0])
    last = cells.centre[:, 0] + reach
    first = np.minimum(np.maximum(cells.centre[:, 0] - reach, start), last)
    half = (last - first) / 2.0
    x = (first + half)[:, np.newaxis] + half[:, np.newaxis] * _SLICES
    low, high = _slice_ends(cells, x - cells.centre[:, :1])
    spread, swing, load = _plume(source, x, time_s[:, np.newaxis], config, seed)
    middle = cells.centre[:, 1:] - swing
    caught = erf((middle + high) / (np.sqrt(2.0) * spread)) - erf((middle + low) / (np.sqrt(2.0) * spread))
    integral = half * np.sum(_SLICE_WEIGHTS * load * caught / 2.0, axis=1)
    area = 4.0 * np.abs(_cross(cells.across, cells.along))
    return integral / area


def _slice_ends(cells: _Cells, offset: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cut a parallelogram at x offsets from its centre (cell, slice): lowest and highest y offset."""
    area = np.abs(_cross(cells.across, cells.along))[:, np.newaxis]
    low, high = np.full(offset.shape, -np.inf), np.full(offset.shape, np.inf)
    for edge in (cells.across, cells.along):
        slope = edge[:, :1]
        tiny = 1e-9 * np.linalg.norm(edge, axis=1, keepdims=True)
        slope = np.where(np.abs(slope) < tiny, tiny, slope)
        ends = (offset * edge[:, 1:] + np.stack((-area, area))) / slope
        low, high = np.maximum(low, ends.min(axis=0)), np.minimum(high, ends.max(axis=0))
    return low, np.maximum(low, high)


def _plume(
    source: Source, x: np.ndarray, time_s: np.ndarray, config: TruthConfig, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give spread m, centreline m and load 1 at x downwind; in a city the load grows from edge to edge."""
    radius = source.extent / 2.0
    at_source = source.extent / 4.0  # m, standard deviation of an evenly filled disc seen from its side
    a = SPREAD[config.stability]
    virtual = 1e3 * (at_source / a) ** (1.0 / _SPREAD_POWER)
    spread = a * ((np.maximum(x - radius, 0.0) + virtual) / 1e3) ** _SPREAD_POWER
    spread = np.maximum(spread, 1e-3)
    fade = np.clip((_FADE[1] - x) / (_FADE[1] - _FADE[0]), 0.0, 1.0)
    load = fade * fade * (3.0 - 2.0 * fade) * _emitted(x, radius)
    if config.plumes != "turbulent":
        return spread, np.zeros(x.shape), load
    key = f"plume/{source.name}/{source.latitude}/{source.longitude}"
    drift = x - config.wind_speed * time_s
    wander = np.sqrt((1.0 - _NARROWER**2) * np.maximum(spread**2 - at_source**2, 0.0))
    swing = wander * _signal(seed, f"{key}/swing", drift, time_s, _SWING_LENGTH, _SWING_TIME)
    sd = _LOAD / np.sqrt(1.0 + source.extent / _LOAD_LENGTH)  # puffs side by side over a city average out
    puffs = sd * _signal(seed, f"{key}/load", drift, time_s, _LOAD_LENGTH, _LOAD_TIME)
    return np.sqrt(spread**2 - wander**2), swing, load * np.exp(puffs - sd**2 / 2.0)


def _emitted(x: np.ndarray, radius: float) -> np.ndarray:
    """Give the share of an even disc that lies upwind of x."""
    if radius == 0.0:
        return (x >= 0.0).astype(float)
    chord = np.clip(x / radius, -1.0, 1.0)
    return 0.5 + (chord * np.sqrt(1.0 - chord**2) + np.arcsin(chord)) / np.pi


def _signal(
    seed: int, effect: str, drift_m: np.ndarray, time_s: np.ndarray, length_m: float, lifetime_s: float
) -> np.ndarray:
    """Draw a smooth Gaussian signal of unit variance that moves with the air and changes as it moves."""
    generator = keyed_generator(seed, effect)
    wave_number = generator.normal(0.0, 1.0 / length_m, _WAVES)
    frequency = generator.normal(0.0, 1.0 / lifetime_s, _WAVES)
    cosine, sine = generator.normal(0.0, 1.0 / np.sqrt(_WAVES), (2, _WAVES))
    phase = drift_m[..., np.newaxis] * wave_number + time_s[..., np.newaxis] * frequency
    return np.cos(phase) @ cosine + np.sin(phase) @ sine


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
