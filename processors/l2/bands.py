"""Name the spectral windows, gases and fixed layers on which the retrieval computes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Band:
    """One band: its index in every product and the wavenumbers computed, wider than the spectels.

    The step keeps what a trapezoid over the spectral response leaves below 1e-4 of the continuum.
    """

    index: int
    name: str
    gas: str  # the absorber measured; water vapour is in every band
    first_cm1: int
    last_cm1: int
    per_cm1: int  # points

    @property
    def step_cm1(self) -> float:
        return 1.0 / self.per_cm1

    @property
    def wavenumber_cm1(self) -> np.ndarray:
        """Wavenumber grid (point), ascending, vacuum, cm-1, in the frame of the Earth's surface."""
        return np.arange(self.first_cm1 * self.per_cm1, self.last_cm1 * self.per_cm1 + 1) / self.per_cm1


BANDS = (
    Band(0, "B1", "O2", 13003, 13192, 50),
    Band(1, "B2", "CO2", 6174, 6266, 100),
    Band(2, "B3", "CO2", 4872, 4946, 125),
    Band(3, "B4", "O2", 7796, 7914, 80),
)

# Layer boundaries from the top down, Pa: no fewer keep the column within 0.03 ppm and 0.05 hPa of 150 layers.
_EDGES_HPA = [
    0,
    7,
    26,
    52,
    82,
    114,
    144,
    174,
    204,
    234,
    266,
    299,
    334,
    371,
    409,
    449,
    491,
    536,
    583,
    633,
    685,
    740,
]
LAYER_EDGES_PA = 100.0 * np.array([*_EDGES_HPA, 799, 864, 933, 1008, 1090])
LAYER_MID_PA = 0.5 * (LAYER_EDGES_PA[1:] + LAYER_EDGES_PA[:-1])

# Temperature by pressure: middle and half width of its range over latitudes and seasons
_P_HPA = [0.3, 1, 3, 10, 25, 50, 80, 110, 150, 200, 300, 400, 600, 850, 1090]
_T_K = [260, 263, 247, 228, 220, 217, 212, 211, 217, 221, 229, 241, 261, 274, 278]
_T_HALF_K = [3, 14, 18, 12, 9, 8, 13, 14, 8, 4, 10, 12, 13, 16, 21]
T_MARGIN_K = 15.0  # tabulated beyond that range


def reference_temperature_k(pressure_pa: np.ndarray) -> np.ndarray:
    """Centre of the temperature range tabulated at a pressure, K."""
    return np.interp(np.log(pressure_pa / 100.0), np.log(_P_HPA), _T_K)


def temperature_span_k(pressure_pa: np.ndarray) -> np.ndarray:
    """Half of the temperature range tabulated at a pressure, K."""
    return np.interp(np.log(pressure_pa / 100.0), np.log(_P_HPA), _T_HALF_K) + T_MARGIN_K
