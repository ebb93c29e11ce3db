"""Turn the states of a batch of soundings into the radiance of every spectel, with the Jacobians."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from processors.constants import C_LIGHT, WGS84_A

from . import atmosphere, diffuse, particles, surface
from .absorption import ELEMENTS, LOST, LOST_CIA, SIF, SURFACE, TOTAL, seen_light
from .atmosphere import AIR, CIA, H2O, TEMPERATURE, Layers, Meteo
from .bandmodel import BandModel, SoundingBand
from .elements import COLLISIONS, PARTICLES, SCATTERING, sparse, terms
from .inverse import Modelled
from .isrf import Expansion, Near
from .scattered import BandLayers, ScatteredLight
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


@dataclass(frozen=True)
class _Ground:
    """The surface of one sounding in one band: its polynomial (3,), and what stands before it for direct
    sunlight."""

    polynomial: np.ndarray
    level: float
    by_wind: float  # slope of level by the logarithm of the wind


@dataclass
class _Air:
    """The layers of one sounding at one state, in what all bands share."""

    layers: Layers
    slopes: atmosphere.Slopes
    total: np.ndarray  # (type,) depth of particles at 0.755 um
    depth: np.ndarray  # (type, layer)
    depth_by_psurf: np.ndarray
    by_own: np.ndarray  # (depths then heights, type, layer)


class ForwardModel:
    """Radiance (band * 1024) of soundings of one layout as a function of their states.

    Scattered light is carried from the nodes by functions fixed at the first state of a sounding. Numbers are
    of the type of the tables.
    """

    def __init__(
        self, setups: Sequence[Setup], bands: Sequence[BandModel], options: Options, brdf: bool = True
    ) -> None:
        self.setups, self.bands, self.options = list(setups), list(bands), options
        self.state = setups[0].state
        self.kind = self.bands[0].gas.dtype.type
        self._types = options.particles
        self._slant = np.array([_slants(s) for s in setups])  # (sounding, 2: both ways, view; layer)
        toward = [_directions(s, brdf) for s in setups]
        everyone, x = range(len(setups)), [s.state.x_a for s in setups]
        first = [self._air(k, state) for k, state in zip(everyone, x, strict=True)]
        psurf = np.array([100.0 * state[self.state["psurf"]][0] for state in x])
        slant = np.array([s[0, a.layers.bottom] for s, a in zip(self._slant, first, strict=True)], self.kind)
        self._sun, self._scattered = [], []
        self._kept: dict[tuple[int, int], Expansion] = {}
        for b, model in enumerate(self.bands):
            sun = np.array([s.bands[b].sun for s in setups])
            mu0 = np.array([t.mu0 for t in toward], self.kind)
            self._sun.append(mu0[:, None] * sun / self.kind(np.pi))
            glow = np.zeros((len(setups), 0, model.points), self.kind)
            if self._glows(b):
                mu_unit = [np.cos(np.radians(s.viewing.vza_deg)) * s.bands[b].unit for s in setups]
                glow = np.array([model.airglow / unit for unit in mu_unit], self.kind)
            layers = self._layer_arrays(b, everyone, x, first)
            self._scattered.append(ScatteredLight(model, layers, psurf, slant, sun, glow, toward))

    def __call__(self, members: Sequence[int], states: Sequence[np.ndarray]) -> list[Modelled]:
        """Return F, ph s-1 m-2 sr-1 um-1, and K of some soundings; NaN where no air can be so."""
        possible = [n for n, x in enumerate(states) if self._in_domain(x)]
        parts: list[list] = [[] for _ in states]
        F = np.full((len(states), len(self.bands), SPECTELS), np.nan)
        if possible:
            k, x = [members[n] for n in possible], [states[n] for n in possible]
            with np.errstate(all="ignore"):  # absurd trial states; the search rejects them
                air = [self._air(m, state) for m, state in zip(k, x, strict=True)]
                for b in range(len(self.bands)):
                    for n, (f, part) in zip(possible, self._band(b, k, x, air), strict=True):
                        F[n, b] = f
                        parts[n].append((slice(b * SPECTELS, (b + 1) * SPECTELS), *part))
        return [Modelled(f.ravel(), part) for f, part in zip(F, parts, strict=True)]

    def _in_domain(self, x: np.ndarray) -> bool:
        """Tell whether layers and tables cover a state."""
        sv, (low, high) = self.state, atmosphere.PSURF_RANGE_PA
        if not np.all(np.isfinite(x)) or not low <= 100.0 * x[sv["psurf"]][0] <= high:
            return False
        if x[sv["h2o"]][0] <= 0.0:
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

    def _air(self, member: int, x: np.ndarray) -> _Air:
        sv, meteo = self.state, self.setups[member].meteo
        psurf, shift, h2o = 100.0 * x[sv["psurf"]][0], x[sv["temperature"]], x[sv["h2o"]][0]
        layers = atmosphere.layers(meteo, psurf, shift, h2o)
        slopes = atmosphere.slopes(meteo, psurf, shift, h2o, layers)
        count = len(self._types)
        depth, by_psurf = np.zeros((2, count, layers.amount.shape[1]))
        total = x[sv["depth"]] if count else np.zeros(0)
        by_own = np.zeros((2 * count, count, depth.shape[1]))
        for p, kind in enumerate(self._types):
            tau = x[sv["depth"]][p]
            share, by_height, moved = particles.profile(psurf, x[sv["height"]][p], kind.width)
            depth[p], by_psurf[p] = tau * share, tau * moved
            by_own[p, p], by_own[count + p, p] = share, tau * by_height
        return _Air(layers, slopes, total, depth, by_psurf, by_own)

    def _layer_arrays(
        self, b: int, members: Sequence[int], x: Sequence[np.ndarray], air: Sequence[_Air]
    ) -> BandLayers:
        """Return what the kernels of a band take of the layers of some soundings."""
        co2_band, sv, kind = self.bands[b].band.gas == "CO2", self.state, self.kind
        found = [
            terms(co2_band, a.layers, a.slopes, state[sv["co2"]], a.depth_by_psurf)
            for a, state in zip(air, x, strict=True)
        ]
        amount = np.array([a.layers.amount for a in air])
        bottom = np.array([a.layers.bottom for a in air])
        t, per_kelvin = coordinate(amount[:, TEMPERATURE])
        own = np.arange(len(air))
        above, slope_above = coordinate(amount[own, TEMPERATURE, bottom], bottom - 1)
        weight = [a.layers.bottom_weight for a in air]
        gas = np.array([f.gas for f in found])
        column = np.stack([gas, amount[:, H2O], per_kelvin, self._slant[list(members), 0]], axis=1)
        mix = np.stack([above, weight, slope_above / per_kelvin[own, bottom]], axis=1)
        return BandLayers(
            [f.by_element for f in found], column.astype(kind), t.astype(kind), mix.astype(kind), bottom,
            amount[:, CIA].astype(kind), amount[:, AIR].astype(kind),
        )  # fmt: skip

    def _glows(self, b: int) -> bool:
        return "airglow" in self.state and self.bands[b].airglow is not None

    def _shines(self, b: int) -> bool:
        return "sif" in self.state and self.bands[b].fluorescence is not None

    def _band(self, b: int, members: list[int], x: list[np.ndarray], air: list[_Air]):  # type: ignore[no-untyped-def]
        """Return radiance (spectel) and (columns, K) of one band for some soundings."""
        model, kind = self.bands[b], self.kind
        a = self._layer_arrays(b, members, x, air)
        ground = [self._ground(b, m, state) for m, state in zip(members, x, strict=True)]
        near = [self._near(b, m, state) for m, state in zip(members, x, strict=True)]
        seen = np.zeros((len(members), SPECTELS, ELEMENTS + a.by_element[0].shape[0]), kind)
        by_nm = np.zeros((len(members), SPECTELS, 2), kind)
        seen_light(  # type: ignore[call-arg]
            np.array(members), model.gas, model.h2o, a.column, a.t, a.mix, a.bottom, self._smooth(b, members,
            a, air),
            self._sun[b], model.cia, model.ray, np.array([g.level * g.polynomial for g in ground], kind),
            *self._emission(b, members, x, a), self._sparse(members, a),
            tuple((e.expansion.terms, e.expansion.first, e.expansion.count) for e in near),
            np.array([e.shift_nm for e in near]), np.array([e.widen for e in near], kind), seen, by_nm,
        )  # fmt: skip
        return [
            self._part(b, n, m, x[n], a, air[n], ground[n], near[n], seen[n], by_nm[n])
            for n, m in enumerate(members)
        ]

    def _near(self, b: int, member: int, x: np.ndarray) -> Near:
        """Return the expansion of the spectels' weights near a state and the way from there; kept while it
        holds."""
        setup, name = self.setups[member], self.options.bands[b]
        shift, stretch = x[self.state[f"dispersion_{name}"]]
        wide = f"isrf_width_{name}"
        widen = x[self.state[wide]][0] if wide in self.state else 0.0
        doppler = setup.viewing.sensor_recession_m_s / C_LIGHT
        kept = self._kept.get((b, member))
        near = setup.bands[b].expansions.near(doppler, shift, stretch, widen, kept)
        self._kept[b, member] = near.expansion
        return near

    def _ground(self, b: int, member: int, x: np.ndarray) -> _Ground:
        polynomial = x[self.state[f"surface_{self.options.bands[b]}"]]
        if "ln_wind" not in self.state:
            return _Ground(polynomial, 1.0, 0.0)
        v, wind = self.setups[member].viewing, float(np.exp(x[self.state["ln_wind"]][0]))
        level, by_wind = surface.glint_reflectance(v.sza_deg, v.vza_deg, v.raa_deg, wind)
        return _Ground(polynomial, level, by_wind * wind)

    def _emission(self, b, members, x, a):  # type: ignore[no-untyped-def]
        """Return the light the ground sends up (sounding, point) and (sounding, 2): its way and its
        strength."""
        share = np.zeros((len(members), 2), self.kind)
        if not self._shines(b):
            return np.zeros((len(self.setups), 0), self.kind), share
        for n, m in enumerate(members):
            slant, view = self._slant[m][:, a.bottom[n]]
            share[n] = view / slant, x[n][self.state["sif"]][0]
        units = np.array([s.bands[b].unit for s in self.setups])
        return (self.bands[b].fluorescence / units[:, None]).astype(self.kind), share

    def _smooth(self, b: int, members: list[int], a: BandLayers, air: list[_Air]) -> np.ndarray:
        """Return (sounding, 3) the slant sums of collisions, air and particles, which vary slowly."""
        slant = self._slant[members, 0]
        depth = [self._particle_slant(b, m, x)[0] for m, x in zip(members, air, strict=True)]
        sums = [(slant * a.cia_path).sum(axis=1), (slant * a.air).sum(axis=1), depth]
        return np.stack(sums, axis=1).astype(self.kind)

    def _particle_slant(self, b: int, member: int, air: _Air) -> tuple[float, np.ndarray]:
        """Return the slant depth of particles, and the slope (type) by what a kind adds to it.

        As scattered light, direct light is mirrored below a depth of 0: 2 exp(-above) - exp(-all of it).
        """
        own = self._scattered[b].extinction * (air.depth @ self._slant[member, 0])
        above, both = np.maximum(own, 0.0).sum(), np.abs(own).sum()
        left = 2.0 * np.exp(-above) - np.exp(-both)
        return -float(np.log(left)), np.where(own < 0.0, np.exp(-both) / left, 1.0)

    def _sparse(self, members: list[int], a: BandLayers) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        elements, layers, _ = a.by_element[0].shape
        start = np.zeros((len(members), elements + 1), np.int64)
        row = np.zeros((len(members), elements * (3 * layers + 1)), np.int64)
        coefficient = np.zeros(row.shape, self.kind)
        for n, m in enumerate(members):
            sparse(a.by_element[n], self._slant[m, 0], a.bottom[n], start[n], row[n], coefficient[n])
        return start, row, coefficient

    def _part(self, b, n, member, x, a, air, ground, near, seen, by_nm):  # type: ignore[no-untyped-def]
        """Put together the radiance (spectel) of a band, and the columns and K (spectel, column) of its
        state."""
        sv, own, name, scattered = (
            self.state,
            self.setups[member].bands[b],
            self.options.bands[b],
            self._scattered[b],
        )
        seen *= (inverse := (1.0 / near.total).astype(self.kind))[:, None]
        coefficient, by_all = scattered.at_nodes(
            n, member, a, self._slant[member, 1], ground.polynomial, air.total, air.depth, air.by_own
        )
        wide = f"isrf_width_{name}"
        functions = scattered.through(member, near, wide in sv)
        if self._glows(b):
            coefficient = np.concatenate([coefficient, x[sv["airglow"]]])
        radiance = seen[:, TOTAL] + functions @ coefficient
        slopes = [by_nm[:, k] + top @ coefficient for k, top in enumerate(scattered.slopes(member))]
        by_nm = [(top - radiance * rate) * inverse for top, rate in zip(slopes, near.rates, strict=False)]
        radiance = own.unit * radiance
        elements, size = a.by_element[n].shape[0], by_all.shape[1] - 3
        by_terms = functions[:, : scattered.count] @ by_all.astype(
            self.kind
        )  # of elements, particles, surface
        by_terms[:, :size] += (
            seen[:, LOST : LOST_CIA + 1]
            @ self._smooth_slopes(b, member, a.by_element[n], air).astype(self.kind).T
        )
        by_terms[:, :elements] += seen[:, ELEMENTS:]
        by_terms[:, size:] += self.kind(ground.level) * seen[:, SURFACE : SURFACE + 3]
        parts = {f"surface_{name}": by_terms[:, size:], f"dispersion_{name}": by_nm[0][:, None] * _STRETCH.T}
        if wide in sv:
            parts[wide] = by_nm[1][:, None]
        if f"zero_level_{name}" in sv:
            radiance += own.continuum * x[sv[f"zero_level_{name}"]][0]
            parts[f"zero_level_{name}"] = np.full((SPECTELS, 1), own.continuum / own.unit)
        if "ln_wind" in sv:
            parts["ln_wind"] = ground.by_wind * (seen[:, SURFACE : SURFACE + 3] @ ground.polynomial)[:, None]
        if self._glows(b):
            parts["airglow"] = functions[:, scattered.count :]
        if self._shines(b):
            parts["sif"] = seen[:, SIF : SIF + 1]
        columns = self._element_columns(b) + [np.arange(*sv[key].indices(x.size)) for key in parts]
        values = np.concatenate([by_terms[:, :size], *parts.values()], axis=1, dtype=float)
        values *= own.unit
        return radiance, (np.concatenate(columns), values)

    def _smooth_slopes(self, b: int, member: int, by_element: np.ndarray, air: _Air) -> np.ndarray:
        """Return (element then particle, 3) the derivatives of the slant sums of particles, air,
        collisions."""
        slant = self._slant[member, 0]
        extinction = self._scattered[b].extinction * self._particle_slant(b, member, air)[1]
        own = np.zeros((air.by_own.shape[0], 3))
        own[:, 0] = (air.by_own @ slant) @ extinction
        by_terms = np.einsum("elt,l->et", by_element[:, :, SCATTERING:], slant)
        elements = np.stack(
            [
                by_terms[:, PARTICLES - SCATTERING :] @ extinction,
                by_terms[:, 0],
                by_terms[:, COLLISIONS - SCATTERING],
            ],
            axis=1,
        )
        return np.concatenate([elements, own])

    def _element_columns(self, b: int) -> list[np.ndarray]:
        names = ["psurf", "temperature", "h2o", "depth", "height"]
        names = ["co2", *names] if self.bands[b].band.gas == "CO2" else names
        size = self.state.x_a.size
        return [np.arange(*self.state[name].indices(size)) for name in names if name in self.state]


def _directions(setup: Setup, brdf: bool) -> diffuse.Directions:
    v, sv = setup.viewing, setup.state
    if v.glint:
        sky = surface.sea_sky(v.sza_deg, v.vza_deg, float(np.exp(sv.x_a[sv["ln_wind"]][0])))
    else:
        sky = surface.land_sky(v.sza_deg, v.vza_deg, v.raa_deg) if brdf else surface.lambertian_sky()
    return diffuse.directions(v.sza_deg, v.vza_deg, v.raa_deg, sky)


def _slants(setup: Setup) -> np.ndarray:
    """Return the slant path per vertical path (2: both ways, view; layer) in a spherical, unrefracted
    atmosphere."""
    ground = WGS84_A + setup.meteo.surface_altitude_m
    sun, view = (
        1.0 / np.sqrt(1.0 - (np.sin(np.radians(z)) * ground / (WGS84_A + setup.meteo.height_m)) ** 2)
        for z in (setup.viewing.sza_deg, setup.viewing.vza_deg)
    )
    return np.stack([sun + view, view])


_STRETCH = np.stack(
    [np.ones(SPECTELS), np.linspace(-1.0, 1.0, SPECTELS)]
)  # nm per unit of shift and of stretch
