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


def alike(models: Sequence[BandModel]) -> list[list[int]]:
    """Return the bands (index) that share an absorber and the optics of their particles, by group."""
    groups: dict[tuple[str, ...], list[int]] = {}
    for b, model in enumerate(models):
        groups.setdefault((model.band.gas, *(str(values.tolist()) for values in model.optics)), []).append(b)
    return list(groups.values())


class NodeLight:
    """Scattered light at the nodes of bands that are `alike`, worked out together: nodes of one band alone
    are few for loops over them."""

    def __init__(self, models: Sequence[BandModel], toward: Sequence[Directions]) -> None:
        kind, nodes = models[0].gas.dtype.type, [model.nodes for model in models]
        self._kind, self._sizes = kind, [node.index.size for node in nodes]
        self._ends = np.cumsum(self._sizes)[:-1]
        self._tables = tuple(np.concatenate([getattr(n, name) for n in nodes], 2) for name in ("gas", "h2o"))
        self._smooth = tuple(
            np.concatenate([getattr(m, name)[m.nodes.index] for m in models]) for name in ("cia", "ray")
        )
        u = np.concatenate([node.coordinate for node in nodes]).astype(kind)
        self._surface = np.stack([np.ones_like(u), u, u**2 - 1.0 / 3.0])
        optics = models[0].optics
        moments, scalars = diffuse.species(*optics, np.array([t.cos_scattering for t in toward]))
        moments = moments if optics[0].size else moments[:, :3]
        self.extinction: np.ndarray = scalars[0, 1:, 0]  # (type) delta-M scaled, per depth at 0.755 um
        self._species = np.ascontiguousarray(moments, kind), scalars.astype(kind)
        streams = np.array([MU, WEIGHT], kind)
        self._toward = diffuse.LEGS.astype(kind), streams, *diffuse.stacked(toward, kind)
        self._shaped = int(toward[0].by_shape.shape[0] > 0)

    def __call__(
        self, members: np.ndarray, layers: BandLayers, slant_view: np.ndarray, polynomials: np.ndarray,
        shape: np.ndarray, particles: BatchParticles, slopes: bool,
    ) -> list[tuple[np.ndarray, np.ndarray]]:  # fmt: skip
        """Return a band's light over irradiance (row, node), and, if `slopes`, its derivatives (row, node,
        element then particle then surface then shape, where it is fitted).

        members  (row,) of the batch;  polynomials  (row, band, power) of the surface
        Below a depth of 0 the light is mirrored: L(d) = 2 L(d where above 0, else 0) - L(|d|), smooth and
        with exact derivatives.
        """
        kind = self._kind
        below = particles.total < 0.0
        mirrored = np.flatnonzero(below.any(axis=1))
        rows = np.concatenate([np.arange(members.size), mirrored])
        weight: np.ndarray = np.where(np.isin(rows, mirrored), 2.0, 1.0)
        factor: np.ndarray = np.where(below[rows], 0.0, 1.0)
        weight[members.size :], factor[members.size :] = -1.0, np.where(below[mirrored], -1.0, 1.0)
        light = np.zeros((members.size, sum(self._sizes)), kind)
        columns = layers.by_element.shape[1] + particles.by_own.shape[1] + 3 + self._shaped
        by_all = np.zeros((members.size, columns if slopes else 0, light.shape[1]), kind)
        albedo = (np.repeat(polynomials, self._sizes, axis=1) * self._surface.T).sum(axis=2)
        diffuse.node_light(  # type: ignore[call-arg]
            rows, members[rows], weight.astype(kind), factor.astype(kind), *self._tables, layers.column,
            layers.t, layers.mix, layers.bottom, layers.cia_path, layers.air, particles.depth.astype(kind),
            *self._smooth, *self._species, *self._toward,
            slant_view.astype(kind), albedo.astype(kind), shape.astype(kind),
            diffuse.ORDERS[particles.total.shape[1] > 0], layers.by_element.astype(kind),
            particles.by_own.astype(kind), self._surface, slopes, light, by_all,
        )  # fmt: skip
        slopes_of = np.split(np.swapaxes(by_all, 1, 2), self._ends, axis=1)
        return list(zip(np.split(light, self._ends, axis=1), slopes_of, strict=True))


class ScatteredLight:
    """Light of one band that is a sum of fixed functions: scattered light, and the airglow over it."""

    def __init__(self, model: BandModel, layers: BandLayers, psurf_pa: np.ndarray, slant: np.ndarray, sun:
    np.ndarray,
                 glow: np.ndarray) -> None:  # fmt: skip
        """Fix the functions at first states: layers, surface pressure and slant factor (sounding,) there.

        sun  (sounding, point);  glow  (sounding, 0 or 2, point)
        """
        kind, node, soundings = model.gas.dtype.type, model.nodes, slant.size
        self.count = len(node.functions)
        # (sounding, function, point); the airglow comes after the scattered light
        self.functions = np.empty((soundings, self.count + glow.shape[1], model.points), kind)
        self.functions[:, self.count :] = glow
        everywhere = (model.gas, model.h2o, model.cia, model.ray, model.coordinate, sun, self.functions)
        at_nodes = self.at_nodes = np.empty((soundings, self.count, node.index.size), kind)
        u, ones = node.coordinate.astype(kind), np.ones((soundings, node.index.size), kind)
        there = (node.gas, node.h2o, model.cia[node.index], model.ray[node.index], u, ones, at_nodes)
        for gas, h2o, cia, ray, at, light, out in (everywhere, there):
            evaluate_functions(
                node.functions, layers.bottom, psurf_pa, gas, h2o, layers.column, layers.t, layers.mix,
                layers.cia_path,
                layers.air, cia, ray, at, slant, light, out,
            )  # fmt: skip
        self._inverse = _inverse(at_nodes.astype(np.float64))

    def coefficients(
        self, members: np.ndarray, light: np.ndarray, by_all: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return what NodeLight says of some soundings as coefficients (row, function, ...) of functions."""
        inverse = self._inverse[members]
        return (inverse @ light[:, :, None])[:, :, 0], inverse @ by_all


def _inverse(functions: np.ndarray) -> np.ndarray:
    """Return what fits functions (sounding, function, node) to light: (sounding, function, node).

    The pseudo-inverse cut at RCOND, by the eigenvectors of products of functions.
    """
    square, turned = np.linalg.eigh(functions @ np.swapaxes(functions, 1, 2))
    kept = square > RCOND**2 * square[:, -1:]
    weight = np.where(kept, 1.0 / np.where(kept, square, 1.0), 0.0)
    return np.asarray((turned * weight[:, None]) @ (np.swapaxes(turned, 1, 2) @ functions))
