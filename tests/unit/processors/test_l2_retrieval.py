"""One sounding through L2: what comes back of what was put in, and what becomes of broken ones."""

from __future__ import annotations

import numpy as np
import pytest

from processors.l2 import quality
from processors.l2.inverse import posterior
from processors.l2.quality import Reason
from processors.l2.retrieval import CONVERGED, NOT_ATTEMPTED, options_of, retrieve
from processors.l2.state import SIGMA_PSURF_HPA
from processors.l2.step import DEFAULTS

GEOMETRY = (
    "solar_zenith_angle", "sensor_zenith_angle", "solar_azimuth_angle", "sensor_azimuth_angle",
    "sensor_recession_speed", "sun_recession_speed", "earth_sun_distance", "latitude",
)  # fmt: skip
FLAGS_ONLY = {"outcome_flag", "xco2_quality_flag", "quality_reasons", "iterations"}
REFUSALS = (Reason.LOW_SUN, Reason.DARK, Reason.MISSING_DATA)
full = dict(DEFAULTS)
clear = {**DEFAULTS, "mode": "clear"}
MODES = {"clear": clear, "full": full}
GLINT = (True, 40.0, 40.0, 180.0)
five_sigma, three_sigma = 5.0, 3.0
tenth_ppm, twentieth_ppm, fiftieth_ppm = 0.1, 0.05, 0.02


@pytest.fixture(scope="module")
def land(narrow, l2_kit):
    case = l2_kit.Case()
    return narrow.measured(case), l2_kit.forecast(case)


@pytest.fixture
def found(narrow):
    """Give the function that retrieves one sounding alone."""

    def found(sounding: dict, forecast: dict, settings: dict = clear) -> dict:
        return retrieve([(sounding, forecast)], narrow.aux, settings)[0]

    return found


def changed(values: dict, **change) -> dict:
    return {**values, **change}


def assert_flagged_without_values(row: dict) -> None:
    assert row["outcome_flag"] == NOT_ATTEMPTED
    assert row["xco2_quality_flag"] == 1
    assert row["quality_reasons"] in REFUSALS
    assert set(row) == FLAGS_ONLY


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("glint", "psurf"), [(False, 1013.0), (True, 1000.0), (False, 700.0)])
def test_noisy_spectra_of_the_prior_give_the_prior_back(narrow, l2_kit, found, glint, psurf, mode):
    case = l2_kit.Case(glint, 40.0, 40.0, 180.0, psurf)
    sounding = narrow.measured(case, options=options_of(MODES[mode]))
    row = found(sounding, l2_kit.forecast(case), MODES[mode])
    assert (row["outcome_flag"], row["xco2_quality_flag"]) == (CONVERGED, 0)
    assert row["iterations"] <= 5
    assert abs(row["xco2"] - row["xco2_apriori"]) < five_sigma * row["xco2_uncertainty_noise"]
    assert abs(row["psurf"] - psurf) < five_sigma * row["psurf_uncertainty"]
    standard_error = np.sqrt(2.0 / 1024)
    np.testing.assert_allclose(row["chi2"], 1.0, atol=five_sigma * standard_error)
    parts = [row[f"xco2_uncertainty_{part}"] for part in ("noise", "smoothing", "interference")]
    assert np.sqrt(np.square(parts).sum()) == pytest.approx(row["xco2_uncertainty"], rel=1e-6)
    assert row["pressure_weight"].sum() == pytest.approx(1.0, abs=1e-12)
    assert ("aerosol_optical_depth" in row) == (mode == "full")


def truth_and_linear(ground, case, options, change: dict) -> tuple[dict, np.ndarray, np.ndarray]:
    """Give a noise-free sounding of a true state, that state, and what a linear retrieval makes of it."""
    model = ground.model(case, options)
    sv = model.state
    truth = sv.x_a.copy()
    for name, value in change.items():
        truth[sv[name]] = value(truth[sv[name]]) if callable(value) else value
    sounding = ground.measured(case, None, truth, options)
    K = model([0], [truth])[0].dense(truth.size)
    sigma = sounding["radiance_uncertainty"][list(options.bands)].ravel()
    A = posterior((K / sigma[:, None] ** 2).T @ K, sv.S_a).A
    return sounding, truth, sv.x_a + A @ (truth - sv.x_a)


