"""Turn the CO2 field under each footprint into mean profiles and dry-air columns, and say what made them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from truth import atmosphere, biosphere, co2, co2_files, plumes
from truth.config import TruthConfig
from truth.constants import AVOGADRO
from truth.footprint import SubSamples
from truth.times import decimal_year

Field = tuple[tuple[str, ...], np.ndarray]
LAYERS = ("biosphere", "synoptic", "plume")  # what is added to the background, each reported by itself


class Air(NamedTuple):
    """Air over each footprint: levels (sounding, level) and their dry-air weights, layers mol m-2."""

    pressure_pa: np.ndarray
    altitude_m: np.ndarray
    weights: np.ndarray
    dry_air: np.ndarray
    water: np.ndarray
    latitude_deg: np.ndarray
    time_s: np.ndarray


class Part(NamedTuple):
    """One addition to the background: XCO2 (sounding, sample) ppm, weight by height (sounding, level)."""

    layer: str
    column: np.ndarray
    shape: np.ndarray


def co2_fields(
    samples: SubSamples,
    fields: dict[str, Field],
    place: tuple[np.ndarray, ...],
    config: TruthConfig,
    seed: int,
) -> dict[str, Field]:
    """Average profile and dry-air column over the footprint; the air above it is the footprint's mean."""
    pressure, humidity, altitude = (fields[name][1] for name in ("pressure", "specific_humidity", "altitude"))
    latitude, _, time_s = place
    layers = atmosphere.columns(pressure, humidity, altitude, latitude)
    dry_air, water = layers.dry_air / AVOGADRO, layers.water / AVOGADRO
    weights = atmosphere.level_weights(dry_air)
    air = Air(pressure, altitude, weights, dry_air, water, latitude, time_s)
    background = _background(samples, air, config)
    profile = np.einsum("ijl,ij->il", background, samples.weight)
    columns = np.einsum("ijl,il->ij", background, weights)
    shares = dict.fromkeys(LAYERS, np.zeros(latitude.size))
    for part in _parts(samples, air, config, seed):
        mean = np.sum(samples.weight * part.column, axis=1)
        shape = part.shape / np.sum(part.shape * weights, axis=-1, keepdims=True)
        profile = profile + mean[:, np.newaxis] * shape
        columns = columns + part.column
        shares[part.layer] = shares[part.layer] + mean
    xco2 = np.sum(samples.weight * columns, axis=1)
    variance = np.sum(samples.weight * (columns - xco2[:, np.newaxis]) ** 2, axis=1)
    return {
        "co2": (("sounding", "level"), profile),
        "xco2": (("sounding",), xco2),
        "xco2_footprint_sd": (("sounding",), np.sqrt(variance)),
        **{f"xco2_{layer}": (("sounding",), share) for layer, share in shares.items()},
    }


def _background(samples: SubSamples, air: Air, config: TruthConfig) -> np.ndarray:
    """Give the profile of each sub-sample before anything is added, (sounding, sample, level) ppm."""
    if config.co2 == "uniform":
        return np.full((*samples.weight.shape, air.pressure_pa.shape[-1]), config.co2_uniform)
    if config.co2 == "file":
        return _from_file(samples, air, config)
    return _climatology(samples, air)


def _climatology(samples: SubSamples, air: Air) -> np.ndarray:
    year = decimal_year(air.time_s)[:, np.newaxis, np.newaxis]
    return co2.zonal_background(
        air.pressure_pa[:, np.newaxis, :], samples.latitude_deg[..., np.newaxis], year
    )


def _from_file(samples: SubSamples, air: Air, config: TruthConfig) -> np.ndarray:
    """Read profiles; of a file of columns alone, scale the climatology's profile to them."""
    if config.co2_file is None:
        raise ValueError("expected co2_file with path and layout for co2: file, got none")
    where = (config.co2_file, samples.latitude_deg, samples.longitude_deg)
    if not co2_files.holds_columns(config.co2_file):
        return co2_files.profiles(
            *where, co2_files.Levels(air.pressure_pa, air.dry_air, air.water, air.time_s)
        )
    climatology = _climatology(samples, air)
    expected = np.einsum("ijl,il->ij", climatology, air.weights)
    column, whole = co2_files.columns(*where, air.time_s)
    return climatology * ((column if whole else expected + column) / expected)[..., np.newaxis]


def _parts(samples: SubSamples, air: Air, config: TruthConfig, seed: int) -> list[Part]:
    """List what the configuration adds; biosphere and weather belong to the climatology only."""
    where = (samples.latitude_deg, samples.longitude_deg)
    time_s = air.time_s[:, np.newaxis]
    parts = []
    if config.co2 == "climatology" and config.biosphere:
        year = decimal_year(time_s)
        seasonal = biosphere.seasonal_xco2(*where, year)
        daily = biosphere.daily_xco2(*where, year, time_s)
        shape = biosphere.seasonal_shape(air.pressure_pa, air.latitude_deg[:, np.newaxis])
        parts.append(Part("biosphere", seasonal, shape))
        parts.append(Part("biosphere", daily, biosphere.daily_shape(air.pressure_pa)))
    if config.co2 == "climatology" and config.synoptic:
        shape = co2.tropospheric_shape(air.pressure_pa, samples.latitude_deg.mean(axis=1)[:, np.newaxis])
        parts.append(Part("synoptic", co2.synoptic_xco2(seed, *where, time_s), shape))
    if config.plumes != "none":
        column = plumes.enhancement(samples, air.dry_air.sum(axis=-1), air.time_s, config, seed)
        parts.append(Part("plume", column, plumes.mixed_shape(air.altitude_m)))
    return parts
