"""Retrieve the state of one sounding from its four spectra and grade the result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import atmosphere, fluorescence, quality, state
from .atmosphere import SIGMA
from .auxiliary import Auxiliary
from .forward import BandInput, ForwardModel, Viewing
from .inverse import Solution, column_errors, posterior, solve
from .isrf import Response
from .quality import Reason
from .solar import photon_irradiance

CONVERGED, ITERATION_LIMIT, DIVERGED, NOT_ATTEMPTED = range(4)
Row = dict[str, Any]


@dataclass(frozen=True)
class Spectra:
    """Measured radiance, its 1 sigma, wavelength and quality of one sounding (band, spectel)."""

    radiance: np.ndarray
    sigma: np.ndarray
    wavelength_nm: np.ndarray
    good: np.ndarray


def retrieve(sounding: Mapping[str, Any], forecast: Mapping[str, Any], aux: Auxiliary, settings: Row) -> Row:
    """Return the L2 values of one sounding; what cannot be retrieved is flagged, its values left out."""
    spectra = read_spectra(sounding)
    refused = quality.refusal(sounding, forecast, settings) or quality.darkness(
        spectra.radiance, spectra.sigma, spectra.good, settings["snr_limit"]
    )
    if refused:
        return _flags(NOT_ATTEMPTED, refused, 0)
    model = forward_model(sounding, forecast, spectra, aux, settings["fluorescence"])
    good = spectra.good.ravel()
    y, variance = spectra.radiance.ravel()[good], spectra.sigma.ravel()[good] ** 2

    def masked(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        f, k = model(x)
        return f[good], k[good]

    x_a, S_a = model.state.x_a, model.state.S_a
    solution = solve(masked, y, variance, x_a, S_a, settings["max_iterations"])
    outcome = _outcome(solution, settings["max_iterations"])
    if outcome == DIVERGED:
        return _flags(outcome, Reason.NOT_CONVERGED, solution.iterations)
    fit = _fit(solution, spectra)
    if outcome == ITERATION_LIMIT:
        return {**fit, **_flags(outcome, Reason.NOT_CONVERGED, solution.iterations)}
    column = _column(model, solution, variance)
    change = column["psurf"] - column["psurf_apriori"]
    doubts = quality.doubts(fit["chi2"], spectra.good, np.array(column["albedo"]), change, settings)
    return {**column, **fit, **_flags(outcome, doubts, solution.iterations)}


def _flags(outcome: int, reasons: Reason, iterations: int) -> Row:
    return {
        "outcome_flag": outcome,
        "xco2_quality_flag": int(reasons != quality.NONE),
        "quality_reasons": int(reasons),
        "iterations": iterations,
    }


def _outcome(solution: Solution, max_iterations: int) -> int:
    finite = np.all(np.isfinite(solution.x)) and np.all(np.isfinite(solution.K))
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


def forward_model(
    sounding: Mapping[str, Any],
    forecast: Mapping[str, Any],
    spectra: Spectra,
    aux: Auxiliary,
    with_fluorescence: bool = True,
) -> ForwardModel:
    """Set up the forward model of one sounding from its geometry, forecast and calibration."""
    raa = abs((sounding["solar_azimuth_angle"] - sounding["sensor_azimuth_angle"] + 180.0) % 360.0 - 180.0)
    glint = int(sounding["operation_mode"]) == state.GLINT
    viewing = Viewing(
        float(sounding["solar_zenith_angle"]),
        float(sounding["sensor_zenith_angle"]),
        float(raa),
        float(sounding["sensor_recession_speed"]),
        glint,
    )
    bands = [_band_input(b, sounding, spectra, aux) for b in range(len(aux.tables))]
    mu0 = np.cos(np.radians(viewing.sza_deg))
    continuum = np.array(
        [
            np.pi * np.percentile(spectra.radiance[b][spectra.good[b]], 98) / (mu0 * band.sun.max())
            for b, band in enumerate(bands)
        ]
    )
    psurf_pa = float(forecast["surface_pressure"])
    co2 = np.interp(np.log(SIGMA * psurf_pa), np.log(forecast["pressure"]), forecast["co2"])
    wind = float(forecast["wind_speed"])
    sv = state.build(co2, psurf_pa / 100.0, wind, glint, continuum, with_fluorescence)
    return ForwardModel(sv, atmosphere.meteo(forecast, float(sounding["latitude"])), viewing, bands)


def _band_input(b: int, sounding: Mapping[str, Any], spectra: Spectra, aux: Auxiliary) -> BandInput:
    tables = aux.tables[b]
    nu = tables.band.wavenumber_cm1
    isrf = aux.ckd["isrf"]
    return BandInput(
        tables=tables,
        sun=photon_irradiance(
            aux.sun, nu, float(sounding["sun_recession_speed"]), float(sounding["earth_sun_distance"])
        ),
        cia=aux.cia[b],
        airglow=aux.airglow if tables.band.name == "B4" else None,
        fluorescence=fluorescence.spectrum(nu) if tables.band.name == "B1" else None,
        response=Response(
            isrf["isrf_node"].astype(float),
            isrf["isrf_offset"][b].astype(float),
            isrf["isrf"][b, int(sounding["fov"]) - 1].astype(float),
        ),
        wavelength_nm=spectra.wavelength_nm[b],
    )


def _column(model: ForwardModel, solution: Solution, variance: np.ndarray) -> Row:
    """Return XCO2 with its error budget and the other retrieved quantities."""
    sv, x = model.state, solution.x
    post = posterior(solution.K, variance, sv.S_a)
    psurf, sigma = x[sv["psurf"]][0], np.sqrt(np.diag(post.S_hat))
    layers = atmosphere.layers(model.meteo, 100.0 * psurf, x[sv["temperature"]], x[sv["h2o"]][0])
    h = layers.pressure_weight
    errors = column_errors(post, variance, sv.S_a, h, sv["co2"])
    prior = sv.x_a[sv["co2"]]
    return {
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
        "wind_speed": x[sv["wind"]][0] if "wind" in sv else np.nan,
        "temperature_offset": x[sv["temperature"]].mean(),
        "h2o_scale": x[sv["h2o"]][0],
        "airglow": x[sv["airglow"]][0],
        "sif": x[sv["sif"]][0] if "sif" in sv else np.nan,
        "sif_uncertainty": sigma[sv["sif"]][0] if "sif" in sv else np.nan,
        "albedo": [np.nan if "wind" in sv else x[sv[f"surface_{b}"]][0] for b in range(len(model.bands))],
        "dispersion_shift": [x[sv[f"dispersion_{b}"]][0] for b in range(len(model.bands))],
    }


def _fit(solution: Solution, spectra: Spectra) -> Row:
    """Return modelled spectra, residuals and chi-square per band."""
    good = spectra.good
    modelled = np.full(good.shape, np.nan)
    modelled[good] = solution.modelled
    residual = spectra.radiance - modelled
    return {
        "radiance_modelled": modelled,
        "radiance_residual": residual / np.nanmax(modelled, axis=1)[:, None],
        "chi2": np.array(
            [np.mean((r[g] / s[g]) ** 2) for r, s, g in zip(residual, spectra.sigma, good, strict=True)]
        ),
    }
