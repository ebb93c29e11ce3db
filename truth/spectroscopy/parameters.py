"""Turn line records into strengths, widths and centres at a pressure and several temperatures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from truth.constants import SECOND_RADIATION
from truth.spectroscopy.absorber import MOLAR_MASS_G
from truth.spectroscopy.lines import ISOTOPOLOGUES, MOLECULES, NUMBERS
from truth.spectroscopy.partition import REFERENCE_TEMPERATURE_K, PartitionSums

REFERENCE_PRESSURE_PA = 101_325.0  # Pa, of widths and shifts, HITRAN definition
DOPPLER = 4.301_422e-7  # sqrt(2 R) / c for g mol-1, CODATA 2018: 1/e half width over centre and sqrt(T / M)


@dataclass(frozen=True)
class Parameters:
    """Lines of one molecule, one array element a line, units of the records (cm-1, atm-1, cm molecule-1)."""

    number: int  # of the molecule, HITRAN
    isotopologue: np.ndarray
    centre_cm1: np.ndarray
    intensity: np.ndarray
    air_width: np.ndarray
    lower_cm1: np.ndarray
    exponent: np.ndarray
    air_shift: np.ndarray

    @classmethod
    def of(cls, molecule: str, records: Sequence[str]) -> Parameters:
        columns = (np.array([float(r[span]) for r in records]) for span in NUMBERS.values())
        return cls(MOLECULES[molecule], np.array([ISOTOPOLOGUES[r[2]] for r in records], int), *columns)

    def where(self, keep: np.ndarray) -> Parameters:
        arrays = [getattr(self, name)[keep] for name in self.__dataclass_fields__ if name != "number"]
        return Parameters(self.number, *arrays)

    @property
    def mass_g(self) -> np.ndarray:
        return np.array([MOLAR_MASS_G[self.number, i] for i in self.isotopologue])

    def strength(self, temperature_k: np.ndarray, sums: PartitionSums) -> np.ndarray:
        """Give (temperature, line) cm-1 / (molecule cm-2), Norton and Rinsland 1991."""
        t = np.asarray(temperature_k, float)[:, None]
        ratio = np.empty((len(t), len(self.centre_cm1)))
        for i in np.unique(self.isotopologue):
            q = np.array([sums(self.number, int(i), float(each)) for each in t[:, 0]])
            reference = sums(self.number, int(i), REFERENCE_TEMPERATURE_K)
            ratio[:, self.isotopologue == i] = (reference / q)[:, None]
        cold = 1.0 / t - 1.0 / REFERENCE_TEMPERATURE_K
        stimulated = np.expm1(-SECOND_RADIATION * self.centre_cm1 / t)
        stimulated /= np.expm1(-SECOND_RADIATION * self.centre_cm1 / REFERENCE_TEMPERATURE_K)
        return self.intensity * ratio * np.exp(-SECOND_RADIATION * self.lower_cm1 * cold) * stimulated

    def lorentz_cm1(self, pressure_pa: float, temperature_k: np.ndarray) -> np.ndarray:
        """Give half widths at half maximum, (temperature, line)."""
        colder = REFERENCE_TEMPERATURE_K / np.asarray(temperature_k, float)[:, None]
        return self.air_width * colder**self.exponent * pressure_pa / REFERENCE_PRESSURE_PA

    def doppler_cm1(self, temperature_k: np.ndarray) -> np.ndarray:
        """Give half widths at 1/e, (temperature, line)."""
        t = np.asarray(temperature_k, float)[:, None]
        return self.centre_cm1 * DOPPLER * np.sqrt(t / self.mass_g)

    def shifted_cm1(self, pressure_pa: float) -> np.ndarray:
        return self.centre_cm1 + self.air_shift * pressure_pa / REFERENCE_PRESSURE_PA
