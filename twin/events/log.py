"""Keep every event of a simulated world in order, in columns, and write and read it as events.csv."""

from __future__ import annotations

import csv
import os
from array import array
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from twin.timecodes import utc_iso, utc_texts

COLUMNS = ("time_gps_us", "time_utc", "process", "event", "id", "value")
COUNTERS = 10**10  # frame counters a boot; the id of a frame is boot count * 1e10 + counter
CHUNK = 200_000  # lines written at once


class Event(NamedTuple):
    """One line: GPS us, who, what, of which item, how much (bits unless docs/operations.md says else)."""

    time_gps_us: int
    process: str
    event: str
    id: str
    value: int


class Rows(NamedTuple):
    """The events of one kind: place in the log, GPS us, id (names have negative numbers), value."""

    place: np.ndarray
    time_us: np.ndarray
    id: np.ndarray
    value: np.ndarray


class EventLog:
    """26 bytes an event: a year of batches stays in memory."""

    def __init__(self) -> None:
        self._times, self._ids, self._values = array("q"), array("q"), array("q")
        self._kinds = array("H")
        self._kind_numbers: dict[tuple[str, str], int] = {}
        self._names: dict[str, int] = {}

    def add(self, time_gps_us: float, process: str, event: str, id: str | int = "", value: int = 0) -> None:
        """Add a line; a whole number as id stays one, a text becomes a name."""
        self._times.append(int(time_gps_us))
        self._kinds.append(self._kind_numbers.setdefault((process, event), len(self._kind_numbers)))
        if isinstance(id, str):
            self._ids.append(-1 - self._names.setdefault(id, len(self._names)))
        else:
            self._ids.append(id)
        self._values.append(value)

    def __len__(self) -> int:
        return len(self._times)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, EventLog) and self.events == other.events

    __hash__ = None  # type: ignore[assignment]

    @property
    def events(self) -> list[Event]:
        """All events as tuples; large logs are better read in `rows`."""
        return self._made(range(len(self)))

    def select(self, process: str, event: str) -> list[Event]:
        return self._made(self.rows(process, event).place.tolist())

    def rows(self, process: str, *events: str) -> Rows:
        """Give the events of these kinds as arrays, in the order of the log."""
        numbers = [n for event in events if (n := self._kind_numbers.get((process, event))) is not None]
        place = np.flatnonzero(np.isin(np.array(self._kinds), numbers))
        columns = (np.array(column, np.int64)[place] for column in (self._times, self._ids, self._values))
        return Rows(place, *columns)

    def name(self, number: int) -> str:
        """Turn an id back into the text it was added with, or into its digits."""
        return str(number) if number >= 0 else list(self._names)[-1 - number]

    def _made(self, places: Any) -> list[Event]:
        kinds, names = list(self._kind_numbers), list(self._names)
        made = []
        for n in places:
            process, event = kinds[self._kinds[n]]
            id = self._ids[n]
            text = str(id) if id >= 0 else names[-1 - id]
            made.append(Event(self._times[n], process, event, text, self._values[n]))
        return made

    @property
    def end_us(self) -> int:
        return max(self._times, default=0)

    @property
    def frames_downlinked(self) -> list[int]:
        """Frame counters in the order they reached the ground; those of lost passes did not."""
        ends = self.rows("downlink", "acknowledged", "unacknowledged").place
        good = np.isin(ends, self.rows("downlink", "acknowledged").place)
        sent = self.rows("downlink", "frame_sent")
        ended = np.searchsorted(ends, sent.place)
        heard = good[np.minimum(ended, len(ends) - 1)] if len(ends) else np.zeros(len(ended), bool)
        return (sent.id[heard & (ended < len(ends))] % COUNTERS).tolist()

    @property
    def station_pass(self) -> tuple[str, int, int]:
        """Station, acquisition and loss of signal (GPS us)."""
        rise, fall = self.select("station", "signal_acquired")[0], self.select("station", "signal_lost")[0]
        return rise.id, rise.time_gps_us, fall.time_gps_us

    @property
    def memory_level_bits(self) -> dict[int, int]:
        """Fill of the mass memory right after each frame was stored, by frame counter."""
        places, _, level = self.levels()
        stored = self.rows("memory", "frame_stored")
        after = level[np.searchsorted(places, stored.place)]
        return dict(zip((stored.id % COUNTERS).tolist(), after.tolist(), strict=True))

    def levels(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return place, GPS us and fill in bits after every change of the memory."""
        kinds = [kind for process, kind in self._kind_numbers if process == "memory"]
        stored = self.rows("memory", *(kind for kind in kinds if kind.endswith("_stored")))
        freed = [self.rows(link, "acknowledged") for link in ("downlink", "s_band")]
        place = np.concatenate([stored.place, *(rows.place for rows in freed)])
        order = np.argsort(place)
        time_us = np.concatenate([stored.time_us, *(rows.time_us for rows in freed)])
        step = np.concatenate([stored.value, *(-rows.value for rows in freed)])
        return place[order], time_us[order], np.cumsum(step[order])

    def to_csv(self, path: Path | str) -> None:
        target = Path(path)
        partial = target.with_name(target.name + ".part")
        with partial.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(COLUMNS)
            for first in range(0, len(self), CHUNK):
                part = self._made(range(first, min(first + CHUNK, len(self))))
                texts = utc_texts(np.array(self._times[first : first + CHUNK], np.int64))
                writer.writerows((e[0], text, *e[1:]) for e, text in zip(part, texts, strict=True))
        os.replace(partial, target)

    @classmethod
    def read_csv(cls, path: Path | str) -> EventLog:
        log = cls()
        with Path(path).open(newline="", encoding="utf-8") as stream:
            rows = csv.reader(stream)
            if (found := tuple(next(rows, ()))) != COLUMNS:
                raise ValueError(f"{path}: expected columns {', '.join(COLUMNS)}, got {', '.join(found)}")
            for time_us, _, process, event, id, value in rows:
                log.add(int(time_us), process, event, int(id) if id.isdecimal() else id, int(value))
        return log
