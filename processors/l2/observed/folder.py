"""Load the auxiliary files that a run keeps in its folder aux/, without a job order."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from processors.job import BadInput
from processors.l2 import cia, lines, particles, solar, tables
from processors.l2.auxiliary import Auxiliary

NAMES = (
    "lines",
    "partition_sums.csv",
    "cia.csv",
    "solar_lines.csv",
    "solar_continuum.csv",
    "particles.csv",
)


def check(folder: Path) -> Path:
    """Return the folder if all its files are there."""
    for name in NAMES:
        if not (folder / name).exists():
            raise BadInput(f"{folder / name}: expected an auxiliary file, got none: name the aux/ of a run")
    return folder


def spectroscopy(folder: Path) -> tables.Spectroscopy:
    names = ("lines", "partition_sums.csv", "solar_lines.csv", "solar_continuum.csv")
    return tables.Spectroscopy(*(folder / name for name in names))


def sun(folder: Path) -> solar.Sun:
    return solar.read(folder / "solar_lines.csv", folder / "solar_continuum.csv")


def auxiliary(folder: Path, isrf: Mapping[str, Any], cache: Path) -> Auxiliary:
    """Load everything a retrieval takes; isrf stands for the group of that name in the calibration data.

    cache  holds the tables of absorption between calls; making them takes half a minute
    """
    try:
        source = spectroscopy(check(folder))
        band_tables = tables.load(source, cache)
        gaussians = cia.read(folder / "cia.csv")
        return Auxiliary(
            tables=band_tables,
            sun=sun(folder),
            cia=[cia.coefficient(gaussians, t.band.name, t.wavenumber_cm1) for t in band_tables],
            airglow=next(t.glow for t in band_tables if t.band.name == "B4"),
            optics=particles.read(folder / "particles.csv"),
            ckd={"isrf": isrf},
            line_list_sha256=lines.digest(source.lines),
            folder=cache,
        )
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise BadInput(f"{folder}: auxiliary file not as expected: {error}: give a whole file") from error
