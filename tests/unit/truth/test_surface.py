import numpy as np
import pytest
import xarray as xr

from truth import surface
from truth.config import TruthConfig
from truth.ground import Ground
from truth.scattering import Geometry

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


@pytest.mark.parametrize("sza_deg", [10.0, 45.0])
def test_wind_from_all_sides_is_no_wind_direction(sza_deg):
    """Slopes along and across the wind have variances 0.003 + 0.00508 W together, published as 0.00512.

    The mean over directions at the specular point exceeds the isotropic value, as 1 / sqrt(ab) > 2 / (a + b).
    """
    wind, azimuth = 10.0, np.arange(0.0, 360.0, 5.0)
    directed = surface.cox_munk_reflectance(sza_deg, sza_deg, 180.0, wind, azimuth)
    isotropic = surface.cox_munk_reflectance(sza_deg, sza_deg, 180.0, wind)
    along, across = 0.00316 * wind, 0.003 + 0.00192 * wind
    expected = (0.003 + 0.00512 * wind) / (2.0 * np.sqrt(along * across))
    np.testing.assert_allclose(directed / isotropic, expected, rtol=1e-9)
    assert expected == pytest.approx(1.0, abs=0.03)


def test_glint_is_wider_along_the_wind():
    """15 degrees off in the Sun's plane, wind in that plane or across; no wind direction lies between."""
    along, across = (surface.cox_munk_reflectance(30.0, 0.0, 180.0, 10.0, azimuth) for azimuth in (0.0, 90.0))
    between = surface.cox_munk_reflectance(30.0, 0.0, 180.0, 10.0)
    assert across < between < along
    slope2 = np.tan(np.radians(15.0)) ** 2
    ratio = np.exp(-slope2 / 2 * (1 / (0.00316 * 10) - 1 / (0.003 + 0.00192 * 10)))
    assert along / across == pytest.approx(ratio)


def test_slopes_of_any_wind_direction_add_up_to_one():
    """All slopes together have probability 1, in every direction of the wind."""
    slope = np.linspace(-1.5, 1.5, 601)
    x, y = np.meshgrid(slope, slope)
    for azimuth in (0.0, 0.7, 2.0):
        density = surface._directed_facets(x, y, np.array(12.0), np.array(azimuth))
        assert density.sum() * (slope[1] - slope[0]) ** 2 == pytest.approx(1.0, rel=1e-6)


def test_an_unknown_wind_direction_is_isotropic():
    unknown = surface.cox_munk_reflectance(40.0, 30.0, 150.0, 7.0, np.nan)
    assert unknown == surface.cox_munk_reflectance(40.0, 30.0, 150.0, 7.0)


def test_directed_reflectance_is_reciprocal():
    """Sun and sensor change places: azimuths are then counted from the other body."""
    one = surface.cox_munk_reflectance(35.0, 50.0, 150.0, 7.0, 20.0)
    other = surface.cox_munk_reflectance(50.0, 35.0, -150.0, 7.0, 20.0 - 150.0)
    assert one == pytest.approx(other)


@pytest.mark.parametrize("sensor_azimuth", [10.0, 170.0, 200.0, 350.0])
def test_wind_direction_of_a_scene_reaches_the_glint(sensor_azimuth):
    """By azimuths: Sun at 120, wind from 300. Facets that face both lie between them; slopes by vectors."""
    names = ("solar_azimuth_angle", "sensor_azimuth_angle", "wind_direction", "wind_speed", "land_fraction")
    values = dict(zip(names, (120.0, sensor_azimuth, 300.0, 10.0, 0.0), strict=True))
    bands = {"whitecap_albedo": ("band", np.zeros(4)), "brdf_kernel": (("band", "kernel"), np.zeros((4, 3)))}
    scene = xr.Dataset(values | bands | {"albedo": ("band", np.zeros(4))})
    raa = abs((120.0 - sensor_azimuth + 180.0) % 360.0 - 180.0)
    view = Geometry.at(35.0, 25.0, raa, np.array([60e3, 0.0]))
    seen = Ground.of(scene, 0, TruthConfig(whitecaps=False)).direct(view)
    half = sum(
        np.array([np.sin(zenith) * np.sin(azimuth), np.sin(zenith) * np.cos(azimuth), np.cos(zenith)])
        for zenith, azimuth in np.radians([(35.0, 120.0), (25.0, sensor_azimuth)])
    )
    east, north = half[:2] / half[2]
    downwind = np.radians(300.0)
    along = east * np.sin(downwind) + north * np.cos(downwind)
    across2 = east**2 + north**2 - along**2
    variance = 0.00316 * 10, 0.003 + 0.00192 * 10
    directed = np.exp(-(along**2 / variance[0] + across2 / variance[1]) / 2) / (
        2 * np.sqrt(np.prod(variance))
    )
    slope2, total = along**2 + across2, 0.003 + 0.00512 * 10
    isotropic = np.exp(-slope2 / total) / total
    without = surface.cox_munk_reflectance(35.0, 25.0, raa, 10.0)
    assert seen / without == pytest.approx(directed / isotropic)


@pytest.mark.parametrize(("wind", "percent"), [(4.0, 0.0388), (10.0, 0.977), (20.0, 11.2)])
def test_whitecaps(wind, percent):
    """Monahan and O'Muircheartaigh (1980), 2.95e-6 W^3.52, worked out with logarithms."""
    assert 100 * surface.whitecap_coverage(wind) == pytest.approx(percent, rel=0.003)


def test_foam_darkens_into_the_infrared():
    b1, b2, b3, b4 = surface.FOAM
    assert 0.22 > b1 > b4 > b2 > b3 > 0


def test_land_spectra_are_the_published_ones():
    """B1, B4, B2, B3 of spectral libraries; cities between asphalt and concrete; Park Falls in April."""
    np.testing.assert_allclose(surface.albedo("desert")[[0, 3, 1, 2]], (0.30, 0.34, 0.38, 0.38))
    np.testing.assert_allclose(surface.albedo("snow")[[0, 3, 1, 2]], (0.92, 0.44, 0.08, 0.04))
    np.testing.assert_allclose(surface.albedo("forest")[:3], (0.110, 0.149, 0.095))
    city = surface.albedo("city")[[0, 3, 1, 2]]
    assert np.all(city > (0.07, 0.11, 0.12, 0.12))
    assert np.all(city < (0.31, 0.35, 0.37, 0.38))
