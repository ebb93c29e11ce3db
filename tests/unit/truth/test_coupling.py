"""The albedo that stands for land's kernels and the sea, against sasktran2's sky and truth.skylight."""

from dataclasses import replace

import numpy as np
import pytest
import sasktran2 as sk

from truth import brdf, coupling, discrete_ordinates, particles
from truth.constants import EARTH_MEAN_RADIUS
from truth.coupling import effective_albedo
from truth.discrete_ordinates import diffuse_solved
from truth.ground import Ground
from truth.optics import Medium, mixed_particles
from truth.scattering import Geometry
from truth.skylight import skylight_left_out

LAND = Ground(0.0, np.array([0.3, 0.15, 0.05]))
SEA = Ground(0.0, water=1.0, wind_m_s=7.0, sea_skylight=True)
WAVENUMBER_CM1 = 13_100.0
two_percent = 0.02
one_percent = 0.01


def sky_of(geometry, depth=0.026, species="sulphate", particle_depth=0.0, absorbed=0.0):
    """Rayleigh air with an exponential profile, its particles below 2 km."""
    share = -np.diff(np.exp(-geometry.altitude_m[::-1] / 8_000.0))[::-1]
    share = (share / share.sum())[:, None]
    medium = Medium(share * absorbed + 1e-9, share * depth, np.array([0.48]))
    low = np.where(geometry.altitude_m[1:] < 2_000.0, 1.0, 0.0)
    layers = particle_depth * low / low.sum()
    optics = particles.optics
    mixed = mixed_particles({species: layers}, lambda s: optics(s, "B1"), geometry.cos_scattering, 16)
    return replace(medium, particles=mixed)


def geometry_of(sza_deg, vza_deg, raa_deg):
    return Geometry.at(sza_deg, vza_deg, raa_deg, np.linspace(30_000.0, 0.0, 31))


def sky_radiance(medium, geometry, beam_deg, zenith_deg, azimuth_deg):
    """Give sasktran2's skylight on black ground, (zenith, azimuth); azimuth from the Sun's."""
    config = discrete_ordinates._config(16)
    config.num_singlescatter_moments = 16
    mu0 = np.cos(np.radians(beam_deg))
    grid = sk.Geometry1D(
        mu0, 0.0, EARTH_MEAN_RADIUS, geometry.altitude_m[::-1], sk.InterpolationMethod.LowerInterpolation,
        sk.GeometryType.Spherical,
    )  # fmt: skip
    viewing = sk.ViewingGeometry()
    directions = np.broadcast_arrays(zenith_deg, azimuth_deg)
    for zenith, azimuth in zip(*(np.radians(each.ravel()) for each in directions), strict=True):
        viewing.add_ray(sk.SolarAnglesObserverLocation(mu0, azimuth, np.cos(zenith), 1.0))
    atmosphere = discrete_ordinates._atmosphere(grid, config, medium, geometry)
    atmosphere.surface.albedo[:] = 0.0
    light = sk.Engine(config, grid, viewing).calculate_radiance(atmosphere)["radiance"].to_numpy()
    return light.reshape(directions[0].shape)


@pytest.mark.parametrize("particle_depth", [0.0, 0.15])
@pytest.mark.parametrize("raa_deg", [0.0, 180.0])
def test_land_reflects_the_sky_of_discrete_ordinates(raa_deg, particle_depth):
    """All orders of the skylight, both ways; ours has the first order only."""
    geometry = geometry_of(50.0, 30.0, raa_deg)
    medium = sky_of(geometry, particle_depth=particle_depth)
    zenith_deg, azimuth_deg, solid_angle = coupling._hemisphere(8, 16)
    total = medium.extinction.sum()
    mu0, mu = np.cos(np.radians((50.0, 30.0)))
    reflected = white = 0.0
    for beam_deg, other_deg, factor, way in ((50.0, 30.0, 1.0, mu), (30.0, 50.0, mu0 / mu, mu0)):
        sky = sky_radiance(medium, geometry, beam_deg, zenith_deg, azimuth_deg)
        assert sky[2, 0] > sky[2, 8] or particle_depth == 0.0  # the azimuth is the Sun's: the aureole
        flux = factor * np.exp(-total / way) * sky * np.cos(np.radians(zenith_deg)) * solid_angle
        reflected += np.sum(
            flux * brdf.reflectance(LAND.kernels, zenith_deg, other_deg, azimuth_deg - raa_deg)
        )
        white += np.sum(flux)
    found = effective_albedo(medium, geometry, LAND)[0]
    assert found == pytest.approx(reflected / white, rel=two_percent)


