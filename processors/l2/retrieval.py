"""Retrieve the states of a batch of soundings from their spectra and grade the results."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from processors.job import BadInput

from . import atmosphere, prescreen, quality, state
from .absorption import BATCH
from .atmosphere import SIGMA
from .auxiliary import Auxiliary
from .bandmodel import SoundingBand
from .bands import BANDS
from .forward import ForwardModel, Setup, Viewing
from .inverse import BENT, LINEAR, Measurement, Solution, column_errors, posterior, search
from .quality import Reason
from .state import Options
from .surface import glint_reflectance

CONVERGED, ITERATION_LIMIT, DIVERGED, NOT_ATTEMPTED = range(4)
DARKEST_GLINT = 1e-4  # reflectance, of a first guess
Row = dict[str, Any]


@dataclass(frozen=True)
class Spectra:
    """Measured radiance, its 1 sigma, wavelength and quality of one sounding (band, spectel)."""

    radiance: np.ndarray
    sigma: np.ndarray
    wavelength_nm: np.ndarray
    good: np.ndarray


@dataclass(frozen=True)
class Case:
    """One sounding on its way through the retrieval."""

    sounding: Mapping[str, Any]
    forecast: Mapping[str, Any]
    spectra: Spectra


def retrieve(
    soundings: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]], aux: Auxiliary, settings: Row
) -> list[Row]:
    """Return the L2 values of soundings, given with their forecasts.

    What cannot be retrieved is flagged, its values left out. What one sounding gives does not hang on the
    others.
    """
    options = options_of(settings)
    rows: list[Row] = [{} for _ in soundings]
    groups: dict[bool, list[int]] = {False: [], True: []}
    cases = [Case(sounding, forecast, read_spectra(sounding)) for sounding, forecast in soundings]
    for n, case in enumerate(cases):
        bands, seen = list(options.bands), case.spectra
        refused = quality.refusal(case.sounding, case.forecast, settings) or quality.darkness(
            seen.radiance[bands], seen.sigma[bands], seen.good[bands], settings["snr_limit"]
        )
        if refused:
            rows[n] = _flags(NOT_ATTEMPTED, refused, 0)
        else:
            groups[is_glint(case.sounding)].append(n)
    for members in groups.values():
        members.sort(key=lambda n: int(soundings[n][0]["fov"]))  # soundings of one share a response
        for first in range(0, len(members), BATCH):
            some = members[first : first + BATCH]
            found = _guarded([cases[n] for n in some], aux, options, settings)
            for n, row in zip(some, found, strict=True):
                rows[n] = row
    return rows


def _guarded(cases: Sequence[Case], aux: Auxiliary, options: Options, settings: Row) -> list[Row]:
    """Retrieve soundings together; where one cannot even be tried, each alone, and that one is flagged.

    A fault of files that all share is raised.
    """
    try:
        return _batch(cases, aux, options, settings)
    except BadInput:
        raise
    except Exception as error:
        if len(cases) > 1:
            return [row for case in cases for row in _guarded([case], aux, options, settings)]
        said = f"sounding {int(cases[0].sounding['sounding_id'])}: {type(error).__name__}: {error}: flagged"
        print(" ".join(said.split()), file=sys.stderr)
        return [_flags(DIVERGED, Reason.NOT_CONVERGED, 0)]


def options_of(settings: Mapping[str, Any]) -> Options:
    """Translate a job's settings into what the state holds."""
    index = {band.name: band.index for band in BANDS}
    return Options(
        bands=tuple(index[name] for name in settings["bands"]),
        particles=state.PARTICLES if settings["mode"] == "full" else (),
        fluorescence=settings["fluorescence"],
        airglow=settings["airglow"],
        brdf=settings["brdf"],
        dispersion=tuple(index[name] for name in settings["dispersion"]),
        isrf_width=tuple(index[name] for name in settings["isrf_width"]),
        zero_level=tuple(index[name] for name in settings["zero_level"]),
        isrf_width_sigma=settings["isrf_width_sigma"],
        zero_level_sigma=settings["zero_level_sigma"],
    )


def is_glint(sounding: Mapping[str, Any]) -> bool:
    return int(sounding["operation_mode"]) == state.GLINT


def _batch(cases: Sequence[Case], aux: Auxiliary, options: Options, settings: Row) -> list[Row]:
    setups = [setup(case.sounding, case.forecast, case.spectra, aux, options) for case in cases]
    model = ForwardModel(setups, aux.models(options), options)
    measured = [_measurement(case.spectra, options) for case in cases]
    rows: list[Row] = [{} for _ in cases]
    screened = [settings["prescreen"]] * len(cases)
    way = BENT if options.particles else LINEAR
    hunts = {
        n: search(m, own.state, settings["max_iterations"], way, first_guess(own, options))
        for n, (m, own) in enumerate(zip(measured, setups, strict=True))
    }
    wanted = {n: next(hunt) for n, hunt in hunts.items()}
    while wanted:
        members, asked = list(wanted), list(wanted.values())
        answers = model(members, [a.x for a in asked], [a.slopes for a in asked])
        for n, said in zip(members, answers, strict=True):
            if screened[n]:
                screened[n] = False
                rows[n] = prescreen.estimates(setups[n].state, measured[n], said, options)
                if reason := prescreen.cloudy(rows[n], settings):
                    rows[n] |= _flags(NOT_ATTEMPTED, reason, 0)
                    del wanted[n]
                    continue
            try:
                wanted[n] = hunts[n].send(said)
            except StopIteration as end:
                del wanted[n]
                rows[n] |= _row(cases[n], setups[n], options, end.value, measured[n], rows[n], settings)
    return rows


