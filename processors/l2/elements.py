"""Turn a state into the depths of gas and particles in the layers, and say how each element changes them."""

from __future__ import annotations

import numpy as np
from numba import njit

from processors.constants import O2_FRACTION

from .atmosphere import AIR, CIA, DRY, H2O, TEMPERATURE, Layers, Slopes

# What light in a layer hangs on, columns of Terms.by_element before those of the particle types
GAS, WATER, KELVIN, MIXING, SCATTERING, COLLISIONS, PARTICLES = range(7)


@njit(cache=True)
def absorber(co2_band, amount, co2_map, bottom, co2):  # type: ignore[no-untyped-def]
    """Return the column of the gas a band measures in each layer (layer), cm-2; co2 (level) in ppm."""
    gas = np.zeros(amount.shape[1])
    for l in range(bottom + 1):
        gas[l] = amount[DRY, l] * (1e-6 * np.sum(co2_map[l] * co2) if co2_band else O2_FRACTION)
    return gas


def terms(
    co2_band: bool, layers: Layers, slopes: Slopes, co2_ppm: np.ndarray, share_by_psurf: np.ndarray
) -> np.ndarray:
    """Return the derivatives (element, layer, PARTICLES + type) of a band's layers by CO2 (where measured),
    psurf, temperature shifts and factors of humidity.

    share_by_psurf  (type, layer) slope of the particles' optical depth at 0.755 um by psurf, hPa-1
    """
    out: np.ndarray = _terms(
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
    return out


@njit(cache=True)
def _terms(  # type: ignore[no-untyped-def]
    co2_band, amount, co2_map, shift_map, bottom, by_psurf, map_by_psurf, weight_by_psurf, by_h2o, co2, share
):
    dry = amount[DRY]
    layers, levels, nodes, waters = dry.size, co2_map.shape[1], shift_map.shape[1], by_h2o.shape[0]
    first = levels if co2_band else 0
    out = np.zeros((first + 1 + nodes + waters, layers, PARTICLES + share.shape[0]))
    psurf = out[first]
    for l in range(bottom + 1):
        per_dry = O2_FRACTION
        if co2_band:
            per_dry = 1e-6 * np.sum(co2_map[l] * co2)
            for j in range(levels):
                out[j, l, GAS] = 1e-6 * dry[l] * co2_map[l, j]
        for w in range(1 + waters):
            row, slope = (psurf, by_psurf) if w == 0 else (out[first + nodes + w], by_h2o[w - 1])
            row[l, GAS], row[l, WATER], row[l, KELVIN] = (
                per_dry * slope[DRY, l],
                slope[H2O, l],
                slope[TEMPERATURE, l],
            )
            row[l, SCATTERING], row[l, COLLISIONS] = slope[AIR, l], slope[CIA, l]
        if co2_band:
            psurf[l, GAS] += 1e-6 * dry[l] * np.sum(map_by_psurf[l] * co2)
        for k in range(nodes):
            out[first + 1 + k, l, KELVIN] = shift_map[l, k]
            out[first + 1 + k, l, COLLISIONS] = -amount[CIA, l] / amount[TEMPERATURE, l] * shift_map[l, k]
        for p in range(share.shape[0]):
            psurf[l, PARTICLES + p] = share[p, l]
    psurf[bottom, MIXING] = weight_by_psurf
    return out


@njit(cache=True)
def sparse(by_element, slant, bottom, start, row, coefficient):  # type: ignore[no-untyped-def]
    """Fill the entries of the layer terms that absorption.seen_light sums, times the slant factor.

    by_element (sounding, element, layer, term), slant (sounding, layer), bottom (sounding,)
    """
    soundings, elements, layers, _ = by_element.shape
    for s in range(soundings):
        e, last = 0, bottom[s]
        for c in range(elements):
            start[s, c], own = e, by_element[s, c]
            for kind in (GAS, WATER, KELVIN):
                for l in range(last + 1):
                    if own[l, kind] != 0.0:
                        row[s, e], coefficient[s, e] = kind * layers + l, slant[s, l] * own[l, kind]
                        e += 1
            if own[last, MIXING] != 0.0:
                row[s, e], coefficient[s, e] = 3 * layers, slant[s, last] * own[last, MIXING]
                e += 1
        start[s, elements] = e


@njit(cache=True)
def slant_sums(by_element, by_particle, slant, extinction, out):  # type: ignore[no-untyped-def]
    """Fill out (sounding, 3, element then particle): slopes of the slant sums of particles, air, collisions.

    by_particle (sounding, element, type, layer), extinction (sounding, type) as it counts for direct light
    """
    elements, types = by_element.shape[1], extinction.shape[1]
    for s in range(slant.shape[0]):
        for l in range(slant.shape[1]):
            for c in range(elements):
                own = by_element[s, c, l]
                for p in range(types):
                    out[s, 0, c] += slant[s, l] * extinction[s, p] * own[PARTICLES + p]
                out[s, 1, c] += slant[s, l] * own[SCATTERING]
                out[s, 2, c] += slant[s, l] * own[COLLISIONS]
            for c in range(by_particle.shape[1]):
                for p in range(types):
                    out[s, 0, elements + c] += slant[s, l] * extinction[s, p] * by_particle[s, c, p, l]
