"""Turn a scene into monochromatic radiance at the sensor in the four bands."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from truth import particles, solar
from truth.diffuse import Depth, diffuse
from truth.emission import airglow_spectrum, sif_photons
from truth.ground import Ground
from truth.layers import Layers, layers
from truth.optics import Medium, gas_medium, mixed_particles
from truth.paths import local_zenith_deg
from truth.scattering import Geometry, blocks, once_scattered, two_way_depth
from truth.spectroscopy.continuum import read_cia
from truth.spectroscopy.lines import LineSource
from truth.spectroscopy.sources import open_source
from truth.spectroscopy.tables import BandTable, LineShape, prepare

DATA = Path(__file__).parent / "data"
BAND_ORDER = ("B1", "B2", "B3", "B4")
AIRGLOW_BAND = "B4"
FLUORESCENCE_BAND = "B1"
AIRGLOW_LINES_CM1 = (7700.0, 8000.0)  # cm-1, holds the whole band
AIRGLOW_ALTITUDE_M = 46_500.0  # m, emission peak, PHYSICS 5
DAYLIGHT_SZA_DEG = 88.0  # deg, the Sun's light is left out beyond: it would need refraction and twilight
DIFFUSE_OVER_BLACK = {
    "B1": Depth(streams=24, points=14, solved_layers=20),
    "B2": Depth(streams=8, points=12, solved_layers=20),
    "B3": Depth(streams=8, points=12, solved_layers=20),
    "B4": Depth(streams=16, points=12, solved_layers=20),
}
DIFFUSE_OVER_LAND = {
    "B1": Depth(streams=16, points=36, solved_layers=30),
    "B2": Depth(streams=8, points=16, solved_layers=20),
    "B3": Depth(streams=8, points=16, solved_layers=20),
    "B4": Depth(streams=16, points=16, solved_layers=20),
}
DIFFUSE_OF_PARTICLES = {
    "B1": Depth(streams=16, points=48, solved_layers=20, predictor_layers=20),
    "B2": Depth(streams=16, points=36, solved_layers=20, predictor_layers=20),
    "B3": Depth(streams=16, points=40, solved_layers=30, predictor_layers=20),
    "B4": Depth(streams=16, points=36, solved_layers=20, predictor_layers=20),
}


@dataclass(frozen=True)
class Sounding:
    """What the light of all four bands has in common."""

    scene: xr.Dataset
    column: Layers
    geometry: Geometry
    config: Any

    @classmethod
    def of(cls, scene: xr.Dataset, config: Any) -> "Sounding":
        """Prepare one sounding of a scene."""
        column = layers(scene, config.co2_intensity_scale, config.water_broadening)
        return cls(scene, column, Geometry.at(*_angles_deg(scene), column.altitude_m), config)


def radiances(scene: xr.Dataset, tables_dir: Path, config: Any) -> xr.Dataset:
    """Give wavenumber_B1..B4 (point,) cm-1 at the ground and radiance_B1..B4 (sounding, point).

    Radiance in ph s-1 m-2 sr-1 um-1; the sensor sees a point at wavenumber (1 - v_sensor / c). The fields of
    config on lines, scattering and reflection are read. From DAYLIGHT_SZA_DEG on only the airglow
    remains. Polarised, radiance is Stokes I, beside stokes_q_B1.. and stokes_u_B1..
    """
    source, shape = open_source(config.lines), LineShape(config.line_mixing, config.speed_dependence)
    tables = prepare(tables_dir, source, DATA / "partition_sums.csv", shape)
    cia = read_cia(DATA / "cia_v1.csv")
    airglow = _airglow_per_mr(tables[AIRGLOW_BAND], source)
    count = scene.sizes["sounding"]
    spectra = {b: np.zeros((count, len(tables[b].wavenumber_cm1)), np.float32) for b in BAND_ORDER}
    for i in range(count):
        sounding = scene.isel(sounding=i)
        if float(sounding["solar_zenith_angle"]) < DAYLIGHT_SZA_DEG:
            common = Sounding.of(sounding, config)
            for name in BAND_ORDER:
                spectra[name][i] = daylight(common, tables[name], cia)
        spectra[AIRGLOW_BAND][i] += airglow * _airglow_mr_along_view(sounding)
    result = _dataset(scene, tables, spectra).assign_attrs(source.attributes)
    if config.polarised:
        from truth.polarised import with_stokes  # late: it builds on this module

        return with_stokes(result, scene, tables, cia, config)
    return result


def daylight(sounding: Sounding, table: BandTable, cia: Mapping[str, np.ndarray]) -> np.ndarray:
    """Give sunlight and fluorescence at the sensor, (point,) ph s-1 m-2 sr-1 um-1, clear and cloudy by share.

    Fluorescence comes on the straight way only: what the air scatters of it is left out.
    """
    ground = Ground.of(sounding.scene, BAND_ORDER.index(table.band.name), sounding.config)
    sun = irradiance(sounding.scene, table.wavenumber_cm1)
    light = np.zeros(len(sun))
    for share, medium, fineness in skies(sounding, table, cia, ground):
        light += share * sun * reflected(medium, sounding.geometry, ground, fineness)
        if table.band.name == FLUORESCENCE_BAND and sounding.scene["sif"] > 0.0:
            glow = sif_photons(table.wavenumber_cm1, float(sounding.scene["sif"]))
            light += share * glow * np.exp(-sounding.geometry.view @ medium.extinction)
    return light


def skies(
    sounding: Sounding, table: BandTable, cia: Mapping[str, np.ndarray], ground: Ground
) -> Iterator[tuple[float, Medium, Depth | None]]:
    """Give share, contents and how finely to compute the diffuse light, of the clear and the cloudy part."""
    band = table.band.name
    gas = gas_medium(table, cia, sounding.column)
    for share, depth in clear_and_cloudy(sounding.scene):
        fineness = _fineness(band, ground.of_scattered_light(bool(depth)).is_black, bool(depth))
        if not sounding.config.multiple_scattering:
            fineness = None
        streams = fineness.streams if fineness else 0
        optics = partial(_optics, band=band)
        mixed = mixed_particles(depth, optics, sounding.geometry.cos_scattering, streams)
        yield share, replace(gas, particles=mixed), fineness


def reflected(medium: Medium, geometry: Geometry, ground: Ground, fineness: Depth | None) -> np.ndarray:
    """Give the sunlight at the sensor per solar irradiance, (point,) sr-1; None leaves diffuse light out."""
    direct = np.float32(np.cos(np.radians(geometry.sza_deg)) * ground.direct(geometry) / np.pi)
    result = np.empty(len(medium.second), np.float32)
    for block in blocks(len(result)):
        part = medium.at(block)
        depth = two_way_depth(part.extinction, geometry)
        once = once_scattered(depth, part.to_sensor(geometry.cos_scattering), geometry)
        result[block] = direct * np.exp(-depth[-1]) + once
    if fineness is not None:
        result += diffuse(medium, geometry, ground, fineness)
    return result


def clear_and_cloudy(sounding: xr.Dataset) -> Iterator[tuple[float, dict[str, np.ndarray]]]:
    """Give share and optical depths at 0.755 um by species, of the clear and the cloudy part."""
    depths = sounding["aerosol_optical_depth"]
    values = zip(depths["species"].values, np.asarray(depths.values, float), strict=True)
    clear = {str(species): layer for species, layer in values if layer.any()}
    cloudy = float(sounding["cloud_fraction"])
    if cloudy < 1.0:
        yield 1.0 - cloudy, clear
    if cloudy > 0.0:
        water = np.asarray(sounding["cloud_optical_depth"].values, float)
        yield cloudy, clear | {"water": clear.get("water", 0.0) + water}


def _optics(species: str, band: str) -> particles.ParticleOptics:
    return particles.optics(species, band)


def _fineness(band: str, black: bool, particles_present: bool) -> Depth | None:
    if particles_present:
        return DIFFUSE_OF_PARTICLES[band]
    return (DIFFUSE_OVER_BLACK if black else DIFFUSE_OVER_LAND)[band]


def _angles_deg(sounding: xr.Dataset) -> tuple[float, float, float]:
    sza, vza, saa, vaa = (
        float(sounding[f"{body}_{angle}_angle"])
        for angle in ("zenith", "azimuth")
        for body in ("solar", "sensor")
    )
    return sza, vza, abs((saa - vaa + 180.0) % 360.0 - 180.0)


def irradiance(sounding: xr.Dataset, wavenumber_cm1: np.ndarray) -> np.ndarray:
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
