"""Turn a scene into monochromatic radiance at the sensor in the four bands."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from truth import rayleigh, solar
from truth.diffuse import Depth, diffuse
from truth.emission import airglow_spectrum
from truth.layers import Layers, layers
from truth.paths import local_zenith_deg
from truth.scattering import Geometry, blocks, once_scattered, two_way_depth
from truth.spectroscopy.continuum import cia_coefficient, read_cia
from truth.spectroscopy.lines import LineSource
from truth.spectroscopy.sources import open_source
from truth.spectroscopy.tables import BandTable, LineShape, prepare
from truth.surface import cox_munk_reflectance

DATA = Path(__file__).parent / "data"
BAND_ORDER = ("B1", "B2", "B3", "B4")
AIRGLOW_BAND = "B4"
AIRGLOW_LINES_CM1 = (7700.0, 8000.0)  # cm-1, holds the whole band
AIRGLOW_ALTITUDE_M = 46_500.0  # m, emission peak, PHYSICS 5
OCEAN = 0  # surface_type
DIFFUSE_OVER_BLACK = {
    "B1": Depth(streams=24, points=14, solved_layers=3),
    "B2": Depth(streams=8, points=12, solved_layers=3),
    "B3": Depth(streams=8, points=12, solved_layers=3),
    "B4": Depth(streams=16, points=12, solved_layers=3),
}
DIFFUSE_OVER_LAND = {
    "B1": Depth(streams=16, points=36, solved_layers=2),
    "B2": Depth(streams=8, points=16, solved_layers=3),
    "B3": Depth(streams=8, points=16, solved_layers=3),
    "B4": Depth(streams=16, points=16, solved_layers=3),
}


def radiances(scene: xr.Dataset, tables_dir: Path, config: Any) -> xr.Dataset:
    """Give wavenumber_B1..B4 (point,) cm-1 at the ground and radiance_B1..B4 (sounding, point).

    Radiance in ph s-1 m-2 sr-1 um-1; the sensor sees a point at wavenumber (1 - v_sensor / c). Of config the
    fields co2_intensity_scale and multiple_scattering are read.
    """
    source, shape = open_source(config.lines), LineShape(config.line_mixing, config.speed_dependence)
    tables = prepare(tables_dir, source, DATA / "partition_sums.csv", shape)
    cia = read_cia(DATA / "cia_v1.csv")
    airglow = _airglow_per_mr(tables[AIRGLOW_BAND], source)
    count = scene.sizes["sounding"]
    spectra = {b: np.empty((count, len(tables[b].wavenumber_cm1)), np.float32) for b in BAND_ORDER}
    for i in range(count):
        sounding = scene.isel(sounding=i)
        column = layers(sounding, config.co2_intensity_scale)
        geometry = Geometry.at(*_angles_deg(sounding), column.altitude_m)
        for index, name in enumerate(BAND_ORDER):
            sunlight = reflected(tables[name], cia, column, geometry, _surface(sounding, index), config)
            spectra[name][i] = sunlight * _irradiance(sounding, tables[name].wavenumber_cm1)
        spectra[AIRGLOW_BAND][i] += airglow * _airglow_mr_along_view(sounding)
    result = _dataset(scene, tables, spectra)
    return result.assign_attrs(source.attributes)


def reflected(
    table: BandTable,
    cia: Mapping[str, np.ndarray],
    column: Layers,
    geometry: Geometry,
    surface: tuple[float, float],
    config: Any,
) -> np.ndarray:
    """Give the sunlight at the sensor per solar irradiance, (point,) sr-1.

    surface is the reflectance pi L / (mu0 F) for the direct beam and the Lambertian albedo for the rest.
    """
    absorption, scattering = optical_depths(table, cia, column)
    second = rayleigh.legendre_second(table.wavenumber_cm1)
    phase = rayleigh.phase_function(geometry.cos_scattering, second).astype(np.float32)
    direct_reflectance, albedo = surface
    sunlight = np.float32(np.cos(np.radians(geometry.sza_deg)) * direct_reflectance / np.pi)
    result = np.empty(len(phase), np.float32)
    for block in blocks(len(phase)):
        depth = two_way_depth(absorption[:, block] + scattering[:, block], geometry)
        once = once_scattered(depth, scattering[:, block], geometry, phase[block])
        result[block] = sunlight * np.exp(-depth[-1]) + once
    if config.multiple_scattering:
        fineness = (DIFFUSE_OVER_BLACK if albedo == 0.0 else DIFFUSE_OVER_LAND)[table.band.name]
        result += diffuse(absorption, scattering, geometry, second, albedo, fineness)
    return result


def optical_depths(
    table: BandTable, cia: Mapping[str, np.ndarray], column: Layers
) -> tuple[np.ndarray, np.ndarray]:
    """Give vertical absorption and Rayleigh scattering optical depths, (layer, point) float32 each."""
    absorption = np.zeros((len(column.pressure_pa), len(table.wavenumber_cm1)), np.float32)
    for gas in table.cross_section:
        absorption += table.optical_depth(gas, column.pressure_pa, column.temperature_k, column.gas[gas])
    if table.band.name in cia:
        coefficient = cia_coefficient(cia[table.band.name], table.wavenumber_cm1)
        absorption += np.outer(column.air_squared, coefficient).astype(np.float32)
    cross_section = rayleigh.cross_section(table.wavenumber_cm1)
    return absorption, np.outer(column.air, cross_section).astype(np.float32)


def _angles_deg(sounding: xr.Dataset) -> tuple[float, float, float]:
    sza, vza, saa, vaa = (
        float(sounding[f"{body}_{angle}_angle"])
        for angle in ("zenith", "azimuth")
        for body in ("solar", "sensor")
    )
    return sza, vza, abs((saa - vaa + 180.0) % 360.0 - 180.0)


def _surface(sounding: xr.Dataset, band: int) -> tuple[float, float]:
    """Give the reflectance of the direct beam and the albedo of the diffuse light."""
    if int(sounding["surface_type"]) == OCEAN:
        glint = cox_munk_reflectance(*_angles_deg(sounding), float(sounding["wind_speed"]))
        return float(glint), 0.0
    albedo = float(sounding["albedo"].values[band])
    return albedo, albedo


def _irradiance(sounding: xr.Dataset, wavenumber_cm1: np.ndarray) -> np.ndarray:
    return solar.irradiance(
        wavenumber_cm1, float(sounding["sun_recession_speed"]), float(sounding["earth_sun_distance"])
    )


def _airglow_per_mr(table: BandTable, source: LineSource) -> np.ndarray:
    """Give the spectrum of 1 MR, normalised to all lines of the O2 band in the file."""
    records = source.within("O2", *AIRGLOW_LINES_CM1)
    centre, intensity, lower = (
        np.array([float(r[span]) for r in records]) for span in (slice(3, 15), slice(15, 25), slice(45, 55))
    )
    return airglow_spectrum(table.wavenumber_cm1, centre, intensity, lower)


def _airglow_mr_along_view(sounding: xr.Dataset) -> float:
    """Give the emission of the thin layer along the view; the air above it absorbs nothing of note."""
    vza_deg = local_zenith_deg(float(sounding["sensor_zenith_angle"]), AIRGLOW_ALTITUDE_M)
    return float(sounding["airglow_mr"]) / np.cos(np.radians(vza_deg))


def _dataset(
    scene: xr.Dataset, tables: Mapping[str, BandTable], spectra: dict[str, np.ndarray]
) -> xr.Dataset:
    result = xr.Dataset(coords={"sounding_id": scene["sounding_id"]})
    for name in BAND_ORDER:
        point = f"point_{name}"
        result[f"wavenumber_{name}"] = (point, tables[name].wavenumber_cm1, {"units": "cm-1"})
        attributes = {"units": "s-1 m-2 sr-1 um-1", "long_name": "photon radiance at the sensor"}
        result[f"radiance_{name}"] = (("sounding", point), spectra[name], attributes)
    return result
