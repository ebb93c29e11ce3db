"""L2 as a program on files: what is handed on, what is flagged, what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import netCDF4
import numpy as np
import pytest
import yaml

from processors import __main__ as program
from processors import products
from processors.l2 import step, tables
from processors.l2.retrieval import NOT_ATTEMPTED
from processors.l2.state import Options

TIME = 1_780_000_000.0  # s since 1970, 2026
FIRST = 100_000_000_011


@pytest.fixture(scope="module")
def cache(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def _narrow_bands(monkeypatch, l2_kit):
    monkeypatch.setattr(tables, "BANDS", l2_kit.NARROW)


@pytest.fixture(scope="module")
def soundings(narrow, l2_kit) -> list[dict]:
    """Four soundings: land, sea, dark land, land again with other noise."""
    land, sea = l2_kit.Case(), l2_kit.Case(True, 40.0, 40.0, 180.0, 1005.0)
    cases = (land, sea, land, land)
    rows = [narrow.measured(case, seed, options=Options()) for seed, case in enumerate(cases)]
    rows[2]["radiance"] = rows[2]["radiance"] * 1e-5
    for n, (row, case) in enumerate(zip(rows, cases, strict=True)):
        row["sounding_id"], row["case"] = FIRST + 10 * n, case
    return rows


def write_l1b(path: Path, rows: list[dict]) -> Path:
    table = products.table("l1b")["variables"]
    sizes = {"sounding": len(rows), "vertex": 4, "band": 4, "spectel": 1024}
    values = {}
    for name, spec in table.items():
        array = np.zeros([sizes[d] for d in spec["dims"]], spec["dtype"])
        for n, row in enumerate(rows):
            array[n] = row.get(name, 1.0 if spec["dtype"].startswith("f") else 0)
        values[name] = array
    values["time"] = TIME + np.arange(len(rows))
    products.write(path, "l1b", values, {"scenario_hash": "abc"})
    return path


def write_prior(path: Path, rows: list[dict], l2_kit) -> Path:
    forecasts = [l2_kit.forecast(row["case"]) for row in rows]
    values = {name: np.array([forecast[name] for forecast in forecasts]) for name in forecasts[0]}
    values["sounding_id"] = np.array([row["sounding_id"] for row in rows])
    products.write(path, "prior", values, {})
    return path


def write_ckd(path: Path, l2_kit) -> Path:
    with netCDF4.Dataset(path, "w") as dataset:
        dataset.setncatts({"ckd_id": "ckd-7", "ckd_version": np.int32(1)})
        dataset.setncatts({"validity_start": "2025-01-01T00:00:00Z", "validity_end": "2035-01-01T00:00:00Z"})
        for name, size in {"band": 4, "fov": 3, "node": 5, "offset": 201}.items():
            dataset.createDimension(name, size)
        dims = {"isrf_node": ("node",), "isrf_offset": ("band", "offset")}
        dims["isrf"] = ("band", "fov", "node", "offset")
        group = dataset.createGroup("isrf")
        for name, values in l2_kit.gaussian_isrf().items():
            group.createVariable(name, "f8", dims[name])[...] = values
    return path


@pytest.fixture
def prepared(tmp_path, cache, soundings, l2_kit):
    """Give a function that writes granules, prior and order, runs the step, returns (code, products)."""

    def run(granules=None, prior=None, **settings):
        granules = [soundings] if granules is None else granules
        folder = tmp_path / f"run{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        l1b = [str(write_l1b(folder / f"l1b_{n}.nc", rows)) for n, rows in enumerate(granules)]
        data = l2_kit.DATA
        inputs = {
            "l1b": l1b,
            "ckd": str(write_ckd(folder / "ckd.nc", l2_kit)),
            "prior": str(write_prior(folder / "prior.nc", soundings if prior is None else prior, l2_kit)),
            "lines": str(data),
            "partition_sums": str(data / "partition_sums.csv"),
            "cia": str(data / "cia_v1.csv"),
            "solar_lines": str(data / "solar_lines_v1.csv"),
            "solar_continuum": str(data / "solar_continuum.csv"),
            "particles": str(l2_kit.PARTICLES),
        }
        outputs = [str(folder / f"l2_{n}.nc") for n in range(len(granules))]
        order = {"step": "l2", "inputs": inputs, "outputs": {"l2": outputs}, "settings": settings}
        order |= {"scenario_hash": "abc", "cache": str(cache)}
        (folder / "job.yaml").write_text(yaml.safe_dump(order))
        code = program.main(["l2", str(folder / "job.yaml")])
        return code, [products.read(path, level="l2") for path in outputs] if code == 0 else []

    return run


def test_granule_with_good_and_dark_soundings(prepared, soundings):
    code, [l2] = prepared()
    assert code == program.DONE
    np.testing.assert_array_equal(l2["outcome_flag"], [0, 0, 3, 0])
    np.testing.assert_array_equal(l2["xco2_quality_flag"], [0, 0, 1, 0])
    np.testing.assert_array_equal(l2["sounding_id"], [row["sounding_id"] for row in soundings])
    for name, spec in products.table("l2")["variables"].items():
        if name in l2 and spec["dtype"].startswith("f") and name not in products.table("l2")["shared"]:
            assert np.isnan(l2[name][2]).all(), name
    assert np.isnan(l2["wind_speed"][[0, 3]]).all()
    assert np.isfinite(l2["wind_speed"][1])
    five_sigma = 5.0
    good = l2["outcome_flag"] == 0
    error = np.abs(l2["xco2"] - l2["xco2_apriori"])[good]
    assert np.all(error < five_sigma * l2["xco2_uncertainty_noise"][good])
    assert (l2.attrs["ckd_id"], l2.attrs["scenario_hash"]) == ("ckd-7", "abc")


def test_a_sounding_s_result_depends_on_itself_alone(prepared, soundings):
    """The same bits in another order, alone, in another granule of the job, and with another prior file."""
    _, [whole] = prepared()
    order = [3, 1, 0, 2]
    _, [turned, alone] = prepared([[soundings[n] for n in order], [soundings[1]]], prior=soundings[::-1])
    for name in products.table("l2")["variables"]:
        if name in whole and name != "time":
            np.testing.assert_array_equal(turned[name], whole[name][order], err_msg=name)
            np.testing.assert_array_equal(alone.get(name, whole[name][1:2]), whole[name][1:2], err_msg=name)


def test_a_granule_of_failures_alone_is_a_product(prepared, soundings):
    code, [l2] = prepared([[soundings[2], soundings[2]]])
    assert code == program.DONE
    np.testing.assert_array_equal(l2["outcome_flag"], [3, 3])
    assert np.isnan(l2["xco2"]).all()


def test_night_garbage_and_cloud_do_not_touch_their_neighbour(prepared, soundings):
    """Each leaves flags with a reason and fill values; the good one has the bits it has alone."""
    good = soundings[0]
    light, size = good["radiance"], good["radiance"].shape
    wild = [
        {"solar_zenith_angle": 95.0, "radiance": np.zeros(size)},
        {"radiance": np.full(size, np.nan)},
        {"radiance": light.max() * np.random.default_rng(1).uniform(-1.0, 1.0, size)},
        {"radiance": np.broadcast_to(light.max(axis=1, keepdims=True), size).copy()},
        {"radiance": -light},
    ]
    rows = [{**good, **change} for change in wild]
    code, [l2, alone] = prepared([[*rows, good], [good]])
    assert code == program.DONE
    low_sun, dark, missing, not_converged = 1, 2, 4, 8
    np.testing.assert_array_equal(l2["xco2_quality_flag"], [1, 1, 1, 1, 1, 0])
    np.testing.assert_array_equal(l2["quality_reasons"][[0, 1, 4]], [low_sun, missing, dark])
    assert l2["quality_reasons"][2] in (dark, not_converged)
    assert l2["quality_reasons"][3] != 0
    assert np.isnan(l2["xco2"][[0, 1, 2, 4]]).all()
    for name in set(alone) - {"time"}:
        np.testing.assert_array_equal(l2[name][5:], alone[name], err_msg=name)


def test_fluorescence_is_a_setting(prepared, soundings):
    _, [fitted] = prepared([soundings[:2]], mode="clear")
    _, [without] = prepared([soundings[:2]], mode="clear", fluorescence=False)
    assert np.isfinite(fitted["sif"][0])
    assert np.isnan(fitted["sif"][1])  # the sea
    assert np.isnan(without["sif"]).all()
    assert fitted["xco2_uncertainty"][0] > without["xco2_uncertainty"][0]
    assert fitted["xco2"][1] == without["xco2"][1]


PARTICLES = ("aerosol_optical_depth", "aerosol_optical_depth_uncertainty", "aerosol_height")
SCREEN = ("psurf_change_o2a", "co2_ratio", "h2o_ratio")


def test_modes_differ_by_their_particles(prepared, soundings):
    """Full is the default; clear has no particles in the product and a smaller sigma."""
    _, [default] = prepared([soundings[:2]])
    _, [full] = prepared([soundings[:2]], mode="full")
    _, [clear] = prepared([soundings[:2]], mode="clear")
    for name in PARTICLES:
        assert default[name].shape == (2, 3)
        assert np.isfinite(default[name]).all()
        assert name not in clear
    np.testing.assert_array_equal(default["xco2"], full["xco2"])
    assert np.all(clear["xco2_uncertainty"] < full["xco2_uncertainty"])


def test_the_product_says_what_was_seen_before_the_retrieval(prepared, soundings):
    """Clear air: p_s of B1 within 5 hPa of the forecast, equal columns in both CO2 bands; a warning."""
    five_hpa, three_percent = 5.0, 0.03
    _, [l2] = prepared()
    _, [without] = prepared(prescreen=False)
    good = l2["outcome_flag"] == 0
    assert np.all(np.abs(l2["psurf_change_o2a"][good]) < five_hpa)
    np.testing.assert_allclose(l2["co2_ratio"][good], 1.0, atol=three_percent)
    assert np.isfinite(l2["h2o_ratio"][good]).all()
    assert np.isin(l2["warn_level"][good], range(6)).all()
    assert np.isnan(l2["warn_level"][~good]).all()
    for name in SCREEN:
        assert np.isnan(without[name]).all()
    np.testing.assert_array_equal(l2["xco2"], without["xco2"])


def test_widths_and_zero_levels_are_fitted_where_asked(prepared, soundings):
    _, [l2] = prepared([soundings[:2]], mode="clear", isrf_width=["B2", "B3"], zero_level=["B1"])
    np.testing.assert_array_equal(np.isfinite(l2["isrf_width"]), [[False, True, True, False]] * 2)
    np.testing.assert_array_equal(np.isfinite(l2["zero_level"]), [[True, False, False, False]] * 2)


def test_shift_and_stretch_are_fitted_where_asked(prepared, soundings):
    """Without them a scale that is right costs nothing: XCO2 within half a sigma."""
    _, [l2] = prepared([soundings[:2]], mode="clear", dispersion=["B1", "B3"])
    for name in ("dispersion_shift", "dispersion_stretch"):
        np.testing.assert_array_equal(np.isfinite(l2[name]), [[True, False, True, False]] * 2)
    _, [none] = prepared([soundings[:2]], mode="clear", dispersion=[])
    np.testing.assert_array_equal(none["outcome_flag"], 0)
    assert np.isnan(none["dispersion_shift"]).all()
    assert np.all(np.abs(none["xco2"] - l2["xco2"]) < 0.5 * l2["xco2_uncertainty"])


@pytest.mark.parametrize(("mode", "bias_correction"), [("full", False), ("full", True), ("clear", False)])
def test_settings_alone_say_which_variables_there_are(prepared, soundings, mode, bias_correction):
    """A granule in which nothing is found has the same; the settings stand in the product."""
    asked = {"mode": mode, "bias_correction": bias_correction}
    _, [some] = prepared([soundings[:1]], **asked)
    _, [none] = prepared([soundings[:1]], **asked, sza_limit=0.1)
    assert some["outcome_flag"][0] == 0
    assert none["outcome_flag"][0] == NOT_ATTEMPTED
    assert set(some) == set(none)
    assert ("xco2_raw" in some) is bias_correction
    assert ("aerosol_optical_depth" in some) is (mode == "full")
    told = json.loads(some.attrs["settings"])
    assert told == {**step.DEFAULTS, **asked}
    if bias_correction:
        assert some["xco2_raw"][0] != some["xco2"][0]


def test_bands_are_a_setting(prepared, soundings):
    """Order and repetition do not count; what is not fitted is NaN."""
    _, [one] = prepared([soundings[:2]], bands=["B2", "B3", "B4"])
    _, [two] = prepared([soundings[:2]], bands=["B4", "B2", "B3", "B2"])
    np.testing.assert_array_equal(one["outcome_flag"], 0)
    np.testing.assert_array_equal(np.isnan(one["chi2"]), [[True, False, False, False]] * 2)
    assert np.isnan(one["sif"]).all()  # needs B1
    np.testing.assert_array_equal(one["xco2"], two["xco2"])


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"mode": "cloudy"}, "settings.mode: expected full or clear, got 'cloudy'"),
        ({"bands": ["B2", "B5"]}, "settings.bands: expected B1, B2, B3, B4, got 'B5'"),
        ({"bands": []}, "settings.bands: expected B2 or B3, which see CO2, got none: name one"),
        ({"bands": ["B4", "B1"]}, "settings.bands: expected B2 or B3, which see CO2, got B4, B1: name one"),
        (
            {"bands": ["B2"], "zero_level": ["B2", "B3"]},
            "settings.zero_level: expected bands that are fitted, got B3: leave it out",
        ),
        ({"dispersion": ["B9"]}, "settings.dispersion: expected B1, B2, B3, B4, got 'B9'"),
        ({"chi2_limit": -1.0}, "settings.chi2_limit: expected more than 0, got -1.0: correct it"),
        ({"snr_limit": float("nan")}, "settings.snr_limit: expected more than 0, got nan: correct it"),
        ({"cloud_co2_ratio": [True, 2.0]}, "settings.cloud_co2_ratio: expected the least and the largest"),
        ({"bands": "B2"}, "settings.bands: expected list, got 'B2'"),
        ({"bands": [2]}, "settings.bands: expected B1, B2, B3, B4, got 2"),
        ({"isrf_width_sigma": 0.0}, "settings.isrf_width_sigma: expected more than 0, got 0.0"),
        ({"zero_level_sigma": -1.0}, "settings.zero_level_sigma: expected more than 0, got -1.0"),
        ({"isrf_width": ["O2A"]}, "settings.isrf_width: expected B1, B2, B3, B4, got 'O2A'"),
        ({"zero_level": ["b1"]}, "settings.zero_level: expected B1, B2, B3, B4, got 'b1'"),
        (
            {"bias_correction": True, "mode": "clear"},
            "settings.bias_correction: expected mode 'full', with which it was trained, got 'clear': "
            "set it to false",
        ),
        (
            {"bias_correction": True, "mode": "full", "bands": ["B4", "B2", "B3"]},
            "settings.bias_correction: expected bands ['B1', 'B2', 'B3', 'B4'], with which it was trained, "
            "got ['B2', 'B3', 'B4']: set it to false",
        ),
        ({"chi2limit": 1.0}, "did you mean 'chi2_limit'?"),
        ({"prescreen": 1}, "settings.prescreen: expected bool, got 1"),
        ({"max_iterations": "many"}, "settings.max_iterations: expected int, got 'many'"),
    ],
)
def test_settings_without_sense_are_refused(prepared, soundings, capsys, settings, said):
    assert prepared([[soundings[2]]], **settings)[0] == program.BAD_INPUT
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    "settings",
    [
        {"cloud_co2_ratio": [0.7]},
        {"cloud_co2_ratio": ["low", "high"]},
        {"cloud_co2_ratio": [1.4, 0.7]},
        {"max_iterations": 0},
        {"max_iterations": -3},
    ],
)
def test_limits_without_sense_are_refused(prepared, soundings, settings):
    assert prepared([[soundings[0]]], **settings)[0] == program.BAD_INPUT


def test_a_missing_table_of_particles_is_refused(prepared, soundings, capsys, monkeypatch, tmp_path, l2_kit):
    (tmp_path / "particles.csv").write_text("type,wavelength_um\nfine,0.755\n")
    monkeypatch.setattr(l2_kit, "PARTICLES", tmp_path / "particles.csv")
    assert prepared([[soundings[2]]])[0] == program.BAD_INPUT
    assert "auxiliary file not as expected" in capsys.readouterr().err


def test_one_job_and_one_for_each_granule_give_the_same(prepared, soundings):
    """As one worker with all granules, and several with one each, would."""
    granules = [soundings[:2], soundings[2:]]
    _, both = prepared(granules)
    for rows, together in zip(granules, both, strict=True):
        _, [alone] = prepared([rows])
        assert set(alone) == set(together)
        for name in alone:
            np.testing.assert_array_equal(alone[name], together[name], err_msg=name)


def test_prior_without_the_altitude_of_the_ground_is_refused(prepared, soundings, monkeypatch, capsys):
    table = products.table("prior")
    rest = {name: row for name, row in table["variables"].items() if name != "surface_altitude"}
    write = products.write

    def old(path, level, values, *more, **named):
        if level != "prior":
            return write(path, level, values, *more, **named)
        with monkeypatch.context() as patch:
            patch.setattr(products, "table", lambda _: {**table, "variables": rest})
            return write(path, level, {name: values[name] for name in rest}, *more, **named)

    monkeypatch.setattr(products, "write", old)
    assert prepared([[soundings[2]]])[0] == program.BAD_INPUT
    assert "surface_altitude" in capsys.readouterr().err


def test_a_granule_without_soundings_is_a_product(prepared):
    code, [l2] = prepared([[]])
    assert code == program.DONE
    assert l2["xco2"].shape == (0,)
    assert l2["chi2"].shape == (0, 4)


def test_sounding_without_forecast_is_refused(prepared, soundings, capsys):
    code, _ = prepared(prior=soundings[:3])
    assert code == program.BAD_INPUT
    assert str(FIRST + 30) in capsys.readouterr().err


def test_sounding_with_two_forecasts_is_refused(prepared, soundings, capsys):
    code, _ = prepared(prior=[*soundings, soundings[1]])
    assert code == program.BAD_INPUT
    assert str(FIRST + 10) in capsys.readouterr().err


def test_quality_limit_is_a_setting(prepared, soundings):
    _, [l2] = prepared([[soundings[0]]], chi2_limit=0.5)
    np.testing.assert_array_equal(l2["outcome_flag"], 0)
    np.testing.assert_array_equal(l2["xco2_quality_flag"], 1)


def test_iteration_limit_is_flagged(prepared, soundings):
    _, [l2] = prepared([[soundings[0]]], max_iterations=1)
    np.testing.assert_array_equal(l2["outcome_flag"], 1)
    np.testing.assert_array_equal(l2["xco2_quality_flag"], 1)
