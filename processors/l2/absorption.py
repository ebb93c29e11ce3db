"""Compute at every point the light of a band and how each state element changes it, and let the spectels
look."""

from __future__ import annotations

import numpy as np

from .compiled import exp_minus, inner, kernel
from .isrf import LANES, dot, dots, weighted, weights_at

# points worked on at once: the fields of a block stay in the cache, the tables serve a whole batch
BLOCK = 512
BATCH = 24  # soundings at most in a call; the kernel's compiled form hangs on it
# What light and its slopes are made of, after the functions that carry scattered light: direct light of a
# surface of 1, u and u^2 - 1/3; what a unit of optical depth takes away, of air, of collisions; light that
# the ground sends up
FLAT, TILTED, CURVED, LOST, LOST_RAY, LOST_CIA, UP, PARTS = range(8)


@inner
def _cubic(c, lo, n, t, value, slope):  # type: ignore[no-untyped-def]
    """Evaluate the cubics c (4, point) and their slopes at t for the n points from lo."""
    c0, c1, c2, c3 = c[0, lo : lo + n], c[1, lo : lo + n], c[2, lo : lo + n], c[3, lo : lo + n]
    two, three = value.dtype.type(2.0), value.dtype.type(3.0)
    for j in range(n):
        value[j] = ((c3[j] * t + c2[j]) * t + c1[j]) * t + c0[j]
        slope[j] = (three * c3[j] * t + two * c2[j]) * t + c1[j]


@inner
def _quartic(c, lo, n, t, value, slope):  # type: ignore[no-untyped-def]
    """Evaluate the quartics c (5, point) and their slopes at t for the n points from lo."""
    c0, c1, c2, c3 = c[0, lo : lo + n], c[1, lo : lo + n], c[2, lo : lo + n], c[3, lo : lo + n]
    c4, kind = c[4, lo : lo + n], value.dtype
    two, three, four = kind.type(2.0), kind.type(3.0), kind.type(4.0)
    for j in range(n):
        value[j] = (((c4[j] * t + c3[j]) * t + c2[j]) * t + c1[j]) * t + c0[j]
        slope[j] = ((four * c4[j] * t + three * c3[j]) * t + two * c2[j]) * t + c1[j]


@inner
def _value(c, lo, n, t, value):  # type: ignore[no-untyped-def]
    """Evaluate the polynomials c (power, point) at t for the n points from lo."""
    last = c.shape[0] - 1
    for j in range(n):
        value[j] = c[last, lo + j]
    for k in range(last - 1, -1, -1):
        for j in range(n):
            value[j] = value[j] * t + c[k, lo + j]


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
        _quartic(h2o[l], lo, n, t[s, l], x2, d2)
        if l == bottom:
            w, r = mix[s, 1], mix[s, 2]
            _cubic(gas[l - 1], lo, n, mix[s, 0], above1, da1)
            _quartic(h2o[l - 1], lo, n, mix[s, 0], above2, da2)
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
def _add_gases(c, h, lo, n, v, a, b, tau):  # type: ignore[no-untyped-def]
    """Add a and b times the cubics c (4, point) and the quartics h (5, point) at v to tau (point)."""
    c0, c1, c2, c3 = c[0, lo : lo + n], c[1, lo : lo + n], c[2, lo : lo + n], c[3, lo : lo + n]
    h0, h1, h2, h3 = h[0, lo : lo + n], h[1, lo : lo + n], h[2, lo : lo + n], h[3, lo : lo + n]
    h4 = h[4, lo : lo + n]
    for j in range(n):
        tau[j] += a * (((c3[j] * v + c2[j]) * v + c1[j]) * v + c0[j]) + b * (
            (((h4[j] * v + h3[j]) * v + h2[j]) * v + h1[j]) * v + h0[j]
        )


@inner
def add_layer(gas, h2o, s, l, column, t, bottom, mix, lo, n, factor, tau):  # type: ignore[no-untyped-def]
    """Add factor times the vertical depth of gas and water in a layer to tau (point)."""
    u1, u2 = factor * column[s, 0, l], factor * column[s, 1, l]
    if l == bottom[s]:
        own = mix[s, 1]
        above = tau.dtype.type(1.0) - own
        _add_gases(gas[l - 1], h2o[l - 1], lo, n, mix[s, 0], above * u1, above * u2, tau)
        u1, u2 = own * u1, own * u2
    _add_gases(gas[l], h2o[l], lo, n, t[s, l], u1, u2, tau)


