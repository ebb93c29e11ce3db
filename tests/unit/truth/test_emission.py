import numpy as np
import pytest

from truth import brdf, emission
from truth.constants import SECOND_RADIATION
from truth.surface import land_kernels

PHOTONS_OF_ONE_MR = 7.96e14  # ph s-1 m-2 sr-1
LINES = (np.array([7_850.0, 7_882.4, 7_900.1]), np.array([1.0, 4.0, 2.0]), np.array([100.0, 5.0, 300.0]))


def photons(wavenumber_cm1: np.ndarray, radiance: np.ndarray) -> float:
    """Integrate ph s-1 m-2 sr-1 um-1 over wavelength."""
    return float(np.trapezoid((radiance / wavenumber_cm1**2 * 1e4), wavenumber_cm1))


@pytest.mark.parametrize(
    ("sza_deg", "low", "high"),
    [(0.0, 25.0, 27.0), (30.0, 23.6, 25.6), (50.0, 20.0, 23.0), (65.0, 17.0, 19.0), (80.0, 12.0, 14.0)],
)
def test_megarayleigh_by_sun(sza_deg, low, high):
    assert low < emission.airglow_mr(sza_deg) < high


def test_emission_falls_monotonically_to_the_night():
    mr = emission.airglow_mr(np.arange(0.0, 120.0))
    assert np.all(np.diff(mr) <= 0.0)
    assert mr[-1] == 0.0


@pytest.mark.parametrize("step_cm1", [0.002, 0.01, 0.05])
def test_photons_are_kept_on_any_grid(step_cm1):
    nu = np.arange(7_840.0, 7_910.0, step_cm1)
    total = photons(nu, emission.airglow_radiance(nu, *LINES, vertical_mr=20.0, vza_deg=60.0))
    thousandth = 1e-3
    assert total == pytest.approx(20.0 * 2.0 * PHOTONS_OF_ONE_MR, rel=thousandth)


def test_lines_outside_the_grid_take_their_share():
    """A grid that ends below the third line holds only the others' photons."""
    nu = np.arange(7_840.0, 7_890.0, 0.005)
    share = emission.line_photons(*LINES, emission.LAYER_TEMPERATURE)
    total = photons(nu, emission.airglow_spectrum(nu, *LINES)) / PHOTONS_OF_ONE_MR
    assert total == pytest.approx(share[:2].sum(), rel=1e-3)


def test_doppler_width():
    """Full width at half maximum 7.16e-7 nu sqrt(T/M), M in g mol-1 (any textbook)."""
    nu = np.arange(7_882.3, 7_882.5, 1e-4)
    spectrum = emission.airglow_spectrum(nu, *(np.array([values[1]]) for values in LINES))
    above = nu[spectrum > spectrum.max() / 2]
    expected = 7.16e-7 * 7_882.4 * np.sqrt(260.0 / 32.0)
    two_steps = 2e-4
    assert above[-1] - above[0] == pytest.approx(expected, abs=two_steps)


def test_share_of_lines_with_a_common_upper_level_ignores_temperature():
    """Two lines from one upper level keep the ratio of their rates whatever the layer's temperature."""
    nu, lower = np.array([7_880.0, 7_850.0]), np.array([50.0, 80.0])
    cold, warm = (emission.line_photons(nu, np.ones(2), lower, t) for t in (200.0, 300.0))
    assert cold[0] / cold[1] == pytest.approx(warm[0] / warm[1])


def test_share_at_the_reference_temperature():
    """At 296 K the lower levels' populations cancel: S nu2 exp(-c2 nu / T) is left."""
    nu, strength, lower = LINES
    expected = strength * nu**2 * np.exp(-SECOND_RADIATION * (nu - nu[0]) / 296.0)
    share = emission.line_photons(nu, strength, lower, 296.0)
    np.testing.assert_allclose(share, expected / expected.sum())


def test_share_cools_to_low_levels():
    """Between levels 200 cm-1 apart the ratio follows Boltzmann."""
    nu, lower = np.array([7_880.0, 7_880.0]), np.array([0.0, 200.0])
    cold, warm = (emission.line_photons(nu, np.ones(2), lower, t) for t in (200.0, 300.0))
    boltzmann = np.exp(SECOND_RADIATION * 200.0 * (1 / 200.0 - 1 / 300.0))
    assert (cold[0] / cold[1]) / (warm[0] / warm[1]) == pytest.approx(boltzmann)


def test_fluorescence_spectrum():
    nm = np.array([740.0, 757.0, 763.5, 768.75])
    np.testing.assert_allclose(emission.sif_spectrum(1e7 / nm), (1.0, 0.58, 0.43, 0.32))
    between = emission.sif_spectrum(1e7 / np.arange(735.0, 800.0))
    assert np.all(np.diff(between) < 0.0)


def test_fluorescence_in_photons():
    """A photon of 740 nm carries 1239.84 / 740 eV."""
    joule = 1239.84 / 740.0 * 1.602_177e-19
    assert emission.sif_photons(1e7 / 740.0, 2.0) == pytest.approx(2.0 / joule, rel=1e-5)


def test_fluorescence_is_dark_in_the_infrared():
    assert np.all(emission.sif_spectrum(1e4 / np.array([1.27, 1.61, 2.04])) == 0.0)


@pytest.mark.parametrize("sza_deg", [25.0, 35.0, 45.0])
def test_fluorescence_in_the_continuum(sza_deg):
    """Published: 1 to 1.6 % of the continuum at 757 nm over vegetation, and a peak of about 2 at 740 nm.

    Forest in leaf is in the range. The open canopy of the spectral library is 1.7 times as bright in B1 as
    forest and so stays 0.2 % below it.
    """
    irradiance = 1255.0  # W m-2 um-1 at 757 nm
    at_757 = float(emission.sif_spectrum(1e7 / 757.0))
    share = {}
    for kind, white_sky in (("forest", 0.6 * 0.43), ("vegetation", 0.43)):
        reflectance = brdf.reflectance(land_kernels(kind, np.array(white_sky)), sza_deg, 0.0, 0.0)
        continuum = reflectance * irradiance * np.cos(np.radians(sza_deg)) / np.pi
        sif = emission.sif_740(kind, 1.0, sza_deg)
        assert 1.4 < sif < 2.2
        share[kind] = float(at_757 * sif / continuum)
    assert 0.010 < share["forest"] < 0.016
    assert 0.008 < share["vegetation"] < 0.016


def test_no_leaves_no_light_no_fluorescence():
    assert emission.sif_740("vegetation", 0.0, 30.0) == 0.0
    assert emission.sif_740("forest", 1.0, 97.0) == 0.0
    assert emission.sif_740("desert", 1.0, 30.0) == 0.0
