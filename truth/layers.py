"""Turn one sounding's levels into layers of molecules by hydrostatics."""

from dataclasses import dataclass

import numpy as np
import xarray as xr

from truth.atmosphere import columns
from truth.constants import BOLTZMANN, O2_MOLE_FRACTION

PPM = 1e-6
WATER_BROADENING = {  # 1, width of lines in water vapour over that in dry air
    "CO2": 1.8,  # mean of published ratios, recalled
    "O2": 1.1,  # as microwave propagation models take it (Liebe 1989), recalled
    "H2O": 5.1,  # median of self over air width of the 1480 lines of h2o_hitran2012.par
}


@dataclass(frozen=True)
class Layers:
    """Layers top to surface; columns in molecules m-2 seen vertically."""

    altitude_m: np.ndarray  # (level,)
    pressure_pa: np.ndarray  # (layer,) mean by mass
    temperature_k: np.ndarray
    dry_air: np.ndarray
    gas: dict[str, np.ndarray]  # O2, CO2, H2O
    water_broadening: bool = False

    @property
    def air(self) -> np.ndarray:
        """Give the column of all molecules, (layer,)."""
        return self.dry_air + self.gas["H2O"]

    def broadening_pa(self, gas: str) -> np.ndarray:
        """Give the pressure of dry air that makes a gas's lines as wide as the moist air does, (layer,)."""
        if not self.water_broadening:
            return self.pressure_pa
        return self.pressure_pa * (1.0 + (WATER_BROADENING[gas] - 1.0) * self.gas["H2O"] / self.air)

    @property
    def air_squared(self) -> np.ndarray:
        """Give the integral of the squared density of dry air, (layer,) molecule2 m-5."""
        density = self.pressure_pa / (BOLTZMANN * self.temperature_k)
        return self.dry_air**2 / self.air * density


def layers(sounding: xr.Dataset, co2_intensity_scale: float = 1.0, water_broadening: bool = False) -> Layers:
    """Build the layers of one sounding; the CO2 column carries the intensity scale of the true lines."""
    pressure_pa, temperature_k, humidity, altitude_m, co2_ppm = (
        np.asarray(sounding[name], float)
        for name in ("pressure", "temperature", "specific_humidity", "altitude", "co2")
    )
    dry_air, water, _ = columns(pressure_pa, humidity, altitude_m, float(sounding["latitude"]))
    gas = {
        "O2": O2_MOLE_FRACTION * dry_air,
        "CO2": PPM * _middle(co2_ppm) * dry_air * co2_intensity_scale,
        "H2O": water,
    }
    return Layers(altitude_m, _middle(pressure_pa), _middle(temperature_k), dry_air, gas, water_broadening)


def _middle(level: np.ndarray) -> np.ndarray:
    return (level[1:] + level[:-1]) / 2.0
