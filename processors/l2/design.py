"""Choose the nodes of a band: the points at which light is scattered, to be carried from there to all others.

The functions of `nodes` span scattered light far better than a fit at a few points can tell: the part of the
light that they miss at those points goes into the coefficients, and so into all points. In a few airs that
part is known at many points; nodes are exchanged until it does least. Of points that tell the functions
apart best (pivoted QR), twice as many err more.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from . import atmosphere, nodes, state, surface
from .bandmodel import BandModel, SoundingBand
from .bands import BANDS, LAYER_EDGES_PA
from .forward import ForwardModel, Setup, Viewing
from .state import Options
from .tables import save

COUNT = {False: 16, True: 48}  # nodes of few and of many functions
STEP = 5  # every so many points are candidates
ROUNDS = 12  # of exchange at most
NEGLIGIBLE = 1e-5  # of the largest: combinations of functions that no fit in single precision tells
ALMOST_NONE = 1e-10  # of a sum over the nodes, so that an inverse can be had
UNFORESEEN = 0.3  # of what the functions miss: light at a node that no training holds


class Air(NamedTuple):
    """Geometry, surface and particles of a training; without reflectance glint."""

    sza_deg: float
    vza_deg: float
    raa_deg: float
    reflectance: float | None
    psurf_hpa: float
    depth: np.ndarray  # of the types of state.PARTICLES, where a state has them
    height: np.ndarray  # off the prior, in its sigma


def _airs() -> list[Air]:
    """Draw the airs of the training; always the same."""
    rng, airs = np.random.default_rng(1), []
    for n in range(20):
        sza, psurf, glint = rng.uniform(18.0, 79.0), rng.uniform(850.0, 1030.0), n % 2 == 1
        vza, raa, reflectance = rng.uniform(0.0, 20.0), rng.uniform(0.0, 180.0), rng.uniform(0.04, 0.5)
        depth, height = rng.uniform(0.0, [0.2, 0.2, 0.05]), rng.uniform(-1.0, 1.0, 3)
        if glint:
            airs.append(Air(sza, sza, 180.0, None, psurf, depth, height))
        else:
            airs.append(Air(sza, vza, raa, reflectance, psurf, depth, height))
    return airs


AIRS = _airs()
_KNOWN: dict[str, np.ndarray] = {}  # choices of this program


def candidates(points: int) -> np.ndarray:
    """Return the points (index) of a band at which its nodes may lie."""
    return np.arange(STEP // 2, points, STEP)


def kept(model: BandModel, options: Options, folder: Path | None) -> np.ndarray:
    """Return the chosen nodes (index) of a band whose nodes are its candidates; kept in a folder, if one is
    given, by the hash of all that they hang on."""
    sha = hashlib.sha256(repr(options.particles).encode())
    for module in sorted(Path(__file__).parent.glob("*.py")):
        sha.update(module.read_bytes())
    for array in (model.gas, model.h2o, model.cia, *model.optics):
        sha.update(np.ascontiguousarray(array).tobytes())
    key = sha.hexdigest()[:16]
    if key not in _KNOWN:
        path = folder / f"nodes-{model.band.name}-{key}.npy" if folder else None
        found = _read(path) if path else None
        _KNOWN[key] = choose(model, options) if found is None else found
        if path and found is None:
            with contextlib.suppress(OSError):  # a folder that is read only costs seconds, no more
                save(path, _KNOWN[key])
    return _KNOWN[key]


def _read(path: Path) -> np.ndarray | None:
    try:
        return np.asarray(np.load(path))
    except (OSError, ValueError, EOFError):
        return None


def choose(model: BandModel, options: Options) -> np.ndarray:
    """Return the points (index) to scatter light at, out of the nodes of a model that are the candidates."""
    of_land, of_glint = (
        _trained(model, options, [air for air in AIRS if (air.reflectance is None) is glint])
        for glint in (False, True)
    )
    count = COUNT[model.nodes.functions is nodes.FULL]
    return np.sort(model.nodes.index[exchange(of_land + of_glint, count)])


def _trained(model: BandModel, options: Options, airs: Sequence[Air]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the functions (function, candidate) and the light (candidate) of some airs of one kind."""
    own = replace(options, bands=(model.band.index,), brdf=True, isrf_width=(), zero_level=())
    setups = [_setup(model, own, air) for air in airs]
    forward_model = ForwardModel(setups, [model], own)
    states = [s.state.x_a.copy() for s in setups]
    if own.particles:
        for x, air in zip(states, airs, strict=True):
            count, sv = len(own.particles), setups[0].state
            x[sv["depth"]] = np.resize(air.depth, count)
            x[sv["height"]] += np.resize(air.height, count) * sv.sigma[sv["height"]]
    light = forward_model.at_nodes(range(len(airs)), states)[0]
    return list(zip(forward_model.functions_at_nodes(0), light, strict=True))


