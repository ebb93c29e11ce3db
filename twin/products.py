"""Check what a processing step delivered: a whole file, of its level, with the soundings it was given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROWS = {
    "l0": "apid",
    "l1a": "sounding_id",
    "l1b": "sounding_id",
    "l2": "sounding_id",
}  # variable of every row


@dataclass(frozen=True)
class Check:
    """Say what is wrong with a product, nothing when it may go on."""

    level: str
    sources: Mapping[Path, Path]  # product -> the product it was made from, where soundings pass unchanged

    def __call__(self, path: Path) -> str:
        """Open and compare; an empty text means that the product may go on."""
        name = ROWS[self.level]
        rows = _column(path, name)
        if isinstance(rows, str):
            return f"{path}: expected a netCDF product of {self.level}, got {rows}"
        source = self.sources.get(path)
        given = _column(source, name) if source else rows
        if rows != given:
            return f"{path}: expected the {len(given)} soundings of {source}, got others: the step mixed them"
        return ""


def _column(path: Path, name: str) -> list[int] | str:
    """Read an identifying variable, or say why it cannot be."""
    import netCDF4
    import numpy as np

    try:
        with netCDF4.Dataset(path) as file:
            if name not in file.variables:
                return f"none with the variable {name}"
            rows: list[int] = np.ma.filled(file[name][:], -1).tolist()
            return rows
    except (OSError, RuntimeError) as error:
        return str(error)
