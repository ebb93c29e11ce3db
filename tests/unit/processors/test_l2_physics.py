"""Sea, air, Sun and Doppler shifts of L2 against published tables and closed forms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from processors.l2 import atmosphere, fluorescence, isrf, scattering, solar, surface
from processors.l2.atmosphere import AIR, CIA, DRY, H2O, TEMPERATURE
from processors.l2.bands import BANDS, LAYER_EDGES_PA, LAYER_MID_PA
from processors.l2.forward import ForwardModel
from processors.l2.retrieval import read_spectra, retrieve, setup
from processors.l2.state import Options
from processors.l2.step import DEFAULTS
from processors.l2.tables import coordinate

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


def kernel(volumetric: float, geometric: float):
    """Give Ross-Thick and Li-Sparse by themselves: slopes of the sum by their weights."""
    tiny = 1e-6  # the sum is cut where it comes near 0
    weights = (volumetric * tiny, geometric * tiny)
    return lambda mu0, mu, raa: (surface.ross_li(mu0, mu, raa, weights) - 1.0) / tiny


@pytest.mark.parametrize("weights", [(1.0, 0.0), (0.0, 1.0)])
def test_kernels_are_0_with_sun_and_sensor_overhead(weights):
    """So they are defined (Wanner et al. 1995)."""
    for raa in (0.0, 1.0, np.pi):
        assert kernel(*weights)(np.ones(1), np.ones(1), raa)[0] == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("zenith_deg", [20.0, 50.0, 70.0])
def test_kernels_in_the_hot_spot(zenith_deg):
    """Sun behind the sensor: (pi/2)/(2 mu) - pi/4, and crowns hide their own shadows, sec^2 - sec."""
    mu = np.cos(np.radians(np.array([zenith_deg])))
    assert kernel(1.0, 0.0)(mu, mu, 0.0)[0] == pytest.approx(np.pi / 4 / mu[0] - np.pi / 4, rel=1e-6)
    assert kernel(0.0, 1.0)(mu, mu, 0.0)[0] == pytest.approx(1 / mu[0] ** 2 - 1 / mu[0], rel=1e-6)


@pytest.mark.parametrize(("weights", "published"), [((1.0, 0.0), 0.189184), ((0.0, 1.0), -1.377622)])
def test_kernels_under_a_white_sky(weights, published):
    """Integrals over both half spheres of Lucht, Schaaf and Strahler (2000), table 1."""
    one_per_mille = 1e-3
    node, weight = np.polynomial.legendre.leggauss(160)
    mu, flux = 0.5 + 0.5 * node, (0.5 + 0.5 * node) * weight  # 2 mu dmu
    raa = (np.arange(360) + 0.5) * np.pi / 360
    values = kernel(*weights)(mu[:, None, None], mu[None, :, None], raa).mean(axis=2)
    assert flux @ values @ flux == pytest.approx(published, rel=one_per_mille)


@pytest.mark.parametrize(("sza", "vza", "raa"), [(0.0, 0.0, 0.0), (45.0, 30.0, 60.0), (70.0, 10.0, 150.0)])
def test_land_under_a_white_sky(sza, vza, raa):
    """The streams' mean is 1 + 0.4 x 0.189184 - 0.1 x 1.377622, over the reflectance of direct sunlight."""
    two_percent = 0.02  # of six streams, and where kernels are cut
    sky, flux = surface.land_sky(sza, vza, raa), 2.0 * scattering.WEIGHT * scattering.MU
    direct = surface.ross_li(*np.cos(np.radians([sza, vza])), np.radians(raa))
    white = flux @ sky[0, : scattering.MU.size, : scattering.MU.size] @ flux * direct
    assert white == pytest.approx(1.0 + 0.4 * 0.189184 - 0.1 * 1.377622, rel=two_percent)
    np.testing.assert_allclose(sky, np.swapaxes(sky, 1, 2), rtol=1e-9, atol=1e-12)  # reciprocal


def test_land_looks_brighter_towards_the_sun_s_side():
    """raa 0 is the hot spot, so of light that goes straight on (azimuth component 1) there is less."""
    sky = surface.land_sky(50.0, 50.0, 60.0)
    assert sky[1, -1, -2] < 0.0
    hot, cold = (surface.ross_li(*np.cos(np.radians([50.0, 40.0])), np.radians(r)) for r in (0.0, 180.0))
    assert hot > 1.2 * cold


