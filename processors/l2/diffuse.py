"""Turn the layers of one sounding into its scattered light at the nodes of a band, with all derivatives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from . import scattering
from .absorption import layer_terms, layer_values
from .compiled import inner, kernel
from .elements import COLLISIONS, GAS, KELVIN, MIXING, PARTICLES, WATER
from .elements import SCATTERING as AIR_TERM
from .particles import henyey_greenstein
from .scattering import MOMENTS

MERGED = 2  # layers taken together where light is scattered more than once: 1e-5 of the continuum
ORDERS = {False: 4, True: 7}  # of scattering followed: in air alone, with particles


# Legendre functions of the streams (azimuth, moment + 2, stream), the last two 0, see orders
LEGS = np.pad(
    [scattering.legendre(m, scattering.MU) for m in range(scattering.AZIMUTHS)], ((0, 0), (0, 2), (0, 0))
)


@dataclass(frozen=True)
class Directions:
    """Sun and sensor of one sounding, and the surface as the light of the sky meets it."""

    p_sun: np.ndarray  # (azimuth, moment)
    p_view: np.ndarray
    azimuth: np.ndarray  # (azimuth,) weight of each component
    mu0: float
    cos_scattering: float
    sky: (
        np.ndarray
    )  # (azimuth, stream + 2, stream + 2) how the ground reflects the light of the sky, see surface
    by_shape: np.ndarray  # its slope by the shape of the reflection; no components: not fitted


def directions(
    sza_deg: float, vza_deg: float, raa_deg: float, sky: np.ndarray, by_shape: np.ndarray | None = None
) -> Directions:
    """Prepare the functions of direction; raa 0 has Sun and sensor on one side."""
    mu0, mu = np.cos(np.radians([sza_deg, vza_deg]))
    sines = np.sqrt((1.0 - mu0**2) * (1.0 - mu**2))
    cos_scattering = -(mu0 * mu + sines * np.cos(np.radians(raa_deg)))
    orders = range(scattering.AZIMUTHS)
    both = np.array([scattering.legendre(m, np.array([mu0, mu])) for m in orders])
    # photon travel directions: the Sun's beam moves away from the Sun's azimuth
    azimuth = [(1.0 if m == 0 else 2.0) * np.cos(m * (np.pi - np.radians(raa_deg))) for m in orders]
    if sines < 1e-12:
        azimuth[1:] = [0.0] * (len(azimuth) - 1)
    return Directions(
        both[:, :, 0],
        both[:, :, 1],
        np.array(azimuth),
        float(mu0),
        float(cos_scattering),
        sky,
        sky[:0] if by_shape is None else by_shape,
    )


def stacked(toward: Sequence[Directions], kind: type) -> tuple:
    """Return p_sun, p_view, azimuth, mu0, sky and by_shape of some soundings as node_light takes them."""
    names = ("p_sun", "p_view", "azimuth", "mu0", "sky", "by_shape")
    return tuple(np.array([getattr(t, name) for t in toward], kind) for name in names)


def species(
    extinction: np.ndarray, albedo: np.ndarray, asymmetry: np.ndarray, cos_scattering: np.ndarray | float
) -> tuple[np.ndarray, np.ndarray]:
    """Return what air and particle types scatter: moments (species, moment) and scalars (..., species, 2) for
    cosines (...) of the angle from the Sun's beam to the sensor.

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
    cosine = np.asarray(cos_scattering)[..., None]
    phase = [scattering.rayleigh_phase(cosine), extinction * albedo * henyey_greenstein(asymmetry, cosine)]
    scalars = np.empty((*cosine.shape[:-1], len(moments), 2))
    scalars[..., 0] = np.concatenate([[1.0], extinction * (1.0 - albedo * peak)])
    scalars[..., 1] = np.concatenate(phase, axis=-1)
    return moments, scalars


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
    rows, members, weight, factor,  # (run,) of layers, of directions; (run,) and (run, type), see below
    gas, h2o, column, t, mix, bottom,  # of the nodes, as absorption.seen_light takes them
    cia_path, air, depth,  # (row, layer), (row, layer), (row, type, layer) at 0.755 um
    cia, ray,  # (node,)
    moments, scalars,  # of `species`; (member, species, 2)
    legs, streams,  # Legendre functions (azimuth, moment, stream); (2, stream) cosines and weights
    p_sun, p_view, azimuth, mu0, sky, by_shape,  # (member, ...) of `Directions`
    # (row, layer) slant factor; (row, node) for the sky's light; (row,) shape of its reflection; orders
    slant_view, albedo, shape, count,
    by_element, by_particle,  # (row, element, layer, term); (row, element, type, layer) of the particles' own
    by_surface, slopes,  # (3, node) of the albedo; whether derivatives are wanted
    light, by_all,  # (row, node); (row, element then particle then surface then, if fitted, shape, node)
):  # fmt: skip
    """Add runs to the radiance over irradiance of their rows and to its derivatives.

    A run counts `weight` times and takes each type's depth times `factor`.
    """
    layers, points, kind = gas.shape[0], ray.size, ray.dtype
    x, work = np.empty((3 * layers + 1, points), kind), np.empty((6, points), kind)
    unused, once = np.empty(points, kind), np.empty(points, kind)
    own = np.empty(depth.shape[1:], kind)
    for run in range(rows.size):
        s, m, used, w = rows[run], members[run], bottom[rows[run]] + 1, weight[run]
        for p in range(own.shape[0]):
            own[p] = factor[run, p] * depth[s, p]
        if slopes:
            layer_terms(gas, h2o, s, column, t, bottom[s], mix, 0, points, x, work, unused)
        else:
            layer_values(gas, h2o, s, t, bottom[s], mix, 0, points, x, work)
        tau, phase, thick, c, slants = _layers_of(
            used, x, layers, column[s], cia_path[s], air[s], own, cia, ray, moments, scalars[m], slant_view[s]
        )
        once[:] = kind.type(0.0)
        by_ground, reflected = np.zeros((2, points), kind), sky[m].copy()
        for order in range(by_shape.shape[1]):
            reflected[order] += shape[s] * by_shape[m, order]
        by_tau, by_phase = np.zeros_like(tau), np.zeros_like(tau)
        by_thick, by_c = np.zeros_like(thick), np.zeros_like(c)
        scattering.single_scattering(
            tau, phase, column[s, 3, :used], slant_view[s, :used], once, by_tau, by_phase
        )
        scattering.diffuse_light(
            thick, c, legs, p_sun[m], p_view[m], azimuth[m], streams[0], streams[1], slants[0], slants[1],
            mu0[m], albedo[s], reflected, by_shape[m], count, slopes, once, by_thick, by_c, by_ground,
        )  # fmt: skip
        for n in range(points):
            light[s, n] += w * once[n]
        if slopes:
            _chain(
                x, layers, cia, ray, moments, scalars[m], factor[run], w, by_element[s], by_particle[s],
                by_surface, by_tau, by_phase, by_thick, by_c, by_ground, by_all[s],
            )  # fmt: skip


