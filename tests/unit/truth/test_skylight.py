import numpy as np
import pytest

from truth.rayleigh import legendre_second, phase_function
from truth.skylight import skylight_left_out
from truth.surface import cox_munk_reflectance, fresnel

B1_CM1 = 13_097.0
B1_DEPTH = 0.0256  # vertical Rayleigh optical depth at 763.5 nm (Bodhaine 1999)


def test_size_in_the_oxygen_a_band():
    """Measured 0.34 % at SZA 35, 7 m/s; under 1.3 % over SZA 10-70, wind 2-15 m/s."""
    assert skylight_left_out(35.0, 35.0, 180.0, 7.0, B1_DEPTH, B1_CM1).total == pytest.approx(
        0.0034, abs=2e-4
    )
    totals = [
        skylight_left_out(sza, sza, 180.0, wind, B1_DEPTH, B1_CM1).total
        for sza in (10.0, 50.0, 70.0)
        for wind in (2.0, 15.0)
    ]
    assert 5e-4 < min(totals) < max(totals) < 0.013


def test_swapping_sun_and_sensor_swaps_the_paths():
    """Helmholtz reciprocity, of each path as of the direct term."""
    one = skylight_left_out(30.0, 45.0, 160.0, 6.0, B1_DEPTH, B1_CM1)
    other = skylight_left_out(45.0, 30.0, 160.0, 6.0, B1_DEPTH, B1_CM1)
    assert one.sky_reflected == pytest.approx(other.glint_scattered, rel=1e-6)
    assert one.glint_scattered == pytest.approx(other.sky_reflected, rel=1e-6)


def test_calm_sea_mirrors_the_sky():
    """A near-flat sea shows Fresnel times thin air's radiance F0 P tau / (4 pi mu) at the mirror point."""
    sza_deg, vza_deg, depth = 40.0, 20.0, 1e-5
    mu_0, mu = np.cos(np.radians([sza_deg, vza_deg]))
    separation = np.cos(np.radians(sza_deg - vza_deg))  # a view at raa 180 mirrors the sky on the Sun's side
    phase = phase_function(separation, float(legendre_second(np.array(B1_CM1))))
    sky = phase * depth / (4 * np.pi * mu)
    direct = mu_0 * cox_munk_reflectance(sza_deg, vza_deg, 180.0, 0.0) / np.pi
    share = skylight_left_out(sza_deg, vza_deg, 180.0, 0.0, depth, B1_CM1, nodes=(160, 320)).sky_reflected
    roughness = 0.03  # slopes of 3 degrees remain without wind
    assert share * direct == pytest.approx(float(fresnel(mu) * sky), rel=roughness)
