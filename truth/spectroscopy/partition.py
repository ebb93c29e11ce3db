"""Interpolate tabulated total internal partition sums."""

from pathlib import Path

import numpy as np
from scipy.interpolate import CubicSpline

REFERENCE_TEMPERATURE_K = 296.0  # of line intensities, HITRAN definition


class PartitionSums:
    """Partition sums by (HITRAN molecule, isotopologue), from a CSV with columns of those names."""

    def __init__(self, path: Path):
        table = np.genfromtxt(path, delimiter=",", names=True)
        self._splines = {}
        for molecule, isotopologue in sorted(set(zip(table["molecule"], table["isotopologue"], strict=True))):
            rows = table[(table["molecule"] == molecule) & (table["isotopologue"] == isotopologue)]
            key = (int(molecule), int(isotopologue))
            self._splines[key] = CubicSpline(rows["temperature_k"], rows["q"], extrapolate=False)

    def __call__(self, molecule: int, isotopologue: int, temperature_k: float) -> float:
        try:
            q = float(self._splines[molecule, isotopologue](temperature_k))
        except KeyError:
            known = sorted(self._splines)
            raise ValueError(
                f"no partition sum for molecule {molecule} isotopologue {isotopologue}: known are {known}"
            ) from None
        if not np.isfinite(q):
            raise ValueError(f"temperature_k must lie within the partition sum table, got {temperature_k}")
        return q
