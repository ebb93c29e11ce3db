"""Limits met, missed and not measurable; names of figures; the mission's rows."""

import json
import math
from pathlib import Path

import pytest

from twin import scenario
from twin.errors import BadInput
from twin.scenario import Requirement
from twin.verify import requirements
from twin.verify.figures import FIGURES

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