@inner
def _depths(gas, h2o, column, t, bottom, mix, lo, n, tau):  # type: ignore[no-untyped-def]
    """Add the slant depth of gas and water to tau (row, point); a layer's table serves all rows in turn."""
    for l in range(gas.shape[0]):
        for s in range(tau.shape[0]):
            if l <= bottom[s]:
                add_layer(gas, h2o, s, l, column, t, bottom, mix, lo, n, column[s, 3, l], tau[s])


@inner
def _columns(s, n, start, row, coefficient, x, by_depth, work, out):  # type: ignore[no-untyped-def]
    """Add by_depth * (sum of coefficient * x) of every state element to its row of out, from the second
    on."""
    zero, total = by_depth.dtype.type(0.0), work[0]
    for c in range(start.shape[1] - 1):
        e, end, target = start[s, c], start[s, c + 1], out[1 + c]
        for j in range(n):
            total[j] = zero
        while e + 3 < end:
            k0, k1, k2, k3 = (
                coefficient[s, e],
                coefficient[s, e + 1],
                coefficient[s, e + 2],
                coefficient[s, e + 3],
            )
            x0, x1, x2, x3 = x[row[s, e]], x[row[s, e + 1]], x[row[s, e + 2]], x[row[s, e + 3]]
            for j in range(n):
                total[j] += (k0 * x0[j] + k1 * x1[j]) + (k2 * x2[j] + k3 * x3[j])
            e += 4
        while e < end:
            k0, x0 = coefficient[s, e], x[row[s, e]]
            for j in range(n):
                total[j] += k0 * x0[j]
            e += 1
        for j in range(n):
            target[j] += by_depth[j] * total[j]


@inner
def _direct(s, member, lo, n, sun, u, emission, way, tau, direct):  # type: ignore[no-untyped-def]
    """Fill the light (point) of one sounding in a block whose slant depth is known: FLAT to CURVED, UP.

    Loops write one array each, which the compiler makes vectors of without asking whether many overlap.
    """
    flat, tilted, curved, up = direct[FLAT], direct[TILTED], direct[CURVED], direct[UP]
    sun_here, third = sun[member, lo : lo + n], sun.dtype.type(1.0 / 3.0)
    for j in range(n):
        flat[j] = sun_here[j] * exp_minus(tau[j])
    for j in range(n):
        tilted[j] = flat[j] * u[j]
    for j in range(n):
        curved[j] = flat[j] * (u[j] * u[j] - third)
    if emission.shape[1] > 0:
        shine = emission[member, lo : lo + n]
        for j in range(n):
            up[j] = shine[j] * exp_minus(way[s] * tau[j])


@inner
def _losses(n, cia, ray, strength, way, direct):  # type: ignore[no-untyped-def]
    """Fill what depth takes away of the light of a block, LOST to LOST_CIA; strength (PARTS,) of the
    light."""
    by_depth, by_air, by_pairs = direct[LOST], direct[LOST_RAY], direct[LOST_CIA]
    flat, tilted, curved, up = direct[FLAT], direct[TILTED], direct[CURVED], direct[UP]
    r0, r1, r2, shine = strength[FLAT], strength[TILTED], strength[CURVED], way * strength[UP]
    for j in range(n):
        by_depth[j] = -(r0 * flat[j] + r1 * tilted[j] + r2 * curved[j] + shine * up[j])
    for j in range(n):
        by_air[j] = by_depth[j] * ray[j]
    for j in range(n):
        by_pairs[j] = by_depth[j] * cia[j]


@inner
def _mixed(strength, functions, lo, n, direct, out):  # type: ignore[no-untyped-def]
    """Fill out (point) with functions (function, point) and parts of direct light times their strengths."""
    count, up = functions.shape[0], strength[functions.shape[0] + UP]
    r0, r1, r2 = strength[count + FLAT], strength[count + TILTED], strength[count + CURVED]
    flat, tilted, curved, shine = direct[FLAT], direct[TILTED], direct[CURVED], direct[UP]
    for j in range(n):
        out[j] = (r0 * flat[j] + r1 * tilted[j]) + (r2 * curved[j] + up * shine[j])
    f = 0
    while f + 3 < count:
        a, b, c, d = strength[f], strength[f + 1], strength[f + 2], strength[f + 3]
        fa, fb = functions[f, lo : lo + n], functions[f + 1, lo : lo + n]
        fc, fd = functions[f + 2, lo : lo + n], functions[f + 3, lo : lo + n]
        for j in range(n):
            out[j] += (a * fa[j] + b * fb[j]) + (c * fc[j] + d * fd[j])
        f += 4
    while f < count:
        a, fa = strength[f], functions[f, lo : lo + n]
        for j in range(n):
            out[j] += a * fa[j]
        f += 1


