"""Limits met, missed and not measurable; names of figures; the mission's rows."""

import json
import math
from pathlib import Path

import pytest

from twin import console, scenario
from twin.errors import BadInput
from twin.scenario import Requirement
from twin.verify import requirements
from twin.verify.figures import FIGURES
from twin.verify.notes import not_in_the_figure

FIGURE = "xco2_error_mean_abs_ppm"
SCENARIOS = sorted((Path(__file__).parents[3] / "scenarios").glob("*.yaml"))


def holds(measured, **limits) -> bool:
    asked = Requirement(figure=FIGURE, **limits)
    return requirements.evaluate([asked], {FIGURE: measured})[0]["holds"]


@pytest.mark.parametrize(
    ("measured", "limits", "expected"),
    [
        (0.5, {"at_most": 0.5}, True),
        (math.nextafter(0.5, 1), {"at_most": 0.5}, False),
        (0.8, {"at_least": 0.8}, True),
        (math.nextafter(0.8, 0), {"at_least": 0.8}, False),
        (1.25, {"at_least": 0.8, "at_most": 1.25}, True),
        (1.26, {"at_least": 0.8, "at_most": 1.25}, False),
        (0.79, {"at_least": 0.8, "at_most": 1.25}, False),
        (0, {"at_most": 0.0}, True),
        (1, {"at_most": 0.0}, False),
    ],
)
def test_limits_are_part_of_what_holds(measured, limits, expected):
    assert holds(measured, **limits) is expected


