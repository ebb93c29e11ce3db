"""Turn a state into the depths of gas and particles in the layers, and say how each element changes them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from processors.constants import O2_FRACTION

from .atmosphere import AIR, CIA, DRY, H2O, TEMPERATURE, Layers, Slopes

# What light in a layer hangs on, columns of Terms.by_element before those of the particle types
GAS, WATER, KELVIN, MIXING, SCATTERING, COLLISIONS, PARTICLES = range(7)


@dataclass(frozen=True)
class Terms:
    """Amounts in the layers for one band, and their derivatives by the elements of the atmosphere."""

    gas: np.ndarray  # (layer) column of the absorber measured, cm-2
    by_element: np.ndarray  # (element, layer, PARTICLES + type)


def terms(
    co2_band: bool,
    layers: Layers,
    slopes: Slopes,
    co2_ppm: np.ndarray,
    share_by_psurf: np.ndarray,
) -> Terms:
    """Return the amounts for one band; elements are CO2 (where measured), psurf, temperature shifts, water.

    share_by_psurf  (type, layer) slope of the particles' optical depth at 0.755 um by psurf, hPa-1
    """
    gas, by_element = _terms(
        co2_band,
        layers.amount,
        layers.co2_map,
        layers.shift_map,
        layers.bottom,
        slopes.by_psurf,
        slopes.co2_map_by_psurf,
        slopes.bottom_weight_by_psurf,
        slopes.by_h2o,
        co2_ppm,
        share_by_psurf,
    )
    return Terms(gas, by_element)


@njit(cache=True)
def _terms(  # type: ignore[no-untyped-def]
    co2_band, amount, co2_map, shift_map, bottom, by_psurf, map_by_psurf, weight_by_psurf, by_h2o, co2, share
):
    dry = amount[DRY]
    layers, levels, nodes = dry.size, co2_map.shape[1], shift_map.shape[1]
    first = levels if co2_band else 0
    out = np.zeros((first + 2 + nodes, layers, PARTICLES + share.shape[0]))
    gas, psurf, water = np.empty(layers), out[first], out[first + 1 + nodes]
    for l in range(bottom + 1):
        per_dry = O2_FRACTION
        if co2_band:
            per_dry = 1e-6 * np.sum(co2_map[l] * co2)
            for j in range(levels):
                out[j, l, GAS] = 1e-6 * dry[l] * co2_map[l, j]
        gas[l] = dry[l] * per_dry
        psurf[l, GAS], water[l, GAS] = per_dry * by_psurf[DRY, l], per_dry * by_h2o[DRY, l]
        if co2_band:
            psurf[l, GAS] += 1e-6 * dry[l] * np.sum(map_by_psurf[l] * co2)
        for row, slope in ((psurf, by_psurf), (water, by_h2o)):
            row[l, WATER], row[l, KELVIN] = slope[H2O, l], slope[TEMPERATURE, l]
            row[l, SCATTERING], row[l, COLLISIONS] = slope[AIR, l], slope[CIA, l]
        for k in range(nodes):
            out[first + 1 + k, l, KELVIN] = shift_map[l, k]
            out[first + 1 + k, l, COLLISIONS] = -amount[CIA, l] / amount[TEMPERATURE, l] * shift_map[l, k]
        for p in range(share.shape[0]):
            psurf[l, PARTICLES + p] = share[p, l]
    gas[bottom + 1 :] = 0.0
    psurf[bottom, MIXING] = weight_by_psurf
    return gas, out


@njit(cache=True)
def sparse(by_element, slant, bottom, start, row, coefficient):  # type: ignore[no-untyped-def]
    """Fill the entries of the layer terms that absorption.seen_light sums, times the slant factor."""
    elements, layers, _ = by_element.shape
    e = 0
    for c in range(elements):
        start[c] = e
        for kind in (GAS, WATER, KELVIN):
            for l in range(bottom + 1):
                if by_element[c, l, kind] != 0.0:
                    row[e], coefficient[e] = kind * layers + l, slant[l] * by_element[c, l, kind]
                    e += 1
        if by_element[c, bottom, MIXING] != 0.0:
            row[e], coefficient[e] = 3 * layers, slant[bottom] * by_element[c, bottom, MIXING]
            e += 1
    start[elements] = e
