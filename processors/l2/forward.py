"""Turn the states of a batch of soundings into the radiance of every spectel, with the Jacobians."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from processors.constants import C_LIGHT, WGS84_A

from . import atmosphere, diffuse, particles, surface
from .absorption import BATCH, FLAT, LOST, PARTS, UP, room, seen_light
from .assembly import assemble
from .atmosphere import AIR, CIA, H2O, TEMPERATURE, Layers, Meteo
from .bandmodel import BandModel, SoundingBand
from .elements import PARTICLES, absorber, slant_sums, sparse, terms
from .inverse import Modelled
from .isrf import Expansion, Near
from .scattered import BandLayers, BatchParticles, NodeLight, ScatteredLight, alike
from .state import Options, StateVector
from .tables import coordinate

SPECTELS = 1024
WIND_RANGE_M_S = (0.2, 60.0)
T_SHIFT_MOST_K = 40.0  # of a forecast
HEIGHT_MIDDLE, HEIGHT_REACH = 0.55, 0.65  # of a layer of particles, p/p_s
DEPTH_RANGE = (-0.2, 3.0)  # of a kind of particles; a little below 0 is noise about none


@dataclass(frozen=True)
class Viewing:
    """Geometry of one sounding at the ground; speeds positive when receding."""

    sza_deg: float
    vza_deg: float
    raa_deg: float
    sensor_recession_m_s: float
    glint: bool


@dataclass(frozen=True)
class Setup:
    """What the model needs of one sounding; `bands` in the order of the state's options."""

    state: StateVector
    meteo: Meteo
    viewing: Viewing
    bands: Sequence[SoundingBand]


@dataclass
class _Air:
    """The layers of one sounding at one state, in what all bands share."""

    layers: Layers
    slopes: atmosphere.Slopes | None  # where they are wanted
    total: np.ndarray  # (type,) depth of particles at 0.755 um
    depth: np.ndarray  # (type, layer)
    depth_by_psurf: np.ndarray
    by_own: np.ndarray  # (depths then heights, type, layer)


@dataclass(frozen=True)
class _Batch:
    """Some soundings at their states."""

    members: np.ndarray
    x: Sequence[np.ndarray]
    layers: dict[str, BandLayers]  # by the gas of a band
    entries: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]  # of elements.sparse, by the gas
    particles: BatchParticles
    level: np.ndarray  # (row,) what stands before the polynomial of the surface for direct sunlight
    by_wind: np.ndarray  # (row,) its slope by the logarithm of the wind
    slopes: bool