def over_land(ground, l2_kit, told, options: Options, shape: float = 0.0) -> np.ndarray:
    """Give the radiance of B1 over land whose kernels the forecast tells, and of a shape."""
    case = l2_kit.Case(sza=30.0)
    sounding, (volumetric, geometric) = ground.sounding(case), told
    forecast = l2_kit.forecast(case) | {"brdf_volumetric": volumetric, "brdf_geometric": geometric}
    own = setup(sounding, forecast, read_spectra(sounding), ground.aux, options)
    x = own.state.x_a.copy()
    if "shape" in own.state:
        x[own.state["shape"]] = shape
    return ForwardModel([own], ground.aux.models(options), options)([0], [x])[0].F[:1024]


def test_skylight_meets_land_as_the_forecast_s_kernels_say(narrow, l2_kit):
    """One unit of shape leads from Lambertian to typical land; without `brdf` nothing told counts."""
    single, seen = 1e-6, 1e-4  # of the light
    told, off = l2_kit.CLEAR, replace(l2_kit.CLEAR, brdf=False)
    flat = over_land(narrow, l2_kit, surface.LAMBERTIAN, told)
    typical = over_land(narrow, l2_kit, surface.TYPICAL, told)
    np.testing.assert_allclose(over_land(narrow, l2_kit, surface.LAMBERTIAN, told, 1.0), typical, rtol=single)
    np.testing.assert_allclose(over_land(narrow, l2_kit, surface.TYPICAL, off), flat, rtol=single)
    for weights in ((0.4, 0.0), (0.0, 0.1), surface.TYPICAL):
        assert np.abs(over_land(narrow, l2_kit, weights, told) / flat - 1.0).max() > seen


@pytest.mark.parametrize("wind", [3.0, 7.0, 14.0])
@pytest.mark.parametrize("sza", [20.0, 45.0, 60.0])
def test_sea_sends_streams_what_it_sends_everywhere(sza, wind):
    """Flux off a beam, and its swing about the azimuth, against fine quadrature of the same reflectance.

    Six cells a stream leave 5 % where the lobe reaches the horizon.
    """
    six_percent = 0.06
    sky, flux = surface.sea_sky(sza, 30.0, wind), 2.0 * scattering.WEIGHT * scattering.MU
    mu, mu0 = (np.arange(800) + 0.5) / 800, np.cos(np.radians(sza))
    turn = (np.arange(360) + 0.5) * np.pi / 360
    fine = np.array([surface._glint(mu0, m, np.pi - turn, wind)[0] for m in mu])
    level = [fine @ np.cos(k * turn) / 360 for k in range(3)]
    for k in range(3):
        found = flux @ sky[k, : scattering.MU.size, -2]
        assert found == pytest.approx(2.0 * mu @ level[k] / 800, rel=six_percent), k
    assert sky[1, : scattering.MU.size, -2] @ flux > 0.0  # the glint lies straight on
    np.testing.assert_allclose(sky, np.swapaxes(sky, 1, 2), rtol=1e-9, atol=1e-12)


def test_sea_is_as_dark_as_published():
    """Albedo for a high Sun of 2 to 3 %, for one at 60 degrees about 6 % (Payne 1972; Jin et al. 2004)."""
    flux = 2.0 * scattering.WEIGHT * scattering.MU
    for sza, least, most in ((10.0, 0.018, 0.03), (60.0, 0.045, 0.075)):
        assert least < flux @ surface.sea_sky(sza, 30.0, 5.0)[0, : scattering.MU.size, -2] < most


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
    np.testing.assert_allclose(scattering.rayleigh_cross_section(1e4 / um), bodhaine, rtol=one_percent)
    air = 101_325.0 / (9.80 * 28.9644e-3) * MOLES_PER_CM2
    assert scattering.rayleigh_cross_section(1e4 / 0.7634) * air == pytest.approx(0.0256, abs=2e-4)  # table 3


def test_phase_function_has_mean_one_and_the_depolarisation_of_air():
    x, w = np.polynomial.legendre.leggauss(16)
    assert 0.5 * w @ scattering.rayleigh_phase(x) == pytest.approx(1.0, abs=1e-12)
    ratio = scattering.rayleigh_phase(0.0) / scattering.rayleigh_phase(1.0)
    assert ratio == pytest.approx((1.0 + 0.0279) / 2.0, rel=1e-9)  # Chandrasekhar, section 18
    second = 0.5 * w @ (scattering.rayleigh_phase(x) * (1.5 * x**2 - 0.5))
    assert pytest.approx(second, rel=1e-12) == scattering.RAYLEIGH_MOMENT_2


