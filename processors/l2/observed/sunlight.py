"""Fit a direct-Sun spectrum: factors of the columns of the gas measured and of water, and its light."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from processors.constants import O2_FRACTION
from processors.job import BadInput
from processors.l2 import cia, scattering, solar, tables
from processors.l2.absorption import FLAT, PARTS, room, seen_light
from processors.l2.atmosphere import AIR, CIA, DRY, H2O, SIGMA, TEMPERATURE
from processors.l2.bands import Band
from processors.l2.inverse import Solution, posterior, solve
from processors.l2.isrf import Expansions
from processors.l2.lines import read_lines, read_partition_sums

from . import folder
from .plot import Panel
from .profiles import Profile
from .sunpath import Place, air_layers, height_m, slant_paths
from .sunspectrum import Instrument, Spectrum, Window

SUN_STEP_M_S = 50.0  # of the central difference by the Sun's speed
# State: factors of the columns, continuum (mean, tilt, curvature), shift (nm), speed of the Sun, zero level
GAS, WATER, CONTINUUM, SHIFT, SUN, ZERO = 0, 1, slice(2, 5), 5, 6, 7
SIGMA_STATE = np.array([1.0, 1.0, 1.0, 0.5, 0.5, 0.01, 1000.0, 0.05])


@dataclass(frozen=True)
class Absorbers:
    """What absorbs and shines in the band computed for a window."""

    band: Band
    gas: np.ndarray  # (layer, power, point) polynomials, cm2
    h2o: np.ndarray
    cia: np.ndarray  # (point) cm-1 amagat-2
    rayleigh: np.ndarray  # (point) cm2
    sun: solar.Tabulated


def absorbers(aux: Path, band: Band) -> Absorbers:
    """Compute tables for a band of one's own by the code that makes those of the retrieval."""
    try:
        source = folder.spectroscopy(folder.check(aux))
        lists, partition = read_lines(source.lines), read_partition_sums(source.partition_sums)
        gas, h2o = (tables.coefficients(band, name, lists, partition) for name in (band.gas, "H2O"))
        collisions = cia.coefficient(cia.read(aux / "cia.csv"), band.name, band.wavenumber_cm1)
        sun = solar.tabulate(folder.sun(aux), band.wavenumber_cm1)
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise BadInput(f"{aux}: auxiliary file not as expected: {error}: give a whole file") from error
    rayleigh = scattering.rayleigh_cross_section(band.wavenumber_cm1)
    return Absorbers(band, gas, h2o, collisions.astype(np.float32), rayleigh.astype(np.float32), sun)


