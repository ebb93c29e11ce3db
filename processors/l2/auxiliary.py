"""Load what a retrieval needs beside spectra and forecast: tables, Sun, continua, calibration."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from processors import products
from processors.job import BadInput, Job

from . import airglow, cia, lines, solar, tables


@dataclass(frozen=True)
class Auxiliary:
    """Shared by all soundings of a job; cia (band)(point) cm-1 amagat-2, airglow as airglow.spectra."""

    tables: list[tables.BandTables]
    sun: solar.Sun
    cia: list[np.ndarray]
    airglow: np.ndarray
    ckd: Any
    line_list_sha256: str = ""  # of the line files, for the product


def load(job: Job) -> Auxiliary:
    """Read the auxiliary files of a job; a malformed one is BadInput."""
    cache = job.cache or Path(tempfile.mkdtemp(prefix="l2-tables-"))
    try:
        spectroscopy = tables.Spectroscopy(job.input("lines"), job.input("partition_sums"))
        band_tables = tables.load(spectroscopy, cache)
        gaussians = cia.read(job.input("cia"))
        sun = solar.read(job.input("solar_lines"), job.input("solar_continuum"))
        o2 = lines.read_lines(spectroscopy.lines)["O2"]
        line_list_sha256 = lines.digest(spectroscopy.lines)
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise BadInput(f"{job.path}: auxiliary file not as expected: {error}: give a whole file") from error
    b4 = next(t.band.wavenumber_cm1 for t in band_tables if t.band.name == "B4")
    return Auxiliary(
        tables=band_tables,
        sun=sun,
        cia=[cia.coefficient(gaussians, t.band.name, t.band.wavenumber_cm1) for t in band_tables],
        airglow=airglow.spectra(o2, b4),
        ckd=products.read_ckd(job.input("ckd")),
        line_list_sha256=line_list_sha256,
    )
