"""Sea, air, Sun and Doppler shifts of L2 against published tables and closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from processors.l2 import atmosphere, diffuse, fluorescence, isrf, solar, surface
from processors.l2.bands import BANDS, LAYER_EDGES_PA, LAYER_MID_PA
from processors.l2.retrieval import forward_model, read_spectra, retrieve
from processors.l2.step import DEFAULTS

MOLES_PER_CM2 = 6.02214076e23 * 1e-4
# SZA: R of exact specular reflection for winds of 2, 5, 7, 10, 15 m/s
SPECULAR = {
    10.0: (0.365, 0.169, 0.124, 0.089, 0.060),
    30.0: (0.497, 0.230, 0.169, 0.121, 0.082),
    45.0: (0.98, 0.453, 0.333, 0.239, 0.162),
    60.0: (4.3, 1.98, 1.46, 1.05, 0.71),
}


@pytest.mark.parametrize("sza", SPECULAR)
def test_cox_munk_at_the_specular_point(sza):
    last_digit = 0.015  # of two or three digits published
    found = [surface.glint_reflectance(sza, sza, 180.0, wind)[0] for wind in (2.0, 5.0, 7.0, 10.0, 15.0)]
    np.testing.assert_allclose(found, SPECULAR[sza], rtol=last_digit)


@pytest.mark.parametrize(("sza", "vza", "raa"), [(45, 45, 180), (30, 35, 170), (60, 50, 180), (20, 20, 90)])
@pytest.mark.parametrize("wind", [1.0, 7.0, 14.0])
def test_cox_munk_by_wind(sza, vza, raa, wind):
    one_in_a_million, step = 1e-6, 1e-4
    ends = [surface.glint_reflectance(sza, vza, raa, wind + d)[0] for d in (step, -step)]
    slope = surface.glint_reflectance(sza, vza, raa, wind)[1]
    assert slope == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=one_in_a_million, abs=1e-12)


@pytest.mark.parametrize(("sza", "vza"), [(40.0, 20.0), (10.0, 50.0), (55.0, 70.0)])
def test_cox_munk_beside_the_specular_point(sza, vza):
    """In the plane of Sun and sensor facets tilt by half the difference; Fresnel by angles."""
    tilt, incidence = np.radians(abs(sza - vza) / 2.0), np.radians((sza + vza) / 2.0)
    inside = np.arcsin(np.sin(incidence) / 1.317)
    less, more = incidence - inside, incidence + inside
    fresnel = 0.5 * ((np.sin(less) / np.sin(more)) ** 2 + (np.tan(less) / np.tan(more)) ** 2)
    variance = 0.003 + 0.00512 * 9.0
    density = np.exp(-(np.tan(tilt) ** 2) / variance) / (np.pi * variance)
    mu0, mu = np.cos(np.radians([sza, vza]))
    expected = np.pi * fresnel * density / (4.0 * mu0 * mu * np.cos(tilt) ** 4)
    assert surface.glint_reflectance(sza, vza, 180.0, 9.0)[0] == pytest.approx(expected, rel=1e-9)


def test_glint_lies_opposite_to_the_sun():
    """raa 180 is the glint, raa 0 (Sun and sensor on one side) is not."""
    glint, back = (surface.glint_reflectance(40.0, 40.0, raa, 5.0)[0] for raa in (180.0, 0.0))
    assert glint > 1e6 * back


def test_flat_water_at_normal_incidence():
    """Fresnel: ((n - 1)/(n + 1))^2; a slope density 1/(pi variance)."""
    variance = 0.003 + 0.00512 * 5.0
    expected = (0.317 / 2.317) ** 2 / (4.0 * variance)
    assert surface.glint_reflectance(0.0, 0.0, 0.0, 5.0)[0] == pytest.approx(expected, rel=1e-9)


def test_rayleigh_cross_section_is_that_of_bodhaine():
    """Bodhaine et al. (1999) eqs. 4 to 6, 300 ppm: index of Peck and Reeder, King factor of Bates."""
    one_percent = 0.01
    um = np.array([0.7634, 1.2731, 1.6078, 2.037])
    w2 = um**-2
    n = 1.0 + 1e-8 * (8060.51 + 2480990.0 / (132.274 - w2) + 17455.7 / (39.32957 - w2))
    king = 78.084 * (1.034 + 3.17e-4 * w2) + 20.946 * (1.096 + 1.385e-3 * w2 + 1.448e-4 * w2**2)
    king = (king + 0.934 + 0.03 * 1.15) / (78.084 + 20.946 + 0.934 + 0.03)
    refraction = (n**2 - 1.0) / (n**2 + 2.0)
    bodhaine = 24.0 * np.pi**3 * refraction**2 * king / ((um * 1e-4) ** 4 * 2.546899e19**2)
    np.testing.assert_allclose(diffuse.rayleigh_cross_section(1e4 / um), bodhaine, rtol=one_percent)
    air = 101_325.0 / (9.80 * 28.9644e-3) * MOLES_PER_CM2
    assert diffuse.rayleigh_cross_section(1e4 / 0.7634) * air == pytest.approx(0.0256, abs=2e-4)  # table 3


def test_phase_function_has_mean_one_and_azimuthal_parts_that_sum():
    x, w = np.polynomial.legendre.leggauss(16)
    assert 0.5 * w @ diffuse.rayleigh_phase(x) == pytest.approx(1.0, abs=1e-12)
    ratio = diffuse.rayleigh_phase(0.0) / diffuse.rayleigh_phase(1.0)
    assert ratio == pytest.approx((1.0 + 0.0279) / 2.0, rel=1e-9)  # Chandrasekhar, section 18
    mu_in, mu_out, phi = np.array([-0.6]), np.array([0.8]), 1.1
    parts = sum(diffuse._fourier_phase(mu_in, mu_out, m)[0, 0] * np.cos(m * phi) for m in range(3))
    angle = -0.6 * 0.8 + 0.8 * 0.6 * np.cos(phi)
    assert parts == pytest.approx(diffuse.rayleigh_phase(angle), abs=1e-12)


def layers_of(model, psurf_pa: float, h2o: float = 1.0) -> atmosphere.Layers:
    return atmosphere.layers(model.meteo, psurf_pa, np.zeros(6), h2o)


@pytest.mark.parametrize("psurf", [1013.0, 1000.0, 999.99, 700.3])
def test_oxygen_column_of_moist_air(narrow, l2_kit, psurf):
    """0.2095 (p_s - g TCWV)/(g M_dry): water is no dry air. Gravity of the model, weighted by mass."""
    one_in_100_000 = 1e-5
    model = narrow.model(l2_kit.Case(psurf=psurf))
    layers = layers_of(model, 100.0 * psurf)
    dp = np.clip(100.0 * psurf - LAYER_EDGES_PA[:-1], 0.0, np.diff(LAYER_EDGES_PA))
    g = model.meteo.gravity_m_s2
    mean_g = dp.sum() / (dp / g).sum()
    water_kg_m2 = layers.h2o.sum() / MOLES_PER_CM2 * 18.01528e-3
    p = np.linspace(1.0, 100.0 * psurf, 200_001)
    q = np.interp(np.log(p), np.log(model.meteo.pressure_pa), model.meteo.specific_humidity)
    one_percent = 0.01
    assert water_kg_m2 == pytest.approx(np.trapezoid(q, p) / 9.79, rel=one_percent)
    expected = 0.2095 * (100.0 * psurf - mean_g * water_kg_m2) / (mean_g * 28.9644e-3) * MOLES_PER_CM2
    # water lies low where gravity is larger than its mean: 2e-3 of 0.5 %
    assert layers.o2.sum() == pytest.approx(expected, rel=one_in_100_000 + 2e-3 * 0.01)
    trap = mean_g * water_kg_m2 / (100.0 * psurf)  # moist taken for dry would be seen
    assert trap > 10.0 * one_in_100_000


def test_gravity_of_the_ellipsoid_and_its_fall_with_height(narrow, l2_kit):
    """WGS-84: 9.780325 m s-2 at the equator, 9.832185 at the pole; 3.086e-6 s-2 less a metre up."""
    for latitude, expected in ((0.0, 9.7803253359), (90.0, 9.8321849379)):
        assert atmosphere.layer_gravity(np.zeros(1), latitude)[0] == pytest.approx(expected, rel=1e-6)
    z = narrow.model(l2_kit.Case()).meteo.height_m
    g = atmosphere.layer_gravity(z, 45.0)
    slope = (g[-12] - g[-1]) / (z[-12] - z[-1])
    assert slope == pytest.approx(-3.086e-6, rel=0.005)


def test_heights_start_at_the_forecast_s_ground():
    """Isothermal air, 600 hPa at 4 km: z = 4 km + R T/g ln(600 hPa/p), negative gravity slope included."""
    one_metre, p = 1.0, np.geomspace(10.0, 108_000.0, 72)
    found = atmosphere.layer_height_m(p, np.full(72, 250.0), 60_000.0, 4000.0)
    expected = 4000.0 + 287.05 * 250.0 / 9.80665 * np.log(60_000.0 / LAYER_MID_PA)
    tall = LAYER_MID_PA > 20.0
    assert np.abs(found - expected)[tall].max() < one_metre


def test_a_plateau_has_less_gravity_and_more_air_for_its_pressure(narrow, l2_kit):
    """4 km up gravity is 2 z/R = 0.125 % less: so much more O2 stands over one and the same pressure."""
    tenth = 0.1
    columns = [
        layers_of(narrow.model(l2_kit.Case(psurf=620.0, altitude=z)), 62_000.0).o2.sum()
        for z in (0.0, 4000.0)
    ]
    assert columns[1] / columns[0] - 1.0 == pytest.approx(2.0 * 4000.0 / 6.378e6, rel=tenth)


def test_slant_path_of_a_plateau_is_that_of_a_larger_earth(narrow, l2_kit):
    """At the ground 1/cos of the zenith angle, whatever its height."""
    one_in_10_000 = 1e-4
    for psurf, z in ((1000.0, 0.0), (620.0, 4000.0)):
        model = narrow.model(l2_kit.Case(sza=70.0, psurf=psurf, altitude=z))
        at_ground = np.interp(psurf * 100.0, LAYER_MID_PA, model._amf_sun)
        assert at_ground == pytest.approx(1.0 / np.cos(np.radians(70.0)), rel=one_in_10_000 * 10)


@pytest.mark.parametrize("psurf", [1013.0, 1000.0, 950.5, 620.0])
def test_weights_make_the_column_mean(narrow, l2_kit, psurf):
    model = narrow.model(l2_kit.Case(psurf=psurf))
    layers = layers_of(model, 100.0 * psurf)
    h = layers.pressure_weight
    assert h.sum() == pytest.approx(1.0, abs=1e-12)
    assert np.all(h > 0.0)
    assert h @ np.full(20, 417.3) == pytest.approx(417.3, rel=1e-12)
    profile = np.linspace(380.0, 430.0, 20)
    column = (layers.dry * (layers.co2_map @ profile)).sum()
    assert h @ profile == pytest.approx(column / layers.dry.sum(), rel=1e-12)


def test_dry_and_moist_columns_differ_as_they_should(narrow, l2_kit):
    """XCO2 of a profile enhanced below 900 hPa: moist weights would give other ppm, by about the humidity."""
    model = narrow.model(l2_kit.Case(psurf=1013.0))
    profile = np.where(atmosphere.SIGMA > 0.9, 520.0, 420.0)
    dry, moist = (layers_of(model, 101_300.0, h2o).pressure_weight @ profile for h2o in (1.0, 0.0))
    assert 0.03 < moist - dry < 0.3


def test_carbon_dioxide_is_linear_in_pressure_between_levels(narrow, l2_kit):
    """A profile linear in pressure keeps its mean at half the surface pressure (dry, constant gravity)."""
    model = narrow.model(l2_kit.Case(psurf=1013.0))
    h = layers_of(model, 101_300.0, 0.0).pressure_weight
    one_per_mille = 1e-3  # gravity falls by 0.3 % per 10 km
    assert h @ atmosphere.SIGMA == pytest.approx(0.5, abs=one_per_mille)


def one_line(center: float = 13_100.0) -> solar.Sun:
    return solar.Sun(
        np.array([center]), np.array([0.8]), np.array([0.05]), np.array([0.07]),
        np.array([700.0, 800.0]), np.array([1200.0, 1200.0]),
    )  # fmt: skip


def test_fraunhofer_line_follows_toon():
    """exp(-s exp(-x^2/sqrt(d^4 + x^2 w^2))) on photons of the continuum, at 1 au and 1.017 au."""
    rounding = 1e-9
    nu = np.arange(13_098.0, 13_102.0, 0.01)
    x = nu - 13_100.0
    tau = 0.8 * np.exp(-(x**2) / np.sqrt(0.07**4 + x**2 * 0.05**2))
    photons = 1200.0 / (6.62607015e-34 * 299792458.0 * nu * 100.0)
    for distance in (1.0, 1.017):
        found = solar.photon_irradiance(one_line(), nu, 0.0, distance)
        np.testing.assert_allclose(found, photons * np.exp(-tau) / distance**2, rtol=rounding)


def test_continuum_of_the_mission_s_bands(l2_kit):
    """1245, 455, 240 and 112 W m-2 um-1 in B1, B4, B2, B3."""
    two_percent = 0.02
    sun = solar.read(l2_kit.DATA / "solar_lines_v1.csv", l2_kit.DATA / "solar_continuum.csv")
    for nm, watts in ((763.5, 1245.0), (1273.0, 455.0), (1607.8, 240.0), (2037.0, 112.0)):
        nu = 1e7 / nm + 0.01 * np.arange(-200, 200)
        energy = 6.62607015e-34 * 299792458.0 / (nm * 1e-9)
        assert solar.photon_irradiance(sun, nu, 0.0, 1.0).max() * energy == pytest.approx(
            watts, rel=two_percent
        )


@pytest.mark.parametrize("speed", [-900.0, 900.0])
def test_receding_sun_shows_its_lines_at_lower_wavenumbers(speed):
    nu = np.arange(13_095.0, 13_105.0, 0.001)
    darkest = nu[solar.photon_irradiance(one_line(), nu, speed, 1.0).argmin()]
    assert darkest == pytest.approx(13_100.0 * (1.0 - speed / 299_792_458.0), abs=0.001)
    assert np.sign(13_100.0 - darkest) == np.sign(speed)


@pytest.mark.parametrize("speed", [-5900.0, 5900.0])
def test_receding_sensor_sees_telluric_lines_at_longer_wavelengths(narrow, l2_kit, speed):
    """The deepest O2 line of the narrow window moves by lambda v/c; nothing moves where the ground stands."""
    sounding = narrow.sounding(l2_kit.Case())
    minimum = {}
    for v in (0.0, speed):
        moved = {**sounding, "sensor_recession_speed": v, "sun_recession_speed": 0.0}
        model = forward_model(moved, l2_kit.forecast(l2_kit.Case()), read_spectra(moved), narrow.aux)
        radiance = model(model.state.x_a)[0].reshape(4, 1024)[0]
        nm = moved["wavelength"][0]
        deepest = 100 + radiance[100:900].argmin()
        near = slice(deepest - 8, deepest + 9)
        a, b, _ = np.polyfit(nm[near] - nm[near].mean(), radiance[near], 2)
        minimum[v] = nm[near].mean() - b / (2 * a)
    expected = minimum[0.0] * speed / 299_792_458.0
    five_percent = 0.05
    assert minimum[speed] - minimum[0.0] == pytest.approx(expected, rel=five_percent)


def test_response_keeps_constants_and_moves_with_its_asymmetry():
    """A constant stays; a response shifted to longer wavelengths sees a line at a shorter spectel."""
    nm = 1e7 / np.arange(6220.0, 6240.0, 0.01)
    offset = np.linspace(-0.2, 0.2, 201)
    center = np.linspace(1603.5, 1606.0, 300)
    node = np.array([0.0, 150.0, 299.0])
    bell = np.exp(-0.5 * ((offset - 0.03) / 0.03) ** 2)
    shape = np.tile(bell / np.trapezoid(bell, offset), (3, 1))
    fields = np.stack([np.exp(-0.5 * ((nm - 1604.7) / 0.01) ** 2), np.ones_like(nm)])
    seen, slope = isrf.convolve(fields, nm, center, node, offset, shape)
    np.testing.assert_allclose(seen[1], 1.0, rtol=1e-12)
    assert center[seen[0].argmax()] == pytest.approx(1604.7 - 0.03, abs=center[1] - center[0])
    widths = np.hypot(0.03, 0.01)
    expected = 0.01 / widths * np.exp(-0.5 * ((center + 0.03 - 1604.7) / widths) ** 2)
    one_per_mille = 1e-3
    assert np.abs(seen[0] - expected).max() < one_per_mille * expected.max()
    by_center = -expected * (center + 0.03 - 1604.7) / widths**2
    assert np.abs(slope - by_center).max() < one_per_mille * np.abs(by_center).max()


def test_fluorescence_has_the_published_shape():
    """.58, .43 and .32 of the radiance at 740 nm; 2 W m-2 um-1 sr-1 there are 1 % of a continuum."""
    rounding = 1e-9
    nm = np.array([757.0, 763.5, 768.75])
    energy = 6.62607015e-34 * 299792458.0 / (nm * 1e-9)
    np.testing.assert_allclose(fluorescence.spectrum(1e7 / nm) * energy, [0.58, 0.43, 0.32], rtol=rounding)
    inside = fluorescence.spectrum(BANDS[0].wavenumber_cm1)
    assert np.all(np.diff(inside) > 0.0)  # falls with wavelength
    over_vegetation = 0.43 * np.cos(np.radians(45.0)) * 1245.0 / np.pi
    assert 0.007 < 2.0 * 0.43 / over_vegetation < 0.016


def test_fluorescence_rises_through_the_air_once(narrow, l2_kit):
    """What it adds is transmitted from ground to sensor: exp(-tau/mu), Rayleigh included, flat air."""
    one_per_mille = 1e-3
    model = narrow.model(l2_kit.Case(vza=30.0))
    x, seen = model.state.x_a.copy(), []
    original = model._convolve
    model._convolve = lambda b, x, fields: seen.append((b, fields)) or original(b, x, fields)
    model(x)
    up = next(fields[-1] for b, fields in seen if b == 0) / model.bands[0].fluorescence
    layers = layers_of(model, 101_300.0)
    at = np.arange(0, up.size, 50)
    tau, _ = model._layer_depths(0, x, layers, at)
    expected = np.exp(-tau.sum(axis=0) / np.cos(np.radians(30.0)))
    assert up.min() < 0.1 < 0.9 < up.max()
    assert np.abs(up[at] - expected).max() < one_per_mille  # the Earth is round


def test_azimuths_wrap_around_north(narrow, l2_kit):
    """raa is folded: Sun at 350 and sensor at 50 degrees are 60 apart, however counted."""
    case = l2_kit.Case()
    sounding = narrow.measured(case)
    rows = []
    for saa, vaa in ((350.0, 50.0), (50.0, 350.0), (10.0, 310.0), (170.0, 230.0)):
        turned = {**sounding, "solar_azimuth_angle": saa, "sensor_azimuth_angle": vaa}
        rows.append(retrieve(turned, l2_kit.forecast(case), narrow.aux, dict(DEFAULTS))["xco2"])
    np.testing.assert_allclose(rows, rows[0], rtol=1e-9)
