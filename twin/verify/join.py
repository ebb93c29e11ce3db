"""Join what was retrieved with what was true, sounding by sounding, from the files of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import netCDF4
import numpy as np

from twin.verify import statistics

CONVERGED, NOT_ATTEMPTED = 0, 3  # outcome_flag of L2
BLOCK_SOUNDINGS = 12  # a granule: 4 frames of 3 FOVs, 36 km of track in nadir

ESSENTIAL = ("sounding_id", "xco2")
PROFILES = ("xco2_averaging_kernel", "pressure_weight", "pressure_levels", "co2_profile_apriori")
WANTED = (
    *PROFILES,
    *("xco2_apriori", "xco2_uncertainty", "xco2_uncertainty_noise", "xco2_quality_flag", "outcome_flag"),
    *("psurf", "psurf_uncertainty", "chi2", "dof_co2", "iterations", "quality_reasons"),
)
PLACE = ("latitude", "longitude", "vertex_latitude", "vertex_longitude", "time")
TRUTH = ("sounding_id", "xco2", "co2_profile", "pressure_levels", "surface_pressure")
Columns = dict[str, np.ndarray]


@dataclass(frozen=True)
class Soundings:
    """Rows of L2 that belong to observed soundings, each once, in the order of observation."""

    observed: Columns  # one row a sounding observed: its identifier, true place and time
    unexpected: int  # rows of L2 left out: of no observed sounding, or there a second time
    block: np.ndarray  # (sounding) int, granule of the observation
    l2: Columns  # NaN where a product lacks a variable
    truth: Columns
    smoothed_ppm: np.ndarray  # (sounding) kernel-smoothed truth
    truth_on_levels_ppm: np.ndarray  # (sounding) sum of h_j x_true_j on the levels of L2
    reason_masks: dict[str, int]  # bits of quality_reasons by name; empty where a product has none

    @property
    def counted(self) -> np.ndarray:
        """(sounding) bool: converged, hence in the error figures."""
        return self.l2["outcome_flag"] == CONVERGED

    @property
    def not_attempted(self) -> np.ndarray:
        """(sounding) bool: declined by the retrieval."""
        return self.l2["outcome_flag"] == NOT_ATTEMPTED

    @property
    def kept(self) -> np.ndarray:
        """(sounding) bool: converged and of good quality."""
        return self.counted & (self.l2["xco2_quality_flag"] == 0)

    def reasons(self) -> dict[str, np.ndarray]:
        """(sounding) bool by the name of each reason the product gives for a bad flag."""
        given = np.nan_to_num(self.l2["quality_reasons"]).astype(np.int64)
        return {name: given & mask != 0 for name, mask in self.reason_masks.items()}

    @property
    def error_ppm(self) -> np.ndarray:
        return self.l2["xco2"] - self.truth["xco2"]

    @property
    def smoothed_error_ppm(self) -> np.ndarray:
        return self.l2["xco2"] - self.smoothed_ppm

    @property
    def psurf_error_hpa(self) -> np.ndarray:
        return self.l2["psurf"] - self.truth["surface_pressure"]


def load(root: Path, truth_path: Path, geometry_path: Path | None = None) -> Soundings:
    """Read l2/*.nc under `root`, the true geometry (geometry.nc there by default) and the truth, and join
    them on sounding_id."""
    observed = read([geometry_path or root / "geometry.nc"], ("sounding_id", *PLACE))
    products = sorted((root / "l2").glob("*.nc"))
    everything = read(products, ESSENTIAL, (*WANTED, *PLACE))
    truth = read([truth_path], TRUTH)
    rows, position = match(observed["sounding_id"], everything["sounding_id"])
    l2 = {name: values[rows] for name, values in everything.items()}
    known, _ = match(l2["sounding_id"], truth["sounding_id"])
    if known.size != rows.size:
        raise ValueError(
            f"{truth_path}: expected a truth for every sounding of L2, got {known.size} of {rows.size}"
        )
    truth = {name: values[known] for name, values in truth.items()}
    smoothed, on_levels = _smooth(l2, truth)
    return Soundings(
        observed=observed,
        unexpected=everything["sounding_id"].size - rows.size,
        block=position // BLOCK_SOUNDINGS,
        l2=l2,
        truth=truth,
        smoothed_ppm=smoothed,
        truth_on_levels_ppm=on_levels,
        reason_masks=_reason_masks(products),
    )


def _reason_masks(paths: Sequence[Path]) -> dict[str, int]:
    for path in paths[:1]:
        with netCDF4.Dataset(path) as file:
            if "quality_reasons" in file.variables:
                bits = file["quality_reasons"]
                masks = np.atleast_1d(bits.flag_masks).tolist()
                return dict(zip(bits.flag_meanings.split(), masks, strict=True))
    return {}


def match(wanted: np.ndarray, have: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return rows of `have` in the order of `wanted`, and their places there; a key counts once."""
    first: dict[int, int] = {}
    for row, key in enumerate(have.tolist()):
        first.setdefault(key, row)
    pairs = [(first[key], place) for place, key in enumerate(wanted.tolist()) if key in first]
    rows, places = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return rows, places


def read(paths: Sequence[Path], names: tuple[str, ...], optional: tuple[str, ...] = ()) -> Columns:
    """Concatenate variables along their first dimension; fill values and what is lacking become NaN."""
    parts = [_read_one(path, names, optional) for path in paths]
    if not parts:
        return {name: np.zeros(0, np.int64 if name == "sounding_id" else float) for name in names + optional}
    return {name: np.concatenate([part[name] for part in parts]) for name in names + optional}


def _read_one(path: Path, names: tuple[str, ...], optional: tuple[str, ...]) -> Columns:
    with netCDF4.Dataset(path) as file:
        lacking = [name for name in names if name not in file.variables]
        if lacking:
            raise ValueError(f"{path}: expected a variable {lacking[0]}, got none: write it as the icd says")
        rows = file[names[0]].shape[0]
        out = {name: _values(file, name, rows) for name in names + optional}
    return out


def _values(file: netCDF4.Dataset, name: str, rows: int) -> np.ndarray:
    if name not in file.variables:
        return np.full(rows, np.nan)
    values = file[name][:]
    if name == "sounding_id":
        return np.ma.filled(values, -1).astype(np.int64)
    return np.ma.filled(values.astype(float), np.nan)


def _smooth(l2: Columns, truth: Columns) -> tuple[np.ndarray, np.ndarray]:
    """Return (kernel-smoothed truth, truth summed on the levels), both (sounding) ppm."""
    if any(l2[name].ndim != 2 for name in PROFILES):
        nothing = np.full(l2["xco2"].shape, np.nan)
        return nothing, nothing
    h, a, x_a = (l2[name] for name in ("pressure_weight", "xco2_averaging_kernel", "co2_profile_apriori"))
    x_true = statistics.on_levels(truth["co2_profile"], truth["pressure_levels"], l2["pressure_levels"])
    smoothed = statistics.smoothed_column(l2["xco2_apriori"], h, a, x_true, x_a)
    return smoothed, np.sum(h * x_true, axis=1)
