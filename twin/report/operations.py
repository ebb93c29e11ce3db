"""Draw a mission: its timeline over a day, latency of its soundings, queue of its ground segment."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from twin.constants import FOVS
from twin.events import latency
from twin.events.groundsegment import Products
from twin.events.log import EventLog
from twin.report.parts import GREY, MARGIN, RETRIEVED, SMOOTHED, TRUTH, Chart, axis, chart
from twin.timecodes import DAY_US, utc_texts

LANES = ("S-band", "X-band", "eclipse", "mode")  # from below
COLOURS = {
    "standby": "#dddddd",
    "slew": "#f0c27a",
    "safe": "#D55E00",
    "nadir": "#7fd1b9",
    "glint": "#56B4E9",
    "target": "#CC79A7",
    "city": "#8c5fb0",
}
CALIBRATION, LOST, NIGHT = "#e6d800", "#D55E00", "#555555"
PASSES = {"X-band": "#8ec7ea", "S-band": "#b9a8e0"}
MOST_POINTS = 1500  # of a stepped line
BINS = 60
Spans = list[tuple[int, int]]


def day(log: EventLog, start_us: int, end_us: int | None = None) -> Chart:
    """Draw modes, eclipses, passes and fill of the memory of a day, or until a time, from GPS us."""
    span = start_us, start_us + DAY_US if end_us is None else end_us
    made = chart([], 420, x="UTC", y="")
    made["layout"]["xaxis"] |= {"type": "date", "range": utc_texts(np.array(span)), "anchor": "y2"}
    made["layout"]["yaxis"] = axis("memory, Mbit", [0.5, 1.0])
    made["layout"]["yaxis2"] = axis("", [0.0, 0.42]) | {
        "tickvals": list(range(len(LANES))),
        "ticktext": list(LANES),
        "range": [-0.6, len(LANES) - 0.4],
        "zeroline": False,
    }
    made["data"] = [_memory(log, span), *_lanes(log, span)]
    return made


def _memory(log: EventLog, span: tuple[int, int]) -> Chart:
    _, times_us, bits = log.levels()
    first, last = np.searchsorted(times_us, span)
    before = bits[first - 1] if first else 0
    times = np.concatenate([span[:1], times_us[first:last], span[1:]])
    level = np.concatenate([[before], bits[first:last], bits[last - 1 : last] if last else [0]])
    return _steps(*thinned(times, level), 1e6, "memory", TRUTH)


def _lanes(log: EventLog, span: tuple[int, int]) -> Iterator[Chart]:
    stays = _stays(log)
    for mode in dict.fromkeys(mode for mode, _, _ in stays):
        spans = [(a, b) for name, a, b in stays if name == mode]
        yield from _bars(spans, span, "mode", mode, COLOURS.get(mode, CALIBRATION))
    yield from _bars(_eclipses(log), span, "eclipse", "eclipse", NIGHT)
    for lane, stations in (("X-band", "station"), ("S-band", "s_station")):
        heard, lost = _passes(log, stations)
        yield from _bars(heard, span, lane, f"{lane} pass", PASSES[lane])
        yield from _bars(lost, span, lane, f"{lane} pass lost", LOST)


def _stays(log: EventLog) -> list[tuple[str, int, int]]:
    """Return (mode, start, end) of each stay in a mode."""
    changes = log.rows("spacecraft", "mode")
    ends = [*changes.time_us[1:].tolist(), log.end_us]
    return list(zip(log.texts(changes.id), changes.time_us.tolist(), ends, strict=False))


def _eclipses(log: EventLog) -> Spans:
    enters = log.rows("power", "eclipse_entered").time_us
    leaves = np.append(log.rows("power", "eclipse_left").time_us, log.end_us)
    return list(zip(enters.tolist(), leaves[np.searchsorted(leaves, enters)].tolist(), strict=True))


def _passes(log: EventLog, stations: str) -> tuple[Spans, Spans]:
    """Return the passes heard and those lost: an antenna ends one before it begins the next."""
    begins = log.rows(stations, "signal_acquired", "signal_missed")
    ends = log.rows(stations, "signal_lost").time_us.tolist()
    missed = np.isin(begins.place, log.rows(stations, "signal_missed").place).tolist()
    spans = list(zip(begins.time_us.tolist(), ends, strict=False))
    lost = [span for span, gone in zip(spans, missed, strict=False) if gone]
    return [span for span, gone in zip(spans, missed, strict=False) if not gone], lost


def _bars(spans: Spans, shown: tuple[int, int], lane: str, name: str, colour: str) -> Iterator[Chart]:
    """Draw what lies within the time shown as one trace of thick lines; nothing there, no trace."""
    cut = [(max(a, shown[0]), min(b, shown[1])) for a, b in spans if a < shown[1] and b > shown[0]]
    if not cut:
        return
    texts = iter(utc_texts(np.array(cut).ravel()))
    yield {
        "type": "scatter",
        "mode": "lines",
        "x": [x for start in texts for x in (start, next(texts), None)],
        "y": [LANES.index(lane), LANES.index(lane), None] * len(cut),
        "yaxis": "y2",
        "name": name,
        "line": {"width": 16, "color": colour},
    }


def latencies(products: Products) -> Chart:
    """Draw how many soundings reached the users how long after they were sensed, p50 and p95 marked."""
    hours = products.latency_us / 3.6e9
    counts, edges = np.histogram(hours, BINS, (0.0, float(hours.max(initial=0.0)) or 1.0))
    bars = {
        "type": "bar",
        "x": np.round((edges[:-1] + edges[1:]) / 2, 5).tolist(),
        "y": (FOVS * counts).tolist(),
        "width": float(edges[1] - edges[0]),
        "name": "soundings",
        "marker": {"color": SMOOTHED},
    }
    made = chart([bars], 320, x="dissemination minus sensing, h", y="soundings")
    reached = latency.summary(products.latency_us)
    for name, colour in (("p50", GREY), ("p95", RETRIEVED)):
        value_s = reached[f"latency_{name}_s"]
        if value_s is not None:
            made["data"].append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "x": [round(value_s / 3600, 5)] * 2,
                    "y": [0, int(FOVS * counts.max())],
                    "name": f"{name}: {value_s / 60:.0f} min",
                    "line": {"color": colour, "dash": "dash"},
                }
            )
    return made


def queue(products: Products) -> Chart:
    """Draw granules waiting for L2, and the age of the oldest frame that each pass brought down."""
    made = chart([_steps(*thinned(*latency.backlog(products)), 1.0, "backlog", SMOOTHED)], 320, x="UTC", y="")
    at_us, age_us = latency.on_board(products)
    made["data"].append(
        {
            "type": "scatter",
            "mode": "markers",
            "x": utc_texts(at_us),
            "y": np.round(age_us / 3.6e9, 4).tolist(),
            "yaxis": "y2",
            "name": "oldest frame of a pass",
            "marker": {"color": RETRIEVED, "size": 6},
        }
    )
    made["layout"]["xaxis"]["type"] = "date"
    made["layout"]["yaxis"] = axis("granules waiting for L2")
    over = {"overlaying": "y", "side": "right", "rangemode": "tozero", "tickmode": "auto", "showgrid": False}
    made["layout"]["yaxis2"] = axis("age at downlink, h") | over
    made["layout"]["margin"] = MARGIN | {"r": MARGIN["l"]}  # room for the second axis
    return made


def thinned(times_us: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Keep at most MOST_POINTS: of each stretch of the row its lowest, highest and last value, in order."""
    if len(times_us) <= MOST_POINTS:
        return times_us, values
    starts = np.linspace(0, len(values), MOST_POINTS // 3, endpoint=False).astype(int)
    kept = set()
    for start, end in zip(starts, [*starts[1:], len(values)], strict=True):
        part = values[start:end]
        kept |= {start + int(part.argmin()), start + int(part.argmax()), end - 1}
    order = sorted(kept)
    return times_us[order], values[order]


def _steps(times_us: np.ndarray, values: np.ndarray, unit: float, name: str, colour: str) -> Chart:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": utc_texts(times_us),
        "y": np.round(values / unit, 4).tolist(),
        "line": {"shape": "hv", "color": colour},
        "name": name,
    }
