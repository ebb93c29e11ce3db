"""Turn a trajectory into the passes that ground stations see."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from twin.constants import DAY_S
from twin.mission import earth, orbit
from twin.scenario import Scenario

MASK_DEG = 5.0  # deg, lowest elevation of a link (assumption)
SEARCH_US = DAY_S * 1_000_000  # us, polar stations see the satellite several times a day
_STEP_US = 10_000_000  # us, 1/10 of the shortest pass worth its while


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


# Public site coordinates of the ground stations at Esrange and Inuvik, recalled to 0.01 degree and 10 m
X_BAND = (Station("Kiruna", 67.88, 20.96, 400.0), Station("Inuvik", 68.32, -133.55, 60.0))


@dataclass(frozen=True)
class Pass:
    """Times in GPS us at which the satellite rises above and sets below the mask."""

    station: str
    aos_us: int
    los_us: int
    highest_deg: float


def first_pass(scenario: Scenario, after_us: int, stations: Sequence[Station] = X_BAND) -> Pass:
    """Return the pass that begins first at or after a time; one already under way is left out."""
    path = orbit.trajectory(scenario, after_us, after_us + SEARCH_US)
    times = np.arange(after_us, after_us + SEARCH_US, _STEP_US)
    position, _ = path.satellite(times)
    found = [seen for station in stations if (seen := _first(station, path, times, position))]
    if not found:
        names = ", ".join(station.name for station in stations)
        raise ValueError(f"no pass above {MASK_DEG} degrees within a day over {names}: add a station")
    return min(found, key=lambda seen: seen.aos_us)


def _first(station: Station, path: orbit.Trajectory, times: np.ndarray, position: np.ndarray) -> Pass | None:
    elevation = station.elevation_deg(position)
    above = elevation >= MASK_DEG
    rises = np.flatnonzero(~above[:-1] & above[1:])
    if not len(rises):
        return None
    first = rises[0]
    sets = first + 1 + np.flatnonzero(~above[first + 1 :])
    if not len(sets):
        return None
    last = sets[0]

    def height(time_us: float) -> float:
        return float(station.elevation_deg(path.satellite(np.array(round(time_us)))[0])) - MASK_DEG

    return Pass(
        station.name,
        _crossing_us(height, times[first], times[first + 1]),
        _crossing_us(height, times[last - 1], times[last]),
        float(elevation[first : last + 1].max()),
    )


def _crossing_us(height: Callable[[float], float], low_us: int, high_us: int) -> int:
    return round(brentq(height, float(low_us), float(high_us), xtol=1.0))
