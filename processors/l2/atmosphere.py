"""Turn the atmospheric part of the state into amounts of gas in fixed pressure layers, with derivatives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from processors.constants import (
    AVOGADRO,
    BOLTZMANN,
    GRAVITY_EQUATOR,
    GRAVITY_K,
    LOSCHMIDT,
    M_DRY,
    M_H2O,
    O2_FRACTION,
    WGS84_A,
    WGS84_F,
)

from .bands import LAYER_EDGES_PA, LAYER_MID_PA
from .tables import temperature_coordinate

SIGMA = np.maximum(np.arange(20) / 19.0, 1e-4)  # CO2 levels as fractions of surface pressure, as OCO-2
# Temperature shifts at these pressures, linear between: meteo errors are correlated over about 150 hPa.
T_NODES_PA = 100.0 * np.array([50.0, 250.0, 450.0, 650.0, 850.0, 1000.0])
PSURF_RANGE_PA = (30_000.0, LAYER_EDGES_PA[-1])
_GAUSS_X = np.array([-np.sqrt(0.6), 0.0, np.sqrt(0.6)])
_GAUSS_W = np.array([5.0, 8.0, 5.0]) / 18.0


@dataclass(frozen=True)
class Meteo:
    """What the forecast says over one sounding; profiles (level) from the top down, SI units."""

    pressure_pa: np.ndarray
    temperature_k: np.ndarray
    specific_humidity: np.ndarray
    surface_altitude_m: float  # of the forecast model's ground
    height_m: np.ndarray  # (layer) of the layer middles above sea level
    gravity_m_s2: np.ndarray  # (layer)


@dataclass(frozen=True)
class Layers:
    """Contents of the layers; every array (layer), zero below the surface; columns in molecules cm-2."""

    dry: np.ndarray
    o2: np.ndarray
    h2o: np.ndarray
    air: np.ndarray
    cia: np.ndarray  # path integral of the squared density of dry air, amagat2 cm
    temperature: np.ndarray  # K
    co2_map: np.ndarray  # (layer, level) weight of each CO2 level in the layer mean
    bottom_weight: np.ndarray  # (1,) weight of the bottom layer's own cross-section against the one above

    @property
    def bottom(self) -> int:
        """Index of the lowest layer that holds air."""
        return int(np.flatnonzero(self.dry)[-1])

    @property
    def pressure_weight(self) -> np.ndarray:
        """Weights h (level) of dry air: XCO2 = h^T co2."""
        return (self.dry @ self.co2_map) / self.dry.sum()


def meteo(forecast: Mapping[str, Any], latitude_deg: float) -> Meteo:
    """Complete a forecast (a row of icd/prior.yaml) with height and gravity of the layers."""
    p, t = forecast["pressure"], forecast["temperature"]
    altitude = float(forecast["surface_altitude"])
    height = layer_height_m(p, t, float(forecast["surface_pressure"]), altitude)
    gravity = layer_gravity(height, latitude_deg)
    return Meteo(p, t, forecast["specific_humidity"], altitude, height, gravity)


def layer_gravity(height_m: np.ndarray, latitude_deg: float) -> np.ndarray:
    """Return gravity (layer), m s-2: WGS-84 normal gravity at heights above sea level."""
    sin2 = np.sin(np.radians(latitude_deg)) ** 2
    eccentricity2 = WGS84_F * (2.0 - WGS84_F)
    surface = GRAVITY_EQUATOR * (1 + GRAVITY_K * sin2) / np.sqrt(1 - eccentricity2 * sin2)
    return surface / (1.0 + height_m / WGS84_A) ** 2


def layer_height_m(
    pressure_pa: np.ndarray, temperature_k: np.ndarray, surface_pa: float, surface_altitude_m: float
) -> np.ndarray:
    """Return the height (layer) of the layer middles above sea level, m, by the hypsometric equation.

    The surface pressure lies at the surface altitude; layers below the ground get heights below it.
    """
    log_p = np.log(np.geomspace(LAYER_EDGES_PA[-1], 20.0, 200))
    t = np.interp(log_p, np.log(pressure_pa), temperature_k)
    step = -287.05 / 9.80665 * 0.5 * (t[1:] + t[:-1]) * np.diff(log_p)
    above_lowest = np.concatenate([[0.0], np.cumsum(step)])
    ground, layer = (np.interp(-np.log(p), -log_p, above_lowest) for p in (surface_pa, LAYER_MID_PA))
    return surface_altitude_m + layer - ground


def layers(meteo: Meteo, psurf_pa: float, t_shift_k: np.ndarray, h2o_scale: float) -> Layers:
    """Fill the layers for a surface pressure, temperature shifts at T_NODES_PA and a water scale."""
    top = LAYER_EDGES_PA[:-1]
    dp = np.clip(psurf_pa - top, 0.0, np.diff(LAYER_EDGES_PA))
    points = (top + dp / 2)[:, None] + dp[:, None] / 2 * _GAUSS_X  # (layer, 3)
    log_p = np.log(points)
    t = np.interp(log_p, np.log(meteo.pressure_pa), meteo.temperature_k)
    t = (t + np.interp(points, T_NODES_PA, t_shift_k)) @ _GAUSS_W
    q = np.interp(log_p, np.log(meteo.pressure_pa), meteo.specific_humidity) @ _GAUSS_W * h2o_scale
    moles_per_mass = dp / meteo.gravity_m_s2 * AVOGADRO * 1e-4
    dry = (1.0 - q) * moles_per_mass / M_DRY
    h2o = q * moles_per_mass / M_H2O
    amagat = points[:, 1] / (BOLTZMANN * t) / LOSCHMIDT * dry / np.maximum(dry + h2o, 1.0)
    hats = _hat_functions(points / psurf_pa) @ _GAUSS_W
    return Layers(
        dry=dry,
        o2=O2_FRACTION * dry,
        h2o=h2o,
        air=dry + h2o,
        cia=amagat * dry / (LOSCHMIDT * 1e-6),
        temperature=t,
        co2_map=np.where(dp[:, None] > 0.0, hats.T, 0.0),
        bottom_weight=np.array([_bottom_weight(dp, points[:, 1])]),
    )


def _hat_functions(sigma: np.ndarray) -> np.ndarray:
    """Return the linear-interpolation weights (level, layer, 3) of the CO2 levels at sigma (layer, 3)."""
    return np.stack([np.interp(sigma, SIGMA, row) for row in np.eye(SIGMA.size)])


def _bottom_weight(dp: np.ndarray, mid: np.ndarray) -> float:
    """Interpolate the bottom layer's cross-section linearly in pressure between two tabulated layers."""
    b = int(np.flatnonzero(dp)[-1])
    return float((mid[b] - LAYER_MID_PA[b - 1]) / (LAYER_MID_PA[b] - LAYER_MID_PA[b - 1]))


