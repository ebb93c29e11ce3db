"""Turn the layers of one sounding into its scattered light at the nodes of a band, with all derivatives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import scattering
from .absorption import layer_terms
from .compiled import inner, kernel
from .elements import COLLISIONS, GAS, KELVIN, MIXING, PARTICLES, WATER
from .elements import SCATTERING as AIR_TERM
from .particles import henyey_greenstein
from .scattering import MOMENTS

MERGED = 2  # layers taken together where light is scattered more than once: 1e-5 of the continuum
ORDERS = {False: 4, True: 7}  # of scattering followed: in air alone, with particles


@dataclass(frozen=True)
class Directions:
    """Sun and sensor of one sounding, and the surface as the light of the sky meets it."""

    legs: np.ndarray  # (azimuth, moment, stream)
    p_sun: np.ndarray  # (azimuth, moment)
    p_view: np.ndarray
    azimuth: np.ndarray  # (azimuth,) weight of each component
    mu0: float
    rayleigh_phase: float
    cos_scattering: float
    sky: (
        np.ndarray
    )  # (azimuth, stream + 2, stream + 2) how the ground reflects the light of the sky, see surface

    def cast(self, kind: type) -> tuple:
        """Return the arrays of scattering.diffuse_light in a number type."""
        arrays = (
            self.legs,
            self.p_sun,
            self.p_view,
            self.azimuth,
            scattering.MU,
            scattering.WEIGHT,
            self.sky,
        )
        return tuple(np.ascontiguousarray(a, kind) for a in arrays)


def directions(sza_deg: float, vza_deg: float, raa_deg: float, sky: np.ndarray) -> Directions:
    """Prepare the functions of direction; raa 0 has Sun and sensor on one side."""
    mu0, mu = np.cos(np.radians([sza_deg, vza_deg]))
    sines = np.sqrt((1.0 - mu0**2) * (1.0 - mu**2))
    cos_scattering = -(mu0 * mu + sines * np.cos(np.radians(raa_deg)))
    orders = range(scattering.AZIMUTHS)
    # photon travel directions: the Sun's beam moves away from the Sun's azimuth
    azimuth = [(1.0 if m == 0 else 2.0) * np.cos(m * (np.pi - np.radians(raa_deg))) for m in orders]
    if sines < 1e-12:
        azimuth[1:] = [0.0] * (len(azimuth) - 1)
    return Directions(
        np.array([scattering.legendre(m, scattering.MU) for m in orders]),
        np.array([scattering.legendre(m, mu0)[:, 0] for m in orders]),
        np.array([scattering.legendre(m, mu)[:, 0] for m in orders]),
        np.array(azimuth),
        float(mu0),
        scattering.rayleigh_phase(cos_scattering),
        float(cos_scattering),
        sky,
    )


def species(
    extinction: np.ndarray, albedo: np.ndarray, asymmetry: np.ndarray, toward: Directions
) -> tuple[np.ndarray, np.ndarray]:
    """Return what air and particle types scatter: moments (species, moment) and scalars (species, 3).

    Arrays (type,) of one band. Moments (2k+1) beta_k per optical depth at 0.755 um (air: per its own depth);
    scalars: scaled extinction, phase function towards the sensor, both per the same depth, and the share of
    the
    extinction left after delta-M.
    """
    k = np.arange(MOMENTS)
    beta = asymmetry[:, None] ** k
    peak = asymmetry**MOMENTS
    kept = (beta - peak[:, None]) * (extinction * albedo)[:, None]
    air = np.zeros(MOMENTS)
    air[0], air[2] = 1.0, scattering.RAYLEIGH_MOMENT_2
    moments = np.concatenate([air[None], kept]) * (2 * k + 1)
    phase = np.concatenate(
        [[toward.rayleigh_phase], extinction * albedo * henyey_greenstein(asymmetry, toward.cos_scattering)]
    )
    scaled = np.concatenate([[1.0], extinction * (1.0 - albedo * peak)])
    return moments, np.stack([scaled, phase], axis=1)


@inner
def _layers_of(used, x, layers, column, cia_path, air, depth, cia, ray, moments, scalars, slant_view):  # type: ignore[no-untyped-def]
    """Return depth and single-scattering phase term of the layers, and of layers taken together depth and
    moments.

    tau, phase (layer, point); thick (group, point), c (group, moment, point), slants (2: Sun, view; group)
    """
    types, size, points, kind = depth.shape[0], moments.shape[1], ray.size, ray.dtype
    tau, phase = np.empty((used, points), kind), np.empty((used, points), kind)
    groups = -(-used // MERGED)
    thick, c = np.zeros((groups, points), kind), np.zeros((groups, size, points), kind)
    slants = np.zeros((2, groups), kind)
    for l in range(used):
        u1, u2, a, pairs, group = column[0, l], column[1, l], air[l], cia_path[l], l // MERGED
        for n in range(points):
            tau[l, n] = u1 * x[l, n] + u2 * x[layers + l, n] + pairs * cia[n] + a * ray[n]
            phase[l, n] = a * ray[n] * scalars[0, 1]
        for k in range(size):
            particles = kind.type(0.0)
            for p in range(types):
                particles += moments[1 + p, k] * depth[p, l]
            for n in range(points):
                c[group, k, n] += a * ray[n] * moments[0, k] + particles
        extinction, scattered = kind.type(0.0), kind.type(0.0)
        for p in range(types):
            extinction += depth[p, l] * scalars[1 + p, 0]
            scattered += depth[p, l] * scalars[1 + p, 1]
        for n in range(points):
            tau[l, n] += extinction
            phase[l, n] += scattered
            thick[group, n] += tau[l, n]
        share = kind.type(1.0 / min(MERGED, used - group * MERGED))
        slants[0, group] += share * (column[3, l] - slant_view[l])
        slants[1, group] += share * slant_view[l]
    return tau, phase, thick, c, slants


@inner
def _add(factors, terms, first, out):  # type: ignore[no-untyped-def]
    """Add the sum of factors times terms (term, point), from the term `first` on."""
    for k in range(factors.size):
        d = factors[k]
        if d != 0.0:
            for n in range(out.size):
                out[n] += d * terms[first + k, n]


@kernel
def node_light(  # type: ignore[no-untyped-def]
    gas, h2o, s, column, t, mix, bottom,  # of the nodes, as absorption.seen_light takes them
    cia_path, air, depth,  # (layer,), (layer,), (type, layer) at 0.755 um
    cia, ray,  # (node,)
    moments, scalars,  # of `species`
    # directions; slant factor (layer,); (node,) for the sky's light; orders
    cast, mu0, slant_view, albedo, count,
    by_element, by_particle,  # (element, layer, term); (element, type, layer) of the particles' own elements
    by_surface,  # (3, node) of the albedo
):  # fmt: skip
    """Return radiance over irradiance (node) and its derivatives (element then particle then surface,
    node)."""
    layers, points = gas.shape[0], ray.size
    used, kind = bottom + 1, ray.dtype
    x, work, unused = (
        np.empty((3 * layers + 1, points), kind),
        np.empty((6, points), kind),
        np.empty(points, kind),
    )
    layer_terms(gas, h2o, s, column, t, bottom, mix, 0, points, x, work, unused)
    types = depth.shape[0]
    tau, phase, thick, c, slants = _layers_of(
        used, x, layers, column[s], cia_path, air, depth, cia, ray, moments, scalars, slant_view
    )
    light, by_albedo = np.zeros(points, kind), np.zeros(points, kind)
    by_tau, by_phase = np.zeros_like(tau), np.zeros_like(tau)
    by_thick, by_c = np.zeros_like(thick), np.zeros_like(c)
    legs, p_sun, p_view, azimuth, mu, weight, sky = cast
    scattering.single_scattering(tau, phase, column[s, 3, :used], slant_view[:used], light, by_tau, by_phase)
    scattering.diffuse_light(
        thick, c, legs, p_sun, p_view, azimuth, mu, weight, slants[0], slants[1], mu0, albedo, sky, count,
        light, by_thick, by_c, by_albedo,
    )  # fmt: skip
    for l in range(used):
        for n in range(points):
            by_tau[l, n] += by_thick[l // MERGED, n]
    elements, own = by_element.shape[0], by_particle.shape[0]
    out = np.zeros((elements + own + 3, points), kind)
    terms = np.empty((PARTICLES + types, points), kind)
    for l in range(used):
        _per_term(
            l, layers, x, cia, ray, moments, scalars,
            by_tau[l], by_phase[l], by_c[l // MERGED], l == bottom, terms,
        )  # fmt: skip
        for e in range(elements):
            _add(by_element[e, l], terms, 0, out[e])
        for e in range(own):
            _add(by_particle[e, :, l], terms, PARTICLES, out[elements + e])
    for e in range(3):
        for n in range(points):
            out[elements + own + e, n] = by_albedo[n] * by_surface[e, n]
    return light, out


@inner
def _per_term(l, layers, x, cia, ray, moments, scalars, by_tau, by_phase, by_c, is_bottom, terms):  # type: ignore[no-untyped-def]
    """Fill the derivatives of the light by each term of a layer (term, point)."""
    points, kind = ray.size, ray.dtype
    for n in range(points):
        terms[GAS, n] = by_tau[n] * x[l, n]
        terms[WATER, n] = by_tau[n] * x[layers + l, n]
        terms[KELVIN, n] = by_tau[n] * x[2 * layers + l, n]
        terms[MIXING, n] = by_tau[n] * x[3 * layers, n] if is_bottom else kind.type(0.0)
        terms[COLLISIONS, n] = by_tau[n] * cia[n]
    for p in range(moments.shape[0]):
        row = terms[AIR_TERM] if p == 0 else terms[PARTICLES - 1 + p]
        for n in range(points):
            row[n] = by_tau[n] * scalars[p, 0] + by_phase[n] * scalars[p, 1]
        for k in range(moments.shape[1]):
            m = moments[p, k]
            if m != 0.0:
                for n in range(points):
                    row[n] += m * by_c[k, n]
        if p == 0:
            for n in range(points):
                row[n] *= ray[n]
