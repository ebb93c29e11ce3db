"""Turn place, season and configuration into the shares of each kind of surface."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from truth import atmosphere, relief
from truth.config import TruthConfig
from truth.constants import EARTH_MEAN_RADIUS, STANDARD_PRESSURE
from truth.footprint import SubSamples
from truth.random_field import Scale, random_field, unit_vector
from truth.times import decimal_year

DATA = Path(__file__).parent / "data"
KINDS = ("ocean", "vegetation", "forest", "soil", "desert", "snow", "city")  # flag values 0..6
_BARE = ("vegetation", "forest", "soil", "desert")  # kinds of map, before snow and cities
# Weights of land outside every region, and all that follows down to the cities: round figures, assumed
_EVERYWHERE = {"vegetation": 1.0, "forest": 0.5, "soil": 0.4, "desert": 0.02}
_PATCHES = (Scale(1.5e3, 0.5), Scale(8e3, 0.8), Scale(60e3, 0.7))  # 1, of ln weight
_TREE_LINE = ((30.0, 77.0), (4000.0, -500.0))  # deg from the equator, m
_MEADOWS_M, _LINE_M = 1000.0, 500.0  # of grass above the last trees; over which either line thins out
_WINTER_CROP = 0.3  # 1, of the vegetation that stands in winter
_SNOW_BELOW, _SNOW_SPREAD = 268.0, 1.5  # K, of the climatology's air at the ground
_SNOW_PATCHES = (Scale(5e3, 1.5), Scale(50e3, 2.0))  # K
_LAPSE_RATE = 4.5e-3  # K m-1, high plains are warmer than the free air at their height
_CANOPY_HIDES = 0.6  # 1, of the snow under a closed forest
_ICE = 60.0  # 1, weight of the snow on Greenland's ice, that of the regions
_CITY_EDGE_M = 2000.0  # m, over which a city thins out
_BUILT = 0.7  # 1, of a city's area; the rest stays what it was
_WARMEST = 0.55  # year fraction, of the north
_TIMELESS = 0.0  # s


class Cover(NamedTuple):
    """Shares (sounding, sample, kind) that sum to 1, and greenness (sounding, sample), 0 bare to 1."""

    share: np.ndarray
    greenness: np.ndarray

    def of(self, kind: str) -> np.ndarray:
        return self.share[..., KINDS.index(kind)]


def cover(samples: SubSamples, time_s: np.ndarray, config: TruthConfig, seed: int) -> Cover:
    """Cover the sub-samples with the kind the scenario names, or with the map's mixture."""
    latitude, longitude = samples.latitude_deg, samples.longitude_deg
    season = np.broadcast_to((decimal_year(time_s) % 1.0)[:, np.newaxis], latitude.shape)
    green = greenness(latitude, season)
    if config.surface == "map":
        return Cover(_map(latitude, longitude, season, green, config, seed), green)
    if config.surface not in KINDS:
        raise ValueError(
            f"surface must be map or one of {', '.join(KINDS)}, got {config.surface!r}: name a known kind"
        )
    share = np.zeros((*latitude.shape, len(KINDS)))
    share[..., KINDS.index(config.surface)] = 1.0
    return Cover(share, green)


def greenness(latitude_deg: ArrayLike, year_fraction: ArrayLike) -> np.ndarray:
    """Give 1 in leaf, 0 bare: always in leaf in the tropics, from late spring to autumn beyond 30 degrees."""
    latitude = np.asarray(latitude_deg, dtype=float)
    phase = np.where(latitude >= 0.0, _WARMEST, _WARMEST + 0.5)
    summer = 0.5 + 0.5 * np.cos(2.0 * np.pi * (np.asarray(year_fraction) - phase))
    evergreen = 1.0 - _smooth_step((np.abs(latitude) - 15.0) / 15.0)
    return evergreen + (1.0 - evergreen) * _smooth_step((summer - 0.45) / 0.4)


def _smooth_step(x: np.ndarray) -> np.ndarray:
    x = np.clip(x, 0.0, 1.0)
    return x * x * (3.0 - 2.0 * x)


