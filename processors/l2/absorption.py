"""Compute at every point the direct sunlight the surface sends back, and how each state element changes
it."""

from __future__ import annotations

import numpy as np

from .compiled import exp_minus, inner, kernel
from .isrf import LANES, dot, dots, weights_at

# points worked on at once: the fields of a block stay in the cache, the tables serve a whole batch
BLOCK = 512
BATCH = 12  # soundings at most in a call; the kernel's compiled form hangs on it
# Rows of the fields before those of the state elements; `lost` is what a unit of optical depth takes away
TOTAL, SURFACE, LOST, LOST_RAY, LOST_CIA, SIF, ELEMENTS = 0, 1, 4, 5, 6, 7, 8


@inner
def _cubic(c, lo, n, t, value, slope):  # type: ignore[no-untyped-def]
    """Evaluate the cubics c (4, point) and their slopes at t for the n points from lo."""
    c0, c1, c2, c3 = c[0, lo : lo + n], c[1, lo : lo + n], c[2, lo : lo + n], c[3, lo : lo + n]
    two, three = value.dtype.type(2.0), value.dtype.type(3.0)
    for j in range(n):
        value[j] = ((c3[j] * t + c2[j]) * t + c1[j]) * t + c0[j]
        slope[j] = (three * c3[j] * t + two * c2[j]) * t + c1[j]


@inner
def _value(c, lo, n, t, value):  # type: ignore[no-untyped-def]
    """Evaluate the cubics c (4, point) at t for the n points from lo."""
    c0, c1, c2, c3 = c[0, lo : lo + n], c[1, lo : lo + n], c[2, lo : lo + n], c[3, lo : lo + n]
    for j in range(n):
        value[j] = ((c3[j] * t + c2[j]) * t + c1[j]) * t + c0[j]


@inner
def layer_values(gas, h2o, s, t, bottom, mix, lo, n, x, work):  # type: ignore[no-untyped-def]
    """Fill x with the cross-sections of the layers as `layer_terms` does, without slopes."""
    count, above1, above2, w = gas.shape[0], work[0], work[1], mix[s, 1]
    for l in range(bottom + 1):
        x1, x2 = x[l], x[count + l]
        _value(gas[l], lo, n, t[s, l], x1)
        _value(h2o[l], lo, n, t[s, l], x2)
        if l == bottom:
            _value(gas[l - 1], lo, n, mix[s, 0], above1)
            _value(h2o[l - 1], lo, n, mix[s, 0], above2)
            for j in range(n):
                x1[j] = above1[j] + w * (x1[j] - above1[j])
                x2[j] = above2[j] + w * (x2[j] - above2[j])


@inner
def layer_terms(gas, h2o, s, column, t, bottom, mix, lo, n, x, work, tau):  # type: ignore[no-untyped-def]
    """Fill x with cross-sections and temperature slopes of the layers; add their slant depth to tau.

    x  (3 * layer + 1, point): gas, water, both per kelvin with their columns, and the bottom layer's mixing;
    mix  of the bottom layer: variable of the table above, weight of its own table, ratio of the variables'
    slopes
    """
    count = gas.shape[0]
    d1, d2, above1, above2, da1, da2 = work[0], work[1], work[2], work[3], work[4], work[5]
    for l in range(bottom + 1):
        x1, x2, x3 = x[l], x[count + l], x[2 * count + l]
        _cubic(gas[l], lo, n, t[s, l], x1, d1)
        _cubic(h2o[l], lo, n, t[s, l], x2, d2)
        if l == bottom:
            w, r = mix[s, 1], mix[s, 2]
            _cubic(gas[l - 1], lo, n, mix[s, 0], above1, da1)
            _cubic(h2o[l - 1], lo, n, mix[s, 0], above2, da2)
            u1, u2, mixing = column[s, 0, l], column[s, 1, l], x[3 * count]
            for j in range(n):
                mixing[j] = u1 * (x1[j] - above1[j]) + u2 * (x2[j] - above2[j])
                x1[j] = above1[j] + w * (x1[j] - above1[j])
                x2[j] = above2[j] + w * (x2[j] - above2[j])
                d1[j] = r * da1[j] + w * (d1[j] - r * da1[j])
                d2[j] = r * da2[j] + w * (d2[j] - r * da2[j])
        u1, u2, per_kelvin, slant = column[s, 0, l], column[s, 1, l], column[s, 2, l], column[s, 3, l]
        for j in range(n):
            x3[j] = per_kelvin * (u1 * d1[j] + u2 * d2[j])
            tau[j] += slant * (u1 * x1[j] + u2 * x2[j])