OFF_THE_PRIOR = {
    "co2": lambda ppm: ppm + np.linspace(-2.0, 8.0, 20),
    "psurf": lambda hpa: hpa + 0.75 * SIGMA_PSURF_HPA,
    "h2o": 1.2,
}


@pytest.mark.parametrize(("place", "mode"), [("narrow", "full"), ("whole", "full"), ("whole", "clear")])
@pytest.mark.parametrize("glint", [False, True])
def test_true_state_comes_back_as_the_kernel_smooths_it(request, l2_kit, glint, place, mode):
    """No noise. XCO2 is what averaging kernel and interference of the true state make of it, +-0.02 ppm.

    With particles the model bends: 0.05 ppm, and p_s within a sixth of its sigma. Of air alone narrow windows
    tell too little: there one K a search misses by 0.04 ppm.
    """
    ground = request.getfixturevalue(place)
    ppm, of_sigma = {"clear": (fiftieth_ppm, 0.02), "full": (twentieth_ppm, 1.0 / 6.0)}[mode]
    options, case = options_of(MODES[mode]), l2_kit.Case(glint, 40.0, 40.0, 180.0)
    sounding, truth, linear = truth_and_linear(ground, case, options, OFF_THE_PRIOR)
    sv = ground.model(case, options).state
    row = retrieve([(sounding, l2_kit.forecast(case))], ground.aux, MODES[mode])[0]
    h, a = row["pressure_weight"], row["xco2_averaging_kernel"]
    smoothed = row["xco2_apriori"] + np.sum(h * a * (truth - sv.x_a)[sv["co2"]])
    assert row["outcome_flag"] == CONVERGED
    assert row["xco2"] == pytest.approx(h @ linear[sv["co2"]], abs=ppm)
    assert abs(row["xco2"] - smoothed) < ppm + row["xco2_uncertainty_interference"]
    assert row["psurf"] == pytest.approx(linear[sv["psurf"]][0], abs=of_sigma * row["psurf_uncertainty"])
    assert abs(row["xco2"] - row["xco2_apriori"]) > 1.0  # the truth is far enough


@pytest.mark.parametrize("glint", [False, True])
@pytest.mark.parametrize("ice", [0.0, 0.01])
def test_particles_come_back(whole, l2_kit, glint, ice):
    """Noise-free light of other depths and heights, in the mission's bands.

    XCO2 is what kernel smoothing and interference make of the truth, +-0.05 ppm; depths within 3 sigma.
    """
    a_fifth, options, case = 0.2, options_of(full), l2_kit.Case(glint, 40.0, 40.0, 180.0)
    change = {"depth": [0.1, 0.05, ice], "height": [0.7, 0.9, 0.27]}
    sounding, truth, linear = truth_and_linear(whole, case, options, change)
    sv = whole.model(case, options).state
    row = retrieve([(sounding, l2_kit.forecast(case))], whole.aux, full)[0]
    assert row["outcome_flag"] == CONVERGED
    depth, sigma = row["aerosol_optical_depth"], row["aerosol_optical_depth_uncertainty"]
    total, prior = 0.15 + ice, sv.x_a[sv["depth"]].sum()
    assert np.all(np.abs(depth - truth[sv["depth"]]) < three_sigma * sigma)
    assert abs(depth.sum() - total) < min(
        three_sigma * np.sqrt(np.sum(sigma**2)), a_fifth * abs(prior - total)
    )
    assert row["aerosol_height"][0] < sv.x_a[sv["height"]][0] - 0.05  # from the prior's towards 0.7
    assert row["xco2"] == pytest.approx(row["pressure_weight"] @ linear[sv["co2"]], abs=twentieth_ppm)
    h, a = row["pressure_weight"], row["xco2_averaging_kernel"]
    smoothed = row["xco2_apriori"] + np.sum(h * a * (truth - sv.x_a)[sv["co2"]])
    assert abs(row["xco2"] - smoothed) < tenth_ppm + 0.5 * row["xco2_uncertainty_interference"]


def test_particles_that_are_not_fitted_show(whole, l2_kit):
    """The same light in mode clear: the test above could not pass without the fit."""
    case = l2_kit.Case()
    sounding, *_ = truth_and_linear(whole, case, options_of(full), {"depth": [0.1, 0.05, 0.01]})
    row = retrieve([(sounding, l2_kit.forecast(case))], whole.aux, clear)[0]
    assert row["xco2_quality_flag"] == 1 or abs(row["xco2"] - row["xco2_apriori"]) > 10.0 * tenth_ppm


