"""Undo the detector's effects one by one, from summed DN to radiance, carrying the noise variance along."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from processors.l1b.calibration import Calibration


@dataclass(frozen=True)
class Signal:
    """Value and noise variance (sounding, band, spectel), in DN, then electrons, then radiance."""

    value: np.ndarray
    variance: np.ndarray


def quantisation(signal: Signal, calibration: Calibration) -> Signal:
    """Add the rounding of every summed row: 1/12 DN² each."""
    return Signal(signal.value, signal.variance + calibration.rows / 12.0)


def offset(signal: Signal, calibration: Calibration) -> Signal:
    return Signal(signal.value - calibration.offset, signal.variance)


def nonlinearity(signal: Signal, calibration: Calibration) -> Signal:
    """Straighten the mean row, offset off: DN_true = DN (1 + c1 u + c2 u² ...), u = DN / full scale."""
    u = signal.value / (calibration.rows * calibration.full_scale_dn)
    factor, slope = np.ones_like(u), np.ones_like(u)
    for degree in range(calibration.nonlinearity.shape[-1]):
        term = calibration.nonlinearity[..., degree, np.newaxis] * u ** (degree + 1)
        factor += term
        slope += (degree + 2) * term
    return Signal(signal.value * factor, signal.variance * slope**2)


def gain(signal: Signal, calibration: Calibration) -> Signal:
    """DN to electrons."""
    g = calibration.electron_per_dn
    return Signal(signal.value * g, signal.variance * g**2)


def noise(signal: Signal, calibration: Calibration) -> Signal:
    """Add shot noise of all collected electrons, the dark ones among them, and read noise."""
    shot = np.maximum(signal.value, 0.0)
    return Signal(signal.value, signal.variance + shot + calibration.read_noise**2)


def dark(signal: Signal, calibration: Calibration) -> Signal:
    return Signal(signal.value - calibration.dark_rate * calibration.integration_time_s, signal.variance)


def prnu(signal: Signal, calibration: Calibration) -> Signal:
    return _divide(signal, calibration.prnu)


def radiometric(signal: Signal, calibration: Calibration) -> Signal:
    """Electrons to ph s-1 m-2 sr-1 um-1."""
    return _divide(signal, calibration.responsivity)


def _divide(signal: Signal, response: np.ndarray) -> Signal:
    """A response that is not positive gives NaN."""
    usable = np.where(response > 0.0, response, np.nan)
    return Signal(signal.value / usable, signal.variance / usable**2)


def wavelength(calibration: Calibration, spectels: int) -> np.ndarray:
    """Evaluate the dispersion polynomial in s = spectel - (spectels - 1) / 2.

    returns  (sounding, band, spectel)  nm, vacuum, sensor frame
    """
    s = np.arange(spectels) - (spectels - 1) / 2.0
    return np.sum(
        [
            calibration.dispersion[..., degree, np.newaxis] * s**degree
            for degree in range(calibration.dispersion.shape[-1])
        ],
        axis=0,
    )