@pytest.mark.parametrize("measured", [None, math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("limits", [{"at_most": 1.0}, {"at_least": -1.0}])
def test_what_could_not_be_measured_fails(measured, limits):
    assert holds(measured, **limits) is False


def test_a_figure_that_is_absent_fails():
    asked = Requirement(figure=FIGURE, at_most=1.0)
    (row,) = requirements.evaluate([asked], {})
    assert (row["measured"], row["holds"]) == (None, False)


@pytest.mark.parametrize(
    ("figure", "measured", "limits", "said"),
    [
        (FIGURE, 0.25, {"at_most": 0.5}, "passes: 0.25 ppm is at most 0.5"),
        (FIGURE, 0.75, {"at_most": 0.5}, "fails: 0.75 ppm is above the most allowed, 0.5"),
        (FIGURE, 0.75, {"at_least": 0.8, "at_most": 1.25}, "fails: 0.75 ppm is below the least allowed, 0.8"),
        (FIGURE, 1.0, {"at_least": 0.8, "at_most": 1.25}, "passes: 1 ppm is at least 0.8 and at most 1.25"),
        ("converged_fraction", 1.0, {"at_least": 0.9}, "passes: 1 is at least 0.9"),
        (FIGURE, None, {"at_most": 0.5}, "fails: not measured: no sounding converged"),
        ("kept_error_mean_abs_ppm", None, {"at_most": 1}, "fails: not measured: no sounding kept"),
        ("mismatch_difference_ppm", math.nan, {"at_most": 1},
         "fails: not measured: no sounding of the mismatch row converged"),
        ("flagged_snow_fraction", None, {"at_least": 1},
         "fails: not measured: the products name no such reason"),
    ],
)  # fmt: skip
def test_a_row_says_why_it_passes_or_fails(figure, measured, limits, said):
    asked = Requirement(figure=figure, **limits)
    assert requirements.evaluate([asked], {figure: measured})[0]["reason"] == said


@pytest.mark.parametrize(
    ("figure", "counts", "said"),
    [
        ("prior_leak", {"soundings_counted": 9}, "the mean error of the prior is below 0.5 ppm"),
        ("anomaly_slope", {"soundings_counted": 9}, "true or retrieved XCO2 does not vary"),
        (
            "xco2_error_scatter_ppm",
            {"soundings_counted": 1},
            "one sounding converged, and a spread needs two",
        ),
        ("kept_error_scatter_ppm", {"soundings_kept": 1}, "one sounding kept, and a spread needs two"),
        ("noise_sigma_ppm", {"soundings_counted": 9}, "the products lack a value"),
        ("chain_wall_s", {}, "no stage was timed"),
    ],
)  # fmt: skip
def test_what_could_not_be_measured_says_why(figure, counts, said):
    (row,) = requirements.evaluate([Requirement(figure=figure, at_most=1.0)], counts)
    assert row["reason"] == f"fails: not measured: {said}"


def test_the_terminal_says_why_a_row_fails_below_the_table(tmp_path, capsys):
    asked = [
        Requirement(figure=FIGURE, at_most=0.5, because="regional bias"),
        Requirement(figure="converged_fraction", at_least=0.9, because="nothing is hidden"),
    ]
    rows = requirements.evaluate(asked, {FIGURE: 0.75, "converged_fraction": 1.0})
    (tmp_path / "verdict.json").write_text(json.dumps({"requirements": rows}))
    assert console.conclude(tmp_path) == 1
    said = " ".join(capsys.readouterr().out.split())
    expected = f"{FIGURE} fails: 0.75 ppm is above the most allowed, 0.5 (limit because regional bias)"
    assert expected in said
    assert "nothing is hidden" not in said


DUST = {"type": "dust", "optical_depth": 0.1, "height": 3000.0}
SWITCHES = [
    ({}, "aerosol: none in truth", "fluorescence: none"),
    ({}, "calibration: dark rate, row means of PRNU", "relief: the forecast"),
    ({"relief": True}, "relief: the forecast knows the mean altitude", "relief: flat"),
    ({"sif": False}, "fluorescence: none in truth", "published points"),
    ({"aerosol": [DUST]}, "aerosol: in truth", "aerosol: none"),
    ({"cirrus": {"type": "ice", "optical_depth": 0.1, "height": 9000.0}}, "cirrus: in truth", "cirrus: none"),
    ({"cloud": "climatology"}, "cloud: its shadow", "every scene is clear"),
    ({"line_mixing": True}, "share all of it but nature's line mixing", "read the same line list"),
    ({"co2_intensity_scale": 1.003}, "but nature's CO2 intensity", "read the same line list"),
]  # fmt: skip


@pytest.mark.parametrize(("truth", "said", "unsaid"), SWITCHES)
def test_what_is_left_out_follows_the_switches(truth, said, unsaid):
    data = {"name": "x", "start": "2026-07-01T20:40:00Z", "requirements": [], "truth": truth,
            "observation": {"mode": "nadir", "start_latitude": 2.0}}  # fmt: skip
    asked = scenario.Scenario.model_validate_json(json.dumps(data), context=scenario.STORED_UNITS)
    text = " | ".join(not_in_the_figure(asked))
    assert said in text
    assert unsaid not in text


@pytest.mark.parametrize(("soundings", "said"), [(0, False), (12, True)])
def test_the_mismatch_row_is_named_only_where_there_is_one(soundings, said):
    data = {"name": "x", "start": "2026-07-01T20:40:00Z", "requirements": [],
            "observation": {"mode": "nadir", "start_latitude": 2.0},
            "mismatch": {"soundings": soundings}}  # fmt: skip
    asked = scenario.Scenario.model_validate_json(json.dumps(data), context=scenario.STORED_UNITS)
    assert ("mismatch row" in not_in_the_figure(asked)[0]) is said


def test_errors_of_the_ground_s_lines_are_named():
    data = {"name": "x", "start": "2026-07-01T20:40:00Z", "requirements": [],
            "observation": {"mode": "nadir", "start_latitude": 2.0},
            "spectroscopy": {"co2_intensity": 0.003, "cia": False}}  # fmt: skip
    asked = scenario.Scenario.model_validate_json(json.dumps(data), context=scenario.STORED_UNITS)
    text = not_in_the_figure(asked)[0]
    assert "the ground's CO2 intensity (+0.30%)" in text
    assert "collision-induced absorption, which the ground lacks" in text
    assert "O2 intensity" not in text.replace("CO2 intensity", "")


def test_a_row_carries_what_the_terminal_and_the_report_print():
    (row,) = requirements.evaluate([Requirement(figure=FIGURE, at_most=0.5)], {FIGURE: 0.25})
    assert row["figure"] == FIGURE
    assert (row["measured"], row["at_least"], row["at_most"]) == (0.25, None, 0.5)
    assert row["unit"] == "ppm"
    json.dumps(row, allow_nan=False)


def test_every_unknown_figure_is_told_with_the_nearest_name():
    asked = [Requirement(figure=name, at_most=1) for name in ("xco2_eror_scatter_ppm", FIGURE, "qqq")]
    with pytest.raises(BadInput) as raised:
        requirements.check(asked)
    first, second = str(raised.value).splitlines()
    assert first.endswith("got 'xco2_eror_scatter_ppm'; did you mean xco2_error_scatter_ppm?")
    assert "'qqq': choose among soundings_expected, " in second


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_the_shipped_scenarios_ask_for_known_figures(path):
    requirements.check(scenario.load(path).requirements)


@pytest.mark.parametrize(
    ("scatter", "reached"),
    [(0.5, "goal"), (0.51, "threshold"), (1.5, "threshold"), (1.51, "neither"), (None, "not measured")],
)
def test_the_missions_goal_and_threshold_stand_beside(scatter, reached):
    rows = requirements.beside_mission({"xco2_error_scatter_ppm": scatter, FIGURE: 0.15})
    assert (rows[0]["goal"], rows[0]["threshold"], rows[0]["reached"]) == (0.5, 1.5, reached)
    assert (rows[1]["goal"], rows[1]["threshold"], rows[1]["reached"]) == (0.1, 0.2, "threshold")


def test_every_figure_has_a_meaning_and_a_unit():
    assert all(text and unit for text, unit in FIGURES.values())
