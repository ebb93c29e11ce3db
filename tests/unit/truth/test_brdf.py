import numpy as np
import pytest
import sasktran2 as sk

from truth import brdf
from truth.surface import BRDF_SHAPE, BRIGHTEST, land_kernels

ANGLES_DEG = [
    (30, 0, 0),
    (30, 30, 0),
    (30, 30, 180),
    (60, 45, 120),
    (45, 45, 180),
    (20, 50, 77),
    (75, 60, 10),
]
WEIGHTS = [(0.3, 0.0, 0.0), (0.3, 0.2, 0.0), (0.3, 0.0, 0.05), (0.2, 0.1, 0.03)]


def engine_reflectance(weights, sza_deg: float, vza_deg: float, raa_deg: float) -> float:
    """Let sasktran2 look through empty space at its own kernels; its azimuth 0 looks into the glint."""
    mu_0, mu = np.cos(np.radians([sza_deg, vza_deg]))
    config = sk.Config()
    config.num_streams = 2
    grid = sk.Geometry1D(
        mu_0,
        0.0,
        6.371e6,
        np.array([0.0, 1e4]),
        sk.InterpolationMethod.LinearInterpolation,
        sk.GeometryType.PlaneParallel,
    )
    viewing = sk.ViewingGeometry()
    viewing.add_ray(sk.GroundViewingSolar(mu_0, np.pi - np.radians(raa_deg), mu, 2e4))
    atmosphere = sk.Atmosphere(grid, config, wavelengths_nm=np.array([760.0]), calculate_derivatives=False)
    atmosphere["ground"] = sk.constituent.MODIS(*weights)
    radiance = sk.Engine(config, grid, viewing).calculate_radiance(atmosphere)["radiance"]
    return float(radiance.to_numpy().ravel()[0]) * np.pi / mu_0


@pytest.mark.parametrize("angles_deg", ANGLES_DEG)
@pytest.mark.parametrize("weights", WEIGHTS)
def test_kernels_of_sasktran2(weights, angles_deg):
    rounding = 1e-12
    expected = engine_reflectance(weights, *angles_deg)
    assert brdf.reflectance(weights, *angles_deg) == pytest.approx(expected, rel=rounding)


@pytest.mark.parametrize("kernel", [brdf.ross_thick, brdf.li_sparse])
def test_kernels_are_reciprocal(kernel):
    random = np.random.default_rng(1)
    sza, vza, raa = random.uniform(0, 80, 500), random.uniform(0, 80, 500), random.uniform(0, 180, 500)
    np.testing.assert_allclose(kernel(sza, vza, raa), kernel(vza, sza, raa), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kernel", [brdf.ross_thick, brdf.li_sparse])
def test_kernels_vanish_under_overhead_sun_and_sensor(kernel):
    assert kernel(0.0, 0.0, 0.0) == pytest.approx(0.0, abs=1e-9)


def test_hot_spot_is_at_azimuth_zero():
    backward, forward = (brdf.reflectance((0.3, 0.15, 0.03), 40.0, 40.0, raa) for raa in (0.0, 180.0))
    assert backward > 1.3 * forward


def test_white_sky_integrals():
    """1, 0.189184 and -1.377622 are published (Lucht et al. 2000, table 1)."""
    last_digits = 1e-5
    assert brdf.white_sky_integrals() == pytest.approx((1.0, 0.189184, -1.377622), abs=last_digits)


@pytest.mark.parametrize("sza_deg", [0.0, 30.0, 60.0])
def test_black_sky_polynomial(sza_deg):
    """The paper's fits in the solar zenith angle in radians, to their residual under overhead Sun."""
    s2 = np.radians(sza_deg) ** 2
    s3 = np.radians(sza_deg) ** 3
    volumetric = -0.007574 - 0.070987 * s2 + 0.307588 * s3
    geometric = -1.284909 - 0.166314 * s2 + 0.041840 * s3
    fit = 0.015
    assert brdf.black_sky_albedo((0.0, 1.0, 0.0), sza_deg) == pytest.approx(volumetric, abs=fit)
    assert brdf.black_sky_albedo((0.0, 0.0, 1.0), sza_deg) == pytest.approx(geometric, abs=fit)


@pytest.mark.parametrize("kind", BRDF_SHAPE)
def test_land_keeps_its_albedo_and_stays_bright(kind):
    """Weights of each kind give back the white-sky albedo; none within SZA 75, VZA 60 is below 40 %."""
    kernels = land_kernels(kind, np.array(0.3))
    assert brdf.white_sky_albedo(kernels) == pytest.approx(0.3, rel=1e-12)
    sza, vza, raa = np.meshgrid(np.arange(0, 76, 5), np.arange(0, 61, 5), np.arange(0, 181, 10))
    seen = brdf.reflectance(kernels, sza, vza, raa)
    assert 0.4 * 0.3 < seen.min() < seen.max() < 2.5 * 0.3


def test_snow_gives_back_no_more_than_it_gets():
    """The brightest ground there may be under Suns as low as scenarios have them."""
    kernels = land_kernels("snow", np.array(BRIGHTEST))
    assert brdf.black_sky_albedo(kernels, np.arange(0.0, 88.1, 4.0)).max() < 1.0
