"""Tabulate absorption cross-sections per band, gas and layer as polynomials in temperature, cached by hash.

Kept are the points of a band that `points.choose` finds enough.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from . import airglow, lines, lineshape, points, solar
from .bands import BANDS, LAYER_EDGES_PA, LAYER_MID_PA, Band, reference_temperature_k, temperature_span_k
from .lines import LineList, cross_section, read_lines, read_partition_sums
from .lineshape import WING_CUT_CM1

T_REFERENCE_K, T_SPAN_K = reference_temperature_k(LAYER_MID_PA), temperature_span_k(LAYER_MID_PA)
# Coefficients, lines of water change most with temperature; and the power of T in which the temperatures of
# the fit are Chebyshev nodes: so chosen that errors of warm and of cold air come out alike
GAS_FIT, WATER_FIT = (4, -1.5), (5, 2.0)
WATER_BY_HEIGHT = 3.5  # specific humidity falls as this power of pressure


@dataclass(frozen=True)
class BandTables:
    """Cross-sections of one band: coefficient (layer, power, point) float32, cm2, of t = (T - T_ref)/span."""

    band: Band
    gas: np.ndarray
    h2o: np.ndarray
    index: np.ndarray  # (point) of the band's grid
    weight: np.ndarray  # (point) steps of the grid that a point stands for
    sun: np.ndarray = field(default_factory=lambda: np.zeros(0))  # irradiance of solar.tabulate, fine grid
    glow: np.ndarray = field(default_factory=lambda: np.zeros((2, 0)))  # airglow.spectra (2, point), in B4

    @property
    def wavenumber_cm1(self) -> np.ndarray:
        return self.band.wavenumber_cm1[self.index]

    @property
    def width_cm1(self) -> np.ndarray:
        """What a point stands for (point), cm-1."""
        return self.weight * self.band.step_cm1


@dataclass(frozen=True)
class Spectroscopy:
    """The spectroscopy files a job names."""

    lines: Path
    partition_sums: Path
    solar_lines: Path
    solar_continuum: Path

    def digest(self) -> str:
        """Hash what the tables depend on: file contents, grids and the code."""
        sha = hashlib.sha256()
        others = (self.partition_sums, self.solar_lines, self.solar_continuum)
        for path in [*sorted(self.lines.glob("*.par")), *others]:
            sha.update(path.name.encode() + b"\0" + path.read_bytes())
        sha.update(repr(BANDS).encode())
        code = (lines, lineshape, points, solar, airglow)
        for source in (__file__, *(str(module.__file__) for module in code)):
            sha.update(Path(source).read_bytes())
        sha.update(LAYER_EDGES_PA.tobytes() + T_REFERENCE_K.tobytes() + T_SPAN_K.tobytes())
        return sha.hexdigest()[:16]


ARRAYS = ("gas", "h2o", "index", "weight", "sun", "glow")  # of BandTables, as they are kept


def coordinate(temperature_k: np.ndarray, layer: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return t of the polynomials and dt/dT, K-1, for temperatures (..., layer) or those of given layers.

    t may leave -1..1 a little.
    """
    at = slice(None) if layer is None else layer
    t = (temperature_k - T_REFERENCE_K[at]) / T_SPAN_K[at]
    return t, np.broadcast_to(1.0 / T_SPAN_K[at], t.shape)


def load(spectroscopy: Spectroscopy, cache: Path) -> list[BandTables]:
    """Map the tables of all bands, building those that are missing; two processes share the work by locks."""
    folder = cache / f"l2-tables-{spectroscopy.digest()}"
    folder.mkdir(parents=True, exist_ok=True)
    _build_missing(spectroscopy, folder)
    return [
        BandTables(band, *(np.load(_path(folder, band, name), mmap_mode="r") for name in ARRAYS))
        for band in BANDS
    ]


def _path(folder: Path, band: Band, name: str) -> Path:
    return folder / f"{band.name}-{name}.npy"


def _whole(folder: Path, band: Band) -> bool:
    """Tell whether the tables of a band are there, not cut short and of one choice of points."""
    try:
        gas, h2o, index, weight, _, glow = (
            np.load(_path(folder, band, name), mmap_mode="r") for name in ARRAYS
        )
    except (OSError, ValueError, EOFError):
        return False
    shapes = [(LAYER_MID_PA.size, powers, index.size) for powers, _ in (GAS_FIT, WATER_FIT)]
    return [gas.shape, h2o.shape, weight.shape, glow.shape] == [*shapes, index.shape, (2, index.size)]


