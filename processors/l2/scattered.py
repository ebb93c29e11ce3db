"""Carry the scattered light and the airglow of a batch of soundings in one band to its spectels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from . import diffuse
from .bandmodel import BandModel, evaluate_functions
from .diffuse import Directions
from .elements import PARTICLES
from .isrf import Expansion, Near, look
from .nodes import RCOND

WEIGHT, BY_NM, BY_STRETCH = 0, 1, 3  # terms of an expansion that are looked through


@dataclass(frozen=True)
class BandLayers:
    """Layers of some soundings in one band, as the kernels take them; (sounding, ...)."""

    by_element: list[np.ndarray]  # (element, layer, term)
    column: np.ndarray
    t: np.ndarray
    mix: np.ndarray
    bottom: np.ndarray
    cia_path: np.ndarray
    air: np.ndarray


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
        self._functions = np.empty((soundings, self.count + glow.shape[1], model.points), self._kind)
        self._functions[:, self.count :] = glow
        everywhere = (model.gas, model.h2o, model.cia, model.ray, model.coordinate, sun, self._functions)
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
        self._species = [diffuse.species(*model.optics, t) for t in toward]
        self._toward, self._cast = toward, [t.cast(self._kind) for t in toward]
        self._shape = np.stack([np.ones_like(u), u, u**2 - 1.0 / 3.0])
        self._seen: dict[int, tuple[Expansion, np.ndarray]] = {}

    @property
    def extinction(self) -> np.ndarray:
        """Delta-M scaled extinction (type) per optical depth at 0.755 um."""
        return np.asarray(self._species[0][1][1:, 0])

    def at_nodes(
        self, n: int, member: int, layers: BandLayers, slant_view: np.ndarray, polynomial: np.ndarray,
        total: np.ndarray, depth: np.ndarray, by_own: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
        """Return coefficients (function) of the scattered light, and their derivatives (function, element
        ...).

        n  row of the layers, member  of the batch; total (type), depth (type, layer) and by_own of
        particles. Below a
        depth of 0 the light is mirrored: 2 L(0) - L(-depth), smooth and with exact derivatives.
        """
        by_element = layers.by_element[n]
        if not np.any(total < 0.0):
            light, by_all = self._light(n, member, layers, slant_view, polynomial, depth, by_element, by_own)
        else:  # L(d) = 2 L(d where above 0, else 0) - L(|d|)
            lights = []
            for factor in (np.where(total < 0.0, 0.0, 1.0), np.where(total < 0.0, -1.0, 1.0)):
                moved = by_element.copy()
                moved[:, :, PARTICLES:] *= factor
                arrays = (depth * factor[:, None], moved, by_own * np.tile(factor, 2)[:, None, None])
                lights.append(self._light(n, member, layers, slant_view, polynomial, *arrays))
            light, by_all = (2.0 * above - image for above, image in zip(*lights, strict=True))
        return self._inverse[member] @ light, self._inverse[member] @ by_all.T

    def _light(self, n, member, layers, slant_view, polynomial, depth, by_element, by_own):  # type: ignore[no-untyped-def]
        """Return light (node) and its derivatives (element ..., node) for depths of particles not below 0."""
        kind, node, model = self._kind, self.model.nodes, self.model
        moments, scalars = (a.astype(kind) for a in self._species[member])
        particulate = depth.shape[0] > 0
        return diffuse.node_light(
            node.gas, node.h2o, n, layers.column, layers.t, layers.mix, layers.bottom[n], layers.cia_path[n],
            layers.air[n], depth.astype(kind), model.cia[node.index], model.ray[node.index],
            moments if particulate else np.ascontiguousarray(moments[:, :3]), scalars, self._cast[member],
            kind(self._toward[member].mu0),
            slant_view.astype(kind), (polynomial.astype(kind) @ self._shape), diffuse.ORDERS[particulate],
            by_element.astype(kind), by_own.astype(kind), self._shape,
        )  # fmt: skip

    def through(self, member: int, near: Near, wide: bool) -> np.ndarray:
        """Return what the spectels see of the functions (spectel, function); looks at the width only if
        `wide`."""
        kept = self._seen.get(member)
        if kept is None or kept[0] is not near.expansion:
            orders = (WEIGHT, BY_NM, BY_STRETCH) if wide else (WEIGHT, BY_NM)
            out = np.zeros((len(orders), near.shift_nm.size, self._functions.shape[1]), self._kind)
            e = near.expansion
            look(self._functions[member], e.terms, e.first, e.count, np.array(orders), out)
            kept = self._seen[member] = (near.expansion, out)
        seen = kept[1][0] + near.shift_nm[:, None] * kept[1][1]
        if wide:
            seen += self._kind(near.widen) * kept[1][2]
        return np.asarray(seen / near.total[:, None].astype(self._kind))

    def slopes(self, member: int) -> np.ndarray:
        """Return the sums of the functions weighted by the slopes of the weights (by wavelength, width;
        spectel, function)."""
        return self._seen[member][1][1:]
