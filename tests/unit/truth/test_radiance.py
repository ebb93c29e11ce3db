"""At-sensor radiance against closed forms, sasktran2 at every point and a doubling code."""

from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

from truth import atmosphere, radiance, surface
from truth.constants import EARTH_MEAN_RADIUS, PHOTONS_PER_MEGARAYLEIGH
from truth.diffuse import diffuse
from truth.discrete_ordinates import diffuse_solved, sasktran2_radiance
from truth.emission import sif_spectrum
from truth.ground import Ground
from truth.layers import layers
from truth.optics import Medium, gas_medium
from truth.particles import SPECIES
from truth.paths import slant_factors, sun_paths
from truth.scattering import Geometry, once_scattered, two_way_depth
from truth.spectroscopy import tables
from truth.spectroscopy.continuum import cia_coefficient, read_cia
from truth.spectroscopy.grid import Band
from truth.spectroscopy.lines import read_lines

NARROW = (  # parts of the bands with both clear and black points
    Band("B1", 759.6, 761.0, 0.1, 0.01),
    Band("B2", 1602.0, 1604.0, 0.1, 0.0075),
    Band("B3", 2035.0, 2037.0, 0.1, 0.006),
    Band("B4", 1266.0, 1270.0, 0.1, 0.01),
)
LINES = {"lines": "lines-v1", "line_mixing": False, "speed_dependence": False} | {
    "water_broadening": False,
    "whitecaps": False,
    "polarised": False,
}
CONFIG = SimpleNamespace(
    **LINES, co2_intensity_scale=1.0, brdf=True, sea_skylight=False, multiple_scattering=True
)
SINGLE = SimpleNamespace(
    **LINES, co2_intensity_scale=1.0, brdf=True, sea_skylight=False, multiple_scattering=False
)
one_part_in_1e4 = 1e-4  # of the continuum
one_part_in_1e5 = 1e-5
three_parts_in_1e6 = 3e-6
one_part_in_1e3 = 1e-3
five_percent = 0.05


@pytest.fixture(scope="module")
def four_tables(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "BANDS", NARROW)
        data = radiance.DATA
        yield folder, tables.prepare(folder, data, data / "partition_sums.csv")


@pytest.fixture
def cia():
    return read_cia(radiance.DATA / "cia_v1.csv")


def scene(sza_deg=45.0, vza_deg=30.0, raa_deg=180.0, ocean=True, albedo=0.2, airglow_mr=0.0, co2_ppm=420.0):
    """Describe one sounding on a climatological atmosphere."""
    level, sounding = ("sounding", "level"), ("sounding",)
    surface_pa, latitude = np.array([101_300.0]), np.array([20.0])
    pressure = surface_pa[:, None] * atmosphere.sigma_levels()
    temperature, humidity = atmosphere.climatology(pressure, latitude, np.array([0.5]))
    scalars = {
        "latitude": 20.0,
        "wind_speed": 7.0,
        "land_fraction": 0.0 if ocean else 1.0,
        "cloud_fraction": 0.0,
        "wind_direction": np.nan,
        "sif": 0.0,
        "airglow_mr": airglow_mr,
        "sounding_id": 1,
        "solar_zenith_angle": sza_deg,
        "sensor_zenith_angle": vza_deg,
        "solar_azimuth_angle": 350.0,
        "sensor_azimuth_angle": (350.0 + raa_deg) % 360.0,
        "sun_recession_speed": 0.0,
        "sensor_recession_speed": 0.0,
        "earth_sun_distance": 1.0,
    }
    return xr.Dataset(
        {
            "pressure": (level, pressure),
            "temperature": (level, temperature),
            "specific_humidity": (level, humidity),
            "altitude": (level, atmosphere.altitude(pressure, temperature, humidity, latitude)),
            "co2": (level, np.full_like(pressure, co2_ppm)),
            "albedo": (("sounding", "band"), np.full((1, 4), 0.0 if ocean else albedo)),
            "whitecap_albedo": (("sounding", "band"), np.zeros((1, 4))),
            "brdf_kernel": (("sounding", "band", "kernel"), np.zeros((1, 4, 3))),
            "aerosol_optical_depth": (("sounding", "species", "layer"), np.zeros((1, 7, 60))),
            "cloud_optical_depth": (("sounding", "layer"), np.zeros((1, 60))),
            **{name: (sounding, np.array([value])) for name, value in scalars.items()},
        },
        coords={"species": list(SPECIES)},
    )