@pytest.mark.parametrize("name", GEOMETRY)
def test_missing_geometry_is_flagged(land, found, name):
    sounding, forecast = land
    assert_flagged_without_values(found(changed(sounding, **{name: np.nan}), forecast))


@pytest.mark.parametrize(
    ("name", "value"),
    [("psurf", 299.0), ("psurf", 1091.0), ("temperature", 43.0), ("depth", -0.3), ("height", 1.3)],
)
def test_states_beyond_layers_and_tables_have_no_radiance(narrow, l2_kit, name, value):
    model = narrow.model(l2_kit.Case(), options_of(full))
    x = model.state.x_a.copy()
    x[model.state[name]] = value
    [said] = model([0], [x])
    assert np.isnan(said.F).all()
    assert not said.parts
    assert np.isfinite(model([0], [model.state.x_a])[0].F).all()


@pytest.mark.parametrize(("sza", "tried"), [(79.9, True), (80.0, False), (95.0, False)])
def test_low_sun_is_not_attempted(narrow, l2_kit, found, sza, tried):
    case = l2_kit.Case(sza=min(sza, 79.9))
    sounding = changed(narrow.sounding(case), solar_zenith_angle=sza)
    settings = changed(clear, max_iterations=1, prescreen=False)
    row = found(sounding, l2_kit.forecast(case), settings)
    assert (row["outcome_flag"] != NOT_ATTEMPTED) is tried


@pytest.mark.parametrize(
    ("name", "value"),
    [("surface_pressure", np.nan), ("surface_pressure", 0.0), ("surface_pressure", 115_000.0),
     ("temperature", np.nan), ("co2", np.nan), ("wind_speed", np.nan)],
)  # fmt: skip
def test_forecast_without_sense_is_flagged(land, found, name, value):
    sounding, forecast = land
    broken = np.array(forecast[name], float)
    broken[-20 if broken.ndim else ...] = value
    assert_flagged_without_values(found(sounding, changed(forecast, **{name: broken})))


def without_band(sounding: dict, band: int) -> dict:
    spectels, radiance = sounding["spectel_quality"].copy(), sounding["radiance"].copy()
    spectels[band], radiance[band] = 2, np.nan
    return changed(sounding, spectel_quality=spectels, radiance=radiance)


@pytest.mark.parametrize("band", range(4))
def test_missing_band_is_flagged(land, found, band):
    sounding, forecast = land
    assert_flagged_without_values(found(without_band(sounding, band), forecast))


@pytest.mark.parametrize("mode", MODES)
def test_saturated_spectels_are_left_out_and_the_sounding_graded_bad(land, found, mode):
    sounding, forecast = land
    spectels, radiance = sounding["spectel_quality"].copy(), sounding["radiance"].copy()
    spectels[1, 100:400] = 1
    radiance[1, 100:400] *= 0.5
    row = found(changed(sounding, spectel_quality=spectels, radiance=radiance), forecast, MODES[mode])
    assert (row["outcome_flag"], row["quality_reasons"]) == (CONVERGED, Reason.SPECTELS)
    assert abs(row["xco2"] - row["xco2_apriori"]) < five_sigma * row["xco2_uncertainty_noise"]
    assert np.isnan(row["radiance_modelled"][1, 100:400]).all()
    assert np.isfinite(row["radiance_modelled"][1, 400:]).all()


@pytest.mark.parametrize(
    ("name", "value"),
    [("radiance", np.nan), ("radiance", np.inf), ("wavelength", np.nan), ("wavelength", np.inf),
     ("radiance_uncertainty", np.nan), ("radiance_uncertainty", 0.0), ("radiance_uncertainty", np.inf)],
)  # fmt: skip
def test_spectel_without_a_number_is_left_out(land, found, name, value):
    sounding, forecast = land
    values = sounding[name].copy()
    values[2, 500] = value
    row = found(changed(sounding, **{name: values}), forecast)
    assert (row["outcome_flag"], row["quality_reasons"]) == (CONVERGED, Reason.SPECTELS)
    assert abs(row["xco2"] - row["xco2_apriori"]) < five_sigma * row["xco2_uncertainty_noise"]


