"""Turn slit, aberration and pixel widths into tabulated instrument spectral response functions."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr


def response(offset_nm: np.ndarray, slit_nm: float, pixel_nm: float, sigma_nm: float) -> np.ndarray:
    """Box(slit) * box(pixel) * Gaussian(sigma), unit integral, nm-1.

    Second difference of the twice integrated Gaussian G(x) = x*Phi(x/sigma) + sigma*phi(x/sigma).
    """

    def twice_integrated(x: np.ndarray) -> np.ndarray:
        t = x / sigma_nm
        return x * ndtr(t) + sigma_nm * np.exp(-0.5 * t * t) / np.sqrt(2 * np.pi)

    x = -np.abs(np.asarray(offset_nm, dtype=float))  # even function; left tail does not cancel digits
    a, b = slit_nm / 2, pixel_nm / 2
    corners = twice_integrated(x + a + b) - twice_integrated(x + a - b) - twice_integrated(x - a + b)
    return (corners + twice_integrated(x - a - b)) / (slit_nm * pixel_nm)


def gaussian_sigma(fwhm_nm: float, slit_nm: float, pixel_nm: float) -> float:
    """Find the Gaussian that brings slit and pixel to the wanted full width at half maximum, nm."""

    def excess(sigma: float) -> float:
        half, peak = response(np.array([fwhm_nm / 2, 0.0]), slit_nm, pixel_nm, sigma)
        return float(half / peak - 0.5)

    return float(brentq(excess, 1e-3 * fwhm_nm, fwhm_nm, xtol=1e-14))


def widths(figures: dict[str, Any], spectels: int) -> np.ndarray:
    """Full width at half maximum  (band, fov, node)  nm."""
    u = 2 * np.array(figures["node_spectel"]) / (spectels - 1) - 1
    slope = np.array(figures["width_slope"])[:, None]
    curvature = np.array(figures["width_curvature"])[:, None]
    along = 1 + slope * u + curvature * (u**2 - 1 / 3)
    fov = 1 + np.array(figures["width_fov"])
    return np.array(figures["fwhm_nm"])[:, None, None] * fov[None, :, None] * along[:, None, :]


def tables(figures: dict[str, Any], pixel_nm: np.ndarray, spectels: int) -> tuple[np.ndarray, np.ndarray]:
    """Tabulate offset (band, offset) nm and isrf (band, fov, node, offset) nm-1."""
    steps = round(figures["half_range_fwhm"] * figures["steps_per_fwhm"])
    unit = np.arange(-steps, steps + 1) / figures["steps_per_fwhm"]
    offset = np.array(figures["fwhm_nm"])[:, None] * unit
    fwhm = widths(figures, spectels)
    table = np.empty((*fwhm.shape, unit.size))
    for band, fov, node in np.ndindex(fwhm.shape):
        slit = figures["slit_fwhm"] * figures["fwhm_nm"][band]
        pixel = float(pixel_nm[band])
        sigma = gaussian_sigma(float(fwhm[band, fov, node]), slit, pixel)
        table[band, fov, node] = response(offset[band], slit, pixel, sigma)
    integral = np.trapezoid(table, x=offset[:, None, None, :], axis=-1)
    return offset, table / integral[..., None]