def optics(table, cia, where):
    column = layers(where.isel(sounding=0))
    geometry = Geometry.at(*radiance._angles_deg(where.isel(sounding=0)), column.altitude_m)
    return gas_medium(table, cia, column), geometry


def rayleigh_only(scattering, second=0.5, absorption=None):
    """Layers of air at each point."""
    absorption = np.full_like(scattering, 1e-10) if absorption is None else absorption
    return Medium(absorption, scattering, np.full(scattering.shape[1], second))


def flat(sza_deg, vza_deg, raa_deg, count=20):
    """A shallow atmosphere, where the sphere does not show."""
    altitude_m = np.linspace(1.0, 0.0, count + 1)
    ways = slant_factors(vza_deg, altitude_m), sun_paths(sza_deg, vza_deg, raa_deg, altitude_m)
    return Geometry(sza_deg, vza_deg, raa_deg, altitude_m, *ways)


def test_slant_path_through_the_sphere_is_pythagoras():
    altitude_m = np.linspace(60_000.0, 0.0, 31)
    path = np.sum(slant_factors(65.0, altitude_m) * -np.diff(altitude_m))
    r, cosine = EARTH_MEAN_RADIUS, np.cos(np.radians(65.0))
    assert path == pytest.approx(np.sqrt((r * cosine) ** 2 + 2 * r * 6e4 + 6e4**2) - r * cosine)


def test_air_mass_follows_chapman():
    """First terms of the Chapman function: sec (1 - (H/R) tan2)."""
    altitude_m = np.linspace(100_000.0, 0.0, 2001)
    weight = np.exp(-(altitude_m[1:] + altitude_m[:-1]) / 2.0 / 7_000.0)
    air_mass = np.sum(weight * slant_factors(50.0, altitude_m)) / weight.sum()
    tan2 = np.tan(np.radians(50.0)) ** 2
    expected = (1.0 - 7_000.0 / EARTH_MEAN_RADIUS * tan2) / np.cos(np.radians(50.0))
    assert air_mass == pytest.approx(expected, abs=3.0 * one_part_in_1e5)


def test_beer_lambert_without_scattering():
    geometry = flat(60.0, 40.0, 0.0)
    depth = np.outer(np.full(20, 0.05), [0.0, 0.1, 1.0, 10.0])
    air_mass = 1.0 / np.cos(np.radians(60.0)) + 1.0 / np.cos(np.radians(40.0))
    np.testing.assert_allclose(two_way_depth(depth, geometry)[-1], air_mass * depth.sum(axis=0), rtol=1e-6)


def test_single_scattering_closed_form():
    """Homogeneous layer: P/(4 pi mu m) (1 - exp(-tau m)), m = 1/mu0 + 1/mu, times the albedo."""
    geometry = flat(55.0, 35.0, 70.0)
    total = np.array([1e-4, 0.02, 0.5, 5.0, 60.0])
    extinction = np.outer(np.full(20, 1.0 / 20.0), total)
    once = once_scattered(two_way_depth(extinction, geometry), 0.3 * extinction, geometry)
    mu0, mu = np.cos(np.radians((55.0, 35.0)))
    expected = 0.3 / (4.0 * np.pi * mu) / (1 / mu0 + 1 / mu) * -np.expm1(-total * (1 / mu0 + 1 / mu))
    np.testing.assert_allclose(once, expected, rtol=2e-6)


