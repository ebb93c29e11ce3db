import numpy as np
import pytest

from truth import atmosphere, relief
from truth.config import TruthConfig

STEEP = TruthConfig(surface="map", relief=True)


def globe(count: int = 100_000) -> tuple[np.ndarray, np.ndarray]:
    """Spread points evenly over the sphere (golden-angle spiral)."""
    n = np.arange(count) + 0.5
    return np.degrees(np.arcsin(1 - 2 * n / count)), (n * 222.492_235_95) % 360.0 - 180.0


def test_land_covers_what_atlases_say():
    """29.2 % of the Earth; lakes count as land here."""
    half_percent = 0.005
    assert relief.land_share(*globe()).mean() == pytest.approx(0.292, abs=half_percent)


@pytest.mark.parametrize(
    ("place", "latitude", "longitude", "altitude_m"),
    [
        ("Denver", 39.74, -104.98, 1_609),
        ("Lhasa", 29.65, 91.10, 3_650),
        ("Madrid", 40.42, -3.70, 667),
        ("Park Falls", 45.945, -90.273, 473),
        ("Lamont", 36.604, -97.486, 320),
        ("Dome C", -75.10, 123.35, 3_233),
        ("Amsterdam", 52.37, 4.90, 0),
    ],
)
def test_altitude_of_known_places(place, latitude, longitude, altitude_m):
    """Within the table's step of 28 m and what the 10 km around differ, 15 % of their height."""
    coarse, roughness = relief.coarse_altitude_m(latitude, longitude)
    assert coarse == pytest.approx(altitude_m, abs=28.0 + 0.15 * altitude_m)
    assert roughness < 28.0 + 0.1 * altitude_m


@pytest.mark.parametrize(
    ("camp", "latitude", "longitude", "altitude_m"),
    [
        ("Summit", 72.58, -38.46, 3_216),
        ("NGRIP", 75.10, -42.32, 2_917),
        ("NEEM", 77.45, -51.06, 2_450),
        ("DYE-3", 65.18, -43.83, 2_480),
        ("Camp Century", 77.17, -61.13, 1_886),
        ("EastGRIP", 75.63, -35.99, 2_704),
        ("Humboldt", 78.53, -56.83, 1_995),
        ("Tunu-N", 78.02, -33.98, 2_113),
    ],
)
def test_greenland_is_covered_by_its_ice(camp, latitude, longitude, altitude_m):
    """Within 10 %: the table alone holds the bed, down to -59 m."""
    coarse, roughness = relief.coarse_altitude_m(latitude, longitude)
    assert coarse == pytest.approx(altitude_m, rel=0.1)
    assert roughness < 20.0


def test_ice_has_the_area_and_the_height_of_greenlands():
    """1.71 million km2 and 2135 m on average, published."""
    latitude, longitude = globe()
    ice = relief.ice_sheet_m(latitude, longitude)
    assert np.mean(ice > 0.0) * 510.1 == pytest.approx(1.71, rel=0.05)
    assert ice[ice > 0.0].mean() == pytest.approx(2135.0, rel=0.05)


def test_ice_raises_nothing_else():
    """The shore of the Dead Sea, 430 m below sea level, stays below; so does the sea beside the ice."""
    assert relief.coarse_altitude_m(31.5, 35.45)[0] < -150.0
    assert np.all(relief.ice_sheet_m(np.array([70.0, 64.2, -75.0]), np.array([-15.0, -51.7, -40.0])) == 0.0)


def test_mean_altitude_of_the_land():
    """797 m by hypsographic tables; the 5' table, with steps of 28 m, is 17 m lower."""
    latitude, longitude = globe()
    land = relief.land_share(latitude, longitude)
    mean = np.sum(land * relief.coarse_altitude_m(latitude, longitude)[0]) / land.sum()
    assert mean == pytest.approx(797.0, rel=0.03)


def test_sea_is_flat_and_at_zero():
    longitude = np.linspace(-150.0, -140.0, 50)
    assert np.all(relief.altitude_m(np.full(50, 5.0), longitude, 1, STEEP) == 0.0)
    assert np.all(relief.land_share(np.full(50, 5.0), longitude) == 0.0)


