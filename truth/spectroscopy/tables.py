"""Tabulate cross-sections on pressure and temperature nodes, cached on disk, and interpolate them."""

import fcntl
import hashlib
import os
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import numpy as np
from scipy.sparse import csr_array

from truth.spectroscopy import mixing
from truth.spectroscopy.absorber import WING_CM1, LineAbsorber
from truth.spectroscopy.grid import BANDS, Band
from truth.spectroscopy.lines import MOLECULES, LineSource, read_lines
from truth.spectroscopy.mixing import LineMixing
from truth.spectroscopy.parameters import Parameters
from truth.spectroscopy.partition import PartitionSums
from truth.spectroscopy.speed import SpeedDependence

PRESSURE_PA = np.concatenate(  # nodes, even in the logarithm, closer where the water is
    (np.geomspace(2.0, 20_000.0, 35, endpoint=False), np.geomspace(20_000.0, 125_000.0, 12))
)
TEMPERATURE_K = np.arange(150.0, 331.0, 10.0)
COARSE_K = TEMPERATURE_K[::2]  # what is added to Voigt is smooth: computed here, cubic between
LAYOUT = "2"  # change with the meaning of the files


@dataclass(frozen=True)
class LineShape:
    """What truth's lines have beyond a Voigt profile."""

    line_mixing: bool = False  # of the O2 A band
    speed_dependence: bool = False


VOIGT = LineShape()


@dataclass(frozen=True)
class BandTable:
    """Cross-sections of the gases of one band: each (pressure node, temperature node, point) m2, float32."""

    band: Band
    wavenumber_cm1: np.ndarray
    cross_section: dict[str, np.ndarray]

    def optical_depth(self, gas: str, *parts: tuple[np.ndarray, np.ndarray, np.ndarray]) -> np.ndarray:
        """Give (layer, point) from pressure, temperature and column of molecules, (layer,), of each part of
        the layers."""
        weights = csr_array(sum(node_weights(*part) for part in parts))
        nodes = self.cross_section[gas].reshape(-1, len(self.wavenumber_cm1))
        first, last = weights.indices.min(), weights.indices.max() + 1
        return weights[:, first:last] @ nodes[first:last]


def node_weights(pressure_pa: np.ndarray, temperature_k: np.ndarray, column_m2: np.ndarray) -> csr_array:
    """Give cubic Lagrange weights in ln p and T times the column, (layer, node) with temperature fastest."""
    low, high = TEMPERATURE_K[[0, -1]]
    if np.min(temperature_k) < low or np.max(temperature_k) > high or np.max(pressure_pa) > PRESSURE_PA[-1]:
        raise ValueError(
            f"the tables hold {low:g} to {high:g} K and up to {PRESSURE_PA[-1]:g} Pa, got "
            f"{np.min(temperature_k):g} to {np.max(temperature_k):g} K, {np.max(pressure_pa):g} Pa"
        )
    log_p = np.log(np.maximum(pressure_pa, PRESSURE_PA[0]))  # Doppler-limited above the first node
    p_index, p_weight = _cubic(np.log(PRESSURE_PA), log_p)
    t_index, t_weight = _cubic(TEMPERATURE_K, np.asarray(temperature_k, float))
    columns = p_index[:, :, None] * len(TEMPERATURE_K) + t_index[:, None, :]
    values = column_m2[:, None, None] * p_weight[:, :, None] * t_weight[:, None, :]
    rows = np.broadcast_to(np.arange(len(log_p))[:, None, None], columns.shape)
    shape = (len(log_p), len(PRESSURE_PA) * len(TEMPERATURE_K))
    return csr_array((values.ravel().astype(np.float32), (rows.ravel(), columns.ravel())), shape=shape)


