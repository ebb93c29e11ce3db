"""Derive twin/report/coastline.csv, coast lines for the report's map, from the land mask of global-land-mask.

Usage: python benchmarks/make_coastline.py [twin/report/coastline.csv]; needs global-land-mask, matplotlib
The mask (GLOBE, 30") is averaged to CELL_DEG, contoured at one half, thinned to TOLERANCE_DEG, and small
islands are dropped. Columns: line, longitude, latitude (degrees).
"""

from __future__ import annotations

import sys
from pathlib import Path

import contourpy
import global_land_mask
import numpy as np

CELL_DEG = 0.25
TOLERANCE_DEG = 0.3  # Douglas-Peucker: largest distance of a dropped point
SMALLEST_DEG = 1.0  # extent below which a closed line is dropped
EDGE_MASK_CELLS = 120  # cells of the mask in one degree


def land_share() -> np.ndarray:
    """Return (latitude rising, longitude) share of land in cells of CELL_DEG."""
    folder = Path(global_land_mask.__file__).parent
    with np.load(folder / "globe_combined_mask_compressed.npz") as file:
        ocean, latitude = file["mask"], file["lat"]
    step = round(CELL_DEG * EDGE_MASK_CELLS)
    rows, columns = ocean.shape[0] // step, ocean.shape[1] // step
    share = 1.0 - ocean.reshape(rows, step, columns, step).mean(axis=(1, 3))
    return share if latitude[0] < latitude[-1] else share[::-1]


def thin(line: np.ndarray, tolerance: float) -> np.ndarray:
    """Drop points closer than `tolerance` to the line kept (Douglas & Peucker 1973)."""
    keep = np.zeros(len(line), bool)
    keep[[0, -1]] = True
    spans = [(0, len(line) - 1)]
    while spans:
        first, last = spans.pop()
        if last - first < 2:
            continue
        chord = line[last] - line[first]
        offset = line[first + 1 : last] - line[first]
        length = np.hypot(*chord)
        across = np.abs(chord[0] * offset[:, 1] - chord[1] * offset[:, 0])
        distance = across / length if length > 0 else np.hypot(*offset.T)
        far = int(distance.argmax())
        if distance[far] > tolerance:
            middle = first + 1 + far
            keep[middle] = True
            spans += [(first, middle), (middle, last)]
    return line[keep]


def main(target: Path) -> None:
    share = land_share()
    latitude = -90.0 + CELL_DEG * (np.arange(share.shape[0]) + 0.5)
    longitude = -180.0 + CELL_DEG * (np.arange(share.shape[1]) + 0.5)
    lines = contourpy.contour_generator(longitude, latitude, share).lines(0.5)
    kept = [thin(line, TOLERANCE_DEG) for line in lines if np.ptp(line, axis=0).max() > SMALLEST_DEG]
    rows = [f"{n},{x:.1f},{y:.1f}" for n, line in enumerate(kept) for x, y in line]
    target.write_text("\n".join(["line,longitude,latitude", *rows]) + "\n", encoding="utf-8")
    print(f"{target}: {len(kept)} lines, {len(rows)} points, {target.stat().st_size} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("twin/report/coastline.csv"))
