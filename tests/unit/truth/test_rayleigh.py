"""Rayleigh scattering against the published tables of Bodhaine et al. (1999)."""

import numpy as np
import pytest

from truth import rayleigh

half_percent = 0.005
one_part_in_1e4 = 1e-4
one_part_in_1e8 = 1e-8
one_percent = 0.01


def test_cross_section_follows_the_published_fit():
    """Bodhaine et al. (1999), eq. 29, 360 ppm CO2, made for 0.25 to 0.85 um."""
    wavelength_um = np.array([0.25, 0.3, 0.4, 0.5, 0.55, 0.7, 0.763, 0.85])
    w2 = wavelength_um**2
    published_cm2 = 1e-28 * (1.0455996 - 341.29061 / w2 - 0.90230850 * w2)
    published_cm2 /= 1.0 + 0.0027059889 / w2 - 85.968563 * w2
    computed_cm2 = 1e4 * rayleigh.cross_section(1e4 / wavelength_um, co2_ppm=360.0)
    np.testing.assert_allclose(computed_cm2, published_cm2, rtol=2.0 * one_part_in_1e4)


def test_cross_section_follows_bucholtz_in_the_infrared():
    """Bucholtz (1995) fit for wavelengths above 0.5 um, another refractive index and King factor."""
    for wavelength_um in (0.763, 1.27, 1.6, 2.04):
        power = 3.99668 + 0.00110298 * wavelength_um + 0.0271393 / wavelength_um
        bucholtz_m2 = 4.01061e-32 * wavelength_um**-power
        assert rayleigh.cross_section(1e4 / wavelength_um) == pytest.approx(bucholtz_m2, rel=one_percent)


def test_refractive_index_is_peck_and_reeder():
    """n at 0.555 um and 360 ppm as the colour-science package gives it."""
    computed = rayleigh.refractive_index_minus_one(0.555, co2_ppm=360.0)
    assert computed == pytest.approx(277.735539824e-6, rel=one_part_in_1e8)


def test_phase_function_has_mean_one_and_the_molecular_asymmetry():
    """For depolarisation r: P(90)/P(0) = (1 + r)/2, Chandrasekhar section 18."""
    nu = np.array([13072.0])
    king = rayleigh.king_factor(1e4 / nu)
    depolarisation = 6.0 * (king - 1.0) / (3.0 + 7.0 * king)
    second = rayleigh.legendre_second(nu)
    cosine, weight = np.polynomial.legendre.leggauss(8)
    mean = sum(w * rayleigh.phase_function(c, second) for c, w in zip(cosine, weight, strict=True)) / 2.0
    assert mean == pytest.approx(1.0)
    ratio = rayleigh.phase_function(0.0, second) / rayleigh.phase_function(1.0, second)
    assert ratio == pytest.approx((1.0 + depolarisation) / 2.0)


def test_cross_section_falls_with_the_fourth_power():
    near, far = rayleigh.cross_section(np.array([1e4 / 2.0, 1e4 / 4.0]))
    assert near / far == pytest.approx(16.0, rel=half_percent)
