"""Stokes parameters against closed forms, published tables and sasktran2 at every point."""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from truth import atmosphere, particles, polarised, radiance
from truth.config import TruthConfig
from truth.coupling import effective_albedo
from truth.ground import Ground
from truth.merging import merge
from truth.optics import Medium, mixed_particles
from truth.particles import SPECIES
from truth.scattering import Geometry, once_scattered, two_way_depth
from truth.spectroscopy import tables
from truth.spectroscopy.continuum import read_cia
from truth.spectroscopy.grid import Band
from truth.spectroscopy.sources import open_source

BLACK = Ground(0.0, np.zeros(3), 0.0)
THIN_SLAB_M = np.linspace(100.0, 0.0, 11)  # m, so thin that the Earth is flat
AIR = 0.5  # second Legendre moment of Rayleigh's phase function without depolarisation
# V. Natraj, K.-F. Li, Y. L. Yung, ApJ 691, 1909, 2009: I, Q, U for an incident flux pi, optical depth 0.5
# over black ground, cosine of the Sun's zenith angle 0.2; by cosine and azimuth of the view. The signs of
# Q and U are the opposite there
NATRAJ = {
    (0.4, 0.0): (0.16889020, 0.01119511, 0.0),
    (0.4, 60.0): (0.12752450, -0.06066038, 0.05293867),
    (0.92, 60.0): (0.05643322, -0.01979730, 0.03822653),
    (1.0, 60.0): (0.05300496, -0.01877930, 0.03252669),
}
NARROW = (
    Band("B1", 759.6, 761.0, 0.1, 0.01),
    Band("B2", 1602.0, 1604.0, 0.1, 0.0075),
    Band("B3", 2035.0, 2037.0, 0.1, 0.006),
    Band("B4", 1266.0, 1270.0, 0.1, 0.01),
)
one_part_in_1e4 = 1e-4  # of the continuum


@dataclass(frozen=True)
class View:
    sza_deg: float
    vza_deg: float
    saa_deg: float
    vaa_deg: float = 0.0

    def geometry(self, altitude_m: np.ndarray) -> Geometry:
        raa = abs((self.saa_deg - self.vaa_deg + 180.0) % 360.0 - 180.0)
        return Geometry.at(self.sza_deg, self.vza_deg, raa, altitude_m)


def slab(depth: float, absorption: float = 0.0, layers: int = 10) -> Medium:
    even = np.full((layers, 1), 1.0 / layers)
    return Medium(absorption * even, depth * even, np.array([AIR]))


@pytest.mark.parametrize("case", NATRAJ)
def test_rayleigh_slab_of_the_published_table(case):
    cos_view, azimuth = case
    view = View(np.degrees(np.arccos(0.2)), np.degrees(np.arccos(cos_view)), 180.0 - azimuth)
    medium, geometry = slab(0.5, layers=40), view.geometry(np.linspace(100.0, 0.0, 41))
    once = once_scattered(
        two_way_depth(medium.extinction, geometry), medium.to_sensor(geometry.cos_scattering), geometry
    )
    q = polarised.first_order(medium, None, geometry, BLACK)
    psi = polarised.turn(view.sza_deg, view.vza_deg, view.saa_deg, view.vaa_deg)
    first = np.array([once[0], q[0] * psi[0], q[0] * psi[1]])
    ours = np.pi * (first + polarised.solve(medium, None, geometry, 0.0, 24)[:, 0])
    expected = np.array(NATRAJ[case]) * (1.0, -1.0, -1.0)
    flat_enough = 5e-5
    assert ours == pytest.approx(expected, abs=flat_enough)


def test_plane_of_the_sun_in_known_directions():
    """In the principal plane psi is 0; from nadir, psi counts anticlockwise from the side off the view."""
    assert polarised.turn(40.0, 20.0, 180.0, 0.0) == pytest.approx([1.0, 0.0], abs=1e-12)
    assert polarised.turn(40.0, 20.0, 0.0, 0.0) == pytest.approx([1.0, 0.0], abs=1e-12)
    assert polarised.turn(30.0, 0.0, 90.0, 0.0) == pytest.approx([-1.0, 0.0], abs=1e-12)
    assert polarised.turn(30.0, 0.0, 135.0, 0.0) == pytest.approx([0.0, 1.0], abs=1e-12)