@pytest.mark.parametrize("level", [0.0, 1e-4, -1.0])
@pytest.mark.parametrize("glint", [False, True])
def test_dark_scene_is_flagged(narrow, l2_kit, found, glint, level):
    """Noise alone, or light a ten thousandth of the usual, or an offset taken twice."""
    case = l2_kit.Case(glint, 40.0, 40.0, 180.0)
    flat = narrow.sounding(case)
    light = level * flat["radiance"]
    sigma = l2_kit.noise(light)
    dark = light + sigma * np.random.default_rng(3).normal(size=light.shape)
    sounding = changed(flat, radiance=dark, radiance_uncertainty=sigma)
    assert_flagged_without_values(found(sounding, l2_kit.forecast(case)))


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


WILD = ["no lines", "upside down", "mirrored", "lines squared", "random", "bright", "bands swapped"]


@pytest.mark.parametrize("prescreen", [True, False])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", WILD)
def test_spectra_of_nothing_on_earth_end_with_flags(land, found, kind, mode, prescreen):
    """Whether or not the prescreening leaves them to the search."""
    sounding, forecast = land
    wild = changed(sounding, radiance=wild_spectra(sounding, kind))
    row = found(wild, forecast, changed(MODES[mode], prescreen=prescreen))
    assert row["xco2_quality_flag"] == 1
    assert row["quality_reasons"] != 0
    assert row["outcome_flag"] in range(4)
    assert (row["outcome_flag"] == CONVERGED) == ("xco2" in row)
    assert prescreen or row["outcome_flag"] != NOT_ATTEMPTED or row["quality_reasons"] in REFUSALS


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("sza", "vza", "raa"), [(70.0, 60.0, 0.0), (79.0, 60.0, 0.0), (20.0, 0.0, 90.0)])
def test_glint_mode_far_from_the_glint_ends_with_flags(narrow, l2_kit, found, sza, vza, raa, mode):
    """Light a Cox-Munk sea does not send there: no fit, or one of absurd chi-square."""
    case = l2_kit.Case(True, sza, vza, raa)
    for prescreen in (True, False):
        settings = changed(MODES[mode], prescreen=prescreen)
        row = found(narrow.sounding(case), l2_kit.forecast(case), settings)
        assert row["xco2_quality_flag"] == 1


@pytest.mark.parametrize("level", [0.0, -1.0, 1.0])
def test_night_is_not_attempted_whatever_the_spectra(narrow, l2_kit, found, level):
    """Sun 5 degrees below the horizon; no light, an offset taken twice, a lamp."""
    case = l2_kit.Case()
    sounding = narrow.sounding(case)
    night = changed(sounding, solar_zenith_angle=95.0, radiance=level * sounding["radiance"])
    row = found(night, l2_kit.forecast(case), full)
    assert_flagged_without_values(row)
    assert row["quality_reasons"] == Reason.LOW_SUN


@pytest.mark.parametrize("level", [0.0, -1.0])
def test_no_light_under_a_high_sun_is_dark(land, found, level):
    sounding, forecast = land
    row = found(changed(sounding, radiance=level * sounding["radiance"]), forecast)
    assert_flagged_without_values(row)
    assert row["quality_reasons"] == Reason.DARK


@pytest.mark.parametrize("mode", [0, 2, 3])
def test_all_but_glint_look_at_land(land, found, mode):
    """Nadir, target and city fit albedo and fluorescence, no wind."""
    sounding, forecast = land
    row = found(changed(sounding, operation_mode=mode), forecast)
    assert (row["outcome_flag"], row["quality_reasons"]) == (CONVERGED, 0)
    assert np.isfinite(row["albedo"]).all()
    assert np.isfinite([row["sif"], row["sif_uncertainty"]]).all()
    assert np.isnan(row["wind_speed"])


def test_the_sea_has_wind_and_no_plants(narrow, l2_kit, found):
    case = l2_kit.Case(*GLINT)
    row = found(narrow.measured(case), l2_kit.forecast(case))
    assert row["wind_speed"] == pytest.approx(7.0, abs=0.5)  # of the forecast and so of the light
    assert np.isnan([row["sif"], row["sif_uncertainty"], *row["albedo"]]).all()


