"""Light of particles and air against published tables, doubling, conservation and sasktran2's own options."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import sasktran2 as sk

from truth import discrete_ordinates, particles
from truth.diffuse import THICKEST
from truth.discrete_ordinates import diffuse_solved
from truth.ground import Ground
from truth.merging import merge
from truth.optics import Medium, mixed_particles
from truth.paths import slant_factors, sun_paths
from truth.radiance import reflected
from truth.scattering import Geometry, once_scattered, two_way_depth

one_part_in_1e4 = 1e-4
three_parts_in_1e4 = 3e-4
two_parts_in_1e3 = 2e-3
half_percent = 5e-3
two_percent = 2e-2
nearly_no_air = 1e-9  # optical depth; sasktran2 wants some


@dataclass(frozen=True)
class HenyeyGreenstein:
    """Stands in for a species of truth.particles."""

    g: float
    single_scattering_albedo: float = 1.0
    extinction_ratio: float = 1.0

    @property
    def legendre(self):
        order = np.arange(200)
        return (2 * order + 1) * self.g**order

    def phase(self, cosine):
        return (1.0 - self.g**2) / (1.0 + self.g**2 - 2.0 * self.g * cosine) ** 1.5


def flat(sza_deg, vza_deg, raa_deg, count=20):
    """A shallow atmosphere, where the sphere does not show."""
    altitude_m = np.linspace(1.0, 0.0, count + 1)
    ways = slant_factors(vza_deg, altitude_m), sun_paths(sza_deg, vza_deg, raa_deg, altitude_m)
    return Geometry(sza_deg, vza_deg, raa_deg, altitude_m, *ways)


def zenith_deg(cosine):
    return float(np.degrees(np.arccos(cosine)))


def air(depth, albedo=1.0, count=20):
    """A homogeneous Rayleigh layer without depolarisation."""
    scattering = np.full((count, 1), albedo * depth / count)
    return Medium(np.full((count, 1), (1.0 - albedo) * depth / count) + 1e-12, scattering, np.array([0.5]))


def haze(geometry, optics, depth, streams, count=20):
    """A homogeneous layer of one kind of particles; depth 1 or (layer,)."""
    layers = (
        np.broadcast_to(np.asarray(depth, float), count) if np.ndim(depth) else np.full(count, depth / count)
    )
    mixed = mixed_particles({"any": layers}, lambda _: optics, geometry.cos_scattering, streams)
    return replace(air(nearly_no_air, count=count), particles=mixed)


def light(medium, geometry, albedo, streams):
    """Add up all light as truth.radiance does, without its regression."""
    direct = albedo * np.cos(np.radians(geometry.sza_deg)) / np.pi
    depth = two_way_depth(medium.extinction, geometry)
    once = once_scattered(depth, medium.to_sensor(geometry.cos_scattering), geometry)
    return direct * np.exp(-depth[-1]) + once + diffuse_solved(medium, geometry, albedo, streams)


@pytest.mark.parametrize(
    ("depth", "albedo", "published"),
    [
        (0.2, 0.5, (2.11501e-2, 7.86713e-3)),
        (0.2, 1.0, (4.87120e-2, 1.89387e-2)),
        (5.0, 0.5, (2.45786e-2, 1.01498e-2)),
        (5.0, 1.0, (8.26993e-2, 4.92370e-2)),
    ],
)
def test_rayleigh_layer_follows_sweigart(depth, albedo, published):
    """Sweigart (1970), table 1, as in DISORT's test problem 2: Sun at cosine 0.080442 ahead, flux pi."""
    for cosine, expected in zip((0.538263, 0.981986), published, strict=True):
        geometry = flat(zenith_deg(0.080442), zenith_deg(cosine), 180.0, 60)
        found = np.pi * light(air(depth, albedo, 60), geometry, 0.0, 40)[0]
        assert found == pytest.approx(expected, rel=half_percent)


