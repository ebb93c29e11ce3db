"""Measure the event simulation of a mission: `python benchmarks/events.py RUN [--days N] [--resolution R]`.

RUN is a finished run whose ledger gives the service times. The plan is the plain one, nadir over the sunlit
half of every orbit and every pass over Kiruna and Inuvik; making it is not counted. Without --days the day is
measured in both resolutions, then the cycle of 25 days; the year is `--days 365`.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from twin.events import groundsegment, latency, mission, plain, service
from twin.scenario import Scenario

CASES = ((1.0, "frame"), (1.0, "batch"), (25.0, "batch"))
LOGGED_DAYS = 30  # longer logs are not written as text
DAY_S = 86_400


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--days", type=float)
    parser.add_argument("--resolution", choices=("frame", "batch"), default="batch")
    asked = parser.parse_args()
    cases = ((asked.days, asked.resolution),) if asked.days else CASES
    titles = (
        "days",
        "resolution",
        "frames",
        "events",
        "flight s",
        "log s",
        "ground s",
        "sum s",
        "CPU s",
        "MB",
    )
    print(f"| {' | '.join(titles)} |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for days, resolution in cases:
        with tempfile.TemporaryDirectory() as folder:
            measure(days, resolution, service.measured(asked.run), Path(folder))


def measure(days: float, resolution: Any, rates: service.Service, folder: Path) -> None:
    scenario = Scenario.model_validate(
        {
            "name": "events",
            "start": datetime(2026, 7, 1, tzinfo=UTC),
            "observation": {"mode": "plan", "start_latitude": 0.0},
            "mission": {"duration": days * DAY_S},
            "requirements": [],
        },
        context={"stored_units": True},
    )
    timeline = plain.timeline(scenario, days)
    cpu_s = time.process_time()
    flight_s, log = timed(lambda: mission.simulate(scenario, timeline, resolution=resolution, folder=folder))
    log_s, _ = timed(lambda: days <= LOGGED_DAYS and log.to_csv(folder / "events.csv"))
    ground_s, products = timed(lambda: groundsegment.process(log, rates, workers=2))
    cpu_s = time.process_time() - cpu_s
    found = latency.figures(log, products)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    text = f"{log_s:.1f}" if days <= LOGGED_DAYS else "not written"
    print(
        f"| {days:g} | {resolution} | {found['frames_exposed']} | {len(log)} | {flight_s:.1f} | {text} "
        f"| {ground_s:.1f} | {flight_s + log_s + ground_s:.1f} | {cpu_s:.1f} | {peak_mb:.0f} |",
        flush=True,
    )


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return wall time in s and what was made."""
    start = time.perf_counter()
    made = work()
    return time.perf_counter() - start, made


if __name__ == "__main__":
    main()
