"""An atmosphere, spectra and small absorption tables for the tests of L2."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from processors.l2 import airglow, cia, lines, particles, solar, tables
from processors.l2.auxiliary import Auxiliary
from processors.l2.bands import BANDS, Band
from processors.l2.forward import ForwardModel
from processors.l2.retrieval import Spectra, read_spectra, setup
from processors.l2.state import Options

ROOT = Path(__file__).parents[3]
DATA = ROOT / "truth" / "data"
PARTICLES = ROOT / "twin" / "data" / "particles.csv"
SPECTROSCOPY = (
    DATA, DATA / "partition_sums.csv", DATA / "solar_lines_v1.csv", DATA / "solar_continuum.csv"
)  # fmt: skip
CLEAR = Options(particles=())
FWHM_NM = (0.0299, 0.0623, 0.0787, 0.0492)
# Windows with strong and weak lines, water and continuum: the whole code at a tenth of its cost
NARROW = tuple(
    replace(band, first_cm1=first, last_cm1=last)
    for band, first, last in zip(BANDS, (13115, 6226, 4879, 7878), (13140, 6240, 4895, 7896), strict=True)
)
MARGIN_CM1 = 2.0  # the response and the Doppler shift stay inside the window
NANOMETRES = ((758.3, 768.8), (1596.7, 1618.9), (2023.0, 2051.0), (1264.0, 1282.2))  # of the mission
# Mission: electrons and photon radiance (s-1 m-2 sr-1 um-1) at albedo 0.2, SZA 45
MEAN_ELECTRONS = np.array([9.02e4, 1.28e5, 3.93e4, 1.52e5])
MEAN_RADIANCE = np.array([2.15e20, 8.7e19, 5.2e19, 1.31e20])
OTHER_NOISE = 100.0  # electrons


@dataclass(frozen=True)
class Case:
    """Geometry, surface and surface pressure (hPa) of one sounding."""

    glint: bool = False
    sza: float = 45.0
    vza: float = 10.0
    raa: float = 60.0
    psurf: float = 1013.0
    albedo: tuple[float, ...] = (0.2, 0.2, 0.2, 0.2)
    latitude: float = 20.0
    altitude: float = 0.0  # m


def noise(radiance: np.ndarray) -> np.ndarray:
    """Give 1 sigma of radiances (band, spectel) after the mission's SNR = N/sqrt(N + s0^2)."""
    per_radiance = (MEAN_ELECTRONS / MEAN_RADIANCE)[:, None]
    electrons = np.maximum(radiance, 0.0) * per_radiance
    return np.sqrt(electrons + OTHER_NOISE**2) / per_radiance


def forecast(case: Case) -> dict[str, Any]:
    """Give a mid-latitude forecast (level from the top) with 1.6 cm of water and a CO2 gradient."""
    p = np.geomspace(10.0, 108_000.0, 72)
    log_nodes = np.log([10.0, 100.0, 1000.0, 10_000.0, 20_000.0, 50_000.0, 108_000.0])
    return {
        "surface_pressure": 100.0 * case.psurf,
        "surface_altitude": case.altitude,
        "pressure": p,
        "temperature": np.interp(np.log(p), log_nodes, [250.0, 262.0, 230.0, 205.0, 218.0, 255.0, 295.0]),
        "specific_humidity": 0.012 * (p / 1e5) ** 3,
        "co2": np.interp(p, [1e4, 3e4, 1e5], [412.0, 418.0, 424.0]),
        "wind_speed": 7.0,
        "brdf_volumetric": 0.4,
        "brdf_geometric": 0.1,
    }