def _cubic(nodes: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give the four neighbouring nodes of each x and their Lagrange weights, (x, 4) each."""
    first = np.clip(np.searchsorted(nodes, x, side="right") - 2, 0, len(nodes) - 4)
    index = first[:, None] + np.arange(4)
    near = nodes[index]
    weight = np.ones_like(near)
    for i in range(4):
        for j in range(4):
            if i != j:
                weight[:, i] *= (x - near[:, j]) / (near[:, i] - near[:, j])
    return index, weight


def prepare(
    tables_dir: Path, lines: LineSource | Path, partition_sums: Path, shape: LineShape = VOIGT
) -> dict[str, BandTable]:
    """Open the tables of all bands by name, building those the directory lacks; lines or their directory.

    Processes that call this at once share the work: each file is built under its own lock.
    """
    source = lines if isinstance(lines, LineSource) else read_lines(lines)
    sums = PartitionSums(partition_sums)
    key = _key(source, partition_sums, shape)
    Path(tables_dir).mkdir(parents=True, exist_ok=True)
    units = [(band, gas) for band in BANDS for gas in gases(source, band)]
    paths = {unit: Path(tables_dir, f"{unit[0].name}_{unit[1]}_{key}.npy") for unit in units}
    for wait in (False, True):
        for (band, gas), path in paths.items():
            with _lock(path, wait) as mine:
                if mine and not path.exists():
                    _save(cross_sections(source, sums, band, gas, shape), path)
    return {
        band.name: BandTable(
            band,
            band.wavenumber_cm1,
            {gas: np.load(paths[band, gas], mmap_mode="r") for gas in gases(source, band)},
        )
        for band in BANDS
    }


def gases(source: LineSource, band: Band) -> list[str]:
    """Name the molecules with lines in reach of a band."""
    low, high = band.wavenumber_cm1[[0, -1]] + (-WING_CM1, WING_CM1)
    return [gas for gas in MOLECULES if source.within(gas, low, high)]


def cross_sections(
    source: LineSource, sums: PartitionSums, band: Band, gas: str, shape: LineShape = VOIGT
) -> np.ndarray:
    """Compute (pressure node, temperature node, point) m2, float32."""
    absorber = LineAbsorber(source, gas, sums)
    wavenumber_cm1 = band.wavenumber_cm1
    additions = _additions(source, sums, band, gas, shape)
    index, weight = _cubic(COARSE_K, TEMPERATURE_K)
    to_nodes = np.zeros((len(TEMPERATURE_K), len(COARSE_K)))
    np.put_along_axis(to_nodes, index, weight, axis=1)
    table = np.empty((len(PRESSURE_PA), len(TEMPERATURE_K), len(wavenumber_cm1)), np.float32)
    for i, pressure_pa in enumerate(PRESSURE_PA):
        pressures = np.full(len(TEMPERATURE_K), pressure_pa)
        node = absorber.cross_section(wavenumber_cm1, TEMPERATURE_K, pressures)
        if additions:
            more_cm2 = np.zeros((len(COARSE_K), len(wavenumber_cm1)))
            for addition in additions:
                addition.add(more_cm2, wavenumber_cm1, pressure_pa)
            node = np.maximum(node + 1e-4 * (to_nodes @ more_cm2), 0.0)
        table[i] = node
    return table


def _additions(
    source: LineSource, sums: PartitionSums, band: Band, gas: str, shape: LineShape
) -> list[LineMixing | SpeedDependence]:
    low, high = band.wavenumber_cm1[[0, -1]] + (-WING_CM1, WING_CM1)
    near = Parameters.of(gas, source.within(gas, low, high))
    made: list[LineMixing | SpeedDependence] = []
    if shape.speed_dependence:
        made.append(SpeedDependence(near, sums, COARSE_K))
    if shape.line_mixing and gas == mixing.MOLECULE:
        lines = Parameters.of(gas, source.within(gas, *mixing.BAND_CM1))
        if low < mixing.BAND_CM1[1] and high > mixing.BAND_CM1[0]:
            made.append(LineMixing(lines, sums, COARSE_K, WING_CM1))
    return made


def _save(table: np.ndarray, path: Path) -> None:
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    with temporary.open("wb") as stream:
        np.save(stream, table)
    os.replace(temporary, path)


def _key(source: LineSource, partition_sums: Path, shape: LineShape) -> str:
    parts = [
        LAYOUT,
        source.sha256,
        hashlib.sha256(Path(partition_sums).read_bytes()).hexdigest(),
        repr(BANDS),
        repr(shape),
        metadata.version("sasktran2"),
    ]
    parts += [PRESSURE_PA.tobytes().hex(), TEMPERATURE_K.tobytes().hex()]
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:16]


@contextmanager
def _lock(path: Path, wait: bool):
    """Hold the lock of one file; without wait yield False when another process holds it."""
    with path.with_suffix(".lock").open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
            return
        yield True
