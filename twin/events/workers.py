"""Serve a queue of jobs by priority, first come first served within one, with a number of workers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from heapq import heappop, heappush

Job = tuple[int, int]  # priority (0 is served first), number


def serve(
    arrivals: Sequence[tuple[int, Job]],
    workers: int,
    duration_us: Callable[[Job], int],
    follow: Callable[[Job], Iterable[Job]],
    done: Callable[[Job, int, int], None],
) -> None:
    """Work off jobs that arrive at given times, in order, and those that follow from finished ones.

    `done` is told job, start and end. A job that ends frees its worker before jobs of that very time begin.
    """
    waiting: list[tuple[int, int, Job]] = []  # priority, order of coming, job
    running: list[tuple[int, int, int, Job]] = []  # end, order, start, job
    free, order, arrived = workers, 0, 0
    while arrived < len(arrivals) or running:
        coming_us = arrivals[arrived][0] if arrived < len(arrivals) else running[0][0]
        now = min(coming_us, running[0][0]) if running else coming_us
        while running and running[0][0] == now:
            _, _, start_us, job = heappop(running)
            free += 1
            done(job, start_us, now)
            for ready in follow(job):
                heappush(waiting, (ready[0], order, ready))
                order += 1
        while arrived < len(arrivals) and arrivals[arrived][0] == now:
            heappush(waiting, (arrivals[arrived][1][0], order, arrivals[arrived][1]))
            order, arrived = order + 1, arrived + 1
        while free and waiting:
            _, _, job = heappop(waiting)
            heappush(running, (now + duration_us(job), order, now, job))
            free, order = free - 1, order + 1
