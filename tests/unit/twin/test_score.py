"""Figures of hand-written runs against closed forms; what is broken on purpose must not pass."""

import json
import math

import netCDF4
import numpy as np
import pytest
from scipy import stats

from twin.errors import BadInput
from twin.verify import statistics
from twin.verify.figures import FIGURES
from twin.verify.score import score

ROUNDING = 1e-9  # ppm, hPa and ratios
HALF_PPM = 0.5
TRUE_PPM = 424.0
SMOOTHING_PPM = -2.0  # kernel 0.5, prior 4 ppm low: the retrieval finds half of it
QUARTER_PERMILLE = 2.5e-4  # ppm per ppm, trapezoidal reference on 200,000 points is better


def refuse(constant: str) -> float:
    raise AssertionError(f"{constant} is no JSON")


def judged(run) -> dict:
    """Score the run and read the verdict back as strict JSON."""
    score(run.root, run.scenario)
    return json.loads((run.root / "verdict.json").read_text(), parse_constant=refuse)


def figures(run) -> dict:
    run.write()
    return judged(run)["figures"]


def edit(path, change) -> None:
    with netCDF4.Dataset(path, "a") as file:
        change(file)


# ---- statistics


def test_the_interval_of_the_mean_is_that_of_the_block_means():
    errors = np.random.default_rng(1).normal(size=60) + np.repeat([0.3, -0.1, 0.2, 0.0, 0.5], 12)
    block = np.repeat(np.arange(5), 12)
    means = errors.reshape(5, 12).mean(axis=1)
    low, high = stats.t.interval(0.95, 4, means.mean(), stats.sem(means))
    assert statistics.mean_interval(errors, block) == pytest.approx((means.mean(), low, high), abs=ROUNDING)


def test_the_interval_holds_its_confidence_when_errors_are_common_to_a_block():
    draws, rng, block = 400, np.random.default_rng(2), np.repeat(np.arange(10), 12)
    blocked = alone = 0
    for _ in range(draws):
        errors = rng.normal(size=10)[block] + 0.3 * rng.normal(size=120)
        _, low, high = statistics.mean_interval(errors, block)
        blocked += low < 0 < high
        _, low, high = statistics.mean_interval(errors, np.arange(120))
        alone += low < 0 < high
    three_sigma = 3 * math.sqrt(0.95 * 0.05 / draws)
    assert abs(blocked / draws - 0.95) < three_sigma
    assert alone / draws < 0.6  # what an interval for independent errors would have claimed


def test_one_block_is_split_into_its_soundings():
    errors = np.array([0.1, 0.5, -0.2, 0.4])
    low, high = stats.t.interval(0.95, 3, errors.mean(), stats.sem(errors))
    assert statistics.mean_interval(errors, np.zeros(4, int)) == pytest.approx((0.2, low, high), abs=ROUNDING)


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_errors_have_no_interval(count):
    found = statistics.mean_interval(np.ones(count), np.zeros(count, int))
    assert math.isnan(found.low)
    assert math.isnan(found.high)
    assert math.isnan(statistics.scatter(np.ones(count)))
    assert math.isnan(statistics.scatter_ratio(np.ones(count), np.ones(count)).estimate)


def test_the_interval_of_the_ratio_follows_the_printed_chi_square_table():
    errors = np.array([1.0, -1.0] * 5)
    table_975, table_025 = 19.023, 2.700  # 9 degrees of freedom, any printed table
    ratio = math.sqrt(10 / 9) / 2.0
    expected = (ratio, ratio * math.sqrt(9 / table_975), ratio * math.sqrt(9 / table_025))
    three_digits = 1e-3
    assert statistics.scatter_ratio(errors, np.full(10, 2.0)) == pytest.approx(expected, rel=three_digits)


def test_unequal_sigmas_count_by_their_variance():
    sigma = np.array([1.0, 7.0])
    assert statistics.scatter_ratio(np.array([-5.0, 5.0]), sigma).estimate == pytest.approx(math.sqrt(50) / 5)


def test_levels_keep_the_mass_of_a_bent_profile():
    levels = np.linspace(0.1, 1013.0, 20)
    pressure = np.geomspace(0.01, 1013.0, 61)
    profile = 430 - 8 * np.exp(-pressure / 60) + 2 * (pressure > 120)
    x = statistics.on_levels(profile[None], pressure[None], levels[None])[0]
    fine = np.linspace(0.1, 1013.0, 200_001)
    column = np.trapezoid(np.interp(fine, pressure, profile), fine)
    assert np.trapezoid(x, levels) == pytest.approx(column, rel=QUARTER_PERMILLE / 430)
    point_values = np.trapezoid(np.interp(levels, pressure, profile), levels)
    assert abs(point_values / column - 1) > QUARTER_PERMILLE / 430  # the test can tell them apart


