"""One sounding through L2: what comes back of what was put in, and what becomes of broken ones."""

from __future__ import annotations

import numpy as np
import pytest

from processors import products
from processors.l2 import quality
from processors.l2.quality import Reason
from processors.l2.retrieval import CONVERGED, NOT_ATTEMPTED, retrieve
from processors.l2.step import DEFAULTS

GEOMETRY = (
    "solar_zenith_angle", "sensor_zenith_angle", "solar_azimuth_angle", "sensor_azimuth_angle",
    "sensor_recession_speed", "sun_recession_speed", "earth_sun_distance", "latitude",
)  # fmt: skip
FLAGS_ONLY = {"outcome_flag", "xco2_quality_flag", "quality_reasons", "iterations"}
REFUSALS = (Reason.LOW_SUN, Reason.DARK, Reason.MISSING_DATA)
settings = dict(DEFAULTS)
five_sigma = 5.0


@pytest.fixture(scope="module")
def land(narrow, l2_kit):
    case = l2_kit.Case()
    return narrow.measured(case), l2_kit.forecast(case)


def changed(values: dict, **change) -> dict:
    return {**values, **change}


def assert_flagged_without_values(row: dict) -> None:
    assert row["outcome_flag"] == NOT_ATTEMPTED
    assert row["xco2_quality_flag"] == 1
    assert row["quality_reasons"] in REFUSALS
    assert set(row) == FLAGS_ONLY


@pytest.mark.parametrize(("glint", "psurf"), [(False, 1013.0), (True, 1000.0), (False, 700.0)])
def test_noisy_spectra_of_the_prior_give_the_prior_back(narrow, l2_kit, glint, psurf):
    case = l2_kit.Case(glint, 40.0, 40.0, 180.0, psurf)
    row = retrieve(narrow.measured(case), l2_kit.forecast(case), narrow.aux, settings)
    assert (row["outcome_flag"], row["xco2_quality_flag"]) == (CONVERGED, 0)
    assert row["iterations"] <= 5
    assert abs(row["xco2"] - row["xco2_apriori"]) < five_sigma * row["xco2_uncertainty_noise"]
    assert abs(row["psurf"] - psurf) < five_sigma * row["psurf_uncertainty"]
    standard_error = np.sqrt(2.0 / 1024)
    np.testing.assert_allclose(row["chi2"], 1.0, atol=five_sigma * standard_error)
    parts = [row[f"xco2_uncertainty_{part}"] for part in ("noise", "smoothing", "interference")]
    assert np.sqrt(np.square(parts).sum()) == pytest.approx(row["xco2_uncertainty"], rel=1e-6)
    assert row["pressure_weight"].sum() == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("glint", [False, True])
def test_true_state_comes_back_as_the_kernel_smooths_it(narrow, l2_kit, glint):
    """No noise, a truth off the prior. Neglected derivatives of the diffuse light cost up to 0.1 ppm here."""
    tenth_ppm, tenth_hpa = 0.1, 0.1
    case = l2_kit.Case(glint, 40.0, 40.0, 180.0)
    model = narrow.model(case)
    sv = model.state
    truth = sv.x_a.copy()
    truth[sv["co2"]] += np.linspace(-2.0, 8.0, 20)
    truth[sv["psurf"]] += 3.0
    truth[sv["h2o"]] = 1.2
    row = retrieve(narrow.measured(case, None, truth), l2_kit.forecast(case), narrow.aux, settings)
    h, a = row["pressure_weight"], row["xco2_averaging_kernel"]
    smoothed = row["xco2_apriori"] + np.sum(h * a * (truth - sv.x_a)[sv["co2"]])
    post_interference = 0.3 * row["xco2_uncertainty_interference"]
    assert row["outcome_flag"] == CONVERGED
    assert abs(row["xco2"] - smoothed) < tenth_ppm + post_interference
    assert abs(row["psurf"] - truth[sv["psurf"]][0]) < tenth_hpa + row["psurf_uncertainty"]


@pytest.mark.parametrize("name", GEOMETRY)
def test_missing_geometry_is_flagged(narrow, land, name):
    sounding, forecast = land
    row = retrieve(changed(sounding, **{name: np.nan}), forecast, narrow.aux, settings)
    assert_flagged_without_values(row)


@pytest.mark.parametrize(("name", "value"), [("psurf", 299.0), ("psurf", 1091.0), ("temperature", 43.0)])
def test_states_beyond_layers_and_tables_have_no_radiance(narrow, l2_kit, name, value):
    model = narrow.model(l2_kit.Case())
    x = model.state.x_a.copy()
    x[model.state[name]] = value
    F, K = model(x)
    assert np.isnan(F).all()
    assert np.isnan(K).all()