def layers_of(model, psurf_pa: float, h2o: float = 1.0) -> atmosphere.Layers:
    return atmosphere.layers(model.setups[0].meteo, psurf_pa, np.zeros(6), np.full(2, h2o))


@pytest.mark.parametrize("psurf", [1013.0, 1008.0, 1007.99, 700.3])
def test_oxygen_column_of_moist_air(narrow, l2_kit, psurf):
    """0.2095 (p_s - g TCWV)/(g M_dry): water is no dry air. Gravity of the model, weighted by mass."""
    one_in_100_000 = 1e-5
    model = narrow.model(l2_kit.Case(psurf=psurf))
    layers = layers_of(model, 100.0 * psurf)
    dp = np.clip(100.0 * psurf - LAYER_EDGES_PA[:-1], 0.0, np.diff(LAYER_EDGES_PA))
    g = model.setups[0].meteo.gravity_m_s2
    mean_g = dp.sum() / (dp / g).sum()
    water_kg_m2 = layers.amount[H2O].sum() / MOLES_PER_CM2 * 18.01528e-3
    p = np.linspace(1.0, 100.0 * psurf, 200_001)
    q = np.interp(
        np.log(p), np.log(model.setups[0].meteo.pressure_pa), model.setups[0].meteo.specific_humidity
    )
    one_percent = 0.01
    assert water_kg_m2 == pytest.approx(np.trapezoid(q, p) / 9.79, rel=one_percent)
    expected = 0.2095 * (100.0 * psurf - mean_g * water_kg_m2) / (mean_g * 28.9644e-3) * MOLES_PER_CM2
    # water lies low where gravity is larger than its mean: 2e-3 of 0.5 %
    assert (0.2095 * layers.amount[DRY]).sum() == pytest.approx(expected, rel=one_in_100_000 + 2e-3 * 0.01)
    trap = mean_g * water_kg_m2 / (100.0 * psurf)  # moist taken for dry would be seen
    assert trap > 10.0 * one_in_100_000


def test_gravity_of_the_ellipsoid_and_its_fall_with_height(narrow, l2_kit):
    """WGS-84: 9.780325 m s-2 at the equator, 9.832185 at the pole; 3.086e-6 s-2 less a metre up."""
    for latitude, expected in ((0.0, 9.7803253359), (90.0, 9.8321849379)):
        assert atmosphere.layer_gravity(np.zeros(1), latitude)[0] == pytest.approx(expected, rel=1e-6)
    z = narrow.model(l2_kit.Case()).setups[0].meteo.height_m
    g = atmosphere.layer_gravity(z, 45.0)
    slope = (g[-6] - g[-1]) / (z[-6] - z[-1])
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
        layers_of(narrow.model(l2_kit.Case(psurf=620.0, altitude=z)), 62_000.0).amount[DRY].sum()
        for z in (0.0, 4000.0)
    ]
    assert columns[1] / columns[0] - 1.0 == pytest.approx(2.0 * 4000.0 / 6.378e6, rel=tenth)


def test_slant_path_of_a_plateau_is_that_of_a_larger_earth(narrow, l2_kit):
    """At the ground 1/cos of the zenith angle, whatever its height."""
    one_in_10_000 = 1e-4
    for psurf, z in ((1000.0, 0.0), (620.0, 4000.0)):
        model = narrow.model(l2_kit.Case(sza=70.0, psurf=psurf, altitude=z))
        at_ground = np.interp(psurf * 100.0, LAYER_MID_PA, model._slant[0, 0] - model._slant[0, 1])
        assert at_ground == pytest.approx(1.0 / np.cos(np.radians(70.0)), rel=one_in_10_000 * 10)


