"""Prior file: forecast errors of the right size and correlation, keyed by place, and its own CO2 profile."""

import netCDF4
import numpy as np
import pytest
import xarray as xr

from twin import co2prior, prior
from twin.scenario import Prior

JULY_2026 = 1_782_938_400.0  # s, 2026-07-01T20:40:00Z since 1970
NONE = Prior(
    surface_pressure="0 hPa",
    temperature="0 K",
    humidity="0 %",
    wind_speed="0 m/s",
    brdf="0 %",
    co2_offset="0 ppm",
)
KERNELS = (0.2, 0.1, 0.03)  # isotropic, volumetric, geometric
PLACES = np.array([10, 40])  # levels looked at


def scene(latitude, longitude=None, surface_pa=101_325.0, first_id=1, altitude_m=0.0):
    latitude = np.atleast_1d(np.asarray(latitude, dtype=float))
    longitude = np.zeros(latitude.size) if longitude is None else np.asarray(longitude)
    sigma = np.geomspace(1e-5, 1.0, 61)
    pressure = np.tile(surface_pa * sigma, (latitude.size, 1))
    temperature = np.maximum(288.15 * (pressure / surface_pa) ** 0.19, 216.65)
    columns = {
        "sounding_id": 10**11 + 10 * (first_id + np.arange(latitude.size)) + 1,
        "latitude": latitude,
        "longitude": longitude,
        "time": np.full(latitude.size, JULY_2026),
        "surface_pressure": np.full(latitude.size, surface_pa),
        "wind_speed": np.full(latitude.size, 7.0),
        "surface_altitude": np.full(latitude.size, altitude_m),
    }
    profiles = {
        "pressure": pressure,
        "temperature": temperature,
        "specific_humidity": 0.01 * (pressure / surface_pa) ** 3,
        "co2": np.full(pressure.shape, 999.0),
    }
    data = {name: ("sounding", values) for name, values in columns.items()}
    data["brdf_kernel"] = (("sounding", "band", "kernel"), np.full((latitude.size, 4, 3), KERNELS))
    return xr.Dataset(data | {name: (("sounding", "level"), values) for name, values in profiles.items()})


def test_without_error_the_forecast_is_the_truth_on_another_grid():
    truth = scene([22.0])
    made = prior.forecast(truth, NONE, 1)
    assert made["surface_pressure"] == pytest.approx([101_325.0])
    assert made["wind_speed"] == pytest.approx([7.0])
    tropospheric = (made["pressure"][0] > 25_000) & (made["pressure"][0] < 101_325)
    expected = 288.15 * (made["pressure"][0, tropospheric] / 101_325.0) ** 0.19
    interpolation_kelvin = 0.4
    assert made["temperature"][0, tropospheric] == pytest.approx(expected, abs=interpolation_kelvin)


def test_the_grid_reaches_below_any_surface_and_hides_it():
    high, low = (prior.forecast(scene([22.0], surface_pa=p), NONE, 1) for p in (70_000.0, 104_000.0))
    assert np.array_equal(high["pressure"], low["pressure"])
    assert np.all(np.diff(prior.PRESSURE_GRID) > 0)
    assert prior.PRESSURE_GRID[-1] == 108_000.0
    below = prior.PRESSURE_GRID > 70_000.0
    assert np.all(np.diff(high["temperature"][0, below]) > 0)  # lapse rate goes on below the surface
    assert np.all(np.isfinite(high["temperature"]))


def errors(seed, latitude, longitude):
    truth = scene(latitude, longitude)
    made, clean = prior.forecast(truth, Prior(), seed), prior.forecast(truth, NONE, seed)
    return {
        "surface_pressure": (made["surface_pressure"] - clean["surface_pressure"]) / 100.0,
        "wind_speed": made["wind_speed"] - clean["wind_speed"],
        "temperature": (made["temperature"] - clean["temperature"])[:, PLACES],
        "humidity": (made["specific_humidity"] / clean["specific_humidity"])[:, PLACES] - 1.0,
        "volumetric": made["brdf_volumetric"] - clean["brdf_volumetric"],
        "geometric": made["brdf_geometric"] - clean["brdf_geometric"],
    }


@pytest.fixture(scope="module")
def drawn():
    """Errors at three places 0, 100 and 2000 km apart for many seeds, (seed, place, ...)."""
    longitude = np.degrees(np.array([0.0, 100.0, 2000.0]) / prior.EARTH_RADIUS_KM)
    many = [errors(seed, np.zeros(3), longitude) for seed in range(300)]
    return {name: np.array([one[name] for one in many]) for name in many[0]}


@pytest.mark.parametrize(
    ("name", "sigma"),
    [
        ("surface_pressure", 1.0),
        ("wind_speed", 1.0),
        ("temperature", 1.0),
        ("humidity", 0.1),
        ("volumetric", 0.04),
        ("geometric", 0.01),
    ],
)
def test_errors_have_their_size_and_no_mean(drawn, name, sigma):
    four_sigma = 4 / np.sqrt(300)
    assert np.all(np.abs(drawn[name].mean(axis=0)) < four_sigma * sigma)
    assert np.all(np.abs(drawn[name].std(axis=0) / sigma - 1) < four_sigma / np.sqrt(2))


