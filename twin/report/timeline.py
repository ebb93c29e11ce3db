"""Draw the event log: fill of the mass memory, modes, exposures, contact, downlink, delivery."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from twin.events.log import EventLog
from twin.report.parts import GREY, RETRIEVED, TRUTH, Chart, axis, chart
from twin.timecodes import utc_iso, utc_texts

CONTACT, OBSERVING = "#8ec7ea", "#7fd1b9"
LANES = ("delivery", "downlink", "contact", "exposure", "mode")  # from below
MODES = {"standby": "#dddddd", "slew": "#f0c27a"}
LONG_GAP_US = 600_000_000  # 10 min without an event that is shown: the time axis is cut there
MARGIN_US = 10_000_000


def timeline(log: EventLog) -> Chart:
    """Draw the log over UTC, its longest gap cut out of the axis."""
    spans = _spans(log)
    made = chart([], 420, x="UTC", y="")
    made["layout"] |= {"yaxis": axis("memory, Mbit", [0.55, 1.0]), "barmode": "overlay", "showlegend": False}
    made["layout"]["yaxis2"] = axis("", [0.0, 0.48]) | {
        "tickvals": list(range(len(LANES))),
        "ticktext": list(LANES),
        "range": [-0.6, len(LANES) - 0.4],
        "zeroline": False,
    }
    width = 1.0 / len(spans)
    for n, (start, end) in enumerate(spans):
        name = "x" if n == 0 else f"x{n + 1}"
        made["layout"]["xaxis" + name[1:]] = axis("UTC") | {
            "type": "date",
            "range": [utc_iso(start - MARGIN_US), utc_iso(end + MARGIN_US)],
            "domain": [n * width + (0.02 if n else 0.0), (n + 1) * width],
            "anchor": "y2",
        }
        made["data"] += [trace | {"xaxis": name} for trace in (_memory(log), *_modes(log), *_lanes(log))]
    return made


def _spans(log: EventLog) -> list[tuple[int, int]]:
    """Return (first, last) time of the one or two stretches of the log either side of its longest gap."""
    times = sorted(event.time_gps_us for event in log.events)
    if not times:
        return [(0, 1)]
    gap, before, after = max(((b - a, a, b) for a, b in pairwise(times)), default=(0, 0, 0))
    if gap < LONG_GAP_US:
        return [(times[0], times[-1])]
    return [(times[0], before), (after, times[-1])]


def _memory(log: EventLog) -> Chart:
    """Step through the fill of the mass memory."""
    _, times_us, bits = log.levels()
    level = [0.0, *(bits / 1e6).tolist()]
    texts = utc_texts(times_us)
    times = [*texts[:1], *texts]
    return {
        "type": "scatter",
        "mode": "lines",
        "x": times,
        "y": np.round(level, 4).tolist()[: len(times)],
        "line": {"shape": "hv", "color": TRUTH},
        "name": "memory",
    }


def _modes(log: EventLog) -> list[Chart]:
    """Draw a thick line for each stay in a mode, its name in the middle."""
    changes = log.select("spacecraft", "mode")
    ends = [
        *(event.time_gps_us for event in changes[1:]),
        max((e.time_gps_us for e in log.events), default=0),
    ]
    lane = LANES.index("mode")
    return [
        {
            **_bar(event.time_gps_us, end, lane, MODES.get(event.id, OBSERVING)),
            "name": event.id,
            "text": ["", event.id, ""],
        }
        for event, end in zip(changes, ends, strict=True)
    ]


def _lanes(log: EventLog) -> list[Chart]:
    rise, fall = log.select("station", "signal_acquired"), log.select("station", "signal_lost")
    contact = [
        _bar(a.time_gps_us, b.time_gps_us, LANES.index("contact"), CONTACT)
        | {"name": a.id, "text": ["", a.id, ""]}
        for a, b in zip(rise, fall, strict=False)
    ]
    ticks = (
        ("exposure", ("instrument", "exposure"), RETRIEVED),
        ("downlink", ("downlink", "frame_sent"), RETRIEVED),
        ("delivery", ("ground", "file_delivered"), GREY),
    )
    return contact + [
        {
            "type": "scatter",
            "mode": "markers",
            "x": [utc_iso(event.time_gps_us) for event in log.select(*key)],
            "y": [LANES.index(lane)] * len(log.select(*key)),
            "yaxis": "y2",
            "name": lane,
            "marker": {
                "symbol": "line-ns-open" if lane != "delivery" else "circle",
                "size": 9,
                "color": colour,
            },
        }
        for lane, key, colour in ticks
    ]


def _bar(start: int, end: int, lane: int, colour: str) -> Chart:
    return {
        "type": "scatter",
        "mode": "lines+text",
        "x": [utc_iso(start), utc_iso((start + end) // 2), utc_iso(end)],
        "y": [lane] * 3,
        "yaxis": "y2",
        "textposition": "middle center",
        "line": {"width": 18, "color": colour},
    }
