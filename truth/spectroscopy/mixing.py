"""Turn the lines of the O2 A band into first-order line mixing, by a relaxation matrix of an energy-gap law.

Line lists of 160 columns carry no mixing, so it is modelled. Rates between two lines follow an inverse power
of the energy gap and are scaled, at every temperature, until
  sum rule          sum over l of d_l W_lk = 0 with W_kk the list's own width (rigid rotor),
  detailed balance  rho_l W_kl = rho_k W_lk.
With A_lk = -rho_k d_k d_l W_lk both say: A is symmetric and its row k adds up to S_k gamma_k. Then
  Y_k = 2 sum over l of (d_l / d_k) W_lk / (nu_k - nu_l)
(Rosenkranz 1975, IEEE Trans. Antennas Propag. 23, 498) and sum S_k Y_k = 0. Real coefficients differ line by
line, and the A band's collision-induced absorption was fitted beside them (Tran and Hartmann 2008,
J. Geophys. Res. 113, D18104): the two belong together. A truth with this mixing and that continuum is a
mismatch of the right size, not a better A band.
"""

from __future__ import annotations

import numpy as np
from scipy.special import wofz

from truth.spectroscopy.parameters import REFERENCE_PRESSURE_PA, Parameters
from truth.spectroscopy.partition import PartitionSums

MOLECULE = "O2"
BAND_CM1 = (12900.0, 13300.0)
ORIGIN_CM1 = 13122.006  # of the level J' = 0, v = 0 over the lowest level, as the line list has it
B_UPPER_CM1, D_UPPER_CM1 = 1.3912, 5.4e-6  # b state, v = 0, of the line list's upper levels
B_LOWER_CM1, D_LOWER_CM1 = 1.4377, 4.84e-6  # X state, v = 0, of its lower levels
LOWEST_CM1 = 3.9611 - 2.0 * B_LOWER_CM1  # level N = J = 1 less B N (N + 1)
LEVEL_TOLERANCE = 0.05  # of J', a whole even number in this band
SPIN_CM1 = (-3.0, 0.3)  # the levels of one N: J = N +- 1 lie 2 cm-1 under J = N
SPLIT_CM1 = -1.0  # between them
SMALLEST_GAP_CM1 = 10.0 * B_LOWER_CM1  # N = 1 to 3
GAP_POWER = 1.0  # of the rates, assumed
OTHER_BRANCH = 0.5  # rate between P and R lines over that within a branch, assumed; none to other spins
ROUNDS = 500  # of the scaling, which converges to rounding
NEAR = 30.0  # widths about a centre within which the profile is taken in full


class LineMixing:
    """What mixing adds to the Voigt lines of the main isotopologue, per pressure.

    The Voigt wings cut at 25 cm-1 are given back here, since mixing itself ends them: both fall off together.
    """

    def __init__(self, lines: Parameters, sums: PartitionSums, temperature_k: np.ndarray, cut_cm1: float):
        self._t, self._cut_cm1 = np.asarray(temperature_k, float), cut_cm1
        band = (lines.centre_cm1 > BAND_CM1[0]) & (lines.centre_cm1 < BAND_CM1[1]) & (lines.isotopologue == 1)
        band[band] = levels(lines.where(band))[2]
        self._lines = lines.where(band)
        self._strength = self._lines.strength(self._t, sums)
        self._y_per_atm = coefficients(self._lines, self._strength, self._t)

    def add(self, cross_section: np.ndarray, wavenumber_cm1: np.ndarray, pressure_pa: float) -> None:
        """Add to a (temperature, point) cross-section, cm2, in place."""
        lines = self._lines
        lorentz, doppler = lines.lorentz_cm1(pressure_pa, self._t), lines.doppler_cm1(self._t)
        mixed = self._strength * self._y_per_atm * pressure_pa / REFERENCE_PRESSURE_PA
        for n, centre in enumerate(lines.shifted_cm1(pressure_pa)):
            x = wavenumber_cm1 - centre
            reach = NEAR * float((lorentz + doppler)[:, n].max())
            first, last = np.searchsorted(x, (-reach, reach))
            z = (x[first:last] + 1j * lorentz[:, n, None]) / doppler[:, n, None]
            near = mixed[:, n, None] / (np.sqrt(np.pi) * doppler[:, n, None])
            cross_section[:, first:last] += near * wofz(z).imag
            for far in (slice(0, first), slice(last, None)):
                cross_section[:, far] += np.outer(mixed[:, n] / np.pi, 1.0 / x[far])
            wing = self._strength[:, n] * lorentz[:, n] / np.pi
            first, last = np.searchsorted(x, (-self._cut_cm1, self._cut_cm1))
            for far in (slice(0, first), slice(last, None)):
                cross_section[:, far] += np.outer(wing, 1.0 / x[far] ** 2)