@pytest.mark.parametrize("name", ["surface_pressure", "temperature"])
def test_errors_fall_off_over_200_km(drawn, name):
    values = drawn[name].reshape(300, 3, -1)[..., 0]
    correlation = np.corrcoef(values.T)
    four_sigma = 4 / np.sqrt(300)
    assert correlation[0, 1] == pytest.approx(np.exp(-0.5), abs=four_sigma * (1 - np.exp(-1.0)))
    assert abs(correlation[0, 2]) < four_sigma


def test_kernels_are_told_over_the_isotropic_one():
    made = prior.forecast(scene([22.0]), NONE, 1)
    assert made["brdf_volumetric"] == pytest.approx([0.5])
    assert made["brdf_geometric"] == pytest.approx([0.15])


def test_kernels_are_never_below_0_and_none_over_water():
    """Land that is alike to all sides is told so or with too much; a sea has none, whatever the error."""
    truth = scene(np.zeros(400), np.linspace(-180.0, 179.0, 400))
    land = np.arange(400) % 2 == 0
    truth["brdf_kernel"].values[land] = (0.2, 0.0, 0.0)
    truth["brdf_kernel"].values[~land] = 0.0
    made = prior.forecast(truth, Prior(), 1)
    for name, sigma in (("brdf_volumetric", 0.04), ("brdf_geometric", 0.01)):
        assert np.all(made[name][~land] == 0.0)
        assert made[name].min() == 0.0
        assert sigma < made[name].max() < 5.0 * sigma


def test_errors_fall_off_over_150_hpa():
    levels = np.array([50_000.0, 65_000.0, 95_000.0])
    place = prior.unit_vectors(np.zeros(1), np.zeros(1))
    field = np.array([prior.correlated(seed, "x", place, levels)[0] for seed in range(1500)])
    expected = np.exp(-np.abs(levels[:, None] - levels) / 15_000.0)
    four_sigma = 4 / np.sqrt(1500)
    assert np.abs(np.corrcoef(field.T) - expected).max() < four_sigma


def test_the_forecast_s_profiles_err_by_height_and_place_not_by_an_offset():
    """Temperature and humidity of the file itself: correlated by 150 hPa and 200 km, never one shift.

    Levels 300 hPa apart, places 0, 100 and 2000 km apart, 300 seeds; expected exp(-2) and exp(-d/200 km).
    """
    longitude = np.degrees(np.array([0.0, 100.0, 2000.0]) / prior.EARTH_RADIUS_KM)
    low = int(np.abs(prior.PRESSURE_GRID - 90_000.0).argmin())
    high = int(np.abs(prior.PRESSURE_GRID - 60_000.0).argmin())
    apart = np.exp(-(prior.PRESSURE_GRID[low] - prior.PRESSURE_GRID[high]) / 15_000.0)
    truth = scene(np.zeros(3), longitude)
    clean = prior.forecast(truth, NONE, 1)
    made = [prior.forecast(truth, Prior(), seed) for seed in range(300)]
    drawn = {
        "temperature": np.array([one["temperature"] - clean["temperature"] for one in made]),
        "humidity": np.array([one["specific_humidity"] / clean["specific_humidity"] - 1.0 for one in made]),
    }
    four_sigma = 4 / np.sqrt(300)
    for name, error in drawn.items():
        by_height = np.corrcoef(error[:, 0, low], error[:, 0, high])[0, 1]
        near, far = (np.corrcoef(error[:, 0, low], error[:, k, low])[0, 1] for k in (1, 2))
        assert by_height == pytest.approx(apart, abs=four_sigma), name
        assert near == pytest.approx(np.exp(-0.5), abs=four_sigma), name
        assert abs(far) < four_sigma, name
        assert np.std(error[0, 0]) > 0.2 * np.std(error), name  # within one profile


def test_a_plateau_has_its_altitude_and_the_co2_of_its_height():
    """The forecast knows the orography; its CO2 over 4 km is that of 4 km, not of the sea."""
    plateau = prior.forecast(scene([35.0], surface_pa=61_640.0, altitude_m=4000.0), NONE, 1)
    sea = prior.forecast(scene([35.0]), NONE, 1)
    assert plateau["surface_altitude"] == pytest.approx([4000.0])
    assert sea["surface_altitude"] == pytest.approx([0.0])
    at_surface = np.interp(61_640.0, prior.PRESSURE_GRID, plateau["co2"][0])
    above_the_sea = np.interp(61_640.0, prior.PRESSURE_GRID, sea["co2"][0])
    tenth_ppm = 0.1
    assert at_surface == pytest.approx(above_the_sea, abs=tenth_ppm)


