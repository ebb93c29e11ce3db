"""Numbers that are finite and make no sense: a sounding is flagged, and takes no other with it."""

from __future__ import annotations

import numpy as np
import pytest

from processors.job import BadInput
from processors.l2 import retrieval
from processors.l2.quality import Reason
from processors.l2.retrieval import DIVERGED, NOT_ATTEMPTED, retrieve
from processors.l2.step import DEFAULTS

clear = {**DEFAULTS, "mode": "clear", "prescreen": False}


@pytest.fixture(scope="module")
def land(narrow, l2_kit):
    case = l2_kit.Case()
    return narrow.measured(case), l2_kit.forecast(case)


def refused(row: dict) -> bool:
    return row == {
        "outcome_flag": NOT_ATTEMPTED, "xco2_quality_flag": 1, "quality_reasons": Reason.MISSING_DATA,
        "iterations": 0,
    }  # fmt: skip


ABSURD_GEOMETRY = [
    *(("fov", value) for value in (0, -1, 4)),
    *(("operation_mode", value) for value in (4, -1, 127)),
    *(("sensor_zenith_angle", value) for value in (-30.0, 85.0, 90.0, 180.0, 1e30)),
    *(("earth_sun_distance", value) for value in (-1.0, 0.0, 1e-200, 1e200)),
    *(("sun_recession_speed", value) for value in (1e5, 299_792_458.0, -1e30)),
    *(("sensor_recession_speed", value) for value in (1e5, -3e8)),
    *(("latitude", value) for value in (95.0, 1e30)),
    ("solar_zenith_angle", -10.0), ("solar_azimuth_angle", 1e30),
]  # fmt: skip
ABSURD_FORECAST = {
    "pressure reversed": ("pressure", lambda p: p[::-1]),
    "pressure constant": ("pressure", lambda p: np.full_like(p, 5e4)),
    "pressure nought": ("pressure", lambda p: 0.0 * p),
    "pressure negative": ("pressure", lambda p: -p),
    "temperature nought": ("temperature", lambda t: 0.0 * t),
    "temperature huge": ("temperature", lambda t: 1e6 * t),
    "temperature of no place": ("temperature", lambda t: t + 45.0),
    "humidity huge": ("specific_humidity", lambda q: 1e6 * q),
    "humidity negative": ("specific_humidity", lambda q: -q),
    "co2 huge": ("co2", lambda x: 1e35 * x),
    "co2 negative": ("co2", lambda x: -x),
    "wind negative": ("wind_speed", lambda v: -3.0),
    "wind huge": ("wind_speed", lambda v: 1e6),
    "kernel huge": ("brdf_volumetric", lambda k: 1e300),
    "altitude huge": ("surface_altitude", lambda z: 1e9),
}


@pytest.mark.parametrize(("name", "value"), ABSURD_GEOMETRY)
def test_geometry_without_sense_is_flagged(narrow, land, name, value):
    sounding, forecast = land
    assert refused(retrieve([({**sounding, name: value}, forecast)], narrow.aux, clear)[0])


@pytest.mark.parametrize("name", ABSURD_FORECAST)
def test_absurd_forecast_is_flagged(narrow, land, name):
    sounding, forecast = land
    key, change = ABSURD_FORECAST[name]
    assert refused(retrieve([(sounding, {**forecast, key: change(forecast[key])})], narrow.aux, clear)[0])


def test_what_makes_sense_is_tried(narrow, land):
    """Or the tests above could pass for nothing."""
    assert retrieve([land], narrow.aux, clear)[0]["outcome_flag"] != NOT_ATTEMPTED


@pytest.mark.parametrize("wind", [0.0, 0.1, 60.0])
def test_forecast_without_wind_is_tried(narrow, l2_kit, wind):
    """A calm or a storm is weather: the prior's wind is held within what the sea's model knows."""
    case = l2_kit.Case(glint=True, sza=40.0, vza=40.0, raa=179.0)
    pair = (narrow.sounding(case), {**l2_kit.forecast(case), "wind_speed": wind})
    [row] = retrieve([pair], narrow.aux, clear)
    assert row["outcome_flag"] != NOT_ATTEMPTED


def test_a_sounding_that_cannot_be_tried_takes_no_other_with_it(narrow, l2_kit, monkeypatch, capsys):
    """Whatever the fault: it is flagged and named, and the others' numbers stay the same."""
    cases = [l2_kit.Case(), l2_kit.Case(sza=50.0), l2_kit.Case(sza=60.0)]
    pairs = [(narrow.measured(case), l2_kit.forecast(case)) for case in cases]
    for n, (sounding, _) in enumerate(pairs):
        sounding["sounding_id"] = 100 + n
    alone = [retrieve([pair], narrow.aux, clear)[0] for pair in pairs]
    whole_setup = retrieval.setup

    def failing(sounding, *others):
        if sounding["sounding_id"] == 101:
            raise ZeroDivisionError("division by zero")
        return whole_setup(sounding, *others)

    monkeypatch.setattr(retrieval, "setup", failing)
    first, lost, last = retrieve(pairs, narrow.aux, clear)
    for got, expected in ((first, alone[0]), (last, alone[2])):
        assert set(got) == set(expected)
        for name in got:
            np.testing.assert_array_equal(got[name], expected[name])
    assert lost["outcome_flag"] == DIVERGED
    assert "xco2" not in lost
    assert capsys.readouterr().err == "sounding 101: ZeroDivisionError: division by zero: flagged\n"


BROKEN_RESPONSES = {
    "expected numbers": ("isrf", lambda r: np.where(r == r.max(axis=-1, keepdims=True), np.nan, r)),
    "expected areas of 1, got 0:": ("isrf", lambda r: 0.0 * r),
    "expected areas of 1, got -1:": ("isrf", lambda r: -r),
    "expected areas of 1, got 1.02:": ("isrf", lambda r: 1.02 * r),
    "rise, the latter in even steps": ("isrf_offset", lambda x: x[:, ::-1]),
    "in even steps, got others": ("isrf_offset", lambda x: np.sign(x) * x**2),
    "isrf_node and isrf_offset that rise": ("isrf_node", lambda x: x[::-1]),
}


@pytest.mark.parametrize("said", BROKEN_RESPONSES)
def test_response_without_sense_is_bad_input(narrow, l2_kit, said):
    """Calibration data are of all soundings: one clear error."""
    key, change = BROKEN_RESPONSES[said]
    whole = l2_kit.gaussian_isrf()
    aux = l2_kit.replace(narrow.fresh(), ckd={"isrf": {**whole, key: change(whole[key])}})
    with pytest.raises(BadInput, match=said):
        aux.response(1, 2)


def test_calibration_without_responses_is_bad_input(narrow, l2_kit):
    with pytest.raises(BadInput, match="isrf of B2, field of view 2: expected its arrays, got none"):
        l2_kit.replace(narrow.fresh(), ckd={}).response(1, 2)