def test_nadir_light_does_not_care_for_the_name_of_its_azimuth():
    """From overhead the plane of Sun and view has the Sun's azimuth, whatever the sensor's is said to be."""
    for vaa in (0.0, 77.0, 200.0, 359.0):
        c, s = polarised.turn(50.0, 0.0, 120.0, vaa)
        plane = vaa + 180.0 - np.degrees(np.arctan2(s, c)) / 2.0
        assert plane % 180.0 == pytest.approx(120.0)


def test_sea_facets_polarise_by_fresnel():
    """Fully at Brewster's angle, not at all head-on or grazing, and by r_s, r_p of Fresnel at 45 degrees."""
    index = polarised.WATER_INDEX

    def of(incidence_deg):
        return float(polarised.fresnel_polarisation(np.cos(np.pi - 2.0 * np.radians(incidence_deg))))

    assert of(np.degrees(np.arctan(index))) == pytest.approx(-1.0, abs=1e-12)
    assert of(0.0) == pytest.approx(0.0, abs=1e-12)
    assert of(90.0) == pytest.approx(0.0, abs=1e-6)
    inside = np.arcsin(np.sin(np.pi / 4) / index)
    r_s = np.sin(np.pi / 4 - inside) ** 2 / np.sin(np.pi / 4 + inside) ** 2
    r_p = np.tan(np.pi / 4 - inside) ** 2 / np.tan(np.pi / 4 + inside) ** 2
    assert of(45.0) == pytest.approx((r_p - r_s) / (r_p + r_s))


def test_once_scattered_air_in_closed_form():
    """Q/I = -(1 - c2) / (1 + c2) where all light is scattered once."""
    geometry = View(50.0, 20.0, 70.0).geometry(THIN_SLAB_M)
    medium = slab(1e-5)
    once = once_scattered(
        two_way_depth(medium.extinction, geometry), medium.to_sensor(geometry.cos_scattering), geometry
    )
    c2 = geometry.cos_scattering**2
    found = polarised.first_order(medium, None, geometry, BLACK) / once
    assert found == pytest.approx(-(1.0 - c2) / (1.0 + c2), rel=1e-5)


def test_glint_carries_its_polarisation_through_absorbing_air():
    sea = Ground(0.0, np.zeros(3), 1.0, 7.0)
    geometry = View(40.0, 35.0, 170.0).geometry(THIN_SLAB_M)
    nothing = polarised.first_order(slab(1e-9), None, geometry, sea)
    absorbed = polarised.first_order(slab(1e-9, 0.3), None, geometry, sea)
    air_mass = 1 / np.cos(np.radians(40.0)) + 1 / np.cos(np.radians(35.0))
    assert absorbed / nothing == pytest.approx(np.exp(-0.3 * air_mass), rel=1e-4)
    reflected = sea.direct(geometry) * np.cos(np.radians(40.0)) / np.pi
    assert nothing / reflected == pytest.approx(
        polarised.fresnel_polarisation(geometry.cos_scattering), rel=1e-5
    )


@pytest.mark.parametrize("species", ["sulphate", "black_carbon", "organic"])
def test_particles_polarise_alike_by_matrix_and_by_moments(species):
    """F12 at the angle against single scattering by sasktran2 from moments; too small for a forward peak."""
    view = View(55.0, 30.0, 110.0)
    geometry = view.geometry(THIN_SLAB_M)
    mix = {species: np.full(10, 1e-4)}, partial(particles.optics, band="B1"), geometry.cos_scattering, 16
    medium = Medium(np.zeros((10, 1)), np.full((10, 1), 1e-9), np.array([AIR]), mixed_particles(*mix))
    matrix = polarised.mixed_matrix(*mix)
    q = polarised.first_order(medium, matrix, geometry, BLACK)[0]
    ours = q * polarised.turn(view.sza_deg, view.vza_deg, view.saa_deg, view.vaa_deg)
    both, more = (
        polarised.solve(medium, matrix.greek, geometry, 0.0, 16, once=once)[1:, 0] for once in (True, False)
    )
    assert ours == pytest.approx(both - more, rel=1e-3)


def test_sun_on_the_other_side_turns_only_u():
    geometry = View(45.0, 30.0, 110.0).geometry(THIN_SLAB_M)
    east, west = (
        polarised.stokes(slab(0.3), None, geometry, BLACK, (azimuth, 0.0), None)
        for azimuth in (110.0, -110.0)
    )
    assert west == pytest.approx(east * np.array([[1.0], [1.0], [-1.0]]), rel=1e-6)
    assert abs(east[2, 0]) > 0.0


