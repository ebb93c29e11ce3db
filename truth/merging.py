"""Merge neighbouring layers into fewer that scatter nearly the same light."""

import numpy as np

from truth.optics import Medium
from truth.scattering import Geometry

THICK_LAYER_COST = 0.1  # 1, times the squared share of the air; error of merging in test_diffuse.py


def merge(
    medium: Medium, geometry: Geometry, count: int, thickest: float = np.inf
) -> tuple[Geometry, np.ndarray]:
    """Give the geometry with `count` layers, and the matrix (merged, layer) that adds up the others.

    Air alone is merged by equal numbers of layers. With particles, those neighbours go together first that
    mix them with air in the same proportion; layers of more than the thickest depth of particles are cut.
    """
    layers = len(geometry.view)
    if medium.particles is None:
        first = np.arange(0, layers, -(-layers // count))
        cuts = np.ones(len(first), int)
    else:
        first = _alike(medium.particles.scattering, medium.rayleigh[:, 0], count)
        depth = np.add.reduceat(medium.particles.scattering + medium.particles.absorption, first)
        cuts = np.ceil(np.maximum(depth / thickest, 1.0)).astype(int)
    edges = np.append(first, layers)
    cut_edges = np.append(np.repeat(first, cuts) + _fraction(cuts) * np.repeat(np.diff(edges), cuts), layers)
    altitude_m = np.interp(cut_edges, edges, geometry.altitude_m[edges])
    merged = Geometry.at(geometry.sza_deg, geometry.vza_deg, geometry.raa_deg, altitude_m)
    group = np.searchsorted(first, np.arange(layers), side="right") - 1
    share = (group == np.arange(len(first))[:, None]) / cuts[:, None]
    return merged, np.repeat(share, cuts, axis=0).astype(np.float32)


def _fraction(cuts: np.ndarray) -> np.ndarray:
    """Give where within its layer each cut begins: 0 and, of two, 0.5."""
    return np.concatenate([np.arange(n) / n for n in cuts])


def _alike(particles: np.ndarray, air: np.ndarray, count: int) -> np.ndarray:
    """Choose the first layer of each group; the cost of a pair is the scattering that it misplaces."""
    first = list(range(len(air)))
    dust, gas = list(particles), list(air / np.sum(air))
    while len(first) > count:
        costs = [
            abs(p * below_air - below_p * a) / (a + below_air) + THICK_LAYER_COST * (a + below_air) ** 2
            for p, a, below_p, below_air in zip(dust, gas, dust[1:], gas[1:], strict=False)
        ]
        i = int(np.argmin(costs))
        first.pop(i + 1)
        dust[i] += dust.pop(i + 1)
        gas[i] += gas.pop(i + 1)
    return np.array(first)
