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
        "defined over a month and >= 100 soundings in 1000 km x 1000 km; here one run",
    ),
)

# why a figure has no value, by the beginning of its name: whatever was retrieved, and though some was
NOT_OF_ERRORS = {
    "mismatch": "no sounding of the mismatch row converged",
    "flagged_": "the products name no such reason",
    **dict.fromkeys(("chain_", "ground_", "peak_"), "no stage was timed"),
    **dict.fromkeys(("converged_", "quality_", "soundings_"), "no sounding observed"),
}
NOT_DEFINED = {
    "prior_leak": "the mean error of the prior is below 0.5 ppm",
    "anomaly_": "true or retrieved XCO2 does not vary",
}


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
            "reason": reason(asked, figures),
        }
        for asked in requirements
    ]


def reason(asked: Requirement, figures: Figures) -> str:
    """Say in one sentence why a row passes or fails: measured against limit, or why not measured."""
    measured = figures.get(asked.figure)
    if measured is None or not math.isfinite(measured):
        return f"fails: not measured: {_why_unmeasured(asked.figure, figures)}"
    unit = FIGURES[asked.figure][1]
    value = f"{measured:.4g}" + ("" if unit == "1" else f" {unit}")
    low, high = asked.at_least, asked.at_most
    if low is not None and measured < low:
        return f"fails: {value} is below the least allowed, {low:g}"
    if high is not None and measured > high:
        return f"fails: {value} is above the most allowed, {high:g}"
    words = (("at least", low), ("at most", high))
    return f"passes: {value} is " + " and ".join(f"{word} {x:g}" for word, x in words if x is not None)


def _why_unmeasured(figure: str, figures: Figures) -> str:
    """Name the first thing a figure needs that the run lacks."""
    if text := _by_name(figure, NOT_OF_ERRORS):
        return text
    count, word = "soundings_counted", "converged"
    if figure.startswith("kept_"):
        count, word = "soundings_kept", "kept"
    soundings = figures.get(count) or 0
    if soundings == 0:
        return f"no sounding {word}"
    return _by_name(figure, NOT_DEFINED) or (
        f"one sounding {word}, and a spread needs two" if soundings == 1 else "the products lack a value"
    )


def _by_name(figure: str, texts: Mapping[str, str]) -> str:
    return next((text for start, text in texts.items() if figure.startswith(start)), "")


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
