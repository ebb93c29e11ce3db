"""Turn viewing geometry into the scene under each footprint, and scenes into truth.nc."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
import yaml

from truth import aerosol, atmosphere, cloud, emission, landcover, relief, surface, weather
from truth.columns import co2_fields
from truth.config import TruthConfig
from truth.footprint import ACROSS, ALONG, SubSamples, mean_and_sd, sub_samples
from truth.particles import SPECIES
from truth.times import decimal_year, unix_seconds

Field = tuple[tuple[str, ...], np.ndarray]
_LEVELS = ("sounding", "level")
_PRODUCT = Path(__file__).parent / "data" / "truth_product.yaml"


@dataclass(frozen=True)
class Truth:
    """One nature: the same configuration, seed, place and time always give the same scene."""

    config: TruthConfig
    seed: int
    across: int = ACROSS  # sub-samples of a footprint
    along: int = ALONG

    def sample(self, geometry: xr.Dataset) -> xr.Dataset:
        """Describe nature under each footprint polygon at its time.

        geometry  dims sounding, vertex; its variables are kept in the scene
        returns   the variables of data/truth_product.yaml with dims sounding, level and layer (top to
                  surface), band (B1..B4), species and kernel
        """
        time_s = unix_seconds(geometry["time"].values)
        place = (geometry["latitude"].values, geometry["longitude"].values, time_s)
        corner_latitude, corner_longitude = (
            geometry[f"vertex_{x}"].values for x in ("latitude", "longitude")
        )
        samples = sub_samples(corner_latitude, corner_longitude, self.across, self.along)
        config, seed = self.config, self.seed
        fields = _air(samples, place, config, seed)
        fields |= co2_fields(samples, fields, place, config, seed)
        cover = landcover.cover(samples, time_s, config, seed)
        fields |= surface.ground(samples, cover, place, config, seed)
        fields |= _particles(samples, fields, place, config, seed)
        fields |= _emission(samples, cover, geometry["solar_zenith_angle"].values, place, config, seed)
        scene = geometry.assign(fields).assign_coords(species=list(SPECIES))
        for name in fields:
            scene[name].attrs.update(_product()["attributes"][name])
        return scene


def sample(geometry: xr.Dataset, config: TruthConfig, seed: int) -> xr.Dataset:
    return Truth(config, seed).sample(geometry)


def _air(
    samples: SubSamples, place: tuple[np.ndarray, ...], config: TruthConfig, seed: int
) -> dict[str, Field]:
    """Build the levels on the footprint's mean surface pressure and altitude."""
    latitude, _, time_s = place
    year_fraction = decimal_year(time_s) % 1.0
    where = (samples.latitude_deg, samples.longitude_deg)
    pressures = weather.sea_level_pressure(seed, *where, time_s[:, np.newaxis])
    altitudes = relief.altitude_m(*where, seed, config)
    if config.relief:
        season = np.broadcast_to(year_fraction[:, np.newaxis], pressures.shape)
        pressures = atmosphere.pressure_at_altitude(altitudes, pressures, samples.latitude_deg, season)
    surface_pressure, pressure_sd = mean_and_sd(samples, pressures)
    altitude, altitude_sd = mean_and_sd(samples, altitudes)
    sigma = atmosphere.sigma_levels()
    pressure = surface_pressure[:, np.newaxis] * sigma
    temperature, humidity = atmosphere.climatology(pressure, latitude, year_fraction)
    temperature = temperature + weather.temperature_anomaly(seed, sigma, *place)
    humidity = humidity * weather.humidity_factor(seed, *place)[:, np.newaxis]
    levels_m = atmosphere.altitude(pressure, temperature, humidity, latitude, altitude)
    return {
        "surface_pressure": (("sounding",), surface_pressure),
        "surface_pressure_sd": (("sounding",), pressure_sd),
        "surface_altitude": (("sounding",), altitude),
        "surface_altitude_sd": (("sounding",), altitude_sd),
        "pressure": (_LEVELS, pressure),
        "temperature": (_LEVELS, temperature),
        "specific_humidity": (_LEVELS, humidity),
        "altitude": (_LEVELS, levels_m),
    }


def _particles(
    samples: SubSamples,
    fields: dict[str, Field],
    place: tuple[np.ndarray, ...],
    config: TruthConfig,
    seed: int,
) -> dict[str, Field]:
    altitude, land, wind = (fields[name][1] for name in ("altitude", "land_fraction", "wind_speed"))
    return aerosol.profiles(config, seed, place, altitude, land, wind) | cloud.fields(
        config, seed, samples, place[2], altitude
    )


def _emission(
    samples: SubSamples,
    cover: landcover.Cover,
    sza_deg: np.ndarray,
    place: tuple[np.ndarray, ...],
    config: TruthConfig,
    seed: int,
) -> dict[str, Field]:
    """Give what shines by itself: the airglow above, and the leaves below."""
    glow = emission.airglow_mr(sza_deg) * weather.airglow_factor(seed, *place)
    leaves = weather.leaf_factor(seed, samples.latitude_deg, samples.longitude_deg) * config.sif
    sif = sum(
        cover.of(kind) * leaves * emission.sif_740(kind, cover.greenness, sza_deg[:, np.newaxis])
        for kind in emission.SIF_PEAK
    )
    return {
        "airglow_mr": (("sounding",), glow * config.airglow),
        "sif": (("sounding",), mean_and_sd(samples, np.asarray(sif))[0]),
    }


@cache
def _product() -> dict[str, Any]:
    return dict(yaml.safe_load(_PRODUCT.read_text(encoding="utf-8")))


def write_truth(scenes: xr.Dataset | Iterable[xr.Dataset], path: Path | str) -> None:
    """Write truth.nc (CF-1.11), one row per sounding_id, levels top to surface."""
    parts = [scenes] if isinstance(scenes, xr.Dataset) else list(scenes)
    product = _product()
    truth = xr.Dataset(attrs=product["global"] | parts[0].attrs)  # which say what lines made the light
    for name, row in product["truth"].items():
        pieces = [part[row.get("source", name)] for part in parts]
        values = np.concatenate([piece.values for piece in pieces]) * row.get("factor", 1)
        attributes = product["attributes"][name] | ({"units": row["units"]} if "units" in row else {})
        if "flag_values" in attributes:
            attributes["flag_values"] = np.array(attributes["flag_values"], values.dtype)
        truth[name] = (pieces[0].dims, values, attributes)
    times = np.concatenate([unix_seconds(part["time"].values) for part in parts])
    truth["time"] = (("sounding",), times, product["attributes"]["time"])
    truth = truth.set_coords(("latitude", "longitude", "time"))
    temporary = Path(path).with_name(Path(path).name + ".part")
    encoding = {str(name): {"_FillValue": None} for name in truth.variables}
    truth.to_netcdf(temporary, engine="netcdf4", encoding=encoding)
    os.replace(temporary, path)