def test_levels_of_a_straight_profile_are_its_values():
    levels, pressure = np.linspace(50.0, 950.0, 10), np.array([1.0, 400.0, 1013.0])
    x = statistics.on_levels((0.01 * pressure)[None], pressure[None], levels[None])[0]
    assert x[1:-1] == pytest.approx(0.01 * levels[1:-1], abs=ROUNDING)


# ---- figures of a run


def test_errors_against_truth_and_smoothed_truth(fake_run):
    fake_run.errors_ppm = HALF_PPM * np.array([1.0, -1.0] * 12) + 0.1
    found = figures(fake_run)
    scatter = HALF_PPM * math.sqrt(24 / 23)
    expected = {
        "xco2_error_mean_ppm": SMOOTHING_PPM + 0.1,
        "xco2_error_mean_abs_ppm": abs(SMOOTHING_PPM + 0.1),
        "xco2_error_scatter_ppm": scatter,
        "xco2_error_max_abs_ppm": abs(SMOOTHING_PPM) + 0.4,
        "smoothed_error_mean_ppm": 0.1,
        "smoothed_error_scatter_ppm": scatter,
        "smoothed_error_max_abs_ppm": 0.6,
        "smoothed_scatter_to_noise_sigma": scatter / HALF_PPM,
        "raw_error_rms_to_total_sigma": math.hypot(SMOOTHING_PPM + 0.1, HALF_PPM) / 0.8,
        "truth_on_levels_max_abs_ppm": 0.0,
        "surface_pressure_error_mean_hpa": 0.3,
        "surface_pressure_error_scatter_hpa": 0.0,
        "surface_pressure_error_max_abs_hpa": 0.3,
        "chi2_b1": 1.0,
        "chi2_b4": 1.2,
        "dof_co2": 2.0,
        "mismatch_difference_ppm": 1.2,
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=ROUNDING)


def test_every_figure_of_the_list_is_in_the_verdict_and_no_other(fake_run):
    assert list(figures(fake_run)) == list(FIGURES)


def test_soundings_that_did_not_converge_are_left_out_and_counted(fake_run):
    fake_run.errors_ppm = np.zeros(24)
    fake_run.errors_ppm[5] = 30.0
    fake_run.outcome = {5: 2}
    found = figures(fake_run)
    assert found["xco2_error_max_abs_ppm"] == pytest.approx(abs(SMOOTHING_PPM), abs=ROUNDING)
    assert (found["soundings_counted"], found["soundings_not_converged"]) == (23, 1)
    assert found["converged_fraction"] == pytest.approx(23 / 24)
    assert found["quality_kept_fraction"] == pytest.approx(23 / 24)


LIMITS = [
    {"figure": "xco2_error_mean_abs_ppm", "at_most": 1e6},
    {"figure": "xco2_error_scatter_ppm", "at_most": 1e6},
    {"figure": "smoothed_error_max_abs_ppm", "at_most": 1e6},
    {"figure": "surface_pressure_error_max_abs_hpa", "at_most": 1e6},
]


def test_one_converged_sounding_without_a_number_fails_what_it_touches(fake_run):
    fake_run.errors_ppm = np.zeros(24)
    fake_run.errors_ppm[7] = np.nan
    fake_run.requirements = LIMITS
    fake_run.write()
    verdict = judged(fake_run)
    assert [row["holds"] for row in verdict["requirements"]] == [False, False, False, True]
    assert verdict["requirements"][0]["measured"] is None
    assert (verdict["figures"]["soundings_retrieved"], verdict["figures"]["soundings_missing"]) == (23, 0)
    assert not verdict["holds"]


def test_a_run_without_any_sounding_fails(fake_run):
    fake_run.requirements = LIMITS
    root = fake_run.write()
    for path in (root / "l2").glob("*.nc"):
        path.unlink()
    verdict = judged(fake_run)
    assert not any(row["holds"] for row in verdict["requirements"])
    assert verdict["figures"]["soundings_missing"] == 24


