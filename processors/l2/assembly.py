"""Put together radiance and Jacobian of a band from what its spectels see of direct and scattered light."""

from __future__ import annotations

import numpy as np

from .absorption import ELEMENTS, LOST, SIF, SURFACE, TOTAL
from .compiled import inner, kernel
from .isrf import dot

# Columns of K after those of elements, particles, surface (3) and dispersion (2), where a state has them
WIDTH, ZERO_LEVEL, WIND, AIRGLOW, FLUORESCENCE, SHAPE = range(6)


@inner
def _seen_functions(looks, shift, w, inverse, f):  # type: ignore[no-untyped-def]
    """Fill f (spectel, function) with what the spectels see of the functions."""
    for s in range(f.shape[0]):
        d, each = shift[s], inverse[s]
        for i in range(f.shape[1]):
            f[s, i] = (looks[0, s, i] + d * looks[1, s, i]) * each
        if looks.shape[0] > 2:
            for i in range(f.shape[1]):
                f[s, i] += w * looks[2, s, i] * each


@inner
def _elements(at, inverse, smooth, level, out):  # type: ignore[no-untyped-def]
    """Add to scattered light's changes with each element, particle and term of the surface those of direct
    light, in the unit of the Sun."""
    size = smooth.shape[1]
    lost, air, pairs = at[LOST] * inverse, at[LOST + 1] * inverse, at[LOST + 2] * inverse
    for c in range(size):
        out[c] += lost * smooth[0, c] + air * smooth[1, c] + pairs * smooth[2, c]
    for c in range(at.size - ELEMENTS):
        out[c] += at[ELEMENTS + c] * inverse
    for c in range(3):
        out[size + c] += level * at[SURFACE + c] * inverse


@inner
def _others(optional, f, count, at, inverse, polynomial, by_wind, by_width, by_shape, share, unit, row):  # type: ignore[no-untyped-def]
    """Fill the columns that not all states have."""
    if optional[WIDTH] >= 0:
        row[optional[WIDTH]] = unit * by_width
    if optional[ZERO_LEVEL] >= 0:
        row[optional[ZERO_LEVEL]] = share
    if optional[WIND] >= 0:
        wind = f.dtype.type(0.0)
        for c in range(3):
            wind += polynomial[c] * at[SURFACE + c]
        row[optional[WIND]] = unit * by_wind * wind * inverse
    if optional[AIRGLOW] >= 0:
        row[optional[AIRGLOW]] = unit * f[count]
        row[optional[AIRGLOW] + 1] = unit * f[count + 1]
    if optional[FLUORESCENCE] >= 0:
        row[optional[FLUORESCENCE]] = unit * at[SIF] * inverse
    if optional[SHAPE] >= 0:
        row[optional[SHAPE]] = unit * by_shape


@kernel
def assemble(  # type: ignore[no-untyped-def]
    members,  # (row,) of `looked`
    looked,  # (member, order, spectel, function), see ScatteredLight.look; airglow after the scattered light
    coefficient, by_all,  # (row, function); (row, function, element then particle then surface then shape)
    seen, by_nm,  # of absorption.seen_light
    shift, widen, sums, held,  # of isrf: (row, spectel), (row,), (row, spectel, 4), whether there is a sum
    smooth,  # (row, 3, element then particle) slopes of the slant sums of particles, air and collisions
    polynomial, level, by_wind,  # (row, 3), (row,), (row,): surface, what stands before it, its slope
    unit, continuum, zero_level,  # (row,) ph s-1 m-2 um-1; ph s-1 m-2 sr-1 um-1; share of the continuum
    optional,  # (6,) first column of each block above, -1 where a state has none
    F, K,  # (row, spectel) and (row, spectel, column), or no columns: ph s-1 m-2 sr-1 um-1
):  # fmt: skip
    """Fill F and K of some soundings in one band."""
    kind, spectels, half = seen.dtype, F.shape[1], seen.dtype.type(0.5)
    f, size = np.empty((spectels, looked.shape[3]), kind), smooth.shape[2] + 3
    changes, inverse = np.empty((spectels, by_all.shape[2]), kind), np.empty(spectels, kind)
    scattered = by_all.shape[1]  # functions; airglow comes after them
    for r in range(members.size):
        looks, w = looked[members[r]], widen[r]
        for s in range(spectels):
            d, own = shift[r, s], sums[r, s]
            inverse[s] = kind.type(np.nan)
            if held[r, s]:
                inverse[s] = kind.type(1.0 / (own[0] + d * (own[1] + half * d * own[2]) + w * own[3]))
        _seen_functions(looks, shift[r], w, inverse, f)
        if K.shape[2] > 0:
            np.dot(np.ascontiguousarray(f[:, :scattered]), by_all[r], changes)
        for s in range(spectels):
            own, at, d = sums[r, s], seen[r, s], shift[r, s]
            light = dot(f[s], coefficient[r]) + at[TOTAL] * inverse[s]
            F[r, s] = unit[r] * light + continuum[r] * zero_level[r]
            if K.shape[2] == 0:
                continue
            by, row = changes[s], K[r, s]
            _elements(at, inverse[s], smooth[r], level[r], by)
            for c in range(size):
                row[c] = unit[r] * by[c]
            by_shift, by_width = by_nm[r, s, 0] + dot(looks[1, s], coefficient[r]), by_nm[r, s, 0]
            if looks.shape[0] > 2:
                by_width = by_nm[r, s, 1] + dot(looks[2, s], coefficient[r])
            slope = unit[r] * ((by_shift - light * (own[1] + d * own[2])) * inverse[s])
            row[size], row[size + 1] = slope, slope * (2.0 * s / (spectels - 1) - 1.0)
            wide = (by_width - light * own[3]) * inverse[s]
            _others(
                optional, f[s], scattered, at, inverse[s], polynomial[r], by_wind[r], wide, by[-1],
                continuum[r], unit[r], row,
            )  # fmt: skip
