"""Turn spectral lines into Voigt absorption cross-sections."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

WING_CUT_CM1 = 25.0  # line wings end here, as in the line list's own convention
_TERMS = 32  # of Weideman's rational expansion: 1e-6 of w(z) for |z| < 15


def _weideman(terms: int) -> tuple[float, np.ndarray]:
    """Coefficients of the expansion of w(z) in (L + iz)/(L - iz) (Weideman 1994, SIAM J. Numer. Anal. 31)."""
    scale = math.sqrt(terms / math.sqrt(2.0))
    theta = np.arange(-2 * terms + 1, 2 * terms) * math.pi / (2 * terms)
    t = scale * np.tan(theta / 2.0)
    f = np.concatenate([[0.0], np.exp(-(t**2)) * (scale**2 + t**2)])
    a = np.real(np.fft.fft(np.fft.fftshift(f))) / (4 * terms)
    return scale, a[1 : terms + 1].copy()


_SCALE, _COEFFICIENTS = _weideman(_TERMS)


@njit(cache=True)
def _core(x: float, y: float, scale: float, coefficients: np.ndarray) -> float:
    """Real part of the complex error function near a line centre."""
    iz = complex(-y, x)
    z_map = (scale + iz) / (scale - iz)
    p = complex(0.0, 0.0)
    for k in range(coefficients.size - 1, -1, -1):
        p = p * z_map + coefficients[k]
    w = 2.0 * p / (scale - iz) ** 2 + (1.0 / math.sqrt(math.pi)) / (scale - iz)
    return w.real


@njit(cache=True)
def _add_wing(
    xs: np.ndarray,
    lo: int,
    hi: int,
    offset: float,
    step: float,
    per_doppler: float,
    y: float,
    amplitude: float,
) -> None:
    """Add Re[i z / (z^2 - 1/2)] / sqrt(pi), z = x + iy, at the points lo..hi-1."""
    factor = amplitude * y / math.sqrt(math.pi)
    for j in range(lo, hi):
        x = (offset + j * step) * per_doppler
        square = x * x
        re = square - y * y - 0.5
        xs[j] += factor * (2.0 * square - re) / (re * re + 4.0 * y * y * square)


@njit(cache=True)
def add_lines(
    xs: np.ndarray,
    first_cm1: float,
    step_cm1: float,
    center: np.ndarray,
    strength: np.ndarray,
    lorentz: np.ndarray,
    doppler: np.ndarray,
    scale: float,
    coefficients: np.ndarray,
) -> None:
    """Add each line to `xs` (point; cm2 per molecule) on a regular wavenumber grid.

    center cm-1, strength cm-1/(molecule cm-2), lorentz = half width, doppler = 1/e half width, all (line).
    Far from the centre (|z|^2 > 225) the two-term asymptotic form of w(z), relative error up to 5e-5.
    """
    n = xs.size
    for i in range(center.size):
        lo = max(0, math.ceil((center[i] - WING_CUT_CM1 - first_cm1) / step_cm1))
        hi = min(n, math.floor((center[i] + WING_CUT_CM1 - first_cm1) / step_cm1) + 1)
        if hi <= lo:
            continue
        y = lorentz[i] / doppler[i]
        amplitude = strength[i] / (math.sqrt(math.pi) * doppler[i])
        reach = math.sqrt(max(225.0 - y * y, 0.0)) * doppler[i]
        core_lo = min(max(lo, math.ceil((center[i] - reach - first_cm1) / step_cm1)), hi)
        core_hi = max(min(hi, math.floor((center[i] + reach - first_cm1) / step_cm1) + 1), core_lo)
        _add_wing(xs, lo, core_lo, first_cm1 - center[i], step_cm1, 1.0 / doppler[i], y, amplitude)
        _add_wing(xs, core_hi, hi, first_cm1 - center[i], step_cm1, 1.0 / doppler[i], y, amplitude)
        for j in range(core_lo, core_hi):
            x = (first_cm1 + j * step_cm1 - center[i]) / doppler[i]
            xs[j] += amplitude * _core(x, y, scale, coefficients)


def voigt_cross_section(
    first_cm1: float,
    points: int,
    step_cm1: float,
    center: np.ndarray,
    strength: np.ndarray,
    lorentz: np.ndarray,
    doppler: np.ndarray,
) -> np.ndarray:
    """Return the absorption cross-section (point), cm2, of lines given at one pressure and temperature."""
    xs = np.zeros(points)
    add_lines(xs, first_cm1, step_cm1, center, strength, lorentz, doppler, _SCALE, _COEFFICIENTS)
    return xs
