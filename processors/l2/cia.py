"""Give the collision-induced absorption of O2 from the auxiliary table of Gaussians."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

Gaussians = dict[str, list[tuple[float, float, float]]]


def read(path: Path) -> Gaussians:
    """Read band -> [(peak amplitude cm-1 amagat-2 of air, centre cm-1, width cm-1)]."""
    table: Gaussians = {}
    with path.open(newline="") as file:
        for row in csv.DictReader(line for line in file if not line.startswith("#")):
            amplitude = float(row["peak_cm1_amagat2"]) * float(row["amplitude"])
            table.setdefault(row["band"], []).append(
                (amplitude, float(row["center_cm1"]), float(row["width_cm1"]))
            )
    if not table:
        raise ValueError(f"{path}: expected one row a Gaussian, found none: amplitude 0 means no absorption")
    return table


def coefficient(table: Gaussians, band: str, wavenumber_cm1: np.ndarray) -> np.ndarray:
    """Return the absorption coefficient (point), cm-1 per squared amagat of air."""
    terms = (
        a * np.exp(-(((wavenumber_cm1 - center) / width) ** 2)) for a, center, width in table.get(band, [])
    )
    return np.maximum(sum(terms, np.zeros_like(wavenumber_cm1)), 0.0)
