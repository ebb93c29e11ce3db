"""Turn the CO2 field under each footprint into mean profiles and dry-air columns."""

from __future__ import annotations

import numpy as np

from truth import atmosphere, co2
from truth.config import TruthConfig
from truth.footprint import SubSamples
from truth.times import decimal_year

Field = tuple[tuple[str, ...], np.ndarray]


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
    weights = atmosphere.level_weights(atmosphere.columns(pressure, humidity, altitude, latitude).dry_air)
    shape = (*samples.weight.shape, pressure.shape[-1])
    if config.co2 == "uniform":
        profiles = np.full(shape, config.co2_uniform)
    else:
        year = decimal_year(time_s)[:, np.newaxis, np.newaxis]
        profiles = co2.zonal_background(
            pressure[:, np.newaxis, :], samples.latitude_deg[..., np.newaxis], year
        )
        if config.synoptic:
            profiles = profiles + _synoptic(samples, pressure, weights, time_s, seed)
    columns = np.einsum("ijl,il->ij", profiles, weights)
    xco2 = np.sum(samples.weight * columns, axis=1)
    variance = np.sum(samples.weight * (columns - xco2[:, np.newaxis]) ** 2, axis=1)
    return {
        "co2": (("sounding", "level"), np.einsum("ijl,ij->il", profiles, samples.weight)),
        "xco2": (("sounding",), xco2),
        "xco2_footprint_sd": (("sounding",), np.sqrt(variance)),
    }


def _synoptic(
    samples: SubSamples, pressure: np.ndarray, weights: np.ndarray, time_s: np.ndarray, seed: int
) -> np.ndarray:
    """Spread the column anomaly over the troposphere, (sounding, sample, level) ppm."""
    column = co2.synoptic_xco2(seed, samples.latitude_deg, samples.longitude_deg, time_s[:, np.newaxis])
    shape = co2.tropospheric_shape(pressure, samples.latitude_deg.mean(axis=1)[:, np.newaxis])
    shape = shape / np.sum(shape * weights, axis=-1, keepdims=True)
    return column[..., np.newaxis] * shape[:, np.newaxis, :]
