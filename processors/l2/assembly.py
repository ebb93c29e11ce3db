"""Put together radiance and Jacobian of a band from what its spectels see."""

from __future__ import annotations

import numpy as np

from .compiled import inner, kernel


@kernel
def assemble(  # type: ignore[no-untyped-def]
    seen, by_nm,  # of absorption.seen_light
    shift, widen, sums, held,  # of isrf: (row, spectel), (row,), (row, spectel, 4), whether there is a sum
    unit, continuum, zero_level,  # (row,) ph s-1 m-2 um-1; ph s-1 m-2 sr-1 um-1; share of the continuum
    moved,  # whether shift and stretch of the wavelength scale have columns
    F, K,  # (row, spectel) and (row, column, spectel), or no columns: ph s-1 m-2 sr-1 um-1
):  # fmt: skip
    """Fill F and K of some soundings in one band.

    Columns are those of the fields after the first, and where wanted shift and stretch, width, zero level.
    """
    spectels, fields, half = F.shape[1], seen.shape[1], seen.dtype.type(0.5)
    each = np.empty(spectels)
    for r in range(F.shape[0]):
        w, own, d, light = widen[r], sums[r], shift[r], F[r]
        for s in range(spectels):
            each[s] = np.nan
            if held[r, s]:
                total = own[s, 0] + d[s] * (own[s, 1] + half * d[s] * own[s, 2]) + w * own[s, 3]
                each[s] = unit[r] / total
            light[s] = each[s] * seen[r, 0, s]
        for c in range(min(fields - 1, K.shape[1])):
            for s in range(spectels):
                K[r, c, s] = each[s] * seen[r, 1 + c, s]
        if K.shape[1] > 0:
            _response(r, unit[r], light, each, d, own, by_nm, fields - 1, moved, continuum[r], K[r])
        for s in range(spectels):
            light[s] += continuum[r] * zero_level[r]


@inner
def _response(r, unit, light, each, shift, own, by_nm, first, moved, continuum, K):  # type: ignore[no-untyped-def]
    """Fill the columns of shift, stretch, width and zero level, from the column `first` on."""
    spectels = light.size
    last = first
    if moved:
        for s in range(spectels):
            change = by_nm[r, 0, s] - light[s] * (own[s, 1] + shift[s] * own[s, 2]) / unit
            K[first, s] = each[s] * change
            K[first + 1, s] = each[s] * change * (2.0 * s / (spectels - 1) - 1.0)
        last += 2
    if by_nm.shape[1] > 1:
        for s in range(spectels):
            K[last, s] = each[s] * (by_nm[r, 1, s] - light[s] * own[s, 3] / unit)
        last += 1
    if last < K.shape[0]:
        K[last] = continuum