@inner
def _look(lo, n, here, terms, first, count, shift, widen, at, work, seen, sums):  # type: ignore[no-untyped-def]
    """Add what each spectel sees of a block to seen (field, spectel) and to the slopes of the first field.

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
        if here.shape[0] == 1:
            seen[0, s] += weighted(terms[s], tap, size, shift[s], widen, here[0, a : a + size])
            continue
        padded = -(-size // LANES) * LANES
        weight, slope = work[0, :padded], work[1, :padded]
        weights_at(terms[s], tap, size, shift[s], widen, weight, slope)
        dots(weight, here, a, seen[:, s])
        sums[0, s] += dot(slope, here[0, a : a + padded])
        if sums.shape[0] > 1:
            sums[1, s] += dot(terms[s, 3, tap : tap + size], here[0, a : a + size])


def room(rows: int, fields: int, spectels: int, kind: type) -> np.ndarray:
    """Return zeros for seen_light to add to (row, field, spectel and a few more).

    Were fields a power of two apart, what they hold of one spectel would compete for one place in the cache.
    """
    return np.zeros((rows, fields, spectels + LANES), kind)


@kernel
def seen_light(  # type: ignore[no-untyped-def]
    members,  # (row,) of sun, functions and emission; other arrays hold these soundings only
    gas, h2o,  # (layer, 4, point) cubics, (layer, 5, point) quartics
    column,  # (row, 4, layer): gas and water, cm-2; 1/K of the cubics' variable; slant factor
    t, mix, bottom,  # (row, layer) variable; (row, 3), see layer_terms; (row,) index
    smooth,  # (row, 3) slant sums of density squared, air and particle depth
    sun, functions, cia, ray, coordinate,  # (member, point) mu0/pi F; (member, function, point); (point)
    emission, way,  # (member, point or none) light the ground sends up; (row,) its slant path
    mixture,  # (row, field, function then part) what light and its slopes by the elements, ... are made of
    sparse,  # derivatives of the layer terms, see elements.sparse: the fields after the first
    # isrf.Expansion terms, first, count of each; (row, spectel) nm; (row,)
    expansions, shift, widen,
    seen, by_nm,  # (row, field, spectel or more, see `room`), (row, 1 or 2, spectel)
):  # fmt: skip
    """Add what the spectels see of the fields of a band, in the unit of `sun`, and the sums of slopes of the
    weights times the first field, all light. Where that is the only one no slopes are worked out.

    Weights are as they are, not normalised; by_nm is by wavelength and, where there is room, by width.
    """
    layers, points, kind = gas.shape[0], sun.shape[1], sun.dtype
    count, fields = functions.shape[1], mixture.shape[1]
    x, tau = np.empty((3 * layers + 1, BLOCK), kind), np.empty((members.size, BLOCK), kind)
    parts, here = np.zeros((count + PARTS, BLOCK + LANES), kind), np.empty((fields, BLOCK + LANES), kind)
    work, direct = np.empty((6, BLOCK + LANES), kind), parts[count:]
    at = np.full((members.size, 2), shift.shape[1])
    for lo in range(0, points, BLOCK):
        n = min(BLOCK, points - lo)
        cia_here, ray_here, u = cia[lo : lo + n], ray[lo : lo + n], coordinate[lo : lo + n]
        for s in range(members.size):
            sum_here, pairs, air, particles = tau[s], smooth[s, 0], smooth[s, 1], smooth[s, 2]
            for j in range(n):
                sum_here[j] = pairs * cia_here[j] + air * ray_here[j] + particles
        if fields == 1:
            _depths(gas, h2o, column, t, bottom, mix, lo, n, tau)
        for s in range(members.size):
            m = members[s]
            if fields > 1:
                layer_terms(gas, h2o, s, column, t, bottom[s], mix, lo, n, x, work, tau[s])
            _direct(s, m, lo, n, sun, u, emission, way, tau[s], direct)
            if fields == 1:
                _mixed(mixture[s, 0], functions[m], lo, n, direct, here[0])
            else:
                parts[:, n:] = kind.type(0.0)  # what is there may be another's, and no number
                for f in range(count):
                    parts[f, :n] = functions[m, f, lo : lo + n]
                _losses(n, cia_here, ray_here, mixture[s, 0, count:], way[s], direct)
                np.dot(mixture[s], parts, here)
                _columns(s, n, sparse[0], sparse[1], sparse[2], x, direct[LOST], work, here)
            terms, first, taps = expansions[s]
            _look(lo, n, here, terms, first, taps, shift[s], widen[s], at[s], work, seen[s], by_nm[s])
