"""Keep every event of a simulated world in order, and write and read it as events.csv."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from twin.timecodes import utc_iso

COLUMNS = ("time_gps_us", "time_utc", "process", "event", "id", "value")


@dataclass(frozen=True)
class Event:
    """One line: GPS us, who, what, of which item, how much (bits unless the event says else)."""

    time_gps_us: int
    process: str
    event: str
    id: str
    value: int


@dataclass
class EventLog:
    events: list[Event] = field(default_factory=list)

    def add(self, time_gps_us: float, process: str, event: str, id: str | int = "", value: int = 0) -> None:
        self.events.append(Event(int(time_gps_us), process, event, str(id), int(value)))

    def select(self, process: str, event: str) -> list[Event]:
        return [entry for entry in self.events if (entry.process, entry.event) == (process, event)]

    @property
    def frames_downlinked(self) -> list[int]:
        """Frame counters in the order they reached the ground."""
        return [int(entry.id) for entry in self.select("downlink", "frame_sent")]

    @property
    def station_pass(self) -> tuple[str, int, int]:
        """Station, acquisition and loss of signal (GPS us)."""
        rise, fall = self.select("station", "signal_acquired")[0], self.select("station", "signal_lost")[0]
        return rise.id, rise.time_gps_us, fall.time_gps_us

    @property
    def memory_level_bits(self) -> dict[int, int]:
        """Fill of the mass memory right after each frame was stored, by frame counter."""
        return dict(self._levels())

    def _levels(self) -> Iterator[tuple[int, int]]:
        level = 0
        for entry in self.events:
            if entry.process == "memory" and entry.event.endswith("_stored"):
                level += entry.value
                if entry.event == "frame_stored":
                    yield int(entry.id), level
            elif entry.process == "downlink" and entry.event.endswith("_sent"):
                level -= entry.value

    def to_csv(self, path: Path | str) -> None:
        target = Path(path)
        partial = target.with_name(target.name + ".part")
        with partial.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(COLUMNS)
            for e in self.events:
                writer.writerow((e.time_gps_us, utc_iso(e.time_gps_us), e.process, e.event, e.id, e.value))
        os.replace(partial, target)

    @classmethod
    def read_csv(cls, path: Path | str) -> EventLog:
        with Path(path).open(newline="", encoding="utf-8") as stream:
            rows = csv.DictReader(stream)
            if tuple(rows.fieldnames or ()) != COLUMNS:
                raise ValueError(f"{path}: expected columns {', '.join(COLUMNS)}, got {rows.fieldnames}")
            return cls(
                [
                    Event(int(r["time_gps_us"]), r["process"], r["event"], r["id"], int(r["value"]))
                    for r in rows
                ]
            )