@inner
def _columns(s, n, start, row, coefficient, x, by_depth, out):  # type: ignore[no-untyped-def]
    """Write by_depth * (sum of coefficient * x) of every state element."""
    zero = by_depth.dtype.type(0.0)
    for c in range(start.shape[1] - 1):
        target = out[c]
        e, end = start[s, c], start[s, c + 1]
        for j in range(n):
            target[j] = zero
        while e + 3 < end:
            k0, k1, k2, k3 = (
                coefficient[s, e],
                coefficient[s, e + 1],
                coefficient[s, e + 2],
                coefficient[s, e + 3],
            )
            x0, x1, x2, x3 = x[row[s, e]], x[row[s, e + 1]], x[row[s, e + 2]], x[row[s, e + 3]]
            for j in range(n):
                target[j] += (k0 * x0[j] + k1 * x1[j]) + (k2 * x2[j] + k3 * x3[j])
            e += 4
        while e < end:
            k0, x0 = coefficient[s, e], x[row[s, e]]
            for j in range(n):
                target[j] += k0 * x0[j]
            e += 1
        for j in range(n):
            target[j] *= by_depth[j]


@inner
def _light(s, member, lo, n, sun, u, surface, emission, share, tau, here):  # type: ignore[no-untyped-def]
    """Fill the light (point) of one sounding in a block whose slant depth is known, and its parts.

    Loops write one array each, which the compiler makes vectors of without asking whether many overlap.
    """
    total, flat, tilted, curved = here[TOTAL], here[SURFACE], here[SURFACE + 1], here[SURFACE + 2]
    r0, r1, r2 = surface[s, 0], surface[s, 1], surface[s, 2]
    sun_here, third = sun[member, lo : lo + n], sun.dtype.type(1.0 / 3.0)
    for j in range(n):
        flat[j] = sun_here[j] * exp_minus(tau[j])
    for j in range(n):
        tilted[j] = flat[j] * u[j]
    for j in range(n):
        curved[j] = flat[j] * (u[j] * u[j] - third)
    for j in range(n):
        total[j] = r0 * flat[j] + r1 * tilted[j] + r2 * curved[j]
    if emission.shape[1] > 0:
        shine, way, strength, up = emission[member, lo : lo + n], share[s, 0], share[s, 1], here[SIF]
        for j in range(n):
            up[j] = shine[j] * exp_minus(way * tau[j])
        for j in range(n):
            total[j] += strength * up[j]


@inner
def _slopes(s, n, cia, ray, emission, share, sparse, x, here):  # type: ignore[no-untyped-def]
    """Fill what depth takes away of the light of a block, by terms and by elements (row, point)."""
    total, by_depth, by_air, by_pairs = here[TOTAL], here[LOST], here[LOST_RAY], here[LOST_CIA]
    for j in range(n):
        by_depth[j] = -total[j]
    if emission.shape[1] > 0:  # its way is another
        less, up = (share[s, 0] - share.dtype.type(1.0)) * share[s, 1], here[SIF]
        for j in range(n):
            by_depth[j] -= less * up[j]
    for j in range(n):
        by_air[j] = by_depth[j] * ray[j]
    for j in range(n):
        by_pairs[j] = by_depth[j] * cia[j]
    _columns(s, n, sparse[0], sparse[1], sparse[2], x, by_depth, here[ELEMENTS:])


