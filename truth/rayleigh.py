"""Give the Rayleigh scattering cross-section and phase function of dry air (Bodhaine et al. 1999)."""

import numpy as np
from numpy.typing import ArrayLike

STANDARD_DENSITY_CM3 = 2.546899e19  # molecules cm-3 at 288.15 K, 1013.25 hPa, Bodhaine 1999 section 4


def refractive_index_minus_one(wavelength_um: np.ndarray, co2_ppm: float = 400.0) -> np.ndarray:
    """Give n - 1 of dry air at 288.15 K and 1013.25 hPa (Peck and Reeder 1972 scaled by CO2, eqs. 18, 19)."""
    s = 1.0 / np.asarray(wavelength_um) ** 2
    at_300_ppm = 1e-8 * (8060.51 + 2480990.0 / (132.274 - s) + 17455.7 / (39.32957 - s))
    return at_300_ppm * (1.0 + 0.54 * (1e-6 * co2_ppm - 0.0003))


def king_factor(wavelength_um: np.ndarray, co2_ppm: float = 400.0) -> np.ndarray:
    """Give the depolarisation (King) factor of dry air (eqs. 5, 6, 23)."""
    s = 1.0 / np.asarray(wavelength_um) ** 2
    nitrogen = 1.034 + 3.17e-4 * s
    oxygen = 1.096 + 1.385e-3 * s + 1.448e-4 * s**2
    co2_percent = 1e-4 * co2_ppm
    parts = 78.084 * nitrogen + 20.946 * oxygen + 0.934 * 1.00 + co2_percent * 1.15
    return parts / (78.084 + 20.946 + 0.934 + co2_percent)


def cross_section(wavenumber_cm1: np.ndarray, co2_ppm: float = 400.0) -> np.ndarray:
    """Give the scattering cross-section per molecule of air, (point,) m2."""
    wavelength_um = 1e4 / np.asarray(wavenumber_cm1)
    wavelength_cm = 1e-4 * wavelength_um
    n2 = (1.0 + refractive_index_minus_one(wavelength_um, co2_ppm)) ** 2
    polarisability = ((n2 - 1.0) / (n2 + 2.0)) ** 2 / (wavelength_cm**4 * STANDARD_DENSITY_CM3**2)
    return 1e-4 * 24.0 * np.pi**3 * polarisability * king_factor(wavelength_um, co2_ppm)


def legendre_second(wavenumber_cm1: np.ndarray) -> np.ndarray:
    """Give the second Legendre coefficient of the phase function 1 + b2 P2(cos T), mean 1 over the sphere."""
    king = king_factor(1e4 / np.asarray(wavenumber_cm1))
    depolarisation = 6.0 * (king - 1.0) / (3.0 + 7.0 * king)
    return (1.0 - depolarisation) / (2.0 + depolarisation)


def phase_function(cos_scattering: ArrayLike, second: ArrayLike) -> np.ndarray:
    """Evaluate 1 + b2 P2(cos T)."""
    return 1.0 + np.asarray(second) * 0.5 * (3.0 * np.asarray(cos_scattering) ** 2 - 1.0)
