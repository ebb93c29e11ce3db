"""Choose the points of a band at which light is computed, and how much of the band each stands for.

A response is smooth: over a short stretch of a band it is a polynomial, and what it weighs comes from a
family of few dimensions, the spectra of all atmospheres. A sum over the stretch that is exact for products of
spectra and polynomials needs no more points than those have dimensions, with weights above 0 (Tchakaloff's
theorem); non-negative least squares finds them.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from processors.constants import AVOGADRO, GRAVITY_EQUATOR, M_DRY, M_H2O, O2_FRACTION

from .bands import LAYER_EDGES_PA, LAYER_MID_PA, Band

STRETCH, DEGREE = 40, 5  # points taken together, little more than a response is wide; of the polynomials
TOLERANCE = 5e-5  # of the brightest light, rms over the family, for each dimension left out
STATES, SEED = 24, 1  # of air in the family
SUNS_M_S = np.linspace(-1000.0, 1000.0, 7)  # how fast the Sun recedes: its lines are part of the spectra
CO2_FRACTION = 400e-6
_HEIGHTS = (3, 6, 10, 16)  # layers down to which light has come
_STEEP = (6.0, 35.0)  # vertical depths more, as of light near the horizon


def choose(
    band: Band, gas: np.ndarray, h2o: np.ndarray, suns: np.ndarray, glow: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the points (index) kept of a band's grid and their weights in steps of the grid.

    gas, h2o  (layer, power, point) of the tables;  suns  (SUNS_M_S, point) irradiance, any unit;
    glow  (any, point) of lines that shine through no air
    """
    spectra = np.array(list(_family(band, gas, h2o, suns / suns.max(), glow)))
    if not np.all(np.isfinite(spectra)):
        raise ValueError(f"{band.name}: spectra to choose points by: expected numbers, got infinity or NaN")
    weight = np.zeros(spectra.shape[1])
    for first in range(0, weight.size, STRETCH):
        stretch = slice(first, min(first + STRETCH, weight.size))
        weight[stretch] = _weights(spectra[:, stretch])
    index = np.flatnonzero(weight)
    return index, weight[index]


def _weights(spectra: np.ndarray) -> np.ndarray:
    """Return weights (point), most of them 0, that sum spectra (any, point) times polynomials as ones do."""
    from scipy.optimize import nnls  # 0.3 s of every start, and needed where tables are built alone

    size = spectra.shape[1]
    u = np.linspace(-1.0, 1.0, size) if size > 1 else np.zeros(1)
    products = np.polynomial.legendre.legvander(u, min(DEGREE, size - 1)).T[:, None] * spectra
    flat = products.reshape(-1, size)
    square, turned = np.linalg.eigh(flat.T @ flat)
    strength = np.sqrt(np.maximum(square, 0.0))
    kept = strength > TOLERANCE * np.sqrt(size * len(spectra))
    exact = (turned[:, kept] * strength[kept]).T
    try:
        weight, left = nnls(exact, exact.sum(axis=1), maxiter=30 * size)
    except RuntimeError:  # no solution found: all points
        return np.ones(size)
    good = left <= TOLERANCE * np.sqrt(size * len(spectra)) and abs(weight.sum() - size) < 0.01 * size
    return np.asarray(weight) if good else np.ones(size)


def _family(
    band: Band, gas: np.ndarray, h2o: np.ndarray, suns: np.ndarray, glow: np.ndarray
) -> Iterator[np.ndarray]:
    """Yield spectra (point): light and its slopes, of random air, under the Sun and alone."""
    yield np.ones(suns.shape[1])
    for lines in glow:
        if lines.max() > 0.0:
            yield lines / lines.max()
    rng = np.random.default_rng(SEED)
    for n in range(STATES):
        for k, light in enumerate(_of_air(band, gas, h2o, rng)):
            yield light * suns[(n + k) % len(suns)]
            if n % 3 == 0:
                yield light


def _of_air(band: Band, gas: np.ndarray, h2o: np.ndarray, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Yield what random air lets through on several ways, and how that changes with what is in the layers."""
    wave = np.sin(np.linspace(0.0, 6.0, LAYER_MID_PA.size) + rng.uniform(0.0, 6.0))
    t = np.clip(rng.uniform(-0.8, 0.8) + 0.4 * rng.standard_normal() * wave, -1.0, 1.0)
    psurf, slant = rng.uniform(55_000.0, 106_000.0), rng.uniform(2.0, 5.5)
    held = np.clip(psurf - LAYER_EDGES_PA[:-1], 0.0, np.diff(LAYER_EDGES_PA))
    air = held / GRAVITY_EQUATOR / M_DRY * AVOGADRO * 1e-4  # cm-2
    humidity = rng.uniform(0.002, 0.018) * (LAYER_MID_PA / 1e5) ** rng.uniform(2.5, 4.0)
    water = humidity * M_DRY / M_H2O * air
    fraction = O2_FRACTION if band.gas == "O2" else CO2_FRACTION * rng.uniform(0.9, 1.1)
    by_gas, by_water = (
        np.einsum(
            "lkn,lk->ln", c, (np.vander(t, c.shape[1], increasing=True) * column[:, None]).astype(c.dtype)
        )
        for c, column in ((gas, fraction * air), (h2o, water))
    )
    down = np.cumsum(by_gas + by_water, axis=0, dtype=np.float64)
    through = np.exp(-slant * down[-1])
    yield through
    for layer in _HEIGHTS:
        yield np.exp(-slant * down[layer])
    for more in _STEEP:
        yield np.exp(-(slant + more) * down[-1])
    for lost in (down[-1], down[3], down[10] - down[3], by_water.sum(axis=0)):
        yield through * slant * np.minimum(lost, 20.0 / slant)
