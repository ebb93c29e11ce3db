"""Give the charts of the report their common parts: colours, traces, axes, layout."""

from __future__ import annotations

from typing import Any

import numpy as np

Chart = dict[str, Any]
TRUTH, SMOOTHED, RETRIEVED, GREY = "#000000", "#0072B2", "#D55E00", "#999999"
MARGIN = {"l": 65, "r": 20, "t": 64, "b": 50}
DIGITS = 8  # significant digits of what a chart carries


def numbers(values: np.ndarray) -> list[float | None]:
    """Round to DIGITS significant digits; what is not finite becomes a gap."""
    return [float(f"{v:.{DIGITS}g}") if np.isfinite(v) else None for v in np.asarray(values, float).tolist()]


def points(x: np.ndarray, y: np.ndarray, name: str, mode: str) -> Chart:
    return {"type": "scatter", "mode": mode, "x": numbers(x), "y": numbers(y), "name": name}


def axis(title: str, domain: list[float] | None = None) -> Chart:
    made: Chart = {"title": {"text": title}, "gridcolor": "#e5e5e5", "zerolinecolor": "#cccccc"}
    return made | ({"domain": domain} if domain else {})


def chart(data: list[Chart], height: int, *, x: str, y: str) -> Chart:
    layout = {
        "height": height,
        "margin": MARGIN,
        "xaxis": axis(x),
        "yaxis": axis(y),
        "legend": {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0.0, "xanchor": "left"},
        "plot_bgcolor": "white",
        "font": {"size": 12},
    }
    return {"data": data, "layout": layout}


def upside_down(made: Chart) -> Chart:
    """Put high pressure at the bottom."""
    made["layout"]["yaxis"]["autorange"] = "reversed"
    return made