def levels(lines: Parameters) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give J', signed: N'' - J' times (1 if J'' = N'', 2 if not), and whether the line is of this band."""
    upper = lines.centre_cm1 + lines.lower_cm1 - ORIGIN_CM1
    product = upper / B_UPPER_CM1
    for _ in range(20):  # invert B x - D x^2
        product = (upper + D_UPPER_CM1 * product**2) / B_UPPER_CM1
    j = (np.sqrt(np.maximum(1.0 + 4.0 * product, 0.0)) - 1.0) / 2.0
    j_upper = np.round(j)
    below = {side: lines.lower_cm1 - _lower_cm1(j_upper + side) for side in (-1, 1)}
    side = np.where(np.abs(below[1]) < np.abs(below[-1]), 1, -1)
    offset = np.where(side == 1, below[1], below[-1])
    fits = (np.abs(j - j_upper) < LEVEL_TOLERANCE) & (offset > SPIN_CM1[0]) & (offset < SPIN_CM1[1])
    return j_upper, side * np.where(offset > SPLIT_CM1, 1, 2), fits


def coefficients(lines: Parameters, strength: np.ndarray, temperature_k: np.ndarray) -> np.ndarray:
    """Give Y, (temperature, line) atm-1."""
    j_upper, branch, _ = levels(lines)
    n_lower = j_upper + np.sign(branch)
    apart = np.maximum(
        _apart(B_LOWER_CM1 * n_lower * (n_lower + 1)), _apart(B_UPPER_CM1 * j_upper * (j_upper + 1))
    )
    coupling = np.maximum(apart, SMALLEST_GAP_CM1) ** -GAP_POWER
    coupling *= _apart(np.abs(branch)) == 0.0
    coupling[_apart(np.sign(branch)) > 0.0] *= OTHER_BRANCH
    np.fill_diagonal(coupling, 0.0)
    distance = lines.centre_cm1[:, None] - lines.centre_cm1
    distance[distance == 0.0] = np.inf  # itself, or a line the list holds twice
    widths = lines.lorentz_cm1(REFERENCE_PRESSURE_PA, temperature_k)
    pairs = zip(strength, widths, strict=True)
    return np.array([-2.0 * (relaxation(s, g, coupling) / distance).sum(axis=1) / s for s, g in pairs])


def relaxation(strength: np.ndarray, width: np.ndarray, coupling: np.ndarray) -> np.ndarray:
    """Scale couplings until they are symmetric with rows that add up to strength times width."""
    start = coupling * np.sqrt(np.outer(strength, strength))
    wanted, scale = strength * width, np.ones_like(strength)
    for _ in range(ROUNDS):
        scale = np.sqrt(scale * wanted / (start @ scale))
    return start * np.outer(scale, scale)


def _lower_cm1(n: np.ndarray) -> np.ndarray:
    product = n * (n + 1)
    return LOWEST_CM1 + B_LOWER_CM1 * product - D_LOWER_CM1 * product**2


def _apart(values: np.ndarray) -> np.ndarray:
    return np.abs(values[:, None] - values)