@pytest.mark.parametrize("raa_deg", [0.0, 90.0, 180.0])
def test_single_scattering_and_direct_light_agree_with_sasktran2(four_tables, cia, raa_deg):
    """Spherical, all three azimuths: a mirrored azimuth would fail at 0 and 180."""
    table = four_tables[1]["B1"]
    medium, geometry = optics(table, cia, scene(50.0, 40.0, raa_deg))
    some = medium.at(slice(None, None, 97))
    ours = radiance.reflected(some, geometry, Ground(0.3), None)
    theirs = sasktran2_radiance(some, geometry, 0.3, 0)
    assert np.abs(ours - theirs).max() < three_parts_in_1e6 * theirs.max()


def test_energy_is_conserved():
    """White ground under a conservative Rayleigh atmosphere returns all sunlight."""
    node, weight = np.polynomial.legendre.leggauss(6)
    air = rayleigh_only(np.full((20, 1), 0.3 / 20.0))
    flux = 0.0
    for mu, w in zip(0.5 + 0.5 * node, 0.5 * weight, strict=True):
        for raa_deg in (22.5, 67.5, 112.5, 157.5):  # exact for the three Fourier terms
            geometry = flat(50.0, float(np.degrees(np.arccos(mu))), raa_deg)
            light = sasktran2_radiance(air, geometry, 1.0, 16)[0]
            flux += light * mu * w * np.pi / 2.0
    assert flux == pytest.approx(np.cos(np.radians(50.0)), rel=2e-3)


def doubled_reflection(doubled, depth, second, mu0):
    """Reflect at the nadir by doubling from 2^-20 of the depth; azimuth drops out there."""
    node, weight = np.polynomial.legendre.leggauss(24)
    mu = np.append(0.5 + 0.5 * node, [mu0, 1.0])
    w = np.append(0.5 * weight, [0.0, 0.0])
    p2 = 0.5 * (3.0 * mu**2 - 1.0)
    phase = 1.0 + second * np.outer(p2, p2)  # even in mu: the same up and down
    thin = depth / 2**20
    beam = np.exp(-thin / mu)
    r = thin * phase / (4.0 * np.outer(mu, mu))
    t = r.copy()
    times = np.diag(2.0 * w * mu)
    r = doubled(r, t, beam, times, 20)
    return r[-1, -2] * mu0 / np.pi


@pytest.mark.parametrize("depth", [0.02, 0.1])
def test_multiple_scattering_agrees_with_doubling(doubled, depth):
    mu0 = np.cos(np.radians(60.0))
    expected = doubled_reflection(doubled, depth, 0.5, mu0)
    geometry = flat(60.0, 0.0, 0.0)
    air = rayleigh_only(np.full((20, 1), depth / 20.0))
    once = once_scattered(two_way_depth(air.rayleigh, geometry), air.to_sensor(mu0), geometry)
    assert once[0] + diffuse_solved(air, geometry, 0.0, 24)[0] == pytest.approx(
        expected, rel=2.0 * one_part_in_1e3
    )
    assert expected / once[0] > 1.0 + depth  # the part under test is not negligible


@pytest.mark.parametrize(("sza_deg", "vza_deg", "albedo"), [(35.0, 35.0, 0.0), (60.0, 20.0, 0.43)])
def test_regression_agrees_with_sasktran2_everywhere(four_tables, cia, sza_deg, vza_deg, albedo):
    """Error of the radiance at random points, relative to the continuum of the scene."""
    setups = radiance.DIFFUSE_OVER_LAND if albedo else radiance.DIFFUSE_OVER_BLACK
    for name in ("B1", "B4"):
        table = four_tables[1][name]
        medium, geometry = optics(table, cia, scene(sza_deg, vza_deg))
        fitted = diffuse(medium, geometry, Ground(albedo), setups[name])
        some = np.random.default_rng(5).choice(len(fitted), 60, replace=False)
        error = fitted[some] - diffuse_solved(medium.at(some), geometry, albedo, 24)
        continuum = max(albedo, 0.15) * np.cos(np.radians(sza_deg)) / np.pi
        assert np.sqrt(np.mean(error**2)) < one_part_in_1e4 * continuum