@pytest.mark.parametrize(("sza", "tried"), [(79.9, True), (80.0, False), (95.0, False)])
def test_low_sun_is_not_attempted(narrow, l2_kit, sza, tried):
    case = l2_kit.Case(sza=min(sza, 79.9))
    sounding = changed(narrow.sounding(case), solar_zenith_angle=sza)
    row = retrieve(sounding, l2_kit.forecast(case), narrow.aux, changed(settings, max_iterations=1))
    assert (row["outcome_flag"] != NOT_ATTEMPTED) is tried


@pytest.mark.parametrize(
    ("name", "value"),
    [("surface_pressure", np.nan), ("surface_pressure", 0.0), ("surface_pressure", 115_000.0),
     ("temperature", np.nan), ("co2", np.nan), ("wind_speed", np.nan)],
)  # fmt: skip
def test_forecast_without_sense_is_flagged(narrow, land, name, value):
    sounding, forecast = land
    broken = np.array(forecast[name], float)
    broken[-20 if broken.ndim else ...] = value
    assert_flagged_without_values(
        retrieve(sounding, changed(forecast, **{name: broken}), narrow.aux, settings)
    )


@pytest.mark.parametrize("band", range(4))
def test_missing_band_is_flagged(narrow, land, band):
    sounding, forecast = land
    quality = sounding["spectel_quality"].copy()
    quality[band] = 2
    radiance = sounding["radiance"].copy()
    radiance[band] = np.nan
    row = retrieve(
        changed(sounding, spectel_quality=quality, radiance=radiance), forecast, narrow.aux, settings
    )
    assert_flagged_without_values(row)


def test_saturated_spectels_are_left_out_and_the_sounding_graded_bad(narrow, land):
    sounding, forecast = land
    quality, radiance = sounding["spectel_quality"].copy(), sounding["radiance"].copy()
    quality[1, 100:400] = 1
    radiance[1, 100:400] *= 0.5
    broken = changed(sounding, spectel_quality=quality, radiance=radiance)
    row = retrieve(broken, forecast, narrow.aux, settings)
    assert (row["outcome_flag"], row["xco2_quality_flag"]) == (CONVERGED, 1)
    assert abs(row["xco2"] - row["xco2_apriori"]) < five_sigma * row["xco2_uncertainty_noise"]
    assert np.isnan(row["radiance_modelled"][1, 100:400]).all()
    assert np.isfinite(row["radiance_modelled"][1, 400:]).all()


@pytest.mark.parametrize(
    ("name", "value"),
    [("radiance", np.nan), ("radiance", np.inf), ("wavelength", np.nan), ("wavelength", np.inf),
     ("radiance_uncertainty", np.nan), ("radiance_uncertainty", 0.0), ("radiance_uncertainty", np.inf)],
)  # fmt: skip
def test_spectel_without_a_number_is_left_out(narrow, land, name, value):
    sounding, forecast = land
    values = sounding[name].copy()
    values[2, 500] = value
    row = retrieve(changed(sounding, **{name: values}), forecast, narrow.aux, settings)
    assert row["outcome_flag"] == CONVERGED
    assert abs(row["xco2"] - row["xco2_apriori"]) < five_sigma * row["xco2_uncertainty_noise"]


@pytest.mark.parametrize("level", [0.0, 1e-4, -1.0])
@pytest.mark.parametrize("glint", [False, True])
def test_dark_scene_is_flagged(narrow, l2_kit, glint, level):
    """Noise alone, or light a ten thousandth of the usual, or an offset taken twice."""
    case = l2_kit.Case(glint, 40.0, 40.0, 180.0)
    flat = narrow.sounding(case)
    light = level * flat["radiance"]
    sigma = l2_kit.noise(light)
    dark = light + sigma * np.random.default_rng(3).normal(size=light.shape)
    sounding = changed(flat, radiance=dark, radiance_uncertainty=sigma)
    assert_flagged_without_values(retrieve(sounding, l2_kit.forecast(case), narrow.aux, settings))


def wild_spectra(sounding: dict, kind: str) -> np.ndarray:
    light = sounding["radiance"]
    top = light.max(axis=1, keepdims=True)
    return {
        "no lines": np.broadcast_to(top, light.shape).copy(),
        "upside down": top - light,
        "mirrored": light[:, ::-1].copy(),
        "lines squared": light**2 / top,
        "random": top * np.random.default_rng(2).uniform(0.01, 1.0, light.shape),
        "bright": 1e3 * light,
        "bands swapped": light[[1, 0, 3, 2]],
    }[kind]


