"""Hold what all soundings share in a band, and what one sounding brings to it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import nodes, scattering
from .bands import Band
from .isrf import Expansions
from .nodes import Nodes
from .particles import Optics
from .tables import BandTables


@dataclass(frozen=True)
class BandModel:
    """One band as the forward model takes it; arrays (point) in the number type of the tables."""

    band: Band
    gas: np.ndarray  # (layer, power, point) polynomials
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
    index: np.ndarray,
    kind: type = np.float32,
) -> BandModel:
    """Prepare a band for particles of the named types (none: air alone), its nodes the points `index`."""
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
        nodes=Nodes(
            functions,
            index,
            np.ascontiguousarray(gas[:, :, index]),
            np.ascontiguousarray(h2o[:, :, index]),
            u[index].astype(np.float64),
        ),
    )


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