@pytest.mark.parametrize("psurf", [1013.0, 1008.0, 933.5, 620.0])
def test_weights_make_the_column_mean(narrow, l2_kit, psurf):
    model = narrow.model(l2_kit.Case(psurf=psurf))
    layers = layers_of(model, 100.0 * psurf)
    h = layers.pressure_weight
    assert h.sum() == pytest.approx(1.0, abs=1e-12)
    assert np.all(h > 0.0)
    assert h @ np.full(20, 417.3) == pytest.approx(417.3, rel=1e-12)
    profile = np.linspace(380.0, 430.0, 20)
    column = (layers.amount[DRY] * (layers.co2_map @ profile)).sum()
    assert h @ profile == pytest.approx(column / layers.amount[DRY].sum(), rel=1e-12)


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
        forecast = l2_kit.forecast(l2_kit.Case())
        own = setup(moved, forecast, read_spectra(moved), narrow.aux, l2_kit.CLEAR)
        model = ForwardModel([own], narrow.aux.models(l2_kit.CLEAR), l2_kit.CLEAR)
        radiance = model([0], [own.state.x_a])[0].F.reshape(4, 1024)[0]
        nm = moved["wavelength"][0]
        deepest = 100 + radiance[100:900].argmin()
        near = slice(deepest - 8, deepest + 9)
        a, b, _ = np.polyfit(nm[near] - nm[near].mean(), radiance[near], 2)
        minimum[v] = nm[near].mean() - b / (2 * a)
    expected = minimum[0.0] * speed / 299_792_458.0
    five_percent = 0.05
    assert minimum[speed] - minimum[0.0] == pytest.approx(expected, rel=five_percent)


def gaussian(sigma_nm: float, middle_nm: float = 0.0) -> isrf.Response:
    """A response on 400 offsets, the same at three nodes."""
    offset = np.linspace(-0.2, 0.2, 401)
    bell = np.exp(-0.5 * ((offset - middle_nm) / sigma_nm) ** 2)
    bell /= np.trapezoid(bell, offset)
    return isrf.Response(np.array([0.0, 150.0, 299.0]), offset, np.tile(bell, (3, 1))).compact()


def looked(fields: np.ndarray, e: isrf.Expansion) -> np.ndarray:
    """Sum fields (field, point) with the terms of an expansion: (term, spectel, field)."""
    sums = np.zeros((4, e.first.size, len(fields)))
    for s, (first, count) in enumerate(zip(e.first, e.count, strict=True)):
        sums[:, s] = e.terms[s, :, :count] @ fields[:, first : first + count].T
    return sums


def seen_through(response, nu, fields, shift=0.0, stretch=0.0, widen=0.0, doppler=0.0, spectels=None):
    """Look at fields (field, point) with 300 spectels; also return the slopes by wavelength and width."""
    spectels = np.linspace(1603.5, 1606.0, 300) if spectels is None else spectels
    expansions = isrf.Expansions(nu, np.gradient(nu), spectels, response, np.float64)
    near = expansions.near(doppler, shift, stretch, widen)
    e, away = near.expansion, near.shift_nm[:, None]
    assert np.abs(away).max() <= isrf.NEAR_FWHM * response.fwhm_nm
    sums = looked(fields, e)
    np.testing.assert_allclose(e.sums.T, looked(np.ones((1, nu.size)), e)[..., 0], rtol=1e-9, atol=1e-9)
    weighted = sums[0] + away * (sums[1] + 0.5 * away * sums[2]) + near.widen * sums[3]
    return (value.T for value in (weighted, sums[1] + away * sums[2], sums[3]))


@pytest.mark.parametrize("state", [(0.0, 0.0, 0.0), (2e-3, -1e-3, 0.0), (-3.3e-3, 7e-4, 9e-3)])
def test_response_keeps_constants_and_moves_with_its_asymmetry(state):
    """A constant stays; a response shifted to longer wavelengths sees a line at a shorter spectel."""
    one_in_10_000 = 1e-4
    nu, center = np.arange(6220.0, 6240.0, 0.01), np.linspace(1603.5, 1606.0, 300)
    shift, stretch, widen = state
    nm, sigma = 1e7 / nu, 0.03 * (1.0 + widen)
    fields = np.stack([np.exp(-0.5 * ((nm - 1604.7) / 0.01) ** 2), np.ones_like(nm)])
    response = gaussian(0.03, 0.03)
    seen, by_nm, by_width = seen_through(response, nu, fields, shift, stretch, widen)
    light = seen[0] / seen[1]
    at = center + shift + stretch * np.linspace(-1.0, 1.0, 300) + 0.03 * (1.0 + widen) - 1604.7
    widths = np.hypot(sigma, 0.01)
    expected = 0.01 / widths * np.exp(-0.5 * (at / widths) ** 2)
    assert np.abs(light - expected).max() < one_in_10_000 * expected.max()
    slope = -expected * at / widths**2
    found = (by_nm[0] - light * by_nm[1]) / seen[1]
    assert np.abs(found - slope).max() < 3e-3 * np.abs(slope).max()  # that at the expansion's own width
    # by the relative width: that of the bell, and the way of its middle
    by_widen = expected * (at**2 / widths**2 - 1.0) * 0.03 * sigma / widths**2 + slope * 0.03
    found = (by_width[0] - light * by_width[1]) / seen[1]
    assert (
        np.abs(found - by_widen).max() < 0.02 * np.abs(by_widen).max()
    )  # of the expansion, not of the state


