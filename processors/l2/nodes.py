"""Carry light computed at a few points of a band to all of them, as a sum of transmittances along typical
ways.

Scattered light is a mixture of exponentials of the optical depths along its ways. Functions of that kind,
taken
at one state of a sounding and then kept, span it: light (point) = sum of function (point) * coefficient, with
coefficients from a least-squares fit at the nodes. What is linear in the light is so in its derivatives.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .absorption import add_layer
from .bands import LAYER_EDGES_PA
from .compiled import exp_minus, inner, kernel

RCOND = 1e-4  # of the fit: weaker combinations of functions are rounding errors of single precision
_GROUND = 1.0
BLOCK = 256

# Each function: depth from the top to `low` along the slant path of Sun and view, plus `more` times the
# vertical
# depth from `high` to `low` (all heights in p/p_s), times u**power across the band.
_BY_HEIGHT = [(low, 0.0, 0.0, 0) for low in (0.005, 0.03, 0.1, 0.25, 0.45, 0.75, _GROUND)]
# ways between ground and a height; the steep ones stand for light near the horizon (tau ln tau of a thin
# layer)
_BY_THE_GROUND = [(_GROUND, 0.0, more, 0) for more in (0.7, 2.5, 9.0, 35.0)] + [
    (_GROUND, 0.25, 0.5, 0), (_GROUND, 0.25, 1.5, 0), (_GROUND, 0.25, 4.0, 0), (_GROUND, 0.6, 2.0, 0),
    (_GROUND, 0.5, 12.0, 0),
]  # fmt: skip
_ALOFT = [
    (0.05, 0.0, 2.0, 0),
    (0.2, 0.0, 2.0, 0),
    (0.5, 0.0, 2.0, 0),
    (0.3, 0.0, 10.0, 0),
    (0.7, 0.0, 10.0, 0),
]
_COLOUR = [
    (0.15, 0.0, 0.0, 1), (0.6, 0.0, 0.0, 1), (_GROUND, 0.0, 0.0, 1), (_GROUND, 0.0, 3.0, 1), (_GROUND, 0.4,
    3.0, 1),
    (_GROUND, 0.0, 0.0, 2), (_GROUND, 0.4, 3.0, 2),
]  # fmt: skip
FULL = np.array(_BY_HEIGHT + _BY_THE_GROUND + _ALOFT + _COLOUR)
# Air alone scatters little beyond the O2 A band: fewer functions hold it
THIN = np.array(
    [(low, 0.0, 0.0, 0) for low in (0.05, 0.25, 0.6, _GROUND)]
    + [(_GROUND, 0.0, more, 0) for more in (1.5, 6.0, 30.0)]
    + [
        (_GROUND, 0.4, 2.0, 0),
        (0.3, 0.0, 0.0, 1),
        (_GROUND, 0.0, 0.0, 1),
        (_GROUND, 0.0, 2.0, 1),
        (_GROUND, 0.0, 0.0, 2),
    ]
)


@dataclass(frozen=True)
class Nodes:
    """Points of a band at which light is scattered, and the functions (function, 4) that carry it on."""

    functions: np.ndarray
    index: np.ndarray  # (node,)
    gas: np.ndarray  # (layer, power, node) of the tables there
    h2o: np.ndarray
    coordinate: np.ndarray  # (node,) -1 to 1 across the band


def marks(height: np.ndarray, psurf_pa: np.ndarray) -> np.ndarray:
    """Return (sounding, height) the layer edges (index) nearest to heights in p/p_s for surface pressures
    (sounding,); the ground is the end of the bottom layer."""
    ground = np.searchsorted(LAYER_EDGES_PA, psurf_pa)[:, None]
    middle = 0.5 * (LAYER_EDGES_PA[1:] + LAYER_EDGES_PA[:-1])
    nearest = np.minimum(np.searchsorted(middle, psurf_pa[:, None] * height), ground - 1)
    return np.where(height >= _GROUND, ground, nearest)


def lowered(functions: np.ndarray) -> np.ndarray:
    """Return the earlier function (index) that each is u times of, -1 where there is none."""
    rows = [tuple(row) for row in functions.tolist()]
    less = [(*row[:3], row[3] - 1.0) for row in rows]
    return np.array([rows.index(row) if row in rows[:n] else -1 for n, row in enumerate(less)])


@inner
def _depths(gas, h2o, column, t, mix, bottom, cia_path, air, cia, ray, lo, n, depth):  # type: ignore[no-untyped-def]
    """Fill depth (sounding, edge, point), vertical from the top; a layer's table serves all soundings in
    turn."""
    cia_here, ray_here, one = cia[lo : lo + n], ray[lo : lo + n], ray.dtype.type(1.0)
    for l in range(gas.shape[0]):
        for s in range(depth.shape[0]):
            if l > bottom[s]:
                continue
            before, after, c, a = depth[s, l], depth[s, l + 1], cia_path[s, l], air[s, l]
            for j in range(n):
                after[j] = before[j] + (c * cia_here[j] + a * ray_here[j])
            add_layer(gas, h2o, s, l, column, t, bottom, mix, lo, n, one, after)


@kernel
def evaluate(  # type: ignore[no-untyped-def]
    gas, h2o, column, t, mix, bottom,  # of all soundings, as absorption.seen_light takes them
    cia_path, air,  # (sounding, layer)
    cia, ray, coordinate,  # (point)
    low, high, more, power, less,  # (sounding, function) edges; (function) of `functions`, of `lowered`
    slant, sun,  # (sounding,), (sounding, point)
    out,  # (sounding, function or more, point)
):  # fmt: skip
    """Fill the functions times sunlight for air and gases alone."""
    depth = np.zeros((t.shape[0], gas.shape[0] + 1, BLOCK), cia.dtype)
    for lo in range(0, cia.size, BLOCK):
        n = min(BLOCK, cia.size - lo)
        _depths(gas, h2o, column, t, mix, bottom, cia_path, air, cia, ray, lo, n, depth)
        u = coordinate[lo : lo + n]
        for s in range(t.shape[0]):
            sun_here, above = sun[s, lo : lo + n], depth[s]
            for f in range(more.size):
                a, b, m, k = above[low[s, f]], above[high[s, f]], more[f], slant[s]
                turns, target = power[f], out[s, f, lo : lo + n]
                if less[f] >= 0:
                    known = out[s, less[f], lo : lo + n]
                    for j in range(n):
                        target[j] = known[j] * u[j]
                    continue
                for j in range(n):
                    value = sun_here[j] * exp_minus(k * a[j] + m * (a[j] - b[j]))
                    target[j] = value
                for _ in range(turns):
                    for j in range(n):
                        target[j] *= u[j]
