"""Turn a seed into random scenes, the light their spectels get, and the files that L2 is given of them."""

from __future__ import annotations

import hashlib
import multiprocessing
import shutil
import sys
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from processors import products
from truth import radiance, scene
from truth.config import Particles, TruthConfig
from truth.spectroscopy import sources
from twin import chain, prior, provenance, random, spectroscopy, worker
from twin.constants import BANDS, BOOT_COUNT, FOVS, OPERATION_MODES, SPECTELS
from twin.instrument import asbuilt, ckd, optics
from twin.scenario import KnowledgeError, Prior, Spectroscopy
from twin.verify import statistics

CACHE = Path(__file__).parents[1] / "runs" / ".cache"
CHUNK = 4  # scenes a file of the cache
GRANULE = 48  # soundings a file of L1B
INSTRUMENT = "microcarb"
OTHER_NOISE_E = 100.0  # electron, s0 of SNR = N / sqrt(N + s0^2)
YEAR_START_S, YEAR_S = 1_767_225_600.0, 365.0 * 86_400.0  # s since 1970 of 2026-01-01T00:00:00Z
DEGREE_M = 111_200.0  # m, of latitude
SZA_DEG = (20.0, 70.0)
LATITUDE_DEG = 60.0  # scenes lie between this north and south
LAND = ("soil", "vegetation", "desert")
TYPES = ("dust", "sea_salt", "sulphate", "organic")
WET_LIMIT = 0.25  # 1, least true over forecast humidity; less would ask for impossible humidity
PERFECT = KnowledgeError(isrf_width=0.0, gain_slope=0.0, zero_level=0.0, wavelength_spectel=0.0)


def _prior(
    pressure: float, temperature: float, humidity: float, wind: float, brdf: float, co2_ppm: float
) -> Prior:
    errors = {
        "surface_pressure": f"{pressure} hPa",
        "temperature": f"{temperature} K",
        "humidity": humidity,
        "wind_speed": f"{wind} m/s",
        "brdf": brdf,
        "co2_offset": f"{co2_ppm} ppm",
    }
    return Prior.model_validate(errors)


NO_ERROR = _prior(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
CLOSURE_ERROR = _prior(1.0, 0.0, 0.0, 1.0, 0.0, 3.0)  # weather and land's kernels as they are
CLEAR_ERROR = _prior(1.0, 0.0, 0.0, 1.0, 0.1, 3.0)
WEATHER_ERROR = _prior(1.0, 1.0, 0.1, 1.0, 0.1, 3.0)


@dataclass(frozen=True)
class Ensemble:
    """What the scenes hold, what the ground is told, and how L2 is run on them."""

    scenes: int
    draws: int = 1  # of noise, a scene
    noise: bool = True
    aerosol: bool = False
    prior: Prior | None = CLEAR_ERROR  # None: truth less a draw from the covariance that L2 assumes
    runs: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: {"l2": {}})  # name: settings


OXYGEN_FROM_B4 = {"bands": ["B2", "B3", "B4"]}
ENSEMBLES = {
    "closure": Ensemble(36, noise=False, prior=CLOSURE_ERROR),
    "noise": Ensemble(100, draws=16),
    "prior_draws": Ensemble(200, prior=None),
    "aerosol": Ensemble(200, aerosol=True, prior=WEATHER_ERROR),
    "airglow": Ensemble(
        30,
        noise=False,
        runs={
            "fitted": {**OXYGEN_FROM_B4, "airglow": True},
            "unfitted": {**OXYGEN_FROM_B4, "airglow": False},
        },
    ),
}


