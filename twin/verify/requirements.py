"""Hold the figures of a run against the limits of its scenario and of the mission."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from typing import Any

from twin.errors import BadInput
from twin.scenario import Requirement
from twin.verify.figures import FIGURES

Figures = Mapping[str, float | None]

# Requirements of the mission (MicroCarb specification, published): what, figure, goal, threshold, remark
MISSION = (
    (
        "XCO2 random error, one sounding",
        "xco2_error_scatter_ppm",
        0.5,
        1.5,
        "without the errors listed below",
    ),
    (
        "XCO2 regional bias",
        "xco2_error_mean_abs_ppm",
        0.1,
        0.2,
        "defined over a month and >= 100 soundings in 1000 km x 1000 km; here one pass",
    ),
)


def check(requirements: Iterable[Requirement]) -> None:
    """Raise BadInput when a requirement names a figure that no verdict has."""
    problems = [text for asked in requirements if (text := unknown(asked.figure))]
    if problems:
        raise BadInput("\n".join(f"scenario: requirements: figure: {text}" for text in problems))


def unknown(figure: str) -> str:
    """Say what is wrong with the name of a figure; empty when a verdict has it."""
    if figure in FIGURES:
        return ""
    near = difflib.get_close_matches(figure, FIGURES, 1, 0.5)
    hint = f"; did you mean {near[0]}?" if near else f": choose among {', '.join(FIGURES)}"
    return f"expected a figure of the verdict, got {figure!r}{hint}"


def evaluate(requirements: Iterable[Requirement], figures: Figures) -> list[dict[str, Any]]:
    """Give one row a requirement; a figure that could not be measured fails."""
    return [
        {
            **asked.model_dump(),
            "text": FIGURES[asked.figure][0],
            "unit": FIGURES[asked.figure][1],
            "measured": figures.get(asked.figure),
            "holds": _holds(asked, figures.get(asked.figure)),
        }
        for asked in requirements
    ]


def _holds(asked: Requirement, measured: float | None) -> bool:
    if measured is None or not math.isfinite(measured):
        return False
    above = asked.at_least is None or measured >= asked.at_least
    return above and (asked.at_most is None or measured <= asked.at_most)


def beside_mission(figures: Figures) -> list[dict[str, Any]]:
    """Set the mission's goal and threshold beside what was measured; this decides no exit code."""
    return [
        {
            "requirement": text,
            "figure": figure,
            "measured": figures.get(figure),
            "goal": goal,
            "threshold": threshold,
            "unit": FIGURES[figure][1],
            "reached": _reached(figures.get(figure), goal, threshold),
            "remark": remark,
        }
        for text, figure, goal, threshold, remark in MISSION
    ]


def _reached(measured: float | None, goal: float, threshold: float) -> str:
    if measured is None or not math.isfinite(measured):
        return "not measured"
    if measured <= goal:
        return "goal"
    return "threshold" if measured <= threshold else "neither"
