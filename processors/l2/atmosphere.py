"""Turn the atmospheric part of the state into amounts of gas in fixed pressure layers, with derivatives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit

from processors.constants import (
    AVOGADRO,
    BOLTZMANN,
    GRAVITY_EQUATOR,
    GRAVITY_K,
    LOSCHMIDT,
    M_DRY,
    M_H2O,
    WGS84_A,
    WGS84_F,
)

from .bands import LAYER_EDGES_PA, LAYER_MID_PA

SIGMA = np.maximum(np.arange(20) / 19.0, 1e-4)  # CO2 levels as fractions of surface pressure, as OCO-2
# Temperature shifts at these pressures, linear between: meteo errors are correlated over about 150 hPa.
T_NODES_PA = 100.0 * np.array([50.0, 250.0, 450.0, 650.0, 850.0, 1000.0])
# Factors of humidity at these pressures, linear between and held beyond: spectra tell the column of water
# and, by the width of its lines, whether it lies low or high, no more. Without it particles stand for that.
H2O_NODES_PA = 100.0 * np.array([600.0, 1000.0])
PSURF_RANGE_PA = (30_000.0, LAYER_EDGES_PA[-1])
DRY, H2O, AIR, CIA, TEMPERATURE = range(5)  # rows of Layers.amount
PSURF_STEP_HPA = 1e-3  # of the central difference by surface pressure
_LOG_P = np.log(np.geomspace(LAYER_EDGES_PA[-1], 20.0, 200))  # steps of the hypsometric equation
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
    brdf: tuple[float, float] = (0.0, 0.0)  # weights of land's kernels, see surface.ross_li


@dataclass(frozen=True)
class Layers:
    """Contents of the layers, zero below the surface; columns in molecules cm-2."""

    amount: np.ndarray  # (5, layer): dry air, water, all air, squared density of dry air (amagat2 cm), K
    co2_map: np.ndarray  # (layer, level) weight of each CO2 level in the layer mean
    shift_map: np.ndarray  # (layer, node) weight of each temperature shift in the layer mean
    h2o_map: np.ndarray  # (layer, node) share of the layer's water by one unit of each factor of humidity
    bottom: int  # index of the lowest layer that holds air
    bottom_weight: float  # of the bottom layer's own cross-section against that of the layer above

    @property
    def pressure_weight(self) -> np.ndarray:
        """Weights h (level) of dry air: XCO2 = h^T co2."""
        dry = self.amount[DRY]
        return (dry @ self.co2_map) / dry.sum()

    @property
    def h2o_scale(self) -> float:
        """Column of water over the forecast's."""
        water = self.amount[H2O]
        return float(water.sum() / (water @ self.h2o_map.sum(axis=1)))


@dataclass(frozen=True)
class Slopes:
    """Derivatives of Layers by surface pressure (hPa) and by the factors of humidity; those by temperature
    are in it."""

    by_psurf: np.ndarray  # (5, layer)
    co2_map_by_psurf: np.ndarray  # (layer, level)
    bottom_weight_by_psurf: float
    by_h2o: np.ndarray  # (node, 5, layer)


def meteo(forecast: Mapping[str, Any], latitude_deg: float) -> Meteo:
    """Complete a forecast (a row of icd/prior.yaml) with height and gravity of the layers."""
    p, t = forecast["pressure"], forecast["temperature"]
    altitude = float(forecast["surface_altitude"])
    height = layer_height_m(p, t, float(forecast["surface_pressure"]), altitude)
    gravity = layer_gravity(height, latitude_deg)
    brdf = float(forecast["brdf_volumetric"]), float(forecast["brdf_geometric"])
    return Meteo(p, t, forecast["specific_humidity"], altitude, height, gravity, brdf)


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
    t = np.interp(_LOG_P, np.log(pressure_pa), temperature_k)
    step = -287.05 / 9.80665 * 0.5 * (t[1:] + t[:-1]) * np.diff(_LOG_P)
    above_lowest = np.concatenate([[0.0], np.cumsum(step)])
    ground, layer = (np.interp(-np.log(p), -_LOG_P, above_lowest) for p in (surface_pa, LAYER_MID_PA))
    return surface_altitude_m + layer - ground


def layers(meteo: Meteo, psurf_pa: float, t_shift_k: np.ndarray, h2o: np.ndarray) -> Layers:
    """Fill the layers for a surface pressure, temperature shifts at T_NODES_PA and factors of humidity at
    H2O_NODES_PA."""
    amount, co2_map, shift_map, h2o_map, bottom, weight = _fill(
        psurf_pa,
        t_shift_k,
        h2o,
        np.log(meteo.pressure_pa),
        meteo.temperature_k,
        meteo.specific_humidity,
        meteo.gravity_m_s2,
        LAYER_EDGES_PA,
        LAYER_MID_PA,
    )
    return Layers(amount, co2_map, shift_map, h2o_map, bottom, weight)


