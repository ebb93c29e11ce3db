"""Measure the inner pieces on the files of a finished run: coding, decoding, one retrieval in its parts.

Usage: OMP_NUM_THREADS=1 python benchmarks/kernels.py RUN_DIRECTORY
CPU time of one process, best of several; quote ratios, a shared machine is noisy.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from processors import job, products
from processors.l0 import step as l0
from processors.l2 import auxiliary, retrieval
from processors.l2 import step as l2
from twin.instrument import asbuilt, expose
from twin.telemetry import frames

PACKET_BYTES, PACKETS = 2590, 4000


def best(work: Callable[[], object], repeats: int = 5) -> float:
    """Return the least CPU time of `repeats` calls after a first, s."""
    work()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def command_line() -> None:
    walls = []
    for _ in range(5):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "twin", "--help"], check=True, capture_output=True)
        walls.append(time.perf_counter() - start)
    print(f"twin --help                      {min(walls):8.2f} s wall")


def exposure() -> None:
    built = asbuilt.load("microcarb")

    def sounding() -> None:
        for band, level in enumerate(built.mean_radiance):
            expose.expose_band(np.full(built.spectels, level), built, band, 0, (1, 0))

    print(f"detector and readout, one sounding {1e3 * best(sounding):6.0f} ms")


def link() -> None:
    packets = [bytes(PACKET_BYTES)] * PACKETS
    size = PACKET_BYTES * PACKETS / 1e6
    coded = np.frombuffer(frames.encode(packets, 1), np.uint8)
    encoding, decoding = best(lambda: frames.encode(packets, 1)), best(lambda: l0.process([coded]))
    print(f"packets to CADUs                 {size / encoding:8.0f} MB/s of packets")
    print(f"CADUs to packets, clean          {size / decoding:8.0f} MB/s of packets")


def retrieval_pieces(run: Path) -> None:
    os.chdir(run)
    order = job.load(Path("jobs/l2-0000.yaml"))
    aux = auxiliary.load(order)
    l1b, prior = products.read(order.input_list("l1b")[0]), products.read(order.input("prior"))
    at = int(np.flatnonzero(prior["sounding_id"] == l1b["sounding_id"][0])[0])
    sounding = {name: values[0] for name, values in l1b.items()}
    forecast = {name: values[at] for name, values in prior.items()}
    result = retrieval.retrieve(sounding, forecast, aux, l2.DEFAULTS)
    whole = best(lambda: retrieval.retrieve(sounding, forecast, aux, l2.DEFAULTS))
    good = np.ones(l1b["radiance"].shape[1:], dtype=bool)
    spectra = retrieval.Spectra(
        sounding["radiance"].astype(float), sounding["radiance_uncertainty"], sounding["wavelength"], good
    )
    setup = best(lambda: retrieval.forward_model(sounding, forecast, spectra, aux))
    model = retrieval.forward_model(sounding, forecast, spectra, aux)
    first = best(lambda: (setattr(model, "calls", 0), model(model.state.x_a)))
    later = best(lambda: (setattr(model, "calls", 9), model(model.state.x_a)))
    print(f"one retrieval                    {1e3 * whole:8.0f} ms, {result['iterations']} iterations")
    print(f"  set-up                         {1e3 * setup:8.0f} ms")
    print(f"  model and Jacobian             {1e3 * later:8.0f} ms")
    print(f"  the same with diffuse light    {1e3 * first:8.0f} ms")


if __name__ == "__main__":
    command_line()
    exposure()
    link()
    retrieval_pieces(Path(sys.argv[1]))