class ForwardModel:
    """Radiance (band * 1024) of soundings of one layout as a function of their states.

    Scattered light is carried from the nodes by functions fixed at the first state of a sounding. Numbers are
    of the type of the tables.
    """

    def __init__(self, setups: Sequence[Setup], bands: Sequence[BandModel], options: Options) -> None:
        self.setups, self.bands, self.options = list(setups), list(bands), options
        self.state = setups[0].state
        self.kind = self.bands[0].gas.dtype.type
        self._types = options.particles
        self._slant = np.array([_slants(s) for s in setups])  # (sounding, 2: both ways, view; layer)
        toward = [_directions(s) for s in setups]
        everyone, x = range(len(setups)), [s.state.x_a for s in setups]
        first = [self._air(k, state, False) for k, state in zip(everyone, x, strict=True)]
        psurf = np.array([100.0 * state[self.state["psurf"]][0] for state in x])
        slant = np.array([s[0, a.layers.bottom] for s, a in zip(self._slant, first, strict=True)], self.kind)
        gases = {model.band.gas for model in self.bands}
        layers = {gas: self._layer_arrays(gas, np.arange(len(setups)), x, first) for gas in gases}
        self._layouts = [self._layout(b) for b in range(len(self.bands))]
        self._groups = alike(self.bands)
        self._nodes = [NodeLight([self.bands[b] for b in group], toward) for group in self._groups]
        groups = zip(self._groups, self._nodes, strict=True)
        self._extinction = {b: nodes.extinction for group, nodes in groups for b in group}
        self._sun, self._emission, self._scattered = [], [], []
        self._kept: dict[tuple[int, int], Expansion] = {}
        for b, model in enumerate(self.bands):
            sun = np.array([s.bands[b].sun for s in setups])
            mu0 = np.array([t.mu0 for t in toward], self.kind)
            self._sun.append(mu0[:, None] * sun / self.kind(np.pi))
            self._emission.append(self._from_the_ground(b))
            glow = np.zeros((len(setups), 0, model.points), self.kind)
            if self._glows(b):
                mu_unit = [np.cos(np.radians(s.viewing.vza_deg)) * s.bands[b].unit for s in setups]
                glow = np.array([model.airglow / unit for unit in mu_unit], self.kind)
            light = ScatteredLight(model, layers[model.band.gas], psurf, slant, sun, glow)
            self._scattered.append(light)

    def __call__(
        self, members: Sequence[int], states: Sequence[np.ndarray], slopes: Sequence[bool] | None = None
    ) -> list[Modelled]:
        """Return F, ph s-1 m-2 sr-1 um-1, of some soundings, and K of those whose `slopes` are wanted (all).

        NaN where no air can be so.
        """
        F = np.full((len(states), len(self.bands), SPECTELS), np.nan)
        parts: list[list] = [[] for _ in states]
        wanted = [True] * len(states) if slopes is None else slopes
        possible = [n for n, x in enumerate(states) if self._in_domain(x)]
        for with_slopes in (True, False):
            some = [n for n in possible if wanted[n] == with_slopes]
            for first in range(0, len(some), BATCH):
                at = some[first : first + BATCH]
                with np.errstate(all="ignore"):  # absurd trial states; the search rejects them
                    batch = self._batch([members[n] for n in at], [states[n] for n in at], with_slopes)
                    at_nodes = self._at_nodes(batch)
                    for b in range(len(self.bands)):
                        radiance, K = self._band(b, batch, at_nodes[b])
                        rows, columns = slice(b * SPECTELS, (b + 1) * SPECTELS), self._layouts[b]
                        for n, f, k in zip(at, radiance, K, strict=True):
                            F[n, b] = f
                            if with_slopes:
                                parts[n].append((rows, columns, k.T))
        return [Modelled(f.ravel(), part) for f, part in zip(F, parts, strict=True)]

    def at_nodes(self, members: Sequence[int], states: Sequence[np.ndarray]) -> dict[int, np.ndarray]:
        """Return by band the scattered light over irradiance (row, node) of some soundings."""
        found = self._at_nodes(self._batch(list(members), list(states), False))
        return {b: light for b, (light, _) in found.items()}

    def functions_at_nodes(self, b: int) -> np.ndarray:
        """Return what carries a band's scattered light (sounding, function, node)."""
        return self._scattered[b].at_nodes

    def _batch(self, members: list[int], x: list[np.ndarray], slopes: bool) -> _Batch:
        where = np.array(members)
        air = [self._air(m, state, slopes) for m, state in zip(members, x, strict=True)]
        layers, entries = {}, {}
        for gas in {model.band.gas for model in self.bands}:
            found = self._layer_arrays(gas, where, x, air)
            count, elements, size, _ = found.by_element.shape
            start = np.zeros((count, elements + 1), np.int64)
            row = np.zeros((count, elements * (3 * size + 1)), np.int64)
            coefficient = np.zeros(row.shape, self.kind)
            sparse(found.by_element, self._slant[where, 0], found.bottom, start, row, coefficient)
            layers[gas], entries[gas] = found, (start, row, coefficient)
        light = BatchParticles(
            *(np.array([getattr(a, n) for a in air]) for n in ("total", "depth", "by_own"))
        )
        return _Batch(where, x, layers, entries, light, *self._glint(members, x), slopes)

    def _in_domain(self, x: np.ndarray) -> bool:
        """Tell whether layers and tables cover a state."""
        sv, (low, high) = self.state, atmosphere.PSURF_RANGE_PA
        if not np.all(np.isfinite(x)) or not low <= 100.0 * x[sv["psurf"]][0] <= high:
            return False
        if x[sv["h2o"]].min() <= 0.0:
            return False
        if self._types:
            height = x[sv["height"]]
            depth = x[sv["depth"]]
            if (
                depth.min() < DEPTH_RANGE[0]
                or depth.max() > DEPTH_RANGE[1]
                or not np.all(np.abs(height - HEIGHT_MIDDLE) < HEIGHT_REACH)
            ):
                return False
        if "ln_wind" in sv and not WIND_RANGE_M_S[0] < np.exp(x[sv["ln_wind"]][0]) < WIND_RANGE_M_S[1]:
            return False
        return bool(np.abs(x[sv["temperature"]]).max() < T_SHIFT_MOST_K)

    def _air(self, member: int, x: np.ndarray, slopes: bool) -> _Air:
        sv, meteo = self.state, self.setups[member].meteo
        at = (meteo, 100.0 * x[sv["psurf"]][0], x[sv["temperature"]], x[sv["h2o"]])
        layers, psurf = atmosphere.layers(*at), at[1]
        count = len(self._types)
        depth, by_psurf = np.zeros((2, count, layers.amount.shape[1]))
        total = x[sv["depth"]] if count else np.zeros(0)
        by_own = np.zeros((2 * count, count, depth.shape[1]))
        for p, kind in enumerate(self._types):
            tau = x[sv["depth"]][p]
            share, by_height, moved = particles.profile(psurf, x[sv["height"]][p], kind.width)
            depth[p], by_psurf[p] = tau * share, tau * moved
            by_own[p, p], by_own[count + p, p] = share, tau * by_height
        if not slopes:
            return _Air(layers, None, total, depth, by_psurf, by_own[:0])
        return _Air(layers, atmosphere.slopes(*at, layers), total, depth, by_psurf, by_own)

    def _layer_arrays(
        self,
        gas: str,
        members: np.ndarray,
        x: Sequence[np.ndarray],
        air: Sequence[_Air],
    ) -> BandLayers:
        """Return what the kernels of the bands of a gas take of the layers of some soundings."""
        kind, carbon = self.kind, gas == "CO2"
        co2 = [state[self.state["co2"]] for state in x]
        amount = np.array([a.layers.amount for a in air])
        bottom = np.array([a.layers.bottom for a in air])
        t, per_kelvin = coordinate(amount[:, TEMPERATURE])
        own = np.arange(len(air))
        above, slope_above = coordinate(amount[own, TEMPERATURE, bottom], bottom - 1)
        weight = [a.layers.bottom_weight for a in air]
        held = [
            absorber(carbon, a.layers.amount, a.layers.co2_map, a.layers.bottom, c)
            for a, c in zip(air, co2, strict=True)
        ]
        column = np.stack([held, amount[:, H2O], per_kelvin, self._slant[members, 0]], axis=1)
        mix = np.stack([above, weight, slope_above / per_kelvin[own, bottom]], axis=1)
        none = np.zeros((0, amount.shape[2], PARTICLES + len(self._types)))
        by_element = np.array(
            [
                none if a.slopes is None else terms(carbon, a.layers, a.slopes, c, a.depth_by_psurf)
                for a, c in zip(air, co2, strict=True)
            ]
        )
        return BandLayers(
            by_element, column.astype(kind), t.astype(kind), mix.astype(kind), bottom,
            amount[:, CIA].astype(kind), amount[:, AIR].astype(kind),
        )  # fmt: skip

    def _glows(self, b: int) -> bool:
        return "airglow" in self.state and self.bands[b].airglow is not None

    def _shines(self, b: int) -> bool:
        return "sif" in self.state and self.bands[b].fluorescence is not None

    def _at_nodes(self, batch: _Batch) -> dict[int, tuple[np.ndarray, np.ndarray]]:
        """Return by band what NodeLight says of a batch."""
        sv, where = self.state, batch.members
        found: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        shape = np.array([x[sv["shape"]][0] if "shape" in sv else 0.0 for x in batch.x])
        for group, nodes in zip(self._groups, self._nodes, strict=True):
            names = [sv[f"surface_{self.options.bands[b]}"] for b in group]
            polynomials = np.array([[x[name] for name in names] for x in batch.x])
            a, view = batch.layers[self.bands[group[0]].band.gas], self._slant[where, 1]
            light = nodes(where, a, view, polynomials, shape, batch.particles, batch.slopes)
            found |= dict(zip(group, light, strict=True))
        return found

    def _band(
        self, b: int, batch: _Batch, at_nodes: tuple[np.ndarray, np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return radiance (row, spectel) and K (row, column, spectel) of one band for some soundings.

        at_nodes  scattered light and its slopes, see NodeLight
        """
        model, kind, light, where = self.bands[b], self.kind, self._scattered[b], batch.members
        a, count = batch.layers[model.band.gas], where.size
        slant, counts = self._particle_slant(b, batch)
        near = [self._near(b, m, x) for m, x in zip(where.tolist(), batch.x, strict=True)]
        shift, widen = np.array([e.shift_nm for e in near]), np.array([e.widen for e in near], kind)
        mixture = self._mixture(b, batch, self._extinction[b] * counts, at_nodes)
        wide = f"isrf_width_{self.options.bands[b]}" in self.state
        seen = room(count, mixture.shape[1], SPECTELS, kind)
        by_nm = np.zeros((count, 2 if wide else 1, SPECTELS), kind)
        expansions = [(e.expansion.terms, e.expansion.first, e.expansion.count) for e in near]
        view = self._slant[where, :, a.bottom]
        seen_light(  # type: ignore[call-arg]
            where, model.gas, model.h2o, a.column, a.t, a.mix, a.bottom, self._smooth(batch, a, slant),
            self._sun[b], light.functions, model.cia, model.ray, model.coordinate,
            self._emission[b], (view[:, 1] / view[:, 0]).astype(kind), mixture, batch.entries[model.band.gas],
            (*expansions, *[expansions[0]] * (BATCH - count)), shift, widen, seen, by_nm,
        )  # fmt: skip
        own = [self.setups[m].bands[b] for m in where]
        unit, continuum = np.array([[o.unit, o.continuum] for o in own]).T
        F = np.empty((count, SPECTELS))
        K = np.empty((count, self._layouts[b].size if batch.slopes else 0, SPECTELS), kind)
        sums, held = np.array([e.expansion.sums for e in near]), [e.expansion.count > 0 for e in near]
        level = self._zero_level(b, batch)
        moved = f"dispersion_{self.options.bands[b]}" in self.state
        assemble(  # type: ignore[call-arg]
            seen, by_nm, shift, widen, sums, np.array(held), unit, continuum, level, moved, F, K
        )
        return F, K

    def _mixture(
        self, b: int, batch: _Batch, extinction: np.ndarray, at_nodes: tuple[np.ndarray, np.ndarray]
    ) -> np.ndarray:
        """Return what light and, if wanted, its slopes are made of (row, field, function then part), see
        seen_light: slopes by the elements of the air, of the particles, of the surface, and others.

        extinction  (row, type) of particles in direct light, per depth at 0.755 um;  at_nodes  see NodeLight
        """
        light, where, a = self._scattered[b], batch.members, batch.layers[self.bands[b].band.gas]
        polynomial = np.array([x[self.state[f"surface_{self.options.bands[b]}"]] for x in batch.x])
        level, by_wind = batch.level, batch.by_wind
        coefficient, by_all = light.coefficients(where, *at_nodes)
        functions, glows, shines = light.functions.shape[1], self._glows(b), self._shines(b)
        flat, lost, up = functions + FLAT, functions + LOST, functions + UP
        others = ["ln_wind"] * ("ln_wind" in self.state) + ["airglow"] * 2 * glows + ["sif"] * shines
        others += ["shape"] * ("shape" in self.state)
        size = a.by_element.shape[1] + batch.particles.by_own.shape[1]
        fields = 1 + size + 3 + len(others) if batch.slopes else 1
        out = np.zeros((where.size, fields, functions + PARTS), self.kind)
        out[:, 0, : light.count] = coefficient
        out[:, 0, flat : flat + 3] = level[:, None] * polynomial
        if glows:
            out[:, 0, light.count : functions] = [x[self.state["airglow"]] for x in batch.x]
        if shines:
            out[:, 0, up] = [x[self.state["sif"]][0] for x in batch.x]
        if not batch.slopes:
            return out
        smooth = np.zeros((where.size, 3, size))
        slant_sums(a.by_element, batch.particles.by_own, self._slant[where, 0], extinction, smooth)
        out[:, 1 : 4 + size, : light.count] = np.swapaxes(by_all, 1, 2)[:, : size + 3]
        out[:, 1 : 1 + size, lost : lost + 3] = np.swapaxes(smooth, 1, 2)
        for power in range(3):
            out[:, 1 + size + power, flat + power] = level
        for n, name in enumerate(others, 4 + size):
            if name == "ln_wind":
                out[:, n, flat : flat + 3] = by_wind[:, None] * polynomial
            elif name == "airglow":
                out[:, n, light.count + n - 4 - size - others.index(name)] = 1.0
            elif name == "sif":
                out[:, n, up] = 1.0
            else:
                out[:, n, : light.count] = by_all[:, :, -1]
        return out

    def _near(self, b: int, member: int, x: np.ndarray) -> Near:
        """Return the expansion of the spectels' weights near a state and the way from there; kept while it
        holds."""
        setup, name = self.setups[member], self.options.bands[b]
        moved, wide = f"dispersion_{name}", f"isrf_width_{name}"
        shift, stretch = x[self.state[moved]] if moved in self.state else (0.0, 0.0)
        widen = x[self.state[wide]][0] if wide in self.state else 0.0
        doppler = setup.viewing.sensor_recession_m_s / C_LIGHT
        kept = self._kept.get((b, member))
        near = setup.bands[b].expansions.near(doppler, shift, stretch, widen, kept)
        self._kept[b, member] = near.expansion
        return near

    def _glint(self, members: list[int], x: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Return how a sea reflects direct sunlight, and its slope by the logarithm of the wind (row,).

        On land 1 and 0.
        """
        if "ln_wind" not in self.state:
            return np.ones(len(x)), np.zeros(len(x))
        wind = np.exp([state[self.state["ln_wind"]][0] for state in x])
        views = [self.setups[m].viewing for m in members]
        sza, vza, raa = np.array([(v.sza_deg, v.vza_deg, v.raa_deg) for v in views]).T
        level, slope = surface.glint_reflectance(sza, vza, raa, wind)
        return level, slope * wind

    def _from_the_ground(self, b: int) -> np.ndarray:
        """Return the light the ground sends up (sounding, point) per unit of fluorescence; no points if
        none."""
        if not self._shines(b):
            return np.zeros((len(self.setups), 0), self.kind)
        units = np.array([s.bands[b].unit for s in self.setups])
        return np.asarray((self.bands[b].fluorescence / units[:, None]).astype(self.kind))

    def _zero_level(self, b: int, batch: _Batch) -> np.ndarray:
        name = f"zero_level_{self.options.bands[b]}"
        return np.array([x[self.state[name]][0] if name in self.state else 0.0 for x in batch.x])

    def _smooth(self, batch: _Batch, a: BandLayers, particles_slant: np.ndarray) -> np.ndarray:
        """Return (row, 3) the slant sums of collisions, air and particles, which vary slowly."""
        slant = self._slant[batch.members, 0]
        sums = [(slant * a.cia_path).sum(axis=1), (slant * a.air).sum(axis=1), particles_slant]
        return np.stack(sums, axis=1).astype(self.kind)

    def _particle_slant(self, b: int, batch: _Batch) -> tuple[np.ndarray, np.ndarray]:
        """Return the slant depth of particles (row,), and its slope (row, type) by what a kind adds to it.

        As scattered light, direct light is mirrored below a depth of 0: 2 exp(-above) - exp(-all of it).
        """
        slant = self._slant[batch.members, 0]
        own = self._extinction[b] * (batch.particles.depth * slant[:, None]).sum(axis=2)
        above, both = np.maximum(own, 0.0).sum(axis=1), np.abs(own).sum(axis=1)
        left = 2.0 * np.exp(-above) - np.exp(-both)
        return -np.log(left), np.where(own < 0.0, (np.exp(-both) / left)[:, None], 1.0)

    def _layout(self, b: int) -> np.ndarray:
        """Return the state elements (column,) of a band's K, in the order of `_mixture` and assembly."""
        name, size = self.options.bands[b], self.state.x_a.size
        names = ["co2"] if self.bands[b].band.gas == "CO2" else []
        names += ["psurf", "temperature", "h2o", "depth", "height", f"surface_{name}", "ln_wind"]
        names += ["airglow"] * self._glows(b) + ["sif"] * self._shines(b) + ["shape"]
        names += [f"dispersion_{name}", f"isrf_width_{name}", f"zero_level_{name}"]
        held = [np.arange(*self.state[key].indices(size)) for key in names if key in self.state]
        return np.concatenate(held)


def _directions(setup: Setup) -> diffuse.Directions:
    v, sv, by_shape = setup.viewing, setup.state, None
    angles, sky = (v.sza_deg, v.vza_deg, v.raa_deg), surface.lambertian_sky()
    if v.glint:
        sky = surface.sea_sky(v.sza_deg, v.vza_deg, float(np.exp(sv.x_a[sv["ln_wind"]][0])))
    elif "shape" in sv:
        by_shape = surface.land_sky(*angles) - sky
        sky = surface.land_sky(*angles, setup.meteo.brdf)
    return diffuse.directions(*angles, sky, by_shape)


def _slants(setup: Setup) -> np.ndarray:
    """Return the slant path per vertical path (2: both ways, view; layer) in a spherical, unrefracted
    atmosphere."""
    ground = WGS84_A + setup.meteo.surface_altitude_m
    sun, view = (
        1.0 / np.sqrt(1.0 - (np.sin(np.radians(z)) * ground / (WGS84_A + setup.meteo.height_m)) ** 2)
        for z in (setup.viewing.sza_deg, setup.viewing.vza_deg)
    )
    return np.stack([sun + view, view])