def test_doppler_is_the_same_as_light_at_other_wavelengths():
    """A sensor that recedes sees lambda (1 + v/c): the spectels look at shorter wavelengths of the ground."""
    nu, doppler = np.arange(6220.0, 6240.0, 0.01), 2e-5
    fields = np.exp(-0.5 * ((1e7 / nu - 1604.7) / 0.02) ** 2)[None]
    moved = np.exp(-0.5 * ((1e7 / nu / (1.0 + doppler) - 1604.7) / 0.02) ** 2)[None]
    one, *_ = seen_through(gaussian(0.03), nu, fields, doppler=doppler)
    other, *_ = seen_through(gaussian(0.03), nu, moved)
    assert np.abs(one - other).max() < 1e-4 * other.max()


def test_spectels_beyond_the_grid_have_no_weight():
    nu = np.arange(6228.0, 6232.0, 0.01)
    spectels = np.linspace(1600.0, 1610.0, 300)
    inside = (spectels > 1e7 / nu[-1]) & (spectels < 1e7 / nu[0])
    seen, *_ = seen_through(gaussian(0.03), nu, np.ones((1, nu.size)), spectels=spectels)
    far = np.abs(spectels - 1e7 / 6230.0) > 0.7
    assert np.all(seen[0][far] == 0.0)
    assert np.all(seen[0][inside] > 0.4)


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


def vertical_depth(model, b: int, layers: atmosphere.Layers) -> np.ndarray:
    """Add up the optical depth of air and gases of an O2 band (point)."""
    band, bottom, amount = model.bands[b], layers.bottom, layers.amount
    tau = np.zeros(band.points)
    for l in range(bottom + 1):
        for table, column in ((band.gas, 0.2095 * amount[DRY, l]), (band.h2o, amount[H2O, l])):
            own, above = (
                np.polynomial.polynomial.polyval(coordinate(amount[TEMPERATURE, l], k)[0], table[k])
                for k in (l, l - (l == bottom))
            )
            tau += column * (above + (layers.bottom_weight if l == bottom else 1.0) * (own - above))
        tau += amount[CIA, l] * band.cia + amount[AIR, l] * band.ray
    return tau


def test_fluorescence_rises_through_the_air_once(narrow, l2_kit):
    """What a unit adds is transmitted from ground to sensor: exp(-tau/mu), Rayleigh included, flat air."""
    one_per_mille = 1e-3
    model = narrow.model(l2_kit.Case(vza=30.0), kind=np.float64)
    x = model.state.x_a
    up = np.exp(-vertical_depth(model, 0, layers_of(model, 101_300.0)) / np.cos(np.radians(30.0)))
    near = model._near(0, 0, x)
    sums = looked(np.stack([model.bands[0].fluorescence * up, np.ones_like(up)]), near.expansion)
    seen = sums[0] + near.shift_nm[:, None] * sums[1]
    expected = seen[:, 0] / seen[:, 1]
    found = model([0], [x])[0].dense(x.size)[:1024, model.state["sif"].start]
    assert expected.min() < 0.3 * expected.max()
    assert np.abs(found - expected).max() < one_per_mille * expected.max()  # the Earth is round


def test_azimuths_wrap_around_north(narrow, l2_kit):
    """raa is folded: Sun at 350 and sensor at 50 degrees are 60 apart, however counted."""
    case = l2_kit.Case()
    sounding = narrow.measured(case)
    rows = []
    for saa, vaa in ((350.0, 50.0), (50.0, 350.0), (10.0, 310.0), (170.0, 230.0)):
        turned = {**sounding, "solar_azimuth_angle": saa, "sensor_azimuth_angle": vaa}
        rows.append(retrieve([(turned, l2_kit.forecast(case))], narrow.aux, dict(DEFAULTS))[0]["xco2"])
    np.testing.assert_allclose(rows, rows[0], rtol=1e-9)