def _setup(model: BandModel, options: Options, air: Air) -> Setup:
    """Set up a sounding over the standard atmosphere with 1.4 cm of water; its Sun is 1 everywhere."""
    p = np.geomspace(5.0, LAYER_EDGES_PA[-1], 80)
    edges_pa = np.array([5.0, 100.0, 2000.0, 22_600.0, 101_325.0, 110_000.0])
    forecast = {
        "surface_pressure": 100.0 * air.psurf_hpa,
        "surface_altitude": 0.0,
        "pressure": p,
        "temperature": np.interp(np.log(p), np.log(edges_pa), [240.0, 270.0, 217.0, 217.0, 288.0, 292.0]),
        "specific_humidity": 0.0085 * (p / 1e5) ** 3,
        "brdf_volumetric": surface.TYPICAL[0],
        "brdf_geometric": surface.TYPICAL[1],
    }
    glint = air.reflectance is None
    continuum = np.full(len(BANDS), np.nan if air.reflectance is None else air.reflectance)
    co2 = np.full(atmosphere.SIGMA.size, 400.0)
    own = state.build(co2, air.psurf_hpa, 7.0, glint, continuum, options)
    viewing = Viewing(air.sza_deg, air.vza_deg, air.raa_deg, 0.0, glint)
    sun = np.ones(model.points, model.gas.dtype)
    band = SoundingBand(1.0, sun, None, 1.0, 1.0)  # type: ignore[arg-type]  # no spectel looks
    return Setup(own, atmosphere.meteo(forecast, 45.0), viewing, [band])


def exchange(trained: Sequence[tuple[np.ndarray, np.ndarray]], count: int) -> np.ndarray:
    """Return the candidates (index) at which a fit of functions errs least by what they miss of the light.

    trained  functions (function, candidate) and light (candidate) of some airs. With an orthonormal basis Q
    of the functions (candidate, rank) and d, what they miss, over its rms, a fit at the nodes S errs by
    c = (Q_S^T Q_S)^-1 Q_S^T d_S. The sum of |c|^2 over the airs, and of the trace of the inverse times
    UNFORESEEN^2, falls as nodes are replaced one by one.
    """
    airs = [_misfit(functions, light) for functions, light in trained]
    order = np.argsort(trained[0][1], kind="stable")
    chosen = order[((np.arange(count) + 0.5) * order.size / count).astype(int)].tolist()
    least = np.inf
    for _ in range(ROUNDS):
        before = least
        for n in range(count):
            others = chosen[:n] + chosen[n + 1 :]
            cost = np.sum([_with_one_more(Q, d, others) for Q, d in airs], axis=0)
            cost[others] = np.inf
            best = int(cost.argmin())
            if cost[best] < least * (1.0 - 1e-9):
                least, chosen[n] = float(cost[best]), best
        if least == before:
            break
    return np.array(chosen)


def _misfit(functions: np.ndarray, light: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the basis of the functions (candidate, rank) and what it misses of the light (candidate), both
    of mean square 1: else the lowest Sun, where most is missed, had the only say."""
    U, s, _ = np.linalg.svd(functions.T.astype(np.float64), full_matrices=False)
    Q = np.ascontiguousarray(U[:, s > NEGLIGIBLE * s[0]]) * np.sqrt(len(U))
    d = light.astype(np.float64)
    d = d - Q @ (Q.T @ d) / len(U)
    return Q, d / np.sqrt(np.mean(d**2))


def _with_one_more(Q: np.ndarray, d: np.ndarray, others: list[int]) -> np.ndarray:
    """Return the cost of one air with each candidate (candidate) beside other nodes (Sherman-Morrison)."""
    own = Q[others]
    inverse = np.linalg.inv(own.T @ own + ALMOST_NONE * np.eye(own.shape[1]))
    c, toward = inverse @ (own.T @ d[others]), Q @ inverse
    leverage = 1.0 + (toward * Q).sum(axis=1)
    error, length = (d - Q @ c) / leverage, (toward**2).sum(axis=1)
    return np.asarray(
        c @ c
        + 2.0 * (toward @ c) * error
        + length * error**2
        + UNFORESEEN**2 * (np.trace(inverse) - length / leverage)
    )
