"""Fly a mission and work off its data: one log of both, a table of products, the figures of a verdict."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twin.events import groundsegment, latency, mission
from twin.events.groundsegment import Products
from twin.events.log import EventLog
from twin.events.programme import Resolution
from twin.events.service import Service
from twin.mission.timeline import Timeline
from twin.scenario import Scenario


@dataclass(frozen=True, eq=False)
class Operations:
    log: EventLog  # spacecraft, links, stations and ground
    products: Products
    figures: dict[str, Any]  # by the names of latency.FIGURES

    def write(self, folder: Path) -> None:
        """Write events.csv and products.csv."""
        self.log.to_csv(folder / "events.csv")
        self.products.to_csv(folder / "products.csv")


def operate(
    scenario: Scenario,
    timeline: Timeline,
    rates: Service,
    *,
    workers: int | None = None,
    resolution: Resolution = "frame",
) -> Operations:
    """Simulate a plan to its last product; workers None takes the mission's."""
    flown = mission.simulate(scenario, timeline, resolution=resolution)
    assert scenario.mission is not None  # or the flight had been refused
    products = groundsegment.process(flown, rates, workers or scenario.mission.workers)
    return Operations(flown.merged(products.log()), products, latency.figures(flown, products))