@pytest.mark.parametrize(
    "kind", ["no lines", "upside down", "mirrored", "lines squared", "random", "bright", "bands swapped"]
)
def test_spectra_of_nothing_on_earth_end_with_flags(narrow, land, kind):
    sounding, forecast = land
    row = retrieve(changed(sounding, radiance=wild_spectra(sounding, kind)), forecast, narrow.aux, settings)
    assert row["xco2_quality_flag"] == 1
    assert row["quality_reasons"] != 0
    assert row["outcome_flag"] in range(4)
    assert (row["outcome_flag"] == CONVERGED) == ("xco2" in row)


@pytest.mark.parametrize(("sza", "vza", "raa"), [(70.0, 60.0, 0.0), (79.0, 60.0, 0.0), (20.0, 0.0, 90.0)])
def test_glint_mode_far_from_the_glint_ends_with_flags(narrow, l2_kit, sza, vza, raa):
    """Light a Cox-Munk sea does not send there: no fit, or one of absurd chi-square."""
    case = l2_kit.Case(True, sza, vza, raa)
    row = retrieve(narrow.sounding(case), l2_kit.forecast(case), narrow.aux, settings)
    assert row["xco2_quality_flag"] == 1


@pytest.mark.parametrize("level", [0.0, -1.0, 1.0])
def test_night_is_not_attempted_whatever_the_spectra(narrow, l2_kit, level):
    """Sun 5 degrees below the horizon; no light, an offset taken twice, a lamp."""
    case = l2_kit.Case()
    sounding = narrow.sounding(case)
    night = changed(sounding, solar_zenith_angle=95.0, radiance=level * sounding["radiance"])
    row = retrieve(night, l2_kit.forecast(case), narrow.aux, settings)
    assert_flagged_without_values(row)
    assert row["quality_reasons"] == Reason.LOW_SUN


@pytest.mark.parametrize("level", [0.0, -1.0])
def test_no_light_under_a_high_sun_is_dark(narrow, land, level):
    sounding, forecast = land
    row = retrieve(changed(sounding, radiance=level * sounding["radiance"]), forecast, narrow.aux, settings)
    assert_flagged_without_values(row)
    assert row["quality_reasons"] == Reason.DARK


@pytest.mark.parametrize("mode", [0, 2, 3])
def test_all_but_glint_look_at_land(narrow, land, mode):
    """Nadir, target and city fit albedo and fluorescence, no wind."""
    sounding, forecast = land
    row = retrieve(changed(sounding, operation_mode=mode), forecast, narrow.aux, settings)
    assert (row["outcome_flag"], row["quality_reasons"]) == (CONVERGED, 0)
    assert np.isfinite(row["albedo"]).all()
    assert np.isfinite([row["sif"], row["sif_uncertainty"]]).all()
    assert np.isnan(row["wind_speed"])


def test_the_sea_has_wind_and_no_plants(narrow, l2_kit):
    case = l2_kit.Case(True, 40.0, 40.0, 180.0)
    row = retrieve(narrow.measured(case), l2_kit.forecast(case), narrow.aux, settings)
    assert np.isfinite(row["wind_speed"])
    assert np.isnan([row["sif"], row["sif_uncertainty"]]).all()


def test_fluorescence_comes_back(narrow, l2_kit):
    """1.2 W m-2 um-1 sr-1 without noise; not fitted it goes into surface pressure and chi-square."""
    tenth_of_sigma, case = 0.1, l2_kit.Case(albedo=(0.43, 0.19, 0.1, 0.37))
    x = narrow.model(case).state.x_a.copy()
    x[narrow.model(case).state["sif"]] = 1.2
    sounding = narrow.measured(case, None, x)
    fitted, without = (
        retrieve(sounding, l2_kit.forecast(case), narrow.aux, changed(settings, fluorescence=on))
        for on in (True, False)
    )
    assert fitted["sif"] == pytest.approx(1.2, abs=tenth_of_sigma * fitted["sif_uncertainty"])
    assert fitted["sif_uncertainty"] < 1.5
    assert np.isnan(without["sif"])
    assert abs(without["psurf"] - case.psurf) > 5.0 * abs(fitted["psurf"] - case.psurf)


