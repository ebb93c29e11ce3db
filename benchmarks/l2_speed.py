"""Time L2 on the soundings of a run: the whole step a mode, its kernels, and the bounds of the machine.

`OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/l2_speed.py RUN_DIRECTORY` after `twin run`.
CPU time, least of some repeats, so that other work on the machine shows as little as it can. The soundings
of the run are put into one L1B file, as a pass would fill it, and timed in the run's own files beside it.
Operations are counted from the sizes of the arrays, a multiplication with its addition as two.
"""

from __future__ import annotations

import dataclasses
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from processors import job as job_order
from processors import products
from processors.l2 import (
    auxiliary,
    bandmodel,
    forward,
    inverse,
    isrf,
    retrieval,
    scattered,
    scattering,
    step,
    tables,
)
from processors.l2.bands import LAYER_MID_PA

REPEATS = 5
Timed = dict[str, list[float]]


def best(work: Callable[[], Any], repeats: int = REPEATS) -> float:
    """Return the least CPU time, s."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def machine() -> tuple[float, float]:
    """Return single-precision operations and bytes moved a second by one core (matrix product, copy)."""
    a = np.ones((768, 768), np.float32)
    block = np.ones(32_000_000, np.float32)
    return 2 * 768**3 / best(lambda: a @ a), 2 * block.nbytes / best(lambda: block.copy())


def granule(run: Path, out: Path) -> Path:
    """Put the soundings of a run into one L1B file."""
    files = [products.read(path) for path in sorted((run / "l1b").glob("*.nc"))]
    together = {name: np.concatenate([f[name] for f in files]) for name in files[0]}
    products.write(path := out / "l1b.nc", "l1b", together, {})
    return path


def order(run: Path, mode: str, out: Path, sources: list[Path] | None = None) -> job_order.Job:
    """Return the run's job order of L2 for some L1B files, all of its own unless given, in another mode."""
    first = sorted(run.glob("jobs/**/*l2*.yaml"))[0]
    known = job_order.load(first)
    sources = sources or sorted((run / "l1b").glob("*.nc"))
    targets = [out / f"{mode}-{n}.nc" for n in range(len(sources))]
    inputs = {**known.inputs, "l1b": sources}
    return dataclasses.replace(known, inputs=inputs, outputs={"l2": targets}, settings={"mode": mode})


def watched(module: Any, name: str, spent: Timed) -> None:
    """Let a function add its CPU times to `spent`."""
    original = getattr(module, name)

    def timed(*arguments: Any, **named: Any) -> Any:
        start = time.process_time()
        result = original(*arguments, **named)
        spent.setdefault(name, []).append(time.process_time() - start)
        return result

    setattr(module, name, timed)


def main(run: Path) -> None:
    os.chdir(run)
    operations, moved = machine()
    print(
        f"one core: {operations / 1e9:.0f} G single-precision operations/s, {moved / 1e9:.1f} GB/s copied\n"
    )
    print("| | clear | full |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        jobs = {mode: order(Path(), mode, Path(folder)) for mode in ("clear", "full")}
        soundings = sum(products.read(path)["sounding_id"].size for path in jobs["full"].input_list("l1b"))
        times = {mode: best(lambda m=mode: step.run(jobs[m])) / soundings for mode in jobs}  # type: ignore[misc]
        print(
            f"| whole step, ms a sounding ({soundings}) | "
            + " | ".join(f"{1e3 * times[m]:.1f}" for m in jobs)
            + " |"
        )
        spent: dict[str, Timed] = {}
        for module, name in KERNELS:
            watched(module, name, bucket := {})
            spent[name] = bucket
        rows: dict[str, list[str]] = {name: [] for _, name in KERNELS}
        for job in jobs.values():
            for bucket in spent.values():
                bucket.clear()
            step.run(job)
            for name, bucket in spent.items():
                calls = bucket.get(name, [])
                rows[name].append(
                    f"{1e3 * sum(calls) / soundings:.2f} ms in {len(calls) / soundings:.1f} calls"
                )
        for name, cells in rows.items():
            print(f"| {name} | " + " | ".join(cells) + " |")
    print(f"\nlargest memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    print(bounds(jobs["full"], operations, moved))
    print(f"tables: {table_time(jobs['full']):.1f} s CPU to build")


KERNELS = (
    (forward, "seen_light"),
    (forward, "assemble"),
    (scattered.diffuse, "node_light"),
    (scattered, "look"),
    (isrf, "_expand"),
    (scattered, "evaluate_functions"),
    (inverse, "normal_equations"),
    (auxiliary, "load"),
    (retrieval, "setup"),
    (products, "read"),
    (products, "write"),
)


def bounds(job: job_order.Job, operations: float, moved: float) -> str:
    """Say how fast one call of seen_light for four bands and one of node_light could be."""
    aux, l1b = auxiliary.load(job), products.read(job.input_list("l1b")[0])
    near = [aux.expansions(b, 1, l1b["wavelength"][0, b]).near(0.0, 0.0, 0.0, 0.0) for b in range(4)]
    taps = [int(n.expansion.count.sum()) for n in near]  # of all spectels of a band
    layers, points = LAYER_MID_PA.size, sum(table.index.size for table in aux.tables)
    cubics = layers * points * 2 * 14
    elements = points * 2 * 200  # sparse entries of an element, mean of the bands
    dots = sum(2 * n * fields for n, fields in zip(taps, (17, 37, 37, 17), strict=True))
    weights = sum(taps) * 8
    light = (cubics + elements + dots + weights) / operations
    table = layers * points * 8 * 4 / retrieval.BATCH
    terms = sum(taps) * 16
    memory = (table + terms) / moved
    streams, groups, nodes = scattering.STREAMS, 13, bandmodel.NODES[True]
    sweep = groups * nodes * streams * (24 + 4 * scattering.MOMENTS)
    node = 2 * (7 + 6 + 5) * sweep / operations
    return (
        f"bounds: seen_light {1e3 * light:.2f} ms a sounding and call of four bands by arithmetic, "
        f"{1e3 * memory:.2f} ms by memory; node_light with particles {1e3 * node:.2f} ms a band by arithmetic"
    )


def table_time(job: job_order.Job) -> float:
    """Build all tables in an empty folder."""
    spectroscopy = tables.Spectroscopy(
        *(job.input(name) for name in ("lines", "partition_sums", "solar_lines", "solar_continuum"))
    )
    with tempfile.TemporaryDirectory() as folder:
        return best(lambda: tables.load(spectroscopy, Path(folder)), 1)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
