"""The scattered light of L2 against discrete ordinates.

Rationale: scattered light is computed on the ground by successive orders, an own code.
Setup: plane-parallel, scalar layers with absorber over a Lambertian ground: Rayleigh air of depth 0.026 (B1)
and 0.1, Henyey-Greenstein particles of depth 0.3, g 0.75, whose forward peak both sides cut off;
sasktran2 with 40 streams. Land of the volumetric kernel, by sasktran2's own reflection, with 16.
Expected behaviour: in units of the light of a white ground, air agrees to 6e-5 (1.5e-4 at depth 0.1); haze to
7e-3 where the streams, in the square root of mu, miss high moments over a bright ground, and to 1.5e-2 where
Sun and sensor are both low, for want of azimuthal components beyond the third; land to 4e-5 of its light.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import sasktran2 as sk
from sasktran2.constituent.brdf.modis import PyMODIS

from processors.l2 import diffuse, scattering, surface

LAYERS = 30
STREAMS = 40
ROSS_LI_STREAMS = 16  # 24 change the light by 4e-5
ABSORBED = np.array([0.0, 0.01, 0.3, 3.0])  # vertical depth of the absorber, one a spectral point
GEOMETRIES = [(0.0, 0.0, 0.0), (30.0, 10.0, 60.0), (60.0, 30.0, 180.0), (75.0, 60.0, 0.0)]
GAMMA = 0.0279 / (2.0 - 0.0279)
AIR = {0: 1.0, 2: 0.5 * (1.0 - GAMMA) / (1.0 + 2.0 * GAMMA)}  # (2k+1) beta_k
white = 1.0 / np.pi  # light of a white ground per irradiance and cosine of the Sun's zenith angle


@dataclass(frozen=True)
class Scatterer:
    """Depth, asymmetry (none: air) and albedo of what scatters, and the reflectance of the ground."""

    depth: float
    asymmetry: float | None
    single_albedo: float
    ground: float

    @property
    def moments(self) -> dict[int, float]:
        if self.asymmetry is None:
            return AIR
        return {k: (2 * k + 1) * self.asymmetry**k for k in range(160)}

    @property
    def absorber(self) -> np.ndarray:
        """More below than above, as a line's wing has (layer, point)."""
        return np.linspace(0.5, 1.5, LAYERS)[:, None] / LAYERS * ABSORBED

    @property
    def extinction(self) -> np.ndarray:
        return self.depth / LAYERS + self.absorber


def found_light(scatterer: Scatterer, sza, vza, raa, kind, orders, sky=None) -> np.ndarray:
    """Return radiance per irradiance (point) by both kernels of L2; the ground reflects alike to all sides or
    as `sky` says."""
    toward = diffuse.directions(sza, vza, raa, surface.lambertian_sky() if sky is None else sky)
    g = scatterer.asymmetry
    properties = (0.0, 0.0, 0.0) if g is None else (1.0, scatterer.single_albedo, g)
    moments, scalars = diffuse.species(*np.array(properties)[:, None], toward.cos_scattering)
    which = 0 if scatterer.asymmetry is None else 1
    each = np.full((LAYERS, ABSORBED.size), scatterer.depth / LAYERS)
    tau = (each * scalars[which, 0] + scatterer.absorber).astype(kind)
    c = (each[:, None] * moments[which][:, None]).astype(kind)
    phase = (each * scalars[which, 1]).astype(kind)
    mu0, mu = np.cos(np.radians([sza, vza]))
    sun, view = (np.full(LAYERS, 1.0 / m, kind) for m in (mu0, mu))
    light, by_ground = np.zeros(ABSORBED.size, kind), np.zeros((2, ABSORBED.size), kind)
    legs, streams, weight = (a.astype(kind) for a in (diffuse.LEGS, scattering.MU, scattering.WEIGHT))
    p_sun, p_view, azimuth, _, sky, by_shape = (a[0] for a in diffuse.stacked([toward], kind))
    scattering.single_scattering(tau, phase, sun + view, view, light, np.zeros_like(tau), np.zeros_like(tau))
    scattering.diffuse_light(
        tau, c, legs, p_sun, p_view, azimuth, streams, weight, sun, view, kind(mu0),
        np.full(ABSORBED.size, scatterer.ground, kind), sky, by_shape, orders, True, light,
        np.zeros_like(tau), np.zeros_like(c), by_ground,
    )  # fmt: skip
    return light + scatterer.ground * mu0 / np.pi * np.exp(-tau.sum(axis=0) * (1.0 / mu0 + 1.0 / mu))


