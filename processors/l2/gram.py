"""Sum products of the columns of K in double precision, and solve what they make."""

from __future__ import annotations

import numpy as np
from scipy.linalg import lapack

from .compiled import kernel, summing


def gram(a: np.ndarray) -> np.ndarray:
    """Return a a^T (row, row) of a (row, measurement) in single or double precision, sums in double.

    Single would not do: over the sea wind and the brightness of all bands make nearly the same light, and of
    sums of 1e6 what tells them apart is of order 1.
    """
    out = np.empty((len(a), len(a)))
    _gram(np.ascontiguousarray(a), out)  # type: ignore[call-arg]
    return out


def pull(a: np.ndarray, residual: np.ndarray) -> np.ndarray:
    """Return a (row, measurement) times a residual (measurement), sums in double."""
    out = np.empty(len(a))
    _pull(np.ascontiguousarray(a), residual, out)  # type: ignore[call-arg]
    return out


def solve(matrix: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return matrix^-1 right (n,) of a symmetric matrix (n, n), positive definite but for rounding."""
    _, x, failed = lapack.dposv(matrix.T, right)  # .T: column-major, and the same
    return np.linalg.solve(matrix, right) if failed else np.asarray(x)


@kernel
def _gram(a, out):  # type: ignore[no-untyped-def]
    rows = a.shape[0]
    for i in range(0, rows, 2):
        for j in range(0, i + 2, 4):
            _block(a, i, j, out)
    for i in range(rows):
        for j in range(i):
            out[j, i] = out[i, j]


@kernel
def _pull(a, residual, out):  # type: ignore[no-untyped-def]
    for i in range(a.shape[0]):
        out[i] = _sum(a[i], residual)


@summing
def _sum(x, y):  # type: ignore[no-untyped-def]
    total = 0.0
    for k in range(x.size):
        total += np.float64(x[k]) * np.float64(y[k])
    return total


@summing
def _block(a, i, j, out):  # type: ignore[no-untyped-def]
    """Fill two by four sums from (i, j) on; beyond the last row that one again."""
    last = a.shape[0] - 1
    i1, j0, j1, j2, j3 = min(i + 1, last), min(j, last), min(j + 1, last), min(j + 2, last), min(j + 3, last)
    x0, x1, y0, y1, y2, y3 = a[i], a[i1], a[j0], a[j1], a[j2], a[j3]
    s00, s01, s02, s03, s10, s11, s12, s13 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for k in range(a.shape[1]):
        p, q = np.float64(x0[k]), np.float64(x1[k])
        u, v, w, t = np.float64(y0[k]), np.float64(y1[k]), np.float64(y2[k]), np.float64(y3[k])
        s00 += p * u
        s01 += p * v
        s02 += p * w
        s03 += p * t
        s10 += q * u
        s11 += q * v
        s12 += q * w
        s13 += q * t
    out[i, j0], out[i, j1], out[i, j2], out[i, j3] = s00, s01, s02, s03
    out[i1, j0], out[i1, j1], out[i1, j2], out[i1, j3] = s10, s11, s12, s13