def derivatives(meteo: Meteo, psurf_pa: float, t_shift_k: np.ndarray, h2o_scale: float) -> list[Layers]:
    """Differentiate the layers by psurf (hPa), each temperature shift (K) and the water scale, in that order.

    Central differences of a few dozen smooth numbers, good to 1e-7; the spectral part is analytic.
    """
    x = np.concatenate([[psurf_pa / 100.0], t_shift_k, [h2o_scale]])
    steps = np.concatenate([[1e-3], np.full(t_shift_k.size, 1e-2), [1e-3]])
    out = []
    for k, h in enumerate(steps):
        ends = []
        for sign in (1.0, -1.0):
            y = x.copy()
            y[0] = _clear_of_edges(y[0], steps[0]) if k == 0 else y[0]
            y[k] += sign * h
            ends.append(layers(meteo, y[0] * 100.0, y[1:-1], y[-1]))
        out.append(
            Layers(*((getattr(ends[0], f.name) - getattr(ends[1], f.name)) / (2 * h) for f in fields(Layers)))
        )
    return out


def _clear_of_edges(psurf_hpa: float, step_hpa: float) -> float:
    """Move a surface pressure two steps into its own layer: the bottom layer changes at an edge."""
    edge = LAYER_EDGES_PA[np.abs(LAYER_EDGES_PA - 100.0 * psurf_hpa).argmin()] / 100.0
    if abs(psurf_hpa - edge) > 1.5 * step_hpa:
        return psurf_hpa
    return edge + 2.0 * step_hpa * (1.0 if psurf_hpa > edge else -1.0)


def mix_bottom(table: np.ndarray, bottom: int, weight: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the bottom layer's cubic (4, point) and its derivative by the weight.

    The cubic of the layer above is re-expanded about the bottom layer's reference temperature.
    """
    zero = np.zeros(LAYER_MID_PA.size)
    delta = temperature_coordinate(zero)[bottom - 1] - temperature_coordinate(zero)[bottom]
    above, own = table[bottom - 1].astype(np.float64), table[bottom].astype(np.float64)
    shift = np.array(
        [
            [1.0, delta, delta**2, delta**3],
            [0.0, 1.0, 2 * delta, 3 * delta**2],
            [0.0, 0.0, 1.0, 3 * delta],
            [0.0, 0.0, 0.0, 1.0],
        ]
    )
    above = shift @ above
    return (1.0 - weight) * above + weight * own, own - above
