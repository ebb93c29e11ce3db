"""Turn one sounding of an OCO-2 L1bSc file and its L2Met file into what the retrieval takes.

Names and conventions are those of the OCO-2 Data Product User's Guide and the public full-physics code:
samples count from 1 in the dispersion polynomial (um), both azimuths are seen from the ground,
sounding_relative_velocity is positive when satellite and ground close in, sounding_solar_relative_velocity
when ground and Sun part. The instrument sees one polarisation: radiance over its first Stokes coefficient,
0.5, is that of unpolarised light.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np

from processors.constants import AU
from processors.job import BadInput
from processors.l2.bands import BANDS
from processors.l2.state import GLINT
from processors.l2.surface import TYPICAL

from .profiles import columns

SPECTRA = {0: "o2", 1: "weak_co2", 2: "strong_co2"}  # our band: its name in the files, in their order
LARGEST_SIGNAL = (7.00e20, 2.45e20, 1.25e20)  # ph s-1 m-2 sr-1 um-1, MaxMS of the noise formula
MISSING = -999_990.0  # fill is -999999
SPECTELS = 1024  # of our products; OCO-2 has 1016 samples
NODES, OFFSETS = 9, 241  # of the responses handed on: samples, steps of wavelength
LEAST_RESPONSE = 1e-5  # of the peak, where a response is cut
GLINT_BELOW = 50.0  # % of land
WATER = (1, 2)  # land_water_indicator: 0 land, 1 water, 2 inland water, 3 mixed
MISSING_SPECTEL = 2  # bit of spectel_quality

CO2_2015_PPM, CO2_PER_YEAR_PPM = 400.0, 2.3


@dataclass(frozen=True)
class Observed:
    """One real sounding: what retrieval.setup takes, and responses in the form of calibration data."""

    sounding_id: int
    sounding: dict[str, Any]
    forecast: dict[str, Any]
    isrf: dict[str, np.ndarray]


def noise(
    radiance: np.ndarray, largest_signal: float, photon: np.ndarray, background: np.ndarray
) -> np.ndarray:
    """Return the noise (sample): (M/100) sqrt(|100 L/M| c_ph^2 + c_bg^2) of radiance L, largest signal M."""
    share = np.abs(100.0 * radiance / largest_signal)
    return largest_signal / 100.0 * np.sqrt(share * photon**2 + background**2)


def read(l1b: Path, met: Path, number: int, co2_prior: Path | None = None) -> Observed:
    """Read a sounding given by its 16-digit identifier or by its place in the file from 0, footprint fastest.

    co2_prior  a table with columns pressure_hpa, co2_ppm, or an OCO-2 L2CPr file; none: at all heights
    400 + 2.3 (year - 2015) ppm
    """
    with _open(l1b) as file, _open(met) as weather:
        frame, footprint, sounding_id = _locate(file, l1b, number)
        sounding = _geometry(_Cell(file, l1b, frame, footprint))
        there = _same_sounding(weather, met, sounding_id, frame, footprint)
        forecast = _forecast(_Cell(weather, met, *there), float(sounding["surface_altitude"]))
        forecast["co2"] = _co2(co2_prior, forecast["pressure"], sounding_id)
        isrf, spectra = _spectra(_Cell(file, l1b, frame, footprint))
    return Observed(sounding_id, {**sounding, **spectra, "sounding_id": sounding_id}, forecast, isrf)


@dataclass(frozen=True)
class _Cell:
    """One sounding of an open file."""

    file: netCDF4.Dataset
    path: Path
    frame: int
    footprint: int

    def variable(self, name: str) -> netCDF4.Variable:
        try:
            return self.file[name]
        except (IndexError, KeyError) as error:
            raise BadInput(
                f"{self.path}: expected {name}, got none: give an OCO-2 L1bSc/L2Met file"
            ) from error

    def here(self, name: str) -> np.ndarray:
        """Return (...) of an array (frame, footprint, ...)."""
        return np.asarray(self.variable(name)[self.frame, self.footprint], dtype=float)

    def header(self, name: str, band: int) -> np.ndarray:
        """Return (...) of an array (band, footprint, ...)."""
        return np.asarray(self.variable(f"InstrumentHeader/{name}")[band, self.footprint], dtype=float)

    def number(self, name: str) -> float:
        value = float(self.here(name))
        if not np.isfinite(value) or value <= MISSING:
            raise BadInput(f"{self.path}: expected a number in {name}, got fill: take another sounding")
        return value

    def has(self, name: str) -> bool:
        try:
            self.file[name]
        except (IndexError, KeyError):
            return False
        return True


def _open(path: Path) -> netCDF4.Dataset:
    try:
        file = netCDF4.Dataset(path)
    except (OSError, UnicodeError) as error:
        raise BadInput(f"{path}: expected an HDF5 file, got {error}: check the path") from error
    file.set_auto_maskandscale(False)
    return file


def _locate(file: netCDF4.Dataset, path: Path, number: int) -> tuple[int, int, int]:
    """Return frame, footprint and identifier of a sounding."""
    ids = np.asarray(_Cell(file, path, 0, 0).variable("SoundingGeometry/sounding_id")[:])
    place = np.flatnonzero(ids.ravel() == number) if number >= ids.size else np.array([number])
    if place.size != 1 or place[0] < 0:
        raise BadInput(
            f"{path}: expected a sounding_id of the file or a place from 0 to {ids.size - 1}, got {number}: "
            "correct it"
        )
    frame, footprint = divmod(int(place[0]), ids.shape[1])
    return frame, footprint, int(ids[frame, footprint])


def _same_sounding(
    weather: netCDF4.Dataset, path: Path, sounding_id: int, frame: int, footprint: int
) -> tuple[int, int]:
    """Return frame and footprint of the sounding in the meteorology file."""
    ids = np.asarray(_Cell(weather, path, 0, 0).variable("SoundingGeometry/sounding_id")[:])
    if frame < ids.shape[0] and ids[frame, footprint] == sounding_id:
        return frame, footprint
    place = np.flatnonzero(ids.ravel() == sounding_id)
    if place.size != 1:
        raise BadInput(
            f"{path}: expected sounding {sounding_id}, got none: give the L2Met file of this L1bSc"
        )
    return divmod(int(place[0]), ids.shape[1])


def _geometry(cell: _Cell) -> dict[str, Any]:
    """Return the geometry of a sounding under the names of our L1B product."""

    def of(name: str) -> float:
        return cell.number(f"SoundingGeometry/sounding_{name}")

    return {
        "solar_zenith_angle": of("solar_zenith"),
        "solar_azimuth_angle": of("solar_azimuth"),
        "sensor_zenith_angle": of("zenith"),
        "sensor_azimuth_angle": of("azimuth"),
        "sensor_recession_speed": -of("relative_velocity"),
        "sun_recession_speed": of("solar_relative_velocity"),
        "earth_sun_distance": of("solar_distance") / AU,
        "latitude": of("latitude"),
        "surface_altitude": of("altitude"),
        "operation_mode": GLINT if _over_water(cell) else 0,
        "fov": 1,
    }


def _over_water(cell: _Cell) -> bool:
    if cell.has("SoundingGeometry/sounding_land_fraction"):
        return cell.number("SoundingGeometry/sounding_land_fraction") < GLINT_BELOW
    return int(cell.number("SoundingGeometry/sounding_land_water_indicator")) in WATER


def _forecast(cell: _Cell, altitude_m: float) -> dict[str, Any]:
    """Return the forecast of icd/prior.yaml; levels from the top down, in older files of the ECMWF group."""
    group, end = ("Meteorology", "met") if "Meteorology" in cell.file.groups else ("ECMWF", "ecmwf")

    def of(name: str) -> np.ndarray:
        return cell.here(f"{group}/{name}_{end}")

    out: dict[str, Any] = {
        "surface_pressure": float(of("surface_pressure")),
        "surface_altitude": altitude_m,
        "pressure": of("vector_pressure_levels"),
        "temperature": of("temperature_profile"),
        "specific_humidity": of("specific_humidity_profile"),
        "wind_speed": float(np.hypot(of("windspeed_u"), of("windspeed_v"))),
    }
    if any(np.any(~np.isfinite(values)) or np.any(values <= MISSING) for values in out.values()):
        raise BadInput(f"{cell.path}: expected a whole forecast, got fill values: take another sounding")
    if np.any(np.diff(out["pressure"]) <= 0.0) or out["pressure"][0] <= 0.0:
        raise BadInput(f"{cell.path}: expected pressures from the top down in Pa, got others: check the file")
    out["wind_speed"] = max(out["wind_speed"], 0.5)  # the prior of a logarithm
    out["brdf_volumetric"], out["brdf_geometric"] = TYPICAL  # which no file tells
    return out


def _co2(path: Path | None, pressure_pa: np.ndarray, sounding_id: int) -> np.ndarray:
    """Return the prior (level), ppm."""
    if path is None:
        year = sounding_id // 10**12 + (sounding_id // 10**10 % 100 - 0.5) / 12.0
        return np.full(pressure_pa.size, CO2_2015_PPM + CO2_PER_YEAR_PPM * (year - 2015.0))
    if path.suffix in (".h5", ".nc", ".nc4"):
        with _open(path) as file:
            place = _same_sounding(file, path, sounding_id, 0, 0)
            profile = 1e6 * _Cell(file, path, *place).here("CO2Prior/co2_prior_profile_cpr")
        if profile.size != pressure_pa.size or not np.all(profile > 0.0):
            raise BadInput(
                f"{path}: expected CO2 on {pressure_pa.size} levels, got {profile.size}: give the L2CPr file"
            )
        return profile
    pressure_hpa, co2 = columns(path, ("pressure_hpa", "co2_ppm"))
    return np.interp(np.log(pressure_pa), np.log(100.0 * pressure_hpa), co2)


def _spectra(cell: _Cell) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return the responses and the spectra (band, spectel) of a sounding; no measurement is NaN."""
    out = {
        name: np.full((len(BANDS), SPECTELS), np.nan)
        for name in ("wavelength", "radiance", "radiance_uncertainty")
    }
    quality = np.full((len(BANDS), SPECTELS), MISSING_SPECTEL)
    node = np.linspace(0, 1015, NODES).round().astype(int)
    offset = np.tile(np.linspace(-1.0, 1.0, OFFSETS), (len(BANDS), 1))
    isrf = np.ones((len(BANDS), 1, NODES, OFFSETS))
    for b in SPECTRA:
        offset[b], isrf[b, 0] = _responses(cell, b, node)
        radiance, sigma, bad = _radiance(cell, b)
        samples = radiance.size
        out["wavelength"][b] = _wavelength_nm(cell, b)
        out["radiance"][b, :samples], out["radiance_uncertainty"][b, :samples] = radiance, sigma
        quality[b, :samples] = np.where(bad, MISSING_SPECTEL, 0)
    out["spectel_quality"] = quality
    return {"isrf_node": node, "isrf_offset": offset, "isrf": isrf}, out