def test_a_run_in_which_nothing_converged_fails(fake_run):
    fake_run.requirements = LIMITS
    fake_run.outcome = dict.fromkeys(range(24), 1)
    fake_run.write()
    assert not any(row["holds"] for row in judged(fake_run)["requirements"])


def test_a_granule_that_never_came_is_missing(fake_run):
    root = fake_run.write()
    (root / "l2" / "l2_0001.nc").unlink()
    found = judged(fake_run)["figures"]
    assert (found["soundings_expected"], found["soundings_retrieved"], found["soundings_missing"]) == (
        24,
        12,
        12,
    )


def test_declined_and_flagged_soundings_are_rows_and_counted_apart(fake_run):
    """Two declined (of them NaN all over), one not converged, one of bad quality: 20 of 24 kept."""
    fake_run.errors_ppm = np.zeros(24)
    fake_run.errors_ppm[[0, 1, 2]] = np.nan
    fake_run.errors_ppm[3] = 9.0
    fake_run.outcome = {0: 3, 1: 3, 2: 1}
    fake_run.reasons = {0: 1, 1: 1, 2: 2, 3: 4 + 2}
    fake_run.write()
    verdict = judged(fake_run)
    found = verdict["figures"]
    counts = ("missing", "not_attempted", "not_converged", "counted", "kept")
    assert [found[f"soundings_{name}"] for name in counts] == [0, 2, 3, 21, 20]
    assert found["soundings_not_attempted_fraction"] == pytest.approx(2 / 24)
    assert found["soundings_flagged_fraction"] == pytest.approx(4 / 24)
    assert found["quality_kept_fraction"] == pytest.approx(20 / 24)
    assert found["flagged_snow_fraction"] == pytest.approx(2 / 24)
    assert found["flagged_surface_pressure_fraction"] == pytest.approx(1 / 24)
    assert found["flagged_chi2_fraction"] is None  # not among the product's reasons
    assert verdict["quality"] == [
        {"reason": "dark", "soundings": 2},
        {"reason": "snow", "soundings": 2},
        {"reason": "surface_pressure", "soundings": 1},
    ]
    assert found["xco2_error_max_abs_ppm"] == pytest.approx(9.0 + SMOOTHING_PPM, abs=ROUNDING)
    assert found["kept_error_scatter_ppm"] == pytest.approx(0.0, abs=ROUNDING)
    assert found["kept_error_mean_abs_ppm"] == pytest.approx(abs(SMOOTHING_PPM), abs=ROUNDING)
    assert found["kept_smoothed_error_mean_abs_ppm"] == pytest.approx(0.0, abs=ROUNDING)


def test_a_night_without_any_retrieval_has_a_verdict_with_reasons(fake_run):
    """Every row declined, its numbers NaN: counts hold, what needs a retrieval fails and says why."""
    fake_run.errors_ppm = np.full(24, np.nan)
    fake_run.outcome = dict.fromkeys(range(24), 3)
    fake_run.requirements = [
        {"figure": "soundings_missing", "at_most": 0},
        {"figure": "soundings_not_attempted_fraction", "at_least": 1, "because": "the Sun is down"},
        {"figure": "kept_error_mean_abs_ppm", "at_most": 0.5},
        {"figure": "xco2_error_mean_abs_ppm", "at_most": 0.5},
    ]
    root = fake_run.write()
    for path in (root / "l2").glob("*.nc"):
        edit(path, blank)
    rows = judged(fake_run)["requirements"]
    assert [row["holds"] for row in rows] == [True, True, False, False]
    assert [row["reason"] for row in rows] == [
        "passes: 0 is at most 0",
        "passes: 1 is at least 1",
        "fails: not measured: no sounding kept",
        "fails: not measured: no sounding converged",
    ]
    assert rows[1]["because"] == "the Sun is down"


def blank(file) -> None:
    """Leave flags, identity and place, as L2 does where it retrieves nothing."""
    kept = {"sounding_id", "time", "latitude", "longitude", "outcome_flag", "xco2_quality_flag"}
    for name, variable in file.variables.items():
        if variable.dtype.kind == "f" and name not in kept and not name.startswith("vertex"):
            variable[:] = np.nan


