"""Turn viewing geometry into the scene under each footprint, and scenes into truth.nc."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
import yaml

from truth import atmosphere, emission, surface, weather
from truth.columns import co2_fields
from truth.config import TruthConfig
from truth.footprint import SubSamples, sub_samples
from truth.times import decimal_year, unix_seconds

Field = tuple[tuple[str, ...], np.ndarray]
_LEVELS = ("sounding", "level")
_PRODUCT = Path(__file__).parent / "data" / "truth_product.yaml"


def sample(geometry: xr.Dataset, config: TruthConfig, seed: int) -> xr.Dataset:
    """Describe nature under each footprint, a pure function of place, time and seed.

    geometry  dims sounding, vertex; its variables are kept in the scene
    returns   pressure Pa, temperature K, specific_humidity kg kg-1, co2 ppm dry, altitude m
              (sounding, level), top to surface; surface_pressure Pa, wind_speed m s-1, xco2 ppm;
              albedo (sounding, band); airglow_mr MR
    """
    time_s = unix_seconds(geometry["time"].values)
    latitude, longitude = geometry["latitude"].values, geometry["longitude"].values
    place = (latitude, longitude, time_s)
    samples = sub_samples(geometry["vertex_latitude"].values, geometry["vertex_longitude"].values)
    fields = _air(samples, place, seed)
    fields |= co2_fields(samples, fields, place, config, seed)
    fields |= _ground(place, config, seed)
    glow = emission.airglow_mr(geometry["solar_zenith_angle"].values) * weather.airglow_factor(seed, *place)
    fields["airglow_mr"] = (("sounding",), glow * config.airglow)
    fields["sif"] = (("sounding",), np.zeros(latitude.size))
    scene = geometry.assign(fields)
    for name in fields:
        scene[name].attrs.update(_product()["attributes"][name])
    return scene


def _air(samples: SubSamples, place: tuple[np.ndarray, ...], seed: int) -> dict[str, Field]:
    """Build the levels on the footprint's mean surface pressure."""
    latitude, _, time_s = place
    pressures = weather.surface_pressure(
        seed, samples.latitude_deg, samples.longitude_deg, time_s[:, np.newaxis]
    )
    surface_pressure = np.sum(samples.weight * pressures, axis=1)
    sigma = atmosphere.sigma_levels()
    pressure = surface_pressure[:, np.newaxis] * sigma
    temperature, humidity = atmosphere.climatology(pressure, latitude, decimal_year(time_s) % 1.0)
    temperature = temperature + weather.temperature_anomaly(seed, sigma, *place)
    humidity = humidity * weather.humidity_factor(seed, *place)[:, np.newaxis]
    return {
        "surface_pressure": (("sounding",), surface_pressure),
        "pressure": (_LEVELS, pressure),
        "temperature": (_LEVELS, temperature),
        "specific_humidity": (_LEVELS, humidity),
        "altitude": (_LEVELS, atmosphere.altitude(pressure, temperature, humidity, latitude)),
        "surface_altitude": (("sounding",), np.zeros(latitude.size)),
    }


def _ground(place: tuple[np.ndarray, ...], config: TruthConfig, seed: int) -> dict[str, Field]:
    latitude, longitude, _ = place
    albedo = surface.albedo(config.surface) * weather.albedo_factor(seed, latitude, longitude)
    kind = np.full(latitude.size, 0 if config.surface == "ocean" else 1, dtype=np.int8)
    return {
        "albedo": (("sounding", "band"), albedo),
        "surface_type": (("sounding",), kind),
        "wind_speed": (("sounding",), config.wind_speed * weather.wind_factor(seed, *place)),
    }


@cache
def _product() -> dict[str, Any]:
    return dict(yaml.safe_load(_PRODUCT.read_text(encoding="utf-8")))


def write_truth(scenes: xr.Dataset | Iterable[xr.Dataset], path: Path | str) -> None:
    """Write truth.nc (CF-1.11), one row per sounding_id, levels top to surface."""
    parts = [scenes] if isinstance(scenes, xr.Dataset) else list(scenes)
    product = _product()
    truth = xr.Dataset(attrs=product["global"])
    for name, row in product["truth"].items():
        pieces = [part[row.get("source", name)] for part in parts]
        values = np.concatenate([piece.values for piece in pieces]) * row.get("factor", 1)
        attributes = product["attributes"][name] | ({"units": row["units"]} if "units" in row else {})
        truth[name] = (pieces[0].dims, values, attributes)
    times = np.concatenate([unix_seconds(part["time"].values) for part in parts])
    truth["time"] = (("sounding",), times, product["attributes"]["time"])
    truth = truth.set_coords(("latitude", "longitude", "time"))
    temporary = Path(path).with_name(Path(path).name + ".part")
    encoding = {str(name): {"_FillValue": None} for name in truth.variables}
    truth.to_netcdf(temporary, engine="netcdf4", encoding=encoding)
    os.replace(temporary, path)
