import numpy as np
import pytest

from truth import co2
from truth.atmosphere import sigma_levels

LEVELS_PA = 100_000.0 * sigma_levels(1500)
MID_MONTH = (np.arange(12) + 0.5) / 12.0
# Published with the climatology, rounded to 0.1 ppm
NORTH_MINUS_SOUTH_PPM = (4.4, 5.2, 5.8, 6.1, 5.8, 4.0, 0.8, -2.2, -2.5, -0.3, 2.1, 3.6)
PEAK_TO_PEAK_PPM = {-45.0: 1.0, 0.0: 1.5, 28.0: 5.9, 46.0: 8.0, 60.0: 9.7}
ROUNDING_PPM = 0.1


def column(latitude_deg: float, year: np.ndarray) -> np.ndarray:
    profile = co2.zonal_background(LEVELS_PA, latitude_deg, np.asarray(year)[:, np.newaxis])
    return np.trapezoid(profile, LEVELS_PA, axis=-1) / (LEVELS_PA[-1] - LEVELS_PA[0])


def test_north_minus_south_by_month():
    difference = column(45.0, 2015 + MID_MONTH) - column(-45.0, 2015 + MID_MONTH)
    np.testing.assert_allclose(difference, NORTH_MINUS_SOUTH_PPM, atol=ROUNDING_PPM)


@pytest.mark.parametrize(("latitude_deg", "expected_ppm"), PEAK_TO_PEAK_PPM.items())
def test_peak_to_peak_without_growth(latitude_deg, expected_ppm):
    year = 2015 + np.arange(0.0, 1.0, 1.0 / 73.0)
    cycle = column(latitude_deg, year) - co2.base_ppm(year)
    assert np.ptp(cycle) == pytest.approx(expected_ppm, abs=ROUNDING_PPM)


def test_sixty_north_in_2026():
    may, august = column(60.0, 2026 + MID_MONTH[[4, 7]])
    assert may == pytest.approx(430.7, abs=ROUNDING_PPM)
    assert august == pytest.approx(422.2, abs=ROUNDING_PPM)


def test_stratosphere_is_older_than_troposphere():
    top, ground = co2.zonal_background(np.array([1_000.0, 100_000.0]), 45.0, 2026.25)
    growth_ppm_per_year = 2.7
    assert 4.0 * growth_ppm_per_year < ground - top < 9.0 * growth_ppm_per_year


def test_offset_at_the_tropopause():
    """The yearly mean is off + 0.557 (1.068 off_equator - off) above the base, from the table by hand."""
    latitude_deg = -42.842
    off, at_3_south, at_13_north = 396.302 - 399.14273, 397.976 - 399.14273, 399.866 - 399.14273
    off_equator = at_3_south + 3.65 / (13.276 + 3.65) * (at_13_north - at_3_south)
    year = 2026.0 + np.arange(0.0, 1.0, 1 / 24)
    tropopause_pa = 100.0 * co2.tropopause_hpa(latitude_deg)
    mean = np.mean(co2.zonal_background(tropopause_pa, latitude_deg, year) - co2.base_ppm(year))
    assert mean == pytest.approx(off + 0.557 * (1.068 * off_equator - off), abs=ROUNDING_PPM / 1000)


def test_arguments_broadcast():
    shape = co2.zonal_background(LEVELS_PA[:5], np.zeros((3, 2, 1)), np.full((3, 1, 1), 2026.0)).shape
    assert shape == (3, 2, 5)


def test_synoptic_structure():
    """Root-mean-square difference between points 10, 50, 100, 400 km apart, over independent seeds."""
    km_per_degree = 111.195
    longitude = np.array([0.0, 10.0, 50.0, 100.0, 400.0]) / km_per_degree
    draws = np.array([co2.synoptic_xco2(seed, 0.0, longitude, 1.78e9) for seed in range(1500)])
    rms_ppm = np.sqrt(np.mean((draws[:, 1:] - draws[:, :1]) ** 2, axis=0))
    sampling = 0.06
    np.testing.assert_allclose(rms_ppm, (0.09, 0.18, 0.23, 0.32), rtol=sampling)


def test_synoptic_one_realisation_along_the_globe():
    """One seed alone shows the same structure when it is followed around the equator."""
    longitude = np.arange(0.0, 360.0, 0.25)
    step = 50.0 / 111.195
    here, there = (co2.synoptic_xco2(7, 0.0, longitude + shift, 1.78e9) for shift in (0.0, step))
    sampling = 0.15
    assert np.sqrt(np.mean((there - here) ** 2)) == pytest.approx(0.18, rel=sampling)


def test_synoptic_depends_on_seed_place_time_only():
    latitude, longitude = np.array([10.0, -30.0, 55.0]), np.array([0.0, 120.0, -170.0])
    together = co2.synoptic_xco2(3, latitude, longitude, 1.7e9)
    alone = [
        co2.synoptic_xco2(3, *place, 1.7e9) for place in zip(latitude[::-1], longitude[::-1], strict=True)
    ]
    rounding_ppm = 1e-9
    np.testing.assert_allclose(together, alone[::-1], atol=rounding_ppm)
    assert np.all(together != co2.synoptic_xco2(4, latitude, longitude, 1.7e9))
    assert np.all(together != co2.synoptic_xco2(3, latitude, longitude, 1.7e9 + 86_400.0))
