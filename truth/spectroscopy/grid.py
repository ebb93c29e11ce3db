"""Name the four spectral bands and the fine wavenumber grid each is computed on."""

from dataclasses import dataclass

import numpy as np

GRID_OFFSET_CM1 = 0.00317  # keeps truth's points off any round grid


@dataclass(frozen=True)
class Band:
    name: str
    shortest_nm: float  # edges in vacuum, MISSION table, P (CNES)
    longest_nm: float
    margin_nm: float  # for the response tails and the Doppler shift
    spacing_cm1: float  # sampling error in tests/unit/truth/test_spectroscopy.py

    @property
    def wavenumber_cm1(self) -> np.ndarray:
        """Give the grid, increasing, (point,)."""
        low = 1e7 / (self.longest_nm + self.margin_nm)
        high = 1e7 / (self.shortest_nm - self.margin_nm)
        first = np.floor(low) + GRID_OFFSET_CM1
        return first + self.spacing_cm1 * np.arange(int(np.ceil((high - first) / self.spacing_cm1)) + 1)


BANDS = (
    Band("B1", 758.3, 768.8, 0.40, 0.01),
    Band("B2", 1596.7, 1618.9, 0.80, 0.0075),
    Band("B3", 2023.0, 2051.0, 1.00, 0.006),
    Band("B4", 1264.0, 1282.2, 0.60, 0.01),
)
