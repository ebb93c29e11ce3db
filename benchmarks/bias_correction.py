"""Train L2's bias correction on aerosol ensembles of some seeds, judge it on others.

Usage: python benchmarks/bias_correction.py --train DIR [DIR ...] --judge DIR [DIR ...]
DIR is what `l2_accuracy.py aerosol --seed S` leaves, runs/l2_accuracy/aerosol-S-200. Prints what to write
into processors/l2/quality.py, with standard errors, and bias and scatter of the soundings kept, ppm against
the kernel-smoothed truth, before and after.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from processors import products
from processors.l2 import quality
from twin.verify import join, statistics

SURFACES = {"land": False, "glint": True}
PREDICTED = ("1", "p_s change, hPa", "aerosol", "ice")


@dataclass(frozen=True)
class Kept:
    """Soundings kept: predictors (sounding, predictor), error ppm, whether in glint."""

    predictors: np.ndarray
    error: np.ndarray
    glint: np.ndarray

    def on(self, glint: bool) -> Kept:
        rows = self.glint == glint
        return Kept(self.predictors[rows], self.error[rows], self.glint[rows])


def read(folders: Sequence[Path]) -> Kept:
    """Gather the soundings that ensembles keep; an L2 that was run with the correction is refused."""
    parts = []
    for folder in folders:
        joined = join.load(folder / "l2", folder / "inputs" / "truth.nc")
        files = [products.read(path) for path in sorted((folder / "l2" / "l2").glob("*.nc"))]
        if any("xco2_raw" in file for file in files):
            sys.exit(f"{folder}: expected L2 without bias correction, got xco2_raw: run it without")
        l2 = {name: np.concatenate([file[name] for file in files]) for name in files[0]}
        order, _ = join.match(joined.l2["sounding_id"], l2["sounding_id"])
        l2, kept = {name: values[order] for name, values in l2.items()}, joined.kept
        glint = l2["operation_mode"] == 1
        parts.append((quality.predictors(l2)[kept], joined.smoothed_error_ppm[kept], glint[kept]))
    return Kept(*(np.concatenate(each) for each in zip(*parts, strict=True)))


def fitted(kept: Kept) -> tuple[np.ndarray, np.ndarray]:
    """Return the least-squares coefficients of the error and their standard errors (predictor)."""
    x = kept.predictors
    coefficients, *_ = np.linalg.lstsq(x, kept.error, rcond=None)
    left = kept.error - x @ coefficients
    variance = left @ left / (left.size - coefficients.size)
    return coefficients, np.sqrt(variance * np.diag(np.linalg.inv(x.T @ x)))


def line(name: str, error: np.ndarray) -> str:
    bias = statistics.mean_interval(error, np.arange(error.size))
    said = f"{bias.estimate:+.3f} ({bias.low:+.3f} {bias.high:+.3f})"
    return f"{name:28}{error.size:5}  bias {said}  scatter {statistics.scatter(error):.3f}"


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("--train", "--judge"):
        parser.add_argument(name, type=Path, nargs="+", required=True)
    asked = parser.parse_args(arguments)
    groups = {name: read(getattr(asked, name)) for name in ("train", "judge")}
    after: dict[str, list[np.ndarray]] = {name: [] for name in groups}
    for surface, glint in SURFACES.items():
        coefficients, errors = fitted(groups["train"].on(glint))
        pairs = zip(PREDICTED, coefficients, errors, strict=True)
        print(f"{surface}: " + ", ".join(f"{name} {c:+.3f} ± {e:.3f}" for name, c, e in pairs))
        for name, kept in groups.items():
            own = kept.on(glint)
            after[name].append(own.error - own.predictors @ coefficients)
            print(line(f"  {name}, before", own.error))
            print(line(f"  {name}, after", after[name][-1]))
    for name, kept in groups.items():
        print(line(f"both, {name}, before", kept.error))
        print(line(f"both, {name}, after", np.concatenate(after[name])))


if __name__ == "__main__":
    main(sys.argv[1:])
