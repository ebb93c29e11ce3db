"""Name the spectral windows, gases and fixed layers on which the retrieval computes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

GRID_STEP_CM1 = 0.01  # resolves a Doppler width (0.006 cm-1 half width in B2) once smeared by the ISRF


@dataclass(frozen=True)
class Band:
    """One band: its index in every product and the wavenumbers computed, wider than the spectels."""

    index: int
    name: str
    gas: str  # the absorber measured; water vapour is in every band
    first_cm1: int
    last_cm1: int

    @property
    def wavenumber_cm1(self) -> np.ndarray:
        """Wavenumber grid (point), ascending, vacuum, cm-1, in the frame of the Earth's surface."""
        return np.arange(self.first_cm1 * 100, self.last_cm1 * 100 + 1) * GRID_STEP_CM1


BANDS = (
    Band(0, "B1", "O2", 13003, 13192),
    Band(1, "B2", "CO2", 6174, 6266),
    Band(2, "B3", "CO2", 4872, 4946),
    Band(3, "B4", "O2", 7796, 7914),
)

# Layer boundaries from the top down, Pa: fine where line cores form, 45 hPa in the troposphere.
_TOP_HPA = [0, 0.5, 1.5, 3, 5, 8, 12, 18, 26, 36, 48, 62, 78, 97, 120, 147, 178, 212, 248, 286, 326, 368]
_LOW_HPA = [411, 455, 500, 545, 590, 635, 680, 725, 770, 815, 860, 905, 950, 1000, 1090]
LAYER_EDGES_PA = 100.0 * np.array([*_TOP_HPA, *_LOW_HPA])
LAYER_MID_PA = 0.5 * (LAYER_EDGES_PA[1:] + LAYER_EDGES_PA[:-1])


def reference_temperature_k(pressure_pa: np.ndarray) -> np.ndarray:
    """Centre of the temperature range tabulated at a pressure, K: a smooth mid-latitude mean."""
    log_p = np.log([30.0, 100.0, 300.0, 1000.0, 10000.0, 20000.0, 50000.0, 109000.0])
    return np.interp(np.log(pressure_pa), log_p, [250.0, 262.0, 245.0, 228.0, 212.0, 218.0, 253.0, 283.0])
