"""Tabulate absorption cross-sections per band, gas and layer as cubics in temperature, cached by hash."""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .bands import BANDS, GRID_STEP_CM1, LAYER_EDGES_PA, LAYER_MID_PA, Band, reference_temperature_k
from .lines import LineList, cross_section, read_lines, read_partition_sums
from .lineshape import WING_CUT_CM1

FORMAT = "3"  # raise when the meaning of a table changes
T_SPAN_K = 42.0  # half range of the cubic about the reference temperature
# Chebyshev nodes of the cubic, in units of the span.
T_NODES = np.cos(np.pi * (2 * np.arange(4) + 1) / 8)


@dataclass(frozen=True)
class BandTables:
    """Cross-sections of one band: coefficient (layer, power, point) float32, cm2, of t = (T - T_ref)/span."""

    band: Band
    gas: np.ndarray
    h2o: np.ndarray


@dataclass(frozen=True)
class Spectroscopy:
    """The spectroscopy files a job names."""

    lines: Path
    partition_sums: Path

    def digest(self) -> str:
        """Hash what the tables depend on: file contents, grids and the format."""
        sha = hashlib.sha256(FORMAT.encode())
        for path in [*sorted(self.lines.glob("*.par")), self.partition_sums]:
            sha.update(path.name.encode() + b"\0" + path.read_bytes())
        sha.update(repr((BANDS, GRID_STEP_CM1, T_SPAN_K)).encode())
        sha.update(LAYER_EDGES_PA.tobytes() + reference_temperature_k(LAYER_MID_PA).tobytes())
        return sha.hexdigest()[:16]


def temperature_coordinate(temperature_k: np.ndarray) -> np.ndarray:
    """Return t (..., layer) of the tables' cubics for layer temperatures; t may leave -1..1 a little."""
    return (temperature_k - reference_temperature_k(LAYER_MID_PA)) / T_SPAN_K


def load(spectroscopy: Spectroscopy, cache: Path) -> list[BandTables]:
    """Map the tables of all bands, building those that are missing; two processes share the work by locks."""
    folder = cache / f"l2-tables-{spectroscopy.digest()}"
    folder.mkdir(parents=True, exist_ok=True)
    _build_missing(spectroscopy, folder)
    return [
        BandTables(band, *(np.load(_path(folder, band, gas), mmap_mode="r") for gas in (band.gas, "H2O")))
        for band in BANDS
    ]


def _path(folder: Path, band: Band, gas: str) -> Path:
    return folder / f"{band.name}-{gas}.npy"


def _whole(path: Path) -> bool:
    """Tell whether a table is there and not cut short."""
    try:
        np.load(path, mmap_mode="r")
    except (OSError, ValueError, EOFError):
        return False
    return True


def _build_missing(spectroscopy: Spectroscopy, folder: Path) -> None:
    sources: tuple | None = None
    while missing := [
        (band, gas) for band in BANDS for gas in (band.gas, "H2O") if not _whole(_path(folder, band, gas))
    ]:
        progressed = False
        for band, gas in missing:
            with _path(folder, band, gas).with_suffix(".lock").open("w") as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue  # another process builds this one
                if not _whole(_path(folder, band, gas)):
                    sources = sources or (
                        read_lines(spectroscopy.lines),
                        read_partition_sums(spectroscopy.partition_sums),
                    )
                    _save(_path(folder, band, gas), coefficients(band, gas, *sources))
                progressed = True
        if not progressed:
            time.sleep(0.1)


def coefficients(
    band: Band, gas: str, lists: dict[str, LineList], partition: dict[tuple[str, int], tuple]
) -> np.ndarray:
    """Fit the cubic in t through four temperatures of every layer: (layer, power, point) float32."""
    nu = band.wavenumber_cm1
    out = np.zeros((LAYER_MID_PA.size, 4, nu.size), dtype=np.float32)
    if gas not in lists:
        return out  # a product may run without the H2O file
    lines = lists[gas].within(nu[0] - WING_CUT_CM1, nu[-1] + WING_CUT_CM1)
    to_power = np.linalg.inv(np.vander(T_NODES, 4, increasing=True))
    grid = (float(nu[0]), nu.size, GRID_STEP_CM1)
    for layer, (p, t_ref) in enumerate(zip(LAYER_MID_PA, reference_temperature_k(LAYER_MID_PA), strict=True)):
        at_nodes = [cross_section(lines, gas, partition, grid, p, t_ref + T_SPAN_K * t) for t in T_NODES]
        out[layer] = to_power @ np.array(at_nodes)
    return out


def _save(path: Path, array: np.ndarray) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
    with os.fdopen(handle, "wb") as file:
        np.save(file, array)
    os.replace(temporary, path)
