"""Turn Voigt lines into quadratic speed-dependent ones: the difference of the two profiles near each centre.

Molecules faster than the mean collide more often: Gamma(v) = Gamma0 + Gamma2 (v^2 / v_p^2 - 3/2) with the
mean Gamma0 of the line list (Boone, Walker, Bernath 2007, J. Quant. Spectrosc. Radiat. Transfer 105, 525).
For the dispersion force, r^-6, rates grow as the 3/5 power of the relative speed, so that a partner lambda
times as heavy as the absorber gives Gamma2 / Gamma0 = lambda / (5 (1 + lambda)), derived here: 0.079 for CO2,
0.095 for O2 and 0.123 for H2O in air.
"""

from __future__ import annotations

import numpy as np
from scipy.special import wofz

from truth.constants import MOLAR_MASS_DRY_AIR
from truth.spectroscopy.parameters import Parameters
from truth.spectroscopy.partition import PartitionSums

REACH = 10.0  # widths about a centre; there the difference is 1e-6 of the peak and falls as the fourth power
WEAKEST = 3e-6  # of the strongest line of the molecule in the band; weaker lines stay Voigt
LEAST_PRESSURE_PA = 100.0  # Pa; above, 1e-3 of the air whose lines change by 1e-3 at most


class SpeedDependence:
    """What speed dependence adds to the Voigt lines of a molecule, per pressure."""

    def __init__(self, lines: Parameters, sums: PartitionSums, temperature_k: np.ndarray):
        self._t = np.asarray(temperature_k, float)
        strength = lines.strength(self._t, sums)
        keep = (strength >= WEAKEST * strength.max(axis=1, keepdims=True)).any(axis=0)
        self._lines, self._strength = lines.where(keep), strength[:, keep]
        self._ratio = speed_ratio(self._lines.mass_g)

    def add(self, cross_section: np.ndarray, wavenumber_cm1: np.ndarray, pressure_pa: float) -> None:
        """Add to a (temperature, point) cross-section, cm2, in place."""
        if pressure_pa < LEAST_PRESSURE_PA:
            return
        lines = self._lines
        lorentz, doppler = lines.lorentz_cm1(pressure_pa, self._t), lines.doppler_cm1(self._t)
        for n, centre in enumerate(lines.shifted_cm1(pressure_pa)):
            gamma, width = lorentz[:, n, None], doppler[:, n, None]
            reach = REACH * float((gamma + width).max())
            first, last = np.searchsorted(wavenumber_cm1, (centre - reach, centre + reach))
            x = wavenumber_cm1[first:last] - centre
            change = speed_dependent(x, gamma, self._ratio[n] * gamma, width) - voigt(x, gamma, width)
            cross_section[:, first:last] += self._strength[:, n, None] * change


def speed_ratio(mass_g: np.ndarray) -> np.ndarray:
    """Give Gamma2 over Gamma0 in air for absorbers of a molar mass."""
    heavier = 1000.0 * MOLAR_MASS_DRY_AIR / np.asarray(mass_g, float)
    return heavier / (5.0 * (1.0 + heavier))


def voigt(x_cm1: np.ndarray, lorentz_cm1: np.ndarray, doppler_cm1: np.ndarray) -> np.ndarray:
    """Give the Voigt profile, area 1; Doppler width at 1/e."""
    return wofz((x_cm1 + 1j * lorentz_cm1) / doppler_cm1).real / (np.sqrt(np.pi) * doppler_cm1)


def speed_dependent(
    x_cm1: np.ndarray, gamma0_cm1: np.ndarray, gamma2_cm1: np.ndarray, doppler_cm1: np.ndarray
) -> np.ndarray:
    """Give the quadratic speed-dependent Voigt profile, area 1; Doppler width at 1/e."""
    y = (doppler_cm1 / (2.0 * gamma2_cm1)) ** 2
    x = (gamma0_cm1 - 1j * x_cm1) / gamma2_cm1 - 1.5
    larger = np.sqrt(x + y) + np.sqrt(y)
    smaller = x / larger  # the difference of the roots, without cancellation
    return (wofz(1j * smaller) - wofz(1j * larger)).real / (np.sqrt(np.pi) * doppler_cm1)
