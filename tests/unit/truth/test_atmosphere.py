import csv

import numpy as np
import pytest

from truth import atmosphere, weather
from truth.constants import AVOGADRO, GAS_CONSTANT, MOLAR_MASS_DRY_AIR, MOLAR_MASS_WATER, O2_MOLE_FRACTION

JULY, JANUARY = 0.55, 0.05
ONE_PERCENT = 0.01


def standing_air(latitude_deg, year_fraction, surface_pa=101_300.0):
    latitude = np.array([latitude_deg])
    pressure = surface_pa * atmosphere.sigma_levels()[np.newaxis]
    temperature, humidity = atmosphere.climatology(pressure, latitude, year_fraction)
    altitude = atmosphere.altitude(pressure, temperature, humidity, latitude)
    return (
        pressure,
        temperature,
        humidity,
        altitude,
        atmosphere.columns(pressure, humidity, altitude, latitude),
    )


@pytest.mark.parametrize(
    ("latitude_deg", "altitude_m", "expected"),
    [
        (0.0, 0.0, 9.780_325_3),  # NIMA TR8350.2
        (90.0, 0.0, 9.832_184_9),  # NIMA TR8350.2
        (45.0, 0.0, 9.806_199),  # GRS80 tables: 9.8061992
        (45.0, 10_000.0, 9.775_4),  # free-air gradient 0.3086 mGal/m less its curvature
    ],
)
def test_gravity(latitude_deg, altitude_m, expected):
    hundredth_gal = 1e-4
    assert atmosphere.gravity(latitude_deg, altitude_m) == pytest.approx(expected, abs=hundredth_gal)


def test_levels_are_fine_and_ordered():
    sigma = atmosphere.sigma_levels()
    assert sigma.size == 61
    assert sigma[-1] == 1.0
    assert np.all(np.diff(sigma) > 0.0)
    thickest_layer = 0.03
    assert np.diff(sigma).max() < thickest_layer


def test_isothermal_dry_air_has_the_closed_form_altitude():
    """Geopotential height H = (R T / M g0) ln(ps/p); geometric z = r H / (r - H), r = 2 g0 / |dg/dz|."""
    temperature_k, latitude = 250.0, np.array([45.0])
    pressure = 100_000.0 * atmosphere.sigma_levels()[np.newaxis]
    z = atmosphere.altitude(
        pressure, np.full(pressure.shape, temperature_k), np.zeros(pressure.shape), latitude
    )
    g_0 = 9.806_199
    height = GAS_CONSTANT * temperature_k / (MOLAR_MASS_DRY_AIR * g_0) * np.log(100_000.0 / pressure)
    radius = 6_356_766.0  # m, effective radius of the US Standard Atmosphere at 45 N
    thousandth = 1e-3
    np.testing.assert_allclose(z[0, :-1], (radius * height / (radius - height))[0, :-1], rtol=thousandth)


def test_moist_air_stands_taller():
    """Virtual temperature T (1 + 0.608 q): 1.2 % of thickness at 20 g kg-1."""
    pressure, latitude = np.array([[90_000.0, 100_000.0]]), np.array([0.0])
    dry, moist = (
        atmosphere.altitude(pressure, np.full((1, 2), 300.0), np.full((1, 2), q), latitude)[0, 0]
        for q in (0.0, 0.02)
    )
    assert moist / dry == pytest.approx(1.0 + 0.608 * 0.02, abs=1e-5)


@pytest.mark.parametrize(
    ("latitude_deg", "year_fraction", "water_cm"),
    [(15.0, 0.3, 4.11), (45.0, JULY, 2.92), (45.0, JANUARY, 0.85), (60.0, JULY, 2.09), (-60.0, JULY, 0.42)],
)
def test_water_columns_of_the_reference_atmospheres(latitude_deg, year_fraction, water_cm):
    """Precipitable water published for the AFGL models (Anderson 1986; LOWTRAN 7 manual), cm."""
    water = standing_air(latitude_deg, year_fraction)[-1].water.sum()
    reading = 0.02
    assert 0.1 * water * MOLAR_MASS_WATER / AVOGADRO == pytest.approx(water_cm, rel=reading)


def test_altitudes_of_the_reference_atmosphere():
    """The report's own altitude column, tropical model, comes back from its pressures by hydrostatics."""
    with (atmosphere.DATA / "atmosphere_reference.csv").open() as file:
        rows = [r for r in csv.DictReader(file) if r["model"] == "tropical" and float(r["altitude_km"]) <= 60]
    pressure, *_, altitude, _ = standing_air(15.0, JULY)
    at = np.interp(np.log([100 * float(r["pressure_hpa"]) for r in rows]), np.log(pressure[0]), altitude[0])
    expected = 1000.0 * np.array([float(r["altitude_km"]) for r in rows])
    hundred_metres = 100.0
    np.testing.assert_allclose(at, expected, atol=hundred_metres, rtol=ONE_PERCENT / 3)


@pytest.mark.parametrize("latitude_deg", [-60.0, 0.0, 45.0])
def test_o2_column_from_surface_pressure_less_water(latitude_deg):
    """O2 = 0.2095 (ps - g TCWV) / (g M_dry), g weighted by mass; 2.9 hPa for 30 kg m-2 of water."""
    pressure, _, _, _, columns = standing_air(latitude_deg, JULY)
    mass = np.diff(pressure, axis=-1) / columns.gravity
    g = (pressure[0, -1] - pressure[0, 0]) / mass.sum()
    water_kg = columns.water.sum() * MOLAR_MASS_WATER / AVOGADRO
    expected = O2_MOLE_FRACTION * (pressure[0, -1] - g * water_kg) / (g * MOLAR_MASS_DRY_AIR) * AVOGADRO
    two_pascal = 2e-5
    assert O2_MOLE_FRACTION * columns.dry_air.sum() == pytest.approx(expected, rel=two_pascal)


def test_level_weights_count_dry_air_only():
    """A column with all its CO2 below moves by the 0.2 % that water takes from the lowest layers."""
    *_, columns = standing_air(15.0, JULY)
    weights = atmosphere.level_weights(columns.dry_air)
    assert weights.sum() == pytest.approx(1.0)
    step = np.where(atmosphere.sigma_levels() > 0.8, 1.0, 0.0)
    moist = -np.trapezoid(step[::-1], atmosphere.sigma_levels()[::-1])
    assert 0.985 < float(weights[0] @ step) / moist < 0.995


def test_southern_seasons_are_half_a_year_late():
    north, south = (standing_air(latitude, fraction)[1] for latitude, fraction in ((50.0, 0.3), (-50.0, 0.8)))
    np.testing.assert_allclose(north, south)


def test_surface_pressure_is_smooth_and_mean_is_standard():
    longitude = np.arange(0.0, 360.0, 0.5)
    draws = np.array([weather.sea_level_pressure(seed, 45.0, longitude, 1.7e9) for seed in range(40)])
    assert draws.mean() == pytest.approx(101_325.0, abs=100.0)
    assert draws.std() == pytest.approx(550.0, rel=0.15)
    gradient_pa_per_km = np.abs(np.diff(draws, axis=1)).max() / (0.5 * 111.2 * np.cos(np.pi / 4))
    assert gradient_pa_per_km < 5.0