def test_fluorescence_comes_back(narrow, l2_kit, found):
    """1.2 W m-2 um-1 sr-1 without noise; not fitted it goes into surface pressure and chi-square."""
    tenth_of_sigma, case = 0.1, l2_kit.Case(albedo=(0.43, 0.19, 0.1, 0.37))
    sounding, *_ = truth_and_linear(narrow, case, options_of(clear), {"sif": 1.2})
    fitted, without = (
        found(sounding, l2_kit.forecast(case), changed(clear, fluorescence=on)) for on in (True, False)
    )
    assert fitted["sif"] == pytest.approx(1.2, abs=tenth_of_sigma * fitted["sif_uncertainty"])
    assert fitted["sif_uncertainty"] < 1.5
    assert np.isnan(without["sif"])
    assert abs(without["psurf"] - case.psurf) > 5.0 * abs(fitted["psurf"] - case.psurf)


def test_airglow_comes_back_where_it_is_fitted(narrow, l2_kit, found):
    """35 MR, some degrees warmer than assumed; not fitted, no air is like that."""
    one_megarayleigh, tenth_hpa, case = 1.0, 0.1, l2_kit.Case()
    sounding, *_ = truth_and_linear(narrow, case, options_of(clear), {"airglow": [35.0, 100.0]})
    forecast = l2_kit.forecast(case)
    fitted, without = (found(sounding, forecast, changed(clear, airglow=on)) for on in (True, False))
    assert (fitted["outcome_flag"], fitted["quality_reasons"]) == (CONVERGED, 0)
    assert fitted["airglow"] == pytest.approx(35.0, abs=one_megarayleigh)
    assert fitted["xco2"] == pytest.approx(fitted["xco2_apriori"], abs=fiftieth_ppm)
    assert fitted["psurf"] == pytest.approx(case.psurf, abs=tenth_hpa)
    assert without["xco2_quality_flag"] == 1
    assert np.isnan(without.get("airglow", np.nan))


def test_a_little_airglow_left_out_goes_into_surface_pressure(narrow, l2_kit, found):
    """1 MR; half of PHYSICS' 1.6 hPa a MR at least, in the band with the glow and the one without."""
    one_hpa, case = 1.0, l2_kit.Case()
    settings = changed(clear, bands=["B2", "B3", "B4"])
    sounding, *_ = truth_and_linear(narrow, case, options_of(settings), {"airglow": [1.0, 0.0]})
    row = found(sounding, l2_kit.forecast(case), changed(settings, airglow=False))
    assert row["outcome_flag"] == CONVERGED
    assert row["psurf"] < case.psurf - one_hpa
    assert np.isnan(row["airglow"])


@pytest.mark.parametrize(
    ("name", "value", "prior"), [("isrf_width", 0.008, 0.01), ("zero_level", 0.002, 0.002)]
)
@pytest.mark.parametrize("band", ["B1", "B2", "B3", "B4"])
def test_a_fault_of_the_instrument_comes_back_where_it_is_fitted(
    narrow, l2_kit, found, name, value, prior, band
):
    """Width of the response or zero level of one band: within a third of the prior, else in chi-square."""
    settings, b = changed(clear, **{name: [band]}), int(band[1]) - 1
    case = l2_kit.Case()
    sounding, _, linear = truth_and_linear(narrow, case, options_of(settings), {f"{name}_{b}": value})
    fitted, without = (found(sounding, l2_kit.forecast(case), s) for s in (settings, clear))
    assert fitted[name][b] == pytest.approx(value, abs=prior / 3.0)
    assert np.isnan(np.delete(fitted[name], b)).all()
    assert np.isnan(without[name]).all()
    sv = narrow.model(case, options_of(settings)).state
    assert fitted["xco2"] == pytest.approx(fitted["pressure_weight"] @ linear[sv["co2"]], abs=twentieth_ppm)
    assert without["chi2"][b] > 2.0 * fitted["chi2"][b]


SUBSETS = [("B2",), ("B3",), ("B2", "B3", "B4"), ("B1", "B3"), ("B3", "B1")]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("bands", SUBSETS)
def test_some_of_the_bands_are_enough(narrow, l2_kit, found, bands, mode):
    """What the others hold does not count, be it no number at all; sigma grows."""
    case, settings = l2_kit.Case(), changed(MODES[mode], bands=sorted(bands))
    options = options_of(settings)
    sounding = narrow.measured(case, options=options)
    others = np.setdiff1d(range(4), options.bands)
    broken = sounding
    for b in others:
        broken = without_band(broken, b)
    forecast = l2_kit.forecast(case)
    row, same = (found(s, forecast, settings) for s in (sounding, broken))
    assert (row["outcome_flag"], row["quality_reasons"]) == (CONVERGED, 0)
    assert abs(row["xco2"] - row["xco2_apriori"]) < five_sigma * row["xco2_uncertainty_noise"]
    assert same["xco2"] == row["xco2"]
    assert same["quality_reasons"] == 0
    assert np.isnan(row["chi2"][others]).all()
    assert np.isnan(row["radiance_modelled"][others]).all()
    assert np.isfinite(row["chi2"][list(options.bands)]).all()
    whole_set = found(narrow.measured(case, options=options_of(MODES[mode])), forecast, MODES[mode])
    assert row["xco2_uncertainty"] > whole_set["xco2_uncertainty"]
    if "B1" not in bands and "B4" not in bands:  # no oxygen: pressure is the forecast's
        assert row["psurf_uncertainty"] > 0.8 * SIGMA_PSURF_HPA


