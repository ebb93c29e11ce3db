"""Read atmospheric profiles from tables with named columns.

A table is text with commas between the columns; lines that begin with # are left out, the next line names the
columns, in any order. Levels run from the top down or from the ground up. An atmosphere has

    pressure_hpa  temperature_k  h2o_vmr (mol of water per mol of moist air)  co2_ppm (per mol of dry air)

and reaches from 1 hPa or less to the ground, whose pressure is the largest in the table.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from processors.constants import M_DRY, M_H2O
from processors.job import BadInput

HIGHEST_HPA = 50.0  # the uppermost level has to lie above it
RANGES = {"temperature_k": (100.0, 400.0), "h2o_vmr": (0.0, 0.1), "co2_ppm": (0.0, 2000.0)}


@dataclass(frozen=True)
class Profile:
    """An atmosphere (level) from the top down."""

    pressure_pa: np.ndarray
    temperature_k: np.ndarray
    specific_humidity: np.ndarray
    co2_ppm: np.ndarray

    @property
    def surface_pressure_pa(self) -> float:
        return float(self.pressure_pa[-1])


def read_atmosphere(path: Path) -> Profile:
    """Read the atmosphere above a ground-based spectrometer."""
    pressure, *values = columns(path, ("pressure_hpa", *RANGES))
    for (name, (low, high)), column in zip(RANGES.items(), values, strict=True):
        if column.min() < low or column.max() > high:
            raise BadInput(
                f"{path}: expected {name} from {low:g} to {high:g}, "
                f"got {column.min():g} to {column.max():g}: check the unit"
            )
    if pressure[0] > HIGHEST_HPA or not 300.0 <= pressure[-1] <= 1090.0:
        raise BadInput(
            f"{path}: expected pressure_hpa from below {HIGHEST_HPA:g} to a ground at 300 to 1090, "
            f"got {pressure[0]:g} to {pressure[-1]:g}: give the whole atmosphere in hPa"
        )
    temperature, water, co2 = values
    q = water * M_H2O / (water * M_H2O + (1.0 - water) * M_DRY)
    return Profile(100.0 * pressure, temperature, q, co2)


def columns(path: Path, names: tuple[str, ...]) -> list[np.ndarray]:
    """Read columns of a table, the first of them the pressure, in the order of ascending pressure."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
        table = np.array([[float(row[name]) for name in names] for row in rows])
    except OSError as error:
        raise BadInput(f"{path}: expected a table, got {error.strerror}: check the path") from error
    except (KeyError, TypeError, ValueError) as error:
        raise BadInput(
            f"{path}: expected columns {', '.join(names)} of numbers, got {error}: write them"
        ) from error
    if len(table) < 2 or not np.all(np.isfinite(table)):
        raise BadInput(
            f"{path}: expected two levels and more, all numbers, got {len(table)}: complete the table"
        )
    table = table[np.argsort(table[:, 0])]
    if table[0, 0] <= 0.0 or np.any(np.diff(table[:, 0]) == 0.0):
        raise BadInput(f"{path}: expected pressures above 0, none of them twice: correct {names[0]}")
    return list(table.T)