def test_snow_is_flagged_by_its_albedos(narrow, l2_kit):
    """Snow, canopy, canopy a third brighter in B1, and desert (tabled albedos B1, B2, B3, B4)."""
    surfaces = {
        (0.92, 0.08, 0.04, 0.44): Reason.SNOW,
        (0.43, 0.19, 0.05, 0.37): 0,
        (0.57, 0.25, 0.067, 0.49): 0,
        (0.30, 0.38, 0.38, 0.34): 0,
    }
    for albedo, expected in surfaces.items():
        case = l2_kit.Case(albedo=albedo)
        row = retrieve(narrow.measured(case), l2_kit.forecast(case), narrow.aux, settings)
        assert (row["outcome_flag"], row["quality_reasons"]) == (CONVERGED, expected), albedo
        assert row["xco2_quality_flag"] == int(expected != 0)
    assert quality.blended_albedo(np.array([0.43, 0.19, 0.05, 0.37])) == pytest.approx(0.975, abs=1e-3)
    assert quality.blended_albedo(np.array([0.92, 0.08, 0.04, 0.44])) == pytest.approx(2.16, abs=3e-3)


@pytest.mark.parametrize(
    ("chi2", "change_hpa", "expected"),
    [
        (1.4, 5.0, 0),
        (np.nextafter(1.4, 2.0), -5.0, Reason.CHI2),
        (1.0, np.nextafter(-5.0, -6.0), Reason.SURFACE_PRESSURE),
        (np.nan, np.nan, Reason.CHI2 | Reason.SURFACE_PRESSURE),
    ],
)
def test_the_limits_themselves_pass_and_what_is_no_number_does_not(chi2, change_hpa, expected):
    fit, sea = np.array([1.0, chi2, 1.0, 1.0]), np.full(4, np.nan)
    assert quality.doubts(fit, np.ones((4, 3), bool), sea, change_hpa, settings) == expected


@pytest.mark.parametrize(("error_hpa", "flagged"), [(-3.0, False), (3.0, False), (-8.0, True), (8.0, True)])
def test_surface_pressure_far_from_the_forecast_is_flagged(narrow, l2_kit, error_hpa, flagged):
    """Half of the limit of 5 hPa passes, the other side does not; the limit is a setting."""
    case = l2_kit.Case()
    sounding = narrow.measured(case)
    forecast = l2_kit.forecast(l2_kit.Case(psurf=case.psurf + error_hpa))
    row = retrieve(sounding, forecast, narrow.aux, settings)
    assert row["outcome_flag"] == CONVERGED
    assert row["quality_reasons"] == (Reason.SURFACE_PRESSURE if flagged else 0)
    wide = retrieve(sounding, forecast, narrow.aux, changed(settings, psurf_limit=20.0))
    assert wide["quality_reasons"] == 0


@pytest.mark.parametrize(("top_hpa", "albedo"), [(850.0, 0.5), (500.0, 0.6), (310.0, 0.7)])
def test_an_opaque_cloud_is_flagged(narrow, l2_kit, top_hpa, albedo):
    """A white wall at the cloud's top under a forecast that knows of none."""
    cloud = l2_kit.Case(psurf=top_hpa, albedo=(albedo, 0.8 * albedo, 0.5 * albedo, 0.9 * albedo))
    sounding = narrow.measured(cloud)
    row = retrieve(sounding, l2_kit.forecast(l2_kit.Case()), narrow.aux, settings)
    assert row["xco2_quality_flag"] == 1
    assert row["quality_reasons"] & (Reason.SURFACE_PRESSURE | Reason.NOT_CONVERGED)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e38, -1e38, 1e-38])
def test_spectra_of_one_absurd_number_end_with_flags(narrow, land, value):
    sounding, forecast = land
    row = retrieve(changed(sounding, radiance=np.full((4, 1024), value)), forecast, narrow.aux, settings)
    assert row["xco2_quality_flag"] == 1
    assert row["quality_reasons"] != 0


def test_an_iteration_limit_leaves_the_fit_and_no_column(narrow, land):
    sounding, forecast = land
    row = retrieve(sounding, forecast, narrow.aux, changed(settings, max_iterations=1))
    assert row["quality_reasons"] == Reason.NOT_CONVERGED
    assert "xco2" not in row
    assert np.isfinite(row["chi2"]).all()


def test_the_table_names_the_reasons_as_the_code_does():
    spec = products.table("l2")["variables"]["quality_reasons"]
    assert spec["flag_masks"] == [int(reason) for reason in Reason]
    assert spec["flag_meanings"].split() == [reason.name.lower() for reason in Reason]
