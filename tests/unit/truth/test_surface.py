import numpy as np
import pytest

from truth import surface

WINDS_M_S = (2.0, 5.0, 7.0, 10.0, 15.0)
# R at exact specular, published with the formula; SZA 45 at 2 m/s and SZA 60 in two to three digits
SPECULAR = {
    10.0: (0.365, 0.169, 0.124, 0.089, 0.060),
    30.0: (0.497, 0.230, 0.169, 0.121, 0.082),
    45.0: (0.98, 0.453, 0.333, 0.239, 0.162),
    60.0: (4.3, 1.98, 1.46, 1.05, 0.71),
}


@pytest.mark.parametrize(("sza_deg", "expected"), SPECULAR.items())
def test_specular_table(sza_deg, expected):
    reflectance = surface.cox_munk_reflectance(sza_deg, sza_deg, 180.0, np.array(WINDS_M_S))
    half_a_digit = np.where(np.array(expected) < 0.9, 5.1e-4, 0.005 * np.array(expected))
    assert np.all(np.abs(reflectance - expected) < half_a_digit)


def test_away_from_the_specular_point():
    """Sun at 30, sensor at nadir: facets tilted by 15 degrees, met at 15 degrees."""
    tilt = np.radians(15.0)
    variance = 0.003 + 0.00512 * 7.0
    facets = np.exp(-(np.tan(tilt) ** 2) / variance) / (np.pi * variance)
    expected = (
        np.pi * surface.fresnel(np.cos(tilt)) * facets / (4 * np.cos(np.radians(30.0)) * np.cos(tilt) ** 4)
    )
    assert surface.cox_munk_reflectance(30.0, 0.0, 180.0, 7.0) == pytest.approx(float(expected))


def test_fresnel_against_closed_forms():
    n = surface.WATER_INDEX
    assert surface.fresnel(1.0) == pytest.approx(((n - 1) / (n + 1)) ** 2)
    assert surface.fresnel(0.0) == pytest.approx(1.0)
    brewster = np.arctan(n)
    assert surface.fresnel(np.cos(brewster)) == pytest.approx(0.5 * np.cos(2 * brewster) ** 2)


def test_glint_is_opposite_the_sun():
    towards, away = (surface.cox_munk_reflectance(40.0, 40.0, raa, 5.0) for raa in (180.0, 0.0))
    assert towards > 1e6 * away


def test_reciprocity():
    one = surface.cox_munk_reflectance(35.0, 50.0, 150.0, 7.0)
    assert one == pytest.approx(surface.cox_munk_reflectance(50.0, 35.0, 150.0, 7.0))


def test_rough_sea_reflects_what_a_flat_one_does():
    """Integrated over the hemisphere at high Sun the albedo is Fresnel's at the incidence, within 5 %."""
    node, weight = np.polynomial.legendre.leggauss(200)
    mu, azimuth = (node[:, np.newaxis] + 1) / 2, np.arange(0.5, 360.0)
    raa = np.abs((azimuth + 180) % 360 - 180)
    reflectance = surface.cox_munk_reflectance(20.0, np.degrees(np.arccos(mu)), raa, 3.0)
    albedo = np.sum(reflectance * mu * weight[:, np.newaxis] / 2) * 2 * np.pi / azimuth.size / np.pi
    five_percent = 0.05
    assert albedo == pytest.approx(float(surface.fresnel(np.cos(np.radians(20.0)))), rel=five_percent)


def test_albedo_order_is_b1_b2_b3_b4():
    np.testing.assert_allclose(surface.albedo("vegetation"), (0.43, 0.19, 0.05, 0.37))
    np.testing.assert_allclose(surface.albedo("soil"), 0.6 * np.array([0.35, 0.47, 0.44, 0.46]))


def test_unknown_surface_is_named():
    with pytest.raises(ValueError, match="'sea'"):
        surface.albedo("sea")