def test_collision_induced_depths(four_tables, cia):
    """PHYSICS 1: about 0.010 (A band) and 0.04 (1.27 um) at their peaks."""
    column = layers(scene().isel(sounding=0))
    for name, expected, low, high in (("B1", 0.010, 13050.0, 13200.0), ("B4", 0.04, 7850.0, 7950.0)):
        depth = cia_coefficient(cia[name], np.arange(low, high)) * column.air_squared.sum()
        assert depth.max() == pytest.approx(expected, rel=0.25)


def test_columns_carry_the_scene_s_dry_air_mean(four_tables):
    where = scene()
    where["co2"] = where["co2"] + 10.0 * (where["pressure"] / 1e5) ** 2
    column = layers(where.isel(sounding=0))
    weights = atmosphere.level_weights(column.dry_air)
    expected = float(np.sum(weights * where["co2"].values[0]))
    assert 1e6 * column.gas["CO2"].sum() / column.dry_air.sum() == pytest.approx(expected, rel=1e-9)


def test_intensity_scale_acts_like_more_co2(four_tables):
    folder, _ = four_tables
    scaled = SimpleNamespace(
        **LINES, co2_intensity_scale=1.01, brdf=True, sea_skylight=False, multiple_scattering=True
    )
    one = radiance.radiances(scene(), folder, scaled)["radiance_B2"]
    other = radiance.radiances(scene(co2_ppm=424.2), folder, CONFIG)["radiance_B2"]
    np.testing.assert_allclose(one, other, rtol=one_part_in_1e5)
    assert float(abs(one - radiance.radiances(scene(), folder, CONFIG)["radiance_B2"]).max()) > 0.0


def test_continuum_at_mean_radiance(four_tables, cia):
    """MISSION: albedo 0.2, Sun at 45 deg; the clearest point, its absorption taken off."""
    folder, _ = four_tables
    where = scene(45.0, 0.0, ocean=False)
    light = radiance.radiances(where, folder, CONFIG)
    for name, expected in {"B1": 2.15e20, "B2": 8.7e19, "B3": 5.2e19, "B4": 1.31e20}.items():
        assert light[f"radiance_{name}"].dims == ("sounding", f"point_{name}")
        assert light[f"wavenumber_{name}"].size == light[f"radiance_{name}"].shape[1]
        medium, geometry = optics(four_tables[1][name], cia, where)
        absorbed = two_way_depth(medium.absorption, geometry)[-1].min()
        brightest = float(light[f"radiance_{name}"].max()) * np.exp(absorbed)
        assert brightest == pytest.approx(expected, rel=five_percent)


def test_glint_is_the_direct_beam_over_cox_munk(four_tables):
    """In the clear 1.6 um window scattering adds less than 0.2 %."""
    folder, _ = four_tables
    where = scene(40.0, 40.0)
    light = radiance.radiances(where, folder, SINGLE)["radiance_B2"].values[0]
    table = four_tables[1]["B2"]
    medium, _ = optics(table, {}, where)
    clear = int(medium.absorption.sum(axis=0).argmin())
    depth = np.sum(medium.extinction[:, clear]) * 2.0 / np.cos(np.radians(40.0))
    reflectance = float(surface.cox_munk_reflectance(40.0, 40.0, 180.0, 7.0))
    sun = radiance.solar.irradiance(table.wavenumber_cm1)[clear]
    expected = sun * np.cos(np.radians(40.0)) * reflectance / np.pi * np.exp(-depth)
    assert light[clear] == pytest.approx(expected, rel=2.0 * one_part_in_1e3)