def scene(ocean: bool, dust: float = 0.0, cloud_fraction: float = 0.0, sza_deg: float = 45.0) -> xr.Dataset:
    """Describe one sounding on a climatological atmosphere."""
    pressure = 101_300.0 * atmosphere.sigma_levels()[np.newaxis]
    latitude = np.array([20.0])
    temperature, humidity = atmosphere.climatology(pressure, latitude, np.array([0.5]))
    altitude = atmosphere.altitude(pressure, temperature, humidity, latitude)
    middle = (altitude[:, 1:] + altitude[:, :-1]) / 2.0
    layer = np.exp(-(((middle - 3000.0) / 1500.0) ** 2))
    aerosol = np.zeros((1, len(SPECIES), 60))
    aerosol[0, SPECIES.index("dust")] = dust * layer / layer.sum()
    scalars = {
        "latitude": 20.0,
        "wind_speed": 7.0,
        "wind_direction": np.nan,
        "land_fraction": 0.0 if ocean else 1.0,
        "cloud_fraction": cloud_fraction,
        "sif": 0.0,
        "airglow_mr": 0.0,
        "solar_zenith_angle": sza_deg,
        "sensor_zenith_angle": 30.0,
        "solar_azimuth_angle": 150.0,
        "sensor_azimuth_angle": 10.0,
        "sun_recession_speed": 0.0,
        "sensor_recession_speed": 0.0,
        "earth_sun_distance": 1.0,
    }
    level, band = ("sounding", "level"), ("sounding", "band")
    albedo = np.full((1, 4), 0.0 if ocean else 0.25)
    return xr.Dataset(
        {
            "pressure": (level, pressure),
            "temperature": (level, temperature),
            "specific_humidity": (level, humidity),
            "altitude": (level, altitude),
            "co2": (level, np.full(pressure.shape, 420.0)),
            "albedo": (band, albedo),
            "whitecap_albedo": (band, np.zeros((1, 4))),
            "brdf_kernel": ((*band, "kernel"), np.stack([albedo, 0 * albedo, 0 * albedo], axis=-1)),
            "aerosol_optical_depth": (("sounding", "species", "layer"), aerosol),
            "cloud_optical_depth": (("sounding", "layer"), 50.0 * aerosol[:, 0] * (cloud_fraction > 0.0)),
            "sounding_id": ("sounding", [1]),
            **{name: ("sounding", [float(value)]) for name, value in scalars.items()},
        },
        coords={"species": list(SPECIES)},
    )


@dataclass(frozen=True)
class Light:
    """Radiance on tables of narrow bands."""

    folder: Path

    def file(self, one: xr.Dataset, **changes) -> xr.Dataset:
        return radiance.radiances(one, self.folder, TruthConfig(**changes))

    def scalar(self, one: xr.Dataset, band: str) -> np.ndarray:
        return radiance.daylight(*self._of(one, band))

    def polarised(self, one: xr.Dataset, band: str, **changes) -> np.ndarray:
        return polarised.daylight(*self._of(one, band, **changes))

    def _of(self, one: xr.Dataset, band: str, **changes) -> tuple:
        sounding = radiance.Sounding.of(one.isel(sounding=0), TruthConfig(**changes))
        return sounding, self.table(band), read_cia(radiance.DATA / "cia_v1.csv")

    def table(self, band: str) -> tables.BandTable:
        sums = radiance.DATA / "partition_sums.csv"
        return tables.prepare(self.folder, open_source("lines-v1"), sums, tables.LineShape(False, False))[
            band
        ]


@pytest.fixture(scope="module")
def light(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "BANDS", NARROW)
        yield Light(folder)


@pytest.mark.parametrize(("ocean", "dust"), [(True, 0.0), (False, 0.0), (False, 0.2)])
@pytest.mark.parametrize("band", ["B1", "B3"])
def test_stokes_of_a_scene(light, ocean, dust, band):
    """I stays within 0.3 % of the scalar light, polarisation below full, glint far above land."""
    change, q, u = light.polarised(scene(ocean, dust), band)
    scalar = light.scalar(scene(ocean, dust), band)
    assert np.abs(change).max() < 3e-3 * scalar.max()
    assert np.all(np.hypot(q, u) <= (scalar + change) * 1.001)
    degree = np.hypot(q, u)[np.argmax(scalar)] / scalar.max()
    assert degree > 0.4 if ocean else degree < 0.05


