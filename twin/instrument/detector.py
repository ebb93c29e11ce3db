"""Turn the radiance of a spectel into electrons on each row of the detector."""

from __future__ import annotations

import numpy as np

POISSON_BELOW_E = 400.0  # electron; above, a Gaussian of the same mean and variance (skewness below 0.05)


def row_electrons(
    radiance: np.ndarray,
    responsivity: np.ndarray,
    prnu: np.ndarray,
    dark_rate: np.ndarray,
    integration_time_s: float,
) -> np.ndarray:
    """Mean electrons of light and dark  (row, spectel).

    radiance, responsivity (spectel), the latter of the row sum; prnu, dark_rate (row, spectel).
    """
    light = responsivity * radiance / prnu.shape[0]
    return prnu * light + dark_rate * integration_time_s


def collect(mean: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw the electrons collected, shot noise of light and dark current  (row, spectel)."""
    electrons = mean + np.sqrt(mean) * rng.standard_normal(mean.shape)
    few = mean < POISSON_BELOW_E
    electrons[few] = rng.poisson(mean[few])
    return electrons


def read(electrons: np.ndarray, read_noise_e: float, rng: np.random.Generator) -> np.ndarray:
    """Add the read noise of each row  (row, spectel)."""
    return electrons + read_noise_e * rng.standard_normal(electrons.shape)