def test_snow_is_flagged_by_its_albedos(narrow, l2_kit, found):
    """Snow, canopy, canopy a third brighter in B1, and desert (tabled albedos B1, B2, B3, B4)."""
    surfaces = {
        (0.92, 0.08, 0.04, 0.44): Reason.SNOW,
        (0.43, 0.19, 0.05, 0.37): 0,
        (0.57, 0.25, 0.067, 0.49): 0,
        (0.30, 0.38, 0.38, 0.34): 0,
    }
    for albedo, expected in surfaces.items():
        case = l2_kit.Case(albedo=albedo)
        row = found(narrow.measured(case), l2_kit.forecast(case))
        assert (row["outcome_flag"], row["quality_reasons"]) == (CONVERGED, expected), albedo
        assert row["xco2_quality_flag"] == int(expected != 0)
    assert quality.blended_albedo(np.array([0.43, 0.19, 0.05, 0.37])) == pytest.approx(0.975, abs=1e-3)
    assert quality.blended_albedo(np.array([0.92, 0.08, 0.04, 0.44])) == pytest.approx(2.16, abs=3e-3)


@pytest.mark.parametrize(("error_hpa", "flagged"), [(-3.0, False), (3.0, False), (-8.0, True), (8.0, True)])
def test_surface_pressure_far_from_the_forecast_is_flagged(narrow, l2_kit, found, error_hpa, flagged):
    """Half of the limit of 5 hPa passes, the other side does not; the limit is a setting."""
    case = l2_kit.Case()
    sounding = narrow.measured(case)
    forecast = l2_kit.forecast(l2_kit.Case(psurf=case.psurf + error_hpa))
    row = found(sounding, forecast)
    assert row["outcome_flag"] == CONVERGED
    assert row["quality_reasons"] == (Reason.SURFACE_PRESSURE if flagged else 0)
    wide = found(sounding, forecast, changed(clear, psurf_limit=20.0))
    assert wide["quality_reasons"] == 0


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("prescreen", [True, False])
@pytest.mark.parametrize(("top_hpa", "albedo"), [(850.0, 0.5), (500.0, 0.6), (310.0, 0.7)])
def test_an_opaque_cloud_is_flagged(narrow, l2_kit, found, top_hpa, albedo, prescreen, mode):
    """A white wall at the cloud's top under a forecast that knows of none."""
    cloud = l2_kit.Case(psurf=top_hpa, albedo=(albedo, 0.8 * albedo, 0.5 * albedo, 0.9 * albedo))
    sounding = narrow.measured(cloud)
    row = found(sounding, l2_kit.forecast(l2_kit.Case()), changed(MODES[mode], prescreen=prescreen))
    assert row["xco2_quality_flag"] == 1
    cause = Reason.CLOUD if prescreen else Reason.SURFACE_PRESSURE | Reason.NOT_CONVERGED | Reason.CHI2
    assert row["quality_reasons"] & cause


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e38, -1e38, 1e-38])
def test_spectra_of_one_absurd_number_end_with_flags(land, found, value):
    sounding, forecast = land
    absurd = changed(sounding, radiance=np.full((4, 1024), value))
    for prescreen in (True, False):
        row = found(absurd, forecast, changed(full, prescreen=prescreen))
        assert row["xco2_quality_flag"] == 1
        assert row["quality_reasons"] != 0


def test_an_iteration_limit_leaves_the_fit_and_no_column(land, found):
    sounding, forecast = land
    row = found(sounding, forecast, changed(clear, max_iterations=1))
    assert row["quality_reasons"] == Reason.NOT_CONVERGED
    assert "xco2" not in row
    assert np.isfinite(row["chi2"]).all()
