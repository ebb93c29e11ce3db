"""Write arrays into netCDF variables as the tables of processors/icd describe them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import yaml

ICD = Path(__file__).parents[1] / "processors" / "icd"  # data of the interface, no code
COPIED = ("units", "units_metadata", "calendar", "standard_name", "long_name", "comment")


def table(level: str) -> dict[str, Any]:
    """Read processors/icd/<level>.yaml."""
    with (ICD / f"{level}.yaml").open(encoding="utf-8") as file:
        return dict(yaml.safe_load(file))


@contextmanager
def replacing(path: Path | str) -> Iterator[netCDF4.Dataset]:
    """Open a new netCDF-4 file that takes the name `path` only once it is whole."""
    temporary = Path(path).with_name(Path(path).name + ".part")
    with netCDF4.Dataset(temporary, "w", format="NETCDF4") as file:
        yield file
    os.replace(temporary, path)


def put(group: netCDF4.Dataset, name: str, values: np.ndarray, row: dict[str, Any]) -> None:
    """Create a variable with the attributes of its table row and fill it."""
    variable = group.createVariable(name, row.get("dtype", "f8"), tuple(row["dims"]))
    variable.setncatts({key: row[key] for key in COPIED if key in row})
    variable[...] = values