def _build_missing(spectroscopy: Spectroscopy, folder: Path) -> None:
    sources: Sources | None = None
    while missing := [band for band in BANDS if not _whole(folder, band)]:
        progressed = False
        for band in missing:
            with _path(folder, band, "tables").with_suffix(".lock").open("w") as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue  # another process builds this one
                if not _whole(folder, band):
                    sources = sources or read(spectroscopy)
                    built = build(band, sources)
                    for name in ARRAYS:
                        save(_path(folder, band, name), getattr(built, name))
                progressed = True
        if not progressed:
            time.sleep(0.1)


@dataclass(frozen=True)
class Sources:
    """What the spectroscopy files hold."""

    lines: dict[str, LineList]
    partition: dict[tuple[str, int], tuple]
    sun: solar.Sun


def read(spectroscopy: Spectroscopy) -> Sources:
    return Sources(
        read_lines(spectroscopy.lines),
        read_partition_sums(spectroscopy.partition_sums),
        solar.read(spectroscopy.solar_lines, spectroscopy.solar_continuum),
    )


def build(band: Band, sources: Sources) -> BandTables:
    """Compute the tables of a band at the points that are enough for the spectra of its gases and the Sun."""
    if band.gas not in sources.lines:
        raise ValueError(f"expected lines of {band.gas} for {band.name}, got none")
    gas, h2o = (coefficients(band, name, sources.lines, sources.partition) for name in (band.gas, "H2O"))
    nu = band.wavenumber_cm1
    sun = solar.tabulate(sources.sun, nu)
    suns = np.array([sun.seen(nu, recession, 1.0) for recession in points.SUNS_M_S])
    glow = np.zeros((2, nu.size))
    if band.name == "B4" and "O2" in sources.lines:
        glow = airglow.spectra(sources.lines["O2"], nu)
    index, weight = points.choose(band, gas, h2o, suns, glow[:1])
    gas, h2o = (np.ascontiguousarray(table[:, :, index]) for table in (gas, h2o))
    return BandTables(band, gas, h2o, index, weight, sun.irradiance, glow[:, index])


def coefficients(
    band: Band, gas: str, lists: dict[str, LineList], partition: dict[tuple[str, int], tuple]
) -> np.ndarray:
    """Fit polynomials in t to the cross-sections of every layer: (layer, power, point) float32.

    A layer's cross-section is the mean over its height (two Gauss points, with the reference's lapse of
    temperature); water counts where there is most of it. The polynomials go through as many temperatures.
    """
    nu = band.wavenumber_cm1
    count, power = WATER_FIT if gas == "H2O" else GAS_FIT
    out = np.zeros((LAYER_MID_PA.size, count, nu.size), dtype=np.float32)
    if gas not in lists:
        return out  # a product may run without the H2O file
    lines = lists[gas].within(nu[0] - WING_CUT_CM1, nu[-1] + WING_CUT_CM1)
    grid = (float(nu[0]), nu.size, band.step_cm1)
    for layer in range(LAYER_MID_PA.size):
        heights, share = _gauss_points(layer, gas)
        lapse = reference_temperature_k(heights)
        temperatures = _nodes(layer, count, power)
        at_nodes = [
            sum(
                w * cross_section(lines, gas, partition, grid, p, t + dt)
                for w, p, dt in zip(share, heights, lapse - lapse.mean(), strict=True)
            )
            for t in temperatures
        ]
        t, _ = coordinate(temperatures, np.full(count, layer))
        out[layer] = np.linalg.inv(np.vander(t, increasing=True)) @ np.array(at_nodes)
    return out


def _gauss_points(layer: int, gas: str) -> tuple[np.ndarray, np.ndarray]:
    """Return two pressures of a layer, Pa, and the share of its gas each stands for."""
    dp = LAYER_EDGES_PA[layer + 1] - LAYER_EDGES_PA[layer]
    pressure = LAYER_MID_PA[layer] + dp / np.sqrt(12.0) * np.array([-1.0, 1.0])
    weight = pressure**WATER_BY_HEIGHT if gas == "H2O" else np.ones(2)
    return pressure, weight / weight.sum()


def _nodes(layer: int, count: int, power: float) -> np.ndarray:
    """Return temperatures that the polynomials of a layer go through, K: Chebyshev nodes in a power of T."""
    ends = (T_REFERENCE_K[layer] + T_SPAN_K[layer] * np.array([-1.0, 1.0])) ** power
    chebyshev = np.cos(np.pi * (2 * np.arange(count) + 1) / (2 * count))
    return np.asarray((ends.mean() + 0.5 * np.ptp(ends) * chebyshev) ** (1.0 / power))


def save(path: Path, array: np.ndarray) -> None:
    """Write an array that takes its name only once it is whole."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
    with os.fdopen(handle, "wb") as file:
        np.save(file, array)
    os.replace(temporary, path)