def geometry(count: int, seed: int) -> xr.Dataset:
    """Place and light the scenes: nadir in even rows, glint in odd ones, SZA evenly spread in both."""
    rng, row = random.stream(seed, "benchmark geometry"), np.arange(count)
    glint, fov = row % 2 == 1, rng.integers(1, FOVS + 1, count)
    sza = np.empty(count)
    for rows in (row[~glint], row[glint]):
        sza[rows] = np.interp(rng.permutation(rows.size) + 0.5, (0.0, rows.size), SZA_DEG)
    vza = np.where(glint, np.abs(sza + rng.normal(0.0, 0.3, count)), rng.uniform(0.0, 20.0, count))
    raa = np.where(glint, 180.0 - np.abs(rng.normal(0.0, 0.5, count)), rng.uniform(0.0, 180.0, count))
    saa, side = rng.uniform(0.0, 360.0, count), rng.choice([-1.0, 1.0], count)
    year = rng.uniform(0.0, 1.0, count)
    latitude, longitude = rng.uniform(-LATITUDE_DEG, LATITUDE_DEG, count), rng.uniform(-179.0, 179.0, count)
    values = {
        "sounding_id": BOOT_COUNT * 10**11 + row * 10 + fov,
        "fov": fov,
        "operation_mode": np.where(glint, OPERATION_MODES["glint"], OPERATION_MODES["nadir"]),
        "time": YEAR_START_S + YEAR_S * year,
        "latitude": latitude,
        "longitude": longitude,
        "solar_zenith_angle": sza,
        "sensor_zenith_angle": vza,
        "solar_azimuth_angle": saa,
        "sensor_azimuth_angle": (saa + side * raa) % 360.0,
        "sensor_recession_speed": 3000.0 * np.sin(np.radians(vza)) * rng.uniform(-1.0, 1.0, count),
        "sun_recession_speed": rng.uniform(-500.0, 500.0, count),
        "earth_sun_distance": 1.0 - 0.0167 * np.cos(2.0 * np.pi * (year - 0.008)),
    }
    placed = xr.Dataset({name: ("sounding", value) for name, value in values.items()})
    return placed.assign(_corners(latitude, longitude))


def _corners(latitude: np.ndarray, longitude: np.ndarray) -> dict[str, tuple[tuple[str, str], np.ndarray]]:
    """Lay a box of 4.5 km by 9 km around the centres, as flown southward."""
    north = np.array([1.0, 1.0, -1.0, -1.0]) * 4500.0 / DEGREE_M
    east = np.array([1.0, -1.0, -1.0, 1.0]) * 2250.0 / DEGREE_M / np.cos(np.radians(latitude))[:, None]
    dims = ("sounding", "vertex")
    return {
        "vertex_latitude": (dims, latitude[:, None] + north),
        "vertex_longitude": (dims, longitude[:, None] + east),
    }


def configs(aerosol: bool, count: int, seed: int) -> list[TruthConfig]:
    """Say what nature is like in each scene."""
    return [_config(aerosol, row, random.stream(seed, "benchmark scene", row)) for row in range(count)]


def _config(aerosol: bool, row: int, rng: np.random.Generator) -> TruthConfig:
    lambertian, dark, wind = rng.random() < 0.5, rng.random() < 0.25, rng.uniform(3.0, 12.0)
    surface = "ocean" if row % 2 else LAND[row // 2 % len(LAND)]
    layers, cirrus = _particles(rng) if aerosol else ((), None)
    return TruthConfig(
        surface=surface,
        brdf=aerosol or not lambertian,
        sif=aerosol or not dark,
        wind_speed=wind,
        aerosol=layers,
        cirrus=cirrus,
    )


def _particles(rng: np.random.Generator) -> tuple[tuple[Particles, ...], Particles | None]:
    """Draw one or two kinds of aerosol, at times a little soot, and thin cirrus over half of the scenes."""
    total = float(np.exp(rng.uniform(np.log(0.05), np.log(0.3))))
    ice = float(rng.uniform(0.0, min(0.05, total / 2.0)) * (rng.random() < 0.5))
    soot = float(rng.uniform(0.0, 0.1) * (rng.random() < 0.3))
    kinds = rng.choice(TYPES, rng.integers(1, 3), replace=False)
    first = rng.uniform(0.2, 0.8) if len(kinds) > 1 else 1.0
    shares = np.array([first, 1.0 - first])[: len(kinds)] * (1.0 - soot)
    layers = [
        Particles(kind, share * (total - ice), rng.uniform(500.0, 4000.0), rng.uniform(300.0, 1500.0))
        for kind, share in zip((*kinds.tolist(), "black_carbon"), (*shares.tolist(), soot), strict=True)
    ]
    cirrus = Particles("ice", ice, rng.uniform(8000.0, 14_000.0), rng.uniform(300.0, 1000.0))
    return tuple(layer for layer in layers if layer.optical_depth), cirrus if ice else None


def lit(work: Path, name: str, count: int, seed: int, workers: int, remake: bool) -> xr.Dataset:
    """Give the scenes with their noise-free `spectel_radiance` (sounding, band, spectel), kept in `work`."""
    placed, nature = geometry(count, seed), configs(ENSEMBLES[name].aerosol, count, seed)
    folder = work / f"scenes-{_key(placed, nature)}"
    if remake and folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    paths = {first: folder / f"{first:05d}.nc" for first in range(0, count, CHUNK)}
    missing = [first for first, path in paths.items() if not path.exists()]
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, spawn) as pool:
        jobs = [
            pool.submit(light, placed.isel(sounding=rows), nature[rows], seed, paths[rows.start])
            for rows in (slice(first, first + CHUNK) for first in missing)
        ]
        for done, job in enumerate(as_completed(jobs), len(paths) - len(missing) + 1):
            job.result()
            print(f"{name}: {done} of {len(paths)} files of scenes", file=sys.stderr, flush=True)
    return xr.concat([worker.read(path) for path in paths.values()], dim="sounding", data_vars="minimal")