def test_a_scenario_without_relief_is_flat():
    place = np.array([27.99]), np.array([86.93])
    assert relief.altitude_m(*place, 1, TruthConfig(surface="map")) == 0.0
    assert relief.altitude_m(*place, 1, TruthConfig(surface="ocean", relief=True)) == 0.0
    assert relief.altitude_m(*place, 1, STEEP) > 5_000.0


@pytest.mark.parametrize("table", [relief.land_share, lambda *place: relief.coarse_altitude_m(*place)[0]])
def test_maps_join_at_the_date_line(table):
    latitude = np.arange(-80.0, 80.0, 0.37)
    west, east = (table(latitude, np.full(latitude.size, x)) for x in (179.99999, -179.99999))
    np.testing.assert_allclose(west, east, atol=0.05)


def test_steps_of_the_table_are_smoothed():
    """Along 200 km of the Great Plains the ground climbs without steps of 28 m."""
    latitude, longitude = np.full(2000, 39.0), np.linspace(-101.0, -98.7, 2000)
    climb = np.diff(relief.coarse_altitude_m(latitude, longitude)[0])
    one_metre = 1.0
    assert np.abs(climb).max() < one_metre
    assert np.abs(np.diff(climb)).max() < 0.01


def test_hills_grow_with_roughness():
    """Within 3 km, hills rise above the smooth relief by tens of metres on Etna, by metres in Flanders."""
    spread = []
    for latitude, longitude in ((37.75, 15.0), (51.0, 3.2)):
        place = np.meshgrid(latitude + np.linspace(-0.02, 0.02, 9), longitude + np.linspace(-0.02, 0.02, 9))
        fine = relief.altitude_m(*place, 3, STEEP) - relief.coarse_altitude_m(*place)[0]
        spread.append(fine.std())
    assert spread[0] > 40.0
    assert spread[1] < 5.0


def test_hills_are_a_function_of_place_and_seed():
    latitude, longitude = np.array([46.0, 46.1]), np.array([8.0, 8.1])
    one = relief.altitude_m(latitude, longitude, 1, STEEP)
    assert relief.altitude_m(latitude[1:], longitude[1:], 1, STEEP) == pytest.approx(one[1])
    assert np.all(np.abs(relief.altitude_m(latitude, longitude, 2, STEEP) - one) > 1.0)


def test_pressure_over_relief_in_the_standard_atmosphere():
    """Below, a hand-made barometric formula; here its tabulated pairs: 700 hPa at 3012 m, 500 hPa at 5574 m.

    Midlatitude summer is 8 K and winter 11 K off the standard 288 K, spring between them: 1 % of the height.
    """
    for season in (0.3, 0.8):
        pressure = atmosphere.pressure_at_altitude(
            np.array([3_012.0, 5_574.0]), np.full(2, 101_325.0), np.full(2, 45.0), np.full(2, season)
        )
        np.testing.assert_allclose(pressure, (70_000.0, 50_000.0), rtol=0.012)


def test_pressure_at_sea_level_is_itself():
    pressure = atmosphere.pressure_at_altitude(
        np.zeros(3), np.array([98_000.0, 101_325.0, 104_000.0]), np.zeros(3), 0.2
    )
    np.testing.assert_allclose(pressure, (98_000.0, 101_325.0, 104_000.0), rtol=1e-12)


@pytest.mark.parametrize("altitude_m", [-400.0, 150.0, 2_345.0, 4_807.0, 8_600.0])
def test_pressure_and_altitude_are_inverse(altitude_m):
    """Integrated back in fine layers the height returns: within the 1 Pa of interpolation."""
    latitude, sea_level = np.array([28.0]), np.array([101_000.0])
    surface = atmosphere.pressure_at_altitude(np.array([altitude_m]), sea_level, latitude, np.array([0.6]))
    lowest, highest = sorted((float(surface[0]), float(sea_level[0])))
    pressure = np.linspace(lowest, highest, 2_000)[np.newaxis]
    air = atmosphere.climatology(pressure, latitude, 0.6)
    rise = atmosphere.altitude(pressure, *air, latitude, min(altitude_m, 0.0))[0, 0] - min(altitude_m, 0.0)
    one_pascal = 0.1
    assert rise == pytest.approx(abs(altitude_m), abs=one_pascal)