def test_foam_takes_its_place_from_the_glint(four_tables):
    """Direct light at 15 m/s: 4 % of the sea is under foam (Monahan and O'Muircheartaigh 1980)."""
    where = scene(40.0, 40.0).isel(sounding=0)
    where["wind_speed"] = 15.0
    foamy = SimpleNamespace(**vars(SINGLE) | {"whitecaps": True})
    calm, covered = (Ground.of(where, 0, config).water for config in (SINGLE, foamy))
    assert calm == 1.0
    assert covered == pytest.approx(1.0 - 2.95e-6 * 15.0**3.52)


def test_airglow_is_added_in_b4_only(four_tables):
    folder, _ = four_tables
    dark, glowing = (
        radiance.radiances(scene(45.0, 60.0, airglow_mr=mr), folder, SINGLE) for mr in (0.0, 20.0)
    )
    added = (glowing["radiance_B4"] - dark["radiance_B4"]).values[0]
    spectrum = radiance._airglow_per_mr(four_tables[1]["B4"], read_lines(radiance.DATA))
    sine = np.sin(np.radians(60.0)) * EARTH_MEAN_RADIUS / (EARTH_MEAN_RADIUS + 46_500.0)
    np.testing.assert_allclose(
        added.sum(), 20.0 * spectrum.sum() / np.sqrt(1 - sine**2), rtol=one_part_in_1e3
    )
    assert np.sum(spectrum) > 0.0
    assert spectrum.max() < PHOTONS_PER_MEGARAYLEIGH * 1e6
    for name in ("B1", "B2", "B3"):
        assert np.array_equal(glowing[f"radiance_{name}"], dark[f"radiance_{name}"])


def test_result_does_not_depend_on_neighbours(four_tables):
    folder, _ = four_tables
    first, second = scene(30.0, 30.0), scene(60.0, 50.0, ocean=False)
    together = radiance.radiances(xr.concat([first, second], "sounding"), folder, CONFIG)
    alone = radiance.radiances(second, folder, CONFIG)
    assert np.array_equal(together["radiance_B1"][1], alone["radiance_B1"][0])
    assert alone.attrs["line_list_sha256"] == read_lines(radiance.DATA).sha256


@pytest.mark.parametrize("sza_deg", [88.0, 120.0])
def test_night_has_airglow_only(four_tables, sza_deg):
    folder, _ = four_tables
    light = radiance.radiances(scene(sza_deg, airglow_mr=5.0), folder, CONFIG)
    for name in ("B1", "B2", "B3"):
        assert not light[f"radiance_{name}"].values.any()
    assert float(light["radiance_B4"].max()) > 0.0


def test_the_last_daylight_is_computed(four_tables):
    folder, _ = four_tables
    light = radiance.radiances(scene(87.9, 20.0, 90.0, ocean=False), folder, CONFIG)
    for name in radiance.BAND_ORDER:
        assert np.all(np.isfinite(light[f"radiance_{name}"]))
        assert float(light[f"radiance_{name}"].max()) > 0.0


def with_particles(where, **depths):
    """Put each species evenly into the lowest 8 layers; cloud_optical_depth for the cloudy part."""
    where = where.copy(deep=True)
    for species, depth in depths.items():
        name = "cloud_optical_depth" if species == "cloud" else "aerosol_optical_depth"
        at = {} if species == "cloud" else {"species": list(where["species"].values).index(species)}
        where[name][{"sounding": 0, "layer": slice(52, 60), **at}] = depth / 8.0
    return where


def test_cloud_mixes_independent_pixels(four_tables, cia):
    light = {}
    for share in (0.0, 0.3, 1.0):
        where = with_particles(scene(40.0, 20.0, ocean=False), cloud=10.0)
        where["cloud_fraction"][:] = share
        common = radiance.Sounding.of(where.isel(sounding=0), CONFIG)
        light[share] = radiance.daylight(common, four_tables[1]["B2"], cia)
    assert light[1.0].max() > 1.5 * light[0.0].max()  # a bright cloud
    np.testing.assert_allclose(light[0.3], 0.7 * light[0.0] + 0.3 * light[1.0], rtol=one_part_in_1e5)