def doubled_reflection(doubled, depth, legendre, cosine):
    """Reflect an overhead beam, flux pi, by doubling from 2^-24 of the depth; azimuth drops out."""
    node, weight = np.polynomial.legendre.leggauss(32)
    mu, w = np.append(0.5 + 0.5 * node, [cosine, 1.0]), np.append(0.5 * weight, [0.0, 0.0])
    order = np.arange(len(legendre))
    p = np.polynomial.legendre.legvander(mu, len(legendre) - 1)
    thin, beam = depth / 2**24, np.exp(-depth / 2**24 / mu)
    forward, backward = ((p * legendre * sign) @ p.T for sign in (1.0, (-1.0) ** order))
    r, t = (thin * phase / (4.0 * np.outer(mu, mu)) for phase in (backward, forward))
    times = np.diag(2.0 * w * mu)
    r = doubled(r, t, beam, times, 24)
    return r[-2, -1]


@pytest.mark.parametrize("cosine", [0.5, 1.0])
def test_haze_follows_doubling_and_van_de_hulst(doubled, cosine):
    """Depth 1, g = 0.75; at cosine 0.5 also van de Hulst (1980), table 37, as in DISORT's test problem 3."""
    optics = HenyeyGreenstein(0.75)
    expected = doubled_reflection(doubled, 1.0, optics.legendre, cosine)
    geometry = flat(0.0, zenith_deg(cosine), 0.0, 60)
    for streams, allowed in ((16, half_percent), (32, three_parts_in_1e4)):
        found = np.pi * light(haze(geometry, optics, 1.0, streams, 60), geometry, 0.0, streams)[0]
        assert found == pytest.approx(expected, rel=allowed)
    if cosine == 0.5:
        assert expected == pytest.approx(0.101103, rel=two_parts_in_1e3)


def test_a_thick_layer_is_cut(doubled):
    """A cloud of depth 8 in a tenth of the air, g = 0.75, against doubling."""
    optics, geometry = HenyeyGreenstein(0.75), flat(0.0, 60.0, 0.0)
    cloud = np.zeros(20)
    cloud[15:17] = 4.0
    medium = haze(geometry, optics, cloud, 16)
    merged, add = merge(medium, geometry, 20, THICKEST)
    cut = diffuse_solved(medium.merged(add), merged, 0.0, 16)
    uncut = diffuse_solved(medium, geometry, 0.0, 16)
    once = light(medium, geometry, 0.0, 16) - uncut
    expected = doubled_reflection(doubled, 8.0, optics.legendre, 0.5) / np.pi
    assert once + cut == pytest.approx(expected, rel=two_percent)
    assert abs(once + cut - expected) < 0.2 * abs(once + uncut - expected)


@pytest.mark.parametrize("species", ["dust", "ice", "sulphate"])
def test_sixteen_streams_suffice(species):
    geometry = flat(50.0, 25.0, 150.0)
    found = {}
    for streams in (16, 48):
        medium = haze(geometry, particles.optics(species, "B1"), 0.3, streams)
        found[streams] = light(medium, geometry, 0.2, streams)[0]
    assert found[16] == pytest.approx(found[48], rel=two_parts_in_1e3)


def test_truncation_agrees_with_sasktran2_s_own():
    """Its delta-M option scales and corrects by itself, from 200 moments."""
    geometry, streams, depth, g = flat(50.0, 25.0, 60.0), 16, 0.3, 0.75
    config = discrete_ordinates._config(streams)
    config.delta_m_scaling = True
    whole = haze(geometry, HenyeyGreenstein(g), depth, 0)
    moments = np.outer(HenyeyGreenstein(g).legendre, whole.particles.scattering)
    whole = replace(whole, particles=replace(whole.particles, moments=moments))
    expected = discrete_ordinates._run(config, whole, geometry, 0.2)[0]
    medium = haze(geometry, HenyeyGreenstein(g), depth, streams)
    assert light(medium, geometry, 0.2, streams)[0] == pytest.approx(expected, rel=one_part_in_1e4)


def diffuse_flux(medium, geometry, streams):
    """Give sasktran2's diffuse flux on the ground, over black."""
    config = discrete_ordinates._config(streams)
    config.single_scatter_source = sk.SingleScatterSource.NoSource
    config.num_singlescatter_moments = streams
    cos_sza = np.cos(np.radians(geometry.sza_deg))
    grid = sk.Geometry1D(
        cos_sza, 0.0, 6.371e6, geometry.altitude_m[::-1], sk.InterpolationMethod.LowerInterpolation,
        sk.GeometryType.PlaneParallel,
    )  # fmt: skip
    viewing = sk.ViewingGeometry()
    viewing.add_flux_observer(sk.FluxObserverSolar(cos_sza, 0.0))
    atmosphere = discrete_ordinates._atmosphere(grid, config, medium, geometry)
    atmosphere.surface.albedo[:] = 0.0
    result = sk.Engine(config, grid, viewing).calculate_radiance(atmosphere)
    return float(result["downwelling_flux"].values.ravel()[0])


