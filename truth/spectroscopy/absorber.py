"""Turn line records into Voigt absorption cross-sections with sasktran2's line absorber."""

import tempfile
from pathlib import Path

import numpy as np
from sasktran2.optical.hitran import LineDatabaseType, PyLineAbsorber

from truth.spectroscopy.lines import MOLECULES, LineSource
from truth.spectroscopy.partition import PartitionSums

WING_CM1 = 25.0  # cut of the line wings, PHYSICS 1
MOLAR_MASS_G = {  # g mol-1 by HITRAN molecule and isotopologue, sums of AME2020 atomic masses
    (1, 1): 18.010565,
    (1, 2): 20.014811,
    (1, 3): 19.014780,
    (1, 4): 19.016740,
    (1, 5): 21.020985,
    (1, 6): 20.020956,
    (1, 7): 20.022915,
    (2, 1): 43.989830,
    (2, 2): 44.993185,
    (2, 3): 45.994076,
    (2, 4): 44.994045,
    (2, 5): 46.997431,
    (2, 6): 45.997400,
    (2, 7): 47.998320,
    (2, 8): 46.998291,
    (2, 9): 45.998262,
    (2, 10): 49.001675,
    (2, 11): 48.001646,
    (2, 12): 47.001618,
    (7, 1): 31.989830,
    (7, 2): 33.994076,
    (7, 3): 32.994045,
}


class LineAbsorber:
    """Cross-sections of one molecule in dry air; truth.layers gives moist air a pressure of its own.

    Under 43 kg m-2 of water at air mass 2.5, water on CO2 (1.8 times as wide as air) would add 0.2 % (B2) and
    0.3 % (B3) to the apparent column, and on water itself change single lines by up to 0.06 of transmittance.
    """

    def __init__(self, source: LineSource, molecule: str, partition_sums: PartitionSums):
        # The class below LineAbsorber of sasktran2 is used since that one needs hapi at run time.
        with tempfile.TemporaryDirectory() as folder:
            text = "".join(record + "\n" for record in source.records[molecule])
            Path(folder, f"{molecule}.data").write_text(text, encoding="ascii")
            self._absorber = PyLineAbsorber(
                LineDatabaseType.HITRAN, molecule, folder, 0.0, False, partition_sums, _molar_mass_g, WING_CM1
            )
        if molecule not in MOLECULES:
            raise ValueError(f"molecule must be one of {sorted(MOLECULES)}, got {molecule}")

    def cross_section(
        self, wavenumber_cm1: np.ndarray, temperature_k: np.ndarray, pressure_pa: np.ndarray
    ) -> np.ndarray:
        """Give (state, point) m2 per molecule for pairs of temperature and pressure, (state,)."""
        temperature_k = np.atleast_1d(np.asarray(temperature_k, float))
        pressure_pa = np.atleast_1d(np.asarray(pressure_pa, float))
        self_pressure_pa = np.zeros_like(pressure_pa)
        return self._absorber.cross_section(wavenumber_cm1, temperature_k, pressure_pa, self_pressure_pa)


def _molar_mass_g(molecule: int, isotopologue: int) -> float:
    return MOLAR_MASS_G[molecule, isotopologue]
