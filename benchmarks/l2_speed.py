"""Time L2 on the soundings of a run: the whole step a mode, its kernels, and the bounds of the machine.

`PYTHONHASHSEED=0 OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/l2_speed.py RUN_DIRECTORY` after
`twin run`, as a run sets it for its programs; run it twice where it compiles.
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
    design,
    forward,
    inverse,
    isrf,
    prescreen,
    retrieval,
    scattered,
    scattering,
    step,
)
from processors.l2.absorption import PARTS
from processors.l2.bands import LAYER_MID_PA
from processors.l2.state import Options

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
        out = Path(folder)
        together = [granule(Path(), out)]
        jobs = {mode: order(Path(), mode, out, together) for mode in MODES}
        soundings = products.read(together[0])["sounding_id"].size
        for name, sources in (("one file", together), ("the run's files", None)):
            times = [best(lambda m=m, s=sources: step.run(order(Path(), m, out, s))) for m in MODES]  # type: ignore[misc]
            cells = " | ".join(f"{1e3 * each / soundings:.1f}" for each in times)
            print(f"| whole step, ms a sounding ({soundings}, {name}) | {cells} |")
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
                    f"{1e3 * sum(calls) / soundings:.2f} ms in {len(calls) / soundings:.2f} calls"
                )
        for name, cells_of in rows.items():
            print(f"| {name} | " + " | ".join(cells_of) + " |")
        print(f"\nlargest memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
        print(bounds(jobs["full"], operations, moved))
        tables_s, nodes_s = table_time(jobs["full"])
        print(f"tables: {tables_s:.1f} s CPU to build, nodes of both modes {nodes_s:.1f} s to choose")


MODES = ("clear", "full")
KERNELS = (
    (forward, "seen_light"),
    (forward, "assemble"),
    (scattered.diffuse, "node_light"),
    (isrf, "_expand"),
    (scattered, "evaluate_functions"),
    (inverse, "normal_equations"),
    (inverse, "whiten"),
    (inverse, "_refitted"),
    (prescreen, "estimates"),
    (auxiliary, "load"),
    (retrieval, "setup"),
    (retrieval, "ForwardModel"),
    (retrieval, "_row"),
    (products, "read"),
    (products, "write"),
)


def bounds(job: job_order.Job, operations: float, moved: float) -> str:
    """Say how fast one call a sounding of seen_light for four bands, and one run of node_light, could be.

    As in mode clear in glint: fields are light and its slopes, parts are the functions of scattered light and
    what direct light is made of.
    """
    aux, l1b = auxiliary.load(job), products.read(job.input_list("l1b")[0])
    near = [aux.expansions(b, 1, l1b["wavelength"][0, b]).near(0.0, 0.0, 0.0, 0.0) for b in range(4)]
    taps = np.array([n.expansion.count.sum() for n in near])  # of all spectels of a band
    points, layers = np.array([table.index.size for table in aux.tables]), LAYER_MID_PA.size
    functions, fields = np.array([len(m.nodes.functions) for m in aux.models(CLEAR)]), np.array(FIELDS)
    table, carried = layers * points.sum() * 8 * 4 / retrieval.BATCH, (functions * points).sum() * 4
    entries = points.sum() * 2 * 200  # of elements.sparse, mean of the bands
    mixed = (2 * points * fields * (functions + PARTS)).sum()
    work = {
        "with slopes": layers * points.sum() * 2 * 14 + entries + mixed + (2 * taps * (fields + 4)).sum(),
        "alone": layers * points.sum() * 2 * 8 + (2 * points * (functions + PARTS)).sum() + 8 * taps.sum(),
    }
    brought = table + carried + 12 * taps.sum()
    lines = [
        f"seen_light, four bands, {name}: {1e3 * count / operations:.2f} ms by arithmetic, "
        f"{1e3 * brought / moved:.2f} ms by memory"
        for name, count in work.items()
    ]
    for mode, nodes, orders in (("clear", sum(CLEAR_NODES), 10), ("full", design.COUNT[True] * 4, 18)):
        sweep = 13 * nodes * scattering.STREAMS * (24 + 4 * scattering.MOMENTS)
        least_ms = 2e3 * orders * sweep / operations
        lines.append(f"node_light, four bands, {mode}, with slopes: {least_ms:.2f} ms by arithmetic")
    return "bounds a sounding and call: " + "; ".join(lines)


CLEAR = Options(particles=())
FIELDS = (14, 34, 34, 16)
CLEAR_NODES = (48, 16, 16, 16)  # sum of orders: 4 + 3 + 3 followed in air, 7 + 6 + 5 with particles


def table_time(job: job_order.Job) -> tuple[float, float]:
    """Build all tables in an empty folder, then choose the nodes of both modes."""
    with tempfile.TemporaryDirectory() as folder:
        own, made = dataclasses.replace(job, cache=Path(folder)), []
        tables_s = best(lambda: made.append(auxiliary.load(own)), 1)
        design._KNOWN.clear()
        return tables_s, best(lambda: [made[0].models(options) for options in (CLEAR, Options())], 1)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
