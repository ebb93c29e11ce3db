"""Measure the inner pieces outside the retrieval (l2_speed.py has those): start, exposure, coding, decoding.

Usage: OMP_NUM_THREADS=1 python benchmarks/kernels.py
CPU time of one process, best of several; quote ratios, a shared machine is noisy.
"""

import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np

from processors.l0 import step as l0
from twin.instrument import asbuilt, expose
from twin.telemetry import frames
from twin.telemetry.packets import SCIENCE, SECONDARY_HEADER, UNSEGMENTED, crc16

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


def science() -> list[bytes]:
    """Make science packets of random content that L0 accepts."""
    rows = np.random.default_rng(1).integers(0, 256, (PACKETS, PACKET_BYTES), np.uint8)
    head = [SECONDARY_HEADER | SCIENCE, 0, PACKET_BYTES - 7]
    rows[:, :6] = np.array(head, ">u2").view(np.uint8)
    rows[:, 2:4] = (UNSEGMENTED | np.arange(PACKETS)).astype(">u2").view(np.uint8).reshape(-1, 2)
    rows[:, 6:16] = 0  # one time, one boot count
    rows[:, -2:] = crc16(rows[:, :-2]).astype(">u2").view(np.uint8).reshape(-1, 2)
    return [row.tobytes() for row in rows]


def link() -> None:
    packets = science()
    size = PACKET_BYTES * PACKETS / 1e6
    coded = np.frombuffer(frames.encode(packets, 1), np.uint8)
    encoding, decoding = best(lambda: frames.encode(packets, 1)), best(lambda: l0.process([coded]))
    print(f"packets to CADUs                 {size / encoding:8.0f} MB/s of packets")
    print(f"CADUs to packets, clean          {size / decoding:8.0f} MB/s of packets")
    rx = l0.Reception([coded])
    for step in l0.STEPS[: l0.STEPS.index(l0.extract_packets)]:
        step(rx)
    print(f"of it cutting out packets        {size / best(lambda: l0.extract_packets(rx)):8.0f} MB/s")


if __name__ == "__main__":
    command_line()
    exposure()
    link()
