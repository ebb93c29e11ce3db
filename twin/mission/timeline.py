"""Hold a plan: what the spacecraft does when, which stations it passes, and what could not be served."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any


@dataclass(frozen=True)
class Activity:
    """One pointing, exposures within it back to back or in sweeps; GPS us."""

    start_us: int  # first exposure
    end_us: int  # end of the last
    mode: str  # nadir, glint, target, city, dark, lamp, sun
    request: str = ""  # its name; empty: the default observation of land or sea
    latitude_deg: float | None = None  # of target and city
    longitude_deg: float | None = None
    sweeps: int | None = None  # of city


@dataclass(frozen=True)
class Contact:
    """A pass over a station, GPS us."""

    station: str
    band: str  # x or s
    aos_us: int
    los_us: int
    highest_deg: float


@dataclass(frozen=True)
class Timeline:
    """A conflict-free plan of a span, in order of time."""

    start_us: int
    end_us: int
    activities: tuple[Activity, ...]
    contacts: tuple[Contact, ...]
    unserved: tuple[tuple[str, str], ...]  # (request, why)
    method: str
    objective: float
    bound: float | None = None  # of the objective, where the method knows one; the sum of its days' bounds
    optimal: bool = False

    @property
    def gap(self) -> float | None:
        """Return (bound - objective) / bound, None without a bound."""
        return None if not self.bound else (self.bound - self.objective) / self.bound

    def dump(self) -> str:
        return json.dumps(asdict(self), indent=1) + "\n"

    @classmethod
    def restore(cls, text: str) -> Timeline:
        data: dict[str, Any] = json.loads(text)
        return cls(
            **data
            | {
                "activities": tuple(Activity(**row) for row in data["activities"]),
                "contacts": tuple(Contact(**row) for row in data["contacts"]),
                "unserved": tuple((name, why) for name, why in data["unserved"]),
            }
        )


def overlaps(activities: Sequence[Activity]) -> list[tuple[Activity, Activity]]:
    """Return neighbours in time of which the second begins before the first has ended."""
    ordered = sorted(activities, key=lambda activity: activity.start_us)
    return [(a, b) for a, b in pairwise(ordered) if b.start_us < a.end_us]