def first_guess(own: Setup, options: Options) -> np.ndarray:
    """Start at the prior, over the sea at the wind and the brightness that the continua of the bands ask
    for."""
    sv, x = own.state, own.state.x_a.copy()
    if "ln_wind" in sv:
        v = own.viewing
        winds = np.linspace(1.0, 25.0, 97)
        level = np.maximum(glint_reflectance(v.sza_deg, v.vza_deg, v.raa_deg, winds)[0], DARKEST_GLINT)
        seen = np.array([band.reflectance for band in own.bands])
        near = np.abs(np.log(level / seen.mean())) + 0.01 * np.abs(winds - np.exp(x[sv["ln_wind"]][0]))
        best = int(near.argmin())
        x[sv["ln_wind"]] = np.log(winds[best])
        for b, reflectance in zip(options.bands, seen, strict=True):
            x[sv[f"surface_{b}"].start] = reflectance / level[best]
    return x


def _measurement(spectra: Spectra, options: Options) -> Measurement:
    chosen = list(options.bands)
    good = spectra.good[chosen]
    precision = np.where(good, 1.0, 0.0) / np.where(good, spectra.sigma[chosen], 1.0) ** 2
    return Measurement(np.where(good, spectra.radiance[chosen], 0.0).ravel(), precision.ravel())


def _row(
    case: Case,
    own: Setup,
    options: Options,
    solution: Solution,
    measured: Measurement,
    screen: Row,
    settings: Row,
) -> Row:
    """Grade one finished search."""
    outcome = _outcome(solution, settings["max_iterations"])
    if outcome == DIVERGED:
        return _flags(outcome, Reason.NOT_CONVERGED, solution.iterations)
    fit = _fit(solution, case.spectra, options)
    if outcome == ITERATION_LIMIT:
        return {**fit, **_flags(outcome, Reason.NOT_CONVERGED, solution.iterations)}
    column = _column(own, options, solution)
    good = case.spectra.good[list(options.bands)]
    doubts, warn = quality.doubts({**screen, **fit, **column}, good, settings)
    if settings["bias_correction"]:
        column["xco2_raw"] = column["xco2"]
        column["xco2"] -= quality.bias_ppm(column, is_glint(case.sounding))
    return {**column, **fit, "warn_level": warn, **_flags(outcome, doubts, solution.iterations)}


def _flags(outcome: int, reasons: Reason, iterations: int) -> Row:
    return {
        "outcome_flag": outcome,
        "xco2_quality_flag": int(reasons != quality.NONE),
        "quality_reasons": int(reasons),
        "iterations": iterations,
    }


def _outcome(solution: Solution, max_iterations: int) -> int:
    finite = np.all(np.isfinite(solution.x)) and np.all(np.isfinite(solution.information))
    if not finite:
        return DIVERGED
    if solution.converged:
        return CONVERGED
    return ITERATION_LIMIT if solution.iterations >= max_iterations else DIVERGED


def read_spectra(sounding: Mapping[str, Any]) -> Spectra:
    """Take the spectra of a sounding; good is a spectel whose numbers all have a meaning."""
    radiance, sigma, wavelength = (
        np.asarray(sounding[name], dtype=float) for name in ("radiance", "radiance_uncertainty", "wavelength")
    )
    numbers = np.isfinite(radiance) & np.isfinite(sigma) & np.isfinite(wavelength) & (sigma > 0.0)
    return Spectra(radiance, sigma, wavelength, (sounding["spectel_quality"] == 0) & numbers)


def setup(
    sounding: Mapping[str, Any],
    forecast: Mapping[str, Any],
    spectra: Spectra,
    aux: Auxiliary,
    options: Options,
    kind: type = np.float32,
) -> Setup:
    """Prepare the forward model of one sounding from its geometry, forecast and calibration."""
    raa = abs((sounding["solar_azimuth_angle"] - sounding["sensor_azimuth_angle"] + 180.0) % 360.0 - 180.0)
    glint = is_glint(sounding)
    viewing = Viewing(
        float(sounding["solar_zenith_angle"]),
        float(sounding["sensor_zenith_angle"]),
        float(raa),
        float(sounding["sensor_recession_speed"]),
        glint,
    )
    mu0 = np.cos(np.radians(viewing.sza_deg))
    bands, reflectance = [], np.full(len(BANDS), np.nan)
    for b in options.bands:
        sun = aux.sunlight(b, float(sounding["sun_recession_speed"]), float(sounding["earth_sun_distance"]))
        unit = float(sun.max())
        top = brightest(spectra.radiance[b][spectra.good[b]])
        reflectance[b] = np.pi * top / (mu0 * unit)
        expansions = aux.expansions(b, int(sounding["fov"]), _whole(spectra.wavelength_nm[b]), kind)
        bands.append(SoundingBand(unit, (sun / unit).astype(kind), expansions, top, reflectance[b]))
    psurf_pa = float(forecast["surface_pressure"])
    co2 = np.interp(np.log(SIGMA * psurf_pa), np.log(forecast["pressure"]), forecast["co2"])
    sv = state.build(co2, psurf_pa / 100.0, float(forecast["wind_speed"]), glint, reflectance, options)
    return Setup(sv, atmosphere.meteo(forecast, float(sounding["latitude"])), viewing, bands)


