"""Turn the products of a mission into latency, backlog and age of data, and the figures of a verdict."""

from __future__ import annotations

from typing import Any

import numpy as np

from twin.constants import FOVS
from twin.events.groundsegment import Products
from twin.events.log import EventLog
from twin.mission.resources import IMAGE_BITS

PERCENTILES = (50, 95, 99)


def summary(latency_us: np.ndarray) -> dict[str, float | None]:
    """Return mean and percentiles in s; each percentile is a latency that occurred (inverted CDF)."""
    if not len(latency_us):
        return dict.fromkeys(_names())
    shares = np.percentile(latency_us, PERCENTILES, method="inverted_cdf").tolist()
    values = (float(latency_us.mean()), *shares, float(latency_us.max()))
    return {name: value / 1e6 for name, value in zip(_names(), values, strict=True)}


def _names() -> list[str]:
    return ["latency_mean_s", *(f"latency_p{p}_s" for p in PERCENTILES), "latency_max_s"]


def figures(log: EventLog, products: Products) -> dict[str, Any]:
    """Return the figures of operations; twin/verify/figures.py has their meaning."""
    seen = products.frames
    _, _, level = log.levels()
    waited_us = (seen.sent_us - seen.sensed_us)[seen.sent_us >= 0]
    return {
        **summary(products.latency_us),
        "soundings_disseminated": FOVS * len(products.latency_us),
        "soundings_on_board": FOVS * int((seen.pass_index < 0).sum()),
        "age_on_board_max_s": float(waited_us.max()) / 1e6 if len(waited_us) else None,
        "backlog_max_granules": int(backlog(products)[1].max(initial=0)),
        "workers": products.workers,
        "workers_busy_share": utilisation(log, products),
        "memory_max_bits": int(level.max(initial=0)),
        **counts(log),
    }


def counts(log: EventLog) -> dict[str, Any]:
    """Count frames and passes by their fate, and the worst of battery and clock."""

    def total(process: str, *events: str) -> int:
        return int(log.rows(process, *events).value.sum())

    offsets_us = log.rows("clock", "correlated").value
    errors_us = log.rows("clock", "prediction_error").value
    charge_mj = log.rows("power", "eclipse_entered", "eclipse_left", "battery_low").value
    return {
        "frames_exposed": total("instrument", "exposure"),
        "frames_lost": total("instrument", "exposure_lost"),
        "frames_skipped": total("instrument", "exposure_skipped"),
        "frames_stored": total("memory", "frame_stored") // IMAGE_BITS,
        "frames_refused": total("memory", "frame_refused") // IMAGE_BITS,
        "passes": len(log.rows("downlink", "acknowledged").place),
        "passes_lost": len(log.rows("downlink", "unacknowledged").place),
        "clock_offset_max_us": int(np.abs(offsets_us).max(initial=0)),
        "clock_error_max_us": int(np.abs(errors_us).max(initial=0)),
        "battery_min_mj": int(charge_mj.min()) if len(charge_mj) else None,
    }


def utilisation(log: EventLog, products: Products) -> float:
    """Return the share of the workers' time that was spent on jobs, until the last of them ended."""
    times = log.rows("spacecraft", "mode").time_us
    if not len(times):
        return 0.0
    span_us = max(log.end_us, int(products.l2_us.max(initial=0))) - int(times[0])
    return products.busy_us / (products.workers * span_us)


def backlog(products: Products) -> tuple[np.ndarray, np.ndarray]:
    """Return times and number of granules ready for processing whose L2 is not done, after each change."""
    done = products.l2_us >= 0
    return _running(products.ready_us[done], products.l2_us[done])


def on_board(products: Products) -> tuple[np.ndarray, np.ndarray]:
    """Return times of downlink and the age in us of the oldest frame then brought down, pass by pass."""
    seen = products.frames
    came = seen.sent_us >= 0
    order = np.argsort(seen.pass_index[came], kind="stable")
    passes, first = np.unique(seen.pass_index[came][order], return_index=True)
    if not len(passes):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    age = (seen.sent_us - seen.sensed_us)[came][order]
    return np.maximum.reduceat(seen.sent_us[came][order], first), np.maximum.reduceat(age, first)


def _running(ins_us: np.ndarray, outs_us: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return times and the number of those in and not yet out, after all changes of each time."""
    changes, place = np.unique(np.concatenate([ins_us, outs_us]), return_inverse=True)
    steps = np.concatenate([np.ones(len(ins_us)), -np.ones(len(outs_us))])
    return changes, np.cumsum(np.bincount(place, steps, minlength=len(changes))).astype(np.int64)