def _key(placed: xr.Dataset, nature: list[TruthConfig]) -> str:
    """Hash all that the light depends on, so that a cache of other scenes or other code is not taken."""
    digest = hashlib.blake2b(repr(nature).encode(), digest_size=4)
    for name in sorted(map(str, placed.variables)):
        digest.update(np.ascontiguousarray(placed[name].values).tobytes())
    for package, part in (("truth", "*"), ("twin", "instrument/*"), ("twin", "data/*")):
        digest.update(provenance.package_hash(package, part).encode())
    return digest.hexdigest()


def light(placed: xr.Dataset, nature: list[TruthConfig], seed: int, path: Path) -> None:
    """Write scenes and the radiance of their spectels, each scene in a nature of its own."""
    built, parts = asbuilt.load(INSTRUMENT), []
    tables = CACHE / provenance.tables_folder("truth")
    for row, config in enumerate(nature):
        sampled = scene.sample(placed.isel(sounding=[row]), config, seed)
        spectra = radiance.radiances(sampled, tables, config)
        seen = (("sounding", "band", "spectel"), _seen(spectra, sampled, built)[None])
        parts.append(sampled.assign(spectel_radiance=seen, ross_li=("sounding", [int(config.brdf)])))
    worker.write(xr.concat(parts, dim="sounding", data_vars="minimal"), path)


def _seen(spectra: xr.Dataset, sampled: xr.Dataset, built: asbuilt.AsBuilt) -> np.ndarray:
    """Send the light of one scene through the instrument's response (band, spectel)."""
    speed, fov = float(sampled["sensor_recession_speed"][0]), int(sampled["fov"][0]) - 1
    light_of = [(spectra[f"wavenumber_{b}"].values, spectra[f"radiance_{b}"].values[0]) for b in BANDS]
    return np.array(
        [optics.spectel_radiance(*one, speed, built, band, fov) for band, one in enumerate(light_of)]
    )


def drawn(scenes: xr.Dataset, draws: int) -> xr.Dataset:
    """Repeat all scenes once a draw, every sounding with an identifier of its own."""
    count = scenes.sizes["sounding"]
    repeated = scenes.isel(sounding=np.tile(np.arange(count), draws))
    shift = 10 * count * np.repeat(np.arange(draws), count)
    return repeated.assign(sounding_id=("sounding", repeated["sounding_id"].values + shift))