def test_polarisation_adds_to_i_what_scalar_light_lacks(light):
    """In the A band over black sea some tenths of a per mille: neglected above, present here."""
    change = light.polarised(scene(True), "B1")[0]
    assert 1e-5 < np.abs(change).max() / light.scalar(scene(True), "B1").max() < 3e-3


def test_files_hold_stokes_parameters_if_asked(light):
    """I is the scalar light and what polarisation adds; beyond the terminator there is nothing."""
    day = light.file(scene(True), polarised=True)
    change, q, u = light.polarised(scene(True), "B1")
    assert day["stokes_q_B1"].values[0] == pytest.approx(q, rel=1e-6)
    assert day["stokes_u_B1"].values[0] == pytest.approx(u, rel=1e-6)
    scalar = light.scalar(scene(True), "B1")
    assert day["radiance_B1"].values[0] == pytest.approx(scalar + change, rel=1e-5)
    assert day["stokes_u_B4"].dims == day["radiance_B4"].dims
    night = light.file(scene(True, sza_deg=95.0), polarised=True)
    assert float(np.abs(night["stokes_q_B1"]).max()) == 0.0
    assert "stokes_q_B1" not in light.file(scene(True, sza_deg=95.0))


def test_cloudy_and_clear_parts_add_by_share(light):
    clear, half, full = (light.polarised(scene(True, 0.2, cover), "B2")[1] for cover in (0.0, 0.5, 1.0))
    of_the_brightest = 1e-5 * float(np.abs(clear).max())
    assert half == pytest.approx((clear + full) / 2.0, abs=of_the_brightest)
    assert np.abs(full).max() < 0.2 * np.abs(clear).max()


def test_cirrus_dims_polarised_glint_as_it_dims_all_direct_light(light):
    """Without diffuse light the whole depth of the ice counts; ice itself does not polarise."""
    clear, veiled = scene(True), scene(True)
    veiled["aerosol_optical_depth"][0, SPECIES.index("ice"), 30:35] = 0.2
    q_clear, q_veiled = (
        np.abs(light.polarised(each, "B2", multiple_scattering=False)[1]) for each in (clear, veiled)
    )
    window, air_above = np.argmax(q_clear), 0.1
    air_mass = 1.0 / np.cos(np.radians(45.0)) + 1.0 / np.cos(np.radians(30.0))
    expected = np.exp(-particles.optics("ice", "B2").extinction_ratio * air_mass)
    assert q_veiled[window] / q_clear[window] == pytest.approx(expected, rel=air_above)


@pytest.mark.parametrize("dust", [0.0, 0.2])
def test_regression_of_diffuse_light(light, dust):
    """Q, U and the change of I at some points of the A band, rms below 1e-4 of the continuum."""
    table, cia = light.table("B1"), read_cia(radiance.DATA / "cia_v1.csv")
    sounding = radiance.Sounding.of(scene(False, dust).isel(sounding=0), TruthConfig())
    ground = Ground.of(sounding.scene, 0, sounding.config)
    ((_, medium, _),) = radiance.skies(sounding, table, cia, ground)
    ((_, depth),) = radiance.clear_and_cloudy(sounding.scene)
    matrix, fineness = None, polarised.CLEAR
    if dust:
        fineness = polarised.WITH_PARTICLES
        cosine = sounding.geometry.cos_scattering
        mix = depth, partial(particles.optics, band="B1"), cosine, fineness.streams
        medium, matrix = replace(medium, particles=mixed_particles(*mix)), polarised.mixed_matrix(*mix)
    fit = polarised.diffuse_stokes(medium, matrix, sounding.geometry, ground, fineness)
    some = np.linspace(3, medium.rayleigh.shape[1] - 1, 50).astype(int)
    geometry, add = merge(medium, sounding.geometry, 26)
    few, greek = medium.at(some).merged(add), None if matrix is None else matrix.greek @ add.T
    albedo = effective_albedo(few, geometry, ground)
    solved = polarised.solve(few, greek, geometry, albedo, 8)
    solved[0] -= polarised.solve(few, greek, geometry, albedo, 8, stokes=1)[0]
    continuum = 0.25 * np.cos(np.radians(45.0)) / np.pi
    rms = np.sqrt(np.mean((fit[:, some] - solved) ** 2, axis=1)) / continuum
    assert np.all(rms < one_part_in_1e4)
