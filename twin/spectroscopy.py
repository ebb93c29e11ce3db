"""Turn nature's lines and continua into what the ground is given: the same, with the scenario's errors."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

from twin.scenario import Spectroscopy

SCALED_BY = {" 1": "", " 2": "co2_intensity", " 7": "o2_intensity"}  # H2O, CO2, O2; others are not read
INTENSITY, AIR_WIDTH = slice(15, 25), slice(35, 40)  # columns of a 160-column record
WIDTH_DECIMALS = 4  # HITRAN's F5.4


def write(folder: Path, lines: Path, data: Path, given: Spectroscopy) -> None:
    """Write lines/*.par, cia.csv and partition_sums.csv, byte for byte nature's where nothing is asked.

    lines  directory of nature's line files
    data   folder of nature's cia_v1.csv and partition_sums.csv
    """
    (folder / "lines").mkdir(parents=True, exist_ok=True)
    for path in sorted(lines.glob("*.par")):
        target = folder / "lines" / path.name
        if given.co2_intensity or given.o2_intensity or given.width:
            target.write_text(scaled(path.read_text(encoding="ascii"), given), encoding="ascii")
        else:
            shutil.copyfile(path, target)
    shutil.copyfile(data / "partition_sums.csv", folder / "partition_sums.csv")
    if given.cia:
        shutil.copyfile(data / "cia_v1.csv", folder / "cia.csv")
    else:
        _without_amplitude(data / "cia_v1.csv", folder / "cia.csv")


def scaled(text: str, given: Spectroscopy) -> str:
    """Scale intensities and air widths of 160-column records.

    Intensities keep five digits. Widths keep the format's four decimals, 0.1 % of a typical one; what
    rounding leaves is carried to the next record, so that the mean of the widths is scaled as asked.
    """
    carried, records = 0.0, []
    for record in text.splitlines():
        share = getattr(given, SCALED_BY.get(record[:2], ""), 0.0)
        if share:
            record = _put(record, INTENSITY, _exponential(float(record[INTENSITY]) * (1.0 + share)))
        if given.width and record[:2] in SCALED_BY:
            wanted = float(record[AIR_WIDTH]) * (1.0 + given.width)
            written = max(round(wanted + carried, WIDTH_DECIMALS), 0.0)
            carried += wanted - written
            record = _put(record, AIR_WIDTH, f"{written:.{WIDTH_DECIMALS}f}".removeprefix("0")[:5])
        records.append(record + "\n")
    return "".join(records)


def _exponential(value: float) -> str:
    """Write as many digits as ten columns hold."""
    fitting = (f"{value:.{digits}E}" for digits in (4, 3))
    return next(text for text in fitting if len(text) <= INTENSITY.stop - INTENSITY.start)


def _put(record: str, columns: slice, text: str) -> str:
    return record[: columns.start] + text.rjust(columns.stop - columns.start) + record[columns.stop :]


def _without_amplitude(source: Path, target: Path) -> None:
    """Copy the terms with amplitude 0, which the ground reads as no absorption."""
    with source.open(newline="", encoding="ascii") as stream:
        rows = list(csv.DictReader(stream))
    with target.open("w", newline="", encoding="ascii") as stream:
        table = csv.DictWriter(stream, rows[0].keys(), lineterminator="\n")
        table.writeheader()
        table.writerows(row | {"amplitude": "0"} for row in rows)