def brightest(radiance: np.ndarray) -> float:
    """Return the 98th percentile; numpy's own takes ten times as long for some hundred values."""
    at = 0.98 * (radiance.size - 1)
    low = int(at)
    ends = np.partition(radiance, (low, min(low + 1, radiance.size - 1)))[low : low + 2]
    return float(ends[0] + (at - low) * (ends[-1] - ends[0]))


def _whole(wavelength_nm: np.ndarray) -> np.ndarray:
    """Fill wavelengths that are no number from their neighbours; such spectels are not fitted."""
    known = np.isfinite(wavelength_nm)
    at = np.arange(wavelength_nm.size)
    return wavelength_nm if known.all() else np.interp(at, at[known], wavelength_nm[known])


def _column(own: Setup, options: Options, solution: Solution) -> Row:
    """Return XCO2 with its error budget and the other retrieved quantities."""
    sv, x = own.state, solution.x
    post = posterior(solution.information, sv.S_a, sv.prior)
    psurf, sigma = x[sv["psurf"]][0], np.sqrt(np.diag(post.S_hat))
    layers = atmosphere.layers(own.meteo, 100.0 * psurf, x[sv["temperature"]], x[sv["h2o"]])
    h = layers.pressure_weight
    errors = column_errors(post, sv.S_a, h, sv["co2"])
    prior = sv.x_a[sv["co2"]]

    def single(name: str, values: np.ndarray, place: int = 0) -> float:
        return float(values[sv[name]][place]) if name in sv else np.nan

    def by_band(name: str, place: int = 0) -> list[float]:
        return [single(f"{name}_{b}", x, place) for b in range(len(BANDS))]

    row = {
        "xco2": h @ x[sv["co2"]],
        "xco2_apriori": h @ prior,
        "xco2_uncertainty": errors.total,
        "xco2_uncertainty_noise": errors.noise,
        "xco2_uncertainty_smoothing": errors.smoothing,
        "xco2_uncertainty_interference": errors.interference,
        "xco2_averaging_kernel": errors.kernel,
        "pressure_weight": h,
        "pressure_levels": SIGMA * psurf,
        "co2_profile": x[sv["co2"]],
        "co2_profile_apriori": prior,
        "dof_co2": errors.degrees_of_freedom,
        "psurf": psurf,
        "psurf_apriori": sv.x_a[sv["psurf"]][0],
        "psurf_uncertainty": sigma[sv["psurf"]][0],
        "wind_speed": float(np.exp(single("ln_wind", x))),
        "temperature_offset": x[sv["temperature"]].mean(),
        "h2o_scale": layers.h2o_scale,
        "airglow": single("airglow", x),
        "sif": single("sif", x),
        "sif_uncertainty": single("sif", sigma),
        "albedo": [np.nan] * len(BANDS) if "ln_wind" in sv else by_band("surface"),
        "reflection_shape": single("shape", x),
        "dispersion_shift": by_band("dispersion"),
        "dispersion_stretch": by_band("dispersion", 1),
        "isrf_width": by_band("isrf_width"),
        "zero_level": by_band("zero_level"),
    }
    if options.particles:
        row["aerosol_optical_depth"] = x[sv["depth"]]
        row["aerosol_optical_depth_uncertainty"] = sigma[sv["depth"]]
        row["aerosol_height"] = x[sv["height"]]
    return row


def _fit(solution: Solution, spectra: Spectra, options: Options) -> Row:
    """Return modelled spectra, residuals and chi-square per band; NaN in bands that were not fitted."""
    shape, bands = spectra.good.shape, list(options.bands)
    modelled, residual = np.full(shape, np.nan), np.full(shape, np.nan)
    chi2, rms = np.full(shape[0], np.nan), np.full(shape[0], np.nan)
    good = spectra.good[bands]
    F = solution.modelled.reshape(len(bands), -1)
    away = np.where(good, spectra.radiance[bands] - F, 0.0)
    count, top = good.sum(axis=1), np.where(good, F, -np.inf).max(axis=1)
    chi2[bands] = np.square(away / np.where(good, spectra.sigma[bands], 1.0)).sum(axis=1) / count
    rms[bands] = np.sqrt(np.square(away).sum(axis=1) / count) / top
    modelled[bands] = np.where(good, F, np.nan)
    residual[bands] = np.where(good, away / top[:, None], np.nan)
    return {"radiance_modelled": modelled, "radiance_residual": residual, "chi2": chi2, "residual_rms": rms}
