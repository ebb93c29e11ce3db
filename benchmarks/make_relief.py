"""Derive truth/data/relief.npz, altitude and land of the Earth, from the data of pvlib and global-land-mask.

Usage: python benchmarks/make_relief.py [truth/data/relief.npz]; needs pvlib and global-land-mask beside numpy
and netCDF4, which reads pvlib's HDF5 file; neither package is imported.
relief  uint8 (2160, 4320)  5' cells from 90 N and 180 W in steps of STEP_M above FLOOR_M, sea at SEA; stored
                            as differences along the row, modulo 256, which compress better
land    uint8 (10800, 2700) 1' cells, one bit each, 1 where half of the four 30" cells or more are land
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

import netCDF4
import numpy as np

STEP_M, FLOOR_M = 28, -450  # m, of pvlib's file
NO_DATA, SEA = 255, 16  # 16 stands for -2 m, the step next to sea level


def folder(package: str) -> Path:
    """Find an installed package without importing it: global-land-mask would fill a gigabyte."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit(f"expected the package {package}: pip install it first")
    return Path(next(iter(spec.submodule_search_locations)))


def relief() -> np.ndarray:
    with netCDF4.Dataset(folder("pvlib") / "data" / "Altitude.h5") as file:
        steps = np.asarray(file["Altitude"][:])
    last = np.flatnonzero((steps != NO_DATA).any(axis=1))[-1]
    steps[last + 1 :] = steps[last]  # the file ends at 85 S
    return np.where(steps == NO_DATA, SEA, steps).astype(np.uint8)


def land() -> np.ndarray:
    with np.load(folder("global_land_mask") / "globe_combined_mask_compressed.npz") as file:
        ocean = file["mask"]
    rows, columns = ocean.shape[0] // 2, ocean.shape[1] // 2
    of_four = 4 - ocean.reshape(rows, 2, columns, 2).sum(axis=(1, 3))
    return np.packbits(of_four >= 2, axis=1)


def main(target: Path) -> None:
    differences = np.diff(relief(), axis=1, prepend=np.uint8(0))
    np.savez_compressed(target, relief=differences, land=land())
    print(f"{target}: {target.stat().st_size} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("truth/data/relief.npz"))