def _map(
    latitude: np.ndarray,
    longitude: np.ndarray,
    season: np.ndarray,
    green: np.ndarray,
    config: TruthConfig,
    seed: int,
) -> np.ndarray:
    """Mix what grows, lay cities and snow over it, and cut the sea out, (..., kind)."""
    share = np.zeros((*latitude.shape, len(KINDS)))
    for kind, part in _growth(latitude, longitude, green, seed).items():
        share[..., KINDS.index(kind)] = part
    city = _BUILT * _city(latitude, longitude, config)
    share *= (1.0 - city)[..., np.newaxis]
    share[..., KINDS.index("city")] = city
    hidden = _CANOPY_HIDES * share[..., KINDS.index("forest")]
    lasting = _regional("snow", latitude, longitude) + _ICE * (relief.ice_sheet_m(latitude, longitude) > 0.0)
    snow = np.maximum(_snow(latitude, longitude, season, seed) * (1.0 - hidden), lasting / (1.0 + lasting))
    share *= (1.0 - snow)[..., np.newaxis]
    share[..., KINDS.index("snow")] = snow
    land = relief.land_share(latitude, longitude)
    share *= land[..., np.newaxis]
    share[..., KINDS.index("ocean")] = 1.0 - land
    return share


def _growth(
    latitude: np.ndarray, longitude: np.ndarray, green: np.ndarray, seed: int
) -> dict[str, np.ndarray]:
    """Share the bare ground among the kinds by their weights in the region and a patchwork of fields."""
    weight = {}
    for kind in _BARE:
        patches = random_field(seed, f"land cover/{kind}", _PATCHES, latitude, longitude, _TIMELESS)
        weight[kind] = (_EVERYWHERE[kind] + _regional(kind, latitude, longitude)) * np.exp(patches)
    fallow = (1.0 - _WINTER_CROP) * (1.0 - green) * weight["vegetation"]
    weight["vegetation"] = weight["vegetation"] - fallow
    weight["soil"] = weight["soil"] + fallow
    height = relief.coarse_altitude_m(latitude, longitude)[0]
    trees = np.interp(np.abs(latitude), *_TREE_LINE)
    for kind, line in (("forest", trees), ("vegetation", trees + _MEADOWS_M)):
        barren = weight[kind] * _smooth_step((height - line) / _LINE_M + 0.5)
        weight[kind] = weight[kind] - barren
        weight["soil"] = weight["soil"] + barren
    total = sum(weight.values())
    return {kind: part / total for kind, part in weight.items()}


@cache
def _regions() -> tuple[dict[str, str], ...]:
    with (DATA / "landcover_regions.csv").open(encoding="utf-8") as file:
        return tuple(csv.DictReader(file))


def _regional(kind: str, latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
    """Add the weights of all regions of a kind, flat inside and fading over their rims."""
    total = np.zeros(latitude.shape)
    for region in _regions():
        if region["kind"] == kind:
            north = (latitude - float(region["latitude"])) / float(region["half_height_deg"])
            east = (longitude - float(region["longitude"]) + 180.0) % 360.0 - 180.0
            east = east / float(region["half_width_deg"])
            total += float(region["weight"]) * np.exp(-((north**2 + east**2) ** 2))
    return total


def _snow(latitude: np.ndarray, longitude: np.ndarray, season: np.ndarray, seed: int) -> np.ndarray:
    """Cover the ground where the climatology's air is cold at its height."""
    sea_level = np.full((*latitude.shape, 1), STANDARD_PRESSURE)
    air = atmosphere.climatology(sea_level, latitude, season)[0][..., 0]
    air = air - _LAPSE_RATE * relief.coarse_altitude_m(latitude, longitude)[0]
    air = air + random_field(seed, "snow", _SNOW_PATCHES, latitude, longitude, _TIMELESS)
    return 1.0 / (1.0 + np.exp(np.clip((air - _SNOW_BELOW) / _SNOW_SPREAD, -50.0, 50.0)))


@cache
def _cities() -> tuple[tuple[float, float, float], ...]:
    """Read latitude, longitude, diameter in m of the cities of the emission catalogue."""
    with (DATA / "co2_sources.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] == "city"]
    return tuple(
        (float(row["latitude"]), float(row["longitude"]), 1e3 * float(row["extent_km"])) for row in rows
    )


def _city(latitude: np.ndarray, longitude: np.ndarray, config: TruthConfig) -> np.ndarray:
    """Give 1 inside a city of the catalogue or of the scenario."""
    named = tuple(
        (each.latitude, each.longitude, each.extent) for each in config.sources if each.extent > 0.0
    )
    place = unit_vector(latitude, longitude)
    inside = np.zeros(latitude.shape)
    for city_latitude, city_longitude, diameter_m in _cities() + named:
        centre = unit_vector(city_latitude, city_longitude)
        distance_m = EARTH_MEAN_RADIUS * np.linalg.norm(place - centre, axis=-1)
        inside = np.maximum(inside, np.clip((diameter_m / 2.0 - distance_m) / _CITY_EDGE_M + 0.5, 0.0, 1.0))
    return inside
