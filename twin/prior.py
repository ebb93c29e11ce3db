"""Turn truth scenes and a forecast error into the prior and meteorology file the ground is given."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import xarray as xr

from twin import co2prior, netcdf, random
from twin.scenario import Prior

EARTH_RADIUS_KM = 6371.0  # km, mean (IUGG)
GROUND_LENGTH_KM = 200.0  # km, e-folding of the forecast error on the ground [A]
HEIGHT_LENGTH_PA = 15_000.0  # Pa, e-folding in pressure, 150 hPa [A]
FEATURES = 512  # random Fourier features; the correlation is exact within about 1/sqrt(FEATURES)
GAS_CONSTANT_DRY_AIR = 287.05  # J kg-1 K-1 (ICAO 1993)
GRAVITY = 9.806_65  # m s-2, standard (CGPM 1901)
LAPSE_RATE = 0.0065  # K m-1, continues the profile below the surface (ICAO 1993)
CALMEST = 0.5  # m s-1, a forecast wind is never less
BRDF_TYPICAL = (0.4, 0.1)  # volumetric and geometric over isotropic, of land: errors are shares of it [A]
DRIEST, WETTEST = 0.1, 1.9  # limits of forecast / true humidity, 9 sigma at 10 %

# Pa, top to below any surface, from 1 Pa by growing steps to 33 hPa near the ground
PRESSURE_GRID = 1.0 + 107_999.0 * np.linspace(0.0, 1.0, 72) ** 2.2


def write(path: Path | str, scenes: xr.Dataset | Iterable[xr.Dataset], prior: Prior, seed: int) -> None:
    """Write prior.nc for all soundings of the truth scenes (dims sounding, level; truth.scene.sample)."""
    parts = [scenes] if isinstance(scenes, xr.Dataset) else scenes
    pieces = [forecast(scene, prior, seed) for scene in parts]
    values = {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}
    table = netcdf.table("prior")
    shared = netcdf.table("sounding")["variables"]
    with netcdf.replacing(path) as file:
        file.setncatts({"title": table["title"], "summary": table["summary"], "Conventions": "CF-1.11"})
        file.history = "written by twin.prior: truth with a forecast error and another CO2 prior"
        file.setncatts({"source": "simulation", "product_level": "prior"})
        file.createDimension("sounding", values["sounding_id"].size)
        file.createDimension("level", PRESSURE_GRID.size)
        for name, data in values.items():
            netcdf.put(file, name, data, table["variables"].get(name) or shared[name])


def forecast(scene: xr.Dataset, prior: Prior, seed: int) -> dict[str, np.ndarray]:
    """Forecast at the soundings, {variable of icd/prior.yaml: values}; see docs/decisions/0001."""
    place = unit_vectors(scene["latitude"].values, scene["longitude"].values)
    temperature, humidity = on_grid(scene)
    temperature = temperature + prior.temperature * correlated(seed, "temperature", place, PRESSURE_GRID)
    factor = 1 + prior.humidity * correlated(seed, "humidity", place, PRESSURE_GRID)
    surface = scene["surface_pressure"].values + 100 * prior.surface_pressure * _at_ground(
        seed, "surface pressure", place
    )
    wind = scene["wind_speed"].values + prior.wind_speed * _at_ground(seed, "wind speed", place)
    altitude = altitude_m(temperature, surface, _surface_altitude(scene))
    year = co2prior.decimal_year(_unix_seconds(scene["time"].values))
    co2 = co2prior.profile(scene["latitude"].values, altitude, year) + prior.co2_offset
    volumetric, geometric = kernel_weights(scene["brdf_kernel"].values[:, 0], prior.brdf, seed, place)
    return {
        "sounding_id": scene["sounding_id"].values.astype(np.int64),
        "surface_pressure": surface,
        "surface_altitude": _surface_altitude(scene),
        "pressure": np.tile(PRESSURE_GRID, (surface.size, 1)),
        "temperature": temperature,
        "specific_humidity": humidity * np.clip(factor, DRIEST, WETTEST),
        "co2": co2,
        "wind_speed": np.maximum(wind, CALMEST),
        "brdf_volumetric": volumetric,
        "brdf_geometric": geometric,
    }


def kernel_weights(kernels: np.ndarray, error: float, seed: int, place: np.ndarray) -> tuple[np.ndarray, ...]:
    """Give the volumetric and the geometric weight (sounding,) over the isotropic one as a climatology knows
    them, at least 0; 0 where there is no land.

    kernels  (sounding, kernel)  true weights, isotropic first;  error  1 sigma, share of BRDF_TYPICAL
    """
    land = kernels[:, 0] > 0.0
    told = []
    for k, (name, typical) in enumerate(zip(("volumetric", "geometric"), BRDF_TYPICAL, strict=True), 1):
        wrong = error * typical * _at_ground(seed, f"{name} kernel", place)
        true = kernels[:, k] / np.where(land, kernels[:, 0], 1.0)
        told.append(np.where(land, np.maximum(true + wrong, 0.0), 0.0))
    return tuple(told)


def on_grid(scene: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Put true temperature (K) and specific humidity (kg kg-1) on PRESSURE_GRID  (sounding, level)."""
    pressure = scene["pressure"].values
    shape = (pressure.shape[0], PRESSURE_GRID.size)
    temperature, humidity = np.empty(shape), np.empty(shape)
    ln_grid = np.log(PRESSURE_GRID)
    for i, p in enumerate(pressure):
        humidity[i] = np.interp(ln_grid, np.log(p), scene["specific_humidity"].values[i])
        temperature[i] = np.interp(ln_grid, np.log(p), scene["temperature"].values[i])
        below = np.maximum(PRESSURE_GRID / p[-1], 1.0)
        temperature[i] *= below ** (GAS_CONSTANT_DRY_AIR * LAPSE_RATE / GRAVITY)
    return temperature, humidity


