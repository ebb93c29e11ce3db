"""What keeps a sounding from the retrieval, what grades it bad, and what is taken off its XCO2."""

from __future__ import annotations

import numpy as np
import pytest

from processors import products
from processors.l2 import prescreen, quality
from processors.l2.quality import Reason
from processors.l2.retrieval import NOT_ATTEMPTED, options_of, retrieve
from processors.l2.state import PARTICLES
from processors.l2.step import DEFAULTS

settings = dict(DEFAULTS)
GOOD = np.ones((4, 3), bool)
five_hpa, three_percent = 5.0, 0.03


def row(**change) -> dict:
    """Give a retrieval far from every limit."""
    found = {
        "chi2": np.full(4, 0.5),
        "psurf": 1000.0,
        "psurf_apriori": 1000.0,
        "albedo": np.array([0.2, 0.2, 0.4, 0.2]),
        "aerosol_optical_depth": np.array([0.01, 0.01, 0.001]),
        "xco2": 420.0,
    }
    return {**found, **change}


def snow(blended: float) -> np.ndarray:
    """Give albedos of a blended albedo, exact in B1 alone."""
    return np.array([blended / 2.4, 0.5, 0.0, 0.5])


def at(name: str, value: float) -> dict:
    """Put one of the limited quantities at a value, all else good."""
    return {
        "chi2": lambda: row(chi2=np.array([0.0, value, 0.0, 0.0])),
        "psurf above": lambda: row(psurf=1000.0 + value),
        "psurf below": lambda: row(psurf=1000.0 - value),
        "snow": lambda: row(albedo=snow(value)),
        "depth": lambda: row(aerosol_optical_depth=np.array([value, 0.0, 0.0])),
        "ice": lambda: row(aerosol_optical_depth=np.array([0.0, 0.0, value])),
        "co2 ratio": lambda: row(co2_ratio=1.0 + value),
        "h2o ratio": lambda: row(h2o_ratio=1.0 - value),
    }[name]()


LIMITS = {  # of what, reason, setting
    "chi2": (Reason.CHI2, "chi2_limit"),
    "psurf above": (Reason.SURFACE_PRESSURE, "psurf_limit"),
    "psurf below": (Reason.SURFACE_PRESSURE, "psurf_limit"),
    "snow": (Reason.SNOW, "snow_limit"),
    "depth": (Reason.AEROSOL, "aerosol_limit"),
    "ice": (Reason.AEROSOL, "ice_limit"),
    "co2 ratio": (Reason.AEROSOL, "co2_ratio_limit"),
    "h2o ratio": (Reason.AEROSOL, "h2o_ratio_limit"),
}
HALVES = {
    "chi2_limit": 1.5,
    "psurf_limit": 4.0,
    "snow_limit": 1.2,
    "aerosol_limit": 0.5,
    "ice_limit": 0.125,
    "co2_ratio_limit": 0.03125,
    "h2o_ratio_limit": 0.125,
}


@pytest.mark.parametrize("name", LIMITS)
def test_the_limit_itself_passes_and_the_next_number_does_not(name):
    """Limits that a float holds exactly; beyond, next float of the quantity as it is formed."""
    reason, setting = LIMITS[name]
    asked = settings | HALVES
    limit = HALVES[setting]
    rounding = {
        "psurf above": 1e-9,
        "psurf below": 1e-9,
        "snow": 1e-12,
        "co2 ratio": 1e-12,
        "h2o ratio": 1e-12,
    }
    beyond = rounding.get(name)
    over = np.nextafter(limit, 9.0) if beyond is None else limit + beyond
    assert quality.doubts(at(name, limit), GOOD, asked) == (0, 5)
    assert quality.doubts(at(name, over), GOOD, asked) == (reason, 5)


@pytest.mark.parametrize("name", LIMITS)
def test_limits_are_settings(name):
    reason, setting = LIMITS[name]
    found = at(name, 1.01 * settings[setting])
    assert quality.doubts(found, GOOD, settings)[0] == reason
    assert quality.doubts(found, GOOD, {**settings, setting: 1.1 * settings[setting]})[0] == 0