@pytest.mark.parametrize(("sza_deg", "vza_deg", "depth"), [(60.0, 0.0, 70.0), (84.0, 60.0, 40.0)])
def test_thick_cloud_under_a_low_sun(four_tables, cia, sza_deg, vza_deg, depth):
    """No sunlight reaches the ground straight; light stays positive and below that of a white ground."""
    where = with_particles(scene(sza_deg, vza_deg, 90.0, ocean=False), cloud=depth)
    where["cloud_fraction"][:] = 1.0
    common = radiance.Sounding.of(where.isel(sounding=0), CONFIG)
    for name in ("B1", "B3"):
        table = four_tables[1][name]
        light = radiance.daylight(common, table, cia)
        white = radiance.solar.irradiance(table.wavenumber_cm1) * np.cos(np.radians(sza_deg)) / np.pi
        assert np.all(light > 0.0)
        assert 0.1 < np.max(light / white) < 1.5


def test_fluorescence_leaves_straight_up(four_tables, cia):
    folder, tables = four_tables
    where = scene(40.0, 20.0, ocean=False)
    dark = radiance.radiances(where, folder, SINGLE)
    where["sif"][:] = 1.5
    glowing = radiance.radiances(where, folder, SINGLE)
    medium, geometry = optics(tables["B1"], cia, where)
    nu = tables["B1"].wavenumber_cm1
    photons = 1.5 * sif_spectrum(nu) * 1e-2 / (6.62607015e-34 * 299792458.0 * nu)
    expected = photons * np.exp(-(geometry.view @ medium.extinction))
    added = (glowing["radiance_B1"] - dark["radiance_B1"]).values[0]
    np.testing.assert_allclose(added, expected, atol=2e-7 * float(dark["radiance_B1"].max()))
    assert expected.max() > 5e-3 * float(dark["radiance_B1"].max())
    assert np.array_equal(glowing["radiance_B4"], dark["radiance_B4"])


def test_coast_reflects_by_its_shares(four_tables):
    """Single scattering: half of each ground's light."""
    folder, _ = four_tables
    sea, land = scene(40.0, 40.0), scene(40.0, 40.0, ocean=False)
    coast = land.copy(deep=True)
    coast["albedo"][:] = 0.5 * land["albedo"]
    coast["land_fraction"][:] = 0.5
    both = [radiance.radiances(each, folder, SINGLE)["radiance_B2"].values for each in (sea, land, coast)]
    np.testing.assert_allclose(both[2], 0.5 * (both[0] + both[1]), rtol=one_part_in_1e5)


@pytest.mark.parametrize(("name", "species"), [("B1", "sulphate"), ("B3", "dust")])
def test_regression_with_particles_agrees_with_sasktran2_everywhere(four_tables, cia, name, species):
    where = with_particles(scene(50.0, 20.0, 120.0, ocean=False), **{species: 0.2})
    common = radiance.Sounding.of(where.isel(sounding=0), CONFIG)
    ground = Ground(0.3)
    ((_, medium, fineness),) = radiance.skies(common, four_tables[1][name], cia, ground)
    fitted = diffuse(medium, common.geometry, ground, fineness)
    some = np.random.default_rng(5).choice(len(fitted), 40, replace=False)
    error = fitted[some] - diffuse_solved(medium.at(some), common.geometry, 0.3, fineness.streams)
    brightest = radiance.reflected(medium, common.geometry, ground, fineness).max()
    assert np.sqrt(np.mean(error**2)) < one_part_in_1e4 * brightest
    assert fitted.max() > 0.1 * brightest  # what is fitted is not negligible


def test_angles_have_limits_in_pairs():
    Geometry.at(87.9, 79.9, 0.0, np.array([1e3, 0.0]))
    for sza_deg, vza_deg in ((88.0, 10.0), (10.0, 80.0), (-0.1, 10.0)):
        with pytest.raises(ValueError, match=r"sza_deg in 0\.\.88"):
            Geometry.at(sza_deg, vza_deg, 0.0, np.array([1e3, 0.0]))
