import numpy as np
import pytest

from truth import biosphere, co2
from truth.atmosphere import sigma_levels

JULY = 2026.54
LONGITUDE = np.arange(-180.0, 180.0, 2.0)
YEAR = 2026 + np.arange(0.0, 1.0, 1.0 / 120.0)
ROUNDING_PPM = 1e-12


def test_forests_of_the_north_draw_down_in_summer():
    """Land against ocean at one latitude in July: 1 to 3 ppm, as models and satellites show."""
    siberia, atlantic, pacific = (biosphere.seasonal_xco2(58.0, x, JULY) for x in (105.0, -35.0, -150.0))
    assert 1.0 < atlantic - siberia < 3.0
    assert 1.0 < pacific - siberia < 3.0
    winter = biosphere.seasonal_xco2(58.0, 105.0, JULY + 0.5)
    assert 0.2 < winter < -siberia


def test_south_has_its_summer_half_a_year_later():
    """The lowest XCO2 of southern Africa comes between February and April, of Siberia in July or August."""
    africa, siberia = (
        YEAR[np.argmin(biosphere.seasonal_xco2(*place, YEAR))] % 1.0 for place in ((-14, 25), (60, 105))
    )
    assert 0.1 < africa < 0.33
    assert 0.5 < siberia < 0.67


@pytest.mark.parametrize("latitude_deg", [-40.0, -5.0, 22.0, 58.0, 85.0])
@pytest.mark.parametrize("year", [2026.04, 2026.3, JULY, 2026.75])
def test_zonal_mean_is_left_to_the_climatology(latitude_deg, year):
    """The trapezoid over a circle is exact for fields as smooth as these."""
    anomaly = biosphere.seasonal_xco2(latitude_deg, LONGITUDE, year)
    assert np.mean(anomaly) == pytest.approx(0.0, abs=ROUNDING_PPM)


def test_yearly_mean_is_left_to_the_climatology():
    anomaly = biosphere.seasonal_xco2(60.0, 105.0, YEAR)
    assert np.mean(anomaly) == pytest.approx(0.0, abs=ROUNDING_PPM)


def test_cycle_grows_from_west_to_east_over_eurasia():
    """Jacobs et al. 2021; the whole cycle is the zonal one with the anomaly."""
    pressure = 100_000.0 * sigma_levels(300)
    profile = co2.zonal_background(pressure, 60.0, YEAR[:, np.newaxis])
    zonal = np.trapezoid(profile, pressure, axis=-1) / (pressure[-1] - pressure[0]) - co2.base_ppm(YEAR)
    west, middle, east = (
        np.ptp(zonal + biosphere.seasonal_xco2(60.0, longitude, YEAR)) for longitude in (10.0, 50.0, 105.0)
    )
    assert 8.0 < west < middle < east < 13.0


def test_daily_range():
    """Some tenths of a ppm over growing forest, at most 1 ppm anywhere (Olsen and Randerson 2004)."""
    latitude = np.arange(-60.0, 80.0, 6.0)[:, np.newaxis, np.newaxis]
    hours = 3600.0 * np.arange(24.0)[:, np.newaxis]
    day = biosphere.daily_xco2(latitude, LONGITUDE[::3], JULY, hours)
    span = np.ptp(day, axis=1)
    assert 0.3 < span.max() < 1.0
    assert np.ptp(biosphere.daily_xco2(20.0, -160.0, JULY, 3600.0 * np.arange(24))) < 0.02
    np.testing.assert_allclose(day.mean(axis=1), 0.0, atol=ROUNDING_PPM)


def test_only_evergreen_forest_breathes_in_its_winter():
    hours = 3600.0 * np.arange(24.0)
    ranges = {
        place: [np.ptp(biosphere.daily_xco2(*place, year, hours)) for year in (JULY, JULY + 0.5)]
        for place in ((-8.0, -60.0), (58.0, 105.0))
    }
    amazon, siberia = ranges.values()
    assert 0.4 < min(amazon) < max(amazon) < 0.8
    assert siberia[1] < 0.1 * siberia[0]


def test_column_is_lowest_at_sunset():
    """Uptake all day lowers the column until the evening, whatever the longitude."""
    hours = np.arange(24.0)
    for longitude in (0.0, 105.0, -90.0):
        local = (hours - longitude / 15.0) % 24.0
        day = biosphere.daily_xco2(58.0, longitude, JULY, 3600.0 * local)
        assert hours[np.argmin(day)] == 18.0


def test_anomaly_sits_in_the_lowest_layers():
    pressure = 100_000.0 * sigma_levels(400)
    for shape, depth_pa in (
        (biosphere.seasonal_shape(pressure, 55.0), 40_000.0),
        (biosphere.daily_shape(pressure), 15_000.0),
    ):
        total = np.trapezoid(shape, pressure)
        low = pressure > pressure[-1] - depth_pa
        assert np.trapezoid(shape[low], pressure[low]) > 0.75 * total
        assert np.all(np.diff(shape) >= 0.0)


def test_neighbours_differ_little_even_at_the_pole():
    """No kinks: 0.1 degree changes less than 0.02 ppm; all meridians agree at the pole."""
    longitude = np.arange(-180.0, 180.0, 0.1)
    for latitude in (45.0, 60.0, 80.0):
        ring = biosphere.seasonal_xco2(latitude, longitude, JULY)
        assert np.abs(np.diff(np.append(ring, ring[0]))).max() < 0.02
    assert np.ptp(biosphere.seasonal_xco2(90.0, longitude, JULY)) < 1e-9