def test_an_error_belongs_to_its_place_not_to_its_company():
    alone = prior.forecast(scene([10.0], first_id=2), Prior(), 3)
    together = prior.forecast(scene([12.0, 10.0]), Prior(), 3)
    assert together["temperature"][1] == pytest.approx(alone["temperature"][0], abs=1e-9)
    assert together["surface_pressure"][1] == pytest.approx(alone["surface_pressure"][0], abs=1e-6)


def test_altitude_of_an_isothermal_atmosphere():
    temperature = np.full((1, prior.PRESSURE_GRID.size), 250.0)
    altitude = prior.altitude_m(temperature, np.array([100_000.0]), np.array([120.0]))
    expected = 120.0 + 287.05 * 250.0 / 9.80665 * np.log(100_000.0 / prior.PRESSURE_GRID)
    five_metres = 5.0  # the surface lies between two levels
    assert altitude[0] == pytest.approx(expected, abs=five_metres)


def test_the_co2_prior_never_sees_the_true_co2():
    truth = scene([22.0])
    other = truth.assign(co2=truth["co2"] * 2)
    one, two = prior.forecast(truth, Prior(), 1)["co2"], prior.forecast(other, Prior(), 1)["co2"]
    assert np.array_equal(one, two)
    assert 405 < one.min() < one.max() < 440


def test_co2_offset_moves_the_whole_profile():
    shifted = prior.forecast(scene([22.0]), Prior(co2_offset="3 ppm"), 1)["co2"]
    assert shifted - prior.forecast(scene([22.0]), Prior(), 1)["co2"] == pytest.approx(np.full((1, 72), 3.0))


def test_co2_prior_follows_the_observed_growth():
    """NOAA global annual means of marine surface air, ppm: 2010 388.6, 2015 399.6, 2020 412.4, 2024 422.8."""
    observed = {2010.5: 388.6, 2015.5: 399.6, 2020.5: 412.4, 2024.5: 422.8}
    two_ppm = 2.0
    for year, ppm in observed.items():
        months = year - 0.5 + np.arange(12) / 12
        both = [
            co2prior.profile(np.full(12, lat), np.zeros((12, 1)), months).mean() for lat in (-30, -5, 5, 30)
        ]
        assert np.mean(both) == pytest.approx(ppm, abs=two_ppm)


def test_co2_prior_falls_in_northern_summer_and_ages_with_height():
    months = 2026 + (np.arange(12) + 0.5) / 12
    surface = co2prior.profile(np.full(12, 45.0), np.zeros((12, 1)), months)[:, 0]
    assert np.argmin(surface) in (6, 7, 8)
    assert np.argmax(surface) in (10, 11, 0, 1, 2, 3)
    south = co2prior.profile(np.full(12, -45.0), np.zeros((12, 1)), months)[:, 0]
    assert np.ptp(south) < np.ptp(surface) / 3
    stratosphere = co2prior.profile(
        np.array([45.0]), np.array([[12e3, 20e3, 30e3, 50e3]]), np.array([2026.5])
    )[0]
    assert np.all(np.diff(stratosphere) < 0)
    growth_ppm_a_year = 2.6
    assert stratosphere[0] - stratosphere[-1] == pytest.approx(5 * growth_ppm_a_year, rel=0.3)


def test_age_of_air_starts_at_the_surface_of_49_north():
    """GGG2014: zero age at 49 N within 0.02 yr, half a year in the far south, five years at 50 km."""
    north = co2prior.age_of_air(np.array([49.0]), np.zeros(1), np.array([11.0]))
    south = co2prior.age_of_air(np.array([-75.0]), np.zeros(1), np.array([9.5]))
    aloft = co2prior.age_of_air(np.array([0.0]), np.array([50.0]), np.array([16.5]))
    assert abs(north[0]) < 0.02
    assert south[0] == pytest.approx(0.57, abs=0.02)
    assert aloft[0] == pytest.approx(5.0, abs=0.1)


def test_decimal_years():
    assert co2prior.decimal_year(np.array([JULY_2026]))[0] == pytest.approx(2026 + 181.861 / 365, abs=1e-5)


def test_the_file_holds_all_scenes_as_the_table_says(tmp_path):
    prior.write(tmp_path / "prior.nc", [scene([22.0, 21.0]), scene([20.0], first_id=5)], Prior(), 1)
    with netCDF4.Dataset(tmp_path / "prior.nc") as file:
        assert file["sounding_id"][:].tolist() == [10**11 + 11, 10**11 + 21, 10**11 + 51]
        assert file["pressure"].shape == (3, 72)
        assert (file["pressure"].units, file["co2"].units, file["wind_speed"].units) == ("Pa", "ppm", "m s-1")
        assert set(file.variables) == {
            "sounding_id",
            "surface_pressure",
            "surface_altitude",
            "pressure",
            "temperature",
            "specific_humidity",
            "co2",
            "wind_speed",
            "brdf_volumetric",
            "brdf_geometric",
        }
    assert [p.name for p in tmp_path.iterdir()] == ["prior.nc"]
