"""Keep every event of a simulated world in order, in columns, and write and read it as events.csv."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

from twin.events.columns import SPILL_ROWS, Columns
from twin.mission.resources import IMAGE_BITS
from twin.timecodes import utc_texts

COLUMNS = ("time_gps_us", "time_utc", "process", "event", "id", "value")
COUNTERS = 10**10  # frame counters a boot; the id of a frame is boot count * 1e10 + counter
CHUNK = 100_000  # lines written at once
TIME, KIND, ID, VALUE = range(4)


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


def spread(first: np.ndarray, count: np.ndarray, step: int) -> np.ndarray:
    """Return count values from each first, a step apart, one after the other."""
    made = np.repeat(first - (np.cumsum(count) - count) * step, count)
    made += np.arange(0, len(made) * step, step)
    return made


class EventLog:
    """Hold 26 bytes an event, of a long log most of them in a folder if one is given."""

    def __init__(self, folder: Path | None = None) -> None:
        self._columns = Columns(folder)
        self._kinds: dict[tuple[str, str], int] = {}
        self._names: dict[str, int] = {}

    def add(self, time_gps_us: float, process: str, event: str, id: str | int = "", value: int = 0) -> None:
        """Add a line; a whole number as id stays one, a text becomes a name."""
        times, kinds, ids, values = self._columns.newest
        times.append(int(time_gps_us))
        kinds.append(self._kinds.setdefault((process, event), len(self._kinds)))
        if isinstance(id, str):
            ids.append(-1 - self._names.setdefault(id, len(self._names)))
        else:
            ids.append(id)
        values.append(value)
        if len(times) >= SPILL_ROWS:
            self._columns.spill()

    def __len__(self) -> int:
        return len(self._columns)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, EventLog) and self.events == other.events

    __hash__ = None  # type: ignore[assignment]

    @property
    def events(self) -> list[Event]:
        """All events as tuples; large logs are better read in `rows`."""
        return self._made(np.arange(len(self)))

    def select(self, process: str, event: str) -> list[Event]:
        return self._made(self.rows(process, event).place)

    def rows(self, process: str, *events: str) -> Rows:
        """Give the events of these kinds as arrays, in the order of the log."""
        numbers = [n for event in events if (n := self._kinds.get((process, event))) is not None]
        place = np.flatnonzero(np.isin(self._columns.whole(KIND), numbers))
        return Rows(place, *(self._columns.take(column, place) for column in (TIME, ID, VALUE)))

    def _made(self, places: np.ndarray) -> list[Event]:
        return list(map(Event, *self._lists(places)))

    def _lists(self, places: np.ndarray) -> tuple[list[int], list[str], list[str], list[str], list[int]]:
        """Return the columns of `Event` at places in rising order."""
        times, kinds, ids, values = (self._columns.take(column, places) for column in range(4))
        processes, events = zip(*self._kinds, strict=True) if self._kinds else ((), ())
        numbers = kinds.tolist()
        return (
            times.tolist(),
            [processes[number] for number in numbers],
            [events[number] for number in numbers],
            self.texts(ids),
            values.tolist(),
        )

    def texts(self, ids: np.ndarray) -> list[str]:
        """Turn the ids of rows back into what they were added as, whole numbers into digits."""
        names = list(self._names)
        return [str(id) if id >= 0 else names[-1 - id] for id in ids.tolist()]

    @property
    def end_us(self) -> int:
        """Return the time of the last event, 0 of an empty log."""
        return int(self._columns.take(TIME, np.array([len(self) - 1]))[0]) if len(self) else 0

    @property
    def frames_downlinked(self) -> list[int]:
        """Frame counters in the order they reached the ground; those of lost passes did not."""
        sent, _, _ = self.heard()
        return (spread(sent.id, sent.value // IMAGE_BITS, 1) % COUNTERS).tolist()

    def heard(self) -> tuple[Rows, Rows, np.ndarray]:
        """Return frames sent in passes the ground acknowledged, these passes, and the pass of each row."""
        passes = self.rows("downlink", "acknowledged")
        ends = self.rows("downlink", "acknowledged", "unacknowledged").place
        sent = self.rows("downlink", "frame_sent")
        ended = np.append(ends, len(self))[np.searchsorted(ends, sent.place)]
        good = np.isin(ended, passes.place)
        return Rows(*(column[good] for column in sent)), passes, np.searchsorted(passes.place, ended[good])

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
        kinds = [kind for process, kind in self._kinds if process == "memory"]
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
                times, *others = self._lists(np.arange(first, min(first + CHUNK, len(self))))
                writer.writerows(zip(times, utc_texts(np.array(times)), *others, strict=True))
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
