"""Turn one sounding's levels into layers of molecules by hydrostatics."""

from dataclasses import dataclass

import numpy as np
import xarray as xr

from truth.atmosphere import columns
from truth.constants import BOLTZMANN, O2_MOLE_FRACTION

PPM = 1e-6
GAUSS_POINT = 0.5 / np.sqrt(3.0)  # 1, way from a layer's middle to a point of the rule of two, over its span
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
    pressure_span_pa: np.ndarray | float = 0.0  # (layer,) from its upper to its lower level
    temperature_span_k: np.ndarray | float = 0.0

    @property
    def air(self) -> np.ndarray:
        """Give the column of all molecules, (layer,)."""
        return self.dry_air + self.gas["H2O"]

    def broadening_pa(self, gas: str) -> np.ndarray:
        """Give the pressure of dry air that makes a gas's lines as wide as the moist air does, (layer,)."""
        if not self.water_broadening:
            return self.pressure_pa
        return self.pressure_pa * (1.0 + (WATER_BROADENING[gas] - 1.0) * self.gas["H2O"] / self.air)

    def halves(self, gas: str) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Give broadening pressure, temperature and column at two Gauss points of the layers, (layer,) each.

        Lines at the layers' middles alone would cost the retrieval 0.03 ppm.
        """
        pressure, share = self.broadening_pa(gas), self.pressure_span_pa / self.pressure_pa
        return [
            (
                pressure * (1.0 + at * share),
                self.temperature_k + at * self.temperature_span_k,
                self.gas[gas] / 2.0,
            )
            for at in (-GAUSS_POINT, GAUSS_POINT)
        ]

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
    spans = np.diff(pressure_pa), np.diff(temperature_k)
    middles = _middle(pressure_pa), _middle(temperature_k)
    return Layers(altitude_m, *middles, dry_air, gas, water_broadening, *spans)


def _middle(level: np.ndarray) -> np.ndarray:
    return (level[1:] + level[:-1]) / 2.0