def outgoing(optics, depth, albedo, streams):
    """Integrate the radiance over the hemisphere, per flux of the Sun at 50 deg."""
    node, weight = np.polynomial.legendre.leggauss(6)
    total = 0.0
    for mu, w in zip(0.5 + 0.5 * node, 0.5 * weight, strict=True):
        for raa_deg in np.arange(11.25, 180.0, 22.5):
            geometry = flat(50.0, zenith_deg(mu), raa_deg)
            total += mu * w * light(haze(geometry, optics, depth, streams), geometry, albedo, streams)[0]
    return total * 2.0 * np.pi / 8.0 / np.cos(np.radians(50.0))


def test_energy_is_conserved_over_white():
    assert outgoing(HenyeyGreenstein(0.7), 0.4, 1.0, 16) == pytest.approx(1.0, abs=half_percent)


def test_energy_is_conserved_over_black():
    """Reflected and transmitted light add up to the Sun's; the transmitted is sasktran2's flux."""
    geometry, cos_sza = flat(50.0, 30.0, 0.0), np.cos(np.radians(50.0))
    medium = haze(geometry, HenyeyGreenstein(0.7), 0.4, 16)
    down = diffuse_flux(medium, geometry, 16) / cos_sza + np.exp(-medium.extinction.sum() / cos_sza)
    reflection = outgoing(HenyeyGreenstein(0.7), 0.4, 0.0, 16)
    assert reflection > 0.05
    assert reflection + down == pytest.approx(1.0, abs=half_percent)


@pytest.mark.parametrize("raa_deg", [0.0, 70.0, 180.0])
def test_sun_and_sensor_change_places(raa_deg):
    """Haze near the ground and cirrus on top over a Lambertian ground: L / mu0 stays."""
    layered = np.zeros(20)
    layered[2:4], layered[14:] = 0.05, 0.03
    found = []
    for sza_deg, vza_deg in ((60.0, 20.0), (20.0, 60.0)):
        geometry = flat(sza_deg, vza_deg, raa_deg)
        medium = haze(geometry, HenyeyGreenstein(0.7, 0.9), layered, 16)
        found.append(light(medium, geometry, 0.3, 16)[0] / np.cos(np.radians(sza_deg)))
    assert found[0] == pytest.approx(found[1], rel=three_parts_in_1e4)


def test_beer_lambert_without_scattering():
    """Closed form over a Lambertian ground: mu0 A / pi exp(-depth (1/mu0 + 1/mu))."""
    geometry = flat(60.0, 40.0, 0.0)
    depth = np.array([0.0, 0.1, 1.0, 10.0])
    medium = Medium(np.outer(np.full(20, 0.05), depth), np.zeros((20, 4)), np.full(4, 0.5))
    mu0, mu = np.cos(np.radians((60.0, 40.0)))
    expected = mu0 * 0.3 / np.pi * np.exp(-depth * (1.0 / mu0 + 1.0 / mu))
    np.testing.assert_allclose(reflected(medium, geometry, Ground(0.3), None), expected, rtol=1e-5)


def test_merged_layers_keep_a_thin_cloud_apart():
    geometry = flat(40.0, 20.0, 90.0, 60)
    cirrus = np.zeros(60)
    cirrus[20:22] = 0.1
    medium = haze(geometry, HenyeyGreenstein(0.8), cirrus, 16, 60)
    merged, add = merge(medium, geometry, 20)
    assert add.shape == (20, 60)
    np.testing.assert_allclose(add.sum(axis=0), 1.0)
    together = medium.merged(add).particles.scattering
    assert np.count_nonzero(together) <= 2
    assert together.sum() == pytest.approx(medium.particles.scattering.sum())
    assert merged.altitude_m[-1] == geometry.altitude_m[-1]
