"""Draw a plan: modes, requests, contacts, day and night, fill of the memory over time."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.dates import DateFormatter, HourLocator, date2num
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from twin.mission.planning.pointings import frames_of
from twin.mission.resources import ATTITUDE_BITS, FRAME_BITS, pass_bits
from twin.mission.timeline import Activity, Contact, Timeline
from twin.timecodes import utc

PANEL_US = 6 * 3_600_000_000  # us, width of a panel: names of requests stay apart
MOST_PANELS = 12  # three days; a longer plan is drawn up to there
DPI = 110
COLOURS = {
    "nadir": "#8cc27d",
    "glint": "#7fb8de",
    "target": "#d9534f",
    "city": "#8e5bb5",
    "dark": "#333333",
    "lamp": "#e8a33d",
    "sun": "#f5d90a",
}
STATION_COLOURS = {
    "Kiruna": "#1b6ca8",
    "Inuvik": "#e07b39",
    "Toulouse": "#4f9d69",
    "Kourou": "#b04a8f",
    "Kerguelen": "#7d7d7d",
}
LANES = {"mode": 3.0, "X-band": 2.0, "S-band": 1.0, "day": 0.0}  # height of each lane's middle
NAME_US = 130_000_000  # us, width of a name written upward
REQUESTS_AT = 3.55  # where names of requests begin
Interval = tuple[int, int]


def draw(plan: Timeline, nights: Sequence[Interval], memory_bits: int, path: Path) -> None:
    """Write the picture; nights  (start, end) GPS us."""
    starts = list(range(plan.start_us, plan.end_us, PANEL_US))[:MOST_PANELS]
    figure = Figure(figsize=(16.0, 3.4 * len(starts) + 0.8), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(_title(plan, starts[-1] + PANEL_US), fontsize=11)
    axes = figure.subplots(2 * len(starts), 1, squeeze=False, height_ratios=[3.0, 0.8] * len(starts))[:, 0]
    levels = memory_levels(plan)
    for n, start_us in enumerate(starts):
        span = start_us, start_us + PANEL_US
        _lanes(axes[2 * n], plan, nights, span)
        _memory(axes[2 * n + 1], levels, memory_bits, span)
    figure.legend(handles=_keys(plan), loc="outside lower center", ncols=12, fontsize=8, frameon=False)
    figure.savefig(path, dpi=DPI)


def memory_levels(plan: Timeline) -> np.ndarray:
    """Return (point, 2): GPS us and bits on board, at the edges of all that fills and empties."""
    x_band = [contact for contact in plan.contacts if contact.band == "x"]
    edges = {plan.start_us, plan.end_us}
    edges |= {edge for one in plan.activities for edge in (one.start_us, one.end_us)}
    edges |= {edge for one in x_band for edge in (one.aos_us, one.los_us)}
    times = sorted(edges)
    level, points = 0.0, [(times[0], 0.0)]
    for start_us, end_us in pairwise(times):
        middle_us = (start_us + end_us) // 2
        rate = ATTITUDE_BITS / 1e6
        rate += sum(_bit_us(one) for one in _at(plan.activities, middle_us))
        rate -= sum(
            pass_bits(one.los_us - one.aos_us) / (one.los_us - one.aos_us)
            for one in x_band
            if one.aos_us <= middle_us < one.los_us
        )
        if rate < 0.0 and level + rate * (end_us - start_us) < 0.0:
            points.append((start_us - round(level / rate), 0.0))  # empty before the pass ends
        level = max(0.0, level + rate * (end_us - start_us))
        points.append((end_us, level))
    return np.array(points)


def _at(activities: Sequence[Activity], time_us: int) -> list[Activity]:
    return [one for one in activities if one.start_us <= time_us < one.end_us]


def _bit_us(activity: Activity) -> float:
    """Return the mean rate of an activity, in bits a us."""
    return frames_of(activity) * FRAME_BITS / (activity.end_us - activity.start_us)


def _title(plan: Timeline, drawn_us: int) -> str:
    served = sum(1 for activity in plan.activities if activity.request)
    part = "" if drawn_us >= plan.end_us else f", drawn up to {utc(drawn_us):%Y-%m-%d %H:%M}"
    return (
        f"Plan by {plan.method}, {utc(plan.start_us):%Y-%m-%d %H:%M} to {utc(plan.end_us):%Y-%m-%d %H:%M} UTC"
        f"{part}: {served} requests served, {len(plan.unserved)} not"
    )


def _lanes(axes: Any, plan: Timeline, nights: Sequence[Interval], span: Interval) -> None:
    axes.set_xlim(_date(span[0]), _date(span[1]))
    axes.set_ylim(-0.5, 5.6)
    axes.set_yticks([*LANES.values(), 4.6], [*LANES, "requests"], fontsize=8)
    axes.tick_params(labelbottom=False, length=0)
    axes.xaxis.set_major_locator(HourLocator())
    axes.grid(axis="x", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    for activity in (one for one in plan.activities if _meets(span, one.start_us, one.end_us)):
        _bar(axes, "mode", activity.start_us, activity.end_us, COLOURS[activity.mode])
    _names(axes, [one for one in plan.activities if one.request and span[0] <= one.start_us < span[1]])
    for contact in (one for one in plan.contacts if _meets(span, one.aos_us, one.los_us)):
        _contact(axes, contact, plan)
    _bar(axes, "day", max(span[0], plan.start_us), min(span[1], plan.end_us), "#fff3c4")
    for start_us, end_us in (night for night in nights if _meets(span, *night)):
        _bar(axes, "day", start_us, end_us, "#3b4a6b")


def _names(axes: Any, served: Sequence[Activity]) -> None:
    """Write the requests' names above their bars, moved on where they would meet."""
    at_us = 0
    for activity in served:
        at_us = max((activity.start_us + activity.end_us) // 2, at_us + NAME_US)
        axes.text(
            _date(at_us), REQUESTS_AT, activity.request, rotation=90, fontsize=6, ha="center", va="bottom"
        )


def _contact(axes: Any, contact: Contact, plan: Timeline) -> None:
    """Draw a contact; S-band ones of several stations at once lie in thinner rows."""
    colour = STATION_COLOURS.get(contact.station, "#999999")
    if contact.band == "x":
        _bar(axes, "X-band", contact.aos_us, contact.los_us, colour)
        return
    names = sorted({one.station for one in plan.contacts if one.band == "s"})
    height = 0.8 / len(names)
    low = LANES["S-band"] - 0.4 + names.index(contact.station) * height
    _broken(axes, contact.aos_us, contact.los_us, (low, height), colour)


def _bar(axes: Any, lane: str, start_us: int, end_us: int, colour: str) -> None:
    _broken(axes, start_us, end_us, (LANES[lane] - 0.4, 0.8), colour)


def _broken(axes: Any, start_us: int, end_us: int, heights: tuple[float, float], colour: str) -> None:
    axes.broken_barh([(_date(start_us), _date(end_us) - _date(start_us))], heights, color=colour, linewidth=0)


def _memory(axes: Any, levels: np.ndarray, memory_bits: int, span: Interval) -> None:
    axes.fill_between([_date(int(at)) for at in levels[:, 0]], levels[:, 1] / 1e9, color="#7fd1b9")
    axes.set_xlim(_date(span[0]), _date(span[1]))
    axes.set_ylim(0.0, max(levels[:, 1].max() / 1e9 * 1.15, 1e-3))
    axes.set_ylabel(f"Gbit of\n{memory_bits / 1e9:.4g}", fontsize=8)
    axes.tick_params(labelsize=8)
    axes.xaxis.set_major_locator(HourLocator())
    axes.xaxis.set_major_formatter(DateFormatter("%d %b %H:%M"))
    axes.grid(axis="x", color="#dddddd", linewidth=0.6)


def _keys(plan: Timeline) -> list[Patch]:
    modes = {activity.mode for activity in plan.activities}
    names = {contact.station for contact in plan.contacts}
    keys = [Patch(color=colour, label=mode) for mode, colour in COLOURS.items() if mode in modes]
    keys += [Patch(color=colour, label=name) for name, colour in STATION_COLOURS.items() if name in names]
    return [*keys, Patch(color="#fff3c4", label="day"), Patch(color="#3b4a6b", label="night")]


def _meets(span: Interval, start_us: int, end_us: int) -> bool:
    return start_us < span[1] and end_us > span[0]


def _date(time_us: int) -> float:
    """Turn GPS us into matplotlib's days of UTC."""
    return float(date2num(utc(time_us)))