def test_anomalies_follow_the_truth_with_their_slope(fake_run):
    """Retrieved = 0.8 of the true anomaly: slope 0.8; noise lowers the correlation only."""
    anomaly = np.linspace(-1.5, 1.5, 24)
    noise = 0.5 * np.tile([1.0, -1.0, -1.0, 1.0], 6)  # without mean and slope
    fake_run.errors_ppm = 0.8 * anomaly + noise
    root = fake_run.write()
    edit(root / "truth.nc", lambda file: file["xco2"].__setitem__(slice(None), TRUE_PPM + anomaly))
    found = judged(fake_run)["figures"]
    assert found["anomaly_slope"] == pytest.approx(0.8, abs=ROUNDING)
    fitted = stats.linregress(anomaly, 0.8 * anomaly + noise)
    reach = stats.t.ppf(0.975, 22) * fitted.stderr
    assert found["anomaly_slope_low"] == pytest.approx(0.8 - reach, abs=ROUNDING)
    assert found["anomaly_slope_high"] == pytest.approx(0.8 + reach, abs=ROUNDING)
    assert found["anomaly_true_range_ppm"] == pytest.approx(3.0, abs=ROUNDING)
    expected = 0.8 * anomaly.std() / math.hypot(0.8 * anomaly.std(), 0.5)
    assert found["anomaly_correlation"] == pytest.approx(expected, abs=ROUNDING)


def test_what_is_kept_though_wrong_is_counted(fake_run):
    """Four soundings 9 ppm off, one of them flagged: three mislead."""
    fake_run.errors_ppm = np.where(np.arange(24) < 4, 9.0, 0.0)
    fake_run.reasons = {0: 2}
    assert figures(fake_run)["kept_wrong_fraction"] == pytest.approx(3 / 24)


def test_a_good_flag_on_no_number_is_wrong(fake_run):
    fake_run.errors_ppm = np.where(np.arange(24) < 2, np.nan, 0.0)
    assert figures(fake_run)["kept_wrong_fraction"] == pytest.approx(2 / 24)


def test_the_true_surface_pressures_span_is_given(fake_run):
    root = fake_run.write()
    falling = np.linspace(1013.0, 700.0, 24)
    edit(root / "truth.nc", lambda file: file["surface_pressure"].__setitem__(slice(None), falling))
    assert judged(fake_run)["figures"]["surface_pressure_true_range_hpa"] == pytest.approx(313.0)


def test_the_leak_of_the_prior(fake_run):
    """The prior is 4 ppm low and half of it stays, whatever else is wrong with the retrieval."""
    fake_run.errors_ppm = np.full(24, 1.5)
    found = figures(fake_run)
    assert found["prior_error_mean_ppm"] == pytest.approx(-4.0, abs=ROUNDING)
    assert found["prior_leak"] == pytest.approx(0.5, abs=ROUNDING)
    edit(fake_run.root / "truth.nc", lambda file: file["xco2"].__setitem__(slice(None), 420.4))
    assert judged(fake_run)["figures"]["prior_leak"] is None


def test_rows_are_joined_by_identifier_not_by_order(fake_run):
    fake_run.errors_ppm = 0.01 * np.arange(24)
    root = fake_run.write()

    def rise(file):
        file["xco2"][:] = TRUE_PPM + 0.01 * np.arange(24)

    def turn(file):
        for variable in file.variables.values():
            variable[:] = variable[:][::-1]

    edit(root / "truth.nc", rise)
    before = judged(fake_run)["figures"]
    assert before["xco2_error_scatter_ppm"] == pytest.approx(0.0, abs=ROUNDING)
    edit(root / "truth.nc", turn)
    edit(root / "l2" / "l2_0000.nc", turn)
    assert judged(fake_run)["figures"] == pytest.approx(before, abs=ROUNDING)


def test_foreign_and_repeated_rows_are_counted_and_left_out(fake_run):
    root = fake_run.write()

    def rename(file):
        file["sounding_id"][0] = 999  # foreign: one is missing
        file["sounding_id"][2] = file["sounding_id"][1]  # again: another is missing

    edit(root / "l2" / "l2_0000.nc", rename)
    found = judged(fake_run)["figures"]
    assert (found["soundings_unexpected"], found["soundings_missing"]) == (2, 2)


def test_a_product_without_a_sigma_has_no_ratio_and_fails_it(fake_run):
    fake_run.requirements = [{"figure": "smoothed_scatter_to_noise_sigma", "at_most": 1e6}]
    fake_run.errors_ppm = HALF_PPM * np.array([1.0, -1.0] * 12)
    root = fake_run.write()
    for path in (root / "l2").glob("*.nc"):
        edit(path, lambda file: file.renameVariable("xco2_uncertainty_noise", "other"))
    assert not judged(fake_run)["holds"]