def slopes(meteo: Meteo, psurf_pa: float, t_shift_k: np.ndarray, h2o: np.ndarray, here: Layers) -> Slopes:
    """Differentiate the layers; by surface pressure in central differences of smooth numbers, good to
    1e-7."""
    middle = _clear_of_edges(psurf_pa / 100.0, PSURF_STEP_HPA)
    high, low = (
        layers(meteo, 100.0 * (middle + sign * PSURF_STEP_HPA), t_shift_k, h2o) for sign in (1.0, -1.0)
    )
    span = 2.0 * PSURF_STEP_HPA
    dry, water, air, cia, _ = here.amount
    by_water = np.zeros((h2o.size, *here.amount.shape))
    by_water[:, H2O] = water * here.h2o_map.T
    by_water[:, DRY] = -by_water[:, H2O] * M_H2O / M_DRY  # the mass of a layer stays
    by_water[:, AIR] = by_water[:, DRY] + by_water[:, H2O]
    held = air > 0.0
    relative = 2 * by_water[:, DRY, held] / dry[held] - by_water[:, AIR, held] / air[held]
    by_water[:, CIA, held] = cia[held] * relative
    return Slopes(
        (high.amount - low.amount) / span,
        (high.co2_map - low.co2_map) / span,
        (high.bottom_weight - low.bottom_weight) / span,
        by_water,
    )


def _clear_of_edges(psurf_hpa: float, step_hpa: float) -> float:
    """Move a surface pressure two steps into its own layer: the bottom layer changes at an edge."""
    edge = LAYER_EDGES_PA[np.abs(LAYER_EDGES_PA - 100.0 * psurf_hpa).argmin()] / 100.0
    if abs(psurf_hpa - edge) > 1.5 * step_hpa:
        return psurf_hpa
    return float(edge + 2.0 * step_hpa * (1.0 if psurf_hpa > edge else -1.0))


@njit(cache=True)
def _fill(psurf_pa, shift, h2o, log_p, temperature, humidity, gravity, edges_pa, mid_pa):  # type: ignore[no-untyped-def]
    """Return amount, maps, bottom and bottom_weight of Layers; three Gauss points a layer.

    What comes from another module is an argument: a compiled function kept on disk would not see it change.
    """
    count = edges_pa.size - 1
    amount = np.zeros((5, count))
    co2_map, shift_map = np.zeros((count, SIGMA.size)), np.zeros((count, T_NODES_PA.size))
    h2o_map = np.zeros((count, H2O_NODES_PA.size))
    bottom, middle = 0, 0.0
    for l in range(count):
        top = edges_pa[l]
        dp = min(psurf_pa, edges_pa[l + 1]) - top
        if dp <= 0.0:
            break
        bottom, middle = l, top + 0.5 * dp
        t = 0.0
        for g in range(3):
            p = middle + 0.5 * dp * _GAUSS_X[g]
            w = _GAUSS_W[g]
            _spread(co2_map[l], SIGMA, p / psurf_pa, w)
            _spread(shift_map[l], T_NODES_PA, p, w)
            i, f = _bracket(log_p, np.log(p))
            t += w * ((1.0 - f) * temperature[i] + f * temperature[i + 1])
            _spread(h2o_map[l], H2O_NODES_PA, p, w * ((1.0 - f) * humidity[i] + f * humidity[i + 1]))
        t += np.sum(shift_map[l] * shift)
        q = np.sum(h2o_map[l] * h2o)
        if q > 0.0:
            h2o_map[l] /= q
        moles_per_mass = dp / gravity[l] * AVOGADRO * 1e-4
        dry, water = (1.0 - q) * moles_per_mass / M_DRY, q * moles_per_mass / M_H2O
        amagat = middle / (BOLTZMANN * t) / LOSCHMIDT * dry / (dry + water)
        amount[DRY, l], amount[H2O, l], amount[AIR, l] = dry, water, dry + water
        amount[CIA, l], amount[TEMPERATURE, l] = amagat * dry / (LOSCHMIDT * 1e-6), t
    weight = (middle - mid_pa[bottom - 1]) / (mid_pa[bottom] - mid_pa[bottom - 1])
    return amount, co2_map, shift_map, h2o_map, bottom, weight


@njit(cache=True)
def _bracket(grid, x):  # type: ignore[no-untyped-def]
    """Return the interval of an ascending grid that holds x and the fraction of it; the ends are held."""
    i = min(max(np.searchsorted(grid, x, side="right") - 1, 0), grid.size - 2)
    return i, min(max((x - grid[i]) / (grid[i + 1] - grid[i]), 0.0), 1.0)


@njit(cache=True)
def _spread(row, grid, x, weight):  # type: ignore[no-untyped-def]
    """Add a weight to the two grid points beside x, in the share of linear interpolation."""
    i, f = _bracket(grid, x)
    row[i] += weight * (1.0 - f)
    row[i + 1] += weight * f
