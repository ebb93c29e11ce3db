"""The diffuse light of L2 against discrete ordinates.

Rationale: multiply scattered light is computed on the ground by successive orders, an own code.
Setup: ten Rayleigh layers with an absorber, plane-parallel and scalar, depth 0.026 (B1) and 0.1, black and
bright ground; sasktran2 with 40 streams (16 are 2 % off over black), less its own directly reflected and once
scattered light.
Expected behaviour: agreement within 2.5 % of the diffuse light; as a fraction of the light of a white ground
1e-4 in B1, 2.5e-3 at depth 0.1, where the orders left out count.
"""

from __future__ import annotations

import numpy as np
import pytest
import sasktran2 as sk

from processors.l2 import diffuse

LAYERS = 10
STREAMS = 40
ABSORBED = np.array([0.0, 0.01, 0.3, 3.0])  # vertical depth of the absorber, one a spectral point
GEOMETRIES = [(0.0, 0.0, 0.0), (30.0, 10.0, 60.0), (60.0, 30.0, 180.0), (75.0, 60.0, 0.0)]


def slab(depth: float, sza: float, vza: float, raa: float, albedo: float) -> diffuse.Slab:
    """Mix air and absorber by depth: more absorber below, as a line's wing has."""
    air = np.full((LAYERS, ABSORBED.size), depth / LAYERS)
    share = np.linspace(0.5, 1.5, LAYERS)[:, None] / LAYERS
    cosines = np.cos(np.radians([sza, vza]))
    return diffuse.Slab(air + share * ABSORBED, air, *cosines, raa, np.full(ABSORBED.size, albedo))


def sasktran(layers: diffuse.Slab, vza: float, raa: float, streams: int) -> np.ndarray:
    """Give radiance per irradiance (point); 0 streams stop after single scattering."""
    config = sk.Config()
    config.num_streams = max(streams, 2)
    config.num_singlescatter_moments = max(streams, 16)
    if streams:
        config.multiple_scatter_source = sk.MultipleScatterSource.DiscreteOrdinates
    altitude = np.arange(LAYERS + 1.0) * 1000.0
    grid = sk.Geometry1D(
        layers.mu0, 0.0, 6_371_000.0, altitude,
        sk.InterpolationMethod.LowerInterpolation, sk.GeometryType.PlaneParallel,
    )  # fmt: skip
    viewing = sk.ViewingGeometry()
    # its azimuth 0 looks into the forward direction, ours has Sun and sensor on one side
    viewing.add_ray(sk.GroundViewingSolar(layers.mu0, np.pi - np.radians(raa), np.cos(np.radians(vza)), 2e5))
    air = sk.Atmosphere(grid, config, numwavel=ABSORBED.size, calculate_derivatives=False)
    air.storage.total_extinction[:-1] = layers.tau[::-1] / 1000.0
    air.storage.ssa[:-1] = (layers.ray / layers.tau)[::-1]
    gamma = 0.0279 / (2.0 - 0.0279)
    air.storage.leg_coeff[0] = 1.0
    air.storage.leg_coeff[2] = 0.5 * (1.0 - gamma) / (1.0 + 2.0 * gamma)
    air.surface.albedo[:] = layers.albedo[0]
    return sk.Engine(config, grid, viewing).calculate_radiance(air)["radiance"].to_numpy().reshape(-1)


@pytest.mark.parametrize(("depth", "relative", "of_white"), [(0.026, 0.025, 1e-4), (0.1, 0.025, 2.5e-3)])
@pytest.mark.parametrize("albedo", [0.0, 0.3, 0.6])
@pytest.mark.parametrize(("sza", "vza", "raa"), GEOMETRIES)
def test_successive_orders_follow_discrete_ordinates(sza, vza, raa, albedo, depth, relative, of_white):
    layers = slab(depth, sza, vza, raa, albedo)
    expected = sasktran(layers, vza, raa, STREAMS) - sasktran(layers, vza, raa, 0)
    found = diffuse.multiple_scattering(layers)
    white = layers.mu0 / np.pi
    np.testing.assert_allclose(found, expected, rtol=relative)
    assert np.abs(found - expected).max() < of_white * white