@pytest.mark.parametrize(
    ("found", "reasons"),
    [
        (row(chi2=np.full(4, np.nan)), Reason.CHI2),
        (row(psurf=np.nan), Reason.SURFACE_PRESSURE),
        (row(aerosol_optical_depth=np.array([np.nan, 0.0, 0.0])), Reason.AEROSOL),
        (row(aerosol_optical_depth=np.array([0.0, 0.0, np.nan])), Reason.AEROSOL),
        (row(chi2=np.full(4, np.nan), psurf=np.nan), Reason.CHI2 | Reason.SURFACE_PRESSURE),
    ],
)
def test_what_is_no_number_fails(found, reasons):
    assert quality.doubts(found, GOOD, settings) == (reasons, 5)


def test_a_band_that_is_not_fitted_does_not_count():
    """NaN in some bands: those left decide; the sea has no albedo and no snow."""
    nan = np.nan
    assert quality.doubts(row(chi2=np.array([nan, 0.5, nan, 0.5])), GOOD, settings)[0] == 0
    assert quality.doubts(row(chi2=np.array([nan, 9.0, nan, 0.5])), GOOD, settings)[0] == Reason.CHI2
    assert quality.doubts(row(albedo=np.full(4, nan)), GOOD, settings) == (0, 1)


def test_ratios_that_were_not_found_do_not_count():
    found = row(co2_ratio=np.nan, h2o_ratio=np.nan)
    assert quality.doubts(found, GOOD, settings) == quality.doubts(row(), GOOD, settings)
    del found["aerosol_optical_depth"]
    assert quality.aerosol_share(found, settings) == 0.0


def test_one_spectel_less_is_a_reason():
    holes = GOOD.copy()
    holes[2, 1] = False
    assert quality.doubts(row(), holes, settings)[0] == Reason.SPECTELS


@pytest.mark.parametrize("name", LIMITS)
def test_warn_level_climbs_with_the_share_of_a_limit(name):
    """0 to 5 in fifths of the limit, never down, and the largest share of all decides."""
    setting = LIMITS[name][1]
    asked = {**settings, **dict.fromkeys(HALVES, 100.0), setting: settings[setting]}
    shares = np.array([0.0, 0.1, 0.19, 0.21, 0.39, 0.41, 0.61, 0.81, 0.99, 1.01, 3.0, 1e6])
    levels = [quality.doubts(at(name, share * settings[setting]), GOOD, asked)[1] for share in shares]
    assert levels == [0, 0, 0, 1, 1, 2, 3, 4, 4, 5, 5, 5]
    both = at(name, 0.65 * settings[setting]) | ({"chi2": np.full(4, 45.0)} if name != "chi2" else {})
    assert quality.doubts(both, GOOD, asked)[1] == 3


def test_negative_depths_and_bare_ground_do_not_lower_the_level():
    dark = row(albedo=np.array([0.0, 0.1, 0.9, 0.1]), aerosol_optical_depth=np.array([-0.05, -0.05, -0.01]))
    assert quality.doubts(dark, GOOD, settings) == (0, 1)  # of chi-square


@pytest.mark.parametrize(("depth", "share"), [((0.2, 0.2, 0.05), 0.9), ((0.0, 0.0, 0.05), 0.4)])
def test_ice_has_a_limit_of_its_own(depth, share):
    found = row(aerosol_optical_depth=np.array(depth))
    assert quality.aerosol_share(found, HALVES) == pytest.approx(share, rel=1e-12)