@inner
def _chain(  # type: ignore[no-untyped-def]
    x, layers, cia, ray, moments, scalars, factor, w, by_element, by_particle, by_surface, by_tau, by_phase,
    by_thick, by_c, by_ground, out,
):  # fmt: skip
    """Add w times the derivatives by elements, particles, surface and shape (element, node), from those by
    the layers' terms and by the ground."""
    used, points = by_tau.shape
    elements, own, types = by_element.shape[0], by_particle.shape[0], by_particle.shape[1]
    terms = np.empty((PARTICLES + types, points), by_tau.dtype)
    for l in range(used):
        for n in range(points):
            by_tau[l, n] += by_thick[l // MERGED, n]
        _per_term(
            l, layers, x, cia, ray, moments, scalars, factor, by_tau[l], by_phase[l], by_c[l // MERGED],
            l == used - 1, terms,
        )  # fmt: skip
        for k in range(terms.shape[0]):
            for n in range(points):
                terms[k, n] *= w
        for e in range(elements):
            _add(by_element[e, l], terms, 0, out[e])
        for e in range(own):
            _add(by_particle[e, :, l], terms, PARTICLES, out[elements + e])
    for e in range(elements + own, out.shape[0]):
        term = e - elements - own  # of the surface, then its shape
        for n in range(points):
            out[e, n] += w * (by_ground[0, n] * by_surface[term, n] if term < 3 else by_ground[1, n])


@inner
def _per_term(  # type: ignore[no-untyped-def]
    l, layers, x, cia, ray, moments, scalars, factor, by_tau, by_phase, by_c, is_bottom, terms
):
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
        for n in range(points):
            row[n] *= ray[n] if p == 0 else factor[p - 1]