def _wavelength_nm(cell: _Cell, band: int) -> np.ndarray:
    """Return the wavelengths (spectel); those beyond the last sample go on in its step."""
    coefficient = cell.header("dispersion_coef_samp", band)
    samples = cell.variable(f"SoundingMeasurements/radiance_{SPECTRA[band]}").shape[2]
    known = 1e3 * np.polynomial.polynomial.polyval(np.arange(1.0, samples + 1.0), coefficient)
    if not np.all(np.diff(known) > 0.0):
        raise BadInput(
            f"{cell.path}: expected wavelengths that ascend in {SPECTRA[band]}, got others: check the file"
        )
    beyond = known[-1] + (known[-1] - known[-2]) * np.arange(1, SPECTELS - samples + 1)
    return np.concatenate([known, beyond])


def _radiance(cell: _Cell, band: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return radiance of unpolarised light, its noise and what is bad (sample)."""
    measured = cell.here(f"SoundingMeasurements/radiance_{SPECTRA[band]}")
    snr = cell.header("snr_coef", band)
    largest = LARGEST_SIGNAL[band]
    if cell.has("InstrumentHeader/measureable_signal_max_observed"):
        largest = float(cell.variable("InstrumentHeader/measureable_signal_max_observed")[band])
    sigma = noise(measured, largest, snr[:, 0], snr[:, 1])
    if cell.has("InstrumentHeader/bad_sample_list"):
        bad = cell.header("bad_sample_list", band) != 0.0
    else:  # files before version 8 keep it with the noise
        bad = snr[:, 2] != 0.0 if snr.shape[1] > 2 else np.zeros(measured.size, dtype=bool)
    missing = ~np.isfinite(measured) | (measured <= MISSING) | ~(sigma > 0.0)
    share = 0.5
    if cell.has("FootprintGeometry/footprint_stokes_coefficients"):
        share = float(cell.here("FootprintGeometry/footprint_stokes_coefficients")[band, 0])
    return (
        np.where(missing, np.nan, measured / share),
        np.where(missing, np.nan, sigma / share),
        bad | missing,
    )


def _responses(cell: _Cell, band: int, node: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return an even grid of offsets, nm, and the responses at some samples on it (node, offset), nm-1."""
    delta = 1e3 * cell.header("ils_delta_lambda", band)[node]
    response = cell.header("ils_relative_response", band)[node]
    seen = response > LEAST_RESPONSE * response.max(axis=1, keepdims=True)
    reach = np.abs(np.where(seen, delta, 0.0)).max()
    offset = np.linspace(-reach, reach, OFFSETS)
    shape = np.array([np.interp(offset, d, r, 0.0, 0.0) for d, r in zip(delta, response, strict=True)])
    area = np.trapezoid(shape, offset, axis=1)
    if not np.all(area > 0.0):
        raise BadInput(
            f"{cell.path}: expected line shapes with an area, got none: check ils_relative_response"
        )
    return offset, shape / area[:, None]
