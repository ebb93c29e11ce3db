"""Tell land from sea as mission planning knows them, on a grid of 1 degree."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

MASK = Path(__file__).parents[2] / "data" / "land_mask.txt"  # made by benchmarks/make_land_mask.py
ROWS, COLUMNS = 180, 360


def is_land(latitude_deg: np.ndarray, longitude_deg: np.ndarray) -> np.ndarray:
    row = np.clip(np.floor(90.0 - np.asarray(latitude_deg)), 0, ROWS - 1).astype(int)
    column = np.floor(np.asarray(longitude_deg) + 180.0).astype(int) % COLUMNS
    return _mask()[row, column]


@cache
def _mask() -> np.ndarray:
    lines = MASK.read_text(encoding="utf-8").split()
    if [len(line) for line in lines] != [COLUMNS] * ROWS:
        raise ValueError(f"expected {ROWS} lines of {COLUMNS} characters in {MASK}: make it anew")
    return np.array([[mark == "#" for mark in line] for line in lines])
