"""Derive twin/data/land_mask.txt, what mission planning takes for land, from twin/report/coastline.csv.

Usage: python benchmarks/make_land_mask.py [twin/data/land_mask.txt]
Going north from the South Pole, which is land, each crossing of a coast changes land and sea. A cell of
1 x 1 degree is land where more than half of SAMPLES x SAMPLES points are. 180 lines from north to south,
360 characters from -180 eastward: # land, . sea. Islands below 1 degree are missing, as in the coast lines.
"""

from __future__ import annotations

import csv
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np

COAST = Path("twin/report/coastline.csv")
SAMPLES = 4  # a cell and direction


def crossings() -> list[list[float]]:
    """Return the latitudes, rising, at which coasts cross each sampled meridian."""
    meridians = -180.0 + (np.arange(360 * SAMPLES) + 0.5) / SAMPLES
    found: list[list[float]] = [[] for _ in meridians]
    with COAST.open(encoding="utf-8") as file:
        points = [tuple(map(float, row)) for row in list(csv.reader(file))[1:]]
    for (line, x0, y0), (next_line, x1, y1) in pairwise(points):
        if line != next_line or x0 == x1:
            continue
        west, east = min(x0, x1), max(x0, x1)
        for n in np.flatnonzero((meridians >= west) & (meridians < east)):
            found[n].append(y0 + (y1 - y0) * (meridians[n] - x0) / (x1 - x0))
    return [sorted(latitudes) for latitudes in found]


def land() -> np.ndarray:
    """Return (latitude from north, longitude) whether a cell is land."""
    latitudes = -90.0 + (np.arange(180 * SAMPLES) + 0.5) / SAMPLES
    columns = [np.searchsorted(coasts, latitudes) % 2 == 0 for coasts in crossings()]
    cells = np.stack(columns, axis=1).reshape(180, SAMPLES, 360, SAMPLES)
    return cells.mean(axis=(1, 3))[::-1] > 0.5


def main(target: Path) -> None:
    rows = ["".join("#" if cell else "." for cell in row) for row in land()]
    target.write_text("\n".join(rows) + "\n", encoding="utf-8")
    print(f"{target}: {sum(row.count('#') for row in rows)} cells of land")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("twin/data/land_mask.txt"))