def altitude_m(temperature: np.ndarray, surface_pa: np.ndarray, surface_altitude_m: np.ndarray) -> np.ndarray:
    """Hydrostatic altitude of PRESSURE_GRID  (sounding, level)  m, dry and with standard gravity."""
    ln_p = np.log(PRESSURE_GRID)
    thickness = (
        GAS_CONSTANT_DRY_AIR / GRAVITY * 0.5 * (temperature[:, 1:] + temperature[:, :-1]) * np.diff(ln_p)
    )
    depth = np.concatenate([np.zeros((len(temperature), 1)), np.cumsum(thickness, axis=1)], axis=1)
    at_surface = [np.interp(np.log(p), ln_p, d) for p, d in zip(surface_pa, depth, strict=True)]
    return np.asarray(at_surface)[:, None] - depth + np.asarray(surface_altitude_m)[:, None]


def unit_vectors(latitude_deg: np.ndarray, longitude_deg: np.ndarray) -> np.ndarray:
    """Point from the Earth's centre to the places  (sounding, xyz), sphere."""
    lat, lon = np.radians(latitude_deg), np.radians(longitude_deg)
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)


def correlated(seed: int, effect: str, place: np.ndarray, pressure_pa: np.ndarray) -> np.ndarray:
    """Draw a unit-variance Gaussian field keyed by (seed, effect, place)  (sounding, level).

    Covariance exp(-distance / 200 km) * exp(-|pressure difference| / 150 hPa): random Fourier features on the
    ground (Cauchy frequencies are the spectrum of the exponential in 3-D), a Cholesky factor in height.
    """
    rng = random.stream(seed, f"forecast {effect}")
    gaussian, chi = rng.standard_normal((FEATURES, 3)), rng.standard_normal((FEATURES, 1))
    frequency = gaussian / np.abs(chi) * EARTH_RADIUS_KM / GROUND_LENGTH_KM  # rad per unit vector
    amplitude = rng.standard_normal((2 * FEATURES, pressure_pa.size))
    phase = place @ frequency.T
    features = np.concatenate([np.cos(phase), np.sin(phase)], axis=1) / np.sqrt(FEATURES)
    distance = np.abs(pressure_pa[:, None] - pressure_pa[None, :])
    return features @ amplitude @ np.linalg.cholesky(np.exp(-distance / HEIGHT_LENGTH_PA)).T


def _at_ground(seed: int, effect: str, place: np.ndarray) -> np.ndarray:
    return correlated(seed, effect, place, np.zeros(1))[:, 0]


def _surface_altitude(scene: xr.Dataset) -> np.ndarray:
    if "surface_altitude" in scene:
        return scene["surface_altitude"].values
    return np.zeros(scene.sizes["sounding"])


def _unix_seconds(time: np.ndarray) -> np.ndarray:
    if np.issubdtype(time.dtype, np.datetime64):
        return (time - np.datetime64(0, "s")) / np.timedelta64(1, "s")
    return time
