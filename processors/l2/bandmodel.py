"""Hold what all soundings share in a band, and what one sounding brings to it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import nodes, scattering
from .atmosphere import (
    AIR,
    CIA,
    H2O,
    H2O_NODES_PA,
    TEMPERATURE,
    Layers,
    Meteo,
    layer_gravity,
    layer_height_m,
    layers,
)
from .bands import LAYER_EDGES_PA, Band
from .isrf import Expansions
from .nodes import Nodes
from .particles import Optics
from .tables import BandTables, coordinate

NODES = {False: 16, True: 48}  # of few and of many functions
REFERENCE_SZA_DEG = 45.0  # of the state at which nodes are chosen
REFERENCE_PPM = 400.0


@dataclass(frozen=True)
class BandModel:
    """One band as the forward model takes it; arrays (point) in the number type of the tables."""

    band: Band
    gas: np.ndarray  # (layer, 4, point) cubics
    h2o: np.ndarray
    cia: np.ndarray  # cm-1 amagat-2
    ray: np.ndarray  # cm2
    coordinate: np.ndarray  # -1 to 1 across the band
    airglow: np.ndarray | None  # (2, point) of 1 MR and its slope, ph s-1 m-2 sr-1 um-1 (K-1), vertical
    fluorescence: np.ndarray | None  # of one unit of the state, at the ground
    optics: tuple[
        np.ndarray, np.ndarray, np.ndarray
    ]  # extinction, albedo, asymmetry (type) of the particles fitted
    nodes: Nodes

    @property
    def points(self) -> int:
        return self.cia.size


@dataclass(frozen=True)
class SoundingBand:
    """What one sounding brings to a band."""

    unit: float  # ph s-1 m-2 um-1, of `sun`
    sun: np.ndarray  # (point) irradiance at the ground
    expansions: Expansions  # of the weights with which its spectels see the points
    continuum: float  # ph s-1 m-2 sr-1 um-1, of the brightest spectels, the unit of the zero level
    reflectance: float  # of the brightest spectels, as without air


def band_model(
    tables: BandTables,
    cia: np.ndarray,
    airglow: np.ndarray | None,
    fluorescence: np.ndarray | None,
    optics: Optics | None,
    types: tuple[str, ...],
    kind: type = np.float32,
) -> BandModel:
    """Prepare a band for particles of the named types (none: air alone)."""
    band = tables.band
    nu, ends = tables.wavenumber_cm1, band.wavenumber_cm1[[0, -1]]
    chosen = [optics.names.index(name) for name in types] if optics is not None else []
    empty = np.empty((0, 1))
    properties = (optics.extinction, optics.albedo, optics.asymmetry) if optics is not None else (empty,) * 3
    many = bool(types) or band.name == "B1"
    gas: np.ndarray = np.ascontiguousarray(tables.gas, kind)
    h2o: np.ndarray = np.ascontiguousarray(tables.h2o, kind)
    ray: np.ndarray = scattering.rayleigh_cross_section(nu).astype(kind)
    u: np.ndarray = (2.0 * (nu - ends[0]) / (ends[1] - ends[0]) - 1.0).astype(kind)
    functions = nodes.FULL if many else nodes.THIN
    return BandModel(
        band=band,
        gas=gas,
        h2o=h2o,
        cia=cia.astype(kind),
        ray=ray,
        coordinate=u,
        airglow=airglow,
        fluorescence=fluorescence,
        optics=(
            properties[0][chosen, band.index],
            properties[1][chosen, band.index],
            properties[2][chosen, band.index],
        ),
        nodes=_nodes(band, gas, h2o, cia.astype(kind), ray, u, functions, NODES[many]),
    )


def _nodes(band, gas, h2o, cia, ray, u, functions, count):  # type: ignore[no-untyped-def]
    """Choose the nodes in a standard atmosphere."""
    kind = gas.dtype.type
    air = _standard_layers()
    amount = air.amount.astype(np.float64)
    per_dry = 0.2095 if band.gas == "O2" else 1e-6 * REFERENCE_PPM
    t, per_kelvin = coordinate(amount[TEMPERATURE])
    slant = 1.0 + 1.0 / np.cos(np.radians(REFERENCE_SZA_DEG))
    column = np.stack([per_dry * amount[0], amount[H2O], per_kelvin, np.full(t.size, slant)])
    values = np.empty((1, len(functions), cia.size), kind)
    evaluate_functions(functions, air.bottom, LAYER_EDGES_PA[air.bottom + 1], gas, h2o,
    column[None].astype(kind),
                       t[None].astype(kind), np.array([[t[air.bottom - 1], 1.0, 1.0]], kind),
                       amount[CIA][None].astype(kind), amount[AIR][None].astype(kind), cia, ray, u,
                       np.array([slant], kind), np.ones((1, cia.size), kind), values)  # fmt: skip
    return nodes.choose(functions, count, values[0], gas, h2o, u)


def evaluate_functions(
    functions, bottom, psurf_pa, gas, h2o, column, t, mix, cia_path, air, cia, ray, u, slant, sun, out
):  # type: ignore[no-untyped-def]
    """Call nodes.evaluate for soundings of the given bottom layers and surface pressures."""
    kind = gas.dtype.type
    bottoms, pressures = np.atleast_1d(bottom), np.atleast_1d(psurf_pa)
    low, high = (nodes.marks(functions[:, c], pressures) for c in (0, 1))
    more, power = functions[:, 2].astype(kind), functions[:, 3].astype(np.int64)
    nodes.evaluate(
        gas, h2o, column, t, mix, bottoms, cia_path, air, cia, ray, u, low, high, more, power,
        nodes.lowered(functions), slant, sun, out,
    )  # fmt: skip


def _standard_layers() -> Layers:
    """Return layers of an atmosphere like the US Standard Atmosphere 1976 with 1.4 cm of water."""
    p = np.geomspace(5.0, LAYER_EDGES_PA[-1], 80)
    nodes_pa = np.array([5.0, 100.0, 2000.0, 22_600.0, 101_325.0, 110_000.0])
    t = np.interp(np.log(p), np.log(nodes_pa), [240.0, 270.0, 217.0, 217.0, 288.0, 292.0])
    height = layer_height_m(p, t, 101_325.0, 0.0)
    air = Meteo(p, t, 0.0085 * (p / 1e5) ** 3, 0.0, height, layer_gravity(height, 45.0))
    return layers(air, float(LAYER_EDGES_PA[-2]), np.zeros(6), np.ones(H2O_NODES_PA.size))