class DirectSun:
    """Signal (sample) and its derivatives as a function of the state; samples by ascending wavelength.

    What is scattered is lost, the ground sends up no light, the reflectance is the continuum.
    """

    def __init__(
        self, spectrum: Spectrum, air: Profile, place: Place, instrument: Instrument, absorb: Absorbers
    ) -> None:
        self._absorb, nu = absorb, spectrum.wavenumber_cm1
        self.wavenumber_cm1, self.signal = nu[::-1], spectrum.signal[::-1]
        self.level = float(np.percentile(self.signal, 98))
        if not self.level > 0.0:
            raise BadInput(f"{spectrum.path}: expected a signal above 0, got none: check the columns")
        wavelength_nm = 1e7 / self.wavenumber_cm1
        points = absorb.band.wavenumber_cm1
        response, step = instrument.response(wavelength_nm), np.full(points.size, absorb.band.step_cm1)
        self._weights = Expansions(points, step, wavelength_nm, response, np.float32)
        self._coordinate = np.linspace(-1.0, 1.0, points.size).astype(np.float32)
        self._to_band = _polynomial_map(points, nu[0], nu[-1])
        self._brightest = float(absorb.sun.seen(points, 0.0, 1.0).max())
        self._layers = air_layers(air, place)
        self._slant = slant_paths(place, self._layers, height_m(air, place))
        co2 = np.interp(np.log(SIGMA * air.surface_pressure_pa), np.log(air.pressure_pa), air.co2_ppm)
        per_dry = 1e-6 * (self._layers.co2_map @ co2) if absorb.band.gas == "CO2" else O2_FRACTION
        self.columns = per_dry * self._layers.amount[DRY], self._layers.amount[H2O]  # (layer) cm-2

    def __call__(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return F (sample) and K (sample, state)."""
        seen, by_nm = self._seen(x, self._sun(x[SUN]))
        step = self._sun(x[SUN] + SUN_STEP_M_S) - self._sun(x[SUN] - SUN_STEP_M_S)
        K = np.zeros((seen.shape[0], x.size))
        K[:, [GAS, WATER]] = seen[:, 1:3]
        K[:, CONTINUUM] = seen[:, 3:6] @ self._to_band
        K[:, SHIFT], K[:, SUN] = by_nm, self._seen(x, step / (2.0 * SUN_STEP_M_S))[0][:, 0]
        F = seen[:, 0]
        if x.size > ZERO:
            F, K[:, ZERO] = F + x[ZERO], 1.0
        return self.level * F, self.level * K

    def _sun(self, recession_m_s: float) -> np.ndarray:
        """Return the light of the Sun (point), about 1, as it comes when the Sun recedes."""
        return self._absorb.sun.seen(self._absorb.band.wavenumber_cm1, recession_m_s, 1.0) / self._brightest

    def _seen(self, x: np.ndarray, sun: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return light and its slopes by gas, water and the continuum as the band has it (sample, field), and
        the slope of light by wavelength."""
        absorb, kind = self._absorb, np.float32
        near = self._weights.near(0.0, x[SHIFT], 0.0, 0.0)
        weights = near.expansion
        mixture: np.ndarray = np.zeros((1, 6, PARTS), kind)
        mixture[0, 0, FLAT : FLAT + 3] = self._to_band @ x[CONTINUUM]
        mixture[0, 3:, FLAT : FLAT + 3] = np.eye(3)
        seen = room(1, 6, self.signal.size, kind)
        by_nm = np.zeros((1, 1, self.signal.size), kind)
        seen_light(  # type: ignore[call-arg]
            np.zeros(1, np.int64), absorb.gas, absorb.h2o, *self._layer_arrays(x), sun[None].astype(kind),
            np.zeros((1, 0, sun.size), kind), absorb.cia, absorb.rayleigh, self._coordinate,
            np.zeros((1, 0), kind), np.zeros(1, kind), mixture, self._sparse(),
            ((weights.terms, weights.first, weights.count),), near.shift_nm[None], np.full(1, near.widen,
            kind),
            seen, by_nm,
        )  # fmt: skip
        fields = seen[0, :, : self.signal.size].T.astype(float) / near.total[:, None]
        return fields, (by_nm[0, 0] - fields[:, 0] * near.rates[0]) / near.total

    def _layer_arrays(self, x: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return column, t, mix, bottom and smooth of seen_light."""
        held, kind = self._layers, np.float32
        amount, bottom = held.amount, held.bottom
        gas, water = self.columns
        t, per_kelvin = tables.coordinate(amount[TEMPERATURE])
        above, above_per_kelvin = tables.coordinate(amount[TEMPERATURE, [bottom]], np.array([bottom - 1]))
        column = np.stack([x[GAS] * gas, x[WATER] * water, per_kelvin, self._slant])
        mix = np.array([above[0], held.bottom_weight, above_per_kelvin[0] / per_kelvin[bottom]])
        smooth = np.array([self._slant @ amount[CIA], self._slant @ amount[AIR], 0.0])
        return (
            column[None].astype(kind), t[None].astype(kind), mix[None].astype(kind), np.array([bottom]),
            smooth[None].astype(kind),
        )  # fmt: skip

    def _sparse(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the layer terms that the two factors multiply, see elements.sparse."""
        count, used = self._slant.size, np.arange(self._layers.bottom + 1)
        row = np.concatenate([used, count + used])
        coefficient = np.concatenate([(self._slant * amount)[used] for amount in self.columns])
        start = np.array([0, used.size, 2 * used.size])
        return start[None], row[None], coefficient[None].astype(np.float32)


def _polynomial_map(nu: np.ndarray, first: float, last: float) -> np.ndarray:
    """Return the matrix from 1, w, w^2 - 1/3 of a window (-1 to 1) to the same of the band computed."""
    a = (nu[-1] - nu[0]) / (last - first)  # w = a u + b
    b = (nu[0] + nu[-1] - first - last) / (last - first)
    return np.array([[1.0, b, b * b + (a * a - 1.0) / 3.0], [0.0, a, 2.0 * a * b], [0.0, 0.0, a * a]])


@dataclass(frozen=True)
class SunFit:
    """What a window gave: numbers by name, and a panel to draw."""

    numbers: dict[str, Any]
    panel: Panel


@dataclass(frozen=True)
class Search:
    """How a window is fitted."""

    snr: float = 400.0  # of the brightest signal; where the residual is larger the uncertainties follow it
    zero_level: bool = False  # fitted
    max_iterations: int = 20


def fit(
    spectrum: Spectrum,
    air: Profile,
    place: Place,
    instrument: Instrument,
    window: Window,
    aux: Path,
    how: Search = Search(),
) -> SunFit:
    """Fit one window of a spectrum with the line files and the Sun of an aux/ folder."""
    seen = spectrum.within(window)
    model = DirectSun(seen, air, place, instrument, absorbers(aux, window.computed(instrument)))
    size = ZERO + 1 if how.zero_level else ZERO
    x_a = np.array([1.0, 1.0, 1.0, 0.0, 0.0, 0.0, place.sun_recession_m_s, 0.0])[:size]
    S_a = np.diag(SIGMA_STATE[:size] ** 2)
    variance = np.full(model.signal.size, (model.level / how.snr) ** 2)
    solution = solve(model, model.signal, variance, x_a, S_a, how.max_iterations)
    if not (np.all(np.isfinite(solution.x)) and np.all(np.isfinite(solution.modelled))):
        raise BadInput(f"{spectrum.path}: expected a spectrum that can be fitted in {window.name}, got none")
    numbers = {"window": window.name, "gas": window.band.gas, **_numbers(model, solution, S_a, variance)}
    title = f"{window.name} cm-1 ({window.band.gas} x {solution.x[GAS]:.4f})"
    values = (model.wavenumber_cm1, model.signal, solution.modelled)
    return SunFit(numbers, Panel(title, "wavenumber (cm-1)", *(v[::-1] for v in values)))


def _numbers(model: DirectSun, solution: Solution, S_a: np.ndarray, variance: np.ndarray) -> dict[str, Any]:
    x, residual = solution.x, model.signal - solution.modelled
    chi2 = float(np.mean(residual**2 / variance))
    sigma = np.sqrt(np.diag(posterior(solution.information, S_a).S_hat) * max(chi2, 1.0))
    apriori = float(model.columns[0].sum())
    return {
        "column_scale": float(x[GAS]),
        "column_scale_uncertainty": float(sigma[GAS]),
        "column_apriori_cm2": apriori,
        "column_cm2": float(x[GAS]) * apriori,
        "h2o_scale": float(x[WATER]),
        "h2o_scale_uncertainty": float(sigma[WATER]),
        "shift_nm": float(x[SHIFT]),
        "sun_recession_m_s": float(x[SUN]),
        "sun_recession_uncertainty_m_s": float(sigma[SUN]),
        "zero_level_percent": float(100.0 * x[ZERO]) if x.size > ZERO else 0.0,
        "residual_rms_percent": float(100.0 * np.sqrt(np.mean(residual**2)) / model.level),
        "samples": int(model.signal.size),
        "iterations": solution.iterations,
        "converged": bool(solution.converged),
    }
