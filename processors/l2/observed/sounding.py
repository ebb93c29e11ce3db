"""Fit one real sounding with the forward model of the retrieval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from processors.constants import C_LIGHT
from processors.job import BadInput
from processors.l2 import atmosphere
from processors.l2.auxiliary import Auxiliary
from processors.l2.bands import BANDS, Band
from processors.l2.forward import ForwardModel, Setup
from processors.l2.inverse import (
    BENT,
    LINEAR,
    Measurement,
    Modelled,
    Solution,
    column_errors,
    posterior,
    search,
)
from processors.l2.retrieval import Spectra, first_guess, read_spectra, setup
from processors.l2.state import Options

from .oco2 import Observed
from .plot import Panel

LEAST_SPECTELS = 50  # of a band that is fitted
FASTEST_M_S = 8000.0  # of a satellite


@dataclass(frozen=True)
class Fit:
    """What a sounding gave: numbers by name, and a panel to draw for every band."""

    numbers: dict[str, Any]
    panels: list[Panel]


def fit(
    observed: Observed,
    aux: Auxiliary,
    options: Options,
    max_iterations: int = 20,
    model_error: float = 0.0,
) -> Fit:
    """Fit all bands of the options together.

    model_error  1 sigma, of the continuum, added to the noise: what line lists leave in a real spectrum
    """
    spectra = _spectra(observed, aux, options, model_error)
    own = setup(observed.sounding, observed.forecast, spectra, aux, options)
    model = ForwardModel([own], aux.models(options), options)
    chosen = list(options.bands)
    good = spectra.good[chosen].ravel()
    y = np.where(good, spectra.radiance[chosen].ravel(), 0.0)
    precision = np.where(good, 1.0 / np.where(good, spectra.sigma[chosen].ravel(), 1.0) ** 2, 0.0)
    solution = _search(model, own, Measurement(y, precision), good, options, max_iterations)
    modelled = solution.modelled.reshape(len(chosen), -1)
    return Fit(
        {"sounding_id": observed.sounding_id, **_numbers(solution, own, spectra, modelled, options)},
        [
            Panel(
                f"{BANDS[b].name} ({BANDS[b].gas})",
                "wavelength (nm)",
                *(values[spectra.good[b]] for values in (spectra.wavelength_nm[b], spectra.radiance[b], F)),
            )
            for b, F in zip(chosen, modelled, strict=True)
        ],
    )


def _spectra(observed: Observed, aux: Auxiliary, options: Options, model_error: float) -> Spectra:
    """Return the spectra, good where they are and where all the light they see is computed."""
    spectra = read_spectra(observed.sounding)
    sigma, good = spectra.sigma.copy(), spectra.good.copy()
    for b in options.bands:
        band, reach_nm = aux.tables[b].band, observed.isrf["isrf_offset"][b, -1]
        good[b] &= _inside(spectra.wavelength_nm[b], reach_nm, band)
        if (count := int(good[b].sum())) < LEAST_SPECTELS:
            raise BadInput(
                f"sounding {observed.sounding_id}: expected {LEAST_SPECTELS} good spectels or more in "
                f"{band.name}, got {count}: take another sounding or leave the band out"
            )
        sigma[b] = np.hypot(sigma[b], model_error * np.percentile(spectra.radiance[b][good[b]], 98))
    return Spectra(spectra.radiance, sigma, spectra.wavelength_nm, good)


def _inside(wavelength_nm: np.ndarray, reach_nm: float, band: Band) -> np.ndarray:
    """Tell which spectels see only light that is computed."""
    low, high = 1e7 / band.last_cm1, 1e7 / band.first_cm1
    margin = 1.02 * reach_nm + high * FASTEST_M_S / C_LIGHT
    return (wavelength_nm > low + margin) & (wavelength_nm < high - margin)


def _search(
    model: ForwardModel,
    own: Setup,
    measured: Measurement,
    good: np.ndarray,
    options: Options,
    max_iterations: int,
) -> Solution:
    """Run the search; spectels that are not fitted may see no light that is computed, and are emptied."""
    way = BENT if options.particles else LINEAR
    hunt = search(measured, own.state, max_iterations, way, first_guess=first_guess(own, options))
    asked = next(hunt)
    while True:
        said = model([0], [asked.x], [asked.slopes])[0]
        parts = [(rows, at, np.where(good[rows][:, None], K, 0.0)) for rows, at, K in said.parts]
        try:
            asked = hunt.send(Modelled(np.where(good, said.F, 0.0), parts))
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]


def _numbers(
    solution: Solution, own: Setup, spectra: Spectra, modelled: np.ndarray, options: Options
) -> dict[str, Any]:
    sv, x = own.state, solution.x
    numbers: dict[str, Any] = {"converged": bool(solution.converged), "iterations": solution.iterations}
    if not (np.all(np.isfinite(x)) and np.all(np.isfinite(solution.information))):
        return numbers
    numbers |= _column(solution, own)
    numbers |= {
        "psurf_hpa": float(x[sv["psurf"]][0]),
        "psurf_apriori_hpa": float(sv.x_a[sv["psurf"]][0]),
        "temperature_offset_k": float(x[sv["temperature"]].mean()),
    }
    if options.particles:
        names = (kind.optics for kind in options.particles)
        numbers["optical_depth"] = dict(zip(names, x[sv["depth"]].tolist(), strict=True))
    if "sif" in sv:
        numbers["sif_w_m2_um_sr"] = float(x[sv["sif"]][0])
    numbers["bands"] = {
        BANDS[b].name: _band(b, F, spectra, x[sv[f"surface_{b}"]][0], x[sv[f"dispersion_{b}"]][0])
        for b, F in zip(options.bands, modelled, strict=True)
    }
    return numbers


def _column(solution: Solution, own: Setup) -> dict[str, Any]:
    sv, x = own.state, solution.x
    air = atmosphere.layers(own.meteo, 100.0 * x[sv["psurf"]][0], x[sv["temperature"]], x[sv["h2o"]])
    h = air.pressure_weight
    errors = column_errors(posterior(solution.information, sv.S_a), sv.S_a, h, sv["co2"])
    return {
        "xco2_ppm": float(h @ x[sv["co2"]]),
        "xco2_uncertainty_ppm": errors.total,
        "xco2_apriori_ppm": float(h @ sv.x_a[sv["co2"]]),
        "xco2_kernel": errors.kernel.round(4).tolist(),
        "pressure_weight": h.round(6).tolist(),
        "dof_co2": errors.degrees_of_freedom,
        "h2o_scale": air.h2o_scale,
    }


def _band(b: int, modelled: np.ndarray, spectra: Spectra, surface: float, shift_nm: float) -> dict[str, Any]:
    good = spectra.good[b]
    residual = spectra.radiance[b][good] - modelled[good]
    return {
        "spectels": int(good.sum()),
        "chi2": float(np.mean((residual / spectra.sigma[b][good]) ** 2)),
        "residual_rms_percent": float(100.0 * np.sqrt(np.mean(residual**2)) / modelled[good].max()),
        "surface": float(surface),
        "shift_nm": float(shift_nm),
    }