def test_lambertian_ground_is_itself():
    geometry = geometry_of(40.0, 10.0, 60.0)
    assert effective_albedo(sky_of(geometry), geometry, Ground(0.37))[0] == 0.37


def test_even_kernels_are_lambertian():
    geometry = geometry_of(40.0, 10.0, 60.0)
    found = effective_albedo(sky_of(geometry), geometry, Ground(0.1, np.array([0.2, 0.0, 0.0])))[0]
    assert found == pytest.approx(0.3, rel=1e-9)


@pytest.mark.parametrize("absorbed", [0.0, 3.0])
def test_directions_suffice(monkeypatch, absorbed):
    geometry = geometry_of(35.0, 35.0, 180.0)
    medium = sky_of(geometry, particle_depth=0.1, absorbed=absorbed)
    for ground in (LAND, SEA):
        found = effective_albedo(medium, geometry, ground)
        with monkeypatch.context() as patch:
            patch.setattr(coupling, "NODES", (48, 96))
            np.testing.assert_allclose(found, effective_albedo(medium, geometry, ground), rtol=one_percent)


def thrown_back(ground, geometry, depth):
    """Integrate light that ground, a thin layer of air and ground again send to the sensor, over the direct.

    All pairs of directions up and down, azimuths and all.
    """
    zenith_deg, azimuth_deg, solid_angle = coupling._hemisphere(20, 32)
    zenith, azimuth = (a.ravel() for a in np.broadcast_arrays(zenith_deg, azimuth_deg))
    sun, sensor = (geometry.sza_deg, 0.0), ground.sensor(geometry)
    up = solid_angle.ravel() * ground.reflectance(sun, (zenith, azimuth))
    onward = solid_angle.ravel() * ground.reflectance((zenith, azimuth), sensor)
    a, turn = np.radians(zenith), np.radians(azimuth[:, None] - azimuth)
    cosine = np.outer(np.sin(a), np.sin(a)) * np.cos(turn) - np.outer(np.cos(a), np.cos(a))
    phase = 1.0 + 0.48 * (1.5 * cosine**2 - 0.5)
    return depth / (4.0 * np.pi**2) * (up @ phase @ onward) / ground.direct(geometry)


@pytest.mark.parametrize("sza_deg", [35.0, 60.0])
def test_sea_s_skylight_is_that_of_its_own_integral(sza_deg):
    """truth.skylight integrates the two ways that meet the sea once; twice is a few percent of them."""
    geometry, depth = geometry_of(sza_deg, sza_deg, 180.0), 0.003
    medium = sky_of(geometry, depth)
    found = effective_albedo(medium, geometry, SEA)[0]
    mu0 = np.cos(np.radians(sza_deg))
    direct = SEA.direct(geometry) * mu0 / np.pi * np.exp(-2.0 * depth / mu0)
    light = diffuse_solved(medium, geometry, found, 24) - diffuse_solved(medium, geometry, 0.0, 24)
    once = skylight_left_out(sza_deg, sza_deg, 180.0, 7.0, depth, WAVENUMBER_CM1).total
    twice = thrown_back(SEA, geometry, depth)
    assert 0.01 * once < twice < 0.1 * once
    assert light[0] / direct == pytest.approx(once + twice, rel=two_percent)


def test_clean_air_over_the_sea_is_black_unless_asked():
    geometry = geometry_of(35.0, 35.0, 180.0)
    asked_not = replace(SEA, sea_skylight=False)
    assert effective_albedo(sky_of(geometry), geometry, asked_not)[0] == 0.0
    hazy = sky_of(geometry, particle_depth=0.1)
    assert effective_albedo(hazy, geometry, asked_not) == effective_albedo(hazy, geometry, SEA)


def test_opaque_points_have_an_albedo():
    geometry = geometry_of(35.0, 35.0, 180.0)
    found = effective_albedo(sky_of(geometry, absorbed=1e5), geometry, LAND)
    assert np.all(np.isfinite(found))
