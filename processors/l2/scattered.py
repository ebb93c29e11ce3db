"""Give the scattered light of a batch of soundings in one band as a sum of functions, the airglow beside
them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from . import diffuse
from .bandmodel import BandModel, evaluate_functions
from .diffuse import Directions
from .nodes import RCOND
from .scattering import MU, WEIGHT


@dataclass(frozen=True)
class BandLayers:
    """Layers of some soundings in the bands of one gas, as the kernels take them; (sounding, ...)."""

    by_element: np.ndarray  # (sounding, element, layer, term)
    column: np.ndarray
    t: np.ndarray
    mix: np.ndarray
    bottom: np.ndarray
    cia_path: np.ndarray
    air: np.ndarray


@dataclass(frozen=True)
class BatchParticles:
    """Particles of some soundings; (sounding, ...)."""

    total: np.ndarray  # (sounding, type) optical depth at 0.755 um
    depth: np.ndarray  # (sounding, type, layer)
    by_own: np.ndarray  # (sounding, depths then heights, type, layer)


class ScatteredLight:
    """Light of one band that is a sum of fixed functions: scattered light, and the airglow over it."""

    def __init__(self, model: BandModel, layers: BandLayers, psurf_pa: np.ndarray, slant: np.ndarray, sun:
    np.ndarray,
                 glow: np.ndarray, toward: Sequence[Directions]) -> None:  # fmt: skip
        """Fix the functions at first states: layers, surface pressure and slant factor (sounding,) there.

        sun  (sounding, point);  glow  (sounding, 0 or 2, point)
        """
        self.model, self._kind = model, model.gas.dtype.type
        self.count = len(model.nodes.functions)
        node, soundings = model.nodes, len(toward)
        # (sounding, function, point); the airglow comes after the scattered light
        self.functions = np.empty((soundings, self.count + glow.shape[1], model.points), self._kind)
        self.functions[:, self.count :] = glow
        everywhere = (model.gas, model.h2o, model.cia, model.ray, model.coordinate, sun, self.functions)
        at_nodes = np.empty((soundings, self.count, node.index.size), self._kind)
        u, ones = node.coordinate.astype(self._kind), np.ones((soundings, node.index.size), self._kind)
        there = (node.gas, node.h2o, model.cia[node.index], model.ray[node.index], u, ones, at_nodes)
        for gas, h2o, cia, ray, at, light, out in (everywhere, there):
            evaluate_functions(
                node.functions, layers.bottom, psurf_pa, gas, h2o, layers.column, layers.t, layers.mix,
                layers.cia_path,
                layers.air, cia, ray, at, slant, light, out,
            )  # fmt: skip
        self._inverse = np.linalg.pinv(np.swapaxes(at_nodes, 1, 2).astype(np.float64), rcond=RCOND)
        moments, scalars = diffuse.species(*model.optics, np.array([t.cos_scattering for t in toward]))
        moments = moments if model.optics[0].size else moments[:, :3]
        self.extinction: np.ndarray = scalars[0, 1:, 0]  # (type) delta-M scaled, per depth at 0.755 um
        self._species = np.ascontiguousarray(moments, self._kind), scalars.astype(self._kind)
        streams = np.array([MU, WEIGHT], self._kind)
        self._toward = diffuse.LEGS.astype(self._kind), streams, *diffuse.stacked(toward, self._kind)
        self._shaped = int(toward[0].by_shape.shape[0] > 0)
        self._shape = np.stack([np.ones_like(u), u, u**2 - 1.0 / 3.0])

    def at_nodes(
        self, members: np.ndarray, layers: BandLayers, slant_view: np.ndarray, polynomial: np.ndarray,
        shape: np.ndarray, particles: BatchParticles, slopes: bool,
    ) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
        """Return coefficients (row, function) of the scattered light, and, if `slopes`, their derivatives
        (row, function, element then particle then surface then shape, where it is fitted).

        members  (row,) of the batch. Below a depth of 0 the light is mirrored: L(d) = 2 L(d where above 0,
        else 0) - L(|d|), smooth and with exact derivatives.
        """
        kind, node, model = self._kind, self.model.nodes, self.model
        below = particles.total < 0.0
        mirrored = np.flatnonzero(below.any(axis=1))
        rows = np.concatenate([np.arange(members.size), mirrored])
        weight: np.ndarray = np.where(np.isin(rows, mirrored), 2.0, 1.0)
        factor: np.ndarray = np.where(below[rows], 0.0, 1.0)
        weight[members.size :], factor[members.size :] = -1.0, np.where(below[mirrored], -1.0, 1.0)
        light = np.zeros((members.size, node.index.size), kind)
        columns = layers.by_element.shape[1] + particles.by_own.shape[1] + 3 + self._shaped
        by_all = np.zeros((members.size, columns if slopes else 0, node.index.size), kind)
        albedo = (polynomial[:, :, None] * self._shape).sum(axis=1)
        diffuse.node_light(  # type: ignore[call-arg]
            rows, members[rows], weight.astype(kind), factor.astype(kind), node.gas, node.h2o, layers.column,
            layers.t, layers.mix, layers.bottom, layers.cia_path, layers.air, particles.depth.astype(kind),
            model.cia[node.index], model.ray[node.index], *self._species, *self._toward,
            slant_view.astype(kind), albedo.astype(kind), shape.astype(kind),
            diffuse.ORDERS[particles.total.shape[1] > 0], layers.by_element.astype(kind),
            particles.by_own.astype(kind), self._shape, slopes, light, by_all,
        )  # fmt: skip
        inverse = self._inverse[members]
        return (inverse @ light[:, :, None])[:, :, 0], inverse @ np.swapaxes(by_all, 1, 2)
