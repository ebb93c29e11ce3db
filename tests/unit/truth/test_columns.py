from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from truth import atmosphere, biosphere, plumes
from truth.columns import co2_fields
from truth.config import Source, TruthConfig
from truth.constants import AVOGADRO
from truth.footprint import sub_samples
from truth.times import decimal_year

JULY = datetime(2026, 7, 1, 3, tzinfo=UTC).timestamp()
ALL = TruthConfig(plumes="steady", sources=(Source("chimney", 60.0, 105.0, 30.0),))
LAYERS = ("biosphere", "synoptic", "plume")
ROUNDING_PPM = 1e-9


def air(latitude: float, longitude: float) -> tuple:
    """Build one footprint 9 km long and 4.5 km wide and the air above it."""
    north, east = 0.04, 0.04
    samples = sub_samples(
        latitude + north * np.array([[1, 1, -1, -1]]), longitude + east * np.array([[0.0, 1.0, 1.0, 0.0]])
    )
    place = (np.array([latitude]), np.array([longitude]), np.array([JULY]))
    pressure = 99_000.0 * atmosphere.sigma_levels()[np.newaxis]
    temperature, humidity = atmosphere.climatology(pressure, place[0], decimal_year(place[2]) % 1.0)
    altitude = atmosphere.altitude(pressure, temperature, humidity, place[0])
    levels = ("sounding", "level")
    fields = {
        "pressure": (levels, pressure),
        "specific_humidity": (levels, humidity),
        "altitude": (levels, altitude),
    }
    return samples, fields, place


def co2(config: TruthConfig, latitude: float = 60.0, longitude: float = 105.0) -> dict[str, np.ndarray]:
    values = co2_fields(*air(latitude, longitude), config, 3)
    return {name: value for name, (_, value) in values.items()}


def weights(latitude: float = 60.0, longitude: float = 105.0) -> np.ndarray:
    _, fields, place = air(latitude, longitude)
    levels = (fields[name][1] for name in ("pressure", "specific_humidity", "altitude"))
    return atmosphere.columns(*levels, place[0]).dry_air


def test_each_layer_can_be_switched_and_reports_its_share():
    """What XCO2 loses when a layer is switched off is the share the file gave for it."""
    whole = co2(ALL)
    off = {"biosphere": {"biosphere": False}, "synoptic": {"synoptic": False}, "plume": {"plumes": "none"}}
    for layer in LAYERS:
        without = co2(replace(ALL, **off[layer]))
        assert whole["xco2"] - without["xco2"] == pytest.approx(whole[f"xco2_{layer}"], abs=ROUNDING_PPM)
        assert without[f"xco2_{layer}"] == 0.0
        assert abs(whole[f"xco2_{layer}"][0]) > 0.01


def test_profile_and_column_agree():
    whole = co2(ALL)
    column = np.sum(atmosphere.level_weights(weights()) * whole["co2"], axis=1)
    np.testing.assert_allclose(whole["xco2"], column, atol=ROUNDING_PPM)


def test_plume_counts_the_dry_air_of_the_column():
    """The share is the mean of the cells; 8.9 km of latitude hold 0.409 ppm km per Mt/yr of the crosswind."""
    samples, _, place = air(60.0, 105.0)
    dry_air = weights().sum(axis=1) / AVOGADRO
    cells = plumes.enhancement(samples, dry_air, place[2], ALL, 3)
    share = co2(ALL)["xco2_plume"]
    assert share == pytest.approx(np.sum(samples.weight * cells, axis=1), rel=1e-12)
    air_of_the_day = 0.02
    assert share[0] == pytest.approx(30.0 * 0.409 * 5.0 / 7.0 * 1000.0 / 990.0 / 8.9, rel=air_of_the_day)


def test_plume_makes_the_footprint_uneven():
    even, uneven = co2(replace(ALL, plumes="none")), co2(ALL)
    assert uneven["xco2_footprint_sd"][0] > 10.0 * even["xco2_footprint_sd"][0]


def test_uniform_field_takes_plumes_but_neither_land_nor_weather():
    plain = co2(replace(ALL, co2="uniform", co2_uniform=400.0))
    assert plain["xco2_biosphere"] == plain["xco2_synoptic"] == 0.0
    assert plain["xco2"] - 400.0 == pytest.approx(plain["xco2_plume"])


def test_forest_lowers_the_boundary_layer_most():
    with_land, without = (co2(replace(ALL, biosphere=on, plumes="none")) for on in (True, False))
    change = (with_land["co2"] - without["co2"])[0]
    assert change[-1] < -1.5
    assert change[np.argmin(change)] < -3.0
    assert abs(change[20]) < 0.5
    year = decimal_year(np.array([JULY]))
    expected = biosphere.seasonal_xco2(60.0, 105.02, year) + biosphere.daily_xco2(60.0, 105.02, year, JULY)
    within_the_footprint_ppm = 1e-3
    assert with_land["xco2_biosphere"] == pytest.approx(expected, abs=within_the_footprint_ppm)