@pytest.mark.parametrize(
    ("change", "cloud"),
    [
        ({}, False),
        ({"psurf_change_o2a": 100.0}, False),
        ({"psurf_change_o2a": -100.0}, False),
        ({"psurf_change_o2a": np.nextafter(100.0, 101.0)}, True),
        ({"psurf_change_o2a": np.nextafter(-100.0, -101.0)}, True),
        ({"co2_ratio": 0.7}, False),
        ({"co2_ratio": 1.4}, False),
        ({"co2_ratio": np.nextafter(0.7, 0.0)}, True),
        ({"co2_ratio": np.nextafter(1.4, 2.0)}, True),
        ({"psurf_change_o2a": np.nan, "co2_ratio": np.nan, "h2o_ratio": np.nan}, False),
        ({"psurf_change_o2a": np.nan, "co2_ratio": 2.0}, True),
    ],
)
def test_the_limits_of_cloud_pass_and_what_is_beyond_does_not(change, cloud):
    """Bands that are not fitted have nothing to say."""
    found = {"psurf_change_o2a": 0.0, "co2_ratio": 1.0, "h2o_ratio": 1.0} | change
    assert prescreen.cloudy(found, settings) == (Reason.CLOUD if cloud else 0)


@pytest.fixture
def screened(narrow, l2_kit):
    """Give the function that retrieves light of one case under the forecast of another, one iteration."""

    def screened(case, told, mode: str = "clear", **change) -> dict:
        asked = {**settings, "mode": mode, "max_iterations": 1, **change}
        sounding = narrow.measured(case, options=options_of(asked))
        return retrieve([(sounding, l2_kit.forecast(told))], narrow.aux, asked)[0]

    return screened


@pytest.mark.parametrize("mode", ["clear", "full"])
@pytest.mark.parametrize(("top_hpa", "albedo"), [(800.0, 0.6), (500.0, 0.6), (310.0, 0.7)])
def test_a_cloud_is_left_out(screened, l2_kit, top_hpa, albedo, mode):
    """A white wall at the cloud's top under a forecast of 1013 hPa."""
    wall = l2_kit.Case(psurf=top_hpa, albedo=(albedo, 0.8 * albedo, 0.5 * albedo, 0.9 * albedo))
    found = screened(wall, l2_kit.Case(), mode)
    assert (found["outcome_flag"], found["quality_reasons"]) == (NOT_ATTEMPTED, Reason.CLOUD)
    assert (found["xco2_quality_flag"], found["iterations"]) == (1, 0)
    assert set(prescreen.NAMES) < set(found)
    assert "xco2" not in found
    tried = screened(wall, l2_kit.Case(), mode, prescreen=False)
    assert tried["outcome_flag"] != NOT_ATTEMPTED


CLEAR = {
    "bright": {"albedo": (0.4, 0.45, 0.4, 0.4)},
    "grey": {},
    "dark": {"albedo": (0.05, 0.03, 0.02, 0.04)},
    "canopy": {"albedo": (0.43, 0.19, 0.05, 0.37)},
    "mountain": {"psurf": 700.0},
    "low Sun": {"sza": 75.0},
    "sea": {"glint": True, "sza": 40.0, "vza": 40.0, "raa": 180.0},
}


@pytest.mark.parametrize("mode", ["clear", "full"])
@pytest.mark.parametrize("error_hpa", [-10.0, 0.0, 10.0])
@pytest.mark.parametrize("name", CLEAR)
def test_clear_air_passes_and_its_pressure_is_known(screened, l2_kit, name, error_hpa, mode):
    """p_s of B1 alone within 5 hPa of the truth though the forecast errs by 10; B2 and B3 agree."""
    case = l2_kit.Case(**CLEAR[name])
    told = l2_kit.replace(case, psurf=case.psurf + error_hpa)
    found = screened(case, told, mode)
    assert found["outcome_flag"] != NOT_ATTEMPTED
    assert abs(told.psurf + found["psurf_change_o2a"] - case.psurf) < five_hpa
    assert found["co2_ratio"] == pytest.approx(1.0, abs=three_percent)