def write_inputs(folder: Path, soundings: xr.Dataset, ensemble: Ensemble, seed: int) -> list[Path]:
    """Write prior, calibration, auxiliary files, truth.nc and L1B; return the L1B files."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "aux").mkdir(parents=True)
    scene.write_truth(soundings, folder / "truth.nc")
    error = ensemble.prior
    told = drawn_prior(soundings, seed) if error is None else prior.forecast(soundings, error, seed)
    products.write(folder / "prior.nc", "prior", told, {})
    built = asbuilt.load(INSTRUMENT)
    ckd.write(folder / "ckd.nc", built, PERFECT, seed)
    spectroscopy.write(folder / "aux", sources.directory("lines-v1"), radiance.DATA, Spectroscopy())
    worker.copy_given(folder / "aux")
    paths = []
    for first in range(0, soundings.sizes["sounding"], GRANULE):
        part = soundings.isel(sounding=slice(first, first + GRANULE))
        paths.append(folder / "l1b" / f"l1b_{first // GRANULE:04d}.nc")
        products.write(paths[-1], "l1b", l1b(part, built, seed if ensemble.noise else None), {})
    products.write(folder / "one.nc", "l1b", l1b(soundings.isel(sounding=[0]), built, None), {})
    return paths


def l1b(soundings: xr.Dataset, built: asbuilt.AsBuilt, seed: int | None) -> dict[str, np.ndarray]:
    """Give the variables of L1B of a perfectly calibrated instrument; without a seed there is no noise."""
    ids, fov = soundings["sounding_id"].values, soundings["fov"].values - 1
    seen, response = soundings["spectel_radiance"].values, np.swapaxes(built.responsivity, 0, 1)[fov]
    sigma = np.sqrt(np.maximum(seen, 0.0) * response + OTHER_NOISE_E**2) / response
    if seed is not None:
        seen = seen + sigma * random.normals(seed, "benchmark noise", ids, seen.shape[1:])
    scale = np.array(
        [[optics.spectel_wavelength(c, SPECTELS) for c in of_band] for of_band in built.dispersion]
    )
    shared = set(products.table("l1b")["shared"]) - {"surface_altitude"}  # which L1B need not know
    kept = {name: soundings[name].values for name in shared if name in soundings}
    return kept | {
        "detector_temperature": np.full(ids.size, built.detector_temperature_k),
        "quality_flag": np.zeros(ids.size),
        "wavelength": np.swapaxes(scale, 0, 1)[fov],
        "radiance": seen,
        "radiance_uncertainty": sigma,
        "spectel_quality": np.zeros(seen.shape),
    }


def drawn_prior(soundings: xr.Dataset, seed: int) -> dict[str, np.ndarray]:
    """Give the forecast from which truth departs by a draw from the covariance that L2 assumes.

    Its pressure grid holds the levels of L2, so that the CO2 there is the one drawn.
    """
    from processors.l2 import atmosphere, state
    from processors.l2.surface import TYPICAL as typical

    ids, told = soundings["sounding_id"].values, prior.forecast(soundings, NO_ERROR, seed)

    def draws(effect: str, covariance: np.ndarray) -> np.ndarray:
        standard = random.normals(seed, f"prior {effect}", ids, (len(covariance),))
        return standard @ np.linalg.cholesky(covariance).T

    single = draws("scalars", np.diag([state.SIGMA_PSURF_HPA, state.SIGMA_H2O, state.SIGMA_WIND_M_S]) ** 2)
    true_levels = told["surface_pressure"][:, None] * atmosphere.SIGMA
    surface = told["surface_pressure"] - 100.0 * single[:, 0]
    levels = surface[:, None] * atmosphere.SIGMA
    true_co2 = statistics.on_levels(soundings["co2"].values, soundings["pressure"].values, true_levels)
    co2, shift = true_co2 - draws("co2", state.co2_covariance()), draws("t", state.temperature_covariance())
    pressure = np.sort(np.concatenate([told["pressure"], levels], axis=1), axis=1)
    rows = range(ids.size)

    def on_grid(values: np.ndarray, at: np.ndarray) -> np.ndarray:
        return np.array([np.interp(np.log(pressure[n]), np.log(at[n]), values[n]) for n in rows])

    land = soundings["operation_mode"].values != OPERATION_MODES["glint"]
    otherwise = draws("shape", np.array([[state.SIGMA_SHAPE**2]]))[:, 0] * land
    warmer = np.array([np.interp(pressure[n], atmosphere.T_NODES_PA, shift[n]) for n in rows])
    return told | {
        "surface_pressure": surface,
        "pressure": pressure,
        "temperature": on_grid(told["temperature"], told["pressure"]) - warmer,
        "specific_humidity": on_grid(told["specific_humidity"], told["pressure"])
        / np.maximum(1.0 + single[:, 1:2], WET_LIMIT),
        "co2": on_grid(co2, levels),
        "wind_speed": np.maximum(told["wind_speed"] - single[:, 2], prior.CALMEST),
        "brdf_volumetric": told["brdf_volumetric"] - typical[0] * otherwise,
        "brdf_geometric": told["brdf_geometric"] - typical[1] * otherwise,
    }


def job_inputs(folder: Path, spectra: list[Path]) -> dict[str, Any]:
    """Name the inputs of an L2 job order as the chain does."""
    given = {Path(name).stem: str(folder / "aux" / name) for name in chain.AUXILIARY[:-1]}
    return {
        "l1b": [str(path) for path in spectra],
        "ckd": str(folder / "ckd.nc"),
        "prior": str(folder / "prior.nc"),
        **given,
    }
