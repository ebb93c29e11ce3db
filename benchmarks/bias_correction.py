"""Train L2's bias correction on aerosol ensembles of some seeds, judge it on others.

Usage: python benchmarks/bias_correction.py --train DIR [DIR ...] --judge DIR [DIR ...]
DIR is what `l2_accuracy.py aerosol --seed S` leaves, runs/l2_accuracy/aerosol-S-200. Prints what to write
into processors/l2/quality.py, ± 1 sigma: ppm per depth of ice, the one candidate that training finds beyond
three sigma over land and in glint; and bias and scatter of the soundings kept, ppm against the
kernel-smoothed truth, before and after.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from processors import products
from twin.verify import join, statistics

SURFACES = {"land": False, "glint": True}
CANDIDATES = ("1", "p_s change, hPa", "aerosol", "ice")
READ = ("sounding_id", "operation_mode", "psurf", "psurf_apriori", "aerosol_optical_depth")


@dataclass(frozen=True)
class Kept:
    """Soundings kept: candidates (sounding, candidate), error ppm, whether in glint."""

    candidates: np.ndarray
    error: np.ndarray
    glint: np.ndarray

    def on(self, glint: bool) -> Kept:
        rows = self.glint == glint
        return Kept(self.candidates[rows], self.error[rows], self.glint[rows])

    @property
    def ice(self) -> np.ndarray:
        return self.candidates[:, -1:]


def read(folders: Sequence[Path]) -> Kept:
    """Gather the soundings that ensembles keep; an L2 that was run with the correction is refused."""
    parts = []
    for folder in folders:
        files = sorted((folder / "l2" / "l2").glob("*.nc"))
        if not files:
            sys.exit(f"{folder}: expected what l2_accuracy.py aerosol leaves, got no l2/l2/*.nc: run it")
        if any("xco2_raw" in products.read(path) for path in files):
            sys.exit(f"{folder}: expected L2 without bias correction, got xco2_raw: run it without")
        joined = join.load(folder / "l2", folder / "inputs" / "truth.nc")
        each = [products.read(path, READ) for path in files]
        l2 = {name: np.concatenate([file[name] for file in each]) for name in READ}
        order, _ = join.match(joined.l2["sounding_id"], l2["sounding_id"])
        l2, kept = {name: values[order] for name, values in l2.items()}, joined.kept
        change, depth = l2["psurf"] - l2["psurf_apriori"], l2["aerosol_optical_depth"]
        candidates = np.stack([np.ones(kept.size), change, depth[:, :2].sum(axis=1), depth[:, 2]], axis=1)
        parts.append((candidates[kept], joined.smoothed_error_ppm[kept], (l2["operation_mode"] == 1)[kept]))
    return Kept(*(np.concatenate(each) for each in zip(*parts, strict=True)))


def fitted(x: np.ndarray, error: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the least-squares coefficients of the error by x (sounding, column) and their 1 sigma."""
    coefficients, *_ = np.linalg.lstsq(x, error, rcond=None)
    left = error - x @ coefficients
    variance = left @ left / (left.size - coefficients.size)
    return coefficients, np.sqrt(variance * np.diag(np.linalg.inv(x.T @ x)))


def said(x: np.ndarray, error: np.ndarray) -> str:
    return ", ".join(f"{c:+.3f} ± {e:.3f}" for c, e in zip(*fitted(x, error), strict=True))


def line(name: str, error: np.ndarray) -> str:
    bias = statistics.mean_interval(error, np.arange(error.size))
    about = f"{bias.estimate:+.3f} ({bias.low:+.3f} {bias.high:+.3f})"
    return f"{name:22}{error.size:5}  bias {about}  scatter {statistics.scatter(error):.3f}"


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("--train", "--judge"):
        parser.add_argument(name, type=Path, nargs="+", required=True)
    asked = parser.parse_args(arguments)
    if both := {path.resolve() for path in asked.train} & {path.resolve() for path in asked.judge}:
        sys.exit(f"{min(both)}: expected either to train or to judge, got both: give other seeds to judge")
    groups = {name: read(getattr(asked, name)) for name in ("train", "judge")}
    after: dict[str, list[np.ndarray]] = {name: [] for name in groups}
    for surface, glint in SURFACES.items():
        train = groups["train"].on(glint)
        print(f"{surface}, by {'; '.join(CANDIDATES)}: {said(train.candidates, train.error)}")
        print(f"{surface}, by ice alone: {said(train.ice, train.error)}")
        slope, _ = fitted(train.ice, train.error)
        for name, kept in groups.items():
            own = kept.on(glint)
            after[name].append(own.error - own.ice @ slope)
            print(line(f"  {name}, before", own.error))
            print(line(f"  {name}, after", after[name][-1]))
    for name, kept in groups.items():
        print(line(f"both, {name}, before", kept.error))
        print(line(f"both, {name}, after", np.concatenate(after[name])))


if __name__ == "__main__":
    main(sys.argv[1:])