@dataclass(frozen=True)
class Ground:
    """Auxiliary data with either narrow or whole bands, and soundings to go with them."""

    aux: Auxiliary

    def sounding(self, case: Case) -> dict[str, Any]:
        """Give a sounding of level radiance, as over `albedo` without an atmosphere."""
        mu0 = np.cos(np.radians(case.sza))
        peak = [
            solar.photon_irradiance(self.aux.sun, t.band.wavenumber_cm1, 300.0, 1.01).max()
            for t in self.aux.tables
        ]
        radiance = np.tile((np.array(case.albedo) * mu0 * peak / np.pi)[:, None], 1024)
        return {
            "sounding_id": np.int64(100_000_000_011),
            "radiance": radiance,
            "radiance_uncertainty": noise(radiance),
            "wavelength": self.wavelength_nm(),
            "spectel_quality": np.zeros((4, 1024), np.int8),
            "solar_zenith_angle": case.sza,
            "sensor_zenith_angle": case.vza,
            "solar_azimuth_angle": 350.0,
            "sensor_azimuth_angle": (350.0 + case.raa) % 360.0,
            "sensor_recession_speed": 1500.0,
            "sun_recession_speed": 300.0,
            "earth_sun_distance": 1.01,
            "operation_mode": int(case.glint),
            "fov": 2,
            "latitude": case.latitude,
        }

    def fresh(self) -> Auxiliary:
        """Give the auxiliary data without what has been made of them."""
        return Auxiliary(**{f.name: getattr(self.aux, f.name) for f in fields(self.aux) if f.name[0] != "_"})

    def wavelength_nm(self) -> np.ndarray:
        edges = NANOMETRES
        if self.aux.tables[0].band == NARROW[0]:
            edges = tuple((1e7 / (b.last_cm1 - MARGIN_CM1), 1e7 / (b.first_cm1 + MARGIN_CM1)) for b in NARROW)
        return np.array([np.linspace(*edge, 1024) for edge in edges])

    def model(self, case: Case, options: Options = CLEAR, kind: type = np.float32) -> ForwardModel:
        """Give the forward model of one sounding, land with its typical reflectance by direction."""
        sounding = self.sounding(case)
        own = setup(sounding, forecast(case), spectra(sounding), self.aux, options, kind)
        return ForwardModel([own], self.aux.models(options, kind), options)

    def measured(
        self, case: Case, seed: int | None = 7, x: np.ndarray | None = None, options: Options = CLEAR
    ) -> dict[str, Any]:
        """Give a sounding as the forward model itself sees it, at its prior unless told, with noise."""
        model = self.model(case, options)
        said = model([0], [model.state.x_a if x is None else x])[0]
        radiance = self.sounding(case)["radiance"]
        radiance[list(options.bands)] = said.F.reshape(len(options.bands), 1024)
        sigma = noise(radiance)
        if seed is not None:
            radiance = radiance + sigma * np.random.default_rng(seed).normal(size=radiance.shape)
        return {**self.sounding(case), "radiance": radiance, "radiance_uncertainty": sigma}


def spectra(sounding: dict[str, Any]) -> Spectra:
    return read_spectra(sounding)


def gaussian_isrf(scale: float = 1.0) -> dict[str, np.ndarray]:
    """Give the /isrf group of calibration data with Gaussians `scale` times as wide as the mission's."""
    offset = np.array([np.linspace(-2.5 * w, 2.5 * w, 201) for w in FWHM_NM])
    sigma = scale * np.array(FWHM_NM)[:, None] / 2.354820
    shape = np.exp(-0.5 * (offset / sigma) ** 2)
    shape /= np.trapezoid(shape, offset)[:, None]
    return {
        "isrf_node": np.array([0, 256, 512, 767, 1023]),
        "isrf_offset": offset,
        "isrf": np.broadcast_to(shape[:, None, None, :], (4, 3, 5, 201)).copy(),
    }


def auxiliary(band_tables: list[tables.BandTables]) -> Auxiliary:
    gaussians = cia.read(DATA / "cia_v1.csv")
    o2 = lines.read_lines(DATA)["O2"]
    return Auxiliary(
        tables=band_tables,
        sun=solar.read(DATA / "solar_lines_v1.csv", DATA / "solar_continuum.csv"),
        cia=[cia.coefficient(gaussians, t.band.name, t.wavenumber_cm1) for t in band_tables],
        airglow=airglow.spectra(o2, band_tables[3].wavenumber_cm1),
        optics=particles.read(PARTICLES),
        ckd={"isrf": gaussian_isrf()},
    )


def build_tables(bands: tuple[Band, ...]) -> list[tables.BandTables]:
    sources = tables.read(tables.Spectroscopy(*SPECTROSCOPY))
    return [tables.build(band, sources) for band in bands]


@pytest.fixture(scope="session")
def narrow() -> Ground:
    """Soundings in narrow windows."""
    return Ground(auxiliary(build_tables(NARROW)))


@pytest.fixture(scope="session")
def whole() -> Ground:
    """Soundings in the mission's bands; about 10 s of one core."""
    return Ground(auxiliary(build_tables(BANDS)))


@pytest.fixture(scope="session")
def l2_kit() -> Any:
    """The helpers of this file, for test modules that cannot import it."""
    return _Kit


class _Kit:
    Case, DATA, NARROW, PARTICLES, CLEAR = Case, DATA, NARROW, PARTICLES, CLEAR
    SPECTROSCOPY = SPECTROSCOPY
    auxiliary = staticmethod(auxiliary)
    noise, forecast, spectra, gaussian_isrf = map(staticmethod, (noise, forecast, spectra, gaussian_isrf))
    replace = staticmethod(replace)
