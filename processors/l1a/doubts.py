"""Say which soundings are not to be trusted: their clock, their mode word, or a band that repeats itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from processors.l1a import clock, decommutate, timecode
from processors.products import Product

STUCK_SHARE = 0.99  # [A] of spectels with the same counts as a frame before: noise changes nearly all of them
KNOWN_MODES = (0, 1, 2, 3)  # nadir, glint, target, city


@dataclass(frozen=True)
class Doubts:
    """What is doubted of each sounding, (sounding) bool."""

    time: np.ndarray
    mode: np.ndarray
    stuck: np.ndarray


def none(soundings: int) -> Doubts:
    nothing = np.zeros(soundings, bool)
    return Doubts(nothing, nothing, nothing)


def chosen(found: Doubts, mine: np.ndarray) -> Doubts:
    return Doubts(found.time[mine], found.mode[mine], found.stuck[mine])


def by_clock(
    l0: Product, packets: np.ndarray, leap: timecode.LeapSeconds, frame_duration: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return (packet) bool: stamped by a clock that was right, and the attitude packets that were.

    packets  (packet, octet)  uint8, science packets of the pass
    """
    offset = float(np.ma.filled(l0["clock_offset"], np.nan))
    frames = decommutate.frame_stamps(l0)
    time = leap.continuous(*frames.time_code)
    ahead = time - timecode.utc_seconds(*frames.time_code)
    first = clock.first_suspect(time, frames.boot, frames.count, frame_duration, offset, ahead)
    bad = (frames.boot[first:] << 32) + frames.count[first:]
    attitude, _ = decommutate.packets_of(l0, decommutate.ATTITUDE, decommutate.ATTITUDE_BYTES)
    states = decommutate.state_stamps(attitude)
    time, count = leap.continuous(*states.time_code), clock.unwrap(states.count)
    ahead = time - timecode.utc_seconds(*states.time_code)
    good = clock.first_suspect(time, states.boot, count, clock.STATE_PERIOD_S, offset, ahead)
    return ~np.isin(decommutate.frame_key(packets), bad), attitude[:good]


def of(
    science: decommutate.Science, packets: np.ndarray, timely: np.ndarray, passes: list[Product]
) -> Doubts:
    """Gather the doubts of soundings.

    packets, timely  (packet)  the science packets and whether their clock was right
    """
    keys = (science.boot_count << 32) + science.frame_counter
    late = decommutate.frame_key(packets)[~timely]
    return Doubts(np.isin(keys, late), _other_mode(keys, science.operation_mode, passes), _stuck(science))


def _other_mode(keys: np.ndarray, mode: np.ndarray, passes: list[Product]) -> np.ndarray:
    """Find modes that are none, or another than in the housekeeping of the frame."""
    other = ~np.isin(mode, KNOWN_MODES)
    for l0 in passes:
        known, told = decommutate.modes_by_frame(l0)
        order = np.argsort(known, kind="stable")
        known, told = known[order], told[order]
        at = np.minimum(np.searchsorted(known, keys), max(known.size - 1, 0))
        if known.size:
            other |= (known[at] == keys) & (told[at] != mode)
    return other


def _stuck(science: decommutate.Science) -> np.ndarray:
    """Find soundings with a band whose counts are those of the same field in the frame before or after."""
    stuck = np.zeros(science.sounding_id.size, bool)
    place = {key: row for row, key in enumerate(science.sounding_id.tolist())}
    for key, row in place.items():
        before = place.get(key - decommutate.FRAME_FACTOR)
        if before is None:
            continue
        both = ~science.band_missing[row] & ~science.band_missing[before]
        same = (science.dn[row] == science.dn[before]).mean(axis=1) >= STUCK_SHARE
        if (same & both).any():
            stuck[[before, row]] = True
    return stuck
