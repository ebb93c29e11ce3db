"""Fly the plan of a mission event by event, in single frames or in batches of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from twin.errors import BadInput
from twin.events import attitude, power, programme, world
from twin.events.log import EventLog
from twin.events.programme import Resolution
from twin.mission import eclipse, orbit
from twin.mission.timeline import Activity, Timeline
from twin.operations import Incident
from twin.scenario import Scenario
from twin.timecodes import DAY_US, gps_us, utc_iso

CHUNK_US = 5 * DAY_US  # of trajectory held at once: 14,400 nodes
SPARE_US = 3_600_000_000  # us of trajectory beyond a chunk: an activity may end after it


def simulate(
    scenario: Scenario,
    timeline: Timeline,
    *,
    seed: int | None = None,
    resolution: Resolution = "frame",
    budget: power.PowerBudget | None = None,
    folder: Path | None = None,
) -> EventLog:
    """Return the log of spacecraft, links and stations; seed None takes the scenario's.

    A year in batches is some 25 million events: an empty folder takes those that memory should not hold.
    """
    if scenario.mission is None:
        raise ValueError(f"expected a scenario with mission, got {scenario.name} without: take mode plan")
    edges, first, last = surroundings(scenario, timeline)
    steps = attitude.steps(timeline.activities, first, last)
    met = _met(scenario.mission.incidents, timeline)
    told = programme.of(timeline, steps, edges, met, resolution)
    return world.run(
        told,
        memory_bits=int(scenario.mission.memory),
        seed=scenario.seed if seed is None else seed,
        budget=budget,
        folder=folder,
    )


def _met(incidents: Sequence[Incident], timeline: Timeline) -> list[Incident]:
    """Return the incidents of the span; one after its end is not met, one before its start is a mistake."""
    for incident in incidents:
        if gps_us(incident.start) < timeline.start_us:
            start = utc_iso(timeline.start_us)
            got = f"{incident.kind} at {incident.start.isoformat()}"
            raise BadInput(f"mission.incidents: expected starts from {start} on, got {got}: move it")
    return [incident for incident in incidents if gps_us(incident.start) < timeline.end_us]


def surroundings(
    scenario: Scenario, timeline: Timeline
) -> tuple[list[tuple[int, bool]], np.ndarray, np.ndarray]:
    """Return edges of the shadow; directions (activity, 2, 3) at start and end of each activity."""
    edges: list[tuple[int, bool]] = []
    first, last = [np.empty((0, 2, 3))], [np.empty((0, 2, 3))]
    for start_us, end_us, activities in _chunks(timeline):
        path = orbit.trajectory(scenario, start_us - SPARE_US, end_us + SPARE_US)
        found = eclipse.edges(path, start_us, end_us)
        edges += found if not edges else found[1:]
        starts, ends = (np.array([getattr(a, f"{x}_us") for a in activities], int) for x in ("start", "end"))
        if activities:
            first.append(attitude.directions(path, activities, starts))
            last.append(attitude.directions(path, activities, ends))
    return edges, np.concatenate(first), np.concatenate(last)


def _chunks(timeline: Timeline) -> Iterator[tuple[int, int, Sequence[Activity]]]:
    """Cut the span; each activity belongs to the chunk it begins in."""
    for start_us in range(timeline.start_us, timeline.end_us, CHUNK_US):
        end_us = min(start_us + CHUNK_US, timeline.end_us)
        yield start_us, end_us, [a for a in timeline.activities if start_us <= a.start_us < end_us]
