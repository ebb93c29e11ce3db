"""Tabulate the TIPS partition sums of hitran-api into truth/data/partition_sums.csv (run by hand)."""

import contextlib
import csv
import io
import sys
from pathlib import Path

import numpy as np

with contextlib.redirect_stdout(io.StringIO()):  # hapi greets at import
    import hapi

ISOTOPOLOGUES = {1: 7, 2: 12, 7: 3}  # H2O, CO2, O2: how many isotopologues HITRAN has lines of
TEMPERATURES_K = np.arange(100.0, 401.0, 2.0)


def main(path: Path) -> None:
    with path.open("w", newline="") as stream:
        rows = csv.writer(stream, lineterminator="\n")
        rows.writerow(["molecule", "isotopologue", "temperature_k", "q"])
        for molecule, count in ISOTOPOLOGUES.items():
            for isotopologue in range(1, count + 1):
                for temperature_k in TEMPERATURES_K:
                    q = hapi.partitionSum(molecule, isotopologue, float(temperature_k))
                    rows.writerow([molecule, isotopologue, f"{temperature_k:.0f}", f"{q:.8g}"])


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("truth/data/partition_sums.csv"))