@inner
def _look(lo, n, here, terms, first, count, shift, widen, at, work, seen, sums):  # type: ignore[no-untyped-def]
    """Add what each spectel sees of a block to seen (spectel, field) and to the slopes of the first field.

    at  (2,) the spectels that the block before this one reached
    """
    while at[1] > 0 and first[at[1] - 1] + count[at[1] - 1] <= lo:
        at[1] -= 1
    while at[0] > 0 and first[at[0] - 1] < lo + n:
        at[0] -= 1
    for s in range(at[0], at[1]):
        begin, end = max(first[s], lo), min(first[s] + count[s], lo + n)
        if end <= begin:
            continue
        size, a, tap = end - begin, begin - lo, begin - first[s]
        padded = -(-size // LANES) * LANES
        weight, slope = work[0, :padded], work[1, :padded]
        weights_at(terms[s], tap, size, shift[s], widen, weight, slope)
        dots(weight, here[: seen.shape[1]], a, seen[s])
        if seen.shape[1] == 1:
            continue
        sums[s, 0] += dot(slope, here[TOTAL, a : a + padded])
        if sums.shape[1] > 1:
            sums[s, 1] += dot(terms[s, 3, tap : tap + size], here[TOTAL, a : a + size])


@kernel
def seen_light(  # type: ignore[no-untyped-def]
    members,  # (sounding,) rows of sun and emission; other arrays hold these soundings only
    gas, h2o,  # (layer, 4, point) cubics
    column,  # (sounding, 4, layer): gas and water, cm-2; 1/K of the cubics' variable; slant factor
    t, mix, bottom,  # (sounding, layer) variable; (sounding, 3), see layer_terms; (sounding,) index
    smooth,  # (sounding, 3) slant sums of density squared, air and particle depth
    sun, cia, ray, coordinate,  # (sounding, point) mu0/pi F; (point)
    surface,  # (sounding, 3) polynomial of the reflectance
    emission, share,  # (sounding, point) light the ground sends up, (sounding, 2) its slant path and strength
    sparse,  # derivatives of the layer terms, see elements.sparse
    # isrf.Expansion terms, first, count of each; (sounding, spectel) nm; (sounding,)
    expansions, shift, widen,
    seen, by_nm,  # (sounding, spectel, ELEMENTS + element, or 1: TOTAL alone), (sounding, spectel, 1 or 2)
):  # fmt: skip
    """Add what the spectels see of a band, in the unit of `sun`, and the sums of slopes of the weights times
    light.

    Weights are as they are, not normalised; by_nm is by wavelength and, where there is room, by width, and is
    left alone where TOTAL alone is wanted.
    """
    layers, points, kind = gas.shape[0], sun.shape[1], sun.dtype
    x = np.empty((3 * layers + 1, BLOCK), kind)
    here = np.zeros((max(seen.shape[2], ELEMENTS), BLOCK + LANES), kind)
    work, tau = np.empty((6, BLOCK + LANES), kind), np.empty(BLOCK, kind)
    at = np.full((members.size, 2), seen.shape[1])
    for lo in range(0, points, BLOCK):
        n = min(BLOCK, points - lo)
        cia_here, ray_here, u = cia[lo : lo + n], ray[lo : lo + n], coordinate[lo : lo + n]
        for s in range(members.size):
            here[:, n:] = kind.type(0.0)  # what is there may be another's, and no number
            pairs, air, particles = smooth[s, 0], smooth[s, 1], smooth[s, 2]
            for j in range(n):
                tau[j] = pairs * cia_here[j] + air * ray_here[j] + particles
            if seen.shape[2] == 1:
                layer_values(gas, h2o, s, t, bottom[s], mix, lo, n, x, work)
                for l in range(bottom[s] + 1):
                    u1, u2, slant = column[s, 0, l], column[s, 1, l], column[s, 3, l]
                    x1, x2 = x[l], x[layers + l]
                    for j in range(n):
                        tau[j] += slant * (u1 * x1[j] + u2 * x2[j])
            else:
                layer_terms(gas, h2o, s, column, t, bottom[s], mix, lo, n, x, work, tau)
            _light(s, members[s], lo, n, sun, u, surface, emission, share, tau, here)
            if seen.shape[2] > 1:
                _slopes(s, n, cia_here, ray_here, emission, share, sparse, x, here)
            terms, first, count = expansions[s]
            _look(lo, n, here, terms, first, count, shift[s], widen[s], at[s], work, seen[s], by_nm[s])
