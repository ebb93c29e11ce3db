import numpy as np
import pytest

from truth import solar
from truth.constants import C_LIGHT

# Continuum radiance at albedo 0.2, SZA 45, ph s-1 m-2 sr-1 um-1, by band-centre wavelength (nm)
MEAN_RADIANCE = {763.55: 2.15e20, 1607.8: 8.7e19, 2037.0: 5.2e19, 1273.1: 1.31e20}


@pytest.mark.parametrize(("wavelength_nm", "expected"), MEAN_RADIANCE.items())
def test_continuum_gives_the_mission_s_mean_radiance(wavelength_nm, expected):
    radiance = 0.2 * np.cos(np.pi / 4) * solar.continuum(1e7 / wavelength_nm) / np.pi
    half_a_digit = 0.01
    assert radiance == pytest.approx(expected, rel=half_a_digit)


def test_continuum_covers_the_bands_with_margin():
    wavelength_nm, _ = solar.continuum_table()
    for low, high in ((758.3, 768.8), (1264.0, 1282.2), (1596.7, 1618.9), (2023.0, 2051.0)):
        inside = wavelength_nm[(wavelength_nm > low - 4) & (wavelength_nm < high + 4)]
        assert inside.min() < low - 1
        assert inside.max() > high + 1


def test_line_profile_limits():
    """Without Lorentz width exp(-x2/d2) is a Gaussian; far out with w the depth falls as exp(-x/w)."""
    nu = 13_000.0 + np.linspace(-3.0, 3.0, 601)
    x = nu - 13_000.0
    gaussian = solar.fraunhofer_transmittance(nu, np.array([[13_000.0, 0.5, 0.0, 0.2]]))
    np.testing.assert_allclose(gaussian, np.exp(-0.5 * np.exp(-((x / 0.2) ** 2))), rtol=2e-8)
    far = np.abs(x) > 0.8
    wings = solar.fraunhofer_transmittance(nu, np.array([[13_000.0, 0.5, 0.15, 0.05]]))
    expected = np.exp(-0.5 * np.exp(-np.abs(x) / 0.15))
    next_order = 3e-6
    np.testing.assert_allclose(wings[far], expected[far], rtol=next_order)


def test_cut_wings_change_nothing_visible():
    nu = np.arange(6_180.0, 6_260.0, 0.02)
    full = np.zeros(nu.size)
    for nu_0, s, w, d in solar.fraunhofer_lines():
        x2 = (nu - nu_0) ** 2
        full += s * np.exp(-x2 / np.sqrt(d**4 + x2 * w**2))
    np.testing.assert_allclose(solar.fraunhofer_transmittance(nu), np.exp(-full), rtol=1e-6)


def test_recession_shifts_lines_red():
    """The strongest A-band line moves by nu v/c towards smaller wavenumbers when the Sun recedes."""
    lines = solar.fraunhofer_lines()
    nu_0 = lines[(lines[:, 0] > 12_990) & (lines[:, 0] < 13_210)]
    nu_0 = nu_0[np.argmax(nu_0[:, 1]), 0]
    nu = nu_0 + np.arange(-0.5, 0.5, 1e-4)
    speed = 1_000.0
    centres = [nu[np.argmin(solar.irradiance(nu, v) / solar.continuum(nu))] for v in (0.0, speed)]
    grid = 2e-4
    assert centres[1] - centres[0] == pytest.approx(-nu_0 * speed / C_LIGHT, abs=grid)


def test_distance_squared():
    nu = np.array([7_850.0, 7_851.0])
    assert solar.irradiance(nu, earth_sun_distance=1.0167)[0] == pytest.approx(
        solar.irradiance(nu)[0] / 1.0167**2
    )


def test_descending_grid_is_refused():
    with pytest.raises(ValueError, match="ascend"):
        solar.irradiance(np.array([7_851.0, 7_850.0]))