def sasktran(
    scatterer: Scatterer, sza: float, vza: float, raa: float, streams: int = STREAMS, land: Any = None
) -> np.ndarray:
    """Give all light, radiance per irradiance (point), over a Lambertian ground or land (kind, weights)."""
    config = sk.Config()
    config.num_streams = streams
    config.num_singlescatter_moments = 160
    config.delta_m_scaling = scatterer.asymmetry is not None
    config.multiple_scatter_source = sk.MultipleScatterSource.DiscreteOrdinates
    mu0 = np.cos(np.radians(sza))
    grid = sk.Geometry1D(
        mu0, 0.0, 6_371_000.0, np.arange(LAYERS + 1.0) * 1000.0,
        sk.InterpolationMethod.LowerInterpolation, sk.GeometryType.PlaneParallel,
    )  # fmt: skip
    viewing = sk.ViewingGeometry()
    # its azimuth 0 looks into the forward direction, ours has Sun and sensor on one side
    viewing.add_ray(sk.GroundViewingSolar(mu0, np.pi - np.radians(raa), np.cos(np.radians(vza)), 2e5))
    air = sk.Atmosphere(grid, config, numwavel=ABSORBED.size, calculate_derivatives=False)
    air.storage.total_extinction[:-1] = scatterer.extinction[::-1] / 1000.0
    air.storage.ssa[:-1] = (scatterer.single_albedo * scatterer.depth / LAYERS / scatterer.extinction)[::-1]
    for k, moment in scatterer.moments.items():
        air.storage.leg_coeff[k] = moment
    if land is None:
        air.surface.albedo[:] = scatterer.ground
    else:
        air.surface.brdf, air.surface.brdf_args[:] = land[0], np.array(land[1])[:, None]
    return sk.Engine(config, grid, viewing).calculate_radiance(air)["radiance"].to_numpy().reshape(-1)


CASES = {
    "air of B1": (0.026, None, 1.0, 6e-5),
    "air": (0.1, None, 1.0, 1.5e-4),
    "haze": (0.3, 0.75, 0.9, 7e-3),
}
LOW_SUN = 1.5e-2  # of haze


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("ground", [0.0, 0.3, 0.6])
@pytest.mark.parametrize(("sza", "vza", "raa"), GEOMETRIES)
def test_successive_orders_follow_discrete_ordinates(sza, vza, raa, ground, name):
    depth, asymmetry, single_albedo, allowed = CASES[name]
    allowed = LOW_SUN if name == "haze" and sza > 70.0 else allowed
    scatterer = Scatterer(depth, asymmetry, single_albedo, ground)
    found = found_light(scatterer, sza, vza, raa, np.float64, diffuse.ORDERS[asymmetry is not None])
    expected = sasktran(scatterer, sza, vza, raa)
    assert np.abs(found - expected).max() < allowed * white * np.cos(np.radians(sza))
    assert np.ptp(expected) > 0.01 * white * np.cos(np.radians(sza)) * max(ground, depth)


def native_ross_li(weights: tuple[float, float, float], sza: float, vza: float, raa: float) -> np.ndarray:
    """Give all light over land of these weights, whose reflection sasktran2 works out by itself."""
    ground = PyMODIS(1)
    return sasktran(Scatterer(0.026, None, 1.0, 0.0), sza, vza, raa, ROSS_LI_STREAMS, (ground, weights))


@pytest.mark.parametrize(("sza", "vza", "raa"), [(25.0, 5.0, 60.0), (65.0, 10.0, 120.0)])
def test_skylight_meets_land_as_the_volumetric_kernel_says(sza, vza, raa):
    """Land that is nowhere darker than black, so that no floor is needed: 4e-5 of the light; alike to all
    sides it would be 6e-4 and more."""
    allowed, share, weights = 4e-5, 0.2, (0.4, 0.0)
    mu0, mu = np.cos(np.radians([sza, vza]))
    level = share * float(surface.ross_li(mu0, mu, np.radians(raa), weights))
    air = Scatterer(0.026, None, 1.0, level)
    expected = native_ross_li((share, share * weights[0], 0.0), sza, vza, raa)
    found = found_light(air, sza, vza, raa, np.float64, 12, surface.land_sky(sza, vza, raa, weights))
    alike = found_light(air, sza, vza, raa, np.float64, 12)
    assert np.abs(found - expected).max() < allowed * expected.max()
    assert np.abs(alike - expected).max() > 10.0 * allowed * expected.max()