def test_more_co2_in_one_band_shows_in_the_ratio(narrow, l2_kit):
    """B2 of air with 10 % more CO2 beside B3 of the forecast's."""
    options = options_of({**settings, "mode": "clear"})
    case = l2_kit.Case()
    state = narrow.model(case, options).state
    x = state.x_a.copy()
    x[state["co2"]] *= 1.1
    mixed, more = (narrow.measured(case, None, seen, options) for seen in (None, x))
    for name in ("radiance", "radiance_uncertainty"):
        mixed[name][1] = more[name][1]
    asked = {**settings, "mode": "clear", "max_iterations": 1}
    found = retrieve([(mixed, l2_kit.forecast(case))], narrow.aux, asked)[0]
    assert found["co2_ratio"] == pytest.approx(1.1, abs=0.01)


@pytest.mark.parametrize(
    ("bands", "finite"),
    [(["B1"], {"psurf_change_o2a"}), (["B2", "B3"], {"co2_ratio", "h2o_ratio"}), (["B3", "B4"], set())],
)
def test_a_band_that_is_not_fitted_is_not_asked(screened, l2_kit, bands, finite):
    found = screened(l2_kit.Case(), l2_kit.Case(), bands=bands)
    assert {name for name in prescreen.NAMES if np.isfinite(found[name])} == finite
    assert found["outcome_flag"] != NOT_ATTEMPTED


def test_the_table_names_the_reasons_as_the_code_does():
    table = products.table("l2")
    spec = table["variables"]["quality_reasons"]
    assert spec["flag_masks"] == [int(reason) for reason in Reason]
    assert spec["flag_meanings"].split() == [reason.name.lower() for reason in Reason]
    assert max(spec["flag_masks"]) < np.iinfo(spec["dtype"]).max
    assert set(prescreen.NAMES) < set(table["variables"])
    assert table["dimensions"]["particle"] == len(PARTICLES)


@pytest.mark.parametrize("glint", [False, True])
def test_bias_is_linear_in_the_depth_of_ice(monkeypatch, glint):
    """Land and sea apart; depths below 0, which noise about none has as well, are no exception."""
    monkeypatch.setattr(quality, "BIAS", {glint: 20.0, not glint: 0.0})
    for ice in (0.01, 0.0, -0.003):
        found = row(psurf=1002.0, aerosol_optical_depth=np.array([0.1, 0.05, ice]))
        assert quality.bias_ppm(found, glint) == pytest.approx(20.0 * ice, abs=1e-12)
        assert quality.bias_ppm(found, not glint) == 0.0


def test_bias_correction_is_off_unless_asked(narrow, l2_kit, monkeypatch):
    """On, XCO2 alone changes, by what the coefficient says of the row itself; what it was stays beside it."""
    monkeypatch.setattr(quality, "BIAS", {False: 20.0, True: 0.0})
    asked = {**settings, "mode": "full"}
    case = l2_kit.Case()
    pair = (narrow.measured(case, options=options_of(asked)), l2_kit.forecast(case))
    off, on = (retrieve([pair], narrow.aux, {**asked, **more})[0] for more in ({}, {"bias_correction": True}))
    assert on["xco2"] == pytest.approx(off["xco2"] - 20.0 * off["aerosol_optical_depth"][2], abs=1e-9)
    assert on["xco2"] != off["xco2"]
    assert on.pop("xco2_raw") == off["xco2"]
    assert set(on) == set(off)
    for name in set(off) - {"xco2"}:
        np.testing.assert_array_equal(on[name], off[name])


@pytest.mark.parametrize(
    ("flag", "refused"), [(0, False), (1, False), (4, False), (8, False), (16, True), (32, True), (49, True)]
)
def test_what_level_1_doubts_is_not_retrieved(narrow, l2_kit, flag, refused):
    case = l2_kit.Case()
    sounding = {**narrow.sounding(case), "quality_flag": flag}
    reason = quality.refusal(sounding, l2_kit.forecast(case), settings)
    assert reason == (Reason.LEVEL_1 if refused else quality.NONE)