def test_a_product_without_xco2_is_named(fake_run):
    root = fake_run.write()
    edit(root / "l2" / "l2_0000.nc", lambda file: file.renameVariable("xco2", "other"))
    with pytest.raises(ValueError, match=r"l2_0000.nc: expected a variable xco2, got none"):
        score(root, fake_run.scenario)


def test_every_packet_sent_is_accounted_for(fake_run):
    found = figures(fake_run)
    sent, kinds = 96 + 8 + 60, ("accepted", "corrected", "quarantined", "missing")
    assert (found["packets_sent"], found["packets_unaccounted"]) == (sent, 0)
    assert [found[f"packets_{kind}"] for kind in kinds] == [sent - 9, 3, 3, 3]


@pytest.mark.parametrize(
    ("sent", "unaccounted"),
    [
        ({256: 97, 257: 8, 258: 60}, 1),
        ({256: 97, 257: 7, 258: 60}, 2),  # too many of one never make up for too few of another
        ({256: 96, 257: 8}, 60),  # 58 that L0 keeps, one it misses, one it has in quarantine
        ({256: 96, 257: 8, 258: 60, 259: 4}, 4),
    ],
)
def test_packets_out_of_balance_are_counted_by_apid(fake_run, sent, unaccounted):
    fake_run.sent = sent
    assert figures(fake_run)["packets_unaccounted"] == unaccounted


def test_times_and_rates_count_the_stages_up_to_l2(fake_run):
    found = figures(fake_run)
    soundings, chain_s, ground_s = 24 + 12, 2 + 10 + 1 + 5, 1 + 5
    assert found["chain_wall_s"] == pytest.approx(chain_s)
    assert found["ground_soundings_per_s"] == pytest.approx(soundings / ground_s)
    assert found["chain_real_time_factor"] == pytest.approx(soundings / chain_s / 2.3)
    assert found["peak_rss_mb"] == pytest.approx(103.0)


def test_the_mismatch_row_is_a_paired_difference(fake_run):
    fake_run.errors_ppm = np.random.default_rng(3).normal(size=24)  # common to both rows of a pair
    fake_run.outcome, fake_run.mismatch_outcome = {4: 1}, {5: 2, 6: 2}
    fake_run.write()
    row = judged(fake_run)["mismatch"]
    assert row["pairs"] == 9
    assert row["difference_mean_ppm"] == pytest.approx(1.2, abs=ROUNDING)
    assert row["difference_scatter_ppm"] == pytest.approx(0.0, abs=ROUNDING)
    assert row["error_mean_ppm"] - row["own_error_mean_ppm"] == pytest.approx(1.2, abs=ROUNDING)
    tenth_ppm = 0.1  # 0.7 % is published here as 2.7 ppm, so 0.3 % is 1.16
    assert row["difference_linear_ppm"] == pytest.approx(1.16, abs=tenth_ppm)


def test_without_mismatch_soundings_there_is_no_row(fake_run):
    root = fake_run.write()
    (root / "mismatch" / "geometry.nc").unlink()
    verdict = judged(fake_run)
    assert verdict["mismatch"] is None
    assert verdict["figures"]["mismatch_difference_ppm"] is None


def test_an_unknown_figure_is_bad_input_and_leaves_no_verdict(fake_run):
    fake_run.requirements = [{"figure": "xco2_error_mean_abs", "at_most": 1.0}]
    root = fake_run.write()
    with pytest.raises(BadInput, match="did you mean xco2_error_mean_abs_ppm"):
        score(root, fake_run.scenario)
    assert not list(root.glob("*verdict.json*"))


def test_the_verdict_says_what_it_leaves_out_and_where_it_comes_from(fake_run):
    fake_run.write()
    verdict = judged(fake_run)
    assert {"layer": "aerosol", "state": "off"} in verdict["nature"]
    text = " ".join(verdict["not_in_the_figure"])
    assert all(word in text for word in ("spectroscopy", "Sun", "aerosol", "cloud"))
    origin = verdict["provenance"]
    assert origin["ckd_id"] == "fake-ckd"
    assert origin["stream"] == {"pass_0001_vc1.cadu": "abababababab"}
    assert set(origin["files"]) == {"scenario.yaml", "ckd.nc", "prior.nc", "aux/cia.csv"}
