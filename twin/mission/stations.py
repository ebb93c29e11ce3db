"""Turn a trajectory into the passes that ground stations see."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from twin.constants import DAY_S
from twin.mission import earth, orbit
from twin.scenario import Scenario

MASK_DEG = 5.0  # deg, lowest elevation of a link (assumption)
SEARCH_US = DAY_S * 1_000_000  # us, polar stations see the satellite several times a day
_STEP_US = 10_000_000  # us, 1/10 of the shortest pass worth its while
_HALVINGS = 24  # of a step to 1 us


@dataclass(frozen=True)
class Station:
    name: str
    latitude_deg: float
    longitude_deg: float
    height_m: float

    def elevation_deg(self, satellite_m: np.ndarray) -> np.ndarray:
        """Return the geometric elevation (...) of Earth-fixed points (..., 3) m."""
        place = np.array(self.latitude_deg), np.array(self.longitude_deg)
        zenith, _ = earth.horizontal(place, satellite_m - earth.ecef(*place, np.array(self.height_m)))
        return 90.0 - zenith


# Public coordinates of Esrange, Inuvik, Aussaguel, Kourou, Kerguelen, recalled to 0.01 degree
STATIONS = {
    station.name: station
    for station in (
        Station("Kiruna", 67.88, 20.96, 400.0),
        Station("Inuvik", 68.32, -133.55, 60.0),
        Station("Toulouse", 43.43, 1.50, 260.0),
        Station("Kourou", 5.25, -52.80, 10.0),
        Station("Kerguelen", -49.35, 70.26, 60.0),
    )
}
X_BAND = (STATIONS["Kiruna"], STATIONS["Inuvik"])


@dataclass(frozen=True)
class Pass:
    """Times in GPS us at which the satellite rises above and sets below the mask."""

    station: str
    aos_us: int
    los_us: int
    highest_deg: float


def named(names: Sequence[str]) -> list[Station]:
    unknown = sorted(set(names) - set(STATIONS))
    if unknown:
        raise ValueError(f"expected stations of {', '.join(STATIONS)}, got {unknown[0]}: correct its name")
    return [STATIONS[name] for name in dict.fromkeys(names)]


def first_pass(scenario: Scenario, after_us: int, stations: Sequence[Station] = X_BAND) -> Pass:
    """Return the pass that begins first at or after a time; one already under way is left out."""
    end_us = after_us + SEARCH_US
    path = orbit.trajectory(scenario, after_us, end_us)
    whole = [seen for seen in passes(path, stations, after_us, end_us) if after_us < seen.aos_us]
    if not (found := [seen for seen in whole if seen.los_us < end_us]):
        names = ", ".join(station.name for station in stations)
        raise ValueError(f"no pass above {MASK_DEG} degrees within a day over {names}: add a station")
    return found[0]


def passes(path: orbit.Trajectory, stations: Sequence[Station], start_us: int, end_us: int) -> list[Pass]:
    """Return every pass, first risen first; one under way at an end of the span is cut there.

    A pass shorter than the 10 s of the search may be missed.
    """
    times = np.append(np.arange(start_us, end_us, _STEP_US), end_us)
    position, _ = path.satellite(times)
    found = [seen for station in stations for seen in _passes(station, path, times, position)]
    return sorted(found, key=lambda seen: (seen.aos_us, seen.station))


def served(path: orbit.Trajectory, seen: Sequence[Pass]) -> list[Pass]:
    """Give the one link to the station that sees the satellite highest, until elevations cross."""
    edges = {edge for one in seen for edge in (one.aos_us, one.los_us)}
    for n, one in enumerate(seen):
        for other in seen[n + 1 :]:
            edges |= set(_handovers(path, one, other))
    pieces: list[Pass] = []
    for start, end in pairwise(sorted(edges)):
        middle = (start + end) // 2
        best = max(
            (one for one in seen if one.aos_us <= middle < one.los_us),
            key=lambda one: _elevation_deg(path, one.station, middle),
            default=None,
        )
        if best is None:
            continue
        if pieces and pieces[-1].los_us == start and pieces[-1].station == best.station:
            pieces[-1] = replace(pieces[-1], los_us=end)
        else:
            pieces.append(replace(best, aos_us=start, los_us=end))
    return pieces


def _handovers(path: orbit.Trajectory, one: Pass, other: Pass) -> list[int]:
    """Return the times in both passes at which the stations see the satellite equally high."""
    start, end = max(one.aos_us, other.aos_us), min(one.los_us, other.los_us)
    if start >= end:
        return []

    def lead(times_us: np.ndarray) -> np.ndarray:
        here, there = (_elevation_deg(path, seen.station, times_us) for seen in (one, other))
        return here - there

    times = np.append(np.arange(start, end, _STEP_US), end)
    change = np.flatnonzero(np.diff(lead(times) >= 0.0))
    return _crossings_us(lead, times[change], times[change + 1]).tolist()


def _elevation_deg(path: orbit.Trajectory, station: str, times_us: Any) -> Any:
    return STATIONS[station].elevation_deg(path.satellite(np.asarray(times_us))[0])


def _passes(
    station: Station, path: orbit.Trajectory, times: np.ndarray, position: np.ndarray
) -> Iterator[Pass]:
    elevation = station.elevation_deg(position)
    edges = np.diff((elevation >= MASK_DEG).astype(int), prepend=0, append=0)
    first, last = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1

    def height(times_us: np.ndarray) -> np.ndarray:
        return station.elevation_deg(path.satellite(times_us)[0]) - MASK_DEG

    rises = _crossings_us(height, times[np.maximum(first - 1, 0)], times[first])
    sets = _crossings_us(height, times[last], times[np.minimum(last + 1, len(times) - 1)])
    for aos_us, los_us, a, b in zip(rises.tolist(), sets.tolist(), first, last, strict=True):
        if aos_us < los_us:
            yield Pass(station.name, aos_us, los_us, float(elevation[a : b + 1].max()))


def _crossings_us(
    value: Callable[[np.ndarray], np.ndarray], low_us: np.ndarray, high_us: np.ndarray
) -> np.ndarray:
    """Halve intervals (n,) down to the us at which a value changes sign; an empty interval stays."""
    low, high = low_us.copy(), high_us.copy()
    if not len(low):
        return low
    falls = value(low) >= 0.0
    for _ in range(_HALVINGS):
        middle = (low + high) // 2
        before = (value(middle) >= 0.0) == falls
        low, high = np.where(before, middle, low), np.where(before, high, middle)
    return high
