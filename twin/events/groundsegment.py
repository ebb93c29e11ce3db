"""Carry the file of a pass to the mission centre, and its frames through L0, L1A, L1B and L2 to the users."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import simpy

from twin.constants import FOVS
from twin.events import frames as stored
from twin.events.downlink import File
from twin.events.log import EventLog
from twin.events.service import Service
from twin.events.spacecraft import Process
from twin.events.workers import Job, serve
from twin.mission.resources import CADU_BYTES, DATA_BYTES
from twin.timecodes import utc_texts

LINE_BIT_S = 100_000_000  # bit s-1, each station to the mission centre (assumption)
HANDLING_US = 60_000_000  # us, closing, checking and announcing the file (assumption)
CATALOGUE_US = 1_000_000  # us, from L2 to its entry in the catalogue (assumption)
DISSEMINATION_US = 300_000_000  # us, from the catalogue to the users: a poll every 5 minutes (assumption)
# What is begun is finished first: a granule in hand serves its users before the next one is opened. L0 goes
# before all, as nothing can begin without it.
STAGES = ("l0", "l2", "l1b", "l1a")  # by priority
NEVER = -1  # us, of what has not happened


def deliver(env: simpy.Environment, log: EventLog, received: simpy.Store) -> Process:
    """Deliver each pass that a station hands over; a station's line carries one file at a time."""
    lines: dict[str, simpy.Resource] = {}
    while True:
        file: File = yield received.get()
        log.add(env.now, "station", "file_closed", file.name, file.bits)
        env.process(_carry(env, log, lines.setdefault(file.station, simpy.Resource(env)), file))


def _carry(env: simpy.Environment, log: EventLog, line: simpy.Resource, file: File) -> Process:
    with line.request() as turn:
        yield turn
        yield env.timeout(HANDLING_US - (-file.bits * 1_000_000 // LINE_BIT_S))
        log.add(env.now, "ground", "file_delivered", file.name, file.bits)


@dataclass(frozen=True, eq=False)
class Products:
    """Times of every granule in GPS us, NEVER where it has not happened; frames are those stored on board."""

    frames: stored.Frames
    pass_l0_us: np.ndarray  # (pass,) end of its ingestion
    l1a_us: np.ndarray  # (granule,) end of its stages
    l1b_us: np.ndarray
    l2_us: np.ndarray
    busy_us: int  # of all workers
    workers: int

    @property
    def ready_us(self) -> np.ndarray:
        """(granule,) end of the L0 that it waited for last."""
        l0_us = np.append(self.pass_l0_us, NEVER)[self.frames.pass_index]  # no pass is -1: the last
        return np.where(self.frames.complete, self._last(l0_us), NEVER)

    @property
    def disseminated_us(self) -> np.ndarray:
        return np.where(self.l2_us < 0, NEVER, self.l2_us + CATALOGUE_US + DISSEMINATION_US)

    @property
    def latency_us(self) -> np.ndarray:
        """(frame,) dissemination minus middle of exposure, of the frames disseminated."""
        ends = self.disseminated_us[self.frames.granule]
        return (ends - self.frames.sensed_us)[ends >= 0]

    def _last(self, per_frame: np.ndarray) -> np.ndarray:
        """Return the largest value (granule,) among a granule's frames."""
        first = self.frames.first_of_granule
        return np.maximum.reduceat(per_frame, first) if len(first) else per_frame

    @property
    def soundings(self) -> np.ndarray:
        return FOVS * self.frames.frames_of_granule

    def to_csv(self, path: Path | str) -> None:
        """Write one line a disseminated granule: UTC of sensing (its first frame) and of every stage."""
        there = self.disseminated_us >= 0
        columns = {
            "sensed_utc": self.frames.sensed_us[self.frames.first_of_granule],
            "downlinked_utc": self._last(self.frames.sent_us),
            "l0_utc": self.ready_us,
            "l2_utc": self.l2_us,
            "disseminated_utc": self.disseminated_us,
        }
        texts = [utc_texts(times[there]) for times in columns.values()]
        rows = zip(
            self.frames.granule_id[there].tolist(), self.soundings[there].tolist(), *texts, strict=True
        )
        lines = [",".join(("granule", "soundings", *columns)), *(",".join(map(str, row)) for row in rows)]
        Path(path).write_text("\n".join(lines) + "\n", encoding="utf-8")


def process(log: EventLog, service: Service, workers: int) -> Products:
    """Work off everything delivered in a log; a granule whose frames come in two passes waits for both."""
    return work_off(stored.of(log), service, workers)


def work_off(seen: stored.Frames, service: Service, workers: int) -> Products:
    """Run the queue alone, for frames read from a log before."""
    work = _Work(seen, service)
    serve(work.arrivals(), workers, work.duration_us, work.follow, work.done)
    ends = {stage: np.array(times, dtype=np.int64) for stage, times in work.ends.items()}
    return Products(seen, ends["l0"], ends["l1a"], ends["l1b"], ends["l2"], work.busy_us, workers)


class _Work:
    """The jobs of the queue: one of L0 a pass, then one of each later stage a granule."""

    def __init__(self, seen: stored.Frames, service: Service) -> None:
        self._seen = seen
        self.busy_us = 0
        granules, passes = len(seen.granule_id), len(seen.pass_delivered_us)
        count = {"l0": passes, "l1a": granules, "l1b": granules, "l2": granules}
        self.ends = {stage: array("q", np.full(n, NEVER).tobytes()) for stage, n in count.items()}
        pairs = seen.granules_of_passes()
        self._awaited = np.bincount(pairs[:, 1], minlength=granules).tolist()
        edges = np.searchsorted(pairs[:, 0], np.arange(passes + 1)).tolist()
        self._granules = [pairs[a:b, 1].tolist() for a, b in pairwise(edges)]
        sizes = (FOVS * seen.frames_of_granule).tolist()
        by_size = {stage: {n: service.us(stage, n) for n in set(sizes)} for stage in ("l1a", "l1b", "l2")}
        octets = seen.pass_bits / 8 * CADU_BYTES / DATA_BYTES
        l0_us = [service.us("l0", size / 1e6) for size in octets.tolist()]
        self._duration = [l0_us if stage == "l0" else [by_size[stage][n] for n in sizes] for stage in STAGES]

    def arrivals(self) -> list[tuple[int, Job]]:
        delivered = enumerate(self._seen.pass_delivered_us.tolist())
        return sorted((at_us, (0, number)) for number, at_us in delivered if at_us >= 0)

    def duration_us(self, job: Job) -> int:
        return self._duration[job[0]][job[1]]

    def follow(self, job: Job) -> Iterable[Job]:
        rank, number = job
        if rank:
            return [(rank - 1, number)] if rank > 1 else []
        return self._opened(number)

    def _opened(self, number: int) -> list[Job]:
        """Return the L1A of the granules for which this was the last pass awaited."""
        ready = []
        for granule in self._granules[number]:
            self._awaited[granule] -= 1
            if not self._awaited[granule]:
                ready.append((3, granule))
        return ready

    def done(self, job: Job, start_us: int, end_us: int) -> None:
        self.busy_us += end_us - start_us
        self.ends[STAGES[job[0]]][job[1]] = end_us
