"""Give the air over a spectrometer in layers, and the way of sunlight through it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from processors.constants import WGS84_A
from processors.job import BadInput
from processors.l2.atmosphere import (
    DRY,
    H2O_NODES_PA,
    T_NODES_PA,
    TEMPERATURE,
    Layers,
    Meteo,
    layer_gravity,
    layer_height_m,
    layers,
)
from processors.l2.bands import LAYER_MID_PA

from .profiles import Profile

REFRACTIVITY = 2.73e-4  # of air at 0 degC and 1013.25 hPa about 1.6 um (Edlen); 2.76e-4 at 0.76 um
DENSITY_OF_FORMULA = 0.9618  # 1010 hPa and 10 degC relative to that


@dataclass(frozen=True)
class Place:
    """Where the spectrometer stands and how it sees the Sun."""

    sza_deg: float  # of the Sun's true place, without refraction
    altitude_m: float = 0.0
    latitude_deg: float = 45.0
    sun_recession_m_s: float = 0.0  # a first value; the fit finds it from the solar lines

    def __post_init__(self) -> None:
        if not 0.0 <= self.sza_deg < 88.0:
            raise BadInput(
                f"--sza: expected 0 to 88 degrees, got {self.sza_deg:g}: the Sun is too low for these layers"
            )


def height_m(air: Profile, place: Place) -> np.ndarray:
    """Return the height (layer) of the layer middles above sea level, m."""
    return layer_height_m(air.pressure_pa, air.temperature_k, air.surface_pressure_pa, place.altitude_m)


def air_layers(air: Profile, place: Place) -> Layers:
    """Return the layers of the retrieval filled with the profile."""
    height = height_m(air, place)
    gravity = layer_gravity(height, place.latitude_deg)
    meteo = Meteo(
        air.pressure_pa, air.temperature_k, air.specific_humidity, place.altitude_m, height, gravity
    )
    return layers(meteo, air.surface_pressure_pa, np.zeros(T_NODES_PA.size), np.ones(H2O_NODES_PA.size))


def slant_paths(place: Place, held: Layers, height_m: np.ndarray) -> np.ndarray:
    """Return the slant path per vertical path (layer) of a ray that the air bends.

    n r sin(theta) is the same along a ray in spherical air; at the ground theta is the apparent zenith angle.
    """
    used = np.arange(height_m.size) <= held.bottom
    t = np.where(used, held.amount[TEMPERATURE], held.amount[TEMPERATURE, held.bottom])
    excess = REFRACTIVITY * LAYER_MID_PA / 101_325.0 * 273.15 / t
    excess_ground = np.interp(place.altitude_m, height_m[::-1], excess[::-1])
    bent = refraction_deg(place.sza_deg) * excess_ground / (REFRACTIVITY * DENSITY_OF_FORMULA)
    apparent = np.radians(place.sza_deg - bent)
    radius = WGS84_A + place.altitude_m
    invariant = (1.0 + excess_ground) * radius * np.sin(apparent)
    sine = invariant / ((1.0 + excess) * (WGS84_A + height_m))
    return 1.0 / np.sqrt(1.0 - np.minimum(sine, 0.9999) ** 2)


def refraction_deg(sza_deg: float) -> float:
    """Return by how much the Sun is lifted, for 1010 hPa and 10 degC (Saemundsson 1986)."""
    elevation = 90.0 - sza_deg
    return float(1.02 / 60.0 / np.tan(np.radians(elevation + 10.3 / (elevation + 5.11))))


def airmass(place: Place, air: Profile) -> float:
    """Return slant over vertical column of dry air."""
    held = air_layers(air, place)
    dry = held.amount[DRY]
    return float(slant_paths(place, held, height_m(air, place)) @ dry / dry.sum())
